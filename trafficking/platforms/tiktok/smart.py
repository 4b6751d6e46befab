"""The automated form, Upgraded Smart+: TikTok chooses audience and placement and mixes the creatives.

Web campaigns without a catalogue ("Create a regular Upgraded Smart+ Web Campaign", document 1847302878676994).
Its bodies are its own; money, time, goals, bids and texts follow the same rules as the usual form.
"""

from __future__ import annotations

from typing import Any

from trafficking.platforms.base import AdSetSnapshot, AdSnapshot, Budget, TicketSnapshot, tagged_url
from trafficking.platforms.tiktok import goals, reference, schedule, targeting
from trafficking.platforms.tiktok.ad_group import AdGroup
from trafficking.platforms.tiktok.creative import IMAGES, MACROS, Place, identity_of, named
from trafficking.platforms.tiktok.draft import Body, Notes
from trafficking.platforms.tiktok.goals import Way
from trafficking.platforms.tiktok.media import check_files
from trafficking.platforms.tiktok.money import Flight, budget_number
from trafficking.platforms.tiktok.options import Options, zone_of
from trafficking.platforms.tiktok.texts import check_text, check_url

BUYING_TYPE = "SMART_PLUS"
#: neutral goal -> what the document allows for website sales
WAYS = {
    "CONVERSIONS": Way("CONVERT", "OCPM", "WEBSITE", needs_pixel=True),
    "CONVERSION_VALUE": Way("VALUE", "OCPM", "WEBSITE", needs_pixel=True),
    "CLICKS": Way("CLICK", "CPC", "WEBSITE"),
    "LANDING_PAGE_VIEWS": Way("TRAFFIC_LANDING_PAGE_VIEW", "OCPM", "WEBSITE"),
}
#: The least ages that automatic targeting keeps for certain (document 1847839827327106).
CERTAIN_AGES = ((18, "OVER_EIGHTEEN"), (25, "OVER_TWENTY_FIVE"))
#: Under automatic targeting these guide only.
SUGGESTIONS = ("age_max", "genders", "interests", "audiences_include")
MODE = "targeting_optimization_mode"
PLAIN_OPTIONS = (
    "click_attribution_window", "view_attribution_window", "attribution_event_count", "comment_disabled",
    "video_download_disabled", "share_disabled",
)  # fmt: skip
AD_OPTIONS = ("call_to_action_id", "identity_id", "identity_type", "identity_authorized_bc_id", "music_id",
              "tiktok_item_id", "aigc_disclosure_type")  # fmt: skip
TEXTS_MOST = 5


# ------------------------------------------------------------------------------------- the campaign


def put_campaign(body: Body, ticket: TicketSnapshot, notes: Notes) -> None:
    """What differs from the usual form: where the sale is made, and the budget's modes."""
    if ticket.objective != "SALES":
        notes.block("smart.objective", "objective", objective=ticket.objective)
    body.put("sales_destination", "WEBSITE", "objective")
    shared = ticket.budget_level == "CAMPAIGN"
    if not shared and ticket.budget_level != "AD_SET":
        notes.block("budget.level_unstated", "budget_level")
    body.put("budget_optimize_on", shared, "budget_level")
    if not shared:
        if ticket.budget is not None:
            notes.block("budget.two_levels", "budget")
        return
    if ticket.budget is None:
        notes.block("budget.missing", "budget")
        return
    _put_budget(body, ticket, ticket.budget, None, "budget", notes)


def _put_budget(
    body: Body, ticket: TicketSnapshot, budget: Budget, flight: Flight | None, where: str, notes: Notes
) -> None:
    """Daily budgets are always averages over the week here."""
    lifetime = budget.kind == "LIFETIME"
    body.put("budget_mode", "BUDGET_MODE_TOTAL" if lifetime else "BUDGET_MODE_DYNAMIC_DAILY_BUDGET", where)
    if not lifetime:
        notes.warn("budget.daily_average", where, amount=str(budget.amount), currency=ticket.currency)
    zone = zone_of(ticket)
    days = flight.days(zone) if lifetime and flight and zone else None
    least = reference.AD_SET_MINIMUM if flight else reference.CAMPAIGN_MINIMUM
    number = budget_number(budget, ticket.currency, base_minimum=least, days=days, where=where, notes=notes)
    if number is not None:
        body.put("budget", number, where)


