"""Traffic: tickets with their ad sets and ads, plans, approvals, and what platforms hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
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
    GovernedTabularInline,
    admin_link,
    as_list,
    is_list,
    mono,
    related,
)
from governance.admin_views import SavedViews
from trafficking import (
    admin_built_rules,  # noqa: F401  (registers the rule builder)
    admin_ledgers,  # noqa: F401  (registers plans, approvals and what platforms hold)
    admin_media,  # noqa: F401  (registers the media library)
    admin_plans,  # noqa: F401  (registers the media plans)
    admin_rules,  # noqa: F401  (registers the approval rules)
    admin_tree,  # noqa: F401  (registers ad sets and ads)
    panels,
)
from trafficking.admin_builder import BuilderPages
from trafficking.admin_bulk import BulkChange
from trafficking.admin_fields import SpecialCategoriesField
from trafficking.admin_following import FollowingTicket
from trafficking.admin_live import LiveRows, OnAirFilter
from trafficking.admin_parts import (
    REQUEST_BADGES,
    REQUEST_WORDS,
    STATUS_BADGES,
    PartOfTicket,
    bid,
    ticket_budget,
)
from trafficking.admin_waiting import waiting
from trafficking.models import AdSet, Ticket
from trafficking.panels import Order, Outcome, TicketAction
from trafficking.plan_view import ad_set_lines, eyes, next_waiting, plan_context
from trafficking.services import current_plan

#: More at once can't be read, and a plan that is not read is not approved.
MOST_AT_ONCE = 50


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
class TicketAdmin(
    BuilderPages, BulkChange, LiveRows, SavedViews, FollowingTicket, PartOfTicket, GovernedAdmin
):
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
        "name_shown", "request_badge", "status_now", "brand_code", "market_code", "flight_shown", "budget_shown", "findings_shown",
        "external_shown", "owner",
    )  # fmt: skip
    list_filter = (
        "status", OnAirFilter, "request_type", *related("campaign__brand", "campaign__market", "campaign", "channel", "ad_account", "owner"),
        "channel__platform", ("start_on", RangeDateFilter),
    )  # fmt: skip
    views_page = "tickets"
    search_fields = (
        "campaign__name",
        "campaign__brand__code",
        "campaign__market__code",
        "channel__code",
        "external_id",
    )
    list_select_related = ("campaign__brand", "campaign__market", "channel", "ad_account", "owner")
    autocomplete_fields = ("campaign", "channel", "ad_account", "owner")
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
        queue = self.admin_site.admin_view(waiting)
        return [
            path("do/<slug:name>/", bulk, name="trafficking_ticket_do"),
            path("waiting/", queue, name="trafficking_ticket_waiting"),
            *super().get_urls(),
        ]

    def do_one(self, request: HttpRequest, object_id: str, action: TicketAction) -> HttpResponse:
        row = self.row_or_404(request, object_id)
        queued = request.POST.get("from") == "waiting"
        back = self.page("waiting") if queued else self.page("change", row.pk)
        return self.do(request, action, [row], back=back)

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
        if action.shows_plan and len(rows) == 1 and back != self.page("waiting"):
            _offer_next(request, self, rows[0])
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
                 "eyes": _eyes(row, request.user) if action.shows_plan else "",
                 "fits": row.status in action.statuses and action.fits(row)}
                for row in rows
            ],
        }  # fmt: skip
        return TemplateResponse(request, "trafficking/admin/act.html", context)


def _eyes(row: Ticket, user: Any) -> str:
    plan = current_plan(row)
    return eyes(plan, user) if plan is not None and row.status == "READY_FOR_API" else ""


def _offer_next(request: HttpRequest, page: TicketAdmin, decided: Ticket) -> None:
    """After a decision: the next plan that waits for this person, by a link."""
    waiting = next_waiting(decided, request.user)
    if waiting is not None:
        link = page.page("approve", waiting.pk)
        text = format_html('{}: <a class="ot-link" href="{}">{}</a>', gettext("Next waiting"), link, waiting)
        messages.info(request, text)


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
