"""Preflight: what TikTok says of the account, in our words, before the first call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trafficking.platforms.base import Connection, InDoubt, NeedsAuth, RetryLater
from trafficking.platforms.sandbox_base import Fault
from trafficking.platforms.tiktok import PLATFORM
from trafficking.platforms.tiktok.tests.builders import ACCOUNT
from trafficking.platforms.tiktok.tests.world import URL, World


def told(world: World) -> dict[str, str]:
    found = world.client.preflight()
    assert isinstance(found, tuple), found
    return {each.code.removeprefix("preflight.tiktok."): each.severity for each in found}


def test_a_healthy_account_has_no_findings_and_takes_three_calls():
    world = World()
    assert told(world) == {}
    assert len(world.sandbox.requests) == 3


@pytest.mark.parametrize(
    ("account", "code", "severity"),
    [
        ({"unknown": True}, "account_unknown", "block"),
        ({"status": "STATUS_LIMIT"}, "account_closed", "block"),
        ({"status": "STATUS_PENDING_CONFIRM"}, "account_pending", "block"),
        ({"status": "A_STATUS_OF_NEXT_YEAR"}, "account_closed", "block"),
        ({"currency": "EUR"}, "currency", "block"),
        ({"timezone": "America/New_York"}, "time_zone", "block"),
        ({"balance": 0}, "no_balance", "warn"),
        ({"identities": ["another"]}, "identity_unknown", "block"),
        ({"identity_status": "UNAVAILABLE"}, "identity_closed", "warn"),
        ({"pixels": ["1"]}, "pixel_unknown", "block"),
    ],
)
def test_what_is_wrong_is_said(account, code, severity):
    world = World()
    world.sandbox.tamper("account", ACCOUNT.external_id, account)
    assert told(world) == {code: severity}
    for finding in world.client.preflight():
        assert finding.code in PLATFORM.messages


@pytest.mark.parametrize(
    "account", [{"timezone": "Europe/Madrid"}, {"timezone": "No/Such"}, {"balance": 12.5}]
)
def test_what_is_no_matter_is_not_said(account):
    world = World()
    world.sandbox.tamper("account", ACCOUNT.external_id, account)
    assert told(world) == {}


def test_what_our_account_does_not_name_is_not_asked_for():
    world = World(replace(ACCOUNT, identity_id="", pixel_id=""))
    assert told(world) == {}
    assert [each["path"] for each in world.sandbox.requests] == ["/open_api/v1.3/advertiser/info/"]


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("throttle", RetryLater),
        ("expired_token", NeedsAuth),
        ("server_error", InDoubt),
        ("truncate", InDoubt),
    ],
)
@pytest.mark.parametrize("door", ["advertiser/info", "identity/info", "pixel/list"])
def test_an_answer_that_tells_nothing_is_no_finding(kind, outcome, door):
    world = World()
    world.sandbox.faults = [Fault(kind, match=door)]
    assert isinstance(world.client.preflight(), outcome)


def test_a_missing_token_is_told_without_a_call():
    world = World()
    client = PLATFORM.client(Connection(URL, ACCOUNT, {}), world.client.session)
    assert isinstance(client.preflight(), NeedsAuth)
    assert world.sandbox.requests == []


def test_usage_is_known_when_tiktok_throttles_and_only_then():
    world = World(calls=2, window_s=60.0)
    assert isinstance(world.client.preflight(), RetryLater)
    assert world.client.usage is not None
    assert (world.client.usage.share, world.client.usage.wait_s) == (1.0, 2.0)
    world.now += 61
    world.client.list_campaigns()
    assert world.client.usage is None  # it is over
