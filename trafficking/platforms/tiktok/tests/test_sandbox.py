"""The sandbox refuses what TikTok refuses, in TikTok's envelope."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from trafficking.platforms.sandbox_base import Request, Store
from trafficking.platforms.tiktok.sandbox import TikTokSandbox

NOW = 1_795_000_000.0  # 2026-11-18
ME = "7000000001"
CAMPAIGN = {
    "advertiser_id": ME,
    "campaign_name": "C",
    "objective_type": "TRAFFIC",
    "budget_mode": "BUDGET_MODE_INFINITE",
    "budget_optimize_on": False,
}
GROUP = {
    "advertiser_id": ME,
    "adgroup_name": "G",
    "promotion_type": "WEBSITE",
    "placement_type": "PLACEMENT_TYPE_AUTOMATIC",
    "location_ids": ["6252001"],
    "budget_mode": "BUDGET_MODE_DAY",
    "budget": 20,
    "schedule_type": "SCHEDULE_FROM_NOW",
    "schedule_start_time": "2026-12-01 00:00:00",
    "optimization_goal": "CLICK",
    "billing_event": "CPC",
    "bid_type": "BID_TYPE_NO_BID",
    "pacing": "PACING_MODE_SMOOTH",
}
CREATIVE = {
    "ad_name": "A",
    "identity_type": "TT_USER",
    "identity_id": "i1",
    "ad_format": "SINGLE_VIDEO",
    "video_id": "v1",
    "image_ids": ["c1"],
    "ad_text": "Hello",
    "call_to_action": "LEARN_MORE",
    "landing_page_url": "https://example.com",
}


class Caller:
    def __init__(self, **settings: Any) -> None:
        self.now = NOW
        self.sandbox = TikTokSandbox(clock=lambda: self.now, **settings)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Any = None,
        **headers: str,
    ) -> dict[str, Any]:
        sent = {"access-token": "t", "content-type": "application/json", **headers}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.sandbox.handle(Request(method, path, query or {}, sent, raw))
        assert answer.status == 200
        told = json.loads(answer.body)
        assert told.keys() == {"code", "message", "request_id", "data"}
        return told

    def post(self, door: str, body: Any, **headers: str) -> dict[str, Any]:
        return self.send("POST", f"/open_api/v1.3/{door}/", body, **headers)

    def get(self, kind: str, **query: str) -> dict[str, Any]:
        return self.send("GET", f"/open_api/v1.3/{kind}/get/", query={"advertiser_id": ME, **query})

    def tree(self, group: dict[str, Any] | None = None) -> tuple[str, str]:
        campaign = self.post("campaign/create", CAMPAIGN)["data"]["campaign_id"]
        made = self.post("adgroup/create", {**GROUP, "campaign_id": campaign, **(group or {})})
        assert made["code"] == 0, made
        return campaign, made["data"]["adgroup_id"]


@pytest.fixture
def caller() -> Caller:
    return Caller()


def without(body: dict[str, Any], field: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != field}


def test_what_is_not_paused_starts_by_itself(caller):
    _, group = caller.tree()
    ad = caller.post("ad/create", {"advertiser_id": ME, "adgroup_id": group, "creatives": [CREATIVE]})
    assert ad["data"]["creatives"][0]["operation_status"] == "ENABLE"
    rows = caller.get("campaign")["data"]["list"] + caller.get("adgroup")["data"]["list"]
    assert [row["operation_status"] for row in rows] == ["ENABLE", "ENABLE"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "code"),
    [
        ("POST", "/open_api/v1.2/campaign/create/", {}, CAMPAIGN, 40400),
        ("POST", "/open_api/v1.3/campaign/create", {}, CAMPAIGN, 40400),
        ("POST", "/open_api/v1.3/pixel/create/", {}, CAMPAIGN, 40400),
        ("GET", "/open_api/v1.3/campaign/create/", {}, CAMPAIGN, 40400),
        (
            "POST",
            "/open_api/v1.3/campaign/create/",
            {"access-token": ""},
            CAMPAIGN,
            40104,
        ),
        (
            "POST",
            "/open_api/v1.3/campaign/create/",
            {"access-token": "expired"},
            CAMPAIGN,
            40102,
        ),
        (
            "POST",
            "/open_api/v1.3/campaign/create/",
            {"content-type": "text/plain"},
            CAMPAIGN,
            40000,
        ),
        ("POST", "/open_api/v1.3/campaign/create/", {}, b"{", 40000),
        ("POST", "/open_api/v1.3/campaign/create/", {}, b'{"budget": NaN}', 40000),
        ("POST", "/open_api/v1.3/campaign/create/", {}, [], 40000),
    ],
)
def test_doors_headers_and_json(caller, method, path, headers, body, code):
    assert caller.send(method, path, body, **headers)["code"] == code


@pytest.mark.parametrize("field", ["advertiser_id", "campaign_name", "objective_type", "budget_mode"])
def test_campaign_needs(caller, field):
    told = caller.post("campaign/create", without(CAMPAIGN, field))
    assert told["code"] == 40002
    assert field in told["message"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"mood": "sunny"}, "mood"),
        ({"objective_type": "SALES"}, "objective_type"),
        ({"campaign_name": "x" * 513}, "campaign_name"),
        ({"campaign_name": "Go 🌊"}, "Emoji"),
        ({"campaign_name": 5}, "campaign_name"),
        ({"budget_mode": "BUDGET_MODE_DAY"}, "budget"),
        ({"budget_mode": "BUDGET_MODE_DAY", "budget": "50"}, "budget"),
        ({"budget_optimize_on": True}, "BUDGET_MODE_INFINITE"),
        ({"objective_type": "APP_PROMOTION"}, "app_promotion_type"),
        ({"special_industries": ["POLITICS"]}, "special_industries"),
        ({"operation_status": "PAUSED"}, "operation_status"),
        ({"request_id": "abc"}, "request_id"),
        ({"request_id": str(2**63)}, "request_id"),
    ],
)
def test_campaign_refusals(caller, change, word):
    told = caller.post("campaign/create", {**CAMPAIGN, **change})
    assert told["code"] == 40002
    assert word in told["message"]


@pytest.mark.parametrize(
    "field",
    ["adgroup_name", "budget", "budget_mode", "schedule_type", "schedule_start_time", "optimization_goal",
     "billing_event", "pacing", "location_ids", "promotion_type"],
)  # fmt: skip
def test_ad_group_needs(caller, field):
    campaign, _ = caller.tree()
    told = caller.post(
        "adgroup/create",
        without({**GROUP, "adgroup_name": "H", "campaign_id": campaign}, field),
    )
    assert told["code"] == 40002
    assert field in told["message"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"campaign_id": "1"}, "doesn't exist"),
        ({"billing_event": "OCPM"}, "billing_event"),
        (
            {"optimization_goal": "CONVERT", "billing_event": "OCPM"},
            "optimization_goal",
        ),
        ({"budget_mode": "BUDGET_MODE_TOTAL"}, "schedule_type"),
        ({"schedule_type": "SCHEDULE_START_END"}, "schedule_end_time"),
        (
            {
                "schedule_type": "SCHEDULE_START_END",
                "schedule_end_time": "2026-11-30 00:00:00",
            },
            "later",
        ),
        ({"schedule_start_time": "2026-12-01T00:00:00Z"}, "datetime"),
        ({"schedule_start_time": "2026-11-01 00:00:00"}, "12 hours"),
        ({"dayparting": "1" * 168}, "336"),
        ({"frequency": 2, "frequency_schedule": 7}, "REACH"),
        ({"placement_type": "PLACEMENT_TYPE_NORMAL"}, "placements"),
        ({"location_ids": ["FR"]}, "numeric"),
        ({"age_groups": ["AGE_21_24"]}, "age_groups"),
        ({"pacing": "PACING_MODE_FAST"}, "PACING_MODE_SMOOTH"),
        ({"bid_type": "BID_TYPE_CUSTOM"}, "bid_price"),
        ({"bid_type": "BID_TYPE_CUSTOM", "bid_price": 20}, "lower"),
        ({"bid_price": 1}, "NO_BID"),
        ({"pixel_id": "1"}, "pixel_id"),
    ],
)
def test_ad_group_refusals(caller, change, word):
    campaign, _ = caller.tree()
    told = caller.post(
        "adgroup/create",
        {**GROUP, "adgroup_name": "H", "campaign_id": campaign, **change},
    )
    assert told["code"] == 40002
    assert word in told["message"]


@pytest.mark.parametrize(
    ("creative", "word"),
    [
        (without(CREATIVE, "identity_id"), "identity_id"),
        (without(CREATIVE, "video_id"), "video_id"),
        (without(CREATIVE, "image_ids"), "image_ids"),
        (without(CREATIVE, "landing_page_url"), "landing_page_url"),
        ({**CREATIVE, "ad_text": "x" * 101}, "ad_text"),
        ({**CREATIVE, "call_to_action": "GET_OFFER"}, "call_to_action"),
        ({**CREATIVE, "ad_format": "SPARK"}, "ad_format"),
        ({**CREATIVE, "identity_type": "BC_AUTH_TT"}, "identity_authorized_bc_id"),
        ({**without(CREATIVE, "video_id"), "ad_format": "CAROUSEL_ADS"}, "music_id"),
        ({**CREATIVE, "headline": "x"}, "headline"),
        ({**CREATIVE, "page_id": "1"}, "page_id"),
    ],
)
def test_ad_refusals(caller, creative, word):
    _, group = caller.tree()
    told = caller.post("ad/create", {"advertiser_id": ME, "adgroup_id": group, "creatives": [creative]})
    assert told["code"] == 40002
    assert word in told["message"]


def test_single_images_are_not_for_tiktok_itself(caller):
    _, group = caller.tree({"placement_type": "PLACEMENT_TYPE_NORMAL", "placements": ["PLACEMENT_TIKTOK"]})
    image = {**without(CREATIVE, "video_id"), "ad_format": "SINGLE_IMAGE"}
    assert (
        caller.post(
            "ad/create",
            {"advertiser_id": ME, "adgroup_id": group, "creatives": [image]},
        )["code"]
        == 40002
    )


def test_another_advertiser_sees_and_touches_nothing(caller):
    campaign, _ = caller.tree()
    assert caller.get("campaign", advertiser_id="8")["data"]["list"] == []
    stolen = caller.post("adgroup/create", {**GROUP, "advertiser_id": "8", "campaign_id": campaign})
    assert "doesn't exist" in stolen["message"]


def test_budget_range_and_precision_of_the_advertisers_currency():
    caller = Caller(currencies={ME: "JPY"})
    campaign = caller.post("campaign/create", CAMPAIGN)["data"]["campaign_id"]
    body = {**GROUP, "campaign_id": campaign}
    assert "less than 2000" in caller.post("adgroup/create", {**body, "budget": 1999})["message"]
    assert "precision" in caller.post("adgroup/create", {**body, "budget": 2000.5})["message"]
    total = {
        **body, "budget": 19999, "budget_mode": "BUDGET_MODE_TOTAL", "schedule_type": "SCHEDULE_START_END",
        "schedule_end_time": "2026-12-10 23:59:59",
    }  # fmt: skip
    assert "less than 20000" in caller.post("adgroup/create", total)["message"]
    assert caller.post("adgroup/create", {**total, "budget": 20000})["code"] == 0


def test_names_are_unique_without_a_request_id_and_free_with_one(caller):
    assert caller.post("campaign/create", CAMPAIGN)["code"] == 0
    assert "already exists" in caller.post("campaign/create", CAMPAIGN)["message"]
    assert caller.post("campaign/create", {**CAMPAIGN, "request_id": "1"})["code"] == 0
    assert len(caller.get("campaign")["data"]["list"]) == 2


def test_request_id_answers_the_same_for_ten_seconds_only(caller):
    def send():
        return caller.post("campaign/create", {**CAMPAIGN, "request_id": "42"})["data"]["campaign_id"]

    first = send()
    caller.now += 9.9
    assert send() == first
    caller.now += 0.2
    assert send() != first


def test_filtering_paging_and_fields(caller):
    for number in range(5):
        caller.post("campaign/create", {**CAMPAIGN, "campaign_name": f"Sea {number}"})
    page = caller.get(
        "campaign",
        page="2",
        page_size="2",
        filtering='{"campaign_name": "sea"}',
        fields='["campaign_name"]',
    )
    assert page["data"]["list"] == [
        {"campaign_name": "Sea 2"},
        {"campaign_name": "Sea 3"},
    ]
    assert page["data"]["page_info"] == {
        "page": 2,
        "page_size": 2,
        "total_number": 5,
        "total_page": 3,
    }
    assert caller.get("campaign", filtering="{")["code"] == 40002
    assert caller.get("campaign", filtering='{"colour": 1}')["code"] == 40002
    assert caller.get("campaign", page_size="1001")["code"] == 40002


def test_status_doors(caller):
    campaign, _ = caller.tree()
    body = {"advertiser_id": ME, "campaign_ids": [campaign]}
    assert caller.post("campaign/status/update", {**body, "operation_status": "PAUSE"})["code"] == 40002
    assert caller.post("campaign/status/update", {**body, "operation_status": "DISABLE"})["code"] == 0
    assert caller.get("campaign")["data"]["list"][0]["operation_status"] == "DISABLE"
    caller.post("campaign/status/update", {**body, "operation_status": "DELETE"})
    assert caller.get("campaign")["data"]["list"] == []
    assert caller.post("campaign/create", CAMPAIGN)["code"] == 0  # a deleted name is free again


def test_at_most_fifty_ads_in_an_ad_group(caller):
    _, group = caller.tree()
    batch = {"advertiser_id": ME, "adgroup_id": group, "creatives": [CREATIVE] * 20}
    assert [caller.post("ad/create", batch)["code"] for _ in range(3)] == [0, 0, 40502]


def test_ad_groups_under_a_campaign_budget_agree(caller):
    optimised = {
        **CAMPAIGN,
        "budget_optimize_on": True,
        "budget_mode": "BUDGET_MODE_DAY",
        "budget": 100,
    }
    campaign = caller.post("campaign/create", optimised)["data"]["campaign_id"]
    assert caller.post("adgroup/create", {**GROUP, "campaign_id": campaign})["code"] == 0
    other = {
        "adgroup_name": "H",
        "optimization_goal": "TRAFFIC_LANDING_PAGE_VIEW",
        "billing_event": "OCPM",
    }
    told = caller.post("adgroup/create", {**GROUP, "campaign_id": campaign, **other})
    assert "Must be the same" in told["message"]


def test_calls_above_the_limit_are_refused_inside_http_200():
    caller = Caller(calls=2, window_s=1.0)
    assert [caller.get("campaign")["code"] for _ in range(3)] == [0, 0, 40100]
    caller.now += 1
    assert caller.get("campaign")["code"] == 0
    assert caller.sandbox.counted == {ME: {"calls": 4, "refused": 1}}


def test_objects_survive_a_restart(tmp_path):
    path = str(tmp_path / "tiktok.sqlite3")
    first = TikTokSandbox(Store(path), clock=lambda: NOW)
    caller = Caller()
    caller.sandbox = first
    campaign, _ = caller.tree()
    caller.sandbox = TikTokSandbox(Store(path), clock=lambda: NOW)
    assert caller.get("campaign")["data"]["list"][0]["campaign_id"] == campaign


def test_the_sandbox_knows_nothing_of_our_own_code():
    from pathlib import Path

    from trafficking.platforms.tiktok import sandbox

    for path in Path(sandbox.__file__).parent.glob("sandbox*.py"):
        imported = re.findall(r"^from (trafficking\S*) import (\w+)", path.read_text(), re.MULTILINE)
        assert imported, path.name
        for module, name in imported:
            assert "sandbox" in module or name.startswith("sandbox"), (path.name, module)


# ------------------------------------------------------------------------------------ updates, switches


def grown(caller: Caller) -> tuple[str, str, str]:
    campaign, group = caller.tree()
    made = caller.post("ad/create", {"advertiser_id": ME, "adgroup_id": group, "creatives": [CREATIVE]})
    return campaign, group, made["data"]["ad_ids"][0]


def changed(caller: Caller, kind: str, changes: dict[str, Any]) -> dict[str, Any]:
    ids = dict(zip(("campaign", "adgroup", "ad"), grown(caller), strict=True))
    body = {"advertiser_id": ME, f"{kind}_id": ids[kind], **changes}
    if kind == "ad":
        creative = {**CREATIVE, "ad_id": ids["ad"], **changes}
        body = {"advertiser_id": ME, "adgroup_id": ids["adgroup"], "creatives": [creative]}
    return caller.post(f"{kind}/update", body)


@pytest.mark.parametrize(
    ("kind", "changes", "word"),
    [
        ("campaign", {"objective_type": "REACH"}, "objective_type"),
        ("campaign", {"budget": 100}, "BUDGET_MODE_INFINITE"),
        ("campaign", {"campaign_name": ""}, "campaign_name"),
        ("campaign", {"campaign_name": 5}, "campaign_name"),
        ("adgroup", {"placements": ["PLACEMENT_TIKTOK"]}, "placements"),
        ("adgroup", {"optimization_goal": "REACH"}, "optimization_goal"),
        ("adgroup", {"operation_status": "ENABLE"}, "operation_status"),
        ("adgroup", {"budget": "30"}, "budget"),
        ("adgroup", {"budget": 0}, "budget"),
        ("adgroup", {"location_ids": []}, "location_ids"),
        ("adgroup", {"schedule_start_time": "tomorrow"}, "datetime"),
        ("adgroup", {"bid_type": "BID_TYPE_CUSTOM"}, "bid_price"),
        ("ad", {"operation_status": "ENABLE"}, "operation_status"),
        ("ad", {"ad_text": "x" * 101}, "ad_text"),
        ("ad", {"landing_page_url": "nowhere"}, "landing_page_url"),
        ("ad", {"ad_id": "1"}, "doesn't exist"),
    ],
)
def test_updates_are_refused(caller, kind, changes, word):
    told = changed(caller, kind, changes)
    assert told["code"] == 40002
    assert word in told["message"]


def test_an_update_of_an_ad_replaces_it_unless_it_is_a_patch(caller):
    _, group, ad = grown(caller)
    body = {"advertiser_id": ME, "adgroup_id": group}
    rest = without(CREATIVE, "call_to_action")
    assert caller.post("ad/update", {**body, "creatives": [{**rest, "ad_id": ad}]})["code"] == 0
    assert "call_to_action" not in caller.get("ad")["data"]["list"][0]
    patch = {**body, "patch_update": True, "creatives": [{"ad_id": ad, "ad_name": "B"}]}
    assert caller.post("ad/update", patch)["code"] == 0
    row = caller.get("ad")["data"]["list"][0]
    assert (row["ad_name"], row["ad_text"]) == ("B", "Hello")


def test_another_name_must_be_free(caller):
    campaign, group = caller.tree()
    second = caller.post("adgroup/create", {**GROUP, "adgroup_name": "H", "campaign_id": campaign})
    body = {"advertiser_id": ME, "adgroup_id": second["data"]["adgroup_id"], "location_ids": ["6252001"]}
    assert "already exists" in caller.post("adgroup/update", {**body, "adgroup_name": "G"})["message"]
    assert caller.post("adgroup/update", {**body, "adgroup_name": "I"})["code"] == 0
    assert caller.post("adgroup/update", {**body, "adgroup_id": group, "adgroup_name": "H"})["code"] == 0


def test_nothing_is_built_or_switched_on_under_what_was_deleted(caller):
    campaign, group, ad = grown(caller)
    switch = {"advertiser_id": ME, "campaign_ids": [campaign], "operation_status": "DELETE"}
    assert caller.post("campaign/status/update", switch)["code"] == 0
    body = {"advertiser_id": ME, "adgroup_id": group, "creatives": [CREATIVE]}
    on = {"advertiser_id": ME, "ad_ids": [ad], "operation_status": "ENABLE"}
    for told in (caller.post("ad/create", body), caller.post("ad/status/update", on),
                 caller.post("campaign/status/update", switch)):  # fmt: skip
        assert "deleted" in told["message"]
    assert caller.get("ad")["data"]["list"] == []
    wish = json.dumps({"ad_ids": [ad], "primary_status": "STATUS_ALL"})
    assert len(caller.get("ad", filtering=wish)["data"]["list"]) == 1


def test_tiktok_fills_in_what_it_chose_itself(caller):
    caller.tree()
    row = caller.get("adgroup")["data"]["list"][0]
    assert row["schedule_end_time"] == "2036-12-01 00:00:00"
    assert len(row["placements"]) == 3


def test_a_closed_account_builds_nothing(caller):
    caller.sandbox.tamper("account", ME, {"status": "STATUS_LIMIT"})
    assert caller.post("campaign/create", CAMPAIGN)["code"] == 40300


def test_the_library_wants_a_multipart_body_with_the_right_signature(caller):
    told = caller.post("file/image/ad/upload", {"advertiser_id": ME})
    assert told["code"] == 40000
    parts = {"advertiser_id": ME, "upload_type": "UPLOAD_BY_FILE", "file_name": "a.png"}
    for signature, word in (("0" * 32, "signature"), (None, "signature")):
        fields = parts | ({"image_signature": signature} if signature else {})
        body = b"".join(
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        )
        file = (
            b'--x\r\nContent-Disposition: form-data; name="image_file"\r\n\r\n\x89PNG\r\n\x1a\n\r\n--x--\r\n'
        )
        headers = {"content-type": "multipart/form-data; boundary=x"}
        answer = caller.send("POST", "/open_api/v1.3/file/image/ad/upload/", body + file, **headers)
        assert word in answer["message"]


def test_reviews_and_uploads_survive_a_restart(tmp_path):
    path = str(tmp_path / "tiktok.sqlite3")
    caller = Caller()
    caller.sandbox = TikTokSandbox(Store(path), clock=lambda: caller.now, review_s=60)
    grown(caller)
    caller.sandbox = TikTokSandbox(Store(path), clock=lambda: caller.now, review_s=60)
    assert caller.get("ad")["data"]["list"][0]["secondary_status"] == "AD_STATUS_AUDIT"
    caller.now += 61
    assert caller.get("ad")["data"]["list"][0]["secondary_status"] == "AD_STATUS_NOT_START"
