"""Requests and answers against the official SDK's messages: google-ads, v26."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from google.ads.googleads.v26.errors.types.errors import GoogleAdsFailure
from google.ads.googleads.v26.services.types.google_ads_service import (
    MutateGoogleAdsRequest,
    MutateGoogleAdsResponse,
    SearchGoogleAdsResponse,
)
from google.protobuf import json_format

from trafficking.platforms.base import Budget, FrequencyCap, GeoPlace, Interest
from trafficking.platforms.google_ads import PLATFORM, generate_reference, reference
from trafficking.platforms.google_ads.sandbox import GoogleAdsSandbox
from trafficking.platforms.google_ads.tests.builders import (
    SEARCH_AD,
    VIDEO_AD,
    demand_gen_ad_set,
    display_ad_set,
    performance_max_ad_set,
    search_ad_set,
    ticket,
)
from trafficking.platforms.google_ads.tests.calls import post

TICKETS = {
    "search": ticket(),
    "search lifetime, target CPA": ticket(
        budget=Budget(Decimal("5000"), "LIFETIME"), bid_strategy="COST_CAP", bid_amount=Decimal("12.5"),
        ad_sets=(search_ad_set(goal="CONVERSIONS"),),
    ),
    "search, target ROAS": ticket(
        bid_strategy="TARGET_ROAS", bid_amount=Decimal("3.5"), ad_sets=(search_ad_set(goal="CONVERSION_VALUE"),)
    ),
    "search, impression share": ticket(
        bid_strategy="BID_CAP", bid_amount=Decimal("2"), ad_sets=(search_ad_set(goal="IMPRESSIONS"),),
        config={"target_impression_share": {"location": "TOP_OF_PAGE", "percent": 50}, "search_partners": True,
                "display_expansion": True, "location_intent": "PRESENCE_OR_INTEREST",
                "tracking_url_template": "https://t.example.com/?u={lpurl}"},
    ),
    "search, options": ticket(ad_sets=(search_ad_set(
        config={"audience_observation": True},
        ads=(replace(SEARCH_AD, config={"pin_headlines": [1, 2, 3], "pin_descriptions": [1, 2]}),),
    ),)),
    "display": ticket("DISPLAY"),
    "display, manual CPM, cap, sites": ticket(
        "DISPLAY", bid_strategy="BID_CAP", bid_amount=Decimal("1.5"),
        ad_sets=(display_ad_set(
            goal="REACH", frequency_cap=FrequencyCap(2, 1), placements=("example.org",),
            interests=(Interest("80101"),), audiences_include=("customAudiences/5", "combinedAudiences/6"),
        ),),
    ),
    "demand gen": ticket("DEMAND_GEN"),
    "youtube": ticket("DEMAND_GEN", config={"youtube_only": True}, budget=Budget(Decimal("900"), "LIFETIME")),
    "demand gen, channels, audience": ticket(
        "DEMAND_GEN", bid_strategy="COST_CAP", bid_amount=Decimal("0.4"),
        ad_sets=(demand_gen_ad_set(
            placements=("DISCOVER", "GMAIL"), audiences_include=("audiences/77",),
            ads=(replace(VIDEO_AD, config={"google_enhancements": True}),),
        ),),
    ),
    "performance max": ticket("PERFORMANCE_MAX"),
    "performance max lifetime, target ROAS": ticket(
        "PERFORMANCE_MAX", budget=Budget(Decimal("5000"), "LIFETIME"), bid_strategy="TARGET_ROAS",
        bid_amount=Decimal("4"), ad_sets=(performance_max_ad_set(goal="CONVERSION_VALUE"),),
    ),
    "demand gen, people": ticket("DEMAND_GEN", ad_sets=(demand_gen_ad_set(
        age_min=25, age_max=44, genders=("MALE",), interests=(Interest("80101"),), audiences_exclude=("4711",),
    ),)),
}  # fmt: skip


def operation(name):
    result = PLATFORM.compile(TICKETS[name])
    assert result.operations, result.findings
    return result.operations[0]


@pytest.mark.parametrize("name", TICKETS)
def test_every_body_parses_into_the_sdks_request(name):
    body = {**operation(name).body, "customerId": "1234567890"}
    message = json_format.ParseDict(body, MutateGoogleAdsRequest.pb()())
    assert len(message.mutate_operations) == len(body["mutateOperations"])
    assert message.partial_failure is False


@pytest.mark.parametrize("name", TICKETS)
def test_nothing_is_lost_or_changed_on_the_way_through_the_sdk(name):
    body = {**operation(name).body, "customerId": "1234567890"}
    message = json_format.ParseDict(body, MutateGoogleAdsRequest.pb()())
    again = json_format.ParseDict(json_format.MessageToDict(message), MutateGoogleAdsRequest.pb()())
    assert again == message


@pytest.mark.parametrize("name", TICKETS)
def test_every_body_passes_our_own_schema(name):
    assert PLATFORM.check([operation(name)]) == []


@pytest.mark.parametrize("name", TICKETS)
def test_the_sandbox_takes_it_and_answers_as_the_sdk_expects(name):
    planned = operation(name)
    answer = post(GoogleAdsSandbox(), planned.path, planned.body)
    received = json.loads(answer.body)
    assert answer.status == 200, received
    message = json_format.ParseDict(received, MutateGoogleAdsResponse.pb()())
    assert len(message.mutate_operation_responses) == len(planned.body["mutateOperations"])


def test_search_answers_parse_as_the_sdk_expects():
    sandbox = GoogleAdsSandbox()
    planned = operation("search")
    post(sandbox, planned.path, planned.body)
    query = (
        "SELECT ad_group_ad.status, ad_group_ad.ad.responsive_search_ad.headlines, campaign.name "
        "FROM ad_group_ad WHERE ad_group_ad.status = 'PAUSED'"
    )
    answer = post(sandbox, "/v26/customers/1234567890/googleAds:search", {"query": query})
    message = json_format.ParseDict(json.loads(answer.body), SearchGoogleAdsResponse.pb()())
    assert message.results[0].ad_group_ad.ad.responsive_search_ad.headlines[0].text == "Running shoes"


def failures(answer):
    for detail in json.loads(answer.body)["error"].get("details", []):
        if "GoogleAdsFailure" in detail["@type"]:
            yield json_format.ParseDict(
                {k: v for k, v in detail.items() if k != "@type"}, GoogleAdsFailure.pb()()
            )


def test_refusals_parse_as_the_sdk_expects():
    sandbox, planned = GoogleAdsSandbox(), operation("search")
    post(sandbox, planned.path, planned.body)
    answer = post(sandbox, planned.path, planned.body)
    (failure,) = failures(answer)
    assert len(failure.errors) >= 2


def test_every_error_code_of_the_sandbox_exists_in_the_sdk():
    folder = Path(reference.__file__).parent
    text = (folder / "sandbox_rules.py").read_text() + (folder / "sandbox.py").read_text()
    pairs = re.findall(r"Wrong\(\s*\"(\w+)\",\s*\"(\w+)\"", text)
    assert len(pairs) > 60
    for kind, code in pairs:
        json_format.ParseDict({"errors": [{"errorCode": {kind: code}}]}, GoogleAdsFailure.pb()())
    gaql = (folder / "sandbox_gaql.py").read_text()
    for code in set(re.findall(r"\"([A-Z_]{7,})\"", gaql)):
        json_format.ParseDict({"errors": [{"errorCode": {"queryError": code}}]}, GoogleAdsFailure.pb()())


def test_the_reference_is_what_the_installed_sdk_says():
    assert json.loads(json.dumps(generate_reference.build())) == reference.REFERENCE


#: Rows of a public copy of Google's geo targets list.
SEEN = {
    "VN": 2704, "AW": 2533, "BJ": 2204, "BF": 2854, "BQ": 2535, "CX": 2162, "CO": 2170, "CR": 2188, "CI": 2384,
    "HR": 2191, "CW": 2531, "CZ": 2203, "CD": 2180, "DK": 2208, "DO": 2214, "EC": 2218, "EG": 2818, "EE": 2233,
    "SZ": 2748, "FI": 2246, "FR": 2250, "PF": 2258, "DE": 2276, "GR": 2300, "GG": 2831, "HK": 2344, "HU": 2348,
    "IN": 2356, "ID": 2360, "IE": 2372, "IT": 2380, "JP": 2392, "KZ": 2398, "XK": 2900, "KW": 2414, "LV": 2428,
    "MO": 2446, "MX": 2484, "ME": 2499, "NL": 2528, "NZ": 2554, "MK": 2807, "NO": 2578, "PS": 2275, "PL": 2616,
    "PT": 2620, "PR": 2630, "RO": 2642, "BL": 2652, "SA": 2682, "RS": 2688, "SG": 2702, "SK": 2703, "ZA": 2710,
    "KR": 2410, "SS": 2728, "ES": 2724, "SE": 2752, "CH": 2756, "TZ": 2834, "AE": 2784, "GB": 2826, "US": 2840,
    "UM": 2581, "VA": 2336, "EH": 2732, "ZM": 2894, "ZW": 2716,
}  # fmt: skip


def test_country_ids_follow_the_iso_numbers():
    assert {code: reference.COUNTRIES[code] for code in SEEN} == SEEN
    assert reference.COUNTRIES["US"] == 2840
    assert reference.COUNTRIES["GB"] == 2826
    assert reference.COUNTRIES["DE"] == 2276
    assert reference.COUNTRIES["XK"] == 2900
    assert not {"CU", "IR", "KP", "SY"} & reference.COUNTRIES.keys()
    assert GeoPlace("1").id == "1"


def test_language_ids():
    assert reference.language_ids("en") == [1000]
    assert reference.language_ids("iw") == reference.language_ids("he") == [1027]
    assert reference.language_ids("nb") == [1013]
    assert reference.language_ids("zh") == [1017, 1018]
    assert reference.language_ids("zh_TW") == [1018]
    assert reference.language_ids("xx") == []
