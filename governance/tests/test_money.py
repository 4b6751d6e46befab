from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import money


def codes(findings):
    return [finding.code for finding in findings]


@given(st.decimals(min_value=Decimal("0.0001"), max_value=Decimal("99999999999"), places=4))
def test_plain_amounts_are_read_exactly(amount):
    assert money.read_amount(money.plain(amount)) == (amount, [])


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("1,000.50", "1000.50"), ("1.000,50", "1000.50"), ("1 000,50", "1000.50"), ("1'000.50", "1000.50"),
        ("1,000", "1000"), ("1.000.000", "1000000"), ("10,5", "10.5"), ("1,000,000", "1000000"), ("12,34", "12.34"), ("1.000", "1000"),
    ],
)  # fmt: skip
def test_separators_are_refused_with_the_reading_that_is_meant(text, reading):
    amount, findings = money.read_amount(text)
    assert amount is None
    if codes(findings) == ["money.separators"]:
        assert findings[0].params["reading"] == reading
    else:
        assert codes(findings) == ["money.not_a_number"]
        assert "'" in text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "money.missing"), (None, "money.missing"), ("0", "money.not_positive"), ("-5", "money.not_positive"),
        ("NaN", "money.not_a_number"), ("1e5", "money.not_a_number"), ("Infinity", "money.not_a_number"),
        ("$100", "money.not_a_number"), ("١٠٠", "money.not_a_number"), ("0.00001", "money.too_long"),
        ("999999999999", "money.too_long"), ("1,0x", "money.not_a_number"),
    ],
)  # fmt: skip
def test_what_is_not_an_amount_is_refused(text, code):
    assert codes(money.read_amount(text)[1]) == [code]


@pytest.mark.parametrize(
    ("amount", "currency", "fine"),
    [("19.99", "USD", True), ("19.999", "USD", False), ("100", "JPY", True), ("100.5", "JPY", False),
     ("1.234", "KWD", True), ("1.2345", "KWD", False)],
)  # fmt: skip
def test_an_amount_is_no_finer_than_its_currency(amount, currency, fine):
    assert (money.precision_findings(Decimal(amount), currency) == []) == fine


def test_money_is_shown_as_the_person_writes_it():
    assert money.shown(Decimal("1000.5"), "USD", "en") == "$1,000.50"
    assert money.shown(Decimal("1000.5"), "EUR", "de").replace("\xa0", " ") == "1.000,50 €"
    assert money.shown(Decimal("1000"), "JPY", "en") == "¥1,000"


@given(st.decimals(min_value=Decimal("0.01"), max_value=Decimal("9999999"), places=2), st.integers(1, 400))
def test_tenths_add_up(amount, times):
    assert sum([amount] * times, Decimal(0)) == amount * times
    assert Decimal("0.1") * 3 == Decimal("0.3")
