"""An ad set's body: goal, money, flight, hours, cap, audience, disclosure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from trafficking.platforms.base import AdSetSnapshot, Daypart, TicketSnapshot, stand_in
from trafficking.platforms.meta.campaign import ADVANTAGE_PLUS, bid_strategy, check_name
from trafficking.platforms.meta.goals import Recipe, billing_event
from trafficking.platforms.meta.money import (
    BUDGET_KEYS,
    ROAS_SCALE,
    amount_in_units,
    check_minimum,
    started_days,
    whole_units,
)  # fmt: skip
from trafficking.platforms.meta.noted import Body, Noted
from trafficking.platforms.meta.reference import CONVERSION_EVENTS, LIMITS
from trafficking.platforms.meta.targeting import Aim, eu_countries, targeting

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
#: "Writes to this field are only available in ad sets where REACH and THRUPLAY are the performance goal"
#: (Ad Set reference, `frequency_control_specs`, as quoted by two public projects).
_CAPPED_GOALS = ("REACH", "THRUPLAY")
_ROAS_LEAST, _ROAS_MOST = Decimal("0.01"), Decimal(1000)


@dataclass(frozen=True, slots=True)
class AdSetDraft:
    """One ad set on its way to its body."""

    ticket: TicketSnapshot
    ad_set: AdSetSnapshot
    config: Mapping[str, Any]
    path: str
    outcome: str
    recipe: Recipe

    @property
    def uses_pixel(self) -> bool:
        return self.recipe.promoted in ("pixel", "pixel_event")

    @property
    def store_url(self) -> str:
        return self.config.get("object_store_url", "") if self.outcome == "OUTCOME_APP_PROMOTION" else ""

    @property
    def budget_kind(self) -> str:
        """Kind of the budget that pays for this ad set, "" without one."""
        shared = self.ticket.budget_level == "CAMPAIGN"
        budget = self.ticket.budget if shared else self.ad_set.budget
        return budget.kind if budget else ""

    @property
    def start(self) -> datetime | None:
        return self.ad_set.start or self.ticket.start

    @property
    def end(self) -> datetime | None:
        return self.ad_set.end or self.ticket.end

    def at(self, field: str) -> str:
        return f"{self.path}.{field}"


def ad_set_body(noted: Noted, draft: AdSetDraft) -> Body:
    """The body of `POST act_<id>/adsets`."""
    body = Body()
    check_name(noted, draft.ad_set.name, draft.at("name"))
    if draft.ticket.buying_type == ADVANTAGE_PLUS:
        _check_automated(noted, draft)
    body.put("name", draft.ad_set.name, draft.at("name"))
    body.put("campaign_id", stand_in("campaign"))
    body.put("status", "PAUSED")
    billing = _put_goal(noted, body, draft)
    _put_promoted_object(noted, body, draft)
    _put_budget(noted, body, draft, billing)
    _put_bid(noted, body, draft)
    _put_flight(noted, body, draft)
    _put_dayparts(noted, body, draft)
    _put_frequency_cap(noted, body, draft)
    aim = Aim(draft.ticket, draft.ad_set, draft.config, draft.path)
    body.nest("targeting", targeting(noted, aim), draft.path)
    _put_disclosure(noted, body, draft)
    attribution = draft.config.get("attribution_spec")
    body.put("attribution_spec", attribution, draft.at("config.attribution_spec"))
    return body


def _check_automated(noted: Noted, draft: AdSetDraft) -> None:
    """Advantage+ placements are the absence of placement fields, devices among them; the audience is Meta's."""
    if draft.ad_set.placements:
        noted.block("advantage_plus.placements", draft.at("placements"))
    if draft.config.get("device_platforms"):
        noted.block("advantage_plus.placements", draft.at("config.device_platforms"))
    if draft.config.get("advantage_audience") == 0:
        noted.block("advantage_plus.audience", draft.at("config.advantage_audience"))


# ------------------------------------------------------------------------------------------ goal


def _put_goal(noted: Noted, body: Body, draft: AdSetDraft) -> str:
    """Goal and billing event; answers the billing event that was put."""
    goal = draft.recipe.optimization_goal
    event = billing_event(draft.ad_set.billing_event, goal)
    if event is None and goal:
        noted.block(
            "billing_event.unsupported",
            draft.at("billing_event"),
            billing_event=draft.ad_set.billing_event,
            goal=draft.ad_set.goal,
        )
    body.put("optimization_goal", goal, draft.at("goal"))
    body.put("billing_event", event, draft.at("billing_event"))
    body.put("destination_type", draft.recipe.destination_type, draft.at("goal"))
    return event or "IMPRESSIONS"


