"""What the pages of tickets, ad sets, ads and ledgers share: badges, amounts, and when a row is still open to change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from governance import money
from governance.admin_base import EMPTY
from trafficking.models import AdSet, Ticket

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
        kept = owned and not self.ticket_of(obj).editable
        return super().has_delete_permission(request, obj) and not kept  # type: ignore[misc]


class NamedPart(PartOfTicket):
    """An ad set or ad: saving it again also mends a name that another convention or code has made stale."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # validating the form has built the name anew on `obj`
        stale = change and not type(obj).objects.filter(pk=obj.pk, governed_name=obj.governed_name).exists()
        if stale:
            self.write(request, obj, form, change)  # type: ignore[attr-defined]
            return
        super().save_model(request, obj, form, change)  # type: ignore[misc]


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
