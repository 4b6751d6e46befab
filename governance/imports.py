"""Import the vocabulary: markets, brands, channels, ad accounts, aliases, audiences, exchange rates.

Through the models' own `save()`; one transaction; all errors at once; the same file again changes nothing.
A code is a key: another code is another row, so that no name changes by an import.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, ValidationError
from django.db import models, transaction

from governance import cells, services
from governance.access import Reach, reach_of
from governance.actor import acting
from governance.findings import Finding, Message, blocking
from governance.findings import gettext_noop as _
from governance.models import (
    AdAccount,
    AdAccountServes,
    Alias,
    Audience,
    Brand,
    Channel,
    ExchangeRate,
    Market,
)
from governance.models.aliases import alias_key
from governance.platforms import platform_key
from governance.tables import Column, Place, Refused, Row, Source, read_json, read_tables

MESSAGES = {
    "governance.unknown_kind": Message(_("There is no kind '{text}'."), _("Use one of: {known}.")),
    "governance.unknown_field": Message(_("'{text}' is not a field of {kind}."), _("Take it out. Known are: {known}.")),
    "governance.not_a_list": Message(_("'{text}' is not a list of objects."), _("Write a list: [{{…}}, {{…}}].")),
    "governance.not_an_object": Message(
        _("The file is not one object with a list for each kind."), _('Write {{"brands": [{{…}}], "markets": [{{…}}]}}. Kinds are {known}.')
    ),
    "governance.unknown_reference": Message(_("There is no {what} '{text}'."), _("Add it first, in this file or by hand.")),
    "governance.duplicate": Message(_("'{text}' is there twice (first at {first})."), _("Keep one of the two.")),
    "governance.refused": Message(_("{problem}"), _("Correct it in the file.")),
    "governance.pair": Message(_("'{text}' is not brand:market."), _('Write DIS:US | DIS:DE, in JSON ["DIS:US"] or [{{"brand": "DIS", "market": "US"}}].')),
    "governance.empty": Message(_("There is nothing to import in the file."), _("Add at least one row.")),
    "governance.no_right": Message(
        _("{kind} are not yours to import."), _("Ask a data admin to import them, or take them out of the file.")
    ),
    "governance.outside_reach": Message(
        _("'{text}' touches brands or markets that are not yours."), _("Ask someone whose grants cover them, or take the row out.")
    ),
    "governance.archived": Message(_("'{text}' is archived."), _("Restore it by hand first, or take it out of the file.")),
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """A field of a kind: how its cell becomes a value (`read`), and its documented column."""

    column: Column
    read: Callable[[Any, Place, str], tuple[Any, list[Finding]]]

    @property
    def name(self) -> str:
        return self.column.name


# ------------------------------------------------------------------------------------ cell readers


def _text(value: Any, place: Place, column: str) -> tuple[Any, list[Finding]]:
    if isinstance(value, dict | list | bool):
        found = (
            "an object"
            if isinstance(value, dict)
            else "a list"
            if isinstance(value, list)
            else "true or false"
        )
        return "", [place.block("cell.type", column, found=found, wanted="a text")]
    return str(value).strip(), []


def _codes(value: Any, place: Place, column: str) -> tuple[Any, list[Finding]]:
    if isinstance(value, list):
        return value, []
    return cells.split_codes(str(value)), []


def _texts(value: Any, place: Place, column: str) -> tuple[Any, list[Finding]]:
    if isinstance(value, list):
        return value, []
    return cells.split_list(str(value)), []


def _pairs(value: Any, place: Place, column: str) -> tuple[Any, list[Finding]]:
    """ "DIS:US | DIS:DE", or a list of such texts or of {"brand": "DIS", "market": "US"} -> pairs of codes."""
    written = (
        value
        if isinstance(value, list)
        else [value]
        if isinstance(value, dict)
        else cells.split_list(str(value))
    )
    pairs, found = [], []
    for each in written:
        pair = _pair(each)
        if pair is None:
            text = each if isinstance(each, str) else json.dumps(each, ensure_ascii=False, default=str)
            found.append(place.block("governance.pair", column, text=text))
        else:
            pairs.append(pair)
    return pairs, found


def _pair(written: Any) -> tuple[str, str] | None:
    codes: list[Any] = []
    if isinstance(written, dict) and written.keys() == {"brand", "market"}:
        codes = [written["brand"], written["market"]]
    elif isinstance(written, str):
        codes = written.split(":")
    if len(codes) != 2 or not all(isinstance(code, str) and code.strip() for code in codes):
        return None
    return codes[0].strip(), codes[1].strip()


def _json_object(value: Any, place: Place, column: str) -> tuple[Any, list[Finding]]:
    if isinstance(value, dict):
        return value, []
    try:
        read = json.loads(str(value))
    except ValueError as error:
        return {}, [place.block("cell.json", column, text=str(value)[:80], problem=str(error)[:120])]
    if isinstance(read, dict):
        return read, []
    return {}, [place.block("cell.json", column, text=str(value)[:80], problem="no object")]


def _by_platform(value: Any, place: Place, column: str) -> tuple[Any, list[Finding]]:
    """A JSON object by platform, with the keys of ours; what is no platform is the model's to refuse."""
    read, found = _json_object(value, place, column)
    return {platform_key(key) or key: ids for key, ids in read.items()}, found


