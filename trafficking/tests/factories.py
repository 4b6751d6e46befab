"""Tickets that pass QA on each platform, through the real doors."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from campaigns.models import Campaign
from campaigns.services import save_campaign
from governance import models
from governance.tests.factories import AdAccountFactory, BrandFactory, MarketFactory, channel
from trafficking.models import Ad, AdSet, Ticket


def next_week() -> date:
    return date.today() + timedelta(days=7)


def make_campaign(*, channels: tuple[str, ...] = ("META",), **values: Any) -> Campaign:
    start = values.pop("start_on", next_week())
    defaults: dict[str, Any] = {
        "name": "Moana Launch", "objective": "TRAFFIC", "budget": Decimal("50000"), "currency": "USD",
        "budget_type": "LIFETIME", "start_on": start, "end_on": start + timedelta(days=13),
    }  # fmt: skip
    brand = values.pop("brand", None) or BrandFactory()
    market = values.pop("market", None) or MarketFactory()
    campaign = Campaign(brand=brand, market=market, **{**defaults, **values})
    return save_campaign(campaign=campaign, channels=[channel(code) for code in channels])


#: channel code -> (ad set values, ad values) that pass QA
TREES: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "META": (
        {"goal": "CLICKS"},
        [{"name": "Wave", "format": "IMAGE", "texts": ["Set sail with Moana."], "headlines": ["Moana is here"],
          "call_to_action": "LEARN_MORE", "landing_page": "https://example.com/moana",
          "media": [{"kind": "IMAGE", "id": "a1b2c3d4e5f60718293a4b5c6d7e8f90"}]}],
    ),
    "TIKTOK": (
        {"goal": "CLICKS"},
        [{"name": "Wave", "format": "VIDEO", "texts": ["Set sail with Moana."], "call_to_action": "LEARN_MORE",
          "landing_page": "https://example.com/moana",
          "media": [{"kind": "VIDEO", "id": "v10033g50000abc"}, {"kind": "THUMBNAIL", "id": "tos-abc/def"}]}],
    ),
    "GGLSEARCH": (
        {"goal": "CLICKS", "keywords": [{"text": "moana film", "match": "PHRASE"}]},
        [{"name": "Wave", "format": "SEARCH_TEXT", "headlines": ["Moana is here", "Set sail", "Book seats now"],
          "descriptions": ["See Moana in cinemas this winter.", "Find seats near you."],
          "landing_page": "https://example.com/moana"}],
    ),
    "GGLDISPLAY": (
        {"goal": "CLICKS"},
        [{"name": "Wave", "format": "RESPONSIVE_DISPLAY", "headlines": ["Moana is here"],
          "long_headline": "Moana is in cinemas this winter", "descriptions": ["See Moana in cinemas."],
          "business_name": "Example Films", "landing_page": "https://example.com/moana",
          "media": [{"kind": "IMAGE", "id": "123450001"}, {"kind": "SQUARE_IMAGE", "id": "123450002"},
                    {"kind": "LOGO", "id": "123450003"}]}],
    ),
    "YOUTUBE": (
        {"goal": "CLICKS"},
        [{"name": "Wave", "format": "VIDEO", "headlines": ["Moana is here"],
          "long_headline": "Moana is in cinemas this winter", "descriptions": ["See Moana in cinemas."],
          "business_name": "Example Films", "call_to_action": "LEARN_MORE",
          "landing_page": "https://example.com/moana",
          "media": [{"kind": "YOUTUBE_VIDEO", "id": "dQw4w9WgXcQ"}, {"kind": "LOGO", "id": "123450003"}]}],
    ),
}  # fmt: skip


def make_ticket(
    channel_code: str = "META", *, campaign: Campaign | None = None, ad_sets: int = 1, budget: str = "1000",
    ad_set: dict[str, Any] | None = None, ad: dict[str, Any] | None = None, account: models.AdAccount | None = None,
    **values: Any,
) -> Ticket:  # fmt: skip
    """A draft ticket with `ad_sets` ad sets of one or more ads; complete, so that QA passes."""
    campaign = campaign or make_campaign(channels=(channel_code,))
    on = channel(channel_code)
    account = account or AdAccountFactory(platform=on.platform, serving=[(campaign.brand, campaign.market)])
    if on.platform == "google_ads" and ad_sets > 1:  # Google has budgets on campaigns only
        values = {"budget_level": "CAMPAIGN", "budget": Decimal(budget) * ad_sets, **values}
    ticket = Ticket(
        campaign=campaign, channel=on, ad_account=account, start_on=campaign.start_on, end_on=campaign.end_on,
        **{"special_ad_categories": [], "political": "DOES_NOT_CONTAIN", **values},
    )  # fmt: skip
    ticket.save()
    set_values, ads = TREES[channel_code]
    for number in range(ad_sets):
        row = AdSet(
            ticket=ticket, position=number,
            **{"name": f"Prospecting {chr(65 + number)}", "budget_type": "LIFETIME",
               "budget": None if values.get("budget_level") == "CAMPAIGN" else Decimal(budget),
               "geo": {"countries": [campaign.market.country]}, "languages": ["en"], "age_min": 18,
               **set_values, **(ad_set or {})},
        )  # fmt: skip
        row.save()
        for at, one in enumerate(ads):
            Ad(ad_set=row, position=at, **{**one, **(ad or {})}).save()
    return Ticket.objects.select_related("campaign__brand", "campaign__market", "channel", "ad_account").get(
        pk=ticket.pk
    )