def _put_promoted_object(noted: Noted, body: Body, draft: AdSetDraft) -> None:
    promoted, account = Body(), draft.ticket.account
    match draft.recipe.promoted:
        case "page":
            promoted.put("page_id", account.page_id or None)
        case "pixel" | "pixel_event":
            promoted.put(
                "pixel_id", _needed(noted, account.pixel_id, "account.pixel_missing", "account.pixel_id")
            )
        case "app" | "app_event":
            promoted.put(
                "application_id", _needed(noted, account.app_id, "account.app_missing", "account.app_id")
            )
            store = draft.at("config.object_store_url")
            promoted.put(
                "object_store_url", _needed(noted, draft.store_url, "app.store_url_missing", store), store
            )
    if draft.recipe.promoted.endswith("_event"):
        promoted.put("custom_event_type", _event(noted, draft), draft.at("conversion_event"))
    if promoted.values:
        body.nest("promoted_object", promoted, draft.at("goal"))


def _needed(noted: Noted, value: str, code: str, field: str) -> str | None:
    if not value:
        noted.block(code, field)
    return value or None


def _event(noted: Noted, draft: AdSetDraft) -> str | None:
    neutral = draft.ad_set.conversion_event or draft.recipe.default_event
    if not neutral:
        noted.block("conversion_event.missing", draft.at("conversion_event"))
        return None
    event = CONVERSION_EVENTS.get(neutral)
    if event is None:
        noted.block(
            "conversion_event.unknown",
            draft.at("conversion_event"),
            event=neutral,
            known=sorted(CONVERSION_EVENTS),
        )
    return event


# ----------------------------------------------------------------------------------------- money


def _put_budget(noted: Noted, body: Body, draft: AdSetDraft, billing: str) -> None:
    budget, field = draft.ad_set.budget, draft.at("budget")
    if draft.ticket.budget_level == "CAMPAIGN":
        if budget is not None:
            noted.block("budget.two_levels", field)
        _put_spend_limits(noted, body, draft)
        return
    if budget is None:
        noted.block("budget.missing", field)
        return
    key = BUDGET_KEYS.get(budget.kind)
    if key is None:
        noted.block("budget.kind_unknown", f"{field}.kind", kind=budget.kind)
        return
    body.put(key, amount_in_units(noted, budget.amount, draft.ticket.currency, field), field)
    check_minimum(noted, budget, draft.ticket.currency, billing, started_days(draft.start, draft.end), field)


def _put_spend_limits(noted: Noted, body: Body, draft: AdSetDraft) -> None:
    prefix = "daily" if draft.budget_kind == "DAILY" else "lifetime"
    for option, key in (("min_spend", f"{prefix}_min_spend_target"), ("max_spend", f"{prefix}_spend_cap")):
        if option in draft.config:
            field = draft.at(f"config.{option}")
            amount = Decimal(draft.config[option])
            body.put(key, amount_in_units(noted, amount, draft.ticket.currency, field), field)


def _put_bid(noted: Noted, body: Body, draft: AdSetDraft) -> None:
    """The strategy stands where the budget does; amounts always stand on the ad set."""
    shared = draft.ticket.budget_level == "CAMPAIGN"
    strategy = draft.ticket.bid_strategy if shared else draft.ad_set.bid_strategy
    strategy_field = "bid_strategy" if shared else draft.at("bid_strategy")
    if not shared:
        body.put("bid_strategy", bid_strategy(noted, strategy, strategy_field), strategy_field)
    amount, field = _bid_amount(draft, shared)
    if strategy == "LOWEST_COST":
        if amount is not None:
            noted.block("bid.amount_unused", field)
        return
    if amount is None:
        noted.block("bid.amount_missing", field, strategy=strategy)
        return
    if strategy == "TARGET_ROAS":
        _put_roas(noted, body, draft, amount, field)
        return
    body.put("bid_amount", amount_in_units(noted, amount, draft.ticket.currency, field), field)


def _bid_amount(draft: AdSetDraft, shared: bool) -> tuple[Decimal | None, str]:
    own = draft.ad_set.bid_amount
    if shared and own is None:
        return draft.ticket.bid_amount, "bid_amount"
    return own, draft.at("bid_amount")


