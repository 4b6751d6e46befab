"""QA: every rule over the ticket and its compiled plan, all findings at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from campaigns.models import Campaign, CampaignChannel
from governance import naming
from governance.findings import Finding, blocking
from governance.models import NamingConvention, QARule
from governance.models.rates import Rates
from trafficking import approvals, built_rules, held, rules
from trafficking.models import ApprovalRule, Ticket
from trafficking.platforms.base import Change, Compiled, Operation, Platform, TicketSnapshot, plan_digest
from trafficking.platforms.registry import platform
from trafficking.rule_fields import Checked
from trafficking.snapshots import ticket_snapshot
from trafficking.statuses import RUNNING, Status

#: The campaign may be planned over by rounding of converted currencies: this share is let through.
CONVERSION_SLACK = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Report:
    """`operations` and `digest` are what would be sent; only without blocking findings may it be.

    `basis` is what the digest covers beside the operations, `rule` the approval rule that the plan falls under.
    """

    findings: list[Finding]
    operations: tuple[Operation, ...]
    changes: tuple[Change, ...]
    digest: str
    basis: dict[str, Any]
    rule: ApprovalRule | None
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
    objects = [] if ticket.request_type == CREATE else held.held_of(ticket)
    files = held.files_of(ticket)
    compiled = known.compile(snapshot, [*objects, *files])
    configured = {rule.kind: rule for rule in QARule.objects.current()}
    convention = NamingConvention.in_force_or_none()
    rates = Rates(ticket.ad_account.today())
    rule = approvals.rule_for(ticket, _spend_usd(ticket, snapshot, rates))
    built = built_rules.rules_for(ticket)
    basis = approvals.basis_of(
        ticket, objects, configured.values(), rule, convention, built_rules.digests(built)
    )
    account = snapshot.account.external_id
    whole = compiled.operations if ticket.request_type == CREATE else None
    checked = Checked(ticket, snapshot, rates, tuple(files), whole)
    findings = _findings(ticket, snapshot, compiled, known, configured, governed, rates)
    return Report(
        _unique([*findings, *built_rules.findings_of(built, checked)]),
        compiled.operations,
        compiled.changes,
        plan_digest(known.key, known.api_version, account, compiled.operations, basis),
        basis,
        rule,
        snapshot,
    )


#: Switching off and taking away need no naming, budget or flight to be right.
_AWAY = frozenset({"PAUSE", "ARCHIVE"})
CREATE = Ticket.RequestType.CREATE


def _findings(
    ticket: Ticket, snapshot: TicketSnapshot, compiled: Compiled, known: Platform, configured: dict[str, QARule],
    governed: CampaignChannel | None, rates: Rates,
) -> list[Finding]:  # fmt: skip
    kinds = QARule.Kind
    payload = _weighed(configured.get(kinds.PAYLOAD_SCHEMA), known.check(compiled.operations))
    if ticket.request_type in _AWAY:
        return [*compiled.findings, *payload]
    if ticket.request_type == Ticket.RequestType.ACTIVATE:
        return [*compiled.findings, *payload, *_inactive(ticket), *_too_late(ticket)]
    taxonomy = _weighed(configured.get(kinds.TAXONOMY), taxonomy_findings(ticket, snapshot, governed))
    if ticket.request_type == Ticket.RequestType.RENAME:
        return [*taxonomy, *compiled.findings, *payload, *_inactive(ticket)]
    return [
        *taxonomy,
        *_weighed(
            configured.get(kinds.BRAND_SAFETY), _safety(ticket, snapshot, configured.get(kinds.BRAND_SAFETY))
        ),
        *_weighed(
            configured.get(kinds.BUDGET_LIMITS),
            _budgets(ticket, snapshot, configured.get(kinds.BUDGET_LIMITS), rates),
        ),
        *_weighed(configured.get(kinds.PAYLOAD_SCHEMA), _payload(snapshot, compiled.findings)),
        *payload,
        *rules.media_findings(snapshot),
        *_state_findings(ticket, snapshot),
    ]


def _spend_usd(ticket: Ticket, snapshot: TicketSnapshot, rates: Rates) -> Decimal | None:
    """Of a switch, what the tree that it switches may spend."""
    if ticket.request_type in _AWAY:
        return Decimal(0)
    spender = snapshot
    if ticket.request_type == Ticket.RequestType.ACTIVATE and ticket.base is not None:
        spender = ticket_snapshot(ticket.base)
    found = rates.rate(snapshot.currency, "USD")
    return approvals.spend_usd(spender, found[0] if found else None)


def _too_late(ticket: Ticket) -> list[Finding]:
    """Nothing can go live when its flight is over, and a moment that has passed is no authorisation."""
    findings = []
    base = ticket.base
    if base is not None and base.end_on < ticket.ad_account.today():
        findings.append(Finding("qa.flight_over", "go_live_at", params={"end": base.end_on.isoformat()}))
    if ticket.go_live_at and ticket.status not in RUNNING and ticket.go_live_at < timezone.now():
        findings.append(
            Finding("qa.go_live_past", "go_live_at", params={"moment": ticket.go_live_at.isoformat()})
        )
    return findings


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


def _budgets(ticket: Ticket, snapshot: TicketSnapshot, rule: QARule | None, rates: Rates) -> list[Finding]:
    parameters = rule.parameters if rule else {"daily": "100000", "lifetime": "1000000"}
    today = rates.on
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
    """The newest of each other channel: a later ticket takes the place of the one that it follows."""
    others = Ticket.objects.filter(campaign_id=ticket.campaign_id, request_type__in=Ticket.CONTENT)
    rows = (
        others.exclude(channel_id=ticket.channel_id)
        .exclude(status__in=_NOT_PASSED)
        .select_related("campaign__brand", "campaign__market", "channel", "ad_account")
        .order_by("id")
    )
    newest = {each.channel_id: each for each in rows}
    return [ticket_snapshot(each) for each in newest.values()]


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
    if ticket.request_type != CREATE:
        findings = [each for each in findings if not _begun_before(ticket, snapshot, each)]
    return [*findings, *_inactive(ticket)]


def _begun_before(ticket: Ticket, snapshot: TicketSnapshot, finding: Finding) -> bool:
    """A flight that has begun lies in the past by right, unless this ticket has moved it there."""
    if finding.code != "qa.past_start" or ticket.base is None:
        return False
    begun = ticket_snapshot(ticket.base)
    starts = {each.intent_id: each.start for each in begun.ad_sets}
    if not finding.field.startswith("ad_sets["):
        return begun.start == snapshot.start
    at = int(finding.field.removeprefix("ad_sets[").partition("]")[0])
    mine = snapshot.ad_sets[at]
    return starts.get(mine.intent_id, begun.start) == mine.start


def _inactive(ticket: Ticket) -> list[Finding]:
    findings = []
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
