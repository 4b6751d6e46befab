"""Two workers or people in the same moment: real threads, each with its own database connection.

On SQLite the threads share one database in memory, where a second writer is refused instead of waiting: these run
on PostgreSQL (`DATABASE_URL=postgres://… pytest deploy/tests/test_same_moment.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from deploy import engine, services
from deploy.models import Deployment, Operation
from deploy.tests.test_engine import approved
from governance.governed import StaleVersion
from governance.tests.factories import UserFactory
from trafficking import services as tickets
from trafficking.models import AdSet, Approval, Ticket
from trafficking.statuses import Status
from trafficking.tests.factories import make_ticket

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="needs PostgreSQL: SQLite in memory has one writer"
    ),
]


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run them in threads that start together; what each returned or raised."""
    gate, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(at: int, act: Callable[[], Any]) -> None:
        try:
            gate.wait(10)
            results[at] = act()
        except Exception as error:
            results[at] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    return results


def read(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_related("campaign", "channel", "ad_account").get(pk=ticket.pk)


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    monkeypatch.setattr("deploy.services.enqueue", lambda deployment, **_kwargs: None)


@pytest.mark.parametrize("_time", range(3))
def test_of_two_who_deploy_at_once_one_starts_it(_time, trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    rows = [read(ticket) for _person in range(4)]
    results = at_once(*[lambda row=row: services.start_deployment(ticket=row, by=trafficker) for row in rows])
    started = [each for each in results if isinstance(each, Deployment)]
    assert len(started) == 1, results
    assert all(
        isinstance(each, StaleVersion | services.AlreadyDeploying) for each in results if each not in started
    )
    assert Deployment.objects.count() == 1
    assert Operation.objects.count() == len(started[0].plan.operations)
    assert read(ticket).status == Status.QUEUED


@pytest.mark.parametrize("_time", range(3))
def test_of_two_workers_one_holds_the_run(_time, trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    deployment = services.start_deployment(ticket=ticket, by=trafficker)
    rows = [Deployment.objects.get(pk=deployment.pk) for _worker in range(4)]
    leases = at_once(*[lambda row=row: engine._claim(row) for row in rows])
    assert sum(bool(lease) for lease in leases) == 1


@pytest.mark.parametrize("_time", range(3))
def test_of_two_approvers_at_once_one_decides(_time, trafficker, approver):
    ticket = make_ticket("META")
    assert tickets.submit_ticket(ticket=ticket, by=trafficker).passed
    people = [approver, UserFactory(roles=["Approver"], everywhere=True)]
    results = at_once(
        lambda: tickets.approve_ticket(ticket=read(ticket), by=people[0], digest=ticket.digest),
        lambda: tickets.reject_ticket(ticket=read(ticket), by=people[1], comment="No"),
    )
    left = read(ticket)
    last = Approval.objects.filter(ticket=ticket).order_by("-id").first()
    refused = [each for each in results if isinstance(each, Exception)]
    # one after the other is allowed (approved, then taken back); both from the same state is not
    assert Approval.objects.count() == 2 - len(refused), results
    assert (left.status == Status.APPROVED) == (last.decision == Approval.Decision.APPROVED)


@pytest.mark.parametrize("_time", range(3))
def test_an_edit_in_the_moment_of_deploying_never_leaves_a_queued_ticket_with_another_tree(
    _time, trafficker, approver
):
    ticket = approved(make_ticket("META"), trafficker, approver)
    part = AdSet.objects.select_related("ticket__campaign", "ticket__channel").get(ticket=ticket)
    part.age_min = 30
    row = read(ticket)
    edited, started = at_once(part.save, lambda: services.start_deployment(ticket=row, by=trafficker))
    age, left = AdSet.objects.get(pk=part.pk).age_min, read(ticket)
    if isinstance(started, Exception):
        assert isinstance(started, StaleVersion | ValidationError), started
        assert (age, left.status, Deployment.objects.count()) == (30, Status.DRAFT, 0)
    else:
        assert isinstance(edited, StaleVersion | ValidationError), edited
        assert (age, left.status, Deployment.objects.count()) == (18, Status.QUEUED, 1)


@pytest.mark.parametrize("_time", range(3))
def test_a_cancel_in_the_moment_a_worker_begins_is_either_refused_or_nothing_begins(
    _time, trafficker, approver
):
    ticket = approved(make_ticket("META"), trafficker, approver)
    deployment = services.start_deployment(ticket=ticket, by=trafficker)
    row, run = read(ticket), Deployment.objects.get(pk=deployment.pk)
    cancelled, lease = at_once(
        lambda: tickets.cancel_ticket(ticket=row, by=trafficker), lambda: engine._claim(run)
    )
    deployment.refresh_from_db()
    if lease:
        assert isinstance(cancelled, ValidationError)
        assert (deployment.state, read(ticket).status) == (Deployment.State.RUNNING, Status.QUEUED)
    else:
        assert cancelled is None
        assert (deployment.state, read(ticket).status) == (Deployment.State.CANCELLED, Status.CANCELLED)
