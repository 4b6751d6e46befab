"""Real workers, killed by SIGKILL at each numbered point of the engine: another one finishes, and nothing is twice."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
import requests

from deploy.points import POINTS
from deploy.tests.test_whole_way import (
    Installation,
    assert_everything_is_there_once,
    installation,  # noqa: F401, a fixture
    wipe_broker,
)

pytestmark = pytest.mark.slow
#: A lost answer brings a worker to the point where it looks.
NEEDS_A_LOSS = 7


def test_a_worker_killed_at_any_point_leaves_everything_once(installation: Installation) -> None:  # noqa: F811
    """One installation, ten deaths: each of the tickets' runs is struck at the next point, in one queue of work."""
    installation.sandbox()
    for url in installation.sandbox_urls().values():
        fault = {"kind": "lose_answer", "match": "POST", "count": 1, "skip": 4}
        requests.post(f"{url}/_sandbox/faults", json=fault, timeout=5)
    installation.environment["DEPLOY_LEASE_S"] = "4"
    installation.environment["PLATFORM_TIMEOUT_S"] = "0.8"
    installation.run("-m", "deploy.tests.whole_way", "queue")
    for point in sorted(POINTS):
        died = die_at(installation, point)
        assert died or point == NEEDS_A_LOSS, f"no worker came to point {point}: {POINTS[point]}"
    wipe_broker(installation)
    installation.worker()
    report = installation.run("-m", "deploy.tests.whole_way", "wait")
    assert_everything_is_there_once(installation, report)


def die_at(there: Installation, point: int) -> bool:
    """Whether a worker has died there; a busy machine starts workers slowly."""
    mark = Path(there.folder) / f"died-{point}"
    there.environment |= {"KILL_AT": str(point), "KILL_MARK": str(mark)}
    worker = there.start(
        "-m", "celery", "-A", "omnitraffick", "worker", "-B", "-s", str(there.folder / "beat"), "-l", "WARNING",
        "-I", "deploy.tests.kill_at", "-P", "solo",
    )  # fmt: skip
    until = time.monotonic() + (20 if point == NEEDS_A_LOSS else 90)
    while not mark.exists() and time.monotonic() < until:
        time.sleep(0.05)
    # its scheduler lives on when the worker alone is killed: the whole group goes
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(10)
    del there.environment["KILL_AT"]
    return mark.exists()
