"""Meta's answers about campaigns, ad sets and ads in neutral words: status, review, delivery.

Statuses are the SDK's enums (`Ad.EffectiveStatus`). Which of them stand for what: Meta's page "Manage Your Ad
Object's Status" in copies; WITH_ISSUES and PREAPPROVED from practice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from trafficking.platforms.base import Delivery, Live, ReviewState, RunStatus
from trafficking.platforms.meta.fields import fields_of

_PARENT = {"campaign": "", "ad_set": "campaign_id", "ad": "adset_id"}
_REVIEW: Mapping[str, ReviewState] = {
    "PENDING_REVIEW": "PENDING", "IN_PROCESS": "PENDING", "DISAPPROVED": "REJECTED", "WITH_ISSUES": "LIMITED",
    "PREAPPROVED": "APPROVED", "ACTIVE": "APPROVED",
}  # fmt: skip
_DELIVERY: Mapping[str, Delivery] = {
    "PENDING_REVIEW": "IN_REVIEW", "IN_PROCESS": "IN_REVIEW", "DISAPPROVED": "REJECTED", "WITH_ISSUES": "PROBLEM",
    "PENDING_BILLING_INFO": "ACCOUNT", "PAUSED": "PAUSED", "CAMPAIGN_PAUSED": "PAUSED", "ADSET_PAUSED": "PAUSED",
    "ARCHIVED": "PAUSED", "DELETED": "PAUSED",
}  # fmt: skip


def run_status(status: Any) -> RunStatus:
    if status in ("ACTIVE", "PAUSED"):
        return status  # type: ignore[no-any-return]
    return "ARCHIVED"


def is_gone(raw: Mapping[str, Any]) -> bool:
    return run_status(raw.get("status")) == "ARCHIVED" or raw.get("effective_status") in (
        "ARCHIVED",
        "DELETED",
    )


def live(object_type: str, raw: Mapping[str, Any], now: datetime | None, ad_set: Mapping[str, Any]) -> Live:
    """One object as answered; `ad_set` is that of an ad, `now` the platform's time where it told it."""
    seen = str(raw.get("effective_status") or "")
    is_ad = object_type == "ad"
    return Live(
        type=object_type,
        external_id=str(raw.get("id", "")),
        parent_id=str(raw.get(_PARENT[object_type]) or ""),
        name=str(raw.get("name") or ""),
        status=run_status(raw.get("status")),
        fields=fields_of(object_type, raw),
        review=_REVIEW.get(seen, "") if is_ad else "",
        review_reasons=tuple(_reasons(raw)) if is_ad else (),
        delivery=_delivery(seen, now, ad_set) if is_ad else "",
    )


def creative(raw: Mapping[str, Any], ad_set_id: str) -> Live:
    """The creative inside an ad's answer; it has no status of its own, and its fields are the ad's."""
    return Live(
        "creative", str(raw["id"]), ad_set_id, str(raw.get("name") or ""), "", fields_of("creative", raw)
    )


def _delivery(seen: str, now: datetime | None, ad_set: Mapping[str, Any]) -> Delivery:
    if seen not in ("ACTIVE", "PREAPPROVED"):
        return _DELIVERY.get(seen, "")
    start, end = _moment(ad_set.get("start_time")), _moment(ad_set.get("end_time"))
    if now is not None and start is not None and now < start:
        return "SCHEDULED"
    if now is not None and end is not None and now > end:
        return "ENDED"
    return "LIVE" if seen == "ACTIVE" else ""


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None


def _reasons(raw: Mapping[str, Any]) -> Iterable[str]:
    """Meta's own words: of the review, whole and by placement, and of other issues."""
    feedback = raw.get("ad_review_feedback")
    if isinstance(feedback, Mapping):
        yield from _sentences(feedback.get("global"))
        by_placement = feedback.get("placement_specific")
        for each in by_placement.values() if isinstance(by_placement, Mapping) else ():
            yield from _sentences(each)
    issues = raw.get("issues_info")
    for issue in issues if isinstance(issues, list) else ():
        if isinstance(issue, Mapping):
            yield str(issue.get("error_message") or issue.get("error_summary") or issue.get("error_code"))


def _sentences(feedback: Any) -> Iterable[str]:
    for title, words in feedback.items() if isinstance(feedback, Mapping) else ():
        yield f"{title}: {words}"
