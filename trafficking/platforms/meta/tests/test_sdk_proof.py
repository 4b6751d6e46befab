"""Every body is proved against Meta's official SDK itself, not against our reference of it.

The SDK checks types of top-level parameters only, so nested fields and enums are walked here by the SDK's
own `_field_types` and constants. At the end the SDK reads back over HTTP what our client has deployed.
"""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

pytest.importorskip("facebook_business", reason="Meta's SDK is a development dependency")

from facebook_business import apiconfig
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.campaign import Campaign
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

from trafficking.platforms.base import (
    Applied,
    Budget,
    Connection,
    Daypart,
    FrequencyCap,
    Geo,
    GeoPlace,
    Interest,
    TicketSnapshot,
)  # fmt: skip
from trafficking.platforms.meta import PLATFORM, generate_reference, reference
from trafficking.platforms.meta.client import FIELDS, MetaClient
from trafficking.platforms.meta.sandbox import MetaSandbox
from trafficking.platforms.meta.sandbox_reads import asked_fields
from trafficking.platforms.meta.tests.builders import (
    ACCOUNT,
    COMBINATIONS,
    ad_set,
    big_ticket,
    carousel_ad,
    image_ad,
    one_set,
    ticket,
    video_ad,
)  # fmt: skip
from trafficking.platforms.meta.tests.journey import TOKEN
from trafficking.platforms.sandbox_base import serve

CREATE = {
    "campaign": "create_campaign",
    "ad_set": "create_ad_set",
    "creative": "create_ad_creative",
    "ad": "create_ad",
}
#: What the SDK calls `Object`, `map` or a whole class where an id is enough.
BETTER = {
    "promoted_object": "AdPromotedObject",
    "adset_schedule": "list<DayPart>",
    "frequency_control_specs": "list<AdCampaignFrequencyControlSpecs>",
    "attribution_spec": "list<AttributionSpec>",
    "bid_constraints": "AdCampaignBidConstraint",
}
#: Where the SDK's own checker is wrong or silent, by Meta's documentation:
#: its `map<string, Object>` takes no numbers, though `roas_average_floor` is an int in its own class, and
#: `creative={"creative_id": …}` is how its own `AdCreative` class and sample code attach a creative.
SDK_QUIRKS = {"bid_constraints"}
PLAIN = {"string", "int", "unsigned int", "bool", "float", "datetime", "map", "Object"}


def rich_tickets() -> list[TicketSnapshot]:
    """Every combination, every format, and tickets that use all that compile can say."""
    everything = ad_set(
        goal="REACH",
        budget=Budget(Decimal("310.00"), "LIFETIME"),
        dayparts=(Daypart(0, 9, 17), Daypart(6, 20, 24)),
        frequency_cap=FrequencyCap(3, 7),
        geo=Geo(
            countries=("US", "FR"),
            regions=(GeoPlace("3847"),),
            cities=(GeoPlace("2421215"),),
            excluded_countries=("CA",),
            excluded_regions=(GeoPlace("11"),),
            excluded_cities=(GeoPlace("12"),),
        ),
        languages=tuple(reference.LOCALES),
        age_min=21,
        age_max=49,
        genders=("FEMALE",),
        interests=(Interest("6003107902433", "Football"), Interest("6003107902434")),
        audiences_include=("23840000000000001",),
        audiences_exclude=("23840000000000002",),
        placements=tuple(f"{p}:{x}" for p, xs in reference.PLACEMENTS.items() for x in xs),
        config={
            "attribution_spec": [{"event_type": "CLICK_THROUGH", "window_days": 7}],
            "device_platforms": ["mobile", "desktop"],
            "user_os": ["iOS", "Android_ver_9.0_and_above"],
            "excluded_publisher_list_ids": ["5"],
        },
        ads=(
            image_ad(1, config={"multi_advertiser_ads": False, "display_link": "example.com"}),
            video_ad(2, config={"utm_in": "link"}),
            carousel_ad(3, config={"best_card_first": True, "end_card": True}),
        ),
    )
    disclosed = {"dsa_beneficiary": "Acme", "dsa_payor": "Acme"}
    options = {"spend_cap": "900", "adset_budget_sharing": True, "skadnetwork_attribution": False}
    shared = {"budget_level": "CAMPAIGN", "budget": Budget(Decimal(900), "DAILY")}
    limits = {"min_spend": "10", "max_spend": "20"}
    housing = {
        "special_ad_categories": ("HOUSING",),
        "special_ad_category_countries": tuple(reference.COUNTRIES),
    }
    politics = {
        "political": "CONTAINS",
        "special_ad_categories": ("ISSUES_ELECTIONS_POLITICS",),
        "special_ad_category_countries": ("US",),
    }
    calls = tuple(image_ad(n, call_to_action=call) for n, call in enumerate(reference.CALLS_TO_ACTION))
    roas = {"bid_strategy": "TARGET_ROAS", "bid_amount": Decimal("1.5"), "conversion_event": "PURCHASE"}
    return [
        *(one_set(objective, goal=goal, **changes) for objective, goal, changes in COMBINATIONS),
        *(one_set("SALES", goal="CONVERSIONS", conversion_event=e) for e in reference.CONVERSION_EVENTS),
        big_ticket(),
        ticket(objective="AWARENESS", ad_sets=(everything,), config=options, **disclosed),
        ticket(ad_sets=(ad_set(budget=None, config=limits),), bid_strategy="BID_CAP", bid_amount=Decimal(1), **shared),
        one_set(bid_strategy="COST_CAP", bid_amount=Decimal("1.10")),
        one_set("SALES", goal="CONVERSION_VALUE", **roas),
        ticket(**housing),
        ticket(**politics),
        ticket(ad_sets=(ad_set(ads=calls),)),
    ]  # fmt: skip


