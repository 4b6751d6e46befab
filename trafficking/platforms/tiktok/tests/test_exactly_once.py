"""Whatever is lost on the way: one intent is one object. The driver here is the engine's rule in a few lines:
in doubt, look; look again after a while, for reads lag; only then send again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trafficking.platforms import changes
from trafficking.platforms.base import Applied, InDoubt, NotFound, Operation, RetryLater
from trafficking.platforms.sandbox_base import Fault
from trafficking.platforms.tiktok import PLATFORM
from trafficking.platforms.tiktok.tests.builders import ad, ad_set, smart_ticket, ticket
from trafficking.platforms.tiktok.tests.world import World, film_ad

KINDS = [
    "lose_request",
    "lose_answer",
    "throttle",
    "server_error",
    "server_error_after_commit",
    "html",
    "truncate",
]
FAULTS = st.lists(
    st.builds(Fault, st.sampled_from(KINDS), skip=st.integers(0, 12), count=st.integers(1, 2)), max_size=6
)
USUAL = ticket(ad_sets=(ad_set("s1", ads=(film_ad("a1"),)), ad_set("s2", name="Second", ads=(ad("a2"),))))
LAG = 20.0


def settle(world: World, operation: Operation) -> None:
    for _round in range(60):
        outcome = world.client.apply(operation, world.ids)
        while isinstance(outcome, InDoubt):
            outcome = look(world, operation)
        if isinstance(outcome, Applied):
            world.ids |= outcome.external_ids
            return
        assert isinstance(outcome, RetryLater | NotFound), (operation.ref, outcome)
        world.now += 30
    raise AssertionError(f"{operation.ref} never settled")


def look(world: World, operation: Operation):
    """Twice, once the answer can't hang in the air and reads have caught up."""
    for _try in range(2):
        world.now += LAG
        found = world.client.find(operation, world.ids)
        if not isinstance(found, NotFound):
            return found if isinstance(found, Applied) else InDoubt("look again")
    return NotFound()


@pytest.mark.parametrize("made", [USUAL, smart_ticket()], ids=["usual", "smart_plus"])
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(faults=FAULTS, more=FAULTS)
def test_each_intent_is_one_object_and_as_wanted(made, faults, more):
    world = World(lag_s=LAG / 2, processing_s=45)
    world.sandbox.faults = [replace(each) for each in faults]
    compiled = PLATFORM.compile(made)
    for operation in compiled.operations:
        settle(world, operation)
    world.sandbox.faults = []
    world.now += LAG
    first = made.ad_sets[0]
    other = replace(first.ads[0], landing_page="https://example.com/other")
    after = replace(
        made, name="Other", ad_sets=(replace(first, languages=("fr",), ads=(other,)), *made.ad_sets[1:])
    )
    plan = world.asked(made, after)
    world.sandbox.faults = [replace(each) for each in more]
    for operation in plan.operations:
        settle(world, operation)
    world.sandbox.faults = []
    world.now += LAG
    rows = world.sandbox.store.rows("kind IN ('campaign', 'adgroup', 'ad', 'video', 'image')")
    assert len(rows) == len([each for each in compiled.operations if each.action != "await"])
    lives = world.lives()
    whole = PLATFORM.compile(replace(after, request_type="CREATE")).operations
    bound = [replace(each, body=each.bound_body(world.ids)) for each in whole]
    for each in PLATFORM.wanted(bound):
        assert changes.disagreements(each, lives[each.ref]) == []


def test_an_ad_request_that_the_network_delivers_twice_shows_as_one_too_many():
    """TikTok takes no idempotency key for ads: what remains possible, and how it shows."""
    world = World()
    world.sandbox.faults = [Fault("duplicate", match="v1.3/ad/create")]
    world.build(ticket())
    tree = world.client.read_tree(world.ids["campaign"])
    strangers = [each for each in tree if each.external_id not in world.ids.values()]
    assert [each.type for each in strangers] == ["ad"]


def test_a_campaign_request_that_is_delivered_twice_is_one_campaign():
    world = World()
    world.sandbox.faults = [
        Fault("duplicate", match="campaign/create"),
        Fault("duplicate", match="adgroup/create"),
    ]
    world.build(ticket())
    assert len(world.sandbox.store.rows("kind IN ('campaign', 'adgroup')")) == 2