def _choice(known: Sequence[str]) -> Callable[[Any, Place, str], tuple[Any, list[Finding]]]:
    return lambda value, place, column: cells.read_choice(value, known, place, column)


def _platform(value: Any, place: Place, column: str) -> tuple[Any, list[Finding]]:
    key = platform_key(str(value))
    if key is not None:
        return key, []
    return cells.read_choice(value, ("meta", "tiktok", "google_ads"), place, column)


def _usd(value: Any, place: Place, column: str) -> tuple[Any, list[Finding]]:
    return cells.read_rate(value, place, column)


def _fields(*rows: tuple[Any, ...]) -> tuple[Field, ...]:
    return tuple(
        Field(Column(name, help, example, required), read) for name, read, help, example, required in rows
    )


KINDS: dict[str, tuple[type[models.Model], tuple[Field, ...]]] = {
    "markets": (Market, _fields(
        ("code", _text, "Stands in names; the key.", "US", True),
        ("name", _text, "As people say it.", "United States", True),
        ("country", _text, "ISO 3166-1 alpha-2.", "US", True),
        ("region", _choice(["NA", "LATAM", "EMEA", "APAC"]), "NA, LATAM, EMEA or APAC.", "NA", True),
        ("currency", _text, "ISO 4217.", "USD", True),
        ("time_zone", _text, "IANA name.", "America/New_York", True),
        ("languages", _codes, "ISO 639-1 codes, the main one first.", "en | es", False),
    )),
    "brands": (Brand, _fields(
        ("code", _text, "Stands in names; the key.", "DIS", True),
        ("name", _text, "As the advertiser writes it.", "Disney", True),
        ("family_friendly", cells.read_yes_no, "yes or no.", "yes", False),
        ("blocked_categories", _codes, "Interests never targeted: GAMBLING | TOBACCO.", "GAMBLING", False),
        ("legal_lines", _texts, "Sentences that must stand in its ads, separated by ' | '.", "", False),
        ("dsa_beneficiary", _text, "EU: who benefits from its ads.", "", False),
        ("dsa_payor", _text, "EU: who pays for its ads.", "", False),
    )),
    "channels": (Channel, _fields(
        ("code", _text, "Stands in names; the key.", "META", True),
        ("name", _text, "As people say it.", "Meta", True),
        ("platform", _platform, "meta, tiktok or google_ads.", "meta", True),
        ("api_identifier", _text, "AUCTION (ADVANTAGE_PLUS on Meta, SMART_PLUS on TikTok); SEARCH, DISPLAY, DEMAND_GEN or PERFORMANCE_MAX on Google Ads.", "AUCTION", True),
        ("settings", _json_object, "Platform settings of its tickets, as a JSON object.", "", False),
        ("active", cells.read_yes_no, "yes or no.", "yes", False),
    )),
    "accounts": (AdAccount, _fields(
        ("platform", _platform, "meta, tiktok or google_ads; with external_id the key.", "meta", True),
        ("external_id", _text, "The platform's account id, digits only.", "1234567890", True),
        ("name", _text, "As your team calls it.", "DIS US", True),
        ("currency", _text, "The account's own, ISO 4217.", "USD", True),
        ("time_zone", _text, "The account's own, IANA name.", "America/New_York", True),
        ("serves", _pairs, "brand:market pairs that it may be used for, separated by ' | '; added, never taken away.", "DIS:US", False),
        ("page_id", _text, "Meta: the page that ads speak for.", "", False),
        ("instagram_user_id", _text, "Meta: for ads on Instagram.", "", False),
        ("identity_id", _text, "TikTok: whom ads speak for.", "", False),
        ("identity_type", _text, "TikTok: CUSTOMIZED_USER, TT_USER or BC_AUTH_TT.", "", False),
        ("pixel_id", _text, "Meta or TikTok pixel.", "", False),
        ("app_id", _text, "For app promotion.", "", False),
        ("login_customer_id", _text, "Google Ads: the manager account.", "", False),
        ("conversion_action_id", _text, "Google Ads: what counts as a conversion.", "", False),
        ("mode", _choice(["SANDBOX", "LIVE"]), "SANDBOX or LIVE.", "SANDBOX", False),
        ("daily_cap", cells.read_amount, "The most a ticket may spend a day, in the account's currency.", "5000", False),
        ("active", cells.read_yes_no, "yes or no.", "yes", False),
    )),
    "audiences": (Audience, _fields(
        ("name", _text, "As plans call it; the key.", "Families with children", True),
        ("brand", _text, "A brand's code; empty for every brand.", "", False),
        ("age_min", cells.read_integer, "From this age.", "25", False),
        ("age_max", cells.read_integer, "To this age; empty for 'and older'.", "44", False),
        ("gender", _choice(["ANY", "FEMALE", "MALE"]), "ANY, FEMALE or MALE.", "ANY", False),
        ("interests", _by_platform, 'By platform: {"meta": [{"id": "6003…", "name": "Family"}]}.', "", False),
        ("audiences_include", _by_platform, 'By platform: {"meta": ["2384…"]}.', "", False),
        ("audiences_exclude", _by_platform, "Likewise, excluded.", "", False),
    )),
    "aliases": (Alias, _fields(
        ("alias_kind", _choice(list(Alias.Kind.values)), "ADVERTISER, VENDOR, OBJECTIVE, LOCATION or AUDIENCE.", "VENDOR", True),
        ("text", _text, "As plans write it; with its kind the key.", "Google / Search Ads", True),
        ("target", _text, "Code of the brand, channel or market; the objective; the audience's name.", "GGLSEARCH", False),
        ("not_trafficked", cells.read_yes_no, "VENDOR: yes where its lines are left to others.", "no", False),
    )),
    "rates": (ExchangeRate, _fields(
        ("currency", _text, "ISO 4217; with valid_from the key.", "EUR", True),
        ("usd", _usd, "US dollars for one unit.", "1.08", True),
        ("valid_from", cells.read_date, "The first day it holds.", "2027-01-01", True),
        ("source", _text, "Where it comes from.", "ECB", False),
    )),
}  # fmt: skip
#: Sheets of a workbook; a CSV has all columns and a column `kind`.
SHEETS: dict[str, tuple[Column, ...]] = {
    kind: tuple(each.column for each in spec[1]) for kind, spec in KINDS.items()
}


