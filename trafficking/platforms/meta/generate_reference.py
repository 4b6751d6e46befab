"""Rewrites `reference.json` from Meta's official SDK: `python -m trafficking.platforms.meta.generate_reference`.

Development only: the SDK is a witness, not a runtime dependency. Field names, types and enums come from
the SDK (`AdAccount.create_*` parameter types and the `_field_types` of nested objects). What the SDK does
not know (required fields, money offsets, locale ids, limits) stands below as constants with their source.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from trafficking.platforms.meta.config_options import config_schemas

PACKAGE = "facebook-business"
TARGET = Path(__file__).with_name("reference.json")
Json = dict[str, Any]

#: Operation type -> the SDK method that creates it.
CREATORS = {
    "campaign": "create_campaign",
    "ad_set": "create_ad_set",
    "creative": "create_ad_creative",
    "ad": "create_ad",
}

#: Nested SDK classes whose fields are checked one by one; others are taken as objects.
EXPANDED = [
    "Targeting",
    "TargetingGeoLocation",
    "TargetingGeoLocationRegion",
    "TargetingGeoLocationCity",
    "FlexibleTargeting",
    "IDName",
    "RawCustomAudience",
    "TargetingAutomation",
    "AdPromotedObject",
    "AttributionSpec",
    "DayPart",
    "AdCampaignFrequencyControlSpecs",
    "AdCampaignBidConstraint",
    "AdCreativeObjectStorySpec",
    "AdCreativeLinkData",
    "AdCreativeLinkDataChildAttachment",
    "AdCreativeLinkDataCallToAction",
    "AdCreativeLinkDataCallToActionValue",
    "AdCreativeVideoData",
]

#: Parameters that the SDK types as plain `Object` or `map`, with the SDK class that describes them.
NARROWED = {
    ("campaign", "promoted_object"): "AdPromotedObject",
    ("ad_set", "promoted_object"): "AdPromotedObject",
    ("ad_set", "frequency_control_specs"): "list<AdCampaignFrequencyControlSpecs>",
    ("ad_set", "adset_schedule"): "list<DayPart>",
    ("ad_set", "attribution_spec"): "list<AttributionSpec>",
    ("ad_set", "bid_constraints"): "AdCampaignBidConstraint",
}

# ------------------------------------------------------------------- facts that the SDK does not have

#: What is marked required in public copies of Meta's create parameters (pages of v24 and v25; those of v26 were not
#: seen), what recorded errors ask for (subcode 4834011: ad set budget sharing, 1870227: the audience flag), and
#: what we want stated in every body (buying_type, status, start_time).
REQUIRED: dict[str, list[str]] = {
    "campaign": ["name", "objective", "special_ad_categories", "status", "buying_type"],
    "ad_set": [
        "name", "campaign_id", "billing_event", "optimization_goal", "targeting", "status", "start_time",
    ],
    "creative": ["name", "object_story_spec"],
    "ad": ["name", "adset_id", "creative", "status"],
    "Targeting": ["geo_locations", "targeting_automation"],
    "TargetingAutomation": ["advantage_audience"],
    "AdCreativeObjectStorySpec": ["page_id"],
    "AdCreativeLinkData": ["link"],
    "AdCreativeVideoData": ["video_id", "image_hash"],
    "AdCreativeLinkDataChildAttachment": ["link"],
    "AdCreativeLinkDataCallToAction": ["type"],
    "DayPart": ["start_minute", "end_minute", "days"],
    "AdCampaignFrequencyControlSpecs": ["event", "interval_days", "max_frequency"],
    "AdCampaignBidConstraint": ["roas_average_floor"],
}  # fmt: skip

#: Lengths: "This field has a limit of 100 characters" (creative `name`, page "Ad Creative" v25.0) and "Ad set name,
#: max length of 400 characters" (page "Ad Account Adsets"), both in public copies of those pages. For campaigns and
#: ads Meta's pages state none: 400 is what Marin's help, "Naming Limits for Campaigns, Ad Sets, and Ads", gives.
#: Ranges: ages 13 to 65, `frequency_control_specs` 1 to 90 days and times (quoted from Meta's pages by public
#: projects); whole hours of `DayPart`, 512 characters of the DSA fields: from practice, unverified.
#: Ids are digits; a stand-in `<ref>` takes the place of one that is not known yet.
_ID = {"type": "string", "pattern": r"^(\d+|<.+>)$"}
TIGHTENED: dict[tuple[str, str], Json] = {
    ("campaign", "name"): {"minLength": 1, "maxLength": 400},
    ("campaign", "buying_type"): {"enum": ["AUCTION"]},
    ("campaign", "status"): {"const": "PAUSED"},
    ("campaign", "daily_budget"): {"minimum": 1},
    ("campaign", "lifetime_budget"): {"minimum": 1},
    ("campaign", "special_ad_categories"): {"uniqueItems": True},
    ("ad_set", "name"): {"minLength": 1, "maxLength": 400},
    ("ad_set", "campaign_id"): _ID,
    ("ad_set", "status"): {"const": "PAUSED"},
    ("ad_set", "bid_amount"): {"minimum": 1},
    ("ad_set", "daily_budget"): {"minimum": 1},
    ("ad_set", "lifetime_budget"): {"minimum": 1},
    ("ad_set", "dsa_beneficiary"): {"minLength": 1, "maxLength": 512},
    ("ad_set", "dsa_payor"): {"minLength": 1, "maxLength": 512},
    ("creative", "name"): {"minLength": 1, "maxLength": 100},
    ("ad", "name"): {"minLength": 1, "maxLength": 400},
    ("ad", "status"): {"const": "PAUSED"},
    ("ad", "adset_id"): _ID,
    ("Targeting", "age_min"): {"minimum": 13, "maximum": 65},
    ("Targeting", "age_max"): {"minimum": 13, "maximum": 65},
    ("Targeting", "genders"): {"items": {"enum": [1, 2]}},
    ("TargetingAutomation", "advantage_audience"): {"enum": [0, 1]},
    ("AdCreativeLinkData", "child_attachments"): {"minItems": 2, "maxItems": 10},
    ("DayPart", "days"): {"minItems": 1, "items": {"type": "integer", "minimum": 0, "maximum": 6}},
    ("DayPart", "start_minute"): {"minimum": 0, "maximum": 1380, "multipleOf": 60},
    ("DayPart", "end_minute"): {"minimum": 60, "maximum": 1440, "multipleOf": 60},
    ("AdCampaignFrequencyControlSpecs", "event"): {"enum": ["IMPRESSIONS"]},
    ("AdCampaignFrequencyControlSpecs", "interval_days"): {"minimum": 1, "maximum": 90},
    ("AdCampaignFrequencyControlSpecs", "max_frequency"): {"minimum": 1, "maximum": 90},
    ("AdCampaignBidConstraint", "roas_average_floor"): {"minimum": 100, "maximum": 10_000_000},
}

#: Campaign budget or ad set budget sharing must be said (v24 changelog); one kind of budget only.
_ONE_BUDGET: Json = {"not": {"required": ["daily_budget", "lifetime_budget"]}}
WHOLE: dict[str, Json] = {
    "campaign": {
        **_ONE_BUDGET,
        "anyOf": [
            {"required": ["daily_budget", "bid_strategy"]},
            {"required": ["lifetime_budget", "bid_strategy"]},
            {"required": ["is_adset_budget_sharing_enabled"]},
        ],
    },
    "ad_set": {**_ONE_BUDGET, "dependentRequired": {"lifetime_budget": ["end_time"]}},
    "AdCreativeObjectStorySpec": {
        "oneOf": [{"required": ["link_data"]}, {"required": ["video_data"]}],
    },
}

#: Smallest units in one unit of the currency: the offset table of Meta's page "Currency codes"
#: (developers.facebook.com/documentation/ads-commerce/marketing-api/currencies). It is not ISO 4217: BHD and JOD have 100, CLP, COP, CRC, HUF, IDR, ISK, TWD have 1. Currencies
#: that no longer exist (BGN, HRK, LTL, LVL, SKK, VEF) and Facebook credits are left out. LKR is in the SDK's
#: account currencies but not in that table: 100, the rule for all that are not listed with 1.
OFFSET_1 = ["CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND"]
OFFSET_100 = [
    "AED",
    "ARS",
    "AUD",
    "BDT",
    "BHD",
    "BOB",
    "BRL",
    "CAD",
    "CHF",
    "CNY",
    "CZK",
    "DKK",
    "DZD",
    "EGP",
    "EUR",
    "GBP",
    "GTQ",
    "HKD",
    "HNL",
    "ILS",
    "INR",
    "JOD",
    "KES",
    "LKR",
    "MOP",
    "MXN",
    "MYR",
    "NGN",
    "NIO",
    "NOK",
    "NZD",
    "PEN",
    "PHP",
    "PKR",
    "PLN",
    "QAR",
    "RON",
    "RSD",
    "RUB",
    "SAR",
    "SEK",
    "SGD",
    "THB",
    "TRY",
    "UAH",
    "USD",
    "UYU",
    "VES",
    "ZAR",
]

#: Least daily budget by billing event, in the currency's major unit: the dollar values that articles on Meta's
#: budgets commonly give; Meta's own page was not seen. `GET act_<id>/minimum_budgets` answers the real ones, by
#: account and currency, so only USD is judged before sending, and Meta decides.
MINIMUM_DAILY = {"USD": {"IMPRESSIONS": "1.00", "LINK_CLICKS": "5.00", "THRUPLAY": "5.00"}}

#: ISO 639-1 -> ids of Meta's ad locales. Source: answers of `GET /search?type=adlocale`, as recorded in two
#: independent public projects that agree. Ids above 1000 are Meta's own groups ("English (All)").
LOCALES: dict[str, list[int]] = {
    "af": [36], "ar": [28], "az": [53], "be": [54], "bg": [37], "bn": [45], "bs": [55], "ca": [1], "cs": [2],
    "cy": [3], "da": [4], "de": [5], "el": [39], "en": [1001], "eo": [57], "es": [1002], "et": [58], "eu": [59],
    "fa": [60], "fi": [8], "fo": [62], "fr": [1003], "fy": [63], "ga": [64], "gl": [65], "gn": [66], "gu": [67],
    "he": [29], "hi": [46], "hr": [38], "hu": [30], "hy": [68], "id": [25], "is": [69], "it": [10],
    "ja": [11, 70], "jv": [71], "ka": [72], "kk": [73], "km": [74], "kn": [75], "ko": [12], "ku": [76],
    "lt": [40], "lv": [78], "mk": [79], "ml": [50], "mn": [80], "mr": [81], "ms": [41], "nb": [13], "ne": [82],
    "nl": [14, 83], "nn": [84], "no": [13, 84], "pa": [47], "pl": [15], "ps": [85], "pt": [1005], "ro": [32],
    "ru": [17], "si": [86], "sk": [33], "sl": [34], "sq": [87], "sr": [42], "sv": [18], "sw": [88], "ta": [48],
    "te": [49], "tg": [89], "th": [35], "tl": [26], "tr": [19], "uk": [52], "ur": [90], "uz": [91], "vi": [27],
    "zh": [1004],
}  # fmt: skip

#: Placement positions by publisher platform (the SDK has no enum of them): the lists of Meta's page "Placement
#: Targeting" (updated March 2026) as three public projects copied them. Left out: `video_feeds` and
#: `messenger_home`, which some of the copies still have, WhatsApp, and what v26.0 took away by a public project's
#: notes on its changelog: Instagram's `explore` (refused) and Messenger's `story` (dropped silently). Rules on combinations (threads_stream needs
#: Instagram's stream, sponsored_messages stands alone, …) are left to Meta.
PLACEMENTS = {
    "facebook": [
        "feed", "right_hand_column", "marketplace", "story", "search", "instream_video", "facebook_reels",
        "facebook_reels_overlay", "profile_feed", "notification",
    ],
    "instagram": [
        "stream", "story", "explore_home", "reels", "profile_feed", "ig_search", "profile_reels",
    ],
    "audience_network": ["classic", "rewarded_video"],
    "messenger": ["sponsored_messages"],
    "threads": ["threads_stream"],
}  # fmt: skip

#: EU member states, and their territories with ISO codes of their own, where the Digital Services Act
#: (Regulation 2022/2065) asks for beneficiary and payor.
EU = [
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
    "AX",
    "GF",
    "GP",
    "MF",
    "MQ",
    "RE",
    "YT",
]

#: Neutral call to action -> Meta's. All are in the SDK's enum (checked when generating).
CALL_TO_ACTION = {
    **{
        same: same
        for same in [
            "LEARN_MORE",
            "SHOP_NOW",
            "SIGN_UP",
            "DOWNLOAD",
            "BOOK_NOW",
            "CONTACT_US",
            "APPLY_NOW",
            "GET_QUOTE",
            "SUBSCRIBE",
            "WATCH_MORE",
            "GET_OFFER",
            "ORDER_NOW",
            "PLAY_GAME",
        ]
    },
    "INSTALL": "INSTALL_MOBILE_APP",
}

#: Neutral conversion event -> `custom_event_type`. Checked against the SDK's enum when generating.
CONVERSION_EVENTS = {
    **{
        same: same
        for same in [
            "PURCHASE",
            "LEAD",
            "ADD_TO_CART",
            "ADD_TO_WISHLIST",
            "ADD_PAYMENT_INFO",
            "COMPLETE_REGISTRATION",
            "CONTACT",
            "CUSTOMIZE_PRODUCT",
            "DONATE",
            "FIND_LOCATION",
            "SCHEDULE",
            "SEARCH",
            "START_TRIAL",
            "SUBMIT_APPLICATION",
            "SUBSCRIBE",
            "CONTENT_VIEW",
            "INITIATED_CHECKOUT",
            "LEVEL_ACHIEVED",
            "ACHIEVEMENT_UNLOCKED",
            "TUTORIAL_COMPLETION",
            "SPENT_CREDITS",
            "RATE",
        ]
    },
    "VIEW_CONTENT": "CONTENT_VIEW",
    "INITIATE_CHECKOUT": "INITIATED_CHECKOUT",
}

LIMITS = {"cards_min": 2, "cards_max": 10, "creative_name": 100, "name": 400, "days_per_cap": 90}

#: What changing a field of an object that exists means: [kind, source]; a name stands for all below it. Fields that
#: the SDK's `api_update` does not take are added as "impossible" (campaign) or "replace" (ad set) when generating.
#: `amount` is an update, and restarts learning where the amount moves by more than `LEARNING_SHARE`.
#: "Significant edits" is Meta's help page "About the learning phase", in copies: any change to targeting, creative,
#: optimisation event or bid strategy; budgets, bids and goals according to how far they move.
_EDITS = "Meta's help on significant edits, in copies"
_PRACTICE = "from practice, unverified"
_UPDATE = "SDK: a parameter of api_update"
CHANGES: dict[str, dict[str, list[str]]] = {
    "campaign": {
        "name": ["update", _UPDATE],
        "objective": ["impossible", _PRACTICE],
        "special_ad_categories": ["update", _UPDATE],
        "special_ad_category_country": ["update", _UPDATE],
        "daily_budget": ["amount", _EDITS],
        "lifetime_budget": ["amount", _EDITS],
        "bid_strategy": ["learning", _EDITS],
        "spend_cap": ["update", _UPDATE],
        "is_adset_budget_sharing_enabled": ["update", _UPDATE],
        "is_skadnetwork_attribution": ["impossible", _PRACTICE],
        "pacing_type": ["update", _UPDATE],
    },
    "ad_set": {
        "name": ["update", _UPDATE],
        "optimization_goal": ["learning", _EDITS],
        "billing_event": ["replace", _PRACTICE],
        "destination_type": ["replace", _PRACTICE],
        "promoted_object": ["replace", _PRACTICE],
        "promoted_object.custom_event_type": ["learning", _EDITS],
        "bid_strategy": ["learning", _EDITS],
        "bid_amount": ["amount", _EDITS],
        "bid_constraints": ["amount", _EDITS],
        "daily_budget": ["amount", _EDITS],
        "lifetime_budget": ["amount", _EDITS],
        "daily_min_spend_target": ["update", _UPDATE],
        "daily_spend_cap": ["update", _UPDATE],
        "lifetime_min_spend_target": ["update", _UPDATE],
        "lifetime_spend_cap": ["update", _UPDATE],
        "start_time": ["update", _UPDATE],
        "end_time": ["update", _UPDATE],
        "adset_schedule": ["update", _UPDATE],
        "pacing_type": ["update", _UPDATE],
        "frequency_control_specs": ["update", _UPDATE],
        "attribution_spec": ["learning", _PRACTICE],
        "dsa_beneficiary": ["update", _UPDATE],
        "dsa_payor": ["update", _UPDATE],
        "targeting": ["learning", _EDITS],
    },
    "ad": {
        "name": ["update", _UPDATE],
        "conversion_domain": ["update", _UPDATE],
        "creative": ["learning", _EDITS],
    },
}
#: Share of an amount beyond which public guides say that learning restarts; Meta's page gives no figure.
LEARNING_SHARE = "0.2"

#: What to send to take a value away. Sources: `spend_cap`: "set to 922337203685478 to remove it" (Meta's page "Ad
#: Campaign Group", in copies); `end_time`: "set to 0 for an ongoing ad set" (page "Ad Set", in copies); the others
#: from practice. A bid amount goes by itself with the strategy that needs it: it needs nothing sent.
CLEARED: dict[str, dict[str, Any]] = {
    "campaign": {"spend_cap": 922337203685478, "pacing_type": ["standard"], "special_ad_category_country": []},
    "ad_set": {
        "end_time": 0, "adset_schedule": [], "pacing_type": ["standard"], "frequency_control_specs": [],
        "daily_min_spend_target": 0, "daily_spend_cap": 0, "lifetime_min_spend_target": 0, "lifetime_spend_cap": 0,
    },
    "ad": {"conversion_domain": ""},
}  # fmt: skip
#: Values that updates may carry and creates may not: those of `CLEARED`, and any status.
LOOSENED: dict[tuple[str, str], Json] = {
    ("campaign", "status"): {},
    ("ad_set", "status"): {},
    ("ad", "status"): {},
    ("ad_set", "end_time"): {"type": ["string", "integer"], "maximum": 0},
    ("ad", "conversion_domain"): {},
}

#: What Meta takes of files. Images: JPG or PNG, 30 MB, ratios 1.91:1 to 4:5 in feeds and 9:16 in stories, 3 %
#: tolerance, 500 pixels wide at least in stories, 600 in feeds; videos: MP4 or MOV, 1 second to 241 minutes, 120 pixels
#: a side, 9:16 to 16:9, H.264 recommended: Meta's Ads Guide, from memory of its pages, not opened. Videos of 1 KB at
#: least: error 1363022 of Meta's page "Video API error codes" (which allows 2 GB; the Ads Guide 4 GB). 1 GB is what
#: Meta's page on video publishing allowed for uploads in one call, from memory; the sandbox keeps to it.
MEDIA: Json = {
    "ratio_tolerance": "0.03",
    "image": {
        "content_types": ["image/jpeg", "image/png"], "bytes_min": 1, "bytes_max": 30 * 1024**2,
        "width_min": 500, "height_min": 262, "ratios": ["9:16", "1.91:1"],
    },
    "video": {
        "content_types": ["video/mp4", "video/quicktime"], "bytes_min": 1024, "bytes_max": 1024**3,
        "width_min": 120, "height_min": 120, "ratios": ["9:16", "16:9"], "seconds_min": 1, "seconds_max": 14460,
        "codecs": ["AVC", "HEVC"],
    },
}  # fmt: skip
_FILE: Json = {
    "filename": {"type": "string", "minLength": 1},
    "content_type": {"type": "string"},
    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "title": {"type": "string", "maxLength": 100},
}
#: Bodies of uploads (the client adds the bytes) and of waits, by action.
MEDIA_BODIES: Json = {
    "upload": {
        "type": "object", "properties": _FILE, "required": ["filename", "content_type", "sha256"],
        "additionalProperties": False,
    },
    "await": {
        "type": "object", "properties": {"video_id": _ID}, "required": ["video_id"], "additionalProperties": False,
    },
}  # fmt: skip

# ------------------------------------------------------------------------------------ from the SDK


def sdk_module(name: str) -> Any:
    return importlib.import_module(f"facebook_business.adobjects.{name}")


def sdk_class(name: str) -> Any:
    return getattr(sdk_module(name.lower()), name)


def enum_values(holder: type | list[str]) -> list[str]:
    """The values of an SDK enum: a class of constants, or already a list."""
    if isinstance(holder, list):
        return sorted(holder)
    return sorted(v for k, v in vars(holder).items() if not k.startswith("_"))


def creator_types(method: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Parameter types and enums that `AdAccount.<method>` hands to the SDK's own type checker."""
    return method_types("AdAccount", method)


