"""Requests on what is built, through the ticket page: asked in words, and read by the approver as changes."""

from __future__ import annotations

import zoneinfo
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.urls import reverse
from django.utils import timezone

from deploy.tests.test_engine import approved, deployed
from governance.tests.factories import UserFactory
from omnitraffick.tests.admin_world import form_values
from trafficking import services as tickets
from trafficking.models import ApprovalRule, Ticket
from trafficking.statuses import Status
from trafficking.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_broker():
    with mock.patch("deploy.services.enqueue") as sent:
        yield sent


@pytest.fixture
def built(sandboxes, trafficker, approver) -> Ticket:
    ticket = approved(make_ticket("META", ad_sets=2), trafficker, approver)
    deployed(ticket, trafficker)
    return Ticket.objects.get(pk=ticket.pk)


def url(name: str, ticket: Ticket) -> str:
    return reverse(f"admin:trafficking_ticket_{name}", args=[ticket.pk])


def ask(client: Any, name: str, ticket: Ticket, **values: Any) -> Any:
    assert client.get(url(name, ticket)).status_code == 200
    return client.post(url(name, ticket), {"confirmed": "1", "ticket": ticket.pk, **values}, follow=True)


def told(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def newest() -> Ticket:
    return Ticket.objects.select_related("ad_account", "campaign", "channel").latest("pk")


NAMES = (
    "update",
    "add",
    "rename",
    "pause",
    "activate",
    "archive",
    "undo",
    "compensate",
    "look_again",
    "give_up",
)


def offered(client: Any, ticket: Ticket) -> set[str]:
    page = client.get(url("change", ticket)).content.decode()
    return {name for name in NAMES if f'href="{url(name, ticket)}"' in page}


def reads(client: Any, name: str, ticket: Ticket) -> str:
    return " ".join(client.get(url(name, ticket)).content.decode().split())


def test_a_change_leads_to_a_ticket_with_a_copy_of_the_tree(built, client, trafficker):
    client.force_login(trafficker)
    answer = ask(client, "update", built, note="The client wants more")
    made = newest()
    assert answer.redirect_chain[-1][0] == url("change", made)
    assert (made.request_type, made.status, made.request_note) == ("UPDATE", "DRAFT", "The client wants more")
    assert made.ad_sets.count() == 2 and f"Ticket {made.pk} holds a copy" in told(answer)


def test_the_approver_reads_the_change_in_the_accounts_money_with_before_and_after(
    built, client, trafficker, approver
):
    client.force_login(trafficker)
    ask(client, "update", built, note="The client wants more")
    made = newest()
    row = made.ad_sets.order_by("position").first()
    row.budget = Decimal("1200")
    row.save()
    report = tickets.submit_ticket(ticket=newest(), by=trafficker)
    assert report.passed, [each.message for each in report.findings]
    client.force_login(approver)
    page = reads(client, "approve", made)
    assert "$1,000.00" in page and "$1,200.00" in page and "lifetime budget" in page
    assert "The client wants more" in page and "0 of 1 approvals" in page
    assert "objects as the platform has them" in page
    assert "everything is created paused" not in page


def test_an_activation_says_what_it_starts_to_spend_and_when(built, client, trafficker, approver):
    client.force_login(trafficker)
    go = (timezone.now() + timedelta(days=7)).strftime("%Y-%m-%dT00:00")
    ask(client, "activate", built, which="whole", go_live_at=go, submit="on")
    made = newest()
    assert (made.request_type, made.status) == ("ACTIVATE", Status.READY_FOR_API)
    zone = made.ad_account.time_zone
    assert made.go_live_at is not None
    assert made.go_live_at.astimezone(zoneinfo.ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M") == go
    client.force_login(approver)
    page = reads(client, "approve", made)
    assert "It starts spending: up to $2,000.00 over the whole flight." in page
    assert "without anybody" in page and zone in page


def test_a_switch_of_some_names_them_and_an_empty_choice_is_refused(built, client, trafficker):
    client.force_login(trafficker)
    page = reads(client, "pause", built)
    first = built.ad_sets.order_by("position").first()
    assert first.governed_name in page and str(first.intent_id) in page
    refused = ask(client, "pause", built, which="some")
    assert "Tick what it is about" in refused.content.decode()
    assert newest() == built
    ask(client, "pause", built, which="some", scope=[str(first.intent_id)])
    made = newest()
    assert (made.request_type, made.scope, made.status) == ("PAUSE", [str(first.intent_id)], "DRAFT")
    assert first.governed_name in reads(client, "change", made)


def test_ticked_ones_and_the_whole_campaign_contradict_each_other(built, client, trafficker):
    client.force_login(trafficker)
    first = built.ad_sets.first()
    refused = ask(client, "archive", built, which="whole", scope=[str(first.intent_id)])
    assert "Some are ticked below" in refused.content.decode().replace("&#x27;", "'")
    assert newest() == built


def test_only_what_makes_sense_is_offered(built, client, trafficker):
    client.force_login(trafficker)
    assert offered(client, built) == {"update", "add", "rename", "pause", "activate", "archive"}
    ask(client, "pause", built, which="whole")
    assert offered(client, newest()) == set()
    draft = make_ticket("TIKTOK")
    assert offered(client, draft) == set()


def test_a_switch_is_edited_without_budget_or_ad_sets(built, client, trafficker):
    client.force_login(trafficker)
    ask(client, "activate", built, which="whole")
    page = client.get(url("change", newest()))
    assert page.context["inline_admin_formsets"] == []
    fields = set(page.context["adminform"].form.fields)
    assert "go_live_at" in fields and not fields & {"budget", "start_on", "payload_config", "campaign"}


def test_the_moment_is_edited_by_the_accounts_clocks(built, client, trafficker):
    client.force_login(trafficker)
    ask(client, "activate", built, which="whole")
    made = newest()
    values = form_values(client.get(url("change", made)), go_live_at="2027-03-01T00:00")
    client.post(url("change", made), values)
    assert newest().go_live_at.isoformat() == "2027-03-01T05:00:00+00:00"
    page = client.get(url("change", made))
    assert 'value="2027-03-01T00:00"' in page.content.decode()
    version = newest().version
    client.post(url("change", made), form_values(page))
    assert newest().version == version  # saving an untouched form changes nothing
    skipped = client.post(url("change", made), form_values(page, go_live_at="2027-03-14T02:30"))
    assert skipped.status_code == 200 and newest().version == version


def test_a_carried_out_pause_can_be_undone(built, client, trafficker, approver):
    client.force_login(trafficker)
    ask(client, "activate", built, which="whole", submit="on")
    switched = newest()
    tickets.approve_ticket(ticket=switched, by=approver, digest=switched.digest)
    assert deployed(switched, trafficker).state == "SUCCEEDED"
    assert "undo" in offered(client, switched)
    ask(client, "undo", switched, submit="on")
    assert (newest().request_type, newest().status) == ("PAUSE", Status.READY_FOR_API)


def test_a_waived_approval_shows_its_rule(built, client, trafficker):
    ApprovalRule(request_type="PAUSE", approvers=0, note="Pausing costs nothing").save()
    client.force_login(trafficker)
    ask(client, "activate", built, which="whole", submit="on")
    assert newest().status == Status.READY_FOR_API
    first = built.ad_sets.first()
    answer = ask(client, "archive", built, which="some", scope=[str(first.intent_id)], submit="on")
    assert "waits for approval" in told(answer)
    rule = ApprovalRule(request_type="ARCHIVE", approvers=0, note="Nothing of it has run")
    rule.save()
    ask(client, "archive", built, which="some", scope=[str(first.intent_id)], submit="on")
    page = reads(client, "change", newest())
    assert "Nobody has to approve this." in page and "Nothing of it has run" in page


def test_the_second_of_two_approvers_makes_it_ready(built, client, trafficker, approver):
    ApprovalRule(approvers=2, note="Two always").save()
    client.force_login(trafficker)
    ask(client, "activate", built, which="whole", submit="on")
    made = newest()
    client.force_login(approver)
    answer = ask(client, "approve", made, **{f"digest-{made.pk}": made.digest})
    assert "one more person" in told(answer)
    assert "1 of 2 approvals" in reads(client, "change", made)
    client.force_login(UserFactory(roles=["Approver"], everywhere=True))
    ask(client, "approve", made, **{f"digest-{made.pk}": made.digest})
    assert newest().status == Status.APPROVED


def test_requests_of_another_brand_are_not_there(built, client):
    stranger = UserFactory(roles=["Trafficker"])
    client.force_login(stranger)
    assert client.get(url("pause", built)).status_code in (302, 403, 404)
    assert client.post(url("pause", built), {"confirmed": "1", "which": "whole"}).status_code in (
        302,
        403,
        404,
    )
    assert newest() == built


def test_the_qa_document_tells_objects_fields_and_people(built, client, trafficker, approver):
    client.force_login(trafficker)
    run = built.deployments.get()
    page = client.get(reverse("admin:deploy_deployment_proof", args=[run.pk]))
    words = " ".join(page.content.decode().split())
    assert "Everything agrees" in words and built.external_id in words
    assert str(approver) in words and built.digest in words and "$1,000.00" in words
    assert "<link" not in words and "<script" not in words and "src=" not in words
    assert (
        reverse("admin:deploy_deployment_proof", args=[run.pk])
        in client.get(url("change", built)).content.decode()
    )
    client.force_login(UserFactory(roles=["Trafficker"]))
    assert client.get(reverse("admin:deploy_deployment_proof", args=[run.pk])).status_code in (302, 403, 404)
