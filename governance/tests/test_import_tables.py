"""Files as people send them: read in one way, or refused with what to do."""

from __future__ import annotations

import csv
import io
import string
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from governance import cells
from governance.tables import (
    Column,
    Place,
    Refused,
    Source,
    csv_text,
    decode,
    header_key,
    read_json,
    read_tables,
    safe_text,
    workbook_bytes,
)

COLUMNS = (
    Column("line", "The id.", required=True),
    Column("name", "The name."),
    Column("cost_media", "The cost.", required=True),
)
SHEETS = {"plan": COLUMNS}


def table(data: bytes | str, name: str = "plan.csv"):
    raw = data.encode() if isinstance(data, str) else data
    return read_tables(Source(name, raw), SHEETS, wanted="plan")[0]


def rows_of(data: bytes | str, name: str = "plan.csv") -> list[dict]:
    read = table(data, name)
    rows = [dict(row.cells) for row in read.rows]
    assert not [finding for finding in read.findings if finding.blocking], [f.message for f in read.findings]
    return rows


def codes(data: bytes | str, name: str = "plan.csv") -> list[str]:
    read = table(data, name)
    list(read.rows)
    return [finding.code for finding in read.findings]


def refusal(data: bytes, name: str = "plan.csv") -> list[str]:
    with pytest.raises(Refused) as refused:
        for read in read_tables(Source(name, data), SHEETS, wanted="plan"):
            list(read.rows)
    assert all(finding.message != finding.code and finding.remedy for finding in refused.value.findings)
    return [finding.code for finding in refused.value.findings]


def xlsx(rows: list[list], *, merge: str = "", sheets: dict[str, list[list]] | None = None) -> bytes:
    book = Workbook()
    book.active.title = "plan"
    for row in rows:
        book.active.append(row)
    if merge:
        book.active.merge_cells(merge)
    for title, others in (sheets or {}).items():
        sheet = book.create_sheet(title)
        for row in others:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


PLAIN = "line,name,cost_media\nL1,Café,10\n"


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        ("sep=;\n" + PLAIN.replace(",", ";")).encode(),
        ("\n" + PLAIN).encode(),
        ("Line , NAME,Cost-Media\n" + "L1,Café,10\n").encode(),
    ],
    ids=[
        "utf8",
        "bom",
        "utf16",
        "utf16le",
        "utf16be",
        "semicolons",
        "tabs",
        "crlf",
        "cr",
        "sep",
        "blank",
        "headers",
    ],
)
def test_every_usual_csv_reads_alike(data):
    assert rows_of(data) == [{"line": "L1", "name": "Café", "cost_media": "10"}]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp1252", "Zürich – Café “Œuvre” 20 €"),
        ("cp1251", "Запуск рекламной кампании в Москве весной"),
        ("cp932", "春の新商品キャンペーン東京と大阪で開催します"),
    ],
)
def test_an_encoding_that_is_not_unicode_is_read_and_said(encoding, name):
    lines = "".join(f"L{n},{name},10\n" for n in range(8))
    read = table(("line,name,cost_media\n" + lines).encode(encoding))
    assert {row.text("name") for row in read.rows} == {name}
    [finding] = read.findings
    assert finding.code == "file.encoding_guessed" and not finding.blocking
    assert any(word in finding.message for word in name.split())


def test_text_that_was_damaged_before_is_refused():
    assert refusal("line,name,cost_media\nL1,Caf\ufffd,10\n".encode()) == ["file.damaged_text"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b" \n\t\n", "file.empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "file.binary"),
        (b"line,name,cost_media\nL1,\x00\x01\x02,3\n", "file.binary"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "file.old_excel"),
        (b"PK\x03\x04" + b"garbage" * 50, "file.damaged"),
        (b"PK\x03\x04", "file.damaged"),
    ],
)
def test_what_is_no_table_is_refused(data, code):
    assert refusal(data) == [code]


def test_an_empty_file_is_refused():
    with pytest.raises(Refused) as refused:
        Source("plan.csv", b"")
    assert refused.value.findings[0].code == "file.empty"


