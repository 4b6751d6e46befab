"""What changing a field of something that exists means, from the table in the reference."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, cast

from trafficking.platforms.base import ChangeKind
from trafficking.platforms.google_ads.reference import CHANGES

#: Ads show what they are by the first part of their fields: `responsiveSearchAd.headlines`.
CONTENT = ("responsiveSearchAd", "responsiveDisplayAd", "demandGenMultiAssetAd", "demandGenVideoResponsiveAd")


def change_kind(object_type: str, field: str, before: Any, after: Any) -> ChangeKind:
    """update, learning (also: reviewed again), replace or impossible."""
    if object_type == "ad" and _another_format(field, before, after):
        return "replace"
    for pattern, kind, _source in CHANGES.get(object_type, ()):
        if fnmatchcase(field, pattern):
            return cast(ChangeKind, kind)
    return "update"


def _another_format(field: str, before: Any, after: Any) -> bool:
    """An ad's format can't be changed: its required texts come or go as a whole (ad.py: `ad_data` is a oneof)."""
    kind, _, name = field.partition(".")
    return kind in CONTENT and name == "descriptions" and (before is None or after is None)
