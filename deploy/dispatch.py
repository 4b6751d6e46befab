"""Who is sent to the workers next: a few deployments of each account at a time, the others wait in the database.

The broker's queue is first in, first out. With at most DEPLOY_ACCOUNT_PARALLEL messages of one account in it, and the
next one sent when one of them ends, the accounts take turns: a busy one never stands before a quiet one.

A message is outstanding while its row says so: `enqueued_at` is set when it is sent and taken away when the run puts
its work down for longer. A message that the broker lost is sent again after ENQUEUE_AGAIN_AFTER_S.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from celery import Task
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from deploy import stops
from deploy.models import Deployment
from governance.models import AdAccount

logger = logging.getLogger(__name__)
State = Deployment.State


def dispatch(account_id: int | None = None) -> int:
    """Send what is due and has a place, of one ad account or of all; returns how many. Never inside a transaction."""
    accounts = _accounts_with_work() if account_id is None else [account_id]
    return sum(_dispatch_account(each) for each in accounts)


def run_ended(deployment: Deployment, after: float | None) -> None:
    """A worker has put the deployment down: it comes back after so many seconds, or gives its place to another.

    `after` is None where it has ended, or where it waits for more than the broker should keep.
    """
    if after is not None and not _is_stopped(deployment):
        _send(deployment, countdown=after)
        return
    Deployment.objects.filter(pk=deployment.pk).update(enqueued_at=None)
    dispatch(deployment.ticket.ad_account_id)


def send(task: Task, *args: str, **options: Any) -> bool:
    """Hand a message to the broker; False where it does not take it: what is to be done stands in the database."""
    try:
        task.apply_async(args=list(args), retry=False, **options)
    except Exception:
        # kombu raises many kinds for an unreachable broker; the scheduler finds the row
        logger.exception("could not enqueue %s", task.name)
        return False
    return True


def _send(deployment: Deployment, *, countdown: float = 0.0) -> None:
    from deploy.tasks import deploy_payload_to_platform

    Deployment.objects.filter(pk=deployment.pk).update(enqueued_at=timezone.now())
    ticket, task = str(deployment.ticket.public_id), str(deployment.public_id)
    send(deploy_payload_to_platform, ticket, task_id=task, countdown=countdown or None)


def _accounts_with_work() -> list[int]:
    """Those whose work is due, the longest waiting first."""
    due = _due(timezone.now()).order_by("id").values_list("ticket__ad_account_id", flat=True)
    return list(dict.fromkeys(due.iterator()))


def _dispatch_account(account_id: int) -> int:
    chosen = _claim_next(account_id)
    for deployment in chosen:
        _send(deployment)
    return len(chosen)


def _claim_next(account_id: int) -> list[Deployment]:
    """Mark as many as there are places for. The account's row is locked: two dispatchers count one after the other."""
    with transaction.atomic():
        account = AdAccount.objects.select_for_update(no_key=True).get(pk=account_id)
        now = timezone.now()
        taken = _rows().filter(_outstanding(now), ticket__ad_account=account).count()
        if taken >= settings.DEPLOY_ACCOUNT_PARALLEL:
            return []
        due = _unstopped(_due(now).filter(ticket__ad_account=account), account).order_by("id")
        chosen = list(due.select_related("ticket")[: settings.DEPLOY_ACCOUNT_PARALLEL - taken])
        Deployment.objects.filter(pk__in=[each.pk for each in chosen]).update(enqueued_at=now)
    return chosen


def _rows() -> QuerySet[Deployment]:
    """With `sent`: the moment from which on its message should be worked on, if it has one (`enqueued_at`)."""
    # where one is nothing: nothing on SQLite, the other on PostgreSQL
    later = Greatest("enqueued_at", "next_try_at")
    return Deployment.objects.annotate(sent=Coalesce(later, F("enqueued_at")))


def _working(now: datetime) -> Q:
    return Q(state=State.RUNNING, lease_until__gte=now)


def _outstanding(now: datetime) -> Q:
    """In a worker's hands, or with a message that is still believed in."""
    return _working(now) | Q(state__in=Deployment.OPEN, enqueued_at__isnull=False, sent__gt=_stale(now))


def _due(now: datetime) -> QuerySet[Deployment]:
    """What should be moving and has nobody: never sent, lost by the broker, or by a worker that died."""
    rows = _rows().filter(
        Q(state__in=[State.QUEUED, State.WAITING]) | Q(state=State.RUNNING, lease_until__lt=now)
    )
    unsent = Q(enqueued_at__isnull=True) | Q(sent__lte=_stale(now))
    in_time = Q(next_try_at__isnull=True) | Q(next_try_at__lte=now)
    allowed = Q(not_before__isnull=True) | Q(not_before__lte=now)
    return rows.filter(unsent, in_time, allowed)


def _stale(now: datetime) -> datetime:
    return now - timedelta(seconds=settings.ENQUEUE_AGAIN_AFTER_S)


def _unstopped(due: QuerySet[Deployment], account: AdAccount) -> QuerySet[Deployment]:
    """Without what a kill switch holds up: it would only be told so."""
    if stops.standing_stop(account) is not None:
        return due.none()
    return due.exclude(ticket__campaign__brand_id__in=stops.stopped_brands(account))


def _is_stopped(deployment: Deployment) -> bool:
    ticket = deployment.ticket
    return stops.standing_stop(ticket.ad_account, ticket.campaign.brand_id) is not None
