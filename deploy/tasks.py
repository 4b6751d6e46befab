"""Celery tasks: each takes ids and may be delivered any number of times."""

from __future__ import annotations

from typing import Any

from celery import Task, shared_task
from celery.exceptions import Ignore

from deploy import engine, services
from deploy.models import Deployment

#: A wait up to this long is left to the broker; longer ones to the sweeper.
SHORT_WAIT_S = 60.0


class DeploymentFailed(Exception):
    """The platform's words, for the task result."""


@shared_task(bind=True, name="deploy.tasks.deploy_payload_to_platform")
def deploy_payload_to_platform(self: Task, ticket_id: str) -> dict[str, Any]:
    """Carry the open deployment of the ticket with this public id as far as it goes now."""
    ended = engine.run(ticket_id)
    if ended.state == Deployment.State.WAITING:
        again = services.open_deployment_of(ticket_id)  # the message may be an older run's, or sent by hand
        if again is not None and ended.after is not None and ended.after <= SHORT_WAIT_S:
            services.enqueue(again, countdown=ended.after)
        self.update_state(
            state="RETRY", meta={"exc_type": "Waiting", "exc_message": [ended.reason], "exc_module": __name__}
        )
        raise Ignore
    if ended.state == Deployment.State.FAILED:
        raise DeploymentFailed(ended.reason)
    if ended.state == "HELD":
        raise Ignore
    return {"state": ended.state, "reason": ended.reason}


@shared_task(name="deploy.tasks.sweep_deployments", ignore_result=True)
def sweep_deployments() -> int:
    """Enqueue what should be moving and is not."""
    return services.sweep()
