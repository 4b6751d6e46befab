"""A ticket as one atomic mutate of the Google Ads API v26: budget, campaign, criteria, assets, ad groups, ads.

Pure: no network, no clock. Campaign, ad groups and ads are PAUSED; criteria have no spending of their own and
stay ENABLED. With any blocking finding there is no operation at all, because the request is all or nothing.

YouTube: "The Google Ads API only supports fetching and reporting on existing Video campaigns […]. You cannot
create new Video campaigns or update existing Video campaigns" (developers.google.com/google-ads/api/docs/video/
overview; another wording of the page: "cannot be created or mutated", save exceptions since v24 such as the content
of VideoResponsiveAdInfo). The SDK agrees: `VideoCampaignError.MUTATE_REQUIRES_RESERVATION`, "Cannot modify the video
campaign without reservation" (google-ads 34, v26/errors/types/video_campaign_error.py). Its enum AdvertisingChannelType
says of VIDEO only "Video campaigns."; and its `ReservationService` (v26) quotes and books reserved campaigns, which
is no auction buying. So a YouTube line becomes DEMAND_GEN with its channels restricted to YouTube, and the
planner is told that this is another product.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from trafficking.platforms.base import AdSetSnapshot, Compiled, Operation, PlannedObject, TicketSnapshot
from trafficking.platforms.google_ads import performance_max
from trafficking.platforms.google_ads.ads import FORMATS, Assets, ad_group_ad, display_width, host
from trafficking.platforms.google_ads.bidding import Bidding, bidding
from trafficking.platforms.google_ads.budget import budget_fields
from trafficking.platforms.google_ads.media import uploads
from trafficking.platforms.google_ads.money import CURRENCIES
from trafficking.platforms.google_ads.notes import Notes
from trafficking.platforms.google_ads.reference import (
    API_VERSION,
    DEMAND_GEN,
    DEMAND_GEN_CHANNELS,
    DISPLAY,
    EU_COUNTRIES,
    LIMITS,
    PERFORMANCE_MAX,
    SEARCH,
    config_schema,
)
from trafficking.platforms.google_ads.resources import customer_id
from trafficking.platforms.google_ads.schedule import Flight, flight, schedules
from trafficking.platforms.google_ads.targeting import (
    Audience,
    Criterion,
    ages,
    audience,
    genders,
    keywords,
    languages,
    places,
    websites,
)
from trafficking.platforms.google_ads.tree import Tree, bindings

NO_EU_POLITICS = "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING"
#: What Google's caps may be counted by: one day, week or month (frequency_cap_time_unit.py).
CAP_UNITS = {1: "DAY", 7: "WEEK", 30: "MONTH"}
SEARCH_PLACEMENTS = ("GOOGLE_SEARCH", "SEARCH_PARTNERS")
YOUTUBE_PLACEMENTS = tuple(name for name in DEMAND_GEN_CHANNELS if name.startswith("YOUTUBE_"))


def compile_create(ticket: TicketSnapshot) -> Compiled:
    """The whole tree as one operation, or findings that say what keeps it from being one."""
    notes = Notes()
    if ticket.buying_type not in FORMATS:
        notes.block("channel.unknown", "buying_type", channel=ticket.buying_type, known=sorted(FORMATS))
        return Compiled((), tuple(notes.findings))
    ticket = _with_sound_config(ticket, notes)
    tree, assets = _build(ticket, notes)
    if notes.blocked:
        return Compiled((), tuple(notes.findings))
    ahead = uploads(tree.customer_id, assets.files)
    return Compiled((*ahead, _operation(tree)), tuple(notes.findings))


def _operation(tree: Tree) -> Operation:
    return Operation(
        ref="campaign",
        action="create",
        object_type="campaign",
        method="POST",
        path=f"/{API_VERSION}/customers/{tree.customer_id}/googleAds:mutate",
        body=tree.body(),
        objects=tuple(tree.objects),
        bindings=bindings(tree.body()),
        sources=tree.sources,
    )


def _build(ticket: TicketSnapshot, notes: Notes) -> tuple[Tree, Assets]:
    tree = Tree(customer_id(ticket.account))
    _check_account(ticket, notes)
    _check_declarations(ticket, notes)
    _check_objective(ticket, notes)
    _check_youtube(ticket, notes)
    days = flight(ticket, notes)
    bid = bidding(ticket, notes)
    if not ticket.ad_sets:
        notes.block("ad_set.missing", "ad_sets")
    campaign = _add_campaign(ticket, days, bid, tree, notes)
    assets = Assets(tree, ticket.ticket_id)
    for index in range(len(ticket.ad_sets)):
        if ticket.buying_type == PERFORMANCE_MAX:
            _check_ad_group_name(ticket, index, notes)
            performance_max.add_asset_group(ticket, index, campaign, tree, assets, notes)
        else:
            _add_ad_group(ticket, index, campaign, bid, tree, assets, notes)
    if len(tree.operations) > LIMITS["operations"]:
        notes.block("mutate.too_large", "", count=len(tree.operations), maximum=LIMITS["operations"])
    return tree, assets


# ------------------------------------------------------------------------------- the whole ticket


def _with_sound_config(ticket: TicketSnapshot, notes: Notes) -> TicketSnapshot:
    """Options outside the schema are findings, and are not used."""
    config = _sound("campaign", ticket.config, "payload_config", notes)
    ad_sets = tuple(
        _ad_set_with_sound_config(ad_set, f"ad_sets[{index}]", notes)
        for index, ad_set in enumerate(ticket.ad_sets)
    )
    return replace(ticket, config=config, ad_sets=ad_sets)


def _ad_set_with_sound_config(ad_set: AdSetSnapshot, path: str, notes: Notes) -> AdSetSnapshot:
    config = _sound("ad_set", ad_set.config, f"{path}.payload_config", notes)
    ads = tuple(
        replace(ad, config=_sound("ad", ad.config, f"{path}.ads[{number}].payload_config", notes))
        for number, ad in enumerate(ad_set.ads)
    )
    return replace(ad_set, config=config, ads=ads)


def _sound(level: str, config: Mapping[str, Any], field: str, notes: Notes) -> Mapping[str, Any]:
    """The options, or none of them where one does not fit."""
    return config if _config_fits(level, config, field, notes) else {}


def _config_fits(level: str, config: Mapping[str, Any], field: str, notes: Notes) -> bool:
    if not config:
        return True
    found = config_schema(level).findings(dict(config), object_name=level, sources={})
    for finding in found:
        notes.block(
            "config.invalid", field, problem=finding.params["problem"], pointer=finding.params["pointer"]
        )
    return not found


def _check_account(ticket: TicketSnapshot, notes: Notes) -> None:
    if not re.fullmatch(r"\d{10}", customer_id(ticket.account)):
        notes.block("account.id_malformed", "account", account=ticket.account.external_id)
    if ticket.currency != ticket.account.currency:
        notes.block(
            "currency.not_the_accounts", "currency", currency=ticket.currency, account=ticket.account.currency
        )
    if ticket.currency not in CURRENCIES:
        notes.block("currency.unlisted", "currency", currency=ticket.currency)
    _check_name(ticket.name, "name", len(ticket.name.encode()), LIMITS["campaign_name_bytes"], notes)


def _check_name(name: str, field: str, length: int, most: int, notes: Notes) -> None:
    if not name.strip():
        notes.block("name.missing", field)
    elif length > most:
        notes.block("name.too_long", field, name=name, length=length, maximum=most)
    elif re.search(r"[\x00\n\r]", name):
        notes.block("name.control_character", field)


def _check_declarations(ticket: TicketSnapshot, notes: Notes) -> None:
    """What only a person can state: politics, and Google's sensitive categories."""
    if ticket.special_ad_categories is None:
        notes.block("special_ad_categories.unstated", "special_ad_categories")
    elif set(ticket.special_ad_categories) - {"NONE"}:
        _check_sensitive(ticket, notes)
    if ticket.political == "UNSTATED":
        notes.block("political.unstated", "political")
    elif ticket.political == "CONTAINS":
        _check_politics(ticket, notes)


