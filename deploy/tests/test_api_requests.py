"""The API of requests, proofs, stops, drift, inventory, alerts and approval rules: reach, refusals in words, no 500."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from deploy import alerts, drift, inventory
from deploy.models import Alert, Deployment, ExistingObject, KillSwitch
from deploy.tests.test_engine import approved, deployed
from governance.governed import unguarded
from governance.tests.api_clients import ROOT, client_of, codes_of, error_of, person
from governance.tests.factories import BrandFactory
from trafficking.models import ApprovalRule, PlatformObject, Ticket
from trafficking.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    monkeypatch.setattr("deploy.services.enqueue", lambda deployment, **_kwargs: None)
    monkeypatch.setattr("deploy.stops.hurry", lambda stop: None)
    monkeypatch.setattr("deploy.inventory._enqueue", lambda account: None)


@pytest.fixture
def built(sandboxes, trafficker, approver) -> Ticket:
    ticket = approved(make_ticket("META", ad_sets=2), trafficker, approver)
    deployed(ticket, trafficker)
    return Ticket.objects.get(pk=ticket.pk)


@pytest.fixture
def client(trafficker) -> Any:
    return client_of(trafficker)


@pytest.fixture
def stranger() -> Any:
    return client_of(person("Trafficker", grants=[(BrandFactory(code="NIKE"), None)]))


def of(ticket: Ticket, what: str) -> str:
    return f"{ROOT}/tickets/{ticket.public_id}/{what}"


# ------------------------------------------------------------------------------------------ requests


def test_a_switch_is_asked_for_submitted_and_read_as_a_plan(built, client):
    first = built.ad_sets.order_by("position").first()
    body = {"request_type": "ACTIVATE", "scope": [str(first.intent_id)], "go_live_at": "2027-03-01T00:00:00",
            "note": "As booked", "submit": True}  # fmt: skip
    response = client.post(of(built, "requests"), body)
    made = response.json()
    assert response.status_code == 201, made
    assert (made["request_type"], made["base"], made["scope"]) == (
        "ACTIVATE",
        str(built.public_id),
        [str(first.intent_id)],
    )
    assert made["go_live_at"].startswith("2027-03-01T05:00:00")  # midnight in New York
    assert response["Location"].endswith(f"/tickets/{made['id']}")
    plan = client.get(f"{ROOT}/tickets/{made['id']}/plan").json()
    assert plan["request_type"] == "ACTIVATE" and plan["spending"][0].startswith(
        "It starts spending: up to $1,000.00"
    )
    assert {each["kind"] for each in plan["changes"]} == {"activate"}


def test_the_moment_of_a_draft_is_changed_by_the_accounts_clocks(built, client):
    made = client.post(of(built, "requests"), {"request_type": "ACTIVATE"}).json()
    url = f"{ROOT}/tickets/{made['id']}"
    assert (
        client.patch(url, {"go_live_at": "2027-03-01T00:00:00"})
        .json()["go_live_at"]
        .startswith("2027-03-01T05:00")
    )
    assert (
        client.patch(url, {"go_live_at": "2027-03-01T00:00:00+01:00"})
        .json()["go_live_at"]
        .startswith("2027-02-28T23")
    )
    far = client.patch(url, {"go_live_at": "2027-03-01T18:41:00+18:41"}).json()["go_live_at"]
    assert far.startswith("2027-03-01T00:00:00")
    assert client.patch(url, {"go_live_at": None}).json()["go_live_at"] is None
    assert codes_of(client.patch(url, {"scope": []}), "scope") == ["read_only"]


def test_a_content_request_is_a_draft_with_a_copy(built, client):
    made = client.post(of(built, "requests"), {"request_type": "UPDATE", "note": "More"}).json()
    assert (made["status"], len(made["ad_sets"]), made["request_note"]) == ("DRAFT", 2, "More")
    second = client.post(of(built, "requests"), {"request_type": "UPDATE"})
    assert second.status_code == 400 and "still open" in str(error_of(second))


def test_the_plan_tells_basis_and_approvals(built, client):
    plan = client.get(of(built, "plan")).json()
    assert plan["approvals"]["needed"] == 1 and len(plan["approvals"]["given"]) == 1
    assert plan["basis"]["approval"] == "house" and plan["approvals"]["waived"] is False


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "request_type"),
        ({"request_type": "CREATE"}, "request_type"),
        ({"request_type": "PAUSE", "scope": ["x"]}, "scope[0]"),
        ({"request_type": "PAUSE", "scope": "all"}, "scope"),
        ({"request_type": "ACTIVATE", "go_live_at": "soon"}, "go_live_at"),
        ({"request_type": "ACTIVATE", "go_live_at": "2027-13-45T99:00"}, "go_live_at"),
        ({"request_type": "ACTIVATE", "go_live_at": 5}, "go_live_at"),
        ({"request_type": "ACTIVATE", "go_live_at": "0001-01-01T00:00:00"}, "go_live_at"),
        (
            {"request_type": "ACTIVATE", "go_live_at": "2027-03-14T02:30:00"},
            "go_live_at",
        ),  # skipped in New York
        ({"request_type": "PAUSE", "go_live_at": "2027-03-01T00:00:00"}, "go_live_at"),
        ({"request_type": "UPDATE", "scope": [NOWHERE]}, "scope"),
        ({"request_type": "PAUSE", "colour": 1}, "colour"),
    ],
)
def test_bad_requests_are_refused_at_their_field_and_write_nothing(built, client, body, field):
    response = client.post(of(built, "requests"), body)
    assert response.status_code == 400, response.json()
    assert field in error_of(response)["fields"], response.json()
    assert Ticket.objects.count() == 1


def test_a_request_on_what_is_not_built_is_told(client):
    response = client.post(of(make_ticket(), "requests"), {"request_type": "PAUSE"})
    assert (response.status_code, error_of(response)["code"]) == (409, "not_built")


def test_requests_need_reach_permission_and_the_current_row(built, client, stranger):
    body = {"request_type": "PAUSE"}
    assert stranger.post(of(built, "requests"), body).status_code == 404
    assert client_of(person("Approver")).post(of(built, "requests"), body).status_code == 403
    assert client.post(of(built, "requests"), body, headers={"If-Match": '"1"'}).status_code == 412
    assert Ticket.objects.count() == 1


def test_a_repeated_request_makes_one_ticket(built, client):
    body, key = {"request_type": "PAUSE"}, {"Idempotency-Key": "once"}
    first = client.post(of(built, "requests"), body, headers=key)
    again = client.post(of(built, "requests"), body, headers=key)
    assert first.json() == again.json() and Ticket.objects.filter(request_type="PAUSE").count() == 1


def test_undo_takes_back_what_was_carried_out_and_nothing_else(built, client, trafficker, approver):
    assert client.post(of(built, "undo"), {}).status_code == 409
    pause = Ticket.objects.get(
        public_id=client.post(of(built, "requests"), {"request_type": "ACTIVATE", "submit": True}).json()[
            "id"
        ]
    )
    from trafficking import services

    services.approve_ticket(ticket=pause, by=approver, digest=pause.digest)
    assert deployed(pause, trafficker).state == "SUCCEEDED"
    undone = client.post(of(pause, "undo"), {"note": "Too early", "submit": True}).json()
    assert (undone["request_type"], undone["status"]) == ("PAUSE", "READY_FOR_API")


# --------------------------------------------------------------------------- compensate and in doubt


@pytest.mark.parametrize("what", ["compensate", "give-up", "look-again"])
def test_runs_that_are_not_failed_or_in_doubt_are_left_alone(built, client, stranger, what):
    body = {"comment": "why"} if what != "look-again" else {}
    response = client.post(of(built, what), body)
    assert (response.status_code, error_of(response)["code"]) == (409, "wrong_status")
    assert stranger.post(of(built, what), body).status_code == 404
    assert client_of(person("Planner")).post(of(built, what), body).status_code == 403


def test_a_failed_build_is_taken_back_by_its_task(built, client):
    unguarded(Ticket).filter(pk=built.pk).update(status="FAILED")
    unguarded(Deployment).filter(ticket=built).update(state="FAILED")
    assert "comment" in error_of(client.post(of(built, "compensate"), {}))["fields"]
    started = client.post(of(built, "compensate"), {"comment": "Wrong account"})
    assert started.status_code == 202, started.json()
    told = client.get(started.json()["status_url"]).json()
    assert (told["kind"], {each["action"] for each in told["operations"]}) == ("COMPENSATE", {"archive"})


# -------------------------------------------------------------------------------------------- proof


def test_the_proof_is_given_as_json_and_csv(built, client, stranger):
    run = built.deployments.get()
    url = f"{ROOT}/deployments/{run.public_id}/proof"
    proof = client.get(url).json()
    assert proof["proved"] and proof["agrees"] and proof["differences"] == 0
    assert proof["ticket"]["external_id"] == built.external_id and proof["people"]["approved_by"]
    text = client.get(url, {"as": "csv"})
    assert text["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(text.content.decode("utf-8-sig"))))
    assert len(rows) == proof["fields"] and {row["agrees"] for row in rows} == {"yes"}
    assert {row["external_id"] for row in rows} >= {built.external_id}
    assert codes_of(client.get(url, {"as": "pdf"}), "as") == ["invalid_choice"]
    assert stranger.get(url).status_code == 404


def test_cells_of_the_csv_are_no_formulas(built, client):
    run = built.deployments.get()
    entry = {"ref": "x", "type": "ad", "name": "=1+1", "external_id": "1", "status": "PAUSED",
             "fields": [{"field": "name", "wanted": "@SUM(A1)", "live": "-2", "agrees": False, "source": ""}]}  # fmt: skip
    Deployment.objects.filter(pk=run.pk).update(
        proof={"at": "2026-11-24T00:00:00+00:00", "objects": [entry], "unexpected": []}
    )
    text = client.get(f"{ROOT}/deployments/{run.public_id}/proof", {"as": "csv"}).content.decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(text)))
    assert (row["name"], row["wanted"], row["live"]) == ("'=1+1", "'@SUM(A1)", "'-2")


# ------------------------------------------------------------------------------------------- stops


def test_a_stop_is_engaged_read_and_released(built, client, stranger):
    url = f"{ROOT}/kill-switches"
    body = {"scope": "ACCOUNT", "ad_account": str(built.ad_account.public_id), "reason": "Too large"}
    made = client.post(url, body)
    assert made.status_code == 201, made.json()
    assert made.json()["state"] == "STOPPING" and made.json()["campaigns"]["paused"] == 0
    assert [each["reason"] for each in client.get(url, {"state": "STOPPING"}).json()["results"]] == [
        "Too large"
    ]
    assert stranger.get(url).json()["results"] == []
    one = f"{url}/{made.json()['id']}"
    assert stranger.post(f"{one}/release", {"comment": "x"}).status_code == 404
    assert "comment" in error_of(client.post(f"{one}/release", {}))["fields"]
    assert client.post(f"{one}/release", {"comment": "Mended"}).json()["state"] == "RELEASING"
    again = client.post(f"{one}/release", {"comment": "Mended"})
    assert (again.status_code, error_of(again)["code"]) == (409, "wrong_status")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "scope"),
        ({"scope": "ALL"}, "reason"),
        ({"scope": "ACCOUNT", "reason": "x"}, "ad_account"),
        ({"scope": "BRAND", "brand": "NOPE", "reason": "x"}, "brand"),
        ({"scope": "ALL", "platform": "meta", "reason": "x"}, "platform"),
        ({"scope": "EARTH", "reason": "x"}, "scope"),
    ],
)
def test_stops_that_say_too_little_or_too_much_are_refused(client, body, field):
    assert field in error_of(client.post(f"{ROOT}/kill-switches", body))["fields"]
    assert not KillSwitch.objects.exists()


def test_a_stop_beyond_the_reach_is_refused(built, stranger):
    response = stranger.post(f"{ROOT}/kill-switches", {"scope": "ALL", "reason": "x"})
    assert response.status_code == 403 and "further" in error_of(response)["message"]
    hidden = {"scope": "ACCOUNT", "ad_account": str(built.ad_account.public_id), "reason": "x"}
    assert codes_of(stranger.post(f"{ROOT}/kill-switches", hidden), "ad_account") == ["does_not_exist"]
    assert client_of(person("Planner")).post(f"{ROOT}/kill-switches", hidden).status_code == 403
    assert not KillSwitch.objects.exists()


# ------------------------------------------------------------------------------------------- drift


def drifted(ticket: Ticket) -> list[Any]:
    for row in PlatformObject.objects.filter(ticket=ticket, object_type="ad_set"):
        PlatformObject.objects.filter(pk=row.pk).update(applied={**row.applied, "lifetime_budget": "90000"})
    return drift.judge_tree(ticket)


def test_drift_is_listed_and_decided(built, client, stranger):
    first, second = drifted(built)
    listed = client.get(f"{ROOT}/drift", {"state": "OPEN", "object_type": "ad_set"}).json()["results"]
    assert {(each["field"], each["applied"], each["live"]) for each in listed} == {
        ("lifetime_budget", "90000", "100000")
    }
    url = f"{ROOT}/drift/{first.public_id}"
    assert "reason" in error_of(client.post(f"{url}/ignore", {}))["fields"]
    assert client.post(f"{url}/ignore", {"reason": "Agreed"}).json()["state"] == "IGNORED"
    restored = client.post(f"{ROOT}/drift/{second.public_id}/restore", {}).json()
    assert restored["state"] == "RESTORING" and restored["ticket"]
    assert client.post(f"{ROOT}/drift/{first.public_id}/adopt", {}).json()["state"] == "ADOPTED"
    late = client.post(f"{ROOT}/drift/{first.public_id}/adopt", {})
    assert (late.status_code, error_of(late)["code"]) == (409, "drift.decided")
    assert stranger.get(f"{ROOT}/drift").json()["results"] == []
    assert stranger.post(f"{url}/adopt", {}).status_code == 404
    assert client_of(person("Planner")).post(f"{url}/adopt", {}).status_code == 403


# -------------------------------------------------------------------------- inventory and alerts


def test_an_account_is_imported_and_told(built, client, stranger, trafficker):
    url = f"{ROOT}/ad-accounts/{built.ad_account.public_id}"
    assert client.post(f"{url}/import").status_code == 202
    assert client.get(f"{url}/compliance").json()["importing"] is True
    assert inventory.claim(built.ad_account)
    while inventory.read_step(built.ad_account) is not None:
        pass
    listed = client.get(f"{url}/existing", {"object_type": "campaign", "legal": "true"}).json()["results"]
    assert [(each["name"], each["governed_by"]) for each in listed] == [
        (built.governed_name, str(built.public_id))
    ]
    told = client.get(f"{url}/compliance").json()
    assert (told["importing"], told["compliance"][0]) == (
        False,
        {"level": "campaign", "total": 1, "legal": 1, "active": 0, "active_legal": 0},
    )
    ExistingObject.objects.create(
        ad_account=built.ad_account, object_type="campaign", external_id="9", name="theirs"
    )
    assert client.get(f"{url}/existing", {"governed": "false"}).json()["results"][0]["name"] == "theirs"
    for way in (
        stranger.get(f"{url}/existing"),
        stranger.post(f"{url}/import"),
        stranger.get(f"{url}/compliance"),
    ):
        assert way.status_code == 404
    assert client_of(person("Analyst")).post(f"{url}/import").status_code == 403


def test_alerts_are_listed_and_marked_as_seen(built, client, stranger, trafficker):
    alert = alerts.raise_alert(
        "alert.account_unreadable", ad_account=built.ad_account, account="A", reason="token"
    )
    listed = client.get(f"{ROOT}/alerts", {"seen": "false"}).json()["results"]
    assert [each["message"] for each in listed] == ["The ad account A could not be read: token"]
    url = f"{ROOT}/alerts/{alert.public_id}/seen"
    assert stranger.post(url).status_code == 404
    assert client.post(url).json()["seen_by"] == trafficker.username
    assert client.post(url).status_code == 200
    assert Alert.objects.open().count() == 0
    assert client.get(f"{ROOT}/alerts", {"seen": "false"}).json()["results"] == []


# ---------------------------------------------------------------------------------- approval rules


def test_approval_rules_are_written_by_data_admins_within_their_reach(client):
    url = f"{ROOT}/approval-rules"
    brand = BrandFactory(code="ACME")
    limited = client_of(person("Data admin", grants=[(brand, None)]))
    whole = client_of(person("Data admin"))
    assert client.post(url, {"approvers": 2}).status_code == 403
    assert error_of(limited.post(url, {"approvers": 2}))["code"] == "outside_reach"
    assert "note" in error_of(whole.post(url, {"approvers": 0}))["fields"]
    assert whole.post(url, {"approvers": 3}).status_code == 400
    made = limited.post(url, {"brand": "ACME", "approvers": 2, "from_amount": "5000"})
    assert made.status_code == 201, made.json()
    one = f"{url}/{made.json()['id']}"
    assert limited.patch(one, {"brand": None}).status_code == 403
    assert limited.patch(one, {"approvers": 1}).json()["approvers"] == 1
    assert client.get(one).json()["brand"] == "ACME"
    assert limited.delete(one).status_code == 204 and not ApprovalRule.objects.exists()


@pytest.mark.parametrize(
    "path",
    ["kill-switches", "drift", "alerts", "approval-rules", f"ad-accounts/{NOWHERE}/existing", f"deployments/{NOWHERE}/proof"],
)  # fmt: skip
def test_nothing_is_given_to_who_is_not_signed_in(path):
    from rest_framework.test import APIClient

    assert APIClient(raise_request_exception=False).get(f"{ROOT}/{path}").status_code == 401
