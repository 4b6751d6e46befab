"""Traffic: tickets with their ad sets and ads, plans, approvals, and what platforms hold."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.dataclasses import UnfoldAction
from unfold.decorators import display

from campaigns.admin import flight
from governance import money
from governance.admin_base import (
    EMPTY,
    GovernedAdmin,
    GovernedStackedInline,
    GovernedTabularInline,
    LedgerAdmin,
    admin_link,
    as_boxes,
    as_list,
    is_list,
    mono,
    related,
)
from trafficking import (
    admin_media,  # noqa: F401  (registers the media library)
    admin_plans,  # noqa: F401  (registers the media plans)
    admin_rules,  # noqa: F401  (registers the approval rules)
    panels,
)
from trafficking.admin_bulk import BulkChange
from trafficking.admin_fields import KeywordsField, SpecialCategoriesField
from trafficking.admin_following import FollowingTicket
from trafficking.models import Ad, AdSet, Approval, Plan, PlatformObject, Ticket
from trafficking.panels import Order, Outcome, TicketAction
from trafficking.plan_view import ad_set_lines, plan_context
from trafficking.services import current_plan

STATUS_BADGES = {
    "DRAFT": "info", "QA_TESTING": "info", "QA_FAILED": "danger", "READY_FOR_API": "warning", "APPROVED": "primary",
    "QUEUED": "info", "DEPLOYING": "info", "IN_DOUBT": "warning", "TRAFFICKED_SUCCESS": "success", "FAILED": "danger",
    "CANCELLED": "danger",
}  # fmt: skip
REQUEST_BADGES = {"CREATE": "primary", "ACTIVATE": "success", "ARCHIVE": "danger"}
REQUEST_WORDS = {
    "CREATE": _("Build"), "UPDATE": _("Change"), "ADD": _("Add"), "PAUSE": _("Pause"), "ACTIVATE": _("Activate"),
    "ARCHIVE": _("Archive"), "RENAME": _("Rename"),
}  # fmt: skip
REVIEW_BADGES = {"PENDING": "warning", "APPROVED": "success", "LIMITED": "warning", "REJECTED": "danger"}
#: More at once can't be read, and a plan that is not read is not approved.
MOST_AT_ONCE = 50


class PartOfTicket:
    """Pages of rows that a ticket owns: read-only once the ticket is a fact."""

    def ticket_of(self, obj: Any) -> Ticket:
        return obj.owning_ticket()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # a form that was opened in time is told in words when it comes back too late
        shown_only = request.method == "GET" and getattr(obj, "pk", None) and not self.ticket_of(obj).editable
        return super().has_change_permission(request, obj) and not shown_only  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        owned = getattr(obj, "pk", None)
        return super().has_delete_permission(request, obj) and not (
            owned and not self.ticket_of(obj).editable
        )  # type: ignore[misc]


class NamedPart(PartOfTicket):
    """An ad set or ad: saving it again also mends a name that another convention or code has made stale."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # validating the form has built the name anew on `obj`
        stale = change and not type(obj).objects.filter(pk=obj.pk, governed_name=obj.governed_name).exists()
        if stale:
            self.write(request, obj, form, change)  # type: ignore[attr-defined]
            return
        super().save_model(request, obj, form, change)  # type: ignore[misc]


# ------------------------------------------------------------------------------------------- tickets


class AdSetInline(GovernedTabularInline):
    model = AdSet
    fields = ("name", "goal", "budget", "budget_type", "position", "more")
    readonly_fields = ("more", "budget_read")
    verbose_name_plural = _("Ad sets")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None or (self.has_change_permission(request, obj) and obj.editable):
            return self.fields
        return tuple("budget_read" if name == "budget" else name for name in self.fields)

    @admin.display(description=_("budget"))
    def budget_read(self, row: AdSet) -> str:
        return money.shown(row.budget, row.ticket.ad_account.currency) or EMPTY

    @admin.display(description=_("Targeting and ads"))
    def more(self, row: AdSet) -> SafeString | str:
        return admin_link(row, gettext("Open")) if row.pk else gettext("Save first")


