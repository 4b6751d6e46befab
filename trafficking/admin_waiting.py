"""What waits for a person's approval, on one page: each plan in short, and the decision beside it.

The decision itself is that of the ticket's page: the same action, bound to the digest that stands here.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from trafficking import desk
from trafficking.admin_following import scope_names
from trafficking.change_lines import changed_objects, spending_words
from trafficking.models import Approval, Plan, Ticket
from trafficking.plan_view import summary
from trafficking.platforms.registry import platform

#: Decided in one sitting; each card reads a few rows of its own.
PER_PAGE = 10
#: Changed fields that a card shows; the plan shows all.
MOST_CHANGES = 6


@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """The oldest first: what has waited longest is decided first."""
    if not request.user.has_perm("trafficking.approve_ticket"):
        raise PermissionDenied
    rows = desk.awaiting(request.user).order_by("pk").select_related(
        "campaign__brand", "campaign__market", "channel", "ad_account", "requested_by", "owner"
    )  # fmt: skip
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        **admin.site.each_context(request), "title": gettext("Waiting for my approval"), "page": page,
        "cards": cards(list(page.object_list)),
    }  # fmt: skip
    return TemplateResponse(request, "trafficking/admin/waiting.html", context)


def cards(tickets: list[Ticket]) -> list[dict[str, Any]]:
    """What is known of each plan in ten seconds' reading; tickets whose plan is gone are left out."""
    plans = {
        (plan.ticket_id, plan.digest): plan
        for plan in Plan.objects.filter(ticket__in=tickets, digest__in=[each.digest for each in tickets])
        .select_related("approval_rule")
        .prefetch_related(Prefetch("approvals", Approval.objects.select_related("by").order_by("id")))
    }
    return [
        _card(ticket, plan)
        for ticket in tickets
        if (plan := plans.get((ticket.pk, ticket.digest))) is not None
    ]


def _card(ticket: Ticket, plan: Plan) -> dict[str, Any]:
    plan.ticket = ticket
    changed = changed_objects(plan.changes, platform(plan.platform), ticket.ad_account)
    lines = [(each.name, line) for each in changed for line in each.lines]
    findings = ticket.all_findings
    return {
        "ticket": ticket, "plan": plan, "summary": summary(plan, ticket), "findings": findings[:MOST_CHANGES],
        "more_findings": max(len(findings) - MOST_CHANGES, 0), "changed": lines[:MOST_CHANGES],
        "more_changed": max(len(lines) - MOST_CHANGES, 0), "spending": spending_words(ticket),
        "scope": scope_names(ticket) if ticket.request_type not in Ticket.CONTENT else [],
        "needed": plan.approvers_needed, "given": given(plan),
        "approve": _page("approve", ticket), "reject": _page("reject", ticket),
    }  # fmt: skip


def given(plan: Plan) -> list[str]:
    """Whose approvals of it stand, from rows already read; the rule is `services.approvers`."""
    standing: dict[int, str] = {}
    for each in plan.approvals.all():
        if each.decision in (Approval.Decision.REJECTED, Approval.Decision.VOIDED):
            standing.clear()
        elif each.decision == Approval.Decision.APPROVED:
            standing[each.by_id] = str(each.by)
    return sorted(name for by, name in standing.items() if by != plan.ticket.requested_by_id)


def _page(action: str, ticket: Ticket) -> str:
    return reverse(f"admin:trafficking_ticket_{action}", args=[ticket.pk])
