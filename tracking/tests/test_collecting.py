"""Reports become conversions: each once, filled in, hashed, with consent, whoever reports it."""

from __future__ import annotations

import threading
from hashlib import sha256
from typing import Any

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracking.collecting import Client, Origin, collect
from tracking.models import ConversionEvent, ConversionSource, Delivery, RefusedCount
from tracking.redaction import clean_url
from tracking.signals import deliveries_due
from tracking.tests.factories import make_source, report

pytestmark = pytest.mark.django_db
BROWSER = Client("203.0.113.9", "Mozilla/5.0")


def test_a_report_becomes_one_event_and_a_delivery_for_each_destination():
    source = make_source()
    assert [each.result for each in collect(source, [report()], origin=Origin.SERVER)] == ["taken"]
    event = ConversionEvent.objects.get()
    assert event.identifiers["meta"]["em"] == sha256(b"ana@example.com").hexdigest()
    assert (str(event.value), event.currency, event.origin) == ("49.9000", "USD", "server")
    assert {row.destination.platform: row.state for row in Delivery.objects.select_related("destination")} == {
        "meta": "PENDING", "tiktok": "PENDING", "google_ads": "PENDING",
    }  # fmt: skip


def test_the_browsers_and_the_servers_report_are_one_event_with_what_each_knew():
    source = make_source()
    collect(source, [report(user={"em": "ana@example.com"})], origin=Origin.SERVER)
    seen = report(
        user={"fbc": "fb.1.1554763741205.AbCd"},
        event_source_url="https://shop.example/thanks?fbclid=AbCd&email=x",
    )
    answer = collect(source, [seen], origin=Origin.BROWSER, client=BROWSER)
    assert answer[0].result == "merged"
    event = ConversionEvent.objects.get()
    assert (event.origin, event.reports, event.fbclid) == ("both", 2, "AbCd")
    assert {"em", "fbc"} <= set(event.identifiers["meta"]) and event.client == {
        "ip": BROWSER.ip,
        "user_agent": BROWSER.user_agent,
    }
    assert Delivery.objects.count() == 3


def test_without_consent_nothing_waits_and_consent_that_comes_later_sends_it():
    source = make_source(platforms=("meta",))
    collect(source, [report(consent={})], origin=Origin.SERVER)
    assert Delivery.objects.get().state == "SUPPRESSED"
    collect(source, [report()], origin=Origin.BROWSER, client=BROWSER)
    assert Delivery.objects.get().state == "PENDING"


def test_what_one_report_denies_no_other_grants():
    source = make_source(platforms=("meta",))
    collect(source, [report(consent={"ad_user_data": "denied"})], origin=Origin.BROWSER, client=BROWSER)
    collect(source, [report()], origin=Origin.SERVER)
    assert Delivery.objects.get().state == "SUPPRESSED"
    assert ConversionEvent.objects.get().consent["ad_user_data"] == "denied"


@pytest.mark.parametrize(("change", "field", "code"), [
    ({"event_time": 1_000_000_000}, "event_time", "stale"), ({"currency": "XXZ"}, "currency", "unknown_currency"),
    ({"user": {"fbc": "AbCd"}}, "user.fbc", "malformed_fbc"), ({"event_id": ""}, "event_id", "missing"),
    ({"order_id": "ana@example.com"}, "order_id", "personal"), ({"custom": {"note": "write to ana@example.com"}}, "custom.note", "personal"),
    ({"custom": {"phone": "123"}}, "custom.phone", "personal"), ({"event_id": "ana%40example.com"}, "event_id", "personal"),
])  # fmt: skip
def test_a_bad_report_is_refused_by_field_and_counted_and_the_others_are_taken(change, field, code):
    source = make_source()
    answers = collect(source, [report("good-1"), report(**change), report("good-2")], origin=Origin.SERVER)
    assert [each.result for each in answers] == ["taken", "refused", "taken"]
    assert (field, code) in {(each.field, each.code) for each in answers[1].problems}
    assert "ana" not in str(answers[1].as_report())
    assert RefusedCount.objects.get(code=code).count == 1
    collect(source, [report(**change)], origin=Origin.SERVER)
    assert RefusedCount.objects.get(code=code).count == 2


