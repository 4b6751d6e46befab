"""What `payload_config` may say for Meta: JSON Schemas (2020-12) of the options that `compile` reads.

A ticket's config holds the campaign's options, and under `ad_set` and `ad` defaults for all of them; an ad
set's or ad's own config wins over those. Amounts are decimal strings in the account's major unit.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_AMOUNT: Json = {"type": "string", "pattern": r"^\d{1,13}(\.\d{1,4})?$"}
_ID: Json = {"type": "string", "pattern": r"^\d+$"}

_CAMPAIGN: Json = {
    "spend_cap": {**_AMOUNT, "description": "Most that the campaign may spend over its whole life."},
    "adset_budget_sharing": {
        "type": "boolean",
        "description": "Let ad sets with their own budgets lend each other up to 20 %.",
    },
    "skadnetwork_attribution": {
        "type": "boolean",
        "description": "Measure app installs on iOS 14.5 and later through SKAdNetwork.",
    },
}

_AD_SET: Json = {
    "advantage_audience": {
        "type": "integer",
        "enum": [0, 1],
        "description": "1 lets Meta go beyond the stated audience; 0 (the default) keeps to it.",
    },
    "attribution_spec": {
        "type": "array",
        "minItems": 1,
        "uniqueItems": True,
        "description": "Windows in which a conversion counts for the ad.",
        "items": {
            "type": "object",
            "properties": {
                "event_type": {"enum": ["CLICK_THROUGH", "VIEW_THROUGH", "ENGAGED_VIDEO_VIEW"]},
                "window_days": {"enum": [1, 7]},
            },
            "required": ["event_type", "window_days"],
            "additionalProperties": False,
        },
    },
    "device_platforms": {
        "type": "array",
        "minItems": 1,
        "uniqueItems": True,
        "items": {"enum": ["mobile", "desktop"]},
    },
    "user_os": {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^(iOS|Android)"}},
    "excluded_publisher_list_ids": {
        "type": "array",
        "minItems": 1,
        "items": _ID,
        "description": "Block lists of the account: publishers that ads must not appear with.",
    },
    "object_store_url": {
        "type": "string",
        "pattern": "^https?://",
        "description": "App store page; needed for app promotion.",
    },
    "lead_gen_form_id": {**_ID, "description": "Instant form; leads are then collected on the ad itself."},
    "min_spend": {**_AMOUNT, "description": "With a campaign budget: least that this ad set gets."},
    "max_spend": {**_AMOUNT, "description": "With a campaign budget: most that this ad set gets."},
}

_AD: Json = {
    "utm_in": {
        "enum": ["url_tags", "link"],
        "description": "Where UTM parameters go: Meta's URL parameters (default), or into the link.",
    },
    "conversion_domain": {
        "type": "string",
        "pattern": r"^[a-z0-9-]+(\.[a-z0-9-]+)+$",
        "description": "Where conversions happen, such as example.com; else taken from the landing page.",
    },
    "display_link": {"type": "string", "minLength": 1, "description": "Link text shown on image ads."},
    "lead_gen_form_id": {**_ID, "description": "Instant form of this ad, instead of the ad set's."},
    "multi_advertiser_ads": {
        "type": "boolean",
        "description": "false keeps the ad from being shown beside those of other advertisers.",
    },
    "best_card_first": {"type": "boolean", "description": "Let Meta order carousel cards by performance."},
    "end_card": {"type": "boolean", "description": "Show the page's profile card at a carousel's end."},
}


def _closed(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def config_schemas() -> dict[str, Json]:
    """Schemas by level; `campaign` is the schema of a ticket's `payload_config`."""
    ad_set, ad = _closed(_AD_SET), _closed(_AD)
    campaign = _closed({**_CAMPAIGN, "ad_set": ad_set, "ad": ad})
    return {"campaign": campaign, "ad_set": ad_set, "ad": ad}
