"""/campaigns: one, a list of up to 1,000, and their governed names."""

from __future__ import annotations

from typing import Any

import django_filters
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    OpenApiExample,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_view,
)
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import bulk as campaigns_bulk
from campaigns import services
from campaigns.models import BudgetType, Campaign, CampaignChannel
from governance.access import reach_of
from governance.api import bulk
from governance.api.errors import Fields, fields_of_model, invalid
from governance.api.fields import PersonField, ReferenceField
from governance.api.filters import GovernedFilters, ReferenceFilter
from governance.api.serializers import GovernedBody, StrictList, apply_values
from governance.api.viewsets import GovernedView
from governance.models import Brand, Channel, Market

STAMPS = ("archived_at", "created_at", "updated_at")


class GovernedNameBody(serializers.ModelSerializer):
    channel = serializers.CharField(source="channel.code")
    name = serializers.CharField(source="governed_name")
    convention = serializers.IntegerField(source="convention.number", help_text="The version that built it.")

    class Meta:
        model = CampaignChannel
        fields = ("channel", "name", "convention", "deployed_at")


class CampaignBody(GovernedBody):
    brand = ReferenceField(Brand, help_text="Code or id.")
    market = ReferenceField(Market, help_text="Code or id.")
    channels = StrictList(
        child=ReferenceField(Channel),
        allow_empty=False,
        max_length=50,
        write_only=True,
        help_text="Codes or ids.",
    )
    owner = PersonField(required=False, allow_null=True, help_text="User name; you, if not given.")
    names = GovernedNameBody(
        source="channel_names", many=True, read_only=True, help_text="Built by the convention in force."
    )
    deployed = serializers.SerializerMethodField(help_text="A platform knows something of it.")

    class Meta:
        model = Campaign
        fields = (
            "id", "name", "brand", "market", "channels", "objective", "budget", "currency", "budget_type", "start_on",
            "end_on", "status", "owner", "names", "deployed", "version", *STAMPS,
        )  # fmt: skip
        read_only_fields = ("status", *STAMPS)

    def get_deployed(self, row: Campaign) -> bool:
        return any(each.deployed_at for each in row.channel_names.all())

    def to_representation(self, instance: Campaign) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return {**shown, "channels": [name["channel"] for name in shown["names"]]}


class CampaignFilters(GovernedFilters):
    brand = ReferenceFilter(Brand, "brand")
    market = ReferenceFilter(Market, "market")
    channel = ReferenceFilter(Channel, "channel_names__channel")
    objective = django_filters.MultipleChoiceFilter(choices=Campaign._meta.get_field("objective").choices)
    status = django_filters.MultipleChoiceFilter(choices=Campaign.Status.choices)
    budget_type = django_filters.ChoiceFilter(choices=BudgetType.choices)
    owner = django_filters.CharFilter(field_name="owner__username")
    starts_from = django_filters.DateFilter(field_name="start_on", lookup_expr="gte")
    starts_to = django_filters.DateFilter(field_name="start_on", lookup_expr="lte")
    ends_from = django_filters.DateFilter(field_name="end_on", lookup_expr="gte")
    ends_to = django_filters.DateFilter(field_name="end_on", lookup_expr="lte")

    class Meta:
        model = Campaign
        fields = ("currency",)


_EXAMPLE = {
    "name": "Moana Launch", "brand": "DIS", "market": "US", "channels": ["META", "TIKTOK"], "objective": "TRAFFIC",
    "budget": "25000.00", "currency": "USD", "budget_type": "LIFETIME", "start_on": "2027-03-01", "end_on": "2027-03-31",
}  # fmt: skip
_ONE_OR_MANY = PolymorphicProxySerializer(
    component_name="CampaignOrList",
    serializers=[CampaignBody, CampaignBody(many=True)],
    resource_type_field_name=None,
    many=False,
)
ONE_OR_MANY_TEXT = (
    "Send one object, or a list of up to 1,000: all are saved or none, and `error.rows` tells every row's errors."
    " The answer to a list is a list in the same order."
)


@extend_schema_view(
    create=extend_schema(
        request=_ONE_OR_MANY, responses={201: _ONE_OR_MANY}, description=ONE_OR_MANY_TEXT,
        examples=[
            OpenApiExample("One campaign", value=_EXAMPLE, request_only=True),
            OpenApiExample("Two campaigns", value=[_EXAMPLE, {**_EXAMPLE, "name": "Moana Finale"}], request_only=True),
        ],
    )
)  # fmt: skip
class CampaignView(GovernedView):
    permission_model = Campaign
    serializer_class = CampaignBody
    filterset_class = CampaignFilters
    search_fields = ("name", "channel_names__governed_name")
    ordering_fields = ("name", "start_on", "end_on", "budget", "status", "updated_at")

    def list_queryset(self) -> QuerySet:
        names = CampaignChannel.objects.select_related("channel", "convention").order_by("channel__code")
        return (
            self.get_queryset()
            .select_related("brand", "market", "owner")
            .prefetch_related(Prefetch("channel_names", queryset=names))
        )

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if isinstance(request.data, list):
            made = self._create_rows(request.data)
            rows = self.list_queryset().filter(pk__in=[row.pk for row in made]).order_by("pk")
            return Response(self.get_serializer(rows, many=True).data, status=status.HTTP_201_CREATED)
        made_one = self._create_one(self.get_serializer(data=request.data).values_or_raise())
        return self._created(self.read_again(made_one))

    def _create_one(self, values: dict[str, Any]) -> Campaign:
        """Through the bulk door, which is as strict and asks less of the database."""
        try:
            return self._written([values])[0]
        except campaigns_bulk.RowErrors as refused:
            raise invalid(fields_of_model(refused.errors[0])) from None

    def _create_rows(self, data: list[Any]) -> list[Campaign]:
        bulk.require_size(data)
        context = self.get_serializer_context()
        values, errors = bulk.read_rows(data, lambda data: CampaignBody(data=data, context=context))
        legible = [at for at in range(len(values)) if at not in errors]
        found: dict[int, Fields | DjangoValidationError] = dict(errors)
        try:
            with transaction.atomic():
                rows = self._written([values[at] for at in legible])
                bulk.refuse_rows(found)
        except campaigns_bulk.RowErrors as refused:
            found.update({legible[at]: error for at, error in refused.errors.items()})
        bulk.refuse_rows(found)
        return rows

    def _written(self, rows: list[dict[str, Any]]) -> list[Campaign]:
        drafts, errors = [], {}
        for at, values in enumerate(rows):
            values = {"owner": self.request.user, **values}
            channels = values.pop("channels")
            drafts.append((apply_values(Campaign(), values), channels))
            if (refused := self._outside(drafts[at][0])) is not None:
                errors[at] = refused
        if errors:
            raise campaigns_bulk.RowErrors(errors)
        return campaigns_bulk.create_campaigns(drafts=drafts)

    def _outside(self, campaign: Campaign) -> DjangoValidationError | None:
        if reach_of(self.request.user).covers(campaign.brand_id, campaign.market_id):
            return None
        text = _("%(brand)s in %(market)s is not yours.")
        params = {"brand": campaign.brand.code, "market": campaign.market.code}
        return DjangoValidationError(
            {"market": DjangoValidationError(text, code="outside_reach", params=params)}
        )

    def save(self, row: Campaign, values: dict[str, Any]) -> Campaign:
        values = dict(values)
        channels = values.pop("channels", None) or [name.channel for name in row.channel_names.all()]
        apply_values(row, values)
        if (refused := self._outside(row)) is not None:
            raise refused
        return services.save_campaign(campaign=row, channels=channels)