def method_types(class_name: str, method: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    module = sdk_module(class_name.lower())
    seen: dict[str, Any] = {}
    genuine = module.TypeChecker

    def watching(types: Mapping[str, str], enums: Mapping[str, Any]) -> Any:
        seen.update(types=types, enums=enums)
        return genuine(types, enums)

    module.TypeChecker = watching
    try:
        getattr(getattr(module, class_name)("1", api=object()), method)(pending=True)
    finally:
        module.TypeChecker = genuine
    enums = {
        name: [v for v in values if isinstance(v, str) and not v.startswith("facebook_business.")]
        for name, values in seen["enums"].items()
    }
    return dict(seen["types"]), enums


_SIMPLE: dict[str, Json] = {
    "string": {"type": "string"},
    "int": {"type": "integer"},
    "unsigned int": {"type": "integer", "minimum": 0},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "datetime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}$"},
    "map": {"type": "object"},
}


def json_schema(type_name: str, enums: Mapping[str, list[str]]) -> Json:
    """JSON Schema of one SDK type name, such as `list<unsigned int>` or `status_enum`."""
    if type_name in _SIMPLE:
        return dict(_SIMPLE[type_name])
    if match := re.fullmatch(r"list<(.+)>", type_name):
        return {"type": "array", "items": json_schema(match[1], enums)}
    if type_name in enums:
        return {"type": "string", "enum": sorted(enums[type_name])}
    if type_name in EXPANDED:
        return {"$ref": f"#/$defs/{type_name}"}
    return {"type": "object"} if type_name.startswith("map<") else {}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a schema says beyond the SDK: by object name, or by (object name, field)."""

    required: Mapping[str, list[str]]
    tightened: Mapping[tuple[str, str], Json]
    whole: Mapping[str, Json]


OURS = Rules(REQUIRED, TIGHTENED, WHOLE)
SDK_ONLY = Rules({}, {}, {})
UPDATES = Rules(
    {name: fields for name, fields in REQUIRED.items() if name not in CREATORS},
    {**TIGHTENED, **LOOSENED},
    {name: rule for name, rule in WHOLE.items() if name not in CREATORS},
)

#: Object type -> the SDK class that answers it: its fields can be asked for.
ANSWERED = {
    "campaign": "Campaign", "ad_set": "AdSet", "creative": "AdCreative", "ad": "Ad", "account": "AdAccount",
    "page": "Page", "instagram": "IGUser", "pixel": "AdsPixel", "image": "AdImage", "video": "AdVideo",
}  # fmt: skip
#: Object type -> the SDK class that updates it.
UPDATERS = {"campaign": "Campaign", "ad_set": "AdSet", "creative": "AdCreative", "ad": "Ad"}


def object_schema(name: str, types: Mapping[str, str], enums: Mapping[str, list[str]], rules: Rules) -> Json:
    properties = {}
    for field in sorted(types):
        narrowed = NARROWED.get((name, field), types[field])
        properties[field] = {**json_schema(narrowed, enums), **rules.tightened.get((name, field), {})}
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(rules.required.get(name, [])),
        "additionalProperties": False,
        **rules.whole.get(name, {}),
    }


def class_schema(name: str, rules: Rules) -> Json:
    cls = sdk_class(name)
    enums = {k: enum_values(v) for k, v in vars(cls).items() if isinstance(v, type) and k != "Field"}
    return object_schema(name, cls._field_types, enums, rules)


def _reachable(schema: Any, definitions: Mapping[str, Json]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    todo = re.findall(r"#/\$defs/(\w+)", json.dumps(schema))
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = definitions[name]
            todo += re.findall(r"#/\$defs/(\w+)", json.dumps(definitions[name]))
    return dict(sorted(found.items()))


def operation_schemas(rules: Rules) -> dict[str, Json]:
    """One schema per kind of object that is created, with the definitions that it needs."""
    return _schemas({kind: creator_types(method) for kind, method in CREATORS.items()}, rules)


def update_schemas(rules: Rules) -> dict[str, Json]:
    """One schema per kind of object that is updated: the parameters of the SDK's `api_update`."""
    return _schemas({kind: method_types(name, "api_update") for kind, name in UPDATERS.items()}, rules)


