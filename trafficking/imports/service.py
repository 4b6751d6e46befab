"""Import a media plan: one transaction, all errors at once, nothing or everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery

from campaigns.models import CampaignChannel, MediaPlan, MediaPlanLine
from campaigns.plans import LineRead, Plan, read_plan
from governance import cells
from governance.access import Reach, reach_of
from governance.actor import acting
from governance.findings import Finding, blocking
from governance.models import Brand, Market
from governance.tables import Refused, Source
from trafficking import qa
from trafficking.imports import progress
from trafficking.imports.creatives import CreativeSheet, read_creatives
from trafficking.imports.files import SheetFiles, fetched_files
from trafficking.imports.mapping import MappedLine, Mapper, Reported, Vocabulary, Words
from trafficking.imports.results import ImportResult, unique
from trafficking.imports.writing import PlanWriter
from trafficking.models import Ticket
from trafficking.statuses import EDITABLE

#: Up to so many lines, the answer has each ticket's QA findings; of larger plans people ask QA itself.
CHECKED_LINES = 300


def import_media_plan(
    *,
    source: Source,
    creatives: Source | None = None,
    user: Any | None = None,
    market: str = "",
    start_on: date | None = None,
) -> ImportResult:
    """Read a plan and write its campaigns, tickets and ad sets; `result.refused` says that nothing was written.

    `user` None is the system (the command without --user). Errors and warnings are findings by row and column.
    """
    given = _read(source, creatives)
    with fetched_files(given.sheet, _digests(given)) as files:
        try:
            with acting(user, reason=f"import of {source.name}"), transaction.atomic():
                result = _run(given, files, user, market, start_on)
                if result.refused:
                    transaction.set_rollback(True)
        except IntegrityError:  # a name or plan id that somebody else took between our look and our insert
            result = ImportResult(findings=[Finding("import.at_the_same_time")])
        finally:
            files.undo()
    return result


def check_media_plan(
    *,
    source: Source,
    creatives: Source | None = None,
    user: Any | None = None,
    market: str = "",
    start_on: date | None = None,
) -> ImportResult:
    """What `import_media_plan` would do; writes nothing."""
    given = _read(source, creatives)
    with fetched_files(given.sheet, _digests(given)) as files:
        try:
            with acting(user), transaction.atomic():
                result = _run(given, files, user, market, start_on)
                transaction.set_rollback(True)
        finally:
            files.undo()
    result.written = False
    result.plan_id = ""
    return result


def person_named(username: str) -> Any:
    """The active person with this user name; Refused where there is none."""
    person = get_user_model().objects.filter(username=username, is_active=True).first()
    if person is None:
        raise Refused(Finding("import.unknown_user", params={"text": username}))
    return person


def _run(given: _Given, files: SheetFiles, user: Any, market: str, start_on: date | None) -> ImportResult:
    result = ImportResult(findings=list(given.findings))
    plan, sheet = given.plan, given.sheet
    vocabulary = Vocabulary.read()
    option = _option_market(vocabulary, market, result.findings)
    if vocabulary.convention is None:
        result.findings.append(Finding("campaign.no_convention"))
    if plan is None or sheet is None or vocabulary.convention is None or (market and option is None):
        result.findings = unique(result.findings)
        return result
    result.plan_key, result.plan_name = plan.key, plan.name
    if start_on is not None and start_on.year > cells.LAST_YEAR:
        result.findings.append(Finding("cell.date_far", "--start-on", params={"text": start_on.isoformat()}))
        start_on = None
    result.shift_days = _shift([*plan.lines, *plan.broken], start_on)
    result.parameters = {"market": option.code if option else "", "shift_days": result.shift_days}
    reach = reach_of(user) if user is not None else Reach(everything=True)
    mapper = Mapper(vocabulary, reach, option)
    mapped, reported, unmapped = _mapped(mapper, plan)
    result.findings += [*plan.findings, *sheet.findings, *_not_echoed(mapper.findings, plan.findings)]
    result.findings += files.resolve(sheet, _brands(mapped, unmapped, reach))
    writer = _write(plan, given.source, sheet, vocabulary, reach, user, mapped, reported, result, unmapped)
    result.findings = unique([*result.findings, *writer.findings])
    result.lines, result.ads = writer.lines, writer.ads
    if result.refused:
        return result
    result.written, result.plan_id = True, str(writer.plan.public_id)
    result.tickets = list(writer.tickets.values())
    files.keep(user)
    _check_tickets(result)
    return result


@dataclass(frozen=True, slots=True)
class _Given:
    """Both files as read; None where one can't be read at all, which `findings` then say."""

    source: Source
    plan: Plan | None
    sheet: CreativeSheet | None
    findings: list[Finding]


def _read(source: Source, creatives: Source | None) -> _Given:
    """Both files, so that what is wrong with either is told at once."""
    plan, sheet = None, None
    findings: list[Finding] = []
    try:
        plan = read_plan(source)
    except Refused as refused:
        findings += refused.findings
    try:
        sheet = read_creatives(creatives) if creatives is not None else CreativeSheet()
    except Refused as refused:
        findings += [
            Finding(f.code, f"creatives {f.field}".strip(), f.severity, f.params) for f in refused.findings
        ]
    return _Given(source, plan, sheet, findings)


def _digests(given: _Given) -> dict[tuple[str, str], str]:
    """(line, ad) -> digest of its row when the plan was imported last; read only where there is something to fetch."""
    if given.plan is None or given.sheet is None or not given.sheet.has_addresses:
        return {}
    lines = MediaPlanLine.objects.filter(plan__plan_key=given.plan.key)
    return {
        (key, ad): digest
        for key, source in lines.values_list("line_key", "source")
        for ad, digest in source.get("creatives", {}).items()
    }


