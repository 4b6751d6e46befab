"""Meta's Conversions API: `POST /{version}/{dataset}/events`.

Sources: Meta's pages customer-information-parameters, server-event, using-the-api and data-processing-options.
All or nothing: one bad event refuses the request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tracking.destinations.base import (
    DROP,
    LIMITED,
    SEND,
    Accepted,
    Answer,
    Config,
    Decision,
    Destination,
    NeedsAuth,
    Rejected,
    Request,
    RetryLater,
    Unknown,
    by_status,
    header,
    refused,
)
from tracking.events import PURCHASES, Event, Problem
from trafficking.platforms.http import retry_after_s
from trafficking.platforms.meta.reference import API_VERSION

PARTNER_AGENT = "omnitraffick"
#: Keys that Meta refuses when there are no others (Graph 13 and later).
_TOO_FEW = (
    frozenset({"ct", "country", "st", "zp", "ge", "client_user_agent"}),
    frozenset({"db", "client_user_agent"}),
    frozenset({"fn", "ge"}),
    frozenset({"ln", "ge"}),
)
_WHOLE_NUMBERS = ("lead_id", "fb_login_id")
_ROW = re.compile(r"data\[(\d+)\]")
_AUTH = frozenset({10, 102, 190, *range(200, 300)})
_THROTTLED = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
_TRANSIENT = frozenset({1, 2})


class Meta(Destination):
    key: ClassVar[str] = "meta"
    name: ClassVar[str] = "Meta"
    limit: ClassVar[int] = 1000
    fields = ("dataset_id", "token")
    secret_fields = ("token",)
    live_url: ClassVar[str] = "https://graph.facebook.com"

    def problems(self, event: Event) -> list[Problem]:
        found = []
        keys = set(event.identifiers.get("meta", ()))
        keys |= {"client_user_agent"} if event.user_agent else set()
        keys |= {"client_ip_address"} if event.ip else set()
        if any(keys <= few for few in _TOO_FEW):
            words = (
                "Meta refuses events with so little about the customer: add em, ph, external_id, fbc or fbp."
            )
            found.append(Problem("user", "too_few_keys", words))
        if event.action_source == "website":
            if not event.user_agent:
                found.append(Problem("user_agent", "missing", "Meta needs the browser's user agent."))
            if not event.url:
                found.append(
                    Problem("event_source_url", "missing", "Meta needs event_source_url for a website event.")
                )
        if event.name in PURCHASES:
            if event.value is None:
                found.append(Problem("value", "missing", "Meta needs the value of a Purchase."))
            if not event.currency:
                found.append(Problem("currency", "missing", "Meta needs the currency of a Purchase."))
        return found

    def build(self, events: Sequence[Event], config: Config, *, test_code: str | None = None) -> Request:
        payload: dict[str, Any] = {
            "data": [event_data(event) for event in events],
            "partner_agent": PARTNER_AGENT,
        }
        if test_code:
            payload["test_event_code"] = test_code
        version = config.get("version") or API_VERSION
        return Request(
            "POST",
            f"{self.url(config)}/{version}/{config['dataset_id']}/events",
            {"Authorization": f"Bearer {config['token']}", "Content-Type": "application/json"},
            json.dumps(payload, separators=(",", ":")).encode(),
        )

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        early = by_status(status, headers)
        if early is not None:
            return early
        try:
            answer = json.loads(body)
        except ValueError:
            return Unknown(f"unreadable answer with HTTP {status}")
        error = answer.get("error") if isinstance(answer, dict) else None
        if isinstance(error, dict):
            return _error(error, status, headers)
        if status >= 300 or not isinstance(answer, dict) or "events_received" not in answer:
            return Unknown(f"HTTP {status} without events_received")
        return Accepted(str(answer.get("fbtrace_id", "")), int(answer["events_received"]))

    def decide(self, consent: Mapping[str, Any], policy: str, region: str | None) -> Decision:
        """Without consent nothing; where the law is opt-out (US) the limited use that Meta offers for it."""
        why = refused(consent, policy, "ad_user_data")
        if why:
            return LIMITED if policy == "opt_out" and region == "US" else DROP(f"{why} not granted")
        return LIMITED if consent.get("ldu") or refused(consent, policy, "ad_personalization") else SEND


def event_data(event: Event) -> dict[str, Any]:
    """One entry of `data`."""
    user = dict(event.identifiers.get("meta", ()))
    for name in _WHOLE_NUMBERS:
        if name in user and str(user[name]).isdigit():
            user[name] = int(str(user[name]))  # type: ignore[assignment]
    if event.ip:
        user["client_ip_address"] = event.ip
    if event.user_agent:
        user["client_user_agent"] = event.user_agent
    data: dict[str, Any] = {
        "event_name": event.name,
        "event_time": int(event.time.timestamp()),
        "event_id": event.event_id,
        "action_source": event.action_source,
        "user_data": user,
    }
    if event.url:
        data["event_source_url"] = event.url
    if event.referrer:
        data["referrer_url"] = event.referrer
    custom = _custom(event)
    if custom:
        data["custom_data"] = custom
    if event.limited:
        data["data_processing_options"] = ["LDU"]
        # 0 and 0 let Meta tell the state by the IP; without one it has to be named: the whole United States.
        data["data_processing_options_country"] = 0 if event.ip else 1
        data["data_processing_options_state"] = 0 if event.ip else 1000
    if event.consent and event.consent.get("ad_personalization") == "denied":
        data["opt_out"] = True
    return data


def _custom(event: Event) -> dict[str, Any]:
    custom = dict(event.custom)
    if event.value is not None:
        custom["value"] = float(event.value)
    if event.currency:
        custom["currency"] = event.currency
    if event.order_id:
        custom["order_id"] = event.order_id
    if event.contents:
        custom["contents"] = event.contents
    return custom


def _error(error: Mapping[str, Any], status: int, headers: Mapping[str, str]) -> Answer:
    code = error.get("code") if isinstance(error.get("code"), int) else 0
    subcode = error.get("error_subcode")
    title, words = error.get("error_user_title"), error.get("error_user_msg") or error.get("message") or ""
    reason = f"{title}: {words}" if title else str(words)
    if code in _AUTH:
        return NeedsAuth(reason)
    if code in _THROTTLED:
        return RetryLater(_regain_s(headers), reason)
    if error.get("is_transient") or code in _TRANSIENT or status >= 500:
        return Unknown(reason)
    rows = sorted({int(row) for row in _ROW.findall(f"{error.get('message', '')} {words}")})
    return Rejected(reason, rows or None, f"{code}/{subcode}" if subcode else str(code))


def _regain_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to stay away: `Retry-After`, or the minutes in the business use case usage."""
    plain = retry_after_s(header(headers, "Retry-After"))
    if plain is not None:
        return plain
    try:
        usage = json.loads(header(headers, "X-Business-Use-Case-Usage") or "{}")
        minutes = [
            each.get("estimated_time_to_regain_access", 0) for calls in usage.values() for each in calls
        ]
        return 60.0 * max(minutes, default=0) or None
    except (ValueError, AttributeError, TypeError):
        return None


META = Meta()
