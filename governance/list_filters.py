"""List filters that read no table: their choices are known."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any

from django.contrib.admin import ChoicesFieldListFilter


def one_of(path: str, choices: Iterable[tuple[Any, Any]]) -> tuple[str, type[ChoicesFieldListFilter]]:
    """A filter by a column without choices of its own. Django would read every value that the table has."""
    known = list(choices)

    class KnownValuesFilter(ChoicesFieldListFilter):
        def __init__(self, field: Any, *args: Any, **options: Any) -> None:
            field = copy(field)
            field.choices = known
            super().__init__(field, *args, **options)

    return path, KnownValuesFilter
