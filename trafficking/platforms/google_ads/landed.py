"""After a lost answer: which of the planned objects are on the platform, recognised by what they are.

Campaigns and ad groups are found by their governed names. Search and display ads have no name on Google (Ad.name
"is currently only supported for […] DemandGen ads", ad.py v26), criteria neither: they are recognised by content.
The mutate is atomic, so a campaign that is there has everything else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from trafficking.platforms.base import Operation

Row = Mapping[str, Any]

CRITERION_INFOS = (
    "keyword", "location", "language", "adSchedule", "ageRange", "gender", "userInterest", "userList",
    "customAudience", "combinedAudience", "audience", "placement",
)  # fmt: skip
AD_INFOS = (
    "responsiveSearchAd",
    "responsiveDisplayAd",
    "demandGenMultiAssetAd",
    "demandGenVideoResponsiveAd",
)


class Landed:
    """Resource names of what is there, claimed one by one as planned objects are matched."""

    def __init__(self) -> None:
        self._names: dict[tuple[Any, ...], list[str]] = defaultdict(list)

    def add(self, key: tuple[Any, ...], resource_name: str) -> None:
        self._names[key].append(resource_name)

    def claim(self, key: tuple[Any, ...]) -> str | None:
        """The next unclaimed object that looks like this."""
        names = self._names.get(key)
        return names.pop(0) if names else None


def take_stock(rows: Iterable[Row]) -> Landed:
    """Index the rows of all queries by what identifies them."""
    landed = Landed()
    for row in rows:
        for kind, key in (
            ("campaignCriterion", _criterion_key), ("adGroupCriterion", _criterion_key),
            ("adGroupAd", _ad_key), ("adGroup", _named_key), ("asset", _asset_key),
        ):  # fmt: skip
            if kind in row:
                landed.add(key(kind, row[kind]), row[kind]["resourceName"])
                break
    return landed


def match(operation: Operation, campaign: Row, landed: Landed) -> dict[str, str] | None:
    """Resource name for each planned ref; None where something of it is not there."""
    names: dict[str, str] = {}
    real: dict[str, str] = {}  # temporary resource name -> the one on the platform
    for planned, mutate in zip(operation.objects, operation.body["mutateOperations"], strict=True):
        ((change, wrapped),) = mutate.items()
        create = wrapped["create"]
        found = _found(change, _resolved(create, real), campaign, landed)
        if found is None:
            return None
        names[planned.ref] = found
        if "resourceName" in create:
            real[create["resourceName"]] = found
    return names


def _found(change: str, create: Row, campaign: Row, landed: Landed) -> str | None:
    if change == "campaignBudgetOperation":
        return str(campaign["campaignBudget"])
    if change == "campaignOperation":
        return str(campaign["resourceName"])
    kind = change.removesuffix("Operation")
    key = {"adGroup": _named_key, "adGroupAd": _ad_key, "asset": _asset_key}.get(kind, _criterion_key)
    return landed.claim(key(kind, create))


def _resolved(value: Any, real: Mapping[str, str]) -> Any:
    """The value with temporary resource names replaced by real ones."""
    if isinstance(value, dict):
        return {key: _resolved(each, real) for key, each in value.items()}
    if isinstance(value, list):
        return [_resolved(each, real) for each in value]
    return real.get(value, value) if isinstance(value, str) else value


def _named_key(kind: str, thing: Row) -> tuple[Any, ...]:
    return kind, thing.get("name")


def _asset_key(kind: str, asset: Row) -> tuple[Any, ...]:
    video = asset.get("youtubeVideoAsset", {}).get("youtubeVideoId")
    return kind, video, asset.get("callToActionAsset", {}).get("callToAction")


def _criterion_key(kind: str, criterion: Row) -> tuple[Any, ...]:
    parent = criterion.get("campaign") or criterion.get("adGroup")
    info = next(((name, _frozen(criterion[name])) for name in CRITERION_INFOS if criterion.get(name)), None)
    return kind, parent if kind == "adGroupCriterion" else "", bool(criterion.get("negative")), info


def _ad_key(kind: str, ad_group_ad: Row) -> tuple[Any, ...]:
    ad = ad_group_ad["ad"]
    urls = tuple(ad.get("finalUrls", ()))
    if ad.get("name"):
        return kind, ad_group_ad["adGroup"], ad["name"], urls
    info = next(((name, _texts(ad[name])) for name in AD_INFOS if ad.get(name)), None)
    return kind, ad_group_ad["adGroup"], urls, ad.get("finalUrlSuffix", ""), info


def _texts(info: Row) -> tuple[Any, ...]:
    """Headlines and descriptions: what tells one ad from another, whatever Google adds to them."""
    names = ("headlines", "descriptions")
    return tuple(tuple(sorted(asset["text"] for asset in info.get(name, ()))) for name in names)


def _frozen(info: Row) -> tuple[tuple[str, str], ...]:
    """A criterion's info without what Google adds to it, and without case (placements, keywords)."""
    return tuple(
        sorted((key, str(value).casefold()) for key, value in info.items() if not isinstance(value, dict))
    )
