"""TikTok's conversions door played: `POST /open_api/v1.3/event/track/`. One bad event refuses the request, unnamed.

Rules: the field docs of Events API 2.0.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from trafficking.platforms.sandbox_events import AHEAD_S, OLDEST_S, EventLog, hashes, number
from trafficking.platforms.tiktok.sandbox_rules import Refused

DOOR = "/open_api/v1.3/event/track/"
MOST = 1000
_TOP = frozenset({"event_source", "event_source_id", "data", "test_event_code", "partner_name"})
_EVENT = frozenset({"event", "event_time", "event_id", "user", "properties", "page", "limited_data_use"})
_HASHED = frozenset({"email", "phone", "external_id", "first_name", "last_name", "zip_code"})
_PLAIN = frozenset(
    {"ip", "user_agent", "ttclid", "ttp", "locale", "idfa", "gaid", "city", "state", "country"}
)


def take(body: Mapping[str, Any], log: EventLog, now: float) -> dict[str, Any]:
    """The `data` of TikTok's answer; raises `Refused` for the whole request where one event is bad."""
    unknown = set(body) - _TOP
    if unknown:
        raise _wrong(f"{min(unknown)}: Unknown field.")
    source, source_id, events = body.get("event_source"), body.get("event_source_id"), body.get("data")
    if source not in ("web", "app", "offline", "crm"):
        raise _wrong("event_source: Must be one of web, app, offline, crm.")
    if not isinstance(source_id, str) or not source_id:
        raise _wrong("event_source_id: Missing data for required field.")
    if not isinstance(events, list) or not 1 <= len(events) <= MOST:
        raise _wrong(f"data: Length must be between 1 and {MOST}.")
    for event in events:
        _check(event, now)
    keyed = [(f"{event.get('event_id') or uuid.uuid4().hex} {event['event']}", event) for event in events]
    log.keep(source_id, keyed, now)
    return {}


def _check(event: Any, now: float) -> None:
    if not isinstance(event, dict) or set(event) - _EVENT:
        raise _wrong("data: Unknown field of an event.")
    if not isinstance(event.get("event"), str) or not event["event"]:
        raise _wrong("event: Missing data for required field.")
    if not isinstance(event.get("event_id", ""), str):
        raise _wrong("event_id: Not a valid string.")
    time = event.get("event_time")
    if not isinstance(time, int) or isinstance(time, bool) or not now - OLDEST_S <= time <= now + AHEAD_S:
        raise _wrong("event_time: Not a valid Unix timestamp in seconds of the last 7 days.")
    _check_user(event.get("user"))
    _check_properties(event.get("properties", {}))
    if not isinstance(event.get("limited_data_use", False), bool):
        raise _wrong("limited_data_use: Not a valid boolean.")


def _check_user(user: Any) -> None:
    if not isinstance(user, dict) or not user:
        raise _wrong("user: Missing data for required field.")
    unknown = set(user) - _HASHED - _PLAIN
    if unknown:
        raise _wrong(f"user.{min(unknown)}: Unknown field.")
    for name in _HASHED & set(user):
        if not hashes(user[name]):
            raise _wrong(f"user.{name}: Must be hashed with SHA-256.")


def _check_properties(properties: Any) -> None:
    if not isinstance(properties, dict):
        raise _wrong("properties: Not a valid object.")
    if "value" in properties and not number(properties["value"]):
        raise _wrong("properties.value: Not a valid number.")
    if "value" in properties and not re.fullmatch("[A-Z]{3}", str(properties.get("currency", ""))):
        raise _wrong("properties.currency: Missing data for required field.")


def _wrong(message: str) -> Refused:
    return Refused(40002, message)
