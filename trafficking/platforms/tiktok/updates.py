"""Operations on what exists: updates, switches and names.

`/update/` replaces: TikTok's document on ad groups calls its mode "full replacement, not incremental", so an
update says every field that the door takes, not only those that changed, and empties what is no longer wished.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from trafficking.platforms.base import (
    Account,
    Change,
    ChangeKind,
    Held,
    Operation,
    PlannedObject,
    RunStatus,
    Wanted,
    stand_in,
)
from trafficking.platforms.tiktok import doors, reference, words

SWITCHES: Mapping[str, str] = {"PAUSED": "DISABLE", "ACTIVE": "ENABLE", "ARCHIVED": "DELETE"}
DEEDS: Mapping[str, str] = {"PAUSED": "pause", "ACTIVE": "activate", "ARCHIVED": "archive"}
#: How a field is emptied; prices, dates and the rest go by being left out.
EMPTIED: Mapping[str, Any] = {"dayparting": "1" * 336, "po_number": ""}
LISTS = frozenset(
    {"languages", "age_groups", "interest_category_ids", "interest_keyword_ids", "audience_ids",
     "excluded_audience_ids", "network_types", "category_exclusion_ids", "special_industries"}
)  # fmt: skip
#: TikTok fixes these on ad groups under a campaign budget ("Update an ad group", budget and bid_type).
FIXED_BY_CAMPAIGN_BUDGET = ("budget", "budget_mode", "bid_type")
#: What an automated ad keeps in `ad_configuration`.
CONFIGURED = ("identity_id", "identity_type", "call_to_action_id")
#: Where the automated form's ad group keeps its targeting.
SPEC = frozenset(
    reference.DATA["schemas"]["smart.ad_set"]["$defs"]["SmartPlusAdgroupCreateBodyTargetingSpec"][
        "properties"
    ]
)


def change_kind(object_type: str, field: str, before: Any, after: Any) -> ChangeKind:
    """From the reference's table of changes; what it does not know takes a new object."""
    kind = reference.CHANGES.get(object_type, {}).get(field, "replace")
    if after is None and field in reference.NOT_EMPTIED.get(object_type, ()):
        return "replace"
    if kind == "budget":
        return _budget_kind(before, after)
    return kind  # type: ignore[return-value] # the table holds no other words


def _budget_kind(before: Any, after: Any) -> ChangeKind:
    """A step of more than half unsettles delivery; a budget that comes or goes is another budget mode."""
    if before is None or after is None:
        return "replace"
    try:
        old, new = Decimal(before), Decimal(after)
    except (InvalidOperation, TypeError):
        return "learning"  # whatever it is, it is no small step
    return "update" if abs(new - old) <= old * reference.BUDGET_STEP else "learning"


# ------------------------------------------------------------------------------------ switches, names


def status_operation(account: Account, held: Held, status: RunStatus) -> Operation:
    """Enable, disable or delete: TikTok's archive is its deletion, which frees the name and can't be undone."""
    smart = held_smart(held)
    body = {
        "advertiser_id": account.external_id,
        f"{doors.id_key(held.type, smart=smart)}s": [held.external_id],
        "operation_status": SWITCHES[status],
    }
    deed = DEEDS[status]
    return _changing(
        f"{deed}:{held.ref}", deed, held, held.name, doors.door(held.type, "status/update", smart=smart), body,
        {"status": status},
    )  # fmt: skip


def rename_operation(account: Account, held: Held, name: str) -> Operation:
    """Another name, and every other field as the platform has it, for the door replaces what it takes."""
    smart = held_smart(held)
    fields = {**held.applied, **(held.live or {}), "name": name}
    taken = _update_keys(held.type, smart)
    full = {
        words.NAMES[held.type] if key == "name" else key: sent(key, value) for key, value in fields.items()
    }
    body = {key: value for key, value in full.items() if key in taken and value is not None}
    if held.type == "ad_set" and "budget" not in body:  # under a campaign budget
        body.pop("bid_type", None)
    if held.type == "ad" and smart:
        body["ad_configuration"] = {key: fields[key] for key in CONFIGURED if fields.get(key)}
    body = {"ad_name": name} if held.type == "ad" and not smart else _placed(body, smart)
    operation = _update(account, held, body, smart, {"name": name}, name)
    if held.type == "ad" and not smart:  # an ad can be told one field alone
        operation.body["patch_update"] = True
    return operation


# ------------------------------------------------------------------------------------------- updates


def update_operations(
    wanted: Wanted, held: Held, changes: Sequence[Change], by_ref: Mapping[str, Operation]
) -> list[Operation]:
    """One call: the fields of the CREATE body that the update door takes, and the emptied ones."""
    create = by_ref[wanted.ref]
    smart = doors.is_smart(create.path)
    account = Account(create.body["advertiser_id"], "", "")
    full = dict(words.creative_of(create.body))
    if smart:
        full |= full.pop("targeting_spec", {})
    taken = _update_keys(wanted.type, smart)
    body = {name: value for name, value in full.items() if name in taken}
    body |= {
        each.field: _empty(each.field) for each in changes if each.after is None and _empties(each.field)
    }
    if wanted.type == "ad_set" and _campaign_budget(by_ref):
        body = {name: value for name, value in body.items() if name not in FIXED_BY_CAMPAIGN_BUDGET}
    expect = {each.field: each.after for each in changes}
    made = _update(account, held, _placed(body, smart), smart, expect, wanted.name)
    return [_with_references(made, create)]


