"""Requests on what is built: POST /tickets/{id}/requests and …/undo; /approval-rules."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api.errors import Problem, field_problem
from governance.api.etags import require_current
from governance.api.fields import ReferenceField, refusal
from governance.api.filters import GovernedFilters, ReferenceFilter
from governance.api.serializers import GovernedBody, StrictBody
from governance.api.viewsets import GovernedView
from governance.models import Brand
from trafficking import requests, services
from trafficking.admin_requests import built_tree
from trafficking.admin_rules import may_decide
from trafficking.models import ApprovalRule, Ticket

Type = Ticket.RequestType
FOLLOWING = [(each.value, each.label) for each in Type if each != Type.CREATE]
#: Ad sets and ads of one campaign that can be named at once.
MOST_IN_SCOPE = 2000


@extend_schema_field({"type": "string", "format": "date-time", "example": "2027-03-01T00:00:00"})
class MomentField(serializers.Field):
    """ISO 8601. With an offset: that moment. Without one: by the clocks of the ad account."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            read = parse_datetime(data) if isinstance(data, str) else None
        except ValueError:
            read = None
        if read is None or not 2000 <= read.year < 3000:
            raise refusal("invalid", _("Write a day and a time, such as 2027-03-01T00:00:00."))
        # in UTC, for PostgreSQL refuses offsets from 16 hours on
        return read.astimezone(UTC) if timezone.is_aware(read) else read

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


def by_account_clocks(moment: datetime | None, zone: str) -> datetime | None:
    """Aware; 400 for an hour that the account's clocks skip or show twice."""
    if moment is None or timezone.is_aware(moment):
        return moment
    tz = zoneinfo.ZoneInfo(zone)
    first, second = moment.replace(tzinfo=tz), moment.replace(tzinfo=tz, fold=1)
    if first.utcoffset() != second.utcoffset():
        text = _("The clocks of %(zone)s skip this hour or show it twice: write the offset with it.")
        raise field_problem("go_live_at", "ambiguous", text % {"zone": zone})
    return first


class NoteBody(StrictBody):
    ALSO = frozenset({"version"})
    note = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=2000, help_text="Who asked for it and why."
    )
    submit = serializers.BooleanField(
        required=False, default=False, help_text="true: QA checks the new ticket right away."
    )


class RequestBody(NoteBody):
    request_type = serializers.ChoiceField(choices=FOLLOWING)
    scope = serializers.ListField(
        child=serializers.UUIDField(), required=False, default=list, max_length=MOST_IN_SCOPE,
        help_text="PAUSE, ACTIVATE, ARCHIVE: intent ids of ad sets and ads. Empty: the whole campaign.",
    )  # fmt: skip
    go_live_at = MomentField(
        required=False,
        allow_null=True,
        default=None,
        help_text="ACTIVATE: the moment, without an offset by the account's clocks. Empty: when it is deployed.",
    )


_EXAMPLES = [
    OpenApiExample(
        "Go live at midnight", request_only=True,
        value={"request_type": "ACTIVATE", "go_live_at": "2027-03-01T00:00:00", "note": "As booked.", "submit": True},
    ),
    OpenApiExample("A copy to be changed", value={"request_type": "UPDATE", "note": "More budget."}, request_only=True),
]  # fmt: skip


class RequestActions:
    """Actions of TicketView on a ticket that is built. `serializer` is the body of a whole ticket."""

    request_permissions: ClassVar[dict[str, str]] = {
        "requests": "trafficking.change_ticket",
        "undo": "trafficking.change_ticket",
    }

    @extend_schema(request=RequestBody, responses={201: None}, examples=_EXAMPLES)
    @action(detail=True, methods=["post"])
    def requests(self, request: Request, **kwargs: Any) -> Response:
        """A ticket that follows: for UPDATE, ADD and RENAME a DRAFT with a copy of what is built, to be changed; for
        PAUSE, ACTIVATE and ARCHIVE one that holds its scope. It takes the usual way: submit, approve, deploy."""
        given = RequestBody(data=request.data).values_or_raise()
        ticket = self.find()  # type: ignore[attr-defined]
        require_current(request, ticket)
        base = built_tree(ticket)
        if base is None:
            raise ValidationError(_("Nothing of this campaign is on the platform."), code="not_built")
        made = requests.start_request(
            base=base,
            request_type=given["request_type"],
            by=request.user,
            scope=[str(each) for each in given["scope"]],
            go_live_at=by_account_clocks(given["go_live_at"], ticket.ad_account.time_zone),
            note=given["note"],
        )
        return self._followed(made, submit=given["submit"])

    @extend_schema(request=NoteBody, responses={201: None})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, **kwargs: Any) -> Response:
        """A ticket that takes back what this one has done; an archive and a first build can't be undone so."""
        given = NoteBody(data=request.data).values_or_raise()
        ticket = self.find()  # type: ignore[attr-defined]
        require_current(request, ticket)
        made = requests.undo_request(ticket=ticket, by=request.user, note=given["note"])
        return self._followed(made, submit=given["submit"])

    def _followed(self, made: Ticket, *, submit: bool) -> Response:
        """The new ticket; it stands also where submitting it is refused, which `findings` then tell."""
        if submit:
            try:
                services.submit_ticket(ticket=made, by=self.request.user)  # type: ignore[attr-defined]
            except ValidationError as refused:
                text = _("Ticket %(id)s was made and is a draft; it could not be submitted: %(why)s")
                why = " ".join(refused.messages)
                details = {"ticket": str(made.public_id), "number": made.pk}
                raise Problem(
                    409, "not_submitted", text % {"id": made.public_id, "why": why}, details=details
                ) from None
        row = self.read_again(made)  # type: ignore[attr-defined]
        answer: Response = self.shown(row, status.HTTP_201_CREATED)  # type: ignore[attr-defined]
        path = self.request.build_absolute_uri(self.request.path)  # type: ignore[attr-defined]
        answer["Location"] = f"{path.split('/tickets/')[0]}/tickets/{row.public_id}"
        return answer


# ------------------------------------------------------------------------------------ approval rules


class ApprovalRuleBody(GovernedBody):
    brand = ReferenceField(Brand, required=False, allow_null=True, help_text="Code or id; null: every brand.")

    class Meta:
        model = ApprovalRule
        fields = (
            "id", "brand", "platform", "request_type", "from_amount", "approvers", "active", "note", "version",
            "archived_at", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("archived_at", "created_at", "updated_at")


class ApprovalRuleFilters(GovernedFilters):
    brand = ReferenceFilter(Brand, "brand")

    class Meta:
        model = ApprovalRule
        fields = ("platform", "request_type", "approvers", "active")


class ApprovalRuleView(GovernedView):
    """Who must approve what. Read by everyone, written by data admins: a brand's by who has it in every market, those of
    every brand by who has everything."""

    permission_model = ApprovalRule
    serializer_class = ApprovalRuleBody
    filterset_class = ApprovalRuleFilters
    search_fields = ("note",)
    ordering_fields = ("from_amount", "updated_at")

    def list_queryset(self) -> Any:
        return self.get_queryset().select_related("brand")

    def require_reach(self, row: ApprovalRule) -> None:
        if not may_decide(self.request.user, row):
            text = _(
                "That is for who has the brand in every market, or, for every brand, for who has everything."
            )
            raise Problem(403, "outside_reach", text)

    def save(self, row: ApprovalRule, values: dict[str, Any]) -> ApprovalRule:
        for name, value in values.items():
            setattr(row, name, value)
        self.require_reach(row)
        row.save()
        return row
