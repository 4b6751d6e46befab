"""What this floor adds to the ticket page: the deploy action, and the runs with their calls."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from deploy.models import Deployment, Operation
from deploy.reviews import delivery_of
from deploy.services import compensate, give_up, look_again, start_deployment
from governance.panels import Panel, register
from trafficking import panels
from trafficking.models import Ticket
from trafficking.panels import Order, Outcome, TicketAction
from trafficking.statuses import Status

STATE_BADGES = {
    "QUEUED": "info", "RUNNING": "info", "WAITING": "warning", "IN_DOUBT": "warning", "SUCCEEDED": "success",
    "FAILED": "danger", "CANCELLED": "danger",
}  # fmt: skip
CALL_BADGES = {
    "PENDING": "info", "SENDING": "info", "DONE": "success", "REJECTED": "danger", "IN_DOUBT": "warning",
    "SKIPPED": "info", "COMPENSATED": "warning",
}  # fmt: skip
#: Runs shown on a ticket's page; all of them are in the list of deployments.
NEWEST_RUNS = 5


def _deploy(order: Order) -> Outcome:
    deployment = start_deployment(ticket=order.ticket, by=order.by)
    return Outcome(gettext("It is being deployed (task %(task)s).") % {"task": deployment.public_id})


DEPLOY = TicketAction(
    name="deploy", label=_("Deploy"), icon="rocket_launch", variant=ActionVariant.PRIMARY, run=_deploy,
    permission="trafficking.deploy_ticket", statuses=frozenset({Status.APPROVED, Status.FAILED}), shows_plan=True,
    explanation=_("The worker sends these calls to the platform. What is created starts paused: only an activation spends."),
)  # fmt: skip


def _look_again(order: Order) -> Outcome:
    deployment = look_again(ticket=order.ticket, by=order.by)
    return Outcome(gettext("The platform is asked again (task %(task)s).") % {"task": deployment.public_id})


LOOK_AGAIN = TicketAction(
    name="look_again", label=_("Look again"), icon="search", variant=ActionVariant.PRIMARY, run=_look_again,
    permission="trafficking.deploy_ticket", statuses=frozenset({Status.IN_DOUBT}),
    explanation=_("The worker looks on the platform for what may have landed; only what is not there is sent again."),
)  # fmt: skip


def _give_up(order: Order) -> Outcome:
    give_up(ticket=order.ticket, by=order.by, comment=order.comment)
    return Outcome(gettext("It is recorded as failed. It can be deployed again, or cancelled."))


GIVE_UP = TicketAction(
    name="give_up", label=_("Give up"), icon="block", variant=ActionVariant.DANGER, run=_give_up,
    permission="trafficking.deploy_ticket", statuses=frozenset({Status.IN_DOUBT}), comment="required",
    explanation=_("The run ends as failed. Say what you found on the platform."),
)  # fmt: skip


def _compensate(order: Order) -> Outcome:
    deployment = compensate(ticket=order.ticket, by=order.by, comment=order.comment)
    return Outcome(gettext("It is being taken back (task %(task)s).") % {"task": deployment.public_id})


def _partly_built(ticket: Ticket) -> bool:
    return (
        ticket.request_type == Ticket.RequestType.CREATE
        and ticket.tree_objects().exclude(status="ARCHIVED").exists()
    )


COMPENSATE = TicketAction(
    name="compensate", label=_("Take back"), icon="undo", variant=ActionVariant.DANGER, run=_compensate,
    permission="trafficking.deploy_ticket", statuses=frozenset({Status.FAILED}), comment="required", fits=_partly_built,
    explanation=_("What was built is archived on the platform in reverse order, and the ticket is cancelled. It needs no"
                  " approval: nothing of it has ever run. To finish the build instead, deploy it again."),
)  # fmt: skip


def _delivery(ticket: Ticket, _request: HttpRequest) -> dict[str, Any] | None:
    """What people can see of the campaign now: built is one fact, live another."""
    found = delivery_of(ticket)
    if not found.ads:
        return None
    counts = [
        (DELIVERY_WORDS.get(each, (_("not read yet"), ""))[0], n) for each, n in sorted(found.ads.items())
    ]
    word, badge = DELIVERY_WORDS.get(found.state, (_("not read yet"), ""))
    return {"delivery": found, "word": word, "badge": badge, "counts": counts}


DELIVERY_WORDS: dict[str, tuple[Any, str]] = {
    "LIVE": (_("Live"), "success"), "IN_REVIEW": (_("In review"), "warning"), "REJECTED": (_("Rejected"), "danger"),
    "PAUSED": (_("Paused"), "info"), "SCHEDULED": (_("Scheduled"), "info"), "ENDED": (_("Ended"), ""),
    "ACCOUNT": (_("Held up by the account"), "danger"), "PROBLEM": (_("Not delivered"), "danger"),
}  # fmt: skip


def _runs(ticket: Ticket, request: HttpRequest) -> dict[str, Any] | None:
    if not request.user.has_perm("deploy.view_deployment"):
        return None
    calls = Prefetch("operations", queryset=Operation.objects.order_by("position"))
    rows = (
        ticket.deployments.select_related("requested_by", "plan")
        .defer("plan__operations")
        .prefetch_related(calls)[:NEWEST_RUNS]
    )
    runs = [run_context(row) for row in rows]
    return {"runs": runs} if runs else None


def _one_run(deployment: Deployment, _request: HttpRequest) -> dict[str, Any]:
    return {"runs": [run_context(deployment)]}


def run_context(row: Deployment) -> dict[str, Any]:
    """For `deploy/admin/runs.html`."""
    calls = [call_context(each) for each in row.operations.all()]
    return {
        "row": row,
        "api_version": row.plan.api_version,
        "badge": STATE_BADGES.get(row.state, ""),
        "calls": calls,
        "done": sum(each["done"] for each in calls),
    }


def call_context(row: Operation) -> dict[str, Any]:
    answer = json.dumps(row.response, indent=2, ensure_ascii=False) if row.response is not None else ""
    return {
        "row": row, "type": row.object_type.replace("_", " "), "badge": CALL_BADGES.get(row.state, ""), "ids": list(row.external_ids.items()), "answer": answer,
        "done": row.state == Operation.State.DONE,
    }  # fmt: skip


def register_all() -> None:
    for action in (DEPLOY, LOOK_AGAIN, GIVE_UP, COMPENSATE):
        panels.register_action(action)
    panels.register_panel(Panel(_("Delivery"), "deploy/admin/delivery.html", _delivery, order=5))
    panels.register_panel(Panel(_("Deployments"), "deploy/admin/runs.html", _runs, order=30))
    register("deploy.deployment", Panel(_("Calls"), "deploy/admin/runs.html", _one_run))
