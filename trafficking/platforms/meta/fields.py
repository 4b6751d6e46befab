"""Meta's objects in one form, whether they were planned or read: fields by dotted names, equal values equal.

Meta answers otherwise than it was told: budgets as text, "0" for the budget that is not used, times in the account's
zone, places with names and countries added, lists in its own order, `UNDEFINED` and `standard` for what was never
set. Here all of that becomes one JSON value a field, and None where there is nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from trafficking.platforms.base import Operation, Wanted
from trafficking.platforms.meta.reference import PLACEMENTS
from trafficking.platforms.schema import source_field

Normal = Callable[[Any], Any]
_MISSING_WORDS = ("", "NONE", "UNDEFINED", "standard")


def text(value: Any) -> str | None:
    return None if value is None or value in _MISSING_WORDS else str(value)


def amount(value: Any) -> str | None:
    """A whole number of Meta's units as text; 0 says that there is none."""
    return None if value in (None, "", 0, "0") else str(value)


def advantage(value: Any) -> str | None:
    return None if value == "DISABLED" else text(value)


def number(value: Any) -> int | None:
    return None if value is None or value == "" else int(value)


def flag(value: Any) -> bool | None:
    """False is what Meta leaves out."""
    return True if value is True else None


def moment(value: Any) -> str | None:
    """UTC, `2026-12-01T08:00:00+0000`. Meta writes the beginning of 1970 where there is no end."""
    if value in (None, "", 0, "0"):
        return None
    try:
        when = datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    except ValueError:
        return str(value)
    return when.strftime("%Y-%m-%dT%H:%M:%S+0000") if when.timestamp() > 0 else None


def words(value: Any) -> list[str] | None:
    return sorted({str(each) for each in _each(value)} - set(_MISSING_WORDS)) or None


def numbers(value: Any) -> list[int] | None:
    return sorted({int(each) for each in _each(value)}) or None


def keys(value: Any) -> list[str] | None:
    """Places by their keys: Meta adds names, regions and countries."""
    return sorted({_of(each, "key") for each in _each(value)}) or None


def ids(value: Any) -> list[str] | None:
    return sorted({_of(each, "id") for each in _each(value)}) or None


def any_of(value: Any) -> list[dict[str, list[str]]] | None:
    """`flexible_spec`: groups of things by id, whatever their names have become."""
    groups = [
        {kind: ids(things) or [] for kind, things in sorted(group.items())}
        for group in _each(value)
        if isinstance(group, Mapping)
    ]
    return sorted(groups, key=_text_of) or None


def hours(value: Any) -> list[dict[str, Any]] | None:
    """One entry for each weekday and span, for Meta may group the days otherwise."""
    spans = [
        {"day": day, "start_minute": part.get("start_minute"), "end_minute": part.get("end_minute"),
         "timezone_type": part.get("timezone_type") or "USER"}
        for part in _each(value)
        for day in _each(part.get("days"))
    ]  # fmt: skip
    return sorted(spans, key=_text_of) or None


def _projected(*names: str) -> Normal:
    """Lists of objects, by these names only."""

    def normal(value: Any) -> list[dict[str, Any]] | None:
        rows = [{name: each[name] for name in names if each.get(name) is not None} for each in _each(value)]
        return sorted(rows, key=_text_of) or None

    return normal


