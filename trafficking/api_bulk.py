"""POST /tickets/bulk-changes: one change to many tickets, read first with `dry_run`, then carried out."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api.errors import field_problem
from governance.api.fields import AmountField, DayField
from governance.api.serializers import StrictBody, StrictRows
from governance.api.viewsets import ApiView
from governance.findings import Finding
from trafficking import bulk_edits, bulk_requests
from trafficking.api import FindingBody
from trafficking.bulk_requests import Preview, Result, Wish
from trafficking.models import Ticket
from trafficking.selectors import tickets_with_context

MOST_AT_ONCE = 200


class _Rows(StrictRows):
    MOST = MOST_AT_ONCE


class TicketRefBody(StrictBody):
    ALSO = frozenset({"version"})
    id = serializers.UUIDField()
    version = serializers.IntegerField(
        required=False, min_value=1, max_value=2_000_000_000, help_text="As the preview told it: one that has moved on is left alone."
    )  # fmt: skip

    class Meta:
        list_serializer_class = _Rows


class BulkChangeBody(StrictBody):
    tickets = TicketRefBody(many=True, help_text=f"Up to {MOST_AT_ONCE}.")
    kind = serializers.ChoiceField(choices=bulk_requests.KINDS)
    percent = serializers.DecimalField(
        required=False, allow_null=True, max_digits=6, decimal_places=2, help_text="budget_percent: 10 for a tenth more, -20 for a fifth less."
    )  # fmt: skip
    amount = AmountField(
        required=False, allow_null=True, help_text="budget_to: in each account's own currency."
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
    find = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=2000,
        help_text="landing_page: exactly these characters.",
    )
    put = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)
    note = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=2000, help_text="Who asked for it and why."
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="true: say what would be done; write nothing."
    )


class StepBody(serializers.Serializer):
    what = serializers.CharField()
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)


class BulkResultBody(serializers.Serializer):
    ticket = serializers.UUIDField()
    version = serializers.IntegerField(help_text="Now, after the change: of the ticket that was named.")
    in_place = serializers.BooleanField(
        help_text="The ticket itself is edited; else one is made that follows it."
    )
    steps = StepBody(many=True, help_text="With dry_run: before and after as people read them.")
    findings = FindingBody(many=True, help_text="With dry_run: what QA would say of an edit in place.")
    made = serializers.UUIDField(
        allow_null=True, help_text="The ticket that was changed or made; null where nothing was written."
    )
    problem = serializers.CharField(
        allow_blank=True,
        help_text="Why nothing was, or will be, written; or what keeps a made ticket from approval.",
    )
    note = serializers.CharField(allow_blank=True)


class BulkAnswerBody(serializers.Serializer):
    dry_run = serializers.BooleanField()
    results = BulkResultBody(many=True)


_EXAMPLES = [
    OpenApiExample(
        "A week later, to be read first", request_only=True,
        value={"tickets": [{"id": "3fa85f64-5717-4562-b3fc-2c963f66afa6"}], "kind": "shift_days", "days": 7, "dry_run": True},
    ),
    OpenApiExample(
        "A tenth more", request_only=True,
        value={"tickets": [{"id": "3fa85f64-5717-4562-b3fc-2c963f66afa6", "version": 4}], "kind": "budget_percent", "percent": "10"},
    ),
]  # fmt: skip


class BulkChangeView(ApiView):
    permission_model = Ticket
    action_permissions = {None: "trafficking.change_ticket"}  # type: ignore[dict-item]

    @extend_schema(
        request=BulkChangeBody,
        responses={200: BulkAnswerBody},
        operation_id="tickets_bulk_changes",
        examples=_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """One change to many tickets. Drafts are edited in place and stay drafts; for what is built a ticket that follows is
        made and submitted. What becomes of one stops no other: read every `problem`."""
        given = BulkChangeBody(data=request.data).values_or_raise()
        named, dry = given.pop("tickets"), given.pop("dry_run")
        tickets = _found(named, request.user)
        wish = Wish(**given)
        if dry:
            results = [_previewed(each) for each in bulk_edits.preview(tickets, wish, by=request.user)]
        else:
            told = {str(each["id"]): each["version"] for each in named if "version" in each}
            seen = {row.pk: told[str(row.public_id)] for row in tickets if str(row.public_id) in told}
            results = [
                _carried_out(each) for each in bulk_edits.carry_out(tickets, wish, by=request.user, seen=seen)
            ]
        return Response({"dry_run": dry, "results": results})


def _found(named: list[dict[str, Any]], user: Any) -> list[Ticket]:
    """In the order given. 400 for the first that is not there or not theirs."""
    mine = Ticket.objects.visible_to(user).filter(public_id__in=[each["id"] for each in named])
    rows = tickets_with_context().filter(pk__in=mine)
    found = {row.public_id: row for row in rows}
    if not named:
        raise field_problem("tickets", "empty", _("Name at least one ticket."))
    for at, each in enumerate(named):
        if each["id"] not in found:
            text = _("There is no ticket '%(id)s' that is yours.") % {"id": each["id"]}
            raise field_problem(f"tickets.{at}.id", "does_not_exist", text)
    return [found[pk] for pk in dict.fromkeys(each["id"] for each in named)]


def _previewed(found: Preview) -> dict[str, Any]:
    return {
        "ticket": str(found.ticket.public_id), "version": found.ticket.version, "in_place": found.in_place,
        "steps": [{"what": str(each.what), "before": each.before, "after": each.after} for each in found.steps],
        "findings": [_report(each) for each in found.findings], "made": None, "problem": str(found.refusal), "note": found.note,
    }  # fmt: skip


def _report(finding: Finding) -> dict[str, Any]:
    return dict(finding.as_report())


def _carried_out(found: Result) -> dict[str, Any]:
    made = found.made
    in_place = made is not None and made.pk == found.ticket.pk
    return {
        "ticket": str(found.ticket.public_id), "version": made.version if made is not None and in_place else found.ticket.version,
        "in_place": in_place, "steps": [], "findings": [], "made": str(made.public_id) if made else None,
        "problem": str(found.problem), "note": "",
    }  # fmt: skip
