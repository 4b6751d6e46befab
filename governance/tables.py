"""Tables that people send: CSV and XLSX files read strictly, as rows of cells; JSON likewise.

Nothing is guessed: what can be read in two ways is refused with what to do. Formulas are never evaluated, and
what we write ourselves (templates, exports) can't become one.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import charset_normalizer
from django.conf import settings
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font

from governance.findings import Finding, Message
from governance.findings import gettext_noop as _

Cell = str | int | float | Decimal | bool | date | datetime

#: What an XLSX file may unpack to, and how many rows and columns a table may have.
MAX_UNPACKED = 120 * 1024 * 1024
MAX_RATIO = 200
MAX_ROWS = 200_000
MAX_COLUMNS = 200

#: What we add to a file that we give back with its errors; ignored when it comes again.
ERRORS_COLUMN = "omnitraffick_errors"

MESSAGES = {
    "file.too_big": Message(
        _("The file has {size} MB; {limit} MB is the most."), _("Split it into several files, or take out what is not needed.")
    ),
    "file.empty": Message(_("The file is empty."), _("Save it again with its header row and at least one row.")),
    "file.missing": Message(_("There is no file {name}."), _("Check the path.")),
    "file.binary": Message(
        _("The file is neither text nor an Excel workbook."), _("Save it as CSV (UTF-8) or as .xlsx and send that.")
    ),
    "file.old_excel": Message(_("This is an old Excel file (.xls)."), _("Save it as .xlsx or CSV (UTF-8).")),
    "file.bomb": Message(
        _("The workbook unpacks to {size} MB, far more than a plan needs."), _("Save the sheet as CSV (UTF-8) and send that.")
    ),
    "file.damaged": Message(_("The workbook can't be read: {problem}."), _("Open it, save it again as .xlsx, and send that.")),
    "file.encoding_unknown": Message(
        _("The text is not UTF-8, and its encoding can't be told."), _("Save the file as 'CSV UTF-8'.")
    ),
    "file.encoding_guessed": Message(
        _("The text is not UTF-8; it was read as {encoding}, so that it says: {sample}."),
        _("If that is wrong, save the file as 'CSV UTF-8'."),
    ),
    "file.damaged_text": Message(
        _("The text has replacement characters (�): it was damaged before it came here."), _("Export it again as UTF-8.")
    ),
    "table.no_header": Message(_("There is no header row."), _("Put the column names into the first row.")),
    "table.no_rows": Message(_("There are no rows under the header."), _("Add at least one row.")),
    "table.unknown_column": Message(
        _("The column '{text}' is not known."), _("Rename it{suggestion}, or take it out. Known are: {known}.")
    ),
    "table.duplicate_column": Message(_("The column '{text}' is there twice."), _("Keep one of the two.")),
    "table.missing_column": Message(_("The column '{text}' is missing."), _("Add it: {help}")),
    "table.nameless_column": Message(
        _("Column {number} has values but no name."), _("Name it in the header row, or take it out.")
    ),
    "table.extra_cells": Message(
        _("The row has more cells than there are columns ('{text}')."), _("Put texts with separators into quotes.")
    ),
    "table.quotes": Message(_("The quotes are not closed rightly: {problem}."), _("Save it again from your spreadsheet.")),
    "table.too_many_rows": Message(_("There are more than {limit} rows."), _("Split the file.")),
    "table.too_many_columns": Message(_("There are more than {limit} columns."), _("Take out what is not needed.")),
    "table.merged_cells": Message(
        _("The cells {cells} of the sheet '{sheet}' are merged."), _("Unmerge them and fill in every row.")
    ),
    "table.formula": Message(
        _("{cell} holds a formula ({text}); formulas are not evaluated."), _("Paste its value instead: copy, then paste values.")
    ),
    "table.error_cell": Message(_("{cell} shows the error {text}."), _("Mend the formula behind it, and paste its value.")),
    "table.several_sheets": Message(
        _("The workbook has several sheets with data: {sheets}."), _("Keep one, or name the one that is meant '{wanted}'.")
    ),
    "json.syntax": Message(_("The JSON is broken at line {line}, column {at}: {problem}."), _("Export it again.")),
    "json.duplicate_key": Message(_("The key '{key}' is there twice in one object."), _("Keep one of the two.")),
    "json.not_a_number": Message(_("{text} is not a number that can be used."), _("Write a number, or leave it out.")),
    "json.endless_number": Message(_("A number has thousands of digits."), _("Export it again.")),
    "json.too_deep": Message(_("The JSON is nested too deeply."), _("Export it again.")),
}  # fmt: skip


class Refused(Exception):
    """The file can't be read at all. `findings` say why."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = list(findings)


