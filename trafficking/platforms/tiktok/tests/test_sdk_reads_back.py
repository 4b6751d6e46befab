"""A tree that we deployed, read by TikTok's own Python client over real HTTP, and each field as the ticket meant it.

The bodies that crossed the wire are taken from the sandbox, not from what our code believes to have sent.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import business_api_client as sdk
import pytest
import requests

from trafficking.platforms.base import Applied, Budget, Connection, Daypart, FrequencyCap, Held, Interest
from trafficking.platforms.sandbox_base import serve
from trafficking.platforms.tiktok import PLATFORM
from trafficking.platforms.tiktok.sandbox import TikTokSandbox
from trafficking.platforms.tiktok.tests.builders import (
    ACCOUNT,
    FILM,
    ad_set,
    for_objective,
    open_file,
    smart_ticket,
    ticket,
)
from trafficking.platforms.tiktok.tests.test_sdk import check_against, load
from trafficking.platforms.tiktok.tests.world import NOW, film_ad

MODELS = {
    "campaign/create": "CampaignCreateBody", "adgroup/create": "AdgroupCreateBody", "ad/create": "AdCreateBody",
    "campaign/update": "CampaignUpdateBody", "adgroup/update": "AdgroupUpdateBody", "ad/update": "AdUpdateBody",
    "campaign/status/update": "CampaignStatusUpdateBody", "adgroup/status/update": "AdgroupStatusUpdateBody",
    "ad/status/update": "AdStatusUpdateBody", "smart_plus/campaign/create": "SmartPlusCampaignCreateBody",
    "smart_plus/adgroup/create": "SmartPlusAdgroupCreateBody", "smart_plus/ad/create": "SmartPlusAdCreateBody",
    "smart_plus/adgroup/update": "SmartPlusAdgroupUpdateBody", "smart_plus/ad/update": "SmartPlusAdUpdateBody",
    "smart_plus/campaign/update": "SmartPlusCampaignUpdateBody",
}  # fmt: skip
TOKEN = "token"


class Site:
    """A served sandbox, our client on it, and TikTok's."""

    def __init__(self, url: str) -> None:
        self.url = url
        connection = Connection(url, ACCOUNT, {"access_token": TOKEN}, open_file=open_file)
        self.session = requests.Session()
        self.session.trust_env = False
        self.client = PLATFORM.client(connection, self.session)
        configuration = sdk.Configuration()
        configuration.host = url
        self.official = sdk.ApiClient(configuration)
        self.ids: dict[str, str] = {}

    def carry_out(self, operations: Any) -> None:
        for operation in operations:
            outcome = self.client.apply(operation, self.ids)
            assert isinstance(outcome, Applied), outcome
            self.ids |= outcome.external_ids

    def rows(self, call: Any, **filtering: Any) -> list[dict[str, Any]]:
        told = call(advertiser_id=ACCOUNT.external_id, access_token=TOKEN, filtering=json.dumps(filtering))
        return (told["data"] if isinstance(told, dict) else told.data)["list"]

    def sent(self) -> list[tuple[str, dict[str, Any]]]:
        """Door and body of every JSON POST, as it came over the wire."""
        seen = self.session.get(f"{self.url}/_sandbox/requests").json()
        return [
            (each["path"].removeprefix("/open_api/v1.3/").rstrip("/"), json.loads(each["body"]))
            for each in seen
            if each["method"] == "POST" and each["body"].startswith("{")
        ]


