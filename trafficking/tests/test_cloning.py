"""A ticket cloned to other markets and channels: drafts, all or none, and every loss told."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from campaigns.models import Campaign
from governance.models import Grant
from governance.tests.factories import AdAccountFactory, MarketFactory, channel
from omnitraffick.tests.admin_world import make_world
from trafficking.cloning import CloneRefused, Target, clone_ticket, preview_clones
from trafficking.models import Ad, AdSet, Ticket
from trafficking.services import submit_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> Any:
    made = make_world()
    made.germany = MarketFactory(code="DE", name="Germany", country="DE", region="EMEA", currency="EUR",
                                 time_zone="Europe/Berlin", languages=["de"])  # type: ignore[attr-defined]  # fmt: skip
    return made


def counted() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Campaign, Ticket, AdSet, Ad))


def test_another_market_gets_its_campaign_account_country_and_language(world):
    account = AdAccountFactory(serving=[(world.brand, world.germany)], time_zone="Europe/Berlin")
    row = world.ticket.ad_sets.get()
    row.audiences_include = ["238400"]
    row.save()
    ticket = Ticket.objects.get(pk=world.ticket.pk)
    [made] = clone_ticket(ticket=ticket, targets=[Target(world.germany, channel())], by=world.planner)
    clone = Ticket.objects.get(pk=made.ticket.pk)
    assert (clone.status, clone.ad_account, clone.campaign.market, clone.owner) == (
        "DRAFT",
        account,
        world.germany,
        world.planner,
    )
    assert made.campaign_is_new and clone.campaign.name == world.campaign.name
    ad_set = clone.ad_sets.get()
    assert (ad_set.geo, ad_set.languages, ad_set.budget) == ({"countries": ["DE"]}, ["de"], row.budget)
    assert ad_set.intent_id != row.intent_id
    assert ad_set.governed_name == row.governed_name.replace("_US_", "_DE_")
    # ids of the old account's library and audiences mean nothing in the new one: left out, and told
    assert ad_set.audiences_include == [] and ad_set.ads.get().media == []
    said = " ".join(made.left_out)
    assert "238400" in said and "a1b2c3d4" in said
    [again] = preview_clones(
        ticket=ticket, targets=[Target(world.germany, channel("TIKTOK"))], by=world.planner
    )
    assert again.problems and not again.campaign_is_new


def test_what_another_platform_does_not_take_is_told_in_words(world):
    AdAccountFactory(platform="google_ads", serving=[(world.brand, world.market)], currency="EUR")
    row = world.ticket.ad_sets.get()
    row.placements, row.config = ["instagram:story"], {}
    row.geo = {"countries": ["US"], "cities": [{"id": "2421836", "name": "Boston"}]}
    row.interests = [{"id": "6003107", "name": "Football"}]
    row.save()
    ticket = Ticket.objects.get(pk=world.ticket.pk)
    [made] = clone_ticket(
        ticket=ticket, targets=[Target(world.market, channel("GGLSEARCH"))], by=world.planner
    )
    assert made.campaign == world.campaign and not made.campaign_is_new
    assert {each.channel.code for each in world.campaign.channel_names.all()} == {"META", "GGLSEARCH"}
    ad_set = AdSet.objects.get(ticket=made.ticket)
    assert (ad_set.placements, ad_set.interests, ad_set.budget) == ([], [], None)
    assert ad_set.geo == {"countries": ["US"]}
    said = "\n".join(made.left_out)
    for lost in ("instagram:story", "Boston", "Football", "1,000", "EUR", "IMAGE"):
        assert lost in said, (lost, said)


def test_all_targets_or_none_and_every_problem_is_told(world):
    AdAccountFactory(serving=[(world.brand, world.germany)])
    before = counted()
    targets = [
        Target(world.germany, channel()),
        Target(world.market, channel()),
        Target(world.market, channel("TIKTOK")),
    ]
    with pytest.raises(CloneRefused) as refused:
        clone_ticket(ticket=world.ticket, targets=targets, by=world.planner)
    assert counted() == before
    fine, taken, homeless = refused.value.clones
    assert (
        not fine.problems
        and "already has a ticket" in taken.problems[0]
        and "No active ad account" in homeless.problems[0]
    )


def test_a_preview_makes_nothing(world):
    AdAccountFactory(serving=[(world.brand, world.germany)])
    before = counted(), Ticket.history.count(), Campaign.history.count()  # type: ignore[attr-defined]
    [made] = preview_clones(ticket=world.ticket, targets=[Target(world.germany, channel())], by=world.planner)
    assert not made.problems and made.campaign_is_new and made.ticket is None
    assert (counted(), Ticket.history.count(), Campaign.history.count()) == before  # type: ignore[attr-defined]


def test_a_market_that_is_not_theirs_is_refused_by_every_door(world, client):
    AdAccountFactory(serving=[(world.brand, world.germany)])
    Grant.objects.filter(user=world.planner).delete()
    Grant.objects.create(user=world.planner, brand=world.brand, market=world.market)
    planner = type(world.planner).objects.get(pk=world.planner.pk)
    before = counted()
    [made] = preview_clones(ticket=world.ticket, targets=[Target(world.germany, channel())], by=planner)
    assert "not yours" in made.problems[0]
    client.force_login(planner)
    url = reverse("admin:trafficking_ticket_clone", args=[world.ticket.pk])
    page = client.get(url)
    assert page.status_code == 200 and "Germany" not in page.content.decode()
    sent = {"confirmed": "1", "targets": [f"{world.germany.pk}:{channel().pk}"]}
    assert client.post(url, sent).status_code == 200
    api = APIClient()
    api.force_authenticate(planner)
    answer = api.post(
        f"/api/v1/tickets/{world.ticket.public_id}/clone",
        {"targets": [{"market": "DE", "channel": "META"}]},
        format="json",
    )
    assert answer.status_code == 400
    api.force_authenticate(world.outsider)
    assert (
        api.post(
            f"/api/v1/tickets/{world.ticket.public_id}/clone", {"targets": []}, format="json"
        ).status_code
        == 404
    )
    assert counted() == before


def test_clicking_reads_first_and_makes_then(world, client):
    AdAccountFactory(serving=[(world.brand, world.germany)])
    client.force_login(world.planner)
    url = reverse("admin:trafficking_ticket_clone", args=[world.ticket.pk])
    before = counted()
    sent = {"confirmed": "1", "targets": [f"{world.germany.pk}:{channel().pk}"]}
    page = client.post(url, sent)
    said = page.content.decode()
    assert counted() == before and "Nothing is made yet" in said and "Not carried over" in said
    seen = page.context["form"].data["seen"]
    answer = client.post(url, {**sent, "seen": seen})
    assert answer.status_code == 302
    made = Ticket.objects.latest("pk")
    assert made.campaign.market == world.germany and answer.url.endswith(f"/{made.pk}/change/")


def test_the_api_previews_and_clones(world):
    account = AdAccountFactory(serving=[(world.brand, world.germany)])
    api = APIClient()
    api.force_authenticate(world.planner)
    url = f"/api/v1/tickets/{world.ticket.public_id}/clone"
    body = {"targets": [{"market": "DE", "channel": "META"}], "dry_run": True}
    before = counted()
    told = api.post(url, body, format="json")
    assert told.status_code == 200 and counted() == before, told.content
    [clone] = told.json()["clones"]
    assert (
        clone["ticket"] is None
        and clone["campaign"] is None
        and clone["ad_account"] == str(account.public_id)
    )
    made = api.post(url, {**body, "dry_run": False}, format="json")
    assert made.status_code == 201, made.content
    assert Ticket.objects.filter(public_id=made.json()["clones"][0]["ticket"]).exists()
    again = api.post(url, {**body, "dry_run": False}, format="json")
    assert again.status_code == 400 and again.json()["error"]["code"] == "not_cloned"


def test_the_api_previews_names_and_findings_without_saving(world):
    api = APIClient()
    api.force_authenticate(world.planner)
    start = world.campaign.start_on.isoformat()
    body = {
        "new_campaign": {"name": "Frozen Spring", "brand": "DIS", "market": "US", "objective": "TRAFFIC", "budget": "5000",
                         "currency": "USD", "start_on": start, "end_on": start},
        "channel": "META", "ad_account": str(world.account.public_id), "start_on": start, "end_on": start,
        "special_ad_categories": [], "political": "DOES_NOT_CONTAIN",
        "ad_sets": [{"name": "Families", "goal": "CLICKS", "budget": "1000", "ads": [{"name": "Wave", "format": "IMAGE"}]}],
    }  # fmt: skip
    before = counted()
    answer = api.post("/api/v1/tickets/preview", body, format="json")
    assert answer.status_code == 200, answer.content
    names = [each["name"] for each in answer.json()["names"]]
    year = start[:4]
    assert names == [f"DIS_US_META_{year}_FrozenSpring", f"DIS_US_META_{year}_FrozenSpring_Families",
                     f"DIS_US_META_{year}_FrozenSpring_Families_Wave"]  # fmt: skip
    assert "ad_sets[0].geo" in {each["field"] for each in answer.json()["findings"]}
    assert counted() == before
    standing = {**body, "campaign": str(world.campaign.public_id)}
    del standing["new_campaign"]
    told = api.post("/api/v1/tickets/preview", standing, format="json").json()["findings"]
    assert any("already has a ticket" in each["message"] for each in told)


def test_a_submitted_ticket_can_be_cloned_and_stays_as_it_was(world):
    AdAccountFactory(serving=[(world.brand, world.germany)])
    submit_ticket(ticket=world.ticket, by=world.planner)
    version = world.ticket.version
    clone_ticket(ticket=world.ticket, targets=[Target(world.germany, channel())], by=world.planner)
    world.ticket.refresh_from_db()
    assert (world.ticket.status, world.ticket.version) == ("READY_FOR_API", version)