def _check_politics(ticket: TicketSnapshot, notes: Notes) -> None:
    """No political ads in the EU; where a place's country can't be told, none either."""
    geos = [ad_set.geo for ad_set in ticket.ad_sets]
    in_eu = sorted({country for geo in geos for country in geo.countries if country in EU_COUNTRIES})
    untold = any(geo.regions or geo.cities for geo in geos)
    if in_eu or untold:
        notes.block("political.not_in_eu", "political", countries=in_eu or ["?"])
    else:
        notes.warn("political.needs_verification", "political")


def _check_sensitive(ticket: TicketSnapshot, notes: Notes) -> None:
    """Housing, employment, consumer finance: no age, gender or narrow place targeting in the US and Canada
    (Google's personalised advertising policy, from practice: not in the SDK); the campaign has no field for it, the account an agreement
    (CampaignError.HEC_AGREEMENT_REQUIRED)."""
    categories = sorted(set(ticket.special_ad_categories or ()) - {"NONE"})
    notes.warn("special_ad_categories.account_agreement", "special_ad_categories", categories=categories)
    for index, ad_set in enumerate(ticket.ad_sets):
        narrowed = ad_set.age_min is not None or ad_set.age_max is not None or ad_set.genders
        restricted = {"US", "CA"} & set(ad_set.geo.countries) or ad_set.geo.regions or ad_set.geo.cities
        if narrowed and restricted:
            notes.block("special_ad_categories.narrowed", f"ad_sets[{index}].age_min", categories=categories)


