"""TikTok's Events API 2.0: `POST /open_api/v1.3/event/track/`. Every answer is HTTP 200 with a code."""

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
from trafficking.platforms.tiktok.errors import AUTH, THROTTLED, TRANSIENT

#: TikTok's spelling of event names that differ from Meta's.
NAMES = {"PageView": "Pageview"}
_CONTENT = {
    "id": "content_id", "item_price": "price", "quantity": "quantity", "name": "content_name",
    "category": "content_category", "brand": "brand",
}  # fmt: skip
_ROW = re.compile(r"\bdata(?:\.|\[)(\d+)")


class TikTok(Destination):
    key: ClassVar[str] = "tiktok"
    name: ClassVar[str] = "TikTok"
    limit: ClassVar[int] = 1000
    fields = ("pixel_code", "token")
    secret_fields = ("token",)
    live_url: ClassVar[str] = "https://business-api.tiktok.com"

    def problems(self, event: Event) -> list[Problem]:
        found = []
        if event.action_source != "website":
            words = "A TikTok pixel takes website events only."
            found.append(Problem("action_source", "not_website", words))
        if not (event.identifiers.get("tiktok") or event.ip or event.user_agent):
            words = (
                "TikTok matches by email, phone, external_id, ttclid, ttp, IP or user agent: there is none."
            )
            found.append(Problem("user", "too_few_keys", words))
        if event.name in PURCHASES and event.value is not None and not event.currency:
            found.append(Problem("currency", "missing", "TikTok needs the currency of a value."))
        return found

    def build(self, events: Sequence[Event], config: Config, *, test_code: str | None = None) -> Request:
        payload: dict[str, Any] = {
            "event_source": "web",
            "event_source_id": config["pixel_code"],
            "data": [event_data(event) for event in events],
        }
        if test_code:
            payload["test_event_code"] = test_code
        return Request(
            "POST",
            f"{self.url(config)}/open_api/v1.3/event/track/",
            {"Access-Token": str(config["token"]), "Content-Type": "application/json"},
            json.dumps(payload, separators=(",", ":")).encode(),
        )

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        early = by_status(status, headers)
        if early is not None:
            return early
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        code = answer.get("code") if isinstance(answer, dict) else None
        if not isinstance(code, int) or isinstance(code, bool):
            return Unknown(f"unreadable answer with HTTP {status}")
        if code == 0:
            return Accepted(str(answer.get("request_id", "")))
        reason = f"{answer.get('message') or 'refused'} ({code})"
        if code in THROTTLED:
            return RetryLater(retry_after_s(header(headers, "Retry-After")), reason)
        if code in AUTH:
            return NeedsAuth(reason)
        if code in TRANSIENT or code >= 50000:
            return Unknown(reason)
        rows = sorted({int(row) for row in _ROW.findall(str(answer.get("message")))})
        return Rejected(reason, rows or None, str(code))

    def decide(self, consent: Mapping[str, Any], policy: str, region: str | None) -> Decision:
        why = refused(consent, policy, "ad_user_data")
        if why:
            return LIMITED if policy == "opt_out" and region == "US" else DROP(f"{why} not granted")
        return LIMITED if consent.get("ldu") or refused(consent, policy, "ad_personalization") else SEND


def event_data(event: Event) -> dict[str, Any]:
    """One entry of `data`."""
    user: dict[str, Any] = dict(event.identifiers.get("tiktok", ()))
    if event.ip:
        user["ip"] = event.ip
    if event.user_agent:
        user["user_agent"] = event.user_agent
    data: dict[str, Any] = {
        "event": NAMES.get(event.name, event.name),
        "event_time": int(event.time.timestamp()),
        "event_id": event.event_id,
        "user": user,
    }
    properties = _properties(event)
    if properties:
        data["properties"] = properties
    if event.url:
        data["page"] = {"url": event.url} | ({"referrer": event.referrer} if event.referrer else {})
    if event.limited:
        data["limited_data_use"] = True
    return data


def _properties(event: Event) -> dict[str, Any]:
    properties = dict(event.custom)
    if event.value is not None:
        properties["value"] = float(event.value)
    if event.currency:
        properties["currency"] = event.currency
    if event.order_id:
        properties["order_id"] = event.order_id
    if event.contents:
        properties["content_type"] = "product"
        properties["contents"] = [
            {_CONTENT[key]: value for key, value in each.items() if key in _CONTENT}
            for each in event.contents
        ]
    return properties


TIKTOK = TikTok()