def csv_columns() -> tuple[Column, ...]:
    """All kinds' columns once, with `kind` first; none but that is required of every row."""
    unique = {
        column.name: Column(column.name, column.help, column.example)
        for columns in SHEETS.values()
        for column in columns
    }
    return (
        Column("kind", "What the row is: " + ", ".join(KINDS) + ".", "markets", required=True),
        *unique.values(),
    )


@dataclass(slots=True)
class GovernanceResult:
    """`findings` with a blocking one: nothing was written. Counts by kind."""

    created: dict[str, int] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    written: bool = False

    @property
    def refused(self) -> bool:
        return bool(blocking(self.findings))

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": not self.refused, "written": self.written, "created": self.created, "updated": self.updated,
            "unchanged": self.unchanged, "errors": [each.as_report() for each in blocking(self.findings)],
            "warnings": [each.as_report() for each in self.findings if not each.blocking],
        }  # fmt: skip


def import_governance(*, source: Source, user: Any | None = None, kind: str = "") -> GovernanceResult:
    """Read a file and save what is new or changed; `result.refused` says that nothing was written.

    With `kind` (a key of `KINDS`) the file is a table of that kind alone. `user` None is the system; a person
    writes only what their role and their grants allow.
    """
    with acting(user, reason=f"import of {source.name}"), transaction.atomic():
        result = _run(source, user, kind)
        if result.refused:
            transaction.set_rollback(True)
        else:
            result.written = True
    return result


