"""Our client against the sandbox: done once, whatever is lost on the way."""

from __future__ import annotations

import pytest
import requests

from trafficking.platforms.base import (
    Applied,
    Connection,
    InDoubt,
    NeedsAuth,
    NotFound,
    Rejected,
    RetryLater,
)
from trafficking.platforms.sandbox_base import Fault, InProcess
from trafficking.platforms.tiktok import PLATFORM
from trafficking.platforms.tiktok.sandbox import TikTokSandbox
from trafficking.platforms.tiktok.tests.builders import (
    ACCOUNT,
    ad,
    ad_set,
    for_objective,
    ticket,
)

URL = "https://tiktok.sandbox"


class Clock:
    now = 1_795_000_000.0  # 2026-11-18

    def __call__(self) -> float:
        return self.now


class World:
    def __init__(self, token: str = "secret-token-123") -> None:
        self.clock = Clock()
        self.sandbox = TikTokSandbox(clock=self.clock, currencies={ACCOUNT.external_id: "USD"})
        session = requests.Session()
        session.mount(URL, InProcess(self.sandbox))
        self.client = PLATFORM.client(Connection(URL, ACCOUNT, {"access_token": token}), session)
        self.ids: dict[str, str] = {}

    def deploy(self, made) -> None:
        for operation in PLATFORM.compile(made).operations:
            outcome = self.client.apply(operation, self.ids)
            assert isinstance(outcome, Applied), outcome
            self.ids |= outcome.external_ids

    def objects(self):
        return [
            (row["_kind"], row["operation_status"]) for row in self.sandbox.store.rows("kind != 'account'")
        ]


@pytest.fixture
def world() -> World:
    return World()


TREE = ticket(ad_sets=(ad_set("s0", ads=(ad("a0"), ad("a1"))), ad_set("s1", ads=(ad("a2"),))))
CAMPAIGN = PLATFORM.compile(TREE).operations[0]


@pytest.mark.parametrize("objective", ["REACH", "TRAFFIC", "VIDEO_VIEWS", "LEADS", "APP_PROMOTION", "SALES"])
def test_each_objective_is_deployed_with_an_id_for_every_ref(world, objective):
    made = for_objective(objective)
    world.deploy(made)
    refs = {planned.ref for op in PLATFORM.compile(made).operations for planned in op.objects}
    assert world.ids.keys() == refs
    assert world.objects() == [
        ("campaign", "DISABLE"),
        ("adgroup", "DISABLE"),
        ("ad", "DISABLE"),
    ]


def test_ads_hang_under_their_ad_groups(world):
    world.deploy(TREE)
    parents = {row["ad_name"][-2:]: row["_parent"] for row in world.sandbox.store.rows("kind = 'ad'")}
    assert parents == {
        "a0": world.ids["ad_set:s0"],
        "a1": world.ids["ad_set:s0"],
        "a2": world.ids["ad_set:s1"],
    }


def test_read_and_find_know_what_was_made(world):
    world.deploy(TREE)
    for operation in PLATFORM.compile(TREE).operations:
        external_id = world.ids[operation.ref]
        back = world.client.read(operation.object_type, external_id)
        assert (back.external_id, back.name, back.paused) == (
            external_id,
            operation.objects[0].name,
            True,
        )
        others = {ref: each for ref, each in world.ids.items() if ref != operation.ref}
        assert world.client.find(operation, others).external_ids == {operation.ref: external_id}
        assert world.client.find(operation, world.ids) == NotFound()  # what is known is not what was lost


def test_an_unknown_object_is_not_found(world):
    assert world.client.read("campaign", "1800000000000099") == NotFound()
    assert world.client.find(CAMPAIGN, {}) == NotFound()


# ------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize("kind", ["lose_answer", "truncate", "server_error_after_commit"])
def test_a_lost_answer_is_in_doubt_and_found_by_name(world, kind):
    operations = PLATFORM.compile(TREE).operations
    for operation in operations[:3]:
        world.sandbox.faults.append(Fault(kind, match="/create/"))
        assert isinstance(world.client.apply(operation, world.ids), InDoubt)
        found = world.client.find(operation, world.ids)
        assert isinstance(found, Applied)
        world.ids |= found.external_ids
    assert [kind for kind, _ in world.objects()] == ["campaign", "adgroup", "ad"]


def test_find_takes_the_exact_name_among_alike(world):
    longer = ticket(name=CAMPAIGN.objects[0].name + "_B", ticket_id="other")
    world.deploy(longer)
    assert world.client.find(CAMPAIGN, {}) == NotFound()


