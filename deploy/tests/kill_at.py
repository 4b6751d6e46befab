"""Included by the workers of test_killed.py: dies once, by SIGKILL, at the point that KILL_AT names.

KILL_MARK is a file that says that it has died; a worker that finds it lives on.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from deploy import points


def die(point: int) -> None:
    mark = Path(os.environ["KILL_MARK"])
    if point != int(os.environ["KILL_AT"]) or mark.exists():
        return
    mark.write_text(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGKILL)


if "KILL_AT" in os.environ:
    points.listeners.append(die)
