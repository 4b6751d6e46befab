"""Walks a deployment's operations: intent committed before each call, answer after it.

Whatever kills a worker between the two leaves an operation in SENDING, and the next worker looks for the
object on the platform before it sends anything again. A deployment is held by one worker at a time (a lease,
compared and set), never waits inside a worker, and everything that it needs to go on stands in its rows.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from deploy import connections, retry
from deploy.answers import storable
from deploy.models import Deployment, Operation
from deploy.services import skip_unsent
from governance.governed import compare_and_set, unguarded
from trafficking import services as tickets
from trafficking.models import Ticket
from trafficking.platforms import base
from trafficking.platforms.registry import platform
from trafficking.platforms.schema import source_field
from trafficking.statuses import RUNNING, Status

logger = logging.getLogger(__name__)
State, OpState = Deployment.State, Operation.State

#: How often an object that came to life unpaused is paused again before the deployment fails.
PAUSE_TRIES = 3
#: A stumbling worker waits as after so many tries: about a minute.
STUMBLE_TRIES = 6


class LeaseLost(Exception):
    """Another worker has taken over; this one writes nothing more."""


class Stop(Exception):
    """The run ends here for now: `state` and `reason` say how, `after` when to come back (seconds)."""

    def __init__(self, state: str, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.state, self.reason, self.after = state, reason, after


@dataclass(frozen=True, slots=True)
class Ended:
    """What `run` answers. HELD: another worker has it, or there is nothing to do."""

    state: str
    reason: str = ""
    after: float | None = None


def run(ticket_public_id: str) -> Ended:
    """Take the ticket's open deployment as far as it goes now."""
    deployment = (
        Deployment.objects.filter(ticket__public_id=ticket_public_id)
        .exclude(state__in=[State.SUCCEEDED, State.FAILED, State.CANCELLED, State.IN_DOUBT])
        .select_related("ticket__ad_account", "ticket__campaign", "ticket__channel", "plan")
        .first()
    )
    if deployment is None or not (lease := _claim(deployment)):
        return Ended("HELD")
    try:
        return Run(deployment, lease).to_the_end()
    except LeaseLost:
        logger.warning("lease of deployment %s lost to another worker", deployment.public_id)
        return Ended("HELD")


def _claim(deployment: Deployment) -> str:
    """Compare and set the lease; "" where somebody else has it or its time has not come."""
    now, lease = timezone.now(), secrets.token_hex(16)
    mine = unguarded(Deployment).filter(pk=deployment.pk)
    free = (
        mine.filter(state=State.QUEUED)
        | mine.filter(state=State.WAITING, next_try_at__lte=now)
        | mine.filter(state=State.RUNNING, lease_until__lt=now)
    )
    values = {
        "state": State.RUNNING, "lease_owner": lease, "lease_until": now + timedelta(seconds=settings.DEPLOY_LEASE_S),
        "started_at": deployment.started_at or now, "next_try_at": None,
    }  # fmt: skip
    if not free.update(**values):
        return ""
    for name, value in values.items():
        setattr(deployment, name, value)
    return lease


