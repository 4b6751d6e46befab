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

from deploy import dispatch
from deploy.models import Deployment, Operation
from governance.actor import acting
from governance.governed import StaleVersion, compare_and_set
from governance.models import AdAccount
from trafficking import held
from trafficking import services as tickets
from trafficking.models import Plan, Ticket
from trafficking.platforms.base import plan_digest
from trafficking.platforms.changes import tree_order
from trafficking.platforms.registry import platform
from trafficking.snapshots import account_snapshot
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
    _require_moment(ticket)
    if ticket.status == Status.FAILED and not _sent_before(ticket, plan):
        tickets.refuse_unready(ticket)
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


def _sent_before(ticket: Ticket, plan: Plan) -> bool:
    """Whether any call of this plan may have landed."""
    rows = Operation.objects.filter(deployment__ticket=ticket, deployment__plan=plan)
    return rows.filter(state__in=[*_UNCLEAR, Operation.State.DONE]).exists()


def _require_moment(ticket: Ticket) -> None:
    """What was authorised for a moment is not switched on at another."""
    if ticket.go_live_at and ticket.status == Status.APPROVED and ticket.go_live_at < timezone.now():
        text = _("Its moment of going live has passed. Choose another one, and have that approved.")
        raise ValidationError({"go_live_at": text}, code="go_live_past")


def compensate(*, ticket: Ticket, by: Any, comment: str) -> Deployment:
    """Take back what a failed ticket has built: everything is archived in reverse order, and the ticket cancelled.

    Needs no approval, because it only takes away what this ticket made and what has never run. Raises PermissionDenied,
    or ValidationError where there is nothing to take back, something has run, or a call's end is still unclear.
    """
    tickets.require_permission(by, "trafficking.deploy_ticket", ticket)
    if not comment.strip():
        raise ValidationError({"comment": _("Say why it is taken back.")})
    if ticket.status != Status.FAILED or ticket.request_type != Ticket.RequestType.CREATE:
        raise ValidationError(_("Only a build that failed can be taken back."), code="wrong_status")
    if running := open_deployment(ticket):
        raise AlreadyDeploying(running)
    if Operation.objects.filter(deployment__ticket=ticket, state__in=_UNCLEAR).exists():
        text = _(
            "A call of it may have landed: deploy it again, so that it is looked for, then take it back."
        )
        raise ValidationError(text, code="in_doubt")
    with acting(by, reason=comment), transaction.atomic():
        plan = _plan_of_taking_back(ticket)
        deployment = _write_ledger(ticket, plan, by, kind=Deployment.Kind.COMPENSATE)
        transaction.on_commit(lambda: enqueue(deployment))
    return deployment


_UNCLEAR = (Operation.State.IN_DOUBT, Operation.State.SENDING)


def _plan_of_taking_back(ticket: Ticket) -> Plan:
    objects = [each for each in held.held_of(ticket) if each.type in ("campaign", "ad_set", "ad")]
    if not objects:
        raise ValidationError(_("Nothing of it is on the platform: cancel it."), code="nothing_built")
    if ticket.tree_objects().filter(ever_active=True).exists():
        raise ValidationError(_("Parts of it have run: make an ARCHIVE ticket."), code="has_run")
    known = platform(ticket.ad_account.platform)
    account = account_snapshot(ticket.ad_account)
    operations = [known.status_operation(account, each, "ARCHIVED") for each in reversed(tree_order(objects))]
    basis = {"compensates": str(ticket.public_id)}
    digest = plan_digest(known.key, known.api_version, account.external_id, operations, basis)
    return tickets.store_operations(ticket, operations, digest, basis)


def open_deployment(ticket: Ticket) -> Deployment | None:
    ended = (Deployment.State.SUCCEEDED, Deployment.State.FAILED, Deployment.State.CANCELLED)
    return ticket.deployments.exclude(state__in=ended).first()


def open_deployment_of(ticket_id: str) -> Deployment | None:
    """That of the ticket with this public id."""
    ended = (Deployment.State.SUCCEEDED, Deployment.State.FAILED, Deployment.State.CANCELLED)
    rows = Deployment.objects.filter(ticket__public_id=ticket_id).exclude(state__in=ended)
    return rows.select_related("ticket").first()


def follow_ticket(sender: Any, ticket: Ticket, before: str, after: str, **_kwargs: Any) -> None:
    """Receiver of `trafficking.services.status_moved`: a cancelled ticket's run never begins, and a ticket is
    not made anew while a call for it may have landed."""
    if before == Status.QUEUED and after == Status.CANCELLED:
        _cancel_queued(ticket)
    if before == Status.FAILED and after == Status.DRAFT:
        _refuse_unclear(ticket)