def _brands(mapped: Sequence[MappedLine], unmapped: Unmapped, reach: Reach) -> dict[str, Brand]:
    """Brands by line, as far as they are known and the person's: what another library has is not told."""
    known = {line.line.key: line.brand for line in mapped}
    for line, words in unmapped:
        if words.brand and words.market and reach.covers(words.brand.pk, words.market.pk):
            known[line.key] = words.brand
    return known


def _option_market(vocabulary: Vocabulary, text: str, findings: list[Finding]) -> Market | None:
    if not text:
        return None
    named = vocabulary.market_named(text)
    if len(named) == 1:
        return named[0]
    if named:
        markets = [each.code for each in named]
        findings.append(
            Finding("import.ambiguous_country", "--market", params={"text": text, "markets": markets})
        )
    else:
        findings.append(Finding("import.unknown_market", "--market", params={"text": text}))
    return None


def _shift(lines: Sequence[LineRead], start_on: date | None) -> int:
    """Move all flights by the same days, so that the earliest begins on `start_on`; the days moved."""
    starts = [line.start for line in lines if line.start is not None]
    if start_on is None or not starts:
        return 0
    moved = start_on - min(starts)
    for line in lines:
        line.start = line.start + moved if line.start is not None else None
        line.end = line.end + moved if line.end is not None else None
    return moved.days


Unmapped = list[tuple[LineRead, Words]]


def _mapped(mapper: Mapper, plan: Plan) -> tuple[list[MappedLine], list[Reported], Unmapped]:
    """Lines that can be written, lines for others, and lines with errors with what their words mean."""
    mapped: list[MappedLine] = []
    reported: list[Reported] = []
    unmapped: Unmapped = []
    for at, line in enumerate(plan.lines):
        progress.say("checking", at, len(plan.lines))
        found = mapper.map(line)
        if isinstance(found, Reported):
            reported.append(found)
        elif isinstance(found, MappedLine):
            mapped.append(found)
        else:
            unmapped.append((line, found))
    unmapped += [(line, mapper.look_up(line)) for line in plan.broken]
    return mapped, reported, unmapped


def _not_echoed(findings: list[Finding], of_the_plan: list[Finding]) -> list[Finding]:
    """Where a column's name is not known, every row lacks what stands in it: that is said once, at the header."""
    if not any(each.code == "table.unknown_column" for each in of_the_plan):
        return findings
    return [each for each in findings if each.code not in ("import.no_market", "import.no_vendor")]


def _write(
    plan: Plan, source: Source, sheet: CreativeSheet, vocabulary: Vocabulary, reach: Reach, user: Any,
    mapped: list[MappedLine], reported: list[Reported], result: ImportResult, unmapped: Unmapped,
) -> PlanWriter:  # fmt: skip
    row = MediaPlan.objects.filter(plan_key=plan.key).first() or MediaPlan(
        plan_key=plan.key, imported_by=user
    )
    writer = PlanWriter(
        plan=row, plan_currency=plan.currency, vocabulary=vocabulary, sheet=sheet, reach=reach, owner=user
    )
    writer.read_stored()
    broken = bool(blocking(result.findings)) or writer.broken
    if not broken:
        _save_plan(row, plan, source, reported, result)
    writer.check_unmapped(unmapped)
    writer.write(mapped, reported, plan.keys, check_only=broken)
    return writer


def _save_plan(
    row: MediaPlan, plan: Plan, source: Source, reported: list[Reported], result: ImportResult
) -> None:
    """Saved only where something about it changed."""
    values = {
        "name": plan.name, "format": plan.format, "schema_version": plan.schema_version, "file_name": source.name[:255],
        "file_sha256": source.sha256, "parameters": result.parameters,
        "reported": [{"line": each.line.key, "name": each.line.name, "vendor": each.text} for each in reported],
    }  # fmt: skip
    if row.pk is None or any(getattr(row, name) != value for name, value in values.items()):
        for name, value in values.items():
            setattr(row, name, value)
        row.save()


def _check_tickets(result: ImportResult) -> None:
    """What QA would say of each ticket now; nothing of that is stored."""
    campaigns = Ticket.objects.filter(pk__in=[ticket.pk for ticket in result.tickets][:10_000])
    result.campaigns = campaigns.values("campaign").distinct().count()
    names = _governed_names([ticket.pk for ticket in result.tickets])
    for ticket in result.tickets:
        ticket.name = names.get(ticket.pk, "")
    if len(result.lines) > CHECKED_LINES:
        return
    checked = {ticket.pk: ticket for ticket in result.tickets}
    rows = Ticket.objects.filter(pk__in=checked).select_related(
        "campaign__brand", "campaign__market", "channel", "ad_account"
    )
    for at, row in enumerate(rows):
        progress.say("rules", at, len(checked))
        ticket = checked[row.pk]
        if row.status in EDITABLE:
            ticket.findings, ticket.checked = qa.check_ticket(row).findings, True


def _governed_names(tickets: list[int]) -> dict[int, str]:
    """ticket id -> its campaign's governed name on its channel."""
    found: dict[int, str] = {}
    for at in range(0, len(tickets), 500):
        on_channel = CampaignChannel.objects.filter(
            campaign=OuterRef("campaign"), channel=OuterRef("channel")
        )
        named = Ticket.objects.filter(pk__in=tickets[at : at + 500]).annotate(
            built=Subquery(on_channel.values("governed_name")[:1])
        )
        found |= {row.pk: row.built or "" for row in named.only("pk")}
    return found
