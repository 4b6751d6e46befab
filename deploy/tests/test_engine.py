"""The engine against the sandboxes' own code: ids written back, nothing twice, whatever is lost."""

from __future__ import annotations

from collections import Counter

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from campaigns.services import save_campaign
from deploy import engine, services
from deploy.models import Deployment, Operation
from deploy.sandboxes import sandbox_keys
from governance.governed import unguarded
from trafficking import services as tickets
from trafficking.models import Ad, AdSet, PlatformObject, Ticket
from trafficking.platforms.sandbox_base import Fault
from trafficking.statuses import Status
from trafficking.tests.factories import TREES, make_ticket

pytestmark = pytest.mark.django_db

OF_PLATFORM = {"meta": "META", "tiktok": "TIKTOK", "google_ads": "GGLSEARCH"}


def approved(ticket: Ticket, trafficker, approver) -> Ticket:
    report = tickets.submit_ticket(ticket=ticket, by=trafficker)
    assert report.passed, [finding.as_report() for finding in report.findings]
    tickets.approve_ticket(ticket=ticket, by=approver, digest=ticket.digest)
    return ticket


def deployed(ticket: Ticket, by) -> Deployment:
    deployment = services.start_deployment(ticket=ticket, by=by)
    run_until_it_rests(ticket)
    deployment.refresh_from_db()
    ticket.refresh_from_db()
    return deployment


def run_until_it_rests(ticket: Ticket, most: int = 40) -> None:
    for _turn in range(most):
        ended = engine.run(str(ticket.public_id))
        if ended.state != Deployment.State.WAITING:
            return
    raise AssertionError(f"still waiting after {most} turns: {ended}")


def names_there(sandbox) -> Counter[tuple[str, str, str]]:
    """How often each named object is in the sandbox: (kind, parent, name)."""
    return Counter(
        (
            row["_kind"],
            row["_parent"],
            str(row.get("name") or row.get("campaign_name") or row.get("adgroup_name") or row.get("ad_name")),
        )
        for row in sandbox.store.rows()
        if row["_kind"].lower().replace("_", "") in {"campaign", "adset", "adgroup", "ad"}
    )


@pytest.mark.parametrize("code", TREES)
def test_ids_come_back_on_every_level(code, sandboxes, trafficker, approver):
    ticket = approved(make_ticket(code, ad_sets=2), trafficker, approver)
    deployment = deployed(ticket, trafficker)
    assert (deployment.state, deployment.reason) == (Deployment.State.SUCCEEDED, "")
    assert ticket.status == Status.TRAFFICKED_SUCCESS
    assert ticket.external_id
    assert all(AdSet.objects.filter(ticket=ticket).values_list("external_id", flat=True))
    assert all(Ad.objects.filter(ad_set__ticket=ticket).values_list("external_id", flat=True))
    assert {row.state for row in deployment.operations.all()} == {Operation.State.DONE}
    assert PlatformObject.objects.filter(ticket=ticket, object_type="ad_set").count() == 2
    assert ticket.campaign.deployed


