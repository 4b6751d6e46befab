"""/tickets with their ad sets and ads, their way through QA and approval; /media-plans and their import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, ClassVar

import django_filters
from django.conf import settings
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import (
    OpenApiExample,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.models import Campaign, CampaignChannel, MediaPlan, MediaPlanLine
from governance.api import bulk
from governance.api.errors import Fields, Problem, field_problem
from governance.api.etags import require_current
from governance.api.fields import AmountField, DayField, PersonField, ReferenceField
from governance.api.filters import GovernedFilters, ReferenceFilter
from governance.api.serializers import GovernedBody, StrictBody, StrictRows, apply_values
from governance.api.viewsets import GovernedView, RowsView, UploadView
from governance.findings import SEVERITIES, Finding, blocking
from governance.models import AdAccount, Brand, Channel, Market, User
from governance.platforms import Platform
from governance.tables import Refused, Source
from trafficking import qa, services
from trafficking.api_building import BuildingActions, NewCampaignBody, PreviewResultBody
from trafficking.api_requests import MomentField, RequestActions, by_account_clocks
from trafficking.building import TreeDraft
from trafficking.change_lines import spending_words
from trafficking.models import Ad, AdSet, Approval, Plan, Ticket
from trafficking.platforms.registry import platform
from trafficking.statuses import EDITABLE, Status
from trafficking.tree_services import AdDraft, AdSetDraft, patch_tree, save_tree

STAMPS = ("archived_at", "created_at", "updated_at")


class FindingBody(serializers.Serializer):
    code = serializers.CharField()
    field = serializers.CharField(help_text="Path within the ticket; empty for the whole.", allow_blank=True)
    severity = serializers.ChoiceField(choices=SEVERITIES)
    params = serializers.DictField()
    message = serializers.CharField()
    remedy = serializers.CharField(allow_blank=True)


class PartBody(GovernedBody):
    """A piece of a ticket. `id` or `intent_id` names one that stands; neither: a new one."""

    ALSO = frozenset({"version"})
    id = serializers.UUIDField(source="public_id", required=False)
    intent_id = serializers.UUIDField(
        required=False, help_text="The same over all tickets that speak of this object."
    )
    governed_name = serializers.CharField(read_only=True, help_text="Built by the convention in force.")

    def include_extra_kwargs(self, kwargs: dict[str, Any], extra_kwargs: dict[str, Any]) -> dict[str, Any]:
        # what a new part must have is asked by its model: a part that is only named needs none of it
        kwargs = super().include_extra_kwargs(kwargs, extra_kwargs)
        return kwargs if kwargs.get("read_only") else {**kwargs, "required": False}


def _json(text: str, kind: type[serializers.Field] = serializers.ListField) -> Any:
    return kind(required=False, help_text=text)


_PLACES = (
    'For example {"countries": ["US"], "cities": [{"id": "…", "name": "Boston"}], "excluded_countries": []}.'
)


class AdBody(PartBody):
    texts = _json("Primary texts.")
    headlines = _json("Headlines.")
    descriptions = _json("For search, display and links.")
    display_paths = _json("Search ads: at most two, 15 characters each.")
    media = _json(
        'By content, from /media-files: [{"kind": "IMAGE", "file": "<sha256>"}]; or by the platform\'s id: {"kind": "IMAGE", "id": "…"}.'
    )
    cards = _json(
        'Of a carousel: [{"file": "<sha256>", "headline": "…"}]; or "media_id", the platform\'s id.'
    )
    config = _json("Options that only this platform has.", serializers.DictField)

    class Meta:
        model = Ad
        list_serializer_class = StrictRows
        fields = (
            "id", "intent_id", "name", "governed_name", "position", "format", "texts", "headlines", "descriptions",
            "long_headline", "business_name", "call_to_action", "landing_page", "display_paths", "media", "cards", "config",
            "external_id", "creative_external_id", "version",
        )  # fmt: skip
        read_only_fields = ("external_id", "creative_external_id")


class AdSetBody(PartBody):
    dayparts = _json('[{"day": 0, "start_hour": 8, "end_hour": 20}]; empty: always.')
    frequency_cap = _json('{"impressions": 3, "days": 7}; empty: none.', serializers.DictField)
    geo = _json(_PLACES, serializers.DictField)
    languages = _json("ISO 639-1; empty: all.")
    genders = _json('["FEMALE"], ["MALE"]; empty: all.')
    interests = _json('[{"id": "6003…", "name": "Football"}].')
    audiences_include = _json("The platform's audience ids.")
    audiences_exclude = _json("The platform's audience ids.")
    placements = _json("The platform's names; empty: automatic.")
    keywords = _json('[{"text": "ai platform", "match": "PHRASE"}].')
    negative_keywords = _json("Likewise, excluded.")
    config = _json("Options that only this platform has.", serializers.DictField)
    ads = AdBody(many=True, required=False)

    class Meta:
        model = AdSet
        list_serializer_class = StrictRows
        fields = (
            "id", "intent_id", "name", "governed_name", "position", "goal", "billing_event", "bid_strategy", "bid_amount",
            "budget", "budget_type", "start_on", "end_on", "dayparts", "frequency_cap", "geo", "languages", "age_min",
            "age_max", "genders", "interests", "audiences_include", "audiences_exclude", "placements", "conversion_event",
            "keywords", "negative_keywords", "config", "external_id", "ads", "version",
        )  # fmt: skip
        read_only_fields = ("external_id",)


class DeploymentLinkBody(serializers.Serializer):
    task_id = serializers.UUIDField()
    state = serializers.CharField()
    status_url = serializers.CharField()


class TicketSummaryBody(GovernedBody):
    campaign = ReferenceField(Campaign, help_text="Its id.")
    channel = ReferenceField(Channel, help_text="Code or id.")
    ad_account = ReferenceField(AdAccount, help_text="Its id.")
    owner = PersonField(required=False, allow_null=True, help_text="User name; you, if not given.")
    requested_by = PersonField(read_only=True, allow_null=True)
    governed_name = serializers.SerializerMethodField(help_text="The campaign's name on this channel.")
    base = ReferenceField(Ticket, read_only=True, allow_null=True, help_text="The ticket that it follows.")
    go_live_at = MomentField(
        required=False,
        allow_null=True,
        help_text="Of an ACTIVATE; without an offset by the clocks of the ad account.",
    )
    scope = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Intents of what a switch is about; empty: the whole campaign.",
    )
    special_ad_categories = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        allow_null=True,
        help_text="[] for none; null: nobody has stated them.",
    )
    special_ad_category_countries = serializers.ListField(child=serializers.CharField(), required=False)
    payload_config = _json("Options that only this platform has.", serializers.DictField)
    budget_source = serializers.DictField(
        read_only=True, help_text="Original amount, rate and date of a converted budget."
    )
    findings = serializers.SerializerMethodField(help_text="What QA said of it when it was submitted last.")

    class Meta:
        model = Ticket
        fields = (
            "id", "campaign", "channel", "ad_account", "governed_name", "request_type", "base", "scope", "go_live_at",
            "request_note", "status", "budget_level", "budget",
            "budget_type", "bid_strategy", "bid_amount", "start_on", "end_on", "special_ad_categories",
            "special_ad_category_countries", "political", "payload_config", "budget_source", "findings", "digest",
            "requested_by", "owner", "external_id", "version", *STAMPS,
        )  # fmt: skip
        read_only_fields = ("status", "digest", "external_id", "base", "scope", *STAMPS)

    def get_governed_name(self, row: Ticket) -> str:
        names = row.campaign.channel_names.all()
        return next((each.governed_name for each in names if each.channel_id == row.channel_id), "")

    @extend_schema_field(FindingBody(many=True))
    def get_findings(self, row: Ticket) -> list[dict[str, Any]]:
        return [finding.as_report() for finding in row.all_findings]


class TicketBody(TicketSummaryBody):
    ad_sets = AdSetBody(many=True, required=False)
    latest_deployment = serializers.SerializerMethodField()

    class Meta(TicketSummaryBody.Meta):
        fields = (*TicketSummaryBody.Meta.fields, "ad_sets", "latest_deployment")  # type: ignore[assignment]

    @extend_schema_field(DeploymentLinkBody(allow_null=True))
    def get_latest_deployment(self, row: Ticket) -> dict[str, str] | None:
        latest = row.deployments.order_by("-id").first()
        if latest is None:
            return None
        url = reverse("api-deploy-status", args=[latest.public_id])
        return {"task_id": str(latest.public_id), "state": latest.state, "status_url": url}


class PreviewBody(TicketBody):
    """A ticket that is not saved; `new_campaign` for one that is made with it."""

    new_campaign = NewCampaignBody(required=False)

    class Meta(TicketBody.Meta):
        fields = (*TicketBody.Meta.fields, "new_campaign")  # type: ignore[assignment]


class TicketFilters(GovernedFilters):
    campaign = ReferenceFilter(Campaign, "campaign")
    brand = ReferenceFilter(Brand, "campaign__brand")
    market = ReferenceFilter(Market, "campaign__market")
    channel = ReferenceFilter(Channel, "channel")
    ad_account = ReferenceFilter(AdAccount, "ad_account")
    platform = django_filters.ChoiceFilter(field_name="channel__platform", choices=Platform.choices)
    status = django_filters.MultipleChoiceFilter(choices=Status.choices)
    owner = django_filters.CharFilter(field_name="owner__username")
    starts_from = django_filters.DateFilter(field_name="start_on", lookup_expr="gte")
    starts_to = django_filters.DateFilter(field_name="start_on", lookup_expr="lte")

    class Meta:
        model = Ticket
        fields = ("request_type", "budget_level", "political", "external_id")


class CommentBody(StrictBody):
    ALSO = frozenset({"version"})
    comment = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)


class ApproveBody(CommentBody):
    digest = serializers.CharField(
        max_length=64, help_text="The digest of the plan that you have read (GET …/plan)."
    )


class RejectBody(StrictBody):
    ALSO = frozenset({"version"})
    comment = serializers.CharField(max_length=2000, help_text="Why, so that it can be mended.")


class ChangeBody(serializers.Serializer):
    ref = serializers.CharField()
    type = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField(
        help_text="update, learning (restarts learning), replace, impossible, create, archive, pause, activate, upload."
    )
    field = serializers.CharField(allow_blank=True, help_text="The platform's word; empty: the whole object.")  # type: ignore[assignment]
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    source = serializers.CharField(allow_blank=True, help_text="The ticket's field.")  # type: ignore[assignment]
    note = serializers.CharField(
        allow_blank=True, help_text="drift: the platform no longer has what was applied."
    )


class ApprovalsBody(serializers.Serializer):
    needed = serializers.IntegerField(allow_null=True, help_text="null: not submitted yet.")
    given = serializers.ListField(child=serializers.CharField(), help_text="User names.")
    rule = serializers.CharField(allow_blank=True, help_text="Empty: the house rule of one second person.")
    waived = serializers.BooleanField()


class PlanBody(serializers.Serializer):
    ticket = serializers.UUIDField()
    platform = serializers.CharField()
    api_version = serializers.CharField()
    digest = serializers.CharField()
    stored = serializers.BooleanField(
        help_text="True: the plan that QA passed. False: compiled now, not submitted yet."
    )
    request_type = serializers.CharField()
    go_live_at = serializers.DateTimeField(allow_null=True)
    findings = FindingBody(many=True)
    changes = ChangeBody(many=True)
    spending = serializers.ListField(
        child=serializers.CharField(), help_text="Of an ACTIVATE: in words, what starts to spend and when."
    )
    basis = serializers.DictField(help_text="What the digest covers beside the calls.")
    approvals = ApprovalsBody()
    operations = serializers.ListField(child=serializers.DictField(), help_text="In the order of sending.")


_EXAMPLE = {
    "campaign": "018f6a50-0000-4000-8000-000000000001", "channel": "META", "ad_account": "018f6a50-0000-4000-8000-000000000002",
    "budget_level": "AD_SET", "start_on": "2027-03-01", "end_on": "2027-03-31", "special_ad_categories": [],
    "political": "DOES_NOT_CONTAIN",
    "ad_sets": [
        {
            "name": "Families", "goal": "LANDING_PAGE_VIEWS", "budget": "12500.00", "budget_type": "LIFETIME",
            "geo": {"countries": ["US"]}, "age_min": 25, "age_max": 54,
            "ads": [
                {
                    "name": "Boat", "format": "IMAGE", "texts": ["Set sail."], "headlines": ["Moana is here"],
                    "call_to_action": "LEARN_MORE", "landing_page": "https://example.com/moana",
                    "media": [{"kind": "IMAGE", "id": "a1b2c3"}],
                }
            ],
        }
    ],
}  # fmt: skip
_ONE_OR_MANY = PolymorphicProxySerializer(
    component_name="TicketOrList",
    serializers=[TicketBody, TicketBody(many=True)],
    resource_type_field_name=None,
    many=False,
)
_BULK = (
    "Send one object, or a list of up to 1,000: all are saved or none, and `error.rows` tells every row's errors."
    " The answer to a list is a list in the same order."
)


@extend_schema_view(
    list=extend_schema(responses=TicketSummaryBody(many=True)),
    create=extend_schema(
        request=_ONE_OR_MANY, responses={201: _ONE_OR_MANY}, description=_BULK,
        examples=[OpenApiExample("A ticket with its tree", value=_EXAMPLE, request_only=True)],
    ),
    requests=extend_schema(responses={201: TicketBody}),
    undo=extend_schema(responses={201: TicketBody}),
    preview=extend_schema(request=PreviewBody, responses=PreviewResultBody),
    update=extend_schema(description="The whole ticket: ad sets and ads that are not named are deleted, fields left out go back to their defaults."),
    partial_update=extend_schema(description="What is given: ad sets and ads that are named are changed, new ones added, all others stay."),
)  # fmt: skip
class TicketView(RequestActions, BuildingActions, GovernedView):
    permission_model = Ticket
    serializer_class = TicketBody
    filterset_class = TicketFilters
    search_fields = ("campaign__name", "campaign__channel_names__governed_name", "external_id")
    ordering_fields = ("start_on", "end_on", "status", "updated_at")
    action_permissions: ClassVar[dict[str, str]] = {
        "submit": "trafficking.change_ticket", "cancel": "trafficking.change_ticket", "reopen": "trafficking.change_ticket",
        "withdraw": "trafficking.change_ticket", "approve": "trafficking.approve_ticket", "reject": "trafficking.approve_ticket", "plan": "trafficking.view_ticket",
        **RequestActions.request_permissions,
        **BuildingActions.building_permissions,
    }  # fmt: skip

    def summaries(self) -> QuerySet:
        names = Prefetch("campaign__channel_names", queryset=CampaignChannel.objects.order_by("id"))
        return self.get_queryset().select_related(
            "campaign__brand", "campaign__market", "channel", "ad_account", "owner", "requested_by", "base"
        ).prefetch_related(names)  # fmt: skip

    def list_queryset(self) -> QuerySet:
        return self.summaries().prefetch_related("ad_sets__ads")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.summaries()))
        context = self.get_serializer_context()
        return self.get_paginated_response(TicketSummaryBody(page, many=True, context=context).data)

    # ------------------------------------------------------------------------------- writing

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if not isinstance(request.data, list):
            return super().create(request, *args, **kwargs)
        made = self._create_rows(request.data)
        rows = self.list_queryset().filter(pk__in=[row.pk for row in made]).order_by("pk")
        return Response(self.get_serializer(rows, many=True).data, status=status.HTTP_201_CREATED)

    def _create_rows(self, data: list[Any]) -> list[Ticket]:
        bulk.require_size(data)
        context = self.get_serializer_context()
        values, unread = bulk.read_rows(data, lambda data: TicketBody(data=data, context=context))
        errors: dict[int, Fields | DjangoValidationError] = dict(unread)
        made: list[Ticket] = []
        with transaction.atomic():
            for at, each in enumerate(values):
                if at in errors:
                    continue
                try:
                    with transaction.atomic():
                        made.append(self._new(each))
                except DjangoValidationError as refused:
                    errors[at] = refused
            bulk.refuse_rows(errors)
        return made

    def save(self, row: Ticket, values: dict[str, Any]) -> Ticket:
        return self._new(values) if row._state.adding else self._changed(row, values)

    def _new(self, values: dict[str, Any]) -> Ticket:
        values = _by_clocks({"owner": self.request.user, **values}, values.get("ad_account"))
        drafts = _drafts(values.pop("ad_sets", []))
        return save_tree(ticket=apply_values(Ticket(), values), ad_sets=drafts)

    def draft_of(self, data: Any) -> TreeDraft:
        """An unsaved ticket of a body, for BuildingActions."""
        body: Any = PreviewBody(data=data, context=self.get_serializer_context())
        makes_campaign = isinstance(data, dict) and data.get("new_campaign") is not None
        body.fields["campaign"].required = not makes_campaign
        values = {"owner": self.request.user, **body.values_or_raise()}
        values = _by_clocks(values, values.get("ad_account"))
        drafts = _drafts(values.pop("ad_sets", []))
        fresh = values.pop("new_campaign", None)
        if makes_campaign:
            values["campaign"] = Campaign(**fresh)
        ticket = apply_values(Ticket(), values)
        return TreeDraft(ticket.campaign, ticket, drafts)

    def _changed(self, row: Ticket, values: dict[str, Any]) -> Ticket:
        values = _by_clocks(values, values.get("ad_account") or row.ad_account)
        drafts = _drafts(values.pop("ad_sets", []))
        for name in ("campaign", "channel"):
            if name in values and values[name] != getattr(row, name):
                text = _("A ticket stays with its %(what)s. Make a new ticket.") % {"what": name}
                raise field_problem(name, "immutable", text)
        apply_values(row, values)
        return (
            patch_tree(ticket=row, ad_sets=drafts)
            if self.request.method == "PATCH"
            else save_tree(ticket=row, ad_sets=drafts)
        )

    def remove(self, row: Ticket) -> None:
        if row.status not in EDITABLE or row.approvals.exists():
            raise Problem(
                409,
                "in_use",
                _("It has been approved, deployed or cancelled and stays on record. Cancel it instead."),
            )
        row.delete()

    # ------------------------------------------------------------------------------- its way

    @extend_schema(request=None, responses=TicketBody)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, **kwargs: Any) -> Response:
        """Run QA. The answer's `status` is READY_FOR_API, or QA_FAILED with what to mend in `findings`."""
        return self._moved(lambda ticket: services.submit_ticket(ticket=ticket, by=request.user))

    @extend_schema(
        request=ApproveBody, responses=TicketBody,
        examples=[OpenApiExample("Approve", value={"digest": "9f86d081…", "comment": "As agreed."}, request_only=True)],
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, **kwargs: Any) -> Response:
        """A second person approves exactly the plan that they have read."""
        given = ApproveBody(data=request.data).values_or_raise()
        return self._moved(lambda ticket: services.approve_ticket(ticket=ticket, by=request.user, **given))

    @extend_schema(request=RejectBody, responses=TicketBody)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, **kwargs: Any) -> Response:
        """Back to DRAFT, with the reason."""
        given = RejectBody(data=request.data).values_or_raise()
        return self._moved(lambda ticket: services.reject_ticket(ticket=ticket, by=request.user, **given))

    @extend_schema(request=CommentBody, responses=TicketBody)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Give it up. Its names stay reserved."""
        given = CommentBody(data=request.data).values_or_raise()
        return self._moved(lambda ticket: services.cancel_ticket(ticket=ticket, by=request.user, **given))

    @extend_schema(request=CommentBody, responses=TicketBody)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, **kwargs: Any) -> Response:
        """Take it back to DRAFT before it is queued. What was checked and approved is void."""
        given = CommentBody(data=request.data).values_or_raise()
        return self._moved(lambda ticket: services.withdraw_ticket(ticket=ticket, by=request.user, **given))

    @extend_schema(request=None, responses=TicketBody)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, **kwargs: Any) -> Response:
        """A ticket that failed before anything was built goes back to DRAFT."""
        return self._moved(lambda ticket: services.reopen_ticket(ticket=ticket, by=request.user))

    def _moved(self, move: Callable[[Ticket], Any]) -> Response:
        ticket = self.find()
        require_current(self.request, ticket)
        move(ticket)
        return self.shown(self.read_again(ticket))

    @extend_schema(responses=PlanBody)
    @action(detail=True, methods=["get"])
    def plan(self, request: Request, **kwargs: Any) -> Response:
        """What would be sent, in order, with the digest that an approval is for."""
        ticket = self.find()
        stored = services.current_plan(ticket)
        return Response(_stored_plan(ticket, stored) if stored else _compiled_plan(ticket))


def _by_clocks(values: Mapping[str, Any], account: AdAccount | None) -> dict[str, Any]:
    """A moment without an offset is one of the account's clocks."""
    if not values.get("go_live_at") or account is None:
        return dict(values)
    return {**values, "go_live_at": by_account_clocks(values["go_live_at"], account.time_zone)}


