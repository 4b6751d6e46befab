"""Rows of the get doors as objects: switch, review, delivery.

`operation_status` is the switch, `secondary_status` what TikTok makes of it: the first reason why not, of the
object or of what stands above it (Enumerations, document 1737174886619138).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from trafficking.platforms.base import Live
from trafficking.platforms.tiktok import doors, words

RUN = {"ENABLE": "ACTIVE", "DISABLE": "PAUSED", "DELETE": "ARCHIVED", "FROZEN": "PAUSED"}
#: pattern in secondary_status -> delivery, first match
DELIVERY = (
    (re.compile(r"^ADVERTISER_|BALANCE_EXCEED|ADVERTISER_"), "ACCOUNT"),
    (re.compile(r"DENY|REJECT|NOT_APPROVED"), "REJECTED"),
    (re.compile(r"AUDIT|_REVIEW"), "IN_REVIEW"),
    (re.compile(r"DISABLE|DELETE|FROZEN"), "PAUSED"),
    (re.compile(r"NOT_START|NO_SCHEDULE"), "SCHEDULED"),
    (re.compile(r"DONE"), "ENDED"),
    (re.compile(r"DELIVERY_OK|STATUS_ENABLE|_OK$"), "LIVE"),
)
#: answers of the review door, `review_status`
REVIEWED = {"ALL_AVAILABLE": "APPROVED", "PART_AVAILABLE": "LIMITED", "UNAVAILABLE": "REJECTED"}


def status_of(row: Mapping[str, Any]) -> str:
    return RUN.get(str(row.get("operation_status") or ""), "")


def delivery_of(row: Mapping[str, Any]) -> str:
    status = str(row.get("secondary_status") or "")
    if not status:
        return ""
    return next((delivery for pattern, delivery in DELIVERY if pattern.search(status)), "PROBLEM")


def review_of(row: Mapping[str, Any]) -> str:
    """By the status alone; "" where another reason stands before it (a switch that is off)."""
    told = delivery_of(row)
    if told in ("IN_REVIEW", "REJECTED"):
        return "LIMITED" if "PART" in str(row.get("secondary_status")) else _REVIEW[told]
    return "APPROVED" if told in ("LIVE", "SCHEDULED", "ENDED") and status_of(row) == "ACTIVE" else ""


_REVIEW = {"IN_REVIEW": "PENDING", "REJECTED": "REJECTED"}


def live_of(
    object_type: str, row: Mapping[str, Any], parent_id: str = "", review: Mapping[str, Any] | None = None
) -> Live:
    """One row; `review` is what the review door answered for this ad."""
    smart = row.get(words.MARK) == doors.SMART_TYPE
    told = REVIEWED.get(str((review or {}).get("review_status")), "")
    ad = object_type == "ad"
    return Live(
        type=object_type,
        external_id=str(row.get(doors.id_key(object_type, smart=smart)) or ""),
        parent_id=parent_id,
        name=str(row.get(words.NAMES[object_type]) or ""),
        status=status_of(row),  # type: ignore[arg-type] # RUN holds no other words
        fields=words.fields_of(object_type, row),
        review=(told or review_of(row)) if ad else "",
        review_reasons=tuple(reasons_of(review or {})) if ad else (),
        delivery=delivery_of(row) if ad else "",
    )


def reasons_of(review: Mapping[str, Any]) -> Iterable[str]:
    """TikTok's own words: a reason, and what it suggests."""
    for each in review.get("reject_info") or []:
        told = [str(each.get(name) or "").strip() for name in ("reason", "suggestion")]
        text = " ".join(part for part in told if part)
        if text:
            yield text
    for each in review.get("forbidden_placements") or []:
        yield f"Not on {each}."


def refused_ads(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Ads whose reasons are worth a call."""
    return [
        str(row.get("smart_plus_ad_id") or row.get("ad_id"))
        for row in rows
        if review_of(row) in ("REJECTED", "LIMITED")
    ]
