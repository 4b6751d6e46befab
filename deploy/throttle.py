"""One rate budget for each ad account, shared by all workers: who may call now, and who comes back when.

Nothing here sleeps. `take` grants a call or raises `Wait`; the worker puts its work down and takes it up again then.
The budget stands in Redis (one atomic script, Redis' own clock), or in the table of `RateState` where there is no
Redis: then all workers run on one machine and share its clock. Where Redis is lost with what it knew, an account that
was called before begins as if its limit were used up (`Pace.lost`).
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol, TypeVar

import redis
from django.conf import settings

from deploy.models import RateState
from deploy.pace import SOONEST_S, Budget, Pace, Share, as_spent, pace_of
from governance.models import AdAccount
from trafficking.platforms.base import RateLimit, Usage
from trafficking.platforms.registry import platform

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
#: No answer of a platform keeps an account waiting longer (seconds).
LONGEST_HOLD_S = 86_400.0
#: Below this share of the limit the platform's own count is not asked for: it costs a write.
LISTEN_FROM = 0.8
#: How often a row that others write at the same moment is tried.
MOST_TRIES = 50
#: Then it is put off for so long.
BUSY_S = 0.5


class Wait(Exception):
    """Not now. `after`: come back in so many seconds."""

    def __init__(self, after: float) -> None:
        super().__init__(f"the account's rate limit asks to wait {after:.2f} s")
        self.after = after


def take(account: AdAccount, share: Share = "deploy") -> None:
    """Count one call of `account` before it is made. Raises Wait where it would be one too many.

    Call it outside of transactions: on PostgreSQL the account's budget stays locked until the end of one.
    """
    pace = pace_for(account)
    if share == "deploy" and _in_hand.use(account.pk, pace):
        return
    wait_s, granted = _taken(account, pace, share)
    if wait_s:
        raise Wait(wait_s)
    if granted > 1:
        _in_hand.put(account.pk, pace, granted - 1)


def learn(account: AdAccount, usage: Usage | None) -> None:
    """What the platform's last answer told of its own count: calls of others count like ours, and told to stay away
    everybody does but the urgent."""
    if usage is None:
        return
    hold_s = min(usage.wait_s or 0.0, LONGEST_HOLD_S)
    if hold_s:
        _in_hand.drop(account.pk)
    if not hold_s and usage.share < LISTEN_FROM:
        return
    try:
        _store().learn(account.pk, pace_for(account), usage.share, hold_s)
    except redis.RedisError:
        logger.exception("Redis does not answer; what account %s told of its limit is lost", account.pk)


def pace_for(account: AdAccount) -> Pace:
    """By the account's own figures, else by the platform's usual limit."""
    limit = platform(account.platform).rate_limit
    if account.rate_calls and account.rate_window_s:
        limit = RateLimit(account.rate_calls, float(account.rate_window_s))
    return pace_of(limit, settings.RATE_READS_SHARE)


def _taken(account: AdAccount, pace: Pace, share: Share) -> tuple[float, int]:
    calls = pace.chunk if share == "deploy" else 1
    try:
        return _store().take(account.pk, pace, share, calls)
    except redis.RedisError:
        if share != "urgent":
            raise
        # a stop must get through while Redis is down: nothing else calls then
        logger.exception(
            "Redis does not answer; an urgent call of account %s is counted in the database", account.pk
        )
        return Database().take(account.pk, pace, share, calls)


class Store(Protocol):
    def take(self, account: int, pace: Pace, share: Share, calls: int) -> tuple[float, int]:
        """(0, granted calls), fewer than `calls` where there are not so many; or (seconds to wait, 0)."""
        ...

    def learn(self, account: int, pace: Pace, share: float, hold_s: float) -> None:
        """The platform has counted `share` of the limit; let only urgent ones through for `hold_s`."""
        ...


def _store() -> Store:
    return _redis_store(settings.REDIS_URL) if settings.REDIS_URL else Database()


# ------------------------------------------------------------------------------------- grants in hand


class InHand:
    """Grants of big limits that this process has taken together and uses one by one, within moments."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[RateLimit, int, float]] = {}

    def use(self, account: int, pace: Pace) -> bool:
        """One of those kept for this limit, if there is one and it is fresh."""
        with self._lock:
            limit, left, until = self._kept.pop(account, (pace.limit, 0, 0.0))
            if not left or limit != pace.limit or self.clock() >= until:
                return False
            self._kept[account] = (limit, left - 1, until)
            return True

    def put(self, account: int, pace: Pace, calls: int) -> None:
        with self._lock:
            self._kept[account] = (pace.limit, calls, self.clock() + pace.chunk_s)

    def drop(self, account: int) -> None:
        with self._lock:
            self._kept.pop(account, None)

    def forget(self) -> None:
        self._lock = threading.Lock()
        self._kept = {}


_in_hand = InHand()
os.register_at_fork(after_in_child=_in_hand.forget)  # a child would spend its parent's grants a second time


# ----------------------------------------------------------------------------------- in the database


