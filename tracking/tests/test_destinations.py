"""What each destination builds, reads and decides, without a network."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tracking.destinations.base import LIMITED, SEND, Accepted, NeedsAuth, Rejected, RetryLater, Unknown
from tracking.destinations.registry import DESTINATIONS, destination
from tracking.events import Event
from tracking.normalise import identifiers

TIME = datetime(2026, 11, 24, 12, tzinfo=UTC)
PERSON = {
    "em": "a@example.com", "ph": "+16505551212", "fn": "Ann", "ln": "Lee", "zp": "94035", "country": "US",
    "gclid": "Cj0", "fbc": "fb.1.1554763741205.AbC", "ttclid": "E.C.P", "lead_id": "42",
}  # fmt: skip
EVENT = Event(
    event_id="order-1", name="Purchase", time=TIME, url="https://shop.example/thanks", currency="EUR",
    value=Decimal("9.90"), order_id="order-1", contents=[{"id": "sku", "quantity": 2, "item_price": 4.95}],
    identifiers=identifiers(PERSON), ip="8.8.8.8", user_agent="Mozilla/5.0",
)  # fmt: skip
CONFIGS: dict[str, dict[str, Any]] = {
    "meta": {"dataset_id": "123", "token": "s3cret"},
    "tiktok": {"pixel_code": "C4", "token": "s3cret"},
    "google": {"account_id": "123-456-7890", "conversion_action_id": "77", "access_token": "s3cret"},
}


def body(key: str, event: Event = EVENT, **options: Any) -> dict[str, Any]:
    request = destination(key).build([event], CONFIGS[key], **options)
    assert "s3cret" not in repr(request) + request.url + request.body.decode()
    return json.loads(request.body)


def test_meta() -> None:
    sent = body("meta", test_code="TEST1")
    assert sent["test_event_code"] == "TEST1"
    (data,) = sent["data"]
    assert data["event_time"] == 1795521600
    assert data["custom_data"]["value"] == 9.9
    assert data["user_data"]["lead_id"] == 42
    assert data["user_data"]["client_ip_address"] == "8.8.8.8"
    assert "data_processing_options" not in data


def test_tiktok() -> None:
    (data,) = body("tiktok")["data"]
    assert data["user"].keys() >= {"email", "phone", "ttclid", "ip", "user_agent"}
    assert data["properties"]["contents"] == [{"content_id": "sku", "quantity": 2, "price": 4.95}]
    assert data["page"] == {"url": "https://shop.example/thanks"}


def test_google() -> None:
    sent = body("google")
    assert sent["destinations"][0]["operatingAccount"]["accountId"] == "1234567890"
    (data,) = sent["events"]
    assert data["eventTimestamp"] == "2026-11-24T12:00:00Z"
    assert data["adIdentifiers"] == {"gclid": "Cj0"}
    address, *others = data["userData"]["userIdentifiers"]
    assert set(address["address"]) == {"givenName", "familyName", "regionCode", "postalCode"}
    assert [list(each) for each in others] == [["emailAddress"], ["phoneNumber"]]
    no_postcode = dataclasses.replace(EVENT, identifiers=identifiers({**PERSON, "zp": ""}))
    assert "address" not in json.dumps(body("google", no_postcode)["events"])


def test_limited_use_in_each_platforms_words() -> None:
    limited = dataclasses.replace(EVENT, limited=True)
    meta = body("meta", limited)["data"][0]
    assert meta["data_processing_options"] == ["LDU"]
    assert (meta["data_processing_options_country"], meta["data_processing_options_state"]) == (0, 0)
    without_ip = body("meta", dataclasses.replace(limited, ip=""))["data"][0]
    assert (without_ip["data_processing_options_country"], without_ip["data_processing_options_state"]) == (
        1,
        1000,
    )
    assert body("tiktok", limited)["data"][0]["limited_data_use"] is True
    google = body("google", limited)["events"][0]
    assert google["consent"] == {"adUserData": "CONSENT_DENIED"}
    assert google["adIdentifiers"] == {"gclid": "Cj0"}
    assert not google.keys() & {"userData", "eventDeviceInfo"}


@pytest.mark.parametrize(
    ("key", "change", "code"),
    [
        ("meta", {"identifiers": identifiers({"ct": "Rome", "zp": "00100"}), "ip": ""}, "too_few_keys"),
        ("meta", {"user_agent": ""}, "missing"),
        ("meta", {"url": ""}, "missing"),
        ("meta", {"value": None}, "missing"),
        ("tiktok", {"action_source": "phone_call"}, "not_website"),
        ("tiktok", {"identifiers": {}, "ip": "", "user_agent": ""}, "too_few_keys"),
        ("google", {"identifiers": identifiers({"fn": "Ann"})}, "too_few_keys"),
        ("google", {"currency": ""}, "missing"),
    ],
)
def test_what_a_platform_would_refuse_is_found_before(key: str, change: dict[str, Any], code: str) -> None:
    assert destination(key).problems(EVENT) == []
    assert [each.code for each in destination(key).problems(dataclasses.replace(EVENT, **change))] == [code]


GRANTED = {"ad_storage": "granted", "ad_user_data": "granted", "ad_personalization": "granted"}


@pytest.mark.parametrize(
    ("consent", "policy", "region", "meta", "tiktok", "google"),
    [
        (GRANTED, "opt_in", "DE", "send", "send", "send"),
        ({}, "opt_in", "DE", "drop", "drop", "drop"),
        ({}, "opt_out", "US", "send", "send", "send"),
        ({}, "none", "US", "send", "send", "send"),
        (GRANTED | {"ldu": True}, "opt_out", "US", "limited", "limited", "send"),
        ({"ad_user_data": "denied"}, "opt_out", "US", "limited", "limited", "limited"),
        ({"ad_user_data": "denied"}, "opt_out", "BR", "drop", "drop", "limited"),
        (GRANTED | {"ad_user_data": "denied"}, "opt_in", "DE", "drop", "drop", "limited"),
        (GRANTED | {"ad_personalization": "denied"}, "opt_in", "DE", "limited", "limited", "send"),
    ],
)
def test_consent(
    consent: dict[str, Any], policy: str, region: str, meta: str, tiktok: str, google: str
) -> None:
    kinds = [each.decide(consent, policy, region).kind for each in DESTINATIONS.values()]
    assert kinds == [meta, tiktok, google]
    assert (SEND.kind, LIMITED.kind) == ("send", "limited")


def answer(key: str, status: int, value: Any, headers: dict[str, str] | None = None) -> Any:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return destination(key).read(status, headers or {}, raw)


@pytest.mark.parametrize(
    ("key", "status", "value", "kind"),
    [
        ("meta", 200, {"events_received": 2, "fbtrace_id": "A"}, Accepted),
        ("meta", 200, {}, Unknown),
        ("meta", 200, b"<html>", Unknown),
        ("meta", 400, {"error": {"code": 100, "message": "Invalid parameter"}}, Rejected),
        ("meta", 400, {"error": {"code": 80004, "message": "too many"}}, RetryLater),
        ("meta", 400, {"error": {"code": 190, "message": "expired"}}, NeedsAuth),
        ("meta", 500, {"error": {"code": 2, "message": "retry", "is_transient": True}}, Unknown),
        ("meta", 503, b"", RetryLater),
        ("tiktok", 200, {"code": 0, "request_id": "7"}, Accepted),
        ("tiktok", 200, {"code": 40002, "message": "event_time is wrong"}, Rejected),
        ("tiktok", 200, {"code": 40100, "message": "too many"}, RetryLater),
        ("tiktok", 200, {"code": 40105, "message": "token"}, NeedsAuth),
        ("tiktok", 200, {"code": 50000, "message": "system"}, Unknown),
        ("tiktok", 502, b"<html>", Unknown),
        ("google", 200, {"requestId": "r"}, Accepted),
        ("google", 400, {"error": {"status": "INVALID_ARGUMENT", "message": "m"}}, Rejected),
        ("google", 401, {"error": {"status": "UNAUTHENTICATED", "message": "m"}}, NeedsAuth),
        ("google", 429, {"error": {"status": "RESOURCE_EXHAUSTED", "message": "m"}}, RetryLater),
        ("google", 500, {"error": {"status": "INTERNAL", "message": "m"}}, Unknown),
        ("google", 429, b"", RetryLater),
    ],
)
def test_answers(key: str, status: int, value: Any, kind: type) -> None:
    assert type(answer(key, status, value)) is kind


def test_rows_and_waiting_times_are_read_where_they_are_told() -> None:
    words = "(#100) Param data[3]['event_time'] is wrong"
    assert answer("meta", 400, {"error": {"code": 100, "message": words}}).rows == [3]
    assert answer("tiktok", 200, {"code": 40002, "message": "data.1.event_time: wrong"}).rows == [1]
    violation = {"field": "events.events[2].user_data", "description": "d"}
    error = {"status": "INVALID_ARGUMENT", "message": "m", "details": [{"fieldViolations": [violation]}]}
    assert answer("google", 400, {"error": error}).rows == [2]
    assert answer("tiktok", 429, b"", {"retry-after": "7"}).seconds == 7.0
    usage = json.dumps({"1": [{"estimated_time_to_regain_access": 3}]})
    throttled = {"error": {"code": 80004, "message": "too many"}}
    assert answer("meta", 400, throttled, {"x-business-use-case-usage": usage}).seconds == 180.0
