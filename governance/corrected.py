"""A person's own file given back with its errors: marked, explained at the cell, and with what is clear put right.

It can be sent again as it is: the column that is added is known and ignored, and a sheet `help` is skipped.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from governance.tables import ERRORS_COLUMN, safe_text

_WRONG = PatternFill("solid", start_color="FFF4B8B0")
_PROPOSED = PatternFill("solid", start_color="FFFCE8A6")
_HEAD = PatternFill("solid", start_color="FFE7E2D6")
_LONGEST_COMMENT = 2000
#: So many cells get a comment: each is a drawing of its own. The column of errors has them all.
_MOST_COMMENTS = 2000
#: A spreadsheet takes no longer text in a cell.
_LONGEST_CELL = 32_000


@dataclass(slots=True)
class Marks:
    """What there is to say of a table. Positions are from 0, rows as they are numbered in the file."""

    cells: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    rows: dict[int, list[str]] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)
    proposals: dict[tuple[int, int], str] = field(default_factory=dict)
    commented: int = 0

    def of_row(self, number: int, width: int) -> list[str]:
        own = [text for at in range(width) for text in self.cells.get((number, at), ())]
        return list(dict.fromkeys([*self.rows.get(number, ()), *own]))


Rows = Iterable[tuple[int, Sequence[str]]]


def corrected_csv(headers: Sequence[str], rows: Rows, marks: Marks, delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter or ",", lineterminator="\r\n")
    writer.writerow([*map(safe_text, headers), ERRORS_COLUMN])
    for number, cells in rows:
        values = [marks.proposals.get((number, at), cell) for at, cell in enumerate(cells)]
        writer.writerow([*map(safe_text, values), safe_text(_told(marks, number, len(headers)))])
    return ("\ufeff" + out.getvalue()).encode()


def corrected_workbook(headers: Sequence[str], rows: Rows, marks: Marks, sheet_name: str) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(sheet_name[:31] or "data")
    sheet.freeze_panes = "A2"
    for at in range(len(headers)):
        sheet.column_dimensions[get_column_letter(at + 1)].width = 18
    sheet.column_dimensions[get_column_letter(len(headers) + 1)].width = 80
    sheet.append([_cell(sheet, text, _HEAD, Font(bold=True)) for text in (*headers, ERRORS_COLUMN)])
    for number, cells in rows:
        made = [_marked(sheet, marks, number, at, cell) for at, cell in enumerate(cells)]
        sheet.append([*made, _cell(sheet, _told(marks, number, len(headers)))])
    _explain(book, marks)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _told(marks: Marks, number: int, width: int) -> str:
    return " · ".join(marks.of_row(number, width))[:_LONGEST_CELL]


def _marked(sheet: object, marks: Marks, number: int, at: int, text: str) -> WriteOnlyCell:
    said, proposal = marks.cells.get((number, at)), marks.proposals.get((number, at), "")
    if not said:
        return _cell(sheet, text)
    made = _cell(sheet, proposal or text, _PROPOSED if proposal else _WRONG)
    marks.commented += 1
    if marks.commented > _MOST_COMMENTS:
        return made
    before = f"Was: {text}\nProposed: {proposal}\n" if proposal else ""
    made.comment = Comment(
        (before + "\n".join(said))[:_LONGEST_COMMENT], "OmniTraffick", height=140, width=320
    )
    return made


def _cell(
    sheet: object, text: str, fill: PatternFill | None = None, font: Font | None = None
) -> WriteOnlyCell:
    made = WriteOnlyCell(sheet, value=text or None)
    if made.data_type == "f":  # "=…" is text here
        made.data_type = "s"
    if fill is not None:
        made.fill = fill
    if font is not None:
        made.font = font
    return made


def _explain(book: Workbook, marks: Marks) -> None:
    """What is about the file as a whole, and what the colours mean."""
    sheet = book.create_sheet("help")
    sheet.append(["Red cells are wrong; their comment says why and what to do."])
    sheet.append(["Yellow cells were put right as proposed in their comment: look at them."])
    sheet.append([f"The column {ERRORS_COLUMN} and this sheet are ignored when the file is imported again."])
    for text in marks.whole:
        sheet.append([_cell(sheet, text)])
