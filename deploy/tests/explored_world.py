"""One platform in virtual time for the explorer: a clock that jumps, a wire on which workers die, trees to start from.

Nothing here knows what the engine ought to do; it only lets things happen. The patches stand at the edges: the clock,
the HTTP session, the account's rate budget, the kill switches and the source of randomness.
"""

from __future__ import annotations

import random
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import requests
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from deploy import engine, points, services, stops, throttle
from deploy.models import Deployment, KillSwitch
from deploy.sandboxes import sandbox_class, sandbox_url
from governance.models import AdAccount
from governance.tests.factories import UserFactory, channel
from trafficking import services as tickets
from trafficking.media import library
from trafficking.media.tests.made import image, video
from trafficking.models import Ad, Ticket
from trafficking.platforms.sandbox_base import Fault, InProcess, Request, Response, Sandbox, Store
from trafficking.tests.factories import TREES, make_campaign, make_ticket

#: Every world begins at this moment, so that a seed means the same on any day.
BEGINNING = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
FIRST_DAY = date(2027, 3, 8)
State = Deployment.State


class Killed(BaseException):
    """The worker's process ends here: nothing of it runs on."""


class Stuck(AssertionError):
    """The engine does not come to rest."""


class Clock:
    """Seconds since 1970; moves only when told to."""

    def __init__(self) -> None:
        self.seconds = BEGINNING.timestamp()

    def __call__(self) -> float:
        return self.seconds

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def jump_to(self, moment: datetime | None) -> None:
        """Just after `moment`, where that is still to come."""
        if moment is not None:
            self.seconds = max(self.seconds, moment.timestamp() + 0.001)


class Wire(InProcess):
    """The way to the sandbox; `on_request` is told of each request before it leaves and after it was answered."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.on_request: Callable[[str], None] = lambda _when: None
        self.changing = 0  # requests that could change something

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        self.on_request("before")
        self.changing += may_change(self.sandbox.key, request)
        answer = super().send(request, **kwargs)
        self.on_request("after")
        return answer


def may_change(key: str, request: requests.PreparedRequest) -> bool:
    """Whether a request could change what the platform holds: dry runs, searches and reads can't."""
    body = request.body or b""
    text = body if isinstance(body, bytes) else body.encode()
    if key == "google_ads":
        return ":mutate" in str(request.url) and b'"validateOnly": true' not in text.replace(
            b'":true', b'": true'
        )
    return request.method != "GET" and b"validate_only" not in text


@dataclass(slots=True)
class Weather:
    """What is wrong beside the faults of the sandbox: the house's own budget and a kill switch that stands a while."""

    rng: random.Random = field(default_factory=lambda: random.Random(0))
    waits: float = 0.0  # chance that the rate budget says "not now"
    stopped_from: float = 0.0
    stopped_until: float = 0.0


