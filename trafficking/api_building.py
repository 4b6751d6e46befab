"""Before saving and beside it: POST /tickets/preview (names and findings), POST /tickets/{id}/clone."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api.errors import Problem
from governance.api.fields import AmountField, DayField, ReferenceField
from governance.api.serializers import StrictBody, StrictRows
from governance.findings import SEVERITIES
from governance.models import AdAccount, Brand, Channel, Market
from governance.models.aliases import Objective
from trafficking.building import TreeDraft, check_built
from trafficking.cloning import Clone, CloneRefused, Target, clone_ticket, preview_clones
from trafficking.models import Ticket
from trafficking.name_preview import preview_names


class NamePartBody(serializers.Serializer):
    part = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    value = serializers.CharField()


class NameBody(serializers.Serializer):
    path = serializers.CharField(help_text="`campaign.name`, `ad_sets[0].name`, `ad_sets[0].ads[1].name`.")
    level = serializers.ChoiceField(choices=["campaign", "ad_set", "ad"])
    name = serializers.CharField(
        allow_blank=True, help_text="What saving would build; empty: it would be refused."
    )
    legal = serializers.BooleanField()
    parts = NamePartBody(many=True)
    reasons = serializers.ListField(child=serializers.CharField())
    waits = serializers.BooleanField(help_text="Not wrong, but not filled in yet.")
    proposal = serializers.CharField(
        allow_blank=True, help_text="The nearest legal text, where there is one."
    )
    proposed = serializers.CharField(allow_blank=True, help_text="The name that it gives.")


class CheckedBody(serializers.Serializer):
    code = serializers.CharField()
    field = serializers.CharField(allow_blank=True)
    severity = serializers.ChoiceField(choices=SEVERITIES)
    params = serializers.DictField()
    message = serializers.CharField()
    remedy = serializers.CharField(allow_blank=True)


class PreviewResultBody(serializers.Serializer):
    names = NameBody(many=True)
    findings = CheckedBody(many=True, help_text="What saving and QA would say. Nothing was saved.")


class NewCampaignBody(StrictBody):
    """A campaign that there is not yet."""

    name = serializers.CharField(max_length=200)
    brand = ReferenceField(Brand, help_text="Code or id.")
    market = ReferenceField(Market, help_text="Code or id.")
    objective = serializers.ChoiceField(choices=Objective.choices)
    budget = AmountField()
    currency = serializers.CharField(max_length=3)
    budget_type = serializers.ChoiceField(choices=["DAILY", "LIFETIME"], required=False, default="LIFETIME")
    start_on = DayField()
    end_on = DayField()


class TargetBody(StrictBody):
    market = ReferenceField(Market, help_text="Code or id.")
    channel = ReferenceField(Channel, help_text="Code or id.")
    account = ReferenceField(
        AdAccount, required=False, help_text="Its id; the first that serves it, if not given."
    )

    class Meta:
        list_serializer_class = StrictRows


class CloneBody(StrictBody):
    ALSO = frozenset({"version"})
    targets = TargetBody(many=True)
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Say what would be made; make nothing."
    )


class ClonedBody(serializers.Serializer):
    market = serializers.CharField()
    channel = serializers.CharField()
    ad_account = serializers.UUIDField(allow_null=True)
    campaign = serializers.UUIDField(allow_null=True, help_text="null: a new one, that is not made yet.")
    campaign_is_new = serializers.BooleanField()
    ticket = serializers.UUIDField(allow_null=True, help_text="The draft; null in a dry run.")
    left_out = serializers.ListField(
        child=serializers.CharField(), help_text="What could not be carried over, in words."
    )
    problems = serializers.ListField(child=serializers.CharField(), help_text="Why it can't be made.")


class CloneResultBody(serializers.Serializer):
    clones = ClonedBody(many=True)


class BuildingActions:
    """Actions of TicketView. `draft_of` reads the body of a ticket that is not there yet."""

    building_permissions: ClassVar[dict[str, str]] = {
        "preview": "trafficking.add_ticket",
        "clone": "trafficking.add_ticket",
    }

    @action(detail=False, methods=["post"], url_path="preview")
    def preview(self, request: Request, **kwargs: Any) -> Response:
        """The names that saving this ticket would build, and what saving and QA would say of it. The body is that of
        POST /tickets; `new_campaign` in place of `campaign` for one that is made with it. Nothing is saved."""
        draft: TreeDraft = self.draft_of(request.data)  # type: ignore[attr-defined]
        names = [each.as_dict() for each in preview_names(draft.ticket, draft.ad_sets or ())]
        return Response({"names": names, "findings": check_built(by=request.user, draft=draft)})

    @extend_schema(
        request=CloneBody, responses={200: CloneResultBody, 201: CloneResultBody},
        examples=[OpenApiExample("To two markets", request_only=True, value={
            "targets": [{"market": "DE", "channel": "META"}, {"market": "FR", "channel": "TIKTOK"}], "dry_run": True})],
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def clone(self, request: Request, **kwargs: Any) -> Response:
        """Drafts of the same ad sets and ads for other markets and channels: all or none. What another platform, account
        or market does not take is left out and told."""
        body = CloneBody(data=request.data, context=self.get_serializer_context())  # type: ignore[attr-defined]
        given = body.values_or_raise()
        ticket: Ticket = self.find()  # type: ignore[attr-defined]
        targets = [Target(**each) for each in given["targets"]]
        if given["dry_run"]:
            return _answer(
                preview_clones(ticket=ticket, targets=targets, by=request.user), status.HTTP_200_OK
            )
        try:
            made = clone_ticket(ticket=ticket, targets=targets, by=request.user)
        except CloneRefused as refused:
            details = {"clones": [_cloned(each) for each in refused.clones]}
            raise Problem(400, "not_cloned", " ".join(refused.messages), details=details) from None
        return _answer(made, status.HTTP_201_CREATED)


def _answer(clones: list[Clone], code: int) -> Response:
    return Response({"clones": [_cloned(each) for each in clones]}, status=code)


def _cloned(clone: Clone) -> dict[str, Any]:
    standing = clone.campaign is not None and (not clone.campaign_is_new or clone.ticket is not None)
    return {
        "market": clone.target.market.code, "channel": clone.target.channel.code,
        "ad_account": clone.account and str(clone.account.public_id),
        "campaign": str(clone.campaign.public_id) if standing and clone.campaign else None,
        "campaign_is_new": clone.campaign_is_new, "ticket": clone.ticket and str(clone.ticket.public_id),
        "left_out": clone.left_out, "problems": clone.problems,
    }  # fmt: skip
