"""Amounts are exact in Meta's unit, or refused."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trafficking.platforms.base import Budget
from trafficking.platforms.meta import PLATFORM
from trafficking.platforms.meta.money import currency_unit, whole_units
from trafficking.platforms.meta.reference import CURRENCY_OFFSETS
from trafficking.platforms.meta.tests.builders import ACCOUNT, ad_set, ticket

from dataclasses import replace  # isort: skip


def sent(amount: Decimal, currency: str) -> int | None:
    """The daily budget in the body; None where it was refused."""
    snapshot = ticket(
        account=replace(ACCOUNT, currency=currency),
        currency=currency,
        ad_sets=(ad_set(budget=Budget(amount, "DAILY")),),
    )
    bodies = [o.body for o in PLATFORM.compile(snapshot).operations if o.object_type == "ad_set"]
    return bodies[0]["daily_budget"] if bodies else None


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("19.99", "USD", 1999),
        ("19.990", "USD", 1999),
        ("19.999", "USD", None),
        ("1500", "JPY", 1500),
        ("1500.00", "JPY", 1500),
        ("1500.5", "JPY", None),
        ("100.5", "CLP", None),
        ("25000", "HUF", 25000),
        ("1.234", "BHD", None),
        ("1.23", "BHD", 123),
        ("10", "KWD", None),
        ("10", "XXX", None),
        ("1E+3", "EUR", 100_000),
        ("999999999999999", "USD", 99_999_999_999_999_900),
        ("1000000000000000", "USD", None),
    ],
)
def test_known_amounts(amount: str, currency: str, units: int | None) -> None:
    assert sent(Decimal(amount), currency) == units


def test_three_times_a_tenth_is_thirty_cents() -> None:
    assert sent(Decimal(100) + Decimal("0.1") * 3, "USD") == 10030


def test_the_smallest_unit_is_metas_own() -> None:
    assert currency_unit("USD") == Decimal("0.01")
    assert currency_unit("JOD") == Decimal("0.01"), "not ISO's thousandths"
    assert currency_unit("TWD") == Decimal(1), "not ISO's hundredths"
    assert currency_unit("KWD") is None
    assert PLATFORM.currency_unit("VND") == Decimal(1)


_amounts = st.decimals(min_value=Decimal("0.0001"), max_value=Decimal(99999999999), places=4)


@given(amount=_amounts, currency=st.sampled_from(sorted(CURRENCY_OFFSETS)))
def test_what_is_sent_is_the_amount_to_the_last_unit_or_nothing(amount: Decimal, currency: str) -> None:
    offset = CURRENCY_OFFSETS[currency]
    units = whole_units(amount, offset)
    exact = Fraction(amount) * offset
    assert units == (exact.numerator if exact.denominator == 1 else None)
    if units is not None:
        assert Fraction(units, offset) == Fraction(amount)


@given(whole=st.integers(1, 10**12), digits=st.integers(29, 60))
def test_a_tail_beyond_the_decimal_context_is_seen(whole: int, digits: int) -> None:
    with localcontext() as context:
        context.prec = 200
        amount = Decimal(whole) + Decimal(1).scaleb(-digits)
    assert whole_units(amount, 100) is None
