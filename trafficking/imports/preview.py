"""What a checked import looks like: its rows with what is wrong at each cell, and the person's file corrected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from campaigns.import_runs import ImportRun
from governance.corrected import Marks, corrected_csv, corrected_workbook
from governance.findings import Finding
from governance.models import Brand, Channel, Market
from governance.tables import ERRORS_COLUMN, Source
from trafficking.imports import mending, storage
from trafficking.imports.kinds import KINDS
from trafficking.imports.mending import Spot

PAGE = 50


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    said: list[Finding]
    proposal: str = ""

    @property
    def wrong(self) -> bool:
        return any(finding.blocking for finding in self.said)


@dataclass(frozen=True, slots=True)
class PreviewRow:
    number: int
    cells: list[Cell]
    said: list[Finding]  # about the row as a whole

    @property
    def wrong(self) -> bool:
        return any(finding.blocking for finding in self.said) or any(cell.wrong for cell in self.cells)


@dataclass
class PartPreview:
    """One file of the import. `whole`: findings without a row; of JSON all, as it has paths instead of rows."""

    run: ImportRun
    part: str
    by_spot: dict[Spot, list[Finding]]
    known: dict[str, list[str]]
    whole: list[Finding] = field(default_factory=list)

    @property
    def about(self) -> dict[str, Any]:
        return self.run.files[self.part]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """(as in the file, our name); the column of errors that we added is not shown."""
        return [(self.about["headers"][at], self._name(at)) for at in self.positions]

    @property
    def positions(self) -> list[int]:
        return [at for at, key in enumerate(self.about["keys"]) if key != ERRORS_COLUMN]

    def _name(self, at: int) -> str:
        return self.about["columns"].get(self.about["keys"][at], "")

    @property
    def wrong_rows(self) -> set[int]:
        return {spot.row for spot, said in self.by_spot.items() if spot.row and any(f.blocking for f in said)}

    @property
    def told_rows(self) -> set[int]:
        return {spot.row for spot in self.by_spot if spot.row}

    def page(self, number: int, *, only_told: bool) -> list[PreviewRow]:
        """The rows of page `number` (from 1); with `only_told`, of the rows that something is said of."""
        rows = storage.rows_of(self.run, self.part, self.told_rows if only_told else None)
        return [self._row(*row) for row in islice(rows, (number - 1) * PAGE, number * PAGE)]

    def count(self, *, only_told: bool) -> int:
        rows = int(self.about.get("rows") or 0)
        return min(rows, len(self.told_rows)) if only_told else rows

    def _row(self, number: int, cells: list[str]) -> PreviewRow:
        made = [self._cell(number, at, cells[at] if at < len(cells) else "") for at in self.positions]
        return PreviewRow(number, made, self.by_spot.get(Spot(self.part, number, -1), []))

    def _cell(self, number: int, at: int, text: str) -> Cell:
        said = self.by_spot.get(Spot(self.part, number, at), [])
        return Cell(text, said, self.proposal(said, at, text) if said else "")

    def proposal(self, said: Sequence[Finding], at: int, text: str) -> str:
        wrong = [finding for finding in said if finding.blocking]
        return mending.agreed(
            [mending.mended(each, text, self.known.get(self._name(at), ())) for each in wrong]
        )


def preview_of(run: ImportRun) -> dict[str, PartPreview]:
    """By part, the file first."""
    names = {
        part: [about["columns"].get(key, "") for key in about["keys"]] for part, about in run.files.items()
    }
    known = _known_words(run)
    parts = {part: PartPreview(run, part, {}, known) for part in run.files}
    grouped: dict[Spot, list[Finding]] = defaultdict(list)
    for stored in run.report.get("findings", ()):
        finding = Finding.from_dict(stored)
        spot = mending.spot_of(finding, names)
        part = parts.get(spot.part) or parts["file"]
        if spot.row and not part.about["json"]:
            grouped[spot].append(finding)
        else:
            part.whole.append(finding)
    for spot, said in grouped.items():
        parts[spot.part].by_spot[spot] = said
    return parts


def _known_words(run: ImportRun) -> dict[str, list[str]]:
    """Codes and names by column, as far as they are the person's to see."""
    if not run.error_count:
        return {}
    brands = Brand.objects.visible_to(run.owner).current().values_list("code", "name")
    markets = Market.objects.visible_to(run.owner).current().values_list("code", "name")
    channels = list(Channel.objects.filter(active=True).values_list("code", flat=True))
    return {
        "brand": [text for pair in brands for text in pair], "market": [text for pair in markets for text in pair],
        "channel": channels, "channels": channels,
    }  # fmt: skip


# ---------------------------------------------------------------------------------- the corrected file


def corrected(run: ImportRun, part: str, file_format: str) -> Source:
    """The part as the person sent it, with its errors and what is clear put right. `file_format`: csv or xlsx."""
    preview = preview_of(run)[part]
    about, kind = preview.about, KINDS[run.kind]
    stem = about["name"].rpartition(".")[0] or about["name"]
    stem = stem.removesuffix("-corrected")
    rows, marks = _marked_rows(preview)
    headers = [header for header, _name in preview.headers] or ["path", "value"]
    if file_format == "xlsx":
        data = corrected_workbook(headers, rows, marks, kind.part(part).sheet)
        return Source(f"{stem}-corrected.xlsx", data)
    return Source(f"{stem}-corrected.csv", corrected_csv(headers, rows, marks, about.get("delimiter") or ","))


def _marked_rows(preview: PartPreview) -> tuple[Iterator[tuple[int, list[str]]], Marks]:
    marks = Marks(whole=[_words(finding) for finding in preview.whole])
    if preview.about["json"]:  # a list of what is wrong, by path
        rows = [
            (at, [finding.field, str(finding.params.get("text", ""))])
            for at, finding in enumerate(preview.whole)
        ]
        marks.rows = {at: [_words(finding)] for at, finding in enumerate(preview.whole)}
        return iter(rows), marks
    texts = dict(storage.rows_of(preview.run, preview.part, preview.told_rows))
    positions = preview.positions
    for spot, said in preview.by_spot.items():
        if spot.at < 0:
            marks.rows[spot.row] = [_words(finding) for finding in said]
            continue
        at = positions.index(spot.at)
        headed = preview.headers[at][0]
        marks.cells[spot.row, at] = [f"{headed}: {_words(finding)}" for finding in said]
        text = texts.get(spot.row, [])
        if proposal := preview.proposal(said, spot.at, text[spot.at] if spot.at < len(text) else ""):
            marks.proposals[spot.row, at] = proposal
    rows_all = storage.rows_of(preview.run, preview.part)
    return ((number, [cells[at] for at in positions]) for number, cells in rows_all), marks


def _words(finding: Finding) -> str:
    return f"{finding.message} {finding.remedy}".strip()
