"""Writes of the deploy floor: start a deployment, enqueue it, record its end."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from deploy.models import Deployment, Operation
from governance.actor import acting
from governance.models import AdAccount
from trafficking import services as tickets
from trafficking.models import Plan, Ticket
from trafficking.statuses import Status

logger = logging.getLogger(__name__)


class AlreadyDeploying(ValidationError):
    """Somebody was faster; `task_id` is theirs."""

    def __init__(self, running: Deployment) -> None:
        super().__init__(_("It is already being deployed."), code="already_deploying")
        self.task_id = str(running.public_id)


def start_deployment(*, ticket: Ticket, by: Any) -> Deployment:
    """APPROVED (or FAILED, to finish it) -> QUEUED, with the ledger written and the task enqueued on commit.

    Raises PermissionDenied, WrongStatus, StaleVersion, AlreadyDeploying, or ValidationError with findings.
    """
    tickets.require_permission(by, "trafficking.deploy_ticket", ticket)
    running = open_deployment(ticket)
    if running:
        raise AlreadyDeploying(running)
    if ticket.status not in (Status.APPROVED, Status.FAILED):
        raise tickets.WrongStatus(ticket, Status.QUEUED)
    plan = tickets.approved_plan(ticket)
    if plan is None:
        raise ValidationError(_("No second person has approved this plan."), code="not_approved")
    _require_mode(ticket.ad_account)
    with acting(by, reason="deployed"), transaction.atomic():
        tickets.transition(ticket, Status.QUEUED)
        deployment = _write_ledger(ticket, plan, by)
        transaction.on_commit(lambda: enqueue(deployment))
    return deployment


def _require_mode(account: AdAccount) -> None:
    if account.mode == AdAccount.Mode.LIVE and not settings.LIVE_PLATFORMS:
        text = _(
            "%(account)s is a live account, and this installation only calls the sandbox (LIVE_PLATFORMS is off)."
        )
        raise ValidationError(text, code="live_off", params={"account": account.name})


def open_deployment(ticket: Ticket) -> Deployment | None:
    ended = (Deployment.State.SUCCEEDED, Deployment.State.FAILED, Deployment.State.CANCELLED)
    return ticket.deployments.exclude(state__in=ended).first()


def _write_ledger(ticket: Ticket, plan: Plan, by: Any) -> Deployment:
    deployment = Deployment(ticket=ticket, plan=plan, requested_by=by)
    try:
        with transaction.atomic():
            deployment.save()
    except (IntegrityError, ValidationError):
        running = open_deployment(ticket)
        if running is None:
            raise
        raise AlreadyDeploying(running) from None
    done = _done_before(ticket, plan)
    Operation.objects.bulk_create(
        [_intent(deployment, at, each, done.get(each["ref"])) for at, each in enumerate(plan.operations)]
    )
    return deployment


def _done_before(ticket: Ticket, plan: Plan) -> dict[str, Operation]:
    """Calls of earlier runs of the same plan that are done, or may be: they are not made again."""
    earlier = Operation.objects.filter(deployment__ticket=ticket, deployment__plan=plan).order_by("key")
    return {
        each.ref: each
        for each in earlier
        if each.state in (Operation.State.DONE, Operation.State.IN_DOUBT, Operation.State.SENDING)
    }


def _intent(
    deployment: Deployment, position: int, stored: dict[str, Any], before: Operation | None
) -> Operation:
    main = stored["objects"][0] if stored["objects"] else {"name": ""}
    kept = {}
    if before is not None:
        state = Operation.State.DONE if before.state == Operation.State.DONE else Operation.State.IN_DOUBT
        kept = {
            "state": state,
            "external_ids": before.external_ids,
            "attempts": before.attempts,
            "sent_at": before.sent_at,
        }
    return Operation(
        key=Operation.key_of(deployment, stored["ref"]),
        deployment=deployment,
        position=position,
        ref=stored["ref"],
        action=stored["action"],
        object_type=stored["object_type"],
        name=main["name"],
        **kept,
    )


def enqueue(deployment: Deployment, *, countdown: float = 0) -> None:
    """Send the task. A broker that is down loses nothing: the sweeper finds the row."""
    from deploy.tasks import deploy_payload_to_platform

    Deployment.objects.filter(pk=deployment.pk).update(enqueued_at=timezone.now())
    try:
        deploy_payload_to_platform.apply_async(
            args=[str(deployment.ticket.public_id)],
            task_id=str(deployment.public_id),
            countdown=countdown or None,
            retry=False,
        )
    except Exception:
        # kombu raises many kinds for an unreachable broker; the row stands, and the sweeper enqueues it again
        logger.exception("could not enqueue deployment %s", deployment.public_id)


def sweep(*, now: Any = None) -> int:
    """Enqueue every deployment that should be moving and is not; returns how many.

    Due are: queued or waiting ones whose time has come and that no fresh message stands for, and running
    ones whose lease has run out (their worker is dead).
    """
    now = now or timezone.now()
    states = Deployment.State
    stale = now - timedelta(seconds=settings.ENQUEUE_AGAIN_AFTER_S)
    due = Deployment.objects.filter(state__in=[states.QUEUED, states.WAITING]).exclude(
        next_try_at__gt=now
    ).exclude(enqueued_at__gt=stale) | Deployment.objects.filter(state=states.RUNNING, lease_until__lt=now)
    found = list(due.select_related("ticket").order_by("next_try_at", "id")[:500])
    for deployment in found:
        enqueue(deployment)
    return len(found)
