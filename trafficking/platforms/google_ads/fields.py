"""What a ticket sets, field by field, in the one form in which it can be compared.

Both a create that we would send and an answer to a query become the same `raw` shape, and one normaliser turns either
into fields: `{"campaign": {…}, "criteria": […]}`, `{"campaignBudget": {…}}`, `{"adGroup": {…}, "criteria": […]}`,
`{"adGroupAd": {…}, "assets": {resource name: label}}`; for Performance Max `{"assetGroup": {…}, "signals": […]}` and
`{"assetGroup": {…}, "links": […], "assets": {…}}`. Names of fields are Google's own JSON paths; criteria and asset
links have collective names (`locations`, `keywords`, `HEADLINE`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trafficking.platforms.google_ads.reference import DEMAND_GEN_CHANNELS

Raw = Mapping[str, Any]
#: Resource name of an asset -> what it is: `youtube:…`, `call_to_action:…`, `media:…`, `text:…`; else `asset:<id>`.
Labels = Mapping[str, str]

#: The end of the name of an asset that was uploaded from a file of ours: the beginning of its sha-256.
MARK = re.compile(r"\[([0-9a-f]{24})\]$")
STAND_IN = re.compile(r"<(media:[0-9a-f]{24}|await:media:[0-9a-f]{24})>")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a resource. `path` is its JSON path below `root`, `leaves` what a field mask names for it
    (FieldMaskError.FIELD_HAS_SUBFIELDS: masks name leaves only), `selected` what a query asks for."""

    root: str  # campaign | campaignBudget | adGroup | adGroupAd | assetGroup
    path: str
    form: Callable[[Any, Labels], Any]
    name: str = ""
    leaves: tuple[str, ...] = ()
    selected: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.name or self.path

    @property
    def masks(self) -> tuple[str, ...]:
        return self.leaves or (self.path,)

    @property
    def plain(self) -> bool:
        """Whether its value here is the value that Google takes."""
        return self.form in (_text, _flag, _micros, _list)

    @property
    def anchor(self) -> str:
        """What must be there for a flag inside it to be false rather than not there at all; "" where it always is."""
        parts = self.path.split(".")
        return ".".join(parts[:2]) if parts[0] == "ad" else ".".join(parts[:-1])

    def value(self, raw: Raw) -> Any:
        there = raw.get(self.root, {})
        if self.form is _flag and self.anchor and at(there, self.anchor) is None:
            return None
        return self.form(at(there, self.path), raw.get("assets", {}))

    def stated_in(self, raw: Raw) -> bool:
        """Whether a create says it. A flag of the object itself is always said: left out, it is false."""
        return at(raw[self.root], self.path) is not None or (self.form is _flag and not self.anchor)


# ------------------------------------------------------------------------------------------- forms


def _text(value: Any, _labels: Labels) -> str | None:
    return None if value in (None, "") else str(value)


def _flag(value: Any, _labels: Labels) -> bool:
    """Protobuf's JSON leaves false out."""
    return bool(value)


def _micros(value: Any, _labels: Labels) -> str | None:
    return None if value in (None, "", 0, "0") else str(int(value))


def _list(value: Any, _labels: Labels) -> list[str] | None:
    return [str(each) for each in value] if value else None


def _texts(value: Any, _labels: Labels) -> list[str] | None:
    """Text assets in no order; a pinned one with its place."""
    return sorted(map(_text_asset, value)) if value else None


def _one_text(value: Any, _labels: Labels) -> str | None:
    return _text_asset(value) if value and value.get("text") else None


def _text_asset(asset: Mapping[str, Any]) -> str:
    pinned = asset.get("pinnedField")
    return f"{asset['text']} [{pinned}]" if pinned not in (None, "", "UNSPECIFIED") else str(asset["text"])


def _assets(value: Any, labels: Labels) -> list[str] | None:
    return sorted(label(str(each.get("asset", "")), labels) for each in value) if value else None


