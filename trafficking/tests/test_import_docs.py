"""docs/import.md names every column that is read."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from campaigns.plans import COLUMNS as PLAN_COLUMNS
from governance.imports import SHEETS
from trafficking.imports.creatives import COLUMNS as CREATIVE_COLUMNS


def test_every_column_is_documented():
    text = (Path(settings.BASE_DIR) / "docs" / "import.md").read_text(encoding="utf-8")
    columns = [*PLAN_COLUMNS, *CREATIVE_COLUMNS, *(column for sheet in SHEETS.values() for column in sheet)]
    assert not [column.name for column in columns if f"`{column.name}`" not in text]
    assert not [column.name for column in columns if column.required and f"**`{column.name}`**" not in text]
