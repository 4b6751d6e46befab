"""/auth/token: user name and password for a token. /tokens: one's own tokens; those of all for who manages them."""

from __future__ import annotations

from typing import Any, ClassVar

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off
from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from governance import tokens
from governance.api.errors import Problem
from governance.api.serializers import StrictBody, StrictList
from governance.api.viewsets import ApiView, RowsView
from governance.models import ApiToken
from governance.models.tokens import STATES
from governance.scopes import Scope

SIGN_IN_NAME = "Signed in through the API"


class _Wanted(StrictBody):
    scopes = StrictList(
        child=serializers.ChoiceField(choices=Scope.choices), help_text="What it may be used for; as little as will do.",
    )  # fmt: skip
    days = serializers.IntegerField(
        required=False, min_value=1, max_value=settings.API_TOKEN_MAX_DAYS,
        help_text=f"How long it lives; {settings.API_TOKEN_DAYS} if you don't say.",
    )  # fmt: skip


class PasswordBody(_Wanted):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, style={"input_type": "password"})
    name = serializers.CharField(max_length=80, required=False, help_text="What uses it.")
    scopes = StrictList(
        child=serializers.ChoiceField(choices=Scope.choices), required=False, help_text="All of them if you don't say.",
    )  # fmt: skip


class TokenBody(serializers.Serializer):
    token = serializers.CharField(help_text="Shown once; stored as a hash.")
    expiry = serializers.DateTimeField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))


class TokenView(ApiView):
    permission_classes = (IsAuthenticated,)
    idempotent = False  # an answer with a token is never stored

    def get_authenticators(self) -> list[Any]:
        return [] if self.request and self.request.method == "POST" else super().get_authenticators()

    def get_permissions(self) -> list[Any]:
        return [] if self.request.method == "POST" else super().get_permissions()

    @extend_schema(
        request=PasswordBody, responses={201: TokenBody}, auth=[], operation_id="auth_token_create",
        examples=[
            OpenApiExample("Sign in", value={"username": "ana", "password": "…"}, request_only=True),
            OpenApiExample("Only to read, for a week", request_only=True,
                           value={"username": "ana", "password": "…", "name": "BI", "scopes": ["read"], "days": 7}),
        ],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """A new token. Too many wrong passwords lock the user name from this address for a while (429)."""
        given = PasswordBody(data=request.data).values_or_raise()
        user = _signed_in(request, given)
        row, token = tokens.make_token(
            user=user, name=given.get("name") or SIGN_IN_NAME, scopes=given.get("scopes") or list(Scope.values),
            days=given.get("days"),
        )  # fmt: skip
        body = TokenBody({"token": token, "expiry": row.expires_at, "scopes": row.scopes})
        return Response(body.data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None}, operation_id="auth_token_destroy")
    def delete(self, request: Request) -> Response:
        """The token that this request carries ends now."""
        if not isinstance(request.auth, ApiToken):
            raise Problem(400, "no_token", _("This request came with a session, not with a token."))
        tokens.revoke_token(token=request.auth, by=request.user)
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


# ------------------------------------------------------------------------------------------ /tokens


class ApiTokenBody(serializers.ModelSerializer):
    id = serializers.UUIDField(source="public_id", read_only=True)
    username = serializers.CharField(source="user.username", read_only=True)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices), read_only=True)
    state = serializers.ChoiceField(choices=STATES, read_only=True)

    class Meta:
        model = ApiToken
        fields = (
            "id", "name", "username", "scopes", "starts_with", "state", "created_at", "expires_at", "last_used_at", "revoked_at",
        )  # fmt: skip
        read_only_fields = fields


class NewTokenBody(_Wanted):
    name = serializers.CharField(max_length=80, help_text="What uses it.")


class MadeTokenBody(ApiTokenBody):
    token = serializers.CharField(help_text="Shown this once; stored as a hash.")

    class Meta(ApiTokenBody.Meta):
        fields = (*ApiTokenBody.Meta.fields, "token")
        read_only_fields = fields


_EXAMPLE = {"name": "Nightly export", "scopes": ["read"], "days": 30}


@extend_schema_view(list=extend_schema(responses=ApiTokenBody(many=True)))
class ApiTokenView(RowsView):
    """Your tokens; everybody's for who manages them. A token makes none that may do more, or live longer, than itself."""

    permission_model = ApiToken
    serializer_class = ApiTokenBody
    search_fields = ("name", "user__username")
    ordering_fields = ("name", "expires_at")
    http_method_names = ("get", "post", "delete", "head")
    idempotent = False  # the answer with a token is kept nowhere
    action_permissions: ClassVar[dict[str, str]] = {}

    def list_queryset(self) -> QuerySet:
        return self.get_queryset().select_related("user")

    def shown(self, row: Any, status_code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(row).data, status=status_code)

    @extend_schema(
        request=NewTokenBody, responses={201: MadeTokenBody},
        examples=[OpenApiExample("Only to read, for a month", value=_EXAMPLE, request_only=True)],
    )  # fmt: skip
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A token of your own; its secret is in this answer only."""
        given = NewTokenBody(data=request.data).values_or_raise()
        within = request.auth if isinstance(request.auth, ApiToken) else None
        row, secret = tokens.make_token(user=request.user, within=within, **given)
        body = {**ApiTokenBody(row).data, "token": secret}
        return Response(body, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """It is refused from now on; it stays listed as revoked."""
        tokens.revoke_token(token=self.find(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