def _check_objective(ticket: TicketSnapshot, notes: Notes) -> None:
    """App promotion is another campaign type (MULTI_CHANNEL), which this channel is not."""
    if not ticket.objective:
        notes.block("objective.missing", "objective")
    elif ticket.objective == "APP_PROMOTION":
        notes.block(
            "objective.unsupported", "objective", objective=ticket.objective, channel=ticket.buying_type
        )


def _check_youtube(ticket: TicketSnapshot, notes: Notes) -> None:
    if not ticket.config.get("youtube_only"):
        return
    if ticket.buying_type != DEMAND_GEN:
        notes.block("youtube.needs_demand_gen", "payload_config.youtube_only", channel=ticket.buying_type)
    elif not ticket.config.get("demand_gen_accepted"):
        notes.warn("youtube.becomes_demand_gen", "payload_config.demand_gen_accepted")


# ----------------------------------------------------------------------------------- the campaign


def _add_campaign(
    ticket: TicketSnapshot, days: Flight | None, bid: Bidding | None, tree: Tree, notes: Notes
) -> str:
    """Budget, campaign and what is targeted per campaign; answers the campaign's resource name."""
    amount = budget_fields(ticket, days, notes)
    budget, campaign = tree.temporary("campaignBudgets"), tree.temporary("campaigns")
    fields, source = amount or ({}, "budget")
    tree.add(
        "campaignBudgetOperation",
        {
            "resourceName": budget,
            "name": ticket.name,
            "explicitlyShared": False,
            "deliveryMethod": "STANDARD",
            **fields,
        },
        PlannedObject("budget", "budget", ticket.name, ticket.ticket_id),
        {"": source, "/name": "name"},
    )
    body = _campaign(ticket, campaign, budget, days, bid, notes)
    planned = PlannedObject("campaign", "campaign", ticket.name, ticket.ticket_id)
    tree.add("campaignOperation", body, planned, _campaign_sources(bid))
    _add_campaign_criteria(ticket, campaign, tree, notes)
    return campaign


