"""What tests of watching share: a built campaign on each platform, and hands that change it behind our back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deploy.tests.test_engine import approved, deployed
from trafficking import requests
from trafficking.models import PlatformObject, Ticket
from trafficking.platforms.sandbox_base import Sandbox
from trafficking.statuses import Status
from trafficking.tests.factories import make_ticket


@dataclass(frozen=True)
class Hand:
    """Where a platform's own screen changes things: (kind in the sandbox, what is set)."""

    campaign: str
    ad_set: str
    ad: str
    on: dict[str, Any]
    off: dict[str, Any]
    away: dict[str, Any]
    #: object type that holds the budget, its kind, the field's name, and what is set
    budget: tuple[str, str, str, dict[str, Any]]


HANDS = {
    "META": Hand(
        "campaign", "ad_set", "ad", {"status": "ACTIVE"}, {"status": "PAUSED"}, {"status": "ARCHIVED"},
        ("ad_set", "ad_set", "lifetime_budget", {"lifetime_budget": "999900"}),
    ),
    "TIKTOK": Hand(
        "campaign", "adgroup", "ad", {"operation_status": "ENABLE"}, {"operation_status": "DISABLE"},
        {"operation_status": "DELETE"}, ("ad_set", "adgroup", "budget", {"budget": 9999}),
    ),
    "GGLSEARCH": Hand(
        "campaign", "ad_group", "ad_group_ad", {"status": "ENABLED"}, {"status": "PAUSED"}, {"status": "REMOVED"},
        ("budget", "campaign_budget", "totalAmountMicros", {"totalAmountMicros": "9999000000"}),
    ),
}  # fmt: skip
CODES = list(HANDS)


def built(code: str, trafficker: Any, approver: Any, **values: Any) -> Ticket:
    ticket = approved(make_ticket(code, **values), trafficker, approver)
    deployed(ticket, trafficker)
    assert ticket.status == Status.TRAFFICKED_SUCCESS
    return ticket


def carried_out(ticket: Ticket, trafficker: Any, approver: Any) -> Ticket:
    deployed(approved(ticket, trafficker, approver), trafficker)
    assert ticket.status == Status.TRAFFICKED_SUCCESS, ticket.deployments.last().reason
    return ticket


def switched_on(ticket: Ticket, trafficker: Any, approver: Any) -> Ticket:
    request = requests.start_request(base=ticket, request_type="ACTIVATE", by=trafficker)
    return carried_out(request, trafficker, approver)


def row(ticket: Ticket, object_type: str) -> PlatformObject:
    return ticket.tree_objects().filter(object_type=object_type).order_by("pk").first()


def set_budget(code: str, ticket: Ticket, sandbox: Sandbox) -> PlatformObject:
    """Somebody writes another budget on the platform; the object of ours that has it."""
    object_type, kind, _field, changes = HANDS[code].budget
    held = row(ticket, object_type)
    sandbox.tamper(kind, held.external_id, changes)
    return held


def budget_there(code: str, ticket: Ticket, sandbox: Sandbox) -> Any:
    object_type, kind, _field, changes = HANDS[code].budget
    return sandbox.store.get(kind, row(ticket, object_type).external_id)[next(iter(changes))]
