"""/markets, /brands, /channels, /ad-accounts and /naming-conventions."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.models import AdAccount, Brand, Channel, Market, NamingConvention
from governance.tests.api_clients import ROOT, client_of, codes_of, error_of, person
from governance.tests.factories import AdAccountFactory, BrandFactory, MarketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Any:
    return client_of(person("Data admin"))


def campaign_of(brand: Brand, market: Market, name: str = "Moana") -> Any:
    from campaigns.models import Campaign
    from campaigns.services import save_campaign

    start = date.today() + timedelta(days=30)
    campaign = Campaign(
        name=name,
        brand=brand,
        market=market,
        objective="TRAFFIC",
        budget=100,
        currency="USD",
        start_on=start,
        end_on=start,
    )
    return save_campaign(campaign=campaign, channels=[Channel.objects.get(code="META")])


MARKET = {
    "code": "DE", "name": "Germany", "country": "DE", "region": "EMEA", "currency": "EUR", "time_zone": "Europe/Berlin",
    "languages": ["de"],
}  # fmt: skip


def test_a_market_is_created_read_changed_and_deleted(admin):
    made = admin.post(f"{ROOT}/markets", MARKET)
    assert made.status_code == 201, made.json()
    url = f"{ROOT}/markets/{made.json()['id']}"
    assert admin.get(url)["ETag"] == '"1"'
    assert admin.patch(url, {"name": "Deutschland"}).json()["name"] == "Deutschland"
    assert admin.put(url, {**MARKET, "languages": []}).json()["version"] == 3
    assert admin.delete(url).status_code == 204
    assert admin.get(url).status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "d e"}, "code"), ({"country": "XX"}, "country"), ({"currency": "DM"}, "currency"), ({"region": "MOON"}, "region"),
        ({"time_zone": "Berlin"}, "time_zone"), ({"languages": ["xx-klingon"]}, "languages"), ({"languages": "de"}, "languages"),
        ({"name": None}, "name"), ({"name": ""}, "name"),
    ],
)  # fmt: skip
def test_the_models_rules_speak_per_field(admin, changes, field):
    response = admin.post(f"{ROOT}/markets", {**MARKET, **changes})
    assert response.status_code == 400
    assert list(error_of(response)["fields"]) == [field]


def test_a_second_row_with_the_same_code_is_refused_at_its_field(admin):
    admin.post(f"{ROOT}/markets", MARKET)
    assert codes_of(admin.post(f"{ROOT}/markets", MARKET), "code") == ["unique"]


def test_a_code_in_use_changes_only_after_its_impact_is_accepted(admin):
    brand, market = BrandFactory(), MarketFactory()
    campaign = campaign_of(brand, market)
    url = f"{ROOT}/brands/{brand.public_id}"
    name = campaign.channel_names.get().governed_name
    told = admin.get(f"{url}/impact", {"code": "DSN"}).json()
    assert told == {
        "kept": 0, "live": 0, "renamed": 1, "examples": [name],
        "becomes": [{"before": name, "after": name.replace("DIS_", "DSN_", 1)}],
    }  # fmt: skip
    assert codes_of(admin.get(f"{url}/impact", {"code": "no code"}), "code") == ["invalid"]
    refused = admin.patch(url, {"code": "DSN"})
    assert (refused.status_code, error_of(refused)["code"]) == (409, "code_in_use")
    assert error_of(refused)["details"]["renamed"] == 1
    assert admin.patch(url, {"code": "DSN", "accept_impact": True}).status_code == 200
    assert campaign.channel_names.get().governed_name.startswith("DSN_US_META_")


def test_what_is_in_use_can_not_be_deleted_and_says_by_what(admin):
    brand, market = BrandFactory(), MarketFactory()
    campaign_of(brand, market)
    for path, row in (("brands", brand), ("markets", market)):
        response = admin.delete(f"{ROOT}/{path}/{row.public_id}")
        assert (response.status_code, error_of(response)["code"]) == (409, "in_use")
        assert error_of(response)["details"]["used_by"][0]["examples"] == ["Moana"]


def test_the_shared_vocabulary_is_changed_by_who_reaches_all_of_it():
    brand, market = BrandFactory(), MarketFactory()
    partial = client_of(person("Data admin", grants=[(brand, market)]))
    assert partial.get(f"{ROOT}/brands/{brand.public_id}").status_code == 200
    for answer in (
        partial.patch(f"{ROOT}/brands/{brand.public_id}", {"name": "Mine"}), partial.post(f"{ROOT}/brands", {"code": "AB", "name": "AB"}),
        partial.get(f"{ROOT}/markets/{market.public_id}/impact"),
        partial.patch(f"{ROOT}/channels/{Channel.objects.first().public_id}", {"active": False}),
    ):  # fmt: skip
        assert (answer.status_code, error_of(answer)["code"]) == (403, "outside_reach")
    whole = client_of(person("Data admin", grants=[(brand, None)]))
    assert whole.patch(f"{ROOT}/brands/{brand.public_id}", {"name": "Mine"}).status_code == 200


# ------------------------------------------------------------------------------------ ad accounts


def account(**changes: Any) -> dict[str, Any]:
    return {
        "platform": "meta", "external_id": "act_1000-0001", "name": "Disney US", "currency": "USD",
        "time_zone": "America/New_York", "daily_cap": "5000", "credentials": {"access_token": "very-secret"},
        "serves": [{"brand": "DIS", "market": "US"}], **changes,
    }  # fmt: skip


def test_credentials_go_in_encrypted_and_never_come_out(admin):
    BrandFactory(), MarketFactory()
    made = admin.post(f"{ROOT}/ad-accounts", account())
    assert made.status_code == 201, made.json()
    url = f"{ROOT}/ad-accounts/{made.json()['id']}"
    for answer in (made, admin.get(url), admin.get(f"{ROOT}/ad-accounts"), admin.patch(url, {"name": "New"})):
        assert b"very-secret" not in answer.content
        assert b'"credentials"' not in answer.content
    row = AdAccount.objects.get()
    assert row.credentials == {"access_token": "very-secret"}
    assert made.json()["has_credentials"] is True
    assert made.json()["external_id"] == "10000001"
    with connection.cursor() as cursor:
        cursor.execute("select credentials from governance_adaccount")
        assert "very-secret" not in cursor.fetchone()[0]
    assert (
        admin.put(url, {key: value for key, value in account().items() if key != "credentials"}).status_code
        == 200
    )
    assert AdAccount.objects.get().credentials == {"access_token": "very-secret"}


def test_the_pairs_that_an_account_serves_are_exactly_those_sent(admin):
    BrandFactory(), BrandFactory(code="NIKE"), MarketFactory()
    made = admin.post(f"{ROOT}/ad-accounts", account()).json()
    url = f"{ROOT}/ad-accounts/{made['id']}"
    changed = admin.patch(url, {"serves": [{"brand": "NIKE", "market": "US"}]}).json()
    assert changed["serves"] == [{"brand": "NIKE", "market": "US"}]
    twice = admin.patch(url, {"serves": [{"brand": "NIKE", "market": "US"}] * 2})
    assert codes_of(twice, "serves") == ["duplicate"]
    unknown = admin.patch(url, {"serves": [{"brand": "NOPE", "market": "US", "colour": 1}]})
    assert codes_of(unknown, "serves[0].brand") == ["does_not_exist"]
    assert codes_of(unknown, "serves[0].colour") == ["unknown_field"]


def test_an_account_that_serves_others_too_is_seen_in_part_and_not_changed():
    mine, theirs, market = BrandFactory(), BrandFactory(code="NIKE"), MarketFactory()
    shared = AdAccountFactory(serving=[(mine, market), (theirs, market)])
    hidden = AdAccountFactory(serving=[(theirs, market)])
    client = client_of(person("Data admin", grants=[(mine, market)]))
    url = f"{ROOT}/ad-accounts/{shared.public_id}"
    assert client.get(url).json()["serves"] == [{"brand": "DIS", "market": "US"}]
    assert client.patch(url, {"credentials": {"access_token": "mine now"}}).status_code == 403
    assert client.get(f"{ROOT}/ad-accounts/{hidden.public_id}").status_code == 404
    assert codes_of(client.post(f"{ROOT}/ad-accounts", account(serves=[])), "serves") == ["required"]
    assert client.post(f"{ROOT}/ad-accounts", account()).status_code == 201


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"credentials": "token"}, "credentials"), ({"credentials": {"a": {"b": "c"}}}, "credentials.a"),
        ({"daily_cap": "1,000"}, "daily_cap"), ({"daily_cap": "0"}, "daily_cap"), ({"platform": "myspace"}, "platform"),
        ({"external_id": "abc"}, "external_id"), ({"has_credentials": True}, "has_credentials"), ({"serves": {}}, "serves"),
    ],
)  # fmt: skip
def test_bad_accounts_are_refused_at_their_field(admin, changes, field):
    BrandFactory(), MarketFactory()
    response = admin.post(f"{ROOT}/ad-accounts", account(**changes))
    assert response.status_code == 400
    assert list(error_of(response)["fields"]) == [field]


@pytest.mark.parametrize("path", ["ad-accounts", "brands", "markets", "channels", "naming-conventions"])
def test_lists_cost_the_same_queries_however_long_they_are(admin, path):
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert admin.get(f"{ROOT}/{path}").status_code == 200
        return len(caught)

    pair = (BrandFactory(), MarketFactory())
    AdAccountFactory(serving=[pair])
    queries()
    few = queries()
    for at in range(4):
        brand, market = BrandFactory(code=f"B{at}X"), MarketFactory(code=f"M{at}X")
        AdAccountFactory(serving=[pair, (brand, market)])
    assert queries() == few <= 3


# ------------------------------------------------------------------------------ naming conventions


def test_a_new_version_is_added_and_put_in_force_and_the_old_one_ends(admin):
    before = NamingConvention.in_force_or_none()
    campaign = campaign_of(BrandFactory(), MarketFactory())
    made = admin.post(f"{ROOT}/naming-conventions", {"separator": "~", "note": "Tildes", **{
        f"{level}_pattern": getattr(before, f"{level}_pattern").replace("}_{", "}~{") for level in ("campaign", "ad_set", "ad")
    }})  # fmt: skip
    assert made.status_code == 201, made.json()
    assert (made.json()["number"], made.json()["in_force"]) == (before.number + 1, False)
    url = f"{ROOT}/naming-conventions/{made.json()['id']}"
    assert admin.post(f"{url}/put-in-force").json()["in_force"] is True
    assert NamingConvention.in_force_or_none().number == before.number + 1
    assert campaign.channel_names.get().governed_name.startswith("DIS~US~META~")
    assert admin.patch(url, {"note": "x"}).status_code == 405


def test_an_ambiguous_convention_is_refused(admin):
    response = admin.post(
        f"{ROOT}/naming-conventions", {"separator": "_", "allowed_characters": "A-Za-z0-9_"}
    )
    assert response.status_code == 400
    assert "convention.ambiguous" in str(error_of(response)["fields"])


def test_putting_in_force_needs_the_permission():
    url = f"{ROOT}/naming-conventions/{NamingConvention.objects.first().public_id}/put-in-force"
    assert client_of(person("Planner")).post(url).status_code == 403


def test_google_is_google_ads_at_the_api_too(admin):
    BrandFactory(code="DIS"), MarketFactory(code="US")
    answer = admin.post(f"{ROOT}/ad-accounts", account(platform="google"), format="json")
    assert answer.status_code == 201, answer.content
    assert answer.json()["platform"] == "google_ads"
    listed = admin.get(f"{ROOT}/ad-accounts", {"platform": "google"}).json()
    assert [row["platform"] for row in listed["results"]] == ["google_ads"]
