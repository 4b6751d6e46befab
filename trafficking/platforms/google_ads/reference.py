"""What Google Ads v26 knows: schemas, enums, limits and ids from `reference.json`, read once.

The JSON is made by `generate_reference`; each number's source stands there.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from trafficking.platforms.schema import Schema

REFERENCE: dict[str, Any] = json.loads(Path(__file__).with_name("reference.json").read_text())

API_VERSION: str = REFERENCE["api_version"]
SOURCE: str = REFERENCE["source"]
LIMITS: dict[str, Any] = REFERENCE["limits"]
#: currency -> smallest amount in micros
CURRENCIES: dict[str, int] = REFERENCE["currencies"]
#: ISO 3166-1 alpha-2 -> geoTargetConstants id
COUNTRIES: dict[str, int] = REFERENCE["countries"]
EU_COUNTRIES: frozenset[str] = frozenset(REFERENCE["eu_countries"])
#: neutral call to action -> (CallToActionType, English label)
CALLS_TO_ACTION: dict[str, list[str]] = REFERENCE["calls_to_action"]
#: [{"type", "min", "max" (None: no upper end)}], youngest first
AGE_BANDS: list[dict[str, Any]] = REFERENCE["age_bands"]
#: object type -> [[pattern of field names, kind of change, source]]
CHANGES: dict[str, list[list[str]]] = REFERENCE["changes"]
CONFIG: dict[str, Any] = REFERENCE["config"]
#: name of the operation in a mutate -> what it creates
OPERATIONS: dict[str, str] = REFERENCE["operations"]

SEARCH, DISPLAY, DEMAND_GEN = "SEARCH", "DISPLAY", "DEMAND_GEN"
PERFORMANCE_MAX = "PERFORMANCE_MAX"

#: Where each Demand Gen placement stands in `DemandGenSelectedChannels`.
DEMAND_GEN_CHANNELS = {
    "YOUTUBE_IN_STREAM": "youtubeInStream",
    "YOUTUBE_IN_FEED": "youtubeInFeed",
    "YOUTUBE_SHORTS": "youtubeShorts",
    "DISCOVER": "discover",
    "GMAIL": "gmail",
    "DISPLAY": "display",
    "MAPS": "maps",
}


def language_ids(code: str) -> list[int]:
    """`languageConstants` ids of an ISO 639-1 code; two for Chinese, none for an unknown one."""
    wanted = code.strip().lower().replace("_", "-")
    known = REFERENCE["languages"]
    if wanted == "zh":
        return [known["zh-cn"], known["zh-tw"]]
    wanted = REFERENCE["language_aliases"].get(wanted, wanted)
    return [known[wanted]] if wanted in known else []


@cache
def create_schema(operation: str) -> Schema:
    """Schema of what one kind of operation creates (`campaignOperation`, …), compiled once."""
    return Schema(REFERENCE["schemas"][operation], SOURCE)


def payload_schemas() -> dict[str, Any]:
    """What creates a campaign, ad group and ad, uncompiled."""
    schemas = REFERENCE["schemas"]
    wrapped = schemas["adGroupAdOperation"]
    return {
        "campaign": schemas["campaignOperation"],
        "ad_set": schemas["adGroupOperation"],
        "ad": {**wrapped["properties"]["ad"], "$defs": wrapped.get("$defs", {})},
    }


@cache
def envelope_schema() -> Schema:
    """Schema of the mutate request around the creates."""
    return Schema(REFERENCE["envelope"], SOURCE)


@cache
def config_schema(level: str) -> Schema:
    """Schema of `payload_config` at `campaign`, `ad_set` or `ad` level."""
    return Schema(CONFIG if level == "campaign" else CONFIG["$defs"][level], SOURCE)