# ------------------------------------------------------------------------------------- the ad group


def ad_group_of(
    ticket: TicketSnapshot, ad_set: AdSetSnapshot, options: Options, at: str, notes: Notes
) -> AdGroup:
    """Everything that `smart_plus/adgroup/create` takes except advertiser, campaign and request id."""
    blocks, body = notes.blocks, Body()
    check_text(ad_set.name, reference.NAME_LENGTH, f"{at}.name", notes)
    body.put("adgroup_name", ad_set.name, f"{at}.name")
    flight = schedule.flight_of(ticket, ad_set, at, notes)
    if flight is not None:
        schedule.put_schedule(body, flight, ad_set, at)
        _put_group_budget(body, ticket, ad_set, flight, at, notes)
    schedule.put_dayparts(body, ad_set.dayparts, at, notes)
    _put_targeting(body, ticket, ad_set, options, at, notes)
    way = WAYS.get(ad_set.goal)
    if way is None:
        notes.block(
            "goal.unsupported", f"{at}.goal", goal=ad_set.goal, objective="Smart+", goals=sorted(WAYS)
        )
    else:
        _put_way(body, ticket, way, ad_set, options, at, notes)
    _put_options(body, options, (*PLAIN_OPTIONS, MODE, "optimization_event"), PLAIN_OPTIONS, notes)
    body.put("operation_status", "DISABLE")
    keys = ("optimization_goal", "bid_type", "optimization_event", "budget_mode")
    shared = {key: body.values.get(key) for key in keys}
    return AdGroup(body if notes.blocks == blocks else None, way, (), shared)


def _put_group_budget(
    body: Body, ticket: TicketSnapshot, ad_set: AdSetSnapshot, flight: Flight, at: str, notes: Notes
) -> None:
    """Its own budget; with a campaign budget the door takes none. Without an end only daily budgets run."""
    budget = ticket.budget if ticket.budget_level == "CAMPAIGN" else ad_set.budget
    if ticket.budget_level == "CAMPAIGN":
        if ad_set.budget is not None:
            notes.block("budget.two_levels", f"{at}.budget")
    elif budget is None:
        notes.block("budget.missing", f"{at}.budget")
    else:
        _put_budget(body, ticket, budget, flight, f"{at}.budget", notes)
    if budget is not None and budget.kind == "LIFETIME" and flight.end is None:
        notes.block("budget.lifetime_needs_end", f"{at}.end")


def _put_targeting(
    body: Body, ticket: TicketSnapshot, ad_set: AdSetSnapshot, options: Options, at: str, notes: Notes
) -> None:
    mode = options.values.get(MODE, "AUTOMATIC")
    body.put(MODE, mode, options.where.get(MODE, ""))
    spec = Body(prefix="/targeting_spec")
    targeting.put_targeting(spec, ad_set, bool(ticket.special_ad_categories), at, notes)
    if mode == "AUTOMATIC":
        _put_certain_age(spec, ad_set, at, notes)
        if not ad_set.genders:
            spec.values.pop("gender")
            spec.sources.pop("/targeting_spec/gender")
        for name in SUGGESTIONS:
            if getattr(ad_set, name):
                notes.warn("smart.suggestion", f"{at}.{name}", name=name)
    body.values["targeting_spec"] = spec.values
    body.sources |= spec.sources


