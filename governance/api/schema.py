"""What OpenAPI says of every operation: the error envelope, and the headers that all of them know."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from governance.api.permissions import RolePermission, needed_permission
from governance.scopes import scope_of


class FieldErrorBody(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()
    params = serializers.DictField()


class RowErrorsBody(serializers.Serializer):
    row = serializers.IntegerField(help_text="Position in the list that was sent, from 0.")
    fields = serializers.DictField(child=FieldErrorBody(many=True))  # type: ignore[assignment]


class ProblemBody(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()
    request_id = serializers.CharField()
    fields = serializers.DictField(  # type: ignore[assignment]
        child=FieldErrorBody(many=True), help_text="By path of the body; non_field_errors is the whole of it."
    )
    rows = RowErrorsBody(many=True)
    details = serializers.DictField(help_text="What a conflict is about: impact, used_by, task_id.")


class ErrorBody(serializers.Serializer):
    error = ProblemBody()


_TEXTS = {
    "400": "The request is malformed, or values are wrong: see `fields` and `rows`.",
    "401": "Not signed in.",
    "403": "Not permitted.",
    "404": "Not there, or not yours.",
    "409": "In conflict with what stands: see `code`.",
    "412": "If-Match names an older version.",
    "413": "Too large.",
    "422": "The Idempotency-Key was used for another request.",
    "429": "Too many attempts: see Retry-After.",
}
_BY_METHOD = {
    "GET": ("400", "401", "403", "404"),
    "POST": ("400", "401", "403", "404", "409", "412", "413", "422", "429"),
    "PUT": ("400", "401", "403", "404", "409", "412", "413"),
    "PATCH": ("400", "401", "403", "404", "409", "412", "413"),
    "DELETE": ("400", "401", "403", "404", "409", "412"),
}
_IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag that the change is based on; 412 if the row has moved on.",
)
_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER,
    description="1 to 255 characters. The same request with the same key is done once and answered alike for 24 hours.",
)  # fmt: skip


_REASON = OpenApiParameter(
    "X-Change-Reason", str, OpenApiParameter.HEADER,
    description="Why it is changed, in at most 500 characters of UTF-8: stands in the history and the trail.",
)  # fmt: skip


class ApiSchema(AutoSchema):
    def get_override_parameters(self) -> list[Any]:
        given = list(super().get_override_parameters())
        if self.method in ("PUT", "PATCH", "DELETE") and getattr(self.view, "versioned", False):
            given += [_IF_MATCH, _REASON]
        if self.method == "POST" and getattr(self.view, "idempotent", False):
            given.append(_IDEMPOTENCY_KEY)
        return given

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        made = super().get_operation(*args, **kwargs)
        scope = self._scope() if made is not None else None
        if scope is not None:
            made["x-required-scope"] = scope
            said = f"Scope of a token: `{scope}`."
            made["description"] = f"{made['description']}\n\n{said}" if made.get("description") else said
        return made

    def _scope(self) -> str | None:
        """None where any token will do, or none is asked for."""
        if RolePermission not in self.view.permission_classes:
            return None
        return scope_of(needed_permission(self.method, self.view)).value

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction=direction)
        for code in _BY_METHOD.get(self.method, ()):
            if code not in bodies:
                bodies[code] = {**self._get_response_for_code(ErrorBody, code), "description": _TEXTS[code]}
        return bodies


def paths_without_slash(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Paths as docs/api.md writes them; a closing slash is optional (drf-spectacular PREPROCESSING_HOOKS)."""
    return [(path.rstrip("/"), regex, method, view) for path, regex, method, view in endpoints]
