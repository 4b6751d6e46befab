"""Calls into the sandbox, without and with our client."""

from __future__ import annotations

import json
from typing import Any

import requests

from trafficking.platforms.base import Connection
from trafficking.platforms.google_ads.client import GoogleAdsClient
from trafficking.platforms.google_ads.sandbox import GoogleAdsSandbox
from trafficking.platforms.google_ads.tests.builders import ACCOUNT, CREDENTIALS
from trafficking.platforms.sandbox_base import InProcess, Request, Response

BASE = "https://sandbox.test"
HEADERS = {
    "authorization": "Bearer ya29.good",
    "developer-token": "dev-token-22-characters",
    "content-type": "application/json",
}
MUTATE = "/v26/customers/1234567890/googleAds:mutate"
SEARCH = "/v26/customers/1234567890/googleAds:search"


def post(sandbox: GoogleAdsSandbox, path: str, body: Any, **headers: str | None) -> Response:
    """One raw request; a header given as None is left out."""
    sent = {**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return sandbox.handle(Request("POST", path, {}, {k: v for k, v in sent.items() if v is not None}, raw))


def client(sandbox: GoogleAdsSandbox, credentials: dict[str, str] | None = None) -> GoogleAdsClient:
    session = requests.Session()
    session.mount(BASE, InProcess(sandbox))
    return GoogleAdsClient(
        Connection(BASE, ACCOUNT, CREDENTIALS if credentials is None else credentials), session
    )
