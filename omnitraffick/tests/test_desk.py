"""The desk: what each person finds there, in few queries whatever there is, and nothing of others'."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from deploy.models import Alert
from governance import panels
from governance.tests.api_clients import person
from governance.tests.factories import BrandFactory
from omnitraffick import desk, navigation
from trafficking import desk as reads
from trafficking import services
from trafficking.models import Ticket
from trafficking.tests.factories import make_campaign, make_ticket

pytestmark = pytest.mark.django_db
DESK = reverse("admin:index")


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def submitted(by, name: str = "Moana") -> Ticket:
    ticket = make_ticket("META", campaign=make_campaign(channels=("META",), name=name))
    report = services.submit_ticket(ticket=ticket, by=by)
    assert report.passed, report.findings
    return ticket


@pytest.fixture
def ana():
    return person("Trafficker")


@pytest.fixture
def ben():
    return person("Approver")


def boxes(user) -> dict[str, desk.Box]:
    return {str(box.title): box for box in desk._boxes(user)[0]}


def test_a_plan_waits_for_who_may_approve_it_and_not_for_who_asked(ana, ben):
    ticket = submitted(ana)
    both = person("Trafficker", "Approver")
    Ticket.objects.get(pk=ticket.pk)
    assert "Waiting for my approval" not in boxes(ana)
    assert boxes(ben)["Waiting for my approval"].count == "1"
    mine = submitted(both, "Frozen")
    waiting = boxes(both)["Waiting for my approval"]
    assert [row["name"] for row in waiting.rows] == [str(ticket)]
    assert str(mine) in [row["name"] for row in boxes(ben)["Waiting for my approval"].rows]


def test_a_plan_that_i_have_approved_waits_for_another(ana, ben, monkeypatch):
    from trafficking.models import ApprovalRule

    ApprovalRule(approvers=2, from_amount=Decimal("1"), note="two").save()
    ticket = submitted(ana)
    services.approve_ticket(ticket=ticket, by=ben, digest=ticket.digest)
    assert boxes(ben)["Waiting for my approval"].rows == []
    assert boxes(person("Approver"))["Waiting for my approval"].count == "1"


def test_nothing_of_other_brands_is_shown_or_counted(ana):
    ticket = submitted(ana, "SecretLaunch")
    stranger = person("Trafficker", "Approver", grants=[(BrandFactory(code="NIKE"), None)])
    page = signed_in(stranger).get(DESK).content.decode()
    assert "SecretLaunch" not in page
    assert all(bar.count == 0 for bar in desk._steps(stranger))
    assert str(ticket) in signed_in(person("Approver")).get(DESK).content.decode()


def test_the_desk_takes_fewer_than_twenty_queries_whatever_there_is(ana, ben):
    def queries() -> int:
        client = signed_in(person("Trafficker", "Approver", "Data admin"))
        client.get(DESK)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(DESK).status_code == 200
        return len(caught)

    few = queries()
    for number in range(4):
        submitted(ana, f"Moana {number}")
        make_ticket("META", campaign=make_campaign(channels=("META",), name=f"Draft {number}"), owner=ben)
    assert queries() == few
    assert few < 20


def test_spend_at_risk_adds_budgets_over_their_flights_by_currency(ana):
    ticket = submitted(ana)
    days = (ticket.end_on - ticket.start_on).days + 1
    [row] = ticket.ad_sets.all()
    assert reads.budgets(ana, [ticket.pk]) == {"USD": row.budget}
    type(row).objects.filter(pk=row.pk)
    row.budget_type, row.budget = "DAILY", Decimal(10)
    row.save()
    assert reads.budgets(ana, [ticket.pk]) == {"USD": Decimal(10) * days}


def test_qa_failures_are_told_by_rule_in_words(ana):
    ticket = make_ticket("META")
    ad = ticket.ad_sets.get().ads.get()
    ad.landing_page = ""
    ad.save()
    ticket = Ticket.objects.get(pk=ticket.pk)
    assert not services.submit_ticket(ticket=ticket, by=ana).passed
    [(code, count), *_rest] = reads.failures_by_rule(ana)
    assert count == 1
    words = desk.rule_words(code)
    assert words != code
    assert "{" not in words
    assert words in signed_in(ana).get(DESK).content.decode().replace("&#x27;", "'")


def test_a_person_without_a_role_is_told_what_to_do():
    from governance.models import User

    nobody = User.objects.create_user("nobody", password="a long pass phrase", is_staff=True)
    page = signed_in(nobody).get(DESK).content.decode()
    assert "Nothing is yours yet" in page


def test_what_runs_is_answered_with_an_etag(ana):
    client = signed_in(ana)
    first = client.get(reverse("admin:desk_running"))
    assert "Nothing is being deployed." in first.content.decode()
    again = client.get(reverse("admin:desk_running"), HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert Client().get(reverse("admin:desk_running")).status_code == 302


def test_higher_floors_show_panels_on_the_desk(ana, monkeypatch):
    monkeypatch.setattr(panels, "_panels", {})
    made = panels.Panel("Conversions", "omnitraffick/desk/nothing.html", lambda row, request: {"row": row})
    panels.register("desk", made)
    assert "Nothing is measured yet" not in signed_in(ana).get(DESK).content.decode()


@pytest.mark.parametrize(("there", "badge"), [(0, None), (3, "3"), (120, "99+")])
def test_the_badge_of_alerts_reads_no_more_rows_than_it_tells(rf, there, badge):
    Alert.objects.bulk_create(
        [Alert(code="alert.account_unreadable", severity="CRITICAL") for _ in range(there)]
    )
    request = rf.get("/")
    request.user = person("Trafficker")
    with CaptureQueriesContext(connection) as asked:
        items = [item for section in navigation.sections(request) for item in section["items"]]
    assert next(item for item in items if item["icon"] == "notifications").get("badge") == badge
    counts = [each["sql"] for each in asked if "deploy_alert" in each["sql"] and "COUNT" in each["sql"]]
    assert len(counts) == 1 and "LIMIT 100" in counts[0]
