"""Before and after: what a change did to a row, in words. Facts that no form holds (a status, a digest) included."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.utils.formats import localize
from django.utils.timezone import localtime
from django.utils.translation import gettext

from governance import money

#: Change with every save, or only repeat what another field says.
UNTOLD = frozenset(
    {"id", "version", "updated_at", "created_at", "public_id", "name_key", "text_key", "content_hash"}
)
LONGEST = 300
#: Shown where there is no value.
NOTHING = "–"


def changes_between(before: Any, after: Any) -> list[dict[str, str]]:
    """Two historical records of a row -> [{"field", "old", "new"}] for the history page."""
    return [
        {"field": str(field.verbose_name), "old": shown(before, field), "new": shown(after, field)}
        for field in after.tracked_fields
        if field.name not in UNTOLD and getattr(before, field.attname) != getattr(after, field.attname)
    ]


def shown(record: Any, field: models.Field) -> str:
    """One value as people read it."""
    value = getattr(record, field.attname)
    if value is None or value in ("", [], {}):
        return NOTHING
    if field.is_relation:
        return _related(record, field)
    text = str(dict(field.flatchoices).get(value, "")) if field.choices else ""
    return _short(text or _plain(value))


def _related(record: Any, field: models.Field) -> str:
    try:
        return str(getattr(record, field.name))
    except ObjectDoesNotExist:  # history outlives what it points to
        return f"#{getattr(record, field.attname)}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Decimal):
        return money.plain(value)
    return str(localize(localtime(value) if isinstance(value, datetime) else value))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
