"""The campaign's body, and all that must be stated for the ticket as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trafficking.platforms.base import TicketSnapshot
from trafficking.platforms.meta.money import BUDGET_KEYS, amount_in_units, check_minimum, started_days
from trafficking.platforms.meta.noted import Body, Noted
from trafficking.platforms.meta.reference import (
    COUNTRIES,
    CURRENCY_OFFSETS,
    LIMITS,
    SPECIAL_AD_CATEGORIES,
)  # fmt: skip
from trafficking.platforms.meta.targeting import eu_countries, is_meta_id

BID_STRATEGIES = {
    "LOWEST_COST": "LOWEST_COST_WITHOUT_CAP",
    "COST_CAP": "COST_CAP",
    "BID_CAP": "LOWEST_COST_WITH_BID_CAP",
    "TARGET_ROAS": "LOWEST_COST_WITH_MIN_ROAS",
}
ADVANTAGE_PLUS = "ADVANTAGE_PLUS"
BUYING_TYPES = ("AUCTION", ADVANTAGE_PLUS)
AUTOMATED_OUTCOMES = ("OUTCOME_SALES", "OUTCOME_APP_PROMOTION", "OUTCOME_LEADS")
POLITICS = "ISSUES_ELECTIONS_POLITICS"
#: Since January 2025 Meta calls CREDIT this.
_RENAMED = {"CREDIT": "FINANCIAL_PRODUCTS_SERVICES"}


def campaign_body(noted: Noted, ticket: TicketSnapshot, outcome: str, config: Mapping[str, Any]) -> Body:
    """The body of `POST act_<id>/campaigns`."""
    _check_whole(noted, ticket, outcome)
    body = Body()
    body.put("name", ticket.name, "name")
    body.put("objective", outcome, "objective")
    body.put("buying_type", "AUCTION", "buying_type")  # Advantage+ is bought by auction, too
    body.put("status", "PAUSED")
    _put_categories(noted, body, ticket)
    _put_budget(noted, body, ticket, config)
    if "spend_cap" in config:
        cap = amount_in_units(noted, Decimal(config["spend_cap"]), ticket.currency, "config.spend_cap")
        body.put("spend_cap", cap, "config.spend_cap")
    body.put(
        "is_skadnetwork_attribution", config.get("skadnetwork_attribution"), "config.skadnetwork_attribution"
    )
    return body


def _check_whole(noted: Noted, ticket: TicketSnapshot, outcome: str) -> None:
    check_name(noted, ticket.name, "name")
    if ticket.buying_type not in BUYING_TYPES:
        noted.block("buying_type.unsupported", "buying_type", buying_type=ticket.buying_type)
    if ticket.buying_type == ADVANTAGE_PLUS:
        _check_automated(noted, ticket, outcome)
    if not outcome:
        noted.block("objective.unsupported", "objective", objective=ticket.objective)
    if not ticket.ad_sets:
        noted.block("ticket.no_ad_sets", "ad_sets")
    _check_account(noted, ticket)
    _check_politics(noted, ticket)


def _check_automated(noted: Noted, ticket: TicketSnapshot, outcome: str) -> None:
    """Meta's page "Advantage+ Campaign Experience for Sales, App, and Leads": no flag, but three settings.

    The budget stands on the campaign; audience and placements are looked at for each ad set.
    """
    if outcome and outcome not in AUTOMATED_OUTCOMES:
        noted.block("advantage_plus.objective", "objective", objective=ticket.objective)
    if ticket.budget_level != "CAMPAIGN":
        noted.block("advantage_plus.budget_level", "budget_level")


def check_name(noted: Noted, name: str, field: str) -> None:
    """A name must be there, and no longer than Meta takes."""
    if not name.strip():
        noted.block("name.missing", field)
    if len(name) > LIMITS["name"]:
        noted.block("name.too_long", field, length=len(name), longest=LIMITS["name"])


def _check_account(noted: Noted, ticket: TicketSnapshot) -> None:
    account = ticket.account
    if not is_meta_id(account.external_id.removeprefix("act_")):
        noted.block("account.bad_id", "account.external_id", account=account.external_id)
    if not account.page_id:
        noted.block("account.page_missing", "account.page_id")
    if ticket.currency != account.currency:
        noted.block("currency.mismatch", "currency", currency=ticket.currency, account=account.currency)
    if ticket.currency not in CURRENCY_OFFSETS:
        noted.block("currency.unsupported", "currency", currency=ticket.currency)


# ------------------------------------------------------------------------- what a person must state


def _check_politics(noted: Noted, ticket: TicketSnapshot) -> None:
    """Meta takes no political ads in the EU since October 2025 (Regulation 2024/900)."""
    declared = POLITICS in (ticket.special_ad_categories or ())
    reached = sorted({code for each in ticket.ad_sets for code in eu_countries(ticket, each.geo)})
    if ticket.political not in ("CONTAINS", "DOES_NOT_CONTAIN"):
        noted.block("political.unstated", "political")
    if (ticket.political == "CONTAINS" or declared) and reached:
        noted.block("political.eu", "political", countries=reached)
    if ticket.political == "CONTAINS" and ticket.special_ad_categories is not None and not declared:
        noted.block("political.category_missing", "special_ad_categories", category=POLITICS)
    if ticket.political == "DOES_NOT_CONTAIN" and declared:
        noted.block("political.contradiction", "political", category=POLITICS)


def _put_categories(noted: Noted, body: Body, ticket: TicketSnapshot) -> None:
    if ticket.special_ad_categories is None:
        noted.block("special_ad_categories.unstated", "special_ad_categories")
        return
    categories = [_category(noted, name, number) for number, name in enumerate(ticket.special_ad_categories)]
    wanted = list(dict.fromkeys(name for name in categories if name and name != "NONE"))
    if "NONE" in categories and wanted:
        noted.block("special_ad_categories.none_and_some", "special_ad_categories", categories=wanted)
    body.put("special_ad_categories", wanted, "special_ad_categories")
    _put_category_countries(noted, body, ticket, wanted)


def _category(noted: Noted, name: str, number: int) -> str | None:
    field = f"special_ad_categories[{number}]"
    if name in _RENAMED:
        noted.warn("special_ad_categories.renamed", field, category=name, now=_RENAMED[name])
        return _RENAMED[name]
    if name not in SPECIAL_AD_CATEGORIES:
        noted.block(
            "special_ad_categories.unknown", field, category=name, known=sorted(SPECIAL_AD_CATEGORIES)
        )
        return None
    return name


def _put_category_countries(noted: Noted, body: Body, ticket: TicketSnapshot, wanted: list[str]) -> None:
    countries, field = ticket.special_ad_category_countries, "special_ad_category_countries"
    if wanted and not countries:
        noted.block("special_ad_categories.countries_missing", field, categories=wanted)
    for number, code in enumerate(countries):
        if code not in COUNTRIES:
            noted.block("geo.unknown_country", f"{field}[{number}]", country=code)
    if wanted:
        body.put("special_ad_category_country", list(countries) or None, field)


# ---------------------------------------------------------------------------------------- budget


def _put_budget(noted: Noted, body: Body, ticket: TicketSnapshot, config: Mapping[str, Any]) -> None:
    if ticket.budget_level == "CAMPAIGN":
        _put_campaign_budget(noted, body, ticket)
        return
    if ticket.budget_level != "AD_SET":
        noted.block("budget.level_unknown", "budget_level", level=ticket.budget_level)
    if ticket.budget is not None:
        noted.block("budget.two_levels", "budget")
    sharing = config.get("adset_budget_sharing", False)
    body.put("is_adset_budget_sharing_enabled", sharing, "config.adset_budget_sharing")


def _put_campaign_budget(noted: Noted, body: Body, ticket: TicketSnapshot) -> None:
    budget = ticket.budget
    if budget is None:
        noted.block("budget.missing", "budget")
        return
    key = BUDGET_KEYS.get(budget.kind)
    if key is None:
        noted.block("budget.kind_unknown", "budget.kind", kind=budget.kind)
        return
    body.put(key, amount_in_units(noted, budget.amount, ticket.currency, "budget"), "budget")
    days = started_days(ticket.start, ticket.end)
    check_minimum(noted, budget, ticket.currency, "IMPRESSIONS", days, "budget")
    body.put("bid_strategy", bid_strategy(noted, ticket.bid_strategy, "bid_strategy"), "bid_strategy")
    if any(each.dayparts for each in ticket.ad_sets):
        body.put("pacing_type", ["day_parting"], "ad_sets")


def bid_strategy(noted: Noted, neutral: str, field: str) -> str | None:
    """Meta's word for a bid strategy."""
    strategy = BID_STRATEGIES.get(neutral)
    if strategy is None:
        noted.block("bid.strategy_unknown", field, strategy=neutral)
    return strategy