def _put_roas(noted: Noted, body: Body, draft: AdSetDraft, floor: Decimal, field: str) -> None:
    if draft.recipe.optimization_goal != "VALUE":
        noted.block("bid.roas_needs_value", field, goal=draft.ad_set.goal)
    scaled = whole_units(floor, ROAS_SCALE)
    if scaled is None or not _ROAS_LEAST <= floor <= _ROAS_MOST:
        noted.block(
            "bid.roas_out_of_range", field, roas=str(floor), least=str(_ROAS_LEAST), most=str(_ROAS_MOST)
        )
        return
    body.put("bid_constraints", {"roas_average_floor": scaled}, field)


# ---------------------------------------------------------------------------------------- flight


def _put_flight(noted: Noted, body: Body, draft: AdSetDraft) -> None:
    start, end = draft.start, draft.end
    body.put("start_time", _moment(noted, start, draft.at("start")), draft.at("start"))
    body.put("end_time", _moment(noted, end, draft.at("end")), draft.at("end"))
    if start is None:
        noted.block("flight.start_missing", draft.at("start"))
    if end is None and draft.budget_kind == "LIFETIME":
        noted.block("flight.end_missing", draft.at("end"))
    if start is None or end is None or start.tzinfo is None or end.tzinfo is None:
        return
    if end <= start:
        noted.block("flight.reversed", draft.at("end"))
    elif draft.budget_kind == "DAILY" and end + _SECOND - start < _DAY:
        noted.block("flight.too_short", draft.at("end"))


def _moment(noted: Noted, moment: datetime | None, field: str) -> str | None:
    """ISO 8601 with the zone's offset at that moment: 2026-05-01T00:00:00-0700."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        noted.block("flight.no_time_zone", field)
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%S%z")[:24]


def _put_dayparts(noted: Noted, body: Body, draft: AdSetDraft) -> None:
    """Meta's weeks begin on Sunday, its hours are minutes, and only lifetime budgets can be scheduled."""
    parts, field = draft.ad_set.dayparts, draft.at("dayparts")
    if not parts:
        return
    if draft.budget_kind != "LIFETIME":
        noted.block("dayparts.need_lifetime_budget", field)
    days_by_hours: dict[tuple[int, int], list[int]] = {}
    for number, part in enumerate(parts):
        if not (0 <= part.day <= 6 and 0 <= part.start_hour < part.end_hour <= 24):
            noted.block("dayparts.invalid", f"{field}[{number}]")
        elif any(_overlap(part, earlier) for earlier in parts[:number]):
            noted.block("dayparts.overlap", f"{field}[{number}]")
        else:
            days_by_hours.setdefault((part.start_hour, part.end_hour), []).append((part.day + 1) % 7)
    body.put("adset_schedule", [_schedule(hours, days) for hours, days in days_by_hours.items()], field)
    if draft.ticket.budget_level == "AD_SET":
        body.put("pacing_type", ["day_parting"], field)


def _overlap(one: Daypart, other: Daypart) -> bool:
    return one.day == other.day and one.start_hour < other.end_hour and other.start_hour < one.end_hour


def _schedule(hours: tuple[int, int], days: list[int]) -> dict[str, Any]:
    return {
        "start_minute": hours[0] * 60,
        "end_minute": hours[1] * 60,
        "days": sorted(days),
        "timezone_type": "ADVERTISER",
    }


def _put_frequency_cap(noted: Noted, body: Body, draft: AdSetDraft) -> None:
    cap, field = draft.ad_set.frequency_cap, draft.at("frequency_cap")
    if cap is None:
        return
    if draft.recipe.optimization_goal and draft.recipe.optimization_goal not in _CAPPED_GOALS:
        noted.block("frequency_cap.unsupported_goal", field, goal=draft.ad_set.goal)
    most = LIMITS["days_per_cap"]
    if not (1 <= cap.days <= most and 1 <= cap.impressions <= most):
        noted.block(
            "frequency_cap.out_of_range", field, impressions=cap.impressions, days=cap.days, most=most
        )
        return
    spec = {"event": "IMPRESSIONS", "interval_days": cap.days, "max_frequency": cap.impressions}
    body.put("frequency_control_specs", [spec], field)


def _put_disclosure(noted: Noted, body: Body, draft: AdSetDraft) -> None:
    """Who benefits and who pays, as EU law asks for ads that reach the EU."""
    ticket = draft.ticket
    reached = eu_countries(ticket, draft.ad_set.geo)
    if not reached:
        return
    for key in ("dsa_beneficiary", "dsa_payor"):
        value = getattr(ticket, key).strip()
        if not value:
            noted.block(f"{key}.missing", key, countries=reached)
        body.put(key, value or None, key)
