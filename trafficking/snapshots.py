"""A ticket's rows as the frozen values that platforms and rules work on."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from campaigns.models import CampaignChannel
from governance.models import AdAccount, NamingConvention
from trafficking.media.library import files_of, hashes_in
from trafficking.models import Ad, AdSet, Ticket
from trafficking.platforms import base


def account_snapshot(account: AdAccount) -> base.Account:
    return base.Account(
        external_id=account.external_id,
        currency=account.currency,
        time_zone=account.time_zone,
        page_id=account.page_id,
        instagram_user_id=account.instagram_user_id,
        pixel_id=account.pixel_id,
        identity_id=account.identity_id,
        identity_type=account.identity_type,
        app_id=account.app_id,
        login_customer_id=account.login_customer_id,
        conversion_action_id=account.conversion_action_id,
    )


def day_begins(day: date, zone: zoneinfo.ZoneInfo) -> datetime:
    """The first moment of a day there. Where clocks skip midnight, the first moment that exists."""
    moment = datetime.combine(day, time.min, tzinfo=zone)
    return moment.astimezone(zoneinfo.ZoneInfo("UTC")).astimezone(zone)


def day_ends(day: date, zone: zoneinfo.ZoneInfo) -> datetime:
    """The last second of a day there, daylight saving included."""
    return (
        day_begins(day + timedelta(days=1), zone).astimezone(zoneinfo.ZoneInfo("UTC")) - timedelta(seconds=1)
    ).astimezone(zone)


def ticket_snapshot(
    ticket: Ticket, ad_sets: Iterable[AdSet] | None = None, *, ads: Mapping[int, list[Ad]] | None = None,
    governed: CampaignChannel | None = None, convention: NamingConvention | None = None,
) -> base.TicketSnapshot:  # fmt: skip
    """`ad_sets` and `ads` (by ad set id) may be given, prefetched or unsaved; else they are read."""
    if ad_sets is None:
        ad_sets = list(ticket.ad_sets.prefetch_related("ads"))
    governed = (
        governed
        or CampaignChannel.objects.select_related("convention")
        .filter(campaign_id=ticket.campaign_id, channel_id=ticket.channel_id)
        .first()
    )
    account, campaign, channel = ticket.ad_account, ticket.campaign, ticket.channel
    zone = zoneinfo.ZoneInfo(account.time_zone)
    name = governed.governed_name if governed else ""
    utm = (
        dict((governed.convention if governed else convention).utm_parameters)
        if governed or convention
        else {}
    )
    words = {"platform": channel.platform, "campaign_name": name}
    rows = [(each, list(ads[each.pk]) if ads is not None else list(each.ads.all())) for each in ad_sets]
    files = files_of(campaign.brand_id, hashes_in(ad for _row, own in rows for ad in own))
    return base.TicketSnapshot(
        ticket_id=str(ticket.public_id),
        platform=channel.platform,
        buying_type=channel.api_identifier,
        request_type=ticket.request_type,
        name=name,
        objective=campaign.objective,
        account=account_snapshot(account),
        brand_name=campaign.brand.name,
        market_country=campaign.market.country,
        currency=account.currency,
        budget_level=ticket.budget_level,
        budget=_budget(ticket.budget, ticket.budget_type) if ticket.budget_level == "CAMPAIGN" else None,
        bid_strategy=ticket.bid_strategy,
        bid_amount=_money(ticket.bid_amount),
        start=day_begins(ticket.start_on, zone),
        end=day_ends(ticket.end_on, zone),
        special_ad_categories=None
        if ticket.special_ad_categories is None
        else tuple(ticket.special_ad_categories),
        special_ad_category_countries=tuple(ticket.special_ad_category_countries),
        political=ticket.political,
        dsa_beneficiary=campaign.brand.dsa_beneficiary,
        dsa_payor=campaign.brand.dsa_payor,
        config={**channel.settings, **ticket.payload_config},
        scope=tuple(ticket.scope),
        ad_sets=tuple(
            _ad_set(each, ticket, zone, tuple(_ad(ad, utm, words, each, files) for ad in own))
            for each, own in rows
        ),
    )


def _ad_set(
    row: AdSet, ticket: Ticket, zone: zoneinfo.ZoneInfo, ads: tuple[base.AdSnapshot, ...]
) -> base.AdSetSnapshot:
    return base.AdSetSnapshot(
        intent_id=str(row.intent_id),
        name=row.governed_name,
        goal=row.goal,
        billing_event=row.billing_event,
        bid_strategy=row.bid_strategy,
        bid_amount=_money(row.bid_amount),
        budget=_budget(row.budget, row.budget_type) if ticket.budget_level == "AD_SET" else None,
        start=day_begins(row.start_on or ticket.start_on, zone),
        end=day_ends(row.end_on or ticket.end_on, zone),
        dayparts=tuple(base.Daypart(**each) for each in row.dayparts),
        frequency_cap=base.FrequencyCap(**row.frequency_cap) if row.frequency_cap else None,
        geo=_geo(row.geo),
        languages=tuple(row.languages),
        age_min=row.age_min,
        age_max=row.age_max,
        genders=tuple(row.genders),
        interests=tuple(base.Interest(each["id"], each.get("name", "")) for each in row.interests),
        audiences_include=tuple(row.audiences_include),
        audiences_exclude=tuple(row.audiences_exclude),
        placements=tuple(row.placements),
        conversion_event=row.conversion_event,
        keywords=tuple(base.Keyword(**each) for each in row.keywords),
        negative_keywords=tuple(base.Keyword(**each) for each in row.negative_keywords),
        ads=ads,
        config=row.config,
    )


def _ad(
    row: Ad, utm: dict[str, str], words: dict[str, str], ad_set: AdSet, files: Mapping[str, base.File]
) -> base.AdSnapshot:
    words = {**words, "ad_set_name": ad_set.governed_name, "ad_name": row.governed_name}
    return base.AdSnapshot(
        intent_id=str(row.intent_id),
        name=row.governed_name,
        format=row.format,  # type: ignore[arg-type]
        texts=tuple(row.texts),
        headlines=tuple(row.headlines),
        descriptions=tuple(row.descriptions),
        long_headline=row.long_headline,
        business_name=row.business_name,
        call_to_action=row.call_to_action,
        landing_page=row.landing_page,
        display_paths=tuple(row.display_paths),
        utm=tuple((key, _filled(value, words)) for key, value in utm.items()),
        media=tuple(base.Media(**_with_file(each, files)) for each in row.media),
        cards=tuple(base.Card(**_with_file(each, files)) for each in row.cards),
        config=row.config,
    )


def _with_file(stored: Mapping[str, Any], files: Mapping[str, base.File]) -> dict[str, Any]:
    """A medium or card with the library's file in place of its hash; an unknown one is empty, which QA refuses."""
    if "file" not in stored:
        return dict(stored)
    sha256 = stored["file"]
    gone = base.File(sha256, name=sha256[:12], content_type="", size=0, width=0, height=0)
    return {**stored, "file": files.get(sha256, gone)}


def _filled(value: str, words: Mapping[str, str]) -> str:
    """House words are filled in here; click macros ({campaign_id}, …) stay for the platform."""
    for word, text in words.items():
        value = value.replace(f"{{{word}}}", text)
    return value


def _budget(amount: Decimal | None, kind: str) -> base.Budget | None:
    return None if amount is None else base.Budget(_money(amount), kind)  # type: ignore[arg-type]


def _money(amount: Decimal | None) -> Any:
    """Without the column's trailing zeros, so that 19.9900 and 19.99 compile and digest alike."""
    return None if amount is None else Decimal(format(amount.normalize(), "f"))


def _geo(stored: Mapping[str, Any]) -> base.Geo:
    def places(key: str) -> tuple[base.GeoPlace, ...]:
        return tuple(base.GeoPlace(each["id"], each.get("name", "")) for each in stored.get(key, ()))

    return base.Geo(
        countries=tuple(stored.get("countries", ())),
        regions=places("regions"),
        cities=places("cities"),
        excluded_countries=tuple(stored.get("excluded_countries", ())),
        excluded_regions=places("excluded_regions"),
        excluded_cities=places("excluded_cities"),
    )
