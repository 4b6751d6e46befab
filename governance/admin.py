"""Govern: the vocabulary, its accounts, conventions, rules and rates."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanWidget

from governance import (
    admin_conventions,  # noqa: F401  (registers its own page)
    admin_notices,  # noqa: F401  (registers its own pages)
    admin_qa_rules,  # noqa: F401  (registers its own page)
    admin_tokens,  # noqa: F401  (registers its own page)
    credentials,
    money,
    services,
)
from governance.admin_base import (
    EMPTY,
    GovernedAdmin,
    GovernedForm,
    GovernedTabularInline,
    SharedAdmin,
    as_boxes,
    as_list,
    is_list,
    related,
)
from governance.admin_grid import EditedInGrid
from governance.models import (
    AdAccount,
    AdAccountServes,
    Alias,
    Audience,
    Brand,
    Channel,
    ExchangeRate,
    Grant,
    Market,
)
from governance.models.vocabulary import BlockedCategory
from governance.platforms import Platform

PLATFORM_BADGES = {"meta": "info", "tiktok": "primary", "google_ads": "success"}
ON_OFF = {"on": "success", "off": "danger"}


def on_off(active: bool) -> tuple[str, str]:
    return ("on", gettext("Active")) if active else ("off", gettext("Inactive"))


# --------------------------------------------------------------------------------------- vocabulary


class CodedForm(GovernedForm):
    """Asks before a code that stands in names is changed."""

    impact_accepted = forms.BooleanField(
        label=_("I have read what this changes"), required=False, widget=UnfoldBooleanWidget,
        help_text=_("Asked when the code stands in names."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.instance.impact_accepted = bool(cleaned.get("impact_accepted"))
        return cleaned

    @property
    def asks_impact(self) -> bool:
        asked = self.errors.as_data().get("code", [])
        return any(error.code == "code_in_use" for error in asked) or bool(self.data.get("impact_accepted"))

    @property
    def impact(self) -> dict[str, Any]:
        """What `code_in_use` told: kept, live, renamed, and `becomes` with names before and after."""
        asked = self.errors.as_data().get("code", [])
        return next((error.params or {} for error in asked if error.code == "code_in_use"), {})


class CodedAdmin(EditedInGrid):
    """A market, brand or channel: its code stands in names."""

    asks_reason = True
    form = CodedForm
    search_fields = ("code", "name")
    ordering = ("code",)

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        services.save_coded(row=obj, impact_accepted=obj.impact_accepted)


@admin.register(Market)
class MarketAdmin(CodedAdmin):
    list_display = ("code", "name", "country", "region", "currency", "time_zone")
    list_editable = ("name", "region")
    list_filter = ("region", "currency")
    search_fields = ("code", "name", "country")
    fieldsets = (
        (None, {"fields": ("code", "name", "country", "region")}),
        (_("Money and time"), {"fields": ("currency", "time_zone", "languages")}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "languages":
            return as_list(
                db_field, ",", _("ISO 639-1 codes with commas between, the main one first: en, es.")
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Brand)
class BrandAdmin(CodedAdmin):
    list_display = ("code", "name", "family_friendly", "dsa_beneficiary", "dsa_payor")
    list_editable = ("name", "family_friendly", "dsa_beneficiary", "dsa_payor")
    shown_as: ClassVar[dict[str, str]] = {"family_friendly": "safety"}
    list_filter = ("family_friendly",)
    fieldsets = (
        (None, {"fields": ("code", "name")}),
        (_("What it allows"), {"fields": ("family_friendly", "blocked_categories", "legal_lines")}),
        (_("EU Digital Services Act"), {"fields": ("dsa_beneficiary", "dsa_payor")}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "blocked_categories":
            return as_boxes(db_field, BlockedCategory.choices, _("Interests that this brand never targets."))
        if db_field.name == "legal_lines":
            return as_list(
                db_field, help_text=_("Sentences that must stand in its ads, one a line: Drink responsibly.")
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @display(description=_("Safety"), label={"family": "success"})
    def safety(self, row: Brand) -> Any:
        return ("family", gettext("Family-friendly")) if row.family_friendly else None


@admin.register(Channel)
class ChannelAdmin(SharedAdmin, CodedAdmin):
    help_texts: ClassVar[dict[str, Any]] = {"platform": _("Whose API builds the campaigns of this channel.")}
    list_display = ("code", "name", "platform_badge", "api_identifier", "active")
    list_editable = ("name", "active")
    shown_as: ClassVar[dict[str, str]] = {"active": "active_badge"}
    list_filter = ("platform", "active")
    fieldsets = (
        (None, {"fields": ("code", "name", "active")}),
        (_("How it is bought"), {"fields": ("platform", "api_identifier", "settings")}),
    )

    @display(description=_("Platform"), ordering="platform", label=PLATFORM_BADGES)
    def platform_badge(self, row: Channel) -> tuple[str, str]:
        return row.platform, row.get_platform_display()

    @display(description=_("State"), ordering="active", label=ON_OFF)
    def active_badge(self, row: Channel) -> tuple[str, str]:
        return on_off(row.active)


# ----------------------------------------------------------------------------------------- accounts


def secret_field(platform: str, name: str) -> str:
    return f"secret__{platform}__{name}"


class AdAccountForm(GovernedForm):
    """Secrets are written here and shown to no one: an empty box keeps what is stored."""

    forget_secrets = forms.BooleanField(
        label=_("Forget the stored credentials"), required=False, widget=UnfoldBooleanWidget,
        help_text=_("Tick to erase all of them. Boxes that you fill in are stored after that."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        kept = {} if cleaned.get("forget_secrets") else dict(self.instance.credentials or {})
        self.instance.credentials = {**kept, **self._given(cleaned)}
        return cleaned

    def _given(self, cleaned: dict[str, Any]) -> dict[str, str]:
        platform = cleaned.get("platform") or self.instance.platform
        names = credentials.fields_of(platform)
        return {name: given for name in names if (given := cleaned.get(secret_field(platform, name)))}


def secret_fields(platforms: list[str], stored: dict[str, str]) -> dict[str, forms.CharField]:
    return {
        secret_field(platform, name): forms.CharField(
            label=name.replace("_", " ").capitalize(), required=False, strip=True,
            widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
            help_text=f"{help_text} {gettext('A value is stored; leave this empty to keep it.') if stored.get(name) else ''}",
        )
        for platform in platforms
        for name, help_text in credentials.fields_of(platform).items()
    }  # fmt: skip


class ServesInline(GovernedTabularInline):
    model = AdAccountServes
    fields = ("brand", "market")
    autocomplete_fields = ("brand", "market")
    show_change_link = False
    verbose_name_plural = _("Serves these brands in these markets")


@admin.register(AdAccount)
class AdAccountAdmin(EditedInGrid):
    asks_reason = True
    help_texts: ClassVar[dict[str, Any]] = {"platform": _("Where the account is; fixed once it is saved.")}
    form = AdAccountForm
    list_display = (
        "external_id",
        "name",
        "platform_badge",
        "mode_badge",
        "currency",
        "daily_cap",
        "active",
    )
    list_editable = ("name", "daily_cap", "active")
    list_filter = ("platform", "mode", "active", "currency")
    search_fields = ("name", "external_id")
    ordering = ("platform", "name")
    inlines = (ServesInline,)
    shown_as: ClassVar[dict[str, str]] = {"daily_cap": "cap", "active": "active_badge"}
    fieldsets = (
        (None, {"fields": ("platform", "external_id", "name", "mode", "active")}),
        (_("Money and time"), {"fields": ("currency", "time_zone", "daily_cap")}),
        (_("Calls that the platform allows"), {"fields": ("rate_calls", "rate_window_s")}),
        (
            _("What ads speak for and count"),
            {
                "fields": (
                    "page_id", "instagram_user_id", "identity_id", "identity_type", "pixel_id", "app_id",
                    "login_customer_id", "conversion_action_id",
                ),
            },
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        # a list decrypts nothing
        return rows.defer("credentials") if is_list(request) else rows

    def _within(self, request: HttpRequest, obj: Any) -> bool:
        """Changing an account changes it for everyone whom it serves: all of them must be the person's."""
        if not isinstance(obj, AdAccount) or obj.pk is None:
            return True
        if not hasattr(obj, "_is_theirs"):
            obj._is_theirs = services.may_change(request.user, obj)
        return obj._is_theirs

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        columns = tuple(name for _title, options in self.fieldsets for name in options["fields"])
        made = super().get_form(request, obj, change=change, **{**kwargs, "fields": columns})
        if obj is None or self.has_change_permission(request, obj):
            platforms = [obj.platform] if obj else list(credentials.registered())
            made.base_fields.update(secret_fields(platforms, obj.credentials if obj else {}))
        return made

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), *(("platform",) if obj else ()))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        own = super().get_fieldsets(request, obj)
        if obj is not None and not self.has_change_permission(request, obj):
            return own
        secrets = [
            self._secrets(platform) for platform in ([obj.platform] if obj else credentials.registered())
        ]
        if obj is not None:
            secrets.append(
                (_("Forget credentials"), {"fields": ("forget_secrets",), "classes": ["collapse"]})
            )
        return [*own[:4], *secrets, *own[4:]]

    def _secrets(self, platform: str) -> Any:
        title = gettext("Credentials · %(platform)s") % {"platform": Platform(platform).label}
        names = tuple(secret_field(platform, name) for name in credentials.fields_of(platform))
        return title, {
            "fields": names,
            "description": _("Encrypted at rest and shown to no one. Not needed for the sandbox."),
        }

    @display(description=_("Platform"), ordering="platform", label=PLATFORM_BADGES)
    def platform_badge(self, row: AdAccount) -> tuple[str, str]:
        return row.platform, row.get_platform_display()

    @display(description=_("Mode"), ordering="mode", label={"SANDBOX": "info", "LIVE": "warning"})
    def mode_badge(self, row: AdAccount) -> tuple[str, str]:
        return row.mode, row.get_mode_display()

    @display(description=_("State"), ordering="active", label=ON_OFF)
    def active_badge(self, row: AdAccount) -> tuple[str, str]:
        return on_off(row.active)

    @display(description=_("Daily cap"), ordering="daily_cap")
    def cap(self, row: AdAccount) -> str:
        return money.shown(row.daily_cap, row.currency) or EMPTY


