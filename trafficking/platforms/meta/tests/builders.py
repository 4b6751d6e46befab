"""Snapshots for tests: a valid ticket of each kind, to change from there with `dataclasses.replace`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from trafficking.platforms.base import (
    Account,
    AdSetSnapshot,
    AdSnapshot,
    Budget,
    Card,
    Geo,
    Media,
    TicketSnapshot,
)  # fmt: skip

ZONE = ZoneInfo("America/Los_Angeles")
UTM = (("utm_source", "meta"), ("utm_campaign", "{campaign_id}"), ("utm_content", "{ad_id}"))
ACCOUNT = Account(
    external_id="act_1234567890",
    currency="USD",
    time_zone="America/Los_Angeles",
    page_id="100200300",
    instagram_user_id="17841400000000001",
    pixel_id="778899",
    app_id="445566",
)


def intent(number: int) -> str:
    return str(UUID(int=number))


def image_ad(number: int = 1, **changes: Any) -> AdSnapshot:
    ad = AdSnapshot(
        intent_id=intent(1000 + number),
        name=f"DIS_US_META_2026_MoanaLaunch_Ad{number}",
        format="IMAGE",
        texts=("She is back at sea.",),
        headlines=("Moana, in cinemas",),
        descriptions=("From 10 July",),
        call_to_action="LEARN_MORE",
        landing_page="https://www.example.com/moana?lang=en",
        utm=UTM,
        media=(Media("IMAGE", "0123456789abcdef0123456789abcdef"),),
    )
    return replace(ad, **changes)


def video_ad(number: int = 2, **changes: Any) -> AdSnapshot:
    media = (Media("VIDEO", "998877665544"), Media("THUMBNAIL", "fedcba9876543210fedcba9876543210"))
    return image_ad(number, **{"format": "VIDEO", "media": media, **changes})


def carousel_ad(number: int = 3, **changes: Any) -> AdSnapshot:
    cards = (
        Card("aaaa0000", "Boat", "Sail", "https://www.example.com/boat"),
        Card("bbbb1111", "Island"),
        Card("cccc2222"),
    )
    return image_ad(
        number, **{"format": "CAROUSEL", "media": (), "cards": cards, "descriptions": (), **changes}
    )


def ad_set(number: int = 1, **changes: Any) -> AdSetSnapshot:
    made = AdSetSnapshot(
        intent_id=intent(number),
        name=f"DIS_US_META_2026_MoanaLaunch_Set{number}",
        goal="CLICKS",
        budget=Budget(Decimal("50.00"), "DAILY"),
        geo=Geo(countries=("US",)),
        ads=(image_ad(number * 10),),
    )
    return replace(made, **changes)


def ticket(**changes: Any) -> TicketSnapshot:
    made = TicketSnapshot(
        ticket_id=intent(900),
        platform="meta",
        buying_type="AUCTION",
        request_type="CREATE",
        name="DIS_US_META_2026_MoanaLaunch",
        objective="TRAFFIC",
        account=ACCOUNT,
        brand_name="Disney",
        market_country="US",
        currency="USD",
        budget_level="AD_SET",
        start=datetime(2026, 12, 1, tzinfo=ZONE),
        end=datetime(2026, 12, 31, 23, 59, 59, tzinfo=ZONE),
        ad_sets=(ad_set(),),
        special_ad_categories=(),
        political="DOES_NOT_CONTAIN",
    )
    return replace(made, **changes)


def one_set(objective: str = "TRAFFIC", **changes: Any) -> TicketSnapshot:
    """A ticket with one ad set, changed by `changes`."""
    return ticket(objective=objective, ad_sets=(ad_set(**changes),))


def big_ticket() -> TicketSnapshot:
    """Two ad sets with an image, a video and a carousel each."""
    sets = tuple(
        ad_set(n, ads=(image_ad(n * 10), video_ad(n * 10 + 1), carousel_ad(n * 10 + 2))) for n in (1, 2)
    )
    return ticket(ad_sets=sets)


#: objective, goal, changes of the ad set: one line for each combination that Meta offers
_STORE = {"object_store_url": "https://apps.apple.com/app/id1"}
COMBINATIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("AWARENESS", "REACH", {}),
    ("AWARENESS", "IMPRESSIONS", {}),
    ("AWARENESS", "VIDEO_VIEWS", {"ads": (video_ad(),)}),
    ("REACH", "REACH", {}),
    ("TRAFFIC", "CLICKS", {}),
    ("TRAFFIC", "CLICKS", {"billing_event": "CLICKS"}),
    ("TRAFFIC", "LANDING_PAGE_VIEWS", {}),
    ("TRAFFIC", "REACH", {}),
    ("TRAFFIC", "IMPRESSIONS", {}),
    ("ENGAGEMENT", "ENGAGEMENT", {}),
    ("ENGAGEMENT", "CLICKS", {}),
    ("ENGAGEMENT", "LANDING_PAGE_VIEWS", {}),
    ("ENGAGEMENT", "REACH", {}),
    ("ENGAGEMENT", "IMPRESSIONS", {}),
    ("ENGAGEMENT", "CONVERSIONS", {"conversion_event": "SUBSCRIBE"}),
    ("ENGAGEMENT", "VIDEO_VIEWS", {"ads": (video_ad(),)}),
    ("VIDEO_VIEWS", "VIDEO_VIEWS", {"ads": (video_ad(),)}),
    ("VIDEO_VIEWS", "VIDEO_VIEWS", {"ads": (video_ad(),), "billing_event": "VIDEO_VIEWS"}),
    ("VIDEO_VIEWS", "REACH", {"ads": (video_ad(),)}),
    ("LEADS", "LEADS", {}),
    ("LEADS", "LEADS", {"config": {"lead_gen_form_id": "31415"}}),
    ("LEADS", "CONVERSIONS", {"conversion_event": "COMPLETE_REGISTRATION"}),
    ("LEADS", "CLICKS", {}),
    ("LEADS", "LANDING_PAGE_VIEWS", {}),
    ("LEADS", "REACH", {}),
    ("LEADS", "IMPRESSIONS", {}),
    ("APP_PROMOTION", "APP_INSTALLS", {"config": _STORE}),
    ("APP_PROMOTION", "CLICKS", {"config": _STORE}),
    ("APP_PROMOTION", "CONVERSIONS", {"config": _STORE, "conversion_event": "PURCHASE"}),
    ("APP_PROMOTION", "CONVERSION_VALUE", {"config": _STORE, "conversion_event": "PURCHASE"}),
    ("SALES", "CONVERSIONS", {"conversion_event": "PURCHASE"}),
    ("SALES", "CONVERSION_VALUE", {"conversion_event": "PURCHASE"}),
    ("SALES", "CLICKS", {}),
    ("SALES", "LANDING_PAGE_VIEWS", {}),
    ("SALES", "REACH", {}),
    ("SALES", "IMPRESSIONS", {}),
]


def automated_ticket(**changes: Any) -> TicketSnapshot:
    """An Advantage+ sales campaign of two ad sets."""
    sets = tuple(
        ad_set(
            n, goal="CONVERSIONS", conversion_event="PURCHASE", budget=None,
            ads=(image_ad(n * 10), video_ad(n * 10 + 1)),
        )
        for n in (1, 2)
    )  # fmt: skip
    made = ticket(
        buying_type="ADVANTAGE_PLUS",
        objective="SALES",
        budget_level="CAMPAIGN",
        budget=Budget(Decimal("400.00"), "DAILY"),
        ad_sets=sets,
    )
    return replace(made, **changes)
