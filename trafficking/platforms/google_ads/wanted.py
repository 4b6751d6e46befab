"""What a CREATE plan leaves behind, in the words in which Google reads it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trafficking.platforms.base import Operation, PlannedObject, Wanted
from trafficking.platforms.google_ads.fields import (
    AD_GROUP_CRITERIA,
    CAMPAIGN_CRITERIA,
    CHANNELS,
    LINKS,
    SCHEMES,
    asset_label,
    criterion_field,
    field_named,
    stated,
)
from trafficking.platforms.google_ads.tree import Create, creates
from trafficking.platforms.schema import source_field

#: Types that are compared; assets are known by what the ads show.
COMPARED = ("campaign", "budget", "ad_set", "ad")
ROOTS = {"campaign": "campaign", "budget": "campaignBudget", "ad_set": "adGroup", "ad": "adGroupAd"}
#: Where the ticket says what a collective field holds.
SOURCES = {
    "locations": "geo", "excludedLocations": "geo", "languages": "languages", "adSchedule": "dayparts",
    "keywords": "keywords", "negativeKeywords": "negative_keywords", "excludedAges": "age_min",
    "excludedGenders": "genders", "audiences": "audiences_include", "excludedAudiences": "audiences_exclude",
    "placements": "placements",
}  # fmt: skip
#: Where the ticket would say what it does not, for fields that it may leave out.
ABSENT = {
    "campaign": {
        "endDateTime": "end", "frequencyCaps": "ad_sets[0].frequency_cap",
        "trackingUrlTemplate": "payload_config.tracking_url_template",
        "assetAutomationSettings": "payload_config.google_enhancements",
    },
    "budget": {"amountMicros": "", "totalAmountMicros": ""},
    "ad_set": {
        "cpmBidMicros": "bid_amount", "targetingSetting.targetRestrictions": "audiences_include",
        CHANNELS: "placements", "demandGenAdGroupSettings.channelControls.channelStrategy": "placements",
    },
    "ad": {
        "finalUrlSuffix": "utm", "responsiveSearchAd.path1": "display_paths",
        "responsiveSearchAd.path2": "display_paths", "responsiveDisplayAd.callToActionText": "call_to_action",
        "responsiveDisplayAd.mainColor": "payload_config.main_color",
        "responsiveDisplayAd.accentColor": "payload_config.accent_color",
        "responsiveDisplayAd.squareLogoImages": "media", "responsiveDisplayAd.youtubeVideos": "media",
        "demandGenMultiAssetAd.callToActionText": "call_to_action",
        "demandGenMultiAssetAd.marketingImages": "media", "demandGenMultiAssetAd.squareMarketingImages": "media",
        "demandGenMultiAssetAd.portraitMarketingImages": "media",
        "demandGenVideoResponsiveAd.callToActions": "call_to_action",
        "adGroupAdAssetAutomationSettings": "payload_config.google_enhancements",
    },
}  # fmt: skip


def wanted(operations: Sequence[Operation]) -> tuple[Wanted, ...]:
    """The objects of the plan's mutate, from the top."""
    return tuple(
        each for operation in operations if operation.action == "create" for each in made_by(operation)
    )


def made_by(operation: Operation) -> Iterator[Wanted]:
    """The new objects of a mutate. `parent` is a ref, or the resource name of what was there before."""
    made = list(creates(operation))
    labels = {
        each.resource_name: asset_label(each.body) for each in made if each.operation == "assetOperation"
    }
    parents = {each.resource_name: each.owner for each in made}
    new = [each for each in operation.objects if each.type in COMPARED and not each.external_id]
    for planned in sorted(new, key=_from_the_top):
        own = _own(planned, operation, made)
        raw = _raw(planned, own, labels)
        yield Wanted(
            planned.ref, planned.type, planned.name, planned.intent, _parent(planned, own[0], parents),
            stated(planned.type, raw), _sources(operation, planned, own),
        )  # fmt: skip


def _from_the_top(planned: PlannedObject) -> int:
    return {"campaign": 0, "budget": 1}.get(planned.type, 2)


def _own(planned: PlannedObject, operation: Operation, made: Sequence[Create]) -> list[Create]:
    """The creates of an object; those of its asset group for an ad of Performance Max, which stands after it."""
    own = [each for each in made if each.owner == planned.ref]
    if own or planned.type != "ad":
        return own
    before = operation.objects[: operation.objects.index(planned)]
    group = next(each for each in reversed(before) if each.type == "ad_set")
    return [each for each in made if each.owner == group.ref]


