"""Who asks: a knox token in the header, or the admin's session (with its CSRF token)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed


class ApiTokenAuthentication(TokenAuthentication):
    """`Authorization: Token …`. A malformed token is a wrong one, not a server error."""

    def authenticate_credentials(self, token: bytes) -> Any:
        try:
            return super().authenticate_credentials(token)
        except ValueError:  # not UTF-8, or a character that the database can't compare
            raise AuthenticationFailed(_("Invalid token.")) from None

    def _cleanup_token(self, auth_token: Any) -> bool:
        """Only the token at hand: reading all the person's tokens would cost a query on every request."""
        if auth_token.expiry is None or auth_token.expiry > timezone.now():
            return False
        auth_token.delete()
        return True


class ApiTokenScheme(OpenApiAuthenticationExtension):
    target_class = "governance.api.authentication.ApiTokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey", "in": "header", "name": "Authorization",
            "description": "`Token <token>`, from POST /api/v1/auth/token.",
        }  # fmt: skip


AUTHENTICATION = (ApiTokenAuthentication, SessionAuthentication)
