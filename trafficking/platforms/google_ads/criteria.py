"""Criteria that are to go, named in a plan by what they are: their ids are looked up when it is sent.

Google gives criteria ids of its own, which no plan can know ahead; the plan says
`customers/1/adGroupCriteria/160~<keywords:EXACT shoes>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from trafficking.platforms.google_ads.fields import (
    AD_GROUP_CRITERIA,
    CAMPAIGN_CRITERIA,
    asset_label,
    criterion_field,
    criterion_value,
    link_value,
    signal_value,
)

BY_CONTENT = re.compile(
    r"(customers/\d+/(?:campaignCriteria|adGroupCriteria|assetGroupAssets|assetGroupSignals)/\d+)~<(\w+):(.*)>",
    re.DOTALL,
)
#: operation of a mutate -> (kind in rows, field of the parent, table of collective fields)
KINDS = {
    "campaignCriterionOperation": ("campaignCriterion", "campaign", CAMPAIGN_CRITERIA),
    "adGroupCriterionOperation": ("adGroupCriterion", "adGroup", AD_GROUP_CRITERIA),
}
COLLECTIONS = {"campaigns": "campaignCriteria", "adGroups": "adGroupCriteria"}
#: Of Performance Max: (kind in rows, collection). Only those that go are looked up.
PARTS = {
    "assetGroupAssetOperation": ("assetGroupAsset", "assetGroupAssets"),
    "assetGroupSignalOperation": ("assetGroupSignal", "assetGroupSignals"),
}


def speaks_of_any(body: Mapping[str, Any]) -> bool:
    """Whether ids have to be looked up."""
    return any(
        BY_CONTENT.fullmatch(str(change.get("remove", "")))
        for mutate in body["mutateOperations"]
        for change in mutate.values()
    )


def speaks_of_parts(body: Mapping[str, Any]) -> bool:
    """Whether it changes what asset groups show."""
    return any(name in PARTS for mutate in body["mutateOperations"] for name in mutate)


def with_ids(body: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The body with the ids of what goes; without what is gone already, and without what is there already."""
    there = _index(rows)
    labels = _labels(body)
    kept = []
    for mutate in body["mutateOperations"]:
        ((name, change),) = mutate.items()
        match = BY_CONTENT.fullmatch(str(change.get("remove", "")))
        if match:
            found = there.get((match[1], match[2], match[3]))
            kept += [{name: {"remove": found}}] if found else []
        elif "create" not in change or _key_of_create(name, change["create"], labels) not in there:
            kept.append(mutate)
    return {**body, "mutateOperations": kept}


def _labels(body: Mapping[str, Any]) -> dict[str, str]:
    """What the assets of the request are, by their temporary names."""
    made = [mutate.get("assetOperation", {}).get("create", {}) for mutate in body["mutateOperations"]]
    return {str(each["resourceName"]): asset_label(each) for each in made if each.get("resourceName")}


def _key_of_create(
    name: str, create: Mapping[str, Any], labels: Mapping[str, str]
) -> tuple[str, str, str] | None:
    if name in KINDS:
        return _key(name, create)
    if name not in PARTS:
        return None
    kind, collection = PARTS[name]
    return _part_key(create, kind, collection, labels)


def _index(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], str]:
    found = {}
    for row in rows:
        for name, (kind, _, _) in KINDS.items():
            key = _key(name, row[kind]) if kind in row else None
            if key is not None:
                found[key] = str(row[kind]["resourceName"])
        for kind, collection in PARTS.values():
            if kind in row:
                shown = {str(row[kind].get("asset")): asset_label(row.get("asset", {}))}
                labels = {name: text for name, text in shown.items() if text}
                found[_part_key(row[kind], kind, collection, labels)] = str(row[kind]["resourceName"])
    return found


def _part_key(
    part: Mapping[str, Any], kind: str, collection: str, labels: Mapping[str, str]
) -> tuple[str, str, str]:
    customer, _, number = str(part["assetGroup"]).rsplit("/", 2)
    where = f"{customer}/{collection}/{number}"
    if kind == "assetGroupSignal":
        return where, "signals", signal_value(part)
    return where, str(part.get("fieldType")), link_value(part, labels)


def _key(name: str, criterion: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """(where it stands, collective field, value): what a plan knows of a criterion."""
    _, owner, table = KINDS[name]
    field = criterion_field(criterion, table)
    if field is None:
        return None
    customer, collection, number = str(criterion[owner]).rsplit("/", 2)
    return f"{customer}/{COLLECTIONS[collection]}/{number}", field, criterion_value(criterion)
