"""Walks a deployment's operations: intent committed before each call, answer after it.

Whatever kills a worker between the two leaves an operation in SENDING, and the next worker looks for the
object on the platform before it sends anything again. A deployment is held by one worker at a time (a lease,
compared and set), never waits inside a worker, and everything that it needs to go on stands in its rows.
"""

from __future__ import annotations

import dataclasses
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeVar

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from deploy import before, connections, proof, retry, stops, throttle, uploads
from deploy.answers import storable
from deploy.models import Deployment, Operation
from deploy.points import reach
from deploy.services import skip_unsent
from deploy.stopping import STUMBLE_TRIES, LeaseLost, Stop
from governance.governed import StaleVersion, compare_and_set, unguarded
from trafficking import held
from trafficking import services as tickets
from trafficking.models import Ticket
from trafficking.platforms import base
from trafficking.platforms.changes import expecting_file_ids
from trafficking.platforms.schema import source_field
from trafficking.statuses import Status

logger = logging.getLogger(__name__)
State, OpState, Kind = Deployment.State, Operation.State, Deployment.Kind
Answer = TypeVar("Answer")

#: A stopped deployment looks this often whether it may go on.
STOPPED_LOOK_S = 10.0
#: Another deployment is uploading the same file.
UPLOAD_WAIT_S = 3.0


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
        .select_related("ticket__ad_account", "ticket__campaign__brand", "ticket__channel", "plan")
        .first()
    )
    if deployment is None or not (lease := _claim(deployment)):
        return Ended("HELD")
    reach(1)
    try:
        ended = Run(deployment, lease).to_the_end()
        reach(10)
        return ended
    except LeaseLost:
        logger.warning("lease of deployment %s lost to another worker", deployment.public_id)
        return Ended("HELD")


