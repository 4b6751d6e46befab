"""What the sandboxed Google makes of an update: field masks, immutable fields, and what follows from a change.

Written from the API's documentation (Update using field masks; docstrings of the v26 messages), not from our compiler.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from trafficking.platforms.google_ads.sandbox_rules import BIDDING, Wrong, snake

Body = Mapping[str, Any]
#: Tells of a camelCase path: leaf | message | unknown.
Kind = Callable[[str], str]

#: "Immutable." in the messages, by operation.
IMMUTABLE = {
    "campaignOperation": {
        "resourceName", "advertisingChannelType", "advertisingChannelSubType", "audienceSetting", "listingType",
        "brandGuidelinesEnabled", "demandGenCampaignSettings",
    },
    "campaignBudgetOperation": {"resourceName", "period", "type"},
    "adGroupOperation": {"resourceName", "type", "campaign", "audienceSetting"},
    "adGroupAdOperation": {"resourceName", "adGroup", "ad"},
    "adOperation": {"resourceName", "name"},
    "campaignCriterionOperation": {"campaign", "negative", "location", "language", "adSchedule"},
    "adGroupCriterionOperation": {
        "adGroup", "negative", "keyword", "location", "language", "ageRange", "gender", "userInterest", "userList",
        "customAudience", "combinedAudience", "audience", "placement",
    },
    "assetOperation": {"resourceName", "youtubeVideoAsset", "callToActionAsset", "imageAsset", "textAsset"},
    "assetGroupOperation": {"resourceName", "campaign"},
    "assetGroupAssetOperation": {"resourceName", "assetGroup", "asset", "fieldType"},
    "assetGroupSignalOperation": {"resourceName", "assetGroup", "audience", "searchTheme"},
}  # fmt: skip
#: Of each of these only one may be set: setting one clears the others.
ONE_OF = (
    tuple(sorted(BIDDING)),
    ("demandGenAdGroupSettings.channelControls.channelStrategy",
     "demandGenAdGroupSettings.channelControls.selectedChannels"),
    ("amountMicros", "totalAmountMicros"),
)  # fmt: skip


def paths_of(mask: str) -> list[str]:
    """The camelCase paths of a field mask as JSON writes it."""
    return [path for path in mask.split(",") if path]


def updated(
    operation: str, stored: Body, update: Body, mask: str, kind_of: Kind
) -> tuple[dict[str, Any], list[Wrong]]:
    """The stored body with the masked fields as in `update`, or what is wrong with the mask."""
    paths = paths_of(mask)
    if "_" in mask:  # protobuf's JSON parser refuses snake_case
        return {}, [
            Wrong("requestError", "INVALID_INPUT", "Path names of a field mask must not contain '_'.", ())
        ]
    if not paths:
        missing = Wrong(
            "fieldMaskError", "FIELD_MASK_MISSING", "The field mask must be provided for update operations."
        )
        return {}, [missing]
    body = copy.deepcopy({key: value for key, value in stored.items() if not key.startswith("_")})
    target = body.setdefault("ad", {}) if operation == "adOperation" else body
    wrongs = [wrong for path in paths for wrong in _bad_path(operation, path, update, kind_of)]
    for path in paths if not wrongs else ():
        value = _at(update, path)
        if value is not None or path.split(".")[0] in BIDDING:
            _clear_others(target, path)
        _set(target, path, value)
    return body, wrongs


def _bad_path(operation: str, path: str, update: Body, kind_of: Kind) -> list[Wrong]:
    where = tuple(snake(path).split("."))
    if path.split(".")[0] in IMMUTABLE.get(operation, set()):
        return [Wrong("fieldError", "IMMUTABLE_FIELD", "The field cannot be changed.", where)]
    kind = kind_of(path)
    if kind == "unknown":
        return [
            Wrong("fieldMaskError", "FIELD_NOT_FOUND", "The field mask contained an invalid field.", where)
        ]
    if kind == "message" and _at(update, path) is not None:
        return [
            Wrong(
                "fieldMaskError",
                "FIELD_HAS_SUBFIELDS",
                "The field mask updated a field with subfields.",
                where,
            )
        ]
    if path == "status" and update.get("status") not in ("ENABLED", "PAUSED"):
        return [Wrong("fieldError", "INVALID_VALUE", "The value is not valid for an update.", where)]
    return []


def _clear_others(body: dict[str, Any], path: str) -> None:
    for group in ONE_OF:
        mine = next((each for each in group if path == each or path.startswith(f"{each}.")), None)
        for other in group if mine else ():
            if other != mine:
                _set(body, other, None)


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _set(body: dict[str, Any], path: str, value: Any) -> None:
    """Sets a leaf; None takes it away, and leaves the message around it standing."""
    *way, last = path.split(".")
    for part in way:
        if part not in body and value is None and part != way[0]:
            return
        if part not in body and value is None and _is_group(path):
            return
        body = body.setdefault(part, {})
    if value is None:
        body.pop(last, None)
    else:
        body[last] = value


def _is_group(path: str) -> bool:
    """Whether clearing it must not bring its message into being: all but bidding schemes, which an empty message chooses."""
    return path.split(".")[0] not in BIDDING


def concerns(operation: str, wrong: Wrong, mask: str) -> bool:
    """Whether a broken rule is about a changed field. Rules of ads point below `ad`."""
    where = ".".join(str(part) for part in wrong.path if not isinstance(part, int))
    prefix = "ad." if operation == "adOperation" else ""
    masked = [f"{prefix}{snake(path)}" for path in paths_of(mask)]
    if operation == "campaignOperation" and where == "campaign_bidding_strategy":
        return any(path.split(".")[0] in {snake(name) for name in BIDDING} for path in masked)
    return any(
        where == path or where.startswith(f"{path}.") or path.startswith(f"{where}.") for path in masked
    )


def timing(operation: str, stored: Body, body: Body, now: float) -> list[Wrong]:
    """A start can't be moved once it has passed (CampaignError, v26)."""
    if operation != "campaignOperation" or body.get("startDateTime") == stored.get("startDateTime"):
        return []
    today = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%S")
    if str(stored.get("startDateTime", today)) > today:
        return []
    started = Wrong(
        "campaignError", "CANNOT_MODIFY_START_DATE_IF_ALREADY_STARTED",
        "Trying to change start date on a campaign that has started.", ("start_date_time",),
    )  # fmt: skip
    return [started]


def needs_review(operation: str, stored: Body, body: Body) -> bool:
    """Switched on for the first time, or edited after that."""
    if operation == "adOperation":
        return "reviewFrom" in stored and body.get("ad") != stored.get("ad")
    first = operation in ("adGroupAdOperation", "assetGroupOperation") and body.get("status") == "ENABLED"
    return first and "reviewFrom" not in stored
