"""What a platform answered, as it may be kept: without the account's secrets and without what no database takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

#: Shorter ones stand in ordinary words by chance.
SHORTEST_SECRET = 8


def storable(outcome: Any, secrets: Iterable[str]) -> Any:
    """The outcome with every secret in its words and body replaced by "***", and without NUL (PostgreSQL)."""
    long = [secret for secret in secrets if len(str(secret or "")) >= SHORTEST_SECRET]
    changed = {each.name: _cleaned(getattr(outcome, each.name), long) for each in fields(outcome)}
    return replace(outcome, **changed)


def _cleaned(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
        return value.replace("\x00", "")
    if isinstance(value, Mapping):
        return {_cleaned(key, secrets): _cleaned(each, secrets) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(each, secrets) for each in value]
    return value