@dataclass(frozen=True)
class Source:
    """A file as it was received."""

    name: str
    data: bytes = field(repr=False)
    #: What its columns are in our words, by `column_keys`; "" for one that is ignored. Others are read by their names.
    columns: Mapping[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def stem(self) -> str:
        return Path(self.name).stem

    @property
    def is_workbook(self) -> bool:
        return self.data[:4] == b"PK\x03\x04"

    @property
    def is_json(self) -> bool:
        return Path(self.name).suffix.lower() == ".json" or _text_start(self.data) in ("{", "[")

    @classmethod
    def from_path(cls, path: str | Path) -> Source:
        """Raises Refused, without reading it, where the file is too big, missing or empty."""
        path = Path(path)
        if not path.is_file():
            raise Refused(Finding("file.missing", params={"name": path.name}))
        _refuse_size(path.stat().st_size)
        return cls(path.name, path.read_bytes())

    @classmethod
    def from_upload(cls, upload: Any) -> Source:
        """From Django's UploadedFile."""
        _refuse_size(upload.size)
        return cls(Path(upload.name).name, upload.read())

    def __post_init__(self) -> None:
        _refuse_size(len(self.data))


def _refuse_size(size: int) -> None:
    limit = settings.IMPORT_MAX_BYTES
    if size > limit:
        params = {"size": _megabytes(size), "limit": _megabytes(limit)}
        raise Refused(Finding("file.too_big", params=params))
    if size == 0:
        raise Refused(Finding("file.empty"))


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f}".removesuffix(".0")


def _text_start(data: bytes) -> str:
    head = data[:64].removeprefix(codecs.BOM_UTF8).replace(b"\x00", b"").lstrip(b"\xff\xfe \t\r\n")
    return head[:1].decode("ascii", "replace")


