"""Naming conventions in the admin and the API: tried before they are saved, compared, their impact told."""

from __future__ import annotations

import pytest
from django.urls import reverse

from governance.models import NamingConvention
from governance.services import add_convention
from governance.tests.api_clients import ROOT, client_of, codes_of, person
from governance.tests.factories import BrandFactory, MarketFactory
from omnitraffick.tests.admin_world import form_values, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make_world()


def tried(client, **changes):
    sent = form_values(client.get(reverse("admin:governance_namingconvention_add")), **changes)
    answer = client.post(reverse("admin:governance_namingconvention_try"), sent)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_unsaved_convention_shows_what_it_builds_and_reads(world, client):
    client.force_login(world.data_admin)
    count = NamingConvention.objects.count()
    short = {f"{level}_pattern": "{market}-{brand}-{channel}-{name}" + more for level, more in (
        ("campaign", ""), ("ad_set", "-{ad_set}"), ("ad", "-{ad_set}-{ad}"))}  # fmt: skip
    said = tried(
        client, separator="-", allowed_characters="A-Za-z0-9", **short, try_level="campaign", try_name="US-DIS-META-Moana"
    )  # fmt: skip
    assert "US-DIS-META-MoanaLaunch<" in said and "A legal name." in said
    said = tried(
        client, separator="-", allowed_characters="A-Za-z0-9", **short, try_level="campaign", try_name="disney us moana META"
    )  # fmt: skip
    assert "have built that name" in said and "US-DIS-META-Moana<" in said
    assert NamingConvention.objects.count() == count


@pytest.mark.parametrize(("changes", "problem"), [
    ({"separator": "x"}, "Use _ or -."), ({"campaign_pattern": "{brand}_{nothing}"}, "which there is not"),
    ({"campaign_max_length": "many"}, "whole number"), ({"part_lengths": "{"}, "Part lengths"), ({"part_lengths": '{"name": "x"}'}, "object"),
])  # fmt: skip
def test_what_is_wrong_with_it_is_said_while_one_types(world, client, changes, problem):
    client.force_login(world.data_admin)
    assert problem in tried(client, **changes)


def test_nobody_reads_codes_of_brands_that_are_not_theirs(world, client):
    mine, market = (
        BrandFactory(code="MINE", name="Mine"),
        MarketFactory(code="NZ", name="New Zealand", country="NZ"),
    )
    client.force_login(person("Data admin", grants=[(mine, market)]))
    said = client.post(reverse("admin:governance_namingconvention_try"), {
        **form_values(client.get(reverse("admin:governance_namingconvention_change", args=[NamingConvention.objects.get().pk]))),
        "separator": "_", "allowed_characters": "A-Za-z0-9-", "transliterate": "on", "campaign_pattern": "{brand}_{market}_{channel}_{year}_{name}",
        "ad_set_pattern": "{brand}_{market}_{channel}_{year}_{name}_{ad_set}", "ad_pattern": "{brand}_{market}_{channel}_{year}_{name}_{ad_set}_{ad}",
        "campaign_max_length": "120", "ad_set_max_length": "200", "ad_max_length": "255", "try_level": "campaign",
        "try_name": "Disney US META 2026 Moana",
    }).content.decode()  # fmt: skip
    assert "No legal name says the same" in said


def test_two_versions_stand_side_by_side_and_the_impact_is_told(world, client):
    client.force_login(world.data_admin)
    old = NamingConvention.in_force_or_none()
    new = add_convention(
        convention=NamingConvention(
            number=0, campaign_pattern="{market}_{brand}_{channel}_{name}", note="market first"
        )
    )
    url = reverse("admin:governance_namingconvention_compare", args=[new.pk])
    page = client.get(url).content.decode()
    assert old.campaign_pattern in page and new.campaign_pattern in page and "US_DIS_META_MoanaLaunch" in page
    assert client.get(url, {"with": "x"}).status_code == 200
    asked = client.get(
        reverse("admin:governance_namingconvention_put_in_force", args=[new.pk])
    ).content.decode()
    before = world.campaign.channel_names.get().governed_name
    assert before in asked and "US_DIS_META_MoanaLaunch" in asked
    api = client_of(world.data_admin)
    told = api.get(f"{ROOT}/naming-conventions/{new.public_id}/impact").json()
    assert told["becomes"] == [{"before": before, "after": "US_DIS_META_MoanaLaunch"}]
    listed = api.get(
        f"{ROOT}/naming-conventions/{new.public_id}/compare", {"with": str(old.public_id)}
    ).json()
    assert {each["field"] for each in listed if each["changed"]} == {"campaign_pattern", "note"}
    assert api.get(f"{ROOT}/naming-conventions/{new.public_id}/compare", {"with": "x"}).status_code == 404
    tried_there = api.post(
        f"{ROOT}/naming-conventions/try",
        {"campaign_pattern": "{market}_{brand}_{channel}_{name}", "level": "campaign", "name": "US_DIS_META_Moana"}, format="json",
    ).json()  # fmt: skip
    assert tried_there["reading"]["legal"] and tried_there["samples"][0]["name"] == "US_DIS_META_MoanaLaunch"
    refused = api.post(f"{ROOT}/naming-conventions/try", {"level": "no level"}, format="json")
    assert codes_of(refused, "level") == ["invalid_choice"]
    assert api.post(f"{ROOT}/naming-conventions/try", {"separator": "x"}, format="json").json()["findings"]
