"""Changes of what runs: nothing to do when nothing changed, the right calls when something did, each change named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.findings import blocking
from trafficking.platforms.base import (
    AdSetSnapshot,
    Applied,
    Budget,
    Daypart,
    FrequencyCap,
    Geo,
    GeoPlace,
    Held,
    InDoubt,
    Interest,
    NotFound,
    TicketSnapshot,
)
from trafficking.platforms.meta import PLATFORM
from trafficking.platforms.meta.adopted import with_values
from trafficking.platforms.meta.fields import LEAVES
from trafficking.platforms.meta.reference import CHANGES
from trafficking.platforms.meta.tests.builders import (
    COMBINATIONS,
    ZONE,
    ad_set,
    big_ticket,
    image_ad,
    one_set,
    ticket,
    video_ad,
)
from trafficking.platforms.meta.tests.journey import Built, bound, built, client, fault
from trafficking.platforms.meta.tests.test_sdk_proof import rich_tickets

LIFETIME = {"budget": Budget(Decimal("310.00"), "LIFETIME")}


def changed_set(snapshot: TicketSnapshot, **changes: Any) -> TicketSnapshot:
    first, *others = snapshot.ad_sets
    return replace(snapshot, ad_sets=(replace(first, **changes), *others))


def changed_ad(snapshot: TicketSnapshot, **changes: Any) -> TicketSnapshot:
    first, *others = snapshot.ad_sets[0].ads
    return changed_set(snapshot, ads=(replace(first, **changes), *others))


def kinds(compiled: Any) -> dict[str, str]:
    return {each.field: each.kind for each in compiled.changes}


# ------------------------------------------------------------------------------ nothing to do


@pytest.mark.parametrize("snapshot", rich_tickets(), ids=lambda t: f"{t.objective}-{t.ad_sets[0].goal}")
def test_a_fresh_tree_agrees_and_needs_nothing(snapshot: TicketSnapshot) -> None:
    there = built(snapshot)
    assert there.disagreements() == []
    plan = there.plan(snapshot)
    assert plan.operations == ()
    assert [each.code for each in blocking(plan.findings)] == ["request.nothing"]


def test_what_meta_adds_and_rewords_is_no_difference() -> None:
    """Answers as Meta gives them: its own zone, names beside keys, zeros for unused budgets, its own order."""
    everything = next(each for each in rich_tickets() if each.ad_sets[0].geo.cities)
    there = built(everything)
    row = there.sandbox.store.rows("kind = 'ad_set'")[0]
    targeting = row["targeting"]
    targeting["geo_locations"] |= {
        "countries": targeting["geo_locations"]["countries"][::-1],
        "cities": [{"key": "2421215", "name": "Menlo Park", "region": "California", "country": "US"}],
        "location_types": ["home", "recent"],
    }
    targeting["locales"] = targeting["locales"][::-1]
    targeting["brand_safety_content_filter_levels"] = ["FACEBOOK_STANDARD"]
    there.sandbox.tamper(
        "ad_set",
        row["id"],
        {"targeting": targeting, "daily_budget": "0", "start_time": "2026-12-01T09:00:00+0100",
         "destination_type": "UNDEFINED", "budget_remaining": "31000"},
    )  # fmt: skip
    there.sandbox.tamper("campaign", there.ids["campaign"], {"daily_budget": "0", "lifetime_budget": "0"})
    assert there.disagreements() == []
    assert there.plan(everything).operations == ()


# ------------------------------------------------------------------------------ each kind of change

EDITS: list[tuple[str, Callable[[TicketSnapshot], TicketSnapshot], dict[str, str]]] = [
    ("a small budget move", lambda t: changed_set(t, budget=Budget(Decimal("55"), "DAILY")), {"daily_budget": "update"}),
    ("a big budget move", lambda t: changed_set(t, budget=Budget(Decimal("500"), "DAILY")), {"daily_budget": "learning"}),
    ("a new end", lambda t: changed_set(t, end=datetime(2027, 1, 31, 23, 59, 59, tzinfo=ZONE)), {"end_time": "update"}),
    ("a name", lambda t: changed_set(t, name="DIS_US_META_2026_MoanaLaunch_Set1b"), {"name": "update"}),
    ("ages", lambda t: changed_set(t, age_min=25, age_max=44),
     {"targeting.age_min": "learning", "targeting.age_max": "learning"}),
    ("places", lambda t: changed_set(t, geo=Geo(countries=("US",), excluded_regions=(GeoPlace("3847"),))),
     {"targeting.excluded_geo_locations.regions": "learning"}),
    ("interests", lambda t: changed_set(t, interests=(Interest("6003107902433"),)), {"targeting.flexible_spec": "learning"}),
    ("a bid strategy", lambda t: changed_set(t, bid_strategy="COST_CAP", bid_amount=Decimal("2")),
     {"bid_strategy": "learning", "bid_amount": "learning"}),
    ("a goal", lambda t: changed_set(t, goal="LANDING_PAGE_VIEWS"), {"optimization_goal": "learning"}),
    ("a text", lambda t: changed_ad(t, texts=("She sails again.",)),
     {"creative.object_story_spec.link_data.message": "learning"}),
    ("a landing page", lambda t: changed_ad(t, landing_page="https://www.example.com/two"),
     {"creative.object_story_spec.link_data.link": "learning",
      "creative.object_story_spec.link_data.call_to_action.value.link": "learning"}),
    ("a UTM parameter", lambda t: changed_ad(t, utm=(("utm_source", "facebook"),)), {"creative.url_tags": "learning"}),
    ("no UTM", lambda t: changed_ad(t, utm=()), {"creative.url_tags": "learning"}),
    ("an ad's name", lambda t: changed_ad(t, name="DIS_US_META_2026_MoanaLaunch_AdOne"), {"name": "update"}),
    ("another image", lambda t: changed_ad(t, media=(t.ad_sets[0].ads[0].media[0].__class__("IMAGE", "ff" * 16),)),
     {"creative.object_story_spec.link_data.image_hash": "learning"}),
    ("a spend cap", lambda t: replace(t, config={"spend_cap": "900"}), {"spend_cap": "update"}),
    ("the campaign's name", lambda t: replace(t, name="DIS_US_META_2026_MoanaRelaunch"), {"name": "update"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "expected"), [(e, k) for _, e, k in EDITS], ids=[name for name, _, _ in EDITS]
)
def test_an_edit_is_named_sent_and_then_done(
    edit: Callable[[TicketSnapshot], TicketSnapshot], expected: dict[str, str]
) -> None:
    before = big_ticket()
    there, after = built(before), edit(before)
    plan = there.plan(after)
    assert blocking(plan.findings) == []
    assert kinds(plan) == expected
    assert PLATFORM.check(plan.operations) == []
    there.apply(plan.operations, after)
    assert there.disagreements() == []
    assert there.plan(after).operations == ()
    there.apply(there.plan(before).operations, before)
    assert there.disagreements() == [], "and back again"
    assert there.plan(before).operations == ()


def test_a_new_text_is_a_new_creative_to_which_the_ad_is_pointed() -> None:
    before = big_ticket()
    there = built(before)
    old = there.ids[f"creative:{before.ad_sets[0].ads[0].intent_id}"]
    plan = there.plan(changed_ad(before, texts=("She sails again.",)))
    assert [each.action for each in plan.operations] == ["create", "update"]
    create, update = plan.operations
    assert update.bindings == {"/creative/creative_id": create.ref}
    there.apply(plan.operations, changed_ad(before, texts=("She sails again.",)))
    assert there.ids[create.ref] != old
    assert len(there.sandbox.store.rows("kind = 'ad'")) == 6


@pytest.mark.parametrize(
    "changes",
    [
        {"budget": Budget(Decimal("310.00"), "LIFETIME")},
        {"goal": "CONVERSIONS", "conversion_event": "PURCHASE"},
    ],
)
def test_what_an_ad_set_can_not_become_is_built_anew_and_the_old_one_archived(
    changes: dict[str, Any],
) -> None:
    before = ticket(
        objective="SALES", ad_sets=(ad_set(1, goal="CLICKS"), ad_set(2, goal="CLICKS", ads=(image_ad(20),)))
    )
    there, after = built(before), changed_set(before, **changes)
    plan = there.plan(after)
    assert "replace" in kinds(plan).values()
    assert "request.replaced" in {each.code for each in plan.findings}
    actions = [(each.action, each.object_type) for each in plan.operations]
    assert actions == [
        ("archive", "ad"), ("archive", "ad_set"), ("create", "ad_set"), ("create", "creative"), ("create", "ad"),
    ]  # fmt: skip
    there.apply(plan.operations, after)
    assert there.disagreements() == []
    assert there.plan(after).operations == ()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"objective": "AWARENESS"}, "objective"),
        ({"budget_level": "CAMPAIGN", "budget": Budget(Decimal(900), "DAILY")}, "daily_budget"),
    ],
)
def test_what_a_campaign_can_not_become_is_refused_in_words(change: dict[str, Any], field: str) -> None:
    before = one_set(goal="REACH")
    if "budget_level" in change:
        change = {**change, "ad_sets": (replace(before.ad_sets[0], budget=None),)}
    plan = built(before).plan(replace(before, **change))
    found = [each for each in plan.findings if each.code == "request.impossible"]
    assert field in {each.params["field"] for each in found}


def test_everything_that_can_be_taken_away_is_taken_away() -> None:
    full = ad_set(
        goal="REACH", **LIFETIME, dayparts=(Daypart(0, 9, 17),), frequency_cap=FrequencyCap(3, 7),
        languages=("en",), age_min=21, genders=("FEMALE",), audiences_include=("23840000000000001",),
        placements=("instagram:story",), config={"device_platforms": ["mobile"]},
    )  # fmt: skip
    before = ticket(objective="AWARENESS", ad_sets=(full,), config={"spend_cap": "900"})
    bare = ad_set(goal="REACH", **LIFETIME)
    after = ticket(objective="AWARENESS", ad_sets=(bare,))
    there = built(before)
    plan = there.plan(after)
    assert blocking(plan.findings) == []
    there.apply(plan.operations, after)
    assert there.disagreements() == []
    stored = there.sandbox.store.rows("kind = 'ad_set'")[0]
    assert not {"adset_schedule", "frequency_control_specs"} & set(stored)
    assert "spend_cap" not in there.sandbox.store.rows("kind = 'campaign'")[0]


def test_an_end_can_be_taken_away_from_a_daily_budget() -> None:
    before = ticket()
    there, after = built(before), replace(before, end=None, ad_sets=(replace(before.ad_sets[0], end=None),))
    plan = there.plan(after)
    assert [each.body for each in plan.operations] == [{"end_time": 0}]
    assert PLATFORM.check(plan.operations) == []
    there.apply(plan.operations, after)
    assert there.plan(after).operations == ()


# ---------------------------------------------------------------------------------- other requests


def test_an_add_ticket_brings_a_new_ad_and_a_new_ad_set() -> None:
    before = ticket()
    there = built(before)
    more = replace(before.ad_sets[0], ads=(*before.ad_sets[0].ads, video_ad(77)))
    after = replace(before, ad_sets=(more, ad_set(9, ads=(image_ad(90),))))
    plan = there.plan(after, "ADD")
    assert blocking(plan.findings) == []
    assert {each.action for each in plan.operations} == {"create"}
    assert len(plan.operations) == 5
    there.apply(plan.operations, after)
    assert there.plan(after, "UPDATE").operations == ()


def test_switching_on_pausing_and_archiving_a_whole_campaign() -> None:
    there = built(big_ticket())
    on = there.plan(big_ticket(), "ACTIVATE").operations
    assert PLATFORM.check(on) == []
    assert [each.object_type for each in on][-1] == "campaign"
    there.apply(on, big_ticket())
    assert {each.status for each in there.tree() if each.type != "creative"} == {"ACTIVE"}
    off = there.plan(big_ticket(), "PAUSE").operations
    assert [each.object_type for each in off] == ["campaign"]
    there.apply(off, big_ticket())
    away = there.plan(big_ticket(), "ARCHIVE").operations
    assert len(away) == 9
    there.apply(away, big_ticket())


def test_a_campaign_that_is_archived_is_no_longer_there() -> None:
    there = built(ticket())
    assert isinstance(
        client(there.sandbox).set_status("campaign", there.ids["campaign"], "ARCHIVED"), Applied
    )
    assert client(there.sandbox).read_tree(there.ids["campaign"]) == NotFound()
    assert client(there.sandbox).list_campaigns() == ()


def test_renaming_changes_names_and_nothing_else() -> None:
    before = big_ticket()
    there = built(before)
    after = changed_ad(replace(before, name="DIS_US_META_2026_Better"), name="DIS_US_META_2026_Better_Ad")
    plan = there.plan(after, "RENAME")
    assert [(each.ref, list(each.body)) for each in plan.operations] == [
        ("update:campaign", ["name"]),
        (f"update:ad:{before.ad_sets[0].ads[0].intent_id}", ["name"]),
    ]
    there.apply(plan.operations, after)
    assert there.plan(after).operations == ()


# ------------------------------------------------------------------------------------------ drift


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        ("campaign", {"name": "renamed by hand"}, "name"),
        ("campaign", {"spend_cap": "5000"}, "spend_cap"),
        ("campaign", {"special_ad_categories": ["HOUSING"]}, "special_ad_categories"),
        ("ad_set", {"daily_budget": "990000"}, "daily_budget"),
        ("ad_set", {"end_time": None}, "end_time"),
        ("ad", {"conversion_domain": "elsewhere.example"}, "conversion_domain"),
    ],
)
def test_what_somebody_changed_behind_our_back_is_seen(
    kind: str, changes: dict[str, Any], field: str
) -> None:
    snapshot = ticket(objective="SALES", ad_sets=(ad_set(goal="CONVERSIONS", conversion_event="PURCHASE"),))
    there = built(snapshot)
    row = there.sandbox.store.rows(f"kind = '{kind}'")[0]
    there.sandbox.tamper(kind, row["id"], changes)
    assert [(each.type, each.field) for each in there.disagreements()] == [(kind, field)]
    drifted = [each for each in there.plan(snapshot).findings if each.code == "request.drifted"]
    assert [each.params["field"] for each in drifted] == [field]


def test_an_ad_that_was_given_another_creative_by_hand_is_seen() -> None:
    there = built(big_ticket())
    ads = there.sandbox.store.rows("kind = 'ad'")
    there.sandbox.tamper("ad", ads[0]["id"], {"creative": ads[3]["creative"]})
    found = PLATFORM.wanted(PLATFORM.compile(big_ticket()).operations)
    by_id = {each.external_id: each for each in there.tree()}
    seen = by_id[ads[0]["id"]].fields
    ours = next(each for each in found if each.type == "ad")
    assert {name for name, value in ours.fields.items() if seen[name] != value} == set()
    assert len([each for each in there.tree() if each.type == "creative"]) == 5


# ------------------------------------------------------------------------------------- properties

_BUDGETS = st.decimals(min_value=5, max_value=900, places=2).map(lambda amount: Budget(amount, "DAILY"))
_TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=30
)
_SETS = st.fixed_dictionaries(
    {},
    optional={
        "budget": _BUDGETS,
        "age_min": st.integers(13, 30),
        "age_max": st.integers(40, 64),
        "genders": st.sampled_from([(), ("FEMALE",), ("MALE",)]),
        "languages": st.sampled_from([(), ("en",), ("fr", "de")]),
        "geo": st.sampled_from(
            [Geo(countries=("US",)), Geo(countries=("CA", "US")), Geo(regions=(GeoPlace("3847"),))]
        ),
        "interests": st.sampled_from(
            [(), (Interest("6003107902433", "Football"),), (Interest("7"), Interest("8"))]
        ),
        "placements": st.sampled_from([(), ("instagram",), ("facebook:feed", "instagram:story")]),
        "goal": st.sampled_from(["CLICKS", "LANDING_PAGE_VIEWS", "REACH"]),
        "start": st.datetimes(datetime(2026, 12, 1), datetime(2026, 12, 5)).map(
            lambda moment: moment.replace(microsecond=0, tzinfo=ZONE)
        ),
    },
)
_ADS = st.fixed_dictionaries(
    {},
    optional={
        "texts": st.tuples(_TEXTS),
        "headlines": st.tuples(_TEXTS),
        "landing_page": st.sampled_from(["https://a.example.com/x", "https://b.example.com/?y=1"]),
        "utm": st.sampled_from([(), (("utm_source", "meta"),), (("utm_id", "{campaign_id}"),)]),
        "call_to_action": st.sampled_from(["LEARN_MORE", "SHOP_NOW"]),
    },
)


@st.composite
def _tickets(draw: st.DrawFn) -> TicketSnapshot:
    sets: list[AdSetSnapshot] = []
    for number in range(1, draw(st.integers(1, 2)) + 1):
        ads = tuple(
            replace(image_ad(number * 10 + at), **draw(_ADS)) for at in range(draw(st.integers(1, 2)))
        )
        sets.append(ad_set(number, ads=ads, **draw(_SETS)))
    return ticket(ad_sets=tuple(sets))


@given(before=_tickets(), after=_tickets())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_changed_planning_again_is_empty(before: TicketSnapshot, after: TicketSnapshot) -> None:
    there: Built = built(before)
    assert there.disagreements() == []
    assert there.plan(before).operations == ()
    plan = there.plan(after)
    assert [each for each in blocking(plan.findings) if each.code != "request.nothing"] == []
    assert PLATFORM.check(plan.operations) == []
    there.apply(plan.operations, after)
    assert there.disagreements() == []
    assert there.plan(after).operations == ()


@pytest.mark.parametrize(("objective", "goal", "changes"), COMBINATIONS)
def test_every_combination_agrees_after_its_budget_has_moved(
    objective: str, goal: str, changes: dict[str, Any]
) -> None:
    before = one_set(objective, goal=goal, **changes)
    there, after = built(before), changed_set(before, budget=Budget(Decimal("60"), "DAILY"))
    there.apply(there.plan(after).operations, after)
    assert there.disagreements() == []


# ---------------------------------------------------------------------------- budgets of the campaign


def shared(strategy: str = "LOWEST_COST", amount: str | None = None, budget: str = "400") -> TicketSnapshot:
    sets = tuple(ad_set(n, budget=None, ads=(image_ad(n * 10),)) for n in (1, 2))
    bid = None if amount is None else Decimal(amount)
    return ticket(
        ad_sets=sets, budget_level="CAMPAIGN", budget=Budget(Decimal(budget), "DAILY"), bid_strategy=strategy,
        bid_amount=bid,
    )  # fmt: skip


def test_a_cap_that_is_taken_off_the_campaign_leaves_the_ad_sets_too() -> None:
    there, after = built(shared("COST_CAP", "2.00")), shared()
    plan = there.plan(after)
    assert blocking(plan.findings) == []
    assert [each.body for each in plan.operations] == [{"bid_strategy": "LOWEST_COST_WITHOUT_CAP"}]
    there.apply(plan.operations, after)
    assert there.disagreements() == []
    assert there.plan(after).operations == ()


def test_one_cap_for_another_and_its_amount_is_an_update() -> None:
    there, after = built(shared("COST_CAP", "2.00")), shared("BID_CAP", "2.10")
    plan = there.plan(after)
    assert blocking(plan.findings) == []
    there.apply(plan.operations, after)
    assert there.disagreements() == []
    assert there.plan(after).operations == ()


def test_a_cap_that_is_put_on_a_running_campaign_is_refused_in_words() -> None:
    plan = built(shared()).plan(shared("COST_CAP", "2.00"))
    found = [each.params["field"] for each in plan.findings if each.code == "request.impossible"]
    assert found == ["bid_strategy"]


@given(
    strategies=st.tuples(*[st.sampled_from([("COST_CAP", "2.00"), ("BID_CAP", "3.00")])] * 2),
    budgets=st.tuples(st.integers(100, 900), st.integers(100, 900)),
    end=st.sampled_from([None, datetime(2027, 2, 1, 23, 59, 59, tzinfo=ZONE)]),
    cap=st.sampled_from([{}, {"spend_cap": "5000"}]),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_campaign_budgets_change_and_settle(
    strategies: Any, budgets: tuple[int, int], end: datetime | None, cap: dict[str, str]
) -> None:
    before = shared(*strategies[0], budget=str(budgets[0]))
    after = replace(shared(*strategies[1], budget=str(budgets[1])), end=end, config=cap)
    there = built(before)
    assert there.plan(before).operations == ()
    plan = there.plan(after)
    assert [each for each in blocking(plan.findings) if each.code != "request.nothing"] == []
    there.apply(plan.operations, after)
    assert there.disagreements() == []
    assert there.plan(after).operations == ()


@pytest.mark.parametrize("object_type", ["campaign", "ad_set", "ad"])
def test_every_field_that_is_known_has_a_stated_kind_of_change(object_type: str) -> None:
    """What a plan can set has its meaning in the reference, with a source."""
    for field in LEAVES[object_type]:
        if field.startswith("advantage_state_info"):
            continue  # Meta computes it
        top = field
        while top and top not in CHANGES[object_type]:
            top = top.rpartition(".")[0]
        assert top, field
        kind, source = CHANGES[object_type][top]
        assert kind in ("update", "learning", "replace", "impossible", "amount")
        assert source


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [("10000", "12000", "update"), ("10000", "12001", "learning"), ("10000", "8000", "update"),
     ("10000", "7999", "learning"), ("10000", "nonsense", "learning")],
)  # fmt: skip
def test_an_amount_restarts_learning_beyond_a_fifth(before: str, after: str, kind: str) -> None:
    assert PLATFORM.change_kind("ad_set", "daily_budget", before, after) == kind


def test_an_unknown_field_can_not_be_changed() -> None:
    assert PLATFORM.change_kind("ad_set", "hobbies", 1, 2) == "impossible"
    assert PLATFORM.change_kind("creative", "url_tags", "a", "b") == "impossible"


@pytest.mark.parametrize("kind", ["lose_answer", "truncate", "server_error_after_commit"])
def test_every_operation_of_a_change_is_found_after_a_lost_answer_and_not_before(kind: str) -> None:
    before = big_ticket()
    after = changed_set(
        changed_ad(before, texts=("She sails again.",)), age_min=30, name="DIS_US_META_2026_MoanaLaunch_SetA"
    )
    there = built(before)
    for operation in there.plan(after).operations:
        ids = dict(there.ids)
        if operation.action == "create":
            ids[f"old:{operation.ref}"] = ids.pop(operation.ref)
        assert client(there.sandbox).find(operation, ids) == NotFound()
        there.sandbox.faults = [fault(kind, f"POST {operation.path}")]
        assert isinstance(client(there.sandbox).apply(operation, ids), InDoubt)
        found = client(there.sandbox).find(operation, ids)
        assert isinstance(found, Applied)
        there.ids = {**ids, **found.external_ids}
    assert there.plan(after).operations == ()


def test_a_change_that_meta_drops_silently_is_seen() -> None:
    before = big_ticket()
    after = changed_set(before, end=datetime(2027, 1, 31, 23, 59, 59, tzinfo=ZONE))
    there = built(before)
    (operation,) = there.plan(after).operations
    there.sandbox.faults = [fault("drop_field", "POST", field="end_time")]
    assert isinstance(client(there.sandbox).apply(operation, {}), Applied)
    assert client(there.sandbox).find(operation, {}) == NotFound()
    there.wanted = PLATFORM.wanted(bound(PLATFORM.compile(after).operations, there.ids))
    assert [each.field for each in there.disagreements()] == ["end_time"]


# ---------------------------------------------------------------------------------------- adoption


def adopting(held: list[Held], wanted: Any, object_type: str, *names: str) -> list[Held]:
    """As if a person had let the platform's values of these fields stand, on the first object of the type."""
    first = next(each for each in held if each.type == object_type)
    asked = next(each for each in wanted if each.ref == first.ref).fields
    assert first.live is not None
    kept = {name: {"live": first.live[name], "over": asked.get(name)} for name in names}
    return [replace(each, adopted=kept) if each is first else each for each in held]


