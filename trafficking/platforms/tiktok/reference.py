"""TikTok's enums, fields, currencies and countries: `reference.json`, read once.

The file is generated (see `generate_reference.py`); its `sources` say where each part comes from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from trafficking.platforms.schema import Schema

DATA: Mapping[str, Any] = json.loads(Path(__file__).with_name("reference.json").read_text())
SOURCE = f"{DATA['sdk']['package']} {DATA['sdk']['version']} ({DATA['api_version']})"

#: Body schemas by object type, compiled once.
SCHEMAS: Mapping[str, Schema] = {kind: Schema(schema, SOURCE) for kind, schema in DATA["schemas"].items()}

_AD = DATA["schemas"]["ad"]
#: An ad is one creative of the body that carries it.
PAYLOAD_SCHEMAS: Mapping[str, Any] = {
    "campaign": DATA["schemas"]["campaign"],
    "ad_set": DATA["schemas"]["ad_set"],
    "ad": {**_AD["$defs"]["AdcreateCreatives"], "$defs": _AD["$defs"]},
}

#: door -> schema of what it takes
DOORS: Mapping[str, str] = DATA["doors"]
#: object type -> field -> update | learning | budget | replace
CHANGES: Mapping[str, Mapping[str, str]] = DATA["changes"]
NOT_EMPTIED: Mapping[str, Sequence[str]] = DATA["not_emptied"]
BUDGET_STEP = Decimal(DATA["budget_step"])
MEDIA: Mapping[str, Mapping[str, Any]] = DATA["media"]

CONFIG: Mapping[str, Any] = DATA["config"]
#: Options by level, compiled once: ticket (campaign), ad_set, ad.
OPTIONS: Mapping[str, Schema] = {
    "ticket": Schema(CONFIG, SOURCE),
    "ad_set": Schema({**CONFIG["$defs"]["ad_set"], "$schema": CONFIG["$schema"]}, SOURCE),
    "ad": Schema({**CONFIG["$defs"]["ad"], "$schema": CONFIG["$schema"]}, SOURCE),
}

COUNTRIES: Mapping[str, str] = DATA["countries"]
CALL_TO_ACTION: Mapping[str, str] = DATA["call_to_action"]
PIXEL_EVENTS: Mapping[str, str] = DATA["pixel_events"]
APP_EVENTS: Mapping[str, str] = DATA["app_events"]

#: Base daily budget range before the currency's ratio: [50 | 20, 10 000 000) (document 1737585839634433).
CAMPAIGN_MINIMUM, AD_SET_MINIMUM, DAILY_MAXIMUM = (
    Decimal(50),
    Decimal(20),
    Decimal(10_000_000),
)

#: Age bands, lower and upper age (inclusive) and TikTok's name; the last has no upper end.
AGE_BANDS = (
    (13, 17, "AGE_13_17"),
    (18, 24, "AGE_18_24"),
    (25, 34, "AGE_25_34"),
    (35, 44, "AGE_35_44"),
    (45, 54, "AGE_45_54"),
    (55, 100, "AGE_55_100"),
)
ADULT_BANDS = tuple(name for low, _, name in AGE_BANDS if low >= 18)

#: Where AGE_13_17 can't be targeted: the US, Canada, the EEA, the UK, Switzerland and Latin America
#: (TikTok's schema of adgroup/create, `age_groups`; the members of "Latin America" are the UN's list).
NORTH_AMERICA_UK_SWITZERLAND = frozenset({"US", "CA", "GB", "CH"})
EEA = frozenset(
    {
        "AT",
        "BE",
        "BG",
        "HR",
        "CY",
        "CZ",
        "DK",
        "EE",
        "FI",
        "FR",
        "DE",
        "GR",
        "HU",
        "IE",
        "IT",
        "LV",
        "LT",
        "LU",
    }
    | {"MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO"}
)
LATIN_AMERICA = frozenset(
    {
        "AR",
        "BO",
        "BR",
        "CL",
        "CO",
        "CR",
        "CU",
        "DO",
        "EC",
        "SV",
        "GT",
        "HN",
        "MX",
        "NI",
        "PA",
        "PY",
        "PE",
        "PR",
    }
    | {"UY", "VE"}
)
NO_MINORS = NORTH_AMERICA_UK_SWITZERLAND | EEA | LATIN_AMERICA

PLACEMENTS = ("PLACEMENT_TIKTOK", "PLACEMENT_PANGLE", "PLACEMENT_GLOBAL_APP_BUNDLE")
#: Single images run on these only ("Create single image ads", document 1777633230937090).
IMAGE_PLACEMENTS = frozenset({"PLACEMENT_PANGLE", "PLACEMENT_GLOBAL_APP_BUNDLE"})
IDENTITY_TYPES = ("CUSTOMIZED_USER", "AUTH_CODE", "TT_USER", "BC_AUTH_TT")
MAX_LOCATIONS = 3000
NAME_LENGTH, TEXT_LENGTH, DISPLAY_NAME_LENGTH = 512, 100, 40
CAROUSEL_IMAGES = (2, 35)
FREQUENCY_LIMITS = (1000, 30)  # impressions, days


def currency_unit(currency: str) -> Decimal | None:
    row = DATA["currencies"].get(currency)
    return Decimal(row["unit"]) if row else None


def currency_ratio(currency: str) -> Decimal | None:
    """What TikTok multiplies its USD budget range with."""
    row = DATA["currencies"].get(currency)
    return Decimal(row["ratio"]) if row else None
