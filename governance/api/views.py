"""/markets, /brands, /channels, /ad-accounts, /naming-conventions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance import naming, services
from governance.access import reach_of
from governance.api.errors import Problem, field_problem
from governance.api.etags import require_current
from governance.api.fields import ReferenceField, SecretsField
from governance.api.filters import GovernedFilters, ReferenceFilter
from governance.api.serializers import GovernedBody, StrictBody, StrictRows, apply_values
from governance.api.viewsets import GovernedView
from governance.convention_trial import differences, try_out
from governance.impact import impact_of
from governance.models import AdAccount, AdAccountServes, Brand, Channel, Market, NamingConvention

STAMPS = ("archived_at", "created_at", "updated_at")
ACCEPT = "A code that stands in names changes only with true, after its impact was read (409 code_in_use tells it)."


class CodedBody(GovernedBody):
    accept_impact = serializers.BooleanField(write_only=True, required=False, help_text=ACCEPT)


class MarketBody(CodedBody):
    class Meta:
        model = Market
        fields = (
            "id", "code", "name", "country", "region", "currency", "time_zone", "languages", "accept_impact", "version", *STAMPS,
        )  # fmt: skip
        read_only_fields = STAMPS

    languages = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="ISO 639-1, the main one first."
    )


class BrandBody(CodedBody):
    class Meta:
        model = Brand
        fields = (
            "id", "code", "name", "family_friendly", "blocked_categories", "legal_lines", "dsa_beneficiary", "dsa_payor",
            "accept_impact", "version", *STAMPS,
        )  # fmt: skip
        read_only_fields = STAMPS

    blocked_categories = serializers.ListField(child=serializers.CharField(), required=False)
    legal_lines = serializers.ListField(child=serializers.CharField(), required=False)


class ChannelBody(CodedBody):
    class Meta:
        model = Channel
        fields = (
            "id",
            "code",
            "name",
            "platform",
            "api_identifier",
            "settings",
            "active",
            "accept_impact",
            "version",
            *STAMPS,
        )
        read_only_fields = STAMPS

    settings = serializers.DictField(
        required=False, help_text="Platform settings that every ticket on it starts with."
    )


class RenamedBody(serializers.Serializer):
    before = serializers.CharField()
    after = serializers.CharField(help_text="Empty where the new code builds no legal name.")


class ImpactBody(serializers.Serializer):
    kept = serializers.IntegerField(help_text="Names on platforms, which stay as they are.")
    live = serializers.IntegerField(help_text="Campaigns among them that run now.")
    renamed = serializers.IntegerField(help_text="Names not deployed yet, which would be built anew.")
    examples = serializers.ListField(child=serializers.CharField())
    becomes = RenamedBody(many=True, help_text="Up to ten of those that would be built anew.")


class VocabularyView(GovernedView):
    """What all brands and markets share is changed by who has the reach for it."""

    def require_reach(self, row: Any) -> None:
        if not services.may_change(self.request.user, row):
            text = _(
                "This touches brands or markets that are not yours. Ask someone whose grants cover them."
            )
            raise Problem(403, "outside_reach", text)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.require_reach(self.permission_model())
        return super().create(request, *args, **kwargs)


class CodedView(VocabularyView):
    ordering_fields = ("code", "name", "updated_at")
    search_fields = ("code", "name")

    def save(self, row: Any, values: dict[str, Any]) -> Any:
        accepted = values.pop("accept_impact", False)
        return services.save_coded(row=apply_values(row, values), impact_accepted=accepted)

    @extend_schema(
        responses=ImpactBody,
        parameters=[
            OpenApiParameter(
                "code", str, description="The code that it would get; without it, the one it has."
            )
        ],
    )
    @action(detail=True, methods=["get"])
    def impact(self, request: Request, **kwargs: Any) -> Response:
        """What a change of the code would do to names: kept on platforms, rebuilt elsewhere. Changes nothing."""
        row = self.find()
        self.require_reach(row)
        row.code = request.query_params.get("code", row.code)
        row.clean_fields(exclude=[each.name for each in row._meta.fields if each.name != "code"])
        return Response(ImpactBody(impact_of(row)).data)


class MarketFilters(GovernedFilters):
    class Meta:
        model = Market
        fields = ("code", "country", "region", "currency")


class MarketView(CodedView):
    permission_model = Market
    serializer_class = MarketBody
    filterset_class = MarketFilters


class BrandFilters(GovernedFilters):
    class Meta:
        model = Brand
        fields = ("code", "family_friendly")


class BrandView(CodedView):
    permission_model = Brand
    serializer_class = BrandBody
    filterset_class = BrandFilters


class ChannelFilters(GovernedFilters):
    class Meta:
        model = Channel
        fields = ("code", "platform", "active")


class ChannelView(CodedView):
    permission_model = Channel
    serializer_class = ChannelBody
    filterset_class = ChannelFilters


# ------------------------------------------------------------------------------------- ad accounts


class ServesBody(StrictBody):
    brand = ReferenceField(Brand)
    market = ReferenceField(Market)

    class Meta:
        list_serializer_class = StrictRows


class AdAccountBody(GovernedBody):
    serves = ServesBody(
        many=True, required=False, help_text="The brand × market pairs that it may be used for."
    )
    credentials = SecretsField(
        required=False, help_text="Tokens and secrets by name. Stored encrypted, never given out."
    )
    has_credentials = serializers.SerializerMethodField()

    class Meta:
        model = AdAccount
        fields = (
            "id", "platform", "external_id", "name", "currency", "time_zone", "page_id", "instagram_user_id", "identity_id",
            "identity_type", "pixel_id", "app_id", "login_customer_id", "conversion_action_id", "credentials",
            "has_credentials", "mode", "daily_cap", "rate_calls", "rate_window_s", "active", "serves", "version", *STAMPS,
        )  # fmt: skip
        read_only_fields = STAMPS

    def get_has_credentials(self, row: AdAccount) -> bool:
        return bool(row.credentials)


class AdAccountFilters(GovernedFilters):
    brand = ReferenceFilter(Brand, "serves__brand", distinct=True)
    market = ReferenceFilter(Market, "serves__market", distinct=True)

    class Meta:
        model = AdAccount
        fields = ("platform", "external_id", "currency", "mode", "active")


_ACCOUNT = OpenApiExample(
    "A Meta account", request_only=True,
    value={
        "platform": "meta", "external_id": "1000000001", "name": "Disney US", "currency": "USD",
        "time_zone": "America/New_York", "page_id": "100200300", "credentials": {"access_token": "…"},
        "serves": [{"brand": "DIS", "market": "US"}],
    },
)  # fmt: skip


@extend_schema_view(create=extend_schema(examples=[_ACCOUNT]))
class AdAccountView(VocabularyView):
    permission_model = AdAccount
    serializer_class = AdAccountBody
    filterset_class = AdAccountFilters
    search_fields = ("name", "external_id")
    ordering_fields = ("name", "platform", "updated_at")

    def list_queryset(self) -> QuerySet:
        mine = (
            AdAccountServes.objects.visible_to(self.request.user)
            .select_related("brand", "market")
            .order_by("id")
        )
        return self.get_queryset().prefetch_related(Prefetch("serves", queryset=mine))

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return GovernedView.create(self, request, *args, **kwargs)  # its reach is that of whom it serves

    def save(self, row: AdAccount, values: dict[str, Any]) -> AdAccount:
        values = dict(values)
        serves = values.pop("serves", None)
        self._require_pairs(row, serves)
        pairs = None if serves is None else [(each["brand"], each["market"]) for each in serves]
        return services.save_ad_account(account=apply_values(row, values), serves=pairs)

    def _require_pairs(self, row: AdAccount, serves: list[dict[str, Any]] | None) -> None:
        reach = reach_of(self.request.user)
        if not serves and not reach.everything and (row._state.adding or serves is not None):
            raise field_problem("serves", "required", _("Name a brand × market of yours that it serves."))
        for at, each in enumerate(serves or ()):
            if not reach.covers(each["brand"].pk, each["market"].pk):
                text = _("%(brand)s in %(market)s is not yours.") % {
                    "brand": each["brand"].code,
                    "market": each["market"].code,
                }
                raise field_problem(f"serves[{at}].market", "outside_reach", text)


# ------------------------------------------------------------------------------ naming conventions


class NamingConventionBody(GovernedBody):
    part_lengths = serializers.DictField(child=serializers.IntegerField(), required=False)
    utm_parameters = serializers.DictField(child=serializers.CharField(), required=False)

    class Meta:
        model = NamingConvention
        fields = (
            "id", "number", "in_force", "separator", "allowed_characters", "transliterate", "campaign_pattern",
            "ad_set_pattern", "ad_pattern", "campaign_max_length", "ad_set_max_length", "ad_max_length", "part_lengths",
            "utm_parameters", "note", "version", *STAMPS,
        )  # fmt: skip
        read_only_fields = ("number", "in_force", *STAMPS)


class NamingConventionFilters(GovernedFilters):
    class Meta:
        model = NamingConvention
        fields = ("number", "in_force")


class FoundBody(serializers.Serializer):
    code = serializers.CharField()
    field = serializers.CharField()
    message = serializers.CharField()
    remedy = serializers.CharField()


class SampleBody(serializers.Serializer):
    level = serializers.CharField(help_text="campaign, ad_set or ad.")
    text = serializers.CharField()
    name = serializers.CharField(help_text="What the convention builds of it; empty where that is not legal.")
    findings = FoundBody(many=True)


class PartBody(serializers.Serializer):
    part = serializers.CharField()
    value = serializers.CharField()
    known = serializers.BooleanField(help_text="The vocabulary has that code, or it is free text.")


class ReadingBody(serializers.Serializer):
    level = serializers.CharField()
    name = serializers.CharField()
    legal = serializers.BooleanField()
    parts = PartBody(many=True, help_text="Empty where the convention can't have built the name.")
    nearest = serializers.CharField(
        help_text="The nearest legal name to one that is not; empty where there is none."
    )


class TrialBody(serializers.Serializer):
    findings = FoundBody(many=True, help_text="Why the convention can't be used; then there are no samples.")
    samples = SampleBody(many=True)
    reading = ReadingBody(allow_null=True)


class TryBody(NamingConventionBody):
    level = serializers.ChoiceField(naming.LEVELS, default="campaign", write_only=True)
    name = serializers.CharField(
        default="", allow_blank=True, max_length=400, write_only=True, help_text="A name to read back."
    )

    class Meta(NamingConventionBody.Meta):
        fields = (*NamingConventionBody.Meta.fields, "level", "name")


class DifferenceBody(serializers.Serializer):
    field = serializers.CharField()
    label = serializers.CharField()
    before = serializers.JSONField()
    after = serializers.JSONField()
    changed = serializers.BooleanField()


class NamingConventionView(VocabularyView):
    """Versions are added and put in force, never rewritten: every name keeps the one that made it."""

    permission_model = NamingConvention
    serializer_class = NamingConventionBody
    filterset_class = NamingConventionFilters
    ordering_fields = ("number",)
    http_method_names = ("get", "post", "head")
    action_permissions: ClassVar[dict[str, str]] = {
        "put_in_force": "governance.change_namingconvention",
        "impact": "governance.change_namingconvention",
        "try_out": "governance.view_namingconvention",
    }

    def save(self, row: NamingConvention, values: dict[str, Any]) -> NamingConvention:
        return services.add_convention(convention=apply_values(row, values))

    @extend_schema(request=None, responses=NamingConventionBody)
    @action(detail=True, methods=["post"], url_path="put-in-force")
    def put_in_force(self, request: Request, **kwargs: Any) -> Response:
        """New names are built by this version from now on; names that no platform knows yet are built anew."""
        row = self.find()
        require_current(request, row)
        self.require_reach(row)
        return self.shown(services.put_in_force(convention=row, by=request.user))

    @extend_schema(request=TryBody, responses=TrialBody)
    @action(detail=False, methods=["post"], url_path="try")
    def try_out(self, request: Request, **kwargs: Any) -> Response:
        """What a convention would build of samples, and how it reads a name back. Nothing is saved."""
        body = TryBody(data=request.data, context=self.get_serializer_context())
        values = dict(body.values_or_raise())
        level, name = values.pop("level"), values.pop("name")
        values.pop("version", None)
        return Response(
            TrialBody(try_out(NamingConvention(**values), by=request.user, level=level, name=name)).data
        )

    @extend_schema(
        responses=DifferenceBody(many=True),
        parameters=[OpenApiParameter("with", str, required=True, description="The id of the other version.")],
        filters=False,
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def compare(self, request: Request, **kwargs: Any) -> Response:
        """This version (`after`) beside another one (`before`), field by field."""
        row = self.find()
        try:
            other = NamingConvention.objects.get(public_id=request.query_params.get("with", ""))
        except (NamingConvention.DoesNotExist, ValidationError) as error:
            text = _("There is no convention with that id: see `with`.")
            raise Problem(404, "not_found", text) from error
        return Response(DifferenceBody(differences(other, row), many=True).data)

    @extend_schema(responses=ImpactBody)
    @action(detail=True, methods=["get"])
    def impact(self, request: Request, **kwargs: Any) -> Response:
        """What putting it in force would do to names: kept on platforms, rebuilt elsewhere. Changes nothing."""
        row = self.find()
        self.require_reach(row)
        return Response(ImpactBody(impact_of(row)).data)
