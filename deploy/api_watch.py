"""/drift, /alerts, and what accounts have: /ad-accounts/{id}/existing and …/import."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from deploy import alerts, drift, inventory, selectors
from deploy.models import AccountWatch, Alert, Drift, ExistingObject
from governance.api.fields import PersonField, ReferenceField
from governance.api.filters import ReferenceFilter
from governance.api.serializers import StrictBody
from governance.api.viewsets import ApiView, RowsView
from governance.findings import Finding
from governance.models import AdAccount
from trafficking.api import FindingBody
from trafficking.models import Ticket

DECIDE = "deploy.decide_drift"


class DriftBody(serializers.ModelSerializer):
    id = serializers.UUIDField(source="public_id", read_only=True)
    ad_account = serializers.UUIDField(source="held.ad_account.public_id", read_only=True)
    object_type = serializers.CharField(source="held.object_type", read_only=True)
    external_id = serializers.CharField(source="held.external_id", read_only=True)
    name = serializers.CharField(source="held.name", read_only=True)
    field = serializers.CharField(read_only=True, help_text="The platform's word; empty: the whole object.")  # type: ignore[assignment]
    applied = serializers.JSONField(read_only=True, allow_null=True)
    wanted = serializers.JSONField(read_only=True, allow_null=True)
    live = serializers.JSONField(read_only=True, allow_null=True)
    decided_by = PersonField(read_only=True, allow_null=True)
    ticket = ReferenceField(
        Ticket, source="request", read_only=True, allow_null=True, help_text="That restores it."
    )

    class Meta:
        model = Drift
        fields = (
            "id", "ad_account", "object_type", "external_id", "name", "field", "applied", "wanted", "live", "state", "reason",
            "found_at", "decided_by", "decided_at", "ticket",
        )  # fmt: skip
        read_only_fields = fields


class DecisionBody(StrictBody):
    comment = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000)


class IgnoreBody(StrictBody):
    reason = serializers.CharField(max_length=1000, help_text="For whoever reads it later.")


class DriftFilters(FilterSet):
    ad_account = ReferenceFilter(AdAccount, "held__ad_account")
    object_type = django_filters.CharFilter(field_name="held__object_type")
    state = django_filters.MultipleChoiceFilter(choices=Drift.State.choices)

    class Meta:
        model = Drift
        fields = ()


class UnversionedRows(RowsView):
    """Rows that have no version of their own: no ETag."""

    def shown(self, row: Any, status_code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(row).data, status=status_code)


@extend_schema_view(list=extend_schema(responses=DriftBody(many=True)))
class DriftView(UnversionedRows):
    permission_model = Drift
    serializer_class = DriftBody
    filterset_class = DriftFilters
    search_fields = ("held__name", "field")
    ordering_fields = ("state", "found_at")
    http_method_names = ("get", "post", "head")
    action_permissions: ClassVar[dict[str, str]] = {"adopt": DECIDE, "restore": DECIDE, "ignore": DECIDE}

    def get_queryset(self) -> QuerySet:
        if getattr(self, "swagger_fake_view", False):
            return Drift.objects.none()
        return selectors.drift_visible_to(self.request.user)

    def list_queryset(self) -> QuerySet:
        rows = self.get_queryset().select_related(
            "held__ad_account", "held__tree__campaign", "decided_by", "request"
        )
        return rows.defer("held__ad_account__credentials")

    @extend_schema(request=DecisionBody, responses=DriftBody)
    @action(detail=True, methods=["post"])
    def adopt(self, request: Request, **kwargs: Any) -> Response:
        """The platform's value stays, until a ticket asks for another one."""
        given = DecisionBody(data=request.data).values_or_raise()
        row = self.find()
        drift.adopt(drift=row, by=request.user, comment=given["comment"])
        return self.shown(self.find())

    @extend_schema(request=DecisionBody, responses=DriftBody)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, **kwargs: Any) -> Response:
        """A ticket that sets it right is made and submitted: the answer's `ticket`, to be approved and deployed."""
        given = DecisionBody(data=request.data).values_or_raise()
        row = self.find()
        drift.restore(drift=row, by=request.user, comment=given["comment"])
        return self.shown(self.find())

    @extend_schema(request=IgnoreBody, responses=DriftBody)
    @action(detail=True, methods=["post"])
    def ignore(self, request: Request, **kwargs: Any) -> Response:
        """Let it be, until the platform's value changes again."""
        given = IgnoreBody(data=request.data).values_or_raise()
        row = self.find()
        drift.ignore(drift=row, by=request.user, reason=given["reason"])
        return self.shown(self.find())


# ------------------------------------------------------------------------------------------- alerts


class AlertBody(serializers.ModelSerializer):
    id = serializers.UUIDField(source="public_id", read_only=True)
    message = serializers.CharField(read_only=True)
    remedy = serializers.CharField(read_only=True)
    ticket = ReferenceField(Ticket, read_only=True, allow_null=True)
    ad_account = ReferenceField(AdAccount, read_only=True, allow_null=True)
    seen_by = PersonField(read_only=True, allow_null=True)

    class Meta:
        model = Alert
        fields = (
            "id", "severity", "code", "params", "message", "remedy", "ticket", "ad_account", "created_at", "mailed_at",
            "seen_at", "seen_by",
        )  # fmt: skip
        read_only_fields = fields


