"""One change of dates or budget to many campaigns: read before and after first, then written, each whole or not at all.

A preview does what would be done and takes it back: it tells exactly what a confirmation writes, names included. Tickets
keep their own days and budgets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Campaign
from campaigns.services import save_campaign
from governance import money
from governance.access import reach_of
from governance.actor import acting
from governance.governed import StaleVersion

Kind = Literal["budget_percent", "budget_to", "shift_days", "start_on", "end_on"]
KINDS: tuple[tuple[str, Any], ...] = (
    ("budget_percent", gettext_lazy("Budget up or down by a share")),
    ("budget_to", gettext_lazy("Budget to an amount")),
    ("shift_days", gettext_lazy("Dates: earlier or later by days")),
    ("start_on", gettext_lazy("First day")),
    ("end_on", gettext_lazy("Last day")),
)
#: To what budgets are rounded: the smallest step that all platforms can express in most currencies.
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Edit:
    """What is asked of all: `percent` for budget_percent (10 is a tenth more, -20 a fifth less), `amount` in each campaign's
    own currency, `days` for shift_days (-7 is a week earlier)."""

    kind: Kind
    percent: Decimal | None = None
    amount: Decimal | None = None
    days: int | None = None
    start_on: date | None = None
    end_on: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one campaign: what changes, or why it can't be, in words."""

    campaign: Campaign
    steps: tuple[Step, ...] = ()
    refusal: str = ""


def preview(campaigns: Sequence[Campaign], edit: Edit, *, by: Any) -> list[Outcome]:
    """What the edit would do to each. Raises ValidationError for an incomplete edit; writes nothing."""
    _refuse_incomplete(edit)
    return [_outcome(each, edit, by, None, keep=False) for each in campaigns]


def carry_out(
    campaigns: Sequence[Campaign], edit: Edit, *, by: Any, seen: Mapping[int, int] | None = None
) -> list[Outcome]:
    """`seen`: primary key -> the version that the preview was read at; one that has moved on is left alone and told."""
    _refuse_incomplete(edit)
    seen = seen or {}
    return [_outcome(each, edit, by, seen.get(each.pk, each.version), keep=True) for each in campaigns]


def _refuse_incomplete(edit: Edit) -> None:
    missing = {
        "budget_percent": ("percent", not edit.percent, _("Say by how much: 10 for a tenth more, -20 for a fifth less.")),
        "budget_to": ("amount", edit.amount is None, _("Say the amount.")),
        "shift_days": ("days", not edit.days, _("Say by how many days: 7 for a week later, -7 for a week earlier.")),
        "start_on": ("start_on", edit.start_on is None, _("Say the day.")),
        "end_on": ("end_on", edit.end_on is None, _("Say the day.")),
    }  # fmt: skip
    name, lacking, text = missing[edit.kind]
    if lacking:
        raise ValidationError({name: text})
    if edit.kind == "budget_percent" and edit.percent is not None and edit.percent <= -100:
        raise ValidationError({"percent": _("A budget can't be lowered by all of it.")})


def _outcome(campaign: Campaign, edit: Edit, by: Any, seen: int | None, *, keep: bool) -> Outcome:
    try:
        with transaction.atomic():
            steps = _written(campaign, edit, by, seen)
            transaction.set_rollback(not keep)
    except PermissionDenied:
        return Outcome(campaign, refusal=_("That brand and market are not yours."))
    except OverflowError:
        return Outcome(campaign, refusal=_("There is no such day: shift by fewer days."))
    except ValidationError as refused:
        return Outcome(campaign, refusal=" ".join(refused.messages))
    return Outcome(campaign, steps)


def _written(campaign: Campaign, edit: Edit, by: Any, seen: int | None) -> tuple[Step, ...]:
    row = (
        Campaign.objects.select_for_update(of=("self",)).select_related("brand", "market").get(pk=campaign.pk)
    )
    if not (by.has_perm("campaigns.change_campaign") and reach_of(by).covers(row.brand_id, row.market_id)):
        raise PermissionDenied
    if seen is not None and row.version != seen:
        raise StaleVersion(row)
    steps = _apply(row, edit)
    if not steps:
        raise ValidationError(_("There is nothing of it to change."), code="nothing_to_change")
    names = _names(row)
    with acting(by, reason=edit.note or "changed in bulk"):
        save_campaign(
            campaign=row, channels=[each.channel for each in row.channel_names.select_related("channel")]
        )
    after = _names(row)
    renamed = [
        Step(_("governed name"), names[pk], after[pk])
        for pk in names
        if after.get(pk, names[pk]) != names[pk]
    ]
    return (*steps, *renamed)


def _names(row: Campaign) -> dict[int, str]:
    return dict(row.channel_names.values_list("channel_id", "governed_name"))


def _apply(row: Campaign, edit: Edit) -> list[Step]:
    before = (row.budget, row.start_on, row.end_on)
    if edit.kind == "budget_percent":
        raised = row.budget * (100 + (edit.percent or Decimal(0))) / 100
        row.budget = raised.quantize(CENT, ROUND_HALF_UP)
    elif edit.kind == "budget_to" and edit.amount is not None:
        row.budget = edit.amount
    elif edit.kind == "shift_days":
        by = timedelta(days=edit.days or 0)
        row.start_on, row.end_on = row.start_on + by, row.end_on + by
    else:
        row.start_on, row.end_on = edit.start_on or row.start_on, edit.end_on or row.end_on
    pairs = [
        (_("budget"), money.shown(before[0], row.currency), money.shown(row.budget, row.currency)),
        (_("first day"), date_format(before[1], "DATE_FORMAT"), date_format(row.start_on, "DATE_FORMAT")),
        (_("last day"), date_format(before[2], "DATE_FORMAT"), date_format(row.end_on, "DATE_FORMAT")),
    ]
    return [Step(what, old, new) for what, old, new in pairs if old != new]