# -------------------------------------------------------------------------------------------- rates


@admin.register(ExchangeRate)
class ExchangeRateAdmin(SharedAdmin):
    list_display = ("currency", "usd_shown", "valid_from", "source")
    list_filter = ("currency",)
    search_fields = ("currency", "source")
    ordering = ("currency", "-valid_from")
    date_hierarchy = "valid_from"
    fieldsets = ((None, {"fields": ("currency", "usd", "valid_from", "source")}),)

    @display(description=_("US dollars for one"), ordering="usd")
    def usd_shown(self, row: ExchangeRate) -> str:
        return money.plain(row.usd)


@admin.register(Audience)
class AudienceAdmin(GovernedAdmin):
    asks_reason = True
    help_texts: ClassVar[dict[str, Any]] = {
        "age_min": _("From 13 to 65. Empty: no lower end."),
        "gender": _("Any: nobody is left out."),
    }
    list_display = ("name", "brand", "gender", "ages")
    list_filter = (*related("brand"), "gender")
    search_fields = ("name",)
    list_select_related = ("brand",)
    autocomplete_fields = ("brand",)
    fieldsets = (
        (None, {"fields": ("name", "brand")}),
        (_("Who they are"), {"fields": ("age_min", "age_max", "gender")}),
        (_("On the platforms"), {"fields": ("interests", "audiences_include", "audiences_exclude")}),
    )

    @admin.display(description=_("Ages"))
    def ages(self, row: Audience) -> str:
        return f"{row.age_min or ''}–{row.age_max or ''}" if row.age_min or row.age_max else EMPTY


