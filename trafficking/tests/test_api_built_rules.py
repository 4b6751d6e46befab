"""/qa-rules: the same services as the pages, with reach."""

from __future__ import annotations

from typing import Any

import pytest

from governance.models import BuiltRule, Grant
from governance.tests.api_clients import ROOT, client_of, person
from omnitraffick.tests.admin_world import make_world
from trafficking import qa

pytestmark = pytest.mark.django_db
BODY = {
    "name": "Not Meta", "message": "Not on Meta.",
    "conditions": {"match": "all", "of": [{"field": "platform", "op": "in", "value": ["meta"]}]},
}  # fmt: skip


@pytest.fixture
def world() -> Any:
    return make_world()


def test_a_rule_is_made_tried_switched_on_and_off(world):
    client = client_of(world.data_admin)
    made = client.post(f"{ROOT}/qa-rules", {**BODY, "brands": [world.brand.code]}, format="json")
    assert made.status_code == 201, made.content
    assert made.json()["sentence"] == "platform is Meta"
    assert made.json()["brands"] == [world.brand.code]
    url = f"{ROOT}/qa-rules/{made.json()['id']}"
    etag = {"HTTP_IF_MATCH": made["ETag"]}
    refused = client.post(f"{url}/switch-on", format="json", **etag)
    assert refused.status_code == 400, refused.content
    trial = client.post(f"{url}/try", {"most": 10}, format="json").json()
    assert (trial["seen"], len(trial["hits"])) == (1, 1)
    assert trial["hits"][0]["ticket"] == str(world.ticket.public_id)
    on = client.post(f"{url}/switch-on", format="json", **etag)
    assert on.status_code == 200, on.content
    assert (on.json()["status"], on.json()["running"]) == ("ON", 1)
    assert not qa.check_ticket(world.ticket).passed
    off = client.post(f"{url}/switch-off", format="json", HTTP_IF_MATCH=on["ETag"])
    assert off.json()["running"] is None
    assert qa.check_ticket(world.ticket).passed
    gone = client.delete(url, HTTP_IF_MATCH=off["ETag"])
    assert gone.status_code == 204
    assert BuiltRule.objects.get().archived_at


def test_a_wrong_tree_is_told_at_its_field(world):
    wrong = {**BODY, "conditions": {"match": "all", "of": [{"field": "no_such", "op": "in", "value": ["x"]}]}}
    answer = client_of(world.data_admin).post(f"{ROOT}/qa-rules", wrong, format="json")
    assert answer.status_code == 400
    assert "conditions" in str(answer.json())
    assert not BuiltRule.objects.exists()


def test_rules_of_others_are_not_there_and_rules_for_all_are_not_theirs_to_change(world):
    admin = client_of(world.data_admin)
    theirs = admin.post(f"{ROOT}/qa-rules", {**BODY, "brands": [world.brand.code]}, format="json").json()[
        "id"
    ]
    made = admin.post(f"{ROOT}/qa-rules", {**BODY, "name": "For all"}, format="json")
    everyones = made.json()["id"]
    outsider = client_of(world.outsider)
    assert [each["id"] for each in outsider.get(f"{ROOT}/qa-rules").json()["results"]] == [everyones]
    for path in ("", "/try", "/switch-on", "/switch-off", "/restore"):
        call = outsider.get if not path else outsider.post
        assert call(f"{ROOT}/qa-rules/{theirs}{path}").status_code == 404
    changed = outsider.patch(
        f"{ROOT}/qa-rules/{everyones}", {"name": "Mine"}, format="json", HTTP_IF_MATCH=made["ETag"]
    )
    assert changed.status_code == 403
    assert outsider.post(f"{ROOT}/qa-rules", {**BODY, "name": "More"}, format="json").status_code == 400
    planner = person("Planner")
    Grant.objects.get_or_create(user=planner)
    assert client_of(planner).post(f"{ROOT}/qa-rules", BODY, format="json").status_code == 403
