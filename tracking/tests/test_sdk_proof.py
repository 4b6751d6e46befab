"""Meta's official SDK is pointed at the sandbox: what it sends and what we send of the same conversions.

Where they differ is written out here and explained in docs/conversions.md.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
import requests

pytest.importorskip("facebook_business", reason="Meta's SDK is a development dependency")

from facebook_business import apiconfig
from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event as SdkEvent
from facebook_business.adobjects.serverside.event_request import EventRequest
from facebook_business.adobjects.serverside.user_data import UserData
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

from tracking.destinations.base import Accepted
from tracking.destinations.meta import META
from tracking.events import Event
from tracking.normalise import identifiers
from trafficking.platforms.meta.sandbox import MetaSandbox
from trafficking.platforms.sandbox_base import InProcess, serve

DATASET = "1234567890"
TIME = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
#: our raw key -> the SDK's attribute
KEYS = {
    "em": "emails", "ph": "phones", "fn": "first_names", "ln": "last_names", "ct": "cities", "st": "states",
    "zp": "zip_codes", "country": "country_codes", "external_id": "external_ids",
}  # fmt: skip
TIDY = {
    "em": "  John_Smith@Gmail.com ", "ph": "+1 (650) 555-1212", "fn": "Valéry", "ln": "Doe", "ct": "San Francisco",
    "st": "CA", "zp": "94035-1234", "country": "US",
}  # fmt: skip


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[MetaSandbox]:
    played = MetaSandbox()
    server = serve(played, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(FacebookSession, "GRAPH", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setitem(apiconfig.ads_api_config, "API_VERSION", "v26.0")
    FacebookAdsApi.init(access_token="token", crash_log=False)
    yield played
    server.shutdown()
    server.server_close()


def sdk_event(person: dict[str, str], event_id: str) -> SdkEvent:
    lists = {attribute: [person[key]] for key, attribute in KEYS.items() if key in person}
    user = UserData(
        **lists, client_ip_address="8.8.8.8", client_user_agent="Mozilla/5.0",
        fbc="fb.1.1554763741205.AbCdEf", fbp="fb.1.1558571054389.1098115397",
    )  # fmt: skip
    custom = CustomData(
        value=9.9,
        currency="EUR",
        order_id="o-1",
        contents=[Content(product_id="sku", quantity=2, item_price=4.95)],
    )
    return SdkEvent(
        event_name="Purchase", event_time=int(TIME.timestamp()), event_id=event_id, user_data=user,
        custom_data=custom, event_source_url="https://shop.example/thanks", action_source=ActionSource.WEBSITE,
        referrer_url="https://shop.example/cart",
    )  # fmt: skip


def our_event(person: dict[str, str], event_id: str) -> Event:
    raw = {**person, "fbc": "fb.1.1554763741205.AbCdEf", "fbp": "fb.1.1558571054389.1098115397"}
    return Event(
        event_id=event_id, name="Purchase", time=TIME, url="https://shop.example/thanks",
        referrer="https://shop.example/cart", currency="EUR", value=Decimal("9.90"), order_id="o-1",
        contents=[{"id": "sku", "quantity": 2, "item_price": 4.95}], ip="8.8.8.8", user_agent="Mozilla/5.0",
        identifiers=identifiers(raw, platforms=["meta"]),
    )  # fmt: skip


def both(person: dict[str, str], sandbox: MetaSandbox) -> tuple[dict[str, Any], dict[str, Any]]:
    """The event as the SDK and as we delivered it, as the sandbox keeps them."""
    EventRequest(pixel_id=DATASET, events=[sdk_event(person, "sdk")], access_token="token").execute()
    http = requests.Session()
    http.mount("http://sandbox.invalid", InProcess(sandbox))
    config = {"dataset_id": DATASET, "token": "token", "base_url": "http://sandbox.invalid"}
    assert isinstance(META.send(META.build([our_event(person, "ours")], config), http), Accepted)
    kept = {row["key"].split()[0]: row["event"] for row in sandbox.conversions.rows(DATASET)}
    return kept["sdk"], kept["ours"]


def one(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def test_both_are_taken_and_agree_field_by_field(sandbox: MetaSandbox) -> None:
    sdk, ours = both(TIDY, sandbox)
    assert {key: one(value) for key, value in sdk.pop("user_data").items()} == ours.pop("user_data")
    sdk_money, our_money = sdk.pop("custom_data"), ours.pop("custom_data")
    assert sdk_money.pop("currency").upper() == our_money.pop("currency")  # the documentation shows both
    assert sdk_money == our_money
    assert (sdk.pop("event_id"), ours.pop("event_id")) == ("sdk", "ours")
    assert sdk == ours


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("key", "raw", "sdk_sends", "we_send"),
    [
        ("ln", "O'Brien", hashed("o'brien"), hashed("obrien")),  # "no punctuation"
        ("fn", "Mary Jane", hashed("mary jane"), hashed("maryjane")),  # the parameter builder
        ("st", "California", hashed("california"), hashed("ca")),  # "2-character ANSI abbreviation"
        ("ct", "Coeur d'Alene", hashed("coeurd'alene"), hashed("coeurdalene")),
        ("external_id", "User 7", "User 7", hashed("user7")),  # "hashing recommended"
        ("external_id", "d41d8cd98f00b204e9800998ecf8427e",
         "d41d8cd98f00b204e9800998ecf8427e", hashed("d41d8cd98f00b204e9800998ecf8427e")),
    ],
)  # fmt: skip
def test_where_they_differ(key: str, raw: str, sdk_sends: str, we_send: str, sandbox: MetaSandbox) -> None:
    sdk, ours = both(TIDY | {key: raw}, sandbox)
    assert (one(sdk["user_data"][key]), ours["user_data"][key]) == (sdk_sends, we_send)


@pytest.mark.parametrize(
    ("key", "raw", "we_send"),
    [
        ("ph", "+1.650.555.1212", hashed("16505551212")),
        ("country", "United States", hashed("us")),  # printed in Meta's own documentation
    ],
)
def test_what_makes_the_sdk_raise_is_sent_by_us(key: str, raw: str, we_send: str) -> None:
    event = sdk_event(TIDY | {key: raw}, "sdk")
    with pytest.raises((ValueError, TypeError)):
        EventRequest(pixel_id=DATASET, events=[event]).get_params()
    ours = json.loads(
        META.build([our_event(TIDY | {key: raw}, "ours")], {"dataset_id": DATASET, "token": "t"}).body
    )
    assert ours["data"][0]["user_data"][key] == we_send


def test_blank_values_are_hashed_by_the_sdk_and_dropped_by_us(sandbox: MetaSandbox) -> None:
    sdk, ours = both(TIDY | {"fn": "  "}, sandbox)
    assert one(sdk["user_data"]["fn"]) == hashed("")
    assert "fn" not in ours["user_data"]
