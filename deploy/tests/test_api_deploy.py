"""POST /deploy and GET /deploy/status/{task_id}."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deploy import services as deploy_services
from deploy.models import Deployment, Operation
from governance.models import User
from governance.tests.api_clients import ROOT, client_of, error_of, person
from governance.tests.factories import BrandFactory
from trafficking import services
from trafficking.models import Ticket
from trafficking.tests.factories import make_campaign, make_ticket

pytestmark = pytest.mark.django_db
DEPLOY = f"{ROOT}/deploy"


@pytest.fixture
def trafficker() -> User:
    return person("Trafficker")


@pytest.fixture
def client(trafficker: User, monkeypatch: Any) -> Any:
    monkeypatch.setattr("deploy.services.enqueue", lambda deployment, **_kwargs: None)
    return client_of(trafficker)


def approved(trafficker: User, **values: Any) -> Ticket:
    ticket = make_ticket(**values)
    report = services.submit_ticket(ticket=ticket, by=trafficker)
    assert report.passed, report.findings
    services.approve_ticket(ticket=ticket, by=person("Approver"), digest=ticket.digest)
    return ticket


def test_a_deployment_starts_with_a_task_id_and_tells_where_it_stands(client, trafficker):
    ticket = approved(trafficker)
    started = client.post(DEPLOY, {"ticket": str(ticket.public_id)})
    assert started.status_code == 202, started.json()
    told = started.json()
    assert told["status_url"] == f"{DEPLOY}/status/{told['task_id']}" == started["Location"]
    status = client.get(told["status_url"]).json()
    assert (status["state"], status["ticket_status"], status["celery"]["state"]) == (
        "QUEUED",
        "QUEUED",
        "PENDING",
    )
    assert status["operations"]
    assert {operation["state"] for operation in status["operations"]} == {"PENDING"}
    shown = client.get(f"{ROOT}/tickets/{ticket.public_id}").json()["latest_deployment"]
    assert shown == {"task_id": told["task_id"], "state": "QUEUED", "status_url": told["status_url"]}


def test_external_ids_and_the_platforms_words_are_shown(client, trafficker):
    ticket = approved(trafficker)
    task_id = client.post(DEPLOY, {"ticket": str(ticket.public_id)}).json()["task_id"]
    first = Operation.objects.order_by("position").first()
    first.external_ids, first.state, first.error = (
        {"campaign": "1201"},
        Operation.State.DONE,
        "as the platform said",
    )
    first.save()
    told = client.get(f"{DEPLOY}/status/{task_id}").json()["operations"][0]
    assert (told["external_ids"], told["error"]) == ({"campaign": "1201"}, "as the platform said")


def test_the_second_deployment_of_the_same_second_gets_the_running_task(client, trafficker):
    ticket = approved(trafficker)
    first = client.post(DEPLOY, {"ticket": str(ticket.public_id)}).json()
    second = client.post(DEPLOY, {"ticket": str(ticket.public_id)})
    assert (second.status_code, error_of(second)["code"]) == (409, "already_deploying")
    assert error_of(second)["details"]["task_id"] == first["task_id"]
    assert Deployment.objects.count() == 1


def test_who_read_the_ticket_before_the_other_moved_it_gets_the_running_task(client, trafficker, monkeypatch):
    ticket = approved(trafficker)
    checked = deploy_services._require_mode
    faster: list[Deployment] = []

    def slow(account: Any) -> None:
        monkeypatch.setattr("deploy.services._require_mode", checked)
        faster.append(
            deploy_services.start_deployment(ticket=Ticket.objects.get(pk=ticket.pk), by=trafficker)
        )

    monkeypatch.setattr("deploy.services._require_mode", slow)
    late = client.post(DEPLOY, {"ticket": str(ticket.public_id)})
    assert (late.status_code, error_of(late)["code"]) == (409, "already_deploying")
    assert error_of(late)["details"]["task_id"] == str(faster[0].public_id)
    assert Deployment.objects.count() == 1


@pytest.mark.parametrize("status", ["DRAFT", "READY_FOR_API", "CANCELLED", "TRAFFICKED_SUCCESS"])
def test_only_an_approved_or_failed_ticket_is_deployed(client, status):
    ticket = make_ticket()
    with connection.cursor() as cursor:
        cursor.execute("update trafficking_ticket set status = %s where id = %s", [status, ticket.pk])
    response = client.post(DEPLOY, {"ticket": str(ticket.public_id)})
    assert (response.status_code, error_of(response)["code"]) == (409, "wrong_status")


def test_deploying_needs_its_permission_and_the_reach(trafficker):
    ticket = approved(trafficker)
    assert client_of(person("Planner")).post(DEPLOY, {"ticket": str(ticket.public_id)}).status_code == 403
    stranger = client_of(person("Trafficker", grants=[(BrandFactory(code="NIKE"), None)]))
    assert stranger.post(DEPLOY, {"ticket": str(ticket.public_id)}).status_code == 404


def test_a_status_outside_the_reach_is_not_there(client, trafficker):
    task_id = client.post(DEPLOY, {"ticket": str(approved(trafficker).public_id)}).json()["task_id"]
    stranger = client_of(person("Trafficker", grants=[(BrandFactory(code="NIKE"), None)]))
    assert stranger.get(f"{DEPLOY}/status/{task_id}").status_code == 404
    assert stranger.get(f"{ROOT}/deployments").json()["results"] == []
    assert client.get(f"{DEPLOY}/status/00000000-0000-4000-8000-000000000000").status_code == 404


@pytest.mark.parametrize("body", [{}, {"ticket": "x"}, {"ticket": None}, {"ticket": [], "colour": 1}])
def test_bad_bodies_are_refused(client, body):
    assert "ticket" in error_of(client.post(DEPLOY, body))["fields"]


def test_the_list_costs_the_same_queries_however_long_it_is(client, trafficker):
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(f"{ROOT}/deployments").status_code == 200
        return len(caught)

    client.post(DEPLOY, {"ticket": str(approved(trafficker).public_id)})
    queries()
    few = queries()
    for at in range(2):
        ticket = approved(trafficker, campaign=make_campaign(name=f"Campaign {at}"))
        client.post(DEPLOY, {"ticket": str(ticket.public_id)})
    assert queries() == few <= 3
    assert len(client.get(f"{ROOT}/deployments", {"state": "QUEUED"}).json()["results"]) == 3
