"""Writes on tickets: status transitions, submission, approval. The only code that moves a status."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from governance.access import reach_of
from governance.actor import acting
from governance.findings import Finding, raise_blocking
from governance.governed import StaleVersion, compare_and_set
from governance.models import NamingConvention
from trafficking import qa
from trafficking.models import Approval, Plan, Ticket
from trafficking.platforms.base import Operation
from trafficking.platforms.registry import platform
from trafficking.renaming import save_names
from trafficking.statuses import EDITABLE, GUARDED, WAYS, Status

#: Sent inside the transaction after a status moved (sender: Ticket; ticket, before, after).
status_moved = Signal()


class WrongStatus(ValidationError):
    """The ticket is not where this can be done."""

    def __init__(self, ticket: Ticket, to: str) -> None:
        super().__init__(
            _("A ticket that is '%(now)s' can't become '%(to)s'."),
            code="wrong_status",
            params={"now": ticket.get_status_display(), "to": Status(to).label},
        )


def transition(ticket: Ticket, to: Status, *, reason: str = "", **values: Any) -> None:
    """Move a status: allowed way, then `clean()` as if it had moved, then compare and set.

    `values` are written with it (findings, digest). Raises WrongStatus, ValidationError with the QA
    findings, or StaleVersion if somebody was faster; then nothing has changed.
    """
    if to not in WAYS[Status(ticket.status)]:
        raise WrongStatus(ticket, to)
    if to in GUARDED and not _finishes(ticket, to):
        moved = copy.copy(ticket)
        for name, value in {**values, "status": to}.items():
            setattr(moved, name, value)
        moved.clean()
    before = ticket.status
    with acting(reason=reason), transaction.atomic(savepoint=False):
        if not compare_and_set(ticket, where={"status": before}, values={**values, "status": to}):
            raise StaleVersion(ticket)
        status_moved.send(Ticket, ticket=ticket, before=before, after=to)


def _finishes(ticket: Ticket, to: Status) -> bool:
    """A change that stopped half-way is finished by the plan that was approved: compiled anew it would be another one,
    since a part of it is done. Whoever starts it (the deploy floor) asks whether anything was sent."""
    changes = ticket.request_type != Ticket.RequestType.CREATE
    return changes and ticket.status == Status.FAILED and to == Status.QUEUED


def refuse_unready(ticket: Ticket) -> None:
    """The whole QA, as before it is queued. Raises ValidationError with the findings."""
    moved = copy.copy(ticket)
    moved.status = Status.QUEUED
    moved.clean()


def require_reach(user: Any, ticket: Ticket) -> None:
    campaign = ticket.campaign
    if not reach_of(user).covers(campaign.brand_id, campaign.market_id):
        raise PermissionDenied


def require_permission(user: Any, permission: str, ticket: Ticket) -> None:
    """`user` may do this, and the ticket's brand and market are theirs."""
    if not user.has_perm(permission):
        raise PermissionDenied
    require_reach(user, ticket)


@contextmanager
def _all_or_nothing(ticket: Ticket) -> Iterator[None]:
    """One transaction; if it fails, the caller's object is as it was, too: no step in between is seen by anyone."""
    before = dict(vars(ticket))
    try:
        with transaction.atomic():
            yield
    except BaseException:
        vars(ticket).update(before)
        raise


#: Reads what the platform has of a ticket's tree and records it; the deploy floor hangs its own in here. Returns why
#: it could not be read, "" if it was.
read_live: Callable[[Ticket], str] = lambda _ticket: ""  # noqa: E731


def submit_ticket(*, ticket: Ticket, by: Any) -> qa.Report:
    """Run QA: the ticket becomes READY_FOR_API with its plan stored, or QA_FAILED with its findings.

    A ticket that changes what is built is planned on what the platform has now, which is read first.
    """
    require_permission(by, "trafficking.change_ticket", ticket)
    changes_built = ticket.request_type != Ticket.RequestType.CREATE and ticket.status in EDITABLE
    if changes_built and (unread := read_live(ticket)):
        raise_blocking([Finding("qa.live_unreadable", params={"reason": unread})], ticket)
    with acting(by, reason="submitted"), _all_or_nothing(ticket):
        return _checked(ticket, by)


