"""UPDATE: what differs is sent, whole; what is the same is not; afterwards nothing is left to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trafficking.platforms import changes
from trafficking.platforms.base import (
    Applied,
    Budget,
    Daypart,
    Geo,
    Interest,
    NotFound,
    Rejected,
    TicketSnapshot,
)
from trafficking.platforms.sandbox_base import Fault
from trafficking.platforms.tiktok import PLATFORM
from trafficking.platforms.tiktok.tests.builders import PARIS, START, ad, ad_set, smart_ticket, ticket
from trafficking.platforms.tiktok.tests.world import World

QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def amounts(least: int) -> st.SearchStrategy[Decimal]:
    return st.integers(least * 100, 900_000).map(lambda cents: Decimal(cents) / 100)


def some(values: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), unique=True, max_size=3).map(tuple)


@st.composite
def groups(draw: st.DrawFn, number: int, level: str):
    """One ad group in any shape that TikTok takes, always with the same intents."""
    capped = draw(st.booleans())
    budget = Budget(draw(amounts(700)), draw(st.sampled_from(["DAILY", "LIFETIME"])))
    hours = st.builds(Daypart, st.integers(0, 6), st.integers(0, 11), st.integers(12, 24))
    include = draw(some(["11", "12", "13"]))
    texts = st.sampled_from(["Sail.", "The ocean calls.", "Again!"])
    pages = st.sampled_from(["https://example.com/a", "https://example.com/b?x=1", "https://example.org"])
    one = ad(f"s{number}a", name=f"Ad {number}", texts=(draw(texts),), landing_page=draw(pages))
    return ad_set(
        f"s{number}",
        name=f"Group {number}{draw(st.sampled_from(['', ' b']))}",
        budget=budget if level == "AD_SET" else None,
        bid_strategy="COST_CAP" if capped and level == "AD_SET" else "LOWEST_COST",
        bid_amount=draw(amounts(1)).min(Decimal(5)) if capped and level == "AD_SET" else None,
        end=draw(st.sampled_from([None, datetime(2026, 12, 20, 23, 59, 59, tzinfo=PARIS)])),
        dayparts=tuple(draw(st.lists(hours, max_size=2))),
        geo=Geo(countries=draw(st.sampled_from([("FR",), ("FR", "DE"), ("ES",)]))),
        languages=draw(some(["fr", "de", "es"])),
        age_min=draw(st.sampled_from([None, 18, 25])),
        genders=draw(st.sampled_from([(), ("MALE",), ("FEMALE",)])),
        interests=tuple(Interest(each) for each in draw(some(["15", "16"]))),
        audiences_include=include,
        audiences_exclude=draw(some(["21", "22"])),
        placements=draw(st.sampled_from([(), ("PLACEMENT_TIKTOK",)])),
        config=draw(st.sampled_from([{}, {"comment_disabled": True}, {"spending_power": "HIGH"}])),
        ads=(one,),
    )


@st.composite
def tickets(draw: st.DrawFn, level: str, kind: str = "DAILY") -> TicketSnapshot:
    budget = Budget(draw(amounts(60)), kind) if level == "CAMPAIGN" else None
    made = tuple(draw(groups(number, level)) for number in (1, 2))
    return ticket(budget_level=level, budget=budget, ad_sets=made)


def both() -> st.SearchStrategy[tuple[TicketSnapshot, TicketSnapshot]]:
    level = st.sampled_from(["CAMPAIGN", "AD_SET"])
    return level.flatmap(lambda each: st.tuples(tickets(each), tickets(each)))


@QUIET
@given(both())
def test_after_any_update_that_is_allowed_nothing_is_left(pair):
    before, after = pair
    world = World()
    world.build(before)
    same = world.asked(before, before)
    assert (same.operations, same.changes) == ((), ())
    assert_proved(world, before)

    plan = world.asked(before, after)
    if any(each.blocking for each in plan.findings):
        assert [each.code for each in plan.findings if each.blocking] == ["request.nothing"]
        assert plan.operations == ()
        return
    assert PLATFORM.check(plan.operations) == []
    world.carry_out(plan.operations)
    assert_proved(world, after)
    again = world.asked(after, after)
    assert (again.operations, again.changes) == ((), ())


def assert_proved(world: World, wish: TicketSnapshot) -> None:
    lives = world.lives()
    for each in PLATFORM.wanted(PLATFORM.compile(replace(wish, request_type="CREATE")).operations):
        assert changes.disagreements(each, lives[each.ref]) == []
    assert {each.status for each in lives.values()} == {"PAUSED"}


def test_one_changed_budget_is_one_call_that_says_everything():
    world, before = World(), ticket()
    world.build(before)
    after = replace(before, ad_sets=(replace(before.ad_sets[0], budget=Budget(Decimal(120), "DAILY")),))
    plan = world.asked(before, after)
    (operation,) = plan.operations
    assert (operation.action, operation.path) == ("update", "/open_api/v1.3/adgroup/update/")
    assert operation.body["budget"] == 120
    assert operation.body["location_ids"] == ["3017382"]  # full replacement: the rest stands beside it
    (planned,) = operation.objects
    assert (planned.external_id, planned.expect) == (world.ids["ad_set:s1"], {"budget": "120"})
    (change,) = plan.changes
    assert (change.kind, change.before, change.after, change.source) == (
        "update", "100.5", "120", "ad_sets[0].budget",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "before", "after", "kind"),
    [
        ("budget", "100", "150", "update"),
        ("budget", "100", "151", "learning"),
        ("budget", "100", "49.99", "learning"),
        ("budget", "100", None, "replace"),
        ("location_ids", ["1"], ["2"], "learning"),
        ("bid_price", "1", "2", "learning"),
        ("schedule_end_time", "a", "b", "update"),
        ("placements", ["PLACEMENT_TIKTOK"], None, "replace"),
        ("optimization_goal", "CLICK", "CONVERT", "replace"),
        ("pixel_id", "1", "2", "replace"),
        ("spending_power", "HIGH", None, "replace"),
        ("name", "a", "b", "update"),
        ("a field of next year", "1", "2", "replace"),
    ],
)
def test_the_table_of_changes(field, before, after, kind):
    assert PLATFORM.change_kind("ad_set", field, before, after) == kind


@pytest.mark.parametrize("field", ["ad_text", "landing_page_url", "video_id", "image_ids", "call_to_action"])
def test_another_creative_is_reviewed_anew(field):
    assert PLATFORM.change_kind("ad", field, "a", "b") == "learning"


def test_what_a_campaign_fixes_is_impossible():
    world, before = World(), ticket()
    world.build(before)
    plan = world.asked(before, replace(before, objective="REACH", ad_sets=(ad_set(goal="REACH"),)))
    assert "request.impossible" in {each.code for each in plan.findings if each.blocking}


def test_a_bid_strategy_under_a_campaign_budget_is_refused_before_anything_is_sent():
    world = World()
    before = ticket(
        budget_level="CAMPAIGN", budget=Budget(Decimal(500), "DAILY"), ad_sets=(ad_set(budget=None),)
    )
    world.build(before)
    plan = world.asked(before, replace(before, bid_strategy="COST_CAP", bid_amount=Decimal(2)))
    assert "tiktok.bid.fixed_by_campaign_budget" in {each.code for each in plan.findings if each.blocking}


def test_another_placement_is_another_ad_group_and_the_old_one_goes_first():
    world, before = World(), ticket()
    world.build(before)
    old = world.ids["ad_set:s1"]
    after = replace(before, ad_sets=(replace(before.ad_sets[0], placements=("PLACEMENT_TIKTOK",)),))
    plan = world.asked(before, after)
    assert [each.action for each in plan.operations] == ["archive", "archive", "create", "create"]
    world.carry_out(plan.operations)
    assert world.ids["ad_set:s1"] != old
    assert len(world.lives()) == 3
    assert world.asked(after, after).operations == ()


def test_the_sandbox_takes_away_what_an_update_of_an_ad_group_does_not_say():
    world, before = World(), ticket(ad_sets=(ad_set(languages=("fr",), audiences_exclude=("9",)),))
    world.build(before)
    (operation,) = world.asked(
        before, replace(before, ad_sets=(replace(before.ad_sets[0], name="Other"),))
    ).operations
    bare = {key: operation.body[key] for key in ("advertiser_id", "adgroup_id", "adgroup_name")}
    assert isinstance(world.client.apply(replace(operation, body=bare), world.ids), Applied)
    assert world.lives()["ad_set:s1"].fields["languages"] is None  # as "full replacement" says
    world.carry_out((operation,))
    assert world.lives()["ad_set:s1"].fields["languages"] == ["fr"]


def test_a_rename_leaves_everything_else_as_the_platform_has_it():
    world, before = World(), ticket(ad_sets=(ad_set(languages=("fr",), dayparts=(Daypart(0, 8, 20),)),))
    world.build(before)
    fields = {ref: dict(each.fields) for ref, each in world.lives().items()}
    group = replace(before.ad_sets[0], name="G2", ads=(replace(before.ad_sets[0].ads[0], name="A2"),))
    plan = world.asked(before, replace(before, name="C2", ad_sets=(group,)), "RENAME")
    assert PLATFORM.check(plan.operations) == []
    world.carry_out(plan.operations)
    for ref, live in world.lives().items():
        assert live.name in ("C2", "G2", "A2")
        assert {**live.fields, "name": ""} == {**fields[ref], "name": ""}


@pytest.mark.parametrize("build", [ticket, smart_ticket])
def test_a_changed_switch_is_found_after_a_lost_answer(build):
    world, before = World(), build()
    world.build(before)
    for request_type in ("ACTIVATE", "PAUSE", "ARCHIVE"):
        for operation in world.asked(before, before, request_type).operations:
            assert world.client.find(operation, world.ids) == NotFound()
            world.sandbox.faults = [Fault("lose_answer", match="status/update")]
            assert not isinstance(world.client.apply(operation, world.ids), Applied)
            assert isinstance(world.client.find(operation, world.ids), Applied)
    assert world.client.read_tree(world.ids["campaign"]) == NotFound()


def test_what_is_archived_takes_no_change_and_archiving_it_again_is_harmless():
    world, before = World(), ticket()
    world.build(before)
    (operation,) = world.asked(
        before, replace(before, ad_sets=(replace(before.ad_sets[0], name="Other"),))
    ).operations
    group = world.ids["ad_set:s1"]
    assert isinstance(world.client.set_status("ad_set", group, "ARCHIVED"), Applied)
    assert isinstance(world.client.set_status("ad_set", group, "ARCHIVED"), Applied)
    assert isinstance(world.client.set_status("ad_set", group, "ACTIVE"), Rejected)
    assert isinstance(world.client.apply(operation, world.ids), Rejected)


def test_the_start_of_a_running_ad_group_stays():
    world, before = World(), ticket()
    world.build(before)
    world.now = START.timestamp() + 3600
    longer = replace(before, end=before.end + timedelta(days=3))
    world.carry_out(world.asked(before, longer).operations)
    later = replace(longer, start=START + timedelta(days=1))
    (operation,) = world.asked(longer, later).operations
    refused = world.client.apply(operation, world.ids)
    assert isinstance(refused, Rejected)
    assert refused.pointer == "/schedule_start_time"


def test_a_budget_below_what_is_spent_is_refused():
    world, before = World(), ticket()
    world.build(before)
    world.sandbox.tamper("adgroup", world.ids["ad_set:s1"], {"spend": 100})
    after = replace(before, ad_sets=(replace(before.ad_sets[0], budget=Budget(Decimal(104), "DAILY")),))
    refused = world.client.apply(world.asked(before, after).operations[0], world.ids)
    assert isinstance(refused, Rejected)
    assert "105%" in refused.message


def test_more_than_a_page_of_ads_is_read_whole(monkeypatch):
    from trafficking.platforms.tiktok import client

    monkeypatch.setattr(client, "PAGE_SIZE", 2)
    world = World()
    world.build(ticket(ad_sets=tuple(ad_set(f"s{n}", name=f"G{n}") for n in range(3))))
    assert len(world.lives()) == 7


@pytest.mark.parametrize(
    ("door", "field", "object_ref", "live"),
    [
        ("adgroup/create", "languages", "ad_set:s1", None),
        ("adgroup/create", "budget", "ad_set:s1", None),
        ("ad/create", "landing_page_url", "ad:s1a1", None),
        ("campaign/create", "campaign_name", "campaign", None),
    ],
)
def test_a_field_that_was_forgotten_in_silence_is_seen(door, field, object_ref, live):
    world, made = World(), ticket(ad_sets=(ad_set(languages=("fr",)),))
    world.sandbox.faults = [Fault("drop_field", match=door, field=field)]
    world.build(made)
    wanted = {each.ref: each for each in PLATFORM.wanted(PLATFORM.compile(made).operations)}
    (wrong,) = changes.disagreements(wanted[object_ref], world.lives()[object_ref])
    assert (wrong.field, wrong.live) == ("name" if field.endswith("name") else field, live)


def test_a_status_that_was_forgotten_shows_as_running():
    world = World()
    world.sandbox.faults = [Fault("drop_field", match="ad/create", field="operation_status")]
    world.build(ticket())
    assert world.lives()["ad:s1a1"].status == "ACTIVE"
    assert isinstance(world.client.set_status("ad", world.ids["ad:s1a1"], "PAUSED"), Applied)
    assert world.lives()["ad:s1a1"].status == "PAUSED"