def test_a_file_over_the_limit_is_refused_without_being_read(settings, tmp_path, monkeypatch):
    settings.IMPORT_MAX_BYTES = 1000
    path = tmp_path / "plan.csv"
    path.write_bytes(b"x" * 1001)
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda self: pytest.fail("read"))
    with pytest.raises(Refused) as refused:
        Source.from_path(path)
    assert refused.value.findings[0].code == "file.too_big"

    class Upload:
        name, size = "plan.csv", 5_000

        def read(self):
            pytest.fail("read")

    with pytest.raises(Refused):
        Source.from_upload(Upload())


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(Refused) as refused:
        Source.from_path(tmp_path / "nothing.csv")
    assert refused.value.findings[0].code == "file.missing"


def test_headers_are_checked_all_at_once():
    read = table("line,line,cost,wrong\nL1,L1,1,2\n")
    found = {(finding.code, finding.params["text"]) for finding in read.findings}
    assert found == {
        ("table.duplicate_column", "line"),
        ("table.unknown_column", "cost"),
        ("table.unknown_column", "wrong"),
        ("table.missing_column", "cost_media"),
    }
    [near] = [finding for finding in read.findings if finding.params["text"] == "cost"]
    assert near.params["column"] == "cost" and near.params["row"] == 1


def test_stray_cells_are_told_with_their_row():
    read = table('line,name,cost_media\nL1,a,1\nL2,b,2,extra\n"L3,c",3\n')
    list(read.rows)
    assert [(f.code, f.params["row"]) for f in read.findings] == [("table.extra_cells", 3)]


def test_a_nameless_column_with_values_is_told():
    assert codes("line,,cost_media\nL1,x,1\n") == ["table.nameless_column"]


def test_quoted_newlines_and_separators_are_part_of_the_text():
    text = 'line,name,cost_media\nL1,"two\nlines, and ""quotes""",10\nL2,b,20\n'
    first, second = rows_of(text)
    assert first["name"] == 'two\nlines, and "quotes"'
    read = table(text)
    assert [row.place.row for row in read.rows] == [2, 3]
    assert second["cost_media"] == "20"


def test_an_open_quote_is_refused_with_its_row():
    read = table('line,name,cost_media\nL1,"open,10\nL2,b,20\n')
    assert list(read.rows) == []
    assert "table.quotes" in [finding.code for finding in read.findings]


def test_a_header_alone_has_no_rows():
    assert codes("line,name,cost_media\n\n , ,\n") == ["table.no_rows"]


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr("governance.tables.MAX_ROWS", 3)
    assert codes("line,cost_media\n" + "L,1\n" * 5) == ["table.too_many_rows"]


def test_a_formula_in_a_csv_stays_text():
    [row] = rows_of('line,name,cost_media\nL1,"=HYPERLINK(""http://x.example"",""y"")",10\n')
    assert row["name"] == '=HYPERLINK("http://x.example","y")'


def test_what_we_write_never_becomes_a_formula():
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1"):
        assert safe_text(text)[0] == "'"
    assert safe_text("a=1") == "a=1" and safe_text(5) == 5
    written = csv_text(COLUMNS, [{"line": "=HYPERLINK(1)", "cost_media": "-5"}])
    cells_written = next(iter(list(csv.reader(io.StringIO(written)))[1:]))
    assert cells_written == ["'=HYPERLINK(1)", "", "'-5"]
    book = load_workbook(io.BytesIO(workbook_bytes({"plan": (COLUMNS, [{"line": "=HYPERLINK(1)"}])})))
    cell = book["plan"]["A2"]
    assert (cell.data_type, cell.value) == ("s", "=HYPERLINK(1)")


# ------------------------------------------------------------------------------------------ XLSX


def test_a_workbook_reads_like_its_csv():
    data = xlsx([["line", "name", "cost_media"], ["L1", "Café", 10.5], [None, None, None], [7, "x", 3]])
    assert rows_of(data, "plan.xlsx") == [
        {"line": "L1", "name": "Café", "cost_media": 10.5},
        {"line": 7, "name": "x", "cost_media": 3},
    ]


def test_merged_cells_are_refused_by_name():
    data = xlsx([["line", "name", "cost_media"], ["L1", "a", 1], [None, "b", 2]], merge="A2:A3")
    with pytest.raises(Refused) as refused:
        table(data, "plan.xlsx")
    [finding] = refused.value.findings
    assert finding.code == "table.merged_cells" and "A2:A3" in finding.message


