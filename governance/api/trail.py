"""/trail: who changed what, when, from what to what, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from governance import reverting, trail
from governance.actor import MOST_REASON
from governance.api.errors import field_problem
from governance.api.fields import find_row
from governance.api.filters import MomentField
from governance.api.serializers import StrictBody
from governance.api.viewsets import ApiView
from governance.models import Brand, Market, User

_SALT = "governance.api.trail"
MOST = 200
_PARAMETERS = (
    ("type", "App and model of the rows: campaigns.campaign, governance.market."),
    ("object", "The row's id; needs type."),
    ("person", "The username of whoever made the change."),
    ("brand", "Code or id."),
    ("market", "Code or id."),
    ("since", "ISO 8601: changes from then on."),
    ("until", "ISO 8601: changes before then."),
    ("cursor", "From `next` of a page."),
    ("page_size", f"Changes a page, 1 to {MOST}; {trail.PAGE_SIZE} if not given."),
)


class TrailChangeBody(serializers.Serializer):
    field = serializers.CharField(source="name", help_text="The field's name.")  # type: ignore[assignment]
    label = serializers.CharField()  # type: ignore[assignment]
    before = serializers.CharField(source="old", help_text="In words; “–” where it was empty.")
    after = serializers.CharField(source="new")


class TrailBody(serializers.Serializer):
    """One change. Ids with the kind name it for a revert."""

    id = serializers.IntegerField(source="record.history_id")
    at = serializers.DateTimeField(source="record.history_date")
    who = serializers.SerializerMethodField(help_text="Username; null: the system.")
    action = serializers.SerializerMethodField()
    type = serializers.CharField(source="label")
    object = serializers.UUIDField(source="record.public_id")
    name = serializers.CharField()
    exists = serializers.BooleanField(help_text="The row is there and yours.")
    changes = TrailChangeBody(many=True)
    reason = serializers.CharField()

    def get_who(self, entry: trail.Entry) -> str | None:
        person = entry.record.history_user
        return person.get_username() if person else None

    def get_action(self, entry: trail.Entry) -> str:
        return trail.ACTION_KEYS[entry.record.history_type]


class TrailPage(serializers.Serializer):
    next = serializers.CharField(allow_null=True, help_text="The address of the next page.")
    results = TrailBody(many=True)


class TrailView(ApiView):
    """Changes of what is yours, of the kinds that your role may see."""

    permission_model = Brand
    action_permissions = {None: "governance.view_brand"}  # type: ignore[dict-item]  # every role; kinds ask for their own

    @extend_schema(
        operation_id="trail_list", responses=TrailPage,
        parameters=[OpenApiParameter(name, str, description=text) for name, text in _PARAMETERS],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Newest first."""
        _refuse_unknown(request)
        wanted = _wanted(request)
        entries, more = trail.page(request.user, wanted, size=_size(request), after=_after(request))
        following = (
            replace_query_param(request.build_absolute_uri(), "cursor", _sign(entries[-1])) if more else None
        )
        return Response({"next": following, "results": TrailBody(entries, many=True).data})


class ImpactOfRevert(serializers.Serializer):
    kept = serializers.IntegerField(help_text="Names on platforms, which stay as they are.")
    renamed = serializers.IntegerField(help_text="Names not deployed yet, which would be built anew.")
    examples = serializers.ListField(child=serializers.CharField())


class RevertPreviewBody(serializers.Serializer):
    refused = serializers.CharField(help_text="Why it can't be reverted; empty if it can.")
    version = serializers.SerializerMethodField(
        help_text="Of the row now: send it back to revert. null: no row."
    )
    changes = TrailChangeBody(many=True, help_text="From now to what it was before.")
    impact = ImpactOfRevert(help_text="Of a code that stands in names.")

    def get_version(self, plan: reverting.Revert) -> int | None:
        return plan.row.version if plan.row is not None else None


class RevertBody(StrictBody):
    version = serializers.IntegerField(min_value=1, help_text="The row's, as the preview said.")
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=MOST_REASON - 20)
    accept_impact = serializers.BooleanField(required=False, default=False)


class RevertedBody(serializers.Serializer):
    object = serializers.UUIDField()
    version = serializers.IntegerField()