def _checked(ticket: Ticket, by: Any) -> qa.Report:
    transition(ticket, Status.QA_TESTING)
    report = qa.check_ticket(ticket)
    found = [finding.as_dict() for finding in report.findings]
    if not report.passed:
        transition(ticket, Status.QA_FAILED, findings=found, digest="", requested_by=by)
        return report
    plan = store_plan(ticket, report)
    _void_earlier_approvals(ticket, plan, by)
    transition(ticket, Status.READY_FOR_API, findings=found, digest=report.digest, requested_by=by)
    if plan.approvers_needed == 0:
        _waive(ticket, plan, by)
    return report


def _void_earlier_approvals(ticket: Ticket, plan: Plan, by: Any) -> None:
    """The same plan submitted again is read and approved again."""
    if approvers(plan):
        Approval(ticket=ticket, plan=plan, decision=Approval.Decision.VOIDED, by=by).save()


def _waive(ticket: Ticket, plan: Plan, by: Any) -> None:
    """A data admin has said that nobody need approve plans of this kind: it shows as such."""
    note = f"{plan.approval_rule}. {plan.approval_rule.note}" if plan.approval_rule else ""
    Approval(ticket=ticket, plan=plan, decision=Approval.Decision.WAIVED, by=by, comment=note).save()
    transition(ticket, Status.APPROVED, reason=note)


def store_plan(ticket: Ticket, report: qa.Report) -> Plan:
    """The plan with this digest, stored once."""
    existing = Plan.objects.filter(ticket=ticket, digest=report.digest).first()
    if existing:
        return existing
    known = platform(report.snapshot.platform)
    convention = NamingConvention.in_force_or_none()
    assert convention is not None  # QA has refused a ticket without one
    plan = Plan(
        ticket=ticket,
        digest=report.digest,
        platform=known.key,
        api_version=known.api_version,
        convention=convention,
        operations=[operation.as_dict() for operation in report.operations],
        changes=[change.as_dict() for change in report.changes],
        basis=report.basis,
        approvers_needed=report.rule.approvers if report.rule else 1,
        approval_rule=report.rule,
    )
    plan.save()
    return plan


def store_operations(
    ticket: Ticket, operations: Sequence[Operation], digest: str, basis: dict[str, Any]
) -> Plan:
    """A plan that rests on no approval, for taking back what was built; stored once."""
    existing = Plan.objects.filter(ticket=ticket, digest=digest).first()
    if existing:
        return existing
    known = platform(ticket.ad_account.platform)
    first = ticket.plans.order_by("-id").select_related("convention").first()
    assert first is not None  # something was built, by a plan
    plan = Plan(
        ticket=ticket, digest=digest, platform=known.key, api_version=known.api_version, convention=first.convention,
        operations=[each.as_dict() for each in operations], basis=basis, approvers_needed=0,
    )  # fmt: skip
    plan.save()
    return plan


def current_plan(ticket: Ticket) -> Plan | None:
    """The plan of the ticket's digest; its long columns are read only where they are needed."""
    plans = ticket.plans.filter(digest=ticket.digest).defer("operations", "changes")
    return plans.first() if ticket.digest else None


def approve_ticket(*, ticket: Ticket, by: Any, digest: str, comment: str = "") -> Approval:
    """A second person approves exactly the plan that they have read (`digest`); with the last approval that its rule
    asks for, the ticket is APPROVED. Whoever has approved it already is refused."""
    require_permission(by, "trafficking.approve_ticket", ticket)
    if ticket.status != Status.READY_FOR_API:
        raise WrongStatus(ticket, Status.APPROVED)
    if digest != ticket.digest:
        text = _("The plan has changed since you read it. Read the new one and approve that.")
        raise ValidationError(text, code="digest_changed")
    with acting(by, reason=comment or "approved"), _all_or_nothing(ticket):
        _refuse_second_time(ticket, by)
        approval = _decide(ticket, by, Approval.Decision.APPROVED, comment)
        if len(approvers(approval.plan)) >= approval.plan.approvers_needed:
            transition(ticket, Status.APPROVED)
    return approval


