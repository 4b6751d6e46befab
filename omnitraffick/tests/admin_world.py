"""People and rows for the tests of admin pages: two brands that must not see each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from campaigns.models import Campaign
from governance.models import AdAccount, Brand, Grant, Market, User
from governance.tests.factories import AdAccountFactory, BrandFactory, MarketFactory, UserFactory
from trafficking.models import Ticket
from trafficking.services import approve_ticket, submit_ticket
from trafficking.tests.factories import make_campaign, make_ticket


@dataclass
class World:
    """`planner`, `approver` and `admin` reach everything; `outsider` only ACME."""

    brand: Brand
    other_brand: Brand
    market: Market
    campaign: Campaign
    ticket: Ticket
    account: AdAccount
    planner: User
    approver: User
    data_admin: User
    outsider: User
    boss: User


def make_world() -> World:
    brand, other, market = BrandFactory(), BrandFactory(code="ACME"), MarketFactory()
    account = AdAccountFactory(serving=[(brand, market)])
    campaign = make_campaign(brand=brand, market=market)
    outsider = UserFactory(username="outsider", roles=["Planner", "Trafficker", "Data admin"])
    Grant.objects.create(user=outsider, brand=other)
    return World(
        brand=brand, other_brand=other, market=market, campaign=campaign, account=account,
        ticket=make_ticket(campaign=campaign, account=account),
        planner=UserFactory(username="planner", roles=["Planner"], everywhere=True),
        approver=UserFactory(username="approver", roles=["Approver"], everywhere=True),
        data_admin=UserFactory(username="dataadmin", roles=["Data admin"], everywhere=True),
        outsider=outsider,
        boss=UserFactory(username="boss", is_superuser=True),
    )  # fmt: skip


def submitted(world: World) -> Ticket:
    report = submit_ticket(ticket=world.ticket, by=world.planner)
    assert report.passed, [finding.message for finding in report.findings]
    return world.ticket


def approved(world: World) -> Ticket:
    ticket = submitted(world)
    approve_ticket(ticket=ticket, by=world.approver, digest=ticket.digest)
    return ticket


def form_values(response: Any, **changes: Any) -> dict[str, Any]:
    """What a browser would send back from a change page: the form with its inlines, `changes` on top."""
    forms = [response.context["adminform"].form]
    for inline in response.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    values: dict[str, Any] = {}
    for form in forms:
        for bound in form:
            values.update(_sent(bound))
    return {name: value for name, value in {**values, **changes}.items() if value is not None}


def _sent(bound: Any) -> dict[str, Any]:
    value = bound.value()
    if isinstance(value, bool):
        return {bound.html_name: "on"} if value else {}
    if hasattr(bound.field.widget, "as_sent"):
        return bound.field.widget.as_sent(bound.html_name, value)
    if hasattr(bound.field.widget, "decompress"):
        parts = bound.field.widget.decompress(value)
        return {f"{bound.html_name}_{at}": part or "" for at, part in enumerate(parts)}
    if value is None:
        return {bound.html_name: ""}
    return {bound.html_name: [str(each) for each in value] if isinstance(value, list) else str(value)}
