"""/campaigns: created, read, changed and refused through the API."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign, CampaignChannel
from governance.models import Channel
from governance.tests.api_clients import ROOT, client_of, codes_of, error_of, person
from governance.tests.factories import BrandFactory, MarketFactory

pytestmark = pytest.mark.django_db
URL = f"{ROOT}/campaigns"
START = date.today() + timedelta(days=30)


def body(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Moana Launch", "brand": "DIS", "market": "US", "channels": ["META"], "objective": "TRAFFIC",
        "budget": "1000.50", "currency": "USD", "start_on": START.isoformat(),
        "end_on": (START + timedelta(days=30)).isoformat(), **changes,
    }  # fmt: skip


@pytest.fixture
def planner() -> Any:
    BrandFactory()
    MarketFactory()
    return client_of(person("Planner"))


def test_a_campaign_is_created_with_its_governed_names_owner_and_history(planner):
    response = planner.post(URL, body(channels=["META", "TIKTOK"]))
    assert response.status_code == 201, response.json()
    made = response.json()
    assert [each["name"] for each in made["names"]] == [
        f"DIS_US_META_{START.year}_MoanaLaunch", f"DIS_US_TIKTOK_{START.year}_MoanaLaunch",
    ]  # fmt: skip
    assert made["budget"] == "1000.5"
    assert made["status"] == "DRAFT"
    assert response["ETag"] == '"1"'
    assert response["Location"].endswith(f"/campaigns/{made['id']}")
    row = Campaign.objects.get()
    assert made["owner"] == row.owner.username
    assert row.history.get().history_user == row.owner
    assert planner.get(response["Location"]).json() == made


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"market": "XX"}, "market", "does_not_exist"),
        ({"brand": "NOPE"}, "brand", "does_not_exist"),
        ({"brand": 7}, "brand", "invalid"),
        ({"channels": ["OLDTV"]}, "channels[0]", "does_not_exist"),
        ({"channels": []}, "channels", "empty"),
        ({"channels": ["META", "META"]}, "channels", "duplicate"),
        ({"end_on": (START - timedelta(days=1)).isoformat()}, "end_on", "flight.reversed"),
        ({"start_on": "2020-01-01"}, "start_on", "flight.past"),
        ({"start_on": "01/02/2027"}, "start_on", "invalid_day"),
        ({"start_on": "2027-02-30"}, "start_on", "invalid"),
        ({"budget": "0"}, "budget", "money.not_positive"),
        ({"budget": "-5"}, "budget", "money.not_positive"),
        ({"budget": "1,000.50"}, "budget", "money.separators"),
        ({"budget": "1.000,50"}, "budget", "money.separators"),
        ({"budget": "a lot"}, "budget", "money.not_a_number"),
        ({"budget": "19.999"}, "budget", "money.too_precise"),
        ({"budget": True}, "budget", "money.not_a_number"),
        ({"currency": "EURO"}, "currency", "max_length"),
        ({"currency": "XYZ"}, "currency", "invalid"),
        ({"objective": "FAME"}, "objective", "invalid_choice"),
        ({"name": "🎉 Moana"}, "name", "naming.symbols"),
        ({"name": "M" * 300}, "name", "max_length"),
        ({"name": "   "}, "name", "blank"),
        ({"name": "\u202eanaoM"}, "name", "naming.symbols"),
        ({"status": "ACTIVE"}, "status", "read_only"),
        ({"id": "x"}, "id", "read_only"),
        ({"names": []}, "names", "read_only"),
        ({"governed_name": "x"}, "governed_name", "unknown_field"),
        ({"budgets": "1"}, "budgets", "unknown_field"),
        ({"owner": "nobody"}, "owner", "does_not_exist"),
    ],
)
def test_bad_input_is_refused_at_its_field_with_a_code_and_nothing_is_saved(planner, changes, field, code):
    response = planner.post(URL, body(**changes))
    assert response.status_code == 400, response.content
    assert code in codes_of(response, field), error_of(response)
    assert not Campaign.objects.exists()


def test_separators_in_money_are_refused_with_the_reading_that_is_meant(planner):
    for text, reading in (("1,000.50", "1000.50"), ("1.000,50", "1000.50")):
        entry = error_of(planner.post(URL, body(budget=text)))["fields"]["budget"][0]
        assert entry["params"]["reading"] == reading
        assert reading in entry["message"]


def test_a_json_number_is_read_as_it_was_written(planner):
    raw = '{"name":"Exact","brand":"DIS","market":"US","channels":["META"],"objective":"TRAFFIC","budget":19.99,'
    raw += f'"currency":"USD","start_on":"{START}","end_on":"{START}"}}'
    response = planner.post(URL, raw.encode(), content_type="application/json")
    assert response.status_code == 201, response.json()
    assert response.json()["budget"] == "19.99"


def test_all_errors_of_the_rules_are_told_at_once(planner):
    response = planner.post(
        URL, body(name="🎉", start_on="2020-01-01", end_on="2019-01-01", budget="19.999", currency="XYZ")
    )
    assert {"name", "start_on", "end_on", "currency"} <= set(error_of(response)["fields"])


def test_an_inactive_channel_takes_no_campaign(planner):
    channel = Channel.objects.get(code="TIKTOK")
    channel.active = False
    channel.save()
    assert codes_of(planner.post(URL, body(channels=["META", "TIKTOK"])), "channels") == ["channel_inactive"]


def test_a_name_that_is_taken_in_another_spelling_is_refused_with_a_suggestion(planner):
    planner.post(URL, body())
    response = planner.post(URL, body(name="moana LAUNCH"))
    assert codes_of(response, "name") == ["naming.taken"]
    assert "moana LAUNCH 2" in error_of(response)["fields"]["name"][0]["message"]


def test_brand_and_market_must_be_granted_together(planner):
    brand, market = BrandFactory(), MarketFactory()
    other_brand, other_market = (
        BrandFactory(code="NIKE"),
        MarketFactory(code="DE", name="Germany", country="DE", currency="EUR"),
    )
    limited = client_of(person("Planner", grants=[(brand, market), (other_brand, other_market)]))
    assert limited.post(URL, body()).status_code == 201
    crossed = limited.post(URL, body(brand="NIKE", name="Crossed"))
    assert codes_of(crossed, "market") == ["outside_reach"]
    narrow = client_of(person("Planner", grants=[(brand, market)]))
    unknown, hidden = narrow.post(URL, body(brand="NOPE")), narrow.post(URL, body(brand="NIKE"))
    assert codes_of(unknown, "brand") == codes_of(hidden, "brand") == ["does_not_exist"]


def test_what_is_outside_the_reach_is_not_there(planner):
    made = planner.post(URL, body()).json()
    stranger = client_of(person("Planner", grants=[(BrandFactory(code="NIKE"), None)]))
    for answer in (
        stranger.get(f"{URL}/{made['id']}"), stranger.patch(f"{URL}/{made['id']}", {"name": "Mine"}),
        stranger.delete(f"{URL}/{made['id']}"),
    ):  # fmt: skip
        assert answer.status_code == 404
        assert error_of(answer)["code"] == "not_found"
    assert stranger.get(URL).json()["results"] == []
    assert stranger.get(URL, {"brand": "DIS"}).status_code == 400


def test_a_patch_changes_what_it_names_and_rebuilds_the_names(planner):
    made = planner.post(URL, body()).json()
    response = planner.patch(f"{URL}/{made['id']}", {"name": "Moana Finale", "version": 1})
    assert response.status_code == 200, response.json()
    assert response.json()["names"][0]["name"].endswith("MoanaFinale")
    assert response.json()["version"] == 2
    assert response.json()["budget"] == "1000.5"


def test_a_put_sets_what_it_leaves_out_back_to_its_default(planner):
    made = planner.post(URL, body(budget_type="DAILY")).json()
    response = planner.put(f"{URL}/{made['id']}", body(channels=["TIKTOK"]))
    assert response.status_code == 200, response.json()
    assert response.json()["budget_type"] == "LIFETIME"
    assert response.json()["channels"] == ["TIKTOK"]
    assert codes_of(planner.put(f"{URL}/{made['id']}", {"name": "Only"}), "brand") == ["required"]


def test_the_second_of_two_editors_is_told(planner):
    made = planner.post(URL, body()).json()
    url = f"{URL}/{made['id']}"
    assert planner.patch(url, {"budget": "5"}, HTTP_IF_MATCH='"1"').status_code == 200
    late = planner.patch(url, {"budget": "6"}, HTTP_IF_MATCH='"1"')
    assert (late.status_code, error_of(late)["code"]) == (412, "stale_version")
    late = planner.patch(url, {"budget": "6", "version": 1})
    assert (late.status_code, error_of(late)["code"]) == (409, "stale_version")
    assert planner.delete(url, HTTP_IF_MATCH='"1"').status_code == 412
    assert planner.delete(url, HTTP_IF_MATCH='"2"').status_code == 204


def test_lists_filter_search_order_and_refuse_what_they_do_not_know(planner):
    for name in ("Alpha", "Beta", "Gamma"):
        planner.post(URL, body(name=name))
    names = lambda **query: [row["name"] for row in planner.get(URL, query).json()["results"]]  # noqa: E731
    assert names() == ["Gamma", "Beta", "Alpha"]
    assert names(ordering="name") == ["Alpha", "Beta", "Gamma"]
    assert names(search="bet") == ["Beta"]
    assert names(brand="DIS", status="DRAFT", channel="META", starts_from=START.isoformat()) == [
        "Gamma",
        "Beta",
        "Alpha",
    ]
    assert names(changed_since="2020-07-07T13:34:04-18:41") == ["Gamma", "Beta", "Alpha"]
    for query in (
        {"changed_since": "0001-01-01T00:00:00+01:00"}, {"status": "LOST"}, {"brand": "NOPE"}, {"starts_from": "soon"}, {"ordering": "secret"}, {"colour": "red"},
        {"page_size": "0"}, {"page_size": "501"}, {"cursor": "x"}, {"archived": "perhaps"},
    ):  # fmt: skip
        answer = planner.get(URL, query)
        assert answer.status_code == 400, query
        assert list(error_of(answer)["fields"]) == list(query)


@pytest.mark.parametrize("ordering", ["", "name", "-budget", "status"])
def test_pages_follow_each_other_without_gap_or_repetition_both_ways(planner, ordering):
    rows = [body(name=f"Campaign {chr(65 + at % 5)} {at}", budget=str(1 + at % 3)) for at in range(23)]
    assert planner.post(URL, rows).status_code == 201
    seen, back, url = [], [], f"{URL}?page_size=5&ordering={ordering}"
    while url:
        page = planner.get(url).json()
        seen.append([row["id"] for row in page["results"]])
        last, url = page, page["next"]
    flat = [each for page in seen for each in page]
    assert len(flat) == len(set(flat)) == 23
    while last["previous"]:
        last = planner.get(last["previous"]).json()
        back.append([row["id"] for row in last["results"]])
    assert back == seen[-2::-1]


def test_a_list_costs_the_same_queries_however_long_it_is(planner):
    def queries(most: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert planner.get(URL, {"page_size": most}).status_code == 200
        return len(caught)

    assert (
        planner.post(
            URL, [body(name=f"Campaign {at}", channels=["META", "TIKTOK"]) for at in range(20)]
        ).status_code
        == 201
    )
    queries(1)
    assert queries(2) == queries(20) <= 4


def test_creating_one_stays_within_its_query_budget(planner):
    planner.post(URL, body())
    with CaptureQueriesContext(connection) as caught:
        assert planner.post(URL, body(name="Second")).status_code == 201
    assert len(caught) <= 14, [each["sql"][:90] for each in caught]


def test_a_list_is_created_whole_with_every_row_in_its_order(planner):
    response = planner.post(URL, [body(name=f"Row {at}") for at in range(30)])
    assert response.status_code == 201
    assert [row["name"] for row in response.json()] == [f"Row {at}" for at in range(30)]
    assert CampaignChannel.history.count() == 30


def test_one_wrong_row_saves_nothing_and_every_wrong_row_is_told(planner):
    planner.post(URL, body(name="Standing"))
    rows = [
        body(name="Good"), body(name="good"), body(budget="1,5", name="A"), body(name="Standing"), "no object",
        body(name="B", end_on="2020-01-01", start_on="2020-02-01"),
    ]  # fmt: skip
    response = planner.post(URL, rows)
    assert response.status_code == 400
    told = {row["row"]: row["fields"] for row in error_of(response)["rows"]}
    assert sorted(told) == [1, 2, 3, 4, 5]
    assert told[1]["name"][0]["code"] == told[3]["name"][0]["code"] == "naming.taken"
    assert told[2]["budget"][0]["code"] == "money.separators"
    assert set(told[5]) == {"start_on", "end_on"}
    assert Campaign.objects.count() == 1


def test_a_list_has_from_one_to_a_thousand_rows(planner):
    assert planner.post(URL, []).status_code == 400
    assert error_of(planner.post(URL, [{}] * 1001))["code"] == "too_many_rows"


def test_deleting_what_has_tickets_says_what_uses_it(planner):
    from governance.tests.factories import AdAccountFactory
    from trafficking.models import Ticket

    made = planner.post(URL, body()).json()
    row = Campaign.objects.get()
    account = AdAccountFactory(serving=[(row.brand, row.market)])
    Ticket.objects.create(
        campaign=row,
        channel=Channel.objects.get(code="META"),
        ad_account=account,
        start_on=row.start_on,
        end_on=row.end_on,
    )
    response = planner.delete(f"{URL}/{made['id']}")
    assert (response.status_code, error_of(response)["code"]) == (409, "in_use")
    assert error_of(response)["details"]["used_by"][0]["count"] == 1