def _put_certain_age(spec: Body, ad_set: AdSetSnapshot, at: str, notes: Notes) -> None:
    """A least age is a limit, never a suggestion: 18 or 25, rounded up; above that custom targeting is needed."""
    where, asked = f"{at}.age_min", ad_set.age_min or 18
    certain = next(((age, name) for age, name in CERTAIN_AGES if age >= asked), None)
    if certain is None:
        notes.block("smart.age_minimum", where, asked=asked)
        return
    if ad_set.age_min is not None and certain[0] != asked:
        notes.warn("age.minimum_rounded_up", where, asked=asked, sent=certain[0])
    spec.put("spc_audience_age", certain[1], where if ad_set.age_min is not None else "")
    if ad_set.age_max is None:  # the least age says it all
        spec.values.pop("age_groups", None)
        spec.sources.pop("/targeting_spec/age_groups", None)


def _put_way(
    body: Body,
    ticket: TicketSnapshot,
    way: Way,
    ad_set: AdSetSnapshot,
    options: Options,
    at: str,
    notes: Notes,
) -> None:
    goals.put_goal(body, way, ad_set, at, notes)
    bid = goals.bid_of(ticket, ad_set, at)
    goals.put_bid(body, way, bid, ticket.currency, {}, at, notes)
    body.values.pop("pacing")  # delivery is even here, and the door has no word for it
    body.values.pop("bid_display_mode", None)
    capped = body.values["bid_type"] == "BID_TYPE_CUSTOM" if "bid_type" in body.values else False
    budget = ticket.budget if ticket.budget_level == "CAMPAIGN" else ad_set.budget
    if (capped or body.values.get("deep_bid_type") == "VO_MIN_ROAS") and budget and budget.kind == "LIFETIME":
        notes.block("smart.cap_needs_daily", bid.where, strategy=bid.strategy)
    goals.put_event(body, ticket, way, ad_set, options.values, at, notes)
    targeting.put_placements(body, way, ad_set, at, notes)
    if not ad_set.placements:  # automatic is said by saying nothing
        body.values.pop("placement_type", None)
        body.sources.pop("/placement_type", None)
    targeting.put_frequency(body, way, ad_set, at, notes)


def _put_options(
    body: Body, options: Options, known: tuple[str, ...], sent: tuple[str, ...], notes: Notes
) -> None:
    for name, value in options.values.items():
        if name not in known:
            notes.block("smart.option", options.where[name], option=name)
        elif name in sent:
            body.put(name, value, options.where[name])


# ------------------------------------------------------------------------------------------- the ad


def ad_of(ad: AdSnapshot, place: Place, notes: Notes) -> Body:
    """The body of `smart_plus/ad/create` without advertiser and ad group: up to fifty creatives, five texts."""
    body = Body()
    check_text(ad.name, reference.NAME_LENGTH, f"{place.at}.name", notes)
    body.put("ad_name", ad.name, f"{place.at}.name")
    identity = identity_of(place, notes)
    own = (
        identity.values["identity_type"] == "CUSTOMIZED_USER" if "identity_type" in identity.values else False
    )
    configuration: dict[str, Any] = dict(identity.values) if own else {}
    source = f"{place.at}.cards" if ad.format == "CAROUSEL" and ad.cards else f"{place.at}.media"
    made = [
        {"creative_info": {**each, **({} if own else identity.values)}}
        for each in _creatives(ad, place, notes)
    ]
    body.put("creative_list", made, source)
    _put_texts(body, ad, place, notes)
    _put_landing_page(body, ad, place, notes)
    _put_button(body, ad, place, own, configuration, notes)
    if configuration:
        body.put("ad_configuration", configuration)
    options = Options(place.options, place.options_at)
    _put_options(body, options, AD_OPTIONS, (), notes)
    check_files(ad, place.at, notes)
    body.put("operation_status", "DISABLE")
    return body


