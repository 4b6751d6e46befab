"""Who asks: a knox token in the header, or the admin's session (with its CSRF token)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed

from governance.scopes import Scope
from governance.tokens import find_token, note_use


class ApiTokenAuthentication(TokenAuthentication):
    """`Authorization: Token …`. `request.auth` is the ApiToken; its person is held to its scopes."""

    def authenticate_credentials(self, token: bytes) -> Any:
        try:
            found = find_token(token.decode())
        except ValueError:  # not UTF-8, or a character that the database can't compare
            found = None
        if found is None or not found.user.is_active:
            raise AuthenticationFailed(_("Invalid token."))
        found.user.limit_to(found.scopes)
        note_use(found)
        return found.user, found


class ApiTokenScheme(OpenApiAuthenticationExtension):
    target_class = "governance.api.authentication.ApiTokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey", "in": "header", "name": "Authorization",
            "description": "`Token <token>`, from POST /api/v1/auth/token or POST /api/v1/tokens. It does what its person may do, held"
            " to its scopes; each operation says the scope that it needs. "
            + " ".join(f"`{scope.value}` — {scope.label}." for scope in Scope),
        }  # fmt: skip


AUTHENTICATION = (ApiTokenAuthentication, SessionAuthentication)
