"""The explorer: random trees × requests × faults × deaths × racing workers, one seed one schedule, in virtual time.

A schedule is rolled back when it has been looked at, so that thousands of them start from the same trees. What must
hold afterwards stands in explored_checks.py; `benchmarks/faults.py` runs many, test_faults.py a few.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from deploy import connections, engine, services
from deploy.models import Deployment
from deploy.points import POINTS
from deploy.tests.explored_checks import Account, Inspection, doubles, living, whole_tree
from deploy.tests.explored_world import Killed, Shape, Stuck, World, channels_of, fresh
from trafficking import requests as follow
from trafficking.models import Ad, Ticket
from trafficking.platforms.sandbox_base import Fault
from trafficking.tests.factories import TREES

Type = Ticket.RequestType
RESTING = frozenset({"TRAFFICKED_SUCCESS", "FAILED", "IN_DOUBT", "CANCELLED", "QA_FAILED"})
#: Kinds of faults, and how often each is drawn. The last two end as open questions by their nature.
FAULTS = {
    "lose_request": 4, "lose_answer": 6, "server_error": 3, "server_error_after_commit": 4, "truncate": 3, "html": 3,
    "throttle": 4, "slow": 2, "expired_token": 2, "duplicate": 2, "drop_field": 2,
}  # fmt: skip
#: Those after which the call was done and nobody was told.
LOST_ANSWERS = frozenset({"lose_answer", "server_error_after_commit", "truncate"})


@dataclass(frozen=True, slots=True)
class Start:
    """An approved ticket and what the platform has then."""

    label: str
    ticket_id: int
    before: tuple[int, ...]  # trafficked tickets of the same tree
    request_type: str
    stored: bytes
    seconds: float
    may_run: bool


@dataclass(slots=True)
class Result:
    seed: int
    label: str
    wrong: list[str]
    counted: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)


class Explorer:
    """Schedules on one platform. `width`: how many trees to start from."""

    def __init__(self, key: str, *, width: int = 8) -> None:
        self.world = World(key)
        self.width = width
        self.starts: dict[str, list[Start]] = {}

    @contextmanager
    def prepared(self) -> Iterator[Explorer]:
        """Build the trees; all of it is rolled back at the end. Needs a database that is migrated."""
        with transaction.atomic(), self.world.entered():
            with self.world.seeded("trees") as rng:
                self.world.people()
                for number in range(self.width):
                    self._grow(rng, _shape(self.world.key, rng, number), running=number % 3 == 2)
            yield self
            transaction.set_rollback(True)

    def _grow(self, rng: random.Random, shape: Shape, *, running: bool) -> None:
        """A tree to be built, the same kind of tree built, and what may be asked of it then."""
        world = self.world
        world.open()
        unbuilt = world.draft(shape)
        assert world.approve(unbuilt), [each.as_report() for each in unbuilt.all_findings]
        self._keep(shape, unbuilt, ())
        base = world.draft(shape)
        world.build(base)
        before = [base]
        if running:
            on = follow.start_request(base=base, request_type="ACTIVATE", by=world.trafficker)
            world.build(on)
            before.append(on)
        for request_type, scoped in _askable(rng, running):
            asked = ask(world, rng, fresh(base), request_type, scoped=scoped)
            if asked is not None:
                self._keep(shape, asked, tuple(before), may_run=running)

    def _keep(
        self, shape: Shape, ticket: Ticket, before: tuple[Ticket, ...], *, may_run: bool = False
    ) -> None:
        label = f"{ticket.request_type} {shape.channel} {shape.ad_sets}×{shape.ads}{' files' * shape.files}"
        start = Start(
            label, ticket.pk, tuple(each.pk for each in before), ticket.request_type, self.world.stored(),
            self.world.clock(), may_run,
        )  # fmt: skip
        self.starts.setdefault(ticket.request_type, []).append(start)

    def explore(self, seed: int) -> Result:
        """Run one schedule and look at what it left; the database is then as before."""
        with self.world.seeded(seed) as rng, transaction.atomic():
            kinds = sorted(self.starts)
            kind = rng.choices(kinds, [3 if each == Type.CREATE else 1 for each in kinds])[0]
            journey = Journey(self.world, rng, rng.choice(self.starts[kind]))
            result = journey.result(seed)
            transaction.set_rollback(True)
        return result


def _shape(key: str, rng: random.Random, number: int) -> Shape:
    channels = channels_of(key)
    ad_sets, ads = rng.choice([(1, 1), (1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1), (3, 3)])
    level = "CAMPAIGN" if key != "google_ads" and rng.random() < 0.4 else "AD_SET"
    return Shape(channels[number % len(channels)], ad_sets, ads, level, files=rng.random() < 0.35)


def _askable(rng: random.Random, running: bool) -> list[tuple[str, bool]]:
    """(request type, of a part only): one change of content, and every switch that would do something."""
    content = rng.choice(["UPDATE", "UPDATE", "ADD", "RENAME"])
    switches = [("PAUSE", False), ("PAUSE", True)] if running else [("ACTIVATE", False), ("ACTIVATE", True)]
    return [*switches, ("ARCHIVE", False), ("ARCHIVE", True), (content, False)]


# ---------------------------------------------------------------------------------- what is asked


def ask(
    world: World, rng: random.Random, base: Ticket, request_type: str, *, scoped: bool = False
) -> Ticket | None:
    """A following ticket, approved; None where QA finds nothing to do in it."""
    scope = [_part(rng, base)] if scoped else []
    ticket = follow.start_request(base=base, request_type=request_type, by=world.trafficker, scope=scope)
    if request_type in ("UPDATE", "RENAME"):
        names_only = request_type == "RENAME"
        edits = [_rename_ad_set] if names_only else rng.sample(EDITS, rng.choice([1, 1, 2, 3]))
        for edit in edits:
            edit(rng, fresh(ticket))
    elif request_type == "ADD":
        rng.choice([_add_ad, _add_ad_set])(rng, fresh(ticket))
    ticket = fresh(ticket)
    return fresh(ticket) if world.approve(ticket) else None


def _part(rng: random.Random, base: Ticket) -> str:
    intents = [each.intent_id for each in base.ad_sets.all()]
    intents += Ad.objects.filter(ad_set__ticket=base).values_list("intent_id", flat=True)
    return str(rng.choice(intents))


def _any_ad_set(rng: random.Random, ticket: Ticket) -> Any:
    return rng.choice(list(ticket.ad_sets.order_by("position")))


def _any_ad(rng: random.Random, ticket: Ticket) -> Any:
    return rng.choice(list(Ad.objects.filter(ad_set__ticket=ticket).order_by("ad_set__position", "position")))


def _change_budget(rng: random.Random, ticket: Ticket) -> None:
    row: Any = ticket if ticket.budget_level == "CAMPAIGN" else _any_ad_set(rng, ticket)
    row.budget += Decimal(rng.randrange(10, 500))
    row.save()


def _change_landing_page(rng: random.Random, ticket: Ticket) -> None:
    ad = _any_ad(rng, ticket)
    ad.landing_page = f"https://example.com/another/{rng.randrange(1000)}"
    ad.save()


def _change_copy(rng: random.Random, ticket: Ticket) -> None:
    ad = _any_ad(rng, ticket)
    if ad.texts:
        ad.texts = [f"Set sail {rng.randrange(1000)} times.", *ad.texts[1:]]
    else:
        ad.headlines = [f"Sail {rng.randrange(1000)} times", *ad.headlines[1:]]
    ad.save()


def _change_age(rng: random.Random, ticket: Ticket) -> None:
    row = _any_ad_set(rng, ticket)
    row.age_min = rng.choice([25, 35])
    row.save()


def _shorten(rng: random.Random, ticket: Ticket) -> None:
    ticket.end_on = ticket.end_on.replace(day=ticket.end_on.day - rng.choice([1, 2]))
    ticket.save()


def _rename_ad_set(rng: random.Random, ticket: Ticket) -> None:
    row = _any_ad_set(rng, ticket)
    row.name = f"Retargeting {rng.choice('ABCDEFGH')}{row.position}"
    row.save()


EDITS: list[Callable[[random.Random, Ticket], None]] = [
    _change_budget, _change_landing_page, _change_copy, _change_age, _shorten, _rename_ad_set,
]  # fmt: skip


def _add_ad(rng: random.Random, ticket: Ticket) -> None:
    ad_set = _any_ad_set(rng, ticket)
    first = ad_set.ads.first()
    values = {**TREES[ticket.channel.code][1][0], "name": "Late Wave", "media": first.media}
    Ad(ad_set=ad_set, position=9, **{**values, "landing_page": "https://example.com/late"}).save()


def _add_ad_set(rng: random.Random, ticket: Ticket) -> None:
    row = _any_ad_set(rng, ticket)
    first = row.ads.first()
    for name in ("pk", "id", "public_id", "intent_id"):
        setattr(row, name, type(row)._meta.get_field("id" if name == "pk" else name).get_default())
    row._state.adding, row.name, row.position, row.external_id = True, "Late Comers", 9, ""
    row.save()
    values = {**TREES[ticket.channel.code][1][0], "media": first.media}
    Ad(ad_set=row, position=0, **values).save()


# ------------------------------------------------------------------------------------ a schedule


class Journey:
    """One schedule: what is going to go wrong is drawn first, then the engine and a person do what they do."""

    def __init__(self, world: World, rng: random.Random, start: Start) -> None:
        self.world, self.rng, self.start = world, rng, start
        self.counted: Counter[str] = Counter()
        self.trace: list[str] = []
        self.wrong: list[str] = []
        self.visits: Counter[int] = Counter()
        self.asked = 0
        self.racing = False
        world.clock.seconds = start.seconds
        world.stumbles.clear()
        world.open(start.stored)
        before = [Ticket.objects.get(pk=each) for each in start.before]
        self.ticket = fresh(Ticket.objects.get(pk=start.ticket_id))
        self.account = Account(
            [*before, self.ticket], may_run=start.may_run or start.request_type == Type.ACTIVATE
        )
        self._draw()

    # ------------------------------------------------------------------------ what will go wrong

    def _draw(self) -> None:
        rng, world = self.rng, self.world
        self.most_acts = rng.choice([0, 1, 2, 3, 8, 8, 8])
        self.kills = {
            (rng.choice(list(POINTS)), rng.randrange(4)) for _ in range(rng.choice([0, 0, 1, 1, 2, 3]))
        }
        self.races = {
            (rng.choice(list(POINTS)), rng.randrange(4)) for _ in range(rng.choice([0, 0, 0, 1, 2]))
        }
        self.cuts = {
            (rng.choice(["before", "after"]), rng.randrange(30)) for _ in range(rng.choice([0, 0, 1]))
        }
        self.tampers = rng.random() < 0.12
        world.sandbox.lag_s = rng.choice([0.0, 0.0, 0.0, 0.5, 4.0, 15.0])
        world.weather.rng = rng
        world.weather.waits = rng.choice([0.0, 0.0, 0.0, 0.02, 0.1])
        stopped_after = rng.uniform(0, 3)
        world.weather.stopped_from = world.clock() + stopped_after
        world.weather.stopped_until = world.weather.stopped_from + rng.choice([0, 0, 0, 25, 400])
        world.sandbox.faults = [self._fault() for _ in range(rng.choice([0, 1, 1, 2, 3, 4]))]
        for each in world.sandbox.faults:
            self.trace.append(f"planned {each}")
        self.trace.append(f"kills {sorted(self.kills)} races {sorted(self.races)} cuts {sorted(self.cuts)}")
        self.trace.append(f"lag {world.sandbox.lag_s} s, waits {world.weather.waits}, tampers {self.tampers}")

    def _fault(self) -> Fault:
        rng = self.rng
        kind = rng.choices(list(FAULTS), list(FAULTS.values()))[0]
        match = rng.choice(["POST", "POST", "POST", ""])
        count = rng.choice([1, 1, 1, 2, 3])
        seconds = rng.choice([0.0, 2.0, 60.0, 600.0]) if kind == "throttle" else rng.uniform(0.2, 25)
        name = self._some_field() if kind == "drop_field" else ""
        return Fault(kind, match, count, rng.randrange(rng.choice([6, 18])), seconds, name)

    def _some_field(self) -> str:
        """A field that the plan sends; ids are left alone, they would make another tree of it."""
        plan = self.ticket.plans.order_by("-id").first()
        names = sorted({name for each in plan.operations for name in _names(each["body"])})
        found = [each for each in names if not each.lower().endswith(_BEARING)]
        return self.rng.choice(found or ["name"])

    @property
    def clean(self) -> bool:
        """Nothing in it takes away what can't be told from a mistake of ours: it must come to a good end."""
        kinds = {each.kind for each in self.faults_drawn}
        return not (kinds & {"duplicate", "drop_field"} or self.tampers or self.world.sandbox.lag_s > 5)

    # ------------------------------------------------------------------------------ what happens

    def result(self, seed: int) -> Result:
        self.faults_drawn = [Fault(**_as_dict(each)) for each in self.world.sandbox.faults]
        clean = self.clean
        try:
            self._happen(clean)
        except Stuck as stuck:
            self.wrong.append(str(stuck))
        finally:
            self._calm()
        self.wrong += [f"stumbled: {each}" for each in self.world.stumbles]
        self._count()
        return Result(seed, self.start.label, self.wrong, self.counted, self.trace)

    def _happen(self, clean: bool) -> None:
        self.world.listen, self.world.wire.on_request = self._reached, self._requested
        if self.tampers:
            return self._behind_our_back()
        self._deploy()
        while self.ticket.status == "TRAFFICKED_SUCCESS" and self.rng.random() < 0.15:
            if not self._go_on():
                break
        self._inspect()
        if clean and self.most_acts == 8 and self.ticket.status not in ("TRAFFICKED_SUCCESS", "CANCELLED"):
            self.wrong.append(f"never finished: {self.ticket.status}: {self._reason()}")

    def _deploy(self) -> None:
        services.start_deployment(ticket=self.ticket, by=self.world.trafficker)
        self._rest()
        for _act in range(self.most_acts):
            if self.ticket.status not in ("IN_DOUBT", "FAILED") or not self._person_acts():
                return
            self._rest()

    def _rest(self) -> None:
        self.world.rest(self.ticket)
        self.ticket = fresh(self.ticket)
        self.account.tickets[-1] = self.ticket
        self._say(f"rests {self.ticket.status}: {self._reason()}")
        if self.ticket.status not in RESTING:
            self.wrong.append(f"rests as {self.ticket.status}")

    def _reason(self) -> str:
        found = self.ticket.deployments.order_by("-id").first()
        return f"{found.state} {found.reason}" if found else ""

    def _person_acts(self) -> bool:
        """Mends the token, and answers what is asked; False where the house refuses it."""
        world, rng = self.world, self.rng
        world.clock.sleep(rng.choice([5.0, 120.0, 4000.0]))
        world.sandbox.faults = [each for each in world.sandbox.faults if each.kind != "expired_token"]
        by, ticket = world.trafficker, self.ticket
        try:
            if ticket.status == "IN_DOUBT":
                act = rng.choice(["look_again", "look_again", "give_up"])
            else:
                act = "compensate" if ticket.request_type == Type.CREATE and rng.random() < 0.25 else "deploy"
            self._say(f"a person: {act}")
            self.counted[f"act {act}"] += 1
            if act == "look_again":
                services.look_again(ticket=ticket, by=by)
            elif act == "give_up":
                services.give_up(ticket=ticket, by=by, comment="looked at it")
            elif act == "compensate":
                services.compensate(ticket=ticket, by=by, comment="not wanted any more")
            else:
                services.start_deployment(ticket=ticket, by=by)
        except ValidationError as error:
            self._say(f"refused: {error.messages}")
            self.counted["act refused"] += 1
            return act == "compensate"
        return True

    def _go_on(self) -> bool:
        """Another request on the tree as it is now."""
        base = follow.current_tree(self.ticket.campaign_id, self.ticket.channel_id)
        kind = self.rng.choice(["UPDATE", "ADD", "PAUSE", "ACTIVATE", "ARCHIVE", "RENAME"])
        self._say(f"then {kind}")
        self.world.listen, self.world.wire.on_request = _unheard, _unheard
        try:
            asked = ask(self.world, self.rng, fresh(base), kind) if base else None
        except ValidationError as error:
            self._say(f"refused: {error.messages}")
            return False
        finally:
            self.world.listen, self.world.wire.on_request = self._reached, self._requested
        if asked is None:
            return False
        self.ticket = asked
        self.account.tickets.append(asked)
        self.account.may_run |= kind == "ACTIVATE"
        self.counted[f"request {kind}"] += 1
        self._deploy()
        return True

    def _behind_our_back(self) -> None:
        """Somebody changes the platform between approval and apply: no call that changes anything may follow."""
        if self.rng.random() < 0.5:
            self._tamper()
            services.start_deployment(ticket=self.ticket, by=self.world.trafficker)
        else:
            services.start_deployment(ticket=self.ticket, by=self.world.trafficker)
            self._tamper()
        self.world.wire.changing = 0
        self._rest()
        for _act in range(4):
            if self.ticket.status != "FAILED" or not self._redeploy():
                break
        if self.world.wire.changing:
            self.wrong.append(f"{self.world.wire.changing} changing calls after a change behind our back")
        if self.ticket.status != "QA_FAILED":
            self.wrong.append(f"changed behind our back, and it is {self.ticket.status}: {self._reason()}")

    def _redeploy(self) -> bool:
        self.world.sandbox.faults = [e for e in self.world.sandbox.faults if e.kind != "expired_token"]
        services.start_deployment(ticket=self.ticket, by=self.world.trafficker)
        self._rest()
        return True

    def _tamper(self) -> None:
        self.counted["changed behind our back"] += 1
        self.account.tampered = True
        if self.start.request_type == Type.CREATE:
            self._build_namesake()
            return
        sandbox = self.world.sandbox
        ids = set(living(sandbox))
        rows = [row for row in sandbox.store.rows() if str(row["id"]) in ids]
        row = self.rng.choice(rows)
        status = "operation_status" if "operation_status" in row else "status"
        changes = {status: _OTHER[row[status]]}
        if row.get("name") and row["_kind"] != "ad_group_ad" and self.rng.random() < 0.6:
            changes = {"name": f"{row['name']} by hand"}
        self._say(f"somebody changes {row['_kind']} {row['id']}: {changes}")
        sandbox.tamper(row["_kind"], row["id"], changes)

    def _build_namesake(self) -> None:
        """Somebody builds a campaign of that name by hand."""
        held_faults, self.world.sandbox.faults = self.world.sandbox.faults, []
        listen, self.world.wire.on_request = self.world.wire.on_request, _unheard
        kept, self.world.weather.waits = self.world.weather.waits, 0.0
        until, self.world.weather.stopped_until = self.world.weather.stopped_until, 0.0
        client = connections.client_for(self.ticket.ad_account)
        ids: dict[str, str] = {}
        for operation in whole_tree(self.ticket):
            outcome = client.apply(operation, ids)
            ids.update(getattr(outcome, "external_ids", {}))
            if "campaign" in ids:
                break
        self.world.sandbox.faults, self.world.wire.on_request = held_faults, listen
        self.world.weather.waits, self.world.weather.stopped_until = kept, until
        self.world.clock.sleep(self.world.sandbox.lag_s + 1)
        self._say("somebody builds a campaign of the same name")

    # --------------------------------------------------------------------------- deaths and races

    def _reached(self, point: int) -> None:
        at = (point, self.visits[point])
        self.visits[point] += 1
        if at in self.kills:
            self.kills.discard(at)
            self._say(f"killed at {point}")
            self.counted["kills"] += 1
            self.counted[f"kills at point {point}"] += 1
            raise Killed
        if at in self.races and not self.racing:
            self.races.discard(at)
            self._race(point)

    def _requested(self, when: str) -> None:
        if when == "before":
            self.asked += 1
        if (when, self.asked) in self.cuts:
            self.cuts.discard((when, self.asked))
            self._say(f"killed {when} request {self.asked}")
            self.counted["kills"] += 1
            self.counted[f"kills {when} a request"] += 1
            raise Killed

    def _race(self, point: int) -> None:
        """This worker stalls beyond its lease; another takes over; then this one wakes up."""
        self._say(f"stalls at {point}")
        self.counted["zombies"] += 1
        self.world.clock.sleep(settings.DEPLOY_LEASE_S + self.rng.uniform(0.1, 20))
        self.racing = True
        try:
            if self.rng.random() < 0.5:
                self.world.rest(self.ticket)
            else:
                engine.run(str(self.ticket.public_id))
        except Killed:
            self._say("and the other one dies")
        finally:
            self.racing = False
        self._say(f"wakes up at {point}")

    # -------------------------------------------------------------------------------------- looking

    def _calm(self) -> None:
        """Fair weather, so that looking disturbs nothing."""
        world = self.world
        world.listen, world.wire.on_request = _unheard, _unheard
        world.sandbox.faults, world.sandbox.lag_s = [], 0.0
        world.weather.waits, world.weather.stopped_until = 0.0, 0.0

    def _inspect(self) -> None:
        self._calm()
        self.account.dropped = self.world.struck["drop_field"] > 0
        seen = Inspection(self.world, self.account).look()
        self.wrong += seen.wrong
        self.counted["duplicates"] += seen.duplicates
        self.counted["lost"] += seen.lost
        self.counted["open questions"] += bool(seen.open_questions)
        self.counted["doubles told"] += doubles(seen.things.values())
        self.trace += [f"open: {each}" for each in seen.open_questions]

    def _count(self) -> None:
        self.counted["schedules"] += 1
        self.counted[f"request {self.start.request_type}"] += 1
        self.counted[f"ended {self.ticket.status}"] += 1
        for kind, times in self.world.struck.items():
            self.counted[f"fault {kind}"] += times
            if kind in LOST_ANSWERS:
                self.counted["lost answers"] += times
        self.counted["violations"] += bool(self.wrong)
        self.counted["runs"] += self.visits[1]

    def _say(self, what: str) -> None:
        self.trace.append(f"{self.world.clock() - self.start.seconds:10.1f} s  {what}")


#: Ends of names of fields that the sandbox itself stands on.
_BEARING = (
    "id",
    "ids",
    "name",
    "campaign",
    "adgroup",
    "object_story_spec",
    "optimization_goal",
    "budget_mode",
)


def _unheard(_what: Any) -> None:
    return None


_OTHER = {
    "PAUSED": "ACTIVE", "ACTIVE": "PAUSED", "DISABLE": "ENABLE", "ENABLE": "DISABLE", "ENABLED": "PAUSED",
}  # fmt: skip


def _names(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        for name, value in body.items():
            yield name
            yield from _names(value)
    elif isinstance(body, list):
        for each in body:
            yield from _names(each)


def _as_dict(fault: Fault) -> dict[str, Any]:
    return {name: getattr(fault, name) for name in ("kind", "match", "count", "skip", "seconds", "field")}


def as_json(result: Result) -> str:
    return json.dumps({"seed": result.seed, "start": result.label, "wrong": result.wrong})


def open_deployments() -> int:
    return Deployment.objects.filter(state__in=Deployment.OPEN).count()
