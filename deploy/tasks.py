"""Celery tasks: each takes ids and may be delivered any number of times.

Three queues: `deploy` (the default), `reads` for looking, `urgent` for kill switches (settings, CELERY_TASK_ROUTES).
"""

from __future__ import annotations

from typing import Any

from celery import Task, shared_task
from celery.exceptions import Ignore

import deploy.watch_tasks  # noqa: F401  (Celery finds its tasks through this module)
from deploy import dispatch, engine, halting, services
from deploy.models import Deployment, KillSwitch
from governance.models import AdAccount

#: A wait up to this long is left to the broker; longer ones to the scheduler.
SHORT_WAIT_S = 60.0
#: The scheduler looks after stops so often (settings, CELERY_BEAT_SCHEDULE): shorter waits are left to the broker.
LOOK_EVERY_S = 5.0


class DeploymentFailed(Exception):
    """The platform's words, for the task result."""


@shared_task(bind=True, name="deploy.tasks.deploy_payload_to_platform")
def deploy_payload_to_platform(self: Task, ticket_id: str) -> dict[str, Any]:
    """Carry the open deployment of the ticket with this public id as far as it goes now."""
    running = services.open_deployment_of(ticket_id)  # the message may be an older run's, or sent by hand
    ended = engine.run(ticket_id)
    if ended.state == "HELD":
        raise Ignore
    if running is not None:
        dispatch.run_ended(running, _short_wait(ended))
    if ended.state == Deployment.State.WAITING:
        self.update_state(
            state="RETRY", meta={"exc_type": "Waiting", "exc_message": [ended.reason], "exc_module": __name__}
        )
        raise Ignore
    if ended.state == Deployment.State.FAILED:
        raise DeploymentFailed(ended.reason)
    return {"state": ended.state, "reason": ended.reason}


def _short_wait(ended: engine.Ended) -> float | None:
    waits = ended.state == Deployment.State.WAITING and ended.after is not None
    return ended.after if waits and (ended.after or 0) <= SHORT_WAIT_S else None


@shared_task(name="deploy.tasks.sweep_deployments", ignore_result=True)
def sweep_deployments() -> int:
    """Send what should be moving and is not."""
    return dispatch.dispatch()


@shared_task(name="deploy.tasks.carry_out_stop", ignore_result=True)
def carry_out_stop(stop_id: str) -> int:
    """A kill switch was engaged or released: all its accounts at once, each by a message of its own."""
    stop = KillSwitch.objects.filter(public_id=stop_id).first()
    accounts = halting.begin(stop) if stop else []
    for account in accounts:
        dispatch.send(stop_account, str(account.public_id))
    return len(accounts)


@shared_task(name="deploy.tasks.stop_account", ignore_result=True)
def stop_account(account_id: str) -> None:
    """One turn at the account with this public id: pause, or start again."""
    account = AdAccount.objects.filter(public_id=account_id).first()
    after = halting.work_on(account) if account else None
    if after is not None and after <= LOOK_EVERY_S:
        dispatch.send(stop_account, account_id, countdown=after)


@shared_task(name="deploy.tasks.look_after_stops", ignore_result=True)
def look_after_stops() -> int:
    """What a stop has to do with and nobody works on: lost messages, dead workers, and whether all is quiet still."""
    accounts = halting.accounts_due()
    for account in accounts:
        dispatch.send(stop_account, str(account.public_id))
    return len(accounts)
