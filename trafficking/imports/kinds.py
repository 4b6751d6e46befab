"""The kinds of files that can be imported: their parts, their columns, who may, and which service does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from campaigns import sheet as campaigns_sheet
from campaigns.plans import COLUMNS as PLAN_COLUMNS
from governance import imports as vocabulary
from governance.findings import Finding
from governance.tables import Column, Refused, Source
from trafficking.imports import service
from trafficking.imports.creatives import COLUMNS as CREATIVE_COLUMNS
from trafficking.imports.results import ImportResult


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an import. `sheet` is what a workbook calls it, and the label of its findings."""

    key: str
    label: Any
    sheet: str
    columns: tuple[Column, ...]
    required: bool = True


@dataclass(frozen=True, slots=True)
class Given:
    """What is to be imported, by whom, with which options (start_on, market: of plans only)."""

    sources: Mapping[str, Source]
    user: Any
    options: Mapping[str, Any]


@dataclass(slots=True)
class Outcome:
    """What an import did or would do. `made`: what there would be, in the order in which it is shown."""

    findings: list[Finding]
    written: bool
    made: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    key: str
    label: Any
    rights: tuple[str, ...]
    parts: tuple[Part, ...]
    check: Callable[[Given], Outcome]
    write: Callable[[Given], Outcome]
    #: Its JSON is a list of flat objects: read as a table, with columns to be named like others.
    flat: bool = False

    def part(self, key: str) -> Part:
        return next(part for part in self.parts if part.key == key)

    def may(self, user: Any) -> bool:
        return user.has_perms(self.rights)


# --- plans


def _check_plan(given: Given) -> Outcome:
    return _plan_outcome(service.check_media_plan(**_plan_arguments(given)))


def _write_plan(given: Given) -> Outcome:
    return _plan_outcome(service.import_media_plan(**_plan_arguments(given)))


def _plan_arguments(given: Given) -> dict[str, Any]:
    start_on = given.options.get("start_on")
    return {
        "source": given.sources["file"], "creatives": given.sources.get("creatives"), "user": given.user,
        "market": given.options.get("market", ""), "start_on": date.fromisoformat(start_on) if start_on else None,
    }  # fmt: skip


def _plan_outcome(result: ImportResult) -> Outcome:
    lines = [line for line in result.lines if line.outcome in ("created", "updated")]
    made = {
        "campaigns": result.campaigns, "tickets": len(result.tickets), "ad_sets": len(lines),
        "ads": sum(result.ads.get(name, 0) for name in ("created", "updated")),
        "unchanged": result.counts["unchanged"], "kept": result.counts["kept"], "reported": result.counts["reported"],
    }  # fmt: skip
    numbers = {ticket.public_id: ticket for ticket in result.tickets}
    return Outcome(
        findings=result.findings, written=result.written, made=made,
        names=[ticket.name for ticket in result.tickets if ticket.name],
        lines=[_line(line.as_dict(), numbers.get(line.ticket), result.written) for line in result.lines],
        facts={"plan": result.plan_name or result.plan_key, "plan_id": result.plan_id, "shift_days": result.shift_days},
    )  # fmt: skip


def _line(line: dict[str, Any], ticket: Any, written: bool) -> dict[str, Any]:
    """With the ticket's own number and QA's count, where it stands."""
    if ticket is None:
        return {**line, "ticket": ""}
    blocked = sum(finding.blocking for finding in ticket.findings)
    return {**line, "ticket": line["ticket"] if written else "", "ticket_pk": ticket.pk if written else None,
            "built": ticket.name, "qa": blocked if ticket.checked else None}  # fmt: skip


# --- campaigns


def _check_campaigns(given: Given) -> Outcome:
    return _campaigns_outcome(campaigns_sheet.check_campaigns(source=given.sources["file"], user=given.user))


def _write_campaigns(given: Given) -> Outcome:
    return _campaigns_outcome(campaigns_sheet.import_campaigns(source=given.sources["file"], user=given.user))


def _campaigns_outcome(result: campaigns_sheet.CampaignsResult) -> Outcome:
    shown = [(outcome, row) for outcome, row in result.rows if outcome != "unchanged"]
    links = [{"text": row.name, "pk": row.pk, "outcome": outcome} for outcome, row in shown if result.written]
    return Outcome(result.findings, result.written, made=result.counts, names=result.names, links=links)


# --- vocabulary


def _vocabulary(kind: str) -> tuple[Callable[[Given], Outcome], Callable[[Given], Outcome]]:
    def check(given: Given) -> Outcome:
        return _vocabulary_outcome(
            vocabulary.check_governance(source=given.sources["file"], user=given.user, kind=kind)
        )

    def write(given: Given) -> Outcome:
        return _vocabulary_outcome(
            vocabulary.import_governance(source=given.sources["file"], user=given.user, kind=kind)
        )

    return check, write


def _vocabulary_outcome(result: vocabulary.GovernanceResult) -> Outcome:
    made = {
        name: sum(counts.values())
        for name, counts in (
            ("created", result.created),
            ("updated", result.updated),
            ("unchanged", result.unchanged),
        )
    }
    return Outcome(result.findings, result.written, made=made)


def _vocabulary_kind(kind: str, label: Any) -> Kind:
    check, write = _vocabulary(kind)
    part = Part("file", label, kind, vocabulary.SHEETS[kind])
    return Kind(kind, label, vocabulary.rights_for(kind), (part,), check, write)


KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind(
            "plan", _("Media plan"), ("campaigns.add_mediaplan",),
            (
                Part("file", _("Media plan"), "plan", PLAN_COLUMNS),
                Part("creatives", _("Creative sheet"), "creatives", CREATIVE_COLUMNS, required=False),
            ),
            _check_plan, _write_plan,
        ),
        Kind(
            "campaigns", _("Campaigns"), ("campaigns.add_campaign", "campaigns.change_campaign"),
            (Part("file", _("Campaigns"), "campaigns", campaigns_sheet.COLUMNS),), _check_campaigns, _write_campaigns, flat=True,
        ),
        _vocabulary_kind("brands", _("Brands")),
        _vocabulary_kind("markets", _("Markets")),
        _vocabulary_kind("channels", _("Channels")),
        _vocabulary_kind("accounts", _("Ad accounts")),
        _vocabulary_kind("audiences", _("Audiences")),
        _vocabulary_kind("aliases", _("Aliases")),
        _vocabulary_kind("rates", _("Exchange rates")),
    )
}  # fmt: skip


#: For the API's documents.
KIND_CHOICES = [(key, key) for key in sorted(KINDS)]


def kinds_for(user: Any) -> Sequence[Kind]:
    return [kind for kind in KINDS.values() if kind.may(user)]


def attempted(run: Callable[[Given], Outcome], given: Given) -> Outcome:
    """A file that can't be read at all is a finding like others."""
    try:
        return run(given)
    except Refused as refused:
        return Outcome(list(refused.findings), written=False)
