"""Our destinations against the strict sandboxes: what we build is taken, what is bad is refused whole."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from deploy.sandboxes import sandbox_class
from tracking.destinations.base import Accepted, NeedsAuth, Rejected, RetryLater, Unknown
from tracking.destinations.google import GOOGLE, Diagnostics
from tracking.destinations.registry import destination
from tracking.tests.test_destinations import CONFIGS, EVENT
from trafficking.platforms.sandbox_base import Fault, InProcess, Sandbox

URL = "http://sandbox.invalid"
SANDBOXES = {"meta": "meta", "tiktok": "tiktok", "google": "google_ads"}
NOW = datetime.now(UTC).replace(microsecond=0)
NEW = dataclasses.replace(EVENT, time=NOW - timedelta(minutes=5))
STALE = dataclasses.replace(EVENT, event_id="old", order_id="old", time=NOW - timedelta(days=8))
FUTURE = dataclasses.replace(EVENT, event_id="new", order_id="new", time=NOW + timedelta(hours=1))


@pytest.fixture(params=sorted(SANDBOXES))
def key(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sandbox(key: str) -> Sandbox:
    return sandbox_class(SANDBOXES[key])()


@pytest.fixture
def http(sandbox: Sandbox) -> requests.Session:
    session = requests.Session()
    session.mount(URL, InProcess(sandbox))
    return session


def send(key: str, http: requests.Session, *events: Any, **config: str) -> Any:
    known = destination(key)
    return known.send(known.build(list(events), {**CONFIGS[key], "base_url": URL, **config}), http)


def test_what_we_build_is_taken_and_counted_once(key: str, sandbox: Sandbox, http: requests.Session) -> None:
    other = dataclasses.replace(NEW, event_id="order-2", order_id="order-2", limited=True)
    first = send(key, http, NEW, other)
    assert isinstance(first, Accepted)
    assert first.trace
    assert isinstance(send(key, http, NEW), Accepted)
    assert sandbox.conversions.count() == {"distinct": 2, "received": 3, "accepted": 2, "duplicates": 1}


def test_one_bad_event_refuses_them_all(key: str, sandbox: Sandbox, http: requests.Session) -> None:
    answer = send(key, http, NEW, FUTURE)
    assert isinstance(answer, Rejected)
    assert answer.rows == ([1] if key == "google" else None)  # only Google names it
    assert sandbox.conversions.count()["received"] == 0
    if key != "google":
        assert isinstance(send(key, http, STALE), Rejected)


def test_raw_personal_data_is_refused(key: str, http: requests.Session) -> None:
    raw = {
        "meta": {"em": "a@example.com"},
        "tiktok": {"email": "a@example.com"},
        "google": {"email": "a@b.c"},
    }
    assert isinstance(send(key, http, dataclasses.replace(NEW, identifiers={key: raw[key]})), Rejected)


def test_more_than_the_limit_is_refused(key: str, http: requests.Session) -> None:
    assert isinstance(send(key, http, *[NEW] * destination(key).limit), Accepted)
    assert isinstance(send(key, http, *[NEW] * (destination(key).limit + 1)), Rejected)


@pytest.mark.parametrize(
    ("fault", "kind", "kept"),
    [
        ("throttle", RetryLater, 0),
        ("server_error", Unknown, 0),
        ("expired_token", NeedsAuth, 0),
        ("html", Unknown, 0),
        ("lose_request", Unknown, 0),
        ("lose_answer", Unknown, 1),
        ("truncate", Unknown, 1),
    ],
)
def test_misfortunes(
    key: str, sandbox: Sandbox, http: requests.Session, fault: str, kind: type, kept: int
) -> None:
    sandbox.faults.append(Fault(fault))
    assert type(send(key, http, NEW)) is kind
    assert sandbox.conversions.count()["accepted"] == kept
    assert isinstance(send(key, http, NEW), Accepted)
    assert sandbox.conversions.count()["accepted"] == 1


def test_a_duplicate_counts_anew_after_two_days(key: str, sandbox: Sandbox, http: requests.Session) -> None:
    assert isinstance(send(key, http, NEW), Accepted)
    sandbox.clock = lambda: NOW.timestamp() + 49 * 3600
    assert isinstance(send(key, http, NEW), Accepted)
    assert sandbox.conversions.count()["accepted"] == 2


def test_googles_token_is_bought_once_and_diagnostics_come_by_request_id() -> None:
    sandbox = sandbox_class("google_ads")()
    http = requests.Session()
    http.mount(URL, InProcess(sandbox))
    secrets = {"client_id": "c", "client_secret": "s", "refresh_token": "r"}
    plain = {**CONFIGS["google"], "access_token": "", "base_url": URL}
    GOOGLE.forget_tokens()
    assert GOOGLE.authorise(plain, http) == NeedsAuth(
        "the destination lacks client_id, client_secret, refresh_token"
    )
    assert GOOGLE.authorise({**plain, **secrets, "refresh_token": "expired"}, http) == NeedsAuth(
        "token endpoint: invalid_grant"
    )
    config = GOOGLE.authorise({**plain, **secrets}, http)
    assert isinstance(config, dict)
    assert GOOGLE.authorise({**plain, **secrets}, http) == config
    assert sum(each["path"] == "/token" for each in sandbox.requests) == 2

    bad = dataclasses.replace(NEW, order_id="REJECTME")
    accepted = GOOGLE.send(GOOGLE.build([NEW, bad], config), http)
    assert isinstance(accepted, Accepted)
    found = GOOGLE.diagnostics(GOOGLE.ask(accepted.trace, config), http)
    assert found == Diagnostics("partial", 2, (("PROCESSING_ERROR_REASON_INVALID_GCLID", 1),))
    assert isinstance(GOOGLE.diagnostics(GOOGLE.ask("unknown", config), http), Rejected)
    test = GOOGLE.build([NEW], config, test_code="x")
    assert json.loads(test.body)["validateOnly"] is True
    assert GOOGLE.send(test, http) == Accepted("")
    GOOGLE.forget_tokens()
