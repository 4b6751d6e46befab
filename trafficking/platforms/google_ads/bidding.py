"""What the ad sets optimise for, as the campaign's one bidding strategy.

Which strategy works where: developers.google.com/google-ads/api/docs/campaigns/bidding/strategy-types (manual CPM
on Display only, target impression share on Search only) and …/docs/demand-gen/overview (Demand Gen takes
maximize conversions or value, maximize clicks and target CPC). Neutral terms: LOWEST_COST lets Google bid,
COST_CAP is an average to keep, BID_CAP a ceiling, TARGET_ROAS a ratio (4.0 is 400 %).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from trafficking.platforms.base import TicketSnapshot
from trafficking.platforms.google_ads.money import positive_micros
from trafficking.platforms.google_ads.notes import Notes
from trafficking.platforms.google_ads.reference import DEMAND_GEN, DISPLAY, PERFORMANCE_MAX, SEARCH

CONVERSION_GOALS = ("CONVERSIONS", "LEADS")
#: What people ask of YouTube, and Demand Gen cannot be told to optimise for.
ATTENTION_GOALS = ("REACH", "IMPRESSIONS", "VIDEO_VIEWS", "ENGAGEMENT")


#: Beside clicks and conversions, what each channel can be told to bid for.
_ATTENTION_OF = {DISPLAY: ("REACH", "IMPRESSIONS"), SEARCH: ("IMPRESSIONS",), DEMAND_GEN: ATTENTION_GOALS}


def goals_of(buying_type: str) -> tuple[str, ...]:
    """Goals that a channel knows; those of every channel where none is named."""
    if buying_type == PERFORMANCE_MAX:
        return (*CONVERSION_GOALS, "CONVERSION_VALUE")
    return ("CLICKS", *CONVERSION_GOALS, "CONVERSION_VALUE", *_ATTENTION_OF.get(buying_type, ATTENTION_GOALS))


@dataclass(frozen=True, slots=True)
class Bidding:
    """The campaign's scheme (`{"targetSpend": {}}`), what the ad groups carry, and the source field."""

    campaign: dict[str, Any]
    ad_group: dict[str, Any] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """The bid that holds for the campaign, and where the ticket says so."""

    goal: str
    strategy: str
    amount: Decimal | None
    path: str  # "" or "ad_sets[0]."

    @property
    def strategy_field(self) -> str:
        return f"{self.path}bid_strategy"

    @property
    def amount_field(self) -> str:
        return f"{self.path}bid_amount"


def bidding(ticket: TicketSnapshot, notes: Notes) -> Bidding | None:
    """The bidding strategy, or None with findings that say what does not fit."""
    goal = _common_goal(ticket, notes)
    if goal is None:
        return None
    wish = _wish(ticket, goal)
    if goal in CONVERSION_GOALS or goal == "CONVERSION_VALUE":
        _warn_of_default_goals(ticket, notes)
    if ticket.buying_type == PERFORMANCE_MAX and goal not in (*CONVERSION_GOALS, "CONVERSION_VALUE"):
        _refuse_goal(ticket, wish, notes)
        return None
    if goal == "CLICKS":
        return _clicks(ticket, wish, notes)
    if goal in CONVERSION_GOALS:
        return _conversions(ticket, wish, notes)
    if goal == "CONVERSION_VALUE":
        return _value(ticket, wish, notes)
    return _attention(ticket, wish, notes)


def _common_goal(ticket: TicketSnapshot, notes: Notes) -> str | None:
    """The goal of all ad sets: Google bids per campaign."""
    goals = [ad_set.goal for ad_set in ticket.ad_sets]
    for index, goal in enumerate(goals):
        if not goal:
            notes.block("goal.missing", f"ad_sets[{index}].goal")
        elif goals[0] and goal != goals[0]:
            notes.block("goal.differs", f"ad_sets[{index}].goal", goal=goal, first=goals[0])
    if not goals or "" in goals or len(set(goals)) > 1:
        return None
    return goals[0]


def _wish(ticket: TicketSnapshot, goal: str) -> Wish:
    if ticket.budget_level == "CAMPAIGN":
        return Wish(goal, ticket.bid_strategy, ticket.bid_amount, "")
    first = ticket.ad_sets[0]
    return Wish(goal, first.bid_strategy, first.bid_amount, "ad_sets[0].")


def _clicks(ticket: TicketSnapshot, wish: Wish, notes: Notes) -> Bidding | None:
    """Maximize clicks, with a ceiling on Search and Display or a target on Demand Gen."""
    if wish.strategy == "LOWEST_COST":
        return Bidding({"targetSpend": {}}, source=wish.strategy_field)
    if wish.strategy == "BID_CAP" and ticket.buying_type != DEMAND_GEN:
        return _with_amount(ticket, wish, "targetSpend", "cpcBidCeilingMicros", notes)
    if wish.strategy == "COST_CAP" and ticket.buying_type == DEMAND_GEN:
        return _with_amount(ticket, wish, "targetCpc", "targetCpcMicros", notes)
    return _refuse_strategy(ticket, wish, notes)