def _drafts(given: list[dict[str, Any]]) -> list[AdSetDraft]:
    return [_ad_set_draft(each) for each in given]


def _ad_set_draft(given: Mapping[str, Any]) -> AdSetDraft:
    values = dict(given)
    ads = values.pop("ads", None)
    known = {"id": values.pop("public_id", None), "intent_id": values.pop("intent_id", None)}
    return AdSetDraft(values=values, ads=None if ads is None else [_ad_draft(each) for each in ads], **known)


def _ad_draft(given: Mapping[str, Any]) -> AdDraft:
    values = dict(given)
    return AdDraft(id=values.pop("public_id", None), intent_id=values.pop("intent_id", None), values=values)


def _stored_plan(ticket: Ticket, plan: Plan) -> dict[str, Any]:
    return {
        "ticket": str(ticket.public_id), "platform": plan.platform, "api_version": plan.api_version, "digest": plan.digest,
        "stored": True, "findings": [finding.as_report() for finding in ticket.all_findings], "operations": plan.operations,
        "changes": plan.changes, "basis": plan.basis, "approvals": _approvals(plan), **_asked(ticket),
    }  # fmt: skip


def _compiled_plan(ticket: Ticket) -> dict[str, Any]:
    report = qa.check_ticket(ticket)
    return {
        "ticket": str(ticket.public_id), "platform": report.snapshot.platform,
        "api_version": platform(report.snapshot.platform).api_version, "digest": report.digest, "stored": False,
        "findings": [finding.as_report() for finding in report.findings],
        "operations": [operation.as_dict() for operation in report.operations],
        "changes": [change.as_dict() for change in report.changes], "basis": report.basis,
        "approvals": {"needed": None, "given": [], "rule": str(report.rule or ""), "waived": False}, **_asked(ticket),
    }  # fmt: skip


