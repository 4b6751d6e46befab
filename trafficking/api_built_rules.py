"""/qa-rules: built rules, their trial, switch and versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance import built_rules as services
from governance import rule_trees
from governance.api.errors import Problem
from governance.api.etags import require_current
from governance.api.fields import ReferenceField
from governance.api.filters import GovernedFilters
from governance.api.serializers import GovernedBody, StrictBody, StrictList
from governance.api.viewsets import GovernedView
from governance.models import Brand, BuiltRule, Market
from trafficking import built_rules

_EXAMPLE = {
    "name": "No short flights on Meta", "brands": ["DIS"], "markets": [], "effect": "block",
    "conditions": {"match": "all", "of": [
        {"field": "platform", "op": "in", "value": ["meta"]}, {"field": "days", "op": "lt", "value": "3"},
    ]},
    "message": "A flight of less than three days learns nothing.", "remedy": "Give it three days or more.",
}  # fmt: skip


class BuiltRuleBody(GovernedBody):
    brands = StrictList(
        child=ReferenceField(Brand),
        required=False,
        max_length=200,
        help_text="Codes or ids. Empty: all brands.",
    )
    markets = StrictList(
        child=ReferenceField(Market),
        required=False,
        max_length=200,
        help_text="Codes or ids. Empty: all markets.",
    )
    conditions = serializers.JSONField(
        help_text='A group {"match": "all" | "any" | "none", "of": [...]} of groups and conditions {"field", "op", "value"}.'
    )  # fmt: skip
    sentence = serializers.SerializerMethodField(help_text="The conditions in words.")
    running = serializers.SerializerMethodField(help_text="The revision that QA runs; null: none.")
    tried = serializers.BooleanField(read_only=True, help_text="It was tried as it stands.")

    class Meta:
        model = BuiltRule
        fields = (
            "id", "name", "note", "brands", "markets", "conditions", "effect", "message", "remedy", "sentence", "status",
            "revision", "running", "tried", "tried_at", "tried_seen", "tried_hits", "version", "archived_at", "created_at",
            "updated_at",
        )  # fmt: skip
        read_only_fields = (
            "status", "revision", "tried_at", "tried_seen", "tried_hits", "archived_at", "created_at", "updated_at",
        )  # fmt: skip

    def get_sentence(self, row: BuiltRule) -> str:
        return rule_trees.sentence(row.conditions)

    def get_running(self, row: BuiltRule) -> int | None:
        return row.in_force["revision"] if row.in_force else None

    def to_representation(self, instance: BuiltRule) -> dict[str, Any]:
        scope = {"brands": instance.brands, "markets": instance.markets}
        instance.brands, instance.markets = [], []
        shown = super().to_representation(instance)
        instance.brands, instance.markets = scope["brands"], scope["markets"]
        codes: dict[str, Any] = cast("dict[str, Any]", self.context).setdefault("rule_codes", {})
        for name, model in (("brands", Brand), ("markets", Market)):
            known = codes.setdefault(name, None) or dict(model.objects.values_list("pk", "code"))
            codes[name] = known
            shown[name] = [known[pk] for pk in scope[name] if pk in known]
        return shown


class TrialBody(StrictBody):
    ALSO = frozenset({"version"})
    most = serializers.IntegerField(
        required=False, default=built_rules.TRIED, min_value=1, max_value=built_rules.MOST_TRIED,
        help_text="How many of the newest tickets to read.",
    )  # fmt: skip


class MatchBody(serializers.Serializer):
    object = serializers.CharField()
    field = serializers.CharField()
    value = serializers.CharField()


class HitBody(serializers.Serializer):
    ticket = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.CharField()
    matched = MatchBody(many=True)


class TrialResult(serializers.Serializer):
    seen = serializers.IntegerField(help_text="Tickets read.")
    hits = HitBody(many=True)
    undecided = serializers.IntegerField(help_text="Tickets of which it could not be told.")
    cut_short = serializers.BooleanField(help_text="The time was over before all were read.")


class RestoreBody(StrictBody):
    restore = serializers.IntegerField(min_value=1, help_text="The version to take up again.")
    version = serializers.IntegerField(required=False, help_text="The version that you read.")


class BuiltRuleFilters(GovernedFilters):
    class Meta:
        model = BuiltRule
        fields = ("status", "effect")


@extend_schema_view(
    create=extend_schema(examples=[OpenApiExample("A rule", value=_EXAMPLE, request_only=True)])
)
class BuiltRuleView(GovernedView):
    """QA rules without code. Written by data admins, each within their brands and markets; a new one is a draft that is
    tried, then switched on. DELETE takes away a draft; one that has run is switched off and put away."""

    permission_model = BuiltRule
    serializer_class = BuiltRuleBody
    filterset_class = BuiltRuleFilters
    search_fields = ("name", "note", "message")
    ordering_fields = ("name", "updated_at")
    action_permissions: ClassVar[dict[str, str]] = {
        "trial": "governance.view_builtrule", "switch_on": services.CHANGE, "switch_off": services.CHANGE,
        "restore": services.CHANGE,
    }  # fmt: skip

    def require_reach(self, row: BuiltRule) -> None:
        if not services.may_change(self.request.user, row):
            raise Problem(403, "outside_reach", _("The rule is for brands or markets that are not yours."))

    def save(self, row: BuiltRule, values: dict[str, Any]) -> BuiltRule:
        for name in ("brands", "markets"):
            if name in values:
                values[name] = [each.pk for each in values[name]]
        return services.save_rule(rule=row, by=self.request.user, values=values)

    def remove(self, row: BuiltRule) -> None:
        if row.status == BuiltRule.Status.DRAFT:
            row.delete()
        else:
            services.put_away(rule=row, by=self.request.user)

    @extend_schema(request=TrialBody, responses={200: TrialResult})
    @action(detail=True, methods=["post"], url_path="try")
    def trial(self, request: Request, **kwargs: Any) -> Response:
        """Ask it of your newest tickets in its scope: nothing changes, and what was found is kept with the rule."""
        rule = self.find()  # before its body is read: what is not there is not there, whatever is sent
        given = TrialBody(data=request.data).values_or_raise()
        trial = built_rules.try_rule(rule=rule, by=request.user, most=given["most"])
        hits = [
            {"ticket": each.ticket.public_id, "name": str(each.ticket), "status": each.ticket.status,
             "matched": [dict(zip(("object", "field", "value"), one, strict=True)) for one in each.matched]}
            for each in trial.hits
        ]  # fmt: skip
        found = {
            "seen": trial.seen,
            "hits": hits,
            "undecided": len(trial.undecided),
            "cut_short": trial.cut_short,
        }
        return Response(TrialResult(found).data)

    @extend_schema(request=None, responses={200: BuiltRuleBody})
    @action(detail=True, methods=["post"], url_path="switch-on")
    def switch_on(self, request: Request, **kwargs: Any) -> Response:
        """QA runs it from now on. It must have been tried as it stands."""
        return self._act(request, services.switch_on)

    @extend_schema(request=None, responses={200: BuiltRuleBody})
    @action(detail=True, methods=["post"], url_path="switch-off")
    def switch_off(self, request: Request, **kwargs: Any) -> Response:
        """QA asks it no longer."""
        return self._act(request, services.switch_off)

    @extend_schema(request=RestoreBody, responses={200: BuiltRuleBody})
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, **kwargs: Any) -> Response:
        """An earlier version becomes the draft; what runs stays until the draft is switched on."""
        self.find()
        version = RestoreBody(data=request.data).values_or_raise()["restore"]

        def take_up(*, rule: BuiltRule, by: Any) -> BuiltRule:
            return services.restore_version(rule=rule, by=by, version=version)

        return self._act(request, take_up)

    def _act(self, request: Request, act: Callable[..., BuiltRule]) -> Response:
        row = self.find()
        require_current(request, row)
        self.require_reach(row)
        return self.shown(self.read_again(act(rule=row, by=request.user)))
