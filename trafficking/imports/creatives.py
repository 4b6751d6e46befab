"""The creative sheet: one row per ad, with what its line and ticket still need. Format: docs/import.md."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from governance import cells
from governance.findings import Finding
from governance.tables import Column, Place, Row, Source, read_tables
from trafficking.imports.mapping import content_hash
from trafficking.models.tree import CALLS_TO_ACTION, CONVERSION_EVENTS, FORMATS
from trafficking.rules import declaration_findings

MEDIA_KINDS = ("IMAGE", "SQUARE_IMAGE", "PORTRAIT_IMAGE", "LOGO", "VIDEO", "YOUTUBE_VIDEO", "THUMBNAIL")
COLUMNS = (
    Column("line", "The line's id in the plan.", "L1", required=True),
    Column("ad", "The ad's name, once per line.", "Boat 1", required=True),
    Column("format", "IMAGE, VIDEO, CAROUSEL, SEARCH_TEXT or RESPONSIVE_DISPLAY.", "IMAGE", required=True),
    Column("texts", "Primary texts, separated by ' | '.", "Set sail with the family."),
    Column("headlines", "Headlines, separated by ' | '.", "Moana is here | In cinemas now"),
    Column("descriptions", "Descriptions, separated by ' | '.", "From 26 November"),
    Column("long_headline", "Google display and Demand Gen: one long headline.", ""),
    Column("business_name", "Google: up to 25 characters.", ""),
    Column("call_to_action", "The button: LEARN_MORE, SHOP_NOW, SIGN_UP, …", "LEARN_MORE"),
    Column("landing_page", "Where a click leads, without UTM: the convention adds that.", "https://www.example.com/moana"),
    Column("display_paths", "Search: at most two, separated by ' | '.", ""),
    Column("media", "Files in the platform's library as kind:id, separated by ' | '.", "IMAGE:0123456789abcdef0123456789abcdef"),
    Column("media_files", "Files of the brand's media library by name, or https addresses, as kind:name or name alone; separated by ' | '.", ""),
    Column("cards", "Carousel cards separated by ' | ', each media id (or file:name, file:https://…) ; headline ; description ; landing page.", ""),
    Column("keywords", "Search: words (broad), \"words\" (phrase) or [words] (exact), separated by ' | '.", ""),
    Column("negative_keywords", "Likewise, excluded.", ""),
    Column("conversion_event", "For conversions: PURCHASE, LEAD, ADD_TO_CART, …", ""),
    Column("placements", "The platform's own names, separated by ' | '. Empty: automatic.", ""),
    Column("special_ad_categories", "'none', or HOUSING; EMPLOYMENT; … A person states it.", "none"),
    Column("special_ad_category_countries", "ISO codes where a category applies.", ""),
    Column("political", "Is it political advertising? yes or no. A person states it.", "no"),
    Column("ad_settings", "The platform's own options of the ad, as a JSON object.", ""),
    Column("ad_set_settings", "Likewise, of the ad set.", ""),
    Column("ticket_settings", 'Likewise, of the ticket: {"demand_gen_accepted": true}.', ""),
)  # fmt: skip
_HELP = {column.name: column.help for column in COLUMNS}
_CODES = {
    "format": [code for code, _label in FORMATS],
    "call_to_action": [code for code, _label in CALLS_TO_ACTION],
    "conversion_event": [code for code, _label in CONVERSION_EVENTS],
}


#: Stands in a row until its file has been found: what has errors is checked all the same.
NOT_FOUND_YET = "0" * 64


@dataclass(slots=True)
class FileWish:
    """A file that a row names: `target` is the medium or card that it belongs to."""

    column: str
    text: str  # name, content hash or address
    target: dict[str, str]
    kind_given: bool = True

    @property
    def is_url(self) -> bool:
        return self.text.lower().startswith(("https://", "http://"))

    def is_found(self, sha256: str, is_video: bool) -> None:
        self.target["file"] = sha256
        if not self.kind_given:
            self.target["kind"] = "VIDEO" if is_video else "IMAGE"


@dataclass(slots=True)
class CreativeRow:
    """One ad. `ad_values` by field of Ad; `ad_set_values` and `ticket_values` hold only what the row states."""

    place: Place
    line: str
    ad: str
    ad_values: dict[str, Any]
    ad_set_values: dict[str, Any]
    ticket_values: dict[str, Any]
    digest: str
    files: list[FileWish] = field(default_factory=list)


@dataclass
class CreativeSheet:
    """A sheet as read; rows by line id."""

    rows: dict[str, list[CreativeRow]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def has_addresses(self) -> bool:
        return any(wish.is_url for rows in self.rows.values() for row in rows for wish in row.files)

    def ad_set_values(self, line: str) -> dict[str, Any]:
        return {name: value for row in self.rows.get(line, ()) for name, value in row.ad_set_values.items()}


def read_creatives(source: Source) -> CreativeSheet:
    """Raises `Refused` where the file can't be read; else all findings are in the answer."""
    [table] = read_tables(source, {"creatives": COLUMNS}, wanted="creatives", label="creatives")
    sheet = CreativeSheet()
    seen: dict[tuple[str, str], int] = {}
    for row in table.rows:
        reader = _RowReader(row, set(table.headers))
        made = reader.read(seen)
        sheet.findings += reader.findings
        if made is not None and not reader.findings:
            sheet.rows.setdefault(made.line, []).append(made)
    sheet.findings = [*table.findings, *table.about_present(sheet.findings, COLUMNS)]
    for rows in sheet.rows.values():
        sheet.findings += conflicts(rows, "ad_set_values", "line")
    return sheet