def _caps(value: Any, _labels: Labels) -> list[str] | None:
    """`2 IMPRESSION per 1 DAY and AD_GROUP`."""
    return sorted(map(_cap, value)) if value else None


def _cap(entry: Mapping[str, Any]) -> str:
    key = entry["key"]
    length = int(key.get("timeLength", 1))
    return f"{int(entry['cap'])} {key['eventType']} per {length} {key['timeUnit']} and {key['level']}"


def _restrictions(value: Any, _labels: Labels) -> list[str] | None:
    """Google lists every dimension; those that only observe are its default and left out, save for audiences."""
    stated = [
        f"{each['targetingDimension']} {'observed' if each.get('bidOnly') else 'targeted'}"
        for each in value or ()
        if each["targetingDimension"] == "AUDIENCE"
    ]
    return stated or None


def _chosen(value: Any, _labels: Labels) -> list[str] | None:
    return sorted(name for name, on in (value or {}).items() if on) or None


def _automations(value: Any, _labels: Labels) -> list[str] | None:
    stated = sorted(f"{each['assetAutomationType']} {each['assetAutomationStatus']}" for each in value or ())
    return stated or None


def label(name: str, labels: Labels) -> str:
    """What an asset is, in words that hold for a body and for an answer alike."""
    stood = STAND_IN.search(name)
    if stood:
        return stood[1].removeprefix("await:")
    return labels.get(name) or f"asset:{name.rpartition('/')[2]}"


def asset_label(asset: Mapping[str, Any]) -> str:
    """The label of an asset as it is created or read; "" for one that is known by its id only."""
    mark = MARK.search(str(asset.get("name", "")))
    if mark:
        return f"media:{mark[1]}"
    if asset.get("youtubeVideoAsset", {}).get("youtubeVideoId"):
        return f"youtube:{asset['youtubeVideoAsset']['youtubeVideoId']}"
    if asset.get("callToActionAsset", {}).get("callToAction"):
        return f"call_to_action:{asset['callToActionAsset']['callToAction']}"
    text = asset.get("textAsset", {}).get("text")
    return f"text:{text}" if text else ""


# ------------------------------------------------------------------------------------------ tables


def _of(root: str, form: Callable[[Any, Labels], Any], *paths: str) -> tuple[Field, ...]:
    return tuple(Field(root, path, form) for path in paths)


CAMPAIGN = (
    *_of("campaign", _text, "name", "startDateTime", "endDateTime", "advertisingChannelType",
         "containsEuPoliticalAdvertising", "trackingUrlTemplate", "finalUrlSuffix",
         "geoTargetTypeSetting.positiveGeoTargetType", "geoTargetTypeSetting.negativeGeoTargetType"),
    *_of("campaign", _flag, "networkSettings.targetGoogleSearch", "networkSettings.targetSearchNetwork",
         "networkSettings.targetContentNetwork", "networkSettings.targetPartnerSearchNetwork",
         "demandGenCampaignSettings.upgradedTargeting", "brandGuidelinesEnabled"),
    Field("campaign", "frequencyCaps", _caps),
    Field("campaign", "assetAutomationSettings", _automations),
)  # fmt: skip
#: Its name follows the campaign's by itself (campaign_budget.py: "will stay in sync with the campaign's name").
BUDGET = (
    *_of("campaignBudget", _micros, "amountMicros", "totalAmountMicros"),
    *_of("campaignBudget", _text, "period", "deliveryMethod"),
    *_of("campaignBudget", _flag, "explicitlyShared"),
)
CHANNELS = "demandGenAdGroupSettings.channelControls.selectedChannels"
_CHANNEL_LEAVES = tuple(f"{CHANNELS}.{name}" for name in DEMAND_GEN_CHANNELS.values())
AD_GROUP = (
    *_of("adGroup", _text, "name", "type", "demandGenAdGroupSettings.channelControls.channelStrategy"),
    *_of("adGroup", _micros, "cpmBidMicros"),
    *_of("adGroup", _flag, "optimizedTargetingEnabled", "audienceSetting.useAudienceGrouped"),
    Field(
        "adGroup", "targetingSetting.targetRestrictions", _restrictions,
    ),
    Field("adGroup", CHANNELS, _chosen, leaves=_CHANNEL_LEAVES, selected=_CHANNEL_LEAVES),
)  # fmt: skip


