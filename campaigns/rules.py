"""What makes a campaign legal. Pure: values in, findings out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from governance import money, naming
from governance.findings import Finding, Message
from governance.findings import gettext_noop as _

MESSAGES = {
    "campaign.no_convention": Message(
        _("No naming convention is in force."), _("A data admin puts one in force under Govern → Naming conventions.")
    ),
    "flight.reversed": Message(_("The last day ({end}) is before the first day ({start})."), _("Exchange or correct them.")),
    "flight.past": Message(
        _("The flight begins on {start}, which is in the past."), _("Choose a first day from {today} on, or import with --start-on.")
    ),
    "budget.not_positive": Message(_("The budget must be more than zero."), _("Enter what media may cost.")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BuiltName:
    name: str
    parts: Mapping[str, str]
    findings: list[Finding]


def built_name(
    convention: naming.Convention, level: str, values: Mapping[str, str], findings: list[Finding]
) -> BuiltName:
    """The name of a level, or the findings that stand in its way."""
    if findings:
        return BuiltName("", {}, findings)
    name, findings = naming.build(convention, level, values)
    used = {part: values[part] for part in convention.parts(level)} if name else {}
    return BuiltName(name, used, findings)


def campaign_name_values(
    convention: naming.Convention,
    *,
    name: str,
    brand: str,
    market: str,
    channel: str,
    objective: str,
    start_on: date,
) -> tuple[dict[str, str], list[Finding]]:
    part, findings = naming.name_part(convention, name)
    values = {
        "brand": brand, "market": market, "channel": channel, "year": f"{start_on:%Y}", "month": f"{start_on:%m}",
        "objective": objective.replace("_", ""), "name": part,
    }  # fmt: skip
    return values, findings


def name_findings(name: str, convention: naming.Convention | None) -> list[Finding]:
    if convention is None:
        return [Finding("campaign.no_convention", "name")]
    return naming.name_part(convention, name)[1]


def flight_findings(start: date | None, end: date | None, *, today: date | None) -> list[Finding]:
    """`today` in the zone that counts; None where a past start is a fact and not a choice."""
    if start is None or end is None:
        return []
    findings = []
    if end < start:
        params = {"start": start.isoformat(), "end": end.isoformat()}
        findings.append(Finding("flight.reversed", "end_on", params=params))
    if today and start < today:
        params = {"start": start.isoformat(), "today": today.isoformat()}
        findings.append(Finding("flight.past", "start_on", params=params))
    return findings


def budget_findings(amount: Decimal | None, currency: str) -> list[Finding]:
    if amount is None:
        return []
    if amount <= 0:
        return [Finding("budget.not_positive", "budget")]
    if currency not in money.currencies():
        return []
    return money.precision_findings(amount, currency)
