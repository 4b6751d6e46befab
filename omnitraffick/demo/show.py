"""Runs the demo on a console: walk, watch, and say how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich.console import Console

from omnitraffick.demo.board import Board, board_on, outcome_table
from omnitraffick.demo.walk import DemoStopped, LineState, Walk

#: How often the database is asked where the lines stand (seconds).
POLL_S = 0.25


def run_demo(console: Console, *, seconds: float, stopping: Callable[[], bool] = lambda: False) -> bool:
    """True when every line is deployed within `seconds`. `stopping` is asked between steps, to end early."""
    walk, begun = Walk(), time.monotonic()
    try:
        walk.begin()
    except DemoStopped as problem:
        console.print(f"The demo stopped at the import: {problem}", style="red", soft_wrap=True, markup=False)
        return False
    lines = walk.lines()
    if not all(line.deployed for line in lines):
        with board_on(console) as board:
            _walk(walk, board, stopping)
            lines = _watch(walk, board, begun + seconds, stopping)
    return _tell(console, lines, time.monotonic() - begun)


def _walk(walk: Walk, board: Board, stopping: Callable[[], bool]) -> None:
    board.show(walk.lines())
    for done in walk.steps():
        board.note(done)
        board.show(walk.lines())
        if stopping():
            return


def _watch(walk: Walk, board: Board, deadline: float, stopping: Callable[[], bool]) -> list[LineState]:
    """Until the worker is through with every line, or the time is up."""
    while True:
        lines = walk.lines()
        board.show(lines)
        if all(line.over for line in lines) or time.monotonic() > deadline or stopping():
            return lines
        time.sleep(POLL_S)


def _tell(console: Console, lines: Sequence[LineState], seconds: float) -> bool:
    console.print(outcome_table(lines))
    missing = [line for line in lines if not line.deployed]
    for line in missing:
        said = line.problem or f"stands at {line.status} after {seconds:.0f} s"
        console.print(
            f"Line {line.line} ({line.platform}, {line.name}): {said}",
            style="red",
            soft_wrap=True,
            markup=False,
        )
    done = len(lines) - len(missing)
    console.print(f"Demo: {done} of {len(lines)} lines deployed ({seconds:.1f} s).", highlight=False)
    return bool(lines) and not missing
