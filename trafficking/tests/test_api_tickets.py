"""/tickets: the tree in one piece, its findings and plan, its way to approval."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.models import Grant
from governance.tests.api_clients import ROOT, client_of, codes_of, error_of, person
from governance.tests.factories import AdAccountFactory, BrandFactory, channel
from trafficking.models import Ad, AdSet, Ticket
from trafficking.tests.factories import TREES, make_campaign, make_ticket

pytestmark = pytest.mark.django_db
URL = f"{ROOT}/tickets"


@pytest.fixture
def client() -> Any:
    return client_of(person("Trafficker"))


def body(code: str = "META", *, on: Any = None, **changes: Any) -> dict[str, Any]:
    campaign = on or make_campaign(channels=(code,))
    account = AdAccountFactory(platform=channel(code).platform, serving=[(campaign.brand, campaign.market)])
    ad_set, ads = TREES[code]
    return {
        "campaign": str(campaign.public_id), "channel": code, "ad_account": str(account.public_id),
        "start_on": campaign.start_on.isoformat(), "end_on": campaign.end_on.isoformat(), "special_ad_categories": [],
        "political": "DOES_NOT_CONTAIN",
        "ad_sets": [
            {"name": "Families", "budget": "1000.00", "geo": {"countries": ["US"]}, "languages": ["en"], "age_min": 18,
             **ad_set, "ads": ads}
        ],
        **changes,
    }  # fmt: skip


@pytest.mark.parametrize("code", TREES)
def test_a_ticket_is_created_submitted_and_approved_by_a_second_person(client, code):
    made = client.post(URL, body(code))
    assert made.status_code == 201, made.json()
    url = f"{URL}/{made.json()['id']}"
    assert (made.json()["status"], made.json()["version"]) == ("DRAFT", 1)
    assert made.json()["ad_sets"][0]["ads"][0]["governed_name"].endswith("Families_Wave")
    draft = client.get(f"{url}/plan").json()
    assert draft["stored"] is False
    assert draft["operations"]
    ready = client.post(f"{url}/submit").json()
    assert ready["status"] == "READY_FOR_API", ready["findings"]
    plan = client.get(f"{url}/plan").json()
    assert (plan["stored"], plan["digest"]) == (True, ready["digest"]) == (True, draft["digest"])
    own = client.post(f"{url}/approve", {"digest": plan["digest"]})
    assert own.status_code == 403
    approver = client_of(person("Approver"))
    stale = approver.post(f"{url}/approve", {"digest": "0" * 64})
    assert (stale.status_code, error_of(stale)["code"]) == (409, "digest_changed")
    assert (
        approver.post(f"{url}/approve", {"digest": plan["digest"], "comment": "Yes"}).json()["status"]
        == "APPROVED"
    )
    again = approver.post(f"{url}/approve", {"digest": plan["digest"]})
    assert (again.status_code, error_of(again)["code"]) == (409, "wrong_status")


def test_the_submitter_who_may_approve_still_needs_a_second_person():
    both = client_of(person("Trafficker", "Approver"))
    url = f"{URL}/{both.post(URL, body()).json()['id']}"
    digest = both.post(f"{url}/submit").json()["digest"]
    own = both.post(f"{url}/approve", {"digest": digest})
    assert (own.status_code, error_of(own)["code"]) == (403, "four_eyes")


def test_findings_are_told_with_message_and_remedy(client):
    url = f"{URL}/{client.post(URL, body(ad_sets=[])).json()['id']}"
    failed = client.post(f"{url}/submit")
    assert (failed.status_code, failed.json()["status"]) == (200, "QA_FAILED")
    finding = failed.json()["findings"][0]
    assert set(finding) == {"code", "field", "severity", "params", "message", "remedy"}
    assert finding["message"] != finding["code"]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"status": "APPROVED"}, "status", "read_only"), ({"digest": "x"}, "digest", "read_only"),
        ({"findings": []}, "findings", "read_only"), ({"external_id": "1"}, "external_id", "read_only"),
        ({"governed_name": "x"}, "governed_name", "read_only"), ({"colour": 1}, "colour", "unknown_field"),
        ({"campaign": "00000000-0000-4000-8000-000000000000"}, "campaign", "does_not_exist"), ({"campaign": "DIS"}, "campaign", "does_not_exist"),
        ({"channel": "TIKTOK"}, "channel", "ticket.channel_not_on_campaign"),
        ({"special_ad_categories": ["FUN"]}, "special_ad_categories", "ticket.special_categories"),
        ({"payload_config": {"nonsense": 1}}, "payload_config", "ticket.config"), ({"budget": "5"}, "budget", "ticket.budget_level"),
        ({"ad_sets": "x"}, "ad_sets", "not_a_list"), ({"ad_sets": ["x"]}, "ad_sets[0]", "not_an_object"),
        ({"ad_sets": [{}]}, "ad_sets[0].name", "naming.empty"), ({"ad_sets": [{"name": "A", "external_id": "9"}]}, "ad_sets[0].external_id", "read_only"),
        ({"ad_sets": [{"name": "A", "budget": "1,5"}]}, "ad_sets[0].budget", "money.separators"),
        ({"ad_sets": [{"name": "A", "age_min": 5}]}, "ad_sets[0].age_min", "ad_set.age_range"),
        ({"ad_sets": [{"name": "A", "age_min": 10**30}]}, "ad_sets[0].age_min", "max_value"),
        ({"ad_sets": [{"name": "A", "geo": {"planet": 1}}]}, "ad_sets[0].geo", "shape.invalid"),
        ({"ad_sets": [{"name": "A"}, {"name": "a"}]}, "ad_sets[1].name", "name_taken"),
        ({"ad_sets": [{"name": "A", "id": "00000000-0000-4000-8000-000000000000"}]}, "ad_sets[0].id", "does_not_exist"),
        ({"ad_sets": [{"name": "A", "ads": [{"name": "B"}]}]}, "ad_sets[0].ads[0].format", "blank"),
        ({"ad_sets": [{"name": "A", "ads": [{"name": "B", "format": "IMAGE", "headlines": [1]}]}]}, "ad_sets[0].ads[0].headlines", "shape.invalid"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_at_its_place_in_the_tree(client, changes, field, code):
    response = client.post(URL, body(**changes))
    assert response.status_code == 400, response.content
    assert code in codes_of(response, field), error_of(response)["fields"]
    assert not Ticket.objects.exists()
    assert not AdSet.objects.exists()


def test_errors_of_the_ticket_and_of_all_its_parts_are_told_at_once(client):
    tree = [
        {"name": "🎉", "geo": {"planet": 1}, "ads": [{"name": "B", "format": "IMAGE", "media": [{}]}]},
        {"name": "B", "age_max": 99},
    ]
    fields = error_of(client.post(URL, body(budget="5", ad_sets=tree)))["fields"]
    assert {
        "budget",
        "ad_sets[0].name",
        "ad_sets[0].geo",
        "ad_sets[0].ads[0].media",
        "ad_sets[1].age_max",
    } <= set(fields)


def test_a_put_makes_the_tree_exactly_what_is_sent_in_one_version(client):
    made = client.post(URL, body(ad_sets=[
        {"name": "A", "ads": [{"name": "One", "format": "IMAGE"}, {"name": "Two", "format": "IMAGE"}]}, {"name": "B"},
    ])).json()  # fmt: skip
    first = made["ad_sets"][0]
    whole = {key: made[key] for key in ("campaign", "channel", "ad_account", "start_on", "end_on")}
    tree = [
        {"name": "C"},
        {"id": first["id"], "name": "A2", "age_min": 21, "ads": [{"intent_id": first["ads"][1]["intent_id"], "name": "Two", "format": "VIDEO"}]},
    ]  # fmt: skip
    changed = client.put(f"{URL}/{made['id']}", {**whole, "ad_sets": tree}, HTTP_IF_MATCH='"1"')
    assert changed.status_code == 200, changed.json()
    now = changed.json()
    assert [each["name"] for each in now["ad_sets"]] == ["C", "A2"]
    kept = now["ad_sets"][1]
    assert (kept["id"], kept["intent_id"], kept["age_min"]) == (first["id"], first["intent_id"], 21)
    assert [ad["id"] for ad in kept["ads"]] == [first["ads"][1]["id"]]
    assert kept["ads"][0]["governed_name"].endswith("A2_Two")
    assert now["version"] == 2
    assert now["political"] == "UNSTATED"
    assert Ad.objects.count() == 1


def test_a_patch_changes_the_named_adds_the_new_and_keeps_the_rest(client):
    made = client.post(URL, body(ad_sets=[
        {"name": "A", "age_min": 30, "ads": [{"name": "One", "format": "IMAGE"}]}, {"name": "B"},
    ])).json()  # fmt: skip
    first = made["ad_sets"][0]
    tree = [{"id": first["id"], "name": "A2", "ads": [{"name": "Two", "format": "IMAGE"}]}, {"name": "C"}]
    now = client.patch(f"{URL}/{made['id']}", {"ad_sets": tree}).json()
    assert [each["name"] for each in now["ad_sets"]] == ["A2", "B", "C"]
    assert now["ad_sets"][0]["age_min"] == 30
    assert [ad["governed_name"].rsplit("_", 2)[1:] for ad in now["ad_sets"][0]["ads"]] == [
        ["A2", "One"],
        ["A2", "Two"],
    ]
    assert (now["version"], now["political"]) == (2, "DOES_NOT_CONTAIN")


def test_an_edit_takes_an_approved_ticket_back_to_draft_and_untouched_parts_are_not_written(client):
    ticket = make_ticket(ad_sets=2)
    url = f"{URL}/{ticket.public_id}"
    assert client.post(f"{url}/submit").json()["status"] == "READY_FOR_API"
    history = AdSet.history.count()
    part = client.get(url).json()["ad_sets"][0]
    edited = client.patch(url, {"ad_sets": [{"id": part["id"], "budget": "900"}]})
    assert (edited.json()["status"], edited.json()["digest"]) == ("DRAFT", "")
    assert AdSet.history.count() == history + 1
    assert AdSet.objects.get(public_id=part["id"]).budget == Decimal(900)


def test_the_second_of_two_editors_is_told(client):
    url = f"{URL}/{make_ticket().public_id}"
    tag = client.get(url)["ETag"]
    assert client.patch(url, {"political": "CONTAINS"}, HTTP_IF_MATCH=tag).status_code == 200
    assert client.patch(url, {"political": "UNSTATED"}, HTTP_IF_MATCH=tag).status_code == 412


def test_a_ticket_stays_with_its_campaign_and_channel(client):
    ticket = make_ticket()
    other = make_campaign(name="Other")
    response = client.patch(f"{URL}/{ticket.public_id}", {"campaign": str(other.public_id)})
    assert codes_of(response, "campaign") == ["immutable"]


def test_a_second_ticket_on_the_channel_is_refused(client):
    first = body()
    assert client.post(URL, first).status_code == 201
    assert client.post(URL, first).status_code == 400


def test_what_is_outside_the_reach_is_not_there(client):
    ticket = make_ticket()
    stranger = client_of(person("Trafficker", "Approver", grants=[(BrandFactory(code="NIKE"), None)]))
    url = f"{URL}/{ticket.public_id}"
    for answer in (
        stranger.get(url), stranger.get(f"{url}/plan"), stranger.post(f"{url}/submit"), stranger.post(f"{url}/cancel"),
        stranger.post(f"{url}/approve", {"digest": "x"}), stranger.post(f"{url}/reject", {"comment": "x"}), stranger.delete(url),
        stranger.patch(url, {}), stranger.post(f"{url}/reopen"),
    ):  # fmt: skip
        assert answer.status_code == 404, answer.content
    assert not Grant.objects.filter(brand__code="DIS").exists()


def test_reject_and_cancel_say_why_and_a_cancelled_one_stays_on_record(client):
    url = f"{URL}/{make_ticket().public_id}"
    client.post(f"{url}/submit")
    approver = client_of(person("Approver"))
    assert codes_of(approver.post(f"{url}/reject", {}), "comment") == ["required"]
    assert approver.post(f"{url}/reject", {"comment": "Wrong page"}).json()["status"] == "DRAFT"
    assert client.post(f"{url}/cancel", {"comment": "Not needed"}).json()["status"] == "CANCELLED"
    assert error_of(client.post(f"{url}/submit"))["code"] == "wrong_status"
    assert error_of(client.patch(url, {"political": "CONTAINS"}))["code"] == "not_editable"
    assert error_of(client.delete(url))["code"] == "in_use"


def test_a_draft_can_be_deleted(client):
    url = f"{URL}/{make_ticket().public_id}"
    assert client.delete(url).status_code == 204
    assert not AdSet.objects.exists()


def test_a_list_of_tickets_is_all_or_nothing_with_errors_per_row(client):
    rows = [body(on=make_campaign(name=f"Campaign {at}")) for at in range(3)]
    broken = [
        rows[0],
        {**rows[1], "ad_sets": [{"name": "A", "age_min": 5}]},
        {**rows[2], "channel": "NOPE"},
        rows[0],
    ]
    refused = client.post(URL, broken)
    assert refused.status_code == 400
    told = {row["row"]: sorted(row["fields"]) for row in error_of(refused)["rows"]}
    assert told == {1: ["ad_sets[0].age_min"], 2: ["channel"], 3: ["non_field_errors"]}
    assert not Ticket.objects.exists()
    made = client.post(URL, rows)
    assert made.status_code == 201
    assert [row["campaign"] for row in made.json()] == [row["campaign"] for row in rows]


def test_lists_filter_and_cost_the_same_queries_however_long_they_are(client):
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(URL).status_code == 200
        return len(caught)

    make_ticket()
    queries()
    few = queries()
    for at in range(4):
        make_ticket(campaign=make_campaign(name=f"Campaign {at}"), ad_sets=2)
    assert queries() == few <= 4
    assert (
        len(
            client.get(
                URL, {"platform": "meta", "brand": "DIS", "status": "DRAFT", "channel": "META"}
            ).json()["results"]
        )
        == 5
    )
    assert client.get(URL, {"status": "LOST"}).status_code == 400


def test_a_single_ticket_costs_the_same_queries_however_large_its_tree(client):
    def queries(ticket: Ticket) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(f"{URL}/{ticket.public_id}").status_code == 200
        return len(caught)

    small, large = make_ticket(), make_ticket(campaign=make_campaign(name="Large"), ad_sets=5)
    queries(small)
    assert queries(small) == queries(large) <= 8