# ------------------------------------------------------------------------------------------ places


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: a row of a table, or a path in a JSON file."""

    row: int = 0
    sheet: str = ""
    path: str = ""

    def field(self, column: str) -> str:
        if self.path:
            return f"{self.path}.{column}" if column else self.path
        where = f"{self.sheet}.rows[{self.row}]" if self.sheet else f"rows[{self.row}]"
        return f"{where}.{column}" if column else where

    def block(self, code: str, column: str = "", **params: Any) -> Finding:
        return Finding(code, self.field(column), "block", self._named(column, params))

    def warn(self, code: str, column: str = "", **params: Any) -> Finding:
        return Finding(code, self.field(column), "warn", self._named(column, params))

    def moved(self, finding: Finding, column: str) -> Finding:
        """A finding about a value, put where the value stands in the file."""
        return replace(finding, field=self.field(column), params=self._named(column, finding.params))

    def _named(self, column: str, params: Mapping[str, Any]) -> dict[str, Any]:
        if self.path:
            return dict(params)
        where = {"row": self.row, "column": column}
        return {**params, **({**where, "sheet": self.sheet} if self.sheet else where)}


# ----------------------------------------------------------------------------------------- columns


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a documented format. `required`: the header must be there."""

    name: str
    help: str
    example: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `row["cost_media"]` is its cell, "" where it is empty or the column is not there."""

    place: Place
    cells: Mapping[str, Cell]

    def __getitem__(self, column: str) -> Cell:
        return self.cells.get(column, "")

    def text(self, column: str) -> str:
        """The cell as text, one line, trimmed."""
        value = self.cells.get(column, "")
        return value if isinstance(value, str) else _cell_text(value)


@dataclass
class Table:
    """A table bound to its columns. `rows` can be walked once; `findings` grow while it is."""

    name: str
    headers: list[str]
    rows: Iterator[Row]
    findings: list[Finding]

    def about_present(self, findings: Iterable[Finding], columns: Sequence[Column]) -> list[Finding]:
        """Without those that say of every row that it lacks a column which the header lacks already."""
        missing = {column.name for column in columns if column.name not in self.headers and column.required}
        return [each for each in findings if each.params.get("column") not in missing]


def header_key(text: str) -> str:
    """ "Start date", "start-date" and "START_DATE" are one column."""
    return re.sub(r"[\s\-]+", "_", text.strip().casefold())


def column_keys(cells: Sequence[Any]) -> list[str]:
    """A header row -> one key per column, up to the last named one: "cost", for a second one "cost (2)", for a
    column without a name "column 4". No `header_key` has a space, so that these can't be mistaken."""
    names = [header_key(cell_text(cell)) for cell in cells]
    while names and not names[-1]:
        names.pop()
    keys: list[str] = []
    for at, name in enumerate(names):
        times = names[:at].count(name) + 1
        keys.append(f"column {at + 1}" if not name else f"{name} ({times})" if times > 1 else name)
    return keys


@dataclass(frozen=True, slots=True)
class _Header:
    """The columns of a file in our words: `names` by position, "" where there is none; `ignored` positions."""

    names: list[str]
    ignored: frozenset[int]

    @classmethod
    def read(cls, cells: Sequence[Any], columns: Mapping[str, str]) -> _Header:
        keys = column_keys(cells)
        names = [columns.get(key, header_key(cell_text(cells[at]))) for at, key in enumerate(keys)]
        ours = {at for at, name in enumerate(names) if name == ERRORS_COLUMN}
        stated = {at for at, key in enumerate(keys) if columns.get(key) == ""}
        return cls(["" if at in ours else name for at, name in enumerate(names)], frozenset(ours | stated))


def cell_text(value: Any) -> str:
    """A cell as people see it; a day without its midnight."""
    return "" if value is None else _cell_text(value)


def _cell_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    return str(value)


def number_text(value: float) -> str:
    """A float as a spreadsheet shows it: 15 significant digits, no exponent."""
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    return format(Decimal(format(value, ".15g")), "f")


# ----------------------------------------------------------------------------------------- reading


def read_tables(
    source: Source, columns: Mapping[str, Sequence[Column]], *, wanted: str = "", label: str = ""
) -> list[Table]:
    """The tables of a file. `columns` maps sheet name -> columns; a CSV is the sheet `wanted`, and `label` says
    in its findings which file it is, where a person sent two.

    With `wanted`, a workbook must have one sheet with data or one of that name. Raises Refused.
    """
    if source.is_workbook:
        sheets = _workbook_sheets(source)
        return _bound_sheets(sheets, columns, wanted, label, source.columns)
    if source.data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Refused(Finding("file.old_excel"))
    text, warnings = decode(source.data)
    wanted = wanted or next(iter(columns))
    delimiter, skip = _delimiter(text, [*source.columns, *(column.name for column in columns[wanted])])
    records = _csv_records(text, delimiter, skip)
    return [_bind(label, records, columns[wanted], warnings, source.columns, delimiter)]


@dataclass(frozen=True)
class Grid:
    """A table as it stands in its file: `rows` are (row number, cells as texts), as many as there are headers."""

    headers: list[str]
    keys: list[str]
    rows: Iterator[tuple[int, list[str]]]
    sheet: str = ""
    delimiter: str = ""  # of a CSV


