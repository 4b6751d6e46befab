"""The client against the sandbox: done, refused, throttled, lost, looked up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trafficking.platforms.base import Applied, InDoubt, NeedsAuth, NotFound, Rejected, RetryLater
from trafficking.platforms.google_ads import PLATFORM
from trafficking.platforms.google_ads.sandbox import GoogleAdsSandbox
from trafficking.platforms.google_ads.tests.builders import SEARCH_AD, search_ad_set, ticket
from trafficking.platforms.google_ads.tests.calls import client
from trafficking.platforms.sandbox_base import Fault, Store

CHANNELS = ("SEARCH", "DISPLAY", "DEMAND_GEN")


def planned(channel="SEARCH", **changes):
    (operation,) = PLATFORM.compile(ticket(channel, **changes)).operations
    return operation


@pytest.fixture
def sandbox():
    return GoogleAdsSandbox()


@pytest.mark.parametrize("channel", CHANNELS)
def test_apply_answers_an_id_for_every_object(sandbox, channel):
    operation = planned(channel)
    outcome = client(sandbox).apply(operation, {})
    assert isinstance(outcome, Applied)
    assert set(outcome.external_ids) == {each.ref for each in operation.objects}
    assert outcome.external_ids["campaign"].isdigit()
    (ad,) = [o.ref for o in operation.objects if o.type == "ad"][:1]
    assert outcome.external_ids[ad].count("~") == 1


@pytest.mark.parametrize("channel", CHANNELS)
def test_everything_can_be_read_back_and_is_paused(sandbox, channel):
    operation, google = planned(channel), client(sandbox)
    ids = google.apply(operation, {}).external_ids
    for each in operation.objects:
        found = google.read(each.type, ids[each.ref])
        assert found.external_id == ids[each.ref]
        expected = True if each.type in ("campaign", "ad_set", "ad") else None
        assert found.paused is expected
        if each.type in ("campaign", "ad_set", "budget"):
            assert found.name == each.name


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_lost_answer_is_found_again_with_the_same_ids(sandbox, channel):
    operation, google = planned(channel), client(sandbox)
    sandbox.faults.append(Fault("lose_answer", match="mutate"))
    assert isinstance(google.apply(operation, {}), InDoubt)
    found = google.find(operation, {})
    assert isinstance(found, Applied)
    assert set(found.external_ids) == {each.ref for each in operation.objects}
    stored = {
        row["id"]
        for row in sandbox.store.rows("kind NOT IN ('asset', 'campaign_criterion', 'ad_group_criterion')")
    }
    tails = {
        value.rpartition("/")[2] for ref, value in found.external_ids.items() if not ref.startswith("asset:")
    }
    assert tails == stored


def test_each_ad_is_recognised_though_search_ads_have_no_names(sandbox):
    ads = tuple(
        replace(SEARCH_AD, intent_id=f"ad-{n}", headlines=(f"Headline {n}", "Free returns", "Running shoes"))
        for n in range(3)
    )
    operation, google = planned(ad_sets=(search_ad_set(ads=ads),)), client(sandbox)
    ids = google.apply(operation, {}).external_ids
    assert google.find(operation, {}).external_ids == ids


def test_a_lost_request_is_not_found_and_can_be_sent_again(sandbox):
    operation, google = planned(), client(sandbox)
    sandbox.faults.append(Fault("lose_request", match="mutate"))
    assert isinstance(google.apply(operation, {}), InDoubt)
    assert google.find(operation, {}) == NotFound()
    assert isinstance(google.apply(operation, {}), Applied)


def test_sending_again_what_landed_is_refused_as_a_duplicate(sandbox):
    operation, google = planned(), client(sandbox)
    google.apply(operation, {})
    before = len(sandbox.store.rows())
    outcome = google.apply(operation, {})
    assert isinstance(outcome, Rejected)
    assert outcome.code == "campaignBudgetError.DUPLICATE_NAME"
    assert outcome.pointer == "/mutateOperations/0/campaignBudgetOperation/create/name"
    assert len(sandbox.store.rows()) == before


def test_somebody_elses_campaign_of_the_same_name_is_not_taken_for_ours(sandbox):
    google = client(sandbox)
    google.apply(planned(), {})
    other = planned(ad_sets=(search_ad_set(name="Another ad group"),))
    assert isinstance(google.find(other, {}), InDoubt)


def test_names_with_quotes_and_backslashes_can_be_found(sandbox):
    operation, google = planned(name='It\'s a \\ "name"'), client(sandbox)
    ids = google.apply(operation, {}).external_ids
    assert google.find(operation, {}).external_ids == ids


def test_find_reads_page_by_page(sandbox):
    sandbox.page_size = 2
    operation, google = planned(), client(sandbox)
    ids = google.apply(operation, {}).external_ids
    assert google.find(operation, {}).external_ids == ids


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("throttle", RetryLater),
        ("expired_token", NeedsAuth),
        ("server_error", InDoubt),
        ("server_error_after_commit", InDoubt),
        ("html", InDoubt),
        ("truncate", InDoubt),
        ("lose_request", InDoubt),
        ("lose_answer", InDoubt),
    ],
)
def test_misfortunes_become_the_right_outcome(sandbox, fault, kind):
    sandbox.faults.append(Fault(fault, match="mutate", seconds=42))
    outcome = client(sandbox).apply(planned(), {})
    assert isinstance(outcome, kind)
    if kind is RetryLater:
        assert outcome.after == 42
    assert "dev-token" not in repr(outcome)
    assert "ya29" not in repr(outcome)


@pytest.mark.parametrize("fault", ["server_error_after_commit", "truncate", "lose_answer"])
def test_what_was_done_behind_a_broken_answer_is_found(sandbox, fault):
    operation, google = planned("DEMAND_GEN"), client(sandbox)
    sandbox.faults.append(Fault(fault, match="mutate"))
    google.apply(operation, {})
    assert isinstance(google.find(operation, {}), Applied)


@pytest.mark.parametrize(
    "fault", ["throttle", "html", "lose_answer", "server_error", "expired_token", "truncate"]
)
def test_a_failed_look_up_is_never_not_found(sandbox, fault):
    google = client(sandbox)
    operation = planned()
    ids = google.apply(operation, {}).external_ids
    sandbox.faults.append(Fault(fault, match="search", count=2))
    assert not isinstance(google.find(operation, {}), NotFound | Applied)
    assert not isinstance(google.read("campaign", ids["campaign"]), NotFound)


@pytest.mark.parametrize(
    ("object_type", "kind"), [("campaign", "campaign"), ("ad_set", "ad_group"), ("ad", "ad_group_ad")]
)
def test_objects_are_switched_on_off_and_away_and_twice_is_harmless(sandbox, object_type, kind):
    operation, google = planned(), client(sandbox)
    ids = google.apply(operation, {}).external_ids
    stored = ids[next(each.ref for each in operation.objects if each.type == object_type)]
    for status, word in (("ACTIVE", "ENABLED"), ("PAUSED", "PAUSED"), ("ARCHIVED", "REMOVED")):
        for _twice in range(2):
            outcome = google.set_status(object_type, stored, status)
            assert isinstance(outcome, Applied), outcome
            assert outcome.external_ids == {object_type: stored}
        assert sandbox.store.get(kind, stored)["status"] == word


@pytest.mark.parametrize("object_type", ["budget", "asset"])
def test_what_has_no_status_is_not_switched(sandbox, object_type):
    operation, google = planned("DEMAND_GEN"), client(sandbox)
    ids = google.apply(operation, {}).external_ids
    stored = ids[next(each.ref for each in operation.objects if each.type == object_type)]
    assert isinstance(google.set_status(object_type, stored, "PAUSED"), Rejected)


def test_an_unknown_object_is_not_found(sandbox):
    google = client(sandbox)
    assert google.read("campaign", "999") == NotFound()
    assert google.read("ad", "not-an-id") == NotFound()
    assert google.read("campaign", "1' OR '1'='1") == NotFound()
    assert isinstance(google.set_status("campaign", "999", "PAUSED"), Rejected)


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"access_token": "ya29.good"},
        {"developer_token": "dev"},
        {"developer_token": "dev", "client_id": "a", "client_secret": "b"},
        {"developer_token": "dev", "access_token": "expired"},
        {"developer_token": "expired", "access_token": "ya29.good"},
        {"developer_token": "dev", "client_id": "a", "client_secret": "b", "refresh_token": "expired"},
    ],
)
def test_missing_or_dead_credentials_need_a_person(sandbox, credentials):
    assert isinstance(client(sandbox, credentials).apply(planned(), {}), NeedsAuth)
    assert sandbox.store.rows() == []


def test_a_refresh_token_buys_one_access_token_for_many_calls(sandbox):
    google = client(
        sandbox, {"developer_token": "d", "client_id": "a", "client_secret": "b", "refresh_token": "c"}
    )
    ids = google.apply(planned(), {}).external_ids
    google.read("campaign", ids["campaign"])
    assert [r["path"] for r in sandbox.requests].count("/token") == 1


def test_a_token_that_google_stopped_taking_is_bought_anew(sandbox):
    google = client(
        sandbox, {"developer_token": "d", "client_id": "a", "client_secret": "b", "refresh_token": "c"}
    )
    sandbox.faults.append(Fault("expired_token", match="mutate"))
    assert isinstance(google.apply(planned(), {}), NeedsAuth)
    assert isinstance(google.apply(planned(), {}), Applied)
    assert [r["path"] for r in sandbox.requests].count("/token") == 2


@pytest.mark.parametrize("fault", ["html", "lose_answer", "lose_request"])
def test_trouble_at_the_token_endpoint_is_no_doubt(sandbox, fault):
    google = client(
        sandbox, {"developer_token": "d", "client_id": "a", "client_secret": "b", "refresh_token": "c"}
    )
    sandbox.faults.append(Fault(fault, match="/token"))
    assert isinstance(google.apply(planned(), {}), RetryLater)


def test_secrets_travel_in_headers_only(sandbox):
    google = client(sandbox)
    google.apply(planned(), {})
    assert "dev-token" not in sandbox.requests[-1]["body"]
    assert "ya29" not in repr(google.connection)


def test_the_sandbox_outlives_its_process(tmp_path):
    file = str(tmp_path / "google.sqlite3")
    operation = planned()
    ids = client(GoogleAdsSandbox(Store(file))).apply(operation, {}).external_ids
    assert client(GoogleAdsSandbox(Store(file))).find(operation, {}).external_ids == ids