def test_what_is_deployed_can_not_be_edited_or_deployed_again(sandboxes, trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    deployed(ticket, trafficker)
    with pytest.raises(ValidationError, match="can't be edited"):
        Ad.objects.get(ad_set__ticket=ticket).save()
    with pytest.raises(tickets.WrongStatus):
        services.start_deployment(ticket=Ticket.objects.get(pk=ticket.pk), by=trafficker)


def test_a_draft_can_not_be_deployed(trafficker):
    with pytest.raises(tickets.WrongStatus):
        services.start_deployment(ticket=make_ticket("META"), by=trafficker)


def test_the_second_of_two_deployments_is_told_of_the_first(sandboxes, trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    first = services.start_deployment(ticket=ticket, by=trafficker)
    with pytest.raises(services.AlreadyDeploying) as error:
        services.start_deployment(ticket=Ticket.objects.get(pk=ticket.pk), by=trafficker)
    assert error.value.task_id == str(first.public_id)


@pytest.mark.parametrize(
    "kind",
    [
        "lose_answer",
        "lose_request",
        "server_error",
        "server_error_after_commit",
        "truncate",
        "html",
        "throttle",
    ],
)
@pytest.mark.parametrize("key", sandbox_keys())
def test_every_object_is_there_once_whatever_is_lost(key, kind, sandboxes, no_wait, trafficker, approver):
    ticket = approved(make_ticket(OF_PLATFORM[key], ad_sets=2), trafficker, approver)
    sandbox = sandboxes[key]
    sandbox.faults = [Fault(kind=kind, match="POST", count=1, skip=skip, seconds=0) for skip in (0, 1, 2)]
    deployment = deployed(ticket, trafficker)
    assert deployment.state == Deployment.State.SUCCEEDED, deployment.reason
    assert set(names_there(sandbox).values()) == {1}


@pytest.mark.parametrize("key", sandbox_keys())
def test_a_worker_that_dies_between_call_and_answer_leaves_nothing_twice(
    key, sandboxes, no_wait, trafficker, approver, monkeypatch
):
    ticket = approved(make_ticket(OF_PLATFORM[key]), trafficker, approver)
    deployment = services.start_deployment(ticket=ticket, by=trafficker)

    class Killed(BaseException):
        pass

    def killed(*_args, **_kwargs):
        raise Killed

    real = engine.Run._settle
    for _death in range(2):
        monkeypatch.setattr(engine.Run, "_settle", killed)
        with pytest.raises(Killed):
            engine.run(str(ticket.public_id))
        monkeypatch.setattr(engine.Run, "_settle", real)
        assert engine.run(str(ticket.public_id)).state == "HELD"  # the dead worker still has its lease
        unguarded(Deployment).filter(pk=deployment.pk).update(lease_until=timezone.now())
        if key == "google_ads":
            break  # one operation is the whole tree
    run_until_it_rests(ticket)
    deployment.refresh_from_db()
    assert deployment.state == Deployment.State.SUCCEEDED, deployment.reason
    assert set(names_there(sandboxes[key]).values()) == {1}


@pytest.mark.parametrize("key", sandbox_keys())
def test_an_expired_token_fails_and_the_next_run_finishes(key, sandboxes, trafficker, approver):
    ticket = approved(make_ticket(OF_PLATFORM[key]), trafficker, approver)
    sandboxes[key].faults = [Fault(kind="expired_token", match="POST", count=1)]
    failed = deployed(ticket, trafficker)
    assert failed.state == Deployment.State.FAILED
    assert ticket.status == Status.FAILED
    assert failed.reason
    again = deployed(Ticket.objects.get(pk=ticket.pk), trafficker)
    assert again.state == Deployment.State.SUCCEEDED, again.reason
    assert set(names_there(sandboxes[key]).values()) == {1}


def test_a_changed_plan_is_not_sent(sandboxes, trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    deployment = services.start_deployment(ticket=ticket, by=trafficker)
    stored = deployment.plan.operations
    stored[0]["body"]["name"] = "Something else"
    unguarded(type(deployment.plan)).filter(pk=deployment.plan_id).update(operations=stored)
    ended = engine.run(str(ticket.public_id))
    assert ended.state == Deployment.State.FAILED
    assert sandboxes["meta"].store.rows() == []


def test_a_call_that_never_gets_a_clear_answer_ends_with_a_person(
    sandboxes, no_wait, trafficker, approver, settings
):
    settings.DEPLOY_MAX_SENDS = 2
    ticket = approved(make_ticket("META"), trafficker, approver)
    sandboxes["meta"].faults = [
        Fault(kind="lose_request", match="POST", count=99, skip=2)
    ]  # after the dry runs
    deployment = deployed(ticket, trafficker)
    assert deployment.state == Deployment.State.IN_DOUBT
    assert ticket.status == Status.IN_DOUBT


def test_the_sweeper_enqueues_what_the_broker_lost(
    sandboxes, trafficker, approver, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(
        "deploy.tasks.deploy_payload_to_platform.apply_async", lambda **kw: sent.append(kw["task_id"])
    )
    ticket = approved(make_ticket("META"), trafficker, approver)
    with django_capture_on_commit_callbacks(execute=True):
        deployment = services.start_deployment(ticket=ticket, by=trafficker)
    assert sent == [str(deployment.public_id)]
    assert services.sweep() == 0  # its message is fresh
    Deployment.objects.filter(pk=deployment.pk).update(
        enqueued_at=timezone.now() - timezone.timedelta(hours=1)
    )
    assert services.sweep() == 1
    assert sent == [str(deployment.public_id)] * 2


def test_a_name_does_not_change_under_a_deployment(sandboxes, trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    services.start_deployment(ticket=ticket, by=trafficker)
    campaign, before = ticket.campaign, ticket.governed_name
    campaign.name = "Another Launch"
    with pytest.raises(ValidationError, match="being deployed"):
        save_campaign(campaign=campaign, channels=[ticket.channel])
    assert Ticket.objects.get(pk=ticket.pk).governed_name == before


def test_a_worker_that_dies_before_writing_the_ids_leaves_that_to_the_next(
    sandboxes, trafficker, approver, monkeypatch
):
    ticket = approved(make_ticket("META"), trafficker, approver)
    deployment = services.start_deployment(ticket=ticket, by=trafficker)

    class Killed(BaseException):
        pass

    def killed(*_args):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(engine.Run, "_stop", killed)
        with pytest.raises(Killed):
            engine.run(str(ticket.public_id))
    assert not PlatformObject.objects.exists()
    unguarded(Deployment).filter(pk=deployment.pk).update(lease_until=timezone.now())
    calls = len(sandboxes["meta"].requests)
    assert engine.run(str(ticket.public_id)).state == Deployment.State.SUCCEEDED
    assert PlatformObject.objects.filter(ticket=ticket).count() == 4
    assert {seen["method"] for seen in sandboxes["meta"].requests[calls:]} == {"GET"}
