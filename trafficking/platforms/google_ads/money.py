"""Decimal amounts to micros, exactly or not at all.

One currency unit is 1,000,000 micros, whatever the currency; an amount must be a multiple of the
currency's billable unit (`CurrencyConstant.billable_unit_micros`, else
CampaignBudgetError.NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from trafficking.platforms.google_ads.notes import Notes
from trafficking.platforms.google_ads.reference import CURRENCIES

MICROS = 1_000_000
#: Amounts travel as signed 64-bit integers.
LARGEST = 2**63 - 1


def currency_unit(currency: str) -> Decimal | None:
    """Smallest amount that can be expressed, in major units; None: currency not listed."""
    micros = CURRENCIES.get(currency)
    return None if micros is None else Decimal(micros) / MICROS


def to_micros(amount: Decimal, currency: str) -> int | None:
    """`amount` in micros, exactly; None where the currency is not listed or the amount not expressible."""
    unit = CURRENCIES.get(currency)
    if unit is None or not isinstance(amount, Decimal) or not amount.is_finite():
        return None
    micros = Fraction(amount) * MICROS
    if micros.denominator != 1 or micros.numerator % unit or micros.numerator > LARGEST:
        return None
    return micros.numerator


def daily_micros(total: int, days: int, currency: str) -> int:
    """`total` micros spread over `days`, rounded down to the currency's unit."""
    unit = CURRENCIES[currency]
    return total // days // unit * unit


def from_micros(micros: int) -> str:
    """Micros as a plain decimal text, for people: `19.99`."""
    return format((Decimal(micros) / MICROS).normalize(), "f")


def positive_micros(amount: Decimal, currency: str, field: str, notes: Notes) -> int | None:
    """`to_micros` of an amount above zero; otherwise a blocking finding on `field` and None."""
    if currency not in CURRENCIES:
        return None  # said once, for the whole ticket
    if not isinstance(amount, Decimal) or not amount.is_finite() or amount <= 0:
        notes.block("amount.not_positive", field, amount=str(amount), currency=currency)
        return None
    micros = to_micros(amount, currency)
    if micros is None:
        unit = str(currency_unit(currency))
        notes.block("amount.not_expressible", field, amount=str(amount), currency=currency, unit=unit)
    return micros
