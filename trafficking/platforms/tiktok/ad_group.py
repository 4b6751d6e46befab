"""One ad group (the ticket's ad set) and its ads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trafficking.platforms.base import AdSetSnapshot, Budget, TicketSnapshot
from trafficking.platforms.tiktok import goals, reference, schedule, targeting
from trafficking.platforms.tiktok.draft import Body, Notes
from trafficking.platforms.tiktok.money import Flight, budget_number
from trafficking.platforms.tiktok.options import Options, zone_of
from trafficking.platforms.tiktok.texts import check_text

#: Options that are sent under their own names.
PLAIN_OPTIONS = (
    "click_attribution_window", "view_attribution_window", "attribution_event_count", "brand_safety_type",
    "category_exclusion_ids", "comment_disabled", "video_download_disabled", "share_disabled",
    "search_result_enabled", "smart_audience_enabled", "smart_interest_behavior_enabled",
    "interest_keyword_ids", "spending_power", "network_types", "min_android_version", "min_ios_version",
    "is_hfss",
)  # fmt: skip
#: Objectives for which TikTok wants the dynamic daily budget (document 1739381246298114); for REACH and
#: VIDEO_VIEWS it is an allowlist feature, so they get a plain daily budget.
DYNAMIC_DAILY = frozenset({"TRAFFIC", "APP_PROMOTION", "WEB_CONVERSIONS", "LEAD_GENERATION"})


@dataclass(slots=True)
class AdGroup:
    """The body (None where it can't be expressed) and what its ads must know."""

    body: Body | None
    way: goals.Way | None = None
    placements: tuple[str, ...] = ()
    shared: Mapping[str, Any] = field(default_factory=dict)  # what must agree under a campaign budget


def ad_group_of(
    ticket: TicketSnapshot,
    objective: str,
    ad_set: AdSetSnapshot,
    options: Options,
    at: str,
    notes: Notes,
) -> AdGroup:
    """Everything that `adgroup/create` takes except advertiser, campaign and request id."""
    blocks = notes.blocks
    body = Body()
    check_text(ad_set.name, reference.NAME_LENGTH, f"{at}.name", notes)
    body.put("adgroup_name", ad_set.name, f"{at}.name")
    flight = schedule.flight_of(ticket, ad_set, at, notes)
    if flight is not None:
        schedule.put_schedule(body, flight, ad_set, at)
        _put_budget(body, ticket, objective, ad_set, flight, options, at, notes)
    schedule.put_dayparts(body, ad_set.dayparts, at, notes)
    targeting.put_targeting(body, ad_set, bool(ticket.special_ad_categories), at, notes)
    way = goals.way_of(objective, ad_set, at, notes)
    if way is not None:
        _put_way(body, ticket, way, ad_set, options, at, notes)
    for name in PLAIN_OPTIONS:
        if name in options.values:
            body.put(name, options.values[name], options.where[name])
    if "targeting_optimization_mode" in options.values:
        notes.warn(
            "smart.only", options.where["targeting_optimization_mode"], option="targeting_optimization_mode"
        )
    body.put("operation_status", "DISABLE")
    complete = body if notes.blocks == blocks else None
    shared = {key: body.values.get(key) for key in ("optimization_goal", "bid_type", "optimization_event")}
    return AdGroup(complete, way, tuple(body.values.get("placements", ())), shared)


def _put_way(
    body: Body, ticket: TicketSnapshot, way: goals.Way, ad_set: AdSetSnapshot, options: Options, at: str,
    notes: Notes,
) -> None:  # fmt: skip
    goals.put_goal(body, way, ad_set, at, notes)
    bid = goals.bid_of(ticket, ad_set, at)
    goals.put_bid(body, way, bid, ticket.currency, options.values, at, notes)
    goals.put_event(body, ticket, way, ad_set, options.values, at, notes)
    targeting.put_placements(body, way, ad_set, at, notes)
    targeting.put_frequency(body, way, ad_set, at, notes)
    if way.promotion == "APP":
        _put_app(body, ticket, options, at, notes)
    if ticket.budget_level == "CAMPAIGN" and not way.with_campaign_budget:
        notes.block("goal.not_with_campaign_budget", f"{at}.goal", goal=ad_set.goal)
    if ticket.budget_level == "CAMPAIGN" and options.values.get("pacing") == "PACING_MODE_FAST":
        notes.block("pacing.fixed_by_campaign_budget", options.where["pacing"], pacing="PACING_MODE_FAST")
    price, budget = (
        body.values.get("bid_price") or body.values.get("conversion_bid_price"),
        body.values.get("budget"),
    )
    if price is not None and budget is not None and price >= budget:
        notes.block("bid.not_below_budget", bid.amount_where, bid=str(price), budget=str(budget))


def _put_app(body: Body, ticket: TicketSnapshot, options: Options, at: str, notes: Notes) -> None:
    """The app, its system, and (for re-engagement) the audience of people who have it."""
    body.put_given("app_id", ticket.account.app_id, "account.app_id")
    if not ticket.account.app_id:
        notes.block("app.missing", "account.app_id")
    system = options.values.get("operating_system")
    if system is None:
        notes.block("app.system_missing", f"{at}.config.operating_system")
    else:
        body.put("promotion_type", f"APP_{system}", options.where["operating_system"])
        body.put("operating_systems", [system], options.where["operating_system"])
    if system == "IOS":
        notes.warn("app.ios14", f"{at}.config.operating_system")
    if ticket.config.get("app_promotion_type") == "APP_RETARGETING":
        body.put("audience_type", "NEW_CUSTOM_AUDIENCE", "config.app_promotion_type")
        if "audience_ids" not in body.values:
            notes.block("app.audience_missing", f"{at}.audiences_include")


def _put_budget(
    body: Body, ticket: TicketSnapshot, objective: str, ad_set: AdSetSnapshot, flight: Flight,
    options: Options, at: str, notes: Notes,
) -> None:  # fmt: skip
    """Its own budget; with a campaign budget TikTok ignores both fields but still requires them."""
    if ticket.budget_level == "CAMPAIGN":
        _repeat_campaign_budget(body, ticket, objective, ad_set, flight, at, notes)
        return
    where, budget = f"{at}.budget", ad_set.budget
    if budget is None:
        notes.block("budget.missing", where)
        return
    _check_lifetime(budget, flight, where, notes)
    zone = zone_of(ticket)
    days = flight.days(zone) if budget.kind == "LIFETIME" and zone else None
    number = budget_number(budget, ticket.currency, base_minimum=reference.AD_SET_MINIMUM, days=days,
                           where=where, notes=notes)  # fmt: skip
    mode = budget_mode(budget, objective, ticket, where, notes)
    body.put("budget_mode", mode, where)
    if number is not None:
        body.put("budget", number, where)


def _repeat_campaign_budget(
    body: Body, ticket: TicketSnapshot, objective: str, ad_set: AdSetSnapshot, flight: Flight, at: str,
    notes: Notes,
) -> None:  # fmt: skip
    if ad_set.budget is not None:
        notes.block("budget.two_levels", f"{at}.budget")
    if ticket.budget is None:
        return  # told once, at the campaign
    _check_lifetime(ticket.budget, flight, f"{at}.end", notes)
    body.put(
        "budget_mode",
        budget_mode(ticket.budget, objective, ticket, "budget", Notes()),
        "budget",
    )
    quiet = Notes()  # told once, at the campaign
    number = budget_number(ticket.budget, ticket.currency, base_minimum=reference.CAMPAIGN_MINIMUM, days=None,
                           where="budget", notes=quiet)  # fmt: skip
    if number is not None:
        body.put("budget", number, "budget")


def _check_lifetime(budget: Budget, flight: Flight, where: str, notes: Notes) -> None:
    if budget.kind == "LIFETIME" and flight.end is None:
        notes.block("budget.lifetime_needs_end", where)


def budget_mode(budget: Budget, objective: str, ticket: TicketSnapshot, where: str, notes: Notes) -> str:
    """TOTAL, DAY, or the dynamic daily budget that may spend more on one day and evens out over a week."""
    if budget.kind == "LIFETIME":
        return "BUDGET_MODE_TOTAL"
    usual = "BUDGET_MODE_DYNAMIC_DAILY_BUDGET" if objective in DYNAMIC_DAILY else "BUDGET_MODE_DAY"
    mode = ticket.config.get("daily_budget_mode", usual)
    if mode == "BUDGET_MODE_DYNAMIC_DAILY_BUDGET":
        notes.warn(
            "budget.daily_average",
            where,
            amount=str(budget.amount),
            currency=ticket.currency,
        )
    return mode
