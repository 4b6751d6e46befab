"""What is refused of a reported event, by field and code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tracking.events import check, moment

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "event_id": "order-1", "event_name": "Purchase", "event_time": int(NOW.timestamp()) - 60, "value": "9.90",
    "currency": "eur", "event_source_url": "https://shop.example/thanks",
    "user": {"em": "a@example.com", "fbc": "fb.1.1554763741205.AbC"},
}  # fmt: skip
SECOND = NOW.timestamp()


def test_a_good_event_has_no_problems() -> None:
    assert check(GOOD, now=NOW) == []


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"event_id": None}, "event_id", "missing"),
        ({"event_id": 17}, "event_id", "not_a_text"),
        ({"event_id": "x" * 201}, "event_id", "too_long"),
        ({"event_name": "a\nb"}, "event_name", "not_printable"),
        ({"event_time": None}, "event_time", "missing"),
        ({"event_time": "soon"}, "event_time", "not_a_time"),
        ({"event_time": "2026-11-24T12:00:00"}, "event_time", "not_a_time"),  # no offset
        ({"event_time": float("nan")}, "event_time", "not_a_time"),
        ({"event_time": SECOND * 1000}, "event_time", "not_a_time"),  # milliseconds: the year 58000
        ({"event_time": SECOND + 120}, "event_time", "future"),
        ({"event_time": SECOND - 8 * 86400}, "event_time", "stale"),
        ({"action_source": "web"}, "action_source", "unknown"),
        ({"action_source": ["website"]}, "action_source", "unknown"),
        ({"value": "$9"}, "value", "not_an_amount"),
        ({"value": "NaN"}, "value", "not_an_amount"),
        ({"value": -1}, "value", "not_an_amount"),
        ({"value": None}, "value", "missing"),
        ({"currency": "EURO"}, "currency", "unknown_currency"),
        ({"currency": "XXZ"}, "currency", "unknown_currency"),
        ({"event_source_url": "javascript:alert(1)"}, "event_source_url", "not_a_url"),
        ({"contents": [1]}, "contents", "not_a_list"),
        ({"user": []}, "user", "not_an_object"),
        ({"user": {"fbc": "IwAR2"}}, "user.fbc", "malformed_fbc"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], field: str, code: str) -> None:
    problems = check(GOOD | change, now=NOW)
    assert [(each.field, each.code) for each in problems] == [(field, code)]


def test_the_edges_of_the_window() -> None:
    for time in (NOW + timedelta(seconds=60), NOW - timedelta(days=7)):
        assert check(GOOD | {"event_time": time.isoformat()}, now=NOW) == []


def test_a_message_never_holds_the_value() -> None:
    secret = "planted@example.com"
    raw = dict.fromkeys(GOOD, secret) | {"user": {"fbc": secret}}
    assert secret not in repr(check(raw, now=NOW))


def test_moments_are_utc() -> None:
    assert moment("2026-11-24T13:00:00+01:00") == NOW == moment(SECOND) == moment(str(int(SECOND)))
