"""Changes in words: the platform's amounts in the account's currency, its moments by the account's clocks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from governance.models import AdAccount
from trafficking.change_lines import changed_objects, field_words, value_words
from trafficking.platforms.base import Budget
from trafficking.platforms.registry import platform

YEN = AdAccount(currency="JPY", time_zone="Asia/Tokyo")
DOLLARS = AdAccount(currency="USD", time_zone="America/New_York")


@pytest.mark.parametrize(
    ("key", "field", "value", "account", "words"),
    [
        ("meta", "daily_budget", "123450", DOLLARS, "$1,234.50"),
        ("meta", "daily_budget", "5000", YEN, "¥5,000"),
        ("tiktok", "budget", "1234.5", DOLLARS, "$1,234.50"),
        ("google_ads", "totalAmountMicros", "1250500000", DOLLARS, "$1,250.50"),
        ("google_ads", "targetImpressionShare.locationFractionMicros", "500000", DOLLARS, "500000"),
        ("tiktok", "budget_mode", "BUDGET_MODE_TOTAL", DOLLARS, "BUDGET_MODE_TOTAL"),
        (
            "meta",
            "start_time",
            "2027-03-01T05:00:00+0000",
            DOLLARS,
            "March 1, 2027, 00:00 (America/New_York)",
        ),
        ("meta", "name", None, DOLLARS, "–"),
        ("meta", "status", "PAUSED", DOLLARS, "paused"),
        ("meta", "targeting.genders", [1, 2], DOLLARS, "1, 2"),
        ("meta", "daily_budget", "nonsense", DOLLARS, "nonsense"),
        ("meta", "promoted_object", {"a": 1}, DOLLARS, '{"a": 1}'),
    ],
)
def test_a_value_is_told_as_people_read_it(settings, key, field, value, account, words):
    settings.USE_THOUSAND_SEPARATOR = False
    told = value_words(platform(key), field, value, account)
    assert told.replace("JP¥", "¥").replace("Mar. 1", "March 1") == words


@pytest.mark.parametrize(
    ("key", "fields", "budget"),
    [
        ("meta", {"daily_budget": "5000", "lifetime_budget": None}, Budget(Decimal("50"), "DAILY")),
        ("meta", {"daily_budget": None, "lifetime_budget": "5000"}, Budget(Decimal("50"), "LIFETIME")),
        ("meta", {"name": "x"}, None),
        ("tiktok", {"budget": "50", "budget_mode": "BUDGET_MODE_DAY"}, Budget(Decimal("50"), "DAILY")),
        ("tiktok", {"budget": "50", "budget_mode": "BUDGET_MODE_TOTAL"}, Budget(Decimal("50"), "LIFETIME")),
        ("tiktok", {"budget": None, "budget_mode": "BUDGET_MODE_INFINITE"}, None),
        ("google_ads", {"amountMicros": "50000000"}, Budget(Decimal("50"), "DAILY")),
        ("google_ads", {"totalAmountMicros": "50000000"}, Budget(Decimal("50"), "LIFETIME")),
    ],
)
def test_each_platform_tells_what_an_object_spends_from(
    key: str, fields: dict[str, Any], budget: Budget | None
):
    assert platform(key).budget_of(fields, "USD") == budget


def test_a_currency_that_the_platform_does_not_list_is_no_amount():
    assert platform("meta").money_unit("daily_budget", "XXX") is None
    assert platform("meta").budget_of({"daily_budget": "5000"}, "XXX") is None


def test_changes_are_grouped_by_object_in_the_plans_order():
    changes = [
        {"ref": "a", "type": "ad_set", "name": "A", "kind": "update", "field": "daily_budget", "before": "100", "after": "200", "note": "drift"},
        {"ref": "b", "type": "ad", "name": "B", "kind": "create", "field": "", "before": None, "after": None},
        {"ref": "a", "type": "ad_set", "name": "A", "kind": "learning", "field": "targeting.age_min", "before": 18, "after": 25},
    ]  # fmt: skip
    first, second = changed_objects(changes, platform("meta"), DOLLARS)
    assert [(line.before, line.after, line.drift) for line in first.lines] == [
        ("$1.00", "$2.00", True),
        ("18", "25", False),
    ]
    assert (second.name, second.lines[0].field, second.lines[0].before) == ("B", "", "")


def test_field_names_are_made_readable():
    assert field_words("totalAmountMicros") == "total amount micros"
    assert field_words("targeting.age_min") == "targeting · age min"
