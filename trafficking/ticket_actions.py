"""What people can do to a ticket on this floor: each calls one service. Deploy adds its own."""

from __future__ import annotations

from django.contrib import messages
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from governance.findings import blocking
from trafficking import services
from trafficking.admin_cloning import CLONE
from trafficking.admin_requests import REQUESTS
from trafficking.panels import Order, Outcome, TicketAction, register_action
from trafficking.statuses import Status

S = Status


def _submit(order: Order) -> Outcome:
    report = services.submit_ticket(ticket=order.ticket, by=order.by)
    if report.passed:
        return Outcome(_passed(order))
    count = len(blocking(report.findings))
    text = ngettext(
        "QA failed with %(count)s finding: see the ticket's page.",
        "QA failed with %(count)s findings: see the ticket's page.",
        count,
    )
    return Outcome(text % {"count": count}, messages.WARNING)


def _passed(order: Order) -> str:
    order.ticket.refresh_from_db(fields=["status"])
    if order.ticket.status == S.APPROVED:
        return gettext("QA passed, and a rule says that nobody has to approve it: it can be deployed.")
    return gettext("QA passed: it now waits for the approval of a second person.")


def _approve(order: Order) -> Outcome:
    services.approve_ticket(ticket=order.ticket, by=order.by, digest=order.digest, comment=order.comment)
    order.ticket.refresh_from_db(fields=["status"])
    if order.ticket.status != S.APPROVED:
        return Outcome(gettext("Approved by you: its rule asks for one more person."))
    return Outcome(gettext("Approved: it can be deployed."))


def _reject(order: Order) -> Outcome:
    services.reject_ticket(ticket=order.ticket, by=order.by, comment=order.comment)
    return Outcome(gettext("Rejected: it is a draft again, and your reason stands on its page."))


def _cancel(order: Order) -> Outcome:
    services.cancel_ticket(ticket=order.ticket, by=order.by, comment=order.comment)
    return Outcome(gettext("Cancelled. Its names stay reserved."))


def _withdraw(order: Order) -> Outcome:
    services.withdraw_ticket(ticket=order.ticket, by=order.by, comment=order.comment)
    return Outcome(gettext("It is a draft again: change it and submit it anew."))


def _reopen(order: Order) -> Outcome:
    services.reopen_ticket(ticket=order.ticket, by=order.by)
    return Outcome(gettext("It is a draft again and can be mended."))


ACTIONS = (
    TicketAction(
        name="submit", label=_("Submit"), icon="fact_check", variant=ActionVariant.PRIMARY, run=_submit,
        permission="trafficking.change_ticket", statuses=frozenset({S.DRAFT, S.QA_FAILED}),
        explanation=_("QA checks the ticket and the plan that is compiled from it, and tells everything that it finds."),
    ),
    TicketAction(
        name="approve", label=_("Approve"), icon="verified", variant=ActionVariant.SUCCESS, run=_approve,
        permission="trafficking.approve_ticket", statuses=frozenset({S.READY_FOR_API}), comment="optional", shows_plan=True,
        explanation=_("You approve exactly the plan that you read here. If it changes meanwhile, nothing is approved."),
    ),
    TicketAction(
        name="reject", label=_("Reject"), icon="undo", variant=ActionVariant.WARNING, run=_reject,
        permission="trafficking.approve_ticket", statuses=frozenset({S.READY_FOR_API, S.APPROVED}), comment="required",
        shows_plan=True, explanation=_("It goes back to draft, with your reason."),
    ),
    TicketAction(
        name="withdraw", label=_("Withdraw"), icon="undo", run=_withdraw, aside=True, comment="optional",
        permission="trafficking.change_ticket", statuses=frozenset({S.QA_FAILED, S.READY_FOR_API, S.APPROVED}),
        explanation=_("It goes back to draft, to be changed. An approval that it has is void."),
    ),
    TicketAction(
        name="reopen", label=_("Reopen"), icon="lock_open", run=_reopen,
        permission="trafficking.change_ticket", statuses=frozenset({S.FAILED}),
        explanation=_("For a ticket that failed before anything was built on the platform: it becomes a draft again."),
    ),
    TicketAction(
        name="cancel", label=_("Cancel ticket"), icon="cancel", variant=ActionVariant.DANGER, run=_cancel,
        permission="trafficking.change_ticket",
        statuses=frozenset({S.DRAFT, S.QA_FAILED, S.READY_FOR_API, S.APPROVED, S.QUEUED, S.FAILED}), comment="optional",
        explanation=_("The ticket is given up for good. Its names stay reserved."),
    ),
)  # fmt: skip


def register() -> None:
    for action in (*ACTIONS, *REQUESTS, CLONE):
        register_action(action)
