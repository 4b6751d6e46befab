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


def register_all() -> None:
    panels.register_panel(Panel(_("Plan: what will be sent"), "trafficking/admin/plan.html", _plan, order=10))
    panels.register_panel(Panel(_("Approvals"), "trafficking/admin/approvals.html", _approvals, order=20))
    register("trafficking.plan", Panel(_("Operations"), "trafficking/admin/plan.html", _whole_plan))
    register("campaigns.campaign", Panel(_("Tickets"), "trafficking/admin/campaign_tickets.html", _tickets))
