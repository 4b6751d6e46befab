"""POST /auth/token: user name and password for a token. DELETE: that token ends."""

from __future__ import annotations

from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off
from django.contrib.auth import authenticate
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from knox.models import AuthToken
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api.errors import Problem
from governance.api.serializers import StrictBody
from governance.api.viewsets import ApiView


class PasswordBody(StrictBody):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, style={"input_type": "password"})


class TokenBody(serializers.Serializer):
    token = serializers.CharField(help_text="Shown once; stored as a hash.")
    expiry = serializers.DateTimeField(allow_null=True)


class TokenView(ApiView):
    permission_classes = (IsAuthenticated,)
    idempotent = False  # an answer with a token is never stored

    def get_authenticators(self) -> list[Any]:
        return [] if self.request and self.request.method == "POST" else super().get_authenticators()

    def get_permissions(self) -> list[Any]:
        return [] if self.request.method == "POST" else super().get_permissions()

    @extend_schema(
        request=PasswordBody, responses={201: TokenBody}, auth=[], operation_id="auth_token_create",
        examples=[OpenApiExample("Sign in", value={"username": "ana", "password": "…"}, request_only=True)],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """A new token. Too many wrong passwords lock the user name from this address for a while (429)."""
        given = PasswordBody(data=request.data).values_or_raise()
        user = _signed_in(request, given)
        row, token = AuthToken.objects.create(user=user)
        return Response(
            TokenBody({"token": token, "expiry": row.expiry}).data, status=status.HTTP_201_CREATED
        )

    @extend_schema(request=None, responses={204: None}, operation_id="auth_token_destroy")
    def delete(self, request: Request) -> Response:
        """The token that this request carries ends now."""
        if not isinstance(request.auth, AuthToken):
            raise Problem(400, "no_token", _("This request came with a session, not with a token."))
        request.auth.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


def _signed_in(request: Request, given: dict[str, Any]) -> Any:
    http = request._request
    credentials = {"username": given["username"], "ip_address": getattr(http, "axes_ip_address", None)}
    allowed = AxesProxyHandler.is_allowed(http, credentials)
    user = authenticate(http, username=given["username"], password=given["password"]) if allowed else None
    locked = not allowed or getattr(http, "axes_locked_out", False)
    http.axes_locked_out = False  # else axes' middleware replaces our answer with its page
    if user is None and locked:
        wait = get_cool_off(http)
        headers = {"Retry-After": str(int(wait.total_seconds()))} if wait else {}
        raise Problem(
            429, "locked_out", _("Too many wrong passwords. Wait, or ask an administrator."), headers=headers
        )
    if user is None:
        raise Problem(401, "wrong_password", _("This user name and password do not go together."))
    return user
