"""Objective, goal, billing and bid: which combinations TikTok has, and what each needs.

Goal to billing event is fixed by TikTok; the CBO column is from "Campaign Budget Optimization"
(document 1739381757818881), the objectives from "Advertising objectives" (1737585562434561).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trafficking.platforms.base import AdSetSnapshot, TicketSnapshot
from trafficking.platforms.tiktok import reference
from trafficking.platforms.tiktok.draft import Body, Notes
from trafficking.platforms.tiktok.money import expressed

#: neutral objective -> objective_type. ENGAGEMENT (followers, profile visits) needs a TikTok account
#: and pages that a ticket does not name: refused rather than guessed.
OBJECTIVES: Mapping[str, str] = {
    "AWARENESS": "REACH",
    "REACH": "REACH",
    "TRAFFIC": "TRAFFIC",
    "VIDEO_VIEWS": "VIDEO_VIEWS",
    "LEADS": "LEAD_GENERATION",
    "APP_PROMOTION": "APP_PROMOTION",
    "SALES": "WEB_CONVERSIONS",
}


@dataclass(frozen=True, slots=True)
class Way:
    """One goal of one objective: what TikTok calls it, how it bills, and whom it needs."""

    goal: str
    billing: str
    promotion: str = ""  # promotion_type
    target: str = ""  # promotion_target_type, lead generation only
    with_campaign_budget: bool = True
    needs_pixel: bool = False


WAYS: Mapping[tuple[str, str], Way] = {
    ("REACH", "REACH"): Way("REACH", "CPM"),
    ("REACH", "IMPRESSIONS"): Way("SHOW", "CPM", with_campaign_budget=False),
    ("TRAFFIC", "CLICKS"): Way("CLICK", "CPC", "WEBSITE"),
    ("TRAFFIC", "LANDING_PAGE_VIEWS"): Way("TRAFFIC_LANDING_PAGE_VIEW", "OCPM", "WEBSITE"),
    ("VIDEO_VIEWS", "VIDEO_VIEWS"): Way("ENGAGED_VIEW", "CPV"),
    ("LEAD_GENERATION", "LEADS"): Way("LEAD_GENERATION", "OCPM", "LEAD_GENERATION", "INSTANT_PAGE"),
    ("LEAD_GENERATION", "CLICKS"): Way(
        "CLICK",
        "CPC",
        "LEAD_GENERATION",
        "EXTERNAL_WEBSITE",
        with_campaign_budget=False,
    ),
    ("LEAD_GENERATION", "CONVERSIONS"): Way(
        "CONVERT",
        "OCPM",
        "LEAD_GENERATION",
        "EXTERNAL_WEBSITE",
        with_campaign_budget=False,
        needs_pixel=True,
    ),
    ("APP_PROMOTION", "APP_INSTALLS"): Way("INSTALL", "OCPM", "APP"),
    ("APP_PROMOTION", "CLICKS"): Way("CLICK", "CPC", "APP", with_campaign_budget=False),
    ("APP_PROMOTION", "CONVERSIONS"): Way("IN_APP_EVENT", "OCPM", "APP"),
    ("WEB_CONVERSIONS", "CONVERSIONS"): Way("CONVERT", "OCPM", "WEBSITE", needs_pixel=True),
    ("WEB_CONVERSIONS", "CONVERSION_VALUE"): Way("VALUE", "OCPM", "WEBSITE", needs_pixel=True),
}
#: What the ticket calls the billing that TikTok ties to the goal (oCPM is paid per impression).
BILLED_AS = {
    "CPM": "IMPRESSIONS",
    "OCPM": "IMPRESSIONS",
    "CPC": "CLICKS",
    "CPV": "VIDEO_VIEWS",
}


@dataclass(frozen=True, slots=True)
class Bid:
    """The strategy and amount in force for an ad set: its own, or the ticket's with a campaign budget."""

    strategy: str
    amount: Decimal | None
    where: str  # field of the strategy
    amount_where: str


def way_of(objective: str, ad_set: AdSetSnapshot, at: str, notes: Notes) -> Way | None:
    if not ad_set.goal:
        notes.block("goal.missing", f"{at}.goal", goals=goals_of(objective))
        return None
    way = WAYS.get((objective, ad_set.goal))
    if way is None:
        notes.block("goal.unsupported", f"{at}.goal", goal=ad_set.goal, objective=objective,
                    goals=goals_of(objective))  # fmt: skip
    return way


def goals_of(objective: str) -> list[str]:
    return [goal for each, goal in WAYS if each == objective]


def bid_of(ticket: TicketSnapshot, ad_set: AdSetSnapshot, at: str) -> Bid:
    if ticket.budget_level == "CAMPAIGN":
        return Bid(ticket.bid_strategy, ticket.bid_amount, "bid_strategy", "bid_amount")
    return Bid(ad_set.bid_strategy, ad_set.bid_amount, f"{at}.bid_strategy", f"{at}.bid_amount")