def sdk_class(name: str) -> Any:
    module = f"facebook_business.adobjects.{name.lower()}"
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError:
        return None


def problems(value: Any, type_name: str, owner: Any, where: str) -> Iterator[str]:
    """What the SDK does not know in a nested value: fields, enum values, plain types."""
    if match := re.fullmatch(r"list<(.+)>", type_name):
        if not isinstance(value, list):
            yield f"{where}: not a list"
            return
        for number, item in enumerate(value):
            yield from problems(item, match[1], owner, f"{where}/{number}")
    elif type_name in PLAIN or type_name.startswith("map"):
        yield from plain_problems(value, type_name, where)
    elif isinstance(enum := getattr(owner, type_name, None), type):
        if value not in vars(enum).values():
            yield f"{where}: {value!r} is not one of {type_name}"
    elif (cls := sdk_class(type_name)) is not None:
        for field, inner in value.items():
            if field not in cls._field_types:
                yield f"{where}/{field}: unknown to {type_name}"
            else:
                yield from problems(inner, cls._field_types[field], cls, f"{where}/{field}")
    else:
        yield f"{where}: no such type {type_name}"


def plain_problems(value: Any, type_name: str, where: str) -> Iterator[str]:
    expected = {
        "string": str,
        "datetime": str,
        "int": int,
        "unsigned int": int,
        "bool": bool,
        "float": float,
        "map": dict,
    }
    wanted = expected.get(type_name)
    if wanted and (not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))):
        yield f"{where}: {value!r} is no {type_name}"
    if type_name == "unsigned int" and isinstance(value, int) and value < 0:
        yield f"{where}: {value!r} is negative"


def create_request(object_type: str, body: Any) -> Any:
    api = FacebookAdsApi.init(access_token="x", crash_log=False)
    return getattr(AdAccount("act_1", api=api), CREATE[object_type])(params=body, pending=True)


def bound(operation: Any) -> Any:
    return operation.bound_body(dict.fromkeys(operation.bindings.values(), "120210000000000001"))