def _creatives(ad: AdSnapshot, place: Place, notes: Notes) -> list[dict[str, Any]]:
    disclosure = {key: place.options[key] for key in ("aigc_disclosure_type",) if key in place.options}
    if "tiktok_item_id" in place.options:
        return [
            {"ad_format": "SINGLE_VIDEO", "tiktok_item_id": place.options["tiktok_item_id"], **disclosure}
        ]
    if ad.format == "VIDEO":
        return [{**each, **disclosure} for each in _videos(ad, place, notes)]
    if ad.format == "CAROUSEL":
        return [{**each, **disclosure} for each in _carousel(ad, place, notes)]
    notes.block("format.unsupported", f"{place.at}.format", format=ad.format)
    return []


def _videos(ad: AdSnapshot, place: Place, notes: Notes) -> list[dict[str, Any]]:
    """Each video with its own cover, in order."""
    videos, covers = named(ad, "VIDEO"), named(ad, "THUMBNAIL") or named(ad, "IMAGE")
    if not 1 <= len(videos) <= 50 or len(covers) != len(videos):
        notes.block("smart.videos", f"{place.at}.media", videos=len(videos), covers=len(covers))
        return []
    return [
        {"ad_format": "SINGLE_VIDEO", "video_info": {"video_id": video}, "image_info": [{"web_uri": cover}]}
        for video, cover in zip(videos, covers, strict=True)
    ]


def _carousel(ad: AdSnapshot, place: Place, notes: Notes) -> list[dict[str, Any]]:
    images = [card.reference for card in ad.cards] or named(ad, *IMAGES)
    fewest, most = reference.CAROUSEL_IMAGES
    where = f"{place.at}.cards"
    if not fewest <= len(images) <= most or not all(images):
        notes.block("carousel.images", where, count=len(images), fewest=fewest, most=most)
    if "music_id" not in place.options:
        notes.block("carousel.music_missing", f"{place.at}.config.music_id")
        return []
    info = [{"web_uri": each} for each in images]
    return [
        {
            "ad_format": "CAROUSEL_ADS",
            "image_info": info,
            "music_info": {"music_id": place.options["music_id"]},
        }
    ]


def _put_texts(body: Body, ad: AdSnapshot, place: Place, notes: Notes) -> None:
    """All texts of the ad: TikTok tries them in turn."""
    where = f"{place.at}.texts"
    if "tiktok_item_id" in place.options:
        return
    if not 1 <= len(ad.texts) <= TEXTS_MOST:
        notes.block("smart.texts", where, count=len(ad.texts), most=TEXTS_MOST)
    for index, text in enumerate(ad.texts):
        check_text(text, reference.TEXT_LENGTH, f"{where}[{index}]", notes)
    body.put_given("ad_text_list", [{"ad_text": each} for each in ad.texts], where)


def _put_landing_page(body: Body, ad: AdSnapshot, place: Place, notes: Notes) -> None:
    where = f"{place.at}.landing_page"
    if not ad.landing_page:
        notes.block("landing_page.missing", where)
    elif check_url(ad.landing_page, where, notes):
        url = tagged_url(ad.landing_page, ad.utm, MACROS)
        body.put("landing_page_url_list", [{"landing_page_url": url}], where)


def _put_button(
    body: Body, ad: AdSnapshot, place: Place, own: bool, configuration: dict[str, Any], notes: Notes
) -> None:
    """A TikTok account as identity takes a dynamic button only: a portfolio of them, by its id."""
    where = f"{place.at}.call_to_action"
    if "call_to_action_id" in place.options:
        configuration["call_to_action_id"] = place.options["call_to_action_id"]
    elif not own:
        notes.block("smart.dynamic_button", f"{place.at}.config.call_to_action_id")
    elif ad.call_to_action not in reference.CALL_TO_ACTION:
        notes.block("call_to_action.unsupported", where, call_to_action=ad.call_to_action,
                    known=sorted(reference.CALL_TO_ACTION))  # fmt: skip
    else:
        button = reference.CALL_TO_ACTION[ad.call_to_action]
        body.put("call_to_action_list", [{"call_to_action": button}], where)