def _ad_fields(kind: str, form: Callable[[Any, Labels], Any], *names: str) -> tuple[Field, ...]:
    return tuple(Field("adGroupAd", f"ad.{kind}.{name}", form, f"{kind}.{name}") for name in names)


def _ad_texts(kind: str, *names: str) -> tuple[Field, ...]:
    """Single text assets: a message, whose leaf is its text."""
    return tuple(
        Field("adGroupAd", f"ad.{kind}.{name}", _one_text, f"{kind}.{name}", (f"ad.{kind}.{name}.text",))
        for name in names
    )


AD = (
    Field("adGroupAd", "ad.name", _text, "name"),
    Field("adGroupAd", "ad.finalUrls", _list, "finalUrls"),
    Field("adGroupAd", "ad.finalUrlSuffix", _text, "finalUrlSuffix"),
    Field("adGroupAd", "adGroupAdAssetAutomationSettings", _automations),
    *_ad_fields("responsiveSearchAd", _texts, "headlines", "descriptions"),
    *_ad_fields("responsiveSearchAd", _text, "path1", "path2"),
    *_ad_fields("responsiveDisplayAd", _texts, "headlines", "descriptions"),
    *_ad_texts("responsiveDisplayAd", "longHeadline"),
    *_ad_fields("responsiveDisplayAd", _text, "businessName", "callToActionText", "mainColor", "accentColor"),
    *_ad_fields("responsiveDisplayAd", _assets, "marketingImages", "squareMarketingImages", "squareLogoImages",
                "youtubeVideos"),
    *_ad_fields("responsiveDisplayAd", _flag, "controlSpec.enableAssetEnhancements",
                "controlSpec.enableAutogenVideo"),
    *_ad_fields("demandGenMultiAssetAd", _texts, "headlines", "descriptions"),
    *_ad_fields("demandGenMultiAssetAd", _text, "businessName", "callToActionText"),
    *_ad_fields("demandGenMultiAssetAd", _assets, "marketingImages", "squareMarketingImages",
                "portraitMarketingImages", "logoImages"),
    *_ad_fields("demandGenVideoResponsiveAd", _texts, "headlines", "longHeadlines", "descriptions"),
    *_ad_texts("demandGenVideoResponsiveAd", "businessName"),
    *_ad_fields("demandGenVideoResponsiveAd", _assets, "videos", "logoImages", "callToActions"),
)  # fmt: skip
ASSET_GROUP = _of("assetGroup", _text, "name")
#: What a Performance Max ticket says on its ad stands on the asset group, as do the links of its assets.
ASSET_GROUP_AD = (
    *_of("assetGroup", _list, "finalUrls"),
    *_of("assetGroup", _text, "finalUrlSuffix", "path1", "path2"),
)

TABLES = {"campaign": CAMPAIGN, "budget": BUDGET, "ad_set": AD_GROUP, "ad": AD}

#: Scheme -> leaves that are ours. One without leaves is named as a whole in masks.
SCHEMES: dict[str, dict[str, Callable[[Any, Labels], Any]]] = {
    "targetSpend": {"cpcBidCeilingMicros": _micros},
    "maximizeConversions": {"targetCpaMicros": _micros},
    "maximizeConversionValue": {"targetRoas": lambda value, _labels: float(value) if value else None},
    "targetCpc": {"targetCpcMicros": _micros},
    "targetImpressionShare": {
        "location": _text,
        "locationFractionMicros": _micros,
        "cpcBidCeilingMicros": _micros,
    },
    "manualCpm": {},
}
BIDDING = "bidding"