def check_governance(*, source: Source, user: Any | None = None, kind: str = "") -> GovernanceResult:
    """What `import_governance` would do; writes nothing."""
    with acting(user), transaction.atomic():
        result = _run(source, user, kind)
        transaction.set_rollback(True)
    return result


@dataclass(frozen=True, slots=True)
class _Entry:
    """One row of the file: raw values by field; fields that it doesn't state are absent."""

    kind: str
    place: Place
    values: Mapping[str, Any]
    secrets: Mapping[str, str] | None = None
    broken: bool = False  # something is wrong with it that was told when it was read


def _run(source: Source, user: Any | None, only: str) -> GovernanceResult:
    result = GovernanceResult()
    try:
        entries = list(
            _json_entries(source, result.findings, only)
            if source.is_json
            else _table_entries(source, result.findings, only)
        )
    except Refused as refused:
        result.findings += refused.findings
        return result
    if not entries and not result.findings:
        result.findings.append(Finding("governance.empty"))
    result.findings += _rights_findings({entry.kind for entry in entries}, user)
    saver = _Saver(result, user)
    # vocabulary before what refers to it, whatever the order of the file
    for kind in KINDS:
        for entry in entries:
            if entry.kind == kind:
                saver.save(entry)
    return result


def rights_for(kind: str) -> tuple[str, str]:
    """The permissions that importing rows of this kind takes."""
    meta = KINDS[kind][0]._meta
    return f"{meta.app_label}.add_{meta.model_name}", f"{meta.app_label}.change_{meta.model_name}"


def _rights_findings(kinds: set[str], user: Any | None) -> list[Finding]:
    lacking = [
        kind for kind in KINDS if kind in kinds and not (user is None or user.has_perms(rights_for(kind)))
    ]
    return [Finding("governance.no_right", params={"kind": kind}) for kind in lacking]


# --------------------------------------------------------------------------------------- reading


def _table_entries(source: Source, findings: list[Finding], only: str) -> Iterator[_Entry]:
    if only:
        [table] = read_tables(source, {only: SHEETS[only]}, wanted=only)
        for row in table.rows:
            yield _whole_entry(only, row, findings)
        findings[:] = [*table.findings, *table.about_present(findings, SHEETS[only])]
        return
    if source.is_workbook:
        for table, kind in _workbook_tables(source):
            findings += [f for f in table.findings if f.code != "table.no_rows"]
            if blocking(table.findings):
                continue
            for row in table.rows:
                yield _Entry(kind, row.place, dict(row.cells))
            findings += [f for f in table.findings if f not in findings and f.code != "table.no_rows"]
        return
    [table] = read_tables(source, {"governance": csv_columns()}, wanted="governance")
    for row in table.rows:
        yield from _csv_entry(row, findings)
    findings[:0] = table.findings