class Run:
    """One worker's turn at one deployment."""

    def __init__(self, deployment: Deployment, lease: str) -> None:
        self.deployment = deployment
        self.ticket: Ticket = deployment.ticket
        self.lease = lease
        self.external_ids: dict[str, str] = {}

    @cached_property
    def planned(self) -> dict[str, base.Operation]:
        return {each.ref: each for each in self.deployment.plan.as_operations()}

    @cached_property
    def rows(self) -> list[Operation]:
        return list(self.deployment.operations.order_by("position"))

    @cached_property
    def client(self) -> base.Client:
        return connections.client_for(self.ticket.ad_account)

    @cached_property
    def _secrets(self) -> tuple[str, ...]:
        return tuple(self.client.connection.credentials.values())

    def to_the_end(self) -> Ended:
        try:
            self._begin()
            for row in self.rows:
                self._carry_out(row, self.planned[row.ref])
            self._prove()
        except Stop as stop:
            return self._stop(stop)
        except LeaseLost:
            raise
        except Exception as error:
            # A fault of ours, not an answer: nothing is known of it but its kind (its text may quote a secret).
            # What was on its way stands in SENDING and is looked for; a fault that stays ends by DEPLOY_GIVE_UP_S.
            logger.exception("deployment %s stumbled", self.deployment.public_id)
            reason = f"The worker stumbled ({type(error).__name__}) and tries again; its log says why."
            self._read_again()
            return self._stop(Stop(State.WAITING, reason, retry.wait(None, STUMBLE_TRIES)))
        return self._stop(Stop(State.SUCCEEDED, ""))

    def _read_again(self) -> None:
        """After a stumble the rows in memory may say what was rolled back."""
        self.ticket.refresh_from_db(fields=["status", "version", "digest"])
        self.__dict__.pop("rows", None)

    # ------------------------------------------------------------------------------- begin and end

    def _begin(self) -> None:
        """The ticket must still be queued and the plan the approved one; then the ticket is DEPLOYING."""
        if self.ticket.status not in RUNNING:
            raise Stop(State.CANCELLED, f"The ticket is {self.ticket.status}; nothing was sent.")
        plan = self.deployment.plan
        account = self.ticket.ad_account.external_id
        digest = base.plan_digest(plan.platform, plan.api_version, account, list(self.planned.values()))
        if (
            digest != plan.digest
            or self.ticket.digest != plan.digest
            or tickets.approved_plan(self.ticket) != plan
        ):
            raise Stop(State.FAILED, "The plan is not the one that was approved; nothing was sent.")
        if plan.api_version != platform(plan.platform).api_version:
            raise Stop(
                State.FAILED,
                f"The plan was made for API version {plan.api_version}. Submit the ticket again.",
            )
        if self.ticket.status in (Status.QUEUED, Status.IN_DOUBT):
            tickets.transition(self.ticket, Status.DEPLOYING, reason="a worker has begun")

    def _stop(self, stop: Stop) -> Ended:
        """Write how the run ended, on the deployment and its ticket, if this worker still holds it."""
        state, after = stop.state, stop.after
        if state == State.WAITING and self._too_old():
            state, after = State.FAILED, None
        now = timezone.now()
        values: dict[str, Any] = {
            "state": state,
            "reason": stop.reason,
            "lease_owner": "",
            "lease_until": None,
        }
        if after is not None:
            values["next_try_at"] = now + timedelta(seconds=after)
        if state in (State.SUCCEEDED, State.FAILED, State.CANCELLED):
            values["finished_at"] = now
        with transaction.atomic():
            if not compare_and_set(self.deployment, where={"lease_owner": self.lease}, values=values):
                raise LeaseLost
            self._record_objects()
            self._move_ticket(state, stop.reason)
            if state in (State.FAILED, State.CANCELLED):
                skip_unsent(self.deployment)
        return Ended(state, stop.reason, after)

    def _record_objects(self) -> None:
        """Ids of what is done, on every level. The ledger has them from the moment of the answer; a worker
        that dies before this leaves it to the next."""
        done = [(self.planned[row.ref], row.external_ids) for row in self.rows if row.state == OpState.DONE]
        tickets.record_objects(ticket=self.ticket, api_version=self.deployment.plan.api_version, done=done)

    def _too_old(self) -> bool:
        begun = self.deployment.started_at or timezone.now()
        return (timezone.now() - begun).total_seconds() > settings.DEPLOY_GIVE_UP_S

    def _move_ticket(self, state: str, reason: str) -> None:
        status = {
            State.SUCCEEDED: Status.TRAFFICKED_SUCCESS, State.FAILED: Status.FAILED, State.IN_DOUBT: Status.IN_DOUBT,
        }.get(State(state))  # fmt: skip
        if status and self.ticket.status != status:
            tickets.transition(self.ticket, status, reason=reason)

    def _keep_lease(self) -> None:
        """Before each call: renewed once half of it has run. A call lasts less than half a lease (check E012)."""
        now = timezone.now()
        until = now + timedelta(seconds=settings.DEPLOY_LEASE_S)
        if self.deployment.lease_until - now > (until - now) / 2:
            return
        mine = unguarded(Deployment).filter(
            pk=self.deployment.pk, lease_owner=self.lease, state=State.RUNNING
        )
        if not mine.update(lease_until=until):
            raise LeaseLost
        self.deployment.lease_until = until

    # ----------------------------------------------------------------------------- one operation

    def _carry_out(self, row: Operation, planned: base.Operation) -> None:
        if row.state in (OpState.SENDING, OpState.IN_DOUBT):
            self._look(row, planned)
        if row.state == OpState.PENDING:
            self._send(row, planned)
        self.external_ids.update(row.external_ids)

    def _send(self, row: Operation, planned: base.Operation) -> None:
        self._keep_lease()
        if row.attempts >= settings.DEPLOY_MAX_SENDS:
            raise Stop(
                State.IN_DOUBT,
                f"{row} was sent {row.attempts} times without a clear answer. A person decides.",
            )
        _move(row, OpState.PENDING, state=OpState.SENDING, attempts=row.attempts + 1, sent_at=timezone.now())
        outcome = storable(self.client.apply(planned, self.external_ids), self._secrets)
        self._settle(row, planned, outcome)

    def _look(self, row: Operation, planned: base.Operation) -> None:
        """After a lost answer: look by name under the parent, again after a delay, and only then send again."""
        self._keep_lease()
        found = storable(self.client.find(planned, self.external_ids), self._secrets)
        if isinstance(found, base.Applied):
            self._done(row, found)
            return
        if isinstance(found, base.NeedsAuth):
            raise Stop(State.FAILED, found.reason)
        if isinstance(found, base.RetryLater | base.InDoubt):
            after = getattr(found, "after", None)
            _move(row, row.state, state=OpState.IN_DOUBT)
            raise Stop(State.WAITING, found.reason, retry.wait(after, row.attempts))
        delays = settings.DEPLOY_LOOK_AFTER_S
        _move(row, row.state, state=OpState.IN_DOUBT, waits=row.waits + 1)
        if row.waits < len(delays):
            reason = f"{row}: the answer was lost and it is not there yet; looking again."
            raise Stop(State.WAITING, reason, delays[row.waits])
        _move(row, OpState.IN_DOUBT, state=OpState.PENDING, waits=0)

    def _settle(self, row: Operation, planned: base.Operation, outcome: base.Outcome) -> None:
        answer = {
            "http_status": outcome.http_status,
            "response": outcome.response,
            "answered_at": timezone.now(),
        }
        if isinstance(outcome, base.Applied):
            self._done(row, outcome)
        elif isinstance(outcome, base.Rejected):
            self._look_behind_refusal(row, planned)
            if row.state == OpState.DONE:
                return
            field = source_field(planned.sources, outcome.pointer) if outcome.pointer else ""
            words = {"error_code": outcome.code[:80], "error": outcome.message, "error_field": field[:200]}
            _move(row, OpState.SENDING, state=OpState.REJECTED, **answer, **words)
            raise Stop(State.FAILED, f"{row}: {outcome.message}")
        elif isinstance(outcome, base.NeedsAuth):
            # certainly not done, as below
            counted = {"attempts": row.attempts - 1, "error": outcome.reason}
            _move(row, OpState.SENDING, state=OpState.PENDING, **answer, **counted)
            raise Stop(State.FAILED, outcome.reason)
        elif isinstance(outcome, base.RetryLater):
            # certainly not done: this sending does not count towards asking a person
            counted = {"attempts": row.attempts - 1, "waits": row.waits + 1, "error": outcome.reason}
            _move(row, OpState.SENDING, state=OpState.PENDING, **answer, **counted)
            raise Stop(State.WAITING, outcome.reason, retry.wait(outcome.after, row.waits - 1))
        else:
            _move(row, OpState.SENDING, state=OpState.IN_DOUBT, waits=0, error=outcome.reason, **answer)
            raise Stop(
                State.WAITING,
                outcome.reason,
                max(settings.DEPLOY_LOOK_AFTER_S[0], retry.wait(None, row.attempts - 1)),
            )

    def _look_behind_refusal(self, row: Operation, planned: base.Operation) -> None:
        """A refused resend may be refused because the first one landed (Google: duplicate name)."""
        if row.attempts > 1:
            found = storable(self.client.find(planned, self.external_ids), self._secrets)
            if isinstance(found, base.Applied):
                self._done(row, found)

    def _done(self, row: Operation, applied: base.Applied) -> None:
        _move(
            row, row.state, state=OpState.DONE, external_ids=dict(applied.external_ids), error="",
            http_status=applied.http_status, response=applied.response, answered_at=timezone.now(),
        )  # fmt: skip

    # -------------------------------------------------------------------------------------- proof

    def _prove(self) -> None:
        """Read every object back: it is there, under its name, and paused."""
        for planned in self.planned.values():
            for each in planned.objects:
                if each.type in ("campaign", "ad_set", "ad"):
                    self._prove_one(each, self.external_ids[each.ref])

    def _prove_one(self, planned: base.PlannedObject, external_id: str) -> None:
        self._keep_lease()
        for _try in range(PAUSE_TRIES):
            live = self._read(planned.type, external_id)
            if live.paused is not False:
                break
            self._pause(planned.type, external_id)
        else:
            raise Stop(
                State.FAILED,
                f"{planned.type} {external_id} is not paused on the platform and can't be paused.",
            )
        if planned.name and live.name is not None and live.name != planned.name:
            raise Stop(
                State.FAILED, f"{planned.type} {external_id} is named '{live.name}', not '{planned.name}'."
            )

    def _pause(self, object_type: str, external_id: str) -> None:
        outcome = self.client.set_paused(object_type, external_id)
        if isinstance(outcome, base.RetryLater):
            # given up now, it would stay on: a throttled switch is tried again at the platform's own time
            reason = f"{object_type} {external_id} is not paused yet: {outcome.reason}"
            raise Stop(State.WAITING, reason, retry.wait(outcome.after, 1))

    def _read(self, object_type: str, external_id: str) -> base.ReadBack:
        live = storable(self.client.read(object_type, external_id), self._secrets)
        if isinstance(live, base.ReadBack):
            return live
        if isinstance(live, base.NeedsAuth):
            raise Stop(State.FAILED, live.reason)
        reason = getattr(live, "reason", f"{object_type} {external_id} can't be read yet")
        raise Stop(State.WAITING, reason, retry.wait(getattr(live, "after", None), 1))


def _move(row: Operation, before: str, **values: Any) -> None:
    """Compare and set an operation's state; two workers never both move it."""
    values["updated_at"] = timezone.now()
    if not Operation.objects.filter(pk=row.pk, state=before).update(**values):
        raise LeaseLost
    for name, value in values.items():
        setattr(row, name, value)
