"""A plan's operations as people read them: what is created, under what, and the exact JSON behind it."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext, ngettext

from campaigns.admin import days
from governance import money
from governance.platforms import Platform
from trafficking.admin_following import moment, scope_names
from trafficking.change_lines import changed_objects, spending_words
from trafficking.models import AdSet, Approval, Plan, Ticket
from trafficking.platforms.registry import platform
from trafficking.services import approvers, current_plan
from trafficking.statuses import GUARDED


def plan_context(plan: Plan | None) -> dict[str, Any] | None:
    """For `trafficking/admin/plan.html`; None where nothing has been compiled."""
    if plan is None:
        return None
    kinds = {
        each["ref"]: _words(each["type"])
        for stored in plan.operations
        for each in stored.get("objects") or ()
    }
    ticket = plan.ticket
    known = platform(plan.platform)
    return {
        "row": plan,
        "changed": changed_objects(plan.changes, known, ticket.ad_account),
        "approval": approval_state(plan),
        "rests_on": rests_on(plan, ticket) if ticket.status in GUARDED else [],
        "spending": spending_words(ticket),
        "scope": scope_names(ticket),
        "switches": ticket.request_type not in Ticket.CONTENT,
        "follows": ticket.request_type != Ticket.RequestType.CREATE,
        "note": ticket.request_note,
        "creates": any(each["action"] == "create" for each in plan.operations),
        "digest": plan.digest,
        "platform": Platform(plan.platform).label,
        "api_version": plan.api_version,
        "operations": [
            _operation(number, each, kinds) for number, each in enumerate(plan.operations, start=1)
        ],
    }


def approval_state(plan: Plan) -> dict[str, Any]:
    """Whose approvals stand, how many are needed and by which rule; waived ones are told with that rule's reason."""
    decisions = list(plan.approvals.select_related("by").order_by("id"))
    standing = approvers(plan)
    names = {each.by_id: str(each.by) for each in decisions if each.by_id in standing}
    waived = next((each for each in reversed(decisions) if each.decision == Approval.Decision.WAIVED), None)
    return {
        "needed": plan.approvers_needed,
        "given": sorted(names.values()),
        "rule": str(plan.approval_rule) if plan.approval_rule else "",
        "waived": waived is not None and plan.approvers_needed == 0,
        "why_waived": waived.comment if waived else "",
    }


def rests_on(plan: Plan, ticket: Ticket) -> list[str]:
    """What the approval rests on beside the calls themselves: a change of any of it voids the approval."""
    words = {
        "convention": gettext("naming convention %(number)s") % {"number": plan.convention.number},
        "rules": gettext("the QA rules and their thresholds"),
        "safety": gettext("the brand's safety settings"),
        "approval": gettext("the approval rule"),
        "live": _live_words(plan.basis.get("live") or {}),
        "go_live_at": moment(ticket.go_live_at, ticket.ad_account.time_zone),
    }
    return [text for part, text in words.items() if plan.basis.get(part) and text]


def _live_words(live: dict[str, str]) -> str:
    return ngettext(
        "%(count)s object as the platform has it", "%(count)s objects as the platform has them", len(live)
    ) % {"count": len(live)}


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
