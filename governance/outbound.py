"""Calling an address that a person wrote, so that it can't be led to where only we can go.

Every address that the host name has is checked, and the connection goes to a checked one: a second look-up could
answer otherwise (DNS rebinding). Redirects are the caller's to follow, each checked anew. No proxies.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from requests.utils import requote_uri

from governance.addresses import Address, is_public
from governance.findings import Finding
from governance.tables import Refused

CONNECT_S = 10.0
_CHUNK = 64 * 1024
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Bounds:
    """`seconds` for everything but the look-up of names, which the system's resolver bounds."""

    seconds: float
    http: bool = False  # plain http:// is fetched, too


def resolve(host: str, port: int) -> list[Address]:
    """Every address of a host name, as the system knows them; OSError where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    texts = dict.fromkeys(str(sockaddr[0]).partition("%")[0] for *_rest, sockaddr in found)
    return [ipaddress.ip_address(text) for text in texts]


@dataclass(frozen=True, slots=True)
class Network:
    """How names become addresses, which of them may be called, and whose certificates count."""

    resolve: Callable[[str, int], list[Address]] = resolve
    permits: Callable[[Address], bool] = is_public
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)


@dataclass(frozen=True, slots=True)
class Target:
    """One address to ask: `host` in ASCII, `path` with its query."""

    url: str
    scheme: str
    host: str
    port: int
    path: str


def read_url(url: str, bounds: Bounds) -> Target:
    """The parts of an address that may be fetched; Refused says what is wrong with it."""
    shown = {"url": url[:200]}
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").encode("idna").decode()
    except ValueError:  # a broken port, bracket or name (UnicodeError is one)
        raise Refused(Finding("media.url_malformed", params=shown)) from None
    if parts.scheme not in _schemes(bounds):
        known = [f"{each}://" for each in _schemes(bounds)]
        raise Refused(Finding("media.url_scheme", params={**shown, "known": known}))
    if parts.username is not None or parts.password is not None:
        raise Refused(Finding("media.url_credentials"))
    if not host or any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        raise Refused(Finding("media.url_malformed", params=shown))
    port = _DEFAULT_PORTS[parts.scheme] if port is None else port
    if port < 1024 and port not in _DEFAULT_PORTS.values():  # mail and other servers are not to be spoken to
        raise Refused(Finding("media.url_port", params={"port": port}))
    path = requote_uri((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    return Target(url, parts.scheme, host, port, _ascii(path))


def _schemes(bounds: Bounds) -> tuple[str, ...]:
    return ("https", "http") if bounds.http else ("https",)


def _ascii(path: str) -> str:
    return "".join(
        each if each.isascii() else "".join(f"%{byte:02X}" for byte in each.encode("utf-8", "replace"))
        for each in path
    )


# ------------------------------------------------------------------------------------- one request


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way. A watchdog ends the connection when the time is over, whatever it is doing."""

    target: Target
    bounds: Bounds
    connection: http.client.HTTPConnection
    over: threading.Event = field(default_factory=threading.Event)

    def ask(
        self, method: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> http.client.HTTPResponse:
        with self._in_words():
            self.connection.request(method, self.target.path, body=body, headers=dict(headers))
            return self.connection.getresponse()

    def chunks(self, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        """The body. Our own errors in writing it are not mistaken for the host's."""
        left = answer.length
        while chunk := self._read(answer):
            left = None if left is None else left - len(chunk)
            yield chunk
        if left or self.over.is_set():
            raise self._broken_off(http.client.IncompleteRead(b""))

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        with self._in_words():
            return answer.read(_CHUNK)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (OSError, http.client.HTTPException) as error:
            raise self._broken_off(error) from error

    def _broken_off(self, error: OSError | http.client.HTTPException) -> Refused:
        if self.over.is_set() or isinstance(error, TimeoutError):
            return _too_slow(self.target, self.bounds)
        if isinstance(error, http.client.IncompleteRead):
            return Refused(Finding("media.url_cut", params={"host": self.target.host}))
        return _unreachable(self.target, error)


@contextmanager
def called(target: Target, network: Network, bounds: Bounds, ends_at: float) -> Iterator[Call]:
    """A connection to a checked address, for as long as there is time."""
    connection = _connected(target, _checked(target, network), network, bounds, ends_at)
    call = Call(target, bounds, connection)
    watchdog = threading.Timer(max(0.0, ends_at - time.monotonic()), _cut_off, (connection.sock, call.over))
    watchdog.daemon = True
    watchdog.start()
    try:
        yield call
    finally:
        watchdog.cancel()
        connection.close()


def _checked(target: Target, network: Network) -> list[Address]:
    """All addresses of the host. One that is not public refuses them all: it may be the one that is meant."""
    try:
        addresses = network.resolve(target.host, target.port)
    except OSError:
        addresses = []
    if not addresses:
        raise Refused(Finding("media.url_no_host", params={"host": target.host}))
    for address in addresses:
        if not network.permits(address):
            params = {"host": target.host, "address": str(address)}
            raise Refused(Finding("media.url_forbidden", params=params))
    return addresses


def _connected(
    target: Target, addresses: list[Address], network: Network, bounds: Bounds, ends_at: float
) -> http.client.HTTPConnection:
    """A connection to the first of the checked addresses that takes one; TLS is for the host's name."""
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.auto_open = 0  # it must never look the name up by itself
    connection.default_port = _DEFAULT_PORTS[target.scheme]
    problem: OSError | None = None
    for address in addresses:
        left = min(CONNECT_S, ends_at - time.monotonic())
        if left <= 0:
            raise _too_slow(target, bounds)
        try:
            connection.sock = _socket(target, address, network, left)
            return connection
        except OSError as error:  # TLS errors are among them
            problem = error
    raise _unreachable(target, problem)


def _socket(target: Target, address: Address, network: Network, timeout: float) -> socket.socket:
    """`timeout` (seconds) is for connecting, and from then on for each silence."""
    plain = socket.create_connection((str(address), target.port), timeout=timeout)
    if target.scheme == "http":
        return plain
    try:
        return network.trust.wrap_socket(plain, server_hostname=target.host)
    except OSError:
        plain.close()
        raise


def _cut_off(sock: socket.socket, over: threading.Event) -> None:
    over.set()
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself


# --------------------------------------------------------------------------------------- what failed


def _too_slow(target: Target, bounds: Bounds) -> Refused:
    params = {"host": target.host, "seconds": f"{bounds.seconds:g}"}
    return Refused(Finding("media.url_too_slow", params=params))


def _unreachable(target: Target, error: Exception | None) -> Refused:
    reason = "TLS: " + str(getattr(error, "verify_message", "")) if isinstance(error, ssl.SSLError) else ""
    reason = reason.rstrip(": ") or (type(error).__name__ if error else "")
    return Refused(Finding("media.url_unreachable", params={"host": target.host, "reason": reason}))
