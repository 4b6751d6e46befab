"""Templates that people fill in: the header, an example, and in XLSX a sheet that explains every column."""

from __future__ import annotations

from collections.abc import Sequence

from campaigns.plans import COLUMNS as PLAN_COLUMNS
from governance.tables import Column, csv_text, workbook_bytes
from trafficking.imports.creatives import COLUMNS as CREATIVE_COLUMNS

#: Columns of a plan that the example row leaves empty: they say otherwise what others say, or name an installation's own.
_NOT_IN_EXAMPLE = frozenset({
    "location", "vehicle", "partner", "media_product", "conversion_event", "exchange_rate", "exchange_rate_currency",
    "ad_account", "special_ad_category_countries",
})  # fmt: skip


def plan_template(file_format: str) -> bytes:
    """`file_format` is csv or xlsx."""
    row = {each.name: each.example for each in PLAN_COLUMNS if each.name not in _NOT_IN_EXAMPLE}
    return _template("plan", PLAN_COLUMNS, file_format, [row])


def creative_template(file_format: str, lines: Sequence[str] = ()) -> bytes:
    """With `lines`, one row to fill in for each; else one example."""
    example = {each.name: each.example for each in CREATIVE_COLUMNS} | {"headlines": "Moana is here"}
    rows = [{"line": line, "ad": "Ad 1"} for line in lines] or [example]  # an image ad takes one headline
    return _template("creatives", CREATIVE_COLUMNS, file_format, rows)


def _template(
    name: str, columns: Sequence[Column], file_format: str, filled: Sequence[dict[str, str]]
) -> bytes:
    if file_format == "xlsx":
        return workbook_bytes({name: (columns, filled)})
    return ("\ufeff" + csv_text(columns, filled)).encode()