def _asked(ticket: Ticket) -> dict[str, Any]:
    return {
        "request_type": ticket.request_type,
        "go_live_at": ticket.go_live_at,
        "spending": spending_words(ticket),
    }


def _approvals(plan: Plan) -> dict[str, Any]:
    standing = services.approvers(plan)
    names = User.objects.filter(pk__in=standing).order_by("username").values_list("username", flat=True)
    waived = plan.approvals.filter(decision=Approval.Decision.WAIVED).exists() and plan.approvers_needed == 0
    rule = str(plan.approval_rule) if plan.approval_rule else ""
    return {"needed": plan.approvers_needed, "given": list(names), "rule": rule, "waived": waived}


# ------------------------------------------------------------------------------------ media plans


class MediaPlanLineBody(serializers.ModelSerializer):
    line = serializers.CharField(source="line_key")
    campaign = serializers.UUIDField(source="campaign.public_id")
    channel = serializers.CharField(source="channel.code")
    cost_media = AmountField()

    class Meta:
        model = MediaPlanLine
        fields = (
            "line",
            "position",
            "campaign",
            "channel",
            "ad_set_intent",
            "cost_media",
            "cost_currency",
            "rate",
            "rate_source",
        )


class MediaPlanSummaryBody(GovernedBody):
    reported = serializers.ListField(read_only=True, help_text="Lines that are not trafficked here, and why.")
    parameters = serializers.DictField(read_only=True)
    imported_by = PersonField(read_only=True, allow_null=True)

    class Meta:
        model = MediaPlan
        fields = (
            "id", "plan_key", "name", "format", "schema_version", "file_name", "file_sha256", "parameters", "reported",
            "imported_by", "version", *STAMPS,
        )  # fmt: skip
        read_only_fields = fields


