"""What Meta refuses to change, as the sandbox enforces it; the whole object is then checked as if it were new.

Sources as in `sandbox_rules`; which fields an update takes at all is the SDK's `api_update`. From practice, and
unverified: that objective, SKAdNetwork, billing, destination, promoted object and the kind of a budget stay as they
were built. Four budget changes an hour: Meta's page "Rate Limiting".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trafficking.platforms.meta.sandbox_rules import Refusal

Json = dict[str, Any]

MONEY = frozenset(
    ["daily_budget", "lifetime_budget", "spend_cap", "daily_min_spend_target", "daily_spend_cap",
     "lifetime_min_spend_target", "lifetime_spend_cap"]
)  # fmt: skip
_BUDGETS = ("daily_budget", "lifetime_budget")
_IMMUTABLE = {
    "campaign": ("objective", "is_skadnetwork_attribution"),
    "ad_set": ("billing_event", "destination_type"),
    "creative": (),
    "ad": (),
}
_FIXED_PROMOTED = ("page_id", "pixel_id", "application_id", "object_store_url")
_NO_SPEND_CAP = 922337203685478
_BUDGET_CHANGES, _HOUR_S = 4, 3600.0
_STATUSES = ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED")


def _refused(field: str, words: str, subcode: int = 1815089) -> Refusal:
    return Refusal(
        "Invalid parameter", subcode=subcode, title="This can't be changed", advice=words, blame=[[field]]
    )


def check_gone(found: Json, body: Json) -> None:
    """Deleted objects stay as they are; archived ones may be renamed or deleted, no more."""
    status, wanted = found.get("status"), body.get("status")
    if wanted is not None and wanted not in _STATUSES:
        raise Refusal(f"(#100) Param status must be one of {{{', '.join(_STATUSES)}}}", blame=[["status"]])
    allowed = {"ARCHIVED": ("ARCHIVED", "DELETED"), "DELETED": ("DELETED",)}.get(str(status))
    if allowed is None:
        return
    others = set(body) - {"name", "status"} or (status == "DELETED" and "name" in body)
    if others or (wanted is not None and wanted not in allowed):
        raise _refused("status", f"The object is {status}, and can't be edited or run again.", 1487056)


def check_immutable(kind: str, found: Json, body: Json, now: float) -> None:
    if kind == "creative" and set(body) - {"name", "status"}:
        raise Refusal("(#100) A creative can't be changed, except for its name.", subcode=1815573)
    for field in _IMMUTABLE[kind]:
        if field in body and body[field] != found.get(field):
            raise _refused(field, f"{field} is set once.")
    for field in _BUDGETS:
        if field in body and kind in ("campaign", "ad_set") and not found.get(field):
            raise _refused(field, "The kind and the level of a budget are set once.", 1885650)
    promoted = body.get("promoted_object")
    if isinstance(promoted, dict):
        old = found.get("promoted_object") or {}
        if any(promoted.get(field) != old.get(field) for field in _FIXED_PROMOTED):
            raise _refused("promoted_object", "What is promoted is set once.", 1487888)
    _check_started(found, body, now)


def _check_started(found: Json, body: Json, now: float) -> None:
    old, new = _seconds(found.get("start_time")), _seconds(body.get("start_time"))
    if new is not None and old is not None and old <= now and new != old:
        raise _refused("start_time", "The ad set has started.", 1487478)


def _seconds(text: Any) -> float | None:
    try:
        return datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except ValueError:
        return None


# ---------------------------------------------------------------------------------- values that clear


def without_clearing(body: Json) -> Json:
    """The body without values that are no values of their type, but take one away."""
    return {key: value for key, value in body.items() if not (key == "end_time" and value == "0")}


def cleared(body: Json, found: Json) -> Json:
    """The changes as they are stored: None takes a field away."""
    changes = {key: None if _clears(key, value) else value for key, value in body.items()}
    if body.get("bid_strategy") == "LOWEST_COST_WITHOUT_CAP" and found["_kind"] == "ad_set":
        changes.setdefault("bid_amount", None)
        changes.setdefault("bid_constraints", None)
    return changes


def _clears(key: str, value: Any) -> bool:
    if key == "spend_cap":
        return value == _NO_SPEND_CAP
    if key == "end_time":
        return value == "0"
    if key in MONEY and key not in _BUDGETS:
        return value == 0
    return value == "" or (value == [] and key != "special_ad_categories")


def merged(found: Json, changes: Mapping[str, Any]) -> Json:
    """The object as it would be, as a create would have told it (amounts as numbers, no status)."""
    whole = {key: value for key, value in {**found, **changes}.items() if value is not None}
    return {
        key: int(value) if key in MONEY and isinstance(value, str) else value
        for key, value in whole.items()
        if key != "status" and not key.startswith("_")
    }


def count_budget_changes(found: Json, body: Json, now: float) -> Json:
    """When the budget was changed in the last hour, this change among them."""
    if all(str(body[key]) == str(found.get(key)) for key in _BUDGETS if key in body):
        return {}
    recent = [at for at in found.get("_budget_changes", []) if at > now - _HOUR_S]
    if len(recent) >= _BUDGET_CHANGES:
        raise Refusal(
            "(#613) The ad set's budget has been changed too many times. It can change 4 times per hour.",
            code=613,
            subcode=1487632,
            wait_s=_HOUR_S,
        )
    return {"_budget_changes": [*recent, now]}