def test_a_formula_cell_is_refused_and_never_evaluated():
    data = xlsx([["line", "name", "cost_media"], ["L1", "a", "=5*1000"]])
    read = table(data, "plan.xlsx")
    list(read.rows)
    [finding] = read.findings
    assert finding.code == "table.formula" and "C2" in finding.message and "=5*1000" in finding.message


def test_text_that_looks_like_a_formula_stays_text_in_a_workbook():
    data = workbook_bytes({"plan": (COLUMNS, [{"line": "L1", "name": "=HYPERLINK(1)", "cost_media": "10"}])})
    assert rows_of(data, "plan.xlsx")[0]["name"] == "=HYPERLINK(1)"


def test_several_sheets_with_data_need_a_name():
    header = [["line", "name", "cost_media"], ["L1", "a", 1]]
    book = xlsx(header, sheets={"more": header})
    assert rows_of(book, "plan.xlsx")[0]["line"] == "L1"  # the sheet named 'plan' is the one
    unnamed = load_workbook(io.BytesIO(book))
    unnamed["plan"].title = "other"
    out = io.BytesIO()
    unnamed.save(out)
    assert refusal(out.getvalue(), "plan.xlsx") == ["table.several_sheets"]


def test_a_zip_bomb_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", "<x/>")
        package.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    assert refusal(out.getvalue(), "plan.xlsx") == ["file.bomb"]


def test_a_document_type_in_a_workbook_is_refused():
    data = io.BytesIO(xlsx([["line", "cost_media"], ["L1", 1]]))
    out = io.BytesIO()
    with zipfile.ZipFile(data) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.infolist():
            text = old.read(part)
            if part.filename == "xl/workbook.xml":
                text = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + text
            new.writestr(part, text)
    assert refusal(out.getvalue(), "plan.xlsx") == ["file.damaged"]


def test_a_zip_that_is_no_workbook_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("readme.txt", "hello")
    assert refusal(out.getvalue(), "plan.xlsx") == ["file.binary"]


# ------------------------------------------------------------------------------------------ JSON


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1, "a": 2}', "json.duplicate_key"),
        ('{"a": NaN}', "json.not_a_number"),
        ('{"a": -Infinity}', "json.not_a_number"),
        ('{"a": 1', "json.syntax"),
        ('{"a": ' + "1" * 6000 + "}", "json.endless_number"),
        ("[" * 100_000, "json.too_deep"),
    ],
)
def test_bad_json_is_refused(text, code):
    with pytest.raises(Refused) as refused:
        read_json(Source("plan.json", text.encode()))
    assert [finding.code for finding in refused.value.findings] == [code]


def test_json_numbers_keep_their_digits():
    assert read_json(Source("x.json", b'{"a": 19.99, "b": 0.10}')) == {
        "a": Decimal("19.99"),
        "b": Decimal("0.10"),
    }


# ------------------------------------------------------------------------------------------ cells

HERE = Place(7)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("03/04/2026", "cell.date_two_ways", ["2026-04-03", "2026-03-04"]),
        ("13.04.2026", "cell.date_order", ["2026-04-13"]),
        ("2026/04/03", "cell.date_order", ["2026-04-03"]),
        ("2026-02-30", "cell.date", ["2026-02-30"]),
        ("soon", "cell.date", ["soon"]),
        ("46000", "cell.date", ["46000"]),
        ("2026-4-3", "cell.date_order", ["2026-04-03"]),
    ],
)
def test_dates_that_are_not_iso_are_refused_with_their_readings(text, code, words):
    value, [finding] = cells.read_date(text, HERE, "start_date")
    assert value is None and finding.code == code
    assert (finding.params["row"], finding.params["column"]) == (7, "start_date")
    for word in words:
        assert word in finding.message + finding.remedy


@given(st.dates(date(cells.FIRST_YEAR, 1, 1), date(cells.LAST_YEAR, 12, 31)))
def test_every_iso_date_reads_back(day: date):
    assert cells.read_date(day.isoformat(), HERE, "d") == (day, [])


