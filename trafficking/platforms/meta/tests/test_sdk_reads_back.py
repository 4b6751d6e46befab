"""A deployed tree, read by Meta's official SDK over HTTP, says what the ticket says; so do the bodies on the wire.

What is expected is written out here by hand: nothing of `compile` or `fields` is asked.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest

pytest.importorskip("facebook_business", reason="Meta's SDK is a development dependency")

import requests
from facebook_business import apiconfig
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.campaign import Campaign
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

from trafficking.platforms.base import (
    Applied,
    Budget,
    Connection,
    Daypart,
    FrequencyCap,
    Geo,
    GeoPlace,
    Interest,
    Media,
    TicketSnapshot,
)
from trafficking.platforms.meta import PLATFORM
from trafficking.platforms.meta.client import MetaClient
from trafficking.platforms.meta.sandbox import MetaSandbox
from trafficking.platforms.meta.tests.builders import (
    ACCOUNT,
    ZONE,
    ad_set,
    automated_ticket,
    carousel_ad,
    image_ad,
    ticket,
    video_ad,
)
from trafficking.platforms.meta.tests.journey import TOKEN, bound, held_of
from trafficking.platforms.meta.tests.test_media import CONTENTS, FILM, PNG, THUMB, file_of
from trafficking.platforms.meta.tests.test_sdk_proof import create_request
from trafficking.platforms.sandbox_base import serve

EDGES = {"campaigns": "campaign", "adsets": "ad_set", "adcreatives": "creative", "ads": "ad"}


class House:
    """A served sandbox, our client onto it, and what was deployed."""

    def __init__(self, url: str) -> None:
        self.url = url
        session = requests.Session()
        session.trust_env = False
        connection = Connection(
            url, ACCOUNT, {"access_token": TOKEN}, open_file=lambda sha256: io.BytesIO(CONTENTS[sha256])
        )
        self.client = MetaClient(connection, session)
        self.ids: dict[str, str] = {}

    def send(self, operations: Any) -> None:
        for operation in operations:
            outcome = self.client.apply(operation, self.ids)
            assert isinstance(outcome, Applied), (operation.ref, outcome)
            self.ids.update(outcome.external_ids)

    def wire(self) -> list[dict[str, Any]]:
        """What the sandbox received."""
        return requests.get(f"{self.url}/_sandbox/requests", timeout=5).json()  # type: ignore[no-any-return]


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    listening = serve(MetaSandbox(), "127.0.0.1", 0)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{listening.server_address[1]}"
    monkeypatch.setattr(FacebookSession, "GRAPH", url)
    FacebookAdsApi.init(access_token=TOKEN, crash_log=False)
    yield House(url)
    listening.shutdown()
    listening.server_close()


def everything() -> TicketSnapshot:
    """An ad set that says all it can, with an ad of each format, two of them with files of ours."""
    full = ad_set(
        1,
        goal="REACH",
        budget=Budget(Decimal("310.00"), "LIFETIME"),
        dayparts=(Daypart(0, 9, 17), Daypart(6, 20, 24)),
        frequency_cap=FrequencyCap(3, 7),
        geo=Geo(
            countries=("FR", "US"), cities=(GeoPlace("2421215"),), excluded_regions=(GeoPlace("3847"),),
        ),
        languages=("de", "en"),
        age_min=21,
        age_max=49,
        genders=("FEMALE",),
        interests=(Interest("6003107902433", "Football"),),
        audiences_include=("23840000000000001",),
        audiences_exclude=("23840000000000002",),
        placements=("facebook:feed", "instagram:story"),
        config={"attribution_spec": [{"event_type": "CLICK_THROUGH", "window_days": 7}]},
        ads=(
            image_ad(1, media=(Media("IMAGE", file=file_of(PNG)),), config={"display_link": "example.com"}),
            video_ad(2, media=(Media("VIDEO", file=file_of(FILM)), Media("THUMBNAIL", file=file_of(THUMB)))),
            carousel_ad(3),
        ),
    )  # fmt: skip
    second = ad_set(
        2, goal="IMPRESSIONS", bid_strategy="COST_CAP", bid_amount=Decimal("2.50"), ads=(image_ad(20),)
    )
    return ticket(
        objective="AWARENESS", ad_sets=(full, second), config={"spend_cap": "900"}, dsa_beneficiary="Disney SAS",
        dsa_payor="Agency SARL",
    )  # fmt: skip


def same_moment(text: str, moment: datetime) -> bool:
    return abs(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z") - moment) < timedelta(seconds=1)


def read_campaign(house: House) -> Any:
    return Campaign(house.ids["campaign"]).api_get(
        fields=["name", "objective", "status", "buying_type", "special_ad_categories", "spend_cap", "daily_budget",
                "bid_strategy", "is_adset_budget_sharing_enabled", "advantage_state_info"]
    )  # fmt: skip


SET_FIELDS = [
    "name", "status", "campaign_id", "optimization_goal", "billing_event", "bid_strategy", "bid_amount",
    "daily_budget", "lifetime_budget", "start_time", "end_time", "adset_schedule", "pacing_type",
    "frequency_control_specs", "promoted_object", "targeting", "attribution_spec", "dsa_beneficiary", "dsa_payor",
]  # fmt: skip


def test_the_campaign_and_its_ad_sets_say_what_the_ticket_says(house: House) -> None:
    snapshot = everything()
    house.send(PLATFORM.compile(snapshot).operations)
    campaign = read_campaign(house)
    assert campaign["name"] == snapshot.name
    assert campaign["objective"] == "OUTCOME_AWARENESS"
    assert campaign["status"] == "PAUSED"
    assert campaign["buying_type"] == "AUCTION"
    assert campaign["special_ad_categories"] == []
    assert campaign["spend_cap"] == "90000"
    assert campaign["is_adset_budget_sharing_enabled"] is False
    assert "daily_budget" not in campaign

    full, second = campaign.get_ad_sets(fields=SET_FIELDS)
    assert full["name"] == snapshot.ad_sets[0].name
    assert {full["status"], second["status"]} == {"PAUSED"}
    assert full["campaign_id"] == house.ids["campaign"]
    assert (full["optimization_goal"], full["billing_event"]) == ("REACH", "IMPRESSIONS")
    assert full["lifetime_budget"] == "31000"
    assert "daily_budget" not in full
    assert full["bid_strategy"] == "LOWEST_COST_WITHOUT_CAP"
    assert same_moment(full["start_time"], datetime(2026, 12, 1, tzinfo=ZONE))
    assert same_moment(full["end_time"], datetime(2026, 12, 31, 23, 59, 59, tzinfo=ZONE))
    assert [dict(each) for each in full["adset_schedule"]] == [
        {"start_minute": 540, "end_minute": 1020, "days": [1], "timezone_type": "ADVERTISER"},
        {"start_minute": 1200, "end_minute": 1440, "days": [0], "timezone_type": "ADVERTISER"},
    ], "Monday is Meta's 1, Sunday its 0"
    assert full["pacing_type"] == ["day_parting"]
    (cap,) = full["frequency_control_specs"]
    assert (cap["event"], cap["interval_days"], cap["max_frequency"]) == ("IMPRESSIONS", 7, 3)
    assert full["promoted_object"]["page_id"] == ACCOUNT.page_id
    (window,) = full["attribution_spec"]
    assert (window["event_type"], window["window_days"]) == ("CLICK_THROUGH", 7)
    assert (full["dsa_beneficiary"], full["dsa_payor"]) == ("Disney SAS", "Agency SARL")
    assert (second["daily_budget"], second["bid_strategy"], second["bid_amount"]) == ("5000", "COST_CAP", 250)


def test_the_audience_is_the_tickets(house: House) -> None:
    house.send(PLATFORM.compile(everything()).operations)
    targeting = Campaign(house.ids["campaign"]).get_ad_sets(fields=["targeting"])[0]["targeting"]
    assert sorted(targeting["geo_locations"]["countries"]) == ["FR", "US"]
    assert [each["key"] for each in targeting["geo_locations"]["cities"]] == ["2421215"]
    assert [each["key"] for each in targeting["excluded_geo_locations"]["regions"]] == ["3847"]
    assert (targeting["age_min"], targeting["age_max"], targeting["genders"]) == (21, 49, [2])
    assert sorted(targeting["locales"]) == [5, 1001]
    assert [each["id"] for each in targeting["flexible_spec"][0]["interests"]] == ["6003107902433"]
    assert [each["id"] for each in targeting["custom_audiences"]] == ["23840000000000001"]
    assert [each["id"] for each in targeting["excluded_custom_audiences"]] == ["23840000000000002"]
    assert sorted(targeting["publisher_platforms"]) == ["facebook", "instagram"]
    assert targeting["facebook_positions"] == ["feed"]
    assert targeting["instagram_positions"] == ["story"]
    assert targeting["targeting_automation"]["advantage_audience"] == 0


def test_the_ads_show_the_tickets_creatives_and_our_files(house: House) -> None:
    snapshot = everything()
    house.send(PLATFORM.compile(snapshot).operations)
    fields = ["name", "status", "adset_id", "creative{name,object_story_spec,url_tags}"]
    ads = {each["name"]: each for each in Campaign(house.ids["campaign"]).get_ads(fields=fields)}
    picture, film, carousel = (ads[each.name] for each in snapshot.ad_sets[0].ads)
    assert {each["status"] for each in ads.values()} == {"PAUSED"}
    assert picture["adset_id"] == house.ids[f"ad_set:{snapshot.ad_sets[0].intent_id}"]
    story = picture["creative"]["object_story_spec"]
    assert story["page_id"] == ACCOUNT.page_id
    assert story["instagram_user_id"] == ACCOUNT.instagram_user_id
    link = story["link_data"]
    assert link["link"] == "https://www.example.com/moana?lang=en"
    assert link["message"] == "She is back at sea."
    assert (link["name"], link["description"], link["caption"]) == (
        "Moana, in cinemas", "From 10 July", "example.com",
    )  # fmt: skip
    assert link["call_to_action"]["type"] == "LEARN_MORE"
    assert link["image_hash"] == hashlib.md5(PNG).hexdigest()
    tags = dict(parse_qsl(picture["creative"]["url_tags"]))
    assert tags == {"utm_source": "meta", "utm_campaign": "{{campaign.id}}", "utm_content": "{{ad.id}}"}

    video = film["creative"]["object_story_spec"]["video_data"]
    assert video["video_id"] == house.ids[file_of(FILM).ref]
    assert video["image_hash"] == hashlib.md5(THUMB).hexdigest()
    assert (video["title"], video["message"]) == ("Moana, in cinemas", "She is back at sea.")
    cards = carousel["creative"]["object_story_spec"]["link_data"]["child_attachments"]
    assert [(each.get("name"), each["image_hash"]) for each in cards] == [
        ("Boat", "aaaa0000"), ("Island", "bbbb1111"), (None, "cccc2222"),
    ]  # fmt: skip
    assert cards[0]["link"] == "https://www.example.com/boat"


def test_the_library_holds_the_files(house: House) -> None:
    house.send(PLATFORM.compile(everything()).operations)
    account = AdAccount(ACCOUNT.external_id)
    assert {each["hash"] for each in account.get_ad_images(fields=["hash", "name"])} == {
        hashlib.md5(PNG).hexdigest(), hashlib.md5(THUMB).hexdigest(),
    }  # fmt: skip
    (video,) = account.get_ad_videos(fields=["title", "status"])
    assert video["title"].endswith("trailer.mp4")
    assert video["status"]["video_status"] == "ready"


def test_a_change_is_seen_by_the_sdk_too(house: House) -> None:
    snapshot = everything()
    operations = PLATFORM.compile(snapshot).operations
    house.send(operations)
    tree = house.client.read_tree(house.ids["campaign"])
    assert isinstance(tree, tuple)
    held = held_of(PLATFORM.wanted(bound(operations, house.ids)), house.ids, tree)
    second = snapshot.ad_sets[1]
    said = replace(second.ads[0], texts=("Now on board.",))
    wish = replace(
        snapshot, request_type="UPDATE",
        ad_sets=(snapshot.ad_sets[0], replace(second, budget=Budget(Decimal(75), "DAILY"), ads=(said,))),
    )  # fmt: skip
    house.send(
        [each for each in PLATFORM.compile(wish, held).operations if each.action not in ("upload", "await")]
    )
    changed = next(
        each
        for each in Campaign(house.ids["campaign"]).get_ad_sets(fields=["name", "daily_budget"])
        if each["name"] == second.name
    )
    assert changed["daily_budget"] == "7500"
    (ad,) = changed.get_ads(fields=["creative{object_story_spec}"])
    assert ad["creative"]["object_story_spec"]["link_data"]["message"] == "Now on board."


def test_the_sdk_sees_an_advantage_plus_campaign(house: House) -> None:
    house.send(PLATFORM.compile(automated_ticket()).operations)
    campaign = read_campaign(house)
    assert campaign["daily_budget"] == "40000"
    assert campaign["bid_strategy"] == "LOWEST_COST_WITHOUT_CAP"
    state = campaign["advantage_state_info"]
    assert (state["advantage_state"], state["advantage_placement_state"]) == (
        "ADVANTAGE_PLUS_SALES",
        "ENABLED",
    )


def test_bodies_on_the_wire_are_what_the_sdk_would_send(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caught at the sandbox, decoded from their forms, and handed to the SDK's own strict type checks."""
    house.send(PLATFORM.compile(everything()).operations)
    monkeypatch.setitem(apiconfig.ads_api_config, "STRICT_MODE", True)
    seen: list[str] = []
    for each in house.wire():
        kind = EDGES.get(each["path"].rpartition("/")[2])
        if each["method"] != "POST" or kind is None:
            continue
        body = {key: _decoded(value) for key, value in parse_qsl(each["body"], strict_parsing=True)}
        checker = create_request(kind, {})._param_checker
        unknown = [key for key in body if not checker.is_valid_key(key)]
        assert unknown == []
        plain = {key: value for key, value in body.items() if key not in ("adset_id", "campaign_id")}
        create_request(kind, plain)  # raises for wrong types and enum values
        assert body.get("status", "PAUSED") == "PAUSED"
        assert "<" not in json.dumps({key: value for key, value in body.items() if key.endswith("_id")})
        seen.append(kind)
    assert [seen.count(kind) for kind in ("campaign", "ad_set", "creative", "ad")] == [1, 2, 4, 4]


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
