"""The client against the sandbox: sent once, found after a lost answer, silent about secrets."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from trafficking.platforms.base import (
    Applied,
    InDoubt,
    NeedsAuth,
    NotFound,
    Operation,
    ReadBack,
    Rejected,
    RetryLater,
)  # fmt: skip
from trafficking.platforms.meta import PLATFORM
from trafficking.platforms.meta.graph import form
from trafficking.platforms.meta.sandbox import MetaSandbox
from trafficking.platforms.meta.tests.builders import COMBINATIONS, big_ticket, image_ad, one_set, ticket
from trafficking.platforms.meta.tests.journey import TOKEN, call, client, deploy, fault


def campaign_operation() -> Operation:
    return PLATFORM.compile(ticket()).operations[0]


def test_a_whole_tree_is_created_paused_and_read_back() -> None:
    sandbox = MetaSandbox()
    operations = PLATFORM.compile(big_ticket()).operations
    ids = deploy(sandbox, big_ticket())
    assert set(ids) == {each.ref for operation in operations for each in operation.objects}
    assert len(set(ids.values())) == len(ids)
    reader = client(sandbox)
    for operation in operations:
        ref = operation.objects[0].ref
        seen = reader.read(operation.object_type, ids[ref])
        assert isinstance(seen, ReadBack)
        assert (seen.external_id, seen.name) == (ids[ref], operation.objects[0].name)
        assert seen.paused is (None if operation.object_type == "creative" else True)
    assert reader.read("ad_set", ids[operations[1].ref]).raw["daily_budget"] == "5000"  # type: ignore[union-attr]


@pytest.mark.parametrize(("objective", "goal", "changes"), COMBINATIONS)
def test_every_combination_passes_the_sandboxs_own_rules(
    objective: str, goal: str, changes: dict[str, Any]
) -> None:
    deploy(MetaSandbox(), one_set(objective, goal=goal, **changes))


def test_nested_values_travel_as_json_in_a_form() -> None:
    sandbox = MetaSandbox()
    deploy(sandbox, ticket())
    sent = sandbox.requests[1]
    assert "targeting=%7B%22geo_locations%22" in sent["body"]
    assert TOKEN not in json.dumps(sandbox.requests)
    assert form({"a": True, "b": [1], "c": "x", "d": 5}) == {"a": "true", "b": "[1]", "c": "x", "d": "5"}


def test_an_app_secret_adds_a_proof_to_reads_and_writes() -> None:
    sandbox = MetaSandbox()
    proof = hmac.new(b"s3cret", TOKEN.encode(), hashlib.sha256).hexdigest()
    made = client(sandbox, app_secret="s3cret")
    created = made.apply(campaign_operation(), {})
    assert isinstance(created, Applied)
    made.read("campaign", created.external_ids["campaign"])
    assert f"appsecret_proof={proof}" in sandbox.requests[0]["body"]
    assert sandbox.requests[1]["query"]["appsecret_proof"] == proof


@pytest.mark.parametrize("kind", ["lose_answer", "truncate", "server_error_after_commit"])
def test_a_lost_answer_is_in_doubt_and_then_found_on_every_level(kind: str) -> None:
    sandbox = MetaSandbox()
    made, ids = client(sandbox), {}
    for operation in PLATFORM.compile(big_ticket()).operations:
        assert made.find(operation, ids) == NotFound()
        sandbox.faults.append(fault(kind, "POST"))
        assert isinstance(made.apply(operation, ids), InDoubt)
        found = made.find(operation, ids)
        assert isinstance(found, Applied)
        ids.update(found.external_ids)
    assert len(sandbox.store.rows()) == len(ids)


@pytest.mark.parametrize("kind", ["lose_request", "html", "server_error"])
def test_a_request_that_never_arrived_is_in_doubt_and_not_found(kind: str) -> None:
    sandbox = MetaSandbox()
    sandbox.faults.append(fault(kind, "POST"))
    made = client(sandbox)
    assert isinstance(made.apply(campaign_operation(), {}), InDoubt)
    assert made.find(campaign_operation(), {}) == NotFound()
    assert isinstance(made.apply(campaign_operation(), {}), Applied)


def test_throttling_says_when_to_return() -> None:
    sandbox = MetaSandbox()
    sandbox.faults.append(fault("throttle", seconds=90))
    outcome = client(sandbox).apply(campaign_operation(), {})
    assert isinstance(outcome, RetryLater)
    assert outcome.after == 120, "whole minutes, as the header has them"
    assert sandbox.store.rows() == []


def test_expired_and_missing_tokens_need_a_person() -> None:
    sandbox = MetaSandbox()
    sandbox.faults.append(fault("expired_token"))
    assert isinstance(client(sandbox).apply(campaign_operation(), {}), NeedsAuth)
    assert isinstance(client(sandbox, token="expired").find(campaign_operation(), {}), NeedsAuth)
    assert isinstance(client(sandbox, token="").read("campaign", "1"), NeedsAuth)


def test_a_refusal_points_at_the_body_field() -> None:
    sandbox = MetaSandbox()
    operation = campaign_operation()
    operation.body["objective"] = "LINK_CLICKS"
    outcome = client(sandbox).apply(operation, {})
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.pointer, outcome.http_status) == ("100.1815001", "/objective", 400)


def test_only_the_exact_name_under_the_own_parent_is_found() -> None:
    sandbox = MetaSandbox()
    ids = deploy(sandbox, ticket())
    operations = PLATFORM.compile(ticket()).operations
    other = {"campaign": client(sandbox).apply(campaign_operation(), {}).external_ids["campaign"]}  # type: ignore[union-attr]
    assert client(sandbox).find(operations[1], other) == NotFound()
    assert client(sandbox).find(operations[1], {"campaign": ids["campaign"]}) == Applied(
        {operations[1].ref: ids[operations[1].ref]}
    )


def test_two_of_one_name_are_in_doubt_unless_one_is_already_known() -> None:
    sandbox = MetaSandbox()
    made = client(sandbox)
    first, second = (made.apply(campaign_operation(), {}).external_ids["campaign"] for _ in range(2))  # type: ignore[union-attr]
    assert isinstance(made.find(campaign_operation(), {}), InDoubt)
    assert made.find(campaign_operation(), {"other": first}) == Applied({"campaign": second})


def test_a_deleted_object_is_not_found_again() -> None:
    sandbox = MetaSandbox()
    ids = deploy(sandbox, ticket())
    call(sandbox, "DELETE", f"/v26.0/{ids['campaign']}")
    assert client(sandbox).find(campaign_operation(), {}) == NotFound()


def test_looking_goes_through_all_pages() -> None:
    sandbox = MetaSandbox()
    creative = PLATFORM.compile(ticket()).operations[2]
    for number in range(450):
        body = {**creative.body, "name": f"other {number}"}
        sandbox.store.add("creative", "act_1234567890", "", body["name"], body, str)
    wanted = client(sandbox).apply(creative, {})
    assert client(sandbox).find(creative, {}) == Applied(wanted.external_ids)  # type: ignore[union-attr]


def test_reads_may_lag_behind_writes() -> None:
    now = [1000.0]
    sandbox = MetaSandbox(clock=lambda: now[0], lag_s=5)
    client(sandbox).apply(campaign_operation(), {})
    assert client(sandbox).find(campaign_operation(), {}) == NotFound()
    now[0] += 6
    assert isinstance(client(sandbox).find(campaign_operation(), {}), Applied)


def test_what_is_not_there_is_not_found() -> None:
    assert client(MetaSandbox()).read("campaign", "120210000000009999") == NotFound()


def test_a_running_object_can_be_paused() -> None:
    sandbox = MetaSandbox()
    ids = deploy(sandbox, ticket())
    call(sandbox, "POST", f"/v26.0/{ids['campaign']}", {"status": "ACTIVE"})
    made = client(sandbox)
    assert made.read("campaign", ids["campaign"]).paused is False  # type: ignore[union-attr]
    assert isinstance(made.set_status("campaign", ids["campaign"], "PAUSED"), Applied)
    assert made.read("campaign", ids["campaign"]).paused is True  # type: ignore[union-attr]
    creative = next(ids[ref] for ref in ids if ref.startswith("creative:"))
    assert isinstance(made.set_status("creative", creative, "PAUSED"), Rejected)


def test_no_secret_leaves_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meta repeats a malformed token in its message; outcomes are stored and shown."""
    sandbox = MetaSandbox()

    def repeat(request: Any) -> Any:
        from trafficking.platforms.sandbox_base import Response

        return Response.json(400, {"error": {"code": 190, "message": f"Malformed access token {TOKEN}"}})

    monkeypatch.setattr(sandbox, "respond", repeat)
    made = client(sandbox, app_secret="s3cret")
    outcome = made.apply(campaign_operation(), {})
    assert isinstance(outcome, NeedsAuth)
    assert TOKEN not in repr(outcome)
    assert TOKEN not in repr(made.connection)
    assert "s3cret" not in repr(made.connection)


def test_a_creative_with_a_shortened_name_is_found_after_a_lost_answer() -> None:
    """Two ads whose long names end alike: each creative is found by its own short name."""
    ads = (image_ad(1, name="Moana" + "_Ocean" * 40), image_ad(2, name="Mulan" + "_Ocean" * 40))
    sandbox = MetaSandbox()
    plan = PLATFORM.compile(one_set(ads=ads))
    creatives = [each for each in plan.operations if each.object_type == "creative"]
    assert len(creatives) == 2
    sent = [client(sandbox).apply(each, {}) for each in creatives]
    for each, outcome in zip(creatives, sent, strict=True):
        assert isinstance(outcome, Applied), outcome
        assert client(sandbox).find(each, {}) == Applied(outcome.external_ids)
        seen = client(sandbox).read("creative", outcome.external_ids[each.ref])
        assert isinstance(seen, ReadBack)
        assert seen.name == each.objects[0].name, "the planned name is the one that Meta has"
