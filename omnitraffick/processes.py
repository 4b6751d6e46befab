"""A few child processes that live and die together.

Each child runs in its own session, so that Ctrl-C on the terminal reaches only the parent, which stops them in order.
One that ends by itself ends all. `tether.py` sees to it that a killed parent leaves none behind.
"""

from __future__ import annotations

import collections
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TETHER = str(Path(__file__).with_name("tether.py"))
#: How long children get after SIGTERM before they are killed (seconds).
GRACE_S = 8.0

Say = Callable[[str, str], None]  # (child's name, one line)


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and where. `env` is added to this process's environment."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None


class Child:
    """One running program, its output handed on line by line, the last lines kept."""

    def __init__(self, program: Program, say: Say) -> None:
        self.name = program.name
        self.last_lines: collections.deque[str] = collections.deque(maxlen=20)
        self._say = say
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", TETHER, str(os.getpid()), *program.command],
            env={**os.environ, "PYTHONUNBUFFERED": "1", **program.env},
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"output of {self.name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            if line:
                self.last_lines.append(line)
                self._say(self.name, line)

    def ask_to_stop(self) -> None:
        if self.exit_code is None:
            self._process.terminate()

    def finish(self, deadline: float) -> None:
        """Wait for it until `deadline` (monotonic seconds), then kill it and whatever it started."""
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._say(self.name, "did not stop in time and is killed")
        with contextlib.suppress(ProcessLookupError):  # the whole group is gone, as it should be
            os.killpg(self.pid, signal.SIGKILL)  # its session: grandchildren that it left behind, too
        self._process.wait()
        self._reader.join(timeout=1.0)


class Household:
    """All children. Start them from the main thread: Linux ties a child to the thread that made it."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.children: list[Child] = []

    def start(self, program: Program) -> Child:
        child = Child(program, self._say)
        self.children.append(child)
        return child

    def dead(self) -> Child | None:
        """A child that has ended, None while all run."""
        return next((child for child in self.children if child.exit_code is not None), None)

    def stop(self) -> None:
        """SIGTERM to all, then GRACE_S seconds for all together, then SIGKILL."""
        for child in reversed(self.children):
            child.ask_to_stop()
        deadline = time.monotonic() + GRACE_S
        for child in reversed(self.children):
            child.finish(deadline)
        self.children.clear()
