"""How long to wait before the next try."""

from __future__ import annotations

import random

FIRST_S, LONGEST_S = 1.0, 300.0


def wait(after: float | None, tries: int) -> float:
    """Seconds: the platform's own time if it gave one, never less; else exponential back-off with full jitter.

    `tries` counts from 0. Jitter keeps workers that were refused together from coming back together.
    """
    if after is not None:
        return after + random.uniform(0, min(1.0, after * 0.1))  # noqa: S311
    longest = min(LONGEST_S, FIRST_S * 2 ** min(tries, 16))
    return random.uniform(longest / 2, longest)  # noqa: S311
