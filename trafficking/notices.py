"""Who is told of a ticket's approval: those who may give it, and whoever asked for it."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from governance import notices
from governance.findings import Message
from governance.findings import gettext_noop as _
from governance.models import NoticeKind
from trafficking.models import Approval, Ticket
from trafficking.statuses import Status

APPROVE = "trafficking.approve_ticket"
MESSAGES = {
    "notice.approval_asked": Message(
        _("{who} asks for approval of ticket {number}, {name}."), _("Read its plan, then approve or reject it.")
    ),
    "notice.approved": Message(_("Ticket {number}, {name}, is approved."), _("It can be deployed.")),
    "notice.rejected": Message(_("{who} has rejected ticket {number}, {name}: {comment}"), _("Mend it and submit it again.")),
}  # fmt: skip


def tell_of_status(sender: Any, ticket: Ticket, before: str, after: str, **_kwargs: Any) -> None:
    """Receiver of `trafficking.services.status_moved`."""
    from trafficking.services import current_plan

    if after == Status.READY_FOR_API and before == Status.QA_TESTING:
        plan = current_plan(ticket)
        if plan is None or plan.approvers_needed:
            _ask(ticket)
    elif after == Status.APPROVED and before == Status.READY_FOR_API:
        plan = current_plan(ticket)
        if plan is None or plan.approvers_needed:
            tell(ticket, NoticeKind.APPROVED, "notice.approved", requesters(ticket))


def tell_of_decision(sender: Any, instance: Approval, created: bool, **_kwargs: Any) -> None:
    """Receiver of a saved Approval."""
    if created and instance.decision == Approval.Decision.REJECTED:
        who = instance.by.get_full_name() or instance.by.get_username()
        tell(
            instance.ticket, NoticeKind.REJECTED, "notice.rejected", requesters(instance.ticket),
            who=who, comment=instance.comment,
        )  # fmt: skip


def _ask(ticket: Ticket) -> None:
    people = [each for each in notices.holders_of(APPROVE) if each.pk != ticket.requested_by_id]
    asked_by = ticket.requested_by
    who = (asked_by.get_full_name() or asked_by.get_username()) if asked_by else ""
    tell(ticket, NoticeKind.APPROVAL_ASKED, "notice.approval_asked", people, who=who)


def requesters(ticket: Ticket) -> list[Any]:
    """Whoever submitted it, and its owner."""
    return [each for each in (ticket.requested_by, ticket.owner) if each is not None]


def tell(ticket: Ticket, kind: str, code: str, people: Any, **params: Any) -> None:
    """`people` of this ticket's brand and market are told."""
    notices.notify(
        kind=kind, code=code, params={"number": ticket.pk, "name": ticket.governed_name, **params}, people=people,
        brand=ticket.campaign.brand, market=ticket.campaign.market, subject=ticket,
        path=reverse("admin:trafficking_ticket_change", args=[ticket.pk]),
    )  # fmt: skip
