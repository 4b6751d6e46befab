"""Fair queues: a few deployments of each account with the broker, the next one when one ends, nothing lost."""

from __future__ import annotations

from collections import Counter, deque
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from deploy import dispatch, stops
from deploy.models import Deployment
from deploy.tests.test_same_moment import at_once
from governance.governed import unguarded, write_many
from governance.models import AdAccount, NamingConvention
from governance.tests.factories import AdAccountFactory, BrandFactory
from trafficking.models import Plan
from trafficking.tests.factories import make_campaign, make_ticket

State = Deployment.State


class Broker:
    """First in, first out; keeps what was sent until a worker takes it, or it is wiped."""

    def __init__(self) -> None:
        self.messages: deque[str] = deque()
        self.later: list[tuple[str, float]] = []
        self.down = False

    def apply_async(self, *, args, task_id, countdown=None, retry):
        if self.down:
            raise ConnectionError("no broker")
        if countdown:
            self.later.append((task_id, countdown))
        else:
            self.messages.append(task_id)


@pytest.fixture
def broker(monkeypatch) -> Broker:
    found = Broker()
    monkeypatch.setattr("deploy.tasks.deploy_payload_to_platform.apply_async", found.apply_async)
    return found


def queued(account: AdAccount, count: int, *, brand: str = "DIS", **values) -> list[Deployment]:
    """Deployments of `count` tickets in this account that nobody has been told of."""
    owner = BrandFactory(code=brand)
    convention = NamingConvention.in_force_or_none()
    rows = []
    for number in range(count):
        campaign = make_campaign(name=f"Busy {account.pk} {number}", brand=owner)
        account.serves.get_or_create(brand=owner, market=campaign.market)
        ticket = make_ticket("META", campaign=campaign, account=account)
        plan = Plan(
            ticket=ticket,
            digest=f"{number:064d}",
            platform="meta",
            api_version="v26.0",
            convention=convention,
        )
        write_many([plan])
        rows.append(Deployment(ticket=ticket, plan=plan, **values))
    return write_many(rows)


def account_of(task_id: str) -> int:
    return Deployment.objects.values_list("ticket__ad_account_id", flat=True).get(public_id=task_id)


def finish(task_id: str) -> None:
    """A worker carries it out."""
    deployment = Deployment.objects.select_related("ticket").get(public_id=task_id)
    unguarded(Deployment).filter(pk=deployment.pk).update(state=State.SUCCEEDED)
    dispatch.run_ended(deployment, None)


@pytest.mark.django_db
def test_a_busy_account_never_stands_before_a_quiet_one(broker, settings):
    settings.DEPLOY_ACCOUNT_PARALLEL = 2
    busy, quiet = AdAccountFactory(), AdAccountFactory()
    queued(busy, 9)
    assert dispatch.dispatch() == 2
    (last,) = queued(quiet, 1)
    assert dispatch.dispatch() == 1
    assert list(broker.messages).index(str(last.public_id)) == 2
    order = []
    while broker.messages:
        task = broker.messages.popleft()
        order.append(account_of(task))
        finish(task)
        assert Counter(map(account_of, broker.messages))[busy.pk] <= 2
    assert order.index(quiet.pk) <= 2
    assert Counter(order) == {busy.pk: 9, quiet.pk: 1}


@pytest.mark.django_db
def test_busy_accounts_take_turns(broker, settings):
    settings.DEPLOY_ACCOUNT_PARALLEL = 1
    accounts = [AdAccountFactory() for _each in range(3)]
    for account in accounts:
        queued(account, 3)
    dispatch.dispatch()
    order = []
    while broker.messages:
        task = broker.messages.popleft()
        order.append(account_of(task))
        finish(task)
    assert [len(set(order[at : at + 3])) for at in (0, 3, 6)] == [3, 3, 3]


@pytest.mark.django_db
def test_nothing_is_sent_twice_while_its_message_is_believed_in(broker):
    queued(AdAccountFactory(), 3)
    assert (dispatch.dispatch(), dispatch.dispatch()) == (3, 0)
    assert len(set(broker.messages)) == 3


@pytest.mark.django_db
def test_what_a_wiped_broker_lost_is_sent_again(broker, settings):
    settings.ENQUEUE_AGAIN_AFTER_S = 60
    queued(AdAccountFactory(), 3)
    dispatch.dispatch()
    lost = set(broker.messages)
    broker.messages.clear()
    assert dispatch.dispatch() == 0
    Deployment.objects.update(enqueued_at=timezone.now() - timedelta(seconds=61))
    assert dispatch.dispatch() == 3
    assert set(broker.messages) == lost


