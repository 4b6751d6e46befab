"""Plan: campaigns with their channels and governed names. Media plans are shown where they are imported (trafficking)."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from babel.dates import format_interval
from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from campaigns.admin_bulk import CampaignBulk
from campaigns.models import Campaign, CampaignChannel
from campaigns.services import save_campaign
from campaigns.sheet import sheet_fields
from governance import money
from governance.admin_base import (
    EMPTY,
    GovernedAdmin,
    GovernedForm,
    LedgerAdmin,
    ReadOnlyTabularInline,
    admin_link,
    mono,
    related,
)
from governance.admin_views import SavedViews
from governance.exports import Choice
from governance.models import Channel

STATUS_BADGES = {"DRAFT": "info", "ACTIVE": "success", "PAUSED": "warning", "COMPLETED": "primary"}


def flight(row: Any) -> str:
    """First and last day in the person's format: "Feb 14 – Mar 27, 2027"."""
    return days(row.start_on, row.end_on)


def days(first: date, last: date) -> str:
    """The month in letters: with six markets on one screen 02/03 can be read in two ways."""
    locale = (get_language() or "en").replace("-", "_")
    text = " ".join(format_interval(first, last, "yMMMd", locale=locale).split())
    return text.replace(" ", "\u00a0").replace(
        "–\u00a0", "– "
    )  # a narrow column breaks it between the days only


class CampaignForm(GovernedForm):
    ERROR_FIELDS: ClassVar[dict[str, str]] = {"channels": "on_channels"}

    on_channels = forms.ModelMultipleChoiceField(
        Channel.objects.none(), label=_("Channels"), widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Where it runs: each gets a governed name and one ticket."),
        error_messages={"required": _("Choose at least one channel.")},
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        present = self._present()
        if "on_channels" in self.fields:
            self.fields["on_channels"].queryset = Channel.objects.filter(Q(active=True) | Q(pk__in=present))
        self.initial["on_channels"] = present

    def _present(self) -> list[int]:
        return (
            list(self.instance.channel_names.values_list("channel_id", flat=True)) if self.instance.pk else []
        )


class NamesInline(ReadOnlyTabularInline):
    model = CampaignChannel
    fields = ("channel", "name_shown", "version_shown", "deployed_at")
    readonly_fields = fields
    show_change_link = False
    verbose_name_plural = _("Governed names")
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("channel", "convention")

    @admin.display(description=_("Governed name"))
    def name_shown(self, row: CampaignChannel) -> Any:
        return mono(row.governed_name)

    @admin.display(description=_("Convention"))
    def version_shown(self, row: CampaignChannel) -> str:
        return f"v{row.convention.number}"


@admin.register(Campaign)
class CampaignAdmin(CampaignBulk, SavedViews, GovernedAdmin):
    views_page = "campaigns"
    help_texts: ClassVar[dict[str, Any]] = {
        "brand": _("Whose campaign it is. Its code stands in the governed names."),
        "market": _("Where it runs. Its code stands in the governed names."),
    }
    form = CampaignForm
    list_display = (
        "name",
        "brand_code",
        "market_code",
        "status_badge",
        "tickets_now",
        "objective",
        "budget_shown",
        "flight_shown",
        "owner",
    )
    list_filter = (*related("brand", "market", "owner"), "status", "objective", ("start_on", RangeDateFilter))
    search_fields = ("name", "brand__code", "brand__name", "market__code", "channel_names__governed_name")
    list_select_related = ("brand", "market", "owner")
    autocomplete_fields = ("brand", "market", "owner")
    ordering = ("-id",)
    inlines = (NamesInline,)
    readonly_fields = ("status",)
    shown_as: ClassVar[dict[str, str]] = {"budget": "budget_shown"}
    fieldsets = (
        (None, {"fields": ("name", "brand", "market", "objective", "owner", "status")}),
        (_("Where it runs"), {"fields": ("on_channels",)}),
        (_("Budget"), {"fields": ("budget", "currency", "budget_type")}),
        (_("Flight"), {"fields": ("start_on", "end_on")}),
    )

    def export_choices(self, request: HttpRequest) -> list[Choice]:
        related, names = ("brand", "market", "owner"), ("channel_names__channel",)
        table = Choice("table", _("To change and import again"), sheet_fields(), related, names)
        return [table, *super().export_choices(request)]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": request.user.pk, **super().get_changeform_initial_data(request)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        columns = [
            name for _title, options in self.fieldsets for name in options["fields"] if name != "on_channels"
        ]
        made = super().get_form(request, obj, change=change, **{**kwargs, "fields": columns})
        if obj is not None and not self.has_change_permission(request, obj):
            made.base_fields.pop("on_channels")
        return made

    def get_inlines(self, request: HttpRequest, obj: Any) -> tuple[Any, ...]:
        return self.inlines if obj else ()

    def write(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        save_campaign(campaign=obj, channels=form.cleaned_data["on_channels"])

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, set[Any], Any]:
        """A campaign's names go with it; a campaign that has a ticket is protected by it."""
        listed, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return listed, counts, lacking - {CampaignChannel._meta.verbose_name}, protected

    @admin.display(description=_("Channels"))
    def on_channels(self, row: Campaign) -> str:
        return ", ".join(each.code for each in row.channels.all()) or EMPTY

    @admin.display(description=_("Brand"), ordering="brand__code")
    def brand_code(self, row: Campaign) -> str:
        return row.brand.code

    @admin.display(description=_("Market"), ordering="market__code")
    def market_code(self, row: Campaign) -> str:
        return row.market.code

    @display(description=_("Status"), ordering="status", label=STATUS_BADGES)
    def status_badge(self, row: Campaign) -> tuple[str, str]:
        return row.status, row.get_status_display()

    @admin.display(description=_("Budget"), ordering="budget")
    def budget_shown(self, row: Campaign) -> str:
        return f"{money.shown(row.budget, row.currency)} · {row.get_budget_type_display()}"

    @admin.display(description=_("Flight"), ordering="start_on")
    def flight_shown(self, row: Campaign) -> str:
        return flight(row)


@admin.register(CampaignChannel)
class CampaignChannelAdmin(LedgerAdmin):
    empty_hint = _("Names are built when a campaign is saved with its channels.")
    list_display = ("governed_name", "campaign_link", "channel", "version_shown", "deployed_at")
    list_filter = (*related("channel", "convention"), "deployed_at")
    search_fields = ("governed_name", "campaign__name")
    list_select_related = ("campaign", "channel", "convention")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("governed_name", "campaign", "channel", "convention", "parts", "deployed_at")}),
    )

    @admin.display(description=_("Campaign"), ordering="campaign__name")
    def campaign_link(self, row: CampaignChannel) -> Any:
        return admin_link(row.campaign)

    @admin.display(description=_("Convention"), ordering="convention__number")
    def version_shown(self, row: CampaignChannel) -> str:
        return f"v{row.convention.number}"
