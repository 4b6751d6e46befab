"""A source with its three destinations, and reports of conversions."""

from __future__ import annotations

import time
from typing import Any

from governance.models import Brand, Market
from governance.tests.factories import BrandFactory, MarketFactory
from tracking.models import ConversionSource, Destination

ORIGIN = "https://shop.example"
IDS: dict[str, dict[str, str]] = {
    "meta": {"pixel_id": "1234567890"}, "tiktok": {"pixel_id": "C4A1B2C3D4E5"},
    "google_ads": {"account_id": "1234567890", "conversion_action_id": "987654321"},
}  # fmt: skip


def make_source(
    *, brand: Brand | None = None, market: Market | None = None, platforms: tuple[str, ...] = ("meta", "tiktok", "google_ads"), **values: Any
) -> ConversionSource:  # fmt: skip
    given = {"name": "Shop US", "allowed_origins": [ORIGIN], "default_currency": "USD", **values}
    source = ConversionSource(brand=brand or BrandFactory(), market=market or MarketFactory(), **given)
    source.save()
    for platform in platforms:
        Destination(source=source, platform=platform, **IDS[platform]).save()
    return source


def report(event_id: str = "order-1", **changes: Any) -> dict[str, Any]:
    """A purchase, agreed to."""
    return {
        "event_id": event_id, "event_name": "Purchase", "event_time": int(time.time()) - 60, "value": "49.90", "currency": "USD",
        "event_source_url": f"{ORIGIN}/thanks", "user": {"em": "ana@example.com"},
        "consent": {"ad_storage": "granted", "ad_user_data": "granted", "ad_personalization": "granted"}, **changes,
    }  # fmt: skip
