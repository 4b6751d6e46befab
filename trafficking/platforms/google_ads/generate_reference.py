"""Rewrites `reference.json` from Google's official SDK. Development only: `google-ads` is no runtime dependency.

    python -m trafficking.platforms.google_ads.generate_reference

Field names, types, enums and output-only marks come from the SDK's v26 messages and their docstrings.
What the SDK cannot say (required fields, lengths, currencies, place and language ids) stands below as
constants, each with its source.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

API_VERSION = "v26"
TARGET = Path(__file__).with_name("reference.json")
TYPES = f"google.ads.googleads.{API_VERSION}"

#: Operation of `MutateOperation` -> (what we call it, module, message).
RESOURCES = {
    "campaignBudgetOperation": ("campaign_budget", "resources.types.campaign_budget", "CampaignBudget"),
    "campaignOperation": ("campaign", "resources.types.campaign", "Campaign"),
    "campaignCriterionOperation": (
        "campaign_criterion", "resources.types.campaign_criterion", "CampaignCriterion",
    ),
    "assetOperation": ("asset", "resources.types.asset", "Asset"),
    "adGroupOperation": ("ad_group", "resources.types.ad_group", "AdGroup"),
    "adGroupCriterionOperation": (
        "ad_group_criterion", "resources.types.ad_group_criterion", "AdGroupCriterion",
    ),
    "adGroupAdOperation": ("ad_group_ad", "resources.types.ad_group_ad", "AdGroupAd"),
    "assetGroupOperation": ("asset_group", "resources.types.asset_group", "AssetGroup"),
    "assetGroupAssetOperation": ("asset_group_asset", "resources.types.asset_group_asset", "AssetGroupAsset"),
    "assetGroupSignalOperation": (
        "asset_group_signal", "resources.types.asset_group_signal", "AssetGroupSignal",
    ),
}  # fmt: skip

#: Messages whose contents are described; every other message field is known by name only.
DESCRIBED = {
    "Ad", "AdCallToActionAsset", "AdGroupAdAssetAutomationSetting", "AdImageAsset", "AdScheduleInfo",
    "AdTextAsset", "AdVideoAsset", "AgeRangeInfo", "AudienceInfo", "AudienceSetting", "CallToActionAsset",
    "CombinedAudienceInfo", "CustomAudienceInfo", "DemandGenAdGroupSettings", "DemandGenCampaignSettings",
    "DemandGenChannelControls", "DemandGenMultiAssetAdInfo", "DemandGenSelectedChannels",
    "DemandGenVideoResponsiveAdInfo", "FrequencyCapEntry", "FrequencyCapKey", "GenderInfo",
    "GeoTargetTypeSetting", "KeywordInfo", "LanguageInfo", "LocationInfo", "ManualCpm",
    "MaximizeConversionValue", "MaximizeConversions", "NetworkSettings", "PlacementInfo",
    "ResponsiveDisplayAdControlSpec", "ResponsiveDisplayAdInfo", "ResponsiveSearchAdInfo", "TargetCpc",
    "TargetImpressionShare", "TargetRestriction", "TargetSpend", "TargetingSetting", "UserInterestInfo",
    "UserListInfo", "YoutubeVideoAsset", "TextAsset", "ImageAsset", "SearchThemeInfo", "AssetAutomationSetting",
}  # fmt: skip

#: Marked "Output only." in the SDK's docstring, and yet written: the data of an image asset "is mutate only"
#: (asset_types.py, ImageAsset), and Google's own example upload_image_asset.py sets it.
WRITABLE = {"Asset": {"image_asset"}}

#: Fields that a create must carry. Docstrings of the SDK's messages ("This field is required…"),
#: and for the political declaration MutateError.EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED.
#: `status` and `explicitlyShared` are ours: their defaults would switch spending on, or share the budget.
REQUIRED = {
    "CampaignBudget": ["resourceName", "name", "explicitlyShared", "deliveryMethod", "period"],
    "Campaign": [
        "resourceName", "name", "status", "advertisingChannelType", "campaignBudget",
        "containsEuPoliticalAdvertising", "startDateTime",
    ],
    "CampaignCriterion": ["campaign"],
    "AdGroup": ["resourceName", "name", "status", "campaign"],
    "AdGroupCriterion": ["adGroup"],
    "AdGroupAd": ["adGroup", "status", "ad"],
    "Ad": ["finalUrls"],
    "AssetGroup": ["resourceName", "name", "campaign", "status", "finalUrls"],
    "AssetGroupAsset": ["assetGroup", "asset", "fieldType"],
    "AssetGroupSignal": ["assetGroup"],
    "TextAsset": ["text"],
    "SearchThemeInfo": ["text"],
    "AdTextAsset": ["text"],
    "AdImageAsset": ["asset"],
    "AdVideoAsset": ["asset"],
    "KeywordInfo": ["text", "matchType"],
    "LocationInfo": ["geoTargetConstant"],
    "LanguageInfo": ["languageConstant"],
    "AdScheduleInfo": ["dayOfWeek", "startHour", "startMinute", "endHour", "endMinute"],
    "ResponsiveSearchAdInfo": ["headlines", "descriptions"],
    "ResponsiveDisplayAdInfo": [
        "marketingImages", "squareMarketingImages", "headlines", "longHeadline", "descriptions", "businessName",
    ],
    "DemandGenMultiAssetAdInfo": ["logoImages", "headlines", "descriptions", "businessName"],
    "DemandGenVideoResponsiveAdInfo": ["videos", "logoImages", "businessName"],
    "YoutubeVideoAsset": ["youtubeVideoId"],
    "TargetImpressionShare": ["location", "locationFractionMicros", "cpcBidCeilingMicros"],
}  # fmt: skip

#: Exactly one of these must be there (oneofs of the SDK's messages, and the two budget amounts).
ONE_OF = {
    "CampaignBudget": ["amountMicros", "totalAmountMicros"],
    "Campaign": [
        "targetSpend", "maximizeConversions", "maximizeConversionValue", "manualCpm",
        "targetImpressionShare", "targetCpc",
    ],
    "CampaignCriterion": ["location", "language", "adSchedule"],
    "AdGroupCriterion": [
        "keyword", "location", "language", "ageRange", "gender", "userInterest", "userList",
        "customAudience", "combinedAudience", "audience", "placement",
    ],
    "Ad": [
        "responsiveSearchAd", "responsiveDisplayAd", "demandGenMultiAssetAd", "demandGenVideoResponsiveAd",
    ],
    "AssetGroupSignal": ["audience", "searchTheme"],
    "Asset": ["youtubeVideoAsset", "callToActionAsset", "imageAsset", "textAsset"],
}  # fmt: skip

#: Facets beside the SDK's types. Sources: docstrings of ad_type_infos.py, criteria.py, ad_group.py,
#: campaign_budget.py and bidding.py (v26); counts and widths of responsive search ads: the project's platform facts.
#: From practice, in no source at hand: display paths 15, final URL 2,048, 10,000 operations a request, and the texts of
#: Demand Gen video ads (40/90/90, one logo, five videos), for which the SDK gives no numbers.
#: JSON Schema counts characters, Google display width: `compile` is stricter for full-width scripts.
FACETS: dict[str, dict[str, Any]] = {
    "CampaignBudget.name": {"minLength": 1, "maxLength": 255},
    "Campaign.name": {"minLength": 1, "maxLength": 255, "pattern": "^[^\\u0000\\n\\r]+$"},
    "Campaign.startDateTime": {"pattern": "^\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2}$"},
    "Campaign.endDateTime": {"pattern": "^\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2}$"},
    "AdGroup.name": {"minLength": 1, "maxLength": 254, "pattern": "^[^\\u0000\\n\\r]+$"},
    "KeywordInfo.text": {"minLength": 1, "maxLength": 80},
    "AdScheduleInfo.startHour": {"minimum": 0, "maximum": 23},
    "AdScheduleInfo.endHour": {"minimum": 0, "maximum": 24},
    "Ad.finalUrls": {"minItems": 1, "maxItems": 1},
    "ResponsiveSearchAdInfo.headlines": {"minItems": 3, "maxItems": 15, "text": 30},
    "ResponsiveSearchAdInfo.descriptions": {"minItems": 2, "maxItems": 4, "text": 90},
    "ResponsiveSearchAdInfo.path1": {"maxLength": 15},
    "ResponsiveSearchAdInfo.path2": {"maxLength": 15},
    "ResponsiveDisplayAdInfo.marketingImages": {"minItems": 1, "maxItems": 15},
    "ResponsiveDisplayAdInfo.squareMarketingImages": {"minItems": 1, "maxItems": 15},
    "ResponsiveDisplayAdInfo.squareLogoImages": {"maxItems": 5},
    "ResponsiveDisplayAdInfo.headlines": {"minItems": 1, "maxItems": 5, "text": 30},
    "ResponsiveDisplayAdInfo.longHeadline": {"text": 90},
    "ResponsiveDisplayAdInfo.descriptions": {"minItems": 1, "maxItems": 5, "text": 90},
    "ResponsiveDisplayAdInfo.youtubeVideos": {"maxItems": 5},
    "ResponsiveDisplayAdInfo.businessName": {"minLength": 1, "maxLength": 25},
    "ResponsiveDisplayAdInfo.callToActionText": {"maxLength": 30},
    "DemandGenMultiAssetAdInfo.logoImages": {"minItems": 1, "maxItems": 5},
    "DemandGenMultiAssetAdInfo.headlines": {"minItems": 1, "maxItems": 5, "text": 30},
    "DemandGenMultiAssetAdInfo.descriptions": {"minItems": 1, "maxItems": 5, "text": 90},
    "DemandGenMultiAssetAdInfo.businessName": {"minLength": 1, "maxLength": 25},
    "DemandGenVideoResponsiveAdInfo.videos": {"minItems": 1, "maxItems": 5},
    "DemandGenVideoResponsiveAdInfo.logoImages": {"minItems": 1, "maxItems": 1},
    "DemandGenVideoResponsiveAdInfo.headlines": {"minItems": 1, "maxItems": 5, "text": 40},
    "DemandGenVideoResponsiveAdInfo.longHeadlines": {"minItems": 1, "maxItems": 5, "text": 90},
    "DemandGenVideoResponsiveAdInfo.descriptions": {"minItems": 1, "maxItems": 5, "text": 90},
    "YoutubeVideoAsset.youtubeVideoId": {"pattern": "^[A-Za-z0-9_-]{11}$"},
    "MaximizeConversionValue.targetRoas": {"minimum": 0.01, "maximum": 1000.0},
    "TargetImpressionShare.locationFractionMicros": {"pattern": "^[1-9]\\d{0,6}$"},
}

#: The same numbers for `compile`, by format. (minimum, maximum) counts; widths in Google's display units.
LIMITS = {
    "responsive_search": {
        "headlines": [3, 15, 30], "descriptions": [2, 4, 90], "paths": [0, 2, 15],
    },
    "responsive_display": {
        "headlines": [1, 5, 30], "descriptions": [1, 5, 90], "long_headline": [1, 1, 90],
        "business_name": [1, 1, 25], "images": [1, 15], "squares": [1, 15], "images_together": 15,
        "logos": [0, 5], "videos": [0, 5], "call_to_action": 30,
    },
    "demand_gen_image": {
        "headlines": [1, 5, 30], "descriptions": [1, 5, 90], "business_name": [1, 1, 25],
        "images_together": 20, "logos": [1, 5],
    },
    "demand_gen_video": {
        "headlines": [1, 5, 40], "long_headline": [1, 1, 90], "descriptions": [1, 5, 90],
        "business_name": [1, 1, 25], "videos": [1, 5], "logos": [1, 1],
    },
    # Shapes: smallest width and height, and ratio, of the docstrings of ad_type_infos.py (v26), ±1 %. 5,120 KB: from
    # practice (Google Ads help, image specifications). WEBP and others are refused: "GIF, JPEG, and PNG".
    "image_files": {
        "types": ["image/jpeg", "image/png", "image/gif"], "bytes": 5_242_880, "tolerance": 0.01,
        "shapes": {
            "IMAGE": [600, 314, 1.91, 1], "SQUARE_IMAGE": [300, 300, 1, 1], "PORTRAIT_IMAGE": [480, 600, 4, 5],
            "LOGO": [128, 128, 1, 1],
        },
    },
    # YouTube's own: 256 GB or 12 hours (support.google.com/youtube/answer/71673, from practice).
    "video_files": {
        "types": ["video/mp4", "video/quicktime", "video/mpeg", "video/x-msvideo", "video/webm", "video/x-ms-wmv"],
        "bytes": 274_877_906_944, "seconds": 43_200,
    },
    # developers.google.com/google-ads/api/docs/performance-max/asset-requirements (from practice: not in the SDK,
    # which says only that each may be too few).
    "performance_max": {
        "headlines": [3, 15, 30], "long_headline": [1, 5, 90], "descriptions": [2, 5, 90],
        "short_description": 60, "business_name": [1, 1, 25], "videos": [0, 5],
        "images": {"IMAGE": [1, 20], "SQUARE_IMAGE": [1, 20], "PORTRAIT_IMAGE": [0, 20], "LOGO": [1, 5]},
    },
    "keyword_characters": 80,
    "keyword_words": 10,
    "ad_schedules_per_day": 6,
    "campaign_name_bytes": 255,
    "ad_group_name_width": 254,
    "final_url_characters": 2048,
    "operations": 10000,
    # developers.google.com/ads/blog/posts/2026/02/minimum-budget-requirement-for-demand: 5 USD a day, or the
    # like in local currency. What "the like" is stands only in the live CurrencyConstant.demand_gen_info.
    "demand_gen_daily_minimum": {"USD": "5"},
}  # fmt: skip

#: Smallest amount in micros by account currency. The live truth is CurrencyConstant.billable_unit_micros,
#: which only a connected account can read. The SDK has no table. The codes are the list that Google publishes
#: for AdSense (developers.google.com/adsense/host/appendix/currencies), without HRK, LTL and VEF, which are gone;
#: the Ads API's own list could not be read. Units: 0.01 unless listed under WHOLE_UNITS, which has the currencies without minor unit in
#: ISO 4217 (CLP JPY KRW VND) and, on no source, COP HUF IDR TWD, which other ad platforms bill in whole units. Where the real unit is
#: finer than ours nothing goes wrong: every multiple of 1 is a multiple of 0.01.
WHOLE_UNITS = ("CLP", "COP", "HUF", "IDR", "JPY", "KRW", "TWD", "VND")
CENT_UNITS = (
    "AED", "ARS", "AUD", "BGN", "BND", "BOB", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EGP", "EUR", "FJD",
    "GBP", "HKD", "ILS", "INR", "KES", "MAD", "MXN", "MYR", "NOK", "NZD", "PEN", "PHP", "PKR", "PLN", "RON",
    "RSD", "RUB", "SAR", "SEK", "SGD", "THB", "TRY", "UAH", "USD", "ZAR",
)  # fmt: skip

#: developers.google.com/google-ads/api/data/codes-formats#languages, seen in two public copies of languagecodes.csv
#: (code -> languageConstants id), keyed by ISO 639-1.
LANGUAGES = {
    "en": 1000, "de": 1001, "fr": 1002, "es": 1003, "it": 1004, "ja": 1005, "da": 1009, "nl": 1010,
    "fi": 1011, "ko": 1012, "no": 1013, "pt": 1014, "sv": 1015, "zh-cn": 1017, "zh-tw": 1018, "ar": 1019,
    "bg": 1020, "cs": 1021, "el": 1022, "hi": 1023, "hu": 1024, "id": 1025, "is": 1026, "he": 1027,
    "lv": 1028, "lt": 1029, "pl": 1030, "ru": 1031, "ro": 1032, "sk": 1033, "sl": 1034, "sr": 1035,
    "uk": 1036, "tr": 1037, "ca": 1038, "hr": 1039, "vi": 1040, "ur": 1041, "tl": 1042, "et": 1043,
    "th": 1044, "bn": 1056, "fa": 1064, "gu": 1072, "kn": 1086, "ml": 1098, "mr": 1101, "ms": 1102,
    "pa": 1110, "ta": 1130, "te": 1131,
}  # fmt: skip
#: Other spellings of the same languages: Google's old code for Hebrew, both Norwegians, script tags.
LANGUAGE_ALIASES = {
    "iw": "he", "nb": "no", "nn": "no", "fil": "tl", "in": "id",
    "zh-hans": "zh-cn", "zh-hant": "zh-tw", "zh-hk": "zh-tw",
}  # fmt: skip

#: Country criterion ids are 2000 + ISO 3166-1 numeric: seen in a public copy of Google's geo
#: targets list, of which tests/test_sdk.py keeps a sample, with Kosovo (XK, 2900) as the one that ISO does not number.
#: Left out: places that Google's sanctions policy does not serve (from practice, not from the SDK).
COUNTRY_OFFSET = 2000
NOT_SERVED = ("CU", "IR", "KP", "SY")
EXTRA_COUNTRIES = {"XK": 2900}

#: Neutral call to action -> (CallToActionType, English label). Nothing fits INSTALL and GET_OFFER.
CALLS_TO_ACTION = {
    "LEARN_MORE": ["LEARN_MORE", "Learn more"],
    "SHOP_NOW": ["SHOP_NOW", "Shop now"],
    "SIGN_UP": ["SIGN_UP", "Sign up"],
    "DOWNLOAD": ["DOWNLOAD", "Download"],
    "BOOK_NOW": ["BOOK_NOW", "Book now"],
    "CONTACT_US": ["CONTACT_US", "Contact us"],
    "APPLY_NOW": ["APPLY_NOW", "Apply now"],
    "GET_QUOTE": ["GET_QUOTE", "Get quote"],
    "SUBSCRIBE": ["SUBSCRIBE", "Subscribe"],
    "ORDER_NOW": ["ORDER_NOW", "Order now"],
    "WATCH_MORE": ["WATCH_NOW", "Watch now"],
    "PLAY_GAME": ["PLAY_NOW", "Play now"],
}

#: What changing a field of something that runs means: (kind, where that stands). `learning` also stands for a new
#: review. Patterns match names of fields (fields.py), the first one that fits holds; what none matches is an update.
_IMMUTABLE = "'Immutable.' in the SDK's v26 message"
_LEARNING = "bidding_strategy_system_status.py (v26): "
_REVIEW = (
    "Google reviews an ad again after an edit (from practice: support.google.com/google-ads/answer/1722120)"
)
CHANGES: dict[str, list[list[str]]] = {
    "campaign": [
        ["advertisingChannelType", "impossible", f"{_IMMUTABLE} Campaign"],
        ["brandGuidelinesEnabled", "impossible", f"{_IMMUTABLE} Campaign"],
        [
            "demandGenCampaignSettings.upgradedTargeting",
            "impossible",
            "FieldError.IMMUTABLE_FIELD (from practice: it is set when the campaign is created)",
        ],
        ["bidding", "learning", f"{_LEARNING}LEARNING_SETTING_CHANGE"],
        ["finalUrlSuffix", "update", "no review: the landing page stays (from practice)"],
    ],
    "budget": [
        ["period", "impossible", f"{_IMMUTABLE} CampaignBudget; CampaignError.CANNOT_CHANGE_BUDGET_PERIOD"],
        ["explicitlyShared", "impossible", "campaign_budget.py (v26): a budget that is shared stays so"],
        ["*AmountMicros", "learning", f"{_LEARNING}LEARNING_BUDGET_CHANGE"],
        ["amountMicros", "learning", f"{_LEARNING}LEARNING_BUDGET_CHANGE"],
    ],
    "ad_set": [
        ["type", "replace", f"{_IMMUTABLE} AdGroup"],
        ["audienceSetting.useAudienceGrouped", "replace", f"{_IMMUTABLE} AdGroup"],
        ["cpmBidMicros", "learning", f"{_LEARNING}LEARNING_SETTING_CHANGE"],
        ["keywords", "learning", f"{_LEARNING}LEARNING_COMPOSITION_CHANGE"],
    ],
    "ad": [
        ["name", "replace", f"{_IMMUTABLE} Ad"],
        ["adGroupAdAssetAutomationSettings", "update", "a switch of the AdGroupAd, no content of the ad"],
        ["*", "learning", _REVIEW],
    ],
}

EU_COUNTRIES = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip

_PINS = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 3}}
CONFIG = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Google Ads options of a ticket",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "youtube_only": {
            "type": "boolean",
            "description": "Demand Gen: show on YouTube only (in-stream, in-feed, Shorts). Set for YouTube lines of a plan.",
        },
        "demand_gen_accepted": {
            "type": "boolean",
            "description": "The planner accepts that a YouTube line is bought as Demand Gen: other bidding, other inventory.",
        },
        "search_partners": {
            "type": "boolean",
            "description": "Search: also show on Google's search partners. Default no.",
        },
        "display_expansion": {
            "type": "boolean",
            "description": "Search: spend what is left on the Display Network. Default no.",
        },
        "location_intent": {
            "enum": ["PRESENCE", "PRESENCE_OR_INTEREST"],
            "description": "Search and Display: people in the place (default), or also people interested in it.",
        },
        "target_impression_share": {
            "type": "object",
            "additionalProperties": False,
            "required": ["location", "percent"],
            "properties": {
                "location": {"enum": ["ANYWHERE_ON_PAGE", "TOP_OF_PAGE", "ABSOLUTE_TOP_OF_PAGE"]},
                "percent": {"type": "integer", "minimum": 1, "maximum": 100},
            },
            "description": "Search with the goal impressions: where on the page, and in how many of 100 auctions.",
        },
        "google_enhancements": {
            "type": "boolean",
            "description": "Performance Max: let Google make texts, images, videos and landing pages nobody here approved. Default no.",
        },
        "tracking_url_template": {
            "type": "string",
            "pattern": "^https?://.*\\{(lpurl|unescapedlpurl|escapedlpurl)",
            "description": "Campaign tracking template; must contain {lpurl}.",
        },
    },
    "$defs": {
        "ad_set": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "optimized_targeting": {
                    "type": "boolean",
                    "description": "Display and Demand Gen: let Google go beyond the chosen audience. Default no.",
                },
                "audience_observation": {
                    "type": "boolean",
                    "description": "Search: audiences are only observed, they don't narrow the ad group. Default no.",
                },
                "include_unknown_age": {
                    "type": "boolean",
                    "description": "Keep people of unknown age in spite of an age range. Default no; refused with a minimum age.",
                },
                "include_unknown_gender": {
                    "type": "boolean",
                    "description": "Keep people of unknown gender when one gender is chosen. Default no.",
                },
            },
        },
        "ad": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "pin_headlines": {
                    **_PINS,
                    "description": "Search: position 1-3 for each headline in turn, 0 where it is free.",
                },
                "pin_descriptions": {
                    **_PINS,
                    "items": {"type": "integer", "minimum": 0, "maximum": 2},
                    "description": "Search: position 1-2 for each description in turn, 0 where it is free.",
                },
                "call_to_action_text": {
                    "type": "string",
                    "maxLength": 30,
                    "description": "Label of the button in the ad's language, instead of the English one.",
                },
                "main_color": {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"},
                "accent_color": {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"},
                "google_enhancements": {
                    "type": "boolean",
                    "description": "Let Google make images, videos and texts that nobody here approved. Default no.",
                },
            },
            "dependentRequired": {"main_color": ["accent_color"], "accent_color": ["main_color"]},
        },
    },
}


def build() -> dict[str, Any]:
    """The whole reference as JSON values."""
    return {
        "source": f"google-ads {importlib.metadata.version('google-ads')}, Google Ads API {API_VERSION}",
        "sdk": "google-ads",
        "sdk_version": importlib.metadata.version("google-ads"),
        "api_version": API_VERSION,
        "operations": {operation: name for operation, (name, _, _) in RESOURCES.items()},
        "schemas": {
            operation: _resource_schema(module, message)
            for operation, (_, module, message) in RESOURCES.items()
        },
        "envelope": _envelope(),
        "config": CONFIG,
        "limits": LIMITS,
        "currencies": {
            **dict.fromkeys(CENT_UNITS, 10_000),
            **dict.fromkeys(WHOLE_UNITS, 1_000_000),
        },
        "countries": _countries(),
        "languages": LANGUAGES,
        "language_aliases": LANGUAGE_ALIASES,
        "eu_countries": list(EU_COUNTRIES),
        "calls_to_action": CALLS_TO_ACTION,
        "changes": CHANGES,
        "age_bands": _age_bands(),
        "error_codes": _error_codes(),
    }


def _resource_schema(module: str, message: str) -> dict[str, Any]:
    schema = _message_schema(getattr(importlib.import_module(f"{TYPES}.{module}"), message))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _message_schema(message: Any) -> dict[str, Any]:
    """One message as an object schema, without its output-only fields."""
    name = message.pb().DESCRIPTOR.name
    hidden = _output_only(message) - WRITABLE.get(name, set())
    fields = [field for field in message.pb().DESCRIPTOR.fields if field.name not in hidden]
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {_json_name(field): _field_schema(message, field) for field in fields},
    }
    if name in REQUIRED:
        schema["required"] = REQUIRED[name]
    if name in ONE_OF:
        schema["oneOf"] = [{"required": [choice]} for choice in ONE_OF[name]]
    return schema


def _field_schema(message: Any, field: Any) -> dict[str, Any]:
    facets = dict(FACETS.get(f"{message.pb().DESCRIPTOR.name}.{_json_name(field)}", {}))
    width = facets.pop("text", None)
    schema = _value_schema(message, field)
    if width is not None:
        schema["properties"]["text"] = _text_schema(width)
    if not field.is_repeated:
        return {**schema, **facets}
    return {"type": "array", "items": schema, **facets}


def _text_schema(width: int) -> dict[str, Any]:
    """A text of at most `width`; keyword insertion `{KeyWord:default}` counts its default only."""
    return {
        "type": "string",
        "minLength": 1,
        "anyOf": [{"maxLength": width}, {"pattern": "\\{[Kk][Ee][Yy][Ww][Oo][Rr][Dd]:"}],
    }


def _value_schema(message: Any, field: Any) -> dict[str, Any]:
    if field.message_type is not None:
        return _nested_schema(message, field)
    if field.enum_type is not None:
        names = [value.name for value in field.enum_type.values]
        return {"enum": [name for name in names if name not in ("UNSPECIFIED", "UNKNOWN")]}
    return dict(_SCALARS[field.type])


def _nested_schema(message: Any, field: Any) -> dict[str, Any]:
    if field.message_type.name not in DESCRIBED:
        return {"type": "object"}
    return _message_schema(message.meta.fields[_python_name(message, field)].message)


def _python_name(message: Any, field: Any) -> str:
    return field.name if field.name in message.meta.fields else f"{field.name}_"


def _json_name(field: Any) -> str:
    """REST name; proto-plus appends `_` to names that Python reserves, which the wire does not have."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), field.name.rstrip("_"))


