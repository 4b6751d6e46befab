"""How import commands say what they did: a readable table, or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from governance.findings import Finding


def print_json(value: Any, out: Any) -> None:
    out.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def console(out: Any) -> Console:
    """Plain where nobody watches: a file gets whole lines and no colours."""
    stream = getattr(out, "_out", out)
    return Console(file=stream, width=None if stream.isatty() else 200, highlight=False, soft_wrap=False)


def print_findings(title: str, findings: Sequence[Finding], out: Any) -> None:
    """One row per finding: where, what is wrong, what to do."""
    if not findings:
        return
    table = RichTable(title=f"{title} ({len(findings)})", title_justify="left", show_lines=True)
    for name in ("where", "what", "what to do"):
        table.add_column(name, overflow="fold")
    for finding in findings:
        table.add_row(*(Text(text) for text in (where(finding), finding.message, finding.remedy)))
    console(out).print(table)


def where(finding: Finding) -> str:
    """'row 7, cost_media' for tables, the path for JSON."""
    row, column = finding.params.get("row"), finding.params.get("column")
    if not row:
        return finding.field or "file"
    sheet = finding.params.get("sheet")
    parts = [f"sheet {sheet}" if sheet else "", f"row {row}", str(column or "")]
    prefix = "creatives " if finding.field.startswith("creatives ") else ""
    return prefix + ", ".join(part for part in parts if part)