class World:
    """A platform, its sandbox of the moment, two people, and the trees that schedules start from."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.clock = Clock()
        self.weather = Weather()
        self.stumbles: list[str] = []
        self.struck: Counter[str] = Counter()  # faults of this sandbox that have really happened, by kind
        self.listen: Callable[[int], None] = lambda _point: None
        self.session = requests.Session()
        self.session.trust_env = False
        self.numbers = 0
        self.open()

    def open(self, stored: bytes | None = None) -> Sandbox:
        """A sandbox with what was stored (nothing: empty), and a wire to it."""
        store = Store()
        if stored is not None:
            store._db.deserialize(stored)
        self.sandbox = sandbox_class(self.key)(store, self.clock)
        self.struck.clear()
        strike = self.sandbox._struck

        def counted(request: Request, fault: Fault) -> Response:
            self.struck[fault.kind] += 1
            return strike(request, fault)

        self.sandbox._struck = counted  # type: ignore[method-assign]
        self.wire = Wire(self.sandbox)
        self.session.mount(sandbox_url(self.key), self.wire)
        return self.sandbox

    def stored(self) -> bytes:
        found: bytes = self.sandbox.store._db.serialize()
        return found

    @contextmanager
    def entered(self) -> Iterator[World]:
        """Everything that the house takes from outside comes from here."""
        times = types.SimpleNamespace(sleep=self.clock.sleep, time=self.clock, monotonic=self.clock)
        with ExitStack() as stack:
            for target, stand_in in {
                "django.utils.timezone.now": self.clock.moment,
                "deploy.connections.session": lambda: self.session,
                "deploy.throttle.take": self._take,
                "deploy.throttle.learn": lambda _account, _usage: None,
                "deploy.stops.refuse_stopped": self._refuse_stopped,
                "deploy.gate.time": times,
                "trafficking.platforms.sandbox_base.time": times,
                "deploy.engine.logger.exception": self._stumbled,
            }.items():
                stack.enter_context(mock.patch(target, stand_in))
            stack.enter_context(mock.patch.object(transaction.Atomic, "__init__", _with_savepoint))
            points.listeners.append(self._reached)
            stack.callback(points.listeners.remove, self._reached)
            yield self

    @contextmanager
    def seeded(self, seed: int | str) -> Iterator[random.Random]:
        """Back-off, ids and leases are those of the seed."""
        kept, rng = random.getstate(), random.Random(f"{self.key} {seed}")
        random.seed(f"{self.key} {seed} back-off")
        bytes_of = random.Random(f"{self.key} {seed} ids")
        try:
            with mock.patch("os.urandom", bytes_of.randbytes):
                yield rng
        finally:
            random.setstate(kept)

    def _reached(self, point: int) -> None:
        self.listen(point)

    def _stumbled(self, *_args: Any) -> None:
        import traceback

        self.stumbles.append("".join(traceback.format_exception(sys.exception())[-4:]))

    def _take(self, _account: AdAccount, share: str = "deploy") -> None:
        if self.weather.waits and self.weather.rng.random() < self.weather.waits:
            raise throttle.Wait(self.weather.rng.uniform(0.3, 30))

    def _refuse_stopped(self, account: AdAccount, brand_id: int | None = None) -> None:
        if self.weather.stopped_from <= self.clock() < self.weather.stopped_until:
            raise stops.Stopped(KillSwitch(scope=KillSwitch.Scope.ALL, reason="rehearsal"))

    # --------------------------------------------------------------------------- driving

    def rest(self, ticket: Ticket, most: int = 400) -> None:
        """Let workers come, die and come again until the ticket's deployment rests."""
        for _turn in range(most):
            deployment = services.open_deployment(ticket)
            if deployment is None or deployment.state == State.IN_DOUBT:
                return
            self.clock.jump_to(due_at(deployment))
            try:
                engine.run(str(ticket.public_id))
            except Killed:
                continue
        raise Stuck(f"still {deployment.state} after {most} turns: {deployment.reason}")

    # ----------------------------------------------------------------------------- trees

    def people(self) -> None:
        self.trafficker = UserFactory(
            username=f"explorer-t-{self.key}", roles=["Trafficker"], everywhere=True
        )
        self.approver = UserFactory(username=f"explorer-a-{self.key}", roles=["Approver"], everywhere=True)

    def draft(self, shape: Shape) -> Ticket:
        """A CREATE ticket of that shape in an account of its own."""
        self.numbers += 1
        campaign = make_campaign(
            channels=(shape.channel,), name=f"Moana {self.key} {self.numbers}", start_on=FIRST_DAY
        )
        on_top = {"budget_level": "CAMPAIGN"} if shape.level == "CAMPAIGN" else {}
        ticket = make_ticket(shape.channel, campaign=campaign, ad_sets=shape.ad_sets, **on_top)
        if on_top:
            ticket.budget = Decimal(3000)
            ticket.save()
        for at, ad_set in enumerate(ticket.ad_sets.all()):
            self._more_ads(shape, ticket, ad_set, at)
        return fresh(ticket)

    def _more_ads(self, shape: Shape, ticket: Ticket, ad_set: Any, at: int) -> None:
        first = ad_set.ads.get()
        if shape.files:
            first.media = [self._as_file(ticket, each) for each in first.media]
            first.save()
        for number in range(1, shape.ads):
            Ad(
                ad_set=ad_set, position=number,
                **{**TREES[shape.channel][1][0], "name": f"Wave {number}", "media": first.media,
                   "landing_page": f"https://example.com/moana/{at}/{number}"},
            ).save()  # fmt: skip

    def _as_file(self, ticket: Ticket, medium: dict[str, Any]) -> dict[str, Any]:
        """A file of ours in place of the platform's id."""
        made = _FILES.get((self.key, medium["kind"]))
        if made is None:
            return medium
        name, content = made()
        upload = ContentFile(content, name=name)
        row = library.add_upload(brand=ticket.campaign.brand, upload=upload, by=self.trafficker).row
        return {"kind": medium["kind"], "file": row.sha256}

    def approve(self, ticket: Ticket) -> bool:
        """Submitted by one, approved by the other; False where QA refuses it."""
        report = tickets.submit_ticket(ticket=ticket, by=self.trafficker)
        if report.passed:
            tickets.approve_ticket(ticket=ticket, by=self.approver, digest=ticket.digest)
        return report.passed

    def build(self, ticket: Ticket) -> None:
        """Deployed in fair weather."""
        assert self.approve(ticket), [each.as_report() for each in ticket.all_findings]
        services.start_deployment(ticket=ticket, by=self.trafficker)
        self.rest(ticket)
        ticket.refresh_from_db()
        found = ticket.deployments.order_by("-id").first()
        assert ticket.status == "TRAFFICKED_SUCCESS", (ticket.status, found and found.reason, self.stumbles)
        self.clock.sleep(3600)  # what is built is to be seen by now, however reads lag


