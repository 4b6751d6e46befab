"""One form for each field of an object, whether we wish it or TikTok answers it.

TikTok answers numbers as floats, empty lists for what nobody set, all hours for no dayparting, and under a
campaign budget no budget for ad groups. Here both sides come to the same value; None is "not set".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from trafficking.platforms.base import Operation, Wanted
from trafficking.platforms.tiktok import doors, reference

#: Money and ratios, held as plain decimal text ("100.5"); TikTok answers 0 for none.
NUMBERS = frozenset({"budget", "bid_price", "conversion_bid_price", "roas_bid", "deep_cpa_bid", "min_budget"})
#: Ids that the SDK types as integers; whole numbers that it types as floats.
IDS_AS_NUMBERS = frozenset({"page_id", "tracking_pixel_id"})
WHOLE = frozenset({"frequency", "frequency_schedule"})
ORDERED = frozenset({"image_ids", "creative_list"})  # the order is what people see
#: Lists of one-key objects of the automated form: held as lists of the values.
NAMED_LISTS = {
    "ad_text_list": "ad_text",
    "call_to_action_list": "call_to_action",
    "landing_page_url_list": "landing_page_url",
    "page_list": "page_id",
}
INNER = ("creatives", "targeting_spec", "ad_configuration", "0")
NOT_FIELDS = frozenset({"advertiser_id", "campaign_id", "adgroup_id", "request_id", "operation_status"})
NAMES: Mapping[str, str] = {"campaign": "campaign_name", "ad_set": "adgroup_name", "ad": "ad_name"}
#: Changes while the campaign runs, without anybody's doing.
OF_ITSELF = frozenset({"skip_learning_phase"})
MARK = "campaign_automation_type"


def _readable() -> dict[str, tuple[str, ...]]:
    """Object type -> fields: what the create doors take, of both forms."""
    schemas = reference.DATA["schemas"]
    manual_ad = schemas["ad"]["$defs"]["AdcreateCreatives"]["properties"]
    spec = schemas["smart.ad_set"]["$defs"]["SmartPlusAdgroupCreateBodyTargetingSpec"]["properties"]
    known = {
        "campaign": {**schemas["campaign"]["properties"], **schemas["smart.campaign"]["properties"]},
        "ad_set": {**schemas["ad_set"]["properties"], **schemas["smart.ad_set"]["properties"], **spec},
        "ad": {**manual_ad, **schemas["smart.ad"]["properties"]},
    }
    left_out = NOT_FIELDS | {"targeting_spec", "ad_configuration", *NAMES.values()} | OF_ITSELF
    return {kind: ("name", MARK, *sorted(set(names) - left_out)) for kind, names in known.items()}


READABLE: Mapping[str, tuple[str, ...]] = _readable()


def fields_of(object_type: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """An object as a get door answers it (an automated one with its mark, see the client)."""
    if object_type not in READABLE:
        return {}
    inner = {**(raw.get("targeting_spec") or {}), **(raw.get("ad_configuration") or {})}
    flat = {**raw, **inner, "name": raw.get(NAMES[object_type])}
    found = {name: normal(name, flat.get(name)) for name in READABLE[object_type]}
    return _settled(object_type, found)


def wanted_of(operations: Sequence[Operation]) -> tuple[Wanted, ...]:
    """What a CREATE plan leaves behind. Uploads are not part of the tree."""
    return tuple(_wanted(each) for each in operations if each.action == "create")


def _wanted(operation: Operation) -> Wanted:
    (planned,) = operation.objects
    raw = creative_of(operation.body)
    if doors.is_smart(operation.path):
        raw = {**raw, MARK: doors.SMART_TYPE}
    fields = fields_of(operation.object_type, raw)
    if operation.sources.get("/budget_mode") == "budget" and operation.object_type == "ad_set":
        # the campaign's budget, repeated because the door asks for it; TikTok keeps none there
        fields |= {"budget": None, "budget_mode": None}
    parent = {"ad_set": "/campaign_id", "ad": "/adgroup_id"}.get(operation.object_type, "")
    return Wanted(
        ref=planned.ref,
        type=planned.type,
        name=planned.name,
        intent=planned.intent,
        parent=operation.bindings.get(parent, ""),
        fields={name: value for name, value in fields.items() if value is not None},
        sources=_sources(operation),
    )


def creative_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The only creative of an ad's body, or the body itself."""
    creatives = body.get("creatives")
    return creatives[0] if creatives else body


def _sources(operation: Operation) -> dict[str, str]:
    """Field -> ticket field, from the body pointers: `/creatives/0/ad_text` is `ad_text`."""
    own_name = NAMES[operation.object_type]
    found: dict[str, str] = {}
    for pointer, source in operation.sources.items():
        parts = [part for part in pointer.split("/")[1:] if part not in INNER]
        if parts and parts[0] not in NOT_FIELDS:
            found.setdefault("name" if parts[0] == own_name else parts[0], source)
    return found


# ------------------------------------------------------------------------------------ one form


def normal(name: str, value: Any) -> Any:
    """One field's value in the one form; None where it says nothing."""
    if value in (None, "", [], {}, "UNSET"):
        return None
    if name in NUMBERS:
        return _decimal_text(value)
    if name in WHOLE:
        return int(value) or None
    if name in IDS_AS_NUMBERS:
        return str(value)
    if name == "dayparting":
        return value if "0" in value and "1" in value else None
    if name == "creative_list":
        return [_creative(each) for each in value]
    return _list(name, value) if isinstance(value, list) else value


def _decimal_text(value: Any) -> str | None:
    number = Decimal(str(value))
    return f"{number.normalize():f}" if number else None


def _list(name: str, value: list[Any]) -> list[Any]:
    key = NAMED_LISTS.get(name)
    if key:
        return [str(each[key]) for each in value if isinstance(each, dict) and key in each]
    if name in ORDERED or not all(isinstance(each, str) for each in value):
        return value
    return sorted(value)


def _creative(item: Mapping[str, Any]) -> dict[str, Any]:
    """One creative of an automated ad, without what TikTok adds (urls, material ids)."""
    info = item.get("creative_info") or {}
    found = {name: info.get(name) for name in ("ad_format", "identity_type", "identity_id",
             "identity_authorized_bc_id", "tiktok_item_id", "aigc_disclosure_type")}  # fmt: skip
    found["video_id"] = (info.get("video_info") or {}).get("video_id")
    found["image_ids"] = [each.get("web_uri") for each in info.get("image_info") or []]
    found["music_id"] = (info.get("music_info") or {}).get("music_id")
    return {name: value for name, value in found.items() if value}


def _settled(object_type: str, fields: dict[str, Any]) -> dict[str, Any]:
    """What one field makes of another: TikTok fills these in by itself."""
    if fields.get("budget_mode") == "BUDGET_MODE_INFINITE":
        fields["budget"] = None
        if object_type == "ad_set":  # under a campaign budget
            fields["budget_mode"] = None
    if object_type == "ad_set":
        if fields.get("schedule_type") == "SCHEDULE_FROM_NOW":  # answered as ten years after the start
            fields["schedule_end_time"] = None
        if fields.get("placement_type") == "PLACEMENT_TYPE_AUTOMATIC":  # answered as the places it chose
            fields["placements"] = None
    return fields