class MediaPlanBody(MediaPlanSummaryBody):
    lines = serializers.SerializerMethodField(help_text="Those of your brands and markets.")

    class Meta(MediaPlanSummaryBody.Meta):
        fields = (*MediaPlanSummaryBody.Meta.fields, "lines")  # type: ignore[assignment]
        read_only_fields = fields

    @extend_schema_field(MediaPlanLineBody(many=True))
    def get_lines(self, row: MediaPlan) -> list[dict[str, Any]]:
        lines = MediaPlanLine.objects.visible_to(self.context["request"].user).filter(plan=row)
        return MediaPlanLineBody(
            lines.select_related("campaign", "channel").order_by("position"), many=True
        ).data


class MediaPlanFilters(GovernedFilters):
    class Meta:
        model = MediaPlan
        fields = ("plan_key", "format", "file_sha256")


@extend_schema_view(list=extend_schema(responses=MediaPlanSummaryBody(many=True)))
class MediaPlanView(RowsView):
    permission_model = MediaPlan
    serializer_class = MediaPlanBody
    filterset_class = MediaPlanFilters
    search_fields = ("name", "plan_key", "file_name")
    ordering_fields = ("plan_key", "updated_at")
    http_method_names = ("get", "head")

    def list_queryset(self) -> QuerySet:
        return self.get_queryset().select_related("imported_by")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.list_queryset()))
        return self.get_paginated_response(MediaPlanSummaryBody(page, many=True).data)


