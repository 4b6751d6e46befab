"""Meta's own values that a person let stand, put back into a body that replaces the whole of what they stand in.

`targeting` and a creative are sent whole: where one of their fields changes, the adopted values of the others must go
along, or they would be taken back unasked. Fields are in their one form (`fields.py`), bodies in Meta's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from trafficking.platforms.base import Held, Wanted
from trafficking.platforms.changes import with_adopted
from trafficking.platforms.meta import fields


def adopted_values(wanted: Wanted, held: Held) -> dict[str, Any]:
    """Fields that stay as the platform has them, with their values."""
    asked = {name: wanted.fields.get(name) for name in held.adopted}
    kept = {name: with_adopted(held, name, value) for name, value in asked.items()}
    return {name: value for name, value in kept.items() if value != asked[name]}


def with_values(object_type: str, body: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The body with these fields said Meta's way; None takes a field away."""
    changed = copy.deepcopy(dict(body))
    leaves = fields.LEAVES.get(object_type, {})
    for name, value in values.items():
        if name in leaves:
            _put(changed, name.split("."), _said(leaves[name], value))
    return changed


def _put(body: dict[str, Any], way: list[str], value: Any) -> None:
    *above, last = way
    for part in above:
        if not isinstance(body.get(part), dict):
            body[part] = {}
        body = body[part]
    if value is None:
        body.pop(last, None)
    else:
        body[last] = value


def _said(normal: Callable[[Any], Any], value: Any) -> Any:
    """Meta's way of a value; one of an unexpected kind goes as it is, and Meta judges it."""
    say = _SAY.get(normal)
    if say is None or value is None:
        return value
    try:
        return say(value)
    except (TypeError, ValueError, AttributeError, KeyError):
        return value


def _nested(card: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in card.items():
        _put(body, name.split("."), value)
    return body


def _spans(value: Any) -> list[dict[str, Any]]:
    return [{**{k: v for k, v in span.items() if k != "day"}, "days": [span["day"]]} for span in value]


_SAY: dict[Any, Callable[[Any], Any]] = {
    fields.keys: lambda value: [{"key": each} for each in value],
    fields.ids: lambda value: [{"id": each} for each in value],
    fields.any_of: lambda value: [
        {kind: [{"id": each} for each in ids] for kind, ids in group.items()} for group in value
    ],
    fields.hours: _spans,
    fields.amount: int,
    fields.cards: lambda value: [_nested(each) for each in value],
}
