"""Whatever a ticket holds, compiling it answers findings that can be stored, and never an exception."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trafficking.platforms import changes
from trafficking.platforms.base import (
    Account,
    AdSetSnapshot,
    AdSnapshot,
    Budget,
    Daypart,
    FrequencyCap,
    Geo,
    GeoPlace,
    Interest,
    Keyword,
    Media,
    TicketSnapshot,
)
from trafficking.platforms.google_ads import PLATFORM
from trafficking.platforms.google_ads.tests.builders import ticket

text = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "https://example.com/a", "https://[", "{KeyWord:x}", "\x00", "靴" * 20]),
)
texts = st.lists(text, max_size=6).map(tuple)
amount = st.one_of(st.decimals(), st.sampled_from([Decimal("19.99"), Decimal("0")]))
moment = st.one_of(
    st.datetimes(timezones=st.just(UTC)), st.datetimes(), st.just(datetime(2027, 1, 4, tzinfo=UTC))
)
junk = st.dictionaries(
    st.sampled_from(
        ["youtube_only", "demand_gen_accepted", "target_impression_share", "pin_headlines", "x", "main_color"]
    ),
    st.one_of(
        st.booleans(),
        st.integers(),
        text,
        st.lists(st.integers(), max_size=3),
        st.dictionaries(text, text, max_size=2),
    ),
    max_size=3,
)
geo = st.builds(
    Geo, countries=st.lists(st.sampled_from(["DE", "US", "ZZ", ""]), max_size=3).map(tuple),
    cities=st.lists(st.builds(GeoPlace, id=text), max_size=2).map(tuple),
)  # fmt: skip
media = st.builds(
    Media,
    kind=st.sampled_from(["IMAGE", "SQUARE_IMAGE", "LOGO", "VIDEO", "YOUTUBE_VIDEO"]),
    id=st.sampled_from(["1", "x", "dQw4w9WgXcQ"]),
)
ads = st.builds(
    AdSnapshot, intent_id=text, name=text, format=st.sampled_from(["IMAGE", "VIDEO", "SEARCH_TEXT", "RESPONSIVE_DISPLAY", "CAROUSEL"]),
    headlines=texts, descriptions=texts, long_headline=text, business_name=text, call_to_action=text,
    landing_page=text, display_paths=texts, utm=st.lists(st.tuples(text, text), max_size=2).map(tuple),
    media=st.lists(media, max_size=4).map(tuple), config=junk,
)  # fmt: skip
goals = st.sampled_from(
    ["", "REACH", "CLICKS", "CONVERSIONS", "CONVERSION_VALUE", "IMPRESSIONS", "VIDEO_VIEWS", "???"]
)
strategies = st.sampled_from(["LOWEST_COST", "COST_CAP", "BID_CAP", "TARGET_ROAS", ""])
ad_sets = st.builds(
    AdSetSnapshot, intent_id=text, name=text, goal=goals, bid_strategy=strategies, bid_amount=st.none() | amount,
    budget=st.none() | st.builds(Budget, amount=amount, kind=st.sampled_from(["DAILY", "LIFETIME"])),
    start=st.none() | moment, end=st.none() | moment,
    dayparts=st.lists(st.builds(Daypart, st.integers(-1, 8), st.integers(-1, 25), st.integers(-1, 25)), max_size=3).map(tuple),
    frequency_cap=st.none() | st.builds(FrequencyCap, st.integers(-1, 9), st.integers(-1, 31)),
    geo=geo, languages=texts, age_min=st.none() | st.integers(-5, 120), age_max=st.none() | st.integers(-5, 120),
    genders=st.lists(st.sampled_from(["MALE", "FEMALE", "?"]), max_size=2).map(tuple),
    interests=st.lists(st.builds(Interest, id=text), max_size=2).map(tuple),
    audiences_include=texts, audiences_exclude=texts, placements=texts,
    keywords=st.lists(st.builds(Keyword, text=text, match=st.sampled_from(["EXACT", "BROAD", "?"])), max_size=3).map(tuple),
    ads=st.lists(ads, max_size=2).map(tuple), config=junk,
)  # fmt: skip
tickets = st.builds(
    TicketSnapshot, ticket_id=text, platform=st.just("google_ads"),
    buying_type=st.sampled_from(["SEARCH", "DISPLAY", "DEMAND_GEN", "SEARCH", "?"]),
    request_type=st.sampled_from(["CREATE", "CREATE", "UPDATE"]), name=text, objective=text,
    account=st.builds(Account, external_id=st.sampled_from(["1234567890", "x"]), currency=st.sampled_from(["EUR", "KWD"]),
                      time_zone=st.sampled_from(["Europe/Berlin", "UTC", "", "../x", "Mars/X"])),
    brand_name=text, market_country=text, currency=st.sampled_from(["EUR", "JPY", "KWD", ""]),
    budget_level=st.sampled_from(["CAMPAIGN", "AD_SET", ""]), start=moment, end=st.none() | moment,
    ad_sets=st.lists(ad_sets, max_size=2).map(tuple),
    budget=st.none() | st.builds(Budget, amount=amount, kind=st.sampled_from(["DAILY", "LIFETIME"])),
    bid_strategy=strategies, bid_amount=st.none() | amount,
    special_ad_categories=st.none() | st.lists(st.sampled_from(["HOUSING", "NONE"]), max_size=2).map(tuple),
    political=st.sampled_from(["UNSTATED", "CONTAINS", "DOES_NOT_CONTAIN"]), config=junk,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(tickets)
def test_compiling_never_raises_and_findings_can_be_stored(ticket):
    compiled = PLATFORM.compile(ticket)
    json.dumps([finding.as_dict() for finding in compiled.findings])
    assert bool(compiled.operations) != any(finding.blocking for finding in compiled.findings)
    assert {
        finding.code for finding in compiled.findings
    } <= PLATFORM.messages.keys() | changes.MESSAGES.keys()
    assert PLATFORM.check(compiled.operations) == []


@pytest.mark.parametrize(
    "config", [{"pin_headlines": True}, {"pin_descriptions": 1}, {"pin_headlines": "12"}]
)
def test_an_option_of_an_ad_that_does_not_fit_is_a_finding_and_is_not_used(config: dict[str, Any]) -> None:
    whole = ticket()
    ad_set = whole.ad_sets[0]
    ads = (replace(ad_set.ads[0], config=config),)
    compiled = PLATFORM.compile(replace(whole, ad_sets=(replace(ad_set, ads=ads),)))
    assert {(f.code, f.field) for f in compiled.findings} >= {
        ("google_ads.config.invalid", "ad_sets[0].ads[0].payload_config")
    }
    assert compiled.operations == ()
