"""Tickets become one atomic, paused mutate, or findings that say why not."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from trafficking.platforms.base import (
    AdSetSnapshot,
    AdSnapshot,
    Budget,
    Daypart,
    FrequencyCap,
    Geo,
    Keyword,
    Media,
)
from trafficking.platforms.google_ads import PLATFORM, reference
from trafficking.platforms.google_ads.tests.builders import (
    ACCOUNT,
    BERLIN,
    IMAGE_AD,
    SEARCH_AD,
    VIDEO_AD,
    codes,
    creates,
    demand_gen_ad_set,
    display_ad_set,
    search_ad_set,
    ticket,
)

CHANNELS = ("SEARCH", "DISPLAY", "DEMAND_GEN")


def compiled(snapshot):
    result = PLATFORM.compile(snapshot)
    assert not [f for f in result.findings if f.blocking], result.findings
    (operation,) = result.operations
    assert PLATFORM.check([operation]) == []
    return operation


def refused(snapshot, code, field=None):
    result = PLATFORM.compile(snapshot)
    assert result.operations == ()
    found = [f for f in result.findings if f.code == f"google_ads.{code}" and f.blocking]
    assert found, result.findings
    if field is not None:
        assert field in [f.field for f in found]
    return found


@pytest.mark.parametrize("channel", CHANNELS)
def test_everything_that_can_spend_is_paused(channel):
    operation = compiled(ticket(channel))
    for name in ("campaignOperation", "adGroupOperation", "adGroupAdOperation"):
        assert {create["status"] for create in creates(operation, name)} == {"PAUSED"}


@pytest.mark.parametrize("channel", CHANNELS)
def test_new_objects_stand_in_the_order_of_the_creates_that_make_them(channel):
    operation = compiled(ticket(channel))
    kinds = {
        "campaignBudgetOperation": "budget", "campaignOperation": "campaign", "adGroupOperation": "ad_set",
        "adGroupAdOperation": "ad", "assetOperation": "asset",
    }  # fmt: skip
    made = [next(iter(mutate)) for mutate in operation.body["mutateOperations"]]
    assert [kinds[name] for name in made if name in kinds] == [planned.type for planned in operation.objects]
    refs = [planned.ref for planned in operation.objects]
    assert len(set(refs)) == len(refs)
    assert {"campaign", "budget"} <= set(refs)


@pytest.mark.parametrize("channel", CHANNELS)
def test_temporary_ids_stand_before_they_are_used(channel):
    defined = set()
    for mutate in compiled(ticket(channel)).body["mutateOperations"]:
        ((_, change),) = mutate.items()
        text = str({k: v for k, v in change["create"].items() if k != "resourceName"})
        assert set(re.findall(r"customers/\d+/\w+/-\d+", text)) <= defined
        if "resourceName" in change["create"]:
            assert change["create"]["resourceName"] not in defined
            defined.add(change["create"]["resourceName"])


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_source_points_into_the_body(channel):
    operation = compiled(ticket(channel))
    for pointer in operation.sources:
        here = operation.body
        *parents, _last = pointer.split("/")[1:]
        for part in parents[:4]:
            here = here[int(part)] if isinstance(here, list) else here[part]


def test_compile_is_repeatable():
    assert compiled(ticket()).as_dict() == compiled(ticket()).as_dict()


def test_a_search_campaign_states_networks_dates_and_bidding():
    (campaign,) = creates(compiled(ticket()), "campaignOperation")
    assert campaign["networkSettings"] == {
        "targetGoogleSearch": True,
        "targetSearchNetwork": False,
        "targetContentNetwork": False,
        "targetPartnerSearchNetwork": False,
    }
    assert (campaign["startDateTime"], campaign["endDateTime"]) == (
        "2027-01-04 00:00:00",
        "2027-01-31 23:59:59",
    )
    assert campaign["targetSpend"] == {}
    assert campaign["containsEuPoliticalAdvertising"] == "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING"


def test_dates_are_the_accounts_days():
    snapshot = ticket(start=datetime(2027, 1, 3, 23, tzinfo=UTC), end=None)
    (campaign,) = creates(compiled(snapshot), "campaignOperation")
    assert campaign["startDateTime"] == "2027-01-04 00:00:00"
    assert "endDateTime" not in campaign


def test_hours_in_the_flight_are_rounded_visibly():
    result = PLATFORM.compile(ticket(start=datetime(2027, 1, 4, 9, tzinfo=BERLIN)))
    (found,) = [f for f in result.findings if f.code == "google_ads.schedule.whole_days"]
    assert found.severity == "warn"
    assert found.params["sent"] == "2027-01-04 00:00:00"


def test_search_places_and_languages_stand_on_the_campaign():
    found = creates(compiled(ticket()), "campaignCriterionOperation")
    places = {c["location"]["geoTargetConstant"]: c["negative"] for c in found if "location" in c}
    assert places == {
        "geoTargetConstants/2276": False,
        "geoTargetConstants/2040": False,
        "geoTargetConstants/1003854": False,
        "geoTargetConstants/2756": True,
    }
    assert [c["language"]["languageConstant"] for c in found if "language" in c] == [
        "languageConstants/1001", "languageConstants/1000",
    ]  # fmt: skip
    hours = [
        (c["adSchedule"]["dayOfWeek"], c["adSchedule"]["startHour"], c["adSchedule"]["endHour"])
        for c in found
        if "adSchedule" in c
    ]
    assert hours == [("MONDAY", 9, 17), ("SUNDAY", 0, 24)]


def test_demand_gen_places_and_languages_stand_on_the_ad_group():
    operation = compiled(ticket("DEMAND_GEN"))
    assert creates(operation, "campaignCriterionOperation") == []
    (group,) = creates(operation, "adGroupOperation")
    found = creates(operation, "adGroupCriterionOperation")
    assert {c["adGroup"] for c in found} == {group["resourceName"]}
    assert [set(c) & {"location", "language"} for c in found] == [{"location"}, {"language"}]
    assert "type" not in group


def test_ad_groups_of_a_search_campaign_must_share_their_places():
    other = search_ad_set(intent_id="x", name="Other", geo=Geo(countries=("FR",)))
    refused(ticket(ad_sets=(search_ad_set(), other)), "ad_set.differs", "ad_sets[1].geo")


def test_keywords_and_negatives_keep_their_match_types():
    found = creates(compiled(ticket()), "adGroupCriterionOperation")
    words = [
        (c["keyword"]["text"], c["keyword"]["matchType"], c["negative"]) for c in found if "keyword" in c
    ]
    assert words == [("running shoes", "EXACT", False), ("shoes", "PHRASE", False), ("repair", "BROAD", True)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" ", "keyword.empty"),
        ("x" * 81, "keyword.too_long"),
        ("a b c d e f g h i j k", "keyword.too_many_words"),
        ("50% off!", "keyword.bad_characters"),
        ('"quoted"', "keyword.bad_characters"),
        ("SHOES", "keyword.duplicate"),
    ],
)
def test_keywords_that_google_refuses_are_findings(text, code):
    words = (Keyword("shoes", "EXACT"), Keyword(text, "EXACT"))
    refused(ticket(ad_sets=(search_ad_set(keywords=words),)), code, "ad_sets[0].keywords[1]")


def test_a_keyword_that_is_also_negative_is_a_finding():
    ad_set = search_ad_set(negative_keywords=(Keyword("Shoes", "PHRASE"),))
    refused(ticket(ad_sets=(ad_set,)), "keyword.also_negative", "ad_sets[0].keywords[1]")


@pytest.mark.parametrize(
    ("low", "high", "excluded", "warned"),
    [
        (None, None, set(), set()),
        (13, None, set(), set()),
        (14, None, {"UNDETERMINED"}, {"age.minimum_raised", "age.unknown_excluded"}),
        (18, None, {"UNDETERMINED"}, {"age.unknown_excluded"}),
        (21, None, {"18_24", "UNDETERMINED"}, {"age.minimum_raised", "age.unknown_excluded"}),
        (25, 50, {"18_24", "55_64", "65_UP", "UNDETERMINED"}, {"age.maximum_raised", "age.unknown_excluded"}),
        (None, 34, {"35_44", "45_54", "55_64", "65_UP", "UNDETERMINED"}, {"age.unknown_excluded"}),
    ],
)
def test_ages_are_rounded_inwards_at_the_lower_end_and_said(low, high, excluded, warned):
    snapshot = ticket(ad_sets=(search_ad_set(age_min=low, age_max=high),))
    found = creates(compiled(snapshot), "adGroupCriterionOperation")
    bands = {c["ageRange"]["type"].removeprefix("AGE_RANGE_") for c in found if "ageRange" in c}
    assert all(c["negative"] for c in found if "ageRange" in c)
    assert bands == excluded
    assert {c for c in codes(PLATFORM.compile(snapshot)) if c.startswith("age.")} == warned


def test_no_minimum_age_ever_reaches_younger_people():
    for low in range(14, 66):
        found = creates(
            compiled(ticket(ad_sets=(search_ad_set(age_min=low, age_max=None),))), "adGroupCriterionOperation"
        )
        excluded = {c["ageRange"]["type"] for c in found if "ageRange" in c}
        assert "AGE_RANGE_UNDETERMINED" in excluded
        reached = [band for band in reference.AGE_BANDS if band["type"] not in excluded]
        assert min(band["min"] for band in reached) >= low


@pytest.mark.parametrize(("low", "high"), [(19, 23), (66, None), (None, 17), (40, 30)])
def test_a_range_without_a_band_is_refused(low, high):
    refused(ticket(ad_sets=(search_ad_set(age_min=low, age_max=high),)), "age.no_band")


def test_unknown_ages_cannot_be_kept_against_a_minimum():
    ad_set = search_ad_set(age_min=18, age_max=None, config={"include_unknown_age": True})
    refused(ticket(ad_sets=(ad_set,)), "age.unknown_with_minimum")


def test_one_gender_excludes_the_other_and_the_unknown():
    found = creates(compiled(ticket()), "adGroupCriterionOperation")
    assert [(c["gender"]["type"], c["negative"]) for c in found if "gender" in c] == [
        ("MALE", True),
        ("UNDETERMINED", True),
    ]


def test_search_ads_keep_texts_paths_and_the_landing_page_clean():
    (created,) = creates(compiled(ticket()), "adGroupAdOperation")
    ad = created["ad"]
    assert ad["finalUrls"] == ["https://example.com/shoes?ref=x#top"]
    assert ad["finalUrlSuffix"] == "utm_source=google&utm_content={creative}"
    assert "name" not in ad
    assert ad["responsiveSearchAd"]["path1"] == "shoes"
    assert len(ad["responsiveSearchAd"]["headlines"]) == 3


def test_headlines_can_be_pinned():
    ad = replace(SEARCH_AD, config={"pin_headlines": [1, 0, 2]})
    (created,) = creates(compiled(ticket(ad_sets=(search_ad_set(ads=(ad,)),))), "adGroupAdOperation")
    assert [h.get("pinnedField") for h in created["ad"]["responsiveSearchAd"]["headlines"]] == [
        "HEADLINE_1",
        None,
        "HEADLINE_2",
    ]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"headlines": ("One", "Two")}, "text.too_few", "headlines"),
        ({"headlines": tuple(f"Headline {n}" for n in range(16))}, "text.too_many", "headlines"),
        ({"headlines": ("One", "Two", "x" * 31)}, "text.too_long", "headlines[2]"),
        ({"headlines": ("One", "Two", "靴" * 16)}, "text.too_long", "headlines[2]"),
        ({"headlines": ("One", "Two", "one ")}, "text.duplicate", "headlines[2]"),
        ({"headlines": ("One", "Two", "{KeyWord:" + "x" * 31 + "}")}, "text.too_long", "headlines[2]"),
        ({"descriptions": ("One",)}, "text.too_few", "descriptions"),
        ({"descriptions": ("One", "x" * 91)}, "text.too_long", "descriptions[1]"),
        ({"descriptions": ("One", " ")}, "text.blank", "descriptions[1]"),
        ({"display_paths": ("a", "b", "c")}, "text.too_many", "display_paths"),
        ({"display_paths": ("a/b",)}, "path.malformed", "display_paths[0]"),
        ({"landing_page": ""}, "landing_page.missing", "landing_page"),
        ({"landing_page": "example.com"}, "landing_page.malformed", "landing_page"),
        ({"landing_page": "https://[::1"}, "landing_page.malformed", "landing_page"),
        ({"format": "VIDEO"}, "ad.format_unsupported", "format"),
    ],
)
def test_search_ads_that_google_refuses_are_findings(changes, code, field):
    ad = replace(SEARCH_AD, **changes)
    refused(ticket(ad_sets=(search_ad_set(ads=(ad,)),)), code, f"ad_sets[0].ads[0].{field}")


def test_fifteen_full_width_characters_fit_a_headline():
    ad = replace(SEARCH_AD, headlines=("靴" * 15, "Two", "Three"))
    compiled(ticket(ad_sets=(search_ad_set(ads=(ad,)),)))


def test_a_display_ad_references_image_assets():
    (created,) = creates(compiled(ticket("DISPLAY")), "adGroupAdOperation")
    ad = created["ad"]["responsiveDisplayAd"]
    assert ad["marketingImages"] == [{"asset": "customers/1234567890/assets/7001"}]
    assert ad["squareLogoImages"] == [{"asset": "customers/1234567890/assets/7003"}]
    assert ad["callToActionText"] == "Shop now"
    assert ad["controlSpec"] == {"enableAssetEnhancements": False, "enableAutogenVideo": False}


def test_youtube_videos_become_assets_once():
    twice = (VIDEO_AD, replace(VIDEO_AD, intent_id="other", name="Other"))
    operation = compiled(ticket("DEMAND_GEN", ad_sets=(demand_gen_ad_set(ads=twice),)))
    videos = [c for c in creates(operation, "assetOperation") if "youtubeVideoAsset" in c]
    assert [v["youtubeVideoAsset"]["youtubeVideoId"] for v in videos] == ["dQw4w9WgXcQ"]
    used = [
        ad["ad"]["demandGenVideoResponsiveAd"]["videos"] for ad in creates(operation, "adGroupAdOperation")
    ]
    assert used == [[{"asset": videos[0]["resourceName"]}]] * 2


def test_demand_gen_ads_carry_their_governed_name_and_no_automation():
    video, image = creates(compiled(ticket("DEMAND_GEN")), "adGroupAdOperation")
    assert (video["ad"]["name"], image["ad"]["name"]) == (VIDEO_AD.name, IMAGE_AD.name)
    assert {s["assetAutomationStatus"] for s in video["adGroupAdAssetAutomationSettings"]} == {"OPTED_OUT"}


@pytest.mark.parametrize(
    ("media", "code"),
    [
        ((Media("YOUTUBE_VIDEO", "short"), Media("LOGO", "1")), "media.not_a_youtube_id"),
        ((Media("VIDEO", "123"), Media("LOGO", "1")), "media.video_not_on_youtube"),
        ((Media("YOUTUBE_VIDEO", "dQw4w9WgXcQ"),), "media.missing"),
        ((Media("YOUTUBE_VIDEO", "dQw4w9WgXcQ"), Media("LOGO", "logo.png")), "media.not_an_asset"),
    ],
)
def test_media_that_google_cannot_use_are_findings(media, code):
    ad_set = demand_gen_ad_set(ads=(replace(VIDEO_AD, media=media),))
    refused(ticket("DEMAND_GEN", ad_sets=(ad_set,)), code)


def test_a_youtube_line_is_restricted_to_youtube_and_says_that_it_becomes_demand_gen():
    snapshot = ticket("DEMAND_GEN", config={"youtube_only": True})
    (group,) = creates(compiled(snapshot), "adGroupOperation")
    selected = group["demandGenAdGroupSettings"]["channelControls"]["selectedChannels"]
    assert {name for name, on in selected.items() if on} == {
        "youtubeInStream",
        "youtubeInFeed",
        "youtubeShorts",
    }
    (found,) = [
        f for f in PLATFORM.compile(snapshot).findings if f.code == "google_ads.youtube.becomes_demand_gen"
    ]
    assert found.severity == "warn"
    accepted = replace(snapshot, config={"youtube_only": True, "demand_gen_accepted": True})
    assert "youtube.becomes_demand_gen" not in codes(PLATFORM.compile(accepted))


def test_views_are_bid_as_clicks_only_when_demand_gen_is_accepted():
    snapshot = ticket("DEMAND_GEN", ad_sets=(demand_gen_ad_set(goal="VIDEO_VIEWS"),))
    refused(snapshot, "goal.unsupported", "ad_sets[0].goal")
    accepted = replace(snapshot, config={"youtube_only": True, "demand_gen_accepted": True})
    (campaign,) = creates(compiled(accepted), "campaignOperation")
    assert campaign["targetSpend"] == {}
    assert "goal.becomes_clicks" in codes(PLATFORM.compile(accepted))


@pytest.mark.parametrize(
    ("channel", "goal", "strategy", "amount", "config", "expected"),
    [
        ("SEARCH", "CLICKS", "BID_CAP", "1.50", {}, {"targetSpend": {"cpcBidCeilingMicros": "1500000"}}),
        ("DEMAND_GEN", "CLICKS", "COST_CAP", "0.30", {}, {"targetCpc": {"targetCpcMicros": "300000"}}),
        ("DISPLAY", "LEADS", "COST_CAP", "12.34", {}, {"maximizeConversions": {"targetCpaMicros": "12340000"}}),
        ("SEARCH", "CONVERSION_VALUE", "TARGET_ROAS", "4", {}, {"maximizeConversionValue": {"targetRoas": 4.0}}),
        ("SEARCH", "CONVERSION_VALUE", "LOWEST_COST", None, {}, {"maximizeConversionValue": {}}),
        ("DISPLAY", "REACH", "BID_CAP", "2", {}, {"manualCpm": {}}),
        (
            "SEARCH", "IMPRESSIONS", "BID_CAP", "3",
            {"target_impression_share": {"location": "TOP_OF_PAGE", "percent": 80}},
            {"targetImpressionShare": {
                "location": "TOP_OF_PAGE", "locationFractionMicros": "800000", "cpcBidCeilingMicros": "3000000",
            }},
        ),
    ],
)  # fmt: skip
def test_goals_become_bidding_strategies(channel, goal, strategy, amount, config, expected):
    ad_set = {"SEARCH": search_ad_set, "DISPLAY": display_ad_set, "DEMAND_GEN": demand_gen_ad_set}[channel](
        goal=goal
    )
    bid = None if amount is None else Decimal(amount)
    operation = compiled(
        ticket(channel, ad_sets=(ad_set,), bid_strategy=strategy, bid_amount=bid, config=config)
    )
    (campaign,) = creates(operation, "campaignOperation")
    assert {name: campaign[name] for name in expected} == expected
    if "manualCpm" in expected:
        assert creates(operation, "adGroupOperation")[0]["cpmBidMicros"] == "2000000"


@pytest.mark.parametrize(
    ("channel", "goal", "strategy", "amount", "code"),
    [
        ("SEARCH", "REACH", "LOWEST_COST", None, "goal.unsupported"),
        ("SEARCH", "APP_INSTALLS", "LOWEST_COST", None, "goal.unsupported"),
        ("SEARCH", "", "LOWEST_COST", None, "goal.missing"),
        ("DEMAND_GEN", "REACH", "LOWEST_COST", None, "goal.unsupported"),
        ("DISPLAY", "REACH", "LOWEST_COST", None, "bid.cpm_needs_cap"),
        ("DISPLAY", "REACH", "BID_CAP", None, "bid.amount_missing"),
        ("SEARCH", "CLICKS", "TARGET_ROAS", "4", "bid.strategy_unsupported"),
        ("DEMAND_GEN", "CLICKS", "BID_CAP", "1", "bid.strategy_unsupported"),
        ("SEARCH", "CONVERSION_VALUE", "TARGET_ROAS", "NaN", "bid.roas_out_of_range"),
        ("SEARCH", "CLICKS", "BID_CAP", "0.005", "amount.not_expressible"),
        ("SEARCH", "IMPRESSIONS", "BID_CAP", "1", "bid.impression_share_missing"),
    ],
)
def test_bids_that_the_channel_does_not_have_are_refused(channel, goal, strategy, amount, code):
    ad_set = {"SEARCH": search_ad_set, "DISPLAY": display_ad_set, "DEMAND_GEN": demand_gen_ad_set}[channel](
        goal=goal
    )
    bid = None if amount is None else Decimal(amount)
    refused(ticket(channel, ad_sets=(ad_set,), bid_strategy=strategy, bid_amount=bid), code)


def test_ad_groups_cannot_differ_in_goal():
    other = search_ad_set(intent_id="x", name="Other", goal="CONVERSIONS")
    refused(ticket(ad_sets=(search_ad_set(), other)), "goal.differs", "ad_sets[1].goal")


def test_lifetime_budgets_are_totals_on_search_and_demand_gen():
    for channel in ("SEARCH", "DEMAND_GEN"):
        (budget,) = creates(
            compiled(ticket(channel, budget=Budget(Decimal("1000.10"), "LIFETIME"))),
            "campaignBudgetOperation",
        )
        assert (budget["totalAmountMicros"], budget["period"]) == ("1000100000", "CUSTOM_PERIOD")
        assert "amountMicros" not in budget
        assert budget["explicitlyShared"] is False


def test_display_derives_a_daily_budget_and_shows_the_figures():
    snapshot = ticket("DISPLAY", budget=Budget(Decimal("1000"), "LIFETIME"))
    (budget,) = creates(compiled(snapshot), "campaignBudgetOperation")
    assert (budget["amountMicros"], budget["period"]) == ("35710000", "DAILY")
    (found,) = [f for f in PLATFORM.compile(snapshot).findings if f.code == "google_ads.budget.daily_derived"]
    assert found.severity == "warn"
    assert dict(found.params) == {
        "total": "1000",
        "days": 28,
        "daily": "35.71",
        "unspent": "0.12",
        "currency": "EUR",
    }


def test_a_flight_over_the_change_of_clocks_counts_calendar_days():
    snapshot = ticket(
        "DISPLAY", start=datetime(2027, 3, 27, tzinfo=BERLIN), end=datetime(2027, 3, 29, 23, 59, 59, tzinfo=BERLIN),
        budget=Budget(Decimal("30"), "LIFETIME"),
    )  # fmt: skip
    assert creates(compiled(snapshot), "campaignBudgetOperation")[0]["amountMicros"] == "10000000"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"budget": None}, "budget.missing", "budget"),
        ({"budget": Budget(Decimal("0"), "DAILY")}, "amount.not_positive", "budget"),
        ({"budget": Budget(Decimal("-1"), "DAILY")}, "amount.not_positive", "budget"),
        ({"budget": Budget(Decimal("NaN"), "DAILY")}, "amount.not_positive", "budget"),
        ({"budget": Budget(Decimal("19.999"), "DAILY")}, "amount.not_expressible", "budget"),
        ({"budget": Budget(Decimal("10"), "LIFETIME"), "end": None}, "budget.lifetime_without_end", "budget"),
        ({"budget_level": ""}, "budget.level_missing", "budget_level"),
        ({"name": ""}, "name.missing", "name"),
        ({"name": "x" * 256}, "name.too_long", "name"),
        ({"name": "a\nb"}, "name.control_character", "name"),
        ({"political": "UNSTATED"}, "political.unstated", "political"),
        ({"political": "CONTAINS"}, "political.not_in_eu", "political"),
        ({"special_ad_categories": None}, "special_ad_categories.unstated", "special_ad_categories"),
        ({"objective": "APP_PROMOTION"}, "objective.unsupported", "objective"),
        ({"ad_sets": ()}, "ad_set.missing", "ad_sets"),
        ({"config": {"no_such_option": 1}}, "config.invalid", "payload_config"),
        ({"end": datetime(2027, 1, 1, tzinfo=BERLIN)}, "schedule.end_before_start", "end"),
        ({"start": datetime(2027, 1, 4)}, "schedule.without_zone", "start"),
        ({"currency": "USD"}, "currency.not_the_accounts", "currency"),
        ({"account": replace(ACCOUNT, external_id="12-34")}, "account.id_malformed", "account"),
        ({"account": replace(ACCOUNT, time_zone="Mars/Base")}, "account.time_zone_unknown", "account"),
        ({"config": {"youtube_only": True}}, "youtube.needs_demand_gen", "payload_config.youtube_only"),
    ],
)
def test_what_is_wrong_with_a_ticket_is_said_in_its_field(changes, code, field):
    refused(ticket(**changes), code, field)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"geo": Geo()}, "geo.missing", "geo"),
        ({"geo": Geo(countries=("ZZ",))}, "geo.country_unknown", "geo.countries[0]"),
        ({"geo": Geo(countries=("CU",))}, "geo.country_unknown", "geo.countries[0]"),
        (
            {"geo": Geo(countries=("DE",), excluded_countries=("DE",))},
            "geo.included_and_excluded",
            "geo.excluded_countries[0]",
        ),
        ({"languages": ("xx",)}, "language.unknown", "languages[0]"),
        ({"keywords": ()}, "keyword.missing", "keywords"),
        ({"ads": ()}, "ad.missing", "ads"),
        ({"name": " "}, "name.missing", "name"),
        ({"dayparts": (Daypart(0, 9, 12), Daypart(0, 11, 13))}, "daypart.overlap", "dayparts"),
        ({"dayparts": (Daypart(0, 12, 9),)}, "daypart.invalid", "dayparts[0]"),
        ({"frequency_cap": FrequencyCap(3, 7)}, "frequency_cap.display_only", "frequency_cap"),
        ({"audiences_include": ("mystery/1",)}, "audience.unknown", "audiences_include[0]"),
        ({"audiences_include": ("audiences/9",)}, "audience.demand_gen_only", "audiences_include"),
        ({"placements": ("FACEBOOK",)}, "placement.unknown", "placements[0]"),
        ({"start": datetime(2027, 1, 10, tzinfo=BERLIN)}, "schedule.ad_group_dates", "start"),
        ({"genders": ("OTHER",)}, "gender.unknown", "genders"),
        ({"config": {"audience_observation": "yes"}}, "config.invalid", "payload_config"),
    ],
)
def test_what_is_wrong_with_an_ad_group_is_said_in_its_field(changes, code, field):
    refused(ticket(ad_sets=(search_ad_set(**changes),)), code, f"ad_sets[0].{field}")


def test_video_is_no_channel_of_the_api():
    refused(replace(ticket(), buying_type="VIDEO"), "channel.unknown", "buying_type")


def test_two_ad_groups_need_two_names():
    refused(
        ticket(ad_sets=(search_ad_set(), search_ad_set(intent_id="x"))), "name.duplicate", "ad_sets[1].name"
    )


def test_a_single_ad_groups_budget_becomes_the_campaigns_visibly():
    ad_set = search_ad_set(budget=Budget(Decimal("5"), "DAILY"))
    snapshot = ticket(budget_level="AD_SET", budget=None, ad_sets=(ad_set,))
    assert creates(compiled(snapshot), "campaignBudgetOperation")[0]["amountMicros"] == "5000000"
    assert "budget.raised_to_campaign" in codes(PLATFORM.compile(snapshot))
    two = replace(snapshot, ad_sets=(ad_set, replace(ad_set, intent_id="x", name="Other")))
    refused(two, "budget.only_on_campaign", "budget_level")


def test_demand_gen_has_a_dollar_minimum_a_day():
    account = replace(ACCOUNT, currency="USD")
    snapshot = ticket(
        "DEMAND_GEN", account=account, currency="USD", budget=Budget(Decimal("139.99"), "LIFETIME")
    )
    (found,) = refused(snapshot, "budget.below_minimum", "budget")
    assert found.params["minimum"] == "140"
    compiled(replace(snapshot, budget=Budget(Decimal("140"), "LIFETIME")))


def test_frequency_caps_stand_on_display_campaigns():
    snapshot = ticket("DISPLAY", ad_sets=(display_ad_set(frequency_cap=FrequencyCap(3, 7)),))
    (campaign,) = creates(compiled(snapshot), "campaignOperation")
    (cap,) = campaign["frequencyCaps"]
    assert (cap["cap"], cap["key"]["timeUnit"], cap["key"]["level"]) == (3, "WEEK", "AD_GROUP")


def test_political_advertising_outside_the_eu_is_warned_about():
    ad_set = search_ad_set(geo=Geo(countries=("US",)))
    snapshot = ticket(political="CONTAINS", ad_sets=(ad_set,))
    compiled(snapshot)
    assert "political.needs_verification" in codes(PLATFORM.compile(snapshot))


def test_sensitive_categories_may_not_be_narrowed_in_the_united_states():
    ad_set = search_ad_set(geo=Geo(countries=("US",)))
    refused(ticket(special_ad_categories=("HOUSING",), ad_sets=(ad_set,)), "special_ad_categories.narrowed")


def test_an_empty_draft_names_everything_that_is_missing_at_once():
    draft = ticket(
        name="", objective="", budget=None, special_ad_categories=None, political="UNSTATED",
        ad_sets=(AdSetSnapshot("i", "", ads=(AdSnapshot("a", "", "SEARCH_TEXT"),)),),
    )  # fmt: skip
    assert {
        "name.missing", "objective.missing", "budget.missing", "special_ad_categories.unstated", "political.unstated",
        "goal.missing", "geo.missing", "keyword.missing", "text.too_few", "landing_page.missing",
    } <= codes(PLATFORM.compile(draft))  # fmt: skip


def test_the_schema_check_finds_what_the_sdk_does_not_know():
    operation = compiled(ticket())
    body = {**operation.body, "mutateOperations": [dict(m) for m in operation.body["mutateOperations"]]}
    budget = dict(
        body["mutateOperations"][0]["campaignBudgetOperation"]["create"], amount="5", deliveryMethod="SLOW"
    )
    body["mutateOperations"][0] = {"campaignBudgetOperation": {"create": budget}}
    found = PLATFORM.check([replace(operation, body=body)])
    assert {f.params["pointer"] for f in found} == {
        "/mutateOperations/0/campaignBudgetOperation/create",
        "/mutateOperations/0/campaignBudgetOperation/create/deliveryMethod",
    }
    assert {f.field for f in found} == {"budget"}
    headless = replace(operation, body={"mutateOperations": [], "partialFailure": True}, sources={})
    assert len(PLATFORM.check([headless])) == 2


def test_every_code_that_is_raised_has_words():
    folder = Path(__file__).parents[1]
    raised = set()
    for file in folder.glob("*.py"):
        text = file.read_text()
        raised |= set(re.findall(r"notes\.(?:block|warn)\(\s*\"([\w.]+)\"", text))
        raised |= set(re.findall(r"problem = \"(keyword\.\w+)\"", text))
        raised |= {f"preflight.{code}" for code in re.findall(r"_found\(\s*\"(\w+)\"", text)}
        raised |= set(re.findall(r"\{PREFIX\}([a-z]+\.[a-z_]+)\"", text))
    assert {f"google_ads.{code}" for code in raised} == set(PLATFORM.messages)
