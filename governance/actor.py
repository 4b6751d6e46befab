"""Who acts, and why: carried beside the call so that every saved change can say it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

#: Characters of a reason.
MOST_REASON = 500

_request: ContextVar[Any] = ContextVar("request", default=None)
_user: ContextVar[Any] = ContextVar("user", default=None)
_reason: ContextVar[str] = ContextVar("reason", default="")


def current_actor() -> Any | None:
    """The signed-in person behind this change; None for the system itself (sweeper, worker).

    The request is asked late: API tokens are read after the middleware has run.
    """
    if (user := _user.get()) is not None:
        return user
    user = getattr(_request.get(), "user", None)
    return user if user is not None and user.is_authenticated else None


def current_reason() -> str:
    return _reason.get()


@contextmanager
def acting(user: Any | None = None, reason: str = "") -> Iterator[None]:
    """Within the block, changes are made by `user` (None: keep) for `reason`."""
    user_token = _user.set(user if user is not None else _user.get())
    reason_token = _reason.set(reason or _reason.get())
    try:
        yield
    finally:
        _user.reset(user_token)
        _reason.reset(reason_token)


@contextmanager
def answering(request: Any) -> Iterator[None]:
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)
