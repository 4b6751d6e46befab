"""Meta's conversions door played: `POST /{dataset}/events`, all or nothing, and it names no row.

Rules: Meta's pages server-event, customer-information-parameters, using-the-api. Subcodes 2804003 and 2804050 are
those of quoted answers; where none is known, the answer has only the code 100.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from trafficking.platforms.meta.sandbox_rules import Refusal
from trafficking.platforms.sandbox_base import Request
from trafficking.platforms.sandbox_events import AHEAD_S, OLDEST_S, EventLog, hashes, number

Json = dict[str, Any]

MOST = 1000
_FIELDS = frozenset(
    [
        "event_name",
        "event_time",
        "event_id",
        "event_source_url",
        "referrer_url",
        "action_source",
        "user_data",
        "custom_data",
        "app_data",
        "opt_out",
        "data_processing_options",
        "data_processing_options_country",
        "data_processing_options_state",
        "messaging_channel",
        "original_event_data",
        "attribution_data",
        "advanced_measurement_table",
    ]
)
_HASHED = frozenset(
    [
        "em",
        "ph",
        "fn",
        "ln",
        "db",
        "ge",
        "ct",
        "st",
        "zp",
        "country",
        "f5first",
        "f5last",
        "fi",
        "dobd",
        "dobm",
        "doby",
    ]
)
_PLAIN = frozenset(
    [
        "external_id",
        "client_ip_address",
        "client_user_agent",
        "fbc",
        "fbp",
        "subscription_id",
        "fb_login_id",
        "lead_id",
        "anon_id",
        "madid",
        "page_id",
        "page_scoped_user_id",
        "ctwa_clid",
        "ig_account_id",
        "ig_sid",
    ]
)
_SOURCES = frozenset(
    [
        "website",
        "app",
        "email",
        "phone_call",
        "chat",
        "physical_store",
        "system_generated",
        "business_messaging",
        "other",
    ]
)
_TOO_FEW = (
    {"ct", "country", "st", "zp", "ge", "client_user_agent"},
    {"db", "client_user_agent"},
    {"fn", "ge"},
    {"ln", "ge"},
)
_COOKIE = {
    "fbc": re.compile(r"fb\.\d+\.\d+\.[^.]+(\.[^.]+)?"),
    "fbp": re.compile(r"fb\.\d+\.\d+\.\d+(\.[^.]+)?"),
}


def event_parameters(request: Request) -> Json:
    """The door takes JSON and forms; in a form `data` is JSON, and its entries may be (Meta's SDKs send them so)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    try:
        if kind == "application/json":
            body = json.loads(request.body)
        else:
            body = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
            data = json.loads(body.get("data", "null"))
            body["data"] = [json.loads(each) if isinstance(each, str) else each for each in data or []]
    except ValueError:
        raise Refusal("(#100) Param data must be an array of events") from None
    if not isinstance(body, dict):
        raise Refusal("(#100) Param data must be an array of events")
    return {**request.query, **body}


def take_events(dataset: str, params: Mapping[str, Any], log: EventLog, now: float) -> Json:
    """Meta's answer; raises `Refusal` for the whole request where one event is bad."""
    events = params.get("data")
    if not isinstance(events, list) or not events:
        raise Refusal("(#100) The parameter data is required.")
    if len(events) > MOST:
        raise Refusal(f"(#100) Param data must contain at most {MOST} events", title="Too many events")
    for event in events:
        _check(event, now)
    keyed = [
        (f"{event.get('event_id') or os.urandom(8).hex()} {event['event_name']}", event) for event in events
    ]
    log.keep(dataset, keyed, now)
    trace = "A" + base64.urlsafe_b64encode(os.urandom(15)).decode()
    return {"events_received": len(events), "messages": [], "fbtrace_id": trace}


def _check(event: Any, now: float) -> None:
    if not isinstance(event, dict):
        raise _invalid("Invalid event", "Each entry of data is an object.")
    unknown = set(event) - _FIELDS
    if unknown:
        raise _invalid("Invalid event", f"Unknown parameter {min(unknown)}.")
    if not isinstance(event.get("event_name"), str) or not event["event_name"]:
        raise _invalid("Missing event name", "event_name is required.")
    _check_time(event.get("event_time"), now)
    if event.get("action_source") not in _SOURCES:
        raise _invalid("Invalid action source", "action_source is required and must be one of its values.")
    user = event.get("user_data")
    if not isinstance(user, dict):
        raise _few()
    _check_user(user)
    whole = event.get("event_source_url") and user.get("client_user_agent")
    if event["action_source"] == "website" and not whole:
        words = "Website events need event_source_url and client_user_agent."
        raise _invalid("Missing website parameters", words)
    _check_money(event)
    _check_privacy(event, user)


def _check_time(time: Any, now: float) -> None:
    if not number(time) or time != int(time):
        raise _invalid("Invalid event time", "event_time is required, in Unix seconds.")
    if time < now - OLDEST_S:
        raise _invalid(
            "Event Timestamp Too Old", "The timestamp for this event is too far in the past.", 2804003
        )
    if time > now + AHEAD_S:
        raise _invalid("Invalid event time", "The timestamp for this event lies in the future.")


def _check_user(user: Mapping[str, Any]) -> None:
    unknown = set(user) - _HASHED - _PLAIN
    if unknown:
        raise _invalid("Invalid customer information", f"Unknown user_data parameter {min(unknown)}.")
    if any(set(user) <= few for few in _TOO_FEW):
        raise _few()
    for name, value in user.items():
        if name in _HASHED and not hashes(value):
            raise _invalid("Invalid customer information", f"user_data.{name} is not hashed with SHA-256.")
        if name in _COOKIE and not (isinstance(value, str) and _COOKIE[name].fullmatch(value)):
            raise _invalid("Invalid customer information", f"user_data.{name} is malformed.")
    if "client_ip_address" in user:
        try:
            ipaddress.ip_address(user["client_ip_address"])
        except ValueError:
            raise _invalid("Invalid customer information", "client_ip_address is malformed.") from None


def _check_money(event: Mapping[str, Any]) -> None:
    custom = event.get("custom_data") or {}
    value, currency = custom.get("value"), custom.get("currency")
    if event["event_name"] == "Purchase" and (value is None or not currency):
        raise _invalid("Missing value or currency", "Purchase events need value and currency.")
    if value is not None and not number(value):
        raise _invalid("Invalid value", "custom_data.value must be a number.")
    if currency is not None and not re.fullmatch("[A-Za-z]{3}", str(currency)):
        raise _invalid("Invalid currency", "custom_data.currency must be an ISO 4217 code.")


def _check_privacy(event: Mapping[str, Any], user: Mapping[str, Any]) -> None:
    options = event.get("data_processing_options")
    if options in (None, []):
        return
    country, state = (event.get(f"data_processing_options_{name}") for name in ("country", "state"))
    named_state = (country, state) == (1, 1000) or (country == 1 and isinstance(state, int) and state > 0)
    by_ip = (country, state) == (0, 0) and "client_ip_address" in user
    if options != ["LDU"] or not (named_state or by_ip):
        words = "LDU needs a country, and a state where there is no IP address."
        raise _invalid("Invalid data processing options", words)


def _few() -> Refusal:
    words = "This event has not enough customer information parameters to be matched."
    return _invalid("Insufficient customer information", words, 2804050)


def _invalid(title: str, advice: str, subcode: int = 0) -> Refusal:
    return Refusal("Invalid parameter", title=title, advice=advice, subcode=subcode)
