"""`reference.json` as Python values; schemas are compiled once, when this module is imported."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from trafficking.platforms.schema import Schema

_DATA: dict[str, Any] = json.loads(Path(__file__).with_name("reference.json").read_text())

API_VERSION: str = _DATA["source"]["api_version"]
SOURCE = f"{_DATA['source']['package']} {_DATA['source']['version']} ({API_VERSION})"

OPERATION_SCHEMAS = {name: Schema(schema, SOURCE) for name, schema in _DATA["operations"].items()}
#: An ad holds its creative: Meta reads the two back together.
_CREATIVE = {**_DATA["operations"]["creative"]}
PAYLOAD_SCHEMAS: dict[str, Any] = {
    "campaign": _DATA["operations"]["campaign"],
    "ad_set": _DATA["operations"]["ad_set"],
    "ad": {
        "properties": {**_DATA["operations"]["ad"]["properties"], "creative": _CREATIVE},
        "$defs": {**_DATA["operations"]["ad"].get("$defs", {}), **_CREATIVE.get("$defs", {})},
    },
}
UPDATE_SCHEMAS = {name: Schema(schema, SOURCE) for name, schema in _DATA["updates"].items()}
MEDIA_SCHEMAS = {name: Schema(schema, SOURCE) for name, schema in _DATA["media_bodies"].items()}
CONFIG_JSON: dict[str, Any] = _DATA["config"]
CONFIG_SCHEMAS = {name: Schema(schema, SOURCE) for name, schema in CONFIG_JSON.items()}

#: Currency -> how many of Meta's units make one unit of it.
CURRENCY_OFFSETS: dict[str, int] = _DATA["currencies"]
#: Currency -> billing event -> least daily budget in the major unit; only where Meta publishes it.
MINIMUM_DAILY: dict[str, dict[str, Decimal]] = {
    currency: {event: Decimal(amount) for event, amount in minima.items()}
    for currency, minima in _DATA["minimum_daily"].items()
}
COUNTRIES = frozenset(_DATA["countries"])
EU_COUNTRIES = frozenset(_DATA["eu_countries"])
SPECIAL_AD_CATEGORIES = frozenset(_DATA["special_ad_categories"])
LOCALES: dict[str, list[int]] = _DATA["locales"]
PLACEMENTS: dict[str, list[str]] = _DATA["placements"]
CALLS_TO_ACTION: dict[str, str] = _DATA["call_to_action"]
CONVERSION_EVENTS: dict[str, str] = _DATA["conversion_events"]
LIMITS: dict[str, int] = _DATA["limits"]
#: Object type -> field (or what stands before a dot) -> (kind of change or "amount", its source).
CHANGES: dict[str, dict[str, list[str]]] = _DATA["changes"]
LEARNING_SHARE = Decimal(_DATA["learning_share"])
#: Object type -> field of a body -> what to send to take its value away.
CLEARED: dict[str, dict[str, Any]] = _DATA["cleared"]
#: Limits of files by kind ("image", "video"): bytes, pixels, ratios, seconds.
MEDIA: dict[str, Any] = _DATA["media"]