@pytest.mark.django_db
def test_what_a_broker_that_is_down_did_not_take_is_sent_later(broker):
    queued(AdAccountFactory(), 2)
    broker.down = True
    dispatch.dispatch()
    broker.down = False
    assert not broker.messages
    Deployment.objects.update(enqueued_at=timezone.now() - timedelta(hours=1))
    assert dispatch.dispatch() == 2


@pytest.mark.django_db
def test_a_dead_workers_run_is_sent_again_and_a_living_ones_is_not(broker):
    now = timezone.now()
    dead, alive = queued(AdAccountFactory(), 2, state=State.RUNNING, enqueued_at=now - timedelta(hours=1))
    unguarded(Deployment).filter(pk=dead.pk).update(lease_until=now - timedelta(seconds=1))
    unguarded(Deployment).filter(pk=alive.pk).update(lease_until=now + timedelta(seconds=60))
    assert dispatch.dispatch() == 1
    assert list(broker.messages) == [str(dead.public_id)]


@pytest.mark.django_db
def test_running_ones_take_places_too(broker, settings):
    settings.DEPLOY_ACCOUNT_PARALLEL = 3
    account = AdAccountFactory()
    queued(account, 5)
    for row in Deployment.objects.order_by("id")[:2]:
        unguarded(Deployment).filter(pk=row.pk).update(
            state=State.RUNNING, lease_until=timezone.now() + timedelta(seconds=60)
        )
    assert dispatch.dispatch() == 1


@pytest.mark.django_db
def test_what_waits_for_long_gives_its_place_to_the_next_and_comes_back_in_time(broker, settings):
    settings.DEPLOY_ACCOUNT_PARALLEL = 1
    first, second = queued(AdAccountFactory(), 2)
    dispatch.dispatch()
    assert broker.messages.popleft() == str(first.public_id)
    later = timezone.now() + timedelta(hours=1)
    unguarded(Deployment).filter(pk=first.pk).update(state=State.WAITING, next_try_at=later)
    dispatch.run_ended(Deployment.objects.get(pk=first.pk), None)
    assert list(broker.messages) == [str(second.public_id)]
    finish(broker.messages.popleft())
    assert dispatch.dispatch() == 0
    unguarded(Deployment).filter(pk=first.pk).update(next_try_at=timezone.now())
    assert dispatch.dispatch() == 1


@pytest.mark.django_db
def test_what_waits_for_moments_keeps_its_place_and_its_message(broker, settings):
    settings.DEPLOY_ACCOUNT_PARALLEL = 1
    first, _second = queued(AdAccountFactory(), 2)
    dispatch.dispatch()
    broker.messages.clear()
    soon = timezone.now() + timedelta(seconds=5)
    unguarded(Deployment).filter(pk=first.pk).update(state=State.WAITING, next_try_at=soon)
    dispatch.run_ended(Deployment.objects.get(pk=first.pk), 5.0)
    assert broker.later == [(str(first.public_id), 5.0)]
    assert dispatch.dispatch() == 0


@pytest.mark.django_db
def test_an_authorised_moment_is_waited_for(broker):
    (row,) = queued(AdAccountFactory(), 1, not_before=timezone.now() + timedelta(hours=1))
    assert dispatch.dispatch() == 0
    unguarded(Deployment).filter(pk=row.pk).update(not_before=timezone.now())
    assert dispatch.dispatch() == 1


@pytest.mark.django_db
def test_what_a_kill_switch_holds_up_is_sent_when_it_is_released(broker, trafficker):
    account = AdAccountFactory()
    queued(account, 2, brand="DIS")
    queued(account, 1, brand="PIX")
    stop = stops.engage(scope="BRAND", brand=BrandFactory(code="DIS"), by=trafficker, reason="Wrong price")
    assert dispatch.dispatch() == 1
    stops.release(stop=stop, by=trafficker, comment="Right price")
    assert dispatch.dispatch() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="needs PostgreSQL: SQLite in memory has one writer"
)
def test_dispatchers_in_the_same_moment_keep_to_the_places_there_are(broker, settings):
    settings.DEPLOY_ACCOUNT_PARALLEL = 4
    queued(AdAccountFactory(), 12)
    results = at_once(*[dispatch.dispatch for _each in range(5)])
    assert sum(results) == 4
    assert len(set(broker.messages)) == 4
