"""Sound tickets for each channel, to be varied by tests with `dataclasses.replace`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from trafficking.platforms.base import (
    Account,
    AdSetSnapshot,
    AdSnapshot,
    Budget,
    Daypart,
    Geo,
    GeoPlace,
    Keyword,
    Media,
    TicketSnapshot,
)

BERLIN = ZoneInfo("Europe/Berlin")
CREDENTIALS = {"developer_token": "dev-token-22-characters", "access_token": "ya29.good"}

ACCOUNT = Account(
    external_id="123-456-7890",
    currency="EUR",
    time_zone="Europe/Berlin",
    login_customer_id="999-888-7777",
    conversion_action_id="55",
)

SEARCH_AD = AdSnapshot(
    intent_id="a0000000-0000-4000-8000-000000000001",
    name="DIS_DE_Shoes_RSA1",
    format="SEARCH_TEXT",
    headlines=("Running shoes", "Free returns", "{KeyWord:Shoes for every road}"),
    descriptions=("Light, fast and made to last.", "Order today, run tomorrow."),
    display_paths=("shoes", "running"),
    landing_page="https://example.com/shoes?ref=x#top",
    utm=(("utm_source", "google"), ("utm_content", "{ad_id}"), ("ref", "y")),
)
DISPLAY_AD = AdSnapshot(
    intent_id="a0000000-0000-4000-8000-000000000002",
    name="DIS_DE_Shoes_RDA1",
    format="RESPONSIVE_DISPLAY",
    headlines=("Running shoes",),
    long_headline="Running shoes for every road and every weather",
    descriptions=("Light, fast and made to last.",),
    business_name="Example Shoes",
    call_to_action="SHOP_NOW",
    landing_page="https://example.com/shoes",
    media=(Media("IMAGE", "7001"), Media("SQUARE_IMAGE", "7002"), Media("LOGO", "7003")),
)
VIDEO_AD = AdSnapshot(
    intent_id="a0000000-0000-4000-8000-000000000003",
    name="DIS_DE_Shoes_VID1",
    format="VIDEO",
    headlines=("Running shoes",),
    long_headline="Running shoes for every road",
    descriptions=("Light, fast and made to last.",),
    business_name="Example Shoes",
    call_to_action="LEARN_MORE",
    landing_page="https://example.com/shoes",
    media=(Media("YOUTUBE_VIDEO", "dQw4w9WgXcQ"), Media("LOGO", "7003")),
)
IMAGE_AD = AdSnapshot(
    intent_id="a0000000-0000-4000-8000-000000000004",
    name="DIS_DE_Shoes_IMG1",
    format="IMAGE",
    headlines=("Running shoes",),
    descriptions=("Light, fast and made to last.",),
    business_name="Example Shoes",
    call_to_action="LEARN_MORE",
    landing_page="https://example.com/shoes",
    media=(Media("IMAGE", "7001"), Media("PORTRAIT_IMAGE", "7004"), Media("LOGO", "7003")),
)


def search_ad_set(**changes: Any) -> AdSetSnapshot:
    ad_set = AdSetSnapshot(
        intent_id="b0000000-0000-4000-8000-000000000001",
        name="DIS_DE_Shoes_Brand",
        goal="CLICKS",
        geo=Geo(countries=("DE", "AT"), cities=(GeoPlace("1003854", "Berlin"),), excluded_countries=("CH",)),
        languages=("de", "en"),
        dayparts=(Daypart(0, 9, 17), Daypart(6, 0, 24)),
        age_min=25,
        age_max=54,
        genders=("FEMALE",),
        audiences_include=("4711",),
        audiences_exclude=("userLists/4712",),
        keywords=(Keyword("running shoes", "EXACT"), Keyword("shoes", "PHRASE")),
        negative_keywords=(Keyword("repair", "BROAD"),),
        ads=(SEARCH_AD,),
    )
    return replace(ad_set, **changes)


def display_ad_set(**changes: Any) -> AdSetSnapshot:
    ad_set = AdSetSnapshot(
        intent_id="b0000000-0000-4000-8000-000000000002",
        name="DIS_DE_Shoes_Display",
        goal="CONVERSIONS",
        geo=Geo(countries=("DE",)),
        languages=("de",),
        ads=(DISPLAY_AD,),
    )
    return replace(ad_set, **changes)


def demand_gen_ad_set(**changes: Any) -> AdSetSnapshot:
    ad_set = AdSetSnapshot(
        intent_id="b0000000-0000-4000-8000-000000000003",
        name="DIS_DE_Shoes_YouTube",
        goal="CLICKS",
        geo=Geo(countries=("DE",)),
        languages=("de",),
        ads=(VIDEO_AD, IMAGE_AD),
    )
    return replace(ad_set, **changes)


PMAX_AD = AdSnapshot(
    intent_id="a0000000-0000-4000-8000-000000000005",
    name="DIS_DE_Shoes_PMX1",
    format="RESPONSIVE_DISPLAY",
    headlines=("Running shoes", "Free returns", "Shoes for every road"),
    long_headline="Running shoes for every road and every weather",
    descriptions=("Light, fast and made to last.", "Order today, run tomorrow."),
    business_name="Example Shoes",
    call_to_action="SHOP_NOW",
    landing_page="https://example.com/shoes",
    utm=(("utm_source", "google"),),
    media=(Media("IMAGE", "7001"), Media("SQUARE_IMAGE", "7002"), Media("LOGO", "7003")),
)


def performance_max_ad_set(**changes: Any) -> AdSetSnapshot:
    ad_set = AdSetSnapshot(
        intent_id="b0000000-0000-4000-8000-000000000004",
        name="DIS_DE_Shoes_Assets",
        goal="CONVERSIONS",
        geo=Geo(countries=("DE",)),
        languages=("de",),
        keywords=(Keyword("running shoes", "BROAD"),),
        audiences_include=("audiences/77",),
        ads=(PMAX_AD,),
    )
    return replace(ad_set, **changes)


def ticket(buying_type: str = "SEARCH", **changes: Any) -> TicketSnapshot:
    """A ticket that compiles without a blocking finding."""
    ad_sets = {
        "SEARCH": search_ad_set,
        "DISPLAY": display_ad_set,
        "DEMAND_GEN": demand_gen_ad_set,
        "PERFORMANCE_MAX": performance_max_ad_set,
    }
    snapshot = TicketSnapshot(
        ticket_id="c0000000-0000-4000-8000-000000000001",
        platform="google_ads",
        buying_type=buying_type,
        request_type="CREATE",
        name=f"DIS_DE_{buying_type}_2027_Shoes",
        objective="TRAFFIC",
        account=ACCOUNT,
        brand_name="Example Shoes",
        market_country="DE",
        currency="EUR",
        budget_level="CAMPAIGN",
        start=datetime(2027, 1, 4, tzinfo=BERLIN),
        end=datetime(2027, 1, 31, 23, 59, 59, tzinfo=BERLIN),
        ad_sets=(ad_sets[buying_type](),),
        budget=Budget(Decimal("19.99"), "DAILY"),
        special_ad_categories=(),
        political="DOES_NOT_CONTAIN",
    )
    return replace(snapshot, **changes)


def codes(compiled: Any) -> set[str]:
    return {finding.code.removeprefix("google_ads.") for finding in compiled.findings}


def creates(operation: Any, name: str) -> list[dict[str, Any]]:
    """What one kind of operation creates: `creates(op, "adGroupOperation")`."""
    found = operation.body["mutateOperations"]
    return [mutate[name]["create"] for mutate in found if name in mutate]