def changes() -> dict[str, dict[str, list[str]]]:
    """What changing each field means; what `api_update` doesn't take can't be an update."""
    found = {}
    for kind, stated in CHANGES.items():
        taken, _enums = method_types(UPDATERS[kind], "api_update")
        wrong = [
            name
            for name, (how, _) in stated.items()
            if how not in ("replace", "impossible") and name.split(".")[0] not in taken
        ]
        if wrong:
            raise ValueError(f"{kind}: not parameters of the SDK's api_update: {wrong}")
        created, _enums = creator_types(CREATORS[kind])
        fixed = "impossible" if kind == "campaign" else "replace"
        lacking = {name: [fixed, "SDK: no parameter of api_update"] for name in created if name not in taken}
        found[kind] = {**lacking, **stated}
    return found


def _schemas(
    types: Mapping[str, tuple[dict[str, str], dict[str, list[str]]]], rules: Rules
) -> dict[str, Json]:
    definitions = {name: class_schema(name, rules) for name in EXPANDED}
    schemas = {}
    for object_type, known in types.items():
        schema = object_schema(object_type, *known, rules)
        if object_type == "ad":
            schema["properties"]["creative"] = {
                "type": "object",
                "properties": {"creative_id": _ID},
                "required": ["creative_id"],
                "additionalProperties": False,
            }
        defs = _reachable(schema, definitions)
        schemas[object_type] = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **schema,
            **({"$defs": defs} if defs else {}),
        }
    return schemas


