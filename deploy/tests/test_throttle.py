"""The rate budget: never one call above the limit in any window, and no call wasted that was allowed."""

from __future__ import annotations

import heapq
import os
import random
import threading
import time
from bisect import bisect_left

import pytest
import redis
from django.db import connection
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from deploy import throttle
from deploy.models import RateState
from deploy.pace import LOST_FOR_S, Budget, pace_of
from deploy.throttle import Database, InHand, Redis, Wait
from governance.tests.factories import AdAccountFactory
from trafficking.platforms.base import RateLimit, Usage
from trafficking.platforms.registry import platform

REDIS = os.environ.get("REDIS_URL", "")
needs_redis = pytest.mark.skipif(not REDIS, reason="needs REDIS_URL")


class Clock:
    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def most_in_any_window(moments: list[float], window_s: float) -> int:
    """The largest count of moments in [t, t + window_s)."""
    moments = sorted(moments)
    return max((bisect_left(moments, start + window_s) - at for at, start in enumerate(moments)), default=0)


def fresh_store(kind: str, clock: Clock):
    if kind == "database":
        return Database(clock)
    store = Redis(redis.Redis.from_url(REDIS), clock)
    store.connection.delete("omnitraffick:rate:1")
    return store


KINDS = ["database", pytest.param("redis", marks=needs_redis)]
limits = st.builds(RateLimit, st.integers(1, 400), st.sampled_from([1.0, 2.0, 10.0, 60.0, 3600.0]))


# ------------------------------------------------------------------------- never above the limit


class Crowd:
    """Visitors of one account in virtual time: each calls for as long as it may, and comes back when it is told."""

    def __init__(self, store, clock: Clock, limit: RateLimit, seed: int) -> None:
        self.store, self.clock, self.limit = store, clock, limit
        self.pace = pace_of(limit, 0.3)
        self.random = random.Random(seed)
        self.arrived: list[float] = []
        self.by_share: dict[str, int] = {"deploy": 0, "reads": 0, "urgent": 0}

    def run(self, shares: list[str], seconds: float, lateness: float = 0.0) -> None:
        begin = self.clock.now
        diary = [(begin, at, share) for at, share in enumerate(shares)]
        heapq.heapify(diary)
        while diary and diary[0][0] < begin + seconds:
            self.clock.now, who, share = heapq.heappop(diary)
            again = self.visit(share)
            heapq.heappush(diary, (again + lateness * self.random.random(), who, share))

    def visit(self, share: str) -> float:
        wait_s, granted = self.store.take(1, self.pace, share, self.pace.chunk if share == "deploy" else 1)
        self.by_share[share] += granted
        for _call in range(granted):
            in_hand = self.random.uniform(0, self.pace.chunk_s) if granted > 1 else 0.0
            self.arrived.append(self.clock.now + in_hand + self.random.uniform(0, self.latency_s))
        return self.clock.now + (wait_s or 0.0001)

    @property
    def latency_s(self) -> float:
        """What the slack is for, beside grants in hand."""
        return self.pace.span_s - self.limit.window_s - self.pace.chunk_s


class AnyLimit(TestCase):
    @hypothesis(max_examples=25, deadline=None)
    @given(
        limit=limits.filter(lambda limit: limit.calls <= 60),
        shares=st.lists(st.sampled_from(["deploy", "reads", "urgent"]), min_size=1, max_size=12),
        seed=st.integers(0, 2**32),
        lateness=st.sampled_from([0.0, 0.05, 1.0]),
    )
    def test_no_window_ever_holds_a_call_too_many(self, limit, shares, seed, lateness):
        RateState.objects.all().delete()
        clock = Clock()
        crowd = Crowd(Database(clock), clock, limit, seed)
        seconds = min(2.5, 120 / limit.calls) * limit.window_s
        crowd.run(shares[:6], seconds, lateness * limit.window_s / 10)
        clock.now += random.Random(seed).uniform(0, limit.window_s)  # a rest, then everybody at once
        crowd.run(shares * 2, seconds / 3)
        assert crowd.arrived
        assert most_in_any_window(crowd.arrived, limit.window_s) <= limit.calls

    @needs_redis
    @hypothesis(max_examples=60, deadline=None)
    @given(
        limit=limits,
        shares=st.lists(st.sampled_from(["deploy", "reads", "urgent"]), min_size=1, max_size=12),
        seed=st.integers(0, 2**32),
    )
    def test_no_window_ever_holds_a_call_too_many_in_redis(self, limit, shares, seed):
        RateState.objects.all().delete()
        clock = Clock()
        crowd = Crowd(fresh_store("redis", clock), clock, limit, seed)
        crowd.run(shares, min(2.5, 400 / limit.calls) * limit.window_s)
        assert crowd.arrived
        assert most_in_any_window(crowd.arrived, limit.window_s) <= limit.calls