def _whole_entry(kind: str, row: Row, findings: list[Finding]) -> _Entry:
    """A row of a table that holds this kind alone."""
    missing = [column for column in SHEETS[kind] if column.required and not row.text(column.name)]
    findings += [row.place.block("cell.required", c.name, what=c.name, help=c.help) for c in missing]
    return _Entry(kind, row.place, dict(row.cells), broken=bool(missing))


def _workbook_tables(source: Source) -> Iterable[tuple[Any, str]]:
    return [(table, table.name.strip().casefold()) for table in read_tables(source, SHEETS)]


def _csv_entry(row: Row, findings: list[Finding]) -> Iterator[_Entry]:
    text = row.text("kind").casefold()
    kind = next((each for each in (text, f"{text}s", f"{text}es") if each in KINDS), "")
    if not kind:
        findings.append(
            row.place.block("governance.unknown_kind", "kind", text=row.text("kind"), known=list(KINDS))
        )
        return
    values = {name: value for name, value in row.cells.items() if name != "kind"}
    known = {column.name for column in SHEETS[kind]}
    foreign = [name for name in values if name not in known]
    findings += [
        row.place.block("governance.unknown_field", name, text=name, kind=kind, known=sorted(known))
        for name in foreign
    ]
    missing = [column for column in SHEETS[kind] if column.required and column.name not in values]
    findings += [row.place.block("cell.required", c.name, what=c.name, help=c.help) for c in missing]
    yield _Entry(kind, row.place, values, broken=bool(foreign or missing))


def _json_entries(source: Source, findings: list[Finding], only: str) -> Iterator[_Entry]:
    document = read_json(source)
    if only:
        document = {only: document} if isinstance(document, list) else document
        if isinstance(document, dict) and set(document) - {only}:
            raise Refused(Finding("governance.not_an_object", params={"known": [only]}))
    if not isinstance(document, dict):
        raise Refused(Finding("governance.not_an_object", params={"known": list(KINDS)}))
    for kind, rows in document.items():
        if kind not in KINDS:
            findings.append(
                Finding("governance.unknown_kind", kind, params={"text": kind, "known": list(KINDS)})
            )
        elif not isinstance(rows, list) or any(not isinstance(row, dict) for row in rows):
            findings.append(Finding("governance.not_a_list", kind, params={"text": kind}))
        else:
            for at, row in enumerate(rows):
                yield _json_entry(kind, Place(path=f"{kind}[{at}]"), row, findings)


def _json_entry(kind: str, place: Place, row: dict[str, Any], findings: list[Finding]) -> _Entry:
    secrets = row.pop("credentials", None) if kind == "accounts" else None
    known = {column.name for column in SHEETS[kind]}
    foreign = [name for name in row if name not in known]
    found = [
        place.block("governance.unknown_field", name, text=name, kind=kind, known=sorted(known))
        for name in foreign
    ]
    if secrets is not None and (
        not isinstance(secrets, dict) or any(not isinstance(v, str) for v in secrets.values())
    ):
        found.append(
            place.block("cell.type", "credentials", found="something else", wanted="an object of texts")
        )
    missing = [c for c in SHEETS[kind] if c.required and row.get(c.name) in (None, "")]
    found += [place.block("cell.required", c.name, what=c.name, help=c.help) for c in missing]
    findings += found
    stated = known - {column.name for column in missing}
    values = {name: value for name, value in row.items() if value is not None and name in stated}
    return _Entry(kind, place, values, secrets, broken=bool(found))


# --------------------------------------------------------------------------------------- saving


