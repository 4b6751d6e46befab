"""What TikTok's doors of the automated form (Upgraded Smart+) refuse, for its sandbox.

From "Create a regular Upgraded Smart+ Web Campaign" (1847302878676994) and "Available targeting settings for
different targeting optimization modes" (1847839827327106).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trafficking.platforms.tiktok import sandbox_rules as rules
from trafficking.platforms.tiktok.sandbox_rules import wrong

GOALS = {"CLICK", "CONVERT", "TRAFFIC_LANDING_PAGE_VIEW", "VALUE"}
DAILY = "BUDGET_MODE_DYNAMIC_DAILY_BUDGET"
CERTAIN_ONLY_MANUAL = ("network_types", "spending_power", "household_income", "operating_systems",
                       "smart_audience_enabled", "smart_interest_behavior_enabled")  # fmt: skip
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "campaign": {
        "operation_status": "ENABLE", "campaign_type": "REGULAR_CAMPAIGN", "budget_optimize_on": True,
        "campaign_automation_type": "UPGRADED_SMART_PLUS", "smart_plus_adgroup_mode": "MULTIPLE",
    },
    "adgroup": {
        "operation_status": "ENABLE", "comment_disabled": False, "dayparting": "1" * 336, "product_source": "UNSET",
        "promotion_website_type": "UNSET", "placement_type": "PLACEMENT_TYPE_AUTOMATIC",
        "targeting_optimization_mode": "AUTOMATIC", "skip_learning_phase": True, "search_result_enabled": True,
    },
    "ad": {"operation_status": "ENABLE"},
}  # fmt: skip


def check_campaign(body: Mapping[str, Any]) -> None:
    rules.check_name("campaign_name", body["campaign_name"])
    rules.one_of(
        "objective_type", body["objective_type"], {"WEB_CONVERSIONS", "APP_PROMOTION", "LEAD_GENERATION"}
    )
    rules.check_enums(body)
    if body["objective_type"] == "WEB_CONVERSIONS":
        rules.one_of("sales_destination", body.get("sales_destination"), {"WEBSITE", "APP", "WEB_AND_APP"})
    if body.get("budget_optimize_on", True):
        rules.one_of("budget_mode", body.get("budget_mode", DAILY), {"BUDGET_MODE_TOTAL", DAILY})
    elif "budget" in body or "budget_mode" in body:
        raise wrong("budget: Not supported when budget_optimize_on is false.")


def check_group(campaign: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    rules.check_name("adgroup_name", body["adgroup_name"])
    rules.check_enums(body)
    goal = body["optimization_goal"]
    rules.one_of("optimization_goal", goal, GOALS)
    if body["billing_event"] != rules.BILLING[goal]:
        raise wrong(f"billing_event: {body['billing_event']} does not match optimization_goal {goal}.")
    if goal in ("CONVERT", "VALUE"):
        for field in ("pixel_id", "optimization_event"):
            if not body.get(field):
                raise wrong(f"{field}: Missing data for required field.")
    elif body.get("pixel_id"):
        raise wrong("pixel_id: Not supported for this optimization_goal.")
    _check_budget_mode(campaign, body)
    _check_bid(campaign, body)
    _check_targeting(campaign, body)


def _mode(campaign: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    shared = campaign.get("budget_optimize_on", True)
    return str(campaign.get("budget_mode", DAILY) if shared else body.get("budget_mode"))


def _check_budget_mode(campaign: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    if campaign.get("budget_optimize_on", True):
        if "budget" in body or "budget_mode" in body:
            raise wrong("budget: Not supported when budget_optimize_on is true.")
    else:
        rules.one_of("budget_mode", body.get("budget_mode"), {"BUDGET_MODE_TOTAL", DAILY})
    if body["schedule_type"] == "SCHEDULE_FROM_NOW" and _mode(campaign, body) != DAILY:
        raise wrong("schedule_type: SCHEDULE_FROM_NOW needs a daily budget.")


def _check_bid(campaign: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    priced = "conversion_bid_price" if body["billing_event"] == "OCPM" else "bid_price"
    custom, roas = body.get("bid_type") == "BID_TYPE_CUSTOM", body.get("deep_bid_type") == "VO_MIN_ROAS"
    if (custom or roas) and _mode(campaign, body) != DAILY:
        raise wrong("bid_type: A target needs a daily budget.")
    if custom and not body.get(priced):
        raise wrong(f"{priced}: Missing data for required field.")
    if roas and not body.get("roas_bid"):
        raise wrong("roas_bid: Missing data for required field.")
    if not custom and (body.get("bid_price") or body.get("conversion_bid_price")):
        raise wrong("bid_price: Not supported when bid_type is BID_TYPE_NO_BID.")


def _check_targeting(campaign: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    spec = body["targeting_spec"]
    rules.check_audience({**spec, "placement_type": "PLACEMENT_TYPE_AUTOMATIC"}, campaign)
    rules.check_enums(spec, "targeting_spec.")
    if body.get("placement_type") == "PLACEMENT_TYPE_NORMAL" and not body.get("placements"):
        raise wrong("placements: Missing data for required field.")
    mode = body.get("targeting_optimization_mode", "AUTOMATIC")
    rules.one_of("targeting_optimization_mode", mode, {"AUTOMATIC", "MANUAL"})
    for field in CERTAIN_ONLY_MANUAL if mode == "AUTOMATIC" else ("spc_audience_age",):
        if field in spec:
            raise wrong(f"targeting_spec.{field}: Not supported when targeting_optimization_mode is {mode}.")
    ages = {"OVER_EIGHTEEN", "OVER_TWENTY_FIVE"}
    rules.one_of("targeting_spec.spc_audience_age", spec.get("spc_audience_age", "OVER_EIGHTEEN"), ages)


def check_ad(body: Mapping[str, Any]) -> None:
    rules.check_name("ad_name", body["ad_name"])
    creatives = body["creative_list"]
    if not 1 <= len(creatives) <= 50:
        raise wrong("creative_list: Length must be between 1 and 50.")
    own = body.get("ad_configuration", {})
    spark = False
    for index, each in enumerate(creatives):
        spark |= _check_creative(each["creative_info"], own, f"creative_list.{index}.creative_info.")
    if not body.get("landing_page_url_list"):
        raise wrong("landing_page_url_list: Missing data for required field.")
    _check_button(body, own, spark)
    for index, text in enumerate(body.get("ad_text_list", [])):
        rules.check_name(f"ad_text_list.{index}.ad_text", text["ad_text"], 100)


def _check_creative(info: Mapping[str, Any], own: Mapping[str, Any], at: str) -> bool:
    """Whether a TikTok account publishes it."""
    rules.one_of(f"{at}ad_format", info.get("ad_format"), {"SINGLE_VIDEO", "CAROUSEL_ADS"})
    kind = info.get("identity_type") or own.get("identity_type")
    rules.one_of(f"{at}identity_type", kind, rules.ENUMS["identity_type"])
    if kind == "BC_AUTH_TT" and not info.get("identity_authorized_bc_id"):
        raise wrong(f"{at}identity_authorized_bc_id: Missing data for required field.")
    if kind == "CUSTOMIZED_USER" and "identity_type" in info:
        raise wrong(f"{at}identity_type: CUSTOMIZED_USER belongs in ad_configuration.")
    if "tiktok_item_id" not in info:
        if not info.get("image_info"):
            raise wrong(f"{at}image_info: Missing data for required field.")
        if info["ad_format"] == "SINGLE_VIDEO" and not info.get("video_info"):
            raise wrong(f"{at}video_info: Missing data for required field.")
    if info["ad_format"] == "CAROUSEL_ADS" and not info.get("music_info"):
        raise wrong(f"{at}music_info: Missing data for required field.")
    return kind != "CUSTOMIZED_USER"


def _check_button(body: Mapping[str, Any], own: Mapping[str, Any], spark: bool) -> None:
    if spark and not own.get("call_to_action_id"):
        raise wrong("ad_configuration.call_to_action_id: Missing data for required field.")
    for index, button in enumerate(body.get("call_to_action_list", [])):
        known = rules.ENUMS["call_to_action"]
        rules.one_of(f"call_to_action_list.{index}.call_to_action", button["call_to_action"], known)
    if not own.get("call_to_action_id") and not body.get("call_to_action_list"):
        raise wrong("call_to_action_list: Missing data for required field.")