def conflicts(rows: list[CreativeRow], level: str, what: str) -> list[Finding]:
    """Rows that state different values for what they share."""
    stated: dict[str, tuple[Any, CreativeRow]] = {}
    found = []
    for row in rows:
        for name, value in getattr(row, level).items():
            first = stated.setdefault(name, (value, row))
            if first[0] != value:
                params = {"level": what, "first": first[1].place.row, "other": _shown(first[0])}
                column = {"config": "ad_set_settings", "payload_config": "ticket_settings"}.get(name, name)
                found.append(
                    Finding(
                        "creatives.conflict",
                        row.place.field(column),
                        params={**params, "row": row.place.row, "column": column},
                    )
                )
    return found


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class _RowReader:
    def __init__(self, row: Row, headers: set[str]) -> None:
        self.row = row
        self.place = row.place
        self.headers = headers
        self.findings: list[Finding] = []
        self.files: list[FileWish] = []

    def read(self, seen: dict[tuple[str, str], int]) -> CreativeRow | None:
        line, ad = self._required("line"), self._required("ad")
        self._required("format")
        key = (line, ad.casefold())
        if line and ad and key in seen:
            self.findings.append(
                self.place.block("creatives.duplicate", "ad", ad=ad, line=line, first=seen[key])
            )
        seen.setdefault(key, self.place.row)
        ad_values, ad_set_values, ticket_values = (
            self._ad_values(),
            self._ad_set_values(),
            self._ticket_values(),
        )
        if not line or not ad:
            return None
        stated = {"ad": ad_values, "ad_set": ad_set_values, "ticket": ticket_values}
        if self.files:  # as they are written: what a name or address leads to may change without the sheet
            stated["files"] = {f"{at} {each.column}": each.text for at, each in enumerate(self.files)}
        digest = content_hash(stated)
        return CreativeRow(self.place, line, ad, ad_values, ad_set_values, ticket_values, digest, self.files)

    def _required(self, column: str) -> str:
        text = " ".join(self.row.text(column).split())
        if not text:
            self.findings.append(self.place.block("cell.required", column, what=column, help=_HELP[column]))
        self.findings += cells.too_long(text, 200, self.place, column)
        return text

    def _ad_values(self) -> dict[str, Any]:
        """Only columns that the sheet has: a sheet without texts doesn't empty texts."""
        readers: dict[str, Callable[[str], Any]] = {
            "format": self._code, "call_to_action": self._code, "texts": self._list, "headlines": self._list,
            "descriptions": self._list, "display_paths": self._list, "long_headline": self._text,
            "business_name": self._text, "landing_page": self._text, "media": self._media, "cards": self._cards,
        }  # fmt: skip
        values = {column: read(column) for column, read in readers.items() if column in self.headers}
        if "media_files" in self.headers:
            values["media"] = [*values.get("media", []), *self._media_files("media_files")]
        if "ad_settings" in self.headers:
            values["config"] = self._settings("ad_settings")
        return values

    def _ad_set_values(self) -> dict[str, Any]:
        readers: dict[str, Callable[[str], Any]] = {
            "keywords": self._keywords, "negative_keywords": self._keywords, "placements": self._list,
            "conversion_event": self._code,
        }  # fmt: skip
        values = {column: read(column) for column, read in readers.items() if self.row.text(column)}
        if self.row.text("ad_set_settings"):
            values["config"] = self._settings("ad_set_settings")
        return values

    def _ticket_values(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if text := self.row.text("special_ad_categories"):
            categories = (
                [] if text.casefold() == "none" else [each.upper() for each in cells.split_codes(text)]
            )
            countries = [
                each.upper() for each in cells.split_codes(self.row.text("special_ad_category_countries"))
            ]
            found = declaration_findings(categories, countries)
            self.findings += [self.place.moved(finding, finding.field) for finding in found]
            values |= {"special_ad_categories": categories, "special_ad_category_countries": countries}
        if self.row.text("political"):
            answer, found = cells.read_yes_no(self.row["political"], self.place, "political")
            self.findings += found
            values["political"] = "CONTAINS" if answer else "DOES_NOT_CONTAIN"
        if self.row.text("ticket_settings"):
            values["payload_config"] = self._settings("ticket_settings")
        return values

    # -------------------------------------------------------------------------------- cells of a row

    def _text(self, column: str) -> str:
        return self.row.text(column)

    def _list(self, column: str) -> list[str]:
        return cells.split_list(self.row.text(column))

    def _code(self, column: str) -> str:
        text = self.row.text(column)
        if not text:
            return ""
        code, found = cells.read_choice(text, _CODES[column], self.place, column)
        self.findings += found
        return code

    def _media(self, column: str) -> list[dict[str, str]]:
        made = []
        for part in self._list(column):
            kind, colon, media_id = part.partition(":")
            kind = kind.strip().upper().replace(" ", "_")
            if not colon or kind not in MEDIA_KINDS or not media_id.strip():
                self.findings.append(
                    self.place.block("cell.pair", column, text=part, example="IMAGE:0123abcd | LOGO:4567")
                )
                continue
            made.append({"kind": kind, "id": media_id.strip()})
        return made

    def _media_files(self, column: str) -> list[dict[str, str]]:
        return [self._media_file(column, part) for part in self._list(column)]

    def _media_file(self, column: str, part: str) -> dict[str, str]:
        kind, _colon, name = part.partition(":")
        kind = kind.strip().upper().replace(" ", "_")
        given = kind in MEDIA_KINDS and bool(name.strip())
        made = {"kind": kind if given else "IMAGE", "file": NOT_FOUND_YET}
        self.files.append(FileWish(column, name.strip() if given else part.strip(), made, kind_given=given))
        return made

    def _card(self, values: Mapping[str, str]) -> dict[str, str]:
        """`file:…` in place of the media id names a file."""
        made = {name: value for name, value in values.items() if value}
        prefix, _colon, name = made["media_id"].partition(":")
        if prefix.strip().casefold() != "file" or not name.strip():
            return made
        del made["media_id"]
        made["file"] = NOT_FOUND_YET
        self.files.append(FileWish("cards", name.strip(), made))
        return made

    def _cards(self, column: str) -> list[dict[str, str]]:
        made = []
        for part in self._list(column):
            values = [each.strip() for each in re.split(r"\s+;\s+|\s*;\s*$", part)]
            if len(values) > 4 or not values[0]:
                self.findings.append(
                    self.place.block(
                        "cell.pair",
                        column,
                        text=part,
                        example="0123abcd ; Boat ; Set sail ; https://www.example.com/boat",
                    )
                )
                continue
            names = ("media_id", "headline", "description", "landing_page")
            made.append(self._card(dict(zip(names, values, strict=False))))
        return made

    def _keywords(self, column: str) -> list[dict[str, str]]:
        return [_keyword(part) for part in self._list(column)]

    def _settings(self, column: str) -> dict[str, Any]:
        text = self.row.text(column)
        if not text:
            return {}
        try:
            value = json.loads(text, parse_constant=_no_constant)
            json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is no text
        except (ValueError, RecursionError) as error:
            self.findings.append(
                self.place.block("cell.json", column, text=text[:80], problem=str(error)[:120])
            )
            return {}
        if not isinstance(value, dict):
            self.findings.append(self.place.block("cell.json", column, text=text[:80], problem="no object"))
            return {}
        return value


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not a number")


def _keyword(text: str) -> dict[str, str]:
    """Google's own notation: [exact], "phrase", broad."""
    for opening, closing, match in (("[", "]", "EXACT"), ('"', '"', "PHRASE"), ("“", "”", "PHRASE")):
        if len(text) > 2 and text[0] == opening and text[-1] == closing:
            return {"text": text[1:-1].strip(), "match": match}
    return {"text": text, "match": "BROAD"}


def keyword_text(keyword: Mapping[str, str]) -> str:
    """The notation that `_keyword` reads."""
    marks = {"EXACT": "[{}]", "PHRASE": '"{}"', "BROAD": "{}"}
    return marks[keyword["match"]].format(keyword["text"])
