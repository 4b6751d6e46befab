"""Google's answers, recorded and made up, become the outcome that they mean."""

from __future__ import annotations

import email.utils
import json
import time
from pathlib import Path

import pytest
import requests

from trafficking.platforms.base import InDoubt, NeedsAuth, Rejected, RetryLater
from trafficking.platforms.google_ads.errors import pointer, refusal

CASES = Path(__file__).parents[5] / "shared" / "data" / "selfheal" / "cases.dev.jsonl"


def response(status, body, headers=None):
    made = requests.Response()
    made.status_code = status
    made._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    made.headers.update(headers or {})
    return made


def failure(code, status=400, name="INVALID_ARGUMENT", **more):
    ((kind, value),) = code.items()
    error = {"errorCode": {kind: value}, "message": "words", **more}
    return response(
        status, {"error": {"code": status, "status": name, "message": "m", "details": [{"errors": [error]}]}}
    )


def recorded():
    if not CASES.exists():
        return []
    found = [json.loads(line) for line in CASES.read_text().splitlines()]
    return [case for case in found if case["platform"] == "google"]


@pytest.mark.skipif(not CASES.exists(), reason=f"recorded answers are not here: {CASES}")
def test_recorded_answers_are_classed_as_their_case_says():
    seen = 0
    for case in recorded():
        outcome = refusal(response(case["http_status"], case["response"]), case["payload"])
        wanted = {"auth": NeedsAuth, "transient-retry": (RetryLater, InDoubt)}.get(
            case["expected_class"], Rejected
        )
        assert isinstance(outcome, wanted), case["id"]
        if isinstance(outcome, Rejected):
            assert outcome.code.split(".")[1].isupper()
            assert outcome.message
        seen += 1
    assert seen >= 5


@pytest.mark.skipif(not CASES.exists(), reason=f"recorded answers are not here: {CASES}")
def test_recorded_answers_point_into_the_body_that_was_sent():
    pointers = {
        case["id"]: getattr(
            refusal(response(case["http_status"], case["response"]), case["payload"]), "pointer", None
        )
        for case in recorded()
    }
    assert pointers["g10"] == "/operations/0/create/start_date"
    assert (
        pointers["g01"] == "/mutate_operations/1/campaign_operation/create/contains_eu_political_advertising"
    )
    assert pointers["g07"] == "/operations/0/create"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ({"authenticationError": "OAUTH_TOKEN_EXPIRED"}, NeedsAuth),
        ({"authorizationError": "CUSTOMER_NOT_ENABLED"}, NeedsAuth),
        ({"headerError": "INVALID_LOGIN_CUSTOMER_ID"}, NeedsAuth),
        ({"quotaError": "ACCESS_PROHIBITED"}, NeedsAuth),
        ({"requestError": "DEVELOPER_TOKEN_PARAMETER_MISSING"}, NeedsAuth),
        ({"quotaError": "RESOURCE_EXHAUSTED"}, RetryLater),
        ({"quota_error": "RESOURCE_TEMPORARILY_EXHAUSTED"}, RetryLater),
        ({"databaseError": "CONCURRENT_MODIFICATION"}, RetryLater),
        ({"internalError": "TRANSIENT_ERROR"}, InDoubt),
        ({"internalError": "INTERNAL_ERROR"}, InDoubt),
        ({"campaignError": "DUPLICATE_CAMPAIGN_NAME"}, Rejected),
        ({"databaseError": "DATA_CONSTRAINT_VIOLATION"}, Rejected),
        ({"policyViolationError": "POLICY_ERROR"}, Rejected),
    ],
)
def test_error_codes_mean_what_they_mean(code, kind):
    assert isinstance(refusal(failure(code)), kind)


@pytest.mark.parametrize(
    ("details", "after"),
    [
        ({"quotaErrorDetails": {"retryDelay": "30s"}}, 30),
        ({"quotaErrorDetails": {"retryDelay": "1.5s"}}, 1.5),
        ({"quota_error_details": {"retry_delay": {"seconds": "30"}}}, 30),
        ({}, None),
    ],
)
def test_google_says_when_to_come_back(details, after):
    assert refusal(failure({"quotaError": "RESOURCE_EXHAUSTED"}, 429, details=details)).after == after


def test_retry_after_is_read_as_seconds_and_as_a_date():
    assert refusal(response(429, b"", {"Retry-After": "7"})).after == 7
    date = email.utils.formatdate(time.time() + 90, usegmt=True)
    assert 80 < refusal(response(429, {"error": {"code": 429}}, {"Retry-After": date})).after < 95


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (502, b"<html>Bad Gateway</html>", InDoubt),
        (200, b"", InDoubt),
        (503, {"error": {"code": 503, "status": "UNAVAILABLE", "message": "x"}}, InDoubt),
        (500, b"{\"error\": {\"co", InDoubt),
        (404, b"<html>", InDoubt),
        (401, b"", NeedsAuth),
        (401, {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "x"}}, NeedsAuth),
        (403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "x"}}, NeedsAuth),
        (429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "x"}}, RetryLater),
        (400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "x"}}, Rejected),
        (400, [], InDoubt),
        (400, {"error": "text"}, InDoubt),
    ],
)  # fmt: skip
def test_answers_without_ads_errors(status, body, kind):
    assert isinstance(refusal(response(status, body)), kind)


def test_a_mixture_is_judged_by_what_a_person_must_mend():
    errors = [
        {"errorCode": {"databaseError": "CONCURRENT_MODIFICATION"}, "message": "busy"},
        {"errorCode": {"fieldError": "REQUIRED"}, "message": "missing"},
    ]
    outcome = refusal(response(400, {"error": {"code": 400, "details": [{"errors": errors}]}}))
    assert isinstance(outcome, Rejected)
    assert outcome.code == "fieldError.REQUIRED"
    assert outcome.message == "busy; missing"


def test_codes_that_an_older_version_hides_are_named():
    outcome = refusal(
        failure(
            {"internalError": "ERROR_CODE_NOT_PUBLISHED"},
            details={"unpublishedErrorCode": "CampaignBudgetError.BUDGET_BELOW_DAILY_MINIMUM"},
        )
    )
    assert outcome.code == "campaignBudgetError.BUDGET_BELOW_DAILY_MINIMUM"


def test_unknown_fields_point_to_where_they_were():
    detail = {"fieldViolations": [{"field": "mutate_operations[0].campaign_operation.create"}]}
    outcome = refusal(
        response(
            400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "x", "details": [detail]}}
        )
    )
    assert outcome.pointer == "/mutateOperations/0/campaignOperation/create"


def test_paths_follow_the_spelling_of_the_body():
    path = [
        ("mutate_operations", 0),
        ("campaign_operation", None),
        ("create", None),
        ("start_date_time", None),
    ]
    camel = {"mutateOperations": [{"campaignOperation": {"create": {"startDateTime": "x"}}}]}
    snake = {"mutate_operations": [{"campaign_operation": {"create": {}}}]}
    assert pointer(path, camel) == "/mutateOperations/0/campaignOperation/create/startDateTime"
    assert pointer(path, snake) == "/mutate_operations/0/campaign_operation/create/start_date_time"
    assert pointer(path, None) == "/mutateOperations/0/campaignOperation/create/startDateTime"
