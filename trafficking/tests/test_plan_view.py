"""The plan as an approver reads it: totals first, slips that leap to the eye, whose eyes, and the next one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.urls import reverse

from omnitraffick.tests.admin_world import make_world, submitted
from trafficking import plan_view
from trafficking.services import current_plan, submit_ticket
from trafficking.tests.factories import make_campaign, make_ticket

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("code", "sent"), [("META", "100000"), ("TIKTOK", "1000"), ("GGLSEARCH", "1000000000")]
)
def test_the_strip_tells_the_amount_in_both_units(code, sent):
    world = make_world()
    ticket = make_ticket(code, campaign=make_campaign(name="Strip", channels=(code,)))
    assert submit_ticket(ticket=ticket, by=world.planner).passed
    strip = plan_view.summary(current_plan(ticket), ticket)
    assert [each["sent"] for each in strip["units"]] == [sent]
    assert "1,000" in strip["units"][0]["means"]
    assert strip["flight_total"] == strip["units"][0]["means"]
    assert sum(count for count, _kind in strip["objects"]) >= 3


@pytest.mark.parametrize(("after", "leaps"), [("12500000", True), ("1250", True), ("150000", False)])
def test_a_slip_of_the_decimal_point_leaps_to_the_eye(after, leaps):
    change = {"field": "lifetime_budget", "before": "125000", "after": after, "name": "Prospecting"}
    plan: Any = SimpleNamespace(platform="meta", changes=[change])
    assert plan_view._largest(plan, "USD")["leaps"] is leaps


def test_four_eyes_are_said_in_words_and_the_next_plan_is_offered(client):
    world = make_world()
    ticket = submitted(world)
    other = make_ticket("META", campaign=make_campaign(name="Second"))
    assert submit_ticket(ticket=other, by=world.planner).passed
    approve = reverse("admin:trafficking_ticket_approve", args=[ticket.pk])
    client.force_login(world.approver)
    page = client.get(approve).content.decode()
    assert "you are the second pair of eyes" in page
    assert "What the platform gets" in page
    sent = {"confirmed": "1", f"digest-{ticket.pk}": ticket.digest, "ticket": ticket.pk}
    after = client.post(approve, sent, follow=True).content.decode()
    assert "Next waiting" in after
    assert reverse("admin:trafficking_ticket_approve", args=[other.pk]) in after
    ticket.refresh_from_db()
    assert ticket.status == "APPROVED"


def test_who_asked_is_told_that_someone_else_approves(client):
    world = make_world()
    world.ticket.refresh_from_db()
    submit_ticket(ticket=world.ticket, by=world.boss)
    client.force_login(world.boss)
    page = client.get(reverse("admin:trafficking_ticket_approve", args=[world.ticket.pk])).content.decode()
    assert "You asked for it, so someone else approves." in page
