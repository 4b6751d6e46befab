"""What the client tells of the account, of limits and of review; what the sandbox refuses to change."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from trafficking.platforms.base import (
    Applied,
    InDoubt,
    NeedsAuth,
    NotFound,
    Rejected,
    RetryLater,
    Usage,
)
from trafficking.platforms.meta import PLATFORM
from trafficking.platforms.meta.errors import usage
from trafficking.platforms.meta.graph import server_time
from trafficking.platforms.meta.sandbox import MetaSandbox
from trafficking.platforms.meta.tests.builders import (
    ACCOUNT,
    ad_set,
    automated_ticket,
    big_ticket,
    image_ad,
    ticket,
)
from trafficking.platforms.meta.tests.journey import Built, built, call, client, fault
from trafficking.platforms.meta.updates import status_operation

NOV_30 = 1_796_040_000.0  # 2026-11-30: before the flight of `ticket()`, which begins on 1 December


# -------------------------------------------------------------------------------------- preflight


def codes(sandbox: MetaSandbox) -> list[str]:
    found = client(sandbox).preflight()
    assert isinstance(found, tuple), found
    for each in found:
        message = PLATFORM.messages[each.code]
        assert message.text.format(**each.params)
        assert message.remedy
    return [each.code.removeprefix("preflight.meta.") for each in found]


def store(sandbox: MetaSandbox, kind: str, object_id: str, **body: Any) -> None:
    sandbox.store.add(kind, ACCOUNT.external_id, "", "", body, lambda _: object_id)


def test_a_healthy_account_has_nothing_to_say_and_is_asked_five_questions() -> None:
    sandbox = MetaSandbox()
    assert codes(sandbox) == []
    assert len(sandbox.requests) == 5


HEALTHY = {
    "account_status": 1,
    "currency": "USD",
    "timezone_name": "America/Los_Angeles",
    "funding_source": "1",
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"account_status": 2}, ["account_status"]),
        ({"account_status": 101}, ["account_status"]),
        ({"account_status": 9}, ["account_grace"]),
        ({"currency": "EUR"}, ["currency"]),
        ({"timezone_name": "Europe/Paris"}, ["time_zone"]),
        ({"funding_source": None}, ["no_funding"]),
        ({"user_tasks": ["ANALYZE"]}, ["no_task"]),
    ],
)
def test_what_is_wrong_with_the_account_is_found(changes: dict[str, Any], expected: list[str]) -> None:
    sandbox = MetaSandbox()
    body = {key: value for key, value in {**HEALTHY, **changes}.items() if value is not None}
    store(sandbox, "account", ACCOUNT.external_id, **body)
    assert codes(sandbox) == expected


@pytest.mark.parametrize(
    ("kind", "object_id", "body", "expected"),
    [
        ("page", ACCOUNT.page_id, {"is_published": False}, ["page_unpublished"]),
        ("pixel", ACCOUNT.pixel_id, {"is_unavailable": True}, ["pixel_unavailable"]),
        ("pixel", ACCOUNT.pixel_id, {"is_unavailable": False}, ["pixel_never_fired"]),
        ("permissions", "me", {"data": [{"permission": "ads_read", "status": "granted"}]}, ["no_permission"]),
    ],
)
def test_what_is_wrong_around_the_account_is_found(
    kind: str, object_id: str, body: dict[str, Any], expected: list[str]
) -> None:
    sandbox = MetaSandbox()
    store(sandbox, kind, object_id, **body)
    assert codes(sandbox) == expected


def test_what_is_not_there_is_named() -> None:
    """An id of letters is no page, no Instagram account, no pixel."""
    made = client(MetaSandbox())
    made.connection = replace(
        made.connection, account=replace(ACCOUNT, page_id="x1", instagram_user_id="x2", pixel_id="x3")
    )
    found = made.preflight()
    assert isinstance(found, tuple)
    assert [each.code for each in found] == [
        "preflight.meta.page_hidden", "preflight.meta.instagram_hidden", "preflight.meta.pixel_hidden",
    ]  # fmt: skip
    assert all(each.blocking for each in found)


@pytest.mark.parametrize(
    ("kind", "outcome"), [("throttle", RetryLater), ("expired_token", NeedsAuth), ("html", InDoubt)]
)
def test_a_preflight_that_learns_nothing_says_so(kind: str, outcome: type) -> None:
    sandbox = MetaSandbox()
    sandbox.faults = [fault(kind, "GET")]
    assert isinstance(client(sandbox).preflight(), outcome)


# ------------------------------------------------------------------------------------------ limits


def test_each_answer_tells_how_much_of_the_limit_is_used() -> None:
    sandbox = MetaSandbox(calls=10)
    made = client(sandbox)
    for _ in range(4):
        made.list_campaigns()
    assert made.usage == Usage(0.4, None)
    for _ in range(7):
        made.list_campaigns()
    assert made.usage is not None
    assert made.usage.share == 1.0
    assert made.usage.wait_s is not None and made.usage.wait_s > 3000


def test_the_worst_of_the_three_headers_counts() -> None:
    headers = {
        "X-App-Usage": json.dumps({"call_count": 10, "total_time": 85, "total_cputime": 2}),
        "X-Ad-Account-Usage": json.dumps({"acc_id_util_pct": 9.67}),
    }
    assert usage(headers) == Usage(0.85, None)
    assert usage({}) is None
    assert usage({"X-App-Usage": "nonsense"}) is None


def test_every_request_passes_the_gate() -> None:
    sandbox = MetaSandbox()
    ids = built(big_ticket(), sandbox).ids
    made, passed = client(sandbox), []
    made.before_call = lambda: passed.append(1)
    before = len(sandbox.requests)
    made.read_tree(ids["campaign"])
    made.list_campaigns()
    made.preflight()
    made.set_status("campaign", ids["campaign"], "PAUSED")
    assert len(passed) == len(sandbox.requests) - before == 10


def test_a_closed_gate_stops_the_call() -> None:
    sandbox = MetaSandbox()
    made = client(sandbox)

    def closed() -> None:
        raise TimeoutError("no budget left")

    made.before_call = closed
    with pytest.raises(TimeoutError):
        made.list_campaigns()
    assert sandbox.requests == []


def test_a_tree_is_read_in_three_calls_and_by_pages_where_it_is_large() -> None:
    ads = tuple(image_ad(number) for number in range(130))
    sandbox = MetaSandbox()
    there = built(ticket(ad_sets=(ad_set(ads=ads),)), sandbox)
    sandbox.requests.clear()
    tree = there.tree()
    assert len([each for each in tree if each.type == "ad"]) == 130
    assert len([each for each in tree if each.type == "creative"]) == 130
    assert len(sandbox.requests) == 4
    parents = {each.external_id: each.parent_id for each in tree}
    assert {parents[parents[each.external_id]] for each in tree if each.type == "ad"} == {
        there.ids["campaign"]
    }


def test_a_budget_changes_four_times_an_hour() -> None:
    now = [NOV_30]
    sandbox = MetaSandbox(clock=lambda: now[0])
    there = built(ticket(), sandbox)
    path = f"/v26.0/{there.tree()[1].external_id}"
    for amount in (5100, 5200, 5300, 5400):
        assert call(sandbox, "POST", path, {"daily_budget": amount}).json() == {"success": True}
    refused = call(sandbox, "POST", path, {"daily_budget": 5500})
    assert refused.json()["error"]["error_subcode"] == 1487632
    assert call(sandbox, "POST", path, {"name": "other things may change"}).json() == {"success": True}
    operation = replace(status_operation(there.held()[1], "PAUSED"), body={"daily_budget": 5500})
    outcome = client(sandbox).apply(operation, {})
    assert isinstance(outcome, RetryLater)
    assert outcome.after == 3600
    now[0] += 3601
    assert isinstance(client(sandbox).apply(operation, {}), Applied)


# ------------------------------------------------------------------------------------------ review


def reviewing(now: list[float], **changes: Any) -> Built:
    snapshot = ticket(ad_sets=(ad_set(ads=(image_ad(1, **changes),)),))
    there = built(snapshot, MetaSandbox(clock=lambda: now[0], review_s=60))
    there.apply(there.plan(snapshot, "ACTIVATE").operations, snapshot)
    return there


def seen(there: Built) -> tuple[str, str]:
    ad = next(each for each in there.tree() if each.type == "ad")
    return ad.review, ad.delivery


def test_an_ad_is_reviewed_then_waits_for_its_start_then_runs_then_ends() -> None:
    now = [NOV_30]
    there = reviewing(now)
    assert seen(there) == ("PENDING", "IN_REVIEW")
    now[0] += 61
    assert seen(there) == ("APPROVED", "SCHEDULED")
    now[0] = NOV_30 + 2 * 86_400
    assert seen(there) == ("APPROVED", "LIVE")
    client(there.sandbox).set_status("campaign", there.ids["campaign"], "PAUSED")
    assert seen(there) == ("", "PAUSED")
    client(there.sandbox).set_status("campaign", there.ids["campaign"], "ACTIVE")
    now[0] = NOV_30 + 60 * 86_400
    assert seen(there) == ("APPROVED", "ENDED")


def test_a_refused_ad_says_why_and_another_creative_is_reviewed_anew() -> None:
    now = [NOV_30]
    there = reviewing(now, texts=("REJECTME",))
    now[0] += 61
    assert seen(there) == ("REJECTED", "REJECTED")
    ad = next(each for each in there.tree() if each.type == "ad")
    assert ad.review_reasons == (
        "Unacceptable Business Practices: Your ad wasn't approved because it doesn't follow our Advertising Standards.",
    )
    mended = ticket(ad_sets=(ad_set(ads=(image_ad(1),)),))
    there.apply(there.plan(mended).operations, mended)
    assert seen(there) == ("PENDING", "IN_REVIEW")
    now[0] += 61
    assert seen(there) == ("APPROVED", "SCHEDULED")


def test_the_platforms_clock_is_the_last_date_told() -> None:
    first, second = "Mon, 30 Nov 2026 10:00:00 GMT", "Tue, 01 Dec 2026 10:00:00 GMT"
    told = server_time(f"{first}, {second}")
    assert told is not None
    assert told.day == 1
    assert server_time(None) is None
    assert server_time("yesterday") is None


# ------------------------------------------------------------------- what can't be changed on Meta


def update(there: Built, ref: str, body: dict[str, Any]) -> dict[str, Any]:
    return call(there.sandbox, "POST", f"/v26.0/{there.ids[ref]}", body).json()


AD_SET = "ad_set:00000000-0000-0000-0000-000000000001"
AD = f"ad:{ticket().ad_sets[0].ads[0].intent_id}"


@pytest.mark.parametrize(
    ("ref", "body"),
    [
        ("campaign", {"surprise": 1}),
        ("campaign", {"objective": "OUTCOME_SALES"}),
        ("campaign", {"objective": "TRAFFIC"}),
        ("campaign", {"buying_type": "RESERVED"}),
        ("campaign", {"daily_budget": 5000}),
        ("campaign", {"name": "x" * 401}),
        ("campaign", {"name": ""}),
        ("campaign", {"status": "RUNNING"}),
        (AD_SET, {"campaign_id": "1"}),
        (AD_SET, {"billing_event": "LINK_CLICKS"}),
        (AD_SET, {"destination_type": "WEBSITE"}),
        (AD_SET, {"promoted_object": {"pixel_id": "1", "custom_event_type": "PURCHASE"}}),
        (AD_SET, {"lifetime_budget": 500_000}),
        (AD_SET, {"daily_budget": 10}),
        (AD_SET, {"daily_budget": "19.99"}),
        (AD_SET, {"bid_strategy": "COST_CAP"}),
        (AD_SET, {"optimization_goal": "VALUE"}),
        (AD_SET, {"targeting": {"geo_locations": {"countries": ["US"]}}}),
        (AD_SET, {"targeting": {"geo_locations": {"countries": ["US"]}, "age_min": "18"}}),
        (AD_SET, {"end_time": "2020-01-01T00:00:00-0800"}),
        (AD_SET, {"start_time": "tomorrow"}),
        (AD, {"creative": {"creative_id": "1"}}),
        (AD, {"adset_id": "1"}),
    ],
)
def test_changes_that_meta_refuses(ref: str, body: dict[str, Any]) -> None:
    there = built(ticket())
    before = there.sandbox.store.rows()
    assert update(there, ref, body)["error"]["code"] == 100
    assert there.sandbox.store.rows() == before


def test_a_creative_keeps_what_it_says() -> None:
    there = built(ticket())
    creative = next(ref for ref in there.ids if ref.startswith("creative:"))
    assert update(there, creative, {"url_tags": "a=b"})["error"]["code"] == 100
    assert update(there, creative, {"name": "another"}) == {"success": True}


def test_an_ad_set_that_has_started_keeps_its_start() -> None:
    now = [NOV_30]
    there = built(ticket(), MetaSandbox(clock=lambda: now[0]))
    later = {"start_time": "2026-12-02T00:00:00-0800"}
    assert update(there, AD_SET, later) == {"success": True}
    now[0] += 10 * 86_400
    assert (
        update(there, AD_SET, {"start_time": "2026-12-20T00:00:00-0800"})["error"]["error_subcode"] == 1487478
    )


@pytest.mark.parametrize("status", ["ARCHIVED", "DELETED"])
def test_what_is_gone_stays_gone(status: str) -> None:
    there = built(big_ticket())
    assert update(there, "campaign", {"status": status}) == {"success": True}
    assert update(there, "campaign", {"status": status}) == {"success": True}, "twice is harmless"
    assert update(there, "campaign", {"status": "ACTIVE"})["error"]["code"] == 100
    assert update(there, "campaign", {"spend_cap": 5000})["error"]["code"] == 100
    create = PLATFORM.compile(big_ticket()).operations
    refused = [
        client(there.sandbox).apply(each, there.ids)
        for each in create
        if each.object_type in ("ad_set", "ad")
    ]
    assert all(isinstance(each, Rejected) for each in refused)
    assert client(there.sandbox).read_tree(there.ids["campaign"]) == NotFound()
    found = call(there.sandbox, "GET", f"/v26.0/{there.ids[AD_SET]}?fields=status,effective_status").json()
    assert found["effective_status"] == status


def test_a_dry_run_of_a_change_checks_and_changes_nothing() -> None:
    there = built(ticket())
    snapshot = ticket(name="DIS_US_META_2026_Other")
    (operation,) = there.plan(snapshot).operations
    assert isinstance(client(there.sandbox).validate(operation, {}), Applied)
    assert there.plan(snapshot).operations == (operation,)
    bad = replace(operation, body={"objective": "OUTCOME_SALES"})
    assert isinstance(client(there.sandbox).validate(bad, {}), Rejected)
    create = PLATFORM.compile(ticket()).operations
    assert client(there.sandbox).validate(create[1], {}) is None, "its campaign is not there"
    assert isinstance(client(there.sandbox).validate(create[1], there.ids), Applied)
    assert len(there.sandbox.store.rows("kind = 'ad_set'")) == 1


# ------------------------------------------------------------------------------------- Advantage+


def advantage(there: Built) -> str | None:
    campaign = next(each for each in there.tree() if each.type == "campaign")
    return campaign.fields["advantage_state_info.advantage_state"]  # type: ignore[no-any-return]


def test_an_advantage_plus_ticket_becomes_what_meta_calls_advantage_plus() -> None:
    there = built(automated_ticket())
    assert advantage(there) == "ADVANTAGE_PLUS_SALES"
    bodies = [each.body for each in PLATFORM.compile(automated_ticket()).operations]
    assert bodies[0]["buying_type"] == "AUCTION"
    assert "smart_promotion_type" not in bodies[0]
    assert bodies[1]["targeting"]["targeting_automation"] == {"advantage_audience": 1}
    assert not [key for key in bodies[1]["targeting"] if key.endswith(("_platforms", "_positions"))]
    assert advantage(built(big_ticket())) is None


@pytest.mark.parametrize(
    ("change", "set_change", "code"),
    [
        ({"objective": "TRAFFIC"}, {"goal": "CLICKS"}, "advantage_plus.objective"),
        ({"budget_level": "AD_SET"}, {}, "advantage_plus.budget_level"),
        ({}, {"placements": ("instagram",)}, "advantage_plus.placements"),
        ({}, {"config": {"device_platforms": ["mobile"]}}, "advantage_plus.placements"),
        ({}, {"config": {"advantage_audience": 0}}, "advantage_plus.audience"),
    ],
)
def test_what_would_turn_advantage_plus_off_is_refused(
    change: dict[str, Any], set_change: dict[str, Any], code: str
) -> None:
    first, *others = automated_ticket().ad_sets
    snapshot = automated_ticket(ad_sets=(replace(first, **set_change), *others), **change)
    assert f"meta.{code}" in {each.code for each in PLATFORM.compile(snapshot).findings if each.blocking}