def _raw(planned: PlannedObject, own: Sequence[Create], labels: Mapping[str, str]) -> dict[str, Any]:
    if own[0].operation == "assetGroupOperation":
        return {
            "assetGroup": own[0].body,
            "links": [each.body for each in own if each.operation == "assetGroupAssetOperation"],
            "signals": [each.body for each in own if each.operation == "assetGroupSignalOperation"],
            "assets": labels,
        }
    raw: dict[str, Any] = {ROOTS[planned.type]: own[0].body, "assets": labels}
    if planned.type in ("campaign", "ad_set"):
        raw["criteria"] = [each.body for each in own if each.operation.endswith("CriterionOperation")]
    return raw


def _parent(planned: PlannedObject, create: Create, parents: Mapping[str, str]) -> str:
    if planned.type == "campaign":
        return ""
    if planned.type == "budget":
        return "campaign"
    if create.operation == "assetGroupOperation" and planned.type == "ad":
        return create.owner
    name = str(create.body["campaign" if planned.type == "ad_set" else "adGroup"])
    return parents.get(name, name)


def _sources(operation: Operation, planned: PlannedObject, own: Sequence[Create]) -> dict[str, str]:
    """Ticket field of each field, as far as the plan knows."""
    if own[0].operation == "assetGroupOperation":
        return _asset_group_sources(operation, planned, own)
    found: dict[str, str] = {}
    table = CAMPAIGN_CRITERIA if planned.type == "campaign" else AD_GROUP_CRITERIA
    for each in own:
        field = criterion_field(each.body, table) if each.operation.endswith("CriterionOperation") else None
        if field is not None:
            found.setdefault(field, _whole(operation.sources.get(each.pointer, "")))
    top = own[0]
    root = operation.sources.get(top.pointer, "")
    found |= {
        name: f"{root}.{field}".removeprefix(".") for name, field in ABSENT.get(planned.type, {}).items()
    }
    for name in stated(planned.type, _raw(planned, own, {})):
        known = field_named(planned.type, name)
        if known is not None:
            pointer = f"{top.pointer}/{known.path.replace('.', '/')}"
            found[name] = source_field(operation.sources, pointer) or found.get(name, "")
        elif name in SOURCES and planned.type != "budget":
            base = "ad_sets[0]" if planned.type == "campaign" else operation.sources.get(top.pointer, "")
            found.setdefault(name, f"{base}.{SOURCES[name]}")
    if planned.type == "campaign":
        found["bidding"] = next(
            (field for pointer, field in operation.sources.items() if _is_scheme(top, pointer)),
            "bid_strategy",
        )
    return {name: field for name, field in found.items() if field}


def _asset_group_sources(
    operation: Operation, planned: PlannedObject, own: Sequence[Create]
) -> dict[str, str]:
    """What an asset group shows is said on its ad; its signals on the ad set."""
    top = own[0]
    path = operation.sources.get(top.pointer, "")
    if planned.type == "ad_set":
        return {"name": f"{path}.name", "signals": f"{path}.keywords"}
    linked = {
        str(each.body["fieldType"]): operation.sources.get(each.pointer, "")
        for each in own
        if each.operation == "assetGroupAssetOperation"
    }
    ad = f"{path}.ads[0]"
    plain = {
        "finalUrls": "landing_page",
        "finalUrlSuffix": "utm",
        "path1": "display_paths",
        "path2": "display_paths",
    }
    return {
        **dict.fromkeys(LINKS, f"{ad}.media"),
        **linked,
        **{name: f"{ad}.{field}" for name, field in plain.items()},
    }


def _is_scheme(campaign: Create, pointer: str) -> bool:
    start, _, scheme = pointer.rpartition("/")
    return start == campaign.pointer and scheme in SCHEMES


def _whole(source: str) -> str:
    """`ad_sets[0].geo.countries[0]` is about `ad_sets[0].geo`; `ad_sets[0].keywords[2]` about all keywords."""
    parts = source.split(".")
    head = parts[:2]
    return ".".join(part if index == 0 else part.partition("[")[0] for index, part in enumerate(head))
