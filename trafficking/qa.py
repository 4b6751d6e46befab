"""QA: every rule over the ticket and its compiled plan, all findings at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from campaigns.models import Campaign, CampaignChannel
from governance import naming
from governance.findings import Finding, blocking
from governance.models import NamingConvention, QARule
from governance.models.rates import Rates
from trafficking import rules
from trafficking.models import Ticket
from trafficking.platforms.base import Operation, TicketSnapshot, plan_digest
from trafficking.platforms.registry import platform
from trafficking.snapshots import ticket_snapshot
from trafficking.statuses import Status

#: The campaign may be planned over by rounding of converted currencies: this share is let through.
CONVERSION_SLACK = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Report:
    """`operations` and `digest` are what would be sent; only without blocking findings may it be."""

    findings: list[Finding]
    operations: tuple[Operation, ...]
    digest: str
    snapshot: TicketSnapshot

    @property
    def passed(self) -> bool:
        return not blocking(self.findings)


def check_ticket(ticket: Ticket) -> Report:
    """Run everything. Reads the ticket's children, the QA rules and the rates; writes nothing."""
    governed = (
        CampaignChannel.objects.select_related("convention")
        .filter(campaign_id=ticket.campaign_id, channel_id=ticket.channel_id)
        .first()
    )
    snapshot = ticket_snapshot(ticket, governed=governed)
    known = platform(snapshot.platform)
    compiled = known.compile(snapshot)
    digest = plan_digest(known.key, known.api_version, snapshot.account.external_id, compiled.operations)
    configured = {rule.kind: rule for rule in QARule.objects.current()}
    kinds = QARule.Kind
    findings = [
        *_weighed(configured.get(kinds.TAXONOMY), taxonomy_findings(ticket, snapshot, governed)),
        *_weighed(
            configured.get(kinds.BRAND_SAFETY), _safety(ticket, snapshot, configured.get(kinds.BRAND_SAFETY))
        ),
        *_weighed(
            configured.get(kinds.BUDGET_LIMITS),
            _budgets(ticket, snapshot, configured.get(kinds.BUDGET_LIMITS)),
        ),
        *_weighed(
            configured.get(kinds.PAYLOAD_SCHEMA),
            _payload(snapshot, compiled.findings, known.check(compiled.operations)),
        ),
        *_state_findings(ticket, snapshot),
    ]
    return Report(_unique(findings), compiled.operations, digest, snapshot)


def _weighed(rule: QARule | None, findings: Iterable[Finding]) -> list[Finding]:
    """A rule that a data admin has switched off still tells what it sees."""
    if rule is None or rule.active:
        return list(findings)
    return [replace(finding, severity="warn") for finding in findings]


def taxonomy_findings(
    ticket: Ticket, snapshot: TicketSnapshot, governed: CampaignChannel | None
) -> list[Finding]:
    """Every name in the tree is the one that its convention builds, and reads back to its parts."""
    if governed is None:
        return [Finding("qa.name_missing")]
    convention = NamingConvention.in_force_or_none()
    if convention is None:
        return [Finding("campaign.no_convention")]
    rule = convention.as_rules()
    values, findings = ticket.campaign.name_values(ticket.channel, rule)
    if findings:
        return findings
    named = [("campaign", "", snapshot.name, values)]
    for at, ad_set in enumerate(ticket.ad_sets.all().prefetch_related("ads")):
        own = {**values, "ad_set": naming.name_part(rule, ad_set.name, part="ad_set")[0]}
        named.append(("ad_set", f"ad_sets[{at}].name", ad_set.governed_name, own))
        for ad_at, ad in enumerate(ad_set.ads.all()):
            part = naming.name_part(rule, ad.name, part="ad")[0]
            ad_values = {**own, "ad": part, "format": ad.format.replace("_", "")}
            named.append(("ad", f"ad_sets[{at}].ads[{ad_at}].name", ad.governed_name, ad_values))
    return [
        finding
        for level, field, name, own in named
        for finding in _name_findings(rule, level, field, name, own)
    ]


def _name_findings(
    rule: naming.Convention, level: str, field: str, name: str, values: dict[str, str]
) -> list[Finding]:
    expected, findings = naming.build(rule, level, values)
    if findings:
        return findings
    if name != expected:
        return [Finding("qa.name_changed", field, params={"name": name, "expected": expected})]
    read = naming.parse(rule, level, name)
    if read != {part: values[part] for part in rule.parts(level)}:
        return [Finding("qa.name_unreadable", field, params={"name": name})]
    return []


