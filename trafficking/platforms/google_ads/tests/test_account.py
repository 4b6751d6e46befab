"""The account itself: preflight, review, limits, and what the sandbox refuses to change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trafficking.platforms.base import Applied, NeedsAuth, Rejected, RetryLater
from trafficking.platforms.google_ads import PLATFORM
from trafficking.platforms.google_ads.request import mutate_of
from trafficking.platforms.google_ads.tests.builders import SEARCH_AD, search_ad_set, ticket
from trafficking.platforms.google_ads.tests.calls import MUTATE, post
from trafficking.platforms.google_ads.tests.test_changes import BASE, World
from trafficking.platforms.google_ads.tests.test_sandbox import error_codes
from trafficking.platforms.sandbox_base import Fault

CUSTOMER = "1234567890"


def codes(found):
    return {each.code.removeprefix("google_ads.preflight."): each.severity for each in found}


def test_what_we_do_not_know_otherwise_is_healthy():
    assert World().client.preflight() == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": "SUSPENDED"}, "not_enabled"),
        ({"currencyCode": "USD"}, "currency"),
        ({"timeZone": "America/New_York"}, "time_zone"),
        ({"manager": True}, "manager"),
        ({"billing": "PENDING"}, "billing"),
    ],
)
def test_an_account_that_is_not_as_we_have_it_is_found(changes, code):
    world = World()
    world.sandbox.tamper("account", CUSTOMER, changes)
    found = world.client.preflight()
    assert codes(found) == {code: "block"}
    assert PLATFORM.messages[found[0].code].remedy


def test_a_conversion_action_that_is_off_is_found():
    world = World()
    world.sandbox.tamper("conversion_action", "55", {"account": CUSTOMER, "status": "HIDDEN"})
    assert codes(world.client.preflight()) == {"conversion_action": "block"}


@pytest.mark.parametrize(("fault", "kind"), [("expired_token", NeedsAuth), ("throttle", RetryLater)])
def test_an_unreadable_account_is_not_a_healthy_one(fault, kind):
    world = World()
    world.sandbox.faults = [Fault(fault, count=9)]
    assert isinstance(world.client.preflight(), kind)


def test_one_undeclared_campaign_blocks_the_account_until_it_is_declared():
    world = World().create(ticket())
    old = {"account": CUSTOMER, "name": "Old", "status": "PAUSED", "advertisingChannelType": "SEARCH"}
    world.sandbox.tamper("campaign", "999", old)
    (found,) = world.client.preflight()
    assert found.code == "google_ads.preflight.eu_political_undeclared"
    assert found.params["campaigns"] == ["Old"]
    other = PLATFORM.compile(ticket(name="Another")).operations[0]
    refused = world.client.apply(other, {})
    assert isinstance(refused, Rejected)
    assert refused.code == "mutateError.EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED"
    declared = {"containsEuPoliticalAdvertising": "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING"}
    world.sandbox.tamper("campaign", "999", declared)
    assert world.client.preflight() == ()
    assert isinstance(world.client.apply(other, {}), Applied)


def reviewed(text):
    """A world with an activated campaign of one ad, and a clock."""
    ad = replace(SEARCH_AD, headlines=(text, "Free returns", "Third"))
    wish = ticket(ad_sets=(search_ad_set(ads=(ad,)),))
    world = World()
    world.now = 1_800_000_000.0  # within the flight
    world.sandbox.clock = lambda: world.now - 20_000_000 if not world.ids else world.now
    world.create(wish)
    world.carry_out(PLATFORM.compile(replace(wish, request_type="ACTIVATE"), world.held(wish)).operations)
    return world, wish


def ad_of(world):
    (ad,) = [each for each in world.lives().values() if each.type == "ad"]
    return ad


@pytest.mark.parametrize(
    ("text", "review", "delivery"), [("Shoes", "APPROVED", "LIVE"), ("REJECTME", "REJECTED", "REJECTED")]
)
def test_an_activated_ad_is_reviewed_and_then_runs_or_is_refused_with_its_reason(text, review, delivery):
    world, _wish = reviewed(text)
    assert (ad_of(world).review, ad_of(world).delivery) == ("PENDING", "IN_REVIEW")
    world.now += world.sandbox.review_s
    assert (ad_of(world).review, ad_of(world).delivery) == (review, delivery)
    assert bool(ad_of(world).review_reasons) == (review == "REJECTED")


def test_an_edited_ad_is_reviewed_again():
    world, wish = reviewed("Shoes")
    world.now += world.sandbox.review_s
    edited = replace(wish.ad_sets[0].ads[0], landing_page="https://example.com/new")
    after = replace(wish, ad_sets=(replace(wish.ad_sets[0], ads=(edited,)),))
    world.carry_out(world.change(wish, after).operations)
    assert ad_of(world).review == "PENDING"


def test_an_automated_campaigns_ads_are_reviewed_too():
    world = World()
    world.now = world.sandbox.clock()
    world.sandbox.clock = lambda: world.now
    wish = BASE["PERFORMANCE_MAX"]
    world.create(wish)
    world.carry_out(PLATFORM.compile(replace(wish, request_type="ACTIVATE"), world.held(wish)).operations)
    assert ad_of(world).review == "PENDING"
    world.now += world.sandbox.review_s
    assert ad_of(world).delivery == "SCHEDULED"


def test_the_platforms_waiting_time_is_told_to_the_engine():
    world = World()
    assert world.client.usage is None
    world.sandbox.faults = [Fault("throttle", seconds=42)]
    world.client.list_campaigns()
    assert (world.client.usage.share, world.client.usage.wait_s) == (1.0, 42)


def test_a_dry_run_keeps_nothing_and_tells_what_would_be_refused():
    world = World()
    (operation,) = PLATFORM.compile(ticket()).operations
    assert isinstance(world.client.validate(operation, {}), Applied)
    assert world.sandbox.store.rows() == []
    world.create(ticket())
    assert isinstance(world.client.validate(operation, {}), Rejected)


# --- what the sandbox refuses to change -----------------------------------------------------------


def update(world, operation, collection, ref, values, mask):
    name = f"customers/{CUSTOMER}/{collection}/{world.ids[ref].rpartition('~')[2]}"
    change = {operation: {"update": {"resourceName": name, **values}, "updateMask": mask}}
    return post(world.sandbox, MUTATE, mutate_of(CUSTOMER, [change])[1])


AD = f"ad:{SEARCH_AD.intent_id}"
GROUP = "ad_set:b0000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("operation", "collection", "ref", "values", "mask", "code"),
    [
        ("campaignOperation", "campaigns", "campaign", {"advertisingChannelType": "DISPLAY"},
         "advertisingChannelType", "IMMUTABLE_FIELD"),
        ("campaignOperation", "campaigns", "campaign", {"name": "X"}, "nonsense", "FIELD_NOT_FOUND"),
        ("campaignOperation", "campaigns", "campaign", {"name": ""}, "name", "REQUIRED"),
        ("campaignOperation", "campaigns", "campaign", {"networkSettings": {"targetGoogleSearch": True}},
         "networkSettings", "FIELD_HAS_SUBFIELDS"),
        ("campaignOperation", "campaigns", "campaign", {"status": "REMOVED"}, "status", "INVALID_VALUE"),
        ("campaignOperation", "campaigns", "campaign", {"endDateTime": "2020-01-01 23:59:59"}, "endDateTime",
         "CANNOT_SET_DATE_TO_PAST"),
        ("campaignBudgetOperation", "campaignBudgets", "budget", {"amountMicros": "5"}, "amountMicros",
         "NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT"),
        ("campaignBudgetOperation", "campaignBudgets", "budget", {"period": "CUSTOM_PERIOD"}, "period",
         "IMMUTABLE_FIELD"),
        ("adGroupOperation", "adGroups", GROUP, {"type": "DISPLAY_STANDARD"}, "type", "IMMUTABLE_FIELD"),
        ("adOperation", "ads", AD, {"name": "X"}, "name", "IMMUTABLE_FIELD"),
        ("adOperation", "ads", AD, {"finalUrls": []}, "finalUrls", "REQUIRED"),
        ("adOperation", "ads", AD, {"responsiveSearchAd": {"headlines": [{"text": "One"}]}},
         "responsiveSearchAd.headlines", "TOO_FEW"),
    ],
)  # fmt: skip
def test_updates_are_as_strict_as_creates(operation, collection, ref, values, mask, code):
    world = World().create(ticket())
    before = world.sandbox.store.rows()
    answer = update(world, operation, collection, ref, values, mask)
    assert answer.status == 400
    assert code in error_codes(answer)
    assert world.sandbox.store.rows() == before


def test_what_is_removed_can_not_be_changed_nor_built_upon():
    world = World().create(ticket())
    world.client.set_status("campaign", world.ids["campaign"], "ARCHIVED")
    gone = "OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE"
    answer = update(world, "campaignOperation", "campaigns", "campaign", {"name": "X"}, "name")
    assert error_codes(answer) == {gone}
    group = {"campaign": f"customers/{CUSTOMER}/campaigns/{world.ids['campaign']}", "name": "New"}
    answer = post(world.sandbox, MUTATE, mutate_of(CUSTOMER, [{"adGroupOperation": {"create": group}}])[1])
    assert error_codes(answer) == {gone}


def test_a_value_that_was_let_stand_is_restored_and_a_list_is_left_to_a_person():
    before = ticket()
    world = World().create(before)
    for field, live, plan_is_made in (
        ("endDateTime", "2027-03-31 23:59:59", True), ("languages", ["1002"], False),
    ):  # fmt: skip
        held = [
            replace(each, adopted={field: {"live": live, "over": each.applied[field]}})
            if each.type == "campaign" else each
            for each in world.held(before)
        ]  # fmt: skip
        plan = PLATFORM.compile(replace(before, request_type="UPDATE"), held)
        assert bool(plan.operations) is plan_is_made
        assert ("google_ads.adopted.by_hand" in {each.code for each in plan.findings}) is not plan_is_made
        world.carry_out(plan.operations)
    (campaign,) = [each for each in world.lives().values() if each.type == "campaign"]
    assert campaign.fields["endDateTime"] == "2027-03-31 23:59:59"