@pytest.fixture
def strict_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK raises where it would only warn."""
    monkeypatch.setitem(apiconfig.ads_api_config, "STRICT_MODE", True)


@pytest.mark.usefixtures("strict_sdk")
@pytest.mark.parametrize("snapshot", rich_tickets(), ids=lambda t: f"{t.objective}-{t.ad_sets[0].goal}")
def test_every_field_and_enum_value_is_known_to_the_sdk(snapshot: TicketSnapshot) -> None:
    result = PLATFORM.compile(snapshot)
    assert not [f for f in result.findings if f.blocking], result.findings
    for operation in result.operations:
        body = bound(operation)
        checked = {key: value for key, value in body.items() if key not in SDK_QUIRKS}
        checker = create_request(operation.object_type, checked)._param_checker  # raises for types and enums
        assert not [key for key in body if not checker.is_valid_key(key)]
        for key, value in body.items():
            type_name = BETTER.get(key, checker.get_type(key))
            if type_name in checker._enum_data or key == "adset_id":
                continue  # the strict SDK has just checked these
            if key == "creative":
                assert list(value) == ["creative_id"]
                continue
            if match := re.fullmatch(r"list<(\w+_enum)>", type_name):
                assert set(value) <= set(checker._enum_data[match[1]])
                continue
            assert list(problems(value, type_name, None, f"{operation.ref}/{key}")) == []


@pytest.mark.usefixtures("strict_sdk")
def test_the_proof_itself_can_fail() -> None:
    with pytest.raises(Exception, match="might not be compatible"):
        create_request("campaign", {"objective": "OUTCOME_NONSENSE"})
    assert list(problems({"age_minimum": 18}, "Targeting", None, ""))
    assert list(problems({"type": "DANCE"}, "AdCreativeLinkDataCallToAction", None, ""))
    assert list(problems({"age_min": "18"}, "Targeting", None, ""))
    assert list(problems({"custom_event_type": "INITIATE_CHECKOUT"}, "AdPromotedObject", None, ""))


def test_the_reference_is_what_the_generator_writes() -> None:
    generated = generate_reference.generate()
    assert generated["source"]["version"] == apiconfig.ads_api_config["SDK_VERSION"].removeprefix("v")
    assert generated == reference._DATA


@pytest.mark.parametrize(("object_type", "name"), [("campaign", "Campaign"), ("ad_set", "AdSet"), ("creative", "AdCreative"), ("ad", "Ad")])  # fmt: skip
def test_every_field_that_we_read_is_known_to_the_sdk(object_type: str, name: str) -> None:
    asked = asked_fields(FIELDS[object_type])
    assert {field for field, _ in asked} <= set(sdk_class(name)._field_types)
    for field, inner in asked:
        if inner:
            assert field == "creative"
            assert {each for each, _ in inner} <= set(sdk_class("AdCreative")._field_types)


@pytest.fixture
def server() -> Iterator[tuple[MetaSandbox, str]]:
    sandbox = MetaSandbox()
    listening = serve(sandbox, "127.0.0.1", 0)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield sandbox, f"http://127.0.0.1:{listening.server_address[1]}"
    listening.shutdown()
    listening.server_close()


def test_the_official_sdk_reads_back_what_we_deployed(
    server: tuple[MetaSandbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    _, url = server
    snapshot = replace(big_ticket(), account=ACCOUNT)
    client, ids = MetaClient(Connection(url, ACCOUNT, {"access_token": TOKEN}), requests.Session()), {}
    for operation in PLATFORM.compile(snapshot).operations:
        outcome = client.apply(operation, ids)
        assert isinstance(outcome, Applied), outcome
        ids.update(outcome.external_ids)

    monkeypatch.setattr(FacebookSession, "GRAPH", url)
    api = FacebookAdsApi.init(access_token=TOKEN, crash_log=False)
    campaign = Campaign(ids["campaign"], api=api).api_get(
        fields=["name", "objective", "status", "special_ad_categories"]
    )
    assert (campaign["name"], campaign["objective"], campaign["status"]) == (
        snapshot.name,
        "OUTCOME_TRAFFIC",
        "PAUSED",
    )
    read_sets = list(campaign.get_ad_sets(fields=["name", "daily_budget", "targeting", "effective_status"]))
    assert [each["name"] for each in read_sets] == [each.name for each in snapshot.ad_sets]
    assert [each["daily_budget"] for each in read_sets] == ["5000", "5000"]
    assert read_sets[0]["targeting"]["geo_locations"]["countries"] == ["US"]
    read_ads = list(read_sets[1].get_ads(fields=["name", "status", "creative"], params={"limit": 2}))
    assert [each["name"] for each in read_ads] == [each.name for each in snapshot.ad_sets[1].ads]
    assert {each["status"] for each in read_ads} == {"PAUSED"}
    creatives = list(
        AdAccount(ACCOUNT.external_id, api=api).get_ad_creatives(fields=["name", "object_story_spec"])
    )
    assert len(creatives) == 6
    assert creatives[1]["object_story_spec"]["video_data"]["video_id"] == "998877665544"