class ImportBody(StrictBody):
    file = serializers.FileField(help_text="Open Media Plan JSON (2.0, 3.0), CSV or XLSX.")
    creatives = serializers.FileField(required=False, help_text="Creative sheet, CSV or XLSX.")
    start_on = DayField(required=False, help_text="Moves all flights so that the first begins on this day.")
    market = serializers.CharField(
        required=False, max_length=12, help_text="Code, where the plan names no market."
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Say what would be done; write nothing."
    )


class ImportResultBody(serializers.Serializer):
    ok = serializers.BooleanField()
    written = serializers.BooleanField()
    plan = serializers.DictField()
    shift_days = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    ads = serializers.DictField(child=serializers.IntegerField())
    lines = serializers.ListField(child=serializers.DictField())
    tickets = serializers.ListField(child=serializers.DictField())
    errors = FindingBody(many=True)
    warnings = FindingBody(many=True)


class MediaPlanImportView(UploadView):
    permission_model = MediaPlan

    @extend_schema(
        request={"multipart/form-data": ImportBody},
        responses={200: ImportResultBody},
        operation_id="media_plans_import",
    )
    def post(self, request: Request) -> Response:
        """Import a plan: everything or nothing. All errors at once, by row and column (400, in `error.fields`)."""
        given = ImportBody(data=request.data).values_or_raise()
        try:
            result = _import(given, request.user)
        except Refused as unreadable:
            raise _refused(unreadable.findings) from None
        if result.refused:
            raise _refused(result.errors)
        return Response(result.as_dict())

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if announced.isdigit() and int(announced) > 2 * settings.IMPORT_MAX_BYTES + 100_000:
            raise _too_large()
        super().initial(request, *args, **kwargs)