def test_a_value_without_a_currency_has_the_sources_or_is_refused():
    raw = {**report(), "currency": ""}
    collect(make_source(), [raw], origin=Origin.SERVER)
    assert ConversionEvent.objects.get().currency == "USD"
    source = ConversionSource.objects.get()
    source.default_currency = ""
    source.save()
    answer = collect(source, [{**raw, "event_id": "order-2"}], origin=Origin.SERVER)[0]
    assert ("currency", "missing") in {(each.field, each.code) for each in answer.problems}


def test_addresses_keep_campaigns_and_click_ids_only():
    url = "https://ana:pw@shop.example/u/ana@example.com/x?utm_source=meta&email=ana@example.com&fbclid=Ab&utm_term=a@b.de#top"
    assert clean_url(url) == "https://shop.example/u//x?utm_source=meta&fbclid=Ab"


def test_nothing_raw_is_stored_anywhere(caplog):
    planted = ["plantedmail", "6505551234", "Plantedname", "203.0.113.77"]
    source = make_source()
    user = {
        "em": "plantedmail@example.com",
        "ph": "+1 650 555 1234",
        "fn": "Plantedname",
        "ip": "203.0.113.77",
        "user_agent": "Planted UA",
    }
    collect(
        source, [report(user=user), report("bad", user={**user, "fbc": "plantedmail"})], origin=Origin.SERVER
    )
    with connection.cursor() as cursor:
        for table in ("tracking_conversionevent", "tracking_delivery", "tracking_refusedcount"):
            cursor.execute(f"SELECT * FROM {table}")
            stored = str(cursor.fetchall())
            assert not [each for each in planted if each in stored], table
    assert not [each for each in planted if each in caplog.text]
    assert ConversionEvent.objects.get().client["ip"] == "203.0.113.77"


def test_who_delivers_is_told_after_the_commit(django_capture_on_commit_callbacks):
    told: list[Any] = []
    deliveries_due.connect(lambda source_id, **_: told.append(source_id), weak=False, dispatch_uid="test")
    try:
        source = make_source()
        with django_capture_on_commit_callbacks(execute=True):
            collect(source, [report()], origin=Origin.SERVER)
            assert told == []
        assert told == [source.pk]
    finally:
        deliveries_due.disconnect(dispatch_uid="test")


REPORTS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["Purchase", "Lead"]), st.sampled_from([Origin.BROWSER, Origin.SERVER])),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(REPORTS, st.integers(1, 4))
def test_any_mix_of_reports_ends_as_one_event_each_and_one_delivery_per_destination(mix, size):
    Delivery.objects.all().delete()
    ConversionEvent.objects.all().delete()
    source = ConversionSource.objects.first() or make_source()
    for origin in (Origin.SERVER, Origin.BROWSER):
        own = [report(event_id, event_name=name) for event_id, name, who in mix if who == origin]
        for at in range(0, len(own), size):
            collect(source, own[at : at + size], origin=origin, client=BROWSER)
    keys = {(event_id, name) for event_id, name, _who in mix}
    assert {(row.event_id, row.name) for row in ConversionEvent.objects.all()} == keys
    assert ConversionEvent.objects.count() == len(keys) and Delivery.objects.count() == 3 * len(keys)
    assert sum(row.reports for row in ConversionEvent.objects.all()) == len(mix)


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="needs PostgreSQL: SQLite in memory has one writer"
)
@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_moment_end_as_one_event_each():
    source = make_source()
    names = [f"order-{number}" for number in range(12)]
    failures: list[Exception] = []

    def send(order: list[str], origin: str) -> None:
        try:
            for at in range(0, len(order), 4):
                collect(source, [report(each) for each in order[at : at + 4]], origin=origin, client=BROWSER)
        except Exception as failure:  # told below, by the thread that asserts
            failures.append(failure)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=send, args=(names if at % 2 else names[::-1], Origin.BROWSER if at % 2 else Origin.SERVER))
        for at in range(4)
    ]  # fmt: skip
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []
    assert ConversionEvent.objects.count() == 12 and Delivery.objects.count() == 36
    assert {row.reports for row in ConversionEvent.objects.all()} == {4}
    assert {row.origin for row in ConversionEvent.objects.all()} == {"both"}