@pytest.mark.parametrize(
    ("text", "reading"), [("1,000.50", "1000.50"), ("1.000,50", "1000.50"), ("1 000", "1000")]
)
def test_amounts_with_separators_are_refused_with_the_reading_meant(text, reading):
    value, [finding] = cells.read_amount(text, HERE, "cost_media")
    assert value is None and finding.code == "money.separators" and reading in finding.remedy


@given(st.decimals(min_value=Decimal("0.0001"), max_value=Decimal("99999999999"), places=4, allow_nan=False))
def test_every_amount_survives_text(amount: Decimal):
    assert cells.read_amount(format(amount, "f"), HERE, "cost_media") == (amount, [])


def test_a_spreadsheets_float_is_read_as_it_is_shown():
    assert cells.read_amount(19.989999999999998, HERE, "c") == (Decimal("19.99"), [])
    assert cells.read_amount(0.1 + 0.2, HERE, "c")[0] == Decimal("0.3")
    for bad in (float("nan"), float("inf"), -1.0, 0.0):
        assert cells.read_amount(bad, HERE, "c")[1]


_TEXT = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffd\u2028\u2029\x85"),
    max_size=30,
)


@given(st.lists(st.tuples(_TEXT, _TEXT), min_size=1, max_size=6))
def test_any_text_makes_the_round_trip_through_csv(pairs):
    rows = [
        {"line": f"L{n}", "name": a.strip(), "cost_media": f"x{b.strip()}"} for n, (a, b) in enumerate(pairs)
    ]
    read = rows_of("\ufeff" + csv_text(COLUMNS, rows))
    for before, after in zip(rows, read, strict=True):
        name = after.get("name", "")
        assert name == safe_text(before["name"]).strip(" \u00a0\u202f") or name == before["name"]
        assert after["cost_media"] == before["cost_media"].strip(" \u00a0\u202f")


@given(
    st.lists(st.text(string.ascii_letters + " |,;'\"é", min_size=1).map(str.strip).filter(bool), max_size=5)
)
def test_lists_in_a_cell_read_back_unless_they_hold_the_separator(values):
    clean = [value for value in values if " | " not in f" {value} "]
    assert cells.split_list(cells.join_list(clean)) == clean


def test_headers_are_compared_without_case_and_spaces():
    assert header_key(" Start Date ") == header_key("start-date") == "start_date"


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(data: bytes):
    try:
        decode(data)
    except Refused as refused:
        assert refused.findings


def test_a_short_western_text_is_called_by_its_usual_encoding():
    text, [finding] = decode("line,name\nL1,Zürich\n".encode("cp1252"))
    assert "Zürich" in text and finding.params["encoding"] == "cp1252"


def test_problems_in_json_are_told_by_path_all_at_once():
    text = '{"a": [{"b": NaN, "c": 1, "c": 2}], "d": {"e": 1e999999999}}'
    with pytest.raises(Refused) as refused:
        read_json(Source("p.json", text.encode()))
    assert {(f.code, f.field) for f in refused.value.findings} == {
        ("json.not_a_number", "a[0].b"), ("json.duplicate_key", "a[0].c"), ("json.not_a_number", "d.e"),
    }  # fmt: skip


def test_windows_text_with_a_euro_sign_is_not_taken_for_an_old_macs():
    text, [warning] = decode("line;name;cost_media\nL1;Käse €5;10\n".encode("cp1252"))
    assert "Käse €5" in text and warning.params["encoding"] == "cp1252"


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-x", "@home", "'quoted'"])
def test_what_we_write_reads_back_as_it_was(text):
    [found] = read_tables(
        Source("p.csv", csv_text(COLUMNS, [{"line": "1", "name": text, "cost_media": "1"}]).encode()), SHEETS
    )
    assert [row.text("name") for row in found.rows] == [text]


@pytest.mark.parametrize(
    ("text", "code"), [("100.5.6", "money.not_a_number"), ("1,000,000.5", "money.separators")]
)
def test_a_reading_is_offered_only_where_there_is_one(text, code):
    _value, [finding] = cells.read_amount(text, HERE, "cost_media")
    assert finding.code == code


@pytest.mark.parametrize("text", ["0227-03-01", "9999-12-31"])
def test_a_slip_in_the_year_is_told(text):
    assert [each.code for each in cells.read_date(text, HERE, "start_date")[1]] == ["cell.date_far"]
