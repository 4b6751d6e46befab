"""How many people must approve a plan, and on what their approval rests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from governance.models import NamingConvention, QARule
from trafficking import held, rules
from trafficking.models import ApprovalRule, Ticket
from trafficking.platforms.base import Held, TicketSnapshot


def rule_for(ticket: Ticket, usd: Decimal | None) -> ApprovalRule | None:
    """The most particular active rule that fits; None: the house rule of one second person.

    `usd` is what the ticket may spend over its flight; None where no rate tells: then every amount fits.
    """
    fitting = [
        rule
        for rule in ApprovalRule.objects.current().filter(active=True)
        if rule.brand_id in (None, ticket.campaign.brand_id)
        and rule.platform in ("", ticket.channel.platform)
        and rule.request_type in ("", ticket.request_type)
        and (usd is None or usd >= rule.from_amount)
    ]
    return max(fitting, key=_particularity, default=None)


def _particularity(rule: ApprovalRule) -> tuple[bool, bool, bool, Decimal]:
    return bool(rule.brand_id), bool(rule.platform), bool(rule.request_type), rule.from_amount


def spend_usd(snapshot: TicketSnapshot, usd_rate: Decimal | None) -> Decimal | None:
    """What it may spend over its flight in USD; None where no rate is known."""
    planned = rules.spend(snapshot)
    if planned is None:
        return Decimal(0)
    return None if usd_rate is None else planned[1] * usd_rate


def basis_of(
    ticket: Ticket, objects: Iterable[Held], qa_rules: Iterable[QARule], rule: ApprovalRule | None,
    convention: NamingConvention | None, built: Sequence[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """What an approval rests on beside the operations: any change of it voids the approval."""
    basis: dict[str, Any] = {
        "convention": f"{convention.public_id}:{convention.version}" if convention else "",
        "rules": _digest([[each.kind, each.active, each.parameters] for each in qa_rules]),
        "safety": _digest(
            [
                ticket.campaign.brand.blocked_categories,
                ticket.campaign.brand.family_friendly,
                ticket.campaign.brand.legal_lines,
            ]
        ),
        "approval": f"{rule.public_id}:{rule.version}" if rule else "house",
    }
    if built:
        basis["built_rules"] = _digest(list(built))
    if ticket.request_type != "CREATE":
        basis["live"] = held.live_digests(objects)
    if ticket.go_live_at:
        basis["go_live_at"] = ticket.go_live_at.isoformat()
    return basis


#: What each part of a basis is called when it has changed.
PARTS = {
    "convention": "the naming convention",
    "rules": "a QA rule or its thresholds",
    "built_rules": "a rule that a data admin built",
    "safety": "the brand's safety settings",
    "approval": "the approval rule",
    "live": "what the platform has",
    "go_live_at": "the moment of going live",
}


def changed_parts(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """In words, what differs between two bases."""
    return [PARTS[part] for part in PARTS if before.get(part) != after.get(part)]


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
