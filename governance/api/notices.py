"""/notices, /webhooks and /webhook-deliveries."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance import notices, webhooks
from governance.api.errors import Problem
from governance.api.etags import etag_of, require_current
from governance.api.fields import ReferenceField
from governance.api.filters import GovernedFilters, ReferenceFilter
from governance.api.serializers import GovernedBody, StrictBody, StrictList
from governance.api.viewsets import GovernedView, RowsView
from governance.models import Brand, Notice, NoticeKind, NoticePreference, Webhook, WebhookDelivery

SEE = "governance.view_notice"


class NoticeBody(serializers.ModelSerializer):
    id = serializers.UUIDField(source="public_id", read_only=True)
    message = serializers.CharField(read_only=True)
    remedy = serializers.CharField(read_only=True)

    class Meta:
        model = Notice
        fields = ("id", "kind", "code", "params", "message", "remedy", "path", "created_at", "read_at")
        read_only_fields = fields


class NoticeFilters(FilterSet):
    kind = django_filters.MultipleChoiceFilter(choices=NoticeKind.choices)
    unread = django_filters.BooleanFilter(field_name="read_at", lookup_expr="isnull")

    class Meta:
        model = Notice
        fields = ()


class PreferenceBody(StrictBody):
    kind = serializers.ChoiceField(choices=NoticeKind.choices)
    in_app = serializers.BooleanField()
    by_mail = serializers.BooleanField()


class ReadBody(serializers.Serializer):
    read = serializers.IntegerField(help_text="How many were unread.")


class _Unversioned(RowsView):
    def shown(self, row: Any, status_code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(row).data, status=status_code)


@extend_schema_view(list=extend_schema(responses=NoticeBody(many=True)))
class NoticeView(_Unversioned):
    """Your own notices."""

    permission_model = Notice
    serializer_class = NoticeBody
    filterset_class = NoticeFilters
    http_method_names = ("get", "post", "put", "head")
    action_permissions: ClassVar[dict[str, str]] = {
        "read": SEE, "read_all": SEE, "preferences": SEE, "set_preference": SEE,
    }  # fmt: skip

    def get_queryset(self) -> QuerySet:
        if getattr(self, "swagger_fake_view", False):
            return Notice.objects.none()
        return Notice.objects.visible_to(self.request.user).filter(in_app=True)

    @extend_schema(request=None, responses=NoticeBody)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, **kwargs: Any) -> Response:
        """It is read."""
        row = self.find()
        notices.mark_read(self.get_queryset().filter(pk=row.pk), by=request.user)
        return self.shown(self.find())

    @extend_schema(request=None, responses=ReadBody)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request, **kwargs: Any) -> Response:
        """All of them are read."""
        return Response({"read": notices.mark_read(self.get_queryset(), by=request.user)})

    @extend_schema(responses=PreferenceBody(many=True), filters=False)
    @action(detail=False, methods=["get"], pagination_class=None)
    def preferences(self, request: Request, **kwargs: Any) -> Response:
        """How you are told of each kind."""
        return Response([_preference(each) for each in notices.all_preferences(request.user)])

    @extend_schema(request=PreferenceBody, responses=PreferenceBody)
    @preferences.mapping.put
    def set_preference(self, request: Request, **kwargs: Any) -> Response:
        """Choose for one kind."""
        given = PreferenceBody(data=request.data).values_or_raise()
        return Response(_preference(notices.set_preference(person=request.user, **given)))


def _preference(row: NoticePreference) -> dict[str, Any]:
    return {"kind": row.kind, "in_app": row.in_app, "by_mail": row.by_mail}


# ----------------------------------------------------------------------------------------- webhooks


class WebhookBody(GovernedBody):
    brand = ReferenceField(Brand, required=False, allow_null=True, help_text="null: every brand.")
    kinds = StrictList(
        child=serializers.ChoiceField(choices=NoticeKind.choices), help_text="What it is told of."
    )

    class Meta:
        model = Webhook
        fields = (
            "id", "name", "url", "brand", "kinds", "active", "secret_made_at", "version", "archived_at", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("secret_made_at", "archived_at", "created_at", "updated_at")


class SecretBody(serializers.Serializer):
    secret = serializers.CharField(help_text="Shown this once. Calls are signed with it.")


class DeliveryBody(serializers.ModelSerializer):
    id = serializers.UUIDField(source="public_id", read_only=True)
    webhook = serializers.UUIDField(source="webhook.public_id", read_only=True)

    class Meta:
        model = WebhookDelivery
        fields = (
            "id", "webhook", "event", "kind", "state", "attempts", "answered", "error", "next_try_at", "created_at", "done_at",
            "payload",
        )  # fmt: skip
        read_only_fields = fields


class WebhookFilters(GovernedFilters):
    brand = ReferenceFilter(Brand, "brand")

    class Meta:
        model = Webhook
        fields = ("active",)


_EXAMPLE = {
    "name": "Slack bridge",
    "url": "https://hooks.example.com/omnitraffick",
    "brand": "DIS",
    "kinds": ["failed", "in_doubt"],
}


@extend_schema_view(
    create=extend_schema(examples=[OpenApiExample("Failures", value=_EXAMPLE, request_only=True)])
)
class WebhookView(GovernedView):
    """Addresses of other systems that are told of things, signed. Nothing is sent before a secret was made."""

    permission_model = Webhook
    serializer_class = WebhookBody
    filterset_class = WebhookFilters
    search_fields = ("name",)
    ordering_fields = ("name", "updated_at")
    action_permissions: ClassVar[dict[str, str]] = {
        "rotate_secret": "governance.change_webhook", "test": "governance.change_webhook",
    }  # fmt: skip

    @property
    def idempotent(self) -> bool:  # type: ignore[override]
        """The answer with the secret is kept nowhere."""
        return getattr(self, "action", None) != "rotate_secret"

    def list_queryset(self) -> QuerySet:
        return self.get_queryset().select_related("brand")

    def require_reach(self, row: Webhook) -> None:
        if not webhooks.may_manage(self.request.user, row):
            raise Problem(403, "outside_reach", "A brand's webhook is for who has it in every market.")

    def save(self, row: Webhook, values: dict[str, Any]) -> Webhook:
        for name, value in values.items():
            setattr(row, name, value)
        self.require_reach(row)
        row.save()
        return row

    @extend_schema(request=None, responses=SecretBody)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, **kwargs: Any) -> Response:
        """A new secret, answered once. The one before it signs beside it for 24 hours."""
        row = self.find()
        require_current(request, row)
        self.require_reach(row)
        made = webhooks.make_secret(webhook=row, by=request.user)
        return Response({"secret": made}, headers={"ETag": etag_of(row)})

    @extend_schema(request=None, responses=DeliveryBody)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, **kwargs: Any) -> Response:
        """One signed call now; read `state`, `answered` and `error`."""
        row = self.find()
        self.require_reach(row)
        return Response(DeliveryBody(webhooks.send_test(webhook=row, by=request.user)).data)


class DeliveryFilters(FilterSet):
    webhook = ReferenceFilter(Webhook, "webhook")
    state = django_filters.MultipleChoiceFilter(choices=WebhookDelivery.State.choices)

    class Meta:
        model = WebhookDelivery
        fields = ()


@extend_schema_view(list=extend_schema(responses=DeliveryBody(many=True)))
class WebhookDeliveryView(_Unversioned):
    """What was sent to webhooks, and what came of it."""

    permission_model = WebhookDelivery
    serializer_class = DeliveryBody
    filterset_class = DeliveryFilters
    http_method_names = ("get", "post", "head")
    action_permissions: ClassVar[dict[str, str]] = {"send_again": "governance.change_webhook"}

    def get_queryset(self) -> QuerySet:
        if getattr(self, "swagger_fake_view", False):
            return WebhookDelivery.objects.none()
        return webhooks.deliveries_visible_to(self.request.user)

    def list_queryset(self) -> QuerySet:
        return self.get_queryset().select_related("webhook").defer("webhook__secret")

    @extend_schema(request=None, responses=DeliveryBody)
    @action(detail=True, methods=["post"], url_path="send-again")
    def send_again(self, request: Request, **kwargs: Any) -> Response:
        """One that was given up is tried from the beginning."""
        webhooks.send_again(delivery=self.find())
        return self.shown(self.find())
