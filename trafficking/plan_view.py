"""A plan's operations as people read them: what is created, under what, and the exact JSON behind it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import F
from django.utils.translation import gettext, ngettext

from campaigns.admin import days
from governance import money
from governance.platforms import Platform
from trafficking import rules
from trafficking.admin_following import moment, scope_names
from trafficking.change_lines import changed_objects, spending_words
from trafficking.models import AdSet, Approval, Plan, Ticket
from trafficking.platforms.registry import platform
from trafficking.services import approvers, current_plan
from trafficking.snapshots import ticket_snapshot
from trafficking.statuses import GUARDED, Status


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
        "summary": summary(plan, ticket),
        "platform": Platform(plan.platform).label,
        "api_version": plan.api_version,
        "operations": _tree(
            plan.operations,
            [_operation(number, each, kinds) for number, each in enumerate(plan.operations, start=1)],
        ),
    }


#: Deeper than this nothing is indented further.
DEEPEST = 3


def _tree(stored: list[dict[str, Any]], read: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The calls with each under the last of those that make its parents; the numbers say in what order they are sent."""
    made_by = {each["ref"]: at for at, call in enumerate(stored) for each in call.get("objects") or ()}
    under: dict[int | None, list[int]] = {}
    depths: list[int] = []
    for at, call in enumerate(stored):
        # a parent is always sent before, so this ends; an ad stands under its ad set, not under its creative
        above = [made_by[ref] for ref in call.get("parents") or () if made_by.get(ref, at) < at]
        parent = max(above, key=lambda one: (depths[one], one), default=None)
        depths.append(0 if parent is None else depths[parent] + 1)
        under.setdefault(parent, []).append(at)

    def walk(top: int | None) -> Iterator[dict[str, Any]]:
        for at in under.get(top, ()):
            yield {**read[at], "depth": min(depths[at], DEEPEST)}
            yield from walk(at)

    return list(walk(None))


#: Above this share a changed amount leaps to the eye: a slip of a decimal point is ten times or a hundred.
LEAP = 5


def summary(plan: Plan, ticket: Ticket) -> dict[str, Any]:
    """The strip at the top: what it may spend, when, how many objects, the largest change, whose eyes."""
    currency = ticket.ad_account.currency
    spend = rules.spend(ticket_snapshot(ticket)) if ticket.request_type in Ticket.CONTENT else None
    return {
        "day": money.shown(spend[0].quantize(Decimal("0.01")), currency) if spend else "",
        "flight_total": money.shown(spend[1].quantize(Decimal("0.01")), currency) if spend else "",
        "units": _in_units(plan, currency),
        "days": days(ticket.start_on, ticket.end_on),
        "objects": _counted(plan),
        "largest": _largest(plan, currency),
    }


def _counted(plan: Plan) -> list[tuple[int, str]]:
    """How many of each kind it touches, in the order of the tree."""
    kinds = [each["type"] for stored in plan.operations for each in stored.get("objects") or ()]
    return [(count, _words(kind)) for kind, count in Counter(kinds).items()]


def _amounts(body: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value of a body with its last name."""
    if isinstance(body, dict):
        for key, value in body.items():
            yield from _amounts(value, key)
    elif isinstance(body, list):
        for each in body:
            yield from _amounts(each, at)
    else:
        yield at, body


def _in_units(plan: Plan, currency: str) -> list[dict[str, str]]:
    """Budgets as the platform gets them beside what they are in the account's currency, worked back from the body."""
    known = platform(plan.platform)
    found = {}
    for stored in plan.operations:
        for field, value in _amounts(stored.get("body")):
            unit = known.money_unit(field, currency) if _is_budget(field, value) else None
            if unit is not None:
                amount = money.shown(Decimal(str(value)) * unit, currency)
                found[field, str(value)] = {"field": field, "sent": str(value), "means": amount}
    return list(found.values())[:6]


def _is_budget(field: str, value: Any) -> bool:
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return plain and ("budget" in field.lower() or "micros" in field.lower()) and _number(value) is not None


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _largest(plan: Plan, currency: str) -> dict[str, Any] | None:
    """The amount that changes most, by how many times."""
    known, found = platform(plan.platform), []
    for each in plan.changes:
        unit = known.money_unit(each["field"].rpartition(".")[2], currency) if each.get("field") else None
        before, after = _number(each.get("before")), _number(each.get("after"))
        if unit is None or not before or not after or before < 0 or after < 0:
            continue
        factor = max(after / before, before / after)
        found.append((factor, each["name"], before * unit, after * unit))
    if not found:
        return None
    factor, name, before, after = max(found, key=lambda one: one[0])
    return {
        "name": name, "before": money.shown(before, currency), "after": money.shown(after, currency),
        "times": f"{factor:.3g}", "leaps": factor >= LEAP,
    }  # fmt: skip


def eyes(plan: Plan, user: Any) -> str:
    """Whether this person may approve it, in words."""
    ticket = plan.ticket
    if plan.approvers_needed == 0:
        return gettext("Nobody has to approve it: a rule says so.")
    if ticket.requested_by_id == user.pk:
        return gettext("You asked for it, so someone else approves.")
    if user.pk in approvers(plan):
        return gettext("You have approved it: another person decides.")
    return gettext("%(who)s asked for it; you are the second pair of eyes.") % {
        "who": ticket.requested_by or "–"
    }


def next_waiting(ticket: Ticket, user: Any) -> Ticket | None:
    """The oldest plan that waits for this person's approval, after this one. Asked by the index on status."""
    if not user.has_perm("trafficking.approve_ticket"):
        return None
    rows = Ticket.objects.visible_to(user).filter(status=Status.READY_FOR_API).exclude(pk=ticket.pk)
    rows = rows.exclude(requested_by=user).exclude(plans__approvals__by=user, plans__digest=F("digest"))
    return rows.filter(pk__gt=ticket.pk).order_by("pk").first() or rows.order_by("pk").first()


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
        "built_rules": gettext("the rules that data admins built"),
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
