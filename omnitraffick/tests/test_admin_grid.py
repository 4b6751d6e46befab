"""Markets, brands, channels and accounts are edited in their lists: all rows or none, each by who may change it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from governance.models import AdAccount, Brand, Channel, Market
from governance.tests.api_clients import person
from omnitraffick.tests.admin_world import make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(client):
    made = make_world()
    client.force_login(made.data_admin)
    return made


def url_of(model):
    return reverse(f"admin:governance_{model._meta.model_name}_changelist")


def sheet(client, model, **changes):
    """What the browser would send: every cell of the page; `changes` are {pk: {field: value}} by `row<pk>`."""
    formset = client.get(url_of(model)).context["cl"].formset
    sent = {bound.html_name: bound.value() for bound in formset.management_form}
    for form in formset.forms:
        wanted = changes.get(f"row{form.instance.pk}", {})
        for bound in form:
            value = wanted.get(bound.name, bound.value())
            if value not in (False, None):
                sent[bound.html_name] = "on" if value is True else value
    return {
        **sent,
        "_save": "Save",
        **{name: value for name, value in changes.items() if not name.startswith("row")},
    }


def test_several_rows_are_changed_at_once_and_only_those_with_the_reason(world, client):
    before = {row.pk: row.version for row in Brand.objects.all()}
    changes = {
        f"row{world.brand.pk}": {"name": "Disney Pictures", "family_friendly": True},
        f"row{world.other_brand.pk}": {"dsa_payor": "ACME Ltd"},
    }
    assert (
        client.post(url_of(Brand), sheet(client, Brand, **changes, change_reason="New owners")).status_code
        == 302
    )
    first, second = Brand.objects.get(pk=world.brand.pk), Brand.objects.get(pk=world.other_brand.pk)
    assert (first.name, first.family_friendly, second.dsa_payor) == ("Disney Pictures", True, "ACME Ltd")
    assert (first.version, second.version) == (before[first.pk] + 1, before[second.pk] + 1)
    assert {row.history.first().history_change_reason for row in (first, second)} == {"New owners"}
    sent = sheet(client, Brand)
    assert client.post(url_of(Brand), sent).status_code == 302
    assert Brand.objects.get(pk=first.pk).version == first.version


def test_one_row_that_is_refused_keeps_all_as_they_were_and_says_which(world, client):
    changes = {f"row{world.brand.pk}": {"name": ""}, f"row{world.other_brand.pk}": {"name": "Fine"}}
    answer = client.post(url_of(Brand), sheet(client, Brand, **changes))
    assert answer.status_code == 200 and "This field is required" in answer.content.decode()
    assert Brand.objects.get(pk=world.other_brand.pk).name == world.other_brand.name


def test_who_changed_a_row_meanwhile_is_told_in_the_row(world, client):
    sent = sheet(client, Market, **{f"row{world.market.pk}": {"name": "The States"}})
    Market.objects.get(pk=world.market.pk).save()
    market = Market.objects.get(pk=world.market.pk)
    market.name = "Somebody's"
    market.save()
    answer = client.post(url_of(Market), sent)
    assert answer.status_code == 200 and "changed this on" in answer.content.decode()
    assert Market.objects.get(pk=world.market.pk).name == "Somebody's"


def test_an_account_takes_an_amount_as_people_write_it_and_refuses_what_has_two_readings(world, client):
    key = f"row{world.account.pk}"
    assert (
        client.post(
            url_of(AdAccount), sheet(client, AdAccount, **{key: {"daily_cap": "2500.50"}})
        ).status_code
        == 302
    )
    assert AdAccount.objects.get(pk=world.account.pk).daily_cap == Decimal("2500.5")
    answer = client.post(url_of(AdAccount), sheet(client, AdAccount, **{key: {"daily_cap": "1,000"}}))
    assert answer.status_code == 200
    stored = AdAccount.objects.get(pk=world.account.pk)
    assert stored.daily_cap == Decimal("2500.5") and stored.credentials == world.account.credentials


def test_who_has_one_brand_reads_the_list_and_cannot_post_to_it(world, client):
    boss_sends = sheet(client, Channel)
    mine = person("Data admin", grants=[(world.brand, None)])
    client.force_login(mine)
    for model in (Market, Brand, Channel, AdAccount):
        answer = client.get(url_of(model))
        assert answer.status_code == 200 and answer.context["cl"].formset is None, model
    channel = Channel.objects.order_by("code").first()
    for name in list(boss_sends):
        if name.endswith("-name"):
            boss_sends[name] = "Taken over"
    client.post(url_of(Channel), boss_sends)
    assert Channel.objects.get(pk=channel.pk).name == channel.name
    client.force_login(world.planner)
    assert client.get(url_of(Market)).status_code in (200, 403)
