"""Smart+: what it takes, what it only takes as a hint, and what its sandbox refuses."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from trafficking.platforms.base import Account, Applied, Budget, Interest, Media, Rejected
from trafficking.platforms.tiktok import PLATFORM
from trafficking.platforms.tiktok.tests.builders import ACCOUNT, smart_ticket
from trafficking.platforms.tiktok.tests.world import World

MANUAL = {"targeting_optimization_mode": "MANUAL"}


def group(**changes: Any):
    made = smart_ticket()
    return replace(made, ad_sets=(replace(made.ad_sets[0], **changes),))


def one_ad(**changes: Any):
    made = smart_ticket().ad_sets[0]
    return group(ads=(replace(made.ads[0], **changes),))


def codes(made) -> dict[str, str]:
    return {each.code.removeprefix("tiktok."): each.severity for each in PLATFORM.compile(made).findings}


def bodies(made) -> dict[str, dict[str, Any]]:
    return {each.object_type: each.body for each in PLATFORM.compile(made).operations}


def test_tiktok_chooses_audience_and_placement_unless_told():
    body = bodies(smart_ticket())["ad_set"]
    assert body["targeting_optimization_mode"] == "AUTOMATIC"
    assert body["targeting_spec"] == {"location_ids": ["3017382"], "spc_audience_age": "OVER_EIGHTEEN"}
    assert not {"placement_type", "placements", "pacing", "budget", "budget_mode"} & body.keys()


@pytest.mark.parametrize(
    ("asked", "sent", "finding"),
    [(None, "OVER_EIGHTEEN", ""), (18, "OVER_EIGHTEEN", ""), (21, "OVER_TWENTY_FIVE", "age.minimum_rounded_up"),
     (25, "OVER_TWENTY_FIVE", "")],
)  # fmt: skip
def test_a_least_age_holds_and_is_never_rounded_down(asked, sent, finding):
    made = group(age_min=asked)
    assert bodies(made)["ad_set"]["targeting_spec"]["spc_audience_age"] == sent
    assert not finding or codes(made)[finding] == "warn"


def test_a_least_age_above_what_it_keeps_for_certain_is_refused():
    assert codes(group(age_min=30))["smart.age_minimum"] == "block"
    assert "smart.age_minimum" not in codes(group(age_min=35, config=MANUAL))


@pytest.mark.parametrize(
    "changes",
    [
        {"genders": ("MALE",)},
        {"age_max": 34},
        {"interests": (Interest("15"),)},
        {"audiences_include": ("1",)},
    ],
)
def test_hints_are_said_to_be_hints(changes):
    assert codes(group(**changes))["smart.suggestion"] == "warn"
    assert "smart.suggestion" not in codes(group(**changes, config=MANUAL))


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (smart_ticket(objective="TRAFFIC"), "smart.objective"),
        (group(goal="REACH"), "goal.unsupported"),
        (group(budget=Budget(Decimal(50), "DAILY")), "budget.two_levels"),
        (group(config={"brand_safety_type": "LIMITED_INVENTORY"}), "smart.option"),
        (one_ad(config={}), "smart.dynamic_button"),
        (one_ad(texts=("a", "b", "c", "d", "e", "f")), "smart.texts"),
        (one_ad(media=(Media("VIDEO", "v"), Media("VIDEO", "w"), Media("THUMBNAIL", "c"))), "smart.videos"),
        (one_ad(format="IMAGE"), "format.unsupported"),
        (one_ad(landing_page=""), "landing_page.missing"),
        (
            smart_ticket(
                budget=Budget(Decimal(9000), "LIFETIME"), bid_strategy="COST_CAP", bid_amount=Decimal(5)
            ),
            "smart.cap_needs_daily",
        ),
        (smart_ticket(budget=Budget(Decimal(9000), "LIFETIME"), end=None), "budget.lifetime_needs_end"),
    ],
)
def test_what_it_does_not_take_is_refused_before_anything_is_sent(made, code):
    assert codes(made)[code] == "block"


def test_budgets_of_their_own_are_built_and_read_back():
    made = smart_ticket(budget_level="AD_SET", budget=None)
    groups = tuple(replace(each, budget=Budget(Decimal("30.5"), "DAILY")) for each in made.ad_sets)
    world = World()
    world.build(replace(made, ad_sets=groups))
    assert world.lives()["ad_set:s2"].fields["budget"] == "30.5"
    assert world.lives()["campaign"].fields["budget"] is None


def test_a_custom_identity_brings_a_button_of_its_own():
    account: Account = replace(ACCOUNT, identity_type="CUSTOMIZED_USER")
    made = replace(one_ad(config={}), account=account)
    body = bodies(made)["ad"]
    assert body["call_to_action_list"] == [{"call_to_action": "LEARN_MORE"}]
    assert body["ad_configuration"] == {
        "identity_id": account.identity_id,
        "identity_type": "CUSTOMIZED_USER",
    }
    World(account).build(made)


def test_several_films_and_a_carousel_are_built():
    films = tuple(Media("VIDEO", f"v{n}") for n in range(3)) + tuple(
        Media("THUMBNAIL", f"c{n}") for n in range(3)
    )
    world = World()
    world.build(one_ad(media=films))
    assert [each["video_id"] for each in world.lives()["ad:s1a"].fields["creative_list"]] == [
        "v0",
        "v1",
        "v2",
    ]


def test_what_its_update_doors_do_not_take_is_refused_by_compile():
    world, before = World(), smart_ticket()
    world.build(before)
    plan = world.asked(before, replace(before, bid_strategy="COST_CAP", bid_amount=Decimal(5)))
    assert "tiktok.smart.fixed" in {each.code for each in plan.findings if each.blocking}


def test_targeting_budget_and_creatives_change_in_place():
    world, before = World(), smart_ticket()
    world.build(before)
    first = before.ad_sets[0]
    other = replace(first.ads[0], texts=("New.",), media=(Media("VIDEO", "v9"), Media("THUMBNAIL", "c9")))
    changed = replace(first, languages=("fr",), age_min=25, ads=(other,))
    after = replace(before, budget=Budget(Decimal(250), "DAILY"), ad_sets=(changed, before.ad_sets[1]))
    plan = world.asked(before, after)
    assert [each.path.split("/v1.3/")[1] for each in plan.operations] == [
        "smart_plus/campaign/update/", "smart_plus/adgroup/update/", "smart_plus/ad/update/",
    ]  # fmt: skip
    world.carry_out(plan.operations)
    assert world.asked(after, after).operations == ()


def test_a_rename_sends_the_creatives_as_they_are():
    world, before = World(), smart_ticket()
    world.build(before)
    creatives = world.lives()["ad:s1a"].fields["creative_list"]
    first = before.ad_sets[0]
    renamed = replace(first, ads=(replace(first.ads[0], name="Other"),))
    world.carry_out(
        world.asked(before, replace(before, ad_sets=(renamed, before.ad_sets[1])), "RENAME").operations
    )
    live = world.lives()["ad:s1a"]
    assert (live.name, live.fields["creative_list"]) == ("Other", creatives)


@pytest.mark.parametrize(
    ("kind", "change", "word"),
    [
        ("campaign", {"sales_destination": "SHOP"}, "sales_destination"),
        ("campaign", {"budget_optimize_on": False}, "budget"),
        ("campaign", {"mood": 1}, "mood"),
        ("ad_set", {"budget": 50}, "budget"),
        ("ad_set", {"pixel_id": ""}, "pixel_id"),
        ("ad_set", {"billing_event": "CPC"}, "billing_event"),
        ("ad_set", {"targeting_spec": {"location_ids": []}}, "location_ids"),
        ("ad_set", {"targeting_spec": {"location_ids": ["1"], "spending_power": "HIGH"}}, "spending_power"),
        ("ad_set", {"targeting_optimization_mode": "MANUAL"}, "spc_audience_age"),
        ("ad", {"creative_list": []}, "creative_list"),
        ("ad", {"ad_configuration": {}}, "call_to_action_id"),
        ("ad", {"landing_page_url_list": []}, "landing_page_url_list"),
    ],
)
def test_its_doors_refuse(kind, change, word):
    world = World()
    operations = PLATFORM.compile(smart_ticket()).operations
    for operation in operations[:3]:
        if operation.object_type == kind:
            broken = replace(operation, body={**operation.body, **change, "request_id": "7"})
            body = {key: value for key, value in broken.body.items() if kind != "ad" or key != "request_id"}
            refused = world.client.apply(replace(broken, body=body), world.ids)
            assert isinstance(refused, Rejected)
            assert word in refused.message
        outcome = world.client.apply(operation, world.ids)
        assert isinstance(outcome, Applied)
        world.ids |= outcome.external_ids


def test_the_two_forms_do_not_mix():
    world = World()
    world.build(smart_ticket())
    usual = world.client._switch("ad_set", world.ids["ad_set:s1"], "ACTIVE", smart=False)
    assert isinstance(usual, Rejected)
    assert isinstance(world.client.set_status("ad_set", world.ids["ad_set:s1"], "ACTIVE"), Applied)
    (campaign,) = world.client.list_campaigns()
    assert campaign.fields["campaign_automation_type"] == "UPGRADED_SMART_PLUS"
