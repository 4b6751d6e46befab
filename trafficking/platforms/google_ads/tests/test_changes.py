"""UPDATE, ADD and the switches: one atomic mutate that leaves behind what is wanted, and nothing to do after it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from google.ads.googleads.v26.services.types.google_ads_service import GoogleAdsRow, MutateGoogleAdsRequest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.findings import blocking
from trafficking.platforms.base import (
    Applied,
    Budget,
    Daypart,
    FrequencyCap,
    Geo,
    Held,
    InDoubt,
    Interest,
    Keyword,
    Media,
    NotFound,
)
from trafficking.platforms.changes import disagreements
from trafficking.platforms.google_ads import PLATFORM, live, preflight, reference
from trafficking.platforms.google_ads.fields import TABLES
from trafficking.platforms.google_ads.media import state_query
from trafficking.platforms.google_ads.sandbox import GoogleAdsSandbox
from trafficking.platforms.google_ads.tests.builders import (
    ACCOUNT,
    BERLIN,
    DISPLAY_AD,
    IMAGE_AD,
    PMAX_AD,
    SEARCH_AD,
    VIDEO_AD,
    demand_gen_ad_set,
    display_ad_set,
    performance_max_ad_set,
    search_ad_set,
    ticket,
)
from trafficking.platforms.google_ads.tests.calls import client
from trafficking.platforms.sandbox_base import Fault


class World:
    """A sandbox, a client, and what the house knows of the one campaign in it."""

    def __init__(self):
        self.sandbox = GoogleAdsSandbox()
        self.client = client(self.sandbox)
        self.ids = {}

    def carry_out(self, operations):
        for operation in operations:
            outcome = self.client.apply(operation, self.ids)
            assert isinstance(outcome, Applied), (outcome, operation.body)
            self.ids |= outcome.external_ids

    def create(self, wish):
        compiled = PLATFORM.compile(wish)
        assert blocking(compiled.findings) == []
        self.carry_out(compiled.operations)
        return self

    def lives(self):
        tree = self.client.read_tree(self.ids["campaign"])
        return {(each.type, each.external_id): each for each in tree}

    def held(self, wish):
        """As after a proof: applied as wanted of `wish`, live as read."""
        lives, held = self.lives(), []
        for each in PLATFORM.wanted(PLATFORM.compile(replace(wish, request_type="CREATE")).operations):
            found = lives.get((each.type, self.ids.get(each.ref)))
            if found is not None:
                held.append(
                    Held(each.ref, each.type, found.external_id, each.name, each.intent, each.parent, found.status,
                         each.fields, found.fields)
                )  # fmt: skip
        return held

    def proof(self, wish):
        """All disagreements between what a ticket wants and what is there."""
        lives = self.lives()
        wanted = PLATFORM.wanted(PLATFORM.compile(replace(wish, request_type="CREATE")).operations)
        return [line for each in wanted for line in disagreements(each, lives[each.type, self.ids[each.ref]])]

    def change(self, before, after, **asked):
        return PLATFORM.compile(replace(after, request_type="UPDATE", **asked), self.held(before))


BASE = {
    "SEARCH": ticket(),
    "DISPLAY": ticket(
        "DISPLAY", bid_strategy="BID_CAP", bid_amount=Decimal("1.5"),
        ad_sets=(display_ad_set(goal="REACH", frequency_cap=FrequencyCap(2, 1), placements=("example.org",),
                                interests=(Interest("80101"),), age_min=25),),
    ),
    "DEMAND_GEN": ticket("DEMAND_GEN", ad_sets=(demand_gen_ad_set(placements=("DISCOVER", "GMAIL")),)),
    "PERFORMANCE_MAX": ticket("PERFORMANCE_MAX"),
}  # fmt: skip


def with_ad_set(wish, **changes):
    return replace(wish, ad_sets=(replace(wish.ad_sets[0], **changes), *wish.ad_sets[1:]))


def with_ad(wish, index=0, **changes):
    ads = list(wish.ad_sets[0].ads)
    ads[index] = replace(ads[index], **changes)
    return with_ad_set(wish, ads=tuple(ads))


# --- each kind of change, by itself -------------------------------------------------------------

CHANGED = {
    "budget": (BASE["SEARCH"], lambda t: replace(t, budget=Budget(Decimal("25"), "DAILY"))),
    "end": (BASE["SEARCH"], lambda t: replace(t, end=datetime(2027, 2, 28, 23, 59, 59, tzinfo=BERLIN))),
    "no end": (BASE["SEARCH"], lambda t: replace(t, end=None)),
    "name": (BASE["SEARCH"], lambda t: replace(t, name="Another name")),
    "bid cap": (BASE["SEARCH"], lambda t: replace(t, bid_strategy="BID_CAP", bid_amount=Decimal("0.5"))),
    "another goal": (BASE["SEARCH"], lambda t: with_ad_set(t, goal="CONVERSIONS")),
    "places": (BASE["SEARCH"], lambda t: with_ad_set(t, geo=Geo(("DE", "CH"), excluded_countries=("AT",)))),
    "languages": (BASE["SEARCH"], lambda t: with_ad_set(t, languages=("fr",))),
    "hours": (BASE["SEARCH"], lambda t: with_ad_set(t, dayparts=(Daypart(1, 8, 20),))),
    "no hours": (BASE["SEARCH"], lambda t: with_ad_set(t, dayparts=())),
    "keywords": (
        BASE["SEARCH"],
        lambda t: with_ad_set(t, keywords=(Keyword("boots", "BROAD"), Keyword("shoes", "PHRASE"))),
    ),
    "keyword turned negative": (
        BASE["SEARCH"],
        lambda t: with_ad_set(
            t, keywords=(Keyword("shoes", "PHRASE"),), negative_keywords=(Keyword("running shoes", "EXACT"),)
        ),
    ),
    "ages and gender": (BASE["SEARCH"], lambda t: with_ad_set(t, age_min=35, age_max=None, genders=())),
    "audiences": (
        BASE["SEARCH"],
        lambda t: with_ad_set(t, audiences_include=("customAudiences/9",), audiences_exclude=()),
    ),
    "observation": (BASE["SEARCH"], lambda t: with_ad_set(t, config={"audience_observation": True})),
    "networks": (
        BASE["SEARCH"],
        lambda t: replace(t, config={"search_partners": True, "location_intent": "PRESENCE_OR_INTEREST"}),
    ),
    "tracking template": (
        BASE["SEARCH"],
        lambda t: replace(t, config={"tracking_url_template": "https://t.example.com/?u={lpurl}"}),
    ),
    "landing page and UTM": (
        BASE["SEARCH"],
        lambda t: with_ad(t, landing_page="https://example.com/new", utm=(("utm_source", "g"),)),
    ),
    "no UTM": (BASE["SEARCH"], lambda t: with_ad(t, utm=())),
    "texts and pins": (
        BASE["SEARCH"],
        lambda t: with_ad(
            t, headlines=("One", "Two", "Three", "Four"), display_paths=("sale",), config={"pin_headlines": [0, 1]}
        ),
    ),
    "display bid": (BASE["DISPLAY"], lambda t: replace(t, bid_amount=Decimal("2"))),
    "display cap": (BASE["DISPLAY"], lambda t: with_ad_set(t, frequency_cap=FrequencyCap(5, 7))),
    "no display cap": (BASE["DISPLAY"], lambda t: with_ad_set(t, frequency_cap=None)),
    "sites and interests": (
        BASE["DISPLAY"], lambda t: with_ad_set(t, placements=("example.net",), interests=(Interest("7"),)),
    ),
    "display images and long headline": (
        BASE["DISPLAY"],
        lambda t: with_ad(
            t, long_headline="A longer one", call_to_action="", business_name="Shoes",
            media=(Media("IMAGE", "7101"), Media("SQUARE_IMAGE", "7002")),
        ),
    ),
    "display colours and video": (
        BASE["DISPLAY"],
        lambda t: with_ad(
            t, config={"main_color": "#000000", "accent_color": "#ffffff", "google_enhancements": True},
            media=(*DISPLAY_AD.media, Media("YOUTUBE_VIDEO", "aaaaaaaaaaa")),
        ),
    ),
    "all channels": (BASE["DEMAND_GEN"], lambda t: with_ad_set(t, placements=())),
    "other channels": (BASE["DEMAND_GEN"], lambda t: with_ad_set(t, placements=("YOUTUBE_SHORTS",))),
    "demand gen places": (BASE["DEMAND_GEN"], lambda t: with_ad_set(t, geo=Geo(("AT",)))),
    "optimised targeting": (
        BASE["DEMAND_GEN"], lambda t: with_ad_set(t, config={"optimized_targeting": True}),
    ),
    "video, button and business": (
        BASE["DEMAND_GEN"],
        lambda t: with_ad(
            t, business_name="Shoes", call_to_action="SHOP_NOW", long_headline="Longer",
            media=(Media("YOUTUBE_VIDEO", "bbbbbbbbbbb"), Media("LOGO", "7005")),
        ),
    ),
    "Google's own creations": (BASE["DEMAND_GEN"], lambda t: with_ad(t, config={"google_enhancements": True})),
    "demand gen picture": (
        BASE["DEMAND_GEN"], lambda t: with_ad(t, 1, media=(Media("SQUARE_IMAGE", "7009"), Media("LOGO", "7003"))),
    ),
    "asset group's name and signals": (
        BASE["PERFORMANCE_MAX"],
        lambda t: with_ad_set(t, name="Other", keywords=(Keyword("boots", "BROAD"),), audiences_include=()),
    ),
    "asset group's texts": (
        BASE["PERFORMANCE_MAX"],
        lambda t: with_ad(
            t, headlines=("Running shoes", "New ones", "Third", "Fourth"), business_name="Shoes",
            descriptions=("Short.", "Another short one."), long_headline="Another long headline", utm=(),
        ),
    ),
    "asset group's pictures, video, button and page": (
        BASE["PERFORMANCE_MAX"],
        lambda t: with_ad(
            t, call_to_action="LEARN_MORE", landing_page="https://example.com/other", display_paths=("sale",),
            media=(Media("IMAGE", "7011"), Media("SQUARE_IMAGE", "7002"), Media("LOGO", "7003"),
                   Media("PORTRAIT_IMAGE", "7004"), Media("YOUTUBE_VIDEO", "ccccccccccc")),
        ),
    ),
    "automated campaign's target, places and automation": (
        BASE["PERFORMANCE_MAX"],
        lambda t: with_ad_set(
            replace(t, bid_strategy="COST_CAP", bid_amount=Decimal("12"), config={"google_enhancements": True}),
            geo=Geo(("AT",)), languages=(),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_a_change_is_one_mutate_in_place_that_the_sdk_takes_and_that_leaves_nothing_to_do(name):
    before, turn = CHANGED[name]
    after, world = turn(before), World().create(before)
    assert PLATFORM.compile(replace(before, request_type="UPDATE"), world.held(before)).operations == ()
    plan = world.change(before, after)
    assert blocking(plan.findings) == []
    (operation,) = plan.operations
    assert PLATFORM.check(plan.operations) == []
    assert {each.kind for each in plan.changes} <= {"update", "learning"}
    assert not any("create" in change for mutate in operation.body["mutateOperations"]
                   for kind, change in mutate.items() if kind in ("adGroupOperation", "adGroupAdOperation"))  # fmt: skip
    world.carry_out(plan.operations)
    sent = json.loads(
        [each for each in world.sandbox.requests if each["path"].endswith("mutate")][-1]["body"]
    )
    json_format.ParseDict({**sent, "customerId": "1234567890"}, MutateGoogleAdsRequest.pb()())
    assert world.proof(after) == []
    again = PLATFORM.compile(replace(after, request_type="UPDATE"), world.held(after))
    assert (again.operations, again.changes) == ((), ())


@pytest.mark.parametrize("name", CHANGED)
def test_every_change_says_before_after_and_where_the_ticket_says_so(name):
    before, turn = CHANGED[name]
    plan = World().create(before).change(before, turn(before))
    for each in plan.changes:
        assert each.before != each.after
        assert each.source, each


@pytest.mark.parametrize("fault", ["lose_answer", "truncate", "server_error_after_commit"])
@pytest.mark.parametrize("name", CHANGED)
def test_a_change_whose_answer_was_lost_is_found_and_one_that_was_lost_is_not(name, fault):
    before, turn = CHANGED[name]
    world = World().create(before)
    (operation,) = world.change(before, turn(before)).operations
    assert world.client.find(operation, world.ids) == NotFound()
    world.sandbox.faults = [Fault(fault, match="mutate")]
    assert isinstance(world.client.apply(operation, world.ids), InDoubt)
    found = world.client.find(operation, world.ids)
    assert isinstance(found, Applied)
    assert set(found.external_ids) == {each.ref for each in operation.objects}
    again = world.client.apply(operation, world.ids)
    assert isinstance(again, Applied), again
    world.ids |= again.external_ids
    assert world.proof(turn(before)) == []


# --- what can't be changed ------------------------------------------------------------------------


def test_daily_and_lifetime_budgets_can_not_be_exchanged():
    before = BASE["SEARCH"]
    plan = World().create(before).change(before, replace(before, budget=Budget(Decimal("500"), "LIFETIME")))
    assert [each.code for each in blocking(plan.findings)] == ["request.impossible"]
    assert {each.kind for each in plan.changes if each.field == "period"} == {"impossible"}


def test_another_name_of_a_demand_gen_ad_makes_a_new_ad_and_removes_the_old_one():
    before = BASE["DEMAND_GEN"]
    world = World().create(before)
    old, ref = world.ids[f"ad:{VIDEO_AD.intent_id}"], f"ad:{VIDEO_AD.intent_id}"
    after = with_ad(before, name="Another name")
    plan = world.change(before, after)
    assert blocking(plan.findings) == []
    assert [each.kind for each in plan.changes] == ["replace"]
    assert [each.code for each in plan.findings if each.code == "request.replaced"]
    world.carry_out(plan.operations)
    assert world.ids[ref] != old
    assert world.ids[f"old:{ref}"] == old
    assert world.sandbox.store.get("ad_group_ad", old)["status"] == "REMOVED"
    assert world.proof(after) == []
    assert world.change(after, after).operations == ()


def test_a_replaced_ad_group_takes_its_ads_along_under_the_same_name():
    before = BASE["DEMAND_GEN"]
    world = World().create(before)
    after = with_ad_set(before, audiences_include=("audiences/77",))
    plan = world.change(before, after)
    world.carry_out(plan.operations)
    lives = [each for each in world.lives().values() if each.type in ("ad_set", "ad")]
    assert sorted(each.type for each in lives) == ["ad", "ad", "ad_set"]
    assert {each.status for each in lives} == {"PAUSED"}
    assert world.proof(after) == []


@pytest.mark.parametrize("fault", ["lose_answer", "truncate"])
def test_replacements_and_additions_whose_answer_was_lost_are_found(fault):
    before = BASE["DEMAND_GEN"]
    world = World().create(before)
    twin = replace(IMAGE_AD, intent_id="twin", name="Twin")
    after = with_ad(before, name="Another name")
    after = with_ad_set(after, ads=(*after.ad_sets[0].ads, twin))
    (operation,) = world.change(before, after).operations
    world.sandbox.faults = [Fault(fault, match="mutate")]
    assert isinstance(world.client.apply(operation, world.ids), InDoubt)
    found = world.client.find(operation, world.ids)
    assert isinstance(found, Applied)
    world.ids |= found.external_ids
    assert world.proof(after) == []


def test_an_added_search_ad_like_another_one_is_told_from_it_after_a_lost_answer():
    before = BASE["SEARCH"]
    world = World().create(before)
    after = with_ad_set(before, ads=(SEARCH_AD, replace(SEARCH_AD, intent_id="twin", name="Twin")))
    plan = PLATFORM.compile(replace(after, request_type="ADD"), world.held(before))
    (operation,) = plan.operations
    assert world.client.find(operation, world.ids) == NotFound()
    world.sandbox.faults = [Fault("lose_answer", match="mutate")]
    world.client.apply(operation, world.ids)
    found = world.client.find(operation, world.ids)
    assert isinstance(found, Applied)
    assert found.external_ids["ad:twin"] != world.ids[f"ad:{SEARCH_AD.intent_id}"]


@pytest.mark.parametrize("fault", ["lose_answer", "truncate"])
def test_an_added_asset_group_whose_answer_was_lost_is_found_with_its_ad(fault):
    before = BASE["PERFORMANCE_MAX"]
    world = World().create(before)
    second = performance_max_ad_set(
        intent_id="second", name="Second", ads=(replace(PMAX_AD, intent_id="second-ad", name="Second ad"),)
    )
    after = replace(before, ad_sets=(*before.ad_sets, second))
    (operation,) = PLATFORM.compile(replace(after, request_type="ADD"), world.held(before)).operations
    world.sandbox.faults = [Fault(fault, match="mutate")]
    assert isinstance(world.client.apply(operation, world.ids), InDoubt)
    found = world.client.find(operation, world.ids)
    assert isinstance(found, Applied)
    assert found.external_ids["ad_set:second"] == found.external_ids["ad:second-ad"]
    world.ids |= found.external_ids
    assert world.proof(after) == []


def test_an_add_ticket_that_changes_something_else_is_refused():
    before = BASE["SEARCH"]
    world = World().create(before)
    after = replace(before, request_type="ADD", budget=Budget(Decimal("50"), "DAILY"))
    plan = PLATFORM.compile(after, world.held(before))
    assert "request.only_adds" in {each.code for each in blocking(plan.findings)}


# --- behind our back ------------------------------------------------------------------------------


def test_what_somebody_changed_is_set_back_and_said():
    before = BASE["SEARCH"]
    world = World().create(before)
    (budget,) = world.sandbox.store.find("campaign_budget", "1234567890")
    world.sandbox.tamper("campaign_budget", budget["id"], {"amountMicros": "99000000"})
    plan = world.change(before, before)
    assert [(each.field, each.before, each.note) for each in plan.changes] == [
        ("amountMicros", "99000000", "drift")
    ]
    world.carry_out(plan.operations)
    assert world.proof(before) == []


def test_a_keyword_that_somebody_removed_comes_back_and_one_that_they_added_goes():
    before = BASE["SEARCH"]
    world = World().create(before)
    mine = next(
        each for each in world.sandbox.store.find("ad_group_criterion", "1234567890")
        if each.get("keyword", {}).get("text") == "shoes"
    )  # fmt: skip
    changed = {"keyword": {"text": "cheap shoes", "matchType": "BROAD"}}
    world.sandbox.tamper("ad_group_criterion", mine["id"], changed)
    plan = world.change(before, before)
    world.carry_out(plan.operations)
    assert world.proof(before) == []


def test_a_criterion_that_is_gone_already_is_not_removed_again():
    before = BASE["SEARCH"]
    world = World().create(before)
    after = with_ad_set(before, keywords=(Keyword("shoes", "PHRASE"),))
    (operation,) = world.change(before, after).operations
    world.carry_out([operation])
    world.carry_out([operation])
    assert world.proof(after) == []


# --- any change at all ----------------------------------------------------------------------------

words = st.sampled_from(["Shoes", "Boots", "Free returns", "New", "Sale today", "For every road", "Light"])
headlines = st.lists(words, min_size=3, max_size=6, unique=True).map(tuple)
search_ads = st.builds(
    lambda h, d, p, u, page: replace(
        SEARCH_AD, headlines=h, descriptions=d, display_paths=p, utm=u, landing_page=f"https://example.com/{page}"
    ),
    headlines, st.lists(words, min_size=2, max_size=4, unique=True).map(tuple),
    st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True).map(tuple),
    st.sampled_from([(), (("utm_source", "g"),), (("utm_source", "g"), ("utm_content", "{ad_id}"))]),
    st.sampled_from(["", "a", "b?x=1"]),
)  # fmt: skip
keyword_lists = st.lists(
    st.builds(Keyword, words.map(str.lower), st.sampled_from(["EXACT", "PHRASE", "BROAD"])),
    min_size=1, max_size=4, unique=True,
).map(tuple)  # fmt: skip
search_tickets = st.builds(
    lambda ad, keywords, age, genders, countries, languages, money, bid, hours, partners: ticket(
        budget=Budget(money, "DAILY"),
        bid_strategy="BID_CAP" if bid else "LOWEST_COST",
        bid_amount=bid,
        config={"search_partners": partners},
        ad_sets=(
            search_ad_set(
                ads=(ad,), keywords=keywords, negative_keywords=(), age_min=age, age_max=None, genders=genders,
                geo=Geo(countries), languages=languages, dayparts=hours,
            ),
        ),
    ),
    search_ads, keyword_lists, st.sampled_from([None, 18, 25, 45]), st.sampled_from([(), ("MALE",), ("FEMALE",)]),
    st.sampled_from([("DE",), ("DE", "AT"), ("CH",)]), st.sampled_from([(), ("de",), ("de", "en")]),
    st.sampled_from([Decimal("5"), Decimal("19.99")]), st.sampled_from([None, Decimal("0.5"), Decimal("1.25")]),
    st.sampled_from([(), (Daypart(0, 9, 17),), (Daypart(0, 9, 12), Daypart(5, 0, 24))]), st.booleans(),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(search_tickets, st.lists(search_tickets, min_size=1, max_size=3))
def test_from_any_search_ticket_to_any_other_one_update_is_enough(first, others):
    world, before = World().create(first), first
    for after in others:
        plan = world.change(before, after)
        if plan.changes:
            assert blocking(plan.findings) == []
            assert len(plan.operations) == 1
            world.carry_out(plan.operations)
        assert world.proof(after) == []
        assert world.change(after, after).operations == ()
        before = after


# --- what is asked of Google ----------------------------------------------------------------------


def test_every_field_that_is_asked_for_exists_in_the_sdk():
    asked = [live.campaign_query("x = 1"), *live.tree_queries("1"), live.asset_query(["a"])]
    asked += [*live.group_queries("1"), state_query("1", "youTubeVideoUploads/1")]
    asked += preflight.queries(ACCOUNT).values()
    for query in asked:
        for field in query.removeprefix("SELECT ").partition(" FROM ")[0].split(", "):
            descriptor = GoogleAdsRow.pb().DESCRIPTOR
            for part in field.split("."):
                names = {each.name.rstrip("_"): each for each in descriptor.fields}
                assert part in names, field
                descriptor = names[part].message_type


def test_a_whole_tree_is_read_in_few_calls():
    for channel in BASE:
        world = World().create(BASE[channel])
        before = len(world.sandbox.requests)
        world.client.read_tree(world.ids["campaign"])
        assert len(world.sandbox.requests) - before <= 6


def test_what_the_sdk_calls_immutable_is_never_changed_in_place():
    documented = {
        ("campaign", "advertisingChannelType"), ("campaign", "brandGuidelinesEnabled"), ("budget", "period"),
        ("ad_set", "type"), ("ad_set", "audienceSetting.useAudienceGrouped"), ("ad", "name"),
    }  # fmt: skip
    for object_type, field in documented:
        assert PLATFORM.change_kind(object_type, field, "a", "b") in ("replace", "impossible")
    kinds = {kind for rows in reference.CHANGES.values() for _, kind, _ in rows}
    assert kinds <= {"update", "learning", "replace", "impossible"}
    assert all(source for rows in reference.CHANGES.values() for _, _, source in rows)
    assert set(TABLES) == set(reference.CHANGES)


def test_another_format_is_another_ad():
    assert PLATFORM.change_kind("ad", "responsiveSearchAd.descriptions", ["a"], None) == "replace"
    assert PLATFORM.change_kind("ad", "responsiveSearchAd.path2", ["a"], None) == "learning"