def _campaign(
    ticket: TicketSnapshot, campaign: str, budget: str, days: Flight | None, bid: Bidding | None, notes: Notes
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "resourceName": campaign,
        "name": ticket.name,
        "status": "PAUSED",
        "advertisingChannelType": ticket.buying_type,
        "campaignBudget": budget,
        "containsEuPoliticalAdvertising": NO_EU_POLITICS,
        **(days.fields() if days else {}),
        **(bid.campaign if bid else {}),
        **_channel_settings(ticket),
    }
    caps = _frequency_caps(ticket, notes)
    if caps:
        body["frequencyCaps"] = caps
    if "tracking_url_template" in ticket.config:
        body["trackingUrlTemplate"] = ticket.config["tracking_url_template"]
    return body


def _campaign_sources(bid: Bidding | None) -> dict[str, str]:
    sources = {
        "": "",
        "/name": "name",
        "/startDateTime": "start",
        "/endDateTime": "end",
        "/advertisingChannelType": "buying_type",
        "/containsEuPoliticalAdvertising": "political",
        "/frequencyCaps": "ad_sets[0].frequency_cap",
        "/networkSettings": "payload_config",
        "/geoTargetTypeSetting": "payload_config.location_intent",
        "/trackingUrlTemplate": "payload_config.tracking_url_template",
    }
    if bid is None:
        return sources
    return {**sources, **{f"/{scheme}": bid.source for scheme in bid.campaign}}


def _channel_settings(ticket: TicketSnapshot) -> dict[str, Any]:
    """Networks and location options, stated rather than left to Google's defaults."""
    if ticket.buying_type == DEMAND_GEN:
        return {"demandGenCampaignSettings": {"upgradedTargeting": True}}
    if ticket.buying_type == PERFORMANCE_MAX:
        return performance_max.campaign_settings(ticket)
    intent = ticket.config.get("location_intent", "PRESENCE")
    return {
        "networkSettings": _networks(ticket),
        "geoTargetTypeSetting": {"positiveGeoTargetType": intent, "negativeGeoTargetType": "PRESENCE"},
    }


def _networks(ticket: TicketSnapshot) -> dict[str, bool]:
    search = ticket.buying_type == SEARCH
    placed = any("SEARCH_PARTNERS" in ad_set.placements for ad_set in ticket.ad_sets)
    return {
        "targetGoogleSearch": search,
        "targetSearchNetwork": search and (placed or bool(ticket.config.get("search_partners", False))),
        "targetContentNetwork": not search or bool(ticket.config.get("display_expansion", False)),
        "targetPartnerSearchNetwork": False,
    }


def _frequency_caps(ticket: TicketSnapshot, notes: Notes) -> list[dict[str, Any]]:
    """One cap per ad group, for Display; the same for all, since it stands on the campaign."""
    caps = [ad_set.frequency_cap for ad_set in ticket.ad_sets]
    if not any(caps):
        return []
    field = "ad_sets[0].frequency_cap"
    cap = caps[0]
    if ticket.buying_type != DISPLAY:
        notes.block("frequency_cap.display_only", field, channel=ticket.buying_type)
    elif len(set(caps)) > 1 or cap is None:
        notes.block("ad_set.differs", "ad_sets[1].frequency_cap", setting="frequency_cap", level="campaign")
    elif cap.days not in CAP_UNITS or cap.impressions < 1:
        notes.block("frequency_cap.unsupported", field, impressions=cap.impressions, days=cap.days)
    else:
        key = {
            "level": "AD_GROUP",
            "eventType": "IMPRESSION",
            "timeUnit": CAP_UNITS[cap.days],
            "timeLength": 1,
        }
        return [{"key": key, "cap": cap.impressions}]
    return []


