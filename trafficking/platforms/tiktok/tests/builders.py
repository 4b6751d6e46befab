"""Tickets for tests: a complete, approvable one, changed field by field."""

from __future__ import annotations

import hashlib
import io
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
    File,
    Geo,
    Media,
    TicketSnapshot,
)

PARIS = ZoneInfo("Europe/Paris")
ACCOUNT = Account(
    external_id="7000000001",
    currency="USD",
    time_zone="Europe/Paris",
    pixel_id="7400000000000000001",
    identity_id="b3f0f8f4-1beb-5c23-8a2c-9f440cec58a5",
    identity_type="TT_USER",
    app_id="7300000000000000001",
)
VIDEO = (Media("VIDEO", "v10033g50000abc"), Media("THUMBNAIL", "ad-site-i18n/cover1"))
IMAGE = (Media("IMAGE", "ad-site-i18n/image1"),)
#: bytes of ours that stand for a film and its cover
CONTENTS = {
    hashlib.sha256(each).hexdigest(): each
    for each in (b"\x00\x00\x00\x18ftypmp42" + b"film" * 64, b"\xff\xd8\xff\xe0" + b"cover" * 64)
}
FILM_HASH, COVER_HASH = CONTENTS
FILM = File(FILM_HASH, "moana.mp4", "video/mp4", 20_000_000, 1080, 1920, duration_s=Decimal(15), codec="AVC")
POSTER = File(COVER_HASH, "moana.jpg", "image/jpeg", 200_000, 720, 1280)


def open_file(sha256: str) -> io.BytesIO:
    """A store of files as the house has one: LookupError for what is not there."""
    return io.BytesIO(CONTENTS[sha256])


START, END = (
    datetime(2026, 12, 1, tzinfo=PARIS),
    datetime(2026, 12, 31, 23, 59, 59, tzinfo=PARIS),
)

#: neutral objective -> a goal that it has
GOALS = {
    "AWARENESS": "REACH",
    "REACH": "REACH",
    "TRAFFIC": "CLICKS",
    "VIDEO_VIEWS": "VIDEO_VIEWS",
    "LEADS": "LEADS",
    "APP_PROMOTION": "APP_INSTALLS",
    "SALES": "CONVERSIONS",
}
AD_SET_OPTIONS = {"APP_PROMOTION": {"operating_system": "ANDROID"}}
AD_OPTIONS = {"LEADS": {"page_id": "7100000000000000001"}}


def ad(intent: str = "a1", **changes: Any) -> AdSnapshot:
    made = AdSnapshot(
        intent_id=intent,
        name=f"DIS_FR_TT_2026_Moana_{intent}",
        format="VIDEO",
        texts=("The ocean calls again.",),
        call_to_action="LEARN_MORE",
        landing_page="https://example.com/moana?ref=1#top",
        utm=(
            ("utm_source", "tiktok"),
            ("utm_id", "{campaign_id}"),
            ("utm_content", "{ad_set_id}-{ad_id}"),
        ),
        media=VIDEO,
    )
    return replace(made, **changes)


def ad_set(intent: str = "s1", **changes: Any) -> AdSetSnapshot:
    made = AdSetSnapshot(
        intent_id=intent,
        name=f"DIS_FR_TT_2026_Moana_{intent}",
        goal="CLICKS",
        budget=Budget(Decimal("100.50"), "DAILY"),
        geo=Geo(countries=("FR",)),
        ads=(ad(f"{intent}a1"),),
    )
    return replace(made, **changes)


def ticket(**changes: Any) -> TicketSnapshot:
    made = TicketSnapshot(
        ticket_id="5d0cbb6e-64d4-4b33-b9fa-1d1ac8a0c2c1",
        platform="tiktok",
        buying_type="AUCTION",
        request_type="CREATE",
        name="DIS_FR_TT_2026_Moana",
        objective="TRAFFIC",
        account=ACCOUNT,
        brand_name="Disney",
        market_country="FR",
        currency="USD",
        budget_level="AD_SET",
        start=START,
        end=END,
        ad_sets=(ad_set(),),
        special_ad_categories=(),
        political="DOES_NOT_CONTAIN",
    )
    return replace(made, **changes)


def for_objective(objective: str, **ad_set_changes: Any) -> TicketSnapshot:
    """A complete ticket for an objective, with the options that it needs."""
    goal = ad_set_changes.pop("goal", GOALS.get(objective, "ENGAGEMENT"))
    ads = ad_set_changes.pop("ads", (ad(config=AD_OPTIONS.get(objective, {})),))
    conversion_event = "PURCHASE" if objective == "SALES" else ""
    made = ad_set(
        goal=goal,
        conversion_event=conversion_event,
        config=AD_SET_OPTIONS.get(objective, {}),
        ads=ads,
    )
    return ticket(objective=objective, ad_sets=(replace(made, **ad_set_changes),))


def with_ad_set(**changes: Any) -> TicketSnapshot:
    return ticket(ad_sets=(ad_set(**changes),))


def with_ad(**changes: Any) -> TicketSnapshot:
    return with_ad_set(ads=(ad(**changes),))


def smart_ticket(**changes: Any) -> TicketSnapshot:
    """A Smart+ campaign: sales on a website, one budget, two ad groups with two texts each."""
    config = {"call_to_action_id": "7500000000000000001"}
    groups = tuple(
        ad_set(
            intent,
            name=f"DIS_FR_TT_2026_Moana_Smart_{intent}",
            goal="CONVERSIONS",
            conversion_event="PURCHASE",
            budget=None,
            ads=(ad(f"{intent}a", texts=("The ocean calls.", "Sail again."), config=config),),
        )
        for intent in ("s1", "s2")
    )
    made = ticket(
        buying_type="SMART_PLUS",
        objective="SALES",
        budget_level="CAMPAIGN",
        budget=Budget(Decimal("200.50"), "DAILY"),
        ad_sets=groups,
    )
    return replace(made, **changes)
