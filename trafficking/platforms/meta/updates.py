"""Changes of what exists on Meta, as operations, and what each change means for what runs.

An ad set's `targeting` is sent whole, for Meta replaces it whole. A creative can't be changed: an ad whose creative
is to be otherwise gets a new one, and is pointed to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trafficking.platforms.base import (
    Action,
    Change,
    ChangeKind,
    Held,
    Operation,
    PlannedObject,
    RunStatus,
    Wanted,
)
from trafficking.platforms.meta.adopted import adopted_values, with_values
from trafficking.platforms.meta.fields import whole
from trafficking.platforms.meta.reference import API_VERSION, CHANGES, CLEARED, LEARNING_SHARE

_ACTIONS: Mapping[RunStatus, Action] = {"ACTIVE": "activate", "PAUSED": "pause", "ARCHIVED": "archive"}
_BUDGETS = ("daily_budget", "lifetime_budget")
_CAPPED = ("COST_CAP", "LOWEST_COST_WITH_BID_CAP", "LOWEST_COST_WITH_MIN_ROAS")
#: Fields that Meta takes away by itself when the bid strategy that needs them goes.
_GONE_WITH_STRATEGY = ("bid_amount", "bid_constraints")


def object_path(external_id: str) -> str:
    return f"/{API_VERSION}/{external_id}"


# ---------------------------------------------------------------------------------- what it means


def change_kind(object_type: str, field: str, before: Any, after: Any) -> ChangeKind:
    """Meaning of a change, by the reference; a field that it doesn't know can't be changed."""
    kind = _stated(object_type, field)
    if field in _BUDGETS and (before is None or after is None):
        # Another kind or another level of budget: the campaign would be another, an ad set can be made anew.
        return "impossible" if object_type == "campaign" else "replace"
    if object_type == "campaign" and field == "bid_strategy" and after in _CAPPED and before not in _CAPPED:
        return "impossible"  # Meta wants the amounts of all ad sets in the same call
    if after is None and not _clearable(object_type, field):
        return "impossible"
    if kind == "amount":
        return "learning" if _moves_far(before, after) else "update"
    return kind  # type: ignore[return-value]


def _stated(object_type: str, field: str) -> str:
    """By the field's own name, else by what it stands below."""
    known = CHANGES.get(object_type, {})
    while field:
        if field in known:
            return known[field][0]
        field = field.rpartition(".")[0]
    return "impossible"


def _clearable(object_type: str, field: str) -> bool:
    top = field.partition(".")[0]
    return (
        top in ("targeting", "creative", *_GONE_WITH_STRATEGY)
        or top in CLEARED.get(object_type, {})
        or _stated(object_type, field) == "replace"
        or field in ("is_adset_budget_sharing_enabled", "special_ad_categories")
    )


def _moves_far(before: Any, after: Any) -> bool:
    """Whether an amount moves by more than the share that restarts learning; unknown amounts do."""
    try:
        old, new = Decimal(str(before)), Decimal(str(after))
    except ArithmeticError:
        return True
    return old <= 0 or abs(new - old) > old * LEARNING_SHARE


# ------------------------------------------------------------------------------------- operations


def update_operations(
    wanted: Wanted, held: Held, changes: Sequence[Change], create: Mapping[str, Operation]
) -> list[Operation]:
    """What brings one object to what is wanted: for an ad with another creative, the creative first."""
    source = create[wanted.ref]
    body, sources = whole(source, create)
    kept = adopted_values(wanted, held)
    body = with_values(wanted.type, body, kept)
    tops = list(dict.fromkeys(each.field.partition(".")[0] for each in changes))
    sent = _body(wanted.type, body, tops)
    expect = {each.field: each.after for each in changes}
    creative = create.get(source.bindings.get("/creative/creative_id", "")) if "creative" in tops else None
    bindings = {}
    if creative is not None:
        sent["creative"] = source.body["creative"]
        bindings["/creative/creative_id"] = creative.ref
        creative = _as_adopted(creative, body["creative"], kept)
    if not sent:
        return []
    update = Operation(
        ref=f"update:{wanted.ref}",
        action="update",
        object_type=wanted.type,
        method="POST",
        path=object_path(held.external_id),
        body=sent,
        objects=(PlannedObject(wanted.ref, wanted.type, wanted.name, wanted.intent, held.external_id, expect),),
        bindings=bindings,
        sources={at: field for at, field in sources.items() if _in(at, sent)},
    )  # fmt: skip
    return [creative, update] if creative is not None else [update]


def _as_adopted(creative: Operation, body: Mapping[str, Any], kept: Mapping[str, Any]) -> Operation:
    """The new creative with what a person let stand; a file that it no longer waits for is not bound."""
    pointers = {"/" + name.removeprefix("creative.").replace(".", "/") for name in kept}
    bindings = {
        at: ref for at, ref in creative.bindings.items() if not any(at.startswith(each) for each in pointers)
    }
    return replace(creative, body=body, bindings=bindings) if kept else creative


def _body(object_type: str, body: Mapping[str, Any], tops: Sequence[str]) -> dict[str, Any]:
    """The changed fields as a create would say them, and what Meta wants beside them."""
    names = list(tops)
    if "bid_strategy" in names:  # a strategy without its amount is refused
        names += [name for name in _GONE_WITH_STRATEGY if name in body and name not in names]
    if "adset_schedule" in names and "pacing_type" in body and "pacing_type" not in names:
        names.append("pacing_type")
    cleared = CLEARED.get(object_type, {})
    sent = {name: body[name] if name in body else cleared.get(name) for name in names}
    return {name: value for name, value in sent.items() if value is not None}


def _in(pointer: str, body: Any) -> bool:
    for part in pointer.split("/")[1:]:
        if isinstance(body, list) and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        elif isinstance(body, Mapping) and part in body:
            body = body[part]
        else:
            return False
    return True


def status_operation(held: Held, status: RunStatus) -> Operation:
    action = _ACTIONS[status]
    planned = PlannedObject(held.ref, held.type, held.name, held.intent, held.external_id, {"status": status})
    return Operation(
        ref=f"{action}:{held.ref}",
        action=action,
        object_type=held.type,
        method="POST",
        path=object_path(held.external_id),
        body={"status": status},
        objects=(planned,),
    )


def rename_operation(held: Held, name: str) -> Operation:
    planned = PlannedObject(held.ref, held.type, name, held.intent, held.external_id, {"name": name})
    return Operation(
        ref=f"update:{held.ref}",
        action="update",
        object_type=held.type,
        method="POST",
        path=object_path(held.external_id),
        body={"name": name},
        objects=(planned,),
    )
