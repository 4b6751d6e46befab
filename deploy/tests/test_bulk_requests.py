"""One change to many campaigns: before and after first, then one following ticket for each, and each is told."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from deploy.tests.test_engine import approved, deployed
from governance.models import Grant
from governance.tests.factories import BrandFactory, UserFactory
from trafficking import bulk_requests, services
from trafficking.bulk_requests import Wish
from trafficking.models import Ad, Ticket
from trafficking.statuses import Status
from trafficking.tests.factories import make_campaign, make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_broker():
    with mock.patch("deploy.services.enqueue"):
        yield


@pytest.fixture
def two(sandboxes, trafficker, approver) -> list[Ticket]:
    first = approved(make_ticket("META", ad_sets=2), trafficker, approver)
    deployed(first, trafficker)
    other = make_ticket("TIKTOK", campaign=make_campaign(name="Second Wave", channels=("TIKTOK",)))
    deployed(approved(other, trafficker, approver), trafficker)
    return list(Ticket.objects.order_by("pk"))


def steps(found: Any) -> list[tuple[str, str]]:
    return [(step.before, step.after) for each in found for step in each.steps]


def test_a_preview_shows_before_and_after_and_writes_nothing(two):
    found = bulk_requests.preview(two, Wish("budget_percent", percent=Decimal("12.5")))
    assert steps(found) == [("$1,000.00", "$1,125.00")] * 3
    assert [each.refusal for each in found] == ["", ""] and Ticket.objects.count() == 2


def test_each_campaign_gets_its_own_ticket_with_the_change_submitted(two, trafficker):
    results = bulk_requests.carry_out(
        two, Wish("budget_to", amount=Decimal("1200"), note="More"), by=trafficker
    )
    assert [each.problem for each in results] == ["", ""]
    for result in results:
        made = Ticket.objects.get(pk=result.made.pk)
        assert (made.request_type, made.status, made.request_note) == ("UPDATE", Status.READY_FOR_API, "More")
        assert {row.budget for row in made.ad_sets.all()} == {Decimal("1200")}
        assert made.digest and services.current_plan(made).changes
    assert {row.budget for row in two[0].ad_sets.all()} == {Decimal("1000")}


def test_what_qa_refuses_for_one_stops_no_other(two, trafficker):
    results = bulk_requests.carry_out(two, Wish("budget_to", amount=Decimal("20")), by=trafficker)
    assert [bool(each.problem) for each in results] == [False, True], [each.problem for each in results]
    assert Ticket.objects.get(pk=results[1].made.pk).status == Status.QA_FAILED


def test_landing_pages_are_found_and_replaced(two, trafficker):
    wish = Wish("landing_page", find="https://example.com/moana", put="https://example.com/moana2")
    assert ("https://example.com/moana", "https://example.com/moana2") in steps(
        bulk_requests.preview(two, wish)
    )
    nothing = bulk_requests.preview(two, Wish("landing_page", find="nowhere", put="x"))
    assert all("nothing of it to change" in each.refusal for each in nothing)
    results = bulk_requests.carry_out(two, wish, by=trafficker)
    pages = Ad.objects.filter(ad_set__ticket__in=[each.made for each in results])
    assert set(pages.values_list("landing_page", flat=True)) == {"https://example.com/moana2"}


def test_the_last_day_moves_the_flight_and_ad_sets_that_end_with_it(two, trafficker):
    day = two[0].end_on - timedelta(days=2)
    (result, _other) = bulk_requests.carry_out(two, Wish("end_on", end_on=day), by=trafficker)
    assert result.problem == "" and Ticket.objects.get(pk=result.made.pk).end_on == day


def test_switches_say_what_they_start_to_spend(two, trafficker):
    found = bulk_requests.preview(two, Wish("activate"))
    assert found[0].steps[0].after == "Active. It starts spending: up to $2,000.00 over the whole flight."
    results = bulk_requests.carry_out(two, Wish("activate"), by=trafficker)
    assert [each.made.request_type for each in results] == ["ACTIVATE", "ACTIVATE"]
    paused = bulk_requests.preview(two, Wish("pause"))
    assert all("paused already" in each.refusal for each in paused)


def test_an_open_change_what_is_not_built_and_twins_are_told(two, trafficker):
    bulk_requests.carry_out(two[:1], Wish("budget_percent", percent=Decimal(10)), by=trafficker)
    draft = make_ticket("META", campaign=make_campaign(name="Third Wave"))
    found = bulk_requests.preview([two[0], two[0], draft], Wish("budget_percent", percent=Decimal(10)))
    assert len(found) == 2
    assert "still open" in found[0].refusal and "Nothing of this campaign" in found[1].refusal


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (Wish("budget_percent"), "percent"),
        (Wish("budget_percent", percent=Decimal(-100)), "percent"),
        (Wish("budget_to"), "amount"),
        (Wish("end_on"), "end_on"),
        (Wish("landing_page", put="x"), "find"),
    ],
)
def test_an_incomplete_wish_is_refused_at_its_field(two, trafficker, wish, field):
    with pytest.raises(ValidationError) as refused:
        bulk_requests.carry_out(two, wish, by=trafficker)
    assert field in refused.value.error_dict and Ticket.objects.count() == 2


def test_nothing_half_written_stays_of_a_campaign_that_is_not_theirs(two):
    stranger = UserFactory(roles=["Trafficker"])
    Grant.objects.create(user=stranger, brand=BrandFactory(code="ACME"))
    results = bulk_requests.carry_out(two, Wish("budget_percent", percent=Decimal(10)), by=stranger)
    assert all(each.made is None and "may not" in each.problem for each in results)
    assert Ticket.objects.count() == 2


def test_a_refused_copy_leaves_nothing(two, trafficker):
    with mock.patch("trafficking.bulk_requests._save", side_effect=ValidationError("No.")):
        results = bulk_requests.carry_out(two, Wish("budget_percent", percent=Decimal(10)), by=trafficker)
    assert [each.problem for each in results] == ["No.", "No."] and Ticket.objects.count() == 2


def test_the_pages_ask_show_and_tell(two, client, trafficker):
    client.force_login(trafficker)
    chosen = {"action": "bulk_change", "_selected_action": [each.pk for each in two]}
    asked = client.post(reverse("admin:trafficking_ticket_changelist"), chosen).content.decode()
    assert "2 tickets chosen" in asked
    url = reverse("admin:trafficking_ticket_bulk_change")
    values = {"ticket": [each.pk for each in two], "kind": "budget_percent", "percent": "10"}
    shown = client.post(url, values).content.decode()
    assert "$1,100.00" in shown and "Make and submit 2 tickets" in shown and Ticket.objects.count() == 2
    lacking = client.post(url, {**values, "percent": ""}).content.decode()
    assert "Say by how much" in lacking
    read = {f"version-{each.pk}": each.version for each in two}
    told = client.post(url, {**values, **read, "confirmed": "1"}).content.decode()
    assert told.count("QA passed: it waits for approval.") == 2 and Ticket.objects.count() == 4
    client.force_login(UserFactory(roles=["Approver"], everywhere=True))
    assert client.post(url, values).status_code == 403
