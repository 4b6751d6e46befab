"""What must be true when a schedule has come to rest, told from the sandbox's own store and the house's own rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from deploy import connections, drift
from deploy.models import Operation
from deploy.tests.explored_world import World, fresh
from trafficking import held
from trafficking.models import Ad, AdSet, PlatformObject, Ticket
from trafficking.platforms import base
from trafficking.platforms.changes import disagreements, with_file_ids
from trafficking.platforms.registry import platform
from trafficking.platforms.sandbox_base import Sandbox
from trafficking.snapshots import ticket_snapshot

Type, OpState = Ticket.RequestType, Operation.State
KINDS = {
    "campaign": "campaign", "ad_set": "ad_set", "adgroup": "ad_set", "ad_group": "ad_set", "ad": "ad",
    "ad_group_ad": "ad",
}  # fmt: skip
#: Where each sandbox keeps whether an object runs, and the words for gone and running.
_STATUS = ("operation_status", "status")
_GONE = frozenset({"DELETED", "ARCHIVED", "DELETE", "REMOVED"})
_RUNS = frozenset({"ACTIVE", "ENABLE", "ENABLED"})


@dataclass(frozen=True, slots=True)
class Thing:
    """A campaign, ad set or ad that lives in the sandbox."""

    type: str
    id: str
    parent: str
    name: str  # "" where the platform has no name for it
    runs: bool


def living(sandbox: Sandbox) -> dict[str, Thing]:
    """By id: what is not gone, nor hangs under something that is."""
    found: dict[str, Thing] = {}
    for row in sandbox.store.rows():
        kind, status = KINDS.get(row["_kind"]), next((row[key] for key in _STATUS if row.get(key)), "")
        parent = str(row["_parent"]).rpartition("/")[2]
        top = kind == "campaign"  # Google hangs its campaigns under their budget
        if kind is None or status in _GONE or (not top and parent not in found):
            continue
        name = next((str(row[key]) for key in _NAMES if row.get(key)), "")
        found[str(row["id"])] = Thing(kind, str(row["id"]), "" if top else parent, name, status in _RUNS)
    return found


_NAMES = ("name", "campaign_name", "adgroup_name", "ad_name")


def identity(key: str, external_id: str) -> str:
    """The house's id of an object as the sandbox keys it."""
    return external_id.rpartition("/")[2]


@dataclass(slots=True)
class Account:
    """What happened to the schedule that excuses a disagreement, and what was approved in it."""

    tickets: list[Ticket]
    tampered: bool = False
    dropped: bool = False
    may_run: bool = False


