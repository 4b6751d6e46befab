"""POST /campaigns/bulk-changes: dates and budgets of many campaigns, read first with `dry_run`, then carried out."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import bulk_edits
from campaigns.bulk_edits import Edit, Outcome
from campaigns.models import Campaign
from governance.api.errors import field_problem
from governance.api.fields import AmountField, DayField
from governance.api.serializers import StrictBody, StrictRows
from governance.api.viewsets import ApiView

MOST_AT_ONCE = 200


class _Rows(StrictRows):
    MOST = MOST_AT_ONCE


class CampaignRefBody(StrictBody):
    ALSO = frozenset({"version"})
    id = serializers.UUIDField()
    version = serializers.IntegerField(
        required=False, min_value=1, max_value=2_000_000_000, help_text="As the preview told it: one that has moved on is left alone."
    )  # fmt: skip

    class Meta:
        list_serializer_class = _Rows


class CampaignBulkBody(StrictBody):
    campaigns = CampaignRefBody(many=True, help_text=f"Up to {MOST_AT_ONCE}.")
    kind = serializers.ChoiceField(choices=bulk_edits.KINDS)
    percent = serializers.DecimalField(
        required=False, allow_null=True, max_digits=6, decimal_places=2, help_text="budget_percent: 10 for a tenth more, -20 for a fifth less."
    )  # fmt: skip
    amount = AmountField(
        required=False, allow_null=True, help_text="budget_to: in each campaign's own currency."
    )
    days = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=-3650,
        max_value=3650,
        help_text="shift_days: -7 is a week earlier.",
    )
    start_on = DayField(required=False, allow_null=True)
    end_on = DayField(required=False, allow_null=True)
    note = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=500, help_text="Stands in each history."
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="true: say what would be done; write nothing."
    )


class CampaignStepBody(serializers.Serializer):
    what = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class CampaignBulkResultBody(serializers.Serializer):
    campaign = serializers.UUIDField()
    version = serializers.IntegerField()
    steps = CampaignStepBody(many=True)
    problem = serializers.CharField(allow_blank=True, help_text="Why nothing was, or will be, written.")


class CampaignBulkAnswerBody(serializers.Serializer):
    dry_run = serializers.BooleanField()
    results = CampaignBulkResultBody(many=True)


_EXAMPLES = [
    OpenApiExample(
        "A week later, to be read first", request_only=True,
        value={"campaigns": [{"id": "3fa85f64-5717-4562-b3fc-2c963f66afa6"}], "kind": "shift_days", "days": 7, "dry_run": True},
    )
]  # fmt: skip


class CampaignBulkView(ApiView):
    permission_model = Campaign
    action_permissions = {None: "campaigns.change_campaign"}  # type: ignore[dict-item]

    @extend_schema(
        request=CampaignBulkBody,
        responses={200: CampaignBulkAnswerBody},
        operation_id="campaigns_bulk_changes",
        examples=_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Dates or budgets of many campaigns; their tickets keep their own. What becomes of one stops no other: read every
        `problem`."""
        given = CampaignBulkBody(data=request.data).values_or_raise()
        named, dry = given.pop("campaigns"), given.pop("dry_run")
        rows, edit = _found(named, request.user), Edit(**given)
        if dry:
            outcomes = bulk_edits.preview(rows, edit, by=request.user)
        else:
            told = {each["id"]: each["version"] for each in named if "version" in each}
            seen = {row.pk: told[row.public_id] for row in rows if row.public_id in told}
            outcomes = bulk_edits.carry_out(rows, edit, by=request.user, seen=seen)
        versions = dict(Campaign.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "version"))
        return Response({"dry_run": dry, "results": [_told(each, versions) for each in outcomes]})


def _found(named: list[dict[str, Any]], user: Any) -> list[Campaign]:
    """In the order given. 400 for the first that is not there or not theirs."""
    if not named:
        raise field_problem("campaigns", "empty", _("Name at least one campaign."))
    rows = Campaign.objects.visible_to(user).filter(public_id__in=[each["id"] for each in named])
    found = {row.public_id: row for row in rows}
    for at, each in enumerate(named):
        if each["id"] not in found:
            text = _("There is no campaign '%(id)s' that is yours.") % {"id": each["id"]}
            raise field_problem(f"campaigns.{at}.id", "does_not_exist", text)
    return [found[pk] for pk in dict.fromkeys(each["id"] for each in named)]


def _told(found: Outcome, versions: dict[int, int]) -> dict[str, Any]:
    return {
        "campaign": str(found.campaign.public_id), "version": versions.get(found.campaign.pk, found.campaign.version),
        "steps": [{"what": str(each.what), "before": each.before, "after": each.after} for each in found.steps],
        "problem": str(found.refusal),
    }  # fmt: skip