class AlertFilters(FilterSet):
    ad_account = ReferenceFilter(AdAccount, "ad_account")
    ticket = ReferenceFilter(Ticket, "ticket")
    severity = django_filters.MultipleChoiceFilter(choices=Alert.Severity.choices)
    seen = django_filters.BooleanFilter(field_name="seen_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Alert
        fields = ("code",)


@extend_schema_view(list=extend_schema(responses=AlertBody(many=True)))
class AlertView(UnversionedRows):
    permission_model = Alert
    serializer_class = AlertBody
    filterset_class = AlertFilters
    search_fields = ("code", "ticket__campaign__name")
    ordering_fields = ("severity", "created_at")
    http_method_names = ("get", "post", "head")
    action_permissions: ClassVar[dict[str, str]] = {"seen": "deploy.view_alert"}

    def list_queryset(self) -> QuerySet:
        rows = self.get_queryset().select_related("ticket", "ad_account", "seen_by")
        return rows.defer("ad_account__credentials")

    @extend_schema(request=None, responses=AlertBody)
    @action(detail=True, methods=["post"])
    def seen(self, request: Request, **kwargs: Any) -> Response:
        """It has been read: the same may be told again."""
        alerts.mark_seen([self.find()], by=request.user)
        return self.shown(self.find())


# ------------------------------------------------------------------------------- existing campaigns


class ExistingBody(serializers.ModelSerializer):
    id = serializers.UUIDField(source="public_id", read_only=True)
    parts = serializers.DictField(read_only=True)
    proposed_parts = serializers.DictField(read_only=True)
    findings = serializers.SerializerMethodField()
    governed_by = serializers.UUIDField(source="governed_by.ticket.public_id", read_only=True, default=None,
                                        help_text="The ticket that built or adopted it.")  # fmt: skip

    class Meta:
        model = ExistingObject
        fields = (
            "id", "object_type", "external_id", "parent_id", "name", "status", "delivery", "legal", "parts", "findings",
            "proposed_name", "proposed_parts", "governed_by", "seen_at",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(FindingBody(many=True))
    def get_findings(self, row: ExistingObject) -> list[dict[str, Any]]:
        return [Finding.from_dict(each).as_report() for each in row.findings]


class ExistingFilters(FilterSet):
    governed = django_filters.BooleanFilter(field_name="governed_by", lookup_expr="isnull", exclude=True)

    class Meta:
        model = ExistingObject
        fields = ("object_type", "legal", "status", "external_id", "parent_id")


@extend_schema_view(
    list=extend_schema(responses=ExistingBody(many=True), operation_id="ad_accounts_existing")
)
class ExistingView(UnversionedRows):
    """What an account has on its platform, by whomever it was made, as it was last imported."""

    permission_model = ExistingObject
    serializer_class = ExistingBody
    filterset_class = ExistingFilters
    search_fields = ("name", "external_id", "proposed_name")
    ordering_fields = ("name", "seen_at")
    http_method_names = ("get", "head")

    def get_queryset(self) -> QuerySet:
        if getattr(self, "swagger_fake_view", False):
            return ExistingObject.objects.none()
        accounts = AdAccount.objects.visible_to(self.request.user).defer("credentials")
        account = get_object_or_404(accounts, public_id=self.kwargs["account"])
        return selectors.existing_visible_to(self.request.user).filter(ad_account=account)

    def list_queryset(self) -> QuerySet:
        return self.get_queryset().select_related("governed_by__ticket").defer("fields")


class ScoreBody(serializers.Serializer):
    level = serializers.CharField()
    total = serializers.IntegerField()
    legal = serializers.IntegerField()
    active = serializers.IntegerField()
    active_legal = serializers.IntegerField()


class InventoryBody(serializers.Serializer):
    importing = serializers.BooleanField()
    imported_at = serializers.DateTimeField(allow_null=True)
    campaigns_left = serializers.IntegerField(allow_null=True)
    problem = serializers.CharField(allow_blank=True)
    checked_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was last checked before a deployment."
    )
    findings = FindingBody(many=True, help_text="Of that check.")
    compliance = ScoreBody(many=True, help_text="Legal names by level; archived objects are left out.")


class InventoryView(ApiView):
    permission_model = AccountWatch
    action_permissions = {None: "deploy.view_accountwatch"}  # type: ignore[dict-item]

    @extend_schema(responses=InventoryBody, operation_id="ad_accounts_compliance")
    def get(self, request: Request, account: str) -> Response:
        """How many of the account's names are legal, and how it was found when last looked at."""
        return Response(_inventory(_account(request, account)))


class ImportView(ApiView):
    permission_model = AccountWatch
    action_permissions = {None: "trafficking.change_ticket"}  # type: ignore[dict-item]

    @extend_schema(request=None, responses={202: InventoryBody}, operation_id="ad_accounts_import")
    def post(self, request: Request, account: str) -> Response:
        """Read everything that the account has; a worker does it within the account's rate budget."""
        row = _account(request, account)
        inventory.import_account(account=row, by=request.user)
        return Response(_inventory(row), status=status.HTTP_202_ACCEPTED)


def _account(request: Request, public_id: str) -> AdAccount:
    rows = AdAccount.objects.visible_to(request.user).defer("credentials")
    found: AdAccount = get_object_or_404(rows, public_id=public_id)
    return found


def _inventory(account: AdAccount) -> dict[str, Any]:
    watch = AccountWatch.objects.filter(ad_account=account).first() or AccountWatch(ad_account=account)
    return {
        "importing": watch.inventory_due_at is not None,
        "imported_at": watch.inventory_at,
        "campaigns_left": None if watch.inventory_left is None else len(watch.inventory_left),
        "problem": watch.problem,
        "checked_at": watch.checked_at,
        "findings": [Finding.from_dict(each).as_report() for each in watch.findings],
        "compliance": [
            {
                "level": each.level, "total": each.total, "legal": each.legal, "active": each.active,
                "active_legal": each.active_legal,
            }
            for each in inventory.compliance(account)
        ],
    }  # fmt: skip
