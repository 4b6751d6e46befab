"""One exchange with the Graph API after another: forms, secrets, limits, pages.

Bodies go as forms with nested values in JSON. The token travels in a header, the proof made with the
app's secret among the parameters; neither is ever in an operation, an outcome or an exception.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import requests

from trafficking.platforms.base import (
    Applied,
    Client,
    Connection,
    InDoubt,
    NeedsAuth,
    NotFound,
    Outcome,
    Rejected,
    Unread,
)
from trafficking.platforms.http import send
from trafficking.platforms.meta.errors import failure, parsed, says_not_there, usage
from trafficking.platforms.meta.uploads import Multipart

_PAGE = 200
_MOST_PAGES = 100
_UPLOAD_TIMEOUT_S = 900.0
_DATE_LENGTH = len("Mon, 23 Nov 2026 23:30:00 GMT")


class GraphClient(Client):
    """Speaks to the Graph API as one account; what to say is its subclass's business."""

    def __init__(self, connection: Connection, session: requests.Session) -> None:
        super().__init__(connection, session)
        self._token = connection.credentials.get("access_token", "")
        self._proof = _proof(self._token, connection.credentials.get("app_secret", ""))
        self._now: datetime | None = None  # of the last answer

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        upload: Multipart | None = None,
        body: Any = None,
    ) -> Outcome:
        """One exchange; `Applied` carries the answer and no ids."""
        if not self._token:
            return NeedsAuth("no access token is stored for this account")
        self.before_call()
        response = send(
            self.session,
            method,
            self.connection.base_url.rstrip("/") + path,
            timeout_s=self.connection.timeout_s if upload is None else _UPLOAD_TIMEOUT_S,
            headers={"Authorization": f"Bearer {self._token}", **_content_type(upload)},
            params={**params, **self._proof} if params is not None else None,
            data={**data, **self._proof} if data is not None else (upload.body() if upload else None),
        )
        if not isinstance(response, requests.Response):
            return response
        self.usage = usage(response.headers) or self.usage
        self._now = server_time(response.headers.get("Date")) or self._now
        answer = self._without_secrets(parsed(response))
        failed = failure(response, answer, body)
        return failed if failed is not None else Applied({}, answer, response.status_code)

    def _get(self, path: str, fields: str) -> Applied | NotFound | Unread:
        answer = self._call("GET", path, params={"fields": fields} if fields else {})
        if isinstance(answer, Rejected):
            return NotFound() if says_not_there(answer) else _unexpected(answer)
        return answer

    def _all(self, path: str, fields: str, page: int = _PAGE, **more: str) -> list[Any] | Unread:
        """Everything on an edge, page by page."""
        params = {"fields": fields, "limit": str(page), **more}
        rows: list[Any] = []
        for _ in range(_MOST_PAGES):
            answer = self._call("GET", path, params=params)
            if isinstance(answer, Rejected):
                return _unexpected(answer)
            if not isinstance(answer, Applied):
                return answer
            page_rows, after = _page(answer.response)
            rows += page_rows
            if after is None:
                return rows
            params["after"] = after
        return InDoubt(f"more than {page * _MOST_PAGES} objects to look through")

    def _without_secrets(self, answer: Any) -> Any:
        """Meta repeats a malformed token in its message, and every token in paging links."""
        secrets = [s for s in (self._token, *self._proof.values()) if s]
        return _scrubbed(answer, [*secrets, *(quote(s, safe="") for s in secrets)])


def form(body: Mapping[str, Any]) -> dict[str, str]:
    """A body as form fields: text as it is, everything else as JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        for key, value in body.items()
    }


def _proof(token: str, app_secret: str) -> dict[str, str]:
    """`appsecret_proof`: HMAC-SHA256 of the token, keyed with the app's secret (Graph API, "Secure Requests")."""
    if not app_secret:
        return {}
    digest = hmac.new(app_secret.encode(), token.encode(), hashlib.sha256)
    return {"appsecret_proof": digest.hexdigest()}


def _page(answer: Mapping[str, Any]) -> tuple[list[Any], str | None]:
    """Rows of a page, and where the next one begins; what is no row is left out."""
    data, paging = answer.get("data"), answer.get("paging")
    rows = [each for each in data if isinstance(each, Mapping)] if isinstance(data, list) else []
    cursors = paging.get("cursors") if isinstance(paging, Mapping) and paging.get("next") else None
    after = cursors.get("after") if isinstance(cursors, Mapping) else None
    return rows, str(after) if after else None


def _content_type(upload: Multipart | None) -> dict[str, str]:
    return {"Content-Type": upload.content_type} if upload is not None else {}


def server_time(header: str | None) -> datetime | None:
    """The platform's clock by the `Date` header; the last of several (a proxy's or server's own stands before it)."""
    try:
        return parsedate_to_datetime((header or "")[-_DATE_LENGTH:])
    except ValueError:
        return None


def _unexpected(rejected: Rejected) -> InDoubt:
    """A look-up that is refused says nothing about the object."""
    return InDoubt(f"{rejected.code}: {rejected.message}", rejected.response, rejected.http_status)


def _scrubbed(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
        return value
    if isinstance(value, Mapping):
        return {key: _scrubbed(inner, secrets) for key, inner in value.items()}
    if isinstance(value, list):
        return [_scrubbed(inner, secrets) for inner in value]
    return value