class Database:
    """A row of RateState for each account: read, worked out (`pace.Budget`), and compared and set."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock

    def take(self, account: int, pace: Pace, share: Share, calls: int) -> tuple[float, int]:
        return self._changed(account, lambda budget: budget.take(pace, share, calls, self.clock()))

    def learn(self, account: int, pace: Pace, share: float, hold_s: float) -> None:
        self._changed(account, lambda budget: budget.learn(pace, share, hold_s, self.clock()))

    def _changed(self, account: int, change: Callable[[Budget], Answer]) -> Answer:
        for _try in range(MOST_TRIES):
            row = RateState.objects.filter(key=str(account)).first()
            row = row or RateState.objects.get_or_create(key=str(account))[0]
            budget = Budget(as_spent(row.spent), row.due, row.hold_until)
            answer = change(budget)
            mine = RateState.objects.filter(key=row.key, turn=row.turn)
            if mine.update(spent=budget.spent, due=budget.queue, hold_until=budget.hold, turn=row.turn + 1):
                return answer
        raise Wait(BUSY_S)


# ------------------------------------------------------------------------------------------ in Redis

#: The same as `pace.Budget` in one script. KEYS[1]: the account. ARGV: now ("" for Redis' own clock), what, slice_s, span_s,
#: the limit, most, reads, visit, visit_s, SOONEST_S, then what the call is about. Answers {seconds to wait as
#: text (Redis cuts numbers to integers), calls granted}; {"lost", 0} where the account is not known.
_SCRIPT = """
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local what = ARGV[2]
local slice, span, limit, most, reads = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local visit, visit_s, soonest = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])

if what == 'begin' then
  redis.call('HSETNX', KEYS[1], 'spent', ARGV[11])
  return {'0', 0}
end
local known = redis.call('HMGET', KEYS[1], 'spent', 'queue', 'hold')
if not known[1] then return {'lost', 0} end
local queue, hold, spent, used = tonumber(known[2]) or 0, tonumber(known[3]) or 0, {}, {0, 0}
for _, each in ipairs(cjson.decode(known[1])) do
  if each[1] > now then
    table.insert(spent, each)
    used = {used[1] + each[2], used[2] + each[3]}
  end
end

local function spend(calls, of_reads)
  local till = (math.floor(now / slice) + 1) * slice + span
  for _, each in ipairs(spent) do
    if math.abs(each[1] - till) < slice / 4 then
      each[2], each[3] = each[2] + calls, each[3] + of_reads
      return
    end
  end
  table.insert(spent, {till, calls, of_reads})
end
local function free_at(top, calls, column)
  local at, left = now, used[column]
  table.sort(spent, function(a, b) return a[1] < b[1] end)
  for _, each in ipairs(spent) do
    if left + calls <= top then break end
    left, at = left - each[column + 1], each[1]
  end
  return at
end
local function answer(wait, granted)
  local text = {}
  for at, each in ipairs(spent) do text[at] = string.format('[%.6f,%d,%d]', each[1], each[2], each[3]) end
  redis.call('HSET', KEYS[1], 'spent', '[' .. table.concat(text, ',') .. ']', 'queue', string.format('%.6f', queue),
             'hold', string.format('%.6f', hold))
  return {string.format('%.6f', wait), granted}
end

if what == 'learn' then
  local unknown, held = math.floor(tonumber(ARGV[11]) * limit) - used[1] - 1, tonumber(ARGV[12])
  if unknown > 0 then spend(unknown, 0) end
  if held > 0 then hold = math.max(hold, now + held) end
  return answer(0, 0)
end

local room = most - used[1]
if what == 'urgent' then room = limit - used[1] end
if what == 'reads' then room = math.min(room, reads - used[2]) end
if room >= 1 and (hold <= now or what == 'urgent') then
  local granted = math.min(tonumber(ARGV[11]), room)
  spend(granted, what == 'reads' and granted or 0)
  return answer(0, granted)
end
local at
if what == 'urgent' then
  at = free_at(limit, 1, 1)
  hold = math.max(hold, at + slice)
elseif what == 'reads' then
  at = math.max(hold, free_at(most, 1, 1), free_at(reads, 1, 2))
else
  at = math.min(math.max(free_at(most, visit, 1), queue), free_at(most, most, 1))
  queue = at + visit_s
  at = math.max(hold, at)
end
return answer(math.max(soonest, at - now), 0)
"""


class Redis:
    """One hash for each account, kept for good: one that is missing has been lost, unless the account is new.

    `clock` is for tests: without it Redis' own clock counts.
    """

    def __init__(self, connection: Any, clock: Callable[[], float] | None = None) -> None:
        self.connection, self.clock = connection, clock
        self.script = connection.register_script(_SCRIPT)

    def take(self, account: int, pace: Pace, share: Share, calls: int) -> tuple[float, int]:
        wait_s, granted = self._ask(account, pace, share, calls)
        return float(wait_s), int(granted)

    def learn(self, account: int, pace: Pace, share: float, hold_s: float) -> None:
        self._ask(account, pace, "learn", share, hold_s)

    def _ask(self, account: int, pace: Pace, what: str, *figures: float) -> Any:
        answer = self._run(account, pace, what, *figures)
        if answer[0] != b"lost":
            return answer
        # the row in the database says that the account has been called before
        _row, new = RateState.objects.get_or_create(key=str(account))
        begin = [] if new else pace.lost(time.time() if self.clock is None else self.clock())
        self._run(account, pace, "begin", json.dumps(begin))
        return self._run(account, pace, what, *figures)

    def _run(self, account: int, pace: Pace, what: str, *figures: float | str) -> Any:
        now = "" if self.clock is None else self.clock()
        of_pace = [
            pace.slice_s,
            pace.span_s,
            pace.limit.calls,
            pace.most,
            pace.reads,
            pace.visit,
            pace.visit_s,
        ]
        args = [now, what, *of_pace, SOONEST_S, *figures]
        return self.script(keys=[f"omnitraffick:rate:{account}"], args=args)


@cache
def _redis_store(url: str) -> Redis:
    """One pool of connections a process; a slow Redis is a Redis that is down."""
    return Redis(redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2))