class _Saver:
    """Turns entries into rows, one kind after the other; collects everything that is wrong."""

    def __init__(self, result: GovernanceResult, user: Any | None = None) -> None:
        self.result = result
        self.user = user
        self._seen: dict[tuple[str, str], str] = {}

    def save(self, entry: _Entry) -> None:
        """Everything that is wrong with an entry is told before it is let go."""
        model, fields = KINDS[entry.kind]
        values, found = _read_values(entry, fields)
        whole = not entry.broken and not found
        found += [*_resolve(entry, values), *_serves(entry, values)]
        duplicate = whole and self._is_duplicate(entry, _natural_key(entry.kind, values))
        if found or not whole:
            self.result.findings += [*found, *_field_findings(entry, model, values)]
            return
        if not duplicate:
            self._save(entry, model, values)

    def _save(self, entry: _Entry, model: type[models.Model], values: dict[str, Any]) -> None:
        serves = values.pop("serves", [])
        if not self._may_serve(entry, serves):
            return
        row = model._default_manager.filter(**_lookup(entry.kind, values)).first()
        if row is not None and getattr(row, "archived_at", None) is not None:
            key = _natural_key(entry.kind, values)
            self.result.findings.append(entry.place.block("governance.archived", "", text=key))
            return
        outcome = self._write(entry, model, row, values)
        if outcome is None:
            return
        saved, word = outcome
        if isinstance(saved, AdAccount) and _serve(saved, serves) and word == "unchanged":
            word = "updated"
        counts = getattr(self.result, word)
        counts[entry.kind] = counts.get(entry.kind, 0) + 1

    def _is_duplicate(self, entry: _Entry, key: str) -> bool:
        where = entry.place.field("") if entry.place.path else f"row {entry.place.row}"
        first = self._seen.setdefault((entry.kind, key), where)
        if first == where:
            return False
        self.result.findings.append(entry.place.block("governance.duplicate", "", text=key, first=first))
        return True

    def _write(
        self, entry: _Entry, model: type[models.Model], row: Any, values: dict[str, Any]
    ) -> tuple[Any, str] | None:
        if entry.secrets:
            values = {**values, "credentials": dict(entry.secrets)}
        new = row is None
        row = model() if new else row
        different = {name: value for name, value in values.items() if new or getattr(row, name) != value}
        for name, value in different.items():
            setattr(row, name, value)
        if not different:
            return row, "unchanged"
        if not self._may_write(row):
            text = _natural_key(entry.kind, {**values, "alias_kind": values.get("kind", "")})
            self.result.findings.append(entry.place.block("governance.outside_reach", "", text=text))
            return None
        try:
            row.save()
        except ValidationError as error:
            self.result.findings += _validation_findings(error, entry.place)
            return None
        return row, "created" if new else "updated"

    def _may_serve(self, entry: _Entry, pairs: Iterable[tuple[Brand, Market]]) -> bool:
        reach = reach_of(self.user) if self.user is not None else Reach(everything=True)
        outside = [f"{b.code}:{m.code}" for b, m in pairs if not reach.covers(b.pk, m.pk)]
        self.result.findings += [
            entry.place.block("governance.outside_reach", "serves", text=text) for text in outside
        ]
        return not outside

    def _may_write(self, row: Any) -> bool:
        if self.user is None:
            return True
        if isinstance(row, Audience):
            return reach_of(self.user).covers(row.brand_id, None)
        return services.may_change(self.user, row)


def _serve(account: AdAccount, pairs: Iterable[tuple[Brand, Market]]) -> bool:
    """Add brand × market pairs; True if one was new."""
    have = set(account.serves.values_list("brand_id", "market_id"))
    new = {(brand.pk, market.pk): (brand, market) for brand, market in pairs}
    for key in new.keys() - have:
        brand, market = new[key]
        AdAccountServes(account=account, brand=brand, market=market).save()
    return bool(new.keys() - have)


