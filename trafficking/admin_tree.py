"""The pages of ad sets and ads."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from governance import money
from governance.admin_base import (
    EMPTY,
    GovernedAdmin,
    GovernedStackedInline,
    admin_link,
    as_boxes,
    mono,
    related,
)
from trafficking.admin_fields import KeywordsField
from trafficking.admin_parts import STATUS_BADGES, NamedPart, bid
from trafficking.models import Ad, AdSet
from trafficking.structured import structured


class AdFields:
    """Words as lines, media by picture."""

    help_texts: ClassVar[dict[str, Any]] = {
        "ad_set": _("The ad set that it belongs to."),
        "format": _("Not every channel takes every format; QA says which."),
        "call_to_action": _("The words on the button."),
    }

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "landing_page":
            kwargs["assume_scheme"] = "https"
        if made := structured(db_field):
            return made
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]


AD_FIELDSETS = (
    (None, {"fields": ("name", "format", "landing_page", "call_to_action", "position")}),
    (
        _("Words"),
        {"fields": ("texts", "headlines", "descriptions", "long_headline", "business_name", "display_paths")},
    ),
    (_("Media"), {"fields": ("media", "cards")}),
    (_("Platform settings"), {"fields": ("config",), "classes": ["collapse"]}),
)


class AdInline(AdFields, GovernedStackedInline):
    model = Ad
    fieldsets = AD_FIELDSETS
    collapsible = True


@admin.register(AdSet)
class AdSetAdmin(NamedPart, GovernedAdmin):
    help_texts: ClassVar[dict[str, Any]] = {
        "ticket": _("The ticket that it belongs to."),
        "bid_strategy": _("Lowest cost spends the budget as well as it can; a cap needs a bid."),
        "budget_type": _("Lifetime: for the whole flight. Daily: each day."),
        "age_min": _("From 13 to 65. Empty: the platform's own lower end."),
        "conversion_event": _("For goals that count conversions."),
    }
    list_display = ("name_shown", "ticket_link", "goal", "budget_shown", "status_badge", "external_shown")
    list_filter = ("goal", *related("ticket__campaign", "ticket__channel"), "ticket__status")
    search_fields = ("governed_name", "external_id")
    list_select_related = ("ticket__campaign", "ticket__channel", "ticket__ad_account")
    autocomplete_fields = ("ticket",)
    ordering = ("-id",)
    inlines = (AdInline,)
    readonly_fields = ("governed_name", "external_id", "intent_id")
    shown_as: ClassVar[dict[str, str]] = {"budget": "budget_shown", "bid_amount": "bid_read"}
    fieldsets = (
        (None, {"fields": ("ticket", "name", "position", "governed_name", "external_id")}),
        (
            _("Goal and bid"),
            {"fields": ("goal", "billing_event", "conversion_event", "bid_strategy", "bid_amount")},
        ),
        (
            _("Budget and schedule"),
            {"fields": ("budget", "budget_type", "start_on", "end_on", "dayparts", "frequency_cap")},
        ),
        (_("Where and who"), {"fields": ("geo", "languages", "age_min", "age_max", "genders")}),
        (
            _("Interests, audiences, placements"),
            {"fields": ("interests", "audiences_include", "audiences_exclude", "placements")},
        ),
        (_("Search"), {"fields": ("keywords", "negative_keywords"), "classes": ["collapse"]}),
        (_("Platform settings"), {"fields": ("config", "intent_id"), "classes": ["collapse"]}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), *(("ticket",) if obj else ()))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related(*self.list_select_related)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if made := structured(db_field):
            return made
        if db_field.name == "genders":
            return as_boxes(
                db_field, [("FEMALE", _("Female")), ("MALE", _("Male"))], _("Nothing ticked: all.")
            )
        if db_field.name in ("keywords", "negative_keywords"):
            text = _('One a line: [exact match], "phrase match", or broad match without marks.')
            return KeywordsField(label=capfirst(db_field.verbose_name), help_text=text)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("Ad set"), ordering="governed_name")
    def name_shown(self, row: AdSet) -> str:
        return str(row)

    @admin.display(description=_("Ticket"), ordering="ticket")
    def ticket_link(self, row: AdSet) -> SafeString | str:
        return admin_link(row.ticket)

    @admin.display(description=_("Budget"), ordering="budget")
    def budget_shown(self, row: AdSet) -> str:
        amount = money.shown(row.budget, row.ticket.ad_account.currency)
        return f"{amount} · {row.get_budget_type_display()}" if amount else EMPTY

    @admin.display(description=_("bid"))
    def bid_read(self, row: AdSet) -> str:
        return bid(row, row.ticket.ad_account.currency)

    @display(description=_("Ticket status"), ordering="ticket__status", label=STATUS_BADGES)
    def status_badge(self, row: AdSet) -> tuple[str, str]:
        return row.ticket.status, row.ticket.get_status_display()

    @admin.display(description=_("Platform id"), ordering="external_id")
    def external_shown(self, row: AdSet) -> SafeString | str:
        return mono(row.external_id)


@admin.register(Ad)
class AdAdmin(NamedPart, AdFields, GovernedAdmin):
    list_display = ("name_shown", "format", "ticket_link", "status_badge", "external_shown")
    list_filter = (
        "format",
        *related("ad_set__ticket__campaign", "ad_set__ticket__channel"),
        "ad_set__ticket__status",
    )
    search_fields = ("governed_name", "external_id", "creative_external_id")
    list_select_related = ("ad_set__ticket__campaign", "ad_set__ticket__channel")
    autocomplete_fields = ("ad_set",)
    ordering = ("-id",)
    readonly_fields = ("governed_name", "external_id", "creative_external_id", "intent_id")
    fieldsets = (
        (None, {"fields": ("ad_set", "governed_name", "external_id", "creative_external_id", "intent_id")}),
        *AD_FIELDSETS,
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), *(("ad_set",) if obj else ()))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related(*self.list_select_related)

    @admin.display(description=_("Ad"), ordering="governed_name")
    def name_shown(self, row: Ad) -> str:
        return str(row)

    @admin.display(description=_("Ticket"), ordering="ad_set__ticket")
    def ticket_link(self, row: Ad) -> SafeString | str:
        return admin_link(row.ad_set.ticket)

    @display(description=_("Ticket status"), ordering="ad_set__ticket__status", label=STATUS_BADGES)
    def status_badge(self, row: Ad) -> tuple[str, str]:
        return row.ad_set.ticket.status, row.ad_set.ticket.get_status_display()

    @admin.display(description=_("Platform id"), ordering="external_id")
    def external_shown(self, row: Ad) -> SafeString | str:
        return mono(row.external_id)