def _known(mapping: Mapping[str, str], values: list[str], what: str) -> dict[str, str]:
    unknown = sorted(set(mapping.values()) - set(values))
    if unknown:
        raise ValueError(f"{what}: not in the SDK: {unknown}")
    return dict(mapping)


def generate() -> Json:
    """The whole reference; needs the SDK installed."""
    campaign = sdk_class("Campaign")
    calls = enum_values(sdk_class("AdCreativeLinkDataCallToAction").Type)
    events = enum_values(sdk_class("AdPromotedObject").CustomEventType)
    missing = set(enum_values(sdk_class("AdAccount").Currency)) - {*OFFSET_1, *OFFSET_100}
    if missing:
        raise ValueError(f"currencies of the SDK without an offset: {sorted(missing)}")
    api_version = cast(
        str, importlib.import_module("facebook_business.apiconfig").ads_api_config["API_VERSION"]
    )
    return {
        "source": {"package": PACKAGE, "version": version(PACKAGE), "api_version": api_version},
        "operations": operation_schemas(OURS),
        "updates": update_schemas(UPDATES),
        "sdk_operations": operation_schemas(SDK_ONLY),
        "sdk_updates": update_schemas(SDK_ONLY),
        "sdk_fields": {kind: sorted(sdk_class(name)._field_types) for kind, name in ANSWERED.items()},
        "changes": changes(),
        "learning_share": LEARNING_SHARE,
        "cleared": CLEARED,
        "media": MEDIA,
        "media_bodies": MEDIA_BODIES,
        "config": config_schemas(),
        "currencies": {c: (1 if c in OFFSET_1 else 100) for c in sorted([*OFFSET_1, *OFFSET_100])},
        "minimum_daily": MINIMUM_DAILY,
        "countries": enum_values(campaign.SpecialAdCategoryCountry),
        "special_ad_categories": enum_values(campaign.SpecialAdCategories),
        "eu_countries": sorted(EU),
        "locales": LOCALES,
        "placements": PLACEMENTS,
        "call_to_action": _known(CALL_TO_ACTION, calls, "call to action"),
        "conversion_events": _known(CONVERSION_EVENTS, events, "conversion event"),
        "limits": LIMITS,
    }


def main() -> None:
    TARGET.write_text(json.dumps(generate(), indent=1, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