@admin.register(Ticket)
class TicketAdmin(BulkChange, FollowingTicket, PartOfTicket, GovernedAdmin):
    help_texts: ClassVar[dict[str, Any]] = {
        "campaign": _("What the ticket builds, or a part of it: one ticket a channel."),
        "channel": _("One of the campaign's channels."),
        "request_type": _(
            "Create: everything is built new, and paused. The others follow a ticket that is built."
        ),
        "budget_type": _("Lifetime: for the whole flight. Daily: each day."),
        "owner": _("Who answers questions about it."),
    }
    list_display = (
        "name_shown", "request_badge", "status_badge", "brand_code", "market_code", "flight_shown", "budget_shown", "findings_shown",
        "external_shown", "owner",
    )  # fmt: skip
    list_filter = (
        "status", "request_type", *related("campaign", "channel", "ad_account", "owner"), "channel__platform", ("start_on", RangeDateFilter)
    )  # fmt: skip
    search_fields = (
        "campaign__name",
        "campaign__brand__code",
        "campaign__market__code",
        "channel__code",
        "external_id",
    )
    list_select_related = ("campaign__brand", "campaign__market", "channel", "ad_account", "owner")
    autocomplete_fields = ("campaign", "channel", "ad_account", "owner")
    date_hierarchy = "start_on"
    ordering = ("-id",)
    inlines = (AdSetInline,)
    readonly_fields = ("name_governed", "external_id")
    empty_hint = _("Import a media plan, or add a ticket on a campaign's page.")
    shown_as: ClassVar[dict[str, str]] = {
        "budget": "budget_read", "bid_amount": "bid_read", "special_ad_categories": "special_read",
        "special_ad_category_countries": "special_countries_read",
    }  # fmt: skip
    change_form_outer_before_template = "trafficking/admin/ticket_top.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "campaign",
                    "channel",
                    "ad_account",
                    "request_type",
                    "owner",
                    "name_governed",
                    "external_id",
                )
            },
        ),
        (_("Flight"), {"fields": ("start_on", "end_on")}),
        (
            _("Budget and bid"),
            {"fields": ("budget_level", "budget", "budget_type", "bid_strategy", "bid_amount")},
        ),
        (
            _("Declarations"),
            {"fields": ("special_ad_categories", "special_ad_category_countries", "political")},
        ),
        (_("Platform settings"), {"fields": ("payload_config",), "classes": ["collapse"]}),
    )

    # --- list and form

    def ticket_of(self, obj: Ticket) -> Ticket:
        return obj

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        if not is_list(request):
            return rows.select_related(*self.list_select_related)
        budgets = AdSet.objects.only("ticket_id", "budget", "budget_type")
        return rows.prefetch_related(Prefetch("ad_sets", queryset=budgets.order_by("position")))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": request.user.pk, **super().get_changeform_initial_data(request)}

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "special_ad_categories":
            text = _("A person states them. Nothing ticked means that nobody has yet, and QA will ask.")
            return SpecialCategoriesField(label=capfirst(db_field.verbose_name), help_text=text)
        if db_field.name == "special_ad_category_countries":
            return as_list(db_field, ",", _("ISO codes with commas between: US, CA. Needed with a category."))
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("Ticket"), ordering="campaign__name")
    def name_shown(self, row: Ticket) -> str:
        return str(row).replace(" ·", "\u00a0·")  # a narrow column does not begin a line with the dot

    @admin.display(description=_("Governed name"))
    def name_governed(self, row: Ticket) -> SafeString | str:
        return mono(row.governed_name) if row.pk else EMPTY

    @display(description=_("Request"), ordering="request_type", label=REQUEST_BADGES)
    def request_badge(self, row: Ticket) -> tuple[str, str]:
        return row.request_type, str(REQUEST_WORDS[row.request_type])

    @display(description=_("Status"), ordering="status", label=STATUS_BADGES)
    def status_badge(self, row: Ticket) -> tuple[str, str]:
        return row.status, row.get_status_display()

    @admin.display(description=_("Brand"), ordering="campaign__brand__code")
    def brand_code(self, row: Ticket) -> str:
        return row.campaign.brand.code

    @admin.display(description=_("Market"), ordering="campaign__market__code")
    def market_code(self, row: Ticket) -> str:
        return row.campaign.market.code

    @admin.display(description=_("Flight"), ordering="start_on")
    def flight_shown(self, row: Ticket) -> str:
        return flight(row)

    @admin.display(description=_("Budget"))
    def budget_shown(self, row: Ticket) -> str:
        return ticket_budget(row)

    @admin.display(description=_("campaign budget"))
    def budget_read(self, row: Ticket) -> str:
        return money.shown(row.budget, row.ad_account.currency) or EMPTY

    @admin.display(description=_("bid"))
    def bid_read(self, row: Ticket) -> str:
        return bid(row, row.ad_account.currency)

    @admin.display(description=_("special ad categories"))
    def special_read(self, row: Ticket) -> str:
        if row.special_ad_categories is None:
            return gettext("Not stated yet")
        labels = dict(Ticket.SpecialCategory.choices)
        return ", ".join(str(labels[each]) for each in row.special_ad_categories) or gettext("None of these")

    @admin.display(description=_("special category countries"))
    def special_countries_read(self, row: Ticket) -> str:
        return ", ".join(row.special_ad_category_countries) or EMPTY

    @display(description=_("Findings"), label={"block": "danger", "warn": "warning"})
    def findings_shown(self, row: Ticket) -> Any:
        blocks = sum(each.get("severity") == "block" for each in row.findings)
        if blocks:
            return "block", str(blocks)
        return ("warn", str(len(row.findings))) if row.findings else None

    @admin.display(description=_("Platform id"), ordering="external_id")
    def external_shown(self, row: Ticket) -> SafeString | str:
        return mono(row.external_id)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        row = self.get_object(request, object_id) if object_id else None
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "ticket": row})

    # --- actions: registered ones, each behind a page that says what will happen

    @property
    def actions_detail(self) -> list[Any]:
        known = panels.actions()
        aside = {
            "title": _("More"),
            "icon": "more_horiz",
            "items": [each.name for each in known if each.aside],
        }
        return [*(each.name for each in known if not each.aside), aside]

    def get_unfold_action(self, action: str) -> UnfoldAction:
        known = panels.action(action)
        return UnfoldAction(
            action_name=f"trafficking_ticket_{known.name}", method=_page_of(self, known), description=known.label,
            path=known.path, attrs={}, icon=known.icon, variant=known.variant,
        )  # fmt: skip

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        row = self.get_object(request, str(object_id))
        offered = panels.actions_for(request.user, row) if row else []
        return [self.get_unfold_action(each.name) for each in offered]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        own = super().get_actions(request)
        at_once = [each for each in panels.actions() if each.form is None]
        offered = [each for each in at_once if request.user.has_perm(each.permission)]
        return own | {f"do_{each.name}": (_bulk(each), f"do_{each.name}", each.label) for each in offered}

    def get_urls(self) -> list[URLPattern]:
        bulk = self.admin_site.admin_view(self.do_many)
        return [path("do/<slug:name>/", bulk, name="trafficking_ticket_do"), *super().get_urls()]

    def do_one(self, request: HttpRequest, object_id: str, action: TicketAction) -> HttpResponse:
        row = self.row_or_404(request, object_id)
        return self.do(request, action, [row], back=self.page("change", row.pk))

    def do_many(self, request: HttpRequest, name: str) -> HttpResponse:
        chosen = [pk for pk in request.POST.getlist("ticket") if pk.isdecimal() and len(pk) < 19][
            :MOST_AT_ONCE
        ]
        rows = list(self.get_queryset(request).filter(pk__in=chosen))
        known = next((each for each in panels.actions() if each.name == name), None)
        if known is None or known.form is not None or not rows:
            return HttpResponseRedirect(self.page("changelist"))
        return self.do(request, known, rows, back=self.page("changelist"))

    def do(
        self, request: HttpRequest, action: TicketAction, rows: list[Ticket], *, back: str
    ) -> HttpResponse:
        """Ask on a page first; on its confirmation run the action on each ticket and tell how each went."""
        if not request.user.has_perm(action.permission):
            raise PermissionDenied
        comment = request.POST.get("comment", "").strip()
        lacking = action.comment == "required" and not comment
        confirmed = "confirmed" in request.POST
        form = action.form(rows[0], request.POST if confirmed else None) if action.form else None
        if not confirmed or lacking or (form is not None and not form.is_valid()):
            return self.ask(request, action, rows, back=back, lacking=lacking and confirmed, form=form)
        values = form.cleaned_data if form is not None else {}
        led_to = None
        for row in rows:
            digest = request.POST.get(f"digest-{row.pk}", "")
            order = Order(ticket=row, by=request.user, digest=digest, comment=comment, values=values)
            outcome = carry_out(request, action, order)
            led_to = outcome.ticket if outcome is not None else None
        return HttpResponseRedirect(self.page("change", led_to.pk) if led_to is not None else back)

    def ask(
        self,
        request: HttpRequest,
        action: TicketAction,
        rows: list[Ticket],
        *,
        back: str,
        lacking: bool = False,
        form: Any = None,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": action.label, "action": action,
            "back": back, "lacking": lacking, "target": self.page("do", action.name) if len(rows) > 1 else "",
            "original": rows[0] if len(rows) == 1 else None, "form": form,
            "cards": [
                {"ticket": row, "budget": ticket_budget(row), "flight": flight(row),
                 "plan": plan_context(current_plan(row)) if action.shows_plan else None, "current": True,
                 "ad_sets": ad_set_lines(row) if action.shows_plan else [],
                 "fits": row.status in action.statuses and action.fits(row)}
                for row in rows
            ],
        }  # fmt: skip
        return TemplateResponse(request, "trafficking/admin/act.html", context)