# ---------------------------------------------------------------------------------------- criteria

#: Collective name -> (kinds of criteria, negative).
CAMPAIGN_CRITERIA: dict[str, tuple[tuple[str, ...], bool]] = {
    "locations": (("location",), False),
    "excludedLocations": (("location",), True),
    "languages": (("language",), False),
    "adSchedule": (("adSchedule",), False),
}
AUDIENCE_KINDS = ("userInterest", "userList", "customAudience", "combinedAudience", "audience")
AD_GROUP_CRITERIA: dict[str, tuple[tuple[str, ...], bool]] = {
    "locations": (("location",), False),
    "excludedLocations": (("location",), True),
    "languages": (("language",), False),
    "keywords": (("keyword",), False),
    "negativeKeywords": (("keyword",), True),
    "excludedAges": (("ageRange",), True),
    "excludedGenders": (("gender",), True),
    "audiences": (AUDIENCE_KINDS, False),
    "excludedAudiences": (AUDIENCE_KINDS, True),
    "placements": (("placement",), False),
}
KINDS = tuple(
    dict.fromkeys(
        kind for kinds, _ in (*CAMPAIGN_CRITERIA.values(), *AD_GROUP_CRITERIA.values()) for kind in kinds
    )
)
MINUTES = {"ZERO": "00", "FIFTEEN": "15", "THIRTY": "30", "FORTY_FIVE": "45"}
#: Field types of Performance Max assets that a ticket sets.
LINKS = (
    "HEADLINE", "LONG_HEADLINE", "DESCRIPTION", "BUSINESS_NAME", "MARKETING_IMAGE", "SQUARE_MARKETING_IMAGE",
    "PORTRAIT_MARKETING_IMAGE", "LOGO", "YOUTUBE_VIDEO", "CALL_TO_ACTION_SELECTION",
)  # fmt: skip


def criterion_value(criterion: Raw) -> str:
    """A criterion in one word: `2276`, `EXACT shoes`, `MONDAY 09:00-17:00`, `userLists/4711`; "" for another kind."""
    kind = next((name for name in KINDS if criterion.get(name)), "")
    info = criterion.get(kind) or {}
    if kind == "keyword":
        return f"{info.get('matchType')} {str(info.get('text', '')).casefold()}"
    if kind == "adSchedule":
        return f"{info['dayOfWeek']} {_hour(info, 'start')}-{_hour(info, 'end')}"
    if kind in AUDIENCE_KINDS:
        return "/".join(str(next(iter(info.values()))).split("/")[-2:])
    if kind == "placement":
        return str(info.get("url", "")).casefold()
    return str(next(iter(info.values()), "")).rpartition("/")[2]


def _hour(info: Raw, edge: str) -> str:
    return f"{int(info.get(f'{edge}Hour', 0)):02}:{MINUTES.get(str(info.get(f'{edge}Minute')), '00')}"


def criterion_field(criterion: Raw, table: Mapping[str, tuple[tuple[str, ...], bool]]) -> str | None:
    """The collective field that a criterion belongs to; None for what no ticket sets."""
    for name, (kinds, negative) in table.items():
        if bool(criterion.get("negative")) == negative and any(criterion.get(kind) for kind in kinds):
            return name
    return None


def collected(
    criteria: Iterable[Raw], table: Mapping[str, tuple[tuple[str, ...], bool]]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in table}
    for criterion in criteria:
        name = criterion_field(criterion, table)
        if name is not None:
            found[name].append(criterion_value(criterion))
    return {name: sorted(values) for name, values in found.items()}


def link_value(link: Raw, labels: Labels) -> str:
    """A linked asset in one word: a text as it is, others by their label."""
    return label(str(link["asset"]), labels).removeprefix("text:")


def signal_value(signal: Raw) -> str:
    """`audiences/7`, or `theme running shoes`."""
    audience = signal.get("audience", {}).get("audience")
    if audience:
        return "/".join(str(audience).split("/")[-2:])
    return f"theme {str(signal.get('searchTheme', {}).get('text', '')).casefold()}"


