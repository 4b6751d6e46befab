"""Kill switch, drift, existing campaigns, alerts and approval rules in the admin: whose they are, and what is told."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from deploy import alerts, drift, inventory
from deploy.models import Alert, Drift, ExistingObject, KillSwitch
from deploy.tests.test_engine import approved, deployed
from governance.models import Grant
from governance.tests.factories import AdAccountFactory, BrandFactory, UserFactory
from trafficking.models import ApprovalRule, PlatformObject, Ticket
from trafficking.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_broker():
    with (
        mock.patch("deploy.services.enqueue"),
        mock.patch("deploy.stops.hurry") as hurried,
        mock.patch("deploy.inventory._enqueue"),
    ):
        yield hurried


@pytest.fixture
def built(sandboxes, trafficker, approver) -> Ticket:
    ticket = approved(make_ticket("META", ad_sets=2), trafficker, approver)
    deployed(ticket, trafficker)
    return Ticket.objects.get(pk=ticket.pk)


@pytest.fixture
def stranger():
    """Works for another brand only."""
    person = UserFactory(roles=["Trafficker"])
    Grant.objects.create(user=person, brand=BrandFactory(code="ACME"))
    return person


def page(client: Any, name: str, *args: Any, query: str = "") -> str:
    return " ".join(client.get(reverse(f"admin:{name}", args=args) + query).content.decode().split())


def told(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def drifted(ticket: Ticket) -> list[Drift]:
    for row in PlatformObject.objects.filter(ticket=ticket, object_type="ad_set"):
        PlatformObject.objects.filter(pk=row.pk).update(applied={**row.applied, "lifetime_budget": "90000"})
    return drift.judge_tree(ticket)


def stop_it(client: Any, what: str, reason: str = "Too large") -> Any:
    return client.post(reverse("admin:deploy_killswitch_add"), {"what": what, "reason": reason}, follow=True)


# ------------------------------------------------------------------------------------ kill switch


def test_a_stop_says_what_it_stops_and_stands_on_every_page(built, client, trafficker, stranger):
    client.force_login(trafficker)
    account = built.ad_account
    offered = page(client, "deploy_killswitch_add")
    assert "0 of 1 campaign runs · 1 account" in offered and f'value="ACCOUNT:{account.pk}"' in offered
    assert "is being stopped" in told(stop_it(client, f"ACCOUNT:{account.pk}"))
    for name in ("index", "trafficking_ticket_changelist"):
        assert "See and release" in page(client, name) and "Too large" in page(client, name)
    client.force_login(stranger)
    assert "Too large" not in page(client, "index")
    assert KillSwitch.objects.get().pk not in {
        each.pk for each in client.get(reverse("admin:deploy_killswitch_changelist")).context["cl"].queryset
    }


def test_a_stop_of_everything_is_shown_to_everyone_and_offered_only_to_who_has_everything(
    built, client, trafficker, stranger
):
    client.force_login(stranger)
    offered = page(client, "deploy_killswitch_add")
    assert 'value="ALL"' not in offered and 'value="PLATFORM:meta"' not in offered
    assert f'value="BRAND:{built.campaign.brand_id}"' not in offered
    refused = stop_it(client, "ALL")
    assert not KillSwitch.objects.exists() and "Select a valid choice" in refused.content.decode()
    client.force_login(trafficker)
    stop_it(client, "ALL", "Fire")
    client.force_login(stranger)
    assert "Fire" in page(client, "index") and "See and release" in page(client, "index")


def test_a_release_needs_its_reason(built, client, trafficker, stranger):
    client.force_login(trafficker)
    stop_it(client, "ALL")
    stop = KillSwitch.objects.get()
    url = reverse("admin:deploy_killswitch_release", args=[stop.pk])
    client.post(url, {"comment": " "})
    stop.refresh_from_db()
    assert stop.state == "STOPPING"
    client.force_login(stranger)
    assert client.post(url, {"comment": "mine"}).status_code == 403
    client.force_login(trafficker)
    assert "Released" in told(client.post(url, {"comment": "Mended"}, follow=True))
    stop.refresh_from_db()
    assert (stop.state, stop.released_by) == ("RELEASING", trafficker)


def test_a_stop_without_the_right_is_refused(client):
    client.force_login(UserFactory(roles=["Planner"], everywhere=True))
    assert client.get(reverse("admin:deploy_killswitch_add")).status_code == 403
    assert stop_it(client, "ALL").status_code == 403
    assert not KillSwitch.objects.exists()


# ----------------------------------------------------------------------------------------- drift


def decide(client: Any, model: str, name: str, rows: Any, **values: Any) -> Any:
    url = reverse(f"admin:deploy_{model}_decide", args=[name])
    return client.post(url, {"confirmed": "1", "row": [each.pk for each in rows], **values}, follow=True)


def test_drift_stands_in_three_columns_in_money(built, client, trafficker):
    drifted(built)
    client.force_login(trafficker)
    listed = page(client, "deploy_drift_changelist", query="?state__exact=OPEN")
    assert "$900.00" in listed and "$1,000.00" in listed and "lifetime budget" in listed


def test_drift_is_adopted_and_ignored_in_bulk_and_each_is_told(built, client, trafficker):
    first, second = drifted(built)
    client.force_login(trafficker)
    assert "This field is required" in decide(client, "drift", "ignore", [first, second]).content.decode()
    assert told(decide(client, "drift", "ignore", [first, second], comment="Agreed")).count("ignored.") == 2
    assert set(Drift.objects.values_list("state", "reason")) == {("IGNORED", "Agreed")}
    assert "adopted." in told(decide(client, "drift", "adopt", [first]))
    assert "no longer open" in told(decide(client, "drift", "adopt", [first]))


def test_drift_is_restored_by_a_ticket_that_waits_for_approval(built, client, trafficker):
    first, _second = drifted(built)
    client.force_login(trafficker)
    assert "restores it" in told(decide(client, "drift", "restore", [first], comment="Back"))
    first.refresh_from_db()
    assert first.state == "RESTORING" and first.request is not None
    assert f"{first.request_id} ·" in page(client, "deploy_drift_changelist")


def test_drift_of_another_brand_is_neither_seen_nor_decided(built, client, stranger):
    rows = drifted(built)
    client.force_login(stranger)
    assert built.ad_sets.first().governed_name not in page(client, "deploy_drift_changelist")
    decide(client, "drift", "adopt", rows)
    assert set(Drift.objects.values_list("state", flat=True)) == {"OPEN"}


# ------------------------------------------------------------------------------ existing campaigns


def imported(ticket: Ticket, by: Any) -> None:
    inventory.import_account(account=ticket.ad_account, by=by)
    assert inventory.claim(ticket.ad_account)
    while inventory.read_step(ticket.ad_account) is not None:
        pass


def test_what_an_account_has_is_listed_with_its_score(built, client, trafficker):
    imported(built, trafficker)
    client.force_login(trafficker)
    listed = page(
        client, "deploy_existingobject_changelist", query=f"?ad_account__id__exact={built.ad_account_id}"
    )
    assert built.governed_name in listed and "100 %" in listed
    account = page(client, "governance_adaccount_change", built.ad_account_id)
    assert "100 %" in account and "Fit to be built in" in account


def test_an_import_is_asked_for_by_a_form(built, client, trafficker, stranger):
    url = reverse("admin:deploy_existingobject_import_account")
    client.force_login(stranger)
    client.post(url, {"account": built.ad_account_id})
    assert not hasattr(built.ad_account, "watch") or built.ad_account.watch.inventory_due_at is None
    client.force_login(trafficker)
    answer = client.post(url, {"account": built.ad_account_id}, follow=True)
    assert "is being read" in told(answer) and "an import is under way" in answer.content.decode()


def test_a_foreign_campaign_is_adopted_and_what_is_missing_is_told(built, client, trafficker):
    imported(built, trafficker)
    foreign = ExistingObject.objects.create(
        ad_account=built.ad_account,
        object_type="campaign",
        external_id="777",
        name="spring thing",
        status="ACTIVE",
    )
    client.force_login(trafficker)
    refused = told(decide(client, "existingobject", "adopt", [foreign], budget_type="LIFETIME"))
    assert "spring thing" in refused and "without its" in refused
    governed = ExistingObject.objects.get(object_type="campaign", external_id=built.external_id)
    assert "governed already" in told(
        decide(client, "existingobject", "adopt", [governed], budget_type="LIFETIME")
    )


def test_of_a_shared_account_only_what_is_theirs_is_seen(built, client, trafficker, stranger):
    imported(built, trafficker)
    other = BrandFactory(code="ACME")
    built.ad_account.serves.create(brand=other, market=built.campaign.market)
    ExistingObject.objects.create(
        ad_account=built.ad_account, object_type="campaign", external_id="9", name="secret launch"
    )
    client.force_login(stranger)
    listed = page(client, "deploy_existingobject_changelist")
    assert "secret launch" not in listed and built.governed_name not in listed


# ------------------------------------------------------------------------------------------ alerts


def test_unseen_alerts_are_counted_and_marked_as_seen(built, client, trafficker, stranger):
    for number in range(3):
        alerts.raise_alert(
            "alert.account_unreadable", ad_account=built.ad_account, account=f"A{number}", reason="token"
        )
    client.force_login(trafficker)
    assert "A1 could not be read: token" in page(client, "deploy_alert_changelist", query="?seen=no")
    chosen = {"action": "mark_seen", "_selected_action": list(Alert.objects.values_list("pk", flat=True)[:2])}
    answer = client.post(reverse("admin:deploy_alert_changelist"), chosen, follow=True)
    assert "2 alerts marked as seen" in told(answer)
    assert Alert.objects.open().count() == 1
    client.force_login(stranger)
    assert "could not be read" not in page(client, "deploy_alert_changelist")


# ---------------------------------------------------------------------------------- approval rules


def test_a_rule_for_every_brand_is_for_who_has_everything(client):
    limited = UserFactory(roles=["Data admin"])
    Grant.objects.create(user=limited, brand=BrandFactory(code="ACME"))
    values = {
        "from_amount": "100",
        "approvers": "2",
        "active": "on",
        "platform": "",
        "request_type": "",
        "note": "",
    }
    client.force_login(limited)
    refused = client.post(reverse("admin:trafficking_approvalrule_add"), {**values, "brand": ""})
    assert "for who has everything" in refused.content.decode() and not ApprovalRule.objects.exists()
    client.force_login(UserFactory(roles=["Data admin"], everywhere=True))
    client.post(reverse("admin:trafficking_approvalrule_add"), {**values, "brand": ""})
    assert ApprovalRule.objects.get().approvers == 2


# ----------------------------------------------------------------------------------------- budgets


LISTS = ("deploy_drift", "deploy_existingobject", "deploy_alert", "deploy_killswitch", "deploy_mediaupload",
         "trafficking_approvalrule", "trafficking_ticket")  # fmt: skip


def queries(client: Any) -> dict[str, int]:
    counts = {}
    for name in LISTS:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse(f"admin:{name}_changelist")).status_code == 200
        counts[name] = len(captured)
    return counts


def test_lists_take_as_many_queries_for_many_rows_as_for_few(built, client, trafficker):
    imported(built, trafficker)
    _first, second = drifted(built)
    Drift.objects.filter(pk=second.pk).delete()
    brand = built.campaign.brand
    alerts.raise_alert("alert.account_unreadable", ad_account=built.ad_account, account="A", reason="token")
    KillSwitch(scope="ALL", reason="1", engaged_by=trafficker, state="STOPPED").save()
    ApprovalRule(approvers=1).save()
    client.force_login(trafficker)
    queries(client)
    few = queries(client)
    drift.judge_tree(built)
    for number in range(4):
        account = AdAccountFactory(serving=[(brand, built.campaign.market)])
        ExistingObject.objects.create(
            ad_account=account, object_type="campaign", external_id=str(number), name="x"
        )
        alerts.raise_alert(
            "alert.account_unreadable", ad_account=account, account=str(number), reason="token"
        )
        KillSwitch(
            scope="ACCOUNT", ad_account=account, reason="1", engaged_by=trafficker, state="STOPPED"
        ).save()
        ApprovalRule(brand=brand, from_amount=number, approvers=1).save()
    many = queries(client)
    assert {name: (few[name], count) for name, count in many.items() if count > few[name]} == {}
    assert max(many.values()) <= 14, many
