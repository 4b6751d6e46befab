"""The sandbox refuses what Meta refuses, in Meta's words, and keeps what it took."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trafficking.platforms.meta import sandbox as sandbox_module
from trafficking.platforms.meta.sandbox import MetaSandbox
from trafficking.platforms.meta.tests.journey import call
from trafficking.platforms.sandbox_base import Request, Store

ACT = "/v26.0/act_77"
CAMPAIGN = {
    "name": "c",
    "objective": "OUTCOME_TRAFFIC",
    "special_ad_categories": [],
    "is_adset_budget_sharing_enabled": False,
    "status": "PAUSED",
}
AD_SET = {
    "name": "s",
    "billing_event": "IMPRESSIONS",
    "optimization_goal": "LINK_CLICKS",
    "daily_budget": 2000,
    "targeting": {"geo_locations": {"countries": ["US"]}, "targeting_automation": {"advantage_audience": 0}},
    "status": "PAUSED",
}
LINK = "https://example.com"
#: field names for fuzzing
_WORDS = [
    "name",
    "status",
    "objective",
    "special_ad_categories",
    "special_ad_category_country",
    "daily_budget",
    "lifetime_budget",
    "bid_strategy",
    "bid_amount",
    "bid_constraints",
    "targeting",
    "geo_locations",
    "countries",
    "regions",
    "cities",
    "key",
    "age_min",
    "age_max",
    "genders",
    "targeting_automation",
    "advantage_audience",
    "adset_schedule",
    "pacing_type",
    "start_minute",
    "end_minute",
    "days",
    "promoted_object",
    "frequency_control_specs",
    "start_time",
    "end_time",
    "object_story_spec",
    "page_id",
    "link_data",
    "video_data",
    "link",
    "image_hash",
    "call_to_action",
    "value",
    "child_attachments",
    "video_id",
    "creative",
    "creative_id",
    "adset_id",
    "campaign_id",
    "optimization_goal",
]
LINK_DATA = {
    "link": LINK,
    "image_hash": "a",
    "call_to_action": {"type": "LEARN_MORE", "value": {"link": LINK}},
}
CREATIVE = {"name": "k", "object_story_spec": {"page_id": "1", "link_data": LINK_DATA}}


def post(sandbox: MetaSandbox, edge: str, body: dict[str, Any]) -> dict[str, Any]:
    response = call(sandbox, "POST", f"{ACT}/{edge}", body)
    return response.json()


def made(sandbox: MetaSandbox, edge: str, body: dict[str, Any]) -> str:
    answer = post(sandbox, edge, body)
    assert "id" in answer, answer
    return answer["id"]


def without(body: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {k: v for k, v in body.items() if k not in keys}


def targeting(**changes: Any) -> dict[str, Any]:
    return {"targeting": {**AD_SET["targeting"], **changes}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("body", "subcode"),
    [
        (without(CAMPAIGN, "name"), None),
        (without(CAMPAIGN, "objective"), None),
        (without(CAMPAIGN, "special_ad_categories"), None),
        (without(CAMPAIGN, "is_adset_budget_sharing_enabled"), 4834011),
        ({**CAMPAIGN, "objective": "LINK_CLICKS"}, 1815001),
        ({**CAMPAIGN, "objective": "TRAFFIC"}, None),
        ({**CAMPAIGN, "special_ad_categories": ["HOUSING"]}, 2490429),
        ({**CAMPAIGN, "special_ad_categories": ["TOBACCO"]}, None),
        ({**CAMPAIGN, "daily_budget": 100, "lifetime_budget": 100}, 1885621),
        ({**CAMPAIGN, "daily_budget": "19.99"}, None),
        ({**CAMPAIGN, "daily_budget": -5}, None),
        ({**CAMPAIGN, "surprise": 1}, None),
        ({**CAMPAIGN, "status": "DELETED"}, None),
        ({**CAMPAIGN, "bid_strategy": "COST_CAP"}, None),
        ({**CAMPAIGN, "name": "x" * 401}, None),
    ],
)
def test_campaigns_that_meta_refuses(body: dict[str, Any], subcode: int | None) -> None:
    sandbox = MetaSandbox()
    error = post(sandbox, "campaigns", body)["error"]
    assert error["code"] == 100
    assert error.get("error_subcode") == subcode
    assert {"message", "type", "fbtrace_id"} <= set(error)
    assert sandbox.store.rows() == []


@pytest.mark.parametrize(
    ("changes", "subcode"),
    [
        ({"campaign_id": "999"}, 1885204),
        ({"optimization_goal": "THRUPLAY"}, 2490408),
        ({"destination_type": "WEBSITE"}, 1815676),
        ({"billing_event": "THRUPLAY"}, 1815117),
        ({"daily_budget": 0}, 1885272),
        ({"daily_budget": 10}, 1885272),
        ({"lifetime_budget": 4000, "daily_budget": 0}, 1487411),
        ({"bid_strategy": "COST_CAP"}, 1815857),
        ({"bid_amount": 5}, 1815859),
        ({"start_time": "2026-12-02T00:00:00-0800", "end_time": "2026-12-01T00:00:00-0800"}, 1487793),
        ({"adset_schedule": [{"start_minute": 0, "end_minute": 60, "days": [0]}]}, 1885094),
        (
            {"frequency_control_specs": [{"event": "IMPRESSIONS", "interval_days": 1, "max_frequency": 1}]},
            1815199,
        ),
        (targeting(geo_locations={}), 1885364),
        (targeting(targeting_automation={}), 1870227),
        (targeting(age_min=12), 1487079),
        (targeting(age_min=40, age_max=30), 1487079),
        (targeting(targeting_automation={"advantage_audience": 1}, age_max=40), 1870189),
        (targeting(geo_locations={"countries": ["DE"]}), 3858081),
        (targeting(publisher_platforms=["facebook"], facebook_positions=["video_feeds"]), 1815433),
        (targeting(hobbies=["chess"]), None),
        (targeting(age_min="18"), None),
        ({"start_time": "tomorrow"}, None),
    ],
)
def test_ad_sets_that_meta_refuses(changes: dict[str, Any], subcode: int | None) -> None:
    sandbox = MetaSandbox()
    campaign = made(sandbox, "campaigns", CAMPAIGN)
    assert "id" in post(sandbox, "adsets", {**AD_SET, "campaign_id": campaign})
    answer = post(sandbox, "adsets", {**AD_SET, "campaign_id": campaign, **changes})
    assert answer["error"].get("error_subcode") == subcode, answer
    assert len(sandbox.store.rows("kind = 'ad_set'")) == 1


def test_goals_with_a_pixel_need_it_promoted() -> None:
    sandbox = MetaSandbox()
    campaign = made(sandbox, "campaigns", {**CAMPAIGN, "objective": "OUTCOME_SALES"})
    body = {**AD_SET, "campaign_id": campaign, "optimization_goal": "OFFSITE_CONVERSIONS"}
    assert post(sandbox, "adsets", body)["error"]["error_subcode"] == 1815430
    promoted = {"pixel_id": "1", "custom_event_type": "PURCHASE"}
    ad_set = made(sandbox, "adsets", {**body, "promoted_object": promoted})
    creative = made(sandbox, "adcreatives", CREATIVE)
    ad = {"name": "a", "adset_id": ad_set, "creative": {"creative_id": creative}, "status": "PAUSED"}
    assert post(sandbox, "ads", ad)["error"]["error_subcode"] == 1885553
    assert "id" in post(sandbox, "ads", {**ad, "conversion_domain": "example.com"})


def test_a_budget_on_two_levels_is_refused() -> None:
    sandbox = MetaSandbox()
    shared = {**without(CAMPAIGN, "is_adset_budget_sharing_enabled"), "daily_budget": 5000}
    campaign = made(sandbox, "campaigns", {**shared, "bid_strategy": "LOWEST_COST_WITHOUT_CAP"})
    answer = post(sandbox, "adsets", {**AD_SET, "campaign_id": campaign})
    assert answer["error"]["error_subcode"] == 1885621


def test_special_ad_categories_restrict_the_audience() -> None:
    sandbox = MetaSandbox()
    special = {"special_ad_categories": ["HOUSING"], "special_ad_category_country": ["US"]}
    campaign = made(sandbox, "campaigns", {**CAMPAIGN, **special})
    for change in ({"age_min": 25}, {"genders": [1]}, {"excluded_geo_locations": {"countries": ["CA"]}}):
        answer = post(sandbox, "adsets", {**AD_SET, "campaign_id": campaign, **targeting(**change)})
        assert answer["error"]["error_user_title"] == "Special Ad Category Errors"


@pytest.mark.parametrize(
    "spec",
    [
        {"link_data": LINK_DATA},
        {"page_id": "1"},
        {"page_id": "1", "link_data": LINK_DATA, "video_data": {"video_id": "1", "image_hash": "a"}},
        {"page_id": "1", "link_data": without(LINK_DATA, "link")},
        {"page_id": "1", "link_data": without(LINK_DATA, "image_hash")},
        {"page_id": "1", "link_data": {**LINK_DATA, "link": "https://other.example"}},
        {
            "page_id": "1",
            "link_data": {**LINK_DATA, "child_attachments": [{"link": LINK, "image_hash": "a"}]},
        },
        {"page_id": "1", "link_data": {**LINK_DATA, "call_to_action": {"type": "DANCE"}}},
        {"page_id": "1", "video_data": {"video_id": "1"}},
        {"page_id": "1", "video_data": {"image_hash": "a"}},
        {"page_id": "1", "instagram_actor_id": "1", "link_data": LINK_DATA},
    ],
)
def test_creatives_that_meta_refuses(spec: dict[str, Any]) -> None:
    sandbox = MetaSandbox()
    assert post(sandbox, "adcreatives", {"name": "k", "object_story_spec": spec})["error"]["code"] == 100


@pytest.mark.parametrize(("edge", "longest"), [("campaigns", 400), ("adcreatives", 100)])
def test_names_that_are_too_long_are_refused(edge: str, longest: int) -> None:
    sandbox, body = MetaSandbox(), CAMPAIGN if edge == "campaigns" else CREATIVE
    assert "id" in post(sandbox, edge, {**body, "name": "x" * longest})
    assert post(sandbox, edge, {**body, "name": "x" * (longest + 1)})["error"]["code"] == 100


def test_ad_set_and_ad_names_take_400_characters() -> None:
    sandbox = MetaSandbox()
    campaign = made(sandbox, "campaigns", CAMPAIGN)
    group = {**AD_SET, "campaign_id": campaign}
    ad_set = made(sandbox, "adsets", {**group, "name": "x" * 400})
    assert "error" in post(sandbox, "adsets", {**group, "name": "x" * 401})
    creative = {"creative_id": made(sandbox, "adcreatives", CREATIVE)}
    ad = {"adset_id": ad_set, "creative": creative, "status": "PAUSED"}
    assert "id" in post(sandbox, "ads", {**ad, "name": "x" * 400})
    assert "error" in post(sandbox, "ads", {**ad, "name": "x" * 401})


def test_ads_need_an_ad_set_and_a_creative_of_the_same_account() -> None:
    sandbox = MetaSandbox()
    campaign = made(sandbox, "campaigns", CAMPAIGN)
    ad_set = made(sandbox, "adsets", {**AD_SET, "campaign_id": campaign})
    creative = made(sandbox, "adcreatives", CREATIVE)
    ad = {"name": "a", "adset_id": ad_set, "creative": {"creative_id": creative}}
    assert "error" in post(sandbox, "ads", {**ad, "adset_id": "1"})
    assert "error" in post(sandbox, "ads", {**ad, "creative": {"creative_id": "1"}})
    foreign = call(sandbox, "POST", "/v26.0/act_78/ads", ad).json()
    assert foreign["error"]["code"] == 100
    assert "id" in post(sandbox, "ads", ad)


def test_what_is_not_created_paused_would_run() -> None:
    sandbox = MetaSandbox()
    campaign = made(sandbox, "campaigns", without(CAMPAIGN, "status"))
    seen = call(sandbox, "GET", f"/v26.0/{campaign}?fields=status,effective_status,buying_type").json()
    assert seen == {
        "id": campaign,
        "status": "ACTIVE",
        "effective_status": "ACTIVE",
        "buying_type": "AUCTION",
    }


def test_a_new_ad_is_reviewed_and_stands_below_its_parents() -> None:
    now = [1000.0]
    sandbox = MetaSandbox(clock=lambda: now[0], review_s=60)
    campaign = made(sandbox, "campaigns", CAMPAIGN)
    ad_set = made(sandbox, "adsets", {**AD_SET, "campaign_id": campaign, "status": "ACTIVE"})
    creative = made(sandbox, "adcreatives", CREATIVE)
    ad = made(
        sandbox,
        "ads",
        {"name": "a", "adset_id": ad_set, "creative": {"creative_id": creative}, "status": "ACTIVE"},
    )

    def status() -> str:
        return call(sandbox, "GET", f"/v26.0/{ad}?fields=effective_status").json()["effective_status"]

    assert status() == "CAMPAIGN_PAUSED"
    call(sandbox, "POST", f"/v26.0/{campaign}", {"status": "ACTIVE"})
    assert status() == "PENDING_REVIEW"
    now[0] += 61
    assert status() == "ACTIVE"


def test_budgets_come_back_as_text() -> None:
    sandbox = MetaSandbox()
    campaign = made(sandbox, "campaigns", CAMPAIGN)
    ad_set = made(sandbox, "adsets", {**AD_SET, "campaign_id": campaign})
    assert call(sandbox, "GET", f"/v26.0/{ad_set}?fields=daily_budget").json()["daily_budget"] == "2000"


def test_validate_only_checks_and_keeps_nothing() -> None:
    sandbox = MetaSandbox()
    dry = {**CAMPAIGN, "execution_options": ["validate_only"]}
    assert post(sandbox, "campaigns", dry) == {"success": True}
    assert "error" in post(sandbox, "campaigns", without(dry, "name"))
    assert sandbox.store.rows() == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v19.0/act_77/campaigns", 2635),
        ("/act_77/campaigns", 2635),
        ("/v26.0/act_77/nonsense", 2500),
        ("/v26.0/a/b/c", 2500),
    ],
)
def test_wrong_paths_are_refused(path: str, code: int) -> None:
    assert call(MetaSandbox(), "POST", path, CAMPAIGN).json()["error"]["code"] == code


def test_the_token_may_come_three_ways_and_must_come() -> None:
    sandbox = MetaSandbox()
    assert call(sandbox, "GET", f"{ACT}/campaigns?access_token=x", token="").status_code == 200
    assert (
        call(sandbox, "POST", f"{ACT}/campaigns", {**CAMPAIGN, "access_token": "x"}, token="").status_code
        == 200
    )
    assert call(sandbox, "GET", f"{ACT}/campaigns").status_code == 200
    for token in ("", "expired"):
        refused = call(sandbox, "GET", f"{ACT}/campaigns", token=token)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, 190)


def test_a_json_body_is_refused() -> None:
    headers = {"authorization": "Bearer x", "content-type": "application/json"}
    answer = MetaSandbox().handle(
        Request("POST", f"{ACT}/campaigns", {}, headers, json.dumps(CAMPAIGN).encode())
    )
    assert answer.status == 400


def test_every_answer_carries_the_usage_headers() -> None:
    sandbox = MetaSandbox()
    for response in (
        call(sandbox, "POST", f"{ACT}/campaigns", CAMPAIGN),
        call(sandbox, "POST", f"{ACT}/campaigns", {}),
        call(sandbox, "GET", f"{ACT}/campaigns", token=""),
    ):
        assert {"X-Business-Use-Case-Usage", "X-Ad-Account-Usage", "X-App-Usage"} <= set(response.headers)


def test_the_quota_of_an_hour_throttles_and_passes() -> None:
    now = [0.0]
    sandbox = MetaSandbox(clock=lambda: now[0], calls=2)
    assert [call(sandbox, "GET", f"{ACT}/campaigns").status_code for _ in range(3)] == [200, 200, 400]
    answer = call(sandbox, "GET", f"{ACT}/campaigns")
    assert answer.json()["error"]["code"] == 80004
    usage = json.loads(answer.headers["X-Business-Use-Case-Usage"])
    assert next(iter(usage.values()))[0]["estimated_time_to_regain_access"] == 60
    now[0] = 3601.0
    assert call(sandbox, "GET", f"{ACT}/campaigns").status_code == 200


def test_lists_have_pages_and_filters() -> None:
    sandbox = MetaSandbox()
    for number in range(5):
        made(sandbox, "campaigns", {**CAMPAIGN, "name": f"n{number}"})
    first = call(sandbox, "GET", f"{ACT}/campaigns?fields=name&limit=3").json()
    assert [each["name"] for each in first["data"]] == ["n0", "n1", "n2"]
    assert "next" in first["paging"]
    rest = call(
        sandbox, "GET", f"{ACT}/campaigns?fields=name&limit=3&after={first['paging']['cursors']['after']}"
    ).json()
    assert [each["name"] for each in rest["data"]] == ["n3", "n4"]
    assert "next" not in rest["paging"]
    wanted = json.dumps([{"field": "name", "operator": "EQUAL", "value": "n4"}])
    assert len(call(sandbox, "GET", f"{ACT}/campaigns?filtering={wanted}").json()["data"]) == 1
    assert "error" in call(sandbox, "GET", f"{ACT}/campaigns?fields=surprise").json()


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10**6) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=4),
    max_leaves=12,
)


@given(
    edge=st.sampled_from(["campaigns", "adsets", "adcreatives", "ads"]),
    changes=st.dictionaries(st.sampled_from(_WORDS), _json, max_size=4),
    query=st.dictionaries(
        st.sampled_from(["filtering", "limit", "after", "fields"]), st.text(max_size=6), max_size=2
    ),
)
@settings(max_examples=150, deadline=None)
def test_nonsense_is_answered_in_metas_envelope(
    edge: str, changes: dict[str, Any], query: dict[str, str]
) -> None:
    sandbox = MetaSandbox()
    campaign = made(sandbox, "campaigns", CAMPAIGN)
    ad_set = made(sandbox, "adsets", {**AD_SET, "campaign_id": campaign})
    creative = made(sandbox, "adcreatives", CREATIVE)
    whole = {
        "campaigns": CAMPAIGN,
        "adsets": {**AD_SET, "campaign_id": campaign},
        "adcreatives": CREATIVE,
        "ads": {"name": "a", "adset_id": ad_set, "creative": {"creative_id": creative}},
    }[edge]
    answer = post(sandbox, edge, {**whole, **changes})
    assert ("id" in answer) != ("error" in answer)
    headers = {"authorization": "Bearer x"}
    assert sandbox.handle(Request("GET", f"{ACT}/{edge}", query, headers, b"")).status in (200, 400)


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "meta.sqlite3")
    campaign = made(MetaSandbox(Store(path)), "campaigns", CAMPAIGN)
    again = MetaSandbox(Store(path))
    assert call(again, "GET", f"/v26.0/{campaign}?fields=name").json() == {"id": campaign, "name": "c"}
    assert made(again, "campaigns", CAMPAIGN) != campaign


def test_the_sandbox_does_not_know_how_we_build_requests() -> None:
    folder = Path(sandbox_module.__file__).parent
    for file in folder.glob("sandbox*.py"):
        tree = ast.parse(file.read_text())
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        ours = {name for name in imported if name and name.startswith("trafficking")}
        assert all(
            name.startswith(("trafficking.platforms.sandbox_", "trafficking.platforms.meta.sandbox_"))
            for name in ours
        )
