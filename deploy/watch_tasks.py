"""Celery tasks that watch what was built: each takes ids, may be delivered any number of times, and waits for nothing."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from celery import Task, shared_task
from django.conf import settings

from deploy import alerts, drift, inventory, rehearsal, reviews
from governance.models import AdAccount

logger = logging.getLogger(__name__)

#: A wait up to this long is left to the broker; longer ones to the schedule.
SHORT_WAIT_S = 60.0


def enqueue_soon(task: Task, *args: str, countdown: float = 0) -> None:
    """A broker that is down loses nothing: the schedule finds what is due in the database."""
    try:
        task.apply_async(args=args, countdown=countdown or None, retry=False)
    except Exception:
        # kombu raises many kinds for an unreachable broker
        logger.exception("could not enqueue %s %s", task.name, args)


@shared_task(name="deploy.watch_tasks.watch_accounts", ignore_result=True)
def watch_accounts() -> int:
    """Enqueue a look for drift, or the next step of an import, for each account that is due."""
    accounts = drift.due_accounts()
    for account in accounts:
        enqueue_soon(read_account_drift, str(account.public_id))
    imports = inventory.due_accounts()
    for account in imports:
        enqueue_soon(read_inventory, str(account.public_id))
    return len(accounts) + len(imports)


@shared_task(name="deploy.watch_tasks.read_account_drift", ignore_result=True)
def read_account_drift(account_id: str) -> None:
    """Look for drift in the account with this public id, as far as its rate budget allows now."""
    account = AdAccount.objects.filter(public_id=account_id).first()
    if account is None or not drift.claim(account):
        return
    after = drift.look_at_account(account)
    reviews.tell_changes()
    if after is not None and after <= SHORT_WAIT_S:
        enqueue_soon(read_account_drift, account_id, countdown=after)


@shared_task(name="deploy.watch_tasks.follow_reviews", ignore_result=True)
def follow_reviews() -> int:
    """Read the trees whose ads are in review, and tell what was decided."""
    return reviews.follow()


@shared_task(name="deploy.watch_tasks.rehearse_coming", ignore_result=True)
def rehearse_coming() -> int:
    """Look ahead at what is to go live by itself, and tell what would go wrong."""
    return rehearsal.rehearse_coming()


@shared_task(name="deploy.watch_tasks.read_inventory", ignore_result=True)
def read_inventory(account_id: str) -> None:
    """Go on with the import of the account with this public id."""
    account = AdAccount.objects.filter(public_id=account_id).first()
    if account is None or not inventory.claim(account):
        return
    after = inventory.read_step(account)
    if after is not None and after <= SHORT_WAIT_S:
        enqueue_soon(read_inventory, account_id, countdown=after)


@shared_task(name="deploy.watch_tasks.tell_what_passed", ignore_result=True)
def tell_what_passed() -> int:
    """Alerts that no single write raises, and mail that could not be sent before."""
    told = alerts.tell_what_passed()
    if settings.ALERT_MAIL:
        enqueue_soon(mail_alerts)
    return told


@shared_task(
    name="deploy.watch_tasks.mail_alerts",
    ignore_result=True,
    autoretry_for=(OSError, SMTPException),
    retry_backoff=30,
    retry_backoff_max=1800,
    max_retries=8,
)
def mail_alerts() -> int:
    """One mail a person with all that they have not been told."""
    return alerts.mail_open_alerts()
