"""Money: exact in TikTok's unit, or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trafficking.platforms.base import Budget
from trafficking.platforms.tiktok import PLATFORM, reference
from trafficking.platforms.tiktok.draft import Notes
from trafficking.platforms.tiktok.money import expressed, json_number
from trafficking.platforms.tiktok.tests.builders import ACCOUNT, with_ad_set

CURRENCIES = sorted(reference.DATA["currencies"])


def on_the_wire(number):
    """The decimal that a strict reader finds in the JSON text."""
    return json.loads(json.dumps(number), parse_float=Decimal, parse_int=Decimal)


def compiled(amount: Decimal, currency: str):
    made = with_ad_set(budget=Budget(amount, "DAILY"))
    return PLATFORM.compile(replace(made, currency=currency, account=replace(ACCOUNT, currency=currency)))


@given(st.decimals(min_value="0.01", max_value="9999999999999.99", places=2))
def test_two_decimals_arrive_as_they_are(amount):
    assert on_the_wire(expressed(amount, "USD", "", Notes())) == amount


@given(st.decimals(min_value=1, max_value=10**14, places=3), st.sampled_from(CURRENCIES))
def test_exact_or_refused_in_every_currency(amount, currency):
    notes, unit = Notes(), reference.currency_unit(currency)
    number = expressed(amount, currency, "budget", notes)
    if amount % unit:
        assert number is None
        assert [f.code for f in notes.found] == ["tiktok.money.too_precise"]
    elif number is None:
        assert len(amount.normalize().as_tuple().digits) > 15
    else:
        assert on_the_wire(number) == amount


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_no_decimal_makes_it_fall(amount):
    number = expressed(amount, "USD", "", Notes())
    assert number is None or on_the_wire(number) == amount


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("19.99", "EUR", "19.99"),
        ("5000", "JPY", "5000"),
        ("5000.0", "JPY", "5000"),
        ("1E+4", "JPY", "10000"),
        ("20000", "KRW", "20000"),
        ("100.10", "USD", "100.1"),
    ],
)
def test_amounts_as_json_text(amount, currency, text):
    assert json.dumps(expressed(Decimal(amount), currency, "", Notes())) == text


def test_a_tenth_thrice_is_exact_and_carries_no_float_noise():
    amount = Decimal("0.1") * 3
    assert json.dumps(json_number(amount)) == "0.3"


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("5000.5", "JPY", "tiktok.money.too_precise"),
        ("20.005", "USD", "tiktok.money.too_precise"),
        ("100", "KWD", "tiktok.currency.unlisted"),  # not in TikTok's table
        ("100", "XXX", "tiktok.currency.unlisted"),
        ("0", "USD", "tiktok.money.not_positive"),
        ("-5", "USD", "tiktok.money.not_positive"),
        ("NaN", "USD", "tiktok.money.not_positive"),
        ("1999", "JPY", "tiktok.budget.below_minimum"),
        ("199999", "VND", "tiktok.budget.below_minimum"),
        ("79.99", "PLN", "tiktok.budget.below_minimum"),
        ("1000000000", "JPY", "tiktok.budget.above_maximum"),
    ],
)
def test_refused_with_the_field(amount, currency, code):
    found = [(f.code, f.field) for f in compiled(Decimal(amount), currency).findings if f.blocking]
    assert found == [(code, "ad_sets[0].budget")]


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("2000", "JPY"), ("200000", "VND"), ("80", "PLN"), ("20", "HUF")],
)
def test_the_minimum_itself_is_enough(amount, currency):
    assert not [f for f in compiled(Decimal(amount), currency).findings if f.blocking]


def test_currency_unit_is_the_platforms_own():
    assert PLATFORM.currency_unit("JPY") == 1
    assert PLATFORM.currency_unit("HUF") == 1  # ISO says two decimals
    assert PLATFORM.currency_unit("COP") == Decimal("0.01")
    assert PLATFORM.currency_unit("KWD") is None