def test_what_a_person_let_stand_in_the_audience_goes_along_when_the_rest_changes() -> None:
    before = ticket(
        ad_sets=(ad_set(genders=("FEMALE",), interests=(Interest("7"),), geo=Geo(countries=("US",))),)
    )
    there = built(before)
    row = there.sandbox.store.rows("kind = 'ad_set'")[0]
    targeting = row["targeting"] | {
        "genders": [1], "flexible_spec": [{"interests": [{"id": "8", "name": "Chess"}]}],
        "excluded_geo_locations": {"regions": [{"key": "3847", "name": "California"}]},
    }  # fmt: skip
    there.sandbox.tamper("ad_set", row["id"], {"targeting": targeting})
    names = ("targeting.genders", "targeting.flexible_spec", "targeting.excluded_geo_locations.regions")
    held = adopting(there.held(), there.wanted, "ad_set", *names)
    after = changed_set(before, age_min=30)
    plan = PLATFORM.compile(replace(after, request_type="UPDATE"), held)
    assert kinds(plan) == {"targeting.age_min": "learning"}
    assert PLATFORM.check(plan.operations) == []
    assert isinstance(client(there.sandbox).apply(plan.operations[0], {}), Applied)
    live = next(each for each in there.tree() if each.type == "ad_set").fields
    assert live["targeting.age_min"] == 30
    assert live["targeting.genders"] == [1]
    assert live["targeting.flexible_spec"] == [{"interests": ["8"]}]
    assert live["targeting.excluded_geo_locations.regions"] == ["3847"]