def _too_large() -> Problem:
    most = settings.IMPORT_MAX_BYTES // (1024 * 1024)
    return Problem(413, "too_large", _("A file may have at most %(most)s MB.") % {"most": most})


def _import(given: Mapping[str, Any], user: Any) -> Any:
    from trafficking.imports.service import check_media_plan, import_media_plan

    sources = {name: _source(given[name]) for name in ("file", "creatives") if given.get(name)}
    start_on: date | None = given.get("start_on")
    run = check_media_plan if given["dry_run"] else import_media_plan
    return run(
        source=sources["file"],
        creatives=sources.get("creatives"),
        user=user,
        market=given.get("market", ""),
        start_on=start_on,
    )


def _source(upload: Any) -> Source:
    if upload.size > settings.IMPORT_MAX_BYTES:
        raise _too_large()
    return Source.from_upload(upload)


def _refused(findings: list[Finding]) -> Problem:
    """The import's errors in the envelope: by place in the file, with the full findings in `details`."""
    fields: Fields = {}
    for finding in blocking(findings):
        entry = {
            "code": finding.code,
            "message": f"{finding.message} {finding.remedy}".strip(),
            "params": dict(finding.params),
        }
        fields.setdefault(finding.field or "file", []).append(entry)
    text = _("%(n)s errors in the plan; nothing was saved.") % {"n": len(findings)}
    return Problem(
        400,
        "import_refused",
        text,
        fields=fields,
        details={"errors": [each.as_report() for each in findings]},
    )