def _conversions(ticket: TicketSnapshot, wish: Wish, notes: Notes) -> Bidding | None:
    if wish.strategy == "LOWEST_COST":
        return Bidding({"maximizeConversions": {}}, source=wish.strategy_field)
    if wish.strategy == "COST_CAP":
        return _with_amount(ticket, wish, "maximizeConversions", "targetCpaMicros", notes)
    return _refuse_strategy(ticket, wish, notes)


def _value(ticket: TicketSnapshot, wish: Wish, notes: Notes) -> Bidding | None:
    if wish.strategy == "LOWEST_COST":
        return Bidding({"maximizeConversionValue": {}}, source=wish.strategy_field)
    if wish.strategy != "TARGET_ROAS":
        return _refuse_strategy(ticket, wish, notes)
    if wish.amount is None:
        notes.block("bid.amount_missing", wish.amount_field, strategy=wish.strategy)
        return None
    if not wish.amount.is_finite() or not Decimal("0.01") <= wish.amount <= 1000:
        notes.block("bid.roas_out_of_range", wish.amount_field, roas=str(wish.amount))
        return None
    # A ratio, not money: the API's field is a double.
    return Bidding({"maximizeConversionValue": {"targetRoas": float(wish.amount)}}, source=wish.amount_field)


def _attention(ticket: TicketSnapshot, wish: Wish, notes: Notes) -> Bidding | None:
    """Reach, impressions, views: each channel has its own way, or none."""
    if wish.goal in ("REACH", "IMPRESSIONS") and ticket.buying_type == DISPLAY:
        return _manual_cpm(ticket, wish, notes)
    if wish.goal == "IMPRESSIONS" and ticket.buying_type == SEARCH:
        return _impression_share(ticket, wish, notes)
    if wish.goal in ATTENTION_GOALS and ticket.buying_type == DEMAND_GEN:
        return _clicks_instead(ticket, wish, notes)
    _refuse_goal(ticket, wish, notes)
    return None


def _manual_cpm(ticket: TicketSnapshot, wish: Wish, notes: Notes) -> Bidding | None:
    """Manual CPM needs a price: the most to pay for a thousand viewable impressions, on each ad group."""
    if wish.strategy != "BID_CAP":
        notes.block("bid.cpm_needs_cap", wish.strategy_field, strategy=wish.strategy)
        return None
    micros = _bid_micros(ticket, wish, notes)
    if micros is None:
        return None
    return Bidding({"manualCpm": {}}, {"cpmBidMicros": str(micros)}, wish.amount_field)


def _impression_share(ticket: TicketSnapshot, wish: Wish, notes: Notes) -> Bidding | None:
    share = ticket.config.get("target_impression_share")
    if not isinstance(share, dict) or not {"location", "percent"} <= share.keys():
        notes.block("bid.impression_share_missing", "payload_config.target_impression_share")
        return None
    if wish.strategy != "BID_CAP":
        notes.block("bid.share_needs_cap", wish.strategy_field, strategy=wish.strategy)
        return None
    micros = _bid_micros(ticket, wish, notes)
    if micros is None:
        return None
    scheme = {
        "location": share["location"],
        "locationFractionMicros": str(int(share["percent"]) * 10_000),
        "cpcBidCeilingMicros": str(micros),
    }
    return Bidding({"targetImpressionShare": scheme}, source=wish.amount_field)


def _clicks_instead(ticket: TicketSnapshot, wish: Wish, notes: Notes) -> Bidding | None:
    """Demand Gen has no bidding for attention. An accepted YouTube line is bid for clicks, and says so."""
    if not ticket.config.get("demand_gen_accepted"):
        _refuse_goal(ticket, wish, notes)
        return None
    for index in range(len(ticket.ad_sets)):
        notes.warn("goal.becomes_clicks", f"ad_sets[{index}].goal", goal=wish.goal)
    return _clicks(ticket, Wish("CLICKS", wish.strategy, wish.amount, wish.path), notes)


def _with_amount(
    ticket: TicketSnapshot, wish: Wish, scheme: str, amount_field: str, notes: Notes
) -> Bidding | None:
    micros = _bid_micros(ticket, wish, notes)
    if micros is None:
        return None
    return Bidding({scheme: {amount_field: str(micros)}}, source=wish.amount_field)


def _bid_micros(ticket: TicketSnapshot, wish: Wish, notes: Notes) -> int | None:
    if wish.amount is None:
        notes.block("bid.amount_missing", wish.amount_field, strategy=wish.strategy)
        return None
    return positive_micros(wish.amount, ticket.currency, wish.amount_field, notes)


def _refuse_strategy(ticket: TicketSnapshot, wish: Wish, notes: Notes) -> Bidding | None:
    """Says that the channel has no such strategy; there is no bidding then."""
    notes.block(
        "bid.strategy_unsupported", wish.strategy_field, strategy=wish.strategy, goal=wish.goal,
        channel=ticket.buying_type,
    )  # fmt: skip
    return None


def _refuse_goal(ticket: TicketSnapshot, wish: Wish, notes: Notes) -> None:
    for index in range(len(ticket.ad_sets)):
        notes.block("goal.unsupported", f"ad_sets[{index}].goal", goal=wish.goal, channel=ticket.buying_type)


def _warn_of_default_goals(ticket: TicketSnapshot, notes: Notes) -> None:
    if not ticket.account.conversion_action_id:
        notes.warn("conversion.account_default", "account")
