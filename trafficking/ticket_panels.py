"""Trafficking's own panels: the plan and the approvals on the ticket page, tickets on the campaign page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from governance.panels import Panel, register
from trafficking import panels
from trafficking.models import Plan, Ticket
from trafficking.plan_view import ad_set_lines, plan_context, ticket_plan


def _plan(ticket: Ticket, _request: HttpRequest) -> dict[str, Any] | None:
    plan = ticket_plan(ticket)
    current = plan is not None and plan.digest == ticket.digest
    return {
        "plan": plan_context(plan),
        "current": current,
        "ad_sets": ad_set_lines(ticket) if current else [],
    }


def _approvals(ticket: Ticket, _request: HttpRequest) -> dict[str, Any] | None:
    decisions = list(ticket.approvals.select_related("by", "plan").defer("plan__operations"))
    return {"approvals": decisions} if decisions else None


def _family(ticket: Ticket, request: HttpRequest) -> dict[str, Any] | None:
    """All tickets that speak of the same objects on the platform."""
    rows = Ticket.objects.visible_to(request.user).filter(
        campaign_id=ticket.campaign_id, channel_id=ticket.channel_id
    )
    found = list(rows.select_related("requested_by", "owner", "ad_account").order_by("-id")[:FAMILY_SHOWN])
    return {"tickets": found, "this": ticket} if len(found) > 1 else None


def _whole_plan(plan: Plan, _request: HttpRequest) -> dict[str, Any] | None:
    return {"plan": plan_context(plan), "current": True}


def _tickets(campaign: Any, request: HttpRequest) -> dict[str, Any] | None:
    if not request.user.has_perm("trafficking.view_ticket"):
        return None
    rows = (
        Ticket.objects.visible_to(request.user)
        .filter(campaign=campaign)
        .select_related("campaign", "channel", "ad_account")
    )
    return {"tickets": rows, "campaign": campaign, "may_add": request.user.has_perm("trafficking.add_ticket")}


#: A campaign that runs for years is changed often; all of them are in the list of tickets.
FAMILY_SHOWN = 20


def register_all() -> None:
    panels.register_panel(Panel(_("Plan: what will be sent"), "trafficking/admin/plan.html", _plan, order=10))
    panels.register_panel(Panel(_("Approvals"), "trafficking/admin/approvals.html", _approvals, order=20))
    panels.register_panel(
        Panel(
            _("Tickets of this campaign on this channel"), "trafficking/admin/family.html", _family, order=40
        )
    )
    register("trafficking.plan", Panel(_("Operations"), "trafficking/admin/plan.html", _whole_plan))
    register("campaigns.campaign", Panel(_("Tickets"), "trafficking/admin/campaign_tickets.html", _tickets))