def put_goal(body: Body, way: Way, ad_set: AdSetSnapshot, at: str, notes: Notes) -> None:
    source = f"{at}.goal"
    body.put("optimization_goal", way.goal, source)
    body.put("billing_event", way.billing, source)
    if ad_set.billing_event and ad_set.billing_event != BILLED_AS[way.billing]:
        notes.block("billing_event.mismatch", f"{at}.billing_event", billing_event=ad_set.billing_event,
                    goal=ad_set.goal, billed=BILLED_AS[way.billing])  # fmt: skip
    if way.goal == "VALUE":
        notes.warn("goal.allowlisted", source, goal=ad_set.goal)
    if way.promotion and way.promotion != "APP":
        body.put("promotion_type", way.promotion, "objective")
    body.put_given("promotion_target_type", way.target, source)


def put_bid(
    body: Body,
    way: Way,
    bid: Bid,
    currency: str,
    options: Mapping[str, Any],
    at: str,
    notes: Notes,
) -> None:
    """Maximum delivery, cost cap, or (for value only) a return goal; a bid cap is not TikTok's any more."""
    pacing = options.get("pacing", "PACING_MODE_SMOOTH")
    if bid.strategy == "LOWEST_COST":
        _put_no_bid(body, way, bid, pacing, at, notes)
    elif bid.strategy == "COST_CAP" and way.goal != "VALUE":
        _put_cost_cap(body, way, bid, currency, notes)
    elif bid.strategy == "TARGET_ROAS" and way.goal == "VALUE":
        _put_return_goal(body, bid, notes)
    else:
        notes.block("bid.strategy_unsupported", bid.where, strategy=bid.strategy, goal=way.goal)
    body.put("pacing", pacing, f"{at}.config.pacing" if "pacing" in options else "")


def _put_no_bid(body: Body, way: Way, bid: Bid, pacing: str, at: str, notes: Notes) -> None:
    body.put("bid_type", "BID_TYPE_NO_BID", bid.where)
    if way.goal == "VALUE":
        body.put("deep_bid_type", "VO_HIGHEST_VALUE", bid.where)
    if bid.amount is not None:
        notes.block("bid.amount_without_cap", bid.amount_where, amount=str(bid.amount))
    if pacing != "PACING_MODE_SMOOTH":
        notes.block("pacing.needs_bid", f"{at}.config.pacing", pacing=pacing)


def _put_cost_cap(body: Body, way: Way, bid: Bid, currency: str, notes: Notes) -> None:
    body.put("bid_type", "BID_TYPE_CUSTOM", bid.where)
    if bid.amount is None:
        notes.block("bid.amount_missing", bid.amount_where, strategy=bid.strategy)
        return
    number = expressed(bid.amount, currency, bid.amount_where, notes)
    if number is not None:
        key = "conversion_bid_price" if way.billing == "OCPM" else "bid_price"
        body.put(key, number, bid.amount_where)
    if way.billing == "CPV":
        body.put("bid_display_mode", "CPV")


def _put_return_goal(body: Body, bid: Bid, notes: Notes) -> None:
    """`roas_bid` is a ratio, not money: 1.5 is 150 % (0.01 to 1,000)."""
    body.put("bid_type", "BID_TYPE_NO_BID", bid.where)
    body.put("deep_bid_type", "VO_MIN_ROAS", bid.where)
    amount = bid.amount
    if amount is None:
        notes.block("bid.amount_missing", bid.amount_where, strategy=bid.strategy)
    elif not amount.is_finite() or not Decimal("0.01") <= amount <= 1000 or amount != round(amount, 2):
        notes.block("bid.roas_out_of_range", bid.amount_where, amount=str(amount))
    else:
        body.put("roas_bid", float(amount), bid.amount_where)


def put_event(
    body: Body, ticket: TicketSnapshot, way: Way, ad_set: AdSetSnapshot, options: Mapping[str, Any], at: str,
    notes: Notes,
) -> None:  # fmt: skip
    """Pixel and event for web conversions, app event for in-app goals; nothing where TikTok takes none."""
    if way.needs_pixel:
        body.put_given("pixel_id", ticket.account.pixel_id, "account.pixel_id")
        if not ticket.account.pixel_id:
            notes.block("pixel.missing", "account.pixel_id")
        _put_event_name(body, reference.PIXEL_EVENTS, ad_set, options, at, notes)
    elif way.goal == "IN_APP_EVENT" or (way.promotion == "APP" and ad_set.conversion_event):
        _put_event_name(body, reference.APP_EVENTS, ad_set, options, at, notes)
    elif ad_set.conversion_event:
        notes.warn(
            "event.unused",
            f"{at}.conversion_event",
            event=ad_set.conversion_event,
            goal=way.goal,
        )


def _put_event_name(
    body: Body, events: Mapping[str, str], ad_set: AdSetSnapshot, options: Mapping[str, Any], at: str,
    notes: Notes,
) -> None:  # fmt: skip
    where = f"{at}.conversion_event"
    if "optimization_event" in options:
        body.put(
            "optimization_event",
            options["optimization_event"],
            f"{at}.config.optimization_event",
        )
    elif not ad_set.conversion_event:
        notes.block("event.missing", where)
    elif ad_set.conversion_event not in events:
        notes.block("event.unknown", where, event=ad_set.conversion_event, events=sorted(events))
    else:
        body.put("optimization_event", events[ad_set.conversion_event], where)
