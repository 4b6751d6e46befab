"""Kill switches against the sandboxes' own code: what runs is paused, and exactly that runs again."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from campaigns.models import CampaignChannel
from deploy import engine, halting, services, stops
from deploy.belonging import Belonging
from deploy.models import AccountStop, Alert, Deployment, KillSwitch, StoppedObject
from deploy.tests.test_engine import approved, deployed
from governance.governed import unguarded
from governance.models import AdAccount, Brand, Grant
from governance.tests.factories import AdAccountFactory, BrandFactory, MarketFactory, UserFactory
from trafficking.models import PlatformObject
from trafficking.platforms.sandbox_base import Fault
from trafficking.tests.factories import make_campaign, make_ticket

pytestmark = pytest.mark.django_db

CODES = {"meta": "META", "tiktok": "TIKTOK", "google_ads": "GGLSEARCH"}
ACTIVE, PAUSED = "ACTIVE", "PAUSED"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    """Messages are only counted: each test takes the turns itself."""
    sent: list[str] = []
    monkeypatch.setattr("deploy.dispatch.send", lambda task, *args, **options: sent.append(task.name) or True)
    return sent


class World:
    """Live campaigns in sandbox accounts, told by short names."""

    def __init__(self, sandboxes, trafficker, approver) -> None:
        self.sandboxes, self.trafficker, self.approver = sandboxes, trafficker, approver
        self.accounts: dict[str, AdAccount] = {}
        self.ids: dict[str, str] = {}

    def live(
        self, name: str, key: str = "meta", *, account: str = "", brand: str = "DIS", on: bool = True
    ) -> str:
        """A campaign that was deployed and switched on; its platform id."""
        owner = BrandFactory(code=brand)
        campaign = make_campaign(channels=(CODES[key],), name=name, brand=owner)
        home = self.accounts.get(account or key)
        if home is None:
            home = self.accounts[account or key] = AdAccountFactory(platform=key)
        home.serves.get_or_create(brand=owner, market=campaign.market)
        ticket = approved(
            make_ticket(CODES[key], campaign=campaign, account=home), self.trafficker, self.approver
        )
        assert deployed(ticket, self.trafficker).state == "SUCCEEDED"
        self.ids[name] = ticket.external_id
        if on:
            self.switch(name, key, ACTIVE, account=account)
        return ticket.external_id

    def switch(self, name: str, key: str, status: str, *, account: str = "") -> None:
        """Somebody works in the platform's own screens."""
        self.client(account or key).set_status("campaign", self.ids[name], status)

    def client(self, account: str):
        from deploy.connections import client_for

        return client_for(self.accounts[account], share="urgent")

    def status(self, name: str, account: str = "meta") -> str:
        there = {each.external_id: each.status for each in self.client(account).list_campaigns()}
        return there.get(self.ids[name], "gone")

    def until_it_rests(self, stop: KillSwitch, turns: int = 8) -> KillSwitch:
        for _turn in range(turns):
            AccountStop.objects.update(next_try_at=None)
            halting.begin(stop)
            for account in stops.accounts_of(stop):
                halting.work_on(account)
            halting.settle([stop])
            stop.refresh_from_db()
            if stop.state in (KillSwitch.State.STOPPED, KillSwitch.State.RELEASED):
                break
        return stop

    def stop(self, **scope) -> KillSwitch:
        return stops.engage(by=self.trafficker, reason="The price is wrong", **scope)

    def release(self, stop: KillSwitch) -> KillSwitch:
        return stops.release(stop=stop, by=self.trafficker, comment="The price is right")


@pytest.fixture
def world(sandboxes, trafficker, approver) -> World:
    return World(sandboxes, trafficker, approver)


# ------------------------------------------------------------------------------- stop, and start again


@pytest.mark.parametrize("key", CODES)
def test_what_ran_is_paused_and_runs_again_and_what_was_paused_stays_so(key, world):
    world.live("Runs", key)
    world.live("Rests", key, on=False)
    stop = world.until_it_rests(world.stop(scope="ACCOUNT", ad_account=world.accounts[key]))
    assert (stop.state, world.status("Runs", key)) == ("STOPPED", PAUSED)
    assert [row.name for row in stop.objects_stopped.all()] == [
        PlatformObject.objects.get(object_type="campaign", external_id=world.ids["Runs"]).name
    ]
    stop = world.until_it_rests(world.release(stop))
    assert stop.state == "RELEASED"
    assert (world.status("Runs", key), world.status("Rests", key)) == (ACTIVE, PAUSED)
    assert stop.objects_stopped.get().state == StoppedObject.State.RESTORED


