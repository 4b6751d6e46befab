"""One change is taken back through the row's ordinary door; refused with the reason where that is not safe."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from governance.actor import acting
from governance.models import Audience, Brand, Channel
from governance.tests.api_clients import ROOT, client_of, error_of
from omnitraffick.tests.admin_world import make_world, submitted
from trafficking.models import Ticket
from trafficking.renaming import save_names
from trafficking.services import withdraw_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make_world()


def changed(row: Any, by: Any, **values: Any) -> int:
    """Save the change; its id in the history."""
    for name, value in values.items():
        setattr(row, name, value)
    with acting(by, reason="first"):
        row.save()
    return row.history.latest("history_id").history_id


def url_of(row: Any, change: int) -> str:
    return f"{ROOT}/trail/{row._meta.label_lower}/{change}/revert"


def revert(person: Any, row: Any, change: int, **body: Any) -> Any:
    return client_of(person).post(url_of(row, change), {"version": row.version, **body}, format="json")


def test_a_change_is_taken_back_with_its_reason_in_the_history(world, client):
    brand = Brand.objects.get(pk=world.brand.pk)
    change = changed(brand, world.data_admin, dsa_payor="Wrong GmbH", family_friendly=True)
    client.force_login(world.data_admin)
    page = reverse("admin:trail_revert", args=["governance.brand", change])
    assert page in client.get(reverse("admin:trail"), {"type": "governance.brand"}).content.decode()
    shown = client.get(page).content.decode()
    assert "Wrong GmbH" in shown and "Example GmbH" in shown
    answer = client.post(page, {"version": brand.version, "reason": "it was the other one"})
    assert answer.status_code == 302
    now = Brand.objects.get(pk=brand.pk)
    assert (now.dsa_payor, now.family_friendly, now.version) == ("Example GmbH", False, brand.version + 1)
    last = now.history.latest("history_id")
    assert (last.history_user, last.history_change_reason) == (
        world.data_admin,
        "reverted: it was the other one",
    )
    again = client.get(page)
    assert "Changed again since" in again.content.decode()


def test_a_field_that_was_changed_again_is_not_overwritten(world):
    brand = Brand.objects.get(pk=world.brand.pk)
    first = changed(brand, world.data_admin, dsa_payor="One")
    changed(brand, world.data_admin, dsa_payor="Two")
    told = client_of(world.data_admin).get(url_of(brand, first)).json()
    assert "Changed again since: EU DSA payor" in told["refused"]
    assert revert(world.data_admin, brand, first).status_code == 409
    other = changed(brand, world.data_admin, family_friendly=True)
    changed(brand, world.data_admin, dsa_payor="Three")
    assert revert(world.data_admin, brand, other).status_code == 200, (
        "another field's later change does not matter"
    )
    assert Brand.objects.get(pk=brand.pk).dsa_payor == "Three"


def test_a_row_that_moved_on_since_the_preview_is_not_reverted(world):
    brand = Brand.objects.get(pk=world.brand.pk)
    change = changed(brand, world.data_admin, dsa_payor="One")
    stale = brand.version
    changed(brand, world.data_admin, family_friendly=True)
    answer = client_of(world.data_admin).post(url_of(brand, change), {"version": stale}, format="json")
    assert answer.status_code == 409 and error_of(answer)["code"] == "stale_version"


def test_a_code_in_use_asks_for_its_impact_to_be_read(world):
    brand = Brand.objects.get(pk=world.brand.pk)
    brand.impact_accepted = True
    change = changed(brand, world.data_admin, code="DSN")
    told = client_of(world.data_admin).get(url_of(brand, change)).json()
    assert told["impact"]["renamed"] == 1 and told["refused"] == ""
    assert error_of(revert(world.data_admin, brand, change))["code"] == "code_in_use"
    assert revert(world.data_admin, brand, change, accept_impact=True).status_code == 200
    assert Brand.objects.get(pk=brand.pk).code == "DIS"


def test_a_ticket_goes_back_only_while_it_is_a_draft(world):
    ad_set = world.ticket.ad_sets.get()
    before = ad_set.age_min
    change = changed(ad_set, world.planner, age_min=before + 3)
    world.ticket = Ticket.objects.get(pk=world.ticket.pk)
    ticket = submitted(world)
    told = client_of(world.planner).get(url_of(ad_set, change)).json()
    assert "Withdraw it" in told["refused"]
    assert revert(world.planner, ad_set, change).status_code == 409
    withdraw_ticket(ticket=Ticket.objects.get(pk=ticket.pk), by=world.planner)
    ad_set = type(ad_set).objects.get(pk=ad_set.pk)
    assert revert(world.planner, ad_set, change).status_code == 200
    assert type(ad_set).objects.get(pk=ad_set.pk).age_min == before


def test_names_below_follow_a_name_that_goes_back(world):
    ad_set = world.ticket.ad_sets.get()
    names = [ad.governed_name for ad in ad_set.ads.all()]
    change = changed(ad_set, world.planner, name="Retargeting")
    save_names(Ticket.objects.get(pk=world.ticket.pk))
    assert [ad.governed_name for ad in ad_set.ads.all()] != names
    ad_set = type(ad_set).objects.get(pk=ad_set.pk)
    assert revert(world.planner, ad_set, change).status_code == 200
    assert [ad.governed_name for ad in ad_set.ads.all()] == names


def test_a_campaign_goes_back_with_its_names_until_it_is_on_a_platform(world):
    from campaigns.models import CampaignChannel
    from campaigns.services import save_campaign
    from governance.governed import unguarded

    campaign = world.campaign
    name = campaign.channel_names.get().governed_name
    campaign.name = "Other Launch"
    save_campaign(campaign=campaign, channels=list(campaign.channels.all()))
    change = campaign.history.latest("history_id").history_id
    from django.utils import timezone

    unguarded(CampaignChannel).update(deployed_at=timezone.now())
    assert "on a platform" in error_of(revert(world.planner, campaign, change))["message"]
    unguarded(CampaignChannel).update(deployed_at=None)
    assert revert(world.planner, campaign, change).status_code == 200
    assert CampaignChannel.objects.get(campaign=campaign).governed_name == name


def test_a_new_row_and_a_status_are_not_reverted(world, client):
    brand = Brand.objects.get(pk=world.brand.pk)
    made = brand.history.earliest("history_id").history_id
    assert "made the row" in client_of(world.data_admin).get(url_of(brand, made)).json()["refused"]
    ticket = submitted(world)
    moved = ticket.history.latest("history_id").history_id
    client.force_login(world.planner)
    offered = client.get(reverse("admin:trail"), {"type": "trafficking.ticket"}).content.decode()
    assert reverse("admin:trail_revert", args=["trafficking.ticket", moved]) not in offered
    assert revert(world.planner, ticket, moved).status_code == 409
    assert Ticket.objects.get(pk=ticket.pk).status == "READY_FOR_API"


def test_only_who_may_change_it_may_revert_it(world):
    brand = Brand.objects.get(pk=world.brand.pk)
    change = changed(brand, world.data_admin, dsa_payor="One")
    assert "not yours to change" in error_of(revert(world.planner, brand, change))["message"]
    assert revert(world.outsider, brand, change).status_code == 404
    channel = Channel.objects.get(code="META")
    changed(channel, world.data_admin, name="Metaverse")
    renamed = changed(channel, world.data_admin, name="Meta again")
    assert "not yours to change" in error_of(revert(world.outsider, channel, renamed))["message"]
    audience = Audience.objects.create(name="Fans", brand=world.brand)
    moved = changed(audience, world.data_admin, brand=world.other_brand)
    assert revert(world.outsider, audience, moved).status_code == 403, (
        "it would lead to a brand that is not theirs"
    )
    assert Brand.objects.get(pk=brand.pk).dsa_payor == "One"
    assert Audience.objects.get(pk=audience.pk).brand == world.other_brand
