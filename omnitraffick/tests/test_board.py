"""The board: columns, real transitions for a drop, refusals in words, reach, and light polling."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from deploy.models import Deployment, Operation
from deploy.tests.conftest import sandboxes  # noqa: F401  (a fixture)
from deploy.tests.test_engine import deployed
from governance.governed import unguarded
from omnitraffick.tests.admin_world import approved, make_world, submitted
from trafficking.models import Approval, Ticket
from trafficking.services import approve_ticket
from trafficking.statuses import Status
from trafficking.tests.factories import make_campaign, make_ticket

pytestmark = pytest.mark.django_db
BOARD, MOVE = "/admin/board/", "/admin/board/move/"


@pytest.fixture
def world():
    return make_world()


@pytest.fixture(autouse=True)
def no_broker():
    with mock.patch("deploy.services.enqueue") as sent:
        yield sent


def drop(client: Any, ticket: Ticket, to: str, **changes: Any) -> dict[str, Any]:
    version = Ticket.objects.get(pk=ticket.pk).version
    answer = client.post(MOVE, {"ticket": ticket.pk, "to": to, "version": version, **changes})
    assert answer.status_code == 200, answer.content
    return answer.json()


def status_of(ticket: Ticket) -> str:
    return Ticket.objects.get(pk=ticket.pk).status


def columns(client: Any, query: str = "") -> dict[str, list[int]]:
    found = client.get(f"{BOARD}{query}").context["columns"]
    return {each.column.key: [card.ticket.pk for card in each.cards] for each in found}


@pytest.fixture
def built(world, sandboxes):  # noqa: F811
    ticket = approved(world)
    deployed(ticket, world.boss)
    return ticket


def test_a_draft_dropped_on_qa_is_really_checked_and_goes_on_to_approval(world, client):
    client.force_login(world.planner)
    told = drop(client, world.ticket, "qa")
    assert told["moved"] and "QA passed" in told["text"]
    assert status_of(world.ticket) == Status.READY_FOR_API
    assert [(each["id"], each["column"]) for each in told["cards"]] == [(world.ticket.pk, "approval")]


def test_a_drop_that_qa_refuses_tells_every_finding_with_its_remedy(world, client):
    row = world.ticket.ad_sets.get()
    row.geo = {}
    row.save()
    client.force_login(world.planner)
    told = drop(client, world.ticket, "approval")
    assert not told["moved"] and told["cards"][0]["column"] == "qa"
    assert any("No location is targeted" in each["message"] and each["remedy"] for each in told["findings"])
    assert status_of(world.ticket) == Status.QA_FAILED
    assert drop(client, world.ticket, "draft")["moved"] and status_of(world.ticket) == Status.DRAFT


def test_a_drop_never_approves_unread_it_opens_the_page_that_shows_the_plan(world, client):
    ticket = submitted(world)
    client.force_login(world.approver)
    told = drop(client, ticket, "trafficking")
    assert told["open"] == reverse("admin:trafficking_ticket_approve", args=[ticket.pk]) and not told["moved"]
    assert status_of(ticket) == Status.READY_FOR_API and not Approval.objects.exists()
    shown = client.get(told["open"]).content.decode()
    assert f'name="digest-{ticket.pk}" value="{ticket.digest}"' in shown


def test_whoever_submitted_or_may_not_approve_is_told_so(world, client):
    ticket = submitted(world)
    client.force_login(world.planner)
    assert "second person" in drop(client, ticket, "trafficking")["text"]
    unguarded(Ticket).filter(pk=ticket.pk).update(requested_by=world.approver)
    client.force_login(world.approver)
    told = drop(client, ticket, "trafficking")
    assert told["open"] == "" and "second person" in told["text"]


def test_an_approved_ticket_is_deployed_by_a_drop_and_withdrawn_by_another(world, client):
    ticket = approved(world)
    client.force_login(world.planner)
    assert "may not deploy" in drop(client, ticket, "trafficking")["text"]
    assert drop(client, ticket, "draft")["moved"] and status_of(ticket) == Status.DRAFT
    assert Ticket.objects.get(pk=ticket.pk).digest == ""


def test_a_deployer_starts_the_deployment_once(world, client):
    ticket = approved(world)
    client.force_login(world.approver)
    told = drop(client, ticket, "trafficking")
    assert told["moved"] and told["cards"][0]["column"] == "trafficking"
    assert status_of(ticket) == Status.QUEUED and Deployment.objects.count() == 1
    assert "A worker has it" in drop(client, ticket, "draft")["text"] and status_of(ticket) == Status.QUEUED


def test_built_is_not_live_and_a_drop_on_live_asks_for_the_activation(world, client, built):
    client.force_login(world.boss)
    assert columns(client)["trafficking"] == [built.pk]
    told = drop(client, built, "live")
    made = Ticket.objects.get(request_type="ACTIVATE")
    assert (made.status, made.scope) == (Status.READY_FOR_API, []) and f"Ticket {made.pk}" in told["text"]
    assert {each["id"]: each["column"] for each in told["cards"]} == {
        built.pk: "trafficking",
        made.pk: "approval",
    }
    again = drop(client, built, "live")
    assert (
        "asks for that already" in again["text"]
        and Ticket.objects.filter(request_type="ACTIVATE").count() == 1
    )
    approve_ticket(ticket=made, by=world.approver, digest=Ticket.objects.get(pk=made.pk).digest)
    deployed(made, world.boss)
    assert {key: pks for key, pks in columns(client).items() if pks} == {"live": [built.pk]}
    drop(client, built, "trafficking")
    assert Ticket.objects.get(request_type="PAUSE").status == Status.READY_FOR_API


def test_a_failed_ticket_is_sent_again_or_mended(world, client):
    ticket = approved(world)
    unguarded(Ticket).filter(pk=ticket.pk).update(status=Status.FAILED)
    client.force_login(world.boss)
    assert "Draft to mend it" in drop(client, ticket, "qa")["text"]
    assert drop(client, ticket, "draft")["moved"] and status_of(ticket) == Status.DRAFT


@pytest.mark.parametrize("to", ["trafficking", "live", "failed"])
def test_what_can_not_be_is_explained_and_changes_nothing(world, client, to):
    client.force_login(world.boss)
    before = Ticket.objects.get(pk=world.ticket.pk).version
    told = drop(client, world.ticket, to)
    assert not told["moved"] and len(told["text"]) > 30 and told["cards"][0]["column"] == "draft"
    assert Ticket.objects.get(pk=world.ticket.pk).version == before


def test_a_card_that_has_changed_meanwhile_is_not_moved(world, client):
    client.force_login(world.planner)
    told = drop(client, world.ticket, "qa", version=world.ticket.version - 1)
    assert not told["moved"] and "has changed" in told["text"] and status_of(world.ticket) == Status.DRAFT


def test_foreign_and_odd_ids_are_not_there(world, client):
    client.force_login(world.outsider)
    sent = {"ticket": world.ticket.pk, "to": "qa", "version": world.ticket.version}
    assert client.post(MOVE, sent).status_code == 404 and status_of(world.ticket) == Status.DRAFT
    for odd in ({"ticket": "x"}, {"ticket": ""}, {"ticket": "9" * 30}, {"to": "nowhere"}, {"ticket": "²"}):
        client.force_login(world.boss)
        assert client.post(MOVE, {**sent, **odd}).status_code == 404
    assert client.get(MOVE).status_code == 405


def test_another_brands_cards_stay_out_of_every_door(world, client):
    client.force_login(world.outsider)
    assert not any(columns(client).values())
    for door in ("live", "cards"):
        body = client.get(f"{BOARD}{door}/", {"ids": world.ticket.pk, "after": world.ticket.pk - 1}).json()
        assert body in ({"items": []}, {"cards": []})
    page = client.get(BOARD).content.decode()
    assert world.brand.name not in page and world.campaign.name not in page


def test_filters_narrow_the_board(world, client):
    client.force_login(world.boss)
    unguarded(Ticket).filter(pk=world.ticket.pk).update(owner=world.boss)
    other = make_ticket(
        campaign=make_campaign(name="Second Wave", brand=world.other_brand), owner=world.planner
    )
    assert columns(client, f"?brand={world.brand.pk}")["draft"] == [world.ticket.pk]
    assert columns(client, "?mine=1")["draft"] == [world.ticket.pk]
    assert columns(client, f"?owner={world.planner.pk}")["draft"] == [other.pk]
    assert columns(client, f"?market={world.market.pk + 999}")["draft"] == []
    assert len(columns(client, "?brand=x&owner=")["draft"]) == 2


def test_a_full_column_is_capped_and_leads_to_the_same_rows_in_the_list(world, client, monkeypatch):
    monkeypatch.setattr("omnitraffick.board_cards.MOST_CARDS", 2)
    for name in ("Second Wave", "Third Wave"):
        make_ticket(campaign=make_campaign(name=name), account=world.account)
    client.force_login(world.boss)
    column = client.get(f"{BOARD}?brand={world.brand.pk}").context["columns"][0]
    assert len(column.cards) == 2 and column.count == "2+"
    listed = client.get(column.more)
    assert listed.status_code == 200 and len(listed.context["cl"].result_list) == 3
    for each in client.get(BOARD).context["columns"]:
        answer = client.get(f"{reverse('admin:trafficking_ticket_changelist')}?{each.column.listed}")
        assert answer.status_code == 200, each.column.listed


def test_the_board_asks_as_often_whatever_there_is(world, client):
    client.force_login(world.planner)
    client.get(BOARD)
    with CaptureQueriesContext(connection) as few:
        client.get(BOARD)
    for number in range(4):
        make_ticket(campaign=make_campaign(name=f"Wave {number}"), account=world.account)
    with CaptureQueriesContext(connection) as many:
        client.get(BOARD)
    assert len(many) == len(few) <= 32, [each["sql"][:140] for each in many.captured_queries]


def test_a_look_is_cheap_and_answers_304_until_something_moves(world, client, no_broker):
    ticket = approved(world)
    client.force_login(world.approver)
    drop(client, ticket, "trafficking")
    url = f"{BOARD}live/?ids={ticket.pk}"
    first = client.get(url)
    total = Operation.objects.filter(deployment__ticket=ticket).count()
    assert first.json()["items"][0]["key"].endswith(f".0.{total}.0")
    with CaptureQueriesContext(connection) as asked:
        same = client.get(url, headers={"If-None-Match": first["ETag"]})
    assert same.status_code == 304 and same.content == b"" and same["ETag"] == first["ETag"]
    own = [
        each["sql"]
        for each in asked.captured_queries
        if "session" not in each["sql"] and 'governance_user".' not in each["sql"]
    ]
    about = [sql for sql in own if "trafficking_ticket" in sql or "deploy_operation" in sql]
    assert len(about) == 2, own
    Operation.objects.filter(deployment__ticket=ticket).update(state=Operation.State.DONE)
    moved = client.get(url, headers={"If-None-Match": first["ETag"]})
    assert moved.status_code == 200 and moved.json()["items"][0]["key"].endswith(f".{total}.{total}.0")


def test_new_tickets_come_with_the_look_and_their_cards_with_the_next(world, client):
    client.force_login(world.boss)
    after = world.ticket.pk
    made = make_ticket(campaign=make_campaign(name="Second Wave"), account=world.account)
    items = client.get(f"{BOARD}live/", {"ids": "", "after": after}).json()["items"]
    assert [each["id"] for each in items] == [made.pk]
    narrowed = client.get(f"{BOARD}live/", {"ids": "", "after": after, "brand": world.other_brand.pk})
    assert narrowed.json()["items"] == []
    cards = client.get(f"{BOARD}cards/", {"ids": made.pk}).json()["cards"]
    assert cards[0]["column"] == "draft" and "Second Wave" in cards[0]["html"]


def test_what_people_type_is_shown_as_text(world, client):
    unguarded(type(world.campaign)).filter(pk=world.campaign.pk).update(name="<script>x</script>")
    client.force_login(world.boss)
    assert "<script>x" not in client.get(BOARD).content.decode()
    assert (
        "<script>x" not in client.get(f"{BOARD}cards/", {"ids": world.ticket.pk}).json()["cards"][0]["html"]
    )


def test_nobody_looks_without_the_right(world, client):
    assert client.get(BOARD).status_code == 302
    assert client.get(f"{BOARD}live/").status_code == 302
    from governance.tests.factories import UserFactory

    client.force_login(UserFactory())
    assert client.get(BOARD).status_code == 403
