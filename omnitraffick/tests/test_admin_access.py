"""A person of one brand reaches another brand's rows by no door of the admin."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from campaigns.models import Campaign
from omnitraffick.tests.admin_world import approved, form_values, make_world, submitted
from trafficking.models import Ticket

pytestmark = pytest.mark.django_db

OTHERS = (
    "campaigns_campaign", "campaigns_campaignchannel", "trafficking_ticket", "trafficking_adset", "trafficking_ad",
    "trafficking_plan", "trafficking_approval", "governance_adaccount", "governance_brand",
)  # fmt: skip


@pytest.fixture
def world():
    return make_world()


def test_lists_are_empty_and_addresses_lead_nowhere(world, client):
    ticket = approved(world)
    rows = {
        "campaigns_campaign": world.campaign, "campaigns_campaignchannel": world.campaign.channel_names.get(),
        "trafficking_ticket": ticket, "trafficking_adset": ticket.ad_sets.get(), "trafficking_ad": ticket.ad_sets.get().ads.get(),
        "trafficking_plan": ticket.plans.get(), "trafficking_approval": ticket.approvals.get(),
        "governance_adaccount": world.account, "governance_brand": world.brand,
    }  # fmt: skip
    client.force_login(world.outsider)
    for name in OTHERS:
        listed = client.get(reverse(f"admin:{name}_changelist"))
        assert rows[name].pk not in [row.pk for row in listed.context["cl"].result_list], name
        for page in ("change", "history", "delete"):
            answer = client.get(reverse(f"admin:{name}_{page}", args=[rows[name].pk]))
            assert answer.status_code in (302, 403, 404), (name, page)
            if answer.status_code == 302:
                assert answer.url == reverse("admin:index"), (name, page)


def test_an_old_state_of_another_brands_row_is_not_shown(world, client):
    old = world.campaign.history.first()
    client.force_login(world.outsider)
    url = reverse("admin:campaigns_campaign_simple_history", args=[world.campaign.pk, old.history_id])
    assert client.get(url).status_code == 404


def test_autocomplete_does_not_name_another_brands_rows(world, client):
    client.force_login(world.outsider)
    for app, model, field in (
        ("campaigns", "campaign", "brand"), ("trafficking", "ticket", "campaign"), ("trafficking", "ticket", "ad_account"),
        ("trafficking", "adset", "ticket"), ("trafficking", "ad", "ad_set"),
    ):  # fmt: skip
        asked = {"app_label": app, "model_name": model, "field_name": field, "term": ""}
        answer = json.loads(client.get(reverse("admin:autocomplete"), asked).content)
        names = " ".join(each["text"] for each in answer["results"])
        assert "DIS" not in names and "Moana" not in names and world.account.external_id not in names, field


def test_choosing_another_brand_in_a_form_is_refused_in_words(world, client):
    client.force_login(world.outsider)
    page = client.get(reverse("admin:campaigns_campaign_add"))
    start = world.campaign.start_on.isoformat()
    sent = form_values(
        page, name="Sneaky", brand=world.brand.pk, market=world.market.pk, objective="TRAFFIC", budget="10", currency="USD",
        start_on=start, end_on=start, on_channels=[world.campaign.channels.get().pk],
    )  # fmt: skip
    answer = client.post(reverse("admin:campaigns_campaign_add"), sent)
    assert answer.status_code == 200 and "brand" in answer.context["adminform"].form.errors
    assert Campaign.objects.filter(name="Sneaky").count() == 0


def test_a_brand_that_is_yours_in_a_market_that_is_not_is_refused(world, client):
    from governance.models import Grant
    from governance.tests.factories import MarketFactory, UserFactory

    person = UserFactory(roles=["Planner"])
    Grant.objects.create(user=person, brand=world.brand, market=world.market)
    Grant.objects.create(
        user=person, brand=world.other_brand, market=MarketFactory(code="DE", country="DE", currency="EUR")
    )
    client.force_login(person)
    start = world.campaign.start_on.isoformat()
    sent = form_values(
        client.get(reverse("admin:campaigns_campaign_add")), name="Crossed", brand=world.other_brand.pk,
        market=world.market.pk, objective="TRAFFIC", budget="10", currency="USD", start_on=start, end_on=start,
        on_channels=[world.campaign.channels.get().pk], owner="",
    )  # fmt: skip
    answer = client.post(reverse("admin:campaigns_campaign_add"), sent)
    assert "not yours" in str(answer.context["adminform"].form.non_field_errors())
    assert not Campaign.objects.filter(name="Crossed").exists()


def test_actions_pass_over_another_brands_tickets(world, client):
    ticket = submitted(world)
    client.force_login(world.outsider)
    pk = ticket.pk
    for name in ("submit", "approve", "reject", "cancel", "deploy"):
        one = client.post(
            reverse(f"admin:trafficking_ticket_{name}", args=[pk]), {"confirmed": "1", "comment": "x"}
        )
        assert one.status_code in (403, 404)
        client.post(
            reverse("admin:trafficking_ticket_do", args=[name]),
            {"confirmed": "1", "ticket": [pk], "comment": "x"},
        )
    client.post(
        reverse("admin:trafficking_ticket_changelist"), {"action": "do_cancel", "_selected_action": [pk]}
    )
    client.post(
        reverse("admin:trafficking_ticket_changelist"),
        {"action": "delete_selected", "_selected_action": [pk], "post": "yes"},
    )
    assert Ticket.objects.get(pk=pk).status == "READY_FOR_API"


def test_an_account_that_also_serves_another_brand_is_seen_but_not_changed(world, client):
    from governance.models import AdAccountServes

    AdAccountServes.objects.create(account=world.account, brand=world.other_brand, market=world.market)
    client.force_login(world.outsider)
    page = client.get(reverse("admin:governance_adaccount_change", args=[world.account.pk]))
    assert page.status_code == 200 and not page.context["has_change_permission"]
    assert (
        client.post(reverse("admin:governance_adaccount_change", args=[world.account.pk]), {}).status_code
        == 403
    )


def test_the_sidebar_leads_only_where_the_person_may_go(world, client):
    client.force_login(world.planner)
    words = client.get(reverse("admin:index")).content.decode()
    assert reverse("admin:trafficking_ticket_changelist") in words
    assert reverse("admin:governance_grant_changelist") not in words
    assert reverse("admin:axes_accessattempt_changelist") not in words
    assert reverse("admin:governance_apitoken_changelist") in words


def test_nobody_but_a_superuser_makes_superusers(world, client):
    from django.contrib.auth.models import Permission

    for codename in ("change_user", "view_user"):
        world.data_admin.user_permissions.add(
            Permission.objects.get(codename=codename, content_type__app_label="governance")
        )
    client.force_login(world.data_admin)
    url = reverse("admin:governance_user_change", args=[world.planner.pk])
    sent = form_values(client.get(url), is_superuser="on")
    client.post(url, sent)
    world.planner.refresh_from_db()
    assert not world.planner.is_superuser
    assert client.post(reverse("admin:governance_user_change", args=[world.boss.pk]), sent).status_code == 403


def test_a_planner_finds_a_colleague_to_own_a_campaign_but_not_the_list_of_people(world, client):
    client.force_login(world.planner)
    asked = {"app_label": "campaigns", "model_name": "campaign", "field_name": "owner", "term": "approv"}
    answer = json.loads(client.get(reverse("admin:autocomplete"), asked).content)
    assert [each["text"] for each in answer["results"]] == ["approver"]
    assert client.get(reverse("admin:governance_user_changelist")).status_code == 403


def test_shared_vocabulary_is_changed_only_by_who_has_every_brand(world, client):
    from governance.models import Channel

    row = Channel.objects.get(code="META")
    client.force_login(world.outsider)
    page = client.get(reverse("admin:governance_channel_change", args=[row.pk]))
    assert page.status_code == 200 and not page.context["has_change_permission"]
    assert (
        client.post(reverse("admin:governance_channel_change", args=[row.pk]), {"code": "X1"}).status_code
        == 403
    )


@pytest.mark.parametrize("wrong", ["abc", "0", "99999999999999999999999", "1/2"])
def test_an_address_that_is_no_row_is_not_found(world, client, wrong):
    client.force_login(world.boss)
    for name, page in (
        ("trafficking_ticket", "submit"),
        ("governance_namingconvention", "put_in_force"),
        ("trafficking_ticket", "history"),
    ):
        assert client.get(reverse(f"admin:{name}_{page}", args=[wrong])).status_code == 404
    assert (
        client.post(
            reverse("admin:trafficking_ticket_do", args=["nonsense"]), {"ticket": [wrong]}
        ).status_code
        == 302
    )