@admin.register(Alias)
class AliasAdmin(SharedAdmin):
    help_texts: ClassVar[dict[str, Any]] = {
        "kind": _("What the plan's text is about; it says which of the targets below to fill in."),
        "brand": _("For an advertiser."),
        "channel": _("For a vehicle, partner or product."),
        "market": _("For a location."),
        "objective": _("For an objective."),
        "audience": _("For an audience."),
    }
    list_display = ("text", "kind_badge", "leads_to")
    list_filter = ("kind", "not_trafficked")
    search_fields = ("text", "text_key")
    ordering = ("kind", "text")
    list_select_related = ("brand", "channel", "market", "audience")
    autocomplete_fields = ("brand", "channel", "market", "audience")
    fieldsets = (
        (None, {"fields": ("kind", "text")}),
        (
            _("Where it leads: one of these"),
            {"fields": ("brand", "channel", "objective", "market", "audience", "not_trafficked")},
        ),
    )

    @display(description=_("Kind"), ordering="kind", label=True)
    def kind_badge(self, row: Alias) -> str:
        return row.get_kind_display()

    @admin.display(description=_("Leads to"))
    def leads_to(self, row: Alias) -> str:
        return str(row.target or gettext("not trafficked here"))


@admin.register(Grant)
class GrantAdmin(GovernedAdmin):
    asks_reason = True
    help_texts: ClassVar[dict[str, Any]] = {"user": _("Who may see and change that brand in that market.")}
    list_display = ("user", "brand_shown", "market_shown", "updated_at")
    list_filter = related("user", "brand", "market")
    search_fields = ("user__username", "user__first_name", "user__last_name", "brand__code", "market__code")
    list_select_related = ("user", "brand", "market")
    autocomplete_fields = ("user", "brand", "market")
    fieldsets = ((None, {"fields": ("user", "brand", "market")}),)

    @admin.display(description=_("Brand"), ordering="brand")
    def brand_shown(self, row: Grant) -> str:
        return str(row.brand or gettext("every brand"))

    @admin.display(description=_("Market"), ordering="market")
    def market_shown(self, row: Grant) -> str:
        return str(row.market or gettext("every market"))
