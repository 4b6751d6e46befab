"""The built-in rules, each against what it exists for."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from governance.models import ExchangeRate, QARule
from governance.tests.factories import AdAccountFactory, BrandFactory, MarketFactory
from trafficking import qa
from trafficking.snapshots import day_begins, day_ends
from trafficking.tests.factories import make_campaign, make_ticket, next_week

pytestmark = pytest.mark.django_db


def found(ticket, *, blocking: bool = True) -> dict[str, str]:
    return {f.code: f.field for f in qa.check_ticket(ticket).findings if f.blocking or not blocking}


@pytest.mark.parametrize(
    ("interest", "code"),
    [
        ({"id": "6003012461997", "name": "Beer"}, "qa.unsafe_interest"),
        ({"id": "6003012461997"}, "qa.unsafe_interest"),
        ({"id": "1", "name": "Craft beers and ales"}, "qa.unsafe_interest"),
        ({"id": "2", "name": "ADULT Entertainment"}, "qa.unsafe_interest"),
        ({"id": "3", "name": "Whiský"}, "qa.unsafe_interest"),
        ({"id": "4", "name": "Ginger baking"}, None),
        ({"id": "5", "name": "Family films"}, None),
    ],
)
def test_a_family_friendly_brand_targets_no_adult_or_alcohol_interest(interest, code):
    campaign = make_campaign(brand=BrandFactory(family_friendly=True))
    codes = found(make_ticket("META", campaign=campaign, ad_set={"interests": [interest]}))
    assert ("qa.unsafe_interest" in codes) == (code is not None)
    if code:
        assert codes[code] == "ad_sets[0].interests[0]"


def test_other_brands_may_unless_they_block_the_category():
    interest = {"interests": [{"id": "6003012461997", "name": "Beer"}]}
    assert "qa.unsafe_interest" not in found(make_ticket("META", ad_set=interest))
    brand = BrandFactory(code="BLK", blocked_categories=["ALCOHOL"])
    assert "qa.unsafe_interest" in found(
        make_ticket("META", campaign=make_campaign(brand=brand, name="B"), ad_set=interest)
    )


def test_keywords_are_targeting_too():
    campaign = make_campaign(channels=("GGLSEARCH",), brand=BrandFactory(family_friendly=True))
    ticket = make_ticket(
        "GGLSEARCH", campaign=campaign, ad_set={"keywords": [{"text": "wine tasting", "match": "BROAD"}]}
    )
    assert found(ticket)["qa.unsafe_keyword"] == "ad_sets[0].keywords[0]"


def test_legal_lines_must_stand_in_the_ad():
    brand = BrandFactory(legal_lines=["In cinemas only."])
    ticket = make_ticket("META", campaign=make_campaign(brand=brand))
    assert found(ticket)["qa.legal_line"] == "ad_sets[0].ads[0].texts"
    said = make_ticket(
        "META", campaign=make_campaign(brand=brand, name="B"), ad={"texts": ["Set sail. In cinemas only!"]}
    )
    assert "qa.legal_line" not in found(said)


def ticket_with(budget: str, kind: str, **values):
    campaign = make_campaign(budget=Decimal("99999999"), currency=values.pop("currency", "USD"))
    return make_ticket("META", campaign=campaign, budget=budget, ad_set={"budget_type": kind}, **values)


@pytest.mark.parametrize(
    ("budget", "kind", "ad_sets", "code"),
    [
        ("100000", "DAILY", 1, "qa.lifetime_limit"),  # 14 days of it are 1.4 million
        ("50000", "DAILY", 3, "qa.daily_limit"),
        ("1000000", "LIFETIME", 1, None),
        ("1000000.01", "LIFETIME", 1, "qa.lifetime_limit"),
        ("500001", "LIFETIME", 2, "qa.lifetime_limit"),
        ("71000", "DAILY", 1, None),
    ],
)
def test_budgets_are_summed_and_multiplied_before_they_are_compared(budget, kind, ad_sets, code):
    codes = found(ticket_with(budget, kind, ad_sets=ad_sets))
    limits = {each for each in codes if each in ("qa.daily_limit", "qa.lifetime_limit")}
    assert (code in limits) if code else not limits


def test_other_currencies_are_converted_by_the_dated_rate():
    account = AdAccountFactory(currency="GBP", time_zone="Europe/London")
    campaign = make_campaign(budget=Decimal("9000000"), currency="GBP")
    account.serves.create(brand=campaign.brand, market=campaign.market)
    ticket = make_ticket("META", campaign=campaign, account=account, budget="900000")
    assert "qa.lifetime_limit" in found(ticket)  # 900,000 GBP at 1.27
    ExchangeRate.objects.create(currency="GBP", usd=Decimal("1.01"), valid_from=date.today())
    codes = found(ticket, blocking=False)
    assert "qa.lifetime_limit" not in codes
    assert "qa.rate_old" not in codes


def test_a_currency_without_a_rate_is_not_waved_through():
    ExchangeRate.objects.filter(currency="GBP").delete()
    account = AdAccountFactory(currency="GBP")
    campaign = make_campaign(currency="GBP")
    account.serves.create(brand=campaign.brand, market=campaign.market)
    assert "money.no_rate" in found(make_ticket("META", campaign=campaign, account=account))


def test_a_hundred_times_the_accounts_cap_is_refused_with_the_factor():
    account = AdAccountFactory(daily_cap=Decimal("100"))
    campaign = make_campaign()
    account.serves.create(brand=campaign.brand, market=campaign.market)
    ticket = make_ticket(
        "META", campaign=campaign, account=account, budget="10000", ad_set={"budget_type": "DAILY"}
    )
    finding = next(f for f in qa.check_ticket(ticket).findings if f.code == "qa.account_cap")
    assert finding.params["times"] == "100"


def test_thresholds_are_data_and_a_rule_that_is_off_only_warns():
    rule = QARule.objects.get(kind="BUDGET_LIMITS")
    rule.parameters = {"currency": "USD", "daily": "10", "lifetime": "100"}
    rule.save()
    ticket = make_ticket("META")
    assert {"qa.daily_limit", "qa.lifetime_limit"} <= set(found(ticket))
    rule.active = False
    rule.save()
    assert not {"qa.daily_limit", "qa.lifetime_limit"} & set(found(ticket))
    assert {"qa.daily_limit", "qa.lifetime_limit"} <= set(found(ticket, blocking=False))


def test_a_campaign_is_not_planned_over():
    ticket = make_ticket("META", campaign=make_campaign(budget=Decimal("1500")), ad_sets=2, budget="1000")
    assert "qa.over_campaign" in found(ticket)


def test_the_past_is_the_accounts_past(monkeypatch):
    """23:30 in Los Angeles is tomorrow in UTC: the flight that begins today there has not begun yesterday."""
    from datetime import UTC, datetime

    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 8, 7, 30, tzinfo=UTC))
    los_angeles = AdAccountFactory.build(time_zone="America/Los_Angeles")
    tokyo = AdAccountFactory.build(time_zone="Asia/Tokyo")
    assert los_angeles.today() == date(2026, 3, 7)
    assert tokyo.today() == date(2026, 3, 8)


def test_days_are_whole_where_clocks_change():
    import zoneinfo

    new_york = zoneinfo.ZoneInfo("America/New_York")
    start, end = day_begins(date(2026, 3, 8), new_york), day_ends(date(2026, 3, 8), new_york)
    assert (end.timestamp() - start.timestamp()) == 23 * 3600 - 1
    assert (end.hour, end.minute, end.second) == (23, 59, 59)
    beirut = zoneinfo.ZoneInfo("Asia/Beirut")  # clocks go from 00:00 to 01:00 there
    assert day_begins(date(2026, 3, 29), beirut).hour == 1


def test_a_flight_that_has_begun_and_one_outside_the_campaign_are_refused():
    campaign = make_campaign()
    ticket = make_ticket(
        "META", campaign=campaign, ad_set={"start_on": campaign.start_on - timedelta(days=30)}
    )
    codes = found(ticket)
    assert codes["qa.past_start"] == "ad_sets[0].start_on"
    assert "qa.outside_campaign" in codes


def test_a_missing_location_is_named():
    assert found(make_ticket("META", ad_set={"geo": {}}))["qa.no_geo"] == "ad_sets[0].geo"


def test_findings_are_stored_as_data_and_told_in_words():
    report = qa.check_ticket(make_ticket("META", ad_set={"geo": {}}))
    finding = next(f for f in report.findings if f.code == "qa.no_geo")
    assert set(finding.as_dict()) == {"code", "field", "severity", "params"}
    assert finding.as_report()["message"] == "No location is targeted."
    assert finding.as_report()["remedy"]


def test_a_market_in_another_currency_and_zone_compiles():
    market = MarketFactory(
        code="JP",
        name="Japan",
        country="JP",
        currency="JPY",
        time_zone="Asia/Tokyo",
        region="APAC",
        languages=["ja"],
    )
    campaign = make_campaign(market=market, currency="JPY", budget=Decimal("9000000"), start_on=next_week())
    account = AdAccountFactory(currency="JPY", time_zone="Asia/Tokyo")
    account.serves.create(brand=campaign.brand, market=market)
    assert found(make_ticket("META", campaign=campaign, account=account, budget="700000")) == {}
