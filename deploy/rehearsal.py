"""What is to go live by night is looked at while people are still awake: every check of the real run, and no call that
changes anything."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from deploy import alerts, before
from deploy.engine import Run
from deploy.models import Deployment
from deploy.stopping import Stop
from governance.findings import Message
from governance.findings import gettext_noop as _

logger = logging.getLogger(__name__)

MESSAGES = {
    "alert.rehearsal_failed": Message(
        _("Ticket {number} ({name}) is to go live at {moment}, and would not if that were now: {reason}"),
        _("Mend what is said there, or cancel the ticket and have a new one approved."),
    ),
}


def rehearse_coming(*, now: datetime | None = None) -> int:
    """Rehearse each deployment whose moment is near, once in REHEARSE_EVERY_S; returns how many were rehearsed."""
    now = now or timezone.now()
    near = Deployment.objects.filter(
        state=Deployment.State.QUEUED, not_before__gt=now, not_before__lte=now + timedelta(seconds=settings.REHEARSE_AHEAD_S)
    ).select_related("ticket__ad_account", "ticket__campaign__brand", "ticket__channel", "plan")  # fmt: skip
    due = [each for each in near if _is_due(each, now)]
    for deployment in due:
        rehearse(deployment)
    return len(due)


def _is_due(deployment: Deployment, now: datetime) -> bool:
    last = deployment.proof.get("rehearsed_at")
    return not last or datetime.fromisoformat(last) < now - timedelta(seconds=settings.REHEARSE_EVERY_S)


def rehearse(deployment: Deployment) -> str:
    """Why it would not go live now, "" where it would; people are told, and nothing else is written."""
    run = Run(deployment, lease="")
    # nobody holds it: a lease in memory alone lets the run ask the platform
    deployment.lease_until = timezone.now() + timedelta(seconds=settings.DEPLOY_LEASE_S)
    try:
        before.refuse_unapproved(deployment, deployment.ticket, run.planned)
        before.look(run)
        problem = ""
    except Stop as stop:
        problem = stop.reason if stop.state != Deployment.State.WAITING else ""
    Deployment.objects.filter(pk=deployment.pk, state=Deployment.State.QUEUED).update(
        proof={"rehearsed_at": timezone.now().isoformat(), "rehearsal": problem}
    )
    if problem:
        _tell(deployment, problem)
    return problem


def _tell(deployment: Deployment, problem: str) -> None:
    ticket = deployment.ticket
    moment = deployment.not_before.isoformat(timespec="minutes") if deployment.not_before else ""
    alerts.raise_alert(
        "alert.rehearsal_failed",
        severity="CRITICAL",
        ticket=ticket,
        key=f"rehearsal:{deployment.public_id}",
        number=ticket.pk,
        name=ticket.governed_name,
        moment=moment,
        reason=problem,
    )
