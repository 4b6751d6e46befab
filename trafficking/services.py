"""Writes on tickets: status transitions, submission, approval. The only code that moves a status."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Case, CharField, Value, When
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models import CampaignChannel
from governance.access import reach_of
from governance.actor import acting
from governance.governed import StaleVersion, compare_and_set, write_many
from governance.models import NamingConvention
from trafficking import qa
from trafficking.models import Ad, AdSet, Approval, Plan, PlatformObject, Ticket
from trafficking.platforms.base import Operation
from trafficking.platforms.registry import platform
from trafficking.renaming import save_names
from trafficking.statuses import GUARDED, WAYS, Status

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
    if to in GUARDED:
        moved = copy.copy(ticket)
        for name, value in {**values, "status": to}.items():
            setattr(moved, name, value)
        moved.clean()
    before = ticket.status
    with acting(reason=reason), transaction.atomic(savepoint=False):
        if not compare_and_set(ticket, where={"status": before}, values={**values, "status": to}):
            raise StaleVersion(ticket)
        status_moved.send(Ticket, ticket=ticket, before=before, after=to)


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


def submit_ticket(*, ticket: Ticket, by: Any) -> qa.Report:
    """Run QA: the ticket becomes READY_FOR_API with its plan stored, or QA_FAILED with its findings."""
    require_permission(by, "trafficking.change_ticket", ticket)
    with acting(by, reason="submitted"), _all_or_nothing(ticket):
        return _checked(ticket, by)


def _checked(ticket: Ticket, by: Any) -> qa.Report:
    transition(ticket, Status.QA_TESTING)
    report = qa.check_ticket(ticket)
    found = [finding.as_dict() for finding in report.findings]
    if not report.passed:
        transition(ticket, Status.QA_FAILED, findings=found, digest="", requested_by=by)
        return report
    store_plan(ticket, report)
    transition(ticket, Status.READY_FOR_API, findings=found, digest=report.digest, requested_by=by)
    return report


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
    )
    plan.save()
    return plan


def current_plan(ticket: Ticket) -> Plan | None:
    return ticket.plans.filter(digest=ticket.digest).first() if ticket.digest else None


def approve_ticket(*, ticket: Ticket, by: Any, digest: str, comment: str = "") -> Approval:
    """A second person approves exactly the plan that they have read (`digest`)."""
    require_permission(by, "trafficking.approve_ticket", ticket)
    if ticket.status != Status.READY_FOR_API:
        raise WrongStatus(ticket, Status.APPROVED)
    if digest != ticket.digest:
        text = _("The plan has changed since you read it. Read the new one and approve that.")
        raise ValidationError(text, code="digest_changed")
    with acting(by, reason=comment or "approved"), _all_or_nothing(ticket):
        approval = _decide(ticket, by, Approval.Decision.APPROVED, comment)
        transition(ticket, Status.APPROVED)
    return approval


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
    """The plan of the ticket's digest, if the latest decision on it is an approval by a second person."""
    plan = current_plan(ticket)
    latest = plan.approvals.order_by("-id").first() if plan else None
    if (
        latest is None
        or latest.decision != Approval.Decision.APPROVED
        or latest.by_id == ticket.requested_by_id
    ):
        return None
    return plan


def cancel_ticket(*, ticket: Ticket, by: Any, comment: str = "") -> None:
    """Give it up. Its names stay reserved; once a worker has it, it can't be cancelled."""
    require_permission(by, "trafficking.change_ticket", ticket)
    with acting(by, reason=comment or "cancelled"), _all_or_nothing(ticket):
        transition(ticket, Status.CANCELLED)


def reopen_ticket(*, ticket: Ticket, by: Any) -> None:
    """A ticket that failed before anything was built goes back to DRAFT to be mended."""
    require_permission(by, "trafficking.change_ticket", ticket)
    if ticket.platform_objects.exists():
        text = _("Parts of it exist on the platform. Deploy it again to finish it.")
        raise ValidationError(text, code="partly_built")
    with acting(by, reason="reopened"), _all_or_nothing(ticket):
        transition(ticket, Status.DRAFT, digest="")
        # while it stood still its names could not follow a new code or convention
        save_names(ticket)
    ticket.refresh_from_db(fields=["version", "status", "digest", "findings", "updated_at"])


#: Objects that have a life of their own on a platform; criteria and assets are told by their parents.
HELD_TYPES = frozenset({"campaign", "budget", "ad_set", "creative", "ad"})


def record_objects(
    *, ticket: Ticket, api_version: str, done: Sequence[tuple[Operation, Mapping[str, str]]]
) -> None:
    """Write what a platform made of operations: snapshots of what was applied, and ids on every level.

    `done` pairs each operation with its external ids by ref. What is written already is left alone.
    """
    known = set(ticket.platform_objects.values_list("ref", flat=True))
    fresh = [
        (operation, each, ids[each.ref])
        for operation, ids in done
        for each in operation.objects
        if each.type in HELD_TYPES and each.ref in ids and each.ref not in known
    ]
    write_many(
        [
            PlatformObject(
                ad_account_id=ticket.ad_account_id, ticket=ticket, ref=each.ref, object_type=each.type,
                external_id=external_id, name=each.name, intent=each.intent, api_version=api_version,
                applied={"path": operation.path, "body": operation.body},
            )
            for operation, each, external_id in fresh
        ]
    )  # fmt: skip
    _write_back(ticket, {(each.type, each.intent): external_id for _operation, each, external_id in fresh})


def _write_back(ticket: Ticket, ids: Mapping[tuple[str, str], str]) -> None:
    """Ids on the rows that people look at: one update a level. Budgets have no row of their own."""
    by_type: dict[str, dict[str, str]] = {}
    for (object_type, intent), external_id in ids.items():
        by_type.setdefault(object_type, {})[intent] = external_id
    for external_id in by_type.get("campaign", {}).values():
        _write_campaign_id(ticket, external_id)
    ad_sets, ads = (
        AdSet.objects.filter(ticket=ticket),
        Ad.objects.filter(ad_set__in=ticket.ad_sets.values("pk")),
    )
    for rows, object_type, column in (
        (ad_sets, "ad_set", "external_id"), (ads, "ad", "external_id"), (ads, "creative", "creative_external_id"),
    ):  # fmt: skip
        found = by_type.get(object_type)
        if found:
            whens = [When(intent_id=intent, then=Value(external_id)) for intent, external_id in found.items()]
            rows.filter(intent_id__in=found).update(**{column: Case(*whens, output_field=CharField())})


def _write_campaign_id(ticket: Ticket, external_id: str) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(external_id=external_id)
    ticket.external_id = external_id
    names = CampaignChannel.objects.filter(campaign_id=ticket.campaign_id, channel_id=ticket.channel_id)
    names.filter(deployed_at__isnull=True).update(deployed_at=timezone.now())
