"""The sandbox is as strict as the platform: what it refuses, and what it fills in."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from trafficking.platforms.google_ads import PLATFORM
from trafficking.platforms.google_ads.sandbox import GoogleAdsSandbox
from trafficking.platforms.google_ads.tests.builders import ticket
from trafficking.platforms.google_ads.tests.calls import MUTATE, SEARCH, post
from trafficking.platforms.sandbox_base import Request


def body(channel="SEARCH"):
    return copy.deepcopy(PLATFORM.compile(ticket(channel)).operations[0].body)


def create_of(request, operation, index=0):
    found = [m[operation]["create"] for m in request["mutateOperations"] if operation in m]
    return found[index]


def error_codes(answer):
    details = json.loads(answer.body)["error"].get("details", [])
    return {code for d in details for e in d.get("errors", ()) for code in e["errorCode"].values()}


@pytest.fixture
def sandbox():
    return GoogleAdsSandbox()


def test_without_a_status_things_are_enabled_and_budgets_shared(sandbox):
    request = body()
    for operation in ("campaignOperation", "adGroupOperation", "adGroupAdOperation"):
        create_of(request, operation).pop("status")
    create_of(request, "campaignBudgetOperation").pop("explicitlyShared")
    assert post(sandbox, MUTATE, request).status == 200
    kinds = ("campaign", "ad_group", "ad_group_ad")
    assert {row["status"] for row in sandbox.store.rows() if row["_kind"] in kinds} == {"ENABLED"}
    assert sandbox.store.find("campaign_budget", "1234567890")[0]["explicitlyShared"] is True


def test_validate_only_answers_nothing_and_keeps_nothing(sandbox):
    answer = post(sandbox, MUTATE, {**body(), "validateOnly": True})
    assert (answer.status, json.loads(answer.body)) == (200, {})
    assert sandbox.store.rows() == []


def test_one_error_undoes_everything(sandbox):
    request = body()
    create_of(request, "adGroupAdOperation")["ad"]["finalUrls"] = []
    answer = post(sandbox, MUTATE, request)
    assert answer.status == 400
    assert sandbox.store.rows() == []


CHANGES = [
    ("campaignBudgetOperation", {"amountMicros": "19995000"}, "NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT"),
    ("campaignBudgetOperation", {"amountMicros": None}, "REQUIRED"),
    (
        "campaignBudgetOperation",
        {"period": "CUSTOM_PERIOD"},
        "BUDGET_AMOUNT_MUST_BE_UNSET_FOR_CUSTOM_BUDGET_PERIOD",
    ),
    (
        "campaignBudgetOperation",
        {"resourceName": "customers/1234567890/campaignBudgets/5"},
        "CANNOT_SET_ID_FOR_CREATE",
    ),
    ("campaignOperation", {"name": None}, "REQUIRED"),
    (
        "campaignOperation",
        {"containsEuPoliticalAdvertising": None},
        "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED",
    ),
    ("campaignOperation", {"targetSpend": None}, "REQUIRED"),
    (
        "campaignOperation",
        {"targetSpend": None, "manualCpm": {}},
        "CANNOT_CREATE_CAMPAIGN_WITH_BIDDING_STRATEGY",
    ),
    ("campaignOperation", {"advertisingChannelType": "VIDEO"}, "MUTATE_REQUIRES_RESERVATION"),
    ("campaignOperation", {"startDateTime": "2027-01-04"}, "INVALID_STRING_DATE_TIME_SECONDS"),
    ("campaignOperation", {"startDateTime": "2020-01-04 00:00:00"}, "CANNOT_SET_DATE_TO_PAST"),
    (
        "campaignOperation",
        {"startDateTime": "2027-01-04 09:00:00"},
        "DATE_RANGE_ERROR_START_TIME_MUST_BE_THE_START_OF_A_DAY",
    ),
    ("campaignOperation", {"endDateTime": "2027-01-01 23:59:59"}, "START_DATE_AFTER_END_DATE"),
    (
        "campaignOperation",
        {"campaignBudget": "customers/1234567890/campaignBudgets/-9"},
        "RESOURCE_NOT_FOUND",
    ),
    ("campaignOperation", {"campaignBudget": "customers/1234567890/campaignBudgets/9"}, "RESOURCE_NOT_FOUND"),
    ("campaignOperation", {"resourceName": "customers/1234567890/campaigns/-1"}, "DUPLICATE_TEMP_IDS"),
    ("adGroupOperation", {"name": None}, "MISSING_ADGROUP_NAME"),
    (
        "adGroupOperation",
        {"type": "DISPLAY_STANDARD"},
        "AD_GROUP_TYPE_NOT_VALID_FOR_ADVERTISING_CHANNEL_TYPE",
    ),
    (
        "adGroupCriterionOperation",
        {"keyword": {"text": "a!", "matchType": "EXACT"}},
        "KEYWORD_HAS_INVALID_CHARS",
    ),
    (
        "adGroupCriterionOperation",
        {"keyword": {"text": "x" * 81, "matchType": "EXACT"}},
        "KEYWORD_TEXT_TOO_LONG",
    ),
    (
        "adGroupCriterionOperation",
        {"keyword": {"text": "shoes", "matchType": "PHRASE"}},
        "RESOURCE_ALREADY_EXISTS",
    ),
    ("adGroupCriterionOperation", {"keyword": None}, "CONCRETE_TYPE_REQUIRED"),
    ("campaignCriterionOperation", {"location": {"geoTargetConstant": "DE"}}, "RESOURCE_NAME_MALFORMED"),
    ("adGroupAdOperation", {"ad": None}, "REQUIRED"),
]


@pytest.mark.parametrize(("operation", "changes", "code"), CHANGES)
def test_what_google_refuses_is_refused(sandbox, operation, changes, code):
    request = body()
    create = create_of(request, operation)
    for name, value in changes.items():
        create.pop(name, None)
        if value is not None:
            create[name] = value
    answer = post(sandbox, MUTATE, request)
    assert answer.status == 400
    assert code in error_codes(answer)
    assert sandbox.store.rows() == []


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (("responsiveSearchAd", "headlines"), [{"text": "One"}, {"text": "Two"}], "TOO_FEW"),
        (("responsiveSearchAd", "headlines", 0, "text"), "x" * 31, "LINE_TOO_WIDE"),
        (("responsiveSearchAd", "headlines", 0, "text"), "Free returns", "INVALID_INPUT"),
        (("finalUrls",), ["example.com"], "MISSING_PROTOCOL_IN_FINAL_URL"),
        (("finalUrlSuffix",), "?a=b", "FINAL_URL_SUFFIX_MALFORMED"),
        (("name",), "A name", "CANNOT_SET_FIELD"),
    ],
)
def test_search_ads_that_google_refuses_are_refused(sandbox, path, value, code):
    request = body()
    here = create_of(request, "adGroupAdOperation")["ad"]
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value
    assert code in error_codes(post(sandbox, MUTATE, request))


@pytest.mark.parametrize(
    ("where", "field", "value"),
    [
        ("campaignOperation", "budget", "x"),
        ("campaignOperation", "status", "RUNNING"),
        ("campaignOperation", "startDate", "2027-01-01"),
        ("campaignOperation", "id", "5"),
        ("campaignBudgetOperation", "amountMicros", 1.5),
        ("campaignBudgetOperation", "explicitlyShared", "no"),
        ("adGroupAdOperation", "ad", {"finalUrls": "https://example.com"}),
    ],
)
def test_unknown_names_types_and_enums_are_refused_before_anything_else(sandbox, where, field, value):
    request = body()
    create_of(request, where)[field] = value
    answer = post(sandbox, MUTATE, request)
    found = json.loads(answer.body)["error"]
    assert (answer.status, found["status"]) == (400, "INVALID_ARGUMENT")
    assert found["details"][0]["@type"].endswith("BadRequest")


def test_display_has_no_total_budgets(sandbox):
    request = body("DISPLAY")
    budget = create_of(request, "campaignBudgetOperation")
    budget.pop("amountMicros")
    budget |= {"totalAmountMicros": "10000000", "period": "CUSTOM_PERIOD"}
    assert "INCOMPATIBLE_BUDGET_TYPE" in error_codes(post(sandbox, MUTATE, request))


def test_demand_gen_places_stand_on_the_ad_group(sandbox):
    request = body("DEMAND_GEN")
    campaign = create_of(request, "campaignOperation")["resourceName"]
    criterion = {"campaign": campaign, "location": {"geoTargetConstant": "geoTargetConstants/2276"}}
    request["mutateOperations"].insert(2, {"campaignCriterionOperation": {"create": criterion}})
    assert "CANNOT_ADD_CRITERIA_TYPE" in error_codes(post(sandbox, MUTATE, request))


def test_a_video_is_no_image(sandbox):
    request = body("DEMAND_GEN")
    video = create_of(request, "assetOperation")["resourceName"]
    create_of(request, "adGroupAdOperation")["ad"]["demandGenVideoResponsiveAd"]["logoImages"] = [
        {"asset": video}
    ]
    assert "FIELD_TYPE_INCOMPATIBLE_WITH_ASSET_TYPE" in error_codes(post(sandbox, MUTATE, request))


def test_the_same_video_is_the_same_asset(sandbox):
    first, second = body("DEMAND_GEN"), body("DEMAND_GEN")
    create_of(second, "campaignBudgetOperation")["name"] = "Other"
    create_of(second, "campaignOperation")["name"] = "Other"
    assert post(sandbox, MUTATE, first).status == 200
    assert post(sandbox, MUTATE, second).status == 200
    assert len(sandbox.store.find("asset", "1234567890")) == 2


def test_names_are_unique_in_the_account_and_in_the_campaign(sandbox):
    assert post(sandbox, MUTATE, body()).status == 200
    assert error_codes(post(sandbox, MUTATE, body())) >= {"DUPLICATE_NAME", "TEMP_ID_RESOURCE_HAD_ERRORS"}
    other_budget = body()
    create_of(other_budget, "campaignBudgetOperation")["name"] = "Other"
    assert "DUPLICATE_CAMPAIGN_NAME" in error_codes(post(sandbox, MUTATE, other_budget))
    twice = body()
    create_of(twice, "campaignBudgetOperation")["name"] = create_of(twice, "campaignOperation")["name"] = (
        "New"
    )
    group = copy.deepcopy(next(m for m in twice["mutateOperations"] if "adGroupOperation" in m))
    group["adGroupOperation"]["create"]["resourceName"] = "customers/1234567890/adGroups/-999"
    twice["mutateOperations"].append(group)
    assert "DUPLICATE_ADGROUP_NAME" in error_codes(post(sandbox, MUTATE, twice))


def test_another_account_is_another_world(sandbox):
    post(sandbox, MUTATE, body())
    query = {"query": "SELECT campaign.id FROM campaign"}
    assert json.loads(post(sandbox, SEARCH, query).body)["results"]
    other = post(sandbox, SEARCH.replace("1234567890", "1111111111"), query)
    assert "results" not in json.loads(other.body)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"authorization": None}, 401, None),
        ({"authorization": "Basic x"}, 401, None),
        ({"authorization": "Bearer expired"}, 401, "OAUTH_TOKEN_EXPIRED"),
        ({"developer_token": None}, 400, "DEVELOPER_TOKEN_PARAMETER_MISSING"),
        ({"login_customer_id": "123-456-7890"}, 400, "INVALID_LOGIN_CUSTOMER_ID"),
        ({"content_type": "text/plain"}, 400, None),
    ],
)
def test_headers_come_first(sandbox, headers, status, code):
    answer = post(sandbox, MUTATE, body(), **headers)
    assert answer.status == status
    assert error_codes(answer) == ({code} if code else set())
    assert "request-id" in answer.headers


@pytest.mark.parametrize(
    ("path", "raw", "status"),
    [
        (MUTATE.replace("v26", "v19"), b"{}", 404),
        ("/v26/customers/1234567890/campaigns:mutate", b"{}", 404),
        (MUTATE.replace("1234567890", "123"), b"{}", 400),
        (MUTATE, b"{", 400),
        (MUTATE, b"[]", 400),
        (MUTATE, b"{}", 400),
        (MUTATE, b'{"mutateOperations": [{}]}', 400),
        (MUTATE, b'{"mutateOperations": [{"campaignOperation": {}}]}', 400),
        (MUTATE, b'{"mutateOperations": [], "unknown": 1}', 400),
    ],
)
def test_malformed_requests_are_refused(sandbox, path, raw, status):
    assert post(sandbox, path, raw).status == status


def test_get_is_not_served(sandbox):
    assert sandbox.handle(Request("GET", MUTATE, {}, {}, b"")).status == 404


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "EXPECTED_SELECT"),
        ("SELECT", "UNEXPECTED_END_OF_QUERY"),
        ("DELETE FROM campaign", "EXPECTED_SELECT"),
        ("SELECT campaign.id", "EXPECTED_FROM"),
        ("SELECT campaign.id FROM campaigns", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"),
        ("SELECT campaign.nope FROM campaign", "UNRECOGNIZED_FIELD"),
        ("SELECT id FROM campaign", "BAD_FIELD_NAME"),
        ("SELECT ad_group.id FROM campaign", "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name = 'x", "STRING_NOT_TERMINATED"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name LIKE 'x'", "BAD_OPERATOR"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name IN 'x'", "EXPECTED_LIST"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name = 'x' OR 1", "UNEXPECTED_INPUT"),
        ("SELECT campaign.id FROM campaign; SELECT", "BAD_SYMBOL"),
    ],
)
def test_queries_are_parsed_strictly(sandbox, query, code):
    assert error_codes(post(sandbox, SEARCH, {"query": query})) == {code}


def test_queries_select_filter_and_limit(sandbox):
    post(sandbox, MUTATE, body())
    query = (
        "SELECT ad_group_criterion.keyword.text FROM ad_group_criterion "
        "WHERE campaign.name != 'x' AND ad_group_criterion.keyword.match_type IN ('EXACT', 'PHRASE') LIMIT 1"
    )
    (row,) = json.loads(post(sandbox, SEARCH, {"query": query}).body)["results"]
    assert row["adGroupCriterion"]["keyword"] == {"text": "running shoes"}
    assert set(row) == {"adGroupCriterion"}


def test_updates_change_only_what_may_change(sandbox):
    post(sandbox, MUTATE, body())
    (campaign,) = sandbox.store.find("campaign", "1234567890")
    name = f"customers/1234567890/campaigns/{campaign['id']}"
    change = {
        "update": {"resourceName": name, "advertisingChannelType": "DISPLAY"},
        "updateMask": "advertisingChannelType",
    }
    answer = post(sandbox, MUTATE, {"mutateOperations": [{"campaignOperation": change}]})
    assert error_codes(answer) == {"IMMUTABLE_FIELD"}
    without = {"update": {"resourceName": name, "status": "ENABLED"}}
    assert error_codes(post(sandbox, MUTATE, {"mutateOperations": [{"campaignOperation": without}]})) == {
        "FIELD_MASK_MISSING"
    }
    gone = {"remove": name}
    assert post(sandbox, MUTATE, {"mutateOperations": [{"campaignOperation": gone}]}).status == 200
    assert sandbox.store.get("campaign", campaign["id"])["status"] == "REMOVED"


def test_the_sandbox_knows_neither_compiler_nor_client():
    folder = Path(__file__).parents[1]
    for name in (path.name for path in folder.glob("sandbox*.py")):
        text = (folder / name).read_text()
        for forbidden in (
            "compile",
            "client",
            "errors",
            "ads",
            "targeting",
            "bidding",
            "budget",
            "tree",
            "resources",
            "fields",
            "wanted",
            "request",
            "live",
            "media",
            "performance_max",
        ):
            assert f"google_ads.{forbidden} " not in text
            assert f"google_ads import {forbidden}" not in text
