"""How far an import has come: said where the work is done, heard by whoever runs it.

It does not stand in the database: an import is one transaction, and nobody else would see it before its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, int, int], None]

_listener: ContextVar[Listener | None] = ContextVar("import_progress", default=None)


def say(step: str, done: int, total: int) -> None:
    """`done` of `total` pieces of `step` ("checking", "building", "rules"). The listener may raise to stop the work."""
    if (listener := _listener.get()) is not None:
        listener(step, done, total)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
