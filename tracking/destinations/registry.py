"""The destinations by their keys."""

from __future__ import annotations

from collections.abc import Mapping

from tracking.destinations.base import Destination
from tracking.destinations.google import GOOGLE
from tracking.destinations.meta import META
from tracking.destinations.tiktok import TIKTOK

DESTINATIONS: Mapping[str, Destination] = {each.key: each for each in (META, TIKTOK, GOOGLE)}


def destination(key: str) -> Destination:
    """The destination with this key; KeyError names the known ones."""
    try:
        return DESTINATIONS[key]
    except KeyError:
        raise KeyError(f"no destination {key!r}; there are {', '.join(DESTINATIONS)}") from None