def _with_references(made: Operation, create: Operation) -> Operation:
    """Uploads and sources of the CREATE body, for the places that are in this body too."""
    bindings = {pointer: ref for pointer, ref in create.bindings.items() if _is_at(made.body, pointer)}
    sources = {pointer: source for pointer, source in create.sources.items() if _is_at(made.body, pointer)}
    return Operation(
        made.ref, made.action, made.object_type, made.method, made.path, made.body, made.objects,
        {**bindings, **made.bindings}, sources,
    )  # fmt: skip


def _update(
    account: Account, held: Held, body: Mapping[str, Any], smart: bool, expect: Mapping[str, Any], name: str
) -> Operation:
    """`body` goes flat, or into `creatives[0]` beside the ad group, whose id the plan or the ledger brings."""
    own = {doors.id_key(held.type, smart=smart): held.external_id}
    full: dict[str, Any] = {"advertiser_id": account.external_id}
    bindings: dict[str, str] = {}
    if held.type == "ad" and not smart:
        full |= {"adgroup_id": stand_in(held.parent), "creatives": [{**own, **body}]}
        bindings["/adgroup_id"] = held.parent
    else:
        full |= {**own, **body}
    path = doors.door(held.type, "update", smart=smart)
    return _changing(f"update:{held.ref}", "update", held, name, path, full, expect, bindings)


def _changing(
    ref: str, action: str, held: Held, name: str, path: str, body: dict[str, Any], expect: Mapping[str, Any],
    bindings: Mapping[str, str] | None = None,
) -> Operation:  # fmt: skip
    planned = PlannedObject(held.ref, held.type, name, held.intent, held.external_id, dict(expect))
    return Operation(ref, action, held.type, "POST", path, body, (planned,), dict(bindings or {}))


def held_smart(held: Held) -> bool:
    """Whether it is of the automated form, by the mark that its fields carry."""
    known = {**held.applied, **(held.live or {})}
    return known.get(words.MARK) == doors.SMART_TYPE


def _update_keys(object_type: str, smart: bool) -> frozenset[str]:
    schemas = reference.DATA["schemas"]
    schema = schemas[f"{'smart.' if smart else ''}{object_type}.update"]
    keys = set(schema["properties"])
    if object_type == "ad" and not smart:
        keys = set(schema["$defs"]["AdupdateCreatives"]["properties"])
    if smart and object_type == "ad_set":
        keys |= SPEC
    ids = ("advertiser_id", "campaign_id", "adgroup_id", "ad_id", "smart_plus_ad_id", "targeting_spec")
    return frozenset(keys - set(ids))


def _placed(body: Mapping[str, Any], smart: bool) -> dict[str, Any]:
    """Targeting back into `targeting_spec` for the automated form."""
    spec = {key: value for key, value in body.items() if smart and key in SPEC}
    rest = {key: value for key, value in body.items() if key not in spec}
    return {**rest, "targeting_spec": spec} if spec else rest


def sent(name: str, value: Any) -> Any:
    """A field's one form as a body says it: text becomes a number where TikTok takes one."""
    if value is None:
        return None
    if name in words.NUMBERS:
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() else float(number)
    if name in words.IDS_AS_NUMBERS:
        return int(value)
    if name in words.NAMED_LISTS:
        return [{words.NAMED_LISTS[name]: each} for each in value]
    return [_creative(each) for each in value] if name == "creative_list" else value


def _creative(form: Mapping[str, Any]) -> dict[str, Any]:
    """One creative of an automated ad from its one form (words), as its door takes it."""
    moved = ("video_id", "image_ids", "music_id")
    info: dict[str, Any] = {name: value for name, value in form.items() if name not in moved}
    if "video_id" in form:
        info["video_info"] = {"video_id": form["video_id"]}
    if form.get("image_ids"):
        info["image_info"] = [{"web_uri": each} for each in form["image_ids"]]
    if "music_id" in form:
        info["music_info"] = {"music_id": form["music_id"]}
    return {"creative_info": info}


def fixed_fields(object_type: str, fields: Iterable[str]) -> list[str]:
    """Those that the automated form's update door does not take."""
    taken = _update_keys(object_type, True) | {"name", *(CONFIGURED if object_type == "ad" else ())}
    return [field for field in fields if field not in taken]


def _empties(name: str) -> bool:
    return name in EMPTIED or name in LISTS


def _empty(name: str) -> Any:
    return EMPTIED.get(name, [])


def _campaign_budget(by_ref: Mapping[str, Operation]) -> bool:
    campaign = by_ref.get("campaign")
    return bool(campaign and campaign.body.get("budget_optimize_on"))


def _is_at(body: Any, pointer: str) -> bool:
    for part in pointer.split("/")[1:]:
        try:
            body = body[int(part)] if isinstance(body, list) else body[part]
        except (KeyError, IndexError, TypeError, ValueError):
            return False
    return True