class Inspection:
    """One look at the world at rest. `wrong` says every invariant that does not hold, in words."""

    def __init__(self, world: World, account: Account) -> None:
        self.world, self.account = world, account
        self.ticket = fresh(account.tickets[-1])
        self.things = living(world.sandbox)
        self.rows = list(held.rows_of(self.ticket).filter(object_type__in=("campaign", "ad_set", "ad")))
        self.known = {identity(world.key, row.external_id): row for row in self.rows}
        self.operations = list(
            Operation.objects.filter(deployment__ticket__in=account.tickets).select_related(
                "deployment__plan"
            )
        )
        self.planned = {
            (op.deployment_id, ref): planned
            for op in self.operations
            for ref, planned in _plan_of(op).items()
        }
        self.open_questions: list[str] = []
        self.duplicates = self.lost = 0
        self.wrong: list[str] = []

    def of(self, operation: Operation) -> base.Operation:
        return self.planned[operation.deployment_id, operation.ref]

    @property
    def unclear(self) -> list[Operation]:
        return [each for each in self.operations if each.state in (OpState.IN_DOUBT, OpState.SENDING)]

    def look(self) -> Inspection:
        self._extras()
        self._missing()
        self._written_back()
        self._running()
        self._values()
        if self.ticket.status == "TRAFFICKED_SUCCESS":
            self._as_wanted()
        return self

    # --------------------------------------------------------------------- exactly one of each

    def _extras(self) -> None:
        """Whatever lives there and no row knows must have been reported."""
        for thing in self.things.values():
            if thing.id in self.known:
                continue
            if self._reported(thing):
                self.open_questions.append(f"{thing.type} {thing.id} {thing.name}")
            else:
                self.duplicates += 1
                self.wrong.append(f"unreported {thing}; ticket {self.ticket.status}")

    def _reported(self, thing: Thing) -> bool:
        named = any(self._could_be(operation, thing) for operation in self.unclear)
        return named or any(thing.id in told for told in self._told()) or thing.id in self._drifted

    def _could_be(self, operation: Operation, thing: Thing) -> bool:
        return any(
            each.type == thing.type and not each.external_id and (not thing.name or each.name == thing.name)
            for each in self.of(operation).objects
        )

    @cached_property
    def _drifted(self) -> set[str]:
        """Ids that the next look of the watch reports: an unproved tree in which the platform dropped what it was told."""
        if self.ticket.status == "TRAFFICKED_SUCCESS":
            return set()
        held.record_live(self.ticket, self._lives())
        found = drift.judge_tree(self.ticket)
        return {identity(self.world.key, each.held.external_id) for each in found}

    def _told(self) -> Iterator[str]:
        """What the proofs name as there and unplanned."""
        for ticket in self.account.tickets:
            for deployment in ticket.deployments.exclude(proof={}).iterator():
                yield json.dumps(deployment.proof.get("unexpected", []))

    def _missing(self) -> None:
        """Whatever a row says lives must live, unless a call that takes it away is unclear."""
        touched = {
            identity(self.world.key, each.external_id)
            for operation in self.unclear
            for each in self.of(operation).objects
        }
        for external_id, row in self.known.items():
            thing = self.things.get(external_id)
            if thing is None:
                if not (self._with_parents(row) & touched or self.account.tampered):
                    self.lost += 1
                    self.wrong.append(f"{row.object_type} {external_id} is in the ledger and not there")
            elif thing.name and row.name != thing.name and not self._excused(external_id, touched):
                self.wrong.append(f"{external_id} is called {thing.name} there and {row.name} here")

    def _with_parents(self, row: PlatformObject) -> set[str]:
        """Ids of an object and of all that it hangs under: what is above it takes it along."""
        by_ref, ids = {each.ref: each for each in self.rows}, set()
        above: PlatformObject | None = row
        while above is not None:
            ids.add(identity(self.world.key, above.external_id))
            above = by_ref.get(above.parent)
        return ids

    def _excused(self, external_id: str, touched: set[str]) -> bool:
        return self.account.tampered or self.account.dropped or external_id in touched

    def _written_back(self) -> None:
        """Each finished create stands in the ledger, on its object's row, and on the row that people look at."""
        rows = set(
            PlatformObject.objects.filter(ad_account=self.ticket.ad_account).values_list(
                "external_id", flat=True
            )
        )
        renewed = {
            ref
            for op in self.operations
            if op.state in (OpState.DONE, OpState.COMPENSATED)
            for ref in (each.ref for each in self.of(op).objects)
            if sum(ref in other.external_ids for other in self.operations) > 1
        }
        for op in self.operations:
            if op.state != OpState.DONE or op.deployment.state == "RUNNING":
                continue
            for each in self.of(op).objects:
                new = each.type in held.HELD_TYPES and not each.external_id and each.ref not in renewed
                if new and op.external_ids.get(each.ref) not in rows:
                    self.wrong.append(f"{op} is done and {each.ref} has no row")
        self._columns()

    def _columns(self) -> None:
        ids = {(row.object_type, row.intent): row.external_id for row in self.rows}
        ticket = self.ticket
        if ticket.request_type not in Ticket.CONTENT or ticket.status != "TRAFFICKED_SUCCESS":
            return
        found = [("ad_set", each) for each in AdSet.objects.filter(ticket=ticket)]
        found += [("ad", each) for each in Ad.objects.filter(ad_set__ticket=ticket)]
        for object_type, row in found:
            expected = ids.get((object_type, str(row.intent_id)))
            if expected is None:
                self.lost += 1
                self.wrong.append(f"{object_type} {row.name} was to be built and has no object")
            elif row.external_id != expected:
                self.wrong.append(f"{object_type} {row.name} shows {row.external_id!r}, not {expected}")

    # ---------------------------------------------------------------------- only what was approved

    def _running(self) -> None:
        if self.account.may_run or self.account.tampered:
            return
        for thing in self.things.values():
            if thing.runs:
                self.wrong.append(f"{thing.type} {thing.id} {thing.name} runs, and nobody activated it")

    def _values(self) -> None:
        """Each field that anybody asked for has a value that somebody approved."""
        if self.account.tampered or self.account.dropped:
            return
        allowed = self._allowed()
        for live in self._lives():
            row = self.known.get(identity(self.world.key, live.external_id))
            for name, value in live.fields.items():
                values = allowed.get((row.ref if row else "", name))
                if values is not None and _text(value) not in values:
                    self.wrong.append(
                        f"{live.type} {live.external_id}: {name} is {value!r}; approved {values}"
                    )

    def _allowed(self) -> Mapping[tuple[str, str], set[str]]:
        allowed: dict[tuple[str, str], set[str]] = {}
        for ticket in self.account.tickets:
            if ticket.request_type not in Ticket.CONTENT:
                continue
            for each in wanted_of(ticket):
                for name, value in each.fields.items():
                    allowed.setdefault((each.ref, name), {_text(None)}).add(_text(value))
        return allowed

    def _lives(self) -> list[base.Live]:
        """Every campaign of ours as the platform reads it back."""
        client = connections.client_for(self.ticket.ad_account)
        lives: list[base.Live] = []
        for thing in self.things.values():
            if thing.type == "campaign":
                found = client.read_tree(self._own_id(thing.id))
                lives += found if isinstance(found, tuple) else ()
        return lives

    def _own_id(self, thing_id: str) -> str:
        row = self.known.get(thing_id)
        return row.external_id if row else thing_id

    # ----------------------------------------------------------------------------- what was wanted

    def _as_wanted(self) -> None:
        """Field by field as the ticket says, and nothing left to plan."""
        if self.ticket.request_type not in (Type.CREATE, Type.UPDATE, Type.ADD):
            return self._as_switched()
        ids = {row.ref: row.external_id for row in held.rows_of(self.ticket)}
        lives = {(each.type, each.external_id): each for each in self._lives()}
        for wanted in wanted_of(self.ticket):
            live = lives.get((wanted.type, ids.get(wanted.ref, "")))
            if live is None and wanted.type in KINDS.values():
                self.lost += 1
                self.wrong.append(f"{wanted.ref} is wanted and not there")
            for each in disagreements(wanted, live) if live else ():
                self.wrong.append(f"{each.ref} {each.field}: {each.live!r}, wanted {each.wanted!r}")
        self._plan_again(lives)

    def _plan_again(self, lives: Mapping[Any, base.Live]) -> None:
        objects = [
            replace(each, live=dict(live.fields), status=live.status)
            if (live := lives.get((each.type, each.external_id)))
            else each
            for each in held.held_of(self.ticket)
        ]
        objects += uploaded(self.ticket)
        snapshot = replace(ticket_snapshot(self.ticket), request_type="UPDATE")
        again = platform(self.world.key).compile(snapshot, objects)
        for operation in again.operations:
            self.wrong.append(f"planned again: {operation.ref} {[c.as_dict() for c in again.changes][:3]}")

    def _as_switched(self) -> None:
        """What each call was to leave behind is there."""
        last = self.ticket.deployments.order_by("-id").first()
        for planned in last.plan.as_operations() if last else ():
            for each in planned.objects:
                thing = self.things.get(identity(self.world.key, each.external_id))
                status = each.expect.get("status")
                there = "ARCHIVED" if thing is None else "ACTIVE" if thing.runs else "PAUSED"
                if status and there != status:
                    self.wrong.append(f"{each.ref} is {there}, not {status}")


def _plan_of(operation: Operation) -> dict[str, base.Operation]:
    return {each.ref: each for each in operation.deployment.plan.as_operations()}


def whole_tree(ticket: Ticket) -> tuple[base.Operation, ...]:
    snapshot = replace(ticket_snapshot(ticket), request_type="CREATE", scope=())
    return platform(snapshot.platform).compile(snapshot).operations


def wanted_of(ticket: Ticket) -> list[base.Wanted]:
    """Its objects as they should read, files told by the ids that the account's library gave them."""
    ids = {row.ref: row.external_id for row in ticket.ad_account.uploads.exclude(external_id="")}
    return [
        replace(each, fields=with_file_ids(each.fields, ids))
        for each in platform(ticket.channel.platform).wanted(whole_tree(ticket))
    ]


def uploaded(ticket: Ticket) -> list[base.Held]:
    rows = ticket.ad_account.uploads.exclude(external_id="")
    return [base.Held(row.ref, "media", row.external_id, "", "", "", "", {}) for row in rows]


def doubles(things: Iterable[Thing]) -> int:
    """How many objects share type, parent and name with another."""
    counted = Counter((each.type, each.parent, each.name) for each in things if each.name)
    return sum(count - 1 for count in counted.values())


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