def _claim(deployment: Deployment) -> str:
    """Compare and set the lease; "" where somebody else has it or its time has not come."""
    now, lease = timezone.now(), secrets.token_hex(16)
    mine = unguarded(Deployment).filter(pk=deployment.pk)
    mine = mine.filter(models.Q(not_before__isnull=True) | models.Q(not_before__lte=now))
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
        self.plan = deployment.plan
        self.ticket: Ticket = deployment.ticket
        self.lease = lease
        self.lives: tuple[base.Live, ...] | None = None  # as read for the proof

    @property
    def campaign_id(self) -> str:
        """The platform's id of the campaign that all this is about, also once it is archived."""
        if "campaign" in self.external_ids:
            return self.external_ids["campaign"]
        rows = self.ticket.tree_objects().filter(object_type="campaign").order_by("-id")
        return rows.values_list("external_id", flat=True).first() or ""

    @cached_property
    def planned(self) -> dict[str, base.Operation]:
        return {each.ref: each for each in self.plan.as_operations()}

    @cached_property
    def rows(self) -> list[Operation]:
        return list(self.deployment.operations.order_by("position"))

    @cached_property
    def client(self) -> base.Client:
        """Behind the gate: stops, rate budget, and the lease, which is asked for last."""
        ticket = self.ticket
        return connections.client_for(
            ticket.ad_account, brand_id=ticket.campaign.brand_id, still_ours=self._refuse_late
        )

    @cached_property
    def external_ids(self) -> dict[str, str]:
        """Ids by ref of what is held already; one that this plan replaces stands under "old:<ref>" as well."""
        ids = {each.ref: each.external_id for each in self.held}
        made = {
            each.ref
            for op in self.planned.values()
            if op.action == "create"
            for each in op.objects
            if not each.external_id
        }
        return ids | {f"old:{ref}": ids[ref] for ref in made & set(ids)}

    @cached_property
    def held(self) -> list[base.Held]:
        creates = self.ticket.request_type == Ticket.RequestType.CREATE and self.deployment.kind == Kind.APPLY
        return [] if creates else held.held_of(self.ticket)

    @property
    def nothing_sent(self) -> bool:
        return all(row.state == OpState.PENDING and not row.attempts for row in self.rows)

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
        before.refuse_unapproved(self.deployment, self.ticket, self.planned)
        if self.nothing_sent and self.deployment.kind == Kind.APPLY:
            before.look(self)
        reach(2)
        if self.ticket.status in (Status.QUEUED, Status.IN_DOUBT) and self.deployment.kind == Kind.APPLY:
            self._say_begun()
        reach(3)

    def _say_begun(self) -> None:
        try:
            tickets.transition(self.ticket, Status.DEPLOYING, reason="a worker has begun")
        except StaleVersion:
            # a worker that was stalled here finds that another one has begun; where the lease is still ours, again soon
            raise Stop(State.WAITING, "The ticket was changed meanwhile.", 1.0) from None

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """One exchange with the platform that changes nothing; a closed gate ends the run for now."""
        self._keep_lease()
        try:
            answer = question()
        except (stops.Stopped, throttle.Wait) as closed:
            raise _closed(closed) from closed
        throttle.learn(self.ticket.ad_account, self.client.usage)
        return self.cleaned(answer)

    def cleaned(self, outcome: Any) -> Any:
        """Without the account's secrets; lists of what was read hold none."""
        return storable(outcome, self._secrets) if dataclasses.is_dataclass(outcome) else outcome

    @cached_property
    def _secrets(self) -> tuple[str, ...]:
        return tuple(self.client.connection.credentials.values())

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
        reach(9)
        with transaction.atomic():
            if not self._end_with(values):
                raise LeaseLost
            self._record_done()
            self._move_ticket(state, stop)
            if state in (State.FAILED, State.CANCELLED):
                skip_unsent(self.deployment)
        return Ended(state, stop.reason, after)

    def _end_with(self, values: dict[str, Any]) -> bool:
        """Compare and set. Waiting is no event, as taking the lease is none: a run may wait a hundred times."""
        if values["state"] != State.WAITING:
            return compare_and_set(self.deployment, where={"lease_owner": self.lease}, values=values)
        mine = unguarded(Deployment).filter(pk=self.deployment.pk, lease_owner=self.lease)
        if not mine.update(**values, updated_at=timezone.now()):
            return False
        for name, value in values.items():
            setattr(self.deployment, name, value)
        return True

    def _record_done(self) -> None:
        """What is done, on every level. The ledger has it from the moment of the answer; a worker that dies before
        this leaves it to the next."""
        done = [(self.planned[row.ref], row.external_ids) for row in self.rows if row.state == OpState.DONE]
        if done:
            held.record_done(ticket=self.ticket, api_version=self.plan.api_version, done=done)
        if self.lives is not None:
            held.record_live(self.ticket, self.lives)

    def _too_old(self) -> bool:
        """Given up on; a standing stop is no reason to, and its time does not count once it is over."""
        begun = self.deployment.started_at or timezone.now()
        return (timezone.now() - begun).total_seconds() > settings.DEPLOY_GIVE_UP_S

    def _move_ticket(self, state: str, stop: Stop) -> None:
        if self.deployment.kind == Kind.COMPENSATE:
            return self._move_compensated(state, stop)
        status = stop.ticket_status or {
            State.SUCCEEDED: Status.TRAFFICKED_SUCCESS, State.FAILED: Status.FAILED, State.IN_DOUBT: Status.IN_DOUBT,
        }.get(State(state))  # fmt: skip
        if status and self.ticket.status != status:
            values = {"findings": [each.as_dict() for each in stop.findings]} if stop.findings else {}
            tickets.transition(self.ticket, status, reason=stop.reason, **values)

    def _move_compensated(self, state: str, stop: Stop) -> None:
        """Everything that was built is archived: the ticket is given up, and its calls say so."""
        if state != State.SUCCEEDED:
            return
        built = Operation.objects.filter(deployment__ticket=self.ticket, state=OpState.DONE, action="create")
        built.update(state=OpState.COMPENSATED, updated_at=timezone.now())
        tickets.transition(self.ticket, Status.CANCELLED, reason="what was built is archived")

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

    def _refuse_late(self) -> None:
        """Right before a request leaves: a worker that was stalled past half of its lease sends nothing any more.

        Another one may have taken over meanwhile, looked, and sent.
        """
        left = (self.deployment.lease_until - timezone.now()).total_seconds()
        if left < settings.DEPLOY_LEASE_S / 4:
            raise LeaseLost

    # ----------------------------------------------------------------------------- one operation

    def _carry_out(self, row: Operation, planned: base.Operation) -> None:
        if row.state in (OpState.SENDING, OpState.IN_DOUBT):
            self._look(row, planned)
        if row.state == OpState.PENDING:
            self._send(row, planned)
        self.external_ids.update(row.external_ids)

    def _send(self, row: Operation, planned: base.Operation) -> None:
        self._keep_lease()
        if planned.action in ("upload", "await") and self._uploaded_before(row, planned):
            return
        if row.attempts >= settings.DEPLOY_MAX_SENDS:
            raise Stop(
                State.IN_DOUBT,
                f"{row} was sent {row.attempts} times without a clear answer. A person decides.",
            )
        _move(row, OpState.PENDING, state=OpState.SENDING, attempts=row.attempts + 1, sent_at=timezone.now())
        reach(4)
        try:
            outcome = self.client.apply(planned, self.external_ids)
        except (stops.Stopped, throttle.Wait) as closed:
            self._take_back(row)
            raise _closed(closed) from closed
        except LeaseLost:
            # the gate let nothing out; if nobody has taken over, the row says so
            with suppress(LeaseLost):
                self._take_back(row)
            raise
        reach(5)
        throttle.learn(self.ticket.ad_account, self.client.usage)
        self._settle(row, planned, self.cleaned(outcome))
        reach(6)

    def _take_back(self, row: Operation) -> None:
        """The gate was closed: the call has certainly not left."""
        _move(row, OpState.SENDING, state=OpState.PENDING, attempts=row.attempts - 1)

    def _uploaded_before(self, row: Operation, planned: base.Operation) -> bool:
        """A file that is in the account's library is not sent again, nor is its processing awaited twice."""
        account_id = self.ticket.ad_account_id
        if planned.action == "await":
            done = uploads.is_ready(account_id, planned.parents)
            ids = {}
        else:
            ids = {each.ref: uploads.known_id(account_id, each.ref) for each in planned.objects}
            done = all(ids.values())
        if done:
            _move(row, OpState.PENDING, state=OpState.DONE, external_ids=ids, answered_at=timezone.now())
            return True
        if planned.action == "upload":
            try:
                uploads.claim(account_id, planned.ref, self.deployment)
            except uploads.BeingUploaded:
                reason = f"{row.name} is being uploaded by another deployment."
                raise Stop(State.WAITING, reason, UPLOAD_WAIT_S) from None
        return False

    def _look(self, row: Operation, planned: base.Operation) -> None:
        """After a lost answer: look for what it would have done, again after a delay, and only then send again."""
        planned = expecting_file_ids(planned, self.external_ids)
        found = self.ask(lambda: self.client.find(planned, self.external_ids))
        reach(7)
        if isinstance(found, base.Applied):
            self._done(row, planned, found)
            return
        if isinstance(found, base.NeedsAuth):
            raise Stop(State.FAILED, found.reason)
        if isinstance(found, base.RetryLater | base.InDoubt):
            self._look_later(row, found)
        delays = settings.DEPLOY_LOOK_AFTER_S
        _move(row, row.state, state=OpState.IN_DOUBT, waits=row.waits + 1)
        if row.waits < len(delays):
            reason = f"{row}: the answer was lost and it is not there yet; looking again."
            raise Stop(State.WAITING, reason, delays[row.waits])
        if row.error_code:
            _move(row, OpState.IN_DOUBT, state=OpState.REJECTED)
            raise Stop(State.FAILED, f"{row}: {row.error}")
        _move(row, OpState.IN_DOUBT, state=OpState.PENDING, waits=0)

    def _look_later(self, row: Operation, found: base.RetryLater | base.InDoubt) -> None:
        """The look itself told nothing. Where several could be it, only a person can say."""
        _move(row, row.state, state=OpState.IN_DOUBT)
        if isinstance(found, base.InDoubt) and found.ambiguous:
            raise Stop(State.IN_DOUBT, f"{row}: {found.reason}. A person decides.")
        raise Stop(State.WAITING, found.reason, retry.wait(getattr(found, "after", None), row.attempts))

    def _settle(self, row: Operation, planned: base.Operation, outcome: base.Outcome) -> None:
        answer = {
            "http_status": outcome.http_status,
            "response": outcome.response,
            "answered_at": timezone.now(),
        }
        if isinstance(outcome, base.Applied):
            self._done(row, planned, outcome)
        elif isinstance(outcome, base.Rejected):
            self._refused(row, planned, outcome, answer)
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
            after = max(settings.DEPLOY_LOOK_AFTER_S[0], retry.wait(None, row.attempts - 1))
            raise Stop(State.WAITING, outcome.reason, after)

    def _refused(
        self, row: Operation, planned: base.Operation, outcome: base.Rejected, answer: dict[str, Any]
    ) -> None:
        self._look_behind_refusal(row, planned)
        if row.state == OpState.DONE:
            return
        field = source_field(planned.sources, outcome.pointer) if outcome.pointer else ""
        words = {
            "error_code": outcome.code[:80] or "refused",
            "error": outcome.message,
            "error_field": field[:200],
        }
        if row.attempts > 1:
            # an earlier sending was lost: it may be what stands in the way, and not to be seen yet
            _move(row, OpState.SENDING, state=OpState.IN_DOUBT, waits=0, **answer, **words)
            raise Stop(State.WAITING, f"{row}: {outcome.message}", settings.DEPLOY_LOOK_AFTER_S[0])
        _move(row, OpState.SENDING, state=OpState.REJECTED, **answer, **words)
        raise Stop(State.FAILED, f"{row}: {outcome.message}")

    def _look_behind_refusal(self, row: Operation, planned: base.Operation) -> None:
        """It may be refused because it landed: sent again, or repeated on its way (duplicate name, already archived)."""
        planned = expecting_file_ids(planned, self.external_ids)
        found = self.ask(lambda: self.client.find(planned, self.external_ids))
        if isinstance(found, base.Applied):
            self._done(row, planned, found)
        elif isinstance(found, base.RetryLater | base.InDoubt):
            self._look_later(row, found)

    def _done(self, row: Operation, planned: base.Operation, applied: base.Applied) -> None:
        _move(
            row, row.state, state=OpState.DONE, external_ids=dict(applied.external_ids), error="", error_code="",
            http_status=applied.http_status, response=applied.response, answered_at=timezone.now(),
        )  # fmt: skip
        if planned.action in ("upload", "await"):
            uploads.record(self.ticket.ad_account_id, planned, row.external_ids)

    # -------------------------------------------------------------------------------------- proof

    def _prove(self) -> None:
        """Read everything back and hold it against what was wanted, field by field."""
        proof.prove(self)


def _closed(closed: stops.Stopped | throttle.Wait) -> Stop:
    if isinstance(closed, throttle.Wait):
        return Stop(State.WAITING, str(closed), closed.after)
    return Stop(State.WAITING, str(closed), STOPPED_LOOK_S)


def _move(row: Operation, state_before: str, **values: Any) -> None:
    """Compare and set an operation's state; two workers never both move it."""
    values["updated_at"] = timezone.now()
    if not Operation.objects.filter(pk=row.pk, state=state_before).update(**values):
        raise LeaseLost
    for name, value in values.items():
        setattr(row, name, value)
