"""How an account's limit is kept: pure arithmetic, no clock and no store.

A budget counts the calls granted in the last `span_s` seconds, which are the platform's window and some slack: calls
arrive later than they were granted, some later than others. It counts in slices of time, and a slice counts in full until
its last moment has left the span. So no window of the platform's length ever holds a call too many, whether the calls
come evenly or all at once; and work that needs several calls in one go gets them in one go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import floor
from typing import Literal

from trafficking.platforms.base import RateLimit

Share = Literal["deploy", "reads", "urgent"]
#: [counts until, calls, of these reads]; seconds since 1970.
Slice = list[float]

#: Part of the window that is kept free for calls that arrive late, and for grants that a process holds in hand.
SLACK = 0.04
#: Short windows need more: this many seconds, up to a tenth of the window.
SLACK_S, SLACK_MOST = 0.25, 0.1
#: Time is counted in so many slices of the span.
SLICES = 50
#: One call in so many is kept for urgent calls. Below twenty calls none is kept.
RESERVE_ONE_IN = 20
#: Who is refused comes back when so many calls are free (half the limit at most): what can't be interrupted, such as
#: looking at a whole campaign, is done in one visit.
VISIT = 20
#: Grants that a process takes together, where the limit is large.
MOST_IN_HAND = 20
#: Nobody is told to come back sooner.
SOONEST_S = 0.001
#: A budget that was lost counts as used up; where the window is longer than this, as coming back little by little.
LOST_FOR_S = 90.0


@dataclass(frozen=True, slots=True)
class Pace:
    """An account's limit, divided. Everybody together may make `limit.calls`, of which the last few are for urgent calls;
    `most` are for the others, and `reads` of these for reads. `chunk` grants may be kept in hand for `chunk_s` seconds."""

    limit: RateLimit
    span_s: float
    most: int
    reads: int
    visit: int
    chunk: int
    chunk_s: float

    @property
    def slice_s(self) -> float:
        return self.span_s / SLICES

    @property
    def visit_s(self) -> float:
        """How long the calls of one visit take at an even pace."""
        return self.visit * self.span_s / self.most

    def counts_until(self, now: float) -> float:
        return (floor(now / self.slice_s) + 1) * self.slice_s + self.span_s

    def lost(self, now: float) -> list[Slice]:
        """What to begin with where nobody knows any more what was called."""
        if self.span_s <= LOST_FOR_S:
            return [[self.counts_until(now), self.most, 0]]
        part, rest = divmod(self.most, SLICES)
        return [[now + (at + 1) * self.slice_s, part + (rest if at == 0 else 0), 0] for at in range(SLICES)]


@lru_cache(maxsize=1024)
def pace_of(limit: RateLimit, reads_share: float) -> Pace:
    """The pace for `limit`, of which reads may use `reads_share` (0 to 1)."""
    slack = max(SLACK * limit.window_s, min(SLACK_MOST * limit.window_s, SLACK_S))
    most = limit.calls - limit.calls // RESERVE_ONE_IN
    chunk = max(1, min(MOST_IN_HAND, most // 40))
    return Pace(
        limit=limit,
        span_s=limit.window_s + slack,
        most=most,
        reads=max(1, floor(most * reads_share)),
        visit=max(1, min(VISIT, most // 2)),
        chunk=chunk,
        chunk_s=slack / 2 if chunk > 1 else 0.0,
    )


@dataclass(slots=True)
class Budget:
    """What is known of one account. `queue`: the next free appointment; `hold`: until then urgent calls only."""

    spent: list[Slice] = field(default_factory=list)
    queue: float = 0.0
    hold: float = 0.0

    def take(self, pace: Pace, share: Share, calls: int, now: float) -> tuple[float, int]:
        """(0, granted calls), fewer than `calls` where there are not so many; or (seconds to wait, 0)."""
        self.spent = [each for each in self.spent if each[0] > now]
        room = self._room(pace, share)
        if room >= 1 and (self.hold <= now or share == "urgent"):
            granted = min(calls, room)
            self._spend(pace, granted, share, now)
            return 0.0, granted
        return max(SOONEST_S, self._come_back(pace, share, now) - now), 0

    def learn(self, pace: Pace, share: float, hold_s: float, now: float) -> None:
        """The platform's own count: what it has seen beyond ours is somebody else's, and counts like ours."""
        self.spent = [each for each in self.spent if each[0] > now]
        unknown = floor(share * pace.limit.calls) - self._used(1) - 1
        if unknown > 0:
            self._spend(pace, unknown, "deploy", now)
        if hold_s > 0:
            self.hold = max(self.hold, now + hold_s)

    def _room(self, pace: Pace, share: Share) -> int:
        if share == "urgent":
            return pace.limit.calls - self._used(1)
        room = pace.most - self._used(1)
        return min(room, pace.reads - self._used(2)) if share == "reads" else room

    def _come_back(self, pace: Pace, share: Share, now: float) -> float:
        if share == "urgent":
            at = self._free_at(pace.limit.calls, 1, 1, now)
            self.hold = max(self.hold, at + pace.slice_s)  # the next one there is its own
            return at
        if share == "reads":
            return max(self.hold, self._free_at(pace.most, 1, 1, now), self._free_at(pace.reads, 1, 2, now))
        return max(self.hold, self._appointment(pace, now))

    def _appointment(self, pace: Pace, now: float) -> float:
        """One visitor after the other, each for several calls, so that few come in vain; but nobody later than when
        everything is free, or calls would be wasted."""
        at = max(self._free_at(pace.most, pace.visit, 1, now), self.queue)
        at = min(at, self._free_at(pace.most, pace.most, 1, now))
        self.queue = at + pace.visit_s
        return at

    def _free_at(self, most: int, calls: int, column: int, now: float) -> float:
        """When so many calls are free."""
        used = self._used(column)
        for each in sorted(self.spent):
            if used + calls <= most:
                break
            used, now = used - int(each[column]), each[0]
        return now

    def _used(self, column: int) -> int:
        return int(sum(each[column] for each in self.spent))

    def _spend(self, pace: Pace, calls: int, share: Share, now: float) -> None:
        until, reads = pace.counts_until(now), calls if share == "reads" else 0
        for each in self.spent:
            if each[0] == until:
                each[1:] = [each[1] + calls, each[2] + reads]
                return
        self.spent.append([until, calls, reads])


def as_spent(stored: Sequence[Sequence[float]]) -> list[Slice]:
    return [list(each) for each in stored]