def _page_of(page: TicketAdmin, action: TicketAction) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, object_id: str) -> HttpResponse:
        return page.do_one(request, object_id, action)

    view.attrs = {}  # type: ignore[attr-defined]
    return view


def _bulk(action: TicketAction) -> Callable[..., HttpResponse | None]:
    def chosen(page: TicketAdmin, request: HttpRequest, queryset: QuerySet[Ticket]) -> HttpResponse | None:
        rows = list(queryset.select_related(*page.list_select_related)[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            messages.error(
                request, gettext("Choose at most %(most)s tickets at once.") % {"most": MOST_AT_ONCE}
            )
            return None
        if len(rows) == 1:
            return HttpResponseRedirect(page.page(action.name, rows[0].pk))
        return page.ask(request, action, rows, back=page.page("changelist"))

    return chosen


def carry_out(request: HttpRequest, action: TicketAction, order: Order) -> Outcome | None:
    """Run one action and tell the person, whatever comes of it; None where it was refused."""
    try:
        outcome = action.run(order)
    except PermissionDenied:
        messages.error(request, f"{order.ticket}: {gettext('You may not do that with this ticket.')}")
    except ValidationError as refused:
        for text in refused.messages:
            messages.error(request, f"{order.ticket}: {text}")
    else:
        messages.add_message(request, outcome.level, f"{order.ticket}: {outcome.text}")
        return outcome
    return None


def bid(row: Ticket | AdSet, currency: str) -> str:
    """A cap in the account's currency; for ROAS the ratio."""
    if row.bid_amount is None:
        return EMPTY
    return (
        money.plain(row.bid_amount)
        if row.bid_strategy == "TARGET_ROAS"
        else money.shown(row.bid_amount, currency)
    )


def ticket_budget(ticket: Ticket) -> str:
    """What the ticket may spend, in the person's format: "$1,500.00 · Lifetime"."""
    if ticket.budget_level == Ticket.BudgetLevel.CAMPAIGN:
        amounts = [(ticket.get_budget_type_display(), ticket.budget)]
    else:
        amounts = [(each.get_budget_type_display(), each.budget) for each in ticket.ad_sets.all()]
    totals: dict[str, Decimal] = {}
    for kind, amount in amounts:
        if amount is not None:
            totals[str(kind)] = totals.get(str(kind), Decimal(0)) + amount
    currency = ticket.ad_account.currency
    return " + ".join(f"{money.shown(total, currency)} · {kind}" for kind, total in totals.items()) or EMPTY


# ----------------------------------------------------------------------------------- ad sets and ads


class AdFields:
    """The lists of an ad as lines of text."""

    help_texts: ClassVar[dict[str, Any]] = {
        "ad_set": _("The ad set that it belongs to."),
        "format": _("Not every channel takes every format; QA says which."),
        "call_to_action": _("The words on the button."),
    }

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "landing_page":
            kwargs["assume_scheme"] = "https"
        if db_field.name in ("headlines", "descriptions"):
            return as_list(db_field, help_text=_("One a line."))
        if db_field.name == "display_paths":
            return as_list(db_field, help_text=_("Search ads: at most two, one a line, 15 characters each."))
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
    search_fields = ("name", "governed_name", "external_id")
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
        if db_field.name == "languages":
            return as_list(db_field, ",", _("ISO 639-1 codes with commas between: en, es. Empty: all."))
        if db_field.name in ("audiences_include", "audiences_exclude", "placements"):
            return as_list(db_field)
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
    search_fields = ("name", "governed_name", "external_id", "creative_external_id")
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


# ------------------------------------------------------------------------------------------- ledger


@admin.register(Plan)
class PlanAdmin(LedgerAdmin):
    empty_hint = _("A plan is compiled when a ticket is submitted and passes QA.")
    list_display = (
        "digest_shown",
        "ticket_link",
        "platform",
        "api_version",
        "convention_shown",
        "created_at",
    )
    list_filter = ("platform", ("created_at", RangeDateFilter))
    search_fields = ("digest", "ticket__campaign__name")
    list_select_related = ("ticket__campaign", "ticket__channel", "convention")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    fieldsets = ((None, {"fields": ("ticket", "digest", "platform", "api_version", "convention")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows.defer("operations") if is_list(request) else rows

    @admin.display(description=_("Digest"), ordering="digest")
    def digest_shown(self, row: Plan) -> SafeString | str:
        return mono(row.digest[:12])

    @admin.display(description=_("Ticket"), ordering="ticket")
    def ticket_link(self, row: Plan) -> SafeString | str:
        return admin_link(row.ticket)

    @admin.display(description=_("Convention"), ordering="convention__number")
    def convention_shown(self, row: Plan) -> str:
        return f"v{row.convention.number}"


@admin.register(Approval)
class ApprovalAdmin(LedgerAdmin):
    empty_hint = _("Approvals and rejections stand here once someone has decided on a plan.")
    list_display = ("ticket_link", "decision_badge", "by", "at", "plan_link", "comment")
    list_filter = ("decision", *related("by"), ("at", RangeDateFilter))
    search_fields = ("ticket__campaign__name", "comment", "by__username")
    list_select_related = ("ticket__campaign", "ticket__channel", "by", "plan")
    date_hierarchy = "at"
    ordering = ("-id",)
    fieldsets = ((None, {"fields": ("ticket", "plan", "decision", "by", "at", "comment")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows.defer("plan__operations") if is_list(request) else rows

    @admin.display(description=_("Ticket"), ordering="ticket")
    def ticket_link(self, row: Approval) -> SafeString | str:
        return admin_link(row.ticket)

    @display(
        description=_("Decision"), ordering="decision", label={"APPROVED": "success", "REJECTED": "danger"}
    )
    def decision_badge(self, row: Approval) -> tuple[str, str]:
        return row.decision, row.get_decision_display()

    @admin.display(description=_("Plan"))
    def plan_link(self, row: Approval) -> SafeString | str:
        return admin_link(row.plan)


@admin.register(PlatformObject)
class PlatformObjectAdmin(LedgerAdmin):
    empty_hint = _("What platforms hold stands here after a deployment.")
    list_display = (
        "external_shown", "object_type", "name", "state_badge", "review_badge", "ticket_link", "ad_account", "created_at",
    )  # fmt: skip
    list_filter = ("object_type", "status", "review", *related("ad_account"), ("created_at", RangeDateFilter))
    search_fields = ("external_id", "name", "ticket__campaign__name")
    list_select_related = ("ticket__campaign", "ticket__channel", "ad_account")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("external_id", "object_type", "name", "ticket", "ad_account")}),
        (
            _("As last read"),
            {"fields": ("status", "review", "review_reasons", "delivery", "live_at", "live")},
        ),
        (
            _("Last applied"),
            {"fields": ("ref", "intent", "api_version", "applied_status", "held_back", "applied", "adopted")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return (
            rows.defer("applied", "live", "adopted", "settled", "ad_account__credentials")
            if is_list(request)
            else rows
        )

    @display(
        description=_("Status"),
        ordering="status",
        label={"ACTIVE": "success", "PAUSED": "info", "ARCHIVED": ""},
    )
    def state_badge(self, row: PlatformObject) -> Any:
        return (row.status, row.get_status_display()) if row.status else None

    @display(description=_("Review"), ordering="review", label=REVIEW_BADGES)
    def review_badge(self, row: PlatformObject) -> Any:
        return (row.review, row.get_review_display()) if row.review else None

    @admin.display(description=_("Platform id"), ordering="external_id")
    def external_shown(self, row: PlatformObject) -> SafeString | str:
        return mono(row.external_id)

    @admin.display(description=_("Ticket"), ordering="ticket")
    def ticket_link(self, row: PlatformObject) -> SafeString | str:
        return admin_link(row.ticket)
