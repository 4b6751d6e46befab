"""Campaigns as a table: the columns in which they are exported, and the import that takes them back.

A row with an id changes that campaign, one without makes a new one. The exported file, unchanged, changes nothing.
Everything or nothing; through `save_campaign` and `create_campaigns`, the same fence as everywhere.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction
from import_export.fields import Field

from campaigns.bulk import RowErrors, create_campaigns
from campaigns.models import BudgetType, Campaign, CampaignChannel
from campaigns.services import save_campaign
from governance import cells, money
from governance.access import Reach, reach_of
from governance.actor import acting
from governance.exports import Iso
from governance.findings import Finding, Message, blocking
from governance.findings import gettext_noop as _
from governance.models import Brand, Channel, Market
from governance.models.aliases import Objective
from governance.tables import Column, Place, Refused, Row, Source, read_tables

COLUMNS = (
    Column("id", "The campaign's own id, as exported; empty for a new one.", "5f0c0a52-6b0e-4a39-9d34-0a7f3f0f0001"),
    Column("name", "As people call it: Moana Launch.", "Moana Launch", required=True),
    Column("brand", "The brand's code.", "DIS", required=True),
    Column("market", "The market's code.", "US", required=True),
    Column("channels", "Codes of its channels, separated by ' | '.", "META | TIKTOK", required=True),
    Column("objective", "AWARENESS, REACH, TRAFFIC, ENGAGEMENT, VIDEO_VIEWS, LEADS, APP_PROMOTION or SALES.", "TRAFFIC", required=True),
    Column("budget", "What media may cost, fees aside: 12000.50.", "12000.50", required=True),
    Column("currency", "ISO 4217 code of the budget.", "USD", required=True),
    Column("budget_type", "LIFETIME or DAILY. Empty: lifetime, or as it is.", "LIFETIME"),
    Column("start_on", "First day, as 2027-03-01.", "2027-03-01", required=True),
    Column("end_on", "Last day, included.", "2027-03-31", required=True),
    Column("owner", "User name of who answers questions. Empty: as it is, for a new one you.", "ada"),
    Column("status", "For your eyes only: it follows the tickets.", "DRAFT"),
)  # fmt: skip
_HELP = {column.name: column.help for column in COLUMNS}

MESSAGES = {
    "campaigns.unknown": Message(_("There is no {what} '{text}'."), _("Use one of its codes{suggestion}.")),
    "campaigns.unknown_id": Message(
        _("There is no campaign with the id '{text}'."), _("Take the id as it was exported, or empty the cell to make a new campaign.")
    ),
    "campaigns.duplicate": Message(_("The campaign '{text}' is there twice (first in row {first})."), _("Keep one of the two.")),
    "campaigns.outside_reach": Message(
        _("{brand} in {market} is not yours to plan."), _("Ask a data admin for the grant, or take the row out.")
    ),
    "campaigns.refused": Message(_("{problem}"), _("Correct it in the file.")),
    "campaigns.no_right": Message(_("Campaigns are not yours to import."), _("Ask a planner to import them.")),
    "campaigns.at_the_same_time": Message(
        _("Somebody else created the same names at this moment."), _("Nothing was written. Import it once more.")
    ),
}  # fmt: skip


def sheet_fields() -> list[Field]:
    """The columns of an export that can be imported again, from rows with their brand, market, owner and names."""
    paths = {
        "id": "public_id", "brand": "brand__code", "market": "market__code", "owner": "owner__username"
    }  # fmt: skip
    return [
        _Channels(column_name=column.name) if column.name == "channels"
        else Field(paths.get(column.name, column.name), column.name, Iso())
        for column in COLUMNS
    ]  # fmt: skip


class _Channels(Field):
    def export(self, instance: Campaign, **kwargs: Any) -> str:
        return cells.join_list(sorted(name.channel.code for name in instance.channel_names.all()))


@dataclass(slots=True)
class CampaignsResult:
    """`findings` with a blocking one: nothing was written. `rows` are (outcome, campaign) in the order of the file."""

    findings: list[Finding] = field(default_factory=list)
    rows: list[tuple[str, Campaign]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    written: bool = False

    @property
    def refused(self) -> bool:
        return bool(blocking(self.findings))

    @property
    def counts(self) -> dict[str, int]:
        outcomes = [outcome for outcome, _row in self.rows]
        return {name: outcomes.count(name) for name in ("created", "updated", "unchanged")}


def import_campaigns(*, source: Source, user: Any) -> CampaignsResult:
    """Read a table of campaigns and save what is new or changed, as `user`."""
    return _attempt(source, user, write=True)


def check_campaigns(*, source: Source, user: Any) -> CampaignsResult:
    """What `import_campaigns` would do; writes nothing."""
    return _attempt(source, user, write=False)


def _attempt(source: Source, user: Any, *, write: bool) -> CampaignsResult:
    try:
        with acting(user, reason=f"import of {source.name}"), transaction.atomic():
            result = _Importer(user).run(source)
            result.written = write and not result.refused
            if not result.written:
                transaction.set_rollback(True)
    except Refused as refused:
        return CampaignsResult(findings=list(refused.findings))
    except IntegrityError:  # a name that somebody took between our look and our insert
        return CampaignsResult(findings=[Finding("campaigns.at_the_same_time")])
    return result


@dataclass(slots=True)
class _Entry:
    place: Place
    values: dict[str, Any]
    channels: list[Channel]
    campaign: Campaign | None  # that is there already


class _Importer:
    def __init__(self, user: Any) -> None:
        self.user = user
        self.reach: Reach = reach_of(user)
        self.result = CampaignsResult()
        self.brands = {row.code: row for row in Brand.objects.visible_to(user).current()}
        self.markets = {row.code: row for row in Market.objects.visible_to(user).current()}
        self.channels = {row.code: row for row in Channel.objects.all()}
        self.people = {row.username: row for row in get_user_model().objects.filter(is_active=True)}

    def run(self, source: Source) -> CampaignsResult:
        if not self.user.has_perms(("campaigns.add_campaign", "campaigns.change_campaign")):
            raise Refused(Finding("campaigns.no_right"))
        [table] = read_tables(source, {"campaigns": COLUMNS}, wanted="campaigns")
        rows = list(table.rows)
        standing = self._standing(rows)
        entries = [entry for row in rows if (entry := self._entry(row, standing)) is not None]
        found = table.about_present(self.result.findings, COLUMNS)
        self.result.findings = [*table.findings, *found]
        self._save(entries)
        return self.result

    def _standing(self, rows: list[Row]) -> dict[str, Campaign]:
        """The person's campaigns that the file names, by id."""
        ids = [text for row in rows if _is_id(text := row.text("id"))]
        found: dict[str, Campaign] = {}
        for at in range(0, len(ids), 500):
            mine = Campaign.objects.visible_to(self.user).filter(public_id__in=ids[at : at + 500])
            full = mine.select_related("brand", "market", "owner").prefetch_related("channel_names__channel")
            found |= {str(row.public_id): row for row in full}
        return found

    def _entry(self, row: Row, standing: Mapping[str, Campaign]) -> _Entry | None:
        reader = _RowReader(row, self)
        values, channels = reader.values(), reader.channels()
        campaign = reader.standing(standing)
        self.result.findings += reader.findings
        if reader.findings:
            return None
        if not self.reach.covers(values["brand"].pk, values["market"].pk):
            words = {"brand": values["brand"].code, "market": values["market"].code}
            self.result.findings.append(row.place.block("campaigns.outside_reach", "brand", **words))
            return None
        return _Entry(row.place, values, channels, campaign)

    # --- saving

    def _save(self, entries: list[_Entry]) -> None:
        seen: dict[str, int] = {}
        fresh = []
        for entry in entries:
            if entry.campaign is None:
                fresh.append(entry)
                continue
            key = str(entry.campaign.public_id)
            if key in seen:
                params = {"text": key, "first": seen[key]}
                self.result.findings.append(entry.place.block("campaigns.duplicate", "id", **params))
                continue
            seen[key] = entry.place.row
            self._change(entry, entry.campaign)
        self._create(fresh)

    def _change(self, entry: _Entry, row: Campaign) -> None:
        present = {name.channel.code for name in row.channel_names.all()}
        different = {name: value for name, value in entry.values.items() if getattr(row, name) != value}
        if not different and present == {channel.code for channel in entry.channels}:
            self.result.rows.append(("unchanged", row))
            return
        for name, value in different.items():
            setattr(row, name, value)
        try:
            with transaction.atomic():
                save_campaign(campaign=row, channels=entry.channels)
        except ValidationError as error:
            self._refuse(entry, error)
            return
        self.result.rows.append(("updated", row))
        self.result.names += list(row.channel_names.order_by("pk").values_list("governed_name", flat=True))

    def _create(self, entries: list[_Entry]) -> None:
        drafts = [
            (
                Campaign(**{"owner": self.user, "budget_type": BudgetType.LIFETIME, **entry.values}),
                entry.channels,
            )
            for entry in entries
        ]
        try:
            made = create_campaigns(drafts=drafts) if drafts else []
        except RowErrors as refused:
            for at, error in refused.errors.items():
                self._refuse(entries[at], error)
            return
        self.result.rows += [("created", row) for row in made]
        for at in range(0, len(made), 500):
            names = CampaignChannel.objects.filter(campaign__in=made[at : at + 500]).order_by("pk")
            self.result.names += list(names.values_list("governed_name", flat=True))

    def _refuse(self, entry: _Entry, error: ValidationError) -> None:
        by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
        self.result.findings += [
            entry.place.block(
                "campaigns.refused", name if name in _HELP else "", problem=" ".join(each.messages)
            )
            for name, errors in by_field.items()
            for each in errors
        ]


