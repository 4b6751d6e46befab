"""Google's answers as outcomes: `google.rpc.Status` with a `GoogleAdsFailure` among its details.

Read leniently: REST answers in camelCase, but relays, recorded bodies and older API versions write snake_case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from trafficking.platforms.base import InDoubt, NeedsAuth, Rejected, RetryLater
from trafficking.platforms.http import json_or_none, retry_after_s

Refusal = Rejected | RetryLater | InDoubt | NeedsAuth

#: Errors of credentials and permissions; all their codes need a person.
AUTH_KINDS = ("authenticationError", "authorizationError", "headerError")
#: The request did not happen, and may be sent again as it is.
RETRY_CODES = {
    ("databaseError", "CONCURRENT_MODIFICATION"),
    ("quotaError", "RESOURCE_EXHAUSTED"),
    ("quotaError", "RESOURCE_TEMPORARILY_EXHAUSTED"),
    ("quotaError", "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION"),
    ("quotaError", "EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION"),
    ("quotaError", "PAYMENTS_PROFILE_ACTIVATION_RATE_LIMIT_EXCEEDED"),
}
#: Something broke on Google's side: it may have been done before that.
DOUBT_CODES = {
    ("internalError", "INTERNAL_ERROR"),
    ("internalError", "TRANSIENT_ERROR"),
    ("internalError", "DEADLINE_EXCEEDED"),
}
#: `QuotaError.ACCESS_PROHIBITED`, and a missing developer token, which Google files under RequestError.
AUTH_CODES = {
    ("quotaError", "ACCESS_PROHIBITED"),
    ("requestError", "DEVELOPER_TOKEN_PARAMETER_MISSING"),
    ("requestError", "LOGIN_CUSTOMER_ID_PARAMETER_MISSING"),
    ("requestError", "CLOUD_PROJECT_NOT_FOUND"),
}
#: Names of oneofs, which field paths may end in, and which are no fields of a body.
ONEOFS = {
    "campaign_bidding_strategy",
    "ad_data",
    "criterion",
    "asset_data",
    "operation",
    "channel_configuration",
}


@dataclass(frozen=True, slots=True)
class AdsError:
    """One `GoogleAdsError`."""

    kind: str  # campaignError
    code: str  # DUPLICATE_CAMPAIGN_NAME
    message: str
    path: tuple[tuple[str, int | None], ...] = ()
    retry_after: float | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.code


def refusal(response: requests.Response, body: Any = None) -> Refusal:
    """The outcome of an answer that is no success. `body` is what was sent, to point into."""
    answer = json_or_none(response)
    status = response.status_code
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return _without_envelope(response, answer)
    errors = list(ads_errors(error))
    if errors:
        return _from_errors(errors, error, response, answer, body)
    return _from_status(str(error.get("status", "")), str(error.get("message", "")), response, answer, status)


def ads_errors(error: Mapping[str, Any]) -> Iterator[AdsError]:
    """All `GoogleAdsError`s of a `google.rpc.Status`."""
    for detail in error.get("details") or []:
        for each in (detail.get("errors") if isinstance(detail, dict) else None) or []:
            if isinstance(each, dict):
                yield _ads_error(each)


def _ads_error(each: Mapping[str, Any]) -> AdsError:
    kind, code = next(iter(_either(each, "errorCode", {}).items()), ("unknownError", "UNKNOWN"))
    details = _either(each, "details", {})
    quota = _either(details, "quotaErrorDetails", {})
    unpublished = _either(details, "unpublishedErrorCode", "")
    if unpublished and code in ("UNKNOWN", "ERROR_CODE_NOT_PUBLISHED"):
        named, _, code = unpublished.partition(".")
        kind = f"{named[:1].lower()}{named[1:]}"
    return AdsError(
        kind=_camel(kind),
        code=str(code),
        message=str(each.get("message", "")),
        path=tuple(_path(_either(each, "location", {}))),
        retry_after=_seconds(_either(quota, "retryDelay", None)),
    )


def _path(location: Mapping[str, Any]) -> Iterator[tuple[str, int | None]]:
    for element in _either(location, "fieldPathElements", []):
        index = element.get("index")
        yield str(_either(element, "fieldName", "")), None if index is None else int(index)


def _from_errors(
    errors: Sequence[AdsError], error: Mapping[str, Any], response: requests.Response, answer: Any, body: Any
) -> Refusal:
    """Credentials first, for nothing works without; then what a person must mend; then what passes by itself."""
    status = response.status_code
    words = "; ".join(dict.fromkeys(each.message for each in errors if each.message)) or str(
        error.get("message", "")
    )
    first = errors[0]
    name = f"{first.kind}.{first.code}"
    if any(each.kind in AUTH_KINDS or each.key in AUTH_CODES for each in errors):
        return NeedsAuth(f"{name}: {words}", answer, status)
    lasting = [each for each in errors if each.key not in RETRY_CODES | DOUBT_CODES]
    if lasting and status < 500:
        worst = lasting[0]
        return Rejected(f"{worst.kind}.{worst.code}", words, pointer(worst.path, body), answer, status)
    if any(each.key in DOUBT_CODES for each in errors) or status >= 500:
        return InDoubt(f"{name}: {words}", answer, status)
    return RetryLater(f"{name}: {words}", _wait(errors, error, response), answer, status)


def _wait(errors: Sequence[AdsError], error: Mapping[str, Any], response: requests.Response) -> float | None:
    """The longest wait that Google names: per error, as `RetryInfo`, or in the header."""
    waits = [each.retry_after for each in errors]
    waits += [
        _seconds(_either(d, "retryDelay", None)) for d in error.get("details") or [] if isinstance(d, dict)
    ]
    waits.append(retry_after_s(response.headers.get("Retry-After")))
    return max((wait for wait in waits if wait is not None), default=None)


def _from_status(name: str, words: str, response: requests.Response, answer: Any, status: int) -> Refusal:
    """A `google.rpc.Status` without Ads errors: the front door of Google's APIs speaking."""
    reason = f"{name or status}: {words}"
    if status in (401, 403) or name in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return NeedsAuth(reason, answer, status)
    if status == 429 or name == "RESOURCE_EXHAUSTED":
        return RetryLater(reason, _wait((), answer["error"], response), answer, status)
    if status >= 500 or status == 408 or name in ("ABORTED", "CANCELLED"):
        return InDoubt(reason, answer, status)
    return Rejected(name or str(status), words, _bad_request_pointer(answer["error"]), answer, status)


