"""Imports and exports over the API: the same walk, the same fences."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.tests.api_clients import ROOT, client_of, codes_of, error_of
from omnitraffick.tests.admin_world import make_world
from omnitraffick.tests.test_admin_import import file_of, line
from trafficking.models import Ticket
from trafficking.tests.factories import make_campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings: Any, tmp_path: Any) -> Any:
    settings.MEDIA_ROOT = tmp_path
    return make_world()


def upload(client: Any, file: Any, kind: str = "plan") -> Any:
    return client.post(f"{ROOT}/imports", {"kind": kind, "file": file}, format="multipart")


def test_a_plan_walks_in_over_the_api(world):
    client = client_of(world.planner)
    answer = upload(client, file_of(line(), names={"cost_media": "Net", "plan_name": "Remarks"}))
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert body["state"] == "MAPPING" and body["files"]["file"]["keys"]
    url = f"{ROOT}/imports/{body['id']}"
    named = {"file": {**body["files"]["file"]["columns"], "net": "cost_media", "remarks": ""}}
    checked = client.post(f"{url}/columns", {"columns": named, "save_as": "Agency"}, format="json").json()
    assert checked["state"] == "CHECKED" and checked["error_count"] == 0 and checked["names"]
    written = client.post(f"{url}/write").json()
    assert written["state"] == "WRITTEN" and Ticket.objects.filter(campaign__name="Spring Wave").count() == 1
    assert client.get(url).json()["state"] == "WRITTEN"
    again = client.post(f"{url}/write")
    assert again.status_code == 409 and error_of(again)["code"] == "wrong_status"
    assert client.get(f"{ROOT}/imports").json()["results"][0]["id"] == body["id"]


def test_errors_stand_at_their_cells_and_in_the_corrected_file(world):
    client = client_of(world.planner)
    body = upload(client, file_of(line(), line(line="L2", cost_media="1,5"))).json()
    url = f"{ROOT}/imports/{body['id']}"
    assert body["error_count"] == 1 and body["findings"][0]["remedy"]
    [row] = client.get(f"{url}/rows?rows=told").json()
    [cell] = [each for each in row["cells"] if each["findings"]]
    assert (row["row"], cell["column"], cell["proposal"]) == (3, "cost_media", "1.5")
    assert b"omnitraffick_errors" in client.get(f"{url}/corrected?as=csv").content
    assert client.get(f"{url}/corrected?as=xlsx").content[:2] == b"PK"
    refused = client.post(f"{url}/write")
    assert refused.status_code == 409 and error_of(refused)["code"] == "has_errors"
    assert client.post(f"{url}/cancel").json()["state"] == "CANCELLED"


def test_imports_of_others_are_not_there_and_kinds_need_their_rights(world):
    body = upload(client_of(world.planner), file_of(line())).json()
    url = f"{ROOT}/imports/{body['id']}"
    stranger = client_of(world.outsider)
    assert stranger.get(url).status_code == 404 and stranger.get(f"{url}/rows").status_code == 404
    for step in ("write", "check", "cancel"):
        assert stranger.post(f"{url}/{step}").status_code == 404
    assert upload(client_of(world.approver), file_of(line())).status_code == 403
    brands = file_of({"code": "NEW", "name": "New"})
    assert upload(client_of(world.planner), brands, "brands").status_code == 400
    unreadable = upload(client_of(world.planner), SimpleUploadedFile("plan.csv", b"\x00\x01\x02"))
    assert unreadable.status_code == 400 and error_of(unreadable)["code"] == "import_refused"


def test_a_list_is_exported_with_ones_own_rows_only(world):
    make_campaign(brand=world.other_brand, market=world.market, name="Acme Only")
    body = {"list": "campaigns.campaign", "columns": "table"}
    answer = client_of(world.outsider).post(f"{ROOT}/exports", body, format="json")
    text = b"".join(answer.streaming_content).decode()
    assert answer.status_code == 200 and "Acme Only" in text and world.campaign.name not in text
    found = client_of(world.planner).post(f"{ROOT}/exports", {**body, "query": "q=Acme"}, format="json")
    assert len(b"".join(found.streaming_content).decode().splitlines()) == 2


def test_what_cannot_be_exported_is_refused_in_words(world):
    client = client_of(world.outsider)
    for field, body in (
        ("list", {"list": "no.such"}), ("columns", {"list": "campaigns.campaign", "columns": "x"}),
        ("query", {"list": "campaigns.campaign", "query": "nothing__like=it"}),
    ):  # fmt: skip
        answer = client.post(f"{ROOT}/exports", body, format="json")
        assert answer.status_code == 400 and codes_of(answer, field), body
    assert client.post(f"{ROOT}/exports", {"list": "axes.accessattempt"}, format="json").status_code in (
        400,
        403,
    )
