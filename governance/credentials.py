"""Which secrets an ad account of a platform needs. The floor that knows platforms registers them at start."""

from __future__ import annotations

from collections.abc import Mapping

_fields: dict[str, dict[str, str]] = {}


def register_fields(platform: str, fields: Mapping[str, str]) -> None:
    """`fields`: name of the secret -> help text for the person who pastes it."""
    _fields[platform] = dict(fields)


def fields_of(platform: str) -> dict[str, str]:
    """The secrets of one platform; {} for one that needs none or is unknown."""
    return dict(_fields.get(platform, {}))


def registered() -> dict[str, dict[str, str]]:
    return {platform: dict(fields) for platform, fields in _fields.items()}