def read_grid(source: Source, columns: Sequence[Column], *, wanted: str) -> Grid:
    """The one table of a file, whatever its columns are called. Raises Refused where there is none to read."""
    if source.is_workbook:
        sheet = _chosen_sheet(_workbook_sheets(source), wanted)
        return _grid(sheet.records(), source.columns, sheet.name, "")
    if source.data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Refused(Finding("file.old_excel"))
    text, _warnings = decode(source.data)
    delimiter, skip = _delimiter(text, [*source.columns, *(column.name for column in columns)])
    return _grid(_csv_records(text, delimiter, skip), source.columns, "", delimiter)


def _grid(records: Records, columns: Mapping[str, str], sheet: str, delimiter: str) -> Grid:
    header = _header(records, [])
    if header is None:
        raise Refused(Finding("table.no_header", sheet))
    if len(header[1]) > MAX_COLUMNS:
        raise Refused(Finding("table.too_many_columns", sheet, params={"limit": MAX_COLUMNS}))
    keys = column_keys(header[1])
    names = _Header.read(header[1], columns).names
    texts = [cell_text(cell).strip() for cell in header[1][: len(keys)]]
    return Grid(texts, keys, _grid_rows(records, names, delimiter), sheet, delimiter)


def _grid_rows(records: Records, names: list[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    width = len(names)
    for record in islice(records, MAX_ROWS * 2):
        if isinstance(record, Finding):
            continue
        number, cells = record
        cells = _rejoined(cells, names, delimiter)
        texts = [cell_text(_clean(cell)) for cell in cells[:width]]
        if any(texts):
            yield number, texts + [""] * (width - len(texts))


def _bound_sheets(
    sheets: list[_Sheet], columns: Mapping[str, Sequence[Column]], wanted: str, label: str, renamed: Mapping[str, str]
) -> list[Table]:  # fmt: skip
    if not wanted:
        named = [(sheet, header_key(sheet.name)) for sheet in sheets]
        unknown = [sheet.name for sheet, key in named if key not in columns and key != "help"]
        if unknown:
            known = ", ".join(columns)
            raise Refused(
                *[
                    Finding(
                        "table.unknown_column", name, params={"text": name, "known": known, "suggestion": ""}
                    )
                    for name in unknown
                ]
            )
        return [
            _bind(sheet.name, sheet.records(), columns[key], [], renamed)
            for sheet, key in named
            if key in columns
        ]
    return [_bind(label, _chosen_sheet(sheets, wanted).records(), columns[wanted], [], renamed)]


def _chosen_sheet(sheets: list[_Sheet], wanted: str) -> _Sheet:
    """The sheet of that name, or the only one that has data."""
    with_data = [sheet for sheet in sheets if header_key(sheet.name) != "help" and sheet.has_data()]
    chosen = [sheet for sheet in with_data if header_key(sheet.name) == wanted] or with_data
    if not chosen:
        raise Refused(Finding("file.empty"))
    if len(chosen) > 1:
        raise Refused(
            Finding("table.several_sheets", params={"sheets": [s.name for s in chosen], "wanted": wanted})
        )
    return chosen[0]


Records = Iterator[tuple[int, Sequence[Any]] | Finding]


def _bind(
    sheet: str, records: Records, columns: Sequence[Column], findings: list[Finding], renamed: Mapping[str, str],
    delimiter: str = "",
) -> Table:  # fmt: skip
    """The header checked against the columns, and the rows under it. `renamed` is the source's `columns`."""
    table = Table(sheet, [], iter(()), list(findings))
    header = _header(records, table.findings)
    if header is None:
        table.findings.append(Finding("table.no_header", sheet))
        return table
    number, cells = header
    place = Place(number, sheet)
    read = _Header.read(cells, renamed)
    names = read.names
    table.findings += _header_findings(place, names, cells, columns)
    table.headers = names
    if len(names) > MAX_COLUMNS or not {column.name for column in columns} & set(names):
        return table  # not a table of ours: its rows have nothing to say
    table.rows = _rows(table, records, read, {column.name for column in columns}, delimiter)
    return table


def _header(records: Records, findings: list[Finding]) -> tuple[int, Sequence[Any]] | None:
    for record in records:
        if isinstance(record, Finding):
            findings.append(record)
        elif any(_cell_text(cell).strip() for cell in record[1]):
            return record
    return None


def _header_findings(
    place: Place, names: list[str], cells: Sequence[Any], columns: Sequence[Column]
) -> list[Finding]:
    known = {column.name: column for column in columns}
    found: list[Finding] = []
    if len(names) > MAX_COLUMNS:
        return [place.block("table.too_many_columns", limit=MAX_COLUMNS)]
    for at, name in enumerate(names):
        written = _cell_text(cells[at]).strip()
        if name and name not in known:
            found.append(
                place.block(
                    "table.unknown_column",
                    written,
                    text=written,
                    known=list(known),
                    suggestion=_suggested(name, known),
                )
            )
        elif name and name in names[:at]:
            found.append(place.block("table.duplicate_column", name, text=written))
    missing = [column for column in columns if column.required and column.name not in names]
    return found + [place.block("table.missing_column", c.name, text=c.name, help=c.help) for c in missing]


def _suggested(name: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f" to '{near[0]}'" if near else ""


def _rows(table: Table, records: Records, header: _Header, known: set[str], delimiter: str) -> Iterator[Row]:
    names = header.names
    usable = [(at, name) for at, name in enumerate(names) if name in known and name not in names[:at]]
    nameless = [at for at, name in enumerate(names) if not name and at not in header.ignored]
    width, count = len(names), 0
    for record in records:
        if isinstance(record, Finding):
            table.findings.append(record)
            continue
        number, cells = record
        cells = _rejoined(cells, names, delimiter)
        values = {
            name: value for at, name in usable if at < len(cells) and (value := _clean(cells[at])) != ""
        }
        place = Place(number, table.name)
        table.findings += _stray(place, cells, nameless, width)
        if not values:
            continue
        count += 1
        if count > MAX_ROWS:
            table.findings.append(place.block("table.too_many_rows", limit=MAX_ROWS))
            return
        yield Row(place, values)
    if not count:
        table.findings.append(Finding("table.no_rows", table.name))


def _stray(place: Place, cells: Sequence[Any], nameless: list[int], width: int) -> list[Finding]:
    found = [
        place.block("table.nameless_column", number=at + 1)
        for at in nameless
        if at < len(cells) and _clean(cells[at]) != ""
    ]
    if len(cells) > width:
        found += [
            place.block("table.extra_cells", text=_cell_text(cell))
            for cell in cells[width:]
            if _clean(cell) != ""
        ]
    return found


#: Columns that hold amounts, in any of our formats.
AMOUNT_COLUMNS = frozenset({"cost_media", "cost_total", "budget", "daily_cap", "exchange_rate", "usd"})
_BEFORE_COMMA = re.compile(r"\s*-?\d{1,3}(?:\.\d{3})*|\s*-?\d+", re.ASCII)
_AFTER_COMMA = re.compile(r"\d{1,3}(?:\.\d{1,4})?\s*", re.ASCII)


def _rejoined(cells: Sequence[Any], names: list[str], delimiter: str) -> Sequence[Any]:
    """An amount with a comma that stood without quotes in a comma file makes one cell too many, and every later
    cell stands in the wrong column. Put together again, it is told once, as the amount that it is."""
    extra = len(cells) - len(names)
    if delimiter != "," or extra < 1:
        return cells
    split = [
        at
        for at in range(len(names))
        if _BEFORE_COMMA.fullmatch(str(cells[at])) and _AFTER_COMMA.fullmatch(str(cells[at + 1]))
    ]
    amounts, shift = [], 0
    for at in split:  # each one found moves the names of what follows
        if at - shift < len(names) and names[at - shift] in AMOUNT_COLUMNS and shift < extra:
            amounts.append(at)
            shift += 1
    if len(amounts) != extra:
        return cells
    made: list[Any] = []
    for at, cell in enumerate(cells):
        if at - 1 in amounts:
            made[-1] = f"{made[-1]},{cell}"
        else:
            made.append(cell)
    return made


def _clean(cell: Any) -> Any:
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return cell
    text = cell.strip(" \t\r\n\u00a0\u202f")
    # what `safe_text` put before a formula-like text is no part of it
    return text[1:] if text[:1] == "'" and safe_text(text[1:]) != text[1:] else text


# --------------------------------------------------------------------------------------------- CSV


def decode(data: bytes) -> tuple[str, list[Finding]]:
    """Text from bytes: UTF-8 (with or without BOM), UTF-16, else what charset-normalizer finds, said aloud."""
    text, warnings = _decoded(data)
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", text):
        raise Refused(Finding("file.binary"))
    if "\ufffd" in text:
        raise Refused(Finding("file.damaged_text"))
    if not text.strip():
        raise Refused(Finding("file.empty"))
    return text, warnings


def _decoded(data: bytes) -> tuple[str, list[Finding]]:
    encoding = _marked_encoding(data)
    try:
        return data.decode(encoding), []
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise Refused(Finding("file.binary")) from None
    return _guessed(data)


def _marked_encoding(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = data[:2000]
    if head.count(0) > len(head) // 4:  # Latin text in UTF-16 has a zero in every second byte
        return "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"
    return "utf-8"


#: What spreadsheets outside Unicode write, by the odds of meeting it here.
_LIKELY = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "cp932", "euc_jp", "gb18030", "big5", "cp949", "mac_roman",
]  # fmt: skip


def _guessed(data: bytes) -> tuple[str, list[Finding]]:
    if b"\x00" in data:
        raise Refused(Finding("file.binary"))
    # Windows has its letters above 0xC0, old Macs theirs below 0xA0
    windows = sum(byte >= 0xC0 for byte in data) >= sum(0x80 <= byte < 0xA0 for byte in data)
    likely = [name for name in _LIKELY if name != "mac_roman" or not windows]
    matches = charset_normalizer.from_bytes(data, cp_isolation=likely, threshold=0.2)
    best = matches.best()
    if best is None:
        raise Refused(Finding("file.encoding_unknown" if _mostly_text(data) else "file.binary"))
    # a short text fits many encodings alike: of equals, the one that is met most
    equals = [match for match in matches if match.chaos <= best.chaos and match.coherence >= best.coherence]
    chosen = min(equals, key=_odds)
    encoding = min(chosen.could_be_from_charset, key=_position)
    text = str(chosen)
    words = dict.fromkeys(re.findall(r"[\w'’.-]*[^\x00-\x7f][\w'’.-]*", text))
    params = {"encoding": encoding, "sample": list(words)[:5]}
    return text, [Finding("file.encoding_guessed", severity="warn", params=params)]


def _odds(match: Any) -> int:
    return min(_position(name) for name in match.could_be_from_charset)


def _position(encoding: str) -> int:
    return _LIKELY.index(encoding) if encoding in _LIKELY else len(_LIKELY)


def _mostly_text(data: bytes) -> bool:
    head = data[:4000]
    return sum(32 <= byte < 127 or byte in (9, 10, 13) for byte in head) > len(head) * 0.7


def _csv_records(text: str, delimiter: str, skip: int) -> Records:
    stream = io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n"))
    if skip:
        stream.readline()
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    number = skip
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Place(number).block("table.quotes", problem=str(error))
            return
        yield number, cells


def _delimiter(text: str, known: Collection[str]) -> tuple[str, int]:
    """(delimiter, lines before the header): the one under which most of the header is known."""
    first, _line, rest = text.partition("\n")
    if (stated := re.fullmatch(r"sep=(.)\r?", first)) is not None:
        return stated.group(1), 1
    header = first if first.strip() else rest.partition("\n")[0]

    def fit(delimiter: str) -> int:
        try:
            cells = next(csv.reader([header], delimiter=delimiter), [])
        except csv.Error:
            return 0
        return sum(header_key(cell) in known for cell in cells) * 100 + len(cells)

    return max(",;\t|", key=fit), 0


# -------------------------------------------------------------------------------------------- XLSX


@dataclass
class _Sheet:
    name: str
    sheet: Any

    def records(self) -> Records:
        for number, cells in enumerate(self.sheet.iter_rows(), start=1):
            values: list[Any] = []
            for cell in cells:
                kind = getattr(cell, "data_type", "n")
                if kind == "f":
                    yield Place(number, "").block(
                        "table.formula", cell=cell.coordinate, text=str(cell.value)[:80]
                    )
                    values.append(None)
                elif kind == "e":
                    yield Place(number, "").block(
                        "table.error_cell", cell=cell.coordinate, text=str(cell.value)
                    )
                    values.append(None)
                else:
                    values.append(cell.value)
            while values and values[-1] is None:
                values.pop()
            yield number, values

    def has_data(self) -> bool:
        return any(not isinstance(record, Finding) and record[1] for record in self.records())


def _workbook_sheets(source: Source) -> list[_Sheet]:
    """The visible sheets, after the package was looked at: size, entities, merged cells."""
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as package:
            _refuse_bomb(package, len(source.data))
            _refuse_entities(package)
        book = load_workbook(io.BytesIO(source.data), read_only=True, data_only=False, keep_links=False)
        visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        merged = [finding for sheet in visible for finding in _merged(source, sheet)]
        for sheet in visible:
            sheet.reset_dimensions()
    except Refused:
        raise
    except Exception as error:  # openpyxl raises whatever the XML happened to break
        raise Refused(Finding("file.damaged", params={"problem": type(error).__name__})) from error
    if merged:
        raise Refused(*merged)
    return [_Sheet(sheet.title, sheet) for sheet in visible]


def _refuse_bomb(package: zipfile.ZipFile, packed: int) -> None:
    unpacked = sum(part.file_size for part in package.infolist())
    if unpacked > MAX_UNPACKED or unpacked > max(packed, 20_000) * MAX_RATIO:
        raise Refused(Finding("file.bomb", params={"size": _megabytes(unpacked)}))
    if "xl/workbook.xml" not in package.namelist():
        raise Refused(Finding("file.binary"))


def _refuse_entities(package: zipfile.ZipFile) -> None:
    """XML of a workbook has no document type: one that has may expand without end."""
    for part in package.infolist():
        with package.open(part) as stream:
            if part.filename.endswith((".xml", ".rels")) and b"<!" in stream.read(2000).replace(b"<!--", b""):
                raise Refused(
                    Finding("file.damaged", params={"problem": "document type in " + part.filename})
                )


def _merged(source: Source, sheet: Any) -> list[Finding]:
    with (
        zipfile.ZipFile(io.BytesIO(source.data)) as package,
        package.open(sheet._worksheet_path.lstrip("/")) as stream,
    ):
        ranges: list[str] = []
        tail = b""
        while chunk := stream.read(1 << 16):
            text = tail + chunk
            ranges += [
                each.decode() for each in re.findall(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z0-9:]+)"', text)
            ]
            tail = text[text.rfind(b"<") :] if b"<" in text[-200:] else b""
    unique = list(dict.fromkeys(ranges))
    return (
        [Finding("table.merged_cells", sheet.title, params={"cells": unique[:10], "sheet": sheet.title})]
        if unique
        else []
    )


# -------------------------------------------------------------------------------------------- JSON


def read_json(source: Source) -> Any:
    """A JSON document: numbers with a point as Decimal; NaN, Infinity and duplicate keys are refused."""
    if source.is_workbook:
        raise Refused(Finding("file.binary"))
    encoding = _marked_encoding(source.data)
    try:
        text = source.data.decode(encoding)
    except UnicodeDecodeError:
        raise Refused(Finding("file.encoding_unknown")) from None
    try:
        value = json.loads(
            text,
            parse_float=_number,
            parse_constant=_NoNumber,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        raise Refused(
            Finding("json.syntax", params={"line": error.lineno, "at": error.colno, "problem": error.msg})
        ) from error
    except RecursionError:
        raise Refused(Finding("json.too_deep")) from None
    except ValueError as error:  # an integer of thousands of digits
        raise Refused(Finding("json.endless_number")) from error
    if problems := list(_json_problems(value)):
        raise Refused(*problems)
    _refuse_unwritable(value)
    return value


def _refuse_unwritable(value: Any) -> None:
    """Escapes can smuggle in what no database takes: half a surrogate pair, a NUL."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise Refused(Finding("file.damaged_text")) from None
    if "\\u0000" in json.dumps(value, default=str):
        raise Refused(Finding("file.binary"))


@dataclass(frozen=True, slots=True)
class _NoNumber:
    """NaN, Infinity or a number that no plan means, kept until its path is known."""

    word: str


class _Doubled(dict[str, Any]):
    """An object that has keys twice."""

    keys_twice: list[str]


def _number(text: str) -> Decimal | _NoNumber:
    number = Decimal(text)
    return number if abs(number.adjusted()) < 40 else _NoNumber(text[:40])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    doubled = _Doubled(made)
    names = [key for key, _value in pairs]
    doubled.keys_twice = sorted({key for key in names if names.count(key) > 1})
    return doubled


def _json_problems(document: Any) -> Iterator[Finding]:
    """What `_number` and `_object` left in the document, by path."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, _NoNumber):
            yield Finding("json.not_a_number", path, params={"text": value.word})
        elif isinstance(value, list):
            waiting += [(f"{path}[{at}]", each) for at, each in enumerate(value)]
        elif isinstance(value, dict):
            prefix = f"{path}." if path else ""
            for key in getattr(value, "keys_twice", ()):
                yield Finding("json.duplicate_key", prefix + key, params={"key": key})
            waiting += [(prefix + key, each) for key, each in value.items()]


# ----------------------------------------------------------------------------------------- writing


def safe_text(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def csv_text(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> str:
    """A CSV with the columns' header; formula-like texts are made harmless."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    writer.writerows([[safe_text(row.get(column.name, "")) for column in columns] for row in rows])
    return out.getvalue()


def workbook_bytes(sheets: Mapping[str, tuple[Sequence[Column], Sequence[Mapping[str, Any]]]]) -> bytes:
    """An XLSX with one sheet per entry, and a sheet 'help' that explains the columns."""
    book = Workbook()
    book.remove(book.active)
    for name, (columns, rows) in sheets.items():
        sheet = book.create_sheet(name)
        sheet.append([column.name for column in columns])
        for row in rows:
            sheet.append([row.get(column.name) for column in columns])
        _as_text(sheet)
        sheet.freeze_panes = "A2"
    help_sheet = book.create_sheet("help")
    help_sheet.append(["sheet", "column", "required", "what it holds", "example"])
    for name, (columns, _filled) in sheets.items():
        for column in columns:
            help_sheet.append(
                [name, column.name, "yes" if column.required else "", column.help, column.example]
            )
    _as_text(help_sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _as_text(sheet: Any) -> None:
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for cells in sheet.iter_rows(min_row=2):
        for cell in cells:
            if cell.data_type == "f":  # openpyxl takes "=…" for a formula; it is text
                cell.data_type = "s"