def cards(value: Any) -> list[dict[str, Any]] | None:
    """Cards in their order, by what we say of them."""
    return [_said(_fields(each, _CARD)) for each in _each(value)] or None


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _each(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else ()


def _of(value: Any, name: str) -> str:
    return str(value.get(name, "") if isinstance(value, Mapping) else value)


def _text_of(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


_PLACES = {"countries": words, "regions": keys, "cities": keys}
_CALL: dict[str, Normal] = {
    "call_to_action.type": text,
    "call_to_action.value.link": text,
    "call_to_action.value.lead_gen_form_id": text,
}
_CARD: dict[str, Normal] = {
    "link": text, "name": text, "description": text, "image_hash": text, "video_id": text, **_CALL,
}  # fmt: skip
_LINK: dict[str, Normal] = {
    "link": text, "message": text, "name": text, "description": text, "caption": text, "image_hash": text, **_CALL,
    "child_attachments": cards, "multi_share_optimized": flag, "multi_share_end_card": flag,
}  # fmt: skip
_VIDEO: dict[str, Normal] = {
    "video_id": text, "image_hash": text, "message": text, "title": text, "link_description": text, **_CALL,
}  # fmt: skip


def _below(prefix: str, inner: Mapping[str, Normal]) -> dict[str, Normal]:
    return {f"{prefix}.{name}": normal for name, normal in inner.items()}


CREATIVE: dict[str, Normal] = {
    "object_story_spec.page_id": text,
    "object_story_spec.instagram_user_id": text,
    **_below("object_story_spec.link_data", _LINK),
    **_below("object_story_spec.video_data", _VIDEO),
    "url_tags": text,
    "authorization_category": text,
    "contextual_multi_ads.enroll_status": text,
}
LEAVES: dict[str, dict[str, Normal]] = {
    "campaign": {
        "name": text, "objective": text, "buying_type": text, "special_ad_categories": words,
        "special_ad_category_country": words, "daily_budget": amount, "lifetime_budget": amount,
        "bid_strategy": text, "spend_cap": amount, "is_adset_budget_sharing_enabled": flag,
        "is_skadnetwork_attribution": flag, "pacing_type": words,
        "advantage_state_info.advantage_state": advantage,  # computed by Meta: read, never wanted
    },
    "ad_set": {
        "name": text, "optimization_goal": text, "billing_event": text, "destination_type": text,
        "bid_strategy": text, "bid_amount": amount, "bid_constraints.roas_average_floor": amount,
        "daily_budget": amount, "lifetime_budget": amount, "daily_min_spend_target": amount,
        "daily_spend_cap": amount, "lifetime_min_spend_target": amount, "lifetime_spend_cap": amount,
        "start_time": moment, "end_time": moment, "adset_schedule": hours, "pacing_type": words,
        "frequency_control_specs": _projected("event", "interval_days", "max_frequency"),
        "attribution_spec": _projected("event_type", "window_days"),
        "dsa_beneficiary": text, "dsa_payor": text,
        **_below("promoted_object", dict.fromkeys(
            ("page_id", "pixel_id", "application_id", "object_store_url", "custom_event_type"), text)),
        **_below("targeting.geo_locations", _PLACES),
        **_below("targeting.excluded_geo_locations", _PLACES),
        **_below("targeting", {
            "age_min": number, "age_max": number, "genders": numbers, "locales": numbers,
            "flexible_spec": any_of, "custom_audiences": ids, "excluded_custom_audiences": ids,
            "publisher_platforms": words, **{f"{name}_positions": words for name in PLACEMENTS},
            "device_platforms": words, "user_os": words, "excluded_publisher_list_ids": words,
            "targeting_automation.advantage_audience": number,
        }),
    },
    "creative": CREATIVE,
    "ad": {"name": text, "conversion_domain": text, **_below("creative", CREATIVE)},
}  # fmt: skip

#: Fields that Meta fills with nothing of its own: what a plan doesn't set is wanted to be empty, so that something
#: put there behind our back shows. (Of others, such as ages or attribution, Meta has defaults. From practice.)
WANTED_EMPTY = {
    "campaign": ("special_ad_categories", "special_ad_category_country", "daily_budget", "lifetime_budget", "spend_cap"),
    "ad_set": (
        "daily_budget", "lifetime_budget", "bid_amount", "end_time", "adset_schedule",
        *(f"targeting.geo_locations.{name}" for name in _PLACES),
        *(f"targeting.excluded_geo_locations.{name}" for name in _PLACES),
        "targeting.genders", "targeting.locales", "targeting.flexible_spec", "targeting.custom_audiences",
        "targeting.excluded_custom_audiences", "targeting.publisher_platforms",
    ),
    "ad": ("creative.url_tags",),
}  # fmt: skip


def fields_of(object_type: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Every field that we know of such an object, in its one form; None where it is empty."""
    return _fields(raw, LEAVES.get(object_type, {}))


def _fields(raw: Any, leaves: Mapping[str, Normal]) -> dict[str, Any]:
    return {name: _normal(normal, value_at(raw, name)) for name, normal in leaves.items()}


def _normal(normal: Normal, value: Any) -> Any:
    """Its one form; a value of an unexpected kind is left as it is, so that it shows as different."""
    try:
        return normal(value)
    except (TypeError, ValueError, AttributeError):
        return value


def value_at(raw: Any, name: str) -> Any:
    for part in name.split("."):
        raw = raw.get(part) if isinstance(raw, Mapping) else None
    return raw


# ------------------------------------------------------------------------------------------- wanted


def wanted(operations: Sequence[Operation]) -> tuple[Wanted, ...]:
    """What a CREATE plan leaves behind. A creative's fields are its ad's: creatives never change, ads change creative."""
    by_ref = {each.ref: each for each in operations}
    return tuple(_wanted(each, by_ref) for each in operations if each.action == "create")


def _wanted(operation: Operation, by_ref: Mapping[str, Operation]) -> Wanted:
    planned, kind = operation.objects[0], operation.object_type
    fields: dict[str, Any] = {}
    sources: dict[str, str] = {}
    if kind != "creative":
        body, all_sources = whole(operation, by_ref)
        fields = _stated(kind, body)
        pointers = {name: "/" + name.replace(".", "/") for name in fields}
        sources = {name: found for name, at in pointers.items() if (found := source_field(all_sources, at))}
    return Wanted(
        planned.ref, kind, planned.name, planned.intent, _parent(operation, by_ref.values()), fields, sources
    )


def whole(operation: Operation, by_ref: Mapping[str, Operation]) -> tuple[dict[str, Any], dict[str, str]]:
    """A body with its sources; an ad's with that of its creative inside, as Meta reads it back."""
    body, sources = dict(operation.body), dict(operation.sources)
    creative = by_ref.get(operation.bindings.get("/creative/creative_id", ""))
    if creative is not None:
        body["creative"] = creative.body
        sources |= {f"/creative{pointer}": field for pointer, field in creative.sources.items()}
    return body, sources


def _stated(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What the body says, and what it leaves empty on purpose."""
    return {
        name: value
        for name, value in fields_of(kind, body).items()
        if value is not None or value_at(body, name) is not None or name in WANTED_EMPTY.get(kind, ())
    }


def _parent(operation: Operation, all_operations: Iterable[Operation]) -> str:
    if operation.object_type == "creative":
        ads = [each for each in all_operations if operation.ref in each.bindings.values()]
        return ads[0].bindings.get("/adset_id", "") if ads else ""
    return operation.bindings.get("/campaign_id") or operation.bindings.get("/adset_id") or ""