@pytest.fixture
def site() -> Iterator[Site]:
    server = serve(TikTokSandbox(clock=lambda: NOW), "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Site(f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()


def has(row: dict[str, Any], **expected: Any) -> None:
    assert {name: row.get(name) for name in expected} == expected


def test_a_reach_tree_reads_as_its_ticket_says(site):
    made = for_objective(
        "REACH", budget=Budget(Decimal("3000.10"), "LIFETIME"), frequency_cap=FrequencyCap(2, 7),
        dayparts=(Daypart(0, 8, 20),), languages=("fr",), age_min=18, age_max=34, genders=("FEMALE",),
        interests=(Interest("15"),), audiences_include=("1",), audiences_exclude=("2",),
        placements=("PLACEMENT_TIKTOK",), bid_strategy="COST_CAP", bid_amount=Decimal("1.25"),
    )  # fmt: skip
    site.carry_out(PLATFORM.compile(made).operations)
    (campaign,) = site.rows(sdk.CampaignCreationApi(site.official).campaign_get)
    has(
        campaign, campaign_id=site.ids["campaign"], campaign_name="DIS_FR_TT_2026_Moana", objective_type="REACH",
        budget_optimize_on=False, budget_mode="BUDGET_MODE_INFINITE", operation_status="DISABLE",
    )  # fmt: skip
    (group,) = site.rows(sdk.AdgroupApi(site.official).adgroup_get, campaign_ids=[site.ids["campaign"]])
    has(
        group, adgroup_id=site.ids["ad_set:s1"], campaign_id=site.ids["campaign"], budget=3000.1,
        budget_mode="BUDGET_MODE_TOTAL", schedule_type="SCHEDULE_START_END", optimization_goal="REACH",
        schedule_start_time="2026-11-30 23:00:00", schedule_end_time="2026-12-31 22:59:59",  # Paris is an hour ahead
        billing_event="CPM", bid_type="BID_TYPE_CUSTOM", bid_price=1.25, frequency=2, frequency_schedule=7,
        location_ids=["3017382"], languages=["fr"], gender="GENDER_FEMALE", age_groups=["AGE_18_24", "AGE_25_34"],
        interest_category_ids=["15"], audience_ids=["1"], excluded_audience_ids=["2"],
        placement_type="PLACEMENT_TYPE_NORMAL", placements=["PLACEMENT_TIKTOK"], operation_status="DISABLE",
        dayparting="0" * 16 + "1" * 24 + "0" * 296,
    )  # fmt: skip
    (one,) = site.rows(sdk.AdApi(site.official).ad_get, adgroup_ids=[site.ids["ad_set:s1"]])
    has(
        one, ad_id=site.ids["ad:a1"], adgroup_id=site.ids["ad_set:s1"], ad_text="The ocean calls again.",
        ad_format="SINGLE_VIDEO", video_id="v10033g50000abc", image_ids=["ad-site-i18n/cover1"],
        identity_type="TT_USER", identity_id=ACCOUNT.identity_id, call_to_action="LEARN_MORE",
        landing_page_url="https://example.com/moana?ref=1&utm_source=tiktok&utm_id=__CAMPAIGN_ID__"
        "&utm_content=__AID__-__CID__#top", operation_status="DISABLE",
    )  # fmt: skip


def test_pixel_and_campaign_budget_read_as_the_ticket_says(site):
    whole = for_objective("SALES", budget=None)
    made = ticket(
        objective="SALES",
        budget_level="CAMPAIGN",
        budget=Budget(Decimal(800), "DAILY"),
        ad_sets=whole.ad_sets,
    )
    site.carry_out(PLATFORM.compile(made).operations)
    (campaign,) = site.rows(sdk.CampaignCreationApi(site.official).campaign_get)
    has(
        campaign, budget_optimize_on=True, budget=800, budget_mode="BUDGET_MODE_DYNAMIC_DAILY_BUDGET",
        objective_type="WEB_CONVERSIONS",
    )  # fmt: skip
    (group,) = site.rows(sdk.AdgroupApi(site.official).adgroup_get)
    has(
        group, pixel_id=ACCOUNT.pixel_id, optimization_event="SHOPPING", optimization_goal="CONVERT", budget=0
    )


def test_a_smart_plus_tree_reads_as_its_ticket_says(site):
    site.carry_out(PLATFORM.compile(smart_ticket()).operations)
    (campaign,) = site.rows(sdk.CampaignCreationApi(site.official).smart_plus_campaign_get)
    has(
        campaign, objective_type="WEB_CONVERSIONS", sales_destination="WEBSITE", budget=200.5,
        budget_mode="BUDGET_MODE_DYNAMIC_DAILY_BUDGET", operation_status="DISABLE",
    )  # fmt: skip
    groups = site.rows(sdk.AdgroupApi(site.official).smart_plus_adgroup_get)
    assert [each["adgroup_id"] for each in groups] == [site.ids["ad_set:s1"], site.ids["ad_set:s2"]]
    has(groups[0], optimization_goal="CONVERT", pixel_id=ACCOUNT.pixel_id, operation_status="DISABLE")
    has(groups[0]["targeting_spec"], location_ids=["3017382"], spc_audience_age="OVER_EIGHTEEN")
    ads = site.rows(sdk.AdApi(site.official).smart_plus_ad_get)
    assert [each["smart_plus_ad_id"] for each in ads] == [site.ids["ad:s1a"], site.ids["ad:s2a"]]
    assert [each["ad_text"] for each in ads[0]["ad_text_list"]] == ["The ocean calls.", "Sail again."]
    (page,) = ads[0]["landing_page_url_list"]
    assert page["landing_page_url"].startswith("https://example.com/moana?ref=1&utm_source=tiktok")
    info = ads[0]["creative_list"][0]["creative_info"]
    has(info, ad_format="SINGLE_VIDEO", identity_type="TT_USER", video_info={"video_id": "v10033g50000abc"})


def test_the_official_client_is_told_of_the_account_too(site):
    told = sdk.AccountManagementApi(site.official).advertiser_info([ACCOUNT.external_id], TOKEN)
    (row,) = (told["data"] if isinstance(told, dict) else told.data)["list"]
    has(row, advertiser_id=ACCOUNT.external_id, status="STATUS_ENABLE")


def test_an_uploaded_film_is_in_the_library(site):
    site.carry_out(PLATFORM.compile(ticket(ad_sets=(ad_set(ads=(film_ad(),)),))).operations)
    told = sdk.FileApi(site.official).ad_video_info(ACCOUNT.external_id, [site.ids[FILM.ref]], TOKEN)
    (row,) = (told["data"] if isinstance(told, dict) else told.data)["list"]
    has(row, video_id=site.ids[FILM.ref], displayable=True, file_name=f"{FILM.sha256[:16]}_moana.mp4")


@pytest.mark.parametrize("build", [ticket, smart_ticket])
def test_every_body_on_the_wire_is_one_of_the_official_models(site, build):
    """Building, changing, renaming, switching: as the sandbox received it."""
    made = build()
    site.carry_out(PLATFORM.compile(made).operations)
    refs = {each: ref for ref, each in site.ids.items()}
    lives = {refs[each.external_id]: each for each in site.client.read_tree(site.ids["campaign"])}
    held = [
        held_of(each, site.ids[each.ref], lives[each.ref])
        for each in PLATFORM.wanted(PLATFORM.compile(made).operations)
    ]
    group = made.ad_sets[0]
    ad = replace(group.ads[0], landing_page="https://example.com/other", name="Other ad")
    other = replace(
        made, name="Other", ad_sets=(replace(group, name="Other group", ads=(ad,)), *made.ad_sets[1:])
    )
    for request_type in ("UPDATE", "RENAME", "PAUSE", "ACTIVATE", "ARCHIVE"):
        site.carry_out(PLATFORM.compile(replace(other, request_type=request_type), held).operations)
    bodies = site.sent()
    assert {door for door, _body in bodies} >= {
        door for door in MODELS if door.startswith("smart_plus/") == (build is smart_ticket) and "status" not in door
    }  # fmt: skip
    for door, body in bodies:
        if door in MODELS:
            check_against(body, MODELS[door])
            load(body, MODELS[door])


def held_of(wanted: Any, external_id: str, live: Any) -> Any:
    return Held(
        wanted.ref, wanted.type, external_id, wanted.name, wanted.intent, wanted.parent, live.status, wanted.fields,
        live.fields,
    )  # fmt: skip
