"""One change to many tickets and campaigns: read before and after first, nothing written before, nothing overwritten."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from campaigns import bulk_edits as campaign_edits
from campaigns.models import Campaign
from governance.governed import unguarded
from governance.models import Grant
from governance.tests.api_clients import ROOT, client_of, codes_of, error_of, person
from governance.tests.factories import BrandFactory, MarketFactory
from trafficking import bulk_edits, services
from trafficking.bulk_requests import Wish
from trafficking.models import AdSet, Ticket
from trafficking.tests.factories import make_campaign, make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def planner() -> Any:
    return person("Planner")


@pytest.fixture
def two() -> list[Ticket]:
    return [make_ticket(ad_sets=2), make_ticket(campaign=make_campaign(name="Second Wave"))]


def everything() -> list[Any]:
    """All that a bulk change could write, with versions and history."""
    return [
        list(Ticket.objects.order_by("pk").values()), list(AdSet.objects.order_by("pk").values()),
        list(Campaign.objects.order_by("pk").values()), Ticket.history.count(), AdSet.history.count(), Campaign.history.count(),
    ]  # fmt: skip


WISHES = [
    Wish("shift_days", days=7), Wish("budget_percent", percent=Decimal("12.5")), Wish("budget_to", amount=Decimal("1200")),
]  # fmt: skip


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: wish.kind)
def test_a_preview_of_drafts_tells_before_and_after_and_writes_nothing(two, planner, wish):
    before = everything()
    found = bulk_edits.preview(two, wish, by=planner)
    assert all(each.in_place and each.steps and not each.refusal for each in found)
    assert everything() == before
    assert [each.ticket.pk for each in found] == [each.pk for each in two]


def test_confirmed_it_is_what_the_preview_said(two, planner):
    results = bulk_edits.carry_out(two, Wish("budget_percent", percent=Decimal(10)), by=planner)
    assert [each.problem for each in results] == ["", ""] and [each.made.pk for each in results] == [
        row.pk for row in two
    ]
    assert set(AdSet.objects.values_list("budget", flat=True)) == {Decimal("1100")}
    assert Ticket.history.first().history_user == planner


def test_days_move_with_those_of_ad_sets(two, planner):
    row = two[0].ad_sets.first()
    row.start_on = two[0].start_on + timedelta(days=2)
    row.save()
    two[0] = Ticket.objects.get(pk=two[0].pk)
    start, end, own = two[0].start_on, two[0].end_on, row.start_on
    bulk_edits.carry_out(two[:1], Wish("shift_days", days=7), by=planner)
    moved = Ticket.objects.get(pk=two[0].pk)
    week = timedelta(days=7)
    assert (moved.start_on, moved.end_on) == (start + week, end + week)
    assert AdSet.objects.get(pk=row.pk).start_on == own + week


def test_the_preview_tells_what_qa_would_say(two, planner):
    found = bulk_edits.preview(two, Wish("shift_days", days=-400), by=planner)
    assert all(any(each.blocking and each.remedy for each in row.findings) or row.refusal for row in found)


def test_the_first_day_is_set_and_an_impossible_one_is_refused_in_words(two, planner):
    start = two[0].start_on
    bulk_edits.carry_out(two, Wish("start_on", start_on=start + timedelta(days=3)), by=planner)
    assert {row.start_on for row in Ticket.objects.all()} == {start + timedelta(days=3)}
    fresh = list(Ticket.objects.order_by("pk"))
    late = bulk_edits.carry_out(fresh, Wish("start_on", start_on=start + timedelta(days=300)), by=planner)
    assert all(each.made is None and "last day is before" in each.problem for each in late)
    far = bulk_edits.carry_out(fresh, Wish("shift_days", days=3_000_000), by=planner)
    assert all("fewer days" in each.problem for each in far)


def test_one_that_somebody_else_changed_is_left_alone_and_told(two, planner):
    seen = {row.pk: row.version for row in two}
    row = two[0].ad_sets.first()
    row.age_min = 30
    row.save()
    again = list(Ticket.objects.order_by("pk"))
    results = bulk_edits.carry_out(again, Wish("budget_to", amount=Decimal(5)), by=planner, seen=seen)
    assert (
        "changed by someone else" in results[0].problem
        and results[0].made is None
        and results[1].problem == ""
    )
    assert set(AdSet.objects.filter(ticket=two[0]).values_list("budget", flat=True)) == {Decimal("1000")}


def test_one_that_changes_between_reading_and_writing_is_left_alone(two, planner):
    stale = Ticket.objects.get(pk=two[0].pk)
    two[0].ad_sets.first().save()
    results = bulk_edits.carry_out([stale], Wish("budget_to", amount=Decimal(5)), by=planner)
    assert "changed by someone else" in results[0].problem


def test_an_edit_of_what_waits_for_approval_voids_it_and_says_so_first(two, planner):
    services.submit_ticket(ticket=two[0], by=planner)
    ticket = Ticket.objects.get(pk=two[0].pk)
    assert "submit it again" in bulk_edits.preview([ticket], WISHES[1], by=planner)[0].note
    bulk_edits.carry_out([ticket], WISHES[1], by=planner)
    assert Ticket.objects.get(pk=ticket.pk).status == "DRAFT"


def test_somebody_elses_tickets_are_not_written(two):
    stranger = person("Planner", grants=[(BrandFactory(code="ACME"), None)])
    before = everything()
    assert all("may not" in each.problem for each in bulk_edits.carry_out(two, WISHES[0], by=stranger))
    assert everything() == before


# ------------------------------------------------------------------------------------------- pages


def test_the_pages_ask_show_and_write_only_what_was_read(two, client, planner):
    client.force_login(planner)
    url = reverse("admin:trafficking_ticket_bulk_change")
    chosen = [row.pk for row in two]
    asked = {"ticket": chosen, "kind": "shift_days", "days": "7"}
    before = everything()
    shown = client.post(url, asked).content.decode()
    assert "Change 2 tickets" in shown and "changed in place" in shown and everything() == before
    unread = client.post(url, {**asked, "confirmed": "1"}).content.decode()
    assert unread.count("changed by someone else") == 2 and everything() == before
    versions = {f"version-{row.pk}": row.version for row in two}
    told = client.post(url, {**asked, **versions, "confirmed": "1"}).content.decode()
    assert told.count("Changed. Submit it when it is ready.") == 2
    assert {row.start_on for row in Ticket.objects.all()} == {two[0].start_on + timedelta(days=7)}


@pytest.mark.parametrize(
    "odd", [{"days": "x"}, {"days": "99999999999"}, {"kind": "no"}, {"days": ""}, {"ticket": ["²"]}]
)
def test_odd_posts_are_answered_in_words(two, client, planner, odd):
    client.force_login(planner)
    sent = {
        "ticket": [two[0].pk],
        "kind": "shift_days",
        "days": "7",
        "confirmed": "1",
        f"version-{two[0].pk}": "²",
    }
    before = everything()
    assert client.post(reverse("admin:trafficking_ticket_bulk_change"), {**sent, **odd}).status_code in (
        200,
        302,
    )
    assert everything() == before


def test_pause_is_one_of_the_list_actions(two, client, planner):
    client.force_login(planner)
    chosen = {"action": "bulk_pause", "_selected_action": [row.pk for row in two]}
    page = client.post(reverse("admin:trafficking_ticket_changelist"), chosen)
    assert page.status_code == 200 and "Nothing of this campaign is on the platform" in page.content.decode()


# --------------------------------------------------------------------------------------- campaigns


def test_campaigns_are_previewed_with_the_names_that_follow_and_nothing_is_written(planner):
    rows = [make_campaign(), make_campaign(name="Second Wave")]
    before = everything()
    found = campaign_edits.preview(rows, campaign_edits.Edit("shift_days", days=60), by=planner)
    assert everything() == before
    assert {step.what for step in found[0].steps} >= {"first day", "last day"} and not found[0].refusal
    campaign_edits.carry_out(rows, campaign_edits.Edit("shift_days", days=60), by=planner)
    assert Campaign.objects.get(pk=rows[0].pk).start_on == rows[0].start_on + timedelta(days=60)


def test_a_campaign_that_moved_on_or_is_foreign_is_left_alone(planner):
    row = make_campaign()
    edit = campaign_edits.Edit("budget_to", amount=Decimal(7))
    stale = campaign_edits.carry_out([row], edit, by=planner, seen={row.pk: row.version - 1})
    assert "changed by someone else" in stale[0].refusal
    stranger = person("Planner", grants=[(BrandFactory(code="ACME"), None)])
    assert "not yours" in campaign_edits.carry_out([row], edit, by=stranger)[0].refusal
    assert Campaign.objects.get(pk=row.pk).budget == Decimal("50000")


def test_the_campaign_pages_ask_show_and_tell(client, planner):
    rows = [make_campaign(), make_campaign(name="Second Wave")]
    client.force_login(planner)
    listed = reverse("admin:campaigns_campaign_changelist")
    first = client.post(listed, {"action": "bulk_edit", "_selected_action": [row.pk for row in rows]})
    assert "2 campaigns chosen" in first.content.decode()
    url = reverse("admin:campaigns_campaign_bulk_edit")
    asked = {"row": [row.pk for row in rows], "kind": "budget_percent", "percent": "10"}
    before = everything()
    shown = client.post(url, asked).content.decode()
    assert shown.count("$55,000.00") == 2 and everything() == before
    versions = {f"version-{row.pk}": row.version for row in rows}
    client.post(url, {**asked, **versions, "confirmed": "1"})
    assert set(Campaign.objects.values_list("budget", flat=True)) == {Decimal("55000")}
    assert client.post(url, {**asked, "percent": ""}).status_code == 200
    client.force_login(person("Analyst"))
    assert client.post(url, asked).status_code == 403


def test_the_campaign_list_tells_how_far_the_tickets_are(client, planner, django_assert_num_queries):
    make_ticket()
    client.force_login(planner)
    listed = reverse("admin:campaigns_campaign_changelist")
    assert "Draft" in client.get(listed).content.decode()


# --------------------------------------------------------------------------------------------- API


def test_the_api_previews_and_writes_tickets(two, planner):
    api, url = client_of(planner), f"{ROOT}/tickets/bulk-changes"
    named = [{"id": str(row.public_id), "version": row.version} for row in two]
    asked = {"tickets": named, "kind": "shift_days", "days": 7}
    before = everything()
    dry = api.post(url, {**asked, "dry_run": True}, format="json")
    assert dry.status_code == 200 and everything() == before
    assert [each["steps"][0]["what"] for each in dry.json()["results"]] == ["first day", "first day"]
    done = api.post(url, asked, format="json").json()["results"]
    assert [(each["in_place"], each["problem"]) for each in done] == [(True, "")] * 2
    stale = api.post(url, asked, format="json").json()["results"]
    assert all("changed by someone else" in each["problem"] for each in stale)
    lacking = api.post(url, {**asked, "days": None}, format="json")
    assert lacking.status_code == 400 and "days" in error_of(lacking)["fields"]


def test_the_api_knows_no_foreign_ticket_and_no_right_that_is_not_there(two):
    stranger = person("Planner", grants=[(BrandFactory(code="ACME"), MarketFactory())])
    url = f"{ROOT}/tickets/bulk-changes"
    asked = {"tickets": [{"id": str(two[0].public_id)}], "kind": "shift_days", "days": 7}
    refused = client_of(stranger).post(url, asked, format="json")
    assert refused.status_code == 400 and codes_of(refused, "tickets.0.id") == ["does_not_exist"]
    assert client_of(person("Analyst")).post(url, asked, format="json").status_code == 403
    empty = client_of(person("Planner")).post(url, {**asked, "tickets": []}, format="json")
    assert empty.status_code == 400


def test_the_api_changes_campaigns(planner):
    row = make_campaign()
    api, url = client_of(planner), f"{ROOT}/campaigns/bulk-changes"
    asked = {
        "campaigns": [{"id": str(row.public_id), "version": row.version}],
        "kind": "budget_to",
        "amount": "10.00",
    }
    dry = api.post(url, {**asked, "dry_run": True}, format="json").json()
    assert dry["results"][0]["steps"][0]["after"] == "$10.00"
    assert Campaign.objects.get(pk=row.pk).budget == Decimal("50000")
    assert api.post(url, asked, format="json").json()["results"][0]["problem"] == ""
    assert "changed by someone else" in api.post(url, asked, format="json").json()["results"][0]["problem"]
    Grant.objects.all().delete()
    assert (
        client_of(type(planner).objects.get(pk=planner.pk)).post(url, asked, format="json").status_code == 400
    )


def test_a_ticket_is_withdrawn_through_the_api(two, planner):
    api, url = client_of(planner), f"{ROOT}/tickets/{two[0].public_id}"
    assert api.post(f"{url}/submit").json()["status"] == "READY_FOR_API"
    assert api.post(f"{url}/withdraw", {"comment": "More budget."}, format="json").json()["status"] == "DRAFT"
    unguarded(Ticket).filter(pk=two[0].pk).update(status="QUEUED")
    assert api.post(f"{url}/withdraw").status_code in (400, 409)
