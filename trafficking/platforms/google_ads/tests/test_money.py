"""Amounts become micros exactly, or not at all."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trafficking.platforms.google_ads import PLATFORM
from trafficking.platforms.google_ads.money import daily_micros, from_micros, to_micros
from trafficking.platforms.google_ads.reference import CURRENCIES

currencies = st.sampled_from(sorted(CURRENCIES))
amounts = st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=6)


@pytest.mark.parametrize(
    ("amount", "currency", "micros"),
    [
        (Decimal("19.99"), "USD", 19_990_000),
        (Decimal("0.1") * 3, "EUR", 300_000),
        (Decimal("0.01"), "GBP", 10_000),
        (Decimal("0.005"), "GBP", None),
        (Decimal("1500"), "JPY", 1_500_000_000),
        (Decimal("1500.5"), "JPY", None),
        (Decimal("1.0000"), "JPY", 1_000_000),
        (Decimal("1E+3"), "JPY", 1_000_000_000),
        (Decimal("1.234"), "KWD", None),
        (Decimal("1"), "XXX", None),
        (Decimal("Infinity"), "USD", None),
        (Decimal("NaN"), "USD", None),
        (Decimal("1." + "0" * 40 + "1"), "USD", None),
        (Decimal("1E+20"), "USD", None),
    ],
)
def test_known_amounts(amount, currency, micros):
    assert to_micros(amount, currency) == micros


def test_floats_are_not_amounts():
    assert to_micros(19.99, "USD") is None


@given(amounts, currencies)
def test_micros_are_exact_or_refused(amount, currency):
    micros, unit = to_micros(amount, currency), CURRENCIES[currency]
    exact = Fraction(amount) * 1_000_000
    if micros is None:
        assert exact % unit != 0
    else:
        assert micros == exact
        assert micros % unit == 0
        assert Decimal(from_micros(micros)) == amount


@given(st.integers(1, 10**12), st.integers(1, 400), currencies)
def test_a_daily_share_never_adds_up_to_more_than_the_total(units, days, currency):
    unit = CURRENCIES[currency]
    daily = daily_micros(units * unit, days, currency)
    assert daily % unit == 0
    assert daily * days <= units * unit < (daily + unit) * days


def test_the_unit_of_a_currency_is_in_major_units():
    assert PLATFORM.currency_unit("EUR") == Decimal("0.01")
    assert PLATFORM.currency_unit("JPY") == 1
    assert PLATFORM.currency_unit("KWD") is None
