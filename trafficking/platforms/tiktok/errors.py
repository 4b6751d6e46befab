"""TikTok's answers as outcomes.

Every answer of the API is HTTP 200 with `{code, message, request_id, data}`; other statuses, HTML and cut
bodies come from what stands before it. Codes: `business_api_client.tiktok_business.tiktok_code` (SDK 1.1.3)
and the platform facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import requests

from trafficking.platforms.base import InDoubt, NeedsAuth, Rejected, RetryLater
from trafficking.platforms.http import json_or_none, retry_after_s

OK, PARTIAL = 0, 20001
#: Too many requests: per second (40100), per period (40132), by an inner service (61000).
THROTTLED = frozenset({40100, 40132, 61000})
#: Token, grant, role or scope: a person must mend the account's credentials.
AUTH = frozenset(
    {
        40001,
        40101,
        40102,
        40103,
        40104,
        40105,
        40106,
        40107,
        40108,
        40109,
        40110,
        40112,
        40113,
        40114,
        40115,
    }
    | {40116, 40117, 40119, 40120, 40124, 40125, 40130, 40131, 40301, 40309}
)
#: May have been done all the same: write conflict, a request id seen before, a busy inner service.
TRANSIENT = frozenset({40050, 40202, 60001})
#: 40002 is TikTok's code for a bad parameter, but some of its inner services say this with it.
TRY_AGAIN = re.compile(
    r"try again later|please retry|service (is )?(busy|unavailable)|could not acquire",
    re.IGNORECASE,
)

#: Words of messages that name no field -> the field that they are about, in the order of preference.
SPOKEN = (
    (re.compile(r"\bbudget\b", re.IGNORECASE), "budget"),
    (re.compile(r"\bpixel\b", re.IGNORECASE), "pixel_id"),
    (re.compile(r"\bidentity\b", re.IGNORECASE), "identity_id"),
    (re.compile(r"\b(landing page|url)\b", re.IGNORECASE), "landing_page_url"),
    (re.compile(r"\b(call.to.action|cta)\b", re.IGNORECASE), "call_to_action"),
    (re.compile(r"\bcampaign name\b", re.IGNORECASE), "campaign_name"),
    (re.compile(r"\bad ?group name\b", re.IGNORECASE), "adgroup_name"),
    (re.compile(r"\bad name\b", re.IGNORECASE), "ad_name"),
    (re.compile(r"\blocations?\b", re.IGNORECASE), "location_ids"),
    (re.compile(r"\bvideo\b", re.IGNORECASE), "video_id"),
    (re.compile(r"\b(image|cover)\b", re.IGNORECASE), "image_ids"),
    (re.compile(r"\bbid\b", re.IGNORECASE), "bid_price"),
    (re.compile(r"\bad text\b", re.IGNORECASE), "ad_text"),
)

#: `creatives.0.ad_text`, `creatives[0].ad_text`, `budget_mode`
PATH = re.compile(r"[a-z][a-z0-9_]*(?:(?:\.[a-z0-9_]+)|(?:\[\d+\]))*")

Failure = Rejected | RetryLater | InDoubt | NeedsAuth


def failure(response: requests.Response, body: Any = None) -> Failure | None:
    """What went wrong, or None where `code` is 0 or 20001. `body` is what was sent, for the pointer."""
    answer = json_or_none(response)
    code = answer.get("code") if isinstance(answer, dict) else None
    if not isinstance(code, int) or isinstance(code, bool):
        return _not_the_api(response)
    if response.status_code >= 500:
        return InDoubt(f"HTTP {response.status_code}", answer, response.status_code)
    if code in (OK, PARTIAL):
        return None
    return _by_code(code, str(answer.get("message") or ""), answer, response, body)


def _by_code(code: int, message: str, answer: Any, response: requests.Response, body: Any) -> Failure:
    status, reason = response.status_code, f"{code} {message}".strip()
    if code in THROTTLED or status == 429:
        return RetryLater(reason, retry_after_s(response.headers.get("Retry-After")), answer, status)
    if code in AUTH or status in (401, 403):
        return NeedsAuth(reason, answer, status)
    if code in TRANSIENT or 50000 <= code < 53000 or (code == 40002 and TRY_AGAIN.search(message)):
        return InDoubt(reason, answer, status)
    return Rejected(str(code), message, pointer_of(message, body), answer, status)


def _not_the_api(response: requests.Response) -> Failure:
    """A proxy's page, a cut answer, nothing at all: what it says of the deed depends on the status only."""
    status = response.status_code
    if status == 429:
        return RetryLater("HTTP 429", retry_after_s(response.headers.get("Retry-After")), None, status)
    if status in (401, 403):
        return NeedsAuth(f"HTTP {status}", None, status)
    if 400 <= status < 500 and status != 408:
        return Rejected(
            f"http_{status}",
            f"HTTP {status} without an answer of the API",
            "",
            None,
            status,
        )
    return InDoubt(f"HTTP {status} without an answer of the API", None, status)


def pointer_of(message: str, body: Any) -> str:
    """JSON pointer of the field that a message names, "" where it names none."""
    if not isinstance(body, dict):
        return ""
    for path in PATH.findall(message):
        pointer = _resolved(path, body)
        if pointer:
            return pointer
    for words, field in SPOKEN:
        if words.search(message):
            return _place_of(field, body)
    return ""


def _resolved(path: str, body: Any) -> str:
    """A dotted path as a pointer: whole where it exists in the body, or named clearly enough to be missing.

    Plain words of a sentence ("budget", "location") are not paths: a path has an underscore or a dot.
    """
    parts = [part for part in re.split(r"[.\[\]]", path) if part]
    if len(parts) == 1 and "_" not in path:
        return ""
    if parts[0] in body:
        return "/" + "/".join(parts)
    return _place_of(parts[-1], body) if len(parts) == 1 else ""


def _place_of(field: str, body: dict[str, Any]) -> str:
    """Where a field is, or would be: inside the creative for an ad's own fields."""
    for pointer in _pointers(body, field):
        return pointer
    in_creative = field in AD_FIELDS and isinstance(body.get("creatives"), list)
    return f"/creatives/0/{field}" if in_creative else f"/{field}"


def _pointers(body: dict[str, Any], field: str) -> Iterator[str]:
    if field in body:
        yield f"/{field}"
    for index, creative in enumerate(body.get("creatives") or []):
        if isinstance(creative, dict) and field in creative:
            yield f"/creatives/{index}/{field}"


AD_FIELDS = frozenset(
    {
        "ad_name",
        "ad_text",
        "ad_format",
        "identity_id",
        "identity_type",
        "video_id",
        "image_ids",
        "music_id",
    }
    | {
        "landing_page_url",
        "call_to_action",
        "page_id",
        "display_name",
        "tiktok_item_id",
    }
)
