"""What Meta refuses when ads are created, as the sandbox enforces it.

Written apart from `compile`, so that a mistake there is not repeated here, from what public projects quote of
Meta's pages and from error answers that they recorded; no live account was asked. Subcodes taken from recorded
answers are 33, 1815430, 1870227, 1885272, 1885621, 2446079, 3858081 and 4834011; the others are stand-ins in
Meta's style, so nothing outside this folder's tests may rely on their numbers. Meta itself refuses more: rules on
combinations of placements, and whatever it tells only to a real account.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

Json = dict[str, Any]


class Refusal(Exception):
    """An answer in Meta's error envelope."""

    def __init__(
        self,
        message: str,
        *,
        code: int = 100,
        subcode: int = 0,
        title: str = "",
        advice: str = "",
        blame: list[list[str]] | None = None,
        kind: str = "OAuthException",
        status: int = 400,
        wait_s: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.wait_s = wait_s  # what the usage header tells
        self.message, self.code, self.subcode, self.status = message, code, subcode, status
        self.title, self.advice, self.blame, self.kind = title, advice, blame, kind

    def error(self) -> Json:
        error: Json = {"message": self.message, "type": self.kind, "code": self.code, "is_transient": False}
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.blame:
            error["error_data"] = {"blame_field_specs": self.blame}
        if self.title:
            error["error_user_title"] = self.title
            error["error_user_msg"] = self.advice or self.message
        digest = hashlib.sha256(self.message.encode()).digest()
        error["fbtrace_id"] = "A" + base64.urlsafe_b64encode(digest)[:20].decode()
        return error


def _invalid(title: str, advice: str, *blame: str, subcode: int = 0) -> Refusal:
    return Refusal(
        "Invalid parameter",
        subcode=subcode,
        title=title,
        advice=advice,
        blame=[list(blame)] if blame else None,
    )


def _need(body: Mapping[str, Any], *fields: str) -> None:
    for field in fields:
        if body.get(field) in (None, ""):
            raise Refusal(f"(#100) The parameter {field} is required", blame=[[field]])


def _check_name_length(body: Mapping[str, Any]) -> None:
    if len(body["name"]) > 400:
        raise _invalid("Name is too long", "A name can have 400 characters.", "name")


def _check_status(body: Mapping[str, Any]) -> None:
    if body.get("status", "ACTIVE") not in ("ACTIVE", "PAUSED"):
        raise Refusal("(#100) Param status must be one of {ACTIVE, PAUSED}", blame=[["status"]])


# --------------------------------------------------------------------------------------- campaign

_OUTCOMES = {
    "OUTCOME_AWARENESS", "OUTCOME_TRAFFIC", "OUTCOME_ENGAGEMENT",
    "OUTCOME_LEADS", "OUTCOME_APP_PROMOTION", "OUTCOME_SALES",
}  # fmt: skip


def check_campaign(body: Json) -> None:
    _need(body, "name", "objective")
    _check_status(body)
    if body["objective"] not in _OUTCOMES:
        raise _invalid(
            "Objective is not available",
            "Choose one of the outcome objectives.",
            "objective",
            subcode=1815001,
        )
    if "special_ad_categories" not in body:
        raise Refusal(
            "(#100) The parameter special_ad_categories is required", blame=[["special_ad_categories"]]
        )
    _check_name_length(body)
    if body.get("buying_type", "AUCTION") != "AUCTION":
        raise _invalid("Buying type", "Reserved buying needs a prediction.", "buying_type")
    _check_categories(body)
    _check_campaign_budget(body)


def _check_categories(body: Json) -> None:
    categories = [c for c in body["special_ad_categories"] if c != "NONE"]
    if categories and not body.get("special_ad_category_country"):
        raise _invalid(
            "Special ad category country is missing",
            "Name the countries in which the ads of a special category run.",
            "special_ad_category_country",
            subcode=2490429,
        )


def _check_campaign_budget(body: Json) -> None:
    daily, lifetime = body.get("daily_budget"), body.get("lifetime_budget")
    if daily and lifetime:
        raise _invalid("Two budgets", "Set a daily or a lifetime budget.", "lifetime_budget", subcode=1885621)
    if not (daily or lifetime):
        if "is_adset_budget_sharing_enabled" not in body:
            raise _invalid(
                "Must specify True or False in is_adset_budget_sharing_enabled field",
                "It is required from v24 on when there is no campaign budget.",
                subcode=4834011,
            )
        if body.get("bid_strategy"):
            raise _invalid(
                "Bid strategy without budget", "Set the bid strategy on the ad sets.", "bid_strategy"
            )
        return
    if body.get("is_adset_budget_sharing_enabled"):
        raise _invalid(
            "Budget sharing",
            "Ad sets share no budgets under a campaign budget.",
            "is_adset_budget_sharing_enabled",
        )
    if min(x for x in (daily, lifetime) if x) < 1:
        raise _invalid("Budget is too low", "Raise the budget.", "daily_budget", subcode=1885272)


# ----------------------------------------------------------------------------------------- ad set

_COMMON = {"LINK_CLICKS", "LANDING_PAGE_VIEWS", "REACH", "IMPRESSIONS"}
_GOALS = {
    "OUTCOME_AWARENESS": {"REACH", "IMPRESSIONS", "AD_RECALL_LIFT", "THRUPLAY"},
    "OUTCOME_TRAFFIC": _COMMON | {"QUALITY_CALL", "CONVERSATIONS"},
    "OUTCOME_ENGAGEMENT": _COMMON | {"THRUPLAY", "POST_ENGAGEMENT", "PAGE_LIKES", "OFFSITE_CONVERSIONS", "CONVERSATIONS", "EVENT_RESPONSES"},
    "OUTCOME_LEADS": _COMMON | {"LEAD_GENERATION", "QUALITY_LEAD", "OFFSITE_CONVERSIONS", "CONVERSATIONS", "QUALITY_CALL"},
    "OUTCOME_APP_PROMOTION": {"APP_INSTALLS", "LINK_CLICKS", "OFFSITE_CONVERSIONS", "VALUE", "APP_INSTALLS_AND_OFFSITE_CONVERSIONS"},
    "OUTCOME_SALES": _COMMON | {"OFFSITE_CONVERSIONS", "VALUE", "CONVERSATIONS"},
}  # fmt: skip
_DESTINATIONS: dict[str, set[str | None]] = {
    "OUTCOME_AWARENESS": {None},
    "OUTCOME_TRAFFIC": {None, "APP", "MESSENGER", "WHATSAPP", "INSTAGRAM_PROFILE"},
    "OUTCOME_ENGAGEMENT": {"ON_VIDEO", "ON_POST", "ON_PAGE", "ON_EVENT", "WEBSITE", "MESSENGER", "WHATSAPP"},
    "OUTCOME_LEADS": {"ON_AD", "WEBSITE", "MESSENGER"},
    "OUTCOME_APP_PROMOTION": {None, "APP"},
    "OUTCOME_SALES": {None, "WEBSITE", "APP", "MESSENGER", "WHATSAPP", "SHOP_AUTOMATIC"},
}
#: Meta converts its minimum of 0.50 or 1.00 USD a day by its own rates; no currency goes far below this.
_LEAST_BUDGET = 50
_PAID_BY_RESULT = {"LINK_CLICKS": "LINK_CLICKS", "THRUPLAY": "THRUPLAY"}
_CAPPED = {"COST_CAP", "LOWEST_COST_WITH_BID_CAP"}
_DSA = {
    "AT",
    "BE",
    "BG",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GR",
    "HR",
    "HU",
    "IE",
    "IT",
    "LT",
    "LU",
    "LV",
    "MT",
    "NL",
    "PL",
    "PT",
    "RO",
    "SE",
    "SI",
    "SK",
    "GF",
    "GP",
    "MQ",
    "RE",
    "YT",
    "MF",
    "AX",
}
_SPECIAL = {"HOUSING", "EMPLOYMENT", "FINANCIAL_PRODUCTS_SERVICES", "CREDIT"}


def check_ad_set(body: Json, campaign: Json) -> None:
    _need(body, "name", "campaign_id", "billing_event", "optimization_goal")
    _check_name_length(body)
    _check_status(body)
    targeting = body.get("targeting")
    if not isinstance(targeting, dict):
        raise Refusal("(#100) The parameter targeting is required", blame=[["targeting"]])
    _check_goal(body, campaign)
    _check_promoted(body, campaign)
    _check_money(body, campaign)
    _check_bid(body, campaign)
    _check_flight(body, campaign)
    _check_schedule(body, campaign)
    _check_targeting(targeting)
    _check_protected(targeting, campaign)
    _check_dsa(body, targeting)


def _check_goal(body: Json, campaign: Json) -> None:
    objective, goal = campaign["objective"], body["optimization_goal"]
    if goal not in _GOALS[objective]:
        raise _invalid(
            "Performance goal isn't available",
            f"You can't use the selected performance goal {goal} with your campaign objective {objective}.",
            "optimization_goal",
            subcode=2490408,
        )
    if body.get("destination_type") not in _DESTINATIONS[objective]:
        raise _invalid(
            "Destination type",
            f"{objective} does not go with this destination.",
            "destination_type",
            subcode=1815676,
        )
    billing = body["billing_event"]
    if billing != "IMPRESSIONS" and _PAID_BY_RESULT.get(goal) != billing:
        raise _invalid(
            "Billing event", f"{billing} can't be billed for {goal}.", "billing_event", subcode=1815117
        )
    if body.get("frequency_control_specs") and goal not in ("REACH", "THRUPLAY"):
        raise _invalid(
            "Frequency cap",
            "Frequency caps need the goal reach or ThruPlay.",
            "frequency_control_specs",
            subcode=1815199,
        )


def _check_promoted(body: Json, campaign: Json) -> None:
    promoted, goal = body.get("promoted_object") or {}, body["optimization_goal"]
    app = campaign["objective"] == "OUTCOME_APP_PROMOTION"
    needed: tuple[str, ...] = ()
    if app:
        needed = ("application_id", "object_store_url")
    if goal in ("OFFSITE_CONVERSIONS", "VALUE"):
        needed = (*needed, "custom_event_type") if app else ("pixel_id", "custom_event_type")
    if goal in ("LEAD_GENERATION", "QUALITY_LEAD", "PAGE_LIKES", "AD_RECALL_LIFT"):
        needed = ("page_id",)
    if any(not promoted.get(field) for field in needed):
        raise _invalid(
            "No promotion object found", "Please specify a promoted object for the ad set.", subcode=1815430
        )


def _check_money(body: Json, campaign: Json) -> None:
    own = [key for key in ("daily_budget", "lifetime_budget") if body.get(key)]
    shared = campaign.get("daily_budget") or campaign.get("lifetime_budget")
    if own and shared:
        raise _invalid(
            "Can't set budget at two levels",
            "You can only set an ad set budget or a campaign budget.",
            subcode=1885621,
        )
    if len(own) != 1 and not shared:
        raise _invalid(
            "Budget is missing",
            "Set a daily or a lifetime budget on the ad set.",
            "daily_budget",
            subcode=1885272,
        )
    if own and body[own[0]] < _LEAST_BUDGET:
        raise _invalid("Budget Is Too Low", "Please edit your budget.", own[0], subcode=1885272)


def _check_bid(body: Json, campaign: Json) -> None:
    shared = campaign.get("daily_budget") or campaign.get("lifetime_budget")
    if shared and body.get("bid_strategy") and body["bid_strategy"] != campaign.get("bid_strategy"):
        raise _invalid("Bid strategy", "The campaign's bid strategy applies to its ad sets.", "bid_strategy")
    strategy = campaign.get("bid_strategy") if shared else body.get("bid_strategy", "LOWEST_COST_WITHOUT_CAP")
    if strategy in _CAPPED and not body.get("bid_amount"):
        raise _invalid(
            "Bid amount required", "You must provide a bid cap or target cost.", "bid_amount", subcode=1815857
        )
    if strategy == "LOWEST_COST_WITHOUT_CAP" and body.get("bid_amount"):
        raise _invalid("Bid amount not allowed", "Remove the bid amount.", "bid_amount", subcode=1815859)
    floor = (body.get("bid_constraints") or {}).get("roas_average_floor")
    if strategy == "LOWEST_COST_WITH_MIN_ROAS" and (body["optimization_goal"] != "VALUE" or not floor):
        raise _invalid("Minimum ROAS", "It needs the goal value and a floor.", "bid_constraints")


def _check_flight(body: Json, campaign: Json) -> None:
    times = [_moment(body[key], key) for key in ("start_time", "end_time") if body.get(key)]
    if len(times) == 2 and times[1] <= times[0]:
        raise _invalid(
            "Invalid end time", "The end time must be after the start time.", "end_time", subcode=1487793
        )
    if (body.get("lifetime_budget") or campaign.get("lifetime_budget")) and not body.get("end_time"):
        raise _invalid(
            "End time required", "A lifetime budget needs an end time.", "end_time", subcode=1487411
        )


def _moment(text: str, field: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        raise Refusal(f"(#100) Param {field} must be a valid date/time", blame=[[field]]) from None


def _check_schedule(body: Json, campaign: Json) -> None:
    schedule = body.get("adset_schedule")
    if not schedule:
        return
    if not (body.get("lifetime_budget") or campaign.get("lifetime_budget")):
        raise _invalid(
            "Ad scheduling",
            "Ads can be scheduled with a lifetime budget only.",
            "adset_schedule",
            subcode=1885094,
        )
    if "day_parting" not in (body.get("pacing_type") or campaign.get("pacing_type") or []):
        raise _invalid("Ad scheduling", "pacing_type must be day_parting.", "pacing_type")
    for part in schedule:
        hours = (part.get("start_minute"), part.get("end_minute"))
        if any(not isinstance(x, int) or x % 60 or not 0 <= x <= 1440 for x in hours) or hours[0] >= hours[1]:
            raise _invalid("Ad scheduling", "Hours must be whole, and in order.", "adset_schedule")
        if not part.get("days") or any(not 0 <= day <= 6 for day in part["days"]):
            raise _invalid("Ad scheduling", "Days are 0 (Sunday) to 6.", "adset_schedule")


def _check_targeting(targeting: Json) -> None:
    geo = targeting.get("geo_locations") or {}
    if not any(
        geo.get(key)
        for key in ("countries", "regions", "cities", "zips", "country_groups", "custom_locations")
    ):
        raise _invalid(
            "Location is missing",
            "Your audience is missing a location. Add at least one.",
            "targeting",
            subcode=1885364,
        )
    for place in [*geo.get("regions", []), *geo.get("cities", [])]:
        if not str(place.get("key", "")).isdigit():
            raise _invalid(
                "Invalid location", "A place has no valid key.", "targeting", "geo_locations", subcode=1487851
            )
    flag = (targeting.get("targeting_automation") or {}).get("advantage_audience")
    if flag not in (0, 1):
        raise _invalid(
            "Advantage Audience Flag Required",
            "To create your ad set, you need to enable or disable the Advantage audience feature. Set the"
            " advantage_audience flag to 1 or 0 within the targeting_automation field.",
            subcode=1870227,
        )
    _check_ages(targeting, flag)
    _check_positions(targeting)


def _check_ages(targeting: Json, flag: int) -> None:
    low, high = targeting.get("age_min", 18), targeting.get("age_max", 65)
    if not 13 <= low <= 65 or not 13 <= high <= 65 or low > high:
        raise _invalid(
            "Invalid age range", "Ages are 13 to 65, in order.", "targeting", "age_min", subcode=1487079
        )
    if flag == 1 and (high < 65 or not 18 <= low <= 25):
        raise _invalid(
            "Age with Advantage audience",
            "Use a minimum age of 18 to 25 and no maximum.",
            "targeting",
            "age_max",
            subcode=1870189,
        )
    if any(gender not in (1, 2) for gender in targeting.get("genders", [])):
        raise _invalid("Invalid gender", "Genders are 1 and 2.", "targeting", "genders")


_POSITIONS = {
    "facebook": "facebook_positions",
    "instagram": "instagram_positions",
    "audience_network": "audience_network_positions",
    "messenger": "messenger_positions",
    "threads": "threads_positions",
}
_KNOWN_POSITIONS = {
    "facebook_positions": {
        "feed",
        "right_hand_column",
        "marketplace",
        "story",
        "search",
        "instream_video",
        "facebook_reels",
        "facebook_reels_overlay",
        "profile_feed",
        "notification",
    },
    "instagram_positions": {
        "stream",
        "story",
        "explore_home",
        "reels",
        "profile_feed",
        "ig_search",
        "profile_reels",
    },
    "audience_network_positions": {"classic", "rewarded_video"},
    "messenger_positions": {"sponsored_messages"},
    "threads_positions": {"threads_stream"},
}


def _check_positions(targeting: Json) -> None:
    platforms = targeting.get("publisher_platforms") or []
    for platform, key in _POSITIONS.items():
        chosen = set(targeting.get(key) or [])
        if chosen and platforms and platform not in platforms:
            raise _invalid("Placement", f"{key} without {platform}.", "targeting", key)
        if chosen - _KNOWN_POSITIONS[key]:
            raise _invalid("Placement", f"Unknown position in {key}.", "targeting", key, subcode=1815433)
    if set(platforms) - set(_POSITIONS):
        raise _invalid("Placement", "Unknown platform.", "targeting", "publisher_platforms")


def _check_protected(targeting: Json, campaign: Json) -> None:
    if not _SPECIAL & set(campaign.get("special_ad_categories") or []):
        return
    if targeting.get("age_min", 18) != 18 or targeting.get("age_max", 65) != 65:
        raise _invalid(
            "Special Ad Category Errors",
            "Custom age selection is unavailable",
            "Custom age selection is unavailable",
        )
    if targeting.get("genders") not in (None, [], [1, 2]):
        raise _invalid(
            "Special Ad Category Errors", "Gender selection is unavailable", "Gender selection is unavailable"
        )
    if targeting.get("excluded_geo_locations") or (targeting.get("geo_locations") or {}).get("zips"):
        raise _invalid(
            "Special Ad Category Errors",
            "These locations are unavailable",
            "targeting",
            "excluded_geo_locations",
        )


def _check_dsa(body: Json, targeting: Json) -> None:
    if not _DSA & set((targeting.get("geo_locations") or {}).get("countries") or []):
        return
    for field, subcode in (("dsa_beneficiary", 3858081), ("dsa_payor", 3858079)):
        if not body.get(field):
            raise _invalid(
                "No payor/beneficiary provided in DSA regulated location",
                "The DSA requires ads to provide payor and beneficiary information in regulated regions.",
                field,
                subcode=subcode,
            )


# ---------------------------------------------------------------------------------- creative and ad


def check_creative(body: Json) -> None:
    _need(body, "name")
    if len(body["name"]) > 100:
        raise _invalid("Name is too long", "A creative's name can have 100 characters.", "name")
    story = body.get("object_story_spec")
    if not isinstance(story, dict):
        raise _invalid(
            "Creative is incomplete", "It needs an object_story_spec.", "object_story_spec", subcode=2061006
        )
    if not str(story.get("page_id", "")).isdigit():
        raise _invalid(
            "Page is missing",
            "The ad needs a Facebook Page.",
            "object_story_spec",
            "page_id",
            subcode=1487194,
        )
    kinds = [
        key
        for key in ("link_data", "video_data", "photo_data", "text_data", "template_data")
        if story.get(key)
    ]
    if len(kinds) != 1:
        raise _invalid(
            "Creative is ambiguous",
            "Exactly one kind of data is needed.",
            "object_story_spec",
            subcode=2061015,
        )
    if kinds == ["link_data"]:
        _check_link_data(story["link_data"])
    if kinds == ["video_data"]:
        _check_video_data(story["video_data"])


def _check_link_data(data: Json) -> None:
    _check_link(data.get("link"), "link")
    _check_button(data, data["link"])
    cards = data.get("child_attachments")
    if cards is None:
        if not (data.get("image_hash") or data.get("picture")):
            raise _invalid(
                "Image is missing",
                "The ad needs an image.",
                "object_story_spec",
                "link_data",
                "image_hash",
                subcode=1487472,
            )
        return
    if not 2 <= len(cards) <= 10:
        raise _invalid(
            "Carousel",
            "A carousel has 2 to 10 cards.",
            "object_story_spec",
            "link_data",
            "child_attachments",
            subcode=1885252,
        )
    for card in cards:
        _check_link(card.get("link"), "child_attachments")
        _check_button(card, card["link"])
        if not (card.get("image_hash") or card.get("picture") or card.get("video_id")):
            raise _invalid(
                "Carousel",
                "A card needs an image or video.",
                "object_story_spec",
                "link_data",
                "child_attachments",
            )


def _check_link(link: Any, field: str) -> None:
    if not isinstance(link, str) or not link.startswith(("http://", "https://")):
        raise _invalid(
            "Link is invalid",
            "The ad needs a web address.",
            "object_story_spec",
            "link_data",
            field,
            subcode=1487931,
        )


def _check_button(data: Json, link: str) -> None:
    button = data.get("call_to_action")
    target = ((button or {}).get("value") or {}).get("link")
    if button and target is not None and target != link:
        raise _invalid(
            "Call to action link differs",
            "The link field is required to be the same as the call to action's.",
            "object_story_spec", "link_data", "call_to_action",
            subcode=1815629,
        )  # fmt: skip


def _check_video_data(data: Json) -> None:
    if not str(data.get("video_id", "")).isdigit():
        raise _invalid(
            "Video is missing",
            "The ad needs a video.",
            "object_story_spec",
            "video_data",
            "video_id",
            subcode=1885183,
        )
    if not (data.get("image_hash") or data.get("image_url")):
        raise _invalid(
            "Your ad needs a video thumbnail",
            "Please specify one of image_hash or image_url in the video_data field of object_story_spec.",
            subcode=1443226,
        )
    button = data.get("call_to_action")
    if (
        button
        and not (button.get("value") or {}).get("link")
        and not (button.get("value") or {}).get("lead_gen_form_id")
    ):
        raise _invalid(
            "Link is missing", "The button needs a link.", "object_story_spec", "video_data", "call_to_action"
        )


def check_ad(body: Json, ad_set: Json, creative: Json) -> None:
    _need(body, "name")
    _check_name_length(body)
    _check_status(body)
    story = creative["object_story_spec"]
    if ad_set["optimization_goal"] == "THRUPLAY" and "video_data" not in story:
        raise _invalid("Video required", "ThruPlay needs a video creative.", "creative", subcode=1815745)
    data = story.get("link_data") or story.get("video_data") or {}
    if ad_set.get("destination_type") == "ON_AD" and not _has_form(data):
        raise _invalid(
            "Lead form is missing", "Add an instant form to the call to action.", "creative", subcode=1892040
        )
    pixel = (ad_set.get("promoted_object") or {}).get("pixel_id")
    if pixel and not body.get("conversion_domain"):
        raise _invalid(
            "Conversion domain is missing",
            "Name the domain of the conversions.",
            "conversion_domain",
            subcode=1885553,
        )


def _has_form(data: Json) -> bool:
    value = (data.get("call_to_action") or {}).get("value") or {}
    return bool(value.get("lead_gen_form_id"))
