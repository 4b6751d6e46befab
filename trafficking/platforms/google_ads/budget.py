"""The campaign's budget: Google has no other level.

Lifetime amounts are `total_amount_micros` with the period CUSTOM_PERIOD, which Search and Demand Gen take when
the campaign has both dates (developers.google.com/google-ads/api/docs/campaigns/budgets/overview;
CampaignError.END_DATE_TIME_REQUIRED_FOR_TOTAL_BUDGET). Display does not: its daily amount is derived, and said.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from trafficking.platforms.base import Budget, TicketSnapshot
from trafficking.platforms.google_ads.money import daily_micros, from_micros, positive_micros
from trafficking.platforms.google_ads.notes import Notes
from trafficking.platforms.google_ads.reference import DEMAND_GEN, DISPLAY, LIMITS
from trafficking.platforms.google_ads.schedule import Flight


def stated_budget(ticket: TicketSnapshot, notes: Notes) -> tuple[Budget, str] | None:
    """The budget that holds for the campaign, and its ticket field."""
    if ticket.budget_level == "CAMPAIGN":
        if ticket.budget is None:
            notes.block("budget.missing", "budget")
            return None
        return ticket.budget, "budget"
    if ticket.budget_level != "AD_SET":
        notes.block("budget.level_missing", "budget_level")
        return None
    if len(ticket.ad_sets) > 1:
        notes.block("budget.only_on_campaign", "budget_level", ad_groups=len(ticket.ad_sets))
        return None
    return _of_only_ad_set(ticket, notes)


def _of_only_ad_set(ticket: TicketSnapshot, notes: Notes) -> tuple[Budget, str] | None:
    """One ad group and its budget are the campaign's: the same money, one level higher."""
    if not ticket.ad_sets:
        return None  # the missing ad set has its own finding
    budget = ticket.ad_sets[0].budget
    if budget is None:
        notes.block("budget.missing", "ad_sets[0].budget")
        return None
    notes.warn("budget.raised_to_campaign", "ad_sets[0].budget", amount=str(budget.amount))
    return budget, "ad_sets[0].budget"


def budget_fields(
    ticket: TicketSnapshot, flight: Flight | None, notes: Notes
) -> tuple[dict[str, Any], str] | None:
    """Amount and period of the `CampaignBudget`, and the ticket field they came from."""
    stated = stated_budget(ticket, notes)
    if stated is None:
        return None
    budget, field = stated
    micros = positive_micros(budget.amount, ticket.currency, field, notes)
    if micros is None:
        return None
    if budget.kind == "DAILY":
        fields: dict[str, Any] | None = _daily(micros)
    else:
        fields = _lifetime(ticket, micros, field, flight, notes)
    _check_minimum(ticket, budget, micros, field, flight, notes)
    return None if fields is None else (fields, field)


def _daily(micros: int) -> dict[str, Any]:
    return {"amountMicros": str(micros), "period": "DAILY"}


def _lifetime(
    ticket: TicketSnapshot, micros: int, field: str, flight: Flight | None, notes: Notes
) -> dict[str, Any] | None:
    if flight is None or flight.days is None:
        notes.block("budget.lifetime_without_end", field)
        return None
    if ticket.buying_type != DISPLAY:
        return {"totalAmountMicros": str(micros), "period": "CUSTOM_PERIOD"}
    return _derived_daily(ticket.currency, micros, flight.days, field, notes)


def _derived_daily(currency: str, micros: int, days: int, field: str, notes: Notes) -> dict[str, Any] | None:
    daily = daily_micros(micros, days, currency)
    if daily == 0:
        notes.block(
            "budget.too_small_for_days", field, total=from_micros(micros), days=days, currency=currency
        )
        return None
    notes.warn(
        "budget.daily_derived", field, total=from_micros(micros), days=days, daily=from_micros(daily),
        unspent=from_micros(micros - daily * days), currency=currency,
    )  # fmt: skip
    return _daily(daily)


def _check_minimum(
    ticket: TicketSnapshot, budget: Budget, micros: int, field: str, flight: Flight | None, notes: Notes
) -> None:
    """Demand Gen's floor a day, known for US dollars only; Google checks the others itself."""
    minimum = LIMITS["demand_gen_daily_minimum"].get(ticket.currency)
    if ticket.buying_type != DEMAND_GEN or minimum is None:
        return
    days = 1 if budget.kind == "DAILY" else (flight.days if flight else None)
    if days is not None and micros < Decimal(minimum) * 1_000_000 * days:
        least = Decimal(minimum) * days
        notes.block(
            "budget.below_minimum", field, amount=str(budget.amount), minimum=str(least),
            per_day=minimum, days=days, currency=ticket.currency,
        )  # fmt: skip
