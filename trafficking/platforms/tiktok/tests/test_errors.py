"""TikTok's answers, sorted: retry, look, mend the account, or tell a person."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

from trafficking.platforms.base import InDoubt, NeedsAuth, Rejected, RetryLater
from trafficking.platforms.tiktok.errors import failure, pointer_of

CASES = Path(__file__).parents[5] / "shared/data/selfheal/cases.dev.jsonl"
KINDS = {"auth": (NeedsAuth, Rejected), "transient-retry": (RetryLater, InDoubt)}


def answer(body, status=200, **headers):
    made = requests.Response()
    made.status_code = status
    made._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    made.headers.update(headers)
    return made


def said(code, message="", status=200, **headers):
    return failure(
        answer(
            {"code": code, "message": message, "request_id": "1", "data": {}},
            status,
            **headers,
        )
    )


def cases():
    if not CASES.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no case file at {CASES}"))]
    rows = [json.loads(line) for line in CASES.read_text().splitlines() if line]
    return [pytest.param(row, id=row["id"]) for row in rows if row["platform"] == "tiktok"]


@pytest.mark.parametrize("case", cases())
def test_real_error_bodies(case):
    found = failure(answer(case["response"], case["http_status"]), case["payload"])
    assert isinstance(found, KINDS.get(case["expected_class"], Rejected))
    if isinstance(found, Rejected) and len(case["expect"]["may_touch"]) == 1:
        assert [found.pointer] == case["expect"]["may_touch"]


@pytest.mark.parametrize("code", [0, 20001])
def test_ok_and_partial_are_no_failure(code):
    assert said(code) is None


@pytest.mark.parametrize("code", [40100, 40132, 61000])
def test_throttled_inside_http_200(code):
    found = said(code, "Requests made too frequently")
    assert isinstance(found, RetryLater)
    assert found.after is None


def test_retry_after_is_read_where_it_is_given():
    assert said(40100, **{"Retry-After": "7"}).after == 7
    later = said(40100, **{"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"})
    assert later.after > 1e9
    assert failure(answer(b"", 429, **{"Retry-After": "3"})).after == 3


@pytest.mark.parametrize("code", [40001, 40102, 40104, 40105, 40130])
def test_token_and_permission_need_a_person(code):
    assert isinstance(said(code), NeedsAuth)


@pytest.mark.parametrize("code", [50000, 50002, 51010, 52001, 40202, 60001, 40050])
def test_transient_codes_leave_a_doubt(code):
    assert isinstance(said(code), InDoubt)


@pytest.mark.parametrize("code", [40000, 40002, 40062, 40300, 40400, 40502])
def test_the_rest_is_refused_with_its_own_words(code):
    found = said(code, "No.")
    assert isinstance(found, Rejected)
    assert (found.code, found.message) == (str(code), "No.")


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"<html>Bad Gateway</html>", 502, InDoubt),
        (b"<html>hello</html>", 200, InDoubt),
        (b"", 200, InDoubt),
        (b'{"code": 0, "message": "OK", "da', 200, InDoubt),
        (b"[]", 200, InDoubt),
        (b'{"code": "0"}', 200, InDoubt),
        (b'{"code": true}', 200, InDoubt),
        (b'{"code": 0}', 503, InDoubt),
        (b"gone", 408, InDoubt),
        (b"no", 401, NeedsAuth),
        (b"no", 404, Rejected),
    ],
)
def test_answers_that_are_not_the_apis(body, status, kind):
    assert isinstance(failure(answer(body, status)), kind)


@pytest.mark.parametrize(
    ("message", "pointer"),
    [
        (
            "creatives.0.ad_text: Length must be between 1 and 100.",
            "/creatives/0/ad_text",
        ),
        ("creatives[0].ad_text is too long", "/creatives/0/ad_text"),
        ("budget_mode: Must be one of ...", "/budget_mode"),
        ("promotion_type: Missing data for required field.", "/promotion_type"),
        ("Your budget setting must not be less than $50.", "/budget"),
        ("Please select a pixel.", "/pixel_id"),
        ("Invalid identity.", "/creatives/0/identity_id"),
        ("audience size must increase to over 1000", ""),
        ("", ""),
    ],
)
def test_pointer_of_the_field_that_a_message_names(message, pointer):
    body = {
        "budget_mode": "X",
        "budget": 1,
        "creatives": [{"ad_text": "x", "identity_id": "1"}],
    }
    assert pointer_of(message, body) == pointer
    assert pointer_of(message, None) == ""
