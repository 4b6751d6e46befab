"""Meta's answers are read as what they are."""

from __future__ import annotations

import json
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import requests

from trafficking.platforms.base import InDoubt, NeedsAuth, Rejected, RetryLater
from trafficking.platforms.meta.errors import failure, parsed, waiting_time

CASES = Path(__file__).resolve().parents[4].parent / "shared/data/selfheal/cases.dev.jsonl"


def answer(status: int, value: Any, headers: dict[str, str] | None = None) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = value if isinstance(value, bytes) else json.dumps(value).encode()
    response.headers.update(headers or {})
    return response


def read(status: int, value: Any, headers: dict[str, str] | None = None, body: Any = None) -> Any:
    response = answer(status, value, headers)
    return failure(response, parsed(response), body)


def error(code: int, **more: Any) -> dict[str, Any]:
    return {"error": {"message": "m", "type": "OAuthException", "code": code, **more}}


@pytest.mark.parametrize("code", [4, 17, 32, 341, 613, 80000, 80004, 80014])
def test_throttling_comes_with_http_400_and_is_certainly_not_done(code: int) -> None:
    assert isinstance(read(400, error(code)), RetryLater)


@pytest.mark.parametrize("code", [190, 102, 10, 200, 294, 299])
def test_credentials_need_a_person(code: int) -> None:
    assert isinstance(read(400, error(code)), NeedsAuth)


@pytest.mark.parametrize(
    ("status", "value"),
    [
        (500, error(2)),
        (400, error(1)),
        (400, error(100, is_transient=True)),
        (503, {}),
        (500, error(100)),
        (502, b"<html>Bad Gateway</html>"),
        (200, b""),
        (200, b'{"id": "1202'),
        (200, b"[1]"),
        (404, b"<html>"),
    ],
)
def test_what_may_have_been_done_is_in_doubt(status: int, value: Any) -> None:
    assert isinstance(read(status, value), InDoubt)


@pytest.mark.parametrize("code", [100, 194, 368, 500, 2635])
def test_the_rest_is_refused_for_good_also_with_http_200(code: int) -> None:
    assert isinstance(read(400, error(code)), Rejected)
    assert isinstance(read(200, error(code)), Rejected)
    assert read(200, {"id": "1"}) is None
    assert isinstance(read(400, {"odd": 1}), Rejected)


def test_metas_words_for_people_come_first() -> None:
    refused = read(
        400,
        error(100, error_subcode=1885272, error_user_title="Budget Is Too Low", error_user_msg="Raise it."),
    )
    assert (refused.code, refused.message) == ("100.1885272", "Budget Is Too Low: Raise it.")


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"error_data": {"blame_field_specs": [["targeting", "age_min"]]}}, "/targeting/age_min"),
        ({"error_data": '{"blame_field_specs": [["dsa_payor"]]}'}, "/dsa_payor"),
        ({"error_data": '{"blame_field_specs": [["Custom age selection is unavailable"]]}'}, ""),
        ({"error_data": "not json"}, ""),
        ({"error_data": '{"blame_field_specs": 7}'}, ""),
        ({"message": "(#100) Param targeting[age_min] must be a number"}, "/targeting/age_min"),
        ({"message": "(#100) The parameter adset_id is required"}, "/adset_id"),
        ({"error_subcode": 1870227}, "/targeting/targeting_automation/advantage_audience"),
        ({"error_subcode": 1815430}, "/promoted_object"),
        ({"error_subcode": 2446307}, "/lifetime_budget"),
        ({"error_subcode": "1885272"}, "/lifetime_budget"),
    ],
)
def test_the_blamed_field_becomes_a_pointer(more: dict[str, Any], pointer: str) -> None:
    assert read(400, error(100, **more), body={"lifetime_budget": 1}).pointer == pointer


BUC = {
    "1": [
        {"type": "ads_management", "estimated_time_to_regain_access": 3},
        {"estimated_time_to_regain_access": 0},
    ]
}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"X-Business-Use-Case-Usage": json.dumps(BUC)}, 180.0),
        ({"X-Ad-Account-Usage": json.dumps({"acc_id_util_pct": 100, "reset_time_duration": 46})}, 46.0),
        ({"X-Ad-Account-Usage": json.dumps({"acc_id_util_pct": 9.67, "reset_time_duration": 300})}, None),
        ({"X-App-Usage": json.dumps({"call_count": 100})}, None),
        ({"X-Business-Use-Case-Usage": "nonsense", "X-Ad-Account-Usage": "[]"}, None),
        ({}, None),
    ],
)
def test_the_waiting_time_is_metas_own(headers: dict[str, str], seconds: float | None) -> None:
    assert waiting_time(headers) == seconds
    assert read(400, error(17), headers).after == seconds


def test_a_date_to_retry_after_becomes_seconds() -> None:
    wait = waiting_time({"Retry-After": formatdate(usegmt=True, timeval=4_000_000_000)})
    assert wait is not None
    assert wait > 1_000_000


def test_http_429_is_a_throttle_whatever_its_body() -> None:
    assert read(429, b"slow down", {"Retry-After": "5"}) == RetryLater("HTTP 429", 5.0, None, 429)


EXPECTED = {"auth": NeedsAuth, "transient-retry": (RetryLater, InDoubt)}


def test_recorded_answers_are_read_as_their_class_says() -> None:
    if not CASES.exists():
        pytest.skip("the recorded platform errors (../shared/data/selfheal) are not beside this checkout")
    cases = [case for line in CASES.open() if (case := json.loads(line))["platform"] == "meta"]
    assert cases
    for case in cases:
        outcome = read(case["http_status"], case["response"], body=case["payload"])
        assert isinstance(outcome, EXPECTED.get(case["expected_class"], Rejected)), (case["id"], outcome)
        pointer = getattr(outcome, "pointer", "")
        touched = case["expect"]["may_touch"]
        assert (
            not pointer or not touched or any(pointer.startswith(t) or t.startswith(pointer) for t in touched)
        ), case["id"]
