"""POST /media-plans/import: a file in, everything or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from campaigns.models import Campaign, MediaPlan
from governance.tests.api_clients import ROOT, client_of, error_of, person
from trafficking.models import Ticket
from trafficking.tests.import_world import csv_source, day, line, world

pytestmark = pytest.mark.django_db
URL = f"{ROOT}/media-plans"


@pytest.fixture
def client() -> Any:
    world()
    return client_of(person("Planner"))


def send(client: Any, rows: list[dict[str, Any]], **fields: Any) -> Any:
    source = csv_source(rows)
    headers = fields.pop("headers", {})
    upload = SimpleUploadedFile(source.name, source.data, content_type="text/csv")
    return client.post(f"{URL}/import", {"file": upload, **fields}, format="multipart", headers=headers)


def test_a_plan_becomes_campaigns_and_draft_tickets_and_is_listed(client):
    response = send(client, [line()])
    assert response.status_code == 200, response.json()
    told = response.json()
    assert (told["ok"], told["written"], told["counts"]["created"]) == (True, True, 1)
    assert Ticket.objects.get().status == "DRAFT"
    listed = client.get(URL).json()["results"]
    assert [row["id"] for row in listed] == [told["plan"]["public_id"]]
    shown = client.get(f"{URL}/{listed[0]['id']}").json()
    assert [row["line"] for row in shown["lines"]] == ["L1"]
    assert client.delete(f"{URL}/{listed[0]['id']}").status_code == 405


def test_a_dry_run_says_the_same_and_writes_nothing(client):
    told = send(client, [line()], dry_run="true").json()
    assert (told["written"], told["counts"]["created"]) == (False, 1)
    assert not MediaPlan.objects.exists()


def test_all_errors_are_told_by_place_and_nothing_is_written(client):
    response = send(client, [line(), line("L2", start_date="soon"), line("L2")])
    assert (response.status_code, error_of(response)["code"]) == (400, "import_refused")
    assert len(error_of(response)["details"]["errors"]) >= 2
    assert error_of(response)["details"]["errors"][0]["message"]
    assert not Campaign.objects.exists()


def test_what_accompanies_the_file_is_read_strictly(client):
    for fields, name in (
        ({"start_on": "soon"}, "start_on"),
        ({"colour": "red"}, "colour"),
        ({"dry_run": "perhaps"}, "dry_run"),
    ):
        assert list(error_of(send(client, [line()], **fields))["fields"]) == [name]
    assert list(error_of(client.post(f"{URL}/import", {}, format="multipart"))["fields"]) == ["file"]
    assert client.post(f"{URL}/import", {"file": "x"}).status_code == 415
    assert send(client, [line()], start_on=day(40)).status_code == 200


def test_a_file_that_is_too_large_is_refused(client, settings):
    settings.IMPORT_MAX_BYTES = 50
    upload = SimpleUploadedFile("plan.csv", b"x" * 51)
    response = client.post(f"{URL}/import", {"file": upload}, format="multipart")
    assert (response.status_code, error_of(response)["code"]) == (413, "too_large")
    assert not MediaPlan.objects.exists()


@pytest.mark.parametrize(
    "data", [b"{", b"PK\x03\x04 no workbook", b"\xff\xfe\x00", b"a,b\n1", b'{"a": 1, "a": 2}']
)
def test_a_file_that_is_no_plan_is_refused_in_words(client, data):
    response = client.post(
        f"{URL}/import", {"file": SimpleUploadedFile("plan.csv", data)}, format="multipart"
    )
    assert (response.status_code, error_of(response)["code"]) == (400, "import_refused")
    assert error_of(response)["details"]["errors"][0]["remedy"]


def test_an_upload_may_carry_an_idempotency_key(client):
    first = send(client, [line()], headers={"Idempotency-Key": "k1"})
    again = send(client, [line()], headers={"Idempotency-Key": "k1"})
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    other = send(client, [line("L9")], headers={"Idempotency-Key": "k1"})
    assert other.status_code == 422


def test_importing_needs_the_permission(client):
    assert send(client_of(person("Analyst")), [line()]).status_code == 403
