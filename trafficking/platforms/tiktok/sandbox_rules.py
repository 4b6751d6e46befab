"""What TikTok's create and update doors refuse, for its sandbox.

Knows nothing of how we build requests. Field names and types are the official SDK's (reference.json); the
rules between fields are written here anew from TikTok's documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trafficking.platforms.sandbox_base import Request

REFERENCE = json.loads(Path(__file__).with_name("reference.json").read_text())
TIME = "%Y-%m-%d %H:%M:%S"

OBJECTIVES = {
    "REACH",
    "TRAFFIC",
    "VIDEO_VIEWS",
    "LEAD_GENERATION",
    "ENGAGEMENT",
    "APP_PROMOTION",
    "WEB_CONVERSIONS",
    "PRODUCT_SALES",
    "RF_REACH",
}
GOALS = {  # objective -> goals
    "REACH": {"REACH", "SHOW"},
    "TRAFFIC": {"CLICK", "TRAFFIC_LANDING_PAGE_VIEW"},
    "VIDEO_VIEWS": {"ENGAGED_VIEW", "ENGAGED_VIEW_FIFTEEN"},
    "LEAD_GENERATION": {"LEAD_GENERATION", "CLICK", "CONVERT"},
    "APP_PROMOTION": {"INSTALL", "CLICK", "IN_APP_EVENT", "VALUE"},
    "WEB_CONVERSIONS": {"CONVERT", "VALUE", "CLICK"},
}
BILLING = {
    "CLICK": "CPC",
    "REACH": "CPM",
    "SHOW": "CPM",
    "ENGAGED_VIEW": "CPV",
    "ENGAGED_VIEW_FIFTEEN": "CPV",
    "CONVERT": "OCPM",
    "INSTALL": "OCPM",
    "IN_APP_EVENT": "OCPM",
    "LEAD_GENERATION": "OCPM",
    "VALUE": "OCPM",
    "TRAFFIC_LANDING_PAGE_VIEW": "OCPM",
}
ENUMS = {
    "operation_status": {"ENABLE", "DISABLE"},
    "budget_mode": {
        "BUDGET_MODE_INFINITE",
        "BUDGET_MODE_TOTAL",
        "BUDGET_MODE_DAY",
        "BUDGET_MODE_DYNAMIC_DAILY_BUDGET",
    },
    "placement_type": {"PLACEMENT_TYPE_AUTOMATIC", "PLACEMENT_TYPE_NORMAL"},
    "schedule_type": {"SCHEDULE_START_END", "SCHEDULE_FROM_NOW"},
    "pacing": {"PACING_MODE_SMOOTH", "PACING_MODE_FAST"},
    "bid_type": {"BID_TYPE_NO_BID", "BID_TYPE_CUSTOM"},
    "gender": {"GENDER_FEMALE", "GENDER_MALE", "GENDER_UNLIMITED"},
    "promotion_type": {"WEBSITE", "APP_ANDROID", "APP_IOS", "LEAD_GENERATION", "WEBSITE_OR_DISPLAY"},
    "promotion_target_type": {"INSTANT_PAGE", "EXTERNAL_WEBSITE"},
    "app_promotion_type": {"APP_INSTALL", "APP_RETARGETING", "APP_PREREGISTRATION"},
    "ad_format": {"SINGLE_IMAGE", "SINGLE_VIDEO", "CAROUSEL_ADS", "CATALOG_CAROUSEL", "LIVE_CONTENT"},
    "identity_type": {"CUSTOMIZED_USER", "AUTH_CODE", "TT_USER", "BC_AUTH_TT"},
    "call_to_action": {
        "APPLY_NOW",
        "BOOK_NOW",
        "CALL_NOW",
        "CONTACT_US",
        "DOWNLOAD_NOW",
        "EXPERIENCE_NOW",
        "GET_QUOTE",
        "GET_SHOWTIMES",
        "GET_TICKETS_NOW",
        "INSTALL_NOW",
        "INTERESTED",
        "LEARN_MORE",
        "LISTEN_NOW",
        "ORDER_NOW",
        "PLAY_GAME",
        "PREORDER_NOW",
        "READ_MORE",
        "SEND_MESSAGE",
        "SHOP_NOW",
        "SIGN_UP",
        "SUBSCRIBE",
        "VIEW_NOW",
        "VISIT_STORE",
        "WATCH_NOW",
    },
}
LIST_ENUMS = {
    "placements": {
        "PLACEMENT_TIKTOK",
        "PLACEMENT_PANGLE",
        "PLACEMENT_GLOBAL_APP_BUNDLE",
    },
    "age_groups": {
        "AGE_13_17",
        "AGE_18_24",
        "AGE_25_34",
        "AGE_35_44",
        "AGE_45_54",
        "AGE_55_100",
    },
    "special_industries": {"HOUSING", "EMPLOYMENT", "CREDIT"},
    "operating_systems": {"ANDROID", "IOS"},
}
FILTERS = {
    "campaign": {
        "campaign_ids",
        "campaign_name",
        "objective_type",
        "buying_types",
        "primary_status",
        "secondary_status",
        "creation_filter_start_time",
        "creation_filter_end_time",
    },
    "adgroup": {
        "campaign_ids",
        "adgroup_ids",
        "adgroup_name",
        "objective_type",
        "buying_types",
        "primary_status",
        "secondary_status",
        "creation_filter_start_time",
        "creation_filter_end_time",
    },
    "ad": {
        "campaign_ids",
        "adgroup_ids",
        "ad_ids",
        "ad_name",
        "objective_type",
        "buying_types",
        "primary_status",
        "secondary_status",
        "creation_filter_start_time",
        "creation_filter_end_time",
    },
}
SMART_FILTERS = {
    "smart.campaign": FILTERS["campaign"] - {"buying_types"},
    "smart.adgroup": (FILTERS["adgroup"] - {"buying_types"}) | {"optimization_goal", "promotion_type"},
    "smart.ad": (FILTERS["ad"] - {"buying_types", "ad_ids", "ad_name"})
    | {"smart_plus_ad_ids", "modified_after", "optimization_goal"},
}
FILTERS.update(SMART_FILTERS)
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "campaign": {
        "operation_status": "ENABLE",
        "budget_optimize_on": True,
        "campaign_type": "REGULAR_CAMPAIGN",
        "campaign_automation_type": "MANUAL",
    },
    "adgroup": {
        "operation_status": "ENABLE",
        "placement_type": "PLACEMENT_TYPE_NORMAL",
        "gender": "GENDER_UNLIMITED",
        "creative_material_mode": "CUSTOM",
        "dayparting": "1" * 336,
        "languages": [],
        "comment_disabled": False,
    },
    "ad": {"operation_status": "ENABLE", "deeplink_type": "NORMAL"},
}
SCHEMAS = {"campaign": "campaign", "adgroup": "ad_set", "ad": "ad"}
#: offsets that keep the ids of the kinds apart, all 16 digits as TikTok's are
ID_BASE = {
    "campaign": 1_800_000_000_000_000,
    "adgroup": 1_810_000_000_000_000,
    "ad": 1_820_000_000_000_000,
}
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u26ff\ufe0f]")
JSON_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


class Refused(Exception):
    """An answer with a code other than 0."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def wrong(message: str) -> Refused:
    return Refused(40002, message)