@needs_redis
@pytest.mark.django_db
def test_a_redis_that_forgets_everything_lets_nobody_above_the_limit():
    clock, limit = Clock(), RateLimit(100, 10.0)
    store = fresh_store("redis", clock)
    crowd = Crowd(store, clock, limit, seed=3)
    for _wipe in range(8):
        crowd.run(["deploy"] * 4, 14.0)
        store.connection.delete("omnitraffick:rate:1")
    assert len(crowd.arrived) > 300
    assert most_in_any_window(crowd.arrived, limit.window_s) <= limit.calls


@given(limit=limits, now=st.floats(1.7e9, 1.9e9))
def test_what_was_lost_counts_as_used_up_and_all_of_it_comes_back(limit, now):
    pace = pace_of(limit, 0.3)
    budget = Budget(spent=pace.lost(now))
    assert budget._used(1) == pace.most
    if pace.span_s <= LOST_FOR_S:
        assert all(each[0] >= now + limit.window_s for each in budget.spent)
    assert budget.take(pace, "deploy", 1, now + 1.1 * pace.span_s) == (0.0, 1)


# ----------------------------------------------------------------------------- nothing is wasted


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "limit",
    [RateLimit(10, 1.0), RateLimit(7, 10.0), RateLimit(20, 10.0), RateLimit(60, 60.0), RateLimit(300, 60.0)],
)
def test_four_workers_use_more_than_four_fifths_of_what_is_allowed(kind, limit):
    clock = Clock()
    crowd = Crowd(fresh_store(kind, clock), clock, limit, seed=1)
    seconds = limit.window_s * min(6, 300 / limit.calls + 1)
    crowd.run(["deploy"] * 4, seconds, lateness=0.02 * limit.window_s)
    assert len(crowd.arrived) >= 0.8 * limit.calls * seconds / limit.window_s


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("limit", [RateLimit(20, 10.0), RateLimit(60, 60.0)])
def test_who_comes_back_when_told_finds_enough_for_work_that_can_not_be_interrupted(kind, limit):
    """Each visitor takes its calls one by one until it is refused: whoever is there first. Of four
    one finds enough for a whole stretch of work, and nobody comes for one call only."""
    clock, pace = Clock(), pace_of(limit, 0.3)
    store = fresh_store(kind, clock)
    visits: list[int] = []
    diary = [(clock.now, who) for who in range(4)]
    until = clock.now + 12 * limit.window_s
    while diary[0][0] < until:
        clock.now, who = heapq.heappop(diary)
        calls = 0
        while not (wait_s := store.take(1, pace, "deploy", 1)[0]):
            calls += 1
            clock.now += 0.02
        visits.append(calls)
        heapq.heappush(diary, (clock.now + wait_s, who))
    later = visits[4:]
    assert sum(visits) >= 0.8 * limit.calls * 12
    fruitful = [calls for calls in later if calls]
    assert len(fruitful) >= 0.2 * len(later), visits
    assert sum(calls >= pace.visit // 2 for calls in fruitful) >= 0.9 * len(fruitful), visits


# ---------------------------------------------------------------------------------------- shares


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_reads_have_their_bounded_part_and_no_more(kind):
    clock, limit = Clock(), RateLimit(100, 10.0)
    crowd = Crowd(fresh_store(kind, clock), clock, limit, seed=1)
    crowd.run(["reads"] * 3, 30.0)
    assert 0.2 * 300 <= crowd.by_share["reads"] <= 0.3 * 300 + 30
    before = crowd.by_share["reads"]
    crowd.run(["reads"] * 3 + ["deploy"] * 2, 30.0)
    assert crowd.by_share["deploy"] >= 0.5 * 300
    assert crowd.by_share["reads"] - before <= 0.3 * 300 + 30


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("limit", [RateLimit(10, 10.0), RateLimit(100, 10.0)])
def test_urgent_goes_before_everyone_who_waits(kind, limit):
    clock = Clock()
    store, pace = fresh_store(kind, clock), pace_of(limit, 0.3)
    while store.take(1, pace, "deploy", 1)[1]:
        clock.now += 0.1
    while store.take(1, pace, "urgent", 1)[1]:
        pass
    wait_s, _granted = store.take(1, pace, "urgent", 1)
    clock.now += wait_s
    assert store.take(1, pace, "deploy", 1)[1] == 0, "the next call belongs to who is urgent"
    assert store.take(1, pace, "urgent", 1) == (0.0, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_one_account_never_spends_for_another(kind):
    clock, limit = Clock(), RateLimit(20, 10.0)
    store, pace = fresh_store(kind, clock), pace_of(limit, 0.3)
    if kind == "redis":
        store.connection.delete("omnitraffick:rate:2")
    while store.take(1, pace, "deploy", 1)[1]:
        pass
    assert store.take(2, pace, "deploy", 1) == (0.0, 1)


# ------------------------------------------------------------------------ what the platform says


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_told_to_stay_away_all_wait_but_the_urgent(kind):
    clock, pace = Clock(), pace_of(RateLimit(100, 10.0), 0.3)
    store = fresh_store(kind, clock)
    store.learn(1, pace, 0.0, 50.0)
    for share in ("deploy", "reads"):
        wait_s, granted = store.take(1, pace, share, 1)
        assert granted == 0
        assert wait_s >= 50.0 - 0.001
    assert store.take(1, pace, "urgent", 1) == (0.0, 1)
    clock.now += 50.0
    assert store.take(1, pace, "deploy", 1)[1] == 1


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_calls_of_others_count_like_ours_as_soon_as_the_platform_tells_of_them(kind):
    clock, limit = Clock(), RateLimit(100, 10.0)
    store, pace = fresh_store(kind, clock), pace_of(limit, 0.3)
    assert store.take(1, pace, "deploy", 1)[1] == 1
    store.learn(1, pace, 0.9, 0.0)  # 90 calls, and we know of one
    left = 0
    while store.take(1, pace, "deploy", 1)[1]:
        left += 1
    assert left == 100 - 90 - 100 // 20 + 1
    clock.now += 11
    assert store.take(1, pace, "deploy", 1)[1] == 1


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_our_own_calls_as_the_platform_counts_them_change_nothing(kind):
    clock, limit = Clock(), RateLimit(100, 10.0)
    store, pace = fresh_store(kind, clock), pace_of(limit, 0.3)
    for number in range(95):
        assert store.take(1, pace, "deploy", 1)[1] == 1
        store.learn(1, pace, (number + 1) / 100, 0.0)
    assert store.take(1, pace, "deploy", 1)[1] == 0


# ------------------------------------------------------------------------------------- the doors


@pytest.mark.django_db
def test_an_account_of_its_own_limit_is_held_to_that_and_others_to_the_platforms(settings):
    settings.REDIS_URL = ""
    own = AdAccountFactory(rate_calls=8, rate_window_s=3600)
    usual = AdAccountFactory(external_id="77777")
    granted = 0
    with pytest.raises(Wait) as refused:
        for _call in range(50):
            throttle.take(own)
            granted += 1
    assert 1 <= granted <= 8
    assert refused.value.after > 3000
    assert throttle.pace_for(usual).limit == platform(usual.platform).rate_limit
    throttle.take(usual)


@pytest.mark.django_db
def test_a_wait_that_the_platform_asks_for_also_takes_the_grants_in_hand(settings):
    settings.REDIS_URL = ""
    account = AdAccountFactory(rate_calls=1000, rate_window_s=60)
    throttle.take(account)
    throttle.learn(account, Usage(share=1.0, wait_s=30.0))
    with pytest.raises(Wait) as refused:
        throttle.take(account)
    assert refused.value.after > 29
    throttle.take(account, "urgent")


@pytest.mark.django_db
def test_an_answer_that_tells_nothing_changes_nothing(settings):
    settings.REDIS_URL = ""
    account = AdAccountFactory()
    throttle.learn(account, None)
    throttle.learn(account, Usage(share=0.3))
    assert not RateState.objects.exists()


@pytest.mark.django_db
def test_urgent_calls_get_through_while_redis_is_down(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    account = AdAccountFactory()
    with pytest.raises(redis.RedisError):
        throttle.take(account)
    throttle.take(account, "urgent")
    throttle.learn(account, Usage(share=1.0, wait_s=5.0))
    assert RateState.objects.filter(key=str(account.pk)).exists()


def test_grants_in_hand_are_used_once_and_only_while_fresh():
    clock = Clock()
    hand, pace = InHand(clock), pace_of(RateLimit(1000, 60.0), 0.3)
    hand.put(1, pace, 2)
    assert [hand.use(1, pace) for _time in range(3)] == [True, True, False]
    hand.put(1, pace, 2)
    clock.now += pace.chunk_s
    assert not hand.use(1, pace)
    hand.put(1, pace, 2)
    assert not hand.use(1, pace_of(RateLimit(10, 60.0), 0.3)), "the limit was changed meanwhile"


# ------------------------------------------------------------------------------ many at the same time


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="needs PostgreSQL: SQLite in memory has one writer"
)
def test_threads_that_take_at_the_same_moment_never_take_the_same_grant():
    limit = RateLimit(40, 2.0)
    pace, store = pace_of(limit, 0.3), Database()
    granted: list[float] = []
    until = time.time() + 6

    def work() -> None:
        while time.time() < until:
            wait_s, calls = store.take(1, pace, "deploy", pace.chunk)
            granted.extend([time.time()] * calls)
            time.sleep(wait_s)
        connection.close()

    threads = [threading.Thread(target=work) for _worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most_in_any_window(granted, limit.window_s) <= limit.calls
    assert len(granted) >= 0.75 * limit.calls * 6 / limit.window_s