def _refuse_second_time(ticket: Ticket, by: Any) -> None:
    plan = current_plan(ticket)
    if plan is not None and by.pk in approvers(plan):
        text = _("You have approved it already: it waits for another person.")
        raise ValidationError(text, code="four_eyes")


def approvers(plan: Plan) -> set[int]:
    """Whose approvals of this plan stand: none from before it was rejected or submitted anew, never the requester's."""
    standing: set[int] = set()
    for decision, by_id in plan.approvals.order_by("id").values_list("decision", "by_id"):
        if decision in (Approval.Decision.REJECTED, Approval.Decision.VOIDED):
            standing.clear()
        elif decision == Approval.Decision.APPROVED:
            standing.add(by_id)
    return standing - {plan.ticket.requested_by_id}


def reject_ticket(*, ticket: Ticket, by: Any, comment: str) -> Approval:
    """Send it back with the reason."""
    require_permission(by, "trafficking.approve_ticket", ticket)
    if ticket.status not in (Status.READY_FOR_API, Status.APPROVED):
        raise WrongStatus(ticket, Status.DRAFT)
    if not comment.strip():
        raise ValidationError({"comment": _("Say why, so that it can be mended.")})
    with acting(by, reason=comment), _all_or_nothing(ticket):
        approval = _decide(ticket, by, Approval.Decision.REJECTED, comment)
        transition(ticket, Status.DRAFT, digest="")
    return approval


def _decide(ticket: Ticket, by: Any, decision: str, comment: str) -> Approval:
    plan = current_plan(ticket)
    if plan is None:
        raise WrongStatus(ticket, Status.APPROVED)
    approval = Approval(ticket=ticket, plan=plan, decision=decision, by=by, comment=comment)
    approval.save()
    return approval


def approved_plan(ticket: Ticket) -> Plan | None:
    """The plan of the ticket's digest, if it has the approvals that its rule asks for."""
    plan = current_plan(ticket)
    if plan is None:
        return None
    if plan.approvers_needed == 0:
        waived = plan.approvals.order_by("-id").first()
        return plan if waived is not None and waived.decision == Approval.Decision.WAIVED else None
    return plan if len(approvers(plan)) >= plan.approvers_needed else None


def cancel_ticket(*, ticket: Ticket, by: Any, comment: str = "") -> None:
    """Give it up. Its names stay reserved; once a worker has it, it can't be cancelled."""
    require_permission(by, "trafficking.change_ticket", ticket)
    with acting(by, reason=comment or "cancelled"), _all_or_nothing(ticket):
        transition(ticket, Status.CANCELLED)


def withdraw_ticket(*, ticket: Ticket, by: Any, comment: str = "") -> None:
    """Take it back to DRAFT before it is queued, to be changed. What was checked and approved is void."""
    require_permission(by, "trafficking.change_ticket", ticket)
    if ticket.status not in (Status.QA_FAILED, Status.READY_FOR_API, Status.APPROVED):
        raise WrongStatus(ticket, Status.DRAFT)
    with acting(by, reason=comment or "withdrawn"), _all_or_nothing(ticket):
        transition(ticket, Status.DRAFT, digest="")


def reopen_ticket(*, ticket: Ticket, by: Any) -> None:
    """A ticket that failed before anything was built goes back to DRAFT to be mended."""
    require_permission(by, "trafficking.change_ticket", ticket)
    if ticket.request_type == Ticket.RequestType.CREATE and ticket.platform_objects.exists():
        text = _("Parts of it exist on the platform. Deploy it again to finish it.")
        raise ValidationError(text, code="partly_built")
    with acting(by, reason="reopened"), _all_or_nothing(ticket):
        transition(ticket, Status.DRAFT, digest="")
        # while it stood still its names could not follow a new code or convention
        save_names(ticket)
    ticket.refresh_from_db(fields=["version", "status", "digest", "findings", "updated_at"])