# ------------------------------------------------------------------------------------------- reading


def json_body(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refused(40000, "Content-Type must be application/json.")
    try:
        body = json.loads(request.body, parse_constant=no_constant)
    except ValueError:
        raise Refused(40000, "The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise Refused(40000, "The request body must be a JSON object.")
    return body


def no_constant(name: str) -> Any:
    raise ValueError(name)


def json_parameter(query: Mapping[str, str], name: str, kind: type) -> Any:
    if name not in query:
        return kind()
    try:
        value = json.loads(query[name])
    except ValueError:
        raise wrong(f"{name}: Not a valid JSON value.") from None
    if not isinstance(value, kind):
        raise wrong(f"{name}: Not a valid {'list' if kind is list else 'object'}.")
    return value


def switch_of(row: Mapping[str, Any]) -> str:
    """Its `operation_status`; one whose status was forgotten is on."""
    return str(row.get("operation_status", "ENABLE"))


def ids(query: Mapping[str, str], name: str) -> list[Any]:
    """A list of ids: JSON as the documents show it, or bare as the official SDK repeats the parameter."""
    text = query.get(name, "")
    return json_parameter(query, name, list) if text.startswith("[") or not text else [text]


def number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise wrong(f"{name}: Must be between 1 and {most}.")
    return int(text)


def advertiser(body: Mapping[str, Any]) -> str:
    advertiser = body.get("advertiser_id")
    if not isinstance(advertiser, str) or not advertiser.isdigit():
        raise wrong("advertiser_id: Missing data for required field or not a valid id.")
    return advertiser


def shown(id_key: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """What the API shows: no inner columns, the id under its own name."""
    inner = ("id", "name")
    public = {key: value for key, value in row.items() if not key.startswith("_") and key not in inner}
    return {"operation_status": switch_of(row), **public, id_key: row["id"]}


# -------------------------------------------------------------------------------------------- rules


#: Fields that must be sent, by door and for `creatives[]` (v1.3 documents of the create doors).
REQUIRED = {
    "campaign": ("advertiser_id", "campaign_name", "objective_type"),
    "adgroup": (
        "advertiser_id",
        "campaign_id",
        "adgroup_name",
        "budget_mode",
        "budget",
        "schedule_type",
        "schedule_start_time",
        "optimization_goal",
        "billing_event",
        "pacing",
    ),
    "ad": ("advertiser_id", "adgroup_id", "creatives"),
    "creative": ("ad_name", "identity_type", "identity_id", "ad_format"),
}


REQUIRED |= {
    "smart.campaign": ("advertiser_id", "campaign_name", "objective_type", "request_id"),
    "smart.adgroup": (
        "advertiser_id", "campaign_id", "adgroup_name", "request_id", "schedule_type", "schedule_start_time",
        "optimization_goal", "billing_event", "promotion_type", "targeting_spec",
    ),
    "smart.ad": ("advertiser_id", "adgroup_id", "ad_name", "creative_list"),
}  # fmt: skip
UPDATE_REQUIRED = {
    "smart.campaign": ("advertiser_id", "campaign_id"),
    "smart.adgroup": ("advertiser_id", "adgroup_id"),
    "smart.ad": ("advertiser_id", "smart_plus_ad_id"),
    "campaign": ("advertiser_id", "campaign_id"),
    "adgroup": ("advertiser_id", "adgroup_id"),
    "ad": ("advertiser_id", "adgroup_id", "creatives"),
}


def check_fields(schema_name: str, body: dict[str, Any], required: Sequence[str]) -> None:
    """Known names, JSON types and required fields, by the SDK's models; enums are checked apart."""
    schema = REFERENCE["schemas"][schema_name]
    check_object(body, schema, schema["$defs"], "")
    for field in required:
        if field not in body:
            raise wrong(f"{field}: Missing data for required field.")


def check_object(value: dict[str, Any], schema: Mapping[str, Any], defs: Mapping[str, Any], at: str) -> None:
    for field, item in value.items():
        if field not in schema["properties"]:
            raise wrong(f"{at}{field}: Unknown field.")
        check_type(item, schema["properties"][field], defs, f"{at}{field}")


def check_type(value: Any, schema: Mapping[str, Any], defs: Mapping[str, Any], at: str) -> None:
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type", "string")  # the enums of the reference are all strings
    if not JSON_TYPES[kind](value):
        raise wrong(f"{at}: Not a valid {kind}.")
    if kind == "array":
        for index, item in enumerate(value):
            check_type(item, schema["items"], defs, f"{at}.{index}")
    elif kind == "object" and "properties" in schema:
        check_object(value, schema, defs, f"{at}.")


def one_of(field: str, value: Any, known: set[str]) -> None:
    if value not in known:
        raise wrong(f"{field}: Must be one of: {', '.join(sorted(known))}.")


def check_enums(body: Mapping[str, Any], at: str = "") -> None:
    for field, known in ENUMS.items():
        if field in body:
            one_of(f"{at}{field}", body[field], known)
    for field, known in LIST_ENUMS.items():
        for value in body.get(field, []):
            one_of(f"{at}{field}", value, known)


def weight(text: str) -> int:
    return sum(2 if "\u3040" <= char <= "\u30ff" or "\u4e00" <= char <= "\u9fff" else 1 for char in text)


def check_name(field: str, name: str, most: int = 512) -> None:
    if not 1 <= weight(name.strip()) <= most:
        raise wrong(f"{field}: Length must be between 1 and {most}.")
    if EMOJI.search(name):
        raise wrong(f"{field}: Emoji is not supported.")


def check_goal(campaign: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    objective, goal = campaign["objective_type"], body["optimization_goal"]
    one_of("optimization_goal", goal, GOALS.get(objective, set(BILLING)))
    if body["billing_event"] != BILLING[goal]:
        raise wrong(f"billing_event: {body['billing_event']} does not match optimization_goal {goal}.")
    if objective not in ("REACH", "VIDEO_VIEWS", "ENGAGEMENT") and "promotion_type" not in body:
        raise wrong("promotion_type: Missing data for required field.")
    if objective == "LEAD_GENERATION" and body["promotion_type"] != "LEAD_GENERATION":
        raise wrong("promotion_type: Must be LEAD_GENERATION.")
    if objective == "APP_PROMOTION":
        if not body.get("app_id"):
            raise wrong("app_id: Missing data for required field.")
        if len(body.get("operating_systems", [])) != 1:
            raise wrong("operating_systems: Only one value is allowed.")
    if goal in ("CONVERT", "VALUE"):
        if not body.get("pixel_id"):
            raise wrong("Please select a pixel.")
        if not body.get("optimization_event"):
            raise wrong("optimization_event: Missing data for required field.")
    if goal == "IN_APP_EVENT" and not body.get("optimization_event"):
        raise wrong("optimization_event: Missing data for required field.")
    if body.get("pixel_id") and objective not in (
        "WEB_CONVERSIONS",
        "LEAD_GENERATION",
        "PRODUCT_SALES",
    ):
        raise wrong("pixel_id: Not supported for this objective.")
    if objective != "REACH" and ("frequency" in body or "frequency_schedule" in body):
        raise wrong("frequency: Only available for REACH.")


def time(body: Mapping[str, Any], field: str) -> datetime:
    try:
        return datetime.strptime(body[field], TIME).replace(tzinfo=UTC)
    except ValueError:
        raise wrong(f"{field}: Not a valid datetime, the format is YYYY-MM-DD HH:MM:SS.") from None


def moment(text: str) -> float:
    return datetime.strptime(text, TIME).replace(tzinfo=UTC).timestamp()


def ten_years_after(text: str) -> str:
    start = datetime.strptime(text, TIME).replace(tzinfo=UTC)
    return start.replace(year=start.year + 10, day=min(start.day, 28)).strftime(TIME)


def check_schedule(body: Mapping[str, Any], now: float, *, standing_start: str = "") -> None:
    """Times are UTC; a start may lie at most twelve hours back, unless it is the one that stands."""
    start = time(body, "schedule_start_time")
    if start.timestamp() < now - 12 * 3600 and body["schedule_start_time"] != standing_start:
        raise wrong("schedule_start_time: Must not be earlier than 12 hours ago.")
    ends = body["schedule_type"] == "SCHEDULE_START_END"
    if body["budget_mode"] == "BUDGET_MODE_TOTAL" and not ends:
        raise wrong("schedule_type: Must be SCHEDULE_START_END when budget_mode is BUDGET_MODE_TOTAL.")
    if ends and "schedule_end_time" not in body:
        raise wrong("schedule_end_time: Missing data for required field.")
    if ends and time(body, "schedule_end_time") <= start:
        raise wrong("schedule_end_time: Must be later than schedule_start_time.")
    if not re.fullmatch("[01]{336}", body.get("dayparting", "1" * 336)):
        raise wrong("dayparting: Must have 336 characters of 0 or 1.")


def days(body: Mapping[str, Any]) -> int:
    """Whole days of the schedule, a part of a day counted as one."""
    if "schedule_end_time" not in body:
        return 1
    span = time(body, "schedule_end_time") - time(body, "schedule_start_time")
    return max(1, -(-int(span.total_seconds()) // 86400))


def check_audience(body: Mapping[str, Any], campaign: Mapping[str, Any]) -> None:
    locations = body.get("location_ids", []) + body.get("zipcode_ids", [])
    if not 1 <= len(locations) <= 3000:
        raise wrong("location_ids: Length must be between 1 and 3000.")
    for field in (
        "location_ids",
        "interest_category_ids",
        "audience_ids",
        "excluded_audience_ids",
    ):
        if not all(each.isdigit() for each in body.get(field, [])):
            raise wrong(f"{field}: Ids must be numeric.")
    if set(body.get("audience_ids", [])) & set(body.get("excluded_audience_ids", [])):
        raise wrong("excluded_audience_ids: The same audience can't be included and excluded.")
    if body.get("placement_type", "PLACEMENT_TYPE_NORMAL") == "PLACEMENT_TYPE_NORMAL" and not body.get(
        "placements"
    ):
        raise wrong("placements: Missing data for required field.")
    if campaign.get("special_industries"):
        adults = sorted(LIST_ENUMS["age_groups"] - {"AGE_13_17"})
        if (
            body.get("gender", "GENDER_UNLIMITED") != "GENDER_UNLIMITED"
            or sorted(body.get("age_groups", adults)) != adults
        ):
            raise wrong("age_groups: Age and gender can't be targeted with special_industries.")


def check_bid(body: Mapping[str, Any], optimised: bool) -> None:
    kind = body.get("bid_type")
    if kind is None and optimised:
        raise wrong("bid_type: Missing data for required field.")
    priced = "conversion_bid_price" if body["billing_event"] == "OCPM" else "bid_price"
    if kind == "BID_TYPE_CUSTOM":
        if not body.get(priced):
            raise wrong(f"{priced}: Missing data for required field.")
        if body[priced] >= body["budget"]:
            raise wrong(f"{priced}: Must be lower than the budget.")
        if body["billing_event"] == "CPV" and body.get("bid_display_mode") != "CPV":
            raise wrong("bid_display_mode: Must be CPV.")
    elif body["pacing"] != "PACING_MODE_SMOOTH":
        raise wrong("pacing: Must be PACING_MODE_SMOOTH when bid_type is BID_TYPE_NO_BID.")
    elif body.get("bid_price") or body.get("conversion_bid_price"):
        raise wrong("bid_price: Not supported when bid_type is BID_TYPE_NO_BID.")


def check_creative(creative: Mapping[str, Any], group: Mapping[str, Any], at: str) -> None:
    for field in REQUIRED["creative"]:
        if not creative.get(field):
            raise wrong(f"{at}{field}: Missing data for required field.")
    check_enums(creative, at)
    check_name(f"{at}ad_name", creative["ad_name"])
    spark = "tiktok_item_id" in creative
    if not spark:
        check_name(f"{at}ad_text", creative.get("ad_text", ""), 100)
    if creative["identity_type"] == "BC_AUTH_TT" and not creative.get("identity_authorized_bc_id"):
        raise wrong(f"{at}identity_authorized_bc_id: Missing data for required field.")
    if creative["identity_type"] == "AUTH_CODE" and not spark:
        raise wrong(f"{at}tiktok_item_id: Missing data for required field.")
    check_media(creative, group, spark, at)
    check_destination(creative, group, at)


def check_media(creative: Mapping[str, Any], group: Mapping[str, Any], spark: bool, at: str) -> None:
    form, images = creative["ad_format"], creative.get("image_ids", [])
    if form == "SINGLE_VIDEO" and not spark and not creative.get("video_id"):
        raise wrong(f"{at}video_id: Missing data for required field.")
    if form != "SINGLE_VIDEO" and creative.get("video_id"):
        raise wrong(f"{at}video_id: Not supported for {form}.")
    if form in ("SINGLE_VIDEO", "SINGLE_IMAGE") and not spark and len(images) != 1:
        raise wrong(f"{at}image_ids: Exactly one image is required.")
    if form == "SINGLE_IMAGE" and "PLACEMENT_TIKTOK" in group.get("placements", []):
        raise wrong(f"{at}ad_format: SINGLE_IMAGE is not supported for PLACEMENT_TIKTOK.")
    if form == "CAROUSEL_ADS":
        if not 1 <= len(images) <= 35:
            raise wrong(f"{at}image_ids: Length must be between 1 and 35.")
        if not creative.get("music_id"):
            raise wrong(f"{at}music_id: Missing data for required field.")


def check_destination(creative: Mapping[str, Any], group: Mapping[str, Any], at: str) -> None:
    website = (
        group.get("promotion_type") == "WEBSITE" or group.get("promotion_target_type") == "EXTERNAL_WEBSITE"
    )
    url = creative.get("landing_page_url")
    if website and not url:
        raise wrong(f"{at}landing_page_url: Missing data for required field.")
    if url and not re.match(r"https?://[^/\s]+", url):
        raise wrong(f"{at}landing_page_url: Not a valid URL.")
    form = group.get("promotion_type") == "LEAD_GENERATION" and not website
    if form and not creative.get("page_id"):
        raise wrong(f"{at}page_id: Missing data for required field.")
