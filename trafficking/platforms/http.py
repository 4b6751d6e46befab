"""One HTTP exchange, with the only question that matters after a failure: may it have been done?"""

from __future__ import annotations

import email.utils
import time
from typing import Any

import requests
from urllib3.exceptions import NameResolutionError, NewConnectionError

from trafficking.platforms.base import InDoubt, RetryLater


def send(
    session: requests.Session, method: str, url: str, *, timeout_s: float, **kwargs: Any
) -> requests.Response | RetryLater | InDoubt:
    """Send once, follow no redirect, never resend.

    A connection that was never made (refused, no DNS) is `RetryLater`; anything lost after that may
    have reached the platform and is `InDoubt`. Reads may treat `InDoubt` as a plain retry.
    """
    try:
        return session.request(method, url, timeout=(5.0, timeout_s), allow_redirects=False, **kwargs)
    except requests.ConnectTimeout:
        return RetryLater(reason="connect timeout")
    except requests.Timeout:
        return InDoubt(reason="no answer in time")
    except requests.ConnectionError as error:
        if never_connected(error):
            return RetryLater(reason="no connection")
        return InDoubt(reason="connection lost before the answer")
    except requests.RequestException as error:
        return InDoubt(reason=f"answer unreadable: {type(error).__name__}")


def never_connected(error: BaseException) -> bool:
    """True where the request can't have left: refused, unreachable, or the name did not resolve."""
    cause: Any = error.args[0] if error.args else None
    cause = getattr(cause, "reason", cause)
    return isinstance(cause, NewConnectionError | NameResolutionError)


def json_or_none(response: requests.Response) -> Any:
    """The answer's JSON; None for HTML pages, cut bodies and empty answers."""
    try:
        return response.json()
    except ValueError:
        return None


def retry_after_s(header: str | None) -> float | None:
    """`Retry-After` as seconds from now, given as seconds or as an HTTP date (RFC 9110, 10.2.3)."""
    if not header:
        return None
    header = header.strip()
    if header.isdigit():
        return float(header)
    try:
        when = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, when.timestamp() - time.time())
