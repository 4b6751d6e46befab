"""/kill-switches: stop at once, see how far it is, release."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Count, Q, QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from deploy import selectors, stops
from deploy.admin_stops import ENGAGE
from deploy.models import KillSwitch, StoppedObject
from governance.api.etags import require_current
from governance.api.fields import PersonField, ReferenceField
from governance.api.filters import GovernedFilters
from governance.api.serializers import GovernedBody, StrictBody
from governance.api.viewsets import RowsView
from governance.models import AdAccount, Brand
from governance.platforms import Platform

Found = StoppedObject.State


class ProgressBody(serializers.Serializer):
    pausing = serializers.IntegerField()
    paused = serializers.IntegerField()
    restored = serializers.IntegerField()
    left = serializers.IntegerField(help_text="Left as they are; see the notes in the admin.")


class KillSwitchBody(GovernedBody):
    ad_account = ReferenceField(AdAccount, read_only=True, allow_null=True)
    brand = ReferenceField(Brand, read_only=True, allow_null=True)
    platform = serializers.CharField(read_only=True, help_text="Its key; empty for the other scopes.")
    engaged_by = PersonField(read_only=True, allow_null=True)
    released_by = PersonField(read_only=True, allow_null=True)
    campaigns = serializers.SerializerMethodField(
        help_text="Campaigns that it paused, by what became of them."
    )

    class Meta:
        model = KillSwitch
        fields = (
            "id", "scope", "ad_account", "brand", "platform", "reason", "state", "engaged_by", "engaged_at", "released_by",
            "released_at", "checked_at", "campaigns", "version",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ProgressBody)
    def get_campaigns(self, row: Any) -> dict[str, int]:
        return {state.lower(): getattr(row, f"n_{state.lower()}", 0) for state in Found.values}


class EngageBody(StrictBody):
    scope = serializers.ChoiceField(choices=KillSwitch.Scope.choices)
    ad_account = ReferenceField(AdAccount, required=False, allow_null=True, help_text="Its id, for ACCOUNT.")
    brand = ReferenceField(Brand, required=False, allow_null=True, help_text="Code or id, for BRAND.")
    platform = serializers.ChoiceField(
        choices=Platform.choices, required=False, allow_blank=True, help_text="For PLATFORM."
    )
    reason = serializers.CharField(max_length=1000, help_text="Shown to everyone whose work stands still.")


class ReleaseBody(StrictBody):
    ALSO = frozenset({"version"})
    comment = serializers.CharField(max_length=1000, help_text="Why it may run again.")


class KillSwitchFilters(GovernedFilters):
    state = django_filters.MultipleChoiceFilter(choices=KillSwitch.State.choices)

    class Meta:
        model = KillSwitch
        fields = ("scope", "platform")


_EXAMPLE = OpenApiExample(
    "Stop an account", request_only=True,
    value={"scope": "ACCOUNT", "ad_account": "018f6a50-0000-4000-8000-000000000002", "reason": "Budget a hundred times too large."},
)  # fmt: skip


@extend_schema_view(list=extend_schema(responses=KillSwitchBody(many=True)))
class KillSwitchView(RowsView):
    permission_model = KillSwitch
    serializer_class = KillSwitchBody
    filterset_class = KillSwitchFilters
    search_fields = ("reason",)
    ordering_fields = ("state", "updated_at")
    http_method_names = ("get", "post", "head")
    action_permissions: ClassVar[dict[str, str]] = {"create": ENGAGE, "release": ENGAGE}

    def get_queryset(self) -> QuerySet:
        if getattr(self, "swagger_fake_view", False):
            return KillSwitch.objects.none()
        counted = {
            f"n_{state.lower()}": Count("objects_stopped", filter=Q(objects_stopped__state=state))
            for state in Found.values
        }
        return selectors.stops_visible_to(self.request.user).annotate(**counted)

    def list_queryset(self) -> QuerySet:
        return self.get_queryset().select_related("ad_account", "brand", "engaged_by", "released_by")

    @extend_schema(request=EngageBody, responses={201: KillSwitchBody}, examples=[_EXAMPLE])
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Stop, from now on: what runs in the scope is paused, and nothing queued is sent. One that stands for the very
        same scope is answered."""
        given = EngageBody(data=request.data, context=self.get_serializer_context()).values_or_raise()
        named = {name: value for name, value in given.items() if value}
        stop = stops.engage(by=request.user, **{"reason": "", **named})
        answer = self.shown(self.list_queryset().get(pk=stop.pk), status.HTTP_201_CREATED)
        answer["Location"] = f"{request.build_absolute_uri(request.path).rstrip('/')}/{stop.public_id}"
        return answer

    @extend_schema(request=ReleaseBody, responses=KillSwitchBody)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, **kwargs: Any) -> Response:
        """Let it run again: what this stop paused and no other stop covers is started."""
        given = ReleaseBody(data=request.data).values_or_raise()
        stop = self.find()
        require_current(request, stop)
        stops.release(stop=stop, by=request.user, comment=given["comment"])
        return self.shown(self.list_queryset().get(pk=stop.pk))
