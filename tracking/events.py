"""One conversion, and what is wrong with one that was reported.

A raw event is what a browser or a server posts:
`{"event_id", "event_name", "event_time", "action_source", "event_source_url", "referrer", "currency", "value",
"order_id", "contents", "custom", "user": {raw keys of tracking.normalise}, "consent": {…}}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import pycountry

from tracking.normalise import normalise

#: Older events are refused: one of them makes Meta refuse the whole request.
OLDEST = timedelta(days=7)
#: How far a sender's clock may be ahead.
AHEAD = timedelta(minutes=1)
#: Meta's `action_source` (server-event parameters).
ACTION_SOURCES = (
    "website", "app", "email", "phone_call", "chat", "physical_store", "system_generated", "business_messaging",
    "other",
)  # fmt: skip
#: The longest texts that are taken.
LONGEST = {"event_id": 200, "event_name": 100, "order_id": 200, "event_source_url": 2000, "referrer": 2000}
#: Names that need money.
PURCHASES = frozenset({"Purchase"})
_ISO = re.compile(r"\d{4}-\d\d-\d\dT", re.ASCII)
_MOST_CONTENTS = 500


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an event is refused: the field as it was posted, a code that does not change, words for people.

    The message never holds the value: it may be personal.
    """

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Event:
    """One conversion as a destination sends it. `time` is aware; `identifiers` are per platform and hashed.

    `contents` are mappings of id, quantity, item_price (a number), name, category, brand. `consent` is the snapshot:
    ad_storage, ad_user_data, ad_personalization as "granted" or "denied", and ldu (bool). `limited` is set by the
    delivery where `decide` says LIMITED.
    """

    event_id: str
    name: str
    time: datetime
    action_source: str = "website"
    url: str = ""
    referrer: str = ""
    currency: str = ""
    value: Decimal | None = None
    order_id: str = ""
    contents: list[dict[str, Any]] = field(default_factory=list)
    custom: dict[str, Any] = field(default_factory=dict)
    identifiers: Mapping[str, Mapping[str, str | list[str]]] = field(default_factory=dict)
    ip: str = ""
    user_agent: str = ""
    consent: Mapping[str, Any] = field(default_factory=dict)
    limited: bool = False


def check(raw: Mapping[str, Any], *, now: datetime) -> list[Problem]:
    """Everything that is wrong with a raw event; empty where it can be taken. `now` is aware."""
    if not isinstance(raw, Mapping):
        return [Problem("", "not_an_object", "An event is a JSON object.")]
    return [
        *_texts(raw),
        *_time(raw, now),
        *_source(raw),
        *_money(raw),
        *_lists(raw),
        *_user(raw),
    ]


def moment(raw: object) -> datetime | None:
    """`event_time` as an aware moment in UTC, from Unix seconds or ISO 8601 with an offset; None where it is neither.

    Milliseconds are not guessed: they would be a time in the far future.
    """
    if isinstance(raw, str):
        text = raw.strip()
        if _ISO.match(text):
            try:
                read = datetime.fromisoformat(text)
            except ValueError:
                return None
            return read.astimezone(UTC) if read.tzinfo else None
        raw = int(text) if text.isascii() and text.isdigit() else None
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    try:
        return datetime.fromtimestamp(raw, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def amount(raw: object) -> Decimal | None:
    """`value` as a number of at least 0, in units of the currency; None where it is none."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(raw).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number < Decimal("1e12") else None


def currency_code(raw: object) -> str | None:
    """An ISO 4217 code in upper case; None where there is no such currency."""
    code = raw.strip().upper() if isinstance(raw, str) else ""
    return code if code in _currencies() else None


@cache
def _currencies() -> frozenset[str]:
    return frozenset(each.alpha_3 for each in pycountry.currencies)


def _texts(raw: Mapping[str, Any]) -> list[Problem]:
    found = []
    for name in ("event_id", "event_name"):
        if not raw.get(name):
            found.append(Problem(name, "missing", f"{name} is missing."))
    for name, longest in LONGEST.items():
        value = raw.get(name)
        if value in (None, ""):
            continue
        if not isinstance(value, str):
            found.append(Problem(name, "not_a_text", f"{name} must be a text."))
        elif len(value) > longest:
            found.append(Problem(name, "too_long", f"{name} is longer than {longest} characters."))
        elif not value.isprintable():
            found.append(Problem(name, "not_printable", f"{name} holds characters that cannot be printed."))
    url = raw.get("event_source_url")
    if isinstance(url, str) and url and not url.startswith(("https://", "http://")):
        found.append(Problem("event_source_url", "not_a_url", "event_source_url must start with https://."))
    return found


def _time(raw: Mapping[str, Any], now: datetime) -> list[Problem]:
    given = raw.get("event_time")
    if given in (None, ""):
        return [Problem("event_time", "missing", "event_time is missing.")]
    time = moment(given)
    if time is None:
        words = "event_time must be Unix seconds, or ISO 8601 with an offset."
        return [Problem("event_time", "not_a_time", words)]
    if time > now + AHEAD:
        return [
            Problem(
                "event_time", "future", "event_time lies in the future. It is in seconds, not milliseconds."
            )
        ]
    if time < now - OLDEST:
        return [Problem("event_time", "stale", "event_time is more than 7 days ago.")]
    return []


def _source(raw: Mapping[str, Any]) -> list[Problem]:
    source = raw.get("action_source", "website")
    if source in ACTION_SOURCES:
        return []
    words = f"action_source must be one of {', '.join(ACTION_SOURCES)}."
    return [Problem("action_source", "unknown", words)]


def _money(raw: Mapping[str, Any]) -> list[Problem]:
    found = []
    value, currency = raw.get("value"), raw.get("currency")
    if value is not None and amount(value) is None:
        found.append(
            Problem("value", "not_an_amount", "value must be a number of at least 0, without symbols.")
        )
    if currency not in (None, "") and currency_code(currency) is None:
        found.append(Problem("currency", "unknown_currency", "currency must be an ISO 4217 code, as EUR."))
    if value is None and raw.get("event_name") in PURCHASES:
        found.append(Problem("value", "missing", "A Purchase needs a value."))
    return found


def _lists(raw: Mapping[str, Any]) -> list[Problem]:
    found = []
    contents = raw.get("contents") or []
    if not (isinstance(contents, list) and all(isinstance(each, Mapping) for each in contents)):
        found.append(Problem("contents", "not_a_list", "contents must be a list of objects."))
    elif len(contents) > _MOST_CONTENTS:
        found.append(Problem("contents", "too_many", f"contents holds more than {_MOST_CONTENTS} items."))
    for name in ("custom", "user", "consent"):
        if raw.get(name) is not None and not isinstance(raw[name], Mapping):
            found.append(Problem(name, "not_an_object", f"{name} must be an object."))
    return found


def _user(raw: Mapping[str, Any]) -> list[Problem]:
    user = raw.get("user")
    if not isinstance(user, Mapping):
        return []
    return [
        Problem(
            f"user.{name}", f"malformed_{name}", f"{name} must look as {pattern}, exactly as in the cookie."
        )
        for name, pattern in (("fbc", "fb.1.1554763741205.AbCd"), ("fbp", "fb.1.1558571054389.1098115397"))
        if user.get(name) and normalise("meta", name, user[name]) is None
    ]