class TrailRevertView(ApiView):
    """Taking one change back, where that is safe."""

    permission_model = Brand
    action_permissions = {None: "governance.view_brand"}  # type: ignore[dict-item]  # the service asks for the row's own

    @extend_schema(operation_id="trail_revert_preview", responses=RevertPreviewBody)
    def get(self, request: Request, type: str, change: str) -> Response:
        """What it would do, or why it can't be done."""
        _model, plan = self._plan(request, type, change)
        return Response(RevertPreviewBody(plan).data)

    @extend_schema(operation_id="trail_revert", request=RevertBody, responses=RevertedBody)
    def post(self, request: Request, type: str, change: str) -> Response:
        """The row is saved anew with the values from before, through its ordinary door."""
        model, _plan = self._plan(request, type, change)
        given = RevertBody(data=request.data).values_or_raise()
        row = reverting.revert(
            request.user, model, int(change), version=given["version"], reason=given["reason"],
            impact_accepted=given["accept_impact"],
        )  # fmt: skip
        return Response({"object": row.public_id, "version": row.version})

    def _plan(self, request: Request, label: str, change: str) -> tuple[Any, reverting.Revert]:
        model = trail.model_by_label(label, request.user)
        plan = reverting.preview(request.user, model, int(change)) if model else None
        if plan is None:
            raise Http404
        return model, plan


def _refuse_unknown(request: Request) -> None:
    known = [name for name, _text in _PARAMETERS]
    for name in request.query_params:
        if name not in known:
            text = _("There is no filter of that name. Known are: %(known)s.") % {"known": ", ".join(known)}
            raise field_problem(name[:80], "unknown_parameter", text)


def _wanted(request: Request) -> trail.Wanted:
    given = request.query_params
    model = _model(request)
    person = _person(given.get("person", ""))
    brand, market = (_row(request, name, kind) for name, kind in (("brand", Brand), ("market", Market)))
    return trail.Wanted(
        models=(model,) if model else (), person_id=person, brand_id=brand, market_id=market,
        since=_moment(request, "since"), until=_moment(request, "until"), object_id=_object(request, model),
    )  # fmt: skip


def _model(request: Request) -> Any:
    label = request.query_params.get("type")
    if not label:
        return None
    model = trail.model_by_label(label, request.user)
    if model is None:
        known = ", ".join(each._meta.label_lower for each in trail.models_for(request.user))
        text = _("There is no such kind that you may see. Known are: %(known)s.") % {"known": known}
        raise field_problem("type", "invalid_choice", text)
    return model


def _object(request: Request, model: Any) -> int | None:
    """The primary key of the row with this public id; also of one that is deleted."""
    text = request.query_params.get("object")
    if not text:
        return None
    if model is None:
        raise field_problem("type", "required", _("Name the type of the object, too."))
    try:
        public_id = serializers.UUIDField().to_internal_value(text)
    except serializers.ValidationError as wrong:
        raise field_problem("object", "invalid", str(wrong.detail[0])) from None  # type: ignore[index]
    found = trail.records(model, request.user, trail.Wanted()).filter(public_id=public_id)
    return found.values_list("id", flat=True).first() or -1


def _person(username: str) -> int | None:
    if not username:
        return None
    if "\x00" in username:
        return -1
    return User.objects.filter(username=username).values_list("pk", flat=True).first() or -1


def _row(request: Request, name: str, model: Any) -> int | None:
    text = request.query_params.get(name)
    if not text:
        return None
    row = find_row(model, text, request.user)
    if row is None:
        words = _("There is no %(what)s '%(text)s' that is yours.")
        raise field_problem(
            name, "does_not_exist", words % {"what": model._meta.verbose_name, "text": text[:80]}
        )
    return row.pk


def _moment(request: Request, name: str) -> datetime | None:
    try:
        return MomentField(required=False).clean(request.query_params.get(name))
    except ValidationError as wrong:
        raise field_problem(name, "invalid", wrong.messages[0]) from None


def _size(request: Request) -> int:
    text = request.query_params.get("page_size") or str(trail.PAGE_SIZE)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST):
        raise field_problem(
            "page_size", "invalid", _("Choose from 1 to %(most)s rows a page.") % {"most": MOST}
        )
    return int(text)


def _sign(entry: trail.Entry) -> str:
    at, label, history_id = entry.place.at.astimezone(UTC).isoformat(), entry.label, entry.record.history_id
    return signing.dumps([at, label, history_id], salt=_SALT)


def _after(request: Request) -> trail.Place | None:
    text = request.query_params.get("cursor")
    if not text:
        return None
    try:
        at, label, history_id = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        message = _("This cursor is not one of ours. Start from the first page.")
        raise field_problem("cursor", "invalid_cursor", message) from None
    return trail.Place(datetime.fromisoformat(at), label, history_id)