@dataclass(frozen=True, slots=True)
class Shape:
    """How wide a tree is, and of what kind."""

    channel: str
    ad_sets: int = 1
    ads: int = 1
    level: str = "AD_SET"
    files: bool = False


_atomic = transaction.Atomic.__init__


def _with_savepoint(self: transaction.Atomic, using: Any, savepoint: bool, durable: bool) -> None:
    """A block that is a whole transaction in the house is one here, too, though the schedule is one around it."""
    _atomic(self, using, True, False)


def due_at(deployment: Deployment) -> datetime | None:
    if deployment.state == State.RUNNING:
        return deployment.lease_until
    moments = [each for each in (deployment.next_try_at, deployment.not_before) if each is not None]
    return max(moments, default=None)


def fresh(ticket: Ticket) -> Ticket:
    """Read anew, as another process would."""
    rows = Ticket.objects.select_related("campaign__brand", "campaign__market", "channel", "ad_account")
    return rows.get(pk=ticket.pk)


def channels_of(key: str) -> list[str]:
    return [code for code in TREES if channel(code).platform == key]


def lease() -> timedelta:
    from django.conf import settings

    return timedelta(seconds=settings.DEPLOY_LEASE_S)


def now() -> datetime:
    return timezone.now()


_FILES: dict[tuple[str, str], Callable[[], tuple[str, bytes]]] = {
    ("meta", "IMAGE"): lambda: ("wave.png", image(1080, 1080)),
    ("tiktok", "VIDEO"): lambda: ("wave.mp4", video()),
    ("tiktok", "THUMBNAIL"): lambda: ("wave.png", image(1080, 1920)),
    ("google_ads", "IMAGE"): lambda: ("wave.png", image(1200, 628)),
    ("google_ads", "SQUARE_IMAGE"): lambda: ("square.png", image(1200, 1200)),
    ("google_ads", "LOGO"): lambda: ("logo.png", image(1200, 1200, colour="navy")),
}
