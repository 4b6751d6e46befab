"""One envelope for everything that goes wrong.

    {"error": {"code", "message", "request_id", "fields": {path: [{"code", "message", "params"}]},
               "rows": [{"row", "fields"}], "details": {}}}

`fields` is by path of the request body (`ad_sets[0].ads[1].headlines`), "non_field_errors" for the whole;
`rows` speaks of a list that was sent; `details` holds what a conflict is about (impact, used_by, task_id).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from django.core.exceptions import NON_FIELD_ERRORS, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError, OperationalError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from governance.api.permissions import require_scopes
from governance.governed import StaleVersion

logger = logging.getLogger(__name__)

WHOLE = "non_field_errors"
Fields = dict[str, list[dict[str, Any]]]

#: Refusals of the models and services that are no matter of input, and the status that says so.
STATUS_OF_CODE = {
    "stale_version": status.HTTP_409_CONFLICT,
    "not_reverted": status.HTTP_409_CONFLICT,
    "wrong_status": status.HTTP_409_CONFLICT,
    "not_editable": status.HTTP_409_CONFLICT,
    "digest_changed": status.HTTP_409_CONFLICT,
    "already_deploying": status.HTTP_409_CONFLICT,
    "partly_built": status.HTTP_409_CONFLICT,
    "not_approved": status.HTTP_409_CONFLICT,
    "code_in_use": status.HTTP_409_CONFLICT,
    "live_off": status.HTTP_409_CONFLICT,
    "in_doubt": status.HTTP_409_CONFLICT,
    "not_built": status.HTTP_409_CONFLICT,
    "nothing_built": status.HTTP_409_CONFLICT,
    "has_run": status.HTTP_409_CONFLICT,
    "archived": status.HTTP_409_CONFLICT,
    "drift.decided": status.HTTP_409_CONFLICT,
    "four_eyes": status.HTTP_403_FORBIDDEN,
}


class Problem(Exception):
    """An answer in the envelope: status, code and the parts of it that say more."""

    def __init__(
        self, status_code: int, code: str, message: str, *, fields: Fields | None = None,
        rows: list[dict[str, Any]] | None = None, details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status_code, self.code, self.message = status_code, code, str(message)
        self.fields, self.rows, self.details = fields or {}, rows or [], details or {}
        self.headers = headers or {}

    def response(self) -> Response:
        body: dict[str, Any] = {
            "code": self.code, "message": self.message, "request_id": request_id(),
            "fields": self.fields, "rows": self.rows, "details": self.details,
        }  # fmt: skip
        return Response({"error": body}, status=self.status_code, headers=dict(self.headers))


class DetailWithParams(exceptions.ErrorDetail):
    """A field error of the REST framework that keeps the finding's parameters."""

    params: Mapping[str, Any] = {}

    @classmethod
    def of(cls, error: DjangoValidationError) -> list[DetailWithParams]:
        return [cls._made(each) for each in _each(error)]

    @classmethod
    def _made(cls, error: DjangoValidationError) -> DetailWithParams:
        made = cls(_text(error), code=error.code or "invalid")
        made.params = _plain(error.params or {})
        return made


class Refused(exceptions.ValidationError):
    """Field errors as they stand (the framework's own class would drop the parameters)."""

    def __init__(self, detail: Any) -> None:
        super().__init__("")
        self.detail = detail


def request_id() -> str:
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def invalid(fields: Fields, rows: list[dict[str, Any]] | None = None) -> Problem:
    message = (
        _("%(n)s rows have errors; nothing was saved.") % {"n": len(rows)}
        if rows
        else _("Some values are wrong.")
    )
    return Problem(400, "validation_error", message, fields=fields, rows=rows)


def field_problem(field: str, code: str, message: str, params: Mapping[str, Any] | None = None) -> Problem:
    return invalid({field: [{"code": code, "message": str(message), "params": _plain(params or {})}]})


# ---------------------------------------------------------------------------- errors as fields


def fields_of_model(error: DjangoValidationError) -> Fields:
    """A model's or service's ValidationError, per field, with codes and parameters."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: _each(error)}
    return {
        WHOLE if name == NON_FIELD_ERRORS else name: [
            _entry_of_model(each) for one in errors for each in _each(one)
        ]
        for name, errors in by_field.items()
    }


def fields_of_detail(detail: Any, path: str = "") -> Fields:
    """The REST framework's nested error detail, flat, by path."""
    if isinstance(detail, Mapping):
        return _merged(fields_of_detail(value, _joined(path, key)) for key, value in detail.items())
    if isinstance(detail, list) and any(isinstance(each, Mapping | list) for each in detail):
        return _merged(fields_of_detail(value, f"{path}[{at}]") for at, value in enumerate(detail))
    details = detail if isinstance(detail, list) else [detail]
    return {path or WHOLE: [_entry_of_detail(each) for each in details]} if details else {}


def _joined(path: str, key: Any) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    if key in (WHOLE, NON_FIELD_ERRORS):
        return path
    return f"{path}.{key}" if path else key


def _merged(parts: Iterable[Fields]) -> Fields:
    merged: Fields = {}
    for part in parts:
        for name, entries in part.items():
            merged.setdefault(name, []).extend(entries)
    return merged


def _entry_of_detail(detail: Any) -> dict[str, Any]:
    return {
        "code": getattr(detail, "code", None) or "invalid", "message": force_str(detail),
        "params": getattr(detail, "params", {}),
    }  # fmt: skip


