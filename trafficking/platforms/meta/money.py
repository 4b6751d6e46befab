"""Amounts in Meta's units: whole numbers of the currency's smallest unit, by Meta's own offset table."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from trafficking.platforms.base import Budget
from trafficking.platforms.meta.noted import Noted
from trafficking.platforms.meta.reference import CURRENCY_OFFSETS, MINIMUM_DAILY

#: Meta's floor for a return-on-spend of 1.0 (`roas_average_floor` is scaled by 10,000).
ROAS_SCALE = 10_000
_MAX_DIGITS = 15  # significant digits that the house keeps
BUDGET_KEYS = {"DAILY": "daily_budget", "LIFETIME": "lifetime_budget"}


def currency_unit(currency: str) -> Decimal | None:
    """Smallest amount that Meta can express; None where Meta's table lacks the currency."""
    offset = CURRENCY_OFFSETS.get(currency)
    return None if offset is None else Decimal(1) / offset


def whole_units(amount: Decimal, scale: int) -> int | None:
    """`amount` × `scale` as a whole number, exactly; None where there is none.

    Fractions, not Decimal division: a context's precision would round a long tail away silently.
    """
    if not amount.is_finite() or not -_MAX_DIGITS <= amount.adjusted() < _MAX_DIGITS:
        return 0 if amount == 0 else None
    if int(amount.as_tuple().exponent) < -2 * _MAX_DIGITS:
        return None
    units = Fraction(amount) * scale
    return units.numerator if units.denominator == 1 else None


def amount_in_units(noted: Noted, amount: Decimal, currency: str, field: str) -> int | None:
    """A positive amount in Meta's unit; None, with a finding, where it can't be sent."""
    offset = CURRENCY_OFFSETS.get(currency)
    if offset is None:
        return None  # told once, for the account
    if not amount.is_finite() or amount <= 0:
        noted.block("money.not_positive", field, amount=str(amount), currency=currency)
        return None
    units = whole_units(amount, offset)
    if units is None:
        unit = str(currency_unit(currency))
        noted.block("money.not_expressible", field, amount=str(amount), currency=currency, unit=unit)
    return units


def check_minimum(
    noted: Noted, budget: Budget, currency: str, billing_event: str, days: int | None, field: str
) -> None:
    """Refuse a budget below Meta's published minimum; a lifetime budget needs it for every day."""
    daily = MINIMUM_DAILY.get(currency, {}).get(billing_event)
    if daily is None or (budget.kind == "LIFETIME" and days is None):
        return
    least = daily * (days or 1) if budget.kind == "LIFETIME" else daily
    if budget.amount.is_finite() and 0 < budget.amount < least:
        noted.block(
            "budget.too_low",
            field,
            amount=str(budget.amount),
            currency=currency,
            minimum=str(least),
            daily=str(daily),
        )


def started_days(start: datetime | None, end: datetime | None) -> int | None:
    """Days that a flight touches, at least one; None without an end."""
    if start is None or end is None or (start.tzinfo is None) != (end.tzinfo is None):
        return None
    return max(1, -(-int((end - start).total_seconds() + 1) // 86_400))