def _add_campaign_criteria(ticket: TicketSnapshot, campaign: str, tree: Tree, notes: Notes) -> None:
    """Places and languages (not for Demand Gen), and hours: per campaign, so the same in all ad sets."""
    if not ticket.ad_sets:
        return
    shared = ["dayparts"] if ticket.buying_type == DEMAND_GEN else ["geo", "languages", "dayparts"]
    for setting in shared:
        _refuse_differences(ticket, setting, notes)
    first = ticket.ad_sets[0]
    found: list[Criterion] = []
    if ticket.buying_type != DEMAND_GEN:
        found += places(first.geo, "ad_sets[0].geo", notes)
        found += languages(first.languages, "ad_sets[0].languages", notes)
    for info in schedules(first.dayparts, "ad_sets[0].dayparts", notes):
        key = f"schedule:{info['dayOfWeek']}:{info['startHour']}-{info['endHour']}"
        found.append(Criterion(key, {"adSchedule": info}, "ad_sets[0].dayparts"))
    for criterion in found:
        _add_criterion(tree, "campaignCriterionOperation", {"campaign": campaign}, criterion)


def _refuse_differences(ticket: TicketSnapshot, setting: str, notes: Notes) -> None:
    first = getattr(ticket.ad_sets[0], setting)
    for index, ad_set in enumerate(ticket.ad_sets[1:], start=1):
        if getattr(ad_set, setting) != first:
            notes.block("ad_set.differs", f"ad_sets[{index}].{setting}", setting=setting, level="campaign")


def _add_criterion(tree: Tree, operation: str, parent: Mapping[str, str], criterion: Criterion) -> None:
    """One criterion under its campaign or ad group. Only positive ad group criteria have a status of ours."""
    status = {"status": "ENABLED"} if "adGroup" in parent and not criterion.negative else {}
    tree.add(
        operation,
        {**parent, "negative": criterion.negative, **status, **criterion.info},
        None,
        {"": criterion.source},
    )


# ---------------------------------------------------------------------------------- the ad groups


def _add_ad_group(
    ticket: TicketSnapshot, index: int, campaign: str, bid: Bidding | None, tree: Tree, assets: Assets,
    notes: Notes,
) -> None:  # fmt: skip
    ad_set, path = ticket.ad_sets[index], f"ad_sets[{index}]"
    _check_ad_group_name(ticket, index, notes)
    resource = tree.temporary("adGroups")
    people = audience(ticket, ad_set, f"customers/{tree.customer_id}", path, notes)
    tree.add(
        "adGroupOperation",
        _ad_group(ticket, ad_set, resource, campaign, bid, people, path, notes),
        PlannedObject(f"ad_set:{ad_set.intent_id}", "ad_set", ad_set.name, ad_set.intent_id),
        {"": path, "/name": f"{path}.name", "/cpmBidMicros": bid.source if bid else path,
         "/demandGenAdGroupSettings": f"{path}.placements"},
    )  # fmt: skip
    for criterion in _ad_group_criteria(ticket, ad_set, people, path, notes):
        _add_criterion(tree, "adGroupCriterionOperation", {"adGroup": resource}, criterion)
    _add_ads(ticket, ad_set, resource, path, tree, assets, notes)


def _check_ad_group_name(ticket: TicketSnapshot, index: int, notes: Notes) -> None:
    name = ticket.ad_sets[index].name
    field = f"ad_sets[{index}].name"
    _check_name(name, field, display_width(name), LIMITS["ad_group_name_width"], notes)
    for earlier, ad_set in enumerate(ticket.ad_sets[:index]):
        if ad_set.name.casefold() == name.casefold() and name:
            notes.block("name.duplicate", field, name=name, other=earlier + 1)


def _ad_group(
    ticket: TicketSnapshot, ad_set: AdSetSnapshot, resource: str, campaign: str, bid: Bidding | None,
    people: Audience, path: str, notes: Notes,
) -> dict[str, Any]:  # fmt: skip
    body = {
        "resourceName": resource,
        "name": ad_set.name,
        "status": "PAUSED",
        "campaign": campaign,
        **(bid.ad_group if bid else {}),
    }
    if ticket.buying_type != DEMAND_GEN:  # which has "an ad group without a type" (docs/demand-gen)
        body["type"] = f"{ticket.buying_type}_STANDARD"
    if ticket.buying_type != SEARCH:
        body["optimizedTargetingEnabled"] = bool(ad_set.config.get("optimized_targeting", False))
    return {**body, **_audience_settings(ticket, ad_set, people), **_channels(ticket, ad_set, path, notes)}