def _cancel_queued(ticket: Ticket) -> None:
    running = open_deployment(ticket)
    if running is None:
        return
    waiting = [Deployment.State.QUEUED, Deployment.State.WAITING]
    values = {
        "state": Deployment.State.CANCELLED,
        "reason": "The ticket was cancelled.",
        "finished_at": timezone.now(),
    }
    if not compare_and_set(running, where={"state__in": waiting}, values=values):
        raise ValidationError(_("A worker has just begun to deploy it."), code="already_deploying")
    skip_unsent(running)


def skip_unsent(deployment: Deployment) -> None:
    """Calls that will not be made in this run. One that was sent before without a clear answer stays in doubt."""
    unsent = deployment.operations.filter(state=Operation.State.PENDING)
    now = timezone.now()
    unsent.filter(attempts__gt=0).update(state=Operation.State.IN_DOUBT, updated_at=now)
    unsent.update(state=Operation.State.SKIPPED, updated_at=now)


def _refuse_unclear(ticket: Ticket) -> None:
    unclear = (Operation.State.DONE, Operation.State.IN_DOUBT, Operation.State.SENDING)
    if Operation.objects.filter(deployment__ticket=ticket, state__in=unclear).exists():
        text = _(
            "A call for it may have reached the platform. Deploy it again: what is there is found and finished."
        )
        raise ValidationError(text, code="maybe_built")


def look_again(*, ticket: Ticket, by: Any) -> Deployment:
    """A person lets a run that ended IN_DOUBT go on: the platform is asked once more before anything is sent."""
    deployment = _in_doubt(ticket, by)
    with acting(by, reason="looking again"), transaction.atomic():
        _move_in_doubt(deployment, {"state": Deployment.State.QUEUED, "reason": "", "started_at": None})
        unclear = deployment.operations.filter(
            state__in=[Operation.State.PENDING, Operation.State.IN_DOUBT], attempts__gt=0
        )
        unclear.update(state=Operation.State.IN_DOUBT, attempts=1, waits=0, updated_at=timezone.now())
        transaction.on_commit(lambda: enqueue(deployment))
    return deployment


def give_up(*, ticket: Ticket, by: Any, comment: str) -> Deployment:
    """A person ends a run that is IN_DOUBT: FAILED. Deployed again, it first looks for what may have landed."""
    deployment = _in_doubt(ticket, by)
    if not comment.strip():
        raise ValidationError({"comment": _("Say what you found on the platform.")})
    with acting(by, reason=comment), transaction.atomic():
        values = {"state": Deployment.State.FAILED, "reason": comment, "finished_at": timezone.now()}
        _move_in_doubt(deployment, values)
        skip_unsent(deployment)
        tickets.transition(ticket, Status.FAILED, reason=comment)
    return deployment


def _in_doubt(ticket: Ticket, by: Any) -> Deployment:
    tickets.require_permission(by, "trafficking.deploy_ticket", ticket)
    deployment = ticket.deployments.filter(state=Deployment.State.IN_DOUBT).first()
    if deployment is None or ticket.status != Status.IN_DOUBT:
        raise ValidationError(_("It is not in doubt."), code="wrong_status")
    return deployment


def _move_in_doubt(deployment: Deployment, values: dict[str, Any]) -> None:
    if not compare_and_set(deployment, where={"state": Deployment.State.IN_DOUBT}, values=values):
        raise StaleVersion(deployment)


def _write_ledger(ticket: Ticket, plan: Plan, by: Any, kind: str = Deployment.Kind.APPLY) -> Deployment:
    deployment = Deployment(
        ticket=ticket, plan=plan, requested_by=by, kind=kind, not_before=_moment(ticket, kind)
    )
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


def _moment(ticket: Ticket, kind: str) -> Any:
    """Of a first run, the authorised moment; a run that finishes a failed one goes on at once."""
    later = ticket.go_live_at and ticket.go_live_at > timezone.now()
    return ticket.go_live_at if later and kind == Deployment.Kind.APPLY else None


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
            # a person has asked for this run: what is in doubt may be sent as often again, after a look
            "attempts": min(before.attempts, 1),
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


def enqueue(deployment: Deployment) -> None:
    """Let it take its turn among those of its ad account. A broker that is down loses nothing: the scheduler finds the row."""
    dispatch.dispatch(deployment.ticket.ad_account_id)


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
