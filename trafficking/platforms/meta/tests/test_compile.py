"""A ticket becomes the right tree, and what can't be said becomes findings."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trafficking.platforms.base import (
    Account,
    Budget,
    Compiled,
    Daypart,
    FrequencyCap,
    Geo,
    GeoPlace,
    Interest,
    Media,
    Operation,
    TicketSnapshot,
)  # fmt: skip
from trafficking.platforms.meta import PLATFORM
from trafficking.platforms.meta.conversion_domain import conversion_domain
from trafficking.platforms.meta.creative import creative_name
from trafficking.platforms.meta.messages import MESSAGES
from trafficking.platforms.meta.tests.builders import (
    COMBINATIONS,
    ZONE,
    ad_set,
    big_ticket,
    carousel_ad,
    image_ad,
    one_set,
    ticket,
    video_ad,
)  # fmt: skip


def compiled(snapshot: TicketSnapshot) -> Compiled:
    result = PLATFORM.compile(snapshot)
    for finding in result.findings:
        assert finding.code in MESSAGES, finding.code
        message = MESSAGES[finding.code]
        (message.text + message.remedy).format_map(finding.params)  # no parameter is missing
        json.dumps(finding.as_dict())
    assert PLATFORM.check(result.operations) == []
    return result


def codes(snapshot: TicketSnapshot) -> dict[str, str]:
    """Finding codes without the platform, with their fields."""
    return {f.code.removeprefix("meta."): f.field for f in compiled(snapshot).findings}


def body(snapshot: TicketSnapshot, object_type: str, number: int = 0) -> Any:
    result = compiled(snapshot)
    assert not [f for f in result.findings if f.blocking], result.findings
    return [o.body for o in result.operations if o.object_type == object_type][number]


# --------------------------------------------------------------------------------------- the tree


def test_the_tree_comes_parents_first_and_everything_is_paused() -> None:
    operations = compiled(big_ticket()).operations
    assert len(operations) == 1 + 2 * (1 + 3 * 2)
    seen: set[str] = set()
    for operation in operations:
        assert set(operation.bindings.values()) <= seen, operation.ref
        seen |= {each.ref for each in operation.objects}
        if operation.object_type != "creative":
            assert operation.body["status"] == "PAUSED"


def test_every_binding_points_at_a_stand_in_that_is_replaced_by_the_id() -> None:
    for operation in compiled(big_ticket()).operations:
        ids = {ref: f"12021{number}" for number, ref in enumerate(operation.bindings.values())}
        bound = operation.bound_body(ids)
        assert "<" not in json.dumps(bound)
        assert all(external_id in json.dumps(bound) for external_id in ids.values())


def test_compiling_twice_gives_the_same_and_survives_storage() -> None:
    first, second = compiled(big_ticket()), compiled(big_ticket())
    assert first == second
    for operation in first.operations:
        assert Operation.from_dict(json.loads(json.dumps(operation.as_dict()))) == operation


def test_sources_name_ticket_fields_and_lie_in_the_body() -> None:
    for operation in compiled(big_ticket()).operations:
        for pointer in operation.sources:
            value = operation.body
            for part in pointer.split("/")[1:]:
                value = value[int(part)] if isinstance(value, list) else value[part]
    ad_set_op = compiled(ticket()).operations[1]
    assert ad_set_op.sources["/daily_budget"] == "ad_sets[0].budget"
    creative_op = compiled(ticket()).operations[2]
    assert creative_op.sources["/object_story_spec/link_data/message"] == "ad_sets[0].ads[0].texts[0]"


@pytest.mark.parametrize(("objective", "goal", "changes"), COMBINATIONS)
def test_every_combination_of_objective_and_goal_compiles(
    objective: str, goal: str, changes: dict[str, Any]
) -> None:
    result = compiled(one_set(objective, goal=goal, **changes))
    assert not [f for f in result.findings if f.blocking]
    assert [o.object_type for o in result.operations] == ["campaign", "ad_set", "creative", "ad"]


@pytest.mark.parametrize(
    ("objective", "goal", "outcome", "expected"),
    [
        ("AWARENESS", "REACH", "OUTCOME_AWARENESS", {"optimization_goal": "REACH", "promoted_object": {"page_id": "100200300"}}),
        ("TRAFFIC", "LANDING_PAGE_VIEWS", "OUTCOME_TRAFFIC", {"optimization_goal": "LANDING_PAGE_VIEWS"}),
        ("ENGAGEMENT", "ENGAGEMENT", "OUTCOME_ENGAGEMENT", {"optimization_goal": "POST_ENGAGEMENT", "destination_type": "ON_POST"}),
        ("LEADS", "LEADS", "OUTCOME_LEADS", {"optimization_goal": "OFFSITE_CONVERSIONS", "destination_type": "WEBSITE",
         "promoted_object": {"pixel_id": "778899", "custom_event_type": "LEAD"}}),
        ("SALES", "CONVERSIONS", "OUTCOME_SALES", {"optimization_goal": "OFFSITE_CONVERSIONS",
         "promoted_object": {"pixel_id": "778899", "custom_event_type": "INITIATED_CHECKOUT"}}),
    ],
)  # fmt: skip
def test_objectives_say_their_goal_in_metas_words(
    objective: str, goal: str, outcome: str, expected: dict[str, Any]
) -> None:
    event = "INITIATE_CHECKOUT" if goal == "CONVERSIONS" else ""
    snapshot = one_set(objective, goal=goal, conversion_event=event)
    assert body(snapshot, "campaign")["objective"] == outcome
    made = body(snapshot, "ad_set")
    assert {key: made[key] for key in expected} == expected
    assert made["billing_event"] == "IMPRESSIONS"
    if objective == "TRAFFIC":
        assert "destination_type" not in made


def test_video_views_belong_to_engagement_and_beside_reach_to_awareness() -> None:
    views = ad_set(1, goal="VIDEO_VIEWS", ads=(video_ad(),))
    reach = ad_set(2, goal="REACH", ads=(video_ad(4),))
    alone = ticket(objective="VIDEO_VIEWS", ad_sets=(views,))
    mixed = ticket(objective="VIDEO_VIEWS", ad_sets=(views, reach))
    assert body(alone, "campaign")["objective"] == "OUTCOME_ENGAGEMENT"
    assert body(alone, "ad_set")["destination_type"] == "ON_VIDEO"
    assert body(mixed, "campaign")["objective"] == "OUTCOME_AWARENESS"
    assert [body(mixed, "ad_set", n)["optimization_goal"] for n in (0, 1)] == ["THRUPLAY", "REACH"]


def test_app_promotion_names_the_app_and_leads_to_its_store() -> None:
    store = "https://apps.apple.com/app/id1"
    ad = image_ad(landing_page="", call_to_action="INSTALL")
    snapshot = one_set("APP_PROMOTION", goal="APP_INSTALLS", config={"object_store_url": store}, ads=(ad,))
    assert body(snapshot, "ad_set")["promoted_object"] == {
        "application_id": "445566",
        "object_store_url": store,
    }
    link = body(snapshot, "creative")["object_story_spec"]["link_data"]
    assert link["call_to_action"] == {"type": "INSTALL_MOBILE_APP", "value": {"link": store}}
    assert link["link"] == store


def test_leads_on_a_form_are_collected_on_the_ad() -> None:
    snapshot = one_set("LEADS", goal="LEADS", config={"lead_gen_form_id": "31415"})
    made = body(snapshot, "ad_set")
    assert (made["optimization_goal"], made["destination_type"]) == ("LEAD_GENERATION", "ON_AD")
    value = body(snapshot, "creative")["object_story_spec"]["link_data"]["call_to_action"]["value"]
    assert value["lead_gen_form_id"] == "31415"


def test_one_ad_without_a_form_among_ads_with_forms_is_told() -> None:
    ads = (image_ad(1, config={"lead_gen_form_id": "1"}), image_ad(2))
    found = codes(one_set("LEADS", goal="LEADS", ads=ads))
    assert found == {"ad.form_missing": "ad_sets[0].ads[1].config.lead_gen_form_id"}


@pytest.mark.parametrize(
    ("goal", "billing", "event"),
    [("CLICKS", "", "IMPRESSIONS"), ("CLICKS", "CLICKS", "LINK_CLICKS"), ("CLICKS", "IMPRESSIONS", "IMPRESSIONS")],
)  # fmt: skip
def test_clicks_can_be_billed_for_the_goal_clicks(goal: str, billing: str, event: str) -> None:
    assert body(one_set(goal=goal, billing_event=billing), "ad_set")["billing_event"] == event


@pytest.mark.parametrize(
    ("goal", "billing"), [("REACH", "CLICKS"), ("CLICKS", "VIDEO_VIEWS"), ("CLICKS", "ACTIONS")]
)
def test_other_billing_is_refused(goal: str, billing: str) -> None:
    assert "billing_event.unsupported" in codes(one_set(goal=goal, billing_event=billing))


# ------------------------------------------------------------------------------------------ money


def test_an_ad_set_budget_says_that_it_is_not_shared() -> None:
    assert body(ticket(), "campaign")["is_adset_budget_sharing_enabled"] is False
    assert body(ticket(), "ad_set")["daily_budget"] == 5000


def test_a_campaign_budget_stands_on_the_campaign_with_its_bid_strategy_only() -> None:
    snapshot = ticket(
        budget_level="CAMPAIGN",
        budget=Budget(Decimal("1234.56"), "LIFETIME"),
        bid_strategy="COST_CAP",
        bid_amount=Decimal("2.50"),
        ad_sets=(ad_set(budget=None),),
    )
    campaign, made = body(snapshot, "campaign"), body(snapshot, "ad_set")
    assert campaign["lifetime_budget"] == 123456
    assert campaign["bid_strategy"] == "COST_CAP"
    assert "is_adset_budget_sharing_enabled" not in campaign
    assert made["bid_amount"] == 250
    assert not {"daily_budget", "lifetime_budget", "bid_strategy"} & set(made)


def test_a_budget_on_both_levels_is_told_where_it_is_too_much() -> None:
    both = ticket(budget_level="CAMPAIGN", budget=Budget(Decimal(100), "DAILY"))
    assert codes(both) == {"budget.two_levels": "ad_sets[0].budget"}
    other = ticket(budget=Budget(Decimal(100), "DAILY"))
    assert codes(other) == {"budget.two_levels": "budget"}


@pytest.mark.parametrize(
    ("budget", "billing", "enough"),
    [
        (Budget(Decimal("1.00"), "DAILY"), "", True),
        (Budget(Decimal("0.99"), "DAILY"), "", False),
        (Budget(Decimal("4.99"), "DAILY"), "CLICKS", False),
        (Budget(Decimal("5.00"), "DAILY"), "CLICKS", True),
        (Budget(Decimal("30.99"), "LIFETIME"), "", False),
        (Budget(Decimal("31.00"), "LIFETIME"), "", True),
    ],
)
def test_budgets_below_metas_minimum_are_refused(budget: Budget, billing: str, enough: bool) -> None:
    found = codes(one_set(budget=budget, billing_event=billing))
    assert found == ({} if enough else {"budget.too_low": "ad_sets[0].budget"})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"budget": None}, "budget.missing"),
        ({"budget": Budget(Decimal("19.999"), "DAILY")}, "money.not_expressible"),
        ({"budget": Budget(Decimal(-5), "DAILY")}, "money.not_positive"),
        ({"budget": Budget(Decimal(0), "DAILY")}, "money.not_positive"),
        ({"budget": Budget(Decimal("NaN"), "DAILY")}, "money.not_positive"),
        ({"budget": Budget(Decimal("Infinity"), "DAILY")}, "money.not_positive"),
        ({"budget": Budget(Decimal("1E+99999"), "DAILY")}, "money.not_expressible"),
        ({"bid_strategy": "COST_CAP"}, "bid.amount_missing"),
        ({"bid_amount": Decimal(1)}, "bid.amount_unused"),
        ({"bid_strategy": "CLEVER"}, "bid.strategy_unknown"),
        ({"bid_strategy": "TARGET_ROAS", "bid_amount": Decimal("2.5")}, "bid.roas_needs_value"),
    ],
)
def test_money_that_cannot_be_sent_is_told(changes: dict[str, Any], code: str) -> None:
    assert code in codes(one_set(**changes))


def test_target_roas_becomes_a_floor_in_ten_thousandths() -> None:
    snapshot = one_set(
        "SALES",
        goal="CONVERSION_VALUE",
        conversion_event="PURCHASE",
        bid_strategy="TARGET_ROAS",
        bid_amount=Decimal("2.5"),
    )
    made = body(snapshot, "ad_set")
    assert made["bid_strategy"] == "LOWEST_COST_WITH_MIN_ROAS"
    assert made["bid_constraints"] == {"roas_average_floor": 25000}
    assert "bid_amount" not in made


def test_a_currency_that_meta_does_not_list_is_refused() -> None:
    kuwait = replace(ticket().account, currency="KWD")
    found = codes(ticket(account=kuwait, currency="KWD"))
    assert found == {"currency.unsupported": "currency"}
    assert "currency.mismatch" in codes(ticket(currency="EUR"))


# ----------------------------------------------------------------------------------------- flight


def test_times_carry_the_accounts_offset_of_that_day() -> None:
    zone = ZoneInfo("Europe/Berlin")
    made = body(
        one_set(start=datetime(2026, 3, 28, tzinfo=zone), end=datetime(2026, 3, 29, 23, 59, 59, tzinfo=zone)),
        "ad_set",
    )
    assert made["start_time"] == "2026-03-28T00:00:00+0100"
    assert made["end_time"] == "2026-03-29T23:59:59+0200"


def test_one_whole_day_is_long_enough_for_a_daily_budget_and_less_is_not() -> None:
    start = datetime(2026, 12, 1, tzinfo=ZONE)
    assert codes(one_set(start=start, end=start + timedelta(days=1, seconds=-1))) == {}
    assert codes(one_set(start=start, end=start + timedelta(hours=23))) == {
        "flight.too_short": "ad_sets[0].end"
    }


def test_a_lifetime_budget_without_an_end_is_told() -> None:
    found = codes(ticket(end=None, ad_sets=(ad_set(budget=Budget(Decimal(900), "LIFETIME")),)))
    assert found == {"flight.end_missing": "ad_sets[0].end"}


def test_reversed_and_zoneless_times_are_told() -> None:
    start = datetime(2026, 12, 5, tzinfo=ZONE)
    assert "flight.reversed" in codes(one_set(start=start, end=start - timedelta(days=1)))
    assert "flight.no_time_zone" in codes(one_set(start=datetime(2026, 12, 5)))


def test_dayparts_start_the_week_on_sunday_and_share_hours() -> None:
    parts = (Daypart(0, 9, 17), Daypart(6, 9, 17), Daypart(4, 20, 24))
    made = body(one_set(budget=Budget(Decimal(3100), "LIFETIME"), dayparts=parts), "ad_set")
    assert made["pacing_type"] == ["day_parting"]
    assert made["adset_schedule"] == [
        {"start_minute": 540, "end_minute": 1020, "days": [0, 1], "timezone_type": "ADVERTISER"},
        {"start_minute": 1200, "end_minute": 1440, "days": [5], "timezone_type": "ADVERTISER"},
    ]


def test_under_a_campaign_budget_the_pacing_stands_on_the_campaign() -> None:
    snapshot = ticket(
        budget_level="CAMPAIGN",
        budget=Budget(Decimal(900), "LIFETIME"),
        ad_sets=(ad_set(budget=None, dayparts=(Daypart(0, 9, 17),)),),
    )
    assert body(snapshot, "campaign")["pacing_type"] == ["day_parting"]
    assert "pacing_type" not in body(snapshot, "ad_set")


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ((Daypart(0, 9, 17),), "dayparts.need_lifetime_budget"),
        ((Daypart(7, 9, 17),), "dayparts.invalid"),
        ((Daypart(0, 17, 9),), "dayparts.invalid"),
        ((Daypart(0, 9, 17), Daypart(0, 16, 18)), "dayparts.overlap"),
    ],
)
def test_impossible_dayparts_are_told(parts: tuple[Daypart, ...], code: str) -> None:
    assert code in codes(one_set(dayparts=parts))


def test_frequency_caps_need_the_goal_reach_or_video_views() -> None:
    cap = FrequencyCap(3, 7)
    made = body(one_set("AWARENESS", goal="REACH", frequency_cap=cap), "ad_set")
    assert made["frequency_control_specs"] == [
        {"event": "IMPRESSIONS", "interval_days": 7, "max_frequency": 3}
    ]
    watched = one_set("VIDEO_VIEWS", goal="VIDEO_VIEWS", frequency_cap=cap, ads=(video_ad(),))
    assert body(watched, "ad_set")["frequency_control_specs"] == made["frequency_control_specs"]
    assert codes(one_set(frequency_cap=cap)) == {"frequency_cap.unsupported_goal": "ad_sets[0].frequency_cap"}
    wild = one_set("AWARENESS", goal="REACH", frequency_cap=FrequencyCap(0, 400))
    assert codes(wild) == {"frequency_cap.out_of_range": "ad_sets[0].frequency_cap"}


# --------------------------------------------------------------------------------------- audience


def test_a_full_audience_in_metas_words() -> None:
    made = body(
        one_set(
            geo=Geo(
                regions=(GeoPlace("3847", "California"),),
                cities=(GeoPlace("2421215", "Los Angeles"),),
                excluded_cities=(GeoPlace("2421999"),),
                excluded_countries=("CA",),
            ),
            languages=("en", "es"),
            age_min=21,
            age_max=49,
            genders=("FEMALE",),
            interests=(Interest("6003107902433", "Football"),),
            audiences_include=("23840000000000001",),
            audiences_exclude=("23840000000000002",),
            placements=("facebook:feed", "instagram", "instagram:story", "facebook_reels"),
            config={"device_platforms": ["mobile"], "user_os": ["iOS"]},
        ),
        "ad_set",
    )["targeting"]
    assert made == {
        "geo_locations": {"regions": [{"key": "3847"}], "cities": [{"key": "2421215"}]},
        "excluded_geo_locations": {"countries": ["CA"], "cities": [{"key": "2421999"}]},
        "locales": [1001, 1002],
        "age_min": 21,
        "age_max": 49,
        "genders": [2],
        "flexible_spec": [{"interests": [{"id": "6003107902433", "name": "Football"}]}],
        "custom_audiences": [{"id": "23840000000000001"}],
        "excluded_custom_audiences": [{"id": "23840000000000002"}],
        "publisher_platforms": ["facebook", "instagram"],
        "facebook_positions": ["feed", "facebook_reels"],
        "instagram_positions": ["story"],
        "device_platforms": ["mobile"],
        "user_os": ["iOS"],
        "targeting_automation": {"advantage_audience": 0},
    }


@pytest.mark.parametrize(
    ("low", "high", "sent"),
    [
        (None, None, (None, None)),
        (18, None, (18, None)),
        (21, 65, (21, 65)),
        (21, 99, (21, 65)),
        (65, None, (65, None)),
        (13, 17, (13, 17)),
    ],
)
def test_ages_are_sent_as_stated(
    low: int | None, high: int | None, sent: tuple[int | None, int | None]
) -> None:
    snapshot = one_set(age_min=low, age_max=high)
    made = body(snapshot, "ad_set")["targeting"]
    assert (made.get("age_min"), made.get("age_max")) == sent
    assert ("age.max_is_open" in codes(snapshot)) == (high is not None and high >= 65)


@given(low=st.integers(0, 120))
@settings(max_examples=60, deadline=None)
def test_a_minimum_age_is_never_lowered(low: int) -> None:
    result = PLATFORM.compile(one_set(age_min=low))
    if any(f.blocking for f in result.findings):
        assert not 13 <= low <= 65
        return
    assert result.operations[1].body["targeting"]["age_min"] == low


def test_genders_are_left_out_for_everyone() -> None:
    assert "genders" not in body(one_set(genders=("MALE", "FEMALE")), "ad_set")["targeting"]
    assert body(one_set(genders=("MALE",)), "ad_set")["targeting"]["genders"] == [1]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"geo": Geo()}, "geo.missing", "ad_sets[0].geo"),
        ({"geo": Geo(countries=("US", "XX"))}, "geo.unknown_country", "ad_sets[0].geo.countries[1]"),
        ({"geo": Geo(cities=(GeoPlace("LA"),))}, "geo.bad_key", "ad_sets[0].geo.cities[0]"),
        ({"languages": ("en", "tlh")}, "language.unknown", "ad_sets[0].languages[1]"),
        ({"genders": ("X",)}, "gender.unknown", "ad_sets[0].genders[0]"),
        ({"age_min": 70}, "age.min_out_of_range", "ad_sets[0].age_min"),
        ({"age_min": 12}, "age.min_out_of_range", "ad_sets[0].age_min"),
        ({"age_min": 40, "age_max": 30}, "age.reversed", "ad_sets[0].age_max"),
        ({"age_max": 17}, "age.reversed", "ad_sets[0].age_max"),
        ({"audiences_include": ("abc",)}, "audience.bad_id", "ad_sets[0].audiences_include[0]"),
        (
            {"audiences_include": ("1",), "audiences_exclude": ("1",)},
            "audience.in_and_out",
            "ad_sets[0].audiences_exclude",
        ),
        ({"placements": ("facebook", "billboard")}, "placement.unknown", "ad_sets[0].placements[1]"),
        ({"placements": ("facebook:video_feeds",)}, "placement.unknown", "ad_sets[0].placements[0]"),
        (
            {"config": {"advantage_audience": 1}, "age_max": 40},
            "advantage_audience.age_max",
            "ad_sets[0].age_max",
        ),
        (
            {"config": {"advantage_audience": 1}, "age_min": 30},
            "advantage_audience.age_min",
            "ad_sets[0].age_min",
        ),
        (
            {"config": {"advantage_audience": 1}, "age_min": 16},
            "advantage_audience.age_min",
            "ad_sets[0].age_min",
        ),
        ({"config": {"advantage_audience": 2}}, "config.invalid", "ad_sets[0].config.advantage_audience"),
        ({"config": {"surprise": 2}}, "config.invalid", "ad_sets[0].config"),
        ({"interests": (Interest("football"),)}, "interest.bad_id", "ad_sets[0].interests[0]"),
        ({"goal": ""}, "goal.missing", "ad_sets[0].goal"),
        ({"goal": "APP_INSTALLS"}, "goal.unsupported", "ad_sets[0].goal"),
        ({"ads": ()}, "ad_set.no_ads", "ad_sets[0].ads"),
        ({"name": " "}, "name.missing", "ad_sets[0].name"),
        ({"name": "x" * 401}, "name.too_long", "ad_sets[0].name"),
    ],
)
def test_an_audience_that_cannot_be_said_is_told_at_its_field(
    changes: dict[str, Any], code: str, field: str
) -> None:
    found = codes(one_set(**changes))
    assert found.get(code) == field


def test_the_advantage_audience_is_off_unless_asked_for() -> None:
    assert body(ticket(), "ad_set")["targeting"]["targeting_automation"] == {"advantage_audience": 0}
    asked = ticket(config={"ad_set": {"advantage_audience": 1}})
    assert body(asked, "ad_set")["targeting"]["targeting_automation"] == {"advantage_audience": 1}


# --------------------------------------------------------------------------- stated by a person


def test_what_a_person_must_state_is_never_defaulted() -> None:
    found = codes(ticket(special_ad_categories=None, political="UNSTATED"))
    assert found == {
        "special_ad_categories.unstated": "special_ad_categories",
        "political.unstated": "political",
    }
    assert compiled(ticket(special_ad_categories=None)).operations == ()


def test_special_ad_categories_go_with_their_countries() -> None:
    snapshot = ticket(special_ad_categories=("HOUSING",), special_ad_category_countries=("US",))
    made = body(snapshot, "campaign")
    assert made["special_ad_categories"] == ["HOUSING"]
    assert made["special_ad_category_country"] == ["US"]
    missing = codes(ticket(special_ad_categories=("HOUSING",)))
    assert missing == {"special_ad_categories.countries_missing": "special_ad_category_countries"}


@pytest.mark.parametrize("category", ["HOUSING", "EMPLOYMENT", "FINANCIAL_PRODUCTS_SERVICES", "CREDIT"])
def test_protected_categories_may_not_choose_people_or_exclude_places(category: str) -> None:
    special = {"special_ad_categories": (category,), "special_ad_category_countries": ("US",)}
    narrow = ad_set(
        age_min=25, genders=("MALE",), geo=Geo(countries=("US",), excluded_regions=(GeoPlace("1"),))
    )
    found = codes(ticket(ad_sets=(narrow,), **special))
    assert {
        "special_ad_categories.age",
        "special_ad_categories.gender",
        "special_ad_categories.exclusion",
    } <= set(found)
    assert not [f for f in compiled(ticket(ad_sets=(ad_set(age_min=18),), **special)).findings if f.blocking]


def test_credit_is_sent_under_its_new_name_and_said() -> None:
    snapshot = ticket(special_ad_categories=("CREDIT",), special_ad_category_countries=("US",))
    assert body(snapshot, "campaign")["special_ad_categories"] == ["FINANCIAL_PRODUCTS_SERVICES"]
    assert "special_ad_categories.renamed" in codes(snapshot)


def test_political_ads_are_refused_in_the_eu_and_labelled_elsewhere() -> None:
    politics = {
        "political": "CONTAINS",
        "special_ad_categories": ("ISSUES_ELECTIONS_POLITICS",),
        "special_ad_category_countries": ("US",),
    }
    assert body(ticket(**politics), "creative")["authorization_category"] == "POLITICAL"
    french = ticket(
        ad_sets=(ad_set(geo=Geo(countries=("FR",))),), dsa_beneficiary="A", dsa_payor="A", **politics
    )
    assert codes(french) == {"political.eu": "political"}
    assert codes(ticket(political="CONTAINS")) == {"political.category_missing": "special_ad_categories"}
    contradiction = ticket(**{**politics, "political": "DOES_NOT_CONTAIN"})
    assert codes(contradiction) == {"political.contradiction": "political"}


def test_ads_that_reach_the_eu_say_who_benefits_and_who_pays() -> None:
    europe = {"ad_sets": (ad_set(geo=Geo(countries=("US", "DE"))),)}
    assert codes(ticket(**europe)) == {
        "dsa_beneficiary.missing": "dsa_beneficiary",
        "dsa_payor.missing": "dsa_payor",
    }
    made = body(ticket(dsa_beneficiary="Acme GmbH", dsa_payor="Acme Agency", **europe), "ad_set")
    assert (made["dsa_beneficiary"], made["dsa_payor"]) == ("Acme GmbH", "Acme Agency")
    city = ticket(market_country="DE", ad_sets=(ad_set(geo=Geo(cities=(GeoPlace("1"),))),))
    assert "dsa_payor.missing" in codes(city)
    assert "dsa_payor" not in body(ticket(dsa_payor="Acme"), "ad_set")


# ---------------------------------------------------------------------------------------- creative


def test_a_video_has_a_thumbnail_and_a_button_with_the_link() -> None:
    spec = body(one_set(ads=(video_ad(),)), "creative")["object_story_spec"]
    assert set(spec) == {"page_id", "instagram_user_id", "video_data"}
    assert spec["video_data"]["image_hash"] == "fedcba9876543210fedcba9876543210"
    assert spec["video_data"]["call_to_action"]["value"]["link"] == "https://www.example.com/moana?lang=en"


def test_a_carousel_keeps_its_order_and_falls_back_to_the_ads_page() -> None:
    data = body(one_set(ads=(carousel_ad(),)), "creative")["object_story_spec"]["link_data"]
    assert [card["image_hash"] for card in data["child_attachments"]] == ["aaaa0000", "bbbb1111", "cccc2222"]
    assert data["child_attachments"][0]["link"] == "https://www.example.com/boat"
    assert data["child_attachments"][1]["link"] == data["link"]
    assert data["multi_share_optimized"] is False


def test_utm_parameters_go_to_url_tags_or_into_every_link() -> None:
    tags = "utm_source=meta&utm_campaign={{campaign.id}}&utm_content={{ad.id}}"
    made = body(one_set(ads=(carousel_ad(),)), "creative")
    assert made["url_tags"] == tags
    linked = body(one_set(ads=(carousel_ad(config={"utm_in": "link"}),)), "creative")
    assert "url_tags" not in linked
    data = linked["object_story_spec"]["link_data"]
    assert data["link"] == f"https://www.example.com/moana?lang=en&{tags}"
    assert data["call_to_action"]["value"]["link"] == data["link"]
    assert data["child_attachments"][0]["link"] == f"https://www.example.com/boat?{tags}"


def test_with_a_pixel_the_ad_names_the_domain_of_conversions() -> None:
    snapshot = one_set("SALES", goal="CONVERSIONS", conversion_event="PURCHASE")
    assert body(snapshot, "ad")["conversion_domain"] == "example.com"
    stated = one_set(
        "SALES",
        goal="CONVERSIONS",
        conversion_event="PURCHASE",
        ads=(image_ad(config={"conversion_domain": "shop.example"}),),
    )
    assert body(stated, "ad")["conversion_domain"] == "shop.example"
    assert "conversion_domain" not in body(ticket(), "ad")


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.example.com/x", "example.com"),
        ("https://shop.example.co.uk/", "example.co.uk"),
        ("https://example.com.br", "example.com.br"),
        ("https://a.b.example.de:8443/", "example.de"),
        ("https://t.co/abc", "t.co"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://192.168.0.1/", ""),
        ("https://localhost/", ""),
        ("not a url", ""),
        ("https://[bad", ""),
    ],
)
def test_the_conversion_domain_is_the_registrable_one(url: str, domain: str) -> None:
    assert conversion_domain(url) == domain


@pytest.mark.parametrize(
    ("ad", "code", "field"),
    [
        (image_ad(texts=()), "ad.text_missing", "texts"),
        (image_ad(texts=("a", "b")), "ad.one_only", "texts[1]"),
        (image_ad(headlines=("a", "b")), "ad.one_only", "headlines[1]"),
        (image_ad(landing_page=""), "ad.landing_page_missing", "landing_page"),
        (image_ad(landing_page="www.example.com"), "ad.bad_url", "landing_page"),
        (image_ad(landing_page="javascript:alert(1)"), "ad.bad_url", "landing_page"),
        (image_ad(media=()), "ad.image_missing", "media"),
        (image_ad(media=(Media("IMAGE", "a"), Media("IMAGE", "b"))), "ad.one_image", "media"),
        (image_ad(call_to_action="DANCE"), "ad.call_to_action_unknown", "call_to_action"),
        (image_ad(name=""), "name.missing", "name"),
        (image_ad(name="x" * 401), "name.too_long", "name"),
        (image_ad(format="SEARCH_TEXT"), "ad.format", "format"),
        (video_ad(media=(Media("THUMBNAIL", "a"),)), "ad.one_video", "media"),
        (video_ad(media=(Media("VIDEO", "1"),)), "ad.thumbnail_missing", "media"),
        (video_ad(media=(Media("VIDEO", "v1"), Media("THUMBNAIL", "a"))), "ad.bad_video_id", "media"),
        (video_ad(call_to_action=""), "ad.call_to_action_missing", "call_to_action"),
        (carousel_ad(cards=()), "ad.cards", "cards"),
        (carousel_ad(cards=carousel_ad().cards * 4), "ad.cards", "cards"),
        (
            carousel_ad(cards=(replace(carousel_ad().cards[0], media_id=""),) * 2),
            "ad.card_media_missing",
            "cards[1].media_id",
        ),
        (
            carousel_ad(cards=(replace(carousel_ad().cards[0], landing_page="boat"),) * 2),
            "ad.bad_url",
            "cards[1].landing_page",
        ),
    ],
)
def test_an_incomplete_ad_is_told_at_its_field(ad: Any, code: str, field: str) -> None:
    result = compiled(one_set(ads=(ad,)))
    found = {(f.code, f.field) for f in result.findings}
    assert (f"meta.{code}", f"ad_sets[0].ads[0].{field}") in found
    assert [o.object_type for o in result.operations] == ["campaign", "ad_set"], "nothing half-right"


def test_a_video_without_a_page_is_fine_for_views_and_not_for_clicks() -> None:
    silent = video_ad(landing_page="", call_to_action="")
    assert codes(one_set("VIDEO_VIEWS", goal="VIDEO_VIEWS", ads=(silent,))) == {}
    assert "ad.landing_page_missing" in codes(one_set(ads=(silent,)))
    button = video_ad(landing_page="")
    assert "ad.landing_page_missing" in codes(one_set("VIDEO_VIEWS", goal="VIDEO_VIEWS", ads=(button,)))


def test_a_draft_from_a_plan_is_told_everything_that_is_missing_at_once() -> None:
    draft = ticket(
        objective="SALES",
        account=Account("act_1", "USD", "UTC"),
        special_ad_categories=None,
        political="UNSTATED",
        ad_sets=(ad_set(goal="CONVERSIONS", budget=None, geo=Geo(), ads=()),),
    )
    assert set(codes(draft)) == {
        "account.page_missing",
        "account.pixel_missing",
        "special_ad_categories.unstated",
        "political.unstated",
        "budget.missing",
        "conversion_event.missing",
        "geo.missing",
        "ad_set.no_ads",
    }
    assert codes(ticket(ad_sets=())) == {"ticket.no_ad_sets": "ad_sets"}


# ---------------------------------------------------------------------------------------- the rest


@pytest.mark.parametrize("request_type", ["UPDATE", "ADD", "PAUSE", "ACTIVATE", "ARCHIVE", "RENAME"])
def test_what_was_never_built_can_not_be_changed(request_type: str) -> None:
    compiled = PLATFORM.compile(ticket(request_type=request_type))
    assert [each.code for each in compiled.findings] == ["request.not_built"]
    assert compiled.operations == ()


def test_the_options_of_a_ticket_reach_the_bodies() -> None:
    options = {
        "spend_cap": "5000.00",
        "adset_budget_sharing": True,
        "skadnetwork_attribution": True,
        "ad_set": {
            "attribution_spec": [{"event_type": "CLICK_THROUGH", "window_days": 7}],
            "excluded_publisher_list_ids": ["5"],
        },
        "ad": {"multi_advertiser_ads": False, "display_link": "example.com"},
    }
    snapshot = ticket(config=options)
    campaign = body(snapshot, "campaign")
    assert campaign["spend_cap"] == 500_000
    assert campaign["is_adset_budget_sharing_enabled"] is True
    assert campaign["is_skadnetwork_attribution"] is True
    assert body(snapshot, "ad_set")["attribution_spec"] == options["ad_set"]["attribution_spec"]  # type: ignore[index]
    assert body(snapshot, "ad_set")["targeting"]["excluded_publisher_list_ids"] == ["5"]
    made = body(snapshot, "creative")
    assert made["contextual_multi_ads"] == {"enroll_status": "OPT_OUT"}
    assert made["object_story_spec"]["link_data"]["caption"] == "example.com"


@pytest.mark.parametrize("config", [[1], {"ad_set": 5}, {"daily_budget": 5}, {"spend_cap": 10.5}])
def test_options_that_do_not_fit_leave_nothing_half_right(config: Any) -> None:
    result = compiled(ticket(config=config))
    assert [f.code for f in result.findings] == ["meta.config.invalid"]
    assert result.operations == ()


def test_spend_limits_of_an_ad_set_follow_the_campaigns_kind_of_budget() -> None:
    limits = {"min_spend": "10", "max_spend": "20.50"}
    snapshot = ticket(
        budget_level="CAMPAIGN",
        budget=Budget(Decimal(100), "DAILY"),
        ad_sets=(ad_set(budget=None, config=limits),),
    )
    made = body(snapshot, "ad_set")
    assert (made["daily_min_spend_target"], made["daily_spend_cap"]) == (1000, 2050)


_text = st.text(max_size=12)


@given(
    objective=st.sampled_from(["TRAFFIC", "SALES", "", "NONSENSE"]),
    goal=st.sampled_from(["CLICKS", "CONVERSIONS", "VIDEO_VIEWS", "", "NONSENSE"]),
    level=st.sampled_from(["CAMPAIGN", "AD_SET", ""]),
    amount=st.decimals(allow_nan=True, allow_infinity=True),
    currency=st.sampled_from(["USD", "JPY", "KWD", "", "usd"]),
    url=_text,
    words=st.lists(_text, max_size=3),
    config=st.dictionaries(_text, st.one_of(_text, st.integers(), st.none()), max_size=2),
)
@settings(max_examples=150, deadline=None)
def test_compiling_never_raises_and_what_it_gives_fits_the_reference(
    objective: str,
    goal: str,
    level: str,
    amount: Decimal,
    currency: str,
    url: str,
    words: list[str],
    config: Any,
) -> None:
    ads = tuple(
        make(landing_page=url, texts=tuple(words), call_to_action=url, name=url, config=config)
        for make in (image_ad, video_ad, carousel_ad)
    )
    wild = ad_set(
        goal=goal,
        billing_event=url,
        budget=Budget(amount, "DAILY"),
        bid_amount=amount,
        bid_strategy="COST_CAP",
        languages=tuple(words),
        genders=tuple(words),
        placements=tuple(words),
        audiences_include=tuple(words),
        conversion_event=url,
        config=config,
        ads=ads,
    )
    snapshot = ticket(
        objective=objective,
        budget_level=level,
        budget=Budget(amount, "LIFETIME"),
        currency=currency,
        special_ad_categories=tuple(words),
        special_ad_category_countries=tuple(words),
        config=config,
        ad_sets=(wild,),
    )
    compiled(snapshot)


# ------------------------------------------------------------------------------------ creative names


def test_a_long_ad_name_stays_and_its_creative_gets_a_short_one() -> None:
    long = "DIS_US_META_2026_" + "Moana" * 45 + "_Ad1"
    result = compiled(one_set(ads=(image_ad(name=long),)))
    made = {o.object_type: o for o in result.operations}
    short = made["creative"].body["name"]
    assert (made["ad"].body["name"], made["ad"].objects[0].name) == (long, long)
    assert len(short) == 100
    assert made["creative"].objects[0].name == short, "it is looked up by the name that was sent"
    assert [(f.code, f.severity, f.params["sent"]) for f in result.findings] == [
        ("meta.ad.creative_name_shortened", "warn", short)
    ]


def test_a_name_of_100_characters_is_not_touched() -> None:
    assert creative_name("x" * 100) == "x" * 100
    assert len(creative_name("x" * 101)) == 100


@given(st.lists(st.text(min_size=101, max_size=255), unique=True, min_size=2, max_size=5))
def test_short_creative_names_fit_and_stay_apart(names: list[str]) -> None:
    short = [creative_name(name) for name in names]
    assert all(9 <= len(each) <= 100 for each in short)
    assert len(set(short)) == len(names)
    assert short == [creative_name(name) for name in names]


def test_names_with_the_same_end_stay_apart() -> None:
    end = "_" + "Ocean" * 30
    assert creative_name("Moana" + end) != creative_name("Mulan" + end)


def test_a_creative_name_does_not_begin_with_a_mark_without_its_letter() -> None:
    name = creative_name("x" * 100 + "\u0301" + "y" * 90)
    assert name.startswith("y")


@pytest.mark.parametrize("goal", ["ENGAGEMENT", "REACH", "IMPRESSIONS", "VIDEO_VIEWS"])
def test_engagement_on_posts_and_videos_promotes_no_object(goal: str) -> None:
    """Meta's objective mapping has none beside ON_POST and ON_VIDEO."""
    alone = one_set("ENGAGEMENT", goal=goal, ads=(video_ad(),))
    assert "promoted_object" not in body(alone, "ad_set")