def test_everything_is_stopped_on_every_platform(world):
    for key in CODES:
        world.live(f"On {key}", key)
    stop = world.until_it_rests(world.stop(scope="ALL"))
    assert stop.state == "STOPPED"
    assert {world.status(f"On {key}", key) for key in CODES} == {PAUSED}


def test_a_platform_is_stopped_and_the_others_run_on(world):
    world.live("Here", "meta")
    world.live("There", "tiktok")
    world.until_it_rests(world.stop(scope="PLATFORM", platform="meta"))
    assert (world.status("Here", "meta"), world.status("There", "tiktok")) == (PAUSED, ACTIVE)


def test_what_somebody_switches_on_again_is_paused_again(world):
    world.live("Runs")
    stop = world.until_it_rests(world.stop(scope="ACCOUNT", ad_account=world.accounts["meta"]))
    world.switch("Runs", "meta", ACTIVE)
    assert halting.accounts_due() == [], "it was looked at just now"
    AccountStop.objects.update(next_try_at=timezone.now())
    assert halting.accounts_due() == [world.accounts["meta"]]
    halting.work_on(world.accounts["meta"])
    assert world.status("Runs") == PAUSED
    assert stop.objects_stopped.get().state == StoppedObject.State.PAUSED


def test_what_was_archived_meanwhile_is_left(world):
    world.live("Runs")
    stop = world.until_it_rests(world.stop(scope="ACCOUNT", ad_account=world.accounts["meta"]))
    world.client("meta").set_status("campaign", world.ids["Runs"], "ARCHIVED")
    stop = world.until_it_rests(world.release(stop))
    row = stop.objects_stopped.get()
    assert (stop.state, row.state, row.note) == ("RELEASED", "LEFT", "It is archived or gone.")


# ---------------------------------------------------------------------------------------------- brands


def test_a_brand_is_stopped_in_a_shared_account_and_the_other_brand_runs_on(world):
    world.live("Ours", brand="DIS")
    world.live("Theirs", brand="PIX")
    stop = world.until_it_rests(world.stop(scope="BRAND", brand=Brand.objects.get(code="DIS")))
    assert stop.state == "STOPPED"
    assert (world.status("Ours"), world.status("Theirs")) == (PAUSED, ACTIVE)


def test_a_brands_campaign_is_told_by_its_name_where_we_did_not_build_it(world):
    world.live("Ours", brand="DIS")
    account = world.accounts["meta"]
    name = CampaignChannel.objects.get(campaign__name="Ours").governed_name
    account.serves.create(brand=BrandFactory(code="PIX"), market=MarketFactory())
    belonging = Belonging(account)
    assert belonging.brand_of("unknown", name) == Brand.objects.get(code="DIS").pk
    assert belonging.brand_of("unknown", name.replace("DIS", "PIX")) == Brand.objects.get(code="PIX").pk
    assert belonging.brand_of("unknown", "summer sale") is None


def test_running_campaigns_that_nobody_can_tell_apart_are_told_of_and_not_stopped(world):
    world.live("Ours", brand="DIS")
    world.live("Theirs", brand="PIX")
    held = PlatformObject.objects.filter(external_id=world.ids["Theirs"])
    unguarded(PlatformObject).filter(pk__in=held).delete()
    world.sandboxes["meta"].tamper("campaign", world.ids["Theirs"], {"name": "summer sale"})
    world.until_it_rests(world.stop(scope="BRAND", brand=Brand.objects.get(code="DIS")))
    assert world.status("Theirs") == ACTIVE
    alert = Alert.objects.get(code="stop.unknown")
    assert "summer sale" in alert.message


def test_in_an_account_of_one_brand_alone_also_unreadable_names_are_stopped(world):
    world.live("Ours", brand="DIS")
    unguarded(PlatformObject).filter(external_id=world.ids["Ours"]).delete()
    world.sandboxes["meta"].tamper("campaign", world.ids["Ours"], {"name": "summer sale"})
    world.until_it_rests(world.stop(scope="BRAND", brand=Brand.objects.get(code="DIS")))
    assert world.status("Ours") == PAUSED


