"""The page of what waits for a person's approval: what stands there, and what its buttons do."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from governance.tests.api_clients import person
from governance.tests.factories import UserFactory
from omnitraffick.tests.admin_world import make_world, submitted
from trafficking.models import Approval
from trafficking.plan_view import plan_context
from trafficking.services import submit_ticket
from trafficking.statuses import Status
from trafficking.tests.factories import make_campaign, make_ticket

pytestmark = pytest.mark.django_db
PAGE = "admin:trafficking_ticket_waiting"


@pytest.fixture
def world():
    return make_world()


def shown(client):
    return [card["ticket"].pk for card in client.get(reverse(PAGE)).context["cards"]]


def decide(client, ticket, action, **more):
    url = reverse(f"admin:trafficking_ticket_{action}", args=[ticket.pk])
    sent = {"confirmed": "1", "from": "waiting", f"digest-{ticket.pk}": ticket.digest, **more}
    return client.post(url, sent)


def test_a_plan_is_approved_from_the_page_and_leaves_it(world, client):
    ticket = submitted(world)
    client.force_login(world.approver)
    page = client.get(reverse(PAGE)).content.decode()
    assert str(ticket) in page and ticket.digest[:12] in page and "planner" in page and "$" in page
    answer = decide(client, ticket, "approve", comment="Fine")
    assert answer.status_code == 302 and answer.url == reverse(PAGE)
    ticket.refresh_from_db()
    assert ticket.status == Status.APPROVED and Approval.objects.get().comment == "Fine"
    assert shown(client) == []
    assert "No plan waits for you" in client.get(reverse(PAGE)).content.decode()


def test_a_plan_that_changed_meanwhile_is_not_approved(world, client):
    ticket = submitted(world)
    client.force_login(world.approver)
    decide(client, ticket, "approve", **{f"digest-{ticket.pk}": "0" * 64})
    ticket.refresh_from_db()
    assert ticket.status == Status.READY_FOR_API and not Approval.objects.exists()


def test_rejecting_asks_for_the_reason_and_comes_back_to_the_page(world, client):
    ticket = submitted(world)
    client.force_login(world.approver)
    asked = decide(client, ticket, "reject")
    assert asked.status_code == 200 and 'name="from" value="waiting"' in asked.content.decode()
    answer = decide(client, ticket, "reject", comment="Wrong dates")
    assert answer.status_code == 302 and answer.url == reverse(PAGE)
    ticket.refresh_from_db()
    assert ticket.status == Status.DRAFT


def test_nobody_sees_their_own_requests_or_other_brands_there(world, client):
    ticket = submitted(world)
    both = UserFactory(username="both", roles=["Planner", "Approver"], everywhere=True)
    own = make_ticket(
        campaign=make_campaign(name="Second wave", brand=world.brand, market=world.market),
        account=world.account,
    )
    assert submit_ticket(ticket=own, by=both).passed
    client.force_login(both)
    assert shown(client) == [ticket.pk]
    client.force_login(person("Approver", grants=[(world.other_brand, None)]))
    assert shown(client) == []
    client.force_login(world.planner)
    assert client.get(reverse(PAGE)).status_code == 403


def test_it_asks_the_database_as_often_with_fifteen_as_with_ten_and_has_pages(world, client):
    for number in range(10):
        wave = make_campaign(name=f"Wave {number}", brand=world.brand, market=world.market)
        assert submit_ticket(
            ticket=make_ticket(campaign=wave, account=world.account), by=world.planner
        ).passed
    client.force_login(world.approver)
    client.get(reverse(PAGE))
    with CaptureQueriesContext(connection) as few:
        assert len(shown(client)) == 10
    for number in range(10, 15):
        wave = make_campaign(name=f"Wave {number}", brand=world.brand, market=world.market)
        assert submit_ticket(
            ticket=make_ticket(campaign=wave, account=world.account), by=world.planner
        ).passed
    with CaptureQueriesContext(connection) as many:
        assert len(shown(client)) == 10
    assert len(many) == len(few) and len(many) <= 70, len(many)
    assert len(client.get(reverse(PAGE) + "?page=2").context["cards"]) == 5


def test_the_calls_of_a_plan_stand_as_a_tree(world):
    plan = submitted(world).plans.get()
    read = plan_context(plan)["operations"]
    assert {each["number"] for each in read} == set(range(1, len(plan.operations) + 1))
    kinds = [(each["type"], each["depth"]) for each in read]
    assert kinds[0][1] == 0 and max(depth for _kind, depth in kinds) >= 2, kinds