# ------------------------------------------------------------------------------------- normalising


def fields_of(object_type: str, raw: Raw) -> dict[str, Any]:
    """Every readable field of an object, None where it is empty. `raw` as described above."""
    if object_type in ("ad_set", "ad") and "assetGroup" in raw:
        return _asset_group_fields(object_type, raw)
    table = TABLES.get(object_type, ())
    found = {each.key: each.value(raw) for each in table}
    if object_type == "campaign":
        found[BIDDING] = bidding_of(raw.get("campaign", {}))
    return found | _criteria_fields(object_type, raw)


def _criteria_fields(object_type: str, raw: Raw) -> dict[str, Any]:
    """Only where they were read."""
    tables = {"campaign": CAMPAIGN_CRITERIA, "ad_set": AD_GROUP_CRITERIA}
    if object_type not in tables or "criteria" not in raw:
        return {}
    return dict(collected(raw["criteria"], tables[object_type]))


def _asset_group_fields(object_type: str, raw: Raw) -> dict[str, Any]:
    if object_type == "ad_set":
        signals = {"signals": sorted(map(signal_value, raw["signals"]))} if "signals" in raw else {}
        return {each.key: each.value(raw) for each in ASSET_GROUP} | signals
    found = {each.key: each.value(raw) for each in ASSET_GROUP_AD}
    if "links" not in raw:
        return found
    return found | {name: _linked(raw["links"], name, raw.get("assets", {})) for name in LINKS}


def _linked(links: Iterable[Raw], field_type: str, labels: Labels) -> list[str]:
    return sorted(link_value(link, labels) for link in links if link.get("fieldType") == field_type)


def bidding_of(campaign: Raw) -> dict[str, Any] | None:
    """`{"scheme": "targetSpend", "cpcBidCeilingMicros": "500000"}`, from a create or from an answer."""
    scheme = next((name for name in SCHEMES if name in campaign), "")
    named = str(campaign.get("biddingStrategyType", ""))
    if named not in ("", "UNSPECIFIED", "INVALID"):
        scheme = camel(named.lower())
    if not scheme:
        return None
    info = campaign.get(scheme) or {}
    leaves = {name: form(info.get(name), {}) for name, form in SCHEMES.get(scheme, {}).items()}
    return {"scheme": scheme, **{name: value for name, value in leaves.items() if value is not None}}


def stated(object_type: str, raw: Raw) -> dict[str, Any]:
    """`fields_of` a create: only what it states. Criteria are stated as a whole, also where there are none."""
    found = fields_of(object_type, raw)
    named = {each.key: each for each in _table(object_type, raw)}
    return {
        name: value
        for name, value in found.items()
        if value is not None and (name not in named or named[name].stated_in(raw))
    }


def _table(object_type: str, raw: Raw) -> Sequence[Field]:
    if "assetGroup" in raw:
        return ASSET_GROUP if object_type == "ad_set" else ASSET_GROUP_AD
    return TABLES.get(object_type, ())


def field_named(object_type: str, name: str, *, asset_group: bool = False) -> Field | None:
    """The field of this key; None for bidding, criteria and links."""
    table = (
        (ASSET_GROUP if object_type == "ad_set" else ASSET_GROUP_AD) if asset_group else TABLES[object_type]
    )
    return next((each for each in table if each.key == name), None)


def selected(object_type: str) -> list[str]:
    """JSON paths, below their resource, that a query must ask for to know every field."""
    paths = [path for each in TABLES[object_type] for path in (each.selected or (each.path,))]
    if object_type == "campaign":
        paths += [f"{scheme}.{leaf}" for scheme, leaves in SCHEMES.items() for leaf in leaves]
    return paths


def at(value: Any, path: str) -> Any:
    """A dotted JSON path; None where it leads nowhere."""
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def snake(path: str) -> str:
    return re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", path)