def _entry_of_model(error: DjangoValidationError) -> dict[str, Any]:
    return {"code": error.code or "invalid", "message": _text(error), "params": _plain(error.params or {})}


def _each(error: DjangoValidationError) -> list[DjangoValidationError]:
    if hasattr(error, "error_dict"):
        return [each for errors in error.error_dict.values() for each in errors]
    return error.error_list


def _text(error: DjangoValidationError) -> str:
    return str(error.message % error.params if error.params else error.message)


#: Django's own parameters of a uniqueness error: the row and the class behind it.
_OURS = frozenset({"model", "model_class"})


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON: numbers and texts stay, everything else is written out but for what is only ours to know."""
    return {key: _plain_value(value) for key, value in params.items() if key not in _OURS}


def _plain_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain_value(each) for each in value]
    return force_str(value)


# ---------------------------------------------------------------------------- the handler


def error_envelope(exc: Exception, context: dict[str, Any]) -> Response:
    """The REST framework's EXCEPTION_HANDLER: every exception becomes the envelope, none gets out."""
    set_rollback()
    if isinstance(exc, Problem):
        return exc.response()
    for kind, answer in _ANSWERS:
        if isinstance(exc, kind):
            return answer(exc, context).response()
    logger.error("unexpected error in the API", exc_info=exc)
    text = _("Something went wrong on our side. Tell an administrator the request id.")
    return Problem(500, "internal_error", text).response()


def _stale(exc: StaleVersion, context: dict[str, Any]) -> Problem:
    request = context.get("request")
    asked = request is not None and request.headers.get("If-Match")
    return Problem(412 if asked else 409, "stale_version", exc.messages[0])


def _model_refusal(exc: DjangoValidationError, context: dict[str, Any]) -> Problem:
    fields = fields_of_model(exc)
    entries = [entry for each in fields.values() for entry in each]
    told = {entry["code"] for entry in entries}
    if len(told) == 1 and (code := told.pop()) in STATUS_OF_CODE:
        return Problem(
            STATUS_OF_CODE[code], code, entries[0]["message"], fields=fields, details=entries[0]["params"]
        )
    return invalid(fields)


def _framework_validation(exc: exceptions.ValidationError, context: dict[str, Any]) -> Problem:
    return invalid(fields_of_detail(exc.detail))


def _framework(exc: exceptions.APIException, context: dict[str, Any]) -> Problem:
    headers = {}
    if (challenge := getattr(exc, "auth_header", None)) is not None:
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait))
    codes = exc.get_codes()
    return Problem(
        exc.status_code,
        codes if isinstance(codes, str) else exc.default_code,
        force_str(exc.detail),
        headers=headers,
    )


def _not_found(exc: Http404, context: dict[str, Any]) -> Problem:
    return Problem(404, "not_found", _("There is nothing here, or nothing that is yours."))


def _denied(exc: DjangoPermissionDenied, context: dict[str, Any]) -> Problem:
    try:
        require_scopes(context["request"])
    except Problem as missing:
        return missing
    return Problem(403, "permission_denied", str(exc) or _("You may not do this."))


def _in_use(exc: ProtectedError | RestrictedError, context: dict[str, Any]) -> Problem:
    rows = exc.protected_objects if isinstance(exc, ProtectedError) else exc.restricted_objects
    used_by: dict[str, dict[str, Any]] = {}
    for row in rows:
        entry = used_by.setdefault(
            row._meta.label_lower, {"what": str(row._meta.verbose_name_plural), "count": 0, "examples": []}
        )
        entry["count"] += 1
        if len(entry["examples"]) < 5:
            entry["examples"].append(str(row))
    found = ", ".join(f"{entry['count']} {entry['what']}" for entry in used_by.values())
    text = _("It is in use (%(found)s) and can't be deleted.") % {"found": found}
    return Problem(409, "in_use", text, details={"used_by": list(used_by.values())})


def _conflict(exc: IntegrityError, context: dict[str, Any]) -> Problem:
    logger.warning("refused by a database constraint", exc_info=exc)
    return Problem(
        409,
        "conflict",
        _("Someone else saved something that this collides with. Read it again and try once more."),
    )


def _busy(exc: OperationalError, context: dict[str, Any]) -> Problem:
    logger.error("the database did not answer", exc_info=exc)
    return Problem(
        503,
        "database_busy",
        _("The database did not answer in time. Try again."),
        headers={"Retry-After": "5"},
    )


def _too_large(exc: RequestDataTooBig, context: dict[str, Any]) -> Problem:
    return Problem(413, "too_large", _("The request is too large. Send it in several parts."))


def _suspicious(exc: SuspiciousOperation, context: dict[str, Any]) -> Problem:
    return Problem(400, "bad_request", _("The request is malformed."))


#: First match wins: a subclass stands before its base.
_ANSWERS: tuple[tuple[Any, Any], ...] = (
    (StaleVersion, _stale),
    (DjangoValidationError, _model_refusal),
    (exceptions.ValidationError, _framework_validation),
    (Http404, _not_found),
    (exceptions.NotFound, _not_found),
    (exceptions.APIException, _framework),
    (DjangoPermissionDenied, _denied),
    ((ProtectedError, RestrictedError), _in_use),
    (IntegrityError, _conflict),
    (OperationalError, _busy),
    (RequestDataTooBig, _too_large),
    (SuspiciousOperation, _suspicious),
)
