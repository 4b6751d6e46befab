"""A plan's operations as people read them: what is created, under what, and the exact JSON behind it."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext

from trafficking.models import Plan, Ticket
from trafficking.services import current_plan


def plan_context(plan: Plan | None) -> dict[str, Any] | None:
    """For `trafficking/admin/plan.html`; None where nothing has been compiled."""
    if plan is None:
        return None
    return {
        "digest": plan.digest,
        "platform": plan.platform,
        "api_version": plan.api_version,
        "operations": [_operation(number, each) for number, each in enumerate(plan.operations, start=1)],
    }


def ticket_plan(ticket: Ticket) -> Plan | None:
    """The plan that would be sent now, else the newest one that was."""
    return current_plan(ticket) or ticket.plans.order_by("-id").first()


def _operation(number: int, stored: dict[str, Any]) -> dict[str, Any]:
    objects = stored.get("objects") or []
    return {
        "number": number,
        "action": stored["action"],
        "type": stored["object_type"].replace("_", " "),
        "name": objects[0]["name"] if objects else "",
        "more": _more(objects),
        "call": f"{stored['method']} {stored['path']}",
        "parents": ", ".join(stored.get("parents") or ()),
        "facts": _facts(stored.get("body")),
        "json": json.dumps(stored.get("body"), indent=2, ensure_ascii=False),
    }


def _more(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": each["type"].replace("_", " "), "name": each["name"]} for each in objects[1:]]


def _facts(body: Any) -> list[tuple[str, str]]:
    """The plain values at the top of a body: what a reader looks for first."""
    if not isinstance(body, dict):
        return []
    plain = [(key, value) for key, value in body.items() if isinstance(value, str | int | float | bool) and key != "name"]
    return [(key.replace("_", " "), _short(value)) for key, value in plain][:12]


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    text = str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
