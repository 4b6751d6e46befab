"""What the three sandboxes share: a request, an answer, a store that survives restarts, faults on demand.

A sandbox plays the platform, so it must not know how we build a request: importing any `compile` or
`client` from here or from a sandbox is refused by the import rules.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter

from trafficking.platforms.sandbox_events import EventLog

#: How much of a request's body `/_sandbox/requests` shows.
KEPT_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes


@dataclass(slots=True)
class Response:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
        return cls(
            status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})}
        )


class Store:
    """The platform's objects in one SQLite file (":memory:" in tests), safe for threads.

    Rows: kind, id, account, parent, name, body (JSON). Writes outside `atomic()` commit at once.
    """

    def __init__(self, path: str = ":memory:") -> None:
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._lock = threading.RLock()
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS object (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, id TEXT,"
            " account TEXT, parent TEXT, name TEXT, body TEXT, created REAL, UNIQUE (kind, id))"
        )
        self._db.execute("CREATE INDEX IF NOT EXISTS by_name ON object (kind, account, name)")
        self._db.execute("CREATE INDEX IF NOT EXISTS by_parent ON object (kind, account, parent)")

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """All or nothing: rolled back when the block raises. Not nested."""
        with self._lock:
            self._db.execute("BEGIN")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """The database itself, alone, for tables beside the objects."""
        with self._lock:
            yield self._db

    def next_number(self) -> int:
        """A number never given before in this store."""
        with self._lock:
            row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'object'").fetchone()
            return (row[0] if row else 0) + 1

    def add(
        self, kind: str, account: str, parent: str, name: str, body: Mapping[str, Any],
        make_id: Callable[[int], str], now: float | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Store a new object; `make_id` turns a fresh number into an id in the platform's style."""
        with self._lock:
            object_id = make_id(self.next_number())
            stored = {**body, "id": object_id}
            self._db.execute(
                "INSERT INTO object (kind, id, account, parent, name, body, created) VALUES (?,?,?,?,?,?,?)",
                (kind, object_id, account, parent, name, json.dumps(stored), now or time.time()),
            )
            return stored

    def get(self, kind: str, object_id: str) -> dict[str, Any] | None:
        rows = self.rows("kind = ? AND id = ?", (kind, object_id))
        return rows[0] if rows else None

    def find(
        self, kind: str, account: str, *, parent: str | None = None, name: str | None = None
    ) -> list[dict[str, Any]]:
        where, values = "kind = ? AND account = ?", [kind, account]
        for column, value in (("parent", parent), ("name", name)):
            if value is not None:
                where += f" AND {column} = ?"
                values.append(value)
        return self.rows(where, tuple(values))

    def rows(self, where: str = "1", values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        """Bodies in order of creation, with `_kind`, `_account`, `_parent`, `_created` beside the fields."""
        with self._lock:
            cursor = self._db.execute(
                # `where` is written in sandboxes only, and values are bound
                f"SELECT kind, account, parent, created, body FROM object WHERE {where} ORDER BY seq",  # noqa: S608
                values,
            )
            return [
                {
                    **json.loads(body),
                    "_kind": kind,
                    "_account": account,
                    "_parent": parent,
                    "_created": created,
                }
                for kind, account, parent, created, body in cursor.fetchall()
            ]

    def update(self, kind: str, object_id: str, changes: Mapping[str, Any]) -> None:
        with self._lock:
            (text,) = self._db.execute(
                "SELECT body FROM object WHERE kind = ? AND id = ?", (kind, object_id)
            ).fetchone()
            body = {**json.loads(text), **changes}
            body = {key: value for key, value in body.items() if value is not None or key not in changes}
            self._db.execute(
                "UPDATE object SET body = ?, name = COALESCE(?, name) WHERE kind = ? AND id = ?",
                (json.dumps(body), changes.get("name"), kind, object_id),
            )


@dataclass(slots=True)
class Fault:
    """One planned misfortune.

    kind: lose_request (closed unread), lose_answer (done, then closed), throttle, server_error,
    server_error_after_commit, expired_token, html, truncate, slow, duplicate (the request arrives twice, the second
    answer is given), drop_field (done, but `field` of what was made or changed is silently forgotten). `match` is a
    substring of "METHOD /path"; it strikes the next `count` matching requests after `skip` of them.
    """

    kind: str
    match: str = ""
    count: int = 1
    skip: int = 0
    seconds: float = 1.0
    field: str = ""


class Dropped(Exception):
    """The connection is closed without an answer."""


class Sandbox(ABC):
    """A platform played locally. Subclasses answer `respond`, and `throttled`/`unauthorised` in the platform's own dialect.

    Its control doors, for tests and `manage.py sandbox`: `POST /_sandbox/faults` (a Fault as JSON),
    `DELETE /_sandbox/faults`, `GET /_sandbox/objects`, `POST /_sandbox/objects` (change one behind everybody's back:
    {"kind", "id", "changes"}), `POST /_sandbox/settings` ({"calls", "window_s", "lag_s", "review_s"}),
    `GET /_sandbox/requests` (the last 1,000), `GET /_sandbox/calls` (per account: calls, and how many were refused
    for being above its limit), `GET /_sandbox/events` (conversions, each once, with how often it came; `?dataset=`),
    `GET /_sandbox/events/count`, `GET /_sandbox/health`.

    An account may make `calls` calls in any `window_s` seconds; more are refused with `throttled`. Lists and searches
    show an object only `lag_s` seconds after it was made. An ad that is switched on is in review for `review_s`.
    """

    key: ClassVar[str]

    def __init__(
        self, store: Store | None = None, clock: Callable[[], float] = time.time, *, calls: int = 100_000,
        window_s: float = 3600.0, lag_s: float = 0.0, review_s: float = 3600.0,
    ) -> None:  # fmt: skip
        self.store = store or Store()
        self.conversions = EventLog(self.store)
        self.clock = clock
        self.calls, self.window_s = calls, window_s
        self.lag_s, self.review_s = lag_s, review_s
        self.faults: list[Fault] = []
        self.requests: list[dict[str, Any]] = []
        self.counted: dict[str, dict[str, int]] = {}
        self._calls: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    @abstractmethod
    def account_of(self, request: Request) -> str:
        """The ad account whose limit this request counts towards; "" for none (token endpoints)."""

    @abstractmethod
    def respond(self, request: Request) -> Response:
        """The platform's answer to an ordinary request."""

    @abstractmethod
    def throttled(self, request: Request, seconds: float) -> Response:
        """The platform's way to say 'come back in `seconds`'."""

    @abstractmethod
    def unauthorised(self, request: Request) -> Response:
        """The platform's answer to an expired token."""

    @abstractmethod
    def server_error(self, request: Request) -> Response:
        """The platform's own transient error."""

    def handle(self, request: Request) -> Response:
        """Answer one request, with the fault that is due for it; raises `Dropped` for a lost one."""
        if request.path.startswith("/_sandbox/"):
            return self._control(request)
        self._remember(request)
        account = self.account_of(request)
        wait_s = self._over_limit(account)
        if wait_s:
            return self.throttled(request, wait_s)
        fault = self._due_fault(request)
        return self.respond(request) if fault is None else self._struck(request, fault)

    def share_used(self, account: str) -> float:
        """How much of its limit the account has used, 0 to 1."""
        with self._lock:
            return min(1.0, len(self._window(account)) / self.calls)

    def _window(self, account: str) -> deque[float]:
        window, since = self._calls.setdefault(account, deque()), self.clock() - self.window_s
        while window and window[0] <= since:
            window.popleft()
        return window

    def _over_limit(self, account: str) -> float:
        """Count the call; seconds to stay away where it is one too many, else 0."""
        if not account:
            return 0.0
        with self._lock:
            window, now = self._window(account), self.clock()
            counted = self.counted.setdefault(account, {"calls": 0, "refused": 0})
            counted["calls"] += 1
            if len(window) >= self.calls:
                counted["refused"] += 1
                return max(0.001, window[0] + self.window_s - now)
            window.append(now)
            return 0.0

    def visible(self, row: Mapping[str, Any]) -> bool:
        """Whether lists and searches show it yet."""
        return float(row["_created"]) + self.lag_s <= self.clock()

    def tamper(self, kind: str, object_id: str, changes: Mapping[str, Any]) -> None:
        """Somebody works in the platform's own screens: fields as stored; None takes a field away."""
        self.store.update(kind, object_id, changes)

    def _struck(self, request: Request, fault: Fault) -> Response:
        if fault.kind == "lose_request":
            raise Dropped
        if fault.kind == "throttle":
            return self.throttled(request, fault.seconds)
        if fault.kind == "expired_token":
            return self.unauthorised(request)
        if fault.kind == "server_error":
            return self.server_error(request)
        if fault.kind == "html":
            return Response(502, b"<html><body>Bad Gateway</body></html>", {"Content-Type": "text/html"})
        if fault.kind == "slow":
            time.sleep(fault.seconds)
            return self.respond(request)
        if fault.kind == "drop_field":
            return self._forgetting(request, fault.field)
        response = self.respond(request)
        if fault.kind == "duplicate":
            return self.respond(request)
        if fault.kind == "lose_answer":
            raise Dropped
        if fault.kind == "server_error_after_commit":
            return self.server_error(request)
        if fault.kind == "truncate":
            return Response(response.status, response.body[: len(response.body) // 2], response.headers)
        raise ValueError(f"unknown fault {fault.kind!r}")

    def _forgetting(self, request: Request, name: str) -> Response:
        before = {(row["_kind"], row["id"]): row for row in self.store.rows()}
        response = self.respond(request)
        for row in self.store.rows():
            old = before.get((row["_kind"], row["id"]))
            if old != row and name in row:
                self.store.update(row["_kind"], row["id"], {name: old.get(name) if old else None})
        return response

    def _due_fault(self, request: Request) -> Fault | None:
        line = f"{request.method} {request.path}"
        with self._lock:
            for fault in self.faults:
                if fault.count > 0 and fault.match in line:
                    if fault.skip:
                        fault.skip -= 1
                        continue
                    fault.count -= 1
                    return fault
        return None

    def _remember(self, request: Request) -> None:
        seen = {
            "method": request.method,
            "path": request.path,
            "query": dict(request.query),
            "body": request.body[:KEPT_BYTES].decode("utf-8", "replace"),
            "at": self.clock(),
        }
        with self._lock:
            self.requests = [*self.requests[-999:], seen]

    def _control(self, request: Request) -> Response:
        door = (request.method, request.path)
        if door == ("POST", "/_sandbox/faults"):
            with self._lock:
                self.faults.append(Fault(**json.loads(request.body)))
            return Response.json(201, {"faults": len(self.faults)})
        if door == ("DELETE", "/_sandbox/faults"):
            self.faults.clear()
            return Response.json(200, {"faults": 0})
        if door == ("GET", "/_sandbox/objects"):
            return Response.json(200, self.store.rows())
        if door == ("POST", "/_sandbox/objects"):
            wish = json.loads(request.body)
            self.tamper(wish["kind"], wish["id"], wish["changes"])
            return Response.json(200, {"changed": wish["id"]})
        if door == ("POST", "/_sandbox/settings"):
            for name, value in json.loads(request.body).items():
                if name not in ("calls", "window_s", "lag_s", "review_s"):
                    return Response.json(400, {"error": f"no setting {name}"})
                setattr(self, name, value)
            return Response.json(200, {"set": True})
        if door == ("GET", "/_sandbox/calls"):
            return Response.json(200, self.counted)
        if door == ("GET", "/_sandbox/requests"):
            return Response.json(200, self.requests)
        if door == ("GET", "/_sandbox/events"):
            return Response.json(200, self.conversions.rows(request.query.get("dataset", "")))
        if door == ("GET", "/_sandbox/events/count"):
            return Response.json(200, self.conversions.count())
        if door == ("GET", "/_sandbox/health"):
            return Response.json(200, {"platform": self.key})
        return Response.json(404, {"error": "no such sandbox door"})


class InProcess(BaseAdapter):
    """A `requests` adapter onto a sandbox's own code, without sockets: `session.mount(url, InProcess(sandbox))`."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        parts = urlsplit(request.url or "")
        body = request.body or b""
        if hasattr(body, "read"):  # a file that is streamed
            body = body.read()
        try:
            answer = self.sandbox.handle(
                Request(
                    method=request.method or "GET",
                    path=str(parts.path),
                    query=dict(parse_qsl(str(parts.query), keep_blank_values=True)),
                    headers={k.lower(): v for k, v in request.headers.items()},
                    body=body.encode() if isinstance(body, str) else body,
                )
            )
        except Dropped as error:
            raise requests.ConnectionError("dropped by the sandbox") from error
        response = requests.Response()
        response.status_code = answer.status
        response._content = answer.body
        response.headers.update(answer.headers)
        response.request = request
        response.url = request.url or ""
        return response

    def close(self) -> None:
        return None


def serve(sandbox: Sandbox, host: str, port: int) -> ThreadingHTTPServer:
    """A listening HTTP/1.1 server with keep-alive; the caller runs `serve_forever()` and `shutdown()`."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # small answers: waiting for more to send costs 40 ms each

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            request = Request(
                method=self.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                headers={k.lower(): v for k, v in self.headers.items()},
                body=self.rfile.read(length),
            )
            try:
                answer = sandbox.handle(request)
            except Dropped:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_DELETE = do_PUT = _answer

        def log_message(self, format: str, *args: Any) -> None:
            return None  # requests are kept at /_sandbox/requests

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    return Server((host, port), Door)