def test_two_of_one_name_stay_in_doubt(world):
    world.client.apply(CAMPAIGN, {})
    world.clock.now += 60
    world.client.apply(CAMPAIGN, {})  # long after the answer was forgotten: a second campaign
    found = world.client.find(CAMPAIGN, {})
    assert isinstance(found, InDoubt)
    assert found.ambiguous


def test_the_same_operation_sent_again_at_once_makes_nothing_new(world):
    first = world.client.apply(CAMPAIGN, {})
    world.clock.now += 9
    again = world.client.apply(CAMPAIGN, {})
    assert first.external_ids == again.external_ids
    assert world.objects() == [("campaign", "DISABLE")]


@pytest.mark.parametrize("kind", ["lose_request", "html", "server_error"])
def test_nothing_was_done_but_nobody_can_know(world, kind):
    world.sandbox.faults.append(Fault(kind, match="/create/"))
    assert isinstance(world.client.apply(CAMPAIGN, {}), InDoubt)
    assert world.client.find(CAMPAIGN, {}) == NotFound()


def test_throttled_inside_http_200(world):
    world.sandbox.faults.append(Fault("throttle"))
    outcome = world.client.apply(CAMPAIGN, {})
    assert isinstance(outcome, RetryLater)
    assert outcome.http_status == 200
    assert isinstance(world.client.apply(CAMPAIGN, {}), Applied)


def test_expired_and_missing_tokens(world):
    world.sandbox.faults.append(Fault("expired_token"))
    assert isinstance(world.client.apply(CAMPAIGN, {}), NeedsAuth)
    assert isinstance(World("expired").client.apply(CAMPAIGN, {}), NeedsAuth)
    nobody = World("")
    assert isinstance(nobody.client.apply(CAMPAIGN, {}), NeedsAuth)
    assert nobody.sandbox.requests == []


def test_reads_may_lag(world):
    world.sandbox.lag_s = 5
    world.client.apply(CAMPAIGN, {})
    assert world.client.find(CAMPAIGN, {}) == NotFound()
    world.clock.now += 5
    assert isinstance(world.client.find(CAMPAIGN, {}), Applied)


@pytest.mark.parametrize(
    "kind",
    ["throttle", "expired_token", "server_error", "html", "truncate", "lose_answer"],
)
def test_a_failed_look_up_is_never_taken_for_absence(world, kind):
    world.deploy(TREE)
    for look in (
        lambda: world.client.find(CAMPAIGN, {}),
        lambda: world.client.read("campaign", world.ids["campaign"]),
    ):
        world.sandbox.faults.append(Fault(kind, match="/get/"))
        assert isinstance(look(), RetryLater | NeedsAuth | InDoubt)


def test_no_connection_is_a_plain_retry():
    client = PLATFORM.client(
        Connection("http://127.0.0.1:9", ACCOUNT, {"access_token": "t"}),
        requests.Session(),
    )
    assert isinstance(client.apply(CAMPAIGN, {}), RetryLater)


def test_a_refusal_points_at_the_field(world):
    world.sandbox.tamper("account", ACCOUNT.external_id, {"currency": "JPY"})
    ids = world.client.apply(CAMPAIGN, {}).external_ids
    group = PLATFORM.compile(TREE).operations[1]
    refused = world.client.apply(group, ids)
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.pointer) == ("40002", "/budget")
    orphan = world.client.apply(group, {"campaign": "1"})
    assert (orphan.code, orphan.pointer) == ("40002", "/campaign_id")


# ------------------------------------------------------------------------------------------- status


def test_a_status_that_was_ignored_is_seen_and_mended(world):
    for operation in PLATFORM.compile(for_objective("TRAFFIC")).operations:
        world.sandbox.faults.append(Fault("ignore_status", match="/create/"))
        world.ids |= world.client.apply(operation, world.ids).external_ids
        external_id = world.ids[operation.ref]
        assert world.client.read(operation.object_type, external_id).paused is False
        assert isinstance(world.client.set_status(operation.object_type, external_id, "PAUSED"), Applied)
        assert world.client.read(operation.object_type, external_id).paused is True


def test_pausing_what_is_not_there_is_refused(world):
    assert isinstance(world.client.set_status("campaign", "1800000000000099", "PAUSED"), Rejected)


# ------------------------------------------------------------------------------------------- secrets


def test_the_token_is_in_the_header_only(world):
    world.deploy(TREE)
    world.client.find(CAMPAIGN, {})
    assert "secret-token-123" not in repr(world.client.connection)
    assert "secret-token-123" not in str(world.sandbox.requests)
    world.sandbox.faults.append(Fault("lose_answer"))
    assert "secret-token-123" not in repr(world.client.apply(CAMPAIGN, {}))


def test_a_token_with_a_line_break_breaks_nothing():
    outcome = World("a\nb").client.apply(CAMPAIGN, {})
    assert "a\nb" not in repr(outcome)