# --------------------------------------------------------------------------------------------- overlap


def test_of_two_stops_the_first_release_starts_only_what_the_other_does_not_cover(world):
    world.live("Ours", brand="DIS")
    world.live("Theirs", brand="PIX")
    whole = world.until_it_rests(world.stop(scope="ACCOUNT", ad_account=world.accounts["meta"]))
    brand = world.until_it_rests(world.stop(scope="BRAND", brand=Brand.objects.get(code="DIS")))
    whole = world.until_it_rests(world.release(whole))
    assert whole.state == "RELEASED"
    assert (world.status("Ours"), world.status("Theirs")) == (PAUSED, ACTIVE)
    brand = world.until_it_rests(world.release(brand))
    assert (brand.state, world.status("Ours")) == ("RELEASED", ACTIVE)


def test_a_second_press_for_the_same_scope_is_the_same_stop(world):
    world.live("Runs")
    first = world.stop(scope="PLATFORM", platform="meta")
    assert world.stop(scope="PLATFORM", platform="meta") == first
    assert KillSwitch.objects.count() == 1


# ---------------------------------------------------------------------------------------------- faults


class Killed(BaseException):
    """The worker is gone."""


@pytest.mark.parametrize("moment", ["before_call", "after_call"])
@pytest.mark.parametrize("key", CODES)
def test_a_worker_that_dies_in_the_middle_of_a_pause_leaves_it_to_the_next(key, moment, world, monkeypatch):
    world.live("One", key)
    world.live("Two", key)
    stop = world.stop(scope="ACCOUNT", ad_account=world.accounts[key])
    real = halting.Turn._switch

    def killed(self, row, status):
        if moment == "after_call":
            real(self, row, status)
        raise Killed

    monkeypatch.setattr(halting.Turn, "_switch", killed)
    with pytest.raises(Killed):
        halting.work_on(world.accounts[key])
    monkeypatch.setattr(halting.Turn, "_switch", real)
    assert stop.objects_stopped.get().state == StoppedObject.State.PAUSING
    assert halting.work_on(world.accounts[key]) is None, "the dead worker still has its lease"
    AccountStop.objects.update(lease_until=timezone.now())
    stop = world.until_it_rests(stop)
    assert (stop.state, world.status("One", key), world.status("Two", key)) == ("STOPPED", PAUSED, PAUSED)
    world.until_it_rests(world.release(stop))
    assert (world.status("One", key), world.status("Two", key)) == (ACTIVE, ACTIVE)


def test_a_worker_that_dies_while_it_starts_things_again_leaves_it_to_the_next(world, monkeypatch):
    world.live("One")
    world.live("Two")
    stop = world.until_it_rests(world.stop(scope="ACCOUNT", ad_account=world.accounts["meta"]))
    world.release(stop)
    AccountStop.objects.update(next_try_at=None)
    real = halting.Turn._switch

    def killed(self, row, status):
        real(self, row, status)
        raise Killed

    monkeypatch.setattr(halting.Turn, "_switch", killed)
    with pytest.raises(Killed):
        halting.work_on(world.accounts["meta"])
    monkeypatch.setattr(halting.Turn, "_switch", real)
    AccountStop.objects.update(lease_until=timezone.now())
    assert world.accounts["meta"] in halting.accounts_due()
    assert world.until_it_rests(stop).state == "RELEASED"
    assert (world.status("One"), world.status("Two")) == (ACTIVE, ACTIVE)


@pytest.mark.parametrize(
    "kind", ["lose_answer", "lose_request", "server_error", "truncate", "throttle", "html"]
)
@pytest.mark.parametrize("key", CODES)
def test_whatever_is_lost_the_stop_and_the_release_come_through(key, kind, world):
    world.live("One", key)
    world.live("Two", key)
    world.sandboxes[key].faults = [Fault(kind=kind, count=1, skip=skip, seconds=0) for skip in (0, 1, 2)]
    stop = world.until_it_rests(world.stop(scope="ACCOUNT", ad_account=world.accounts[key]), turns=12)
    assert (stop.state, world.status("One", key), world.status("Two", key)) == ("STOPPED", PAUSED, PAUSED)
    world.sandboxes[key].faults = [Fault(kind=kind, count=1, skip=skip, seconds=0) for skip in (0, 1, 2)]
    stop = world.until_it_rests(world.release(stop), turns=12)
    assert (stop.state, world.status("One", key), world.status("Two", key)) == ("RELEASED", ACTIVE, ACTIVE)