def _output_only(message: Any) -> set[str]:
    doc = message.__doc__ or ""
    found = re.findall(r"^ +(\w+) \([^\n]*\):\n +Output only\.", doc, re.MULTILINE)
    return {name.rstrip("_") for name in found} | set(found)


def _envelope() -> dict[str, Any]:
    """The request around the changes: known operations only, one each, atomic."""
    change = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "create": {"type": "object"},
            "update": {"type": "object", "required": ["resourceName"]},
            "updateMask": {"type": "string", "minLength": 1},
            "remove": {"type": "string", "minLength": 1},
        },
        "oneOf": [{"required": ["create"]}, {"required": ["update"]}, {"required": ["remove"]}],
        "dependentRequired": {"update": ["updateMask"], "updateMask": ["update"]},
    }
    changes = dict.fromkeys((*RESOURCES, "adOperation"), change)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "required": ["mutateOperations", "partialFailure"],
        "properties": {
            "mutateOperations": {
                "type": "array",
                "minItems": 1,
                "maxItems": LIMITS["operations"],
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "minProperties": 1,
                    "maxProperties": 1,
                    "properties": changes,
                },
            },
            "partialFailure": {"const": False},
            "validateOnly": {"type": "boolean"},
        },
    }


def _countries() -> dict[str, int]:
    import pycountry

    served = {
        country.alpha_2: COUNTRY_OFFSET + int(country.numeric)
        for country in pycountry.countries
        if country.alpha_2 not in NOT_SERVED
    }
    return dict(sorted({**served, **EXTRA_COUNTRIES}.items()))


