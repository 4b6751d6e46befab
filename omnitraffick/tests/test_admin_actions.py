"""Actions on tickets: asked on a page, done by one service, refusals in words."""

from __future__ import annotations

from unittest import mock

import pytest
from django.urls import reverse

from omnitraffick.tests.admin_world import approved, make_world, submitted
from trafficking.models import Approval, Ticket
from trafficking.statuses import Status
from trafficking.tests.factories import make_campaign, make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make_world()


@pytest.fixture(autouse=True)
def no_broker():
    with mock.patch("deploy.services.enqueue") as sent:
        yield sent


def _url(name: str, ticket: Ticket) -> str:
    return reverse(f"admin:trafficking_ticket_{name}", args=[ticket.pk])


def _status(ticket: Ticket) -> str:
    return Ticket.objects.get(pk=ticket.pk).status


def _do(client, name, ticket, **values):
    """Open the action's page and confirm what it shows."""
    page = client.get(_url(name, ticket))
    assert page.status_code == 200
    shown = page.context["cards"][0]["ticket"].digest
    return client.post(
        _url(name, ticket),
        {"confirmed": "1", "ticket": ticket.pk, f"digest-{ticket.pk}": shown, **values},
        follow=True,
    )


def _told(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def test_a_ticket_goes_from_draft_to_the_queue_by_clicking(world, client, no_broker):
    client.force_login(world.planner)
    assert "QA passed" in _told(_do(client, "submit", world.ticket))
    assert _status(world.ticket) == Status.READY_FOR_API
    client.force_login(world.approver)
    assert "Approved" in _told(_do(client, "approve", world.ticket, comment="fine"))
    with mock.patch("django.db.transaction.on_commit", side_effect=lambda run, using=None: run()):
        assert "being deployed" in _told(_do(client, "deploy", world.ticket))
    assert _status(world.ticket) == Status.QUEUED and no_broker.called
    page = client.get(_url("change", world.ticket)).content.decode()
    assert "Deployments" in page and str(world.ticket.deployments.get().public_id) in page


def test_opening_the_page_of_an_action_changes_nothing(world, client):
    client.force_login(world.planner)
    for name in ("submit", "cancel"):
        assert client.get(_url(name, world.ticket)).status_code == 200
    assert _status(world.ticket) == Status.DRAFT


def test_a_failed_qa_is_told_and_stands_on_the_page(world, client):
    row = world.ticket.ad_sets.get()
    row.geo = {}
    row.save()
    client.force_login(world.planner)
    answer = _do(client, "submit", world.ticket)
    assert "QA failed with" in _told(answer)
    assert "No location is targeted." in answer.content.decode()


def test_the_approver_approves_the_plan_that_was_shown_not_a_newer_one(world, client):
    ticket = submitted(world)
    client.force_login(world.approver)
    page = client.get(_url("approve", ticket))
    shown = page.context["cards"][0]["ticket"].digest
    assert shown in page.content.decode()
    row = ticket.ad_sets.get()
    row.age_min = 30
    row.save()
    from trafficking.services import submit_ticket

    submit_ticket(ticket=Ticket.objects.get(pk=ticket.pk), by=world.planner)
    answer = client.post(
        _url("approve", ticket), {"confirmed": "1", f"digest-{ticket.pk}": shown}, follow=True
    )
    assert "changed since you read it" in _told(answer)
    assert _status(ticket) == Status.READY_FOR_API and not Approval.objects.exists()


def test_an_approval_without_a_digest_is_refused(world, client):
    ticket = submitted(world)
    client.force_login(world.approver)
    client.post(_url("approve", ticket), {"confirmed": "1"})
    assert _status(ticket) == Status.READY_FOR_API


def test_whoever_submitted_cannot_approve(world, client):
    from trafficking.services import submit_ticket

    submit_ticket(ticket=world.ticket, by=world.boss)
    client.force_login(world.boss)
    assert "second person" in _told(_do(client, "approve", world.ticket))
    assert _status(world.ticket) == Status.READY_FOR_API


def test_a_rejection_needs_its_reason(world, client):
    ticket = submitted(world)
    client.force_login(world.approver)
    page = client.post(_url("reject", ticket), {"confirmed": "1", "comment": "  "})
    assert page.status_code == 200 and "Say why" in page.content.decode()
    assert _status(ticket) == Status.READY_FOR_API
    _do(client, "reject", ticket, comment="wrong page")
    assert _status(ticket) == Status.DRAFT
    assert "wrong page" in client.get(_url("change", ticket)).content.decode()


def test_actions_that_do_not_fit_the_status_are_refused_in_words(world, client):
    client.force_login(world.boss)
    for name in ("approve", "reject", "deploy", "reopen"):
        answer = client.post(_url(name, world.ticket), {"confirmed": "1", "comment": "x"}, follow=True)
        assert answer.status_code == 200 and "can't become" in _told(answer).replace("&#x27;", "'"), name
    assert _status(world.ticket) == Status.DRAFT


def test_deploying_twice_is_told(world, client):
    ticket = approved(world)
    client.force_login(world.approver)
    _do(client, "deploy", ticket)
    again = client.post(_url("deploy", ticket), {"confirmed": "1"}, follow=True)
    assert "already being deployed" in _told(again)
    assert ticket.deployments.count() == 1


def test_roles_decide_which_actions_are_offered(world, client):
    ticket = submitted(world)
    offered = {}
    for person in (world.planner, world.approver, world.data_admin):
        client.force_login(person)
        page = client.get(_url("change", ticket)).content.decode()
        offered[person.username] = {
            name for name in ("submit", "approve", "reject", "cancel", "deploy") if _url(name, ticket) in page
        }
        for name in {"approve", "reject", "cancel", "deploy", "submit"} - offered[person.username]:
            client.post(_url(name, ticket), {"confirmed": "1", "comment": "x"})
            assert _status(ticket) == Status.READY_FOR_API, (person, name)
    assert offered == {"planner": {"cancel"}, "approver": {"approve", "reject"}, "dataadmin": set()}


def test_many_are_approved_only_through_a_page_that_lists_their_digests(world, client):
    from trafficking.services import submit_ticket

    first = submitted(world)
    second = make_ticket(campaign=make_campaign(name="Second Wave"), account=world.account)
    submit_ticket(ticket=second, by=world.planner)
    third = make_ticket(campaign=make_campaign(name="Third Wave"), account=world.account)
    client.force_login(world.approver)
    chosen = {"action": "do_approve", "_selected_action": [first.pk, second.pk, third.pk]}
    page = client.post(reverse("admin:trafficking_ticket_changelist"), chosen)
    words = page.content.decode()
    assert page.status_code == 200 and first.digest in words and second.digest in words
    assert not Approval.objects.exists()
    sent = {"confirmed": "1", "ticket": [first.pk, second.pk, third.pk], "comment": "all read"}
    sent |= {f"digest-{each.pk}": each.digest for each in (first, second)}
    answer = client.post(reverse("admin:trafficking_ticket_do", args=["approve"]), sent, follow=True)
    assert [_status(each) for each in (first, second, third)] == [
        Status.APPROVED,
        Status.APPROVED,
        Status.DRAFT,
    ]
    told = _told(answer)
    assert told.count("Approved: it can be deployed") == 2 and "Third Wave" in told


def test_a_list_action_on_one_ticket_leads_to_its_own_page(world, client):
    client.force_login(world.planner)
    chosen = {"action": "do_submit", "_selected_action": [world.ticket.pk]}
    answer = client.post(reverse("admin:trafficking_ticket_changelist"), chosen)
    assert answer.status_code == 302 and answer.url == _url("submit", world.ticket)


def test_a_cancelled_ticket_is_read_only(world, client):
    client.force_login(world.planner)
    _do(client, "cancel", world.ticket, comment="not needed")
    assert _status(world.ticket) == Status.CANCELLED
    assert not client.get(_url("change", world.ticket)).context["has_change_permission"]
