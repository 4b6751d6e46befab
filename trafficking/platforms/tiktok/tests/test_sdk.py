"""Bodies against TikTok's official SDK: names, types and required fields, and its own client over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import business_api_client
import pytest
from business_api_client import models

from trafficking.platforms.base import Budget, Card, Daypart, FrequencyCap, Interest
from trafficking.platforms.sandbox_base import serve
from trafficking.platforms.tiktok import PLATFORM, reference
from trafficking.platforms.tiktok.sandbox import TikTokSandbox
from trafficking.platforms.tiktok.tests.builders import (
    ACCOUNT,
    IMAGE,
    ad,
    ad_set,
    for_objective,
    ticket,
    with_ad,
    with_ad_set,
)

BODIES = {
    "campaign": "CampaignCreateBody",
    "ad_set": "AdgroupCreateBody",
    "ad": "AdCreateBody",
}
PYTHON = {
    "str": (str,),
    "float": (int, float),
    "int": (int,),
    "bool": (bool,),
    "object": (dict,),
}

TICKETS = {
    **{
        objective: for_objective(objective)
        for objective in ("REACH", "TRAFFIC", "VIDEO_VIEWS", "LEADS", "APP_PROMOTION", "SALES")
    },
    "campaign budget": ticket(
        budget_level="CAMPAIGN",
        budget=Budget(Decimal("5000.01"), "LIFETIME"),
        bid_strategy="COST_CAP",
        bid_amount=Decimal("1.1"),
        ad_sets=(ad_set(budget=None),),
    ),
    "full reach": for_objective(
        "REACH",
        frequency_cap=FrequencyCap(2, 7),
        dayparts=(Daypart(0, 8, 20),),
        languages=("fr",),
        age_min=18,
        genders=("MALE",),
        interests=(Interest("15"),),
        audiences_include=("1",),
        audiences_exclude=("2",),
        placements=("PLACEMENT_TIKTOK",),
    ),
    "special": replace(with_ad_set(age_min=18), special_ad_categories=("HOUSING",)),
    "image": with_ad_set(placements=("PLACEMENT_PANGLE",), ads=(ad(format="IMAGE", media=IMAGE),)),
    "carousel": with_ad(format="CAROUSEL", cards=(Card("i1"), Card("i2")), config={"music_id": "m1"}),
    "spark": with_ad(
        config={"identity_type": "AUTH_CODE", "tiktok_item_id": "72", "tracking_pixel_id": "74"}
    ),
    "value": for_objective(
        "SALES", goal="CONVERSION_VALUE", bid_strategy="TARGET_ROAS", bid_amount=Decimal("1.5")
    ),
    "yen": replace(
        with_ad_set(budget=Budget(Decimal(5000), "DAILY")),
        currency="JPY",
        account=replace(ACCOUNT, currency="JPY"),
    ),
}
OPERATIONS = [(name, op) for name, made in TICKETS.items() for op in PLATFORM.compile(made).operations]


def load(body: dict[str, Any], model: str) -> Any:
    """The SDK's own reading: fills a model; a missing required field raises."""
    return business_api_client.ApiClient()._ApiClient__deserialize(body, model)


def check_against(body: dict[str, Any], model: str) -> None:
    """Every name is the model's, every value of the type that it declares (the SDK itself only casts)."""
    types = getattr(models, model).swagger_types
    for name, value in body.items():
        assert name in types, f"{model} does not know {name}"
        check_type(value, types[name], f"{model}.{name}")


def check_type(value: Any, kind: str, where: str) -> None:
    if kind.startswith("list["):
        assert isinstance(value, list), where
        for each in value:
            check_type(each, kind[5:-1], where)
    elif kind in PYTHON:
        assert isinstance(value, PYTHON[kind]) and (kind == "bool" or not isinstance(value, bool)), where
    else:
        check_against(value, kind)


def test_every_ticket_of_this_file_compiles_whole():
    for name, made in TICKETS.items():
        assert len(PLATFORM.compile(made).operations) == 3, (
            name,
            PLATFORM.compile(made).findings,
        )


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=lambda value: getattr(value, "ref", value))
def test_body_loads_into_the_official_model(name, operation):
    model = BODIES[operation.object_type]
    check_against(operation.body, model)
    loaded = load(operation.body, model).to_dict()
    for key, value in operation.body.items():
        if key != "creatives":
            assert loaded[key] == value
    for sent, read in zip(operation.body.get("creatives", []), loaded.get("creatives") or [], strict=True):
        assert {key: read[key] for key in sent} == sent


@pytest.mark.parametrize("model", BODIES.values())
def test_the_official_model_refuses_what_lacks_a_required_field(model):
    kind = {value: key for key, value in BODIES.items()}[model]
    operation = next(op for _, op in OPERATIONS if op.object_type == kind)
    for field in reference.DATA["schemas"][kind]["required"]:
        lacking = {key: value for key, value in operation.body.items() if key != field}
        assert PLATFORM.check(
            [replace(operation, body=lacking)]
        )  # we refuse at least whatever the SDK refuses
        if field not in (
            "budget_mode",
            "budget_optimize_on",
            "operation_status",
            "location_ids",
            "placement_type",
        ):
            with pytest.raises(ValueError, match=field):
                load(lacking, model)


def test_reference_is_of_the_installed_sdk():
    from importlib.metadata import version

    assert reference.DATA["sdk"] == {
        "package": "tiktok-business-api-sdk-official",
        "version": version("tiktok-business-api-sdk-official"),
    }
    for kind, model in BODIES.items():
        assert (
            reference.DATA["schemas"][kind]["properties"].keys()
            == getattr(models, model).swagger_types.keys()
        )


@pytest.fixture
def official() -> Iterator[Any]:
    """TikTok's own Python client, pointed at the sandbox over real HTTP."""
    server = serve(TikTokSandbox(clock=lambda: 1_795_000_000.0), "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    configuration = business_api_client.Configuration()
    configuration.host = f"http://127.0.0.1:{server.server_address[1]}"
    yield business_api_client.ApiClient(configuration)
    server.shutdown()
    server.server_close()


def test_the_official_client_sends_our_bodies_and_reads_them_back(official):
    campaign, group, one = PLATFORM.compile(for_objective("SALES")).operations
    doors = {
        "campaign": business_api_client.CampaignCreationApi(official).campaign_create,
        "ad_set": business_api_client.AdgroupApi(official).adgroup_create,
        "ad": business_api_client.AdApi(official).ad_create,
    }
    ids: dict[str, str] = {}
    for operation, key in (
        (campaign, "campaign_id"),
        (group, "adgroup_id"),
        (one, "ad_ids"),
    ):
        body = load(operation.bound_body(ids), BODIES[operation.object_type])
        answer = doors[operation.object_type]("token", body=body)
        data = answer["data"] if isinstance(answer, dict) else answer.data
        ids[operation.ref] = data[key][0] if key == "ad_ids" else data[key]
    got = business_api_client.AdApi(official).ad_get(advertiser_id="7000000001", access_token="token")
    data = got["data"] if isinstance(got, dict) else got.data
    assert [(each["ad_id"], each["operation_status"]) for each in data["list"]] == [(ids["ad:a1"], "DISABLE")]
