"""One change to many campaigns that are built: previewed before and after, then one following ticket for each.
Tickets that are still drafts are edited in place by `bulk_edits`, with the same changes.

Each ticket is written whole or not at all, then submitted; what becomes of one stops no other, and each is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance import money
from governance.findings import Finding, blocking
from trafficking import held, requests, services
from trafficking.change_lines import starts_spending
from trafficking.models import Ad, AdSet, Ticket
from trafficking.platforms.registry import platform

Kind = Literal[
    "budget_percent", "budget_to", "shift_days", "start_on", "end_on", "landing_page", "pause", "activate"
]
Type = Ticket.RequestType
KINDS: tuple[tuple[str, Any], ...] = (
    ("budget_percent", gettext_lazy("Budget up or down by a share")),
    ("budget_to", gettext_lazy("Budget to an amount")),
    ("shift_days", gettext_lazy("Dates: earlier or later by days")),
    ("start_on", gettext_lazy("First day")),
    ("end_on", gettext_lazy("Last day")),
    ("landing_page", gettext_lazy("Landing page: find and replace")),
    ("pause", gettext_lazy("Pause")),
    ("activate", gettext_lazy("Activate")),
)
SWITCHES: dict[str, str] = {"pause": Type.PAUSE, "activate": Type.ACTIVATE}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of all: `percent` for budget_percent (10 is a tenth more, -20 a fifth less), `amount` in each
    account's own currency, `days` for shift_days (-7 is a week earlier), `start_on` and `end_on` a day by each account's
    clocks, `find` and `put` for landing_page."""

    kind: Kind
    percent: Decimal | None = None
    amount: Decimal | None = None
    days: int | None = None
    start_on: date | None = None
    end_on: date | None = None
    find: str = ""
    put: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One value on one row of the tree, as people read it."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Of one campaign: the tree that would be changed, and how; `refusal` is why it can't be, in words.

    `in_place`: the ticket itself is edited, and `findings` are what QA would then say; else a ticket is made that follows
    it. `note` is what else comes of it."""

    ticket: Ticket
    tree: Ticket | None
    steps: tuple[Step, ...] = ()
    refusal: str = ""
    in_place: bool = False
    findings: tuple[Finding, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """`made` follows `ticket`, or is it where it was edited in place; without one nothing was written for it. `problem` in
    words, "" where QA has passed it, or where the edit was saved."""

    ticket: Ticket
    made: Ticket | None
    problem: str = ""


@dataclass(slots=True)
class _Changed:
    """Rows of one tree with their new values, unsaved."""

    ticket: Ticket | None = None
    ad_sets: list[AdSet] = field(default_factory=list)
    ads: list[Ad] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


# ------------------------------------------------------------------------------------------- preview


def preview(tickets: Sequence[Ticket], wish: Wish) -> list[Preview]:
    """What the wish would do to each campaign; a campaign that is named twice stands once. Writes nothing."""
    _refuse_incomplete(wish)
    seen: set[tuple[int, int]] = set()
    found = []
    for ticket in tickets:
        key = (ticket.campaign_id, ticket.channel_id)
        if key not in seen:
            seen.add(key)
            found.append(_previewed(ticket, wish))
    return found


def _refuse_incomplete(wish: Wish) -> None:
    missing = {
        "budget_percent": ("percent", not wish.percent, _("Say by how much: 10 for a tenth more, -20 for a fifth less.")),
        "budget_to": ("amount", wish.amount is None, _("Say the amount.")),
        "shift_days": ("days", not wish.days, _("Say by how many days: 7 for a week later, -7 for a week earlier.")),
        "start_on": ("start_on", wish.start_on is None, _("Say the day.")),
        "end_on": ("end_on", wish.end_on is None, _("Say the day.")),
        "landing_page": ("find", not wish.find, _("Say what to find in the landing pages.")),
    }  # fmt: skip
    if wish.kind in missing:
        name, lacking, text = missing[wish.kind]
        if lacking:
            raise ValidationError({name: text})
    if wish.kind == "budget_percent" and wish.percent is not None and wish.percent <= -100:
        raise ValidationError({"percent": _("A budget can't be lowered by all of it: pause the campaign.")})


def _previewed(ticket: Ticket, wish: Wish) -> Preview:
    tree = requests.current_tree(ticket.campaign_id, ticket.channel_id)
    if tree is None or not held.campaign_id_of(tree):
        return Preview(ticket, None, refusal=_("Nothing of this campaign is on the platform."))
    if wish.kind in SWITCHES:
        return _switch_preview(ticket, tree, wish)
    if open_one := _open_change(tree):
        text = _("Ticket %(number)s changes it and is still open: finish or cancel that first.")
        return Preview(ticket, tree, refusal=text % {"number": open_one.pk})
    changed = _apply(tree, wish)
    if not changed.steps:
        return Preview(ticket, tree, refusal=_("There is nothing of it to change."))
    return Preview(ticket, tree, tuple(changed.steps))


def _switch_preview(ticket: Ticket, tree: Ticket, wish: Wish) -> Preview:
    campaign = held.rows_of(tree).filter(object_type="campaign").first()
    before = campaign.get_status_display() if campaign else ""
    after = _("Paused") if wish.kind == "pause" else " ".join([_("Active."), *starts_spending(tree)])
    if campaign is not None and wish.kind == "pause" and campaign.status == "PAUSED":
        return Preview(ticket, tree, refusal=_("It is paused already, as it was last read."))
    return Preview(ticket, tree, (Step(_("The whole campaign"), before, after),))


def _open_change(tree: Ticket) -> Ticket | None:
    ended = (services.Status.CANCELLED, services.Status.TRAFFICKED_SUCCESS)
    rows = Ticket.objects.filter(
        campaign_id=tree.campaign_id, channel_id=tree.channel_id, request_type__in=[Type.UPDATE, Type.ADD, Type.RENAME]
    )  # fmt: skip
    return rows.exclude(status__in=ended).first()


# --------------------------------------------------------------------------------- the changed values


def _apply(tree: Ticket, wish: Wish) -> _Changed:
    """The rows of the tree that the wish changes, with their new values set on the objects and not saved."""
    changes: dict[str, Callable[[Ticket, Wish], _Changed]] = {
        "budget_percent": _budgets,
        "budget_to": _budgets,
        "shift_days": _shifted,
        "start_on": _starts,
        "end_on": _ends,
        "landing_page": _pages,
    }
    return changes[wish.kind](tree, wish)


def _budgets(tree: Ticket, wish: Wish) -> _Changed:
    found = _Changed()
    currency = tree.ad_account.currency
    if tree.budget is not None:
        after = _amount(tree, tree.budget, wish)
        _note(found, _("campaign budget"), tree.budget, after, currency)
        if after != tree.budget:
            found.ticket, tree.budget = tree, after
    for row in tree.ad_sets.all():
        if row.budget is None:
            continue
        after = _amount(tree, row.budget, wish)
        _note(found, row.name, row.budget, after, currency)
        if after != row.budget:
            row.budget = after
            found.ad_sets.append(row)
    return found


def _amount(tree: Ticket, before: Decimal, wish: Wish) -> Decimal:
    """Rounded to what the platform can express."""
    if wish.amount is not None and wish.kind == "budget_to":
        return wish.amount
    unit = platform(tree.ad_account.platform).currency_unit(tree.ad_account.currency) or Decimal("0.01")
    raised = before * (100 + (wish.percent or Decimal(0))) / 100
    return (raised / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit


def _note(found: _Changed, what: str, before: Decimal, after: Decimal, currency: str) -> None:
    if before != after:
        found.steps.append(Step(what, money.shown(before, currency), money.shown(after, currency)))


def _shifted(tree: Ticket, wish: Wish) -> _Changed:
    """The whole flight, and the days that ad sets have of their own, by as many days."""
    found, by = _Changed(ticket=tree), timedelta(days=wish.days or 0)
    _move(found, _("first day"), tree, "start_on", tree.start_on + by)
    _move(found, _("last day"), tree, "end_on", tree.end_on + by)
    for row in tree.ad_sets.all():
        own = [(name, day) for name in ("start_on", "end_on") if (day := getattr(row, name)) is not None]
        for name, day in own:
            _move(found, row.name, row, name, day + by)
        found.ad_sets += [row] if own else []
    return found


def _starts(tree: Ticket, wish: Wish) -> _Changed:
    """The flight's first day; ad sets with a first day of their own follow it where they began with the flight, and are
    shortened where they would begin earlier."""
    found, start, flight_start = _Changed(), wish.start_on, tree.start_on
    assert start is not None  # refused as incomplete
    if start != flight_start:
        found.ticket = tree
        _move(found, _("first day"), tree, "start_on", start)
    for row in tree.ad_sets.all():
        if (
            row.start_on is not None
            and row.start_on != start
            and (row.start_on == flight_start or row.start_on < start)
        ):
            _move(found, row.name, row, "start_on", start)
            found.ad_sets.append(row)
    return found


def _move(found: _Changed, what: str, row: Ticket | AdSet, name: str, day: date) -> None:
    found.steps.append(Step(what, _day(getattr(row, name)), _day(day)))
    setattr(row, name, day)


def _ends(tree: Ticket, wish: Wish) -> _Changed:
    """The flight's last day; ad sets with a last day of their own follow it where they ended with the flight, and are
    shortened where they would run longer."""
    found, end, flight_end = _Changed(), wish.end_on, tree.end_on
    assert end is not None  # refused as incomplete
    if end != flight_end:
        found.ticket, tree.end_on = tree, end
        found.steps.append(Step(_("last day"), _day(flight_end), _day(end)))
    for row in tree.ad_sets.all():
        if row.end_on is not None and row.end_on != end and (row.end_on == flight_end or row.end_on > end):
            found.steps.append(Step(row.name, _day(row.end_on), _day(end)))
            row.end_on = end
            found.ad_sets.append(row)
    return found


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")


def _pages(tree: Ticket, wish: Wish) -> _Changed:
    found = _Changed()
    for row in tree.ad_sets.prefetch_related("ads"):
        for ad in row.ads.all():
            page = ad.landing_page.replace(wish.find, wish.put)
            cards = [_card(each, wish) for each in ad.cards]
            if page == ad.landing_page and cards == ad.cards:
                continue
            pairs = [(ad.landing_page, page)]
            pairs += [
                (old.get("landing_page", ""), new.get("landing_page", ""))
                for old, new in zip(ad.cards, cards, strict=True)
            ]
            what = f"{row.name} · {ad.name}"
            found.steps += [Step(what, before, after) for before, after in pairs if before != after]
            ad.landing_page, ad.cards = page, cards
            found.ads.append(ad)
    return found


def _card(card: dict[str, Any], wish: Wish) -> dict[str, Any]:
    if "landing_page" not in card:
        return card
    return {**card, "landing_page": card["landing_page"].replace(wish.find, wish.put)}


# ------------------------------------------------------------------------------------------- carry out


def carry_out(tickets: Sequence[Ticket], wish: Wish, *, by: Any) -> list[Result]:
    """For each campaign a following ticket with the change, submitted. Raises ValidationError for an incomplete wish;
    everything else is told per campaign."""
    return [_carried_out(each, wish, by) for each in preview(tickets, wish)]


def _carried_out(found: Preview, wish: Wish, by: Any) -> Result:
    if found.refusal or found.tree is None:
        return Result(found.ticket, None, found.refusal)
    try:
        made = _made(found.tree, wish, by)
    except PermissionDenied:
        return Result(found.ticket, None, _("You may not do that with this ticket."))
    except ValidationError as refused:
        return Result(found.ticket, None, " ".join(refused.messages))
    return _submitted(Result(found.ticket, made), by)


def _made(tree: Ticket, wish: Wish, by: Any) -> Ticket:
    """The ticket with its changed copy: all of it or nothing."""
    request_type = SWITCHES.get(wish.kind, Type.UPDATE)
    with transaction.atomic():
        made = requests.start_request(base=tree, request_type=request_type, by=by, note=wish.note)
        if request_type == Type.UPDATE:
            _save(_apply(made, wish))
            made = Ticket.objects.select_related(
                "campaign__brand", "campaign__market", "channel", "ad_account"
            ).get(pk=made.pk)
    return made


def _save(changed: _Changed) -> None:
    if changed.ticket is not None:
        changed.ticket.save()
    for row in (*changed.ad_sets, *changed.ads):
        row.refresh_from_db(fields=["version"])
        row.save()


def _submitted(result: Result, by: Any) -> Result:
    assert result.made is not None
    try:
        report = services.submit_ticket(ticket=result.made, by=by)
    except (PermissionDenied, ValidationError) as refused:
        why = " ".join(getattr(refused, "messages", [])) or _("You may not submit it.")
        return replace(result, problem=_("It is a draft, and could not be submitted: %(why)s") % {"why": why})
    words = [f"{each.message} {each.remedy}".strip() for each in blocking(report.findings)]
    return replace(result, problem=" ".join(words))
