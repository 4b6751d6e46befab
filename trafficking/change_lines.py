"""A plan's changes in plain words: by object, field by field, before and after, and what each means."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from governance import money
from governance.models import AdAccount
from trafficking import held
from trafficking.admin_following import moment
from trafficking.models import PlatformObject, Ticket
from trafficking.platforms import base
from trafficking.platforms.registry import platform

NOTHING = "–"
#: What a change of this kind means for the object that it changes: words, and the badge's colour.
KINDS: dict[str, tuple[Any, str]] = {
    "update": (_("Update"), "info"),
    "learning": (_("Update that restarts learning"), "warning"),
    "replace": (_("Replaced by a new one"), "warning"),
    "impossible": (_("Impossible"), "danger"),
    "create": (_("New, starts paused"), "success"),
    "archive": (_("Archived for good"), "danger"),
    "pause": (_("Paused"), "info"),
    "activate": (_("Activated"), "success"),
    "upload": (_("Uploaded to the library"), "info"),
}
STATUS_WORDS = {"ACTIVE": _("active"), "PAUSED": _("paused"), "ARCHIVED": _("archived")}
TYPE_WORDS = {
    "campaign": _("campaign"), "budget": _("campaign budget"), "ad_set": _("ad set"), "ad": _("ad"),
    "creative": _("creative"), "media": _("file"), "asset": _("asset"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One field: `before` and `after` as people read them; "" for `field` where the object comes or goes."""

    field: str
    before: str
    after: str
    kind: str
    meaning: str
    badge: str
    drift: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """One object with its lines."""

    type: str
    name: str
    lines: list[Line]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def changed_objects(
    changes: Sequence[Mapping[str, Any]], known: base.Platform, account: AdAccount
) -> list[Changed]:
    """Stored changes (`Change.as_dict`) grouped by object, in the order of the plan."""
    grouped: dict[str, Changed] = {}
    for each in changes:
        group = grouped.setdefault(each["ref"], Changed(type_words(each["type"]), each["name"], []))
        group.lines.append(_line(each, known, account))
    return list(grouped.values())


def _line(change: Mapping[str, Any], known: base.Platform, account: AdAccount) -> Line:
    field = change.get("field", "")
    meaning, badge = KINDS.get(change["kind"], (change["kind"], ""))
    return Line(
        field=field_words(field),
        before=value_words(known, field, change.get("before"), account) if field else "",
        after=value_words(known, field, change.get("after"), account) if field else "",
        kind=change["kind"],
        meaning=str(meaning),
        badge=badge,
        drift=change.get("note") == "drift",
    )


def type_words(code: str) -> str:
    return str(TYPE_WORDS.get(code, code.replace("_", " ")))


def field_words(field: str) -> str:
    """The platform's own word for a field, readable: "lifetime budget", "targeting · geo locations"."""
    spaced = "".join(f" {each.lower()}" if each.isupper() else each for each in field)
    return spaced.replace("_", " ").replace(".", " · ").strip()


def value_words(known: base.Platform, field: str, value: Any, account: AdAccount) -> str:
    """A value as people read it: amounts in the account's currency, moments by its clocks, lists with commas."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if (amount := _amount(known, field, value, account.currency)) is not None:
        return amount
    if isinstance(value, str):
        return (
            str(STATUS_WORDS.get(value, ""))
            if field == "status" and value in STATUS_WORDS
            else _moment(value, account.time_zone)
        )
    if isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        return ", ".join(str(each) for each in value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _amount(known: base.Platform, field: str, value: Any, currency: str) -> str | None:
    unit = known.money_unit(field, currency)
    if unit is None:
        return None
    try:
        return money.shown(Decimal(str(value)) * unit, currency)
    except InvalidOperation:
        return None


def _moment(text: str, zone: str) -> str:
    """An ISO 8601 moment with its offset by the clocks of `zone`; any other text as it stands."""
    if len(text) < 16 or text[10] != "T":
        return text
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment(read, zone) if read.tzinfo else text


# ------------------------------------------------------------------------------------- what it spends


def spending_words(ticket: Ticket) -> list[str]:
    """Of an ACTIVATE ticket: what starts to spend, and when. [] for all others."""
    if ticket.request_type != Ticket.RequestType.ACTIVATE:
        return []
    at = moment(ticket.go_live_at, ticket.ad_account.time_zone)
    begins = gettext("It goes live on %(moment)s, without anybody.") % {"moment": at}
    return [*starts_spending(ticket), begins if at else gettext("It goes live as soon as it is deployed.")]


def starts_spending(ticket: Ticket) -> list[str]:
    """The amounts in words, of what the ticket's scope would activate."""
    currency = ticket.ad_account.currency
    amounts = {kind: money.shown(total, currency) for kind, total in spending(ticket).items()}
    texts = {
        "DAILY": gettext("It starts spending: up to %(amount)s a day."),
        "LIFETIME": gettext("It starts spending: up to %(amount)s over the whole flight."),
    }
    words = [texts[kind] % {"amount": amount} for kind, amount in amounts.items()]
    unread = gettext("It starts spending, and no budget of it is known here: look on the platform first.")
    return words or [unread]


def spending(ticket: Ticket) -> dict[str, Decimal]:
    """DAILY and LIFETIME budgets of what the ticket activates, as the platform was last seen to have them."""
    known = platform(ticket.ad_account.platform)
    currency = ticket.ad_account.currency
    totals: dict[str, Decimal] = {}
    for row in _spenders(ticket):
        budget = known.budget_of(row.live if row.live is not None else row.applied, currency)
        if budget is not None:
            totals[budget.kind] = totals.get(budget.kind, Decimal(0)) + budget.amount
    return totals


def _spenders(ticket: Ticket) -> Iterable[PlatformObject]:
    rows = list(held.rows_of(ticket).filter(object_type__in=("campaign", "budget", "ad_set", "ad")))
    scope = set(ticket.scope)
    above = {row.parent for row in rows if row.object_type == "ad" and row.intent in scope}
    for row in rows:
        if row.object_type in ("campaign", "budget") or (
            row.object_type == "ad_set"
            and (row.intent in scope or row.ref in above or not (scope or row.held_back))
        ):
            yield row
