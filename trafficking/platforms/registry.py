"""Finds the platform folders. The rest of the code asks here and never says `if platform == …`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import trafficking.platforms
from trafficking.platforms.base import Platform


@cache
def platforms() -> dict[str, Platform]:
    """Every platform by its key: each subpackage with a `PLATFORM` in its `__init__`."""
    found: dict[str, Platform] = {}
    for module in pkgutil.iter_modules(trafficking.platforms.__path__):
        if module.ispkg and module.name != "tests":
            platform = importlib.import_module(f"trafficking.platforms.{module.name}").PLATFORM
            found[platform.key] = platform
    return found


def platform(key: str) -> Platform:
    """The platform with this key; KeyError names the known ones."""
    try:
        return platforms()[key]
    except KeyError:
        raise KeyError(f"no platform {key!r}; there are {', '.join(sorted(platforms()))}") from None
