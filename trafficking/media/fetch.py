"""Fetching a file from an address that a person wrote, over a connection that `governance.outbound` guards.

Redirects are checked anew. No proxies, cookies, credentials or compression.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from urllib.parse import unquote, urljoin

from governance.findings import Finding
from governance.outbound import Bounds, Network, Target, called, read_url
from governance.tables import Refused

__all__ = ["Bounds", "Network", "fetch", "read_url"]

MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {
    "Accept": "image/*,video/*", "Accept-Encoding": "identity", "Connection": "close",
    "User-Agent": "OmniTraffick media fetch",
}  # fmt: skip


def fetch(url: str, write: Callable[[bytes], object], bounds: Bounds, network: Network | None = None) -> str:
    """Stream the file behind `url` into `write`, which may raise to stop; its file name. Raises Refused."""
    network = network or Network()
    ends_at = time.monotonic() + bounds.seconds
    for _hop in range(MOST_REDIRECTS + 1):
        target = read_url(url, bounds)
        with called(target, network, bounds, ends_at) as call:
            answer = call.ask("GET", _HEADERS)
            if answer.status not in _REDIRECTS:
                _require_file(answer, target)
                for chunk in call.chunks(answer):
                    write(chunk)
                return _file_name(target)
            url = urljoin(target.url, answer.headers.get("Location", ""))
    raise Refused(Finding("media.url_redirects", params={"limit": MOST_REDIRECTS}))


def _file_name(target: Target) -> str:
    """The last part of the path, as people read it."""
    return unquote(target.path.partition("?")[0].rpartition("/")[2]) or target.host


def _require_file(answer: http.client.HTTPResponse, target: Target) -> None:
    if answer.status != 200:
        params = {"host": target.host, "status": answer.status}
        raise Refused(Finding("media.url_status", params=params))
    encoding = answer.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("", "identity"):  # a small answer could unpack to anything
        raise Refused(Finding("media.url_encoded", params={"host": target.host, "encoding": encoding[:40]}))