def test_an_adopted_text_stays_when_the_landing_page_changes() -> None:
    before = ticket()
    there = built(before)
    row = there.sandbox.store.rows("kind = 'creative'")[0]
    story = row["object_story_spec"]
    story["link_data"] |= {"message": "Rewritten by hand", "image_hash": "77" * 16}
    there.sandbox.tamper("creative", row["id"], {"object_story_spec": story, "url_tags": None})
    link = "creative.object_story_spec.link_data"
    names = (f"{link}.message", f"{link}.image_hash", "creative.url_tags")
    held = adopting(there.held(), there.wanted, "ad", *names)
    after = changed_ad(before, landing_page="https://www.example.com/two")
    plan = PLATFORM.compile(replace(after, request_type="UPDATE"), held)
    assert PLATFORM.check(plan.operations) == []
    there.apply(plan.operations, after)
    live = next(each for each in there.tree() if each.type == "ad").fields
    assert live[f"{link}.link"] == "https://www.example.com/two"
    assert live[f"{link}.message"] == "Rewritten by hand"
    assert live[f"{link}.image_hash"] == "77" * 16
    assert live["creative.url_tags"] is None


@pytest.mark.parametrize("snapshot", rich_tickets(), ids=lambda t: f"{t.objective}-{t.ad_sets[0].goal}")
def test_every_field_can_be_said_back_as_it_was_read(snapshot: TicketSnapshot) -> None:
    for each in built(snapshot).tree():
        if each.type in ("ad_set", "ad"):
            said = with_values(each.type, {}, {k: v for k, v in each.fields.items() if v is not None})
            assert PLATFORM.fields_of(each.type, said) == each.fields
