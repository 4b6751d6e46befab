"""After activation: in review, approved or refused with TikTok's reason, and whether it is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trafficking.platforms.tiktok import readings
from trafficking.platforms.tiktok.tests.builders import END, START, ad, ad_set, smart_ticket, ticket
from trafficking.platforms.tiktok.tests.world import World

GOOD, BAD = ad("good"), ad("bad", name="Bad", texts=("REJECTME now",))
TREE = ticket(ad_sets=(ad_set(ads=(GOOD, BAD)),))


def activated(made=TREE, **settings) -> World:
    world = World(review_s=3600, **settings)
    world.build(made)
    world.carry_out(world.asked(made, made, "ACTIVATE").operations)
    return world


def told(world: World, ref: str) -> tuple[str, str]:
    live = world.lives()[ref]
    return live.review, live.delivery


def test_built_and_paused_is_not_in_review():
    world = World()
    world.build(TREE)
    assert told(world, "ad:good") == ("", "PAUSED")


def test_an_activated_ad_is_in_review_then_approved_or_refused():
    world = activated()
    assert told(world, "ad:good") == ("PENDING", "IN_REVIEW")
    world.now += 3601
    assert told(world, "ad:good") == ("APPROVED", "SCHEDULED")  # the flight starts in December
    assert told(world, "ad:bad") == ("REJECTED", "REJECTED")
    assert world.lives()["ad:bad"].review_reasons == ("The ad contains REJECTME. Take the word out.",)
    world.now = START.timestamp() + 60
    assert told(world, "ad:good") == ("APPROVED", "LIVE")
    world.now = END.timestamp() + 60
    assert told(world, "ad:good") == ("APPROVED", "ENDED")


def test_reasons_cost_a_call_only_where_something_was_refused():
    world = activated(ticket(ad_sets=(ad_set(ads=(GOOD,)),)))
    world.now += 3601
    before = len(world.sandbox.requests)
    world.lives()
    assert len(world.sandbox.requests) == before + 3


def test_a_changed_creative_is_reviewed_anew():
    world = activated(ticket(ad_sets=(ad_set(ads=(GOOD,)),)))
    world.now = START.timestamp() + 60
    before = ticket(ad_sets=(ad_set(ads=(GOOD,)),))
    after = ticket(ad_sets=(ad_set(ads=(replace(GOOD, texts=("Another text.",)),)),))
    world.carry_out(world.asked(before, after).operations)
    assert told(world, "ad:good") == ("PENDING", "IN_REVIEW")


def test_what_stands_above_shows_in_the_delivery():
    world = activated(ticket(ad_sets=(ad_set(ads=(GOOD,)),)))
    world.now = START.timestamp() + 60
    world.client.set_status("campaign", world.ids["campaign"], "PAUSED")
    assert told(world, "ad:good") == ("", "PAUSED")
    world.client.set_status("campaign", world.ids["campaign"], "ACTIVE")
    world.sandbox.tamper("account", world.account.external_id, {"status": "STATUS_LIMIT"})
    assert told(world, "ad:good") == ("", "ACCOUNT")


def test_smart_plus_ads_are_followed_too():
    smart = smart_ticket()
    group = smart.ad_sets[0]
    bad = replace(group.ads[0], texts=("REJECTME",))
    world = activated(replace(smart, ad_sets=(replace(group, ads=(bad,)), smart.ad_sets[1])))
    world.now += 3601
    assert told(world, "ad:s1a") == ("REJECTED", "REJECTED")
    assert world.lives()["ad:s1a"].review_reasons
    assert told(world, "ad:s2a") == ("APPROVED", "SCHEDULED")


@pytest.mark.parametrize(
    ("status", "delivery"),
    [
        ("AD_STATUS_DELIVERY_OK", "LIVE"), ("AD_STATUS_AUDIT", "IN_REVIEW"), ("AD_STATUS_REAUDIT", "IN_REVIEW"),
        ("AD_STATUS_AUDIT_DENY", "REJECTED"), ("AD_STATUS_ADGROUP_AUDIT_DENY", "REJECTED"),
        ("AD_STATUS_CAMPAIGN_DISABLE", "PAUSED"), ("AD_STATUS_NOT_START", "SCHEDULED"), ("AD_STATUS_DONE", "ENDED"),
        ("AD_STATUS_TIME_DONE", "ENDED"), ("AD_STATUS_BALANCE_EXCEED", "ACCOUNT"),
        ("AD_STATUS_ADVERTISER_AUDIT_DENY", "ACCOUNT"), ("ADVERTISER_ACCOUNT_PUNISH", "ACCOUNT"),
        ("AD_STATUS_BUDGET_EXCEED", "PROBLEM"), ("AD_STATUS_OF_NEXT_YEAR", "PROBLEM"), ("", ""),
    ],
)  # fmt: skip
def test_what_each_status_means(status, delivery):
    assert readings.delivery_of({"secondary_status": status}) == delivery


@pytest.mark.parametrize(
    ("review", "state"),
    [("ALL_AVAILABLE", "APPROVED"), ("PART_AVAILABLE", "LIMITED"), ("UNAVAILABLE", "REJECTED")],
)
def test_the_review_door_knows_it_better(review, state):
    row = {
        "ad_id": "1",
        "ad_name": "A",
        "operation_status": "ENABLE",
        "secondary_status": "AD_STATUS_AUDIT_DENY",
    }
    live = readings.live_of(
        "ad", row, "2", {"review_status": review, "forbidden_placements": ["PLACEMENT_PANGLE"]}
    )
    assert (live.review, live.review_reasons) == (state, ("Not on PLACEMENT_PANGLE.",))