def _audience_settings(ticket: TicketSnapshot, ad_set: AdSetSnapshot, people: Audience) -> dict[str, Any]:
    """Whether audiences narrow the ad group: Google's default differs by channel, so it is stated."""
    if ticket.buying_type == DEMAND_GEN:
        return {"audienceSetting": {"useAudienceGrouped": people.grouped}}
    if not people.narrows:
        return {}
    observe = ticket.buying_type == SEARCH and bool(ad_set.config.get("audience_observation", False))
    restriction = {"targetingDimension": "AUDIENCE", "bidOnly": observe}
    return {"targetingSetting": {"targetRestrictions": [restriction]}}


def _channels(ticket: TicketSnapshot, ad_set: AdSetSnapshot, path: str, notes: Notes) -> dict[str, Any]:
    """Demand Gen channels: YouTube's for a YouTube line, else the placements chosen, else all."""
    if ticket.buying_type == SEARCH:
        _refuse_placements(ad_set.placements, SEARCH_PLACEMENTS, path, notes)
    if ticket.buying_type != DEMAND_GEN:
        return {}
    youtube = bool(ticket.config.get("youtube_only"))
    allowed = YOUTUBE_PLACEMENTS if youtube else tuple(DEMAND_GEN_CHANNELS)
    _refuse_placements(ad_set.placements, allowed, path, notes)
    chosen = ad_set.placements or (YOUTUBE_PLACEMENTS if youtube else ())
    if not chosen:
        controls: dict[str, Any] = {"channelStrategy": "ALL_CHANNELS"}
    else:
        selected = {field: name in chosen for name, field in DEMAND_GEN_CHANNELS.items()}
        controls = {"selectedChannels": selected}
    return {"demandGenAdGroupSettings": {"channelControls": controls}}


def _refuse_placements(given: Sequence[str], allowed: Sequence[str], path: str, notes: Notes) -> None:
    for index, placement in enumerate(given):
        if placement not in allowed:
            notes.block(
                "placement.unknown", f"{path}.placements[{index}]", placement=placement, known=list(allowed)
            )


def _ad_group_criteria(
    ticket: TicketSnapshot, ad_set: AdSetSnapshot, people: Audience, path: str, notes: Notes
) -> list[Criterion]:
    found: list[Criterion] = []
    if ticket.buying_type == DEMAND_GEN:
        found += places(ad_set.geo, f"{path}.geo", notes)
        found += languages(ad_set.languages, f"{path}.languages", notes)
    found += keywords(ticket, ad_set, path, notes)
    found += ages(ad_set, path, notes)
    found += genders(ad_set, path, notes)
    found += people.criteria
    found += websites(ticket, ad_set, path, notes)
    return list({criterion.key: criterion for criterion in found}.values())


def _add_ads(
    ticket: TicketSnapshot, ad_set: AdSetSnapshot, ad_group: str, path: str, tree: Tree, assets: Assets,
    notes: Notes,
) -> None:  # fmt: skip
    if not ad_set.ads:
        notes.block("ad.missing", f"{path}.ads")
    for index, ad in enumerate(ad_set.ads):
        built = ad_group_ad(ticket, ad, ad_group, f"{path}.ads[{index}]", tree, assets, notes)
        if built is not None:
            body, sources = built
            tree.add(
                "adGroupAdOperation",
                body,
                PlannedObject(f"ad:{ad.intent_id}", "ad", ad.name, ad.intent_id),
                sources,
            )
    hosts = {host(ad.landing_page) for ad in ad_set.ads} - {""}
    if len(hosts) > 1:
        notes.warn("landing_page.several_sites", f"{path}.ads", hosts=sorted(hosts))
