"""A plan sent to a sandbox in process, operation by operation."""

from __future__ import annotations

import json
from typing import Any

import requests

from trafficking.platforms.base import Applied, Connection, TicketSnapshot
from trafficking.platforms.meta import PLATFORM
from trafficking.platforms.meta.client import MetaClient
from trafficking.platforms.meta.sandbox import MetaSandbox
from trafficking.platforms.meta.tests.builders import ACCOUNT
from trafficking.platforms.sandbox_base import Fault, InProcess

URL = "http://meta.test"
TOKEN = "EAAB-secret-token"


def client(sandbox: MetaSandbox, token: str = TOKEN, **credentials: str) -> MetaClient:
    session = requests.Session()
    session.mount(URL, InProcess(sandbox))
    return MetaClient(Connection(URL, ACCOUNT, {"access_token": token, **credentials}), session)


def deploy(sandbox: MetaSandbox, ticket: TicketSnapshot) -> dict[str, str]:
    """Send everything; external ids by ref."""
    made, ids = client(sandbox), {}
    for operation in PLATFORM.compile(ticket).operations:
        outcome = made.apply(operation, ids)
        assert isinstance(outcome, Applied), (operation.ref, outcome)
        ids.update(outcome.external_ids)
    return ids


def fault(kind: str, match: str = "", **more: Any) -> Fault:
    return Fault(kind, match, **more)


def call(
    sandbox: MetaSandbox, method: str, path: str, body: dict[str, Any] | None = None, token: str = TOKEN
) -> requests.Response:
    """A request made by hand, without our client: form fields with JSON inside."""
    session = requests.Session()
    session.mount(URL, InProcess(sandbox))
    data = None
    if body is not None:
        data = {k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items()}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return session.request(method, URL + path, data=data, headers=headers)