def _bad_request_pointer(error: Mapping[str, Any]) -> str:
    """The first `google.rpc.BadRequest` violation: `mutate_operations[0].campaign_operation.create`."""
    for detail in error.get("details") or []:
        violations = _either(detail, "fieldViolations", []) if isinstance(detail, dict) else []
        for violation in violations:
            return "".join(f"/{_camel(part)}" for part in re.findall(r"\w+", str(violation.get("field", ""))))
    return ""


def _without_envelope(response: requests.Response, answer: Any) -> Refusal:
    """HTML, nothing, half an answer, or JSON that is not Google's."""
    status = response.status_code
    if status == 401:
        return NeedsAuth("HTTP 401", answer, status)
    if status == 429:
        return RetryLater("HTTP 429", retry_after_s(response.headers.get("Retry-After")), answer, status)
    return InDoubt(f"HTTP {status} without a readable answer", answer, status)


# -------------------------------------------------------------------------------- field paths


def pointer(path: Sequence[tuple[str, int | None]], body: Any) -> str:
    """A field path as a JSON pointer into `body`, in the spelling that the body uses."""
    out: list[str] = []
    here = body
    snake = _is_snake(body)
    for name, index in path:
        if name in ONEOFS and not _has(here, name):
            break
        key = _spelling(name, here, snake)
        out.append(key)
        here = here.get(key) if isinstance(here, dict) else None
        if index is not None:
            out.append(str(index))
            here = here[index] if isinstance(here, list) and index < len(here) else None
    return "".join(f"/{part}" for part in out)


def _spelling(name: str, here: Any, snake: bool) -> str:
    for candidate in (name, _camel(name), _snake(name)):
        if _has(here, candidate):
            return candidate
    return _snake(name) if snake else _camel(name)


def _has(here: Any, name: str) -> bool:
    return isinstance(here, dict) and name in here


def _is_snake(body: Any) -> bool:
    """Whether the body was written in proto field names."""
    if isinstance(body, dict):
        return any("_" in key or _is_snake(value) for key, value in body.items())
    return isinstance(body, list) and any(map(_is_snake, body))


def _either(mapping: Any, camel: str, default: Any) -> Any:
    """A field in camelCase or snake_case."""
    if not isinstance(mapping, Mapping):
        return default
    value = mapping.get(camel, mapping.get(_snake(camel)))
    return default if value is None else value


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", name)


def _seconds(delay: Any) -> float | None:
    """A protobuf Duration: `"30s"` in JSON, `{"seconds": 30}` elsewhere."""
    if isinstance(delay, Mapping):
        return float(delay.get("seconds") or 0) + float(delay.get("nanos") or 0) / 1e9
    match = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(delay or ""))
    return float(match[1]) if match else None