def _is_id(text: str) -> bool:
    try:
        return bool(uuid.UUID(text))
    except ValueError:
        return False


class _RowReader:
    """One row's cells as values; collects everything that is wrong with it."""

    def __init__(self, row: Row, known: _Importer) -> None:
        self.row, self.place, self.known = row, row.place, known
        self.findings: list[Finding] = []

    def values(self) -> dict[str, Any]:
        made: dict[str, Any] = {
            "name": self._required("name"),
            "brand": self._one_of("brand", self.known.brands),
            "market": self._one_of("market", self.known.markets),
            "objective": self._read("objective", lambda *at: cells.read_choice(at[0], list(Objective.values), *at[1:])),
            "budget": self._read("budget", cells.read_amount),
            "currency": self._currency(),
            "start_on": self._read("start_on", cells.read_date),
            "end_on": self._read("end_on", cells.read_date),
        }  # fmt: skip
        if self.row.text("budget_type"):
            known = list(BudgetType.values)
            made["budget_type"] = self._read(
                "budget_type", lambda *at: cells.read_choice(at[0], known, *at[1:])
            )
        if self.row.text("owner"):
            made["owner"] = self._one_of("owner", self.known.people)
        return made

    def channels(self) -> list[Channel]:
        codes = cells.split_codes(self._required("channels"))
        found = [self._known("channels", code, self.known.channels) for code in codes]
        return [each for each in found if each is not None]

    def standing(self, standing: Mapping[str, Campaign]) -> Campaign | None:
        text = self.row.text("id")
        if not text:
            return None
        row = standing.get(str(uuid.UUID(text))) if _is_id(text) else None
        if row is None:
            self.findings.append(self.place.block("campaigns.unknown_id", "id", text=text))
        return row

    def _required(self, column: str) -> str:
        text, found = cells.required_text(self.row, column, _HELP[column], 2000)
        self.findings += found
        return text

    def _one_of(self, column: str, known: Mapping[str, Any]) -> Any:
        text = self._required(column)
        return self._known(column, text, known) if text else None

    def _known(self, column: str, text: str, known: Mapping[str, Any]) -> Any:
        if text in known:
            return known[text]
        from difflib import get_close_matches

        by_key = {code.casefold(): code for code in known}
        near = get_close_matches(text.casefold(), list(by_key), n=1)
        suggestion = f", perhaps {by_key[near[0]]}" if near else ""
        what = column.removesuffix("s") if column == "channels" else column
        self.findings.append(
            self.place.block("campaigns.unknown", column, what=what, text=text, suggestion=suggestion)
        )
        return None

    def _currency(self) -> str:
        code = self._required("currency")
        if code:
            self.findings += [self.place.moved(each, "currency") for each in money.currency_findings(code)]
        return code

    def _read(self, column: str, read: Callable[..., tuple[Any, list[Finding]]]) -> Any:
        if not self._required(column):
            return None
        value, found = read(self.row[column], self.place, column)
        self.findings += found
        return value
