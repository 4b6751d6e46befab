"""What must not be sent is not sent, what may have landed is not sent twice, and no run stays stuck."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from deploy import engine, services, tasks
from deploy.answers import storable
from deploy.models import Deployment, Operation
from deploy.tests.test_engine import approved, deployed, names_there, run_until_it_rests
from governance.models import Grant
from governance.tests.factories import BrandFactory, UserFactory
from trafficking import services as tickets
from trafficking.models import AdSet, PlatformObject, Ticket
from trafficking.platforms import base
from trafficking.platforms.sandbox_base import Fault
from trafficking.statuses import Status
from trafficking.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


def again(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_related("campaign", "channel", "ad_account").get(pk=ticket.pk)


# ------------------------------------------------------------------------------------- cancelling


def test_a_cancelled_ticket_is_not_sent_by_the_worker_that_finds_its_run(sandboxes, trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    deployment = services.start_deployment(ticket=ticket, by=trafficker)
    tickets.cancel_ticket(ticket=ticket, by=trafficker)
    assert engine.run(str(ticket.public_id)).state == "HELD"
    deployment.refresh_from_db()
    assert deployment.state == Deployment.State.CANCELLED
    assert {row.state for row in deployment.operations.all()} == {Operation.State.SKIPPED}
    assert sandboxes["meta"].store.rows() == []
    assert services.sweep(now=timezone.now() + timezone.timedelta(hours=2)) == 0


def test_a_run_whose_ticket_was_cancelled_by_another_way_sends_nothing(sandboxes, trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    deployment = services.start_deployment(ticket=ticket, by=trafficker)
    Ticket._base_manager.filter(pk=ticket.pk)._update(
        [(Ticket._meta.get_field("status"), None, Status.CANCELLED)]
    )
    assert engine.run(str(ticket.public_id)).state == Deployment.State.CANCELLED
    deployment.refresh_from_db()
    assert deployment.finished_at
    assert sandboxes["meta"].store.rows() == []


def test_what_a_worker_has_begun_can_not_be_cancelled(sandboxes, trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    deployment = services.start_deployment(ticket=ticket, by=trafficker)
    assert engine._claim(Deployment.objects.get(pk=deployment.pk))
    with pytest.raises(ValidationError, match="just begun"):
        tickets.cancel_ticket(ticket=ticket, by=trafficker)
    assert ticket.status == again(ticket).status == Status.QUEUED


# ------------------------------------------------------------------------------- perhaps built


def test_a_ticket_is_not_made_anew_while_a_call_for_it_may_have_landed(
    sandboxes, no_wait, trafficker, approver
):
    ticket = approved(make_ticket("META"), trafficker, approver)
    sandboxes["meta"].faults = [
        Fault(kind="lose_answer", match="POST", count=1, skip=2),  # after the dry runs
        Fault(kind="expired_token", match="/campaigns", count=1, skip=2),  # after the look for the name
    ]  # fmt: skip
    failed = deployed(ticket, trafficker)
    assert (failed.state, ticket.status) == (Deployment.State.FAILED, Status.FAILED)
    assert not PlatformObject.objects.filter(ticket=ticket).exists()  # nobody knows of it, yet it is there
    assert len(sandboxes["meta"].store.rows()) == 1
    with pytest.raises(ValidationError, match="may have reached"):
        tickets.reopen_ticket(ticket=ticket, by=trafficker)
    assert again(ticket).status == Status.FAILED
    assert deployed(again(ticket), trafficker).state == Deployment.State.SUCCEEDED
    assert set(names_there(sandboxes["meta"]).values()) == {1}


def test_a_ticket_that_failed_before_anything_was_sent_is_reopened_with_names_that_fit(
    sandboxes, trafficker, approver
):
    ticket = approved(make_ticket("META"), trafficker, approver)
    sandboxes["meta"].faults = [Fault(kind="expired_token", match="POST", count=1)]
    deployed(ticket, trafficker)
    part = AdSet.objects.get(ticket=ticket)
    right = part.governed_name
    AdSet._base_manager.filter(pk=part.pk)._update(
        [(AdSet._meta.get_field("governed_name"), None, "stale"), (AdSet._meta.get_field("name_key"), None, "stale")]
    )  # fmt: skip
    tickets.reopen_ticket(ticket=ticket, by=trafficker)
    assert AdSet.objects.get(pk=part.pk).governed_name == right
    assert (ticket.status, ticket.version) == (Status.DRAFT, again(ticket).version)
    approved(ticket, trafficker, approver)  # the caller's object is fresh enough to go on with


# ------------------------------------------------------------------------------------- in doubt


def in_doubt(sandboxes, trafficker, approver, settings) -> tuple[Ticket, Deployment]:
    settings.DEPLOY_MAX_SENDS = 2
    ticket = approved(make_ticket("META"), trafficker, approver)
    sandboxes["meta"].faults = [Fault(kind="lose_request", match="POST", count=2, skip=2)]
    deployment = deployed(ticket, trafficker)
    assert (deployment.state, ticket.status) == (Deployment.State.IN_DOUBT, Status.IN_DOUBT)
    return ticket, deployment


def test_a_person_lets_a_doubtful_run_go_on(sandboxes, no_wait, trafficker, approver, settings):
    ticket, deployment = in_doubt(sandboxes, trafficker, approver, settings)
    calls = len(sandboxes["meta"].requests)
    services.look_again(ticket=ticket, by=trafficker)
    run_until_it_rests(ticket)
    deployment.refresh_from_db()
    assert deployment.state == Deployment.State.SUCCEEDED, deployment.reason
    assert again(ticket).status == Status.TRAFFICKED_SUCCESS
    assert sandboxes["meta"].requests[calls]["method"] == "GET"  # looked before it sent
    assert set(names_there(sandboxes["meta"]).values()) == {1}


def test_a_person_gives_a_doubtful_run_up_and_the_next_one_looks_first(
    sandboxes, no_wait, trafficker, approver, settings
):
    ticket, deployment = in_doubt(sandboxes, trafficker, approver, settings)
    with pytest.raises(ValidationError):
        services.give_up(ticket=ticket, by=trafficker, comment=" ")
    services.give_up(ticket=ticket, by=trafficker, comment="Not there")
    deployment.refresh_from_db()
    assert (deployment.state, again(ticket).status) == (Deployment.State.FAILED, Status.FAILED)
    calls = len(sandboxes["meta"].requests)
    assert deployed(again(ticket), trafficker).state == Deployment.State.SUCCEEDED
    assert sandboxes["meta"].requests[calls]["method"] == "GET"


# ------------------------------------------------------------------------------------ stumbling


def test_a_worker_that_stumbles_lets_go_and_says_no_secret(sandboxes, trafficker, approver, monkeypatch):
    ticket = approved(make_ticket("META"), trafficker, approver)
    deployment = services.start_deployment(ticket=ticket, by=trafficker)

    def stumbles(*_args):
        raise RuntimeError("token=s3cret-s3cret")

    with monkeypatch.context() as patch:
        patch.setattr(engine.Run, "_settle", stumbles)
        ended = engine.run(str(ticket.public_id))
    deployment.refresh_from_db()
    assert ended.state == deployment.state == Deployment.State.WAITING
    assert "s3cret" not in deployment.reason
    assert deployment.lease_owner == ""
    Deployment.objects.filter(pk=deployment.pk).update(next_try_at=timezone.now())
    run_until_it_rests(ticket)
    deployment.refresh_from_db()
    assert deployment.state == Deployment.State.SUCCEEDED, deployment.reason
    assert set(names_there(sandboxes["meta"]).values()) == {1}


def test_a_stumble_that_stays_ends_as_failed(trafficker, approver, monkeypatch, settings):
    settings.DEPLOY_GIVE_UP_S = 0
    ticket = approved(make_ticket("META"), trafficker, approver)
    services.start_deployment(ticket=ticket, by=trafficker)

    def refuses(_account, **_options):
        raise PermissionError("live is off")

    monkeypatch.setattr("deploy.connections.client_for", refuses)
    assert engine.run(str(ticket.public_id)).state == Deployment.State.FAILED
    assert again(ticket).status == Status.FAILED


def test_a_throttled_pause_is_tried_again_and_not_given_up(sandboxes, trafficker, approver, monkeypatch):
    ticket = approved(make_ticket("META"), trafficker, approver)
    services.start_deployment(ticket=ticket, by=trafficker)
    client = type(engine.connections.client_for(ticket.ad_account))
    real = client.read_tree

    def switched_on(self, campaign_id):
        return tuple(replace(each, status="ACTIVE") for each in real(self, campaign_id))

    monkeypatch.setattr(client, "read_tree", switched_on)
    monkeypatch.setattr(client, "set_status", lambda *_args: base.RetryLater("slow down", 7.0))
    ended = engine.run(str(ticket.public_id))
    assert ended.state == Deployment.State.WAITING
    assert ended.after >= 7.0


def test_a_task_sent_by_hand_waits_like_any_other(sandboxes, no_wait, trafficker, approver, monkeypatch):
    ticket = approved(make_ticket("META"), trafficker, approver)
    sent = []
    monkeypatch.setattr("deploy.dispatch._send", lambda row, **kw: sent.append(row.pk))
    deployment = services.start_deployment(ticket=ticket, by=trafficker)
    sandboxes["meta"].faults = [Fault(kind="throttle", match="POST", count=1, seconds=1)]
    result = tasks.deploy_payload_to_platform.apply(args=[str(ticket.public_id)], task_id="by-hand")
    assert result.state == "IGNORED"
    assert sent == [deployment.pk]


# -------------------------------------------------------------------------------------- answers


def test_what_is_stored_of_an_answer_has_neither_secrets_nor_nul():
    words = {
        "error": {"message": "Malformed access token EAAB-token-of-ours\x00", "seen": ["EAAB-token-of-ours"]}
    }
    outcome = base.Rejected("190", "token EAAB-token-of-ours", response=words, http_status=400)
    kept = storable(outcome, ["EAAB-token-of-ours", "", "short"])
    assert "EAAB" not in repr(kept)
    assert "\x00" not in json.dumps(kept.response, ensure_ascii=False)
    assert kept.message == "token ***"
    assert (kept.code, kept.http_status) == ("190", 400)


def test_a_token_that_a_platform_echoes_is_kept_nowhere(sandboxes, trafficker, approver, monkeypatch, caplog):
    ticket = approved(make_ticket("TIKTOK"), trafficker, approver)
    secret = "tok-0123456789-of-ours"
    real = engine.connections.client_for

    def client_for(account, **options):
        client = real(account, **options)
        object.__setattr__(client.connection, "credentials", {"access_token": secret})
        client.apply = lambda *_args: base.Rejected(
            "40105", f"bad token {secret}", response={"message": f"Access-Token: {secret}"}
        )
        return client

    monkeypatch.setattr(engine.connections, "client_for", client_for)
    deployment = deployed(ticket, trafficker)
    assert deployment.state == Deployment.State.FAILED
    row = deployment.operations.get(state=Operation.State.REJECTED)
    told = [deployment.reason, row.error, json.dumps(row.response), caplog.text]
    told += [each.history_change_reason or "" for each in ticket.history.all()]
    assert "***" in row.error
    assert all(secret not in text for text in told)
    with pytest.raises(tasks.DeploymentFailed) as failed:
        raise tasks.DeploymentFailed(deployment.reason)
    assert secret not in str(failed.value)


def test_a_refused_cancel_leaves_the_transaction_around_it_whole(sandboxes, trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    deployment = services.start_deployment(ticket=ticket, by=trafficker)
    engine._claim(Deployment.objects.get(pk=deployment.pk))
    with transaction.atomic():
        with pytest.raises(ValidationError):
            tickets.cancel_ticket(ticket=ticket, by=trafficker)
        assert again(ticket).status == Status.QUEUED


def test_what_a_cancelled_ticket_has_built_is_not_built_again_under_the_same_name(
    sandboxes, no_wait, trafficker, approver
):
    ticket = approved(make_ticket("META"), trafficker, approver)
    sandboxes["meta"].faults = [Fault(kind="expired_token", match="POST", count=1, skip=3)]
    deployed(ticket, trafficker)
    assert PlatformObject.objects.filter(ticket=ticket).exists()
    tickets.cancel_ticket(ticket=ticket, by=trafficker)
    with pytest.raises(ValidationError) as refused:
        make_ticket("META", campaign=ticket.campaign, account=ticket.ad_account)
    assert refused.value.error_dict["channel"][0].code == "ticket.built_before"


def test_the_page_of_a_call_opens_and_says_its_api_version(client, sandboxes, trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    deployment = deployed(ticket, trafficker)
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    row = deployment.operations.first()
    for model, key in (("operation", quote(row.pk)), ("deployment", deployment.pk)):
        page = client.get(reverse(f"admin:deploy_{model}_change", args=[key]))
        assert page.status_code == 200
        assert deployment.plan.api_version in page.content.decode()


def test_a_call_of_another_brand_is_not_shown(client, sandboxes, trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    deployment = deployed(ticket, trafficker)
    stranger = UserFactory(roles=["Trafficker"], is_staff=True)
    Grant.objects.create(user=stranger, brand=BrandFactory(code="OTH", name="Other"))
    client.force_login(stranger)
    for page in (
        reverse("admin:deploy_operation_change", args=[quote(deployment.operations.first().pk)]),
        reverse("admin:deploy_deployment_change", args=[deployment.pk]),
        reverse("admin:deploy_deployment_history", args=[deployment.pk]),
        reverse("admin:trafficking_ticket_change", args=[ticket.pk]),
        reverse("admin:trafficking_ticket_history", args=[ticket.pk]),
        reverse("admin:trafficking_plan_change", args=[deployment.plan_id]),
    ):
        answer = client.get(page, follow=True)
        for words in (ticket.campaign.name, ticket.governed_name):
            assert words not in answer.content.decode(), page
        assert answer.status_code in (200, 403, 404)
    with pytest.raises(PermissionDenied):
        services.look_again(ticket=ticket, by=stranger)