def _safety(ticket: Ticket, snapshot: TicketSnapshot, rule: QARule | None) -> list[Finding]:
    brand = ticket.campaign.brand
    forbidden = {*brand.blocked_categories, *(("ADULT", "ALCOHOL") if brand.family_friendly else ())}
    parameters: dict[str, Any] = rule.parameters if rule else {}
    return [
        *rules.brand_safety_findings(
            snapshot,
            forbidden=sorted(forbidden),
            terms=parameters.get("terms", {}),
            interest_ids=parameters.get("interest_ids", {}).get(snapshot.platform, {}),
        ),
        *rules.legal_line_findings(snapshot, brand.legal_lines),
    ]


def _budgets(ticket: Ticket, snapshot: TicketSnapshot, rule: QARule | None) -> list[Finding]:
    parameters = rule.parameters if rule else {"daily": "100000", "lifetime": "1000000"}
    today = ticket.ad_account.today()
    rates = Rates(today)
    found = rates.rate(snapshot.currency, "USD")
    return [
        *rules.budget_limit_findings(
            snapshot,
            usd_rate=found[0] if found else None,
            rate_day=found[1] if found else None,
            daily=Decimal(parameters["daily"]),
            lifetime=Decimal(parameters["lifetime"]),
            cap=ticket.ad_account.daily_cap,
            today=today,
        ),
        *_against_campaign(ticket, snapshot, rates, today),
        *_conversion(ticket),
    ]


def _against_campaign(ticket: Ticket, snapshot: TicketSnapshot, rates: Rates, today: date) -> list[Finding]:
    """The campaign's budget is for all its channels: what other tickets of it have been passed for counts, too."""
    campaign = ticket.campaign
    snapshots = [snapshot, *_passed_beside(ticket)]
    planned = [_in_campaign_currency(each, campaign, rates) for each in snapshots]
    if planned[0] is None:
        return []
    total = sum((each for each in planned if each is not None), Decimal(0))
    converted = any(each.currency != campaign.currency for each in snapshots)
    slack = CONVERSION_SLACK if converted else Decimal(0)
    if total <= campaign.budget * (1 + slack):
        return []
    from governance.money import shown

    params = {
        "total": shown(total, campaign.currency, "en"),
        "budget": shown(campaign.budget, campaign.currency, "en"),
    }
    severity = "warn" if converted else "block"
    return [Finding("qa.over_campaign", "budget", severity, params=params)]  # type: ignore[arg-type]


#: Nothing is spent by tickets in these, or not before QA has seen them again.
_NOT_PASSED = (Status.DRAFT, Status.QA_TESTING, Status.QA_FAILED, Status.CANCELLED)


def _passed_beside(ticket: Ticket) -> list[TicketSnapshot]:
    others = Ticket.objects.filter(campaign_id=ticket.campaign_id).exclude(pk=ticket.pk)
    rows = others.exclude(status__in=_NOT_PASSED).select_related(
        "campaign__brand", "campaign__market", "channel", "ad_account"
    )
    return [ticket_snapshot(each) for each in rows]


def _in_campaign_currency(snapshot: TicketSnapshot, campaign: Campaign, rates: Rates) -> Decimal | None:
    """The ticket's spend over what the campaign's budget is for, a day or its life; None without budget or rate."""
    planned, found = rules.spend(snapshot), rates.rate(snapshot.currency, campaign.currency)
    if planned is None or found is None:
        return None
    return planned[0 if campaign.budget_type == "DAILY" else 1] * found[0]


def _conversion(ticket: Ticket) -> list[Finding]:
    """The approver sees which rate turned the plan's currency into the account's."""
    return [
        Finding("qa.converted", "budget", "warn", params=each)
        for each in ticket.budget_source.get("conversions", [])
    ]


def _payload(snapshot: TicketSnapshot, *found: Iterable[Finding]) -> list[Finding]:
    return [*rules.geo_findings(snapshot), *(finding for findings in found for finding in findings)]


def _state_findings(ticket: Ticket, snapshot: TicketSnapshot) -> list[Finding]:
    findings = rules.flight_findings(
        snapshot,
        today=ticket.ad_account.today(),
        campaign_start=ticket.campaign.start_on,
        campaign_end=ticket.campaign.end_on,
    )
    if not ticket.ad_account.active:
        findings.append(
            Finding("qa.account_inactive", "ad_account", params={"account": ticket.ad_account.name})
        )
    if not ticket.channel.active:
        findings.append(Finding("qa.channel_inactive", "channel", params={"channel": ticket.channel.code}))
    return findings


def _unique(findings: Iterable[Finding]) -> list[Finding]:
    """Blocking ones first; the same thing said twice is said once."""
    seen: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        seen.setdefault((finding.code, finding.field, repr(sorted(finding.params.items()))), finding)
    return sorted(seen.values(), key=lambda finding: finding.severity)