def _age_bands() -> list[dict[str, Any]]:
    """Google's fixed age bands from the SDK's enum names: `AGE_RANGE_18_24`, …, `AGE_RANGE_65_UP`."""
    enum = importlib.import_module(f"{TYPES}.enums.types.age_range_type").AgeRangeTypeEnum.AgeRangeType
    bands = []
    for value in enum:
        match = re.fullmatch(r"AGE_RANGE_(\d+)_(\d+|UP)", value.name)
        if match:
            upper = None if match[2] == "UP" else int(match[2])
            bands.append({"type": value.name, "min": int(match[1]), "max": upper})
    return bands


def _error_codes() -> dict[str, list[str]]:
    """The error kinds that say more than 'rejected', with all their codes in this version."""
    found = {}
    for kind in ("authentication", "authorization", "quota", "internal", "database", "header"):
        module = importlib.import_module(f"{TYPES}.errors.types.{kind}_error")
        enum = getattr(getattr(module, f"{kind.title()}ErrorEnum"), f"{kind.title()}Error")
        found[f"{kind}Error"] = [v.name for v in enum if v.name not in ("UNSPECIFIED", "UNKNOWN")]
    return found


#: FieldDescriptor.type -> JSON. 64-bit integers travel as strings (protobuf's JSON mapping).
_SCALARS: dict[int, dict[str, Any]] = {
    1: {"type": "number"}, 2: {"type": "number"},
    3: {"type": "string", "pattern": "^-?\\d+$"}, 4: {"type": "string", "pattern": "^\\d+$"},
    5: {"type": "integer"}, 8: {"type": "boolean"}, 9: {"type": "string"}, 12: {"type": "string"},
}  # fmt: skip


def main() -> None:
    TARGET.write_text(json.dumps(build(), indent=1, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
