"""A plan's operations as people read them: what is created, under what, and the exact JSON behind it."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext

from campaigns.admin import days
from governance import money
from governance.platforms import Platform
from trafficking.models import AdSet, Plan, Ticket
from trafficking.services import current_plan


def plan_context(plan: Plan | None) -> dict[str, Any] | None:
    """For `trafficking/admin/plan.html`; None where nothing has been compiled."""
    if plan is None:
        return None
    kinds = {
        each["ref"]: _words(each["type"])
        for stored in plan.operations
        for each in stored.get("objects") or ()
    }
    return {
        "digest": plan.digest,
        "platform": Platform(plan.platform).label,
        "api_version": plan.api_version,
        "operations": [
            _operation(number, each, kinds) for number, each in enumerate(plan.operations, start=1)
        ],
    }


def ad_set_lines(ticket: Ticket) -> list[dict[str, Any]]:
    """What the ticket's ad sets come to, in the person's format: read before the calls."""
    currency = ticket.ad_account.currency
    rows = ticket.ad_sets.prefetch_related("ads")
    return [
        {
            "row": row,
            "budget": f"{money.shown(row.budget, currency)} · {row.get_budget_type_display()}"
            if row.budget
            else "",
            "days": days(row.start_on or ticket.start_on, row.end_on or ticket.end_on),
            "where": _where(row.geo),
            "who": _who(row),
            "ads": row.ads.all(),
        }
        for row in rows
    ]


def _where(geo: dict[str, Any]) -> str:
    places = [each.get("name") or each["id"] for key in ("regions", "cities") for each in geo.get(key, ())]
    return ", ".join([*geo.get("countries", ()), *places])


def _who(row: AdSet) -> str:
    ages = f"{row.age_min or ''}–{row.age_max or ''}" if row.age_min or row.age_max else gettext("all ages")
    return ", ".join([ages, *(each.lower() for each in row.genders), *row.languages])


def ticket_plan(ticket: Ticket) -> Plan | None:
    """The plan that would be sent now, else the newest one that was."""
    return current_plan(ticket) or ticket.plans.order_by("-id").first()


def _operation(number: int, stored: dict[str, Any], kinds: dict[str, str]) -> dict[str, Any]:
    objects = stored.get("objects") or []
    return {
        "number": number,
        "action": stored["action"],
        "type": _words(stored["object_type"]),
        "name": objects[0]["name"] if objects else "",
        "more": _more(objects),
        "call": f"{stored['method']} {stored['path']}",
        "parents": ", ".join(kinds.get(ref, ref) for ref in stored.get("parents") or ()),
        "facts": _facts(stored.get("body")),
        "json": json.dumps(stored.get("body"), indent=2, ensure_ascii=False),
    }


def _words(code: str) -> str:
    return code.replace("_", " ")


def _more(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": _words(each["type"]), "name": each["name"]} for each in objects[1:]]


def _facts(body: Any) -> list[tuple[str, str]]:
    """The plain values at the top of a body. Stand-ins for ids to come say nothing to a reader, and amounts in
    the platform's unit would mislead: they stand above in the account's currency, and exactly in the JSON."""
    if not isinstance(body, dict):
        return []
    return [
        (_words(key), _short(value)) for key, value in body.items() if _is_plain(value) and _tells(key, value)
    ][:12]


def _tells(key: str, value: Any) -> bool:
    amount = str(value).replace(".", "", 1).isdecimal() and any(
        word in key.lower() for word in ("budget", "bid", "micros")
    )
    return key != "name" and not amount


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool) and not str(value).startswith("<")


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    text = str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
