"""The two doors: servers with a secret, browsers of allowed sites."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.cache import cache

from tracking import browser
from tracking.models import ConversionEvent
from tracking.sources import make_secret, source_of_secret
from tracking.tests.factories import ORIGIN, make_source, report

pytestmark = pytest.mark.django_db
ONE, MANY = "/api/v1/tracking/event", "/api/v1/tracking/events"


@pytest.fixture
def source():
    cache.clear()
    return make_source()


def sent(client, url, body, secret="", **headers):
    given = {"HTTP_AUTHORIZATION": f"Bearer {secret}"} if secret else {}
    return client.post(url, json.dumps(body), content_type="application/json", **given, **headers)


def test_a_server_reports_by_its_secret_and_by_nothing_else(client, source):
    secret = make_secret(source)
    assert secret not in str(vars(source)) and source_of_secret(secret) == source
    for wrong in ("", "otc_wrong", source.write_key):
        assert sent(client, ONE, report(), wrong).status_code == 401
    assert not ConversionEvent.objects.exists()
    answer = sent(client, ONE, report(), secret)
    assert answer.status_code == 200 and answer.json()["result"] == "taken"
    bad = sent(client, ONE, report("x", currency="XXZ"), secret)
    assert (
        bad.status_code == 400 and bad.json()["error"]["fields"]["currency"][0]["code"] == "unknown_currency"
    )


def test_the_secret_before_works_for_a_while_after_a_new_one(client, source):
    first = make_secret(source)
    second = make_secret(source)
    assert (
        sent(client, ONE, report(), first).status_code
        == sent(client, ONE, report(), second).status_code
        == 200
    )
    third = make_secret(source, overlap=timedelta(seconds=-1))
    assert [source_of_secret(each) is not None for each in (first, second, third)] == [False, False, True]
    source.active = False
    source.save()
    assert sent(client, ONE, report(), third).status_code == 401


def test_many_are_answered_one_by_one(client, source):
    secret = make_secret(source)
    answer = sent(client, MANY, {"events": [report("1"), {"event_id": 7}, report("1"), "x"]}, secret).json()
    assert [answer[name] for name in ("taken", "merged", "refused")] == [1, 1, 2]
    assert [each["result"] for each in answer["results"]] == ["taken", "refused", "merged", "refused"]
    for body in ({"events": [report()] * 1001}, {"events": "x"}, [], {}):
        assert sent(client, MANY, body, secret).status_code == 400


def test_a_browser_reports_from_an_allowed_site_only(client, source):
    url = f"/t/{source.write_key}"
    answer = sent(
        client, url, report(), HTTP_ORIGIN=ORIGIN, HTTP_USER_AGENT="Mozilla/5.0", REMOTE_ADDR="203.0.113.9"
    )
    assert answer.status_code == 200 and answer["Access-Control-Allow-Origin"] == ORIGIN
    event = ConversionEvent.objects.get()
    assert event.client == {"ip": "203.0.113.9", "user_agent": "Mozilla/5.0"} and event.origin == "browser"
    for origin in ({}, {"HTTP_ORIGIN": "https://evil.example"}, {"HTTP_ORIGIN": "null"}):
        assert sent(client, url, report("other"), **origin).status_code == 403
    assert sent(client, "/t/nothing", report("other"), HTTP_ORIGIN=ORIGIN).status_code == 404
    assert client.get(url, HTTP_ORIGIN=ORIGIN).status_code == 405
    asked = client.options(url, HTTP_ORIGIN=ORIGIN)
    assert asked.status_code == 204 and asked["Access-Control-Allow-Origin"] == ORIGIN
    assert ConversionEvent.objects.count() == 1


def test_a_browser_cannot_say_what_only_its_request_knows(client, source):
    raw = report(user={"em": "a@example.com", "ip": "198.51.100.1", "user_agent": "curl"})
    sent(
        client,
        f"/t/{source.write_key}",
        raw,
        HTTP_ORIGIN=ORIGIN,
        HTTP_USER_AGENT="Mozilla/5.0",
        REMOTE_ADDR="203.0.113.9",
    )
    assert ConversionEvent.objects.get().client == {"ip": "203.0.113.9", "user_agent": "Mozilla/5.0"}


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '"x"', "{}", '{"events": []}', json.dumps([report()] * 21), '{"a": NaN}', "\x00"]
)
def test_whatever_a_browser_sends_is_answered(client, source, body):
    answer = client.post(f"/t/{source.write_key}", body, content_type="text/plain", HTTP_ORIGIN=ORIGIN)
    assert answer.status_code in (200, 400) and not ConversionEvent.objects.exists()


def test_large_bodies_and_floods_are_stopped(client, source, monkeypatch):
    url = f"/t/{source.write_key}"
    assert sent(client, url, report(custom={"x": "y" * 70_000}), HTTP_ORIGIN=ORIGIN).status_code == 413
    monkeypatch.setattr(browser, "PER_ADDRESS", 2)
    got = [
        sent(client, url, report(), HTTP_ORIGIN=ORIGIN, REMOTE_ADDR="203.0.113.5").status_code
        for _ in range(4)
    ]
    assert got == [200, 200, 429, 429]
    assert sent(client, url, report(), HTTP_ORIGIN=ORIGIN, REMOTE_ADDR="203.0.113.6").status_code == 200
