"""What the desk tells of tickets. Each read is one query over few rows: open statuses are few, lists are cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef, Prefetch, QuerySet

from trafficking.models import AdSet, Approval, Ticket
from trafficking.statuses import Status

#: What is counted exactly; beyond it a count reads "100+".
MOST = 100
#: QA failures that are looked through for their rules, and tickets whose budgets are added up: the newest.
LATEST = 300

OPEN = (
    Status.DRAFT, Status.QA_TESTING, Status.QA_FAILED, Status.READY_FOR_API, Status.APPROVED, Status.QUEUED, Status.DEPLOYING,
    Status.IN_DOUBT, Status.FAILED,
)  # fmt: skip
_SHOWN = ("campaign__brand", "campaign__market", "channel", "requested_by")


def my_open(user: Any) -> QuerySet[Ticket]:
    """Tickets that the person owns and that are not at their end, the last changed first."""
    return _listed(Ticket.objects.visible_to(user).filter(owner=user, status__in=OPEN))


def awaiting(user: Any) -> QuerySet[Ticket]:
    """Plans that this person may decide on: within their reach, not their own request, not approved by them already."""
    decided = Approval.objects.filter(
        plan__ticket=OuterRef("pk"),
        plan__digest=OuterRef("digest"),
        by=user,
        decision=Approval.Decision.APPROVED,
    )
    waiting = Ticket.objects.visible_to(user).filter(status=Status.READY_FOR_API)
    return _listed(waiting.exclude(requested_by=user).exclude(Exists(decided)))


def troubled(user: Any) -> QuerySet[Ticket]:
    """Failed, or in doubt: somebody must act."""
    return _listed(Ticket.objects.visible_to(user).filter(status__in=[Status.FAILED, Status.IN_DOUBT]))


def _listed(rows: QuerySet[Ticket]) -> QuerySet[Ticket]:
    return rows.select_related(*_SHOWN).defer("findings", "payload_config", "budget_source").order_by("-id")


def by_status(user: Any) -> dict[str, int]:
    """How many open tickets stand in each status."""
    rows = Ticket.objects.visible_to(user).filter(status__in=OPEN).order_by()
    return dict(rows.values_list("status").annotate(Count("pk")))


def failures_by_rule(user: Any) -> list[tuple[str, int]]:
    """(finding code, tickets) of the latest tickets that QA has failed, the most frequent first."""
    rows = Ticket.objects.visible_to(user).filter(status=Status.QA_FAILED).order_by("-id")
    counted: Counter[str] = Counter()
    for findings in rows.values_list("findings", flat=True)[:LATEST]:
        counted.update({each["code"] for each in findings if each.get("severity") == "block"})
    return counted.most_common(6)


def budgets(user: Any, tickets: Iterable[int]) -> dict[str, Decimal]:
    """Currency -> what these tickets may spend in all; a daily budget counts for each day of its flight."""
    sets = AdSet.objects.only("ticket_id", "budget", "budget_type", "start_on", "end_on")
    rows = Ticket.objects.visible_to(user).filter(pk__in=list(tickets)[:LATEST]).select_related("ad_account")
    rows = rows.only("budget", "budget_type", "budget_level", "start_on", "end_on", "ad_account__currency")
    totals: dict[str, Decimal] = {}
    for ticket in rows.prefetch_related(Prefetch("ad_sets", queryset=sets)):
        currency = ticket.ad_account.currency
        totals[currency] = totals.get(currency, Decimal(0)) + _whole(ticket)
    return totals


def _whole(ticket: Ticket) -> Decimal:
    if ticket.budget_level == Ticket.BudgetLevel.CAMPAIGN:
        return _over_flight(ticket, ticket)
    return sum((_over_flight(each, ticket) for each in ticket.ad_sets.all()), Decimal(0))


def _over_flight(row: Ticket | AdSet, ticket: Ticket) -> Decimal:
    if row.budget is None:
        return Decimal(0)
    if row.budget_type != "DAILY":
        return row.budget
    start, end = row.start_on or ticket.start_on, row.end_on or ticket.end_on
    return row.budget * max((end - start).days + 1, 1)


def cut(rows: Sequence[Any]) -> tuple[list[Any], str]:
    """The first few to show, and how many there are: "7", "100+"."""
    return list(rows[:8]), f"{MOST}+" if len(rows) > MOST else str(len(rows))