def test_an_account_with_a_dead_token_does_not_keep_the_others_running(world):
    world.live("Reached", "meta")
    world.live("Unreached", "tiktok")
    world.sandboxes["tiktok"].faults = [Fault(kind="expired_token", count=3)]
    stop = world.stop(scope="ALL")
    world.until_it_rests(stop, turns=2)
    assert stop.state == "STOPPING"
    assert world.status("Reached", "meta") == PAUSED
    assert AccountStop.objects.get(ad_account=world.accounts["tiktok"]).problem
    assert Alert.objects.filter(code="stop.unreached", ad_account=world.accounts["tiktok"]).count() == 1
    world.sandboxes["tiktok"].faults = []
    assert world.until_it_rests(stop).state == "STOPPED"
    assert AccountStop.objects.get(ad_account=world.accounts["tiktok"]).problem == ""


def test_a_call_that_was_on_its_way_is_waited_for(world):
    world.live("Runs")
    deployment = Deployment.objects.get()
    unguarded(Deployment).update(state="RUNNING", lease_until=timezone.now() + timedelta(seconds=60))
    stop = world.until_it_rests(world.stop(scope="ACCOUNT", ad_account=world.accounts["meta"]), turns=3)
    assert (stop.state, world.status("Runs")) == ("STOPPING", PAUSED)
    world.switch("Runs", "meta", ACTIVE)  # the call that was on its way has landed
    unguarded(Deployment).filter(pk=deployment.pk).update(state="SUCCEEDED")
    stop = world.until_it_rests(stop)
    assert (stop.state, world.status("Runs")) == ("STOPPED", PAUSED)


def test_a_release_in_the_middle_of_a_turn_leaves_nothing_paused(world, monkeypatch):
    world.live("One")
    stop = world.stop(scope="ACCOUNT", ad_account=world.accounts["meta"])
    listed = halting.Turn._campaigns

    def released_meanwhile(self, *, active_only):
        found = listed(self, active_only=active_only)
        if active_only:
            world.release(KillSwitch.objects.get(pk=stop.pk))
        return found

    monkeypatch.setattr(halting.Turn, "_campaigns", released_meanwhile)
    halting.work_on(world.accounts["meta"])
    monkeypatch.setattr(halting.Turn, "_campaigns", listed)
    assert world.until_it_rests(stop).state == "RELEASED"
    assert world.status("One") == ACTIVE


# ------------------------------------------------------------------------------------- what it refuses


def test_a_standing_stop_holds_queued_work_up_and_its_release_lets_it_go_on(world, no_broker):
    account = world.accounts.setdefault("meta", AdAccountFactory(platform="meta"))
    campaign = make_campaign(name="Waits")
    account.serves.create(brand=campaign.brand, market=campaign.market)
    ticket = approved(
        make_ticket("META", campaign=campaign, account=account), world.trafficker, world.approver
    )
    stop = world.until_it_rests(world.stop(scope="ACCOUNT", ad_account=account))
    deployment = services.start_deployment(ticket=ticket, by=world.trafficker)
    before = len(world.sandboxes["meta"].requests)
    assert engine.run(str(ticket.public_id)).state == "WAITING"
    assert len(world.sandboxes["meta"].requests) == before
    deployment.refresh_from_db()
    assert "The price is wrong" in deployment.reason
    world.until_it_rests(world.release(stop))
    unguarded(Deployment).update(next_try_at=timezone.now())
    assert engine.run(str(ticket.public_id)).state == "SUCCEEDED"


def test_work_waits_until_the_release_is_done_with_its_account(world):
    world.live("Runs")
    account = world.accounts["meta"]
    stop = world.until_it_rests(world.stop(scope="ACCOUNT", ad_account=account))
    world.release(stop)
    with pytest.raises(stops.Stopped):
        stops.refuse_stopped(account)
    world.until_it_rests(stop)
    stops.refuse_stopped(account)


