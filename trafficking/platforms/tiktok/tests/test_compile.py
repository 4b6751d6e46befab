"""What compile makes of a ticket, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from trafficking.platforms.base import (
    Budget,
    Card,
    Daypart,
    FrequencyCap,
    Geo,
    GeoPlace,
    Interest,
    Keyword,
    Media,
)
from trafficking.platforms.tiktok import PLATFORM, reference
from trafficking.platforms.tiktok.schedule import half_hours
from trafficking.platforms.tiktok.tests.builders import (
    ACCOUNT,
    IMAGE,
    ad,
    ad_set,
    for_objective,
    ticket,
    with_ad,
    with_ad_set,
)


def codes(made, severity="block"):
    return {
        (f.code.removeprefix("tiktok."), f.field)
        for f in PLATFORM.compile(made).findings
        if f.severity == severity
    }


def body(made, index=1):
    compiled = PLATFORM.compile(made)
    assert not [f for f in compiled.findings if f.blocking], compiled.findings
    assert PLATFORM.check(compiled.operations) == []
    return compiled.operations[index].body


def creative(made):
    return body(made, 2)["creatives"][0]


# ----------------------------------------------------------------------------------------- the tree


@pytest.mark.parametrize(
    ("objective", "objective_type", "goal", "billing"),
    [
        ("AWARENESS", "REACH", "REACH", "CPM"),
        ("REACH", "REACH", "REACH", "CPM"),
        ("TRAFFIC", "TRAFFIC", "CLICK", "CPC"),
        ("VIDEO_VIEWS", "VIDEO_VIEWS", "ENGAGED_VIEW", "CPV"),
        ("LEADS", "LEAD_GENERATION", "LEAD_GENERATION", "OCPM"),
        ("APP_PROMOTION", "APP_PROMOTION", "INSTALL", "OCPM"),
        ("SALES", "WEB_CONVERSIONS", "CONVERT", "OCPM"),
    ],
)
def test_each_objective_compiles_to_its_tree(objective, objective_type, goal, billing):
    made = for_objective(objective)
    assert body(made, 0)["objective_type"] == objective_type
    group = body(made)
    assert (group["optimization_goal"], group["billing_event"]) == (goal, billing)
    assert [op.ref for op in PLATFORM.compile(made).operations] == [
        "campaign",
        "ad_set:s1",
        "ad:a1",
    ]


def test_every_object_is_created_disabled():
    for objective in (
        "REACH",
        "TRAFFIC",
        "VIDEO_VIEWS",
        "LEADS",
        "APP_PROMOTION",
        "SALES",
    ):
        campaign, group, one = PLATFORM.compile(for_objective(objective)).operations
        assert campaign.body["operation_status"] == group.body["operation_status"] == "DISABLE"
        assert [each["operation_status"] for each in one.body["creatives"]] == ["DISABLE"]


def test_one_operation_per_ad_bound_to_its_own_ad_group():
    made = ticket(ad_sets=tuple(ad_set(f"s{i}", ads=(ad(f"{i}x"), ad(f"{i}y"))) for i in range(2)))
    operations = PLATFORM.compile(made).operations
    assert [op.ref for op in operations] == [
        "campaign",
        "ad_set:s0",
        "ad:0x",
        "ad:0y",
        "ad_set:s1",
        "ad:1x",
        "ad:1y",
    ]
    assert operations[4].bindings == {"/campaign_id": "campaign"}
    assert operations[6].bindings == {"/adgroup_id": "ad_set:s1"}
    assert operations[6].bound_body({"ad_set:s1": "181"})["adgroup_id"] == "181"


def test_every_value_that_a_person_can_change_names_its_field():
    for op in PLATFORM.compile(for_objective("SALES")).operations:
        at = "/creatives/0" if op.object_type == "ad" else ""
        values = op.body["creatives"][0] if op.object_type == "ad" else op.body
        fixed = {
            "operation_status",
            "request_id",
            "campaign_id",
            "adgroup_id",
            "pacing",
        }
        assert {f"{at}/{key}" for key in values if key not in fixed} <= op.sources.keys()


def test_compile_is_pure_and_repeatable():
    made = for_objective("SALES")
    assert PLATFORM.compile(made) == PLATFORM.compile(made)


def test_a_blocked_ad_set_takes_its_ads_along_and_spares_the_other():
    made = ticket(ad_sets=(ad_set("s0", geo=Geo()), ad_set("s1")))
    assert [op.ref for op in PLATFORM.compile(made).operations] == [
        "campaign",
        "ad_set:s1",
        "ad:s1a1",
    ]
    assert codes(made) == {("geo.missing", "ad_sets[0].geo")}


def test_a_blocked_ad_is_left_out_alone():
    made = with_ad_set(ads=(ad("a0", texts=()), ad("a1")))
    assert [op.ref for op in PLATFORM.compile(made).operations] == [
        "campaign",
        "ad_set:s1",
        "ad:a1",
    ]
    assert codes(made) == {("texts.missing", "ad_sets[0].ads[0].texts")}


def test_a_blocked_campaign_leaves_nothing_but_tells_of_everything():
    made = ticket(
        political="UNSTATED",
        special_ad_categories=None,
        ad_sets=(ad_set(goal="", ads=()),),
    )
    assert PLATFORM.compile(made).operations == ()
    assert codes(made) == {
        ("political.unstated", "political"),
        ("special_industries.unstated", "special_ad_categories"),
        ("goal.missing", "ad_sets[0].goal"),
        ("ads.missing", "ad_sets[0].ads"),
    }


# ------------------------------------------------------------------------------ what must be stated


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"objective": "ENGAGEMENT"}, "objective.unsupported", "objective"),
        ({"buying_type": "RESERVATION"}, "buying_type.unsupported", "channel"),
        ({"political": "CONTAINS"}, "political.not_accepted", "political"),
        (
            {"special_ad_categories": ("ISSUES_ELECTIONS_POLITICS",)},
            "political.not_accepted",
            "special_ad_categories",
        ),
        ({"special_ad_categories": ("GAMBLING",)}, "special_industries.unknown", "special_ad_categories"),
        ({"ad_sets": ()}, "ad_sets.missing", "ad_sets"),
        ({"currency": "EUR"}, "currency.not_accounts", "currency"),
        ({"budget_level": ""}, "budget.level_unstated", "budget_level"),
        ({"budget": Budget(Decimal(100), "DAILY")}, "budget.two_levels", "budget"),
        ({"name": "Moana 🌊"}, "text.emoji", "name"),
        ({"name": " "}, "text.empty", "name"),
        ({"name": "Moana\n2"}, "text.control", "name"),
        ({"name": "Moana\ud800"}, "text.control", "name"),
        ({"name": "海" * 257}, "text.too_long", "name"),
        ({"account": replace(ACCOUNT, external_id="act_1")}, "account.id_invalid", "account.external_id"),
        (
            {"account": replace(ACCOUNT, time_zone="Mars/Base")},
            "account.time_zone_unknown",
            "account.time_zone",
        ),
        ({"config": {"colour": "red"}}, "config.invalid", "config"),
    ],
)
def test_campaign_refusals(changes, code, field):
    assert (code, field) in codes(ticket(**changes))


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"goal": "LEADS"}, "goal.unsupported", "goal"),
        ({"billing_event": "IMPRESSIONS"}, "billing_event.mismatch", "billing_event"),
        ({"budget": None}, "budget.missing", "budget"),
        ({"budget": Budget(Decimal("19.99"), "DAILY")}, "budget.below_minimum", "budget"),
        ({"budget": Budget(Decimal("619.99"), "LIFETIME")}, "budget.below_minimum", "budget"),
        ({"budget": Budget(Decimal(10_000_000), "DAILY")}, "budget.above_maximum", "budget"),
        ({"bid_strategy": "BID_CAP", "bid_amount": Decimal(1)}, "bid.strategy_unsupported", "bid_strategy"),
        (
            {"bid_strategy": "TARGET_ROAS", "bid_amount": Decimal(1)},
            "bid.strategy_unsupported",
            "bid_strategy",
        ),
        ({"bid_strategy": "COST_CAP"}, "bid.amount_missing", "bid_amount"),
        ({"bid_strategy": "COST_CAP", "bid_amount": Decimal(200)}, "bid.not_below_budget", "bid_amount"),
        ({"bid_amount": Decimal(1)}, "bid.amount_without_cap", "bid_amount"),
        ({"config": {"pacing": "PACING_MODE_FAST"}}, "pacing.needs_bid", "config.pacing"),
        ({"config": {"pacing": "WARP"}}, "config.invalid", "config"),
        ({"frequency_cap": FrequencyCap(2, 7)}, "frequency.reach_only", "frequency_cap"),
        ({"dayparts": (Daypart(7, 0, 24),)}, "dayparts.impossible", "dayparts"),
        ({"dayparts": (Daypart(0, 9, 9),)}, "dayparts.impossible", "dayparts"),
        ({"geo": Geo(countries=("ZZ",))}, "geo.country_unknown", "geo.countries"),
        (
            {"geo": Geo(countries=("FR",), excluded_cities=(GeoPlace("1"),))},
            "geo.exclusion_unsupported",
            "geo",
        ),
        ({"geo": Geo(cities=(GeoPlace("Paris"),))}, "geo.place_id_invalid", "geo"),
        ({"languages": ("eng",)}, "languages.invalid", "languages"),
        ({"interests": (Interest("sport"),)}, "ids.not_numeric", "interests"),
        (
            {"audiences_include": ("1",), "audiences_exclude": ("1",)},
            "audiences.both_ways",
            "audiences_exclude",
        ),
        ({"keywords": (Keyword("film", "EXACT"),)}, "keywords.unsupported", "keywords"),
        ({"placements": ("PLACEMENT_HELO",)}, "placements.unknown", "placements"),
        ({"age_min": 40, "age_max": 30}, "age.reversed", "age_max"),
        ({"age_min": 19, "age_max": 24}, "age.no_band", "age_min"),
        ({"age_min": 60}, "age.no_band", "age_min"),
        ({"age_min": 13}, "age.minors_closed", "age_min"),
        ({"end": datetime(2026, 11, 1, tzinfo=ZoneInfo("UTC"))}, "schedule.ends_before_start", "end"),
        ({"end": datetime(2027, 1, 1)}, "schedule.no_zone", "end"),
        ({"end": datetime(9999, 12, 31, tzinfo=ZoneInfo("UTC"))}, "schedule.out_of_range", "end"),
        ({"ads": ()}, "ads.missing", "ads"),
    ],
)
def test_ad_set_refusals(changes, code, field):
    assert (code, f"ad_sets[0].{field}") in codes(with_ad_set(**changes))


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"texts": ()}, "texts.missing", "texts"),
        ({"texts": ("a", "b")}, "texts.one_only", "texts[1]"),
        ({"texts": ("x" * 101,)}, "text.too_long", "texts[0]"),
        ({"texts": ("海" * 51,)}, "text.too_long", "texts[0]"),
        ({"texts": ("Go 🌊",)}, "text.emoji", "texts[0]"),
        ({"media": ()}, "media.one_video", "media"),
        ({"media": (Media("VIDEO", "v1"),)}, "media.one_cover", "media"),
        ({"format": "SEARCH_TEXT"}, "format.unsupported", "format"),
        ({"format": "IMAGE", "media": ()}, "media.one_image", "media"),
        ({"landing_page": ""}, "landing_page.missing", "landing_page"),
        ({"landing_page": "example.com"}, "landing_page.invalid", "landing_page"),
        ({"landing_page": "https://exa mple.com"}, "landing_page.invalid", "landing_page"),
        ({"call_to_action": ""}, "call_to_action.missing", "call_to_action"),
        ({"call_to_action": "GET_OFFER"}, "call_to_action.unsupported", "call_to_action"),
        ({"config": {"identity_type": "AUTH_CODE"}}, "identity.post_missing", "config.tiktok_item_id"),
        (
            {"config": {"identity_type": "BC_AUTH_TT"}},
            "identity.business_centre_missing",
            "config.identity_authorized_bc_id",
        ),
        ({"config": {"page_id": "abc"}}, "config.invalid", "config"),
        ({"format": "CAROUSEL", "cards": (Card("i1"),)}, "carousel.images", "cards"),
        (
            {"format": "CAROUSEL", "cards": (Card("i1"), Card("i2"))},
            "carousel.music_missing",
            "config.music_id",
        ),
        (
            {"format": "CAROUSEL", "cards": (Card("i1"), Card("i2", landing_page="https://x.y"))},
            "carousel.one_link",
            "cards",
        ),
    ],
)
def test_ad_refusals(changes, code, field):
    assert (code, f"ad_sets[0].ads[0].{field}") in codes(with_ad(**changes))


def test_all_missing_ids_are_named_at_once():
    bare = replace(ACCOUNT, pixel_id="", identity_id="", identity_type="", app_id="")
    missing = codes(replace(for_objective("SALES"), account=bare))
    assert {
        ("pixel.missing", "account.pixel_id"),
        ("identity.missing", "account.identity_id"),
        ("identity.type_unknown", "account.identity_type"),
    } <= missing
    assert ("app.missing", "account.app_id") in codes(replace(for_objective("APP_PROMOTION"), account=bare))


# ------------------------------------------------------------------------------------------- budget


def test_budget_of_the_ad_set_leaves_the_campaign_without_limit():
    campaign, group = body(ticket(), 0), body(ticket(), 1)
    assert campaign["budget_optimize_on"] is False
    assert campaign["budget_mode"] == "BUDGET_MODE_INFINITE"
    assert "budget" not in campaign
    assert group["budget"] == 100.5


def test_campaign_budget_is_optimised_there_and_repeated_below():
    made = ticket(
        budget_level="CAMPAIGN",
        budget=Budget(Decimal(500), "LIFETIME"),
        bid_strategy="COST_CAP",
        bid_amount=Decimal("1.25"),
        ad_sets=(ad_set(budget=None),),
    )
    campaign, group = body(made, 0), body(made, 1)
    assert (
        campaign["budget_optimize_on"],
        campaign["budget_mode"],
        campaign["budget"],
    ) == (True, "BUDGET_MODE_TOTAL", 500)
    assert (group["budget_mode"], group["budget"]) == (
        "BUDGET_MODE_TOTAL",
        500,
    )  # required by the SDK, ignored
    assert (group["bid_type"], group["bid_price"]) == ("BID_TYPE_CUSTOM", 1.25)


def test_campaign_budget_minimum_is_fifty():
    made = ticket(
        budget_level="CAMPAIGN",
        budget=Budget(Decimal("49.99"), "DAILY"),
        ad_sets=(ad_set(budget=None),),
    )
    assert codes(made) == {("budget.below_minimum", "budget")}


def test_under_a_campaign_budget_ad_groups_agree():
    made = ticket(
        budget_level="CAMPAIGN",
        budget=Budget(Decimal(500), "DAILY"),
        ad_sets=(ad_set("s0", budget=None), ad_set("s1", budget=None, goal="LANDING_PAGE_VIEWS")),
    )
    assert codes(made) == {("ad_sets.differ", "ad_sets[1].goal")}


def test_impressions_do_not_go_with_a_campaign_budget():
    made = replace(
        for_objective("REACH", goal="IMPRESSIONS", budget=None),
        budget_level="CAMPAIGN",
        budget=Budget(Decimal(500), "DAILY"),
    )
    assert codes(made) == {("goal.not_with_campaign_budget", "ad_sets[0].goal")}


def test_a_lifetime_budget_needs_an_end():
    made = replace(with_ad_set(budget=Budget(Decimal(5000), "LIFETIME")), end=None)
    assert codes(made) == {("budget.lifetime_needs_end", "ad_sets[0].budget")}


def test_a_daily_budget_that_may_flow_over_says_so_and_can_be_made_hard():
    assert ("budget.daily_average", "ad_sets[0].budget") in codes(ticket(), "warn")
    hard = ticket(config={"daily_budget_mode": "BUDGET_MODE_DAY"})
    assert body(hard)["budget_mode"] == "BUDGET_MODE_DAY"
    assert codes(hard, "warn") == set()


# ------------------------------------------------------------------------------------- time and place


def test_times_are_utc_and_dst_counts():
    zone = ZoneInfo("America/New_York")
    made = replace(
        with_ad_set(),
        start=datetime(2026, 10, 31, tzinfo=zone),
        end=datetime(2026, 11, 1, 23, 59, 59, tzinfo=zone),
    )
    group = body(made)
    assert group["schedule_start_time"] == "2026-10-31 04:00:00"
    assert group["schedule_end_time"] == "2026-11-02 04:59:59"  # an hour later: summer time has ended
    assert group["schedule_type"] == "SCHEDULE_START_END"


def test_without_an_end_the_ad_group_runs_on():
    group = body(replace(ticket(), end=None))
    assert group["schedule_type"] == "SCHEDULE_FROM_NOW"
    assert "schedule_end_time" not in group


def test_dayparts_are_half_hours_from_monday_in_account_time():
    text = half_hours((Daypart(0, 9, 11), Daypart(6, 23, 24)))
    assert len(text) == 336
    assert text[17:23] == "011110"
    assert text[-3:] == "011"
    assert text.count("1") == 6


@pytest.mark.parametrize(
    ("country", "location"),
    [
        ("US", "6252001"),
        ("GB", "2635167"),
        ("JP", "1861060"),
        ("SA", "102358"),
        ("MY", "1733045"),
    ],
)
def test_countries_that_tiktoks_documents_show(country, location):
    assert body(with_ad_set(geo=Geo(countries=(country,))))["location_ids"] == [location]


def test_every_iso_country_has_a_location():
    import pycountry

    assert {each.alpha_2 for each in pycountry.countries} <= reference.COUNTRIES.keys()
    assert all(each.isdigit() for each in reference.COUNTRIES.values())
    assert len(set(reference.COUNTRIES.values())) == len(reference.COUNTRIES)


# ------------------------------------------------------------------------------------------ audience


@pytest.mark.parametrize(
    ("low", "high", "bands", "warned"),
    [
        (
            18,
            None,
            ["AGE_18_24", "AGE_25_34", "AGE_35_44", "AGE_45_54", "AGE_55_100"],
            set(),
        ),
        (18, 24, ["AGE_18_24"], set()),
        (21, 34, ["AGE_25_34"], {"age.minimum_rounded_up"}),
        (25, 40, ["AGE_25_34", "AGE_35_44"], {"age.maximum_rounded_up"}),
        (
            18,
            65,
            ["AGE_18_24", "AGE_25_34", "AGE_35_44", "AGE_45_54", "AGE_55_100"],
            {"age.maximum_rounded_up"},
        ),
    ],
)
def test_ages_become_bands_and_the_rounding_is_said(low, high, bands, warned):
    made = replace(
        with_ad_set(age_min=low, age_max=high),
        config={"daily_budget_mode": "BUDGET_MODE_DAY"},
    )
    assert body(made)["age_groups"] == bands
    assert {code for code, _ in codes(made, "warn")} == warned


def test_a_minimum_age_is_never_rounded_down():
    lowest = {name: low for low, _, name in reference.AGE_BANDS}
    for age in range(10, 56):
        made = with_ad_set(age_min=age, geo=Geo(countries=("JP",)))
        assert all(lowest[band] >= age for band in body(made)["age_groups"])


def test_no_ages_means_no_age_field():
    assert "age_groups" not in body(ticket())


def test_genders_languages_interests_audiences():
    group = body(
        with_ad_set(
            genders=("FEMALE",),
            languages=("fr", "en", "fr"),
            interests=(Interest("15"),),
            audiences_include=("11",),
            audiences_exclude=("12",),
        )
    )
    assert group["gender"] == "GENDER_FEMALE"
    assert group["languages"] == ["fr", "en"]
    assert group["interest_category_ids"] == ["15"]
    assert (group["audience_ids"], group["excluded_audience_ids"]) == (["11"], ["12"])
    assert body(with_ad_set(genders=("FEMALE", "MALE")))["gender"] == "GENDER_UNLIMITED"


def test_special_industries_narrow_the_targeting():
    us = {"geo": Geo(countries=("US",))}
    made = replace(
        with_ad_set(**us, age_min=18),
        special_ad_categories=("HOUSING", "FINANCIAL_PRODUCTS_SERVICES"),
    )
    assert body(made, 0)["special_industries"] == ["HOUSING", "CREDIT"]
    narrow = replace(
        with_ad_set(**us, age_min=25, genders=("MALE",)),
        special_ad_categories=("HOUSING",),
    )
    assert codes(narrow) == {
        ("special_industries.gender", "ad_sets[0].genders"),
        ("special_industries.age", "ad_sets[0].age_min"),
    }


def test_placements_are_automatic_or_chosen():
    assert body(ticket())["placement_type"] == "PLACEMENT_TYPE_AUTOMATIC"
    group = body(with_ad_set(placements=("PLACEMENT_TIKTOK", "PLACEMENT_PANGLE")))
    assert group["placement_type"] == "PLACEMENT_TYPE_NORMAL"
    assert group["placements"] == ["PLACEMENT_TIKTOK", "PLACEMENT_PANGLE"]


def test_reach_carries_its_frequency_cap():
    group = body(for_objective("REACH", frequency_cap=FrequencyCap(3, 7)))
    assert (group["frequency"], group["frequency_schedule"]) == (3, 7)
    assert ("frequency.out_of_range", "ad_sets[0].frequency_cap") in codes(
        for_objective("REACH", frequency_cap=FrequencyCap(3, 31))
    )


# ------------------------------------------------------------------------------------ goals and bids


def test_web_conversions_carry_pixel_and_event():
    group = body(for_objective("SALES"))
    assert (group["pixel_id"], group["optimization_event"]) == (
        ACCOUNT.pixel_id,
        "SHOPPING",
    )
    assert ("event.missing", "ad_sets[0].conversion_event") in codes(
        for_objective("SALES", conversion_event="")
    )
    assert ("event.unknown", "ad_sets[0].conversion_event") in codes(
        for_objective("SALES", conversion_event="DANCE")
    )


def test_cost_cap_names_the_price_that_the_billing_wants():
    capped = {"bid_strategy": "COST_CAP", "bid_amount": Decimal("7.5")}
    assert body(for_objective("SALES", **capped))["conversion_bid_price"] == 7.5
    assert body(for_objective("TRAFFIC", **capped))["bid_price"] == 7.5
    assert body(for_objective("VIDEO_VIEWS", **capped))["bid_display_mode"] == "CPV"


def test_value_takes_a_return_goal():
    group = body(
        for_objective(
            "SALES",
            goal="CONVERSION_VALUE",
            bid_strategy="TARGET_ROAS",
            bid_amount=Decimal("1.5"),
        )
    )
    assert (group["deep_bid_type"], group["roas_bid"]) == ("VO_MIN_ROAS", 1.5)


def test_leads_by_form_and_by_website():
    form = for_objective("LEADS")
    assert body(form)["promotion_target_type"] == "INSTANT_PAGE"
    assert body(form)["placements"] == ["PLACEMENT_TIKTOK"]
    assert creative(form)["page_id"] == 7100000000000000001
    site = for_objective("LEADS", goal="CONVERSIONS", ads=(ad(),), conversion_event="LEAD")
    assert body(site)["promotion_target_type"] == "EXTERNAL_WEBSITE"
    assert body(site)["optimization_event"] == "FORM"
    assert creative(site)["landing_page_url"].startswith("https://example.com/moana")


def test_app_promotion_names_app_and_system():
    made = for_objective("APP_PROMOTION")
    assert body(made, 0)["app_promotion_type"] == "APP_INSTALL"
    group = body(made)
    assert (group["app_id"], group["promotion_type"], group["operating_systems"]) == (
        ACCOUNT.app_id,
        "APP_ANDROID",
        ["ANDROID"],
    )
    assert "landing_page_url" not in creative(made)
    assert ("app.system_missing", "ad_sets[0].config.operating_system") in codes(
        for_objective("APP_PROMOTION", config={})
    )
    again = replace(made, config={"app_promotion_type": "APP_RETARGETING"})
    assert codes(again) == {("app.audience_missing", "ad_sets[0].audiences_include")}


# ---------------------------------------------------------------------------------------------- ads


def test_link_carries_utm_and_click_macros():
    assert creative(ticket())["landing_page_url"] == (
        "https://example.com/moana?ref=1&utm_source=tiktok&utm_id=__CAMPAIGN_ID__&utm_content=__AID__-__CID__#top"
    )


def test_image_ads_run_where_tiktok_runs_them():
    pangle = with_ad_set(placements=("PLACEMENT_PANGLE",), ads=(ad(format="IMAGE", media=IMAGE),))
    assert (creative(pangle)["ad_format"], creative(pangle)["image_ids"]) == (
        "SINGLE_IMAGE",
        ["ad-site-i18n/image1"],
    )
    in_feed = with_ad_set(placements=("PLACEMENT_TIKTOK",), ads=(ad(format="IMAGE", media=IMAGE),))
    assert codes(in_feed) == {("image.placement", "ad_sets[0].ads[0].format")}
    anywhere = with_ad(format="IMAGE", media=IMAGE)
    assert ("image.automatic_placement", "ad_sets[0].ads[0].format") in codes(anywhere, "warn")
    assert codes(for_objective("VIDEO_VIEWS", ads=(ad(format="IMAGE", media=IMAGE),))) >= {
        ("video_views.needs_video", "ad_sets[0].ads[0].format")
    }


def test_carousel_with_music():
    made = with_ad(
        format="CAROUSEL",
        cards=(Card("i1"), Card("i2", headline="Two")),
        config={"music_id": "m1"},
    )
    assert creative(made)["ad_format"] == "CAROUSEL_ADS"
    assert (creative(made)["image_ids"], creative(made)["music_id"]) == (
        ["i1", "i2"],
        "m1",
    )
    assert ("carousel.card_texts_unused", "ad_sets[0].ads[0].cards") in codes(made, "warn")


def test_spark_ad_shows_a_post():
    made = with_ad(
        config={"identity_type": "AUTH_CODE", "tiktok_item_id": "7200"},
        media=(),
        texts=(),
    )
    assert creative(made)["tiktok_item_id"] == "7200"
    assert "ad_text" not in creative(made)


def test_options_of_the_ticket_hold_for_all_and_the_nearer_one_wins():
    made = ticket(
        config={
            "ad_set": {"comment_disabled": True, "share_disabled": True},
            "ad": {"music_id": "m0"},
        },
        ad_sets=(ad_set(config={"share_disabled": False}),),
    )
    operation = PLATFORM.compile(made).operations[1]
    assert (operation.body["comment_disabled"], operation.body["share_disabled"]) == (
        True,
        False,
    )
    assert operation.sources["/comment_disabled"] == "config.ad_set.comment_disabled"
    assert operation.sources["/share_disabled"] == "ad_sets[0].config.share_disabled"


@pytest.mark.parametrize("option", sorted(reference.CONFIG["$defs"]["ad_set"]["properties"]))
def test_every_ad_set_option_is_used(option):
    from trafficking.platforms.tiktok import ad_group

    read = {"pacing", "operating_system", "optimization_event", "targeting_optimization_mode"}
    assert option in read or option in ad_group.PLAIN_OPTIONS


# -------------------------------------------------------------------------------------- request ids


def test_request_id_is_stable_for_the_same_operation_and_differs_for_another():
    def ids(made):
        return [op.body.get("request_id") for op in PLATFORM.compile(made).operations]

    first = ids(ticket())
    assert first == ids(ticket())
    assert first[2] is None  # ad/create takes none
    assert all(0 <= int(each) < 2**63 for each in first[:2])
    other_ticket = ids(ticket(ticket_id="6e0cbb6e-64d4-4b33-b9fa-1d1ac8a0c2c1"))
    edited = ids(ticket(name="DIS_FR_TT_2026_Moana2"))
    assert len({first[0], other_ticket[0], edited[0]}) == 3


# --------------------------------------------------------------------------------------------- check


def test_check_names_the_ticket_field_of_a_wrong_value():
    operation = PLATFORM.compile(ticket()).operations[1]
    spoilt = replace(operation, body={**operation.body, "gender": "GENDER_X", "mood": "sunny"})
    found = PLATFORM.check([spoilt])
    assert {(f.code, f.field) for f in found} == {
        ("payload.invalid", "ad_sets[0].genders"),
        ("payload.invalid", ""),
    }


def test_check_refuses_an_object_that_would_start_by_itself():
    operation = PLATFORM.compile(ticket()).operations[0]
    on = replace(operation, body={**operation.body, "operation_status": "ENABLE"})
    silent = replace(
        operation,
        body={k: v for k, v in operation.body.items() if k != "operation_status"},
    )
    assert PLATFORM.check([on])
    assert PLATFORM.check([silent])