def _serves(entry: _Entry, values: dict[str, Any]) -> list[Finding]:
    """The pairs of codes -> pairs of rows."""
    found: list[Finding] = []
    pairs = []
    for brand_code, market_code in values.get("serves", ()):
        brand = Brand.objects.filter(code=brand_code).first()
        market = Market.objects.filter(code=market_code).first()
        for what, code, row in (("brand", brand_code, brand), ("market", market_code, market)):
            if row is None:
                found.append(
                    entry.place.block("governance.unknown_reference", "serves", what=what, text=code)
                )
        pairs.append((brand, market))
    if "serves" in values:
        values["serves"] = pairs
    return found


def _field_findings(entry: _Entry, model: type[models.Model], values: Mapping[str, Any]) -> list[Finding]:
    """What the fields' validators say of those values of a broken entry that could be read."""
    names = {each.name for each in model._meta.concrete_fields}
    values = {n: v for n, v in values.items() if n in names and not model._meta.get_field(n).is_relation}
    row = model(**values)
    try:
        models.Model.clean_fields(row, exclude=names - values.keys())
    except ValidationError as error:
        return _validation_findings(error, entry.place)
    return []


def _read_values(entry: _Entry, fields: Iterable[Field]) -> tuple[dict[str, Any], list[Finding]]:
    values: dict[str, Any] = {}
    found: list[Finding] = []
    for each in fields:
        if each.name not in entry.values:
            continue
        value, problems = each.read(entry.values[each.name], entry.place, each.name)
        found += problems
        if not problems:
            values[each.name] = value
    if entry.kind == "accounts" and "external_id" in values:
        values["external_id"] = values["external_id"].removeprefix("act_").replace("-", "")
    return values, found


_KEYS = {
    "markets": ("code",), "brands": ("code",), "channels": ("code",), "accounts": ("platform", "external_id"),
    "audiences": ("name",), "aliases": ("alias_kind", "text"), "rates": ("currency", "valid_from"),
}  # fmt: skip


def _natural_key(kind: str, values: Mapping[str, Any]) -> str:
    parts = [alias_key(values[name]) if name == "text" else str(values.get(name, "")) for name in _KEYS[kind]]
    return " ".join(parts)


def _lookup(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "aliases":
        return {"kind": values["kind"], "text_key": alias_key(values["text"])}
    return {name: values[name] for name in _KEYS[kind]}


def _resolve(entry: _Entry, values: dict[str, Any]) -> list[Finding]:
    """Codes of other rows -> the rows."""
    if entry.kind == "audiences" and "brand" in values:
        return _reference(entry, values, "brand", Brand, "code", values["brand"])
    if entry.kind != "aliases":
        return []
    if "alias_kind" not in values:
        return []
    values["kind"] = values.pop("alias_kind")
    target, name = values.pop("target", ""), Alias.TARGETS[values["kind"]]
    values.setdefault("not_trafficked", False)
    if not target:
        values[name] = "" if name == "objective" else None
        return []
    if name == "objective":
        values[name], found = cells.read_choice(target, _objectives(), entry.place, "target")
        return found
    model, key = {
        "brand": (Brand, "code"),
        "channel": (Channel, "code"),
        "market": (Market, "code"),
        "audience": (Audience, "name"),
    }[name]
    return _reference(entry, values, name, model, key, target)


def _objectives() -> list[str]:
    from governance.models.aliases import Objective

    return list(Objective.values)


def _reference(
    entry: _Entry, values: dict[str, Any], name: str, model: type[models.Model], key: str, text: str
) -> list[Finding]:
    if not text:
        values[name] = None
        return []
    try:
        values[name] = model._default_manager.get(**{key: text})
    except ObjectDoesNotExist:
        column = name if entry.kind == "audiences" else "target"
        return [entry.place.block("governance.unknown_reference", column, what=name, text=text)]
    return []


def _validation_findings(error: ValidationError, place: Place) -> list[Finding]:
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    return [
        place.block(
            "governance.refused", "" if name == NON_FIELD_ERRORS else name, problem=" ".join(each.messages)
        )
        for name, errors in by_field.items()
        for each in errors
    ]