def test_a_brands_stop_refuses_that_brands_work_only(world):
    ours, theirs = BrandFactory(code="DIS"), BrandFactory(code="PIX")
    account = AdAccountFactory()
    world.stop(scope="BRAND", brand=ours)
    with pytest.raises(stops.Stopped, match="The price is wrong"):
        stops.refuse_stopped(account, ours.pk)
    stops.refuse_stopped(account, theirs.pk)
    assert stops.stopped_brands(account) == [ours.pk]


# --------------------------------------------------------------------------------------------- who may


def test_who_may_stop_what(world):
    brand, other, us = BrandFactory(code="DIS"), BrandFactory(code="PIX"), MarketFactory()
    de = MarketFactory(code="DE", country="DE")
    account = AdAccountFactory(serving=[(brand, us), (other, us)])
    own = AdAccountFactory(serving=[(brand, us)])
    person = UserFactory(roles=["Trafficker"])
    Grant.objects.create(user=person, brand=brand)

    def may(**scope) -> bool:
        try:
            stops.engage(by=person, reason="Now", **scope)
        except PermissionDenied:
            return False
        return True

    assert may(scope="BRAND", brand=brand)
    assert may(scope="ACCOUNT", ad_account=own)
    assert not may(scope="BRAND", brand=other)
    assert not may(scope="ACCOUNT", ad_account=account)
    assert not may(scope="ACCOUNT", ad_account=AdAccountFactory())
    assert not may(scope="PLATFORM", platform="meta")
    assert not may(scope="ALL")
    local = UserFactory(roles=["Trafficker"])
    Grant.objects.create(user=local, brand=brand, market=de)
    with pytest.raises(PermissionDenied):
        stops.engage(scope="BRAND", brand=brand, by=local, reason="Only ours in DE")


def test_without_the_right_nobody_stops_or_releases(world):
    planner = UserFactory(roles=["Planner"], everywhere=True)
    with pytest.raises(PermissionDenied):
        stops.engage(scope="ALL", by=planner, reason="Now")
    stop = world.stop(scope="ALL")
    with pytest.raises(PermissionDenied):
        stops.release(stop=stop, by=planner, comment="Please")


def test_a_release_says_why_and_happens_once(world):
    stop = world.stop(scope="ALL")
    with pytest.raises(ValidationError):
        stops.release(stop=stop, by=world.trafficker, comment=" ")
    world.until_it_rests(world.release(stop))
    with pytest.raises(ValidationError, match="released already"):
        world.release(stop)
    assert stop.history.earliest("history_id").history_change_reason == "The price is wrong"
    assert "The price is right" in [row.history_change_reason for row in stop.history.all()]


# ------------------------------------------------------------------------------------------- terminal


def test_the_terminal_stops_and_releases_by_itself(world):
    world.live("Runs")
    out = StringIO()
    call_command(
        "kill_switch", "engage", "--account", world.accounts["meta"].external_id, "--reason", "Night",
        "--by", world.trafficker.username, "--seconds", "20", stdout=out,
    )  # fmt: skip
    assert world.status("Runs") == PAUSED
    stop = KillSwitch.objects.get()
    call_command("kill_switch", "list", stdout=out)
    assert "Night" in out.getvalue()
    call_command(
        "kill_switch",
        "release",
        str(stop.pk),
        "--comment",
        "Day",
        "--by",
        world.trafficker.username,
        stdout=out,
    )
    assert world.status("Runs") == ACTIVE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["engage", "--brand", "NIL", "--reason", "x", "--by", "{person}"], "no brand NIL"),
        (["engage", "--account", "1", "--reason", "x", "--by", "{person}"], "no ad account 1"),
        (["engage", "--all", "--reason", " ", "--by", "{person}"], "Say why"),
        (["engage", "--all", "--reason", "x", "--by", "nobody"], "no active user nobody"),
        (["release", "99", "--comment", "x", "--by", "{person}"], "no stop 99"),
    ],
)
def test_the_terminal_says_what_is_wrong(arguments, words, trafficker):
    with pytest.raises(CommandError, match=words):
        call_command("kill_switch", *[each.format(person=trafficker.username) for each in arguments])
