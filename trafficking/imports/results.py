"""What an import did, for the command, the API and the admin."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from governance import money
from governance.findings import Finding, blocking


@dataclass(frozen=True, slots=True)
class LineResult:
    """One line. `outcome`: created, updated, unchanged, kept (deployed, not overwritten) or reported (not ours)."""

    line: str
    position: int
    name: str
    outcome: str
    campaign: str = ""
    channel: str = ""
    ticket: str = ""  # public id
    original: str = ""  # "145000 EUR"
    budget: str = ""  # "156600 USD", what the ad set may spend
    rate: str = ""
    rate_source: str = ""
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(slots=True)
class TicketResult:
    """A ticket that the plan's lines are on, with what QA would say of it now (nothing of that is stored)."""

    pk: int
    public_id: str
    name: str
    platform: str
    status: str
    outcome: str  # created, updated or unchanged
    findings: list[Finding] = field(default_factory=list)
    checked: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.pk, "public_id": self.public_id, "name": self.name, "platform": self.platform, "status": self.status,
            "outcome": self.outcome, "checked": self.checked, "findings": [finding.as_report() for finding in self.findings],
        }  # fmt: skip


@dataclass(slots=True)
class ImportResult:
    """`findings` with a blocking one: nothing was written. Warnings are about what was."""

    plan_key: str = ""
    plan_name: str = ""
    plan_id: str = ""  # public id; "" where nothing was written
    written: bool = False
    shift_days: int = 0
    parameters: dict[str, Any] = field(default_factory=dict)  # the options, kept with the plan
    lines: list[LineResult] = field(default_factory=list)
    tickets: list[TicketResult] = field(default_factory=list)
    ads: dict[str, int] = field(default_factory=dict)  # created, updated, unchanged, kept
    campaigns: int = 0  # that the plan's tickets belong to
    findings: list[Finding] = field(default_factory=list)

    @property
    def errors(self) -> list[Finding]:
        return blocking(self.findings)

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.blocking]

    @property
    def refused(self) -> bool:
        return bool(self.errors)

    @property
    def counts(self) -> dict[str, int]:
        outcomes = Counter(line.outcome for line in self.lines)
        return {name: outcomes[name] for name in ("created", "updated", "unchanged", "kept", "reported")}

    def as_dict(self) -> dict[str, Any]:
        """JSON for `--json` and the API."""
        return {
            "ok": not self.refused,
            "written": self.written,
            "plan": {"key": self.plan_key, "name": self.plan_name, "public_id": self.plan_id},
            "shift_days": self.shift_days,
            "counts": self.counts,
            "ads": self.ads,
            "lines": [line.as_dict() for line in self.lines],
            "tickets": [ticket.as_dict() for ticket in self.tickets],
            "errors": [finding.as_report() for finding in self.errors],
            "warnings": [finding.as_report() for finding in self.warnings],
        }


def money_text(amount: Decimal, currency: str) -> str:
    return f"{money.plain(amount)} {currency}"


def unique(findings: list[Finding]) -> list[Finding]:
    """The same thing said of the same place is said once; errors first."""
    seen = {
        (finding.code, finding.field, repr(sorted(finding.params.items(), key=lambda item: item[0]))): finding
        for finding in findings
    }
    return sorted(seen.values(), key=lambda finding: finding.severity)
