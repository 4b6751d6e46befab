"""What every destination does: say what is wrong before sending, build one request, send it, read the answer.

`build` and `read` are pure. A request is sent once; what may be repeated, and when, is for the delivery to decide.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import requests

from tracking.events import Event, Problem
from trafficking.platforms import base as platforms
from trafficking.platforms import http as wire
from trafficking.platforms.http import retry_after_s

Config = Mapping[str, Any]
Policy = Literal["opt_in", "opt_out", "none"]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `headers` hold the token: never log them."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Request({self.method} {self.url}, {len(self.body)} bytes)"


@dataclass(frozen=True, slots=True)
class Accepted:
    """Taken. `trace` is the platform's id of the request; `received` how many events it says it took."""

    trace: str
    received: int | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Refused for good, the whole request. `rows` are the places of the bad events; None where it names none."""

    reason: str
    rows: list[int] | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Not taken; the same again, at the earliest after `seconds` (None: as you think)."""

    seconds: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class NeedsAuth:
    """The credentials: nothing of this destination will pass before a person mends them."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """May have been taken: send the same ids and times again, the platform deduplicates."""

    reason: str


Answer = Accepted | Rejected | RetryLater | NeedsAuth | Unknown


@dataclass(frozen=True, slots=True)
class Decision:
    """What consent allows one destination: `send`, `limited` or `drop`, and why."""

    kind: Literal["send", "limited", "drop"]
    reason: str = ""


SEND = Decision("send")
LIMITED = Decision("limited", "limited use")


def DROP(reason: str) -> Decision:
    """Nothing may be sent; `reason` names the consent that is missing."""
    return Decision("drop", reason)


class Destination(ABC):
    """One platform's conversions API. Has no state: `config` comes with every call."""

    key: ClassVar[str]
    name: ClassVar[str]
    #: Most events in one request.
    limit: ClassVar[int]
    #: What `config` must hold, and which of it is secret. All also take `base_url` (for the sandbox) and `timeout_s`.
    fields: ClassVar[tuple[str, ...]]
    secret_fields: ClassVar[tuple[str, ...]]
    live_url: ClassVar[str]

    @abstractmethod
    def problems(self, event: Event) -> list[Problem]:
        """What the platform would refuse; one such event would make it refuse all of a request."""

    @abstractmethod
    def build(self, events: Sequence[Event], config: Config, *, test_code: str | None = None) -> Request:
        """One request of at most `limit` events that have no problems. `test_code` marks a test at the platform."""

    @abstractmethod
    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer: ...

    @abstractmethod
    def decide(self, consent: Mapping[str, Any], policy: str, region: str | None) -> Decision:
        """What the consent snapshot allows. `policy` is opt_in, opt_out or none (no consent needed), `region` the market."""

    def authorise(self, config: Config, http: requests.Session) -> Config | RetryLater | NeedsAuth:
        """`config` with what `build` needs to prove who we are. A network call for some platforms."""
        missing = [name for name in self.fields if not config.get(name)]
        if missing:
            return NeedsAuth(f"the destination lacks {', '.join(missing)}")
        return config

    def send(self, request: Request, http: requests.Session, *, timeout_s: float = 30.0) -> Answer:
        """Send once and read the answer. Raises nothing for what a network or a platform may do."""
        answer = wire.send(
            http,
            request.method,
            request.url,
            timeout_s=timeout_s,
            data=request.body,
            headers=dict(request.headers),
        )
        if isinstance(answer, platforms.RetryLater):
            return RetryLater(None, answer.reason)
        if isinstance(answer, platforms.InDoubt):
            return Unknown(answer.reason)
        return self.read(answer.status_code, answer.headers, answer.content)

    def url(self, config: Config) -> str:
        return str(config.get("base_url") or self.live_url).rstrip("/")


def by_status(status: int, headers: Mapping[str, str]) -> Answer | None:
    """What the HTTP status alone says; None where the body has to be read."""
    if status == 429:
        return RetryLater(retry_after_s(header(headers, "Retry-After")), "HTTP 429")
    if status in (502, 503, 504):
        wait_s = retry_after_s(header(headers, "Retry-After"))
        return RetryLater(wait_s, f"HTTP {status}") if status == 503 else Unknown(f"HTTP {status}")
    return None


def header(headers: Mapping[str, str], name: str) -> str | None:
    """A header by its name in any case."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


def refused(consent: Mapping[str, Any], policy: str, *needed: str) -> str:
    """Which of the needed consents stands against sending; "" where none does.

    Under opt_in what was not granted is refused; under opt_out only what was denied; under none nothing.
    """
    if policy == "none":
        return ""
    for name in needed:
        given = consent.get(name)
        if given == "denied" or (policy == "opt_in" and given != "granted"):
            return name
    return ""


def as_list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
