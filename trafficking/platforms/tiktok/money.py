"""Money: a Decimal in the account's currency becomes a JSON number that says exactly the same.

TikTok takes major units as JSON numbers, with the decimals that its own table allows
(reference: "Budget verification ratio and value range for each currency", document 1737585839634433).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from trafficking.platforms.base import Budget, in_units
from trafficking.platforms.tiktok import reference
from trafficking.platforms.tiktok.draft import Notes

#: A binary double carries any decimal of up to 15 significant digits and prints the same digits again.
MAX_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Flight:
    """The days that a budget must last, in the account's zone."""

    start: datetime
    end: datetime | None

    def days(self, zone: ZoneInfo) -> int | None:
        """Account days touched, first and last included; None for a flight without an end."""
        if self.end is None:
            return None
        return (self.end.astimezone(zone).date() - self.start.astimezone(zone).date()).days + 1


def json_number(amount: Decimal) -> int | float | None:
    """A JSON number with exactly this decimal value; None where a double would change it."""
    if not amount.is_finite() or len(amount.normalize().as_tuple().digits) > MAX_DIGITS:
        return None
    if amount == amount.to_integral_value():
        return int(amount)
    number = float(amount)
    return number if Decimal(repr(number)) == amount else None


def expressed(amount: Decimal, currency: str, where: str, notes: Notes) -> int | float | None:
    """`amount` as TikTok takes it, or None with a finding: unlisted currency, too precise, not positive."""
    unit = reference.currency_unit(currency)
    if unit is None:
        notes.block("currency.unlisted", where, currency=currency)
        return None
    if not amount.is_finite() or amount <= 0:
        notes.block("money.not_positive", where, amount=str(amount), currency=currency)
        return None
    number = json_number(amount) if in_units_safely(amount, unit) else None
    if number is None:
        notes.block(
            "money.too_precise",
            where,
            amount=str(amount),
            currency=currency,
            unit=str(unit),
        )
    return number


def in_units_safely(amount: Decimal, unit: Decimal) -> bool:
    """Whether `amount` is a whole number of units; an absurdly long Decimal is not."""
    if len(amount.as_tuple().digits) > 2 * MAX_DIGITS or abs(amount.adjusted()) > 2 * MAX_DIGITS:
        return False
    return in_units(amount, unit) is not None


def budget_number(
    budget: Budget,
    currency: str,
    *,
    base_minimum: Decimal,
    days: int | None,
    where: str,
    notes: Notes,
) -> int | float | None:
    """The budget as a JSON number, held against the range of the currency.

    `base_minimum` is the daily minimum before the currency's ratio; `days` multiplies it for lifetime
    budgets of ad groups (None: no multiplication).
    """
    number = expressed(budget.amount, currency, where, notes)
    ratio = reference.currency_ratio(currency)
    if number is None or ratio is None:
        return None
    minimum = base_minimum * ratio * (days or 1)
    if budget.amount < minimum:
        notes.block("budget.below_minimum", where, amount=str(budget.amount), minimum=f"{minimum:f}",
                    currency=currency, days=days or 1)  # fmt: skip
        return None
    maximum = reference.DAILY_MAXIMUM * ratio
    if budget.kind == "DAILY" and budget.amount >= maximum:
        notes.block("budget.above_maximum", where, amount=str(budget.amount), maximum=f"{maximum:f}",
                    currency=currency)  # fmt: skip
        return None
    return number
