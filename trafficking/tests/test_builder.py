"""The ticket builder: one form, one transaction, names and checks before anything is saved."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import Campaign, CampaignChannel
from governance.models import AdAccount
from governance.tests.factories import AdAccountFactory, BrandFactory, channel
from omnitraffick.tests.admin_world import make_world, submitted
from trafficking.builder_forms import Builder
from trafficking.models import Ad, AdSet, Ticket
from trafficking.tests.factories import TREES, make_campaign, make_ticket, next_week

pytestmark = pytest.mark.django_db
NEW = reverse("admin:trafficking_ticket_build")
NAMES = reverse("admin:trafficking_build_names")
CHECK = reverse("admin:trafficking_build_check")


@pytest.fixture
def world(client: Any) -> Any:
    made = make_world()
    client.force_login(made.planner)
    return made


def page_of(ticket: Ticket) -> str:
    return reverse("admin:trafficking_ticket_build", args=[ticket.pk])


def sent(builder: Builder, **changes: Any) -> dict[str, Any]:
    """What a browser would send back of this form."""
    values: dict[str, Any] = {}
    if builder.ticket is not None:
        values = {"ticket": builder.ticket.pk, "version": builder.ticket.version}
    forms = [builder.values, *(part.form for part in builder.parts())]
    for form in forms:
        for bound in form:
            values |= _sent(bound)
    values["ad_sets"] = [part.key for part in builder.sets]
    for part in builder.sets:
        values[f"{part.prefix}.ads"] = [ad.key for ad in part.ads]
    for part in builder.parts():
        values |= {f"{part.prefix}.id": part.row_id, f"{part.prefix}.version": part.version}
    return {name: value for name, value in {**values, **changes}.items() if value is not None}


def _sent(bound: Any) -> dict[str, Any]:
    value, widget = bound.value(), bound.field.widget
    if hasattr(widget, "as_sent"):
        return widget.as_sent(bound.html_name, value)
    if value is None:
        return {bound.html_name: ""}
    return {bound.html_name: [str(each) for each in value] if isinstance(value, list) else str(value)}


def new_tree(world: Any, code: str = "META", **changes: Any) -> dict[str, Any]:
    """A whole new campaign with a ticket that passes QA, as the page sends it."""
    set_values, (ad, *_) = TREES[code]
    start = next_week().isoformat()
    return {
        "campaign.mode": "new", "campaign.name": "Frozen Spring", "campaign.brand": world.brand.pk,
        "campaign.market": world.market.pk, "campaign.objective": "TRAFFIC", "campaign.budget": "5000",
        "campaign.currency": "USD", "campaign.budget_type": "LIFETIME", "campaign.start_on": start,
        "campaign.end_on": next_week().replace(day=next_week().day).isoformat(),
        "ticket.channel": channel(code).pk, "ticket.ad_account": world.account.pk, "ticket.start_on": start,
        "ticket.end_on": start, "ticket.budget_level": "AD_SET", "ticket.budget_type": "LIFETIME",
        "ticket.bid_strategy": "LOWEST_COST", "ticket.political": "DOES_NOT_CONTAIN",
        "ticket.special_ad_categories": ["NONE"], "ticket.owner": world.planner.pk,
        "ad_sets": ["k1"], "ad_sets[k1].name": "Families", "ad_sets[k1].goal": set_values["goal"],
        "ad_sets[k1].budget": "1000", "ad_sets[k1].budget_type": "LIFETIME", "ad_sets[k1].bid_strategy": "LOWEST_COST",
        "ad_sets[k1].geo-countries": ["US"], "ad_sets[k1].age_min": "18", "ad_sets[k1].ads": ["a1"],
        "ad_sets[k1].ads[a1].name": "Wave", "ad_sets[k1].ads[a1].format": ad["format"],
        "ad_sets[k1].ads[a1].texts-lines": "\n".join(ad.get("texts", [])),
        "ad_sets[k1].ads[a1].headlines-lines": "\n".join(ad.get("headlines", [])),
        "ad_sets[k1].ads[a1].call_to_action": ad.get("call_to_action", ""),
        "ad_sets[k1].ads[a1].landing_page": ad["landing_page"],
        "ad_sets[k1].ads[a1].media-kind": [each["kind"] for each in ad["media"]],
        "ad_sets[k1].ads[a1].media-file": ["" for _each in ad["media"]],
        "ad_sets[k1].ads[a1].media-id": [each["id"] for each in ad["media"]],
        **changes,
    }  # fmt: skip


def counted() -> tuple[int, ...]:
    models = (Campaign, CampaignChannel, Ticket, AdSet, Ad)
    return (*(each.objects.count() for each in models), *(each.history.count() for each in models))  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------------------ saving


def test_a_campaign_with_its_ticket_is_built_and_submitted_from_one_page(world, client):
    answer = client.post(NEW, new_tree(world, _submit="1"))
    assert answer.status_code == 302, answer.context["refused"]
    ticket = Ticket.objects.latest("pk")
    assert (ticket.campaign.name, ticket.status, ticket.owner) == (
        "Frozen Spring",
        "READY_FOR_API",
        world.planner,
    )
    assert answer.url == reverse("admin:trafficking_ticket_change", args=[ticket.pk])
    ad_set = ticket.ad_sets.get()
    assert ad_set.governed_name == f"DIS_US_META_{ticket.start_on:%Y}_FrozenSpring_Families"
    assert ad_set.geo == {"countries": ["US"]} and ad_set.ads.get().texts == ["Set sail with Moana."]
    assert ticket.history.latest().history_user == world.planner


def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_written(world, client):
    before = counted()
    wrong = new_tree(
        world,
        **{
            "campaign.budget": "50,000", "campaign.name": "🎬", "ticket.ad_account": "", "ad_sets[k1].name": "!!!",
            "ad_sets[k1].dayparts-hours": "sometimes", "ad_sets[k1].age_min": "9",
            "ad_sets[k1].ads[a1].landing_page": "not an address", "ad_sets[k1].config": "{",
        },
    )  # fmt: skip
    answer = client.post(NEW, wrong)
    assert answer.status_code == 200 and counted() == before
    page = answer.content.decode()
    said = answer.context["sets"][0]
    at = {
        each.bound.html_name: each.remarks for each in answer.context["campaign"] + answer.context["fields"]
    }
    at |= {
        each.bound.html_name: each.remarks
        for each in said["fields"] + said["more"] + said["ads"][0]["fields"]
    }
    told = {name for name, remarks in at.items() if remarks}
    assert told == {
        "campaign.budget", "campaign.name", "ticket.ad_account", "ad_sets[k1].name", "ad_sets[k1].dayparts",
        "ad_sets[k1].age_min", "ad_sets[k1].config", "ad_sets[k1].ads[a1].landing_page",
    }, told  # fmt: skip
    assert said["open"] and "sometimes" in page and "not an address" in page  # what was typed is still there


def test_an_existing_ticket_opens_as_it_is_and_saves_as_it_was(world, client):
    ticket = world.ticket
    row = ticket.ad_sets.get()
    row.geo = {
        "countries": ["US"],
        "cities": [{"id": "2421836", "name": "Boston"}],
        "excluded_countries": ["CA"],
    }
    row.dayparts = [{"day": 0, "start_hour": 8, "end_hour": 20}]
    row.frequency_cap = {"impressions": 3, "days": 7}
    row.interests = [{"id": "6003107", "name": "Football"}]
    row.save()
    ticket = Ticket.objects.get(pk=ticket.pk)
    before = {
        name: getattr(row, name) for name in ("geo", "dayparts", "frequency_cap", "interests", "languages")
    }
    ads = list(Ad.objects.values("pk", "version", "media", "texts"))
    assert client.get(page_of(ticket)).status_code == 200
    answer = client.post(
        page_of(ticket), sent(Builder(world.planner, ticket), **{"ticket.request_note": "Calm"})
    )
    assert answer.status_code == 302, answer.context["refused"]
    row.refresh_from_db()
    assert {name: getattr(row, name) for name in before} == before
    assert list(Ad.objects.values("pk", "version", "media", "texts")) == ads
    assert Ticket.objects.get(pk=ticket.pk).request_note == "Calm"


@pytest.mark.parametrize("what", ["ticket", "ad set", "ad"])
def test_who_saved_meanwhile_is_named_and_the_input_stays(world, client, what):
    ticket = world.ticket
    form = sent(Builder(world.planner, ticket), **{"ad_sets[s1].name": "My own words"})
    client.force_login(world.data_admin)
    from governance.actor import acting

    row = {"ticket": ticket, "ad set": ticket.ad_sets.get(), "ad": Ad.objects.get()}[what]
    row.request_note = row.name = "Changed"
    with acting(world.boss):
        row.save()
    client.force_login(world.planner)
    answer = client.post(page_of(ticket), form)
    page = answer.content.decode()
    assert answer.status_code == 200 and "boss changed this on" in page and "My own words" in page
    assert ticket.ad_sets.get().name != "My own words"
    again = {**form, "over": answer.context["conflict"]["version"]}
    assert client.post(page_of(ticket), again).status_code == 302
    assert ticket.ad_sets.get().name == "My own words"


def test_a_value_that_the_controls_cannot_show_is_shown_as_it_is_and_kept(world, client):
    row = world.ticket.ad_sets.get()
    # two spans that touch: the grid would join them
    odd = [{"day": 0, "start_hour": 8, "end_hour": 10}, {"day": 0, "start_hour": 10, "end_hour": 12}]
    row.dayparts = odd
    row.save()
    ticket = Ticket.objects.get(pk=world.ticket.pk)
    assert "start_hour" in client.get(page_of(ticket)).content.decode()
    assert client.post(page_of(ticket), sent(Builder(world.planner, ticket))).status_code == 302
    row.refresh_from_db()
    assert row.dayparts == odd


# ------------------------------------------------------------------------------------------- reach


def test_nothing_of_another_brand_can_be_named(world, client):
    campaign = make_campaign(brand=world.other_brand, market=world.market, name="Theirs")
    account = AdAccountFactory(serving=[(world.other_brand, world.market)])
    from governance.models import Grant, User

    Grant.objects.filter(user=world.planner).delete()
    Grant.objects.create(user=world.planner, brand=world.brand)
    client.force_login(User.objects.get(pk=world.planner.pk))
    before = counted()
    foreign: list[dict[str, Any]] = [
        {"campaign.brand": world.other_brand.pk},
        {"campaign.mode": "existing", "campaign.chosen": campaign.pk},
        {"ticket.ad_account": account.pk},
    ]
    for each in foreign:
        for url in (NEW, CHECK):
            answer = client.post(url, new_tree(world, **each))
            assert answer.status_code == 200
            assert "Theirs" not in answer.content.decode()
        assert client.post(NAMES, new_tree(world, **each)).status_code == 200
    theirs = make_ticket(campaign=campaign, account=account)
    before = counted()
    for url in (page_of(theirs),):
        assert client.get(url).status_code in (302, 404)
    assert client.post(CHECK, {"ticket": theirs.pk}).status_code == 404
    assert client.post(NAMES, {"ticket": theirs.pk}).status_code == 404
    mine = new_tree(world)
    part = theirs.ad_sets.get()
    mine["ad_sets[k1].id"] = str(part.public_id)
    assert client.post(NEW, mine).status_code == 200
    assert counted() == before
    for kind in ("campaign", "brand", "ad_account"):
        found = client.get(reverse("admin:trafficking_build_choices", args=[kind]), {"brand": world.other_brand.pk,
                           "market": world.market.pk, "channel": channel().pk}).json()["results"]  # fmt: skip
        assert not {"Theirs", f"ACME · {world.other_brand.name}", account.name} & {
            each["label"] for each in found
        }


def test_whoever_may_not_write_tickets_has_no_builder(world, client):
    client.force_login(world.approver)
    for answer in (client.get(NEW), client.post(NEW, {}), client.post(CHECK, {}), client.post(NAMES, {})):
        assert answer.status_code == 403


# ------------------------------------------------------------------------------------ names, checks


def test_the_preview_is_the_name_that_saving_builds(world, client):
    names = client.post(NAMES, new_tree(world)).json()["names"]
    client.post(NEW, new_tree(world))
    ticket = Ticket.objects.latest("pk")
    assert [each["name"] for each in names] == [
        ticket.governed_name, ticket.ad_sets.get().governed_name, Ad.objects.latest("pk").governed_name,
    ]  # fmt: skip
    assert names[1]["at"] == "ad_sets[k1].name"
    assert [(each["label"], each["value"]) for each in names[0]["parts"]][:2] == [
        ("Brand", "DIS"),
        ("Market", "US"),
    ]


def test_a_name_that_is_not_legal_says_why_and_what_would_be(world, client):
    wrong = new_tree(world, **{"ad_sets[k1].name": "Fam 🎬 ilies", "campaign.name": world.campaign.name})
    campaign, ad_set, _ad = client.post(NAMES, wrong).json()["names"]
    assert not campaign["legal"] and "already taken" in campaign["reasons"][0]
    assert campaign["proposal"] == "MoanaLaunch2" and campaign["proposed"].endswith("_MoanaLaunch2")
    assert not ad_set["legal"] and ad_set["proposal"] == "FamIlies"


def test_checking_finds_what_qa_would_and_leaves_nothing_behind(world, client):
    before = counted()
    clean = client.post(CHECK, new_tree(world)).json()["findings"]
    assert [each for each in clean if each["severity"] == "block"] == []
    wrong = client.post(
        CHECK, new_tree(world, **{"ad_sets[k1].geo-countries": [], "ad_sets[k1].goal": ""})
    ).json()
    at = {each["at"] for each in wrong["findings"] if each["severity"] == "block"}
    assert {"ad_sets[k1].goal", "ad_sets[k1].geo"} <= at
    assert counted() == before


def test_checking_a_standing_ticket_moves_no_version(world, client):
    before = list(Ticket.objects.values()), list(AdSet.objects.values()), counted()
    form = sent(
        Builder(world.planner, world.ticket), **{"ad_sets[s1].name": "Other", "ad_sets[s1].budget": "9000000"}
    )
    answer = client.post(CHECK, form).json()
    assert any(each["at"] == "ad_sets[s1].budget" or "budget" in each["at"] for each in answer["findings"])
    assert (list(Ticket.objects.values()), list(AdSet.objects.values()), counted()) == before


@pytest.mark.parametrize("bad", ["[[[", "\0", '{"a": NaN}', '"\\ud800"', "9" * 400, "[" * 5000])
def test_whatever_is_sent_is_answered(world, client, bad):
    names = [name for name in new_tree(world) if "." in name]
    for name in [
        *names,
        "ad_sets[k1].geo",
        "ad_sets[k1].interests",
        "ad_sets[k1].ads[a1].media",
        "ad_sets[k1].config",
    ]:
        for url in (NAMES, CHECK):
            assert client.post(url, new_tree(world, **{name: bad})).status_code in (200, 400), (name, url)


def test_the_page_costs_the_same_queries_however_large_the_ticket(world, client):
    def queries(ticket: Ticket) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(page_of(ticket)).status_code == 200
        return len(caught)

    small = make_ticket(campaign=make_campaign(name="Small"))
    large = make_ticket(campaign=make_campaign(name="Large"), ad_sets=6)
    queries(small)
    assert queries(small) == queries(large) <= 32


# ----------------------------------------------------------------------------------------- choices


def test_choices_are_those_of_the_platform_that_the_channel_is_on(world, client):
    def values(kind: str, **beside: Any) -> list[str]:
        url = reverse("admin:trafficking_build_choices", args=[kind])
        return [each["value"] for each in client.get(url, beside).json()["results"]]

    meta, search = channel().pk, channel("GGLSEARCH").pk
    assert "instagram:story" in values("placements", channel=meta)
    assert values("placements", channel=search) == []
    assert values("format", channel=search) == ["SEARCH_TEXT"]
    assert "CONVERSIONS" not in values("goal", channel=meta, campaign=world.campaign.pk)
    assert values("countries", channel=meta, q="united st")[:1] == ["US"] or "US" in values(
        "countries", q="united st"
    )
    assert values("ad_account", channel=meta, campaign=world.campaign.pk) == [str(world.account.pk)]
    assert values("ad_account", channel=search, campaign=world.campaign.pk) == []
    assert AdAccount.objects.count() == 1 and BrandFactory().code == "DIS"


def test_a_ready_ticket_that_nobody_changed_stays_ready_and_one_word_takes_it_back(world, client):
    ticket = submitted(world)
    before = (ticket.status, ticket.version, ticket.digest)
    for press in ("_save", "_submit"):
        answer = client.post(
            page_of(ticket), sent(Builder(world.planner, ticket), **{press: "1"}), follow=True
        )
        assert "Nothing was changed" in answer.text
        ticket = Ticket.objects.get(pk=ticket.pk)
        assert (ticket.status, ticket.version, ticket.digest) == before
    builder = Builder(world.planner, ticket)
    client.post(page_of(ticket), sent(builder, **{f"{builder.sets[0].ads[0].prefix}.name": "Another word"}))
    assert Ticket.objects.get(pk=ticket.pk).status == "DRAFT"


def test_a_busy_database_at_submission_is_told_and_the_draft_is_kept(world, client, monkeypatch):
    def busy(**_given: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr("trafficking.admin_builder.services.submit_ticket", busy)
    answer = client.post(
        page_of(world.ticket), sent(Builder(world.planner, world.ticket), _submit="1"), follow=True
    )
    assert "the database was busy" in answer.text
    assert Ticket.objects.get(pk=world.ticket.pk).status == "DRAFT"
