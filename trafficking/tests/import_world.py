"""A small vocabulary and ways to write plans, for the import tests."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

from django.utils import timezone

from governance.models import Alias, Audience, Brand, Market
from governance.tables import Source
from governance.tests.factories import AdAccountFactory, BrandFactory, MarketFactory
from trafficking.imports.results import ImportResult
from trafficking.imports.service import import_media_plan

MARKETS = {
    "US": ("United States", "US", "NA", "USD", "America/New_York", ["en"]),
    "DE": ("Germany", "DE", "EMEA", "EUR", "Europe/Berlin", ["de"]),
    "JP": ("Japan", "JP", "APAC", "JPY", "Asia/Tokyo", ["ja"]),
}
CURRENCIES = {"US": "USD", "DE": "EUR", "JP": "JPY"}


def day(after: int) -> str:
    """A day this many days after today, as plans write it."""
    return (timezone.now().date() + timedelta(days=after)).isoformat()


def world() -> dict[str, Any]:
    """Three markets, two brands, an account of each platform for every brand × market; one audience."""
    markets = {
        code: MarketFactory(code=code, name=n, country=c, region=r, currency=cur, time_zone=z, languages=lang)
        for code, (n, c, r, cur, z, lang) in MARKETS.items()
    }
    brands = {
        "DIS": BrandFactory(code="DIS", name="DIS Pictures"),
        "NORD": BrandFactory(code="NORD", name="Nordröst"),
    }
    accounts = {}
    for platform in ("meta", "tiktok", "google_ads"):
        for code, market in markets.items():
            serving = [(brand, market) for brand in brands.values()]
            account = AdAccountFactory(
                platform=platform, currency=CURRENCIES[code], time_zone=market.time_zone, serving=serving
            )
            accounts[platform, code] = account
    audience = Audience(
        name="Families", age_min=25, age_max=44, interests={"meta": [{"id": "6003", "name": "Family"}]}
    )
    audience.save()
    return {"markets": markets, "brands": brands, "accounts": accounts, "audience": audience}


def alias(kind: str, text: str, **target: Any) -> Alias:
    row = Alias(kind=kind, text=text, **target)
    row.save()
    return row


def line(key: str = "L1", **changes: Any) -> dict[str, Any]:
    """One good row of a plan; a change to None takes the cell away."""
    row = {
        "plan_id": "plan-1", "line": key, "line_name": f"Line {key}", "campaign": "Moana Launch", "brand": "DIS",
        "market": "US", "channel": "META", "objective": "TRAFFIC", "start_date": day(10), "end_date": day(40),
        "cost_media": "1000.50", "currency": "USD", "special_ad_categories": "none", "political": "no",
    }  # fmt: skip
    return {**row, **changes}


def ad(line_key: str = "L1", name: str = "Boat", **changes: Any) -> dict[str, Any]:
    row = {
        "line": line_key, "ad": name, "format": "IMAGE", "texts": "Set sail.", "headlines": "Moana is here",
        "call_to_action": "LEARN_MORE", "landing_page": "https://www.example.com/moana",
        "media": "IMAGE:0123456789abcdef0123456789abcdef",
    }  # fmt: skip
    return {**row, **changes}


def csv_source(rows: list[dict[str, Any]], name: str = "plan.csv") -> Source:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    writer.writerows([{key: value for key, value in row.items() if value is not None} for row in rows])
    return Source(name, out.getvalue().encode())


def imported(
    rows: list[dict[str, Any]], ads: list[dict[str, Any]] | None = None, **options: Any
) -> ImportResult:
    """Import it and expect no error."""
    result = attempted(rows, ads, **options)
    assert result.written, [(f.field, f.message) for f in result.errors]
    return result


def attempted(
    rows: list[dict[str, Any]], ads: list[dict[str, Any]] | None = None, **options: Any
) -> ImportResult:
    sheet = csv_source(ads, "creatives.csv") if ads else None
    return import_media_plan(source=csv_source(rows), creatives=sheet, **options)


def places(result: ImportResult) -> set[tuple[str, int | None, str | None]]:
    """(code, row, column) of all errors."""
    return {(f.code, f.params.get("row"), f.params.get("column")) for f in result.errors}


def market(code: str) -> Market:
    return Market.objects.get(code=code)


def brand(code: str) -> Brand:
    return Brand.objects.get(code=code)
