"""The numbered points of the engine: where a worker may die, and what is true of the rows there.

In production nothing listens. Tests hang listeners in here that kill the process, or let another worker run.
"""

from __future__ import annotations

from collections.abc import Callable

POINTS = {
    1: "claimed: the lease is ours, nothing else has happened",
    2: "checked: plan, approval and live state agree; nothing was sent",
    3: "begun: the ticket is DEPLOYING",
    4: "intended: an operation stands as SENDING, its call has not left",
    5: "called: the call has returned, its answer is not written",
    6: "answered: the operation stands as it was answered",
    7: "looked: after a lost answer the platform was asked, what it said is not written",
    8: "read: everything was read back, the proof is not written",
    9: "ending: the deployment is about to end, nothing of its end is written",
    10: "ended: everything is written, the task has not returned",
}

#: Each is called with the number of the point that a worker has come to.
listeners: list[Callable[[int], None]] = []


def reach(point: int) -> None:
    for listener in listeners:
        listener(point)
