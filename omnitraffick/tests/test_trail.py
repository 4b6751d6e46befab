"""The trail tells who changed what, from what to what, and why: of what is the person's, page by page."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from governance.actor import acting
from governance.models import Brand
from governance.tests.api_clients import ROOT, client_of, codes_of
from omnitraffick.tests.admin_world import approved, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make_world()


def rows_of(world, person, **filters):
    answer = client_of(person).get(f"{ROOT}/trail", filters)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_a_change_is_told_with_person_reason_and_both_values(world, client):
    brand = Brand.objects.get(pk=world.brand.pk)
    brand.name = "Disney+"
    with acting(world.data_admin, reason="the advertiser's new name"):
        brand.save()
    first = rows_of(world, world.data_admin, type="governance.brand", brand="DIS")[0]
    assert (first["who"], first["action"], first["reason"]) == (
        "dataadmin",
        "changed",
        "the advertiser's new name",
    )
    assert first["changes"] == [{"field": "name", "label": "name", "before": "Brand DIS", "after": "Disney+"}]
    client.force_login(world.data_admin)
    page = client.get(
        reverse("admin:trail"), {"type": "governance.brand", "person": world.data_admin.pk}
    ).content.decode()
    assert "Disney+" in page and "Brand DIS" in page and "the advertiser&#x27;s new name" in page
    lines = b"".join(
        client.post(reverse("admin:trail_export") + "?type=governance.brand").streaming_content
    ).decode().splitlines()  # fmt: skip
    assert any("Brand DIS,Disney+,the advertiser's new name" in line for line in lines)


def test_related_rows_are_named_and_another_brands_names_are_not(world):
    from trafficking.models import Ticket

    campaign = world.campaign
    shown = rows_of(world, world.boss, type="campaigns.campaign")[0]
    assert {"field": "brand", "label": "brand", "before": "–", "after": "DIS"} in shown["changes"]
    world.outsider.user_permissions.clear()
    told = rows_of(world, world.outsider)
    assert str(campaign.public_id) not in [each["object"] for each in told]
    assert str(world.ticket.public_id) not in [each["object"] for each in told]
    text = str(told)
    assert "DIS" not in text and "Moana" not in text and world.account.external_id not in text
    assert Ticket.objects.exists()


def test_a_deleted_row_stays_told(world):
    from governance.models import Audience

    audience = Audience.objects.create(name="Sports fans", brand=world.brand)
    public_id = str(audience.public_id)
    with acting(world.data_admin):
        audience.delete()
    last = rows_of(world, world.data_admin, type="governance.grant", page_size=1)
    assert last  # other kinds go on
    told = rows_of(world, world.boss, type="governance.audience", object=public_id)
    assert told[0]["action"] == "deleted" and not told[0]["exists"]


def test_who_only_reads_is_led_from_an_old_state_to_the_trail(world, client):
    from governance.tests.factories import UserFactory

    client.force_login(UserFactory(roles=["Analyst"], everywhere=True))
    old = world.campaign.history.first()
    answer = client.get(
        reverse("admin:campaigns_campaign_simple_history", args=[world.campaign.pk, old.history_id]),
        follow=True,
    )
    assert answer.status_code == 200 and "Moana Launch" in answer.content.decode()


def test_pages_follow_each_other_without_gap_or_repeat(world):
    approved(world)
    person = client_of(world.boss)
    at_once = [
        (each["type"], each["id"]) for each in person.get(f"{ROOT}/trail?page_size=200").json()["results"]
    ]
    url, walked = f"{ROOT}/trail?page_size=3", []
    while url:
        answer = person.get(url).json()
        walked += [(each["type"], each["id"]) for each in answer["results"]]
        url = answer["next"]
    assert walked == at_once and len(set(walked)) == len(walked) > 10


def test_a_page_costs_the_same_with_more_history(world, client):
    client.force_login(world.boss)
    url = reverse("admin:trail") + "?type=governance.brand"
    brand = Brand.objects.get(pk=world.brand.pk)

    def counted():
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    brand.name = "One"
    brand.save()
    before = counted()
    for number in range(30):
        brand.name = f"Name {number}"
        brand.save()
    assert counted() == before <= 20


def test_wrong_filters_are_told(world, client):
    person = client_of(world.data_admin)
    assert codes_of(person.get(f"{ROOT}/trail?type=auth.group"), "type") == ["invalid_choice"]
    assert codes_of(person.get(f"{ROOT}/trail?since=yesterday"), "since") == ["invalid"]
    assert codes_of(person.get(f"{ROOT}/trail?cursor=x"), "cursor") == ["invalid_cursor"]
    assert codes_of(person.get(f"{ROOT}/trail?colour=x"), "colour") == ["unknown_parameter"]
    client.force_login(world.data_admin)
    for query in ("type=auth.group", "since=yesterday", "after=x"):
        page = client.get(reverse("admin:trail") + f"?{query}")
        assert page.status_code == 200 and page.context["problems"] and not page.context["rows"]


def test_the_reason_of_a_form_and_of_a_request_stands_in_the_history(world, client):
    from omnitraffick.tests.admin_world import form_values

    client.force_login(world.data_admin)
    url = reverse("admin:governance_brand_change", args=[world.brand.pk])
    sent = form_values(client.get(url), dsa_payor="Other GmbH", change_reason="the contract moved")
    assert client.post(url, sent).status_code == 302
    brand = Brand.objects.get(pk=world.brand.pk)
    assert brand.history.latest("history_id").history_change_reason == "the contract moved"
    nothing = form_values(client.get(url), change_reason="only a reason")
    client.post(url, nothing)
    assert Brand.objects.get(pk=brand.pk).version == brand.version, "a reason alone changes nothing"
    answer = client_of(world.data_admin).patch(
        f"{ROOT}/brands/{brand.public_id}", {"dsa_payor": "Third GmbH"}, format="json",
        headers={"X-Change-Reason": "größer".encode().decode("latin-1"), "If-Match": f'"{brand.version}"'},
    )  # fmt: skip
    assert answer.status_code == 200, answer.content
    assert brand.history.latest("history_id").history_change_reason == "größer"
    too_long = client_of(world.data_admin).patch(
        f"{ROOT}/brands/{brand.public_id}",
        {"dsa_payor": "X"},
        format="json",
        headers={"X-Change-Reason": "x" * 501},
    )
    assert codes_of(too_long, "X-Change-Reason") == ["max_length"]
