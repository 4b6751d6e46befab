"""An ad account's way to its platform: where to call, as whom, over which session."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import BinaryIO, cast
from urllib.request import getproxies

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter

from deploy.gate import Gate, Share
from deploy.sandboxes import sandbox_url
from governance.models import AdAccount
from trafficking.models import MediaFile
from trafficking.platforms import base
from trafficking.platforms.registry import platform
from trafficking.snapshots import account_snapshot

_threads = threading.local()


def client_for(
    account: AdAccount, *, share: Share = "deploy", brand_id: int | None = None,
    still_ours: Callable[[], None] | None = None,
) -> base.Client:  # fmt: skip
    """The platform's client for this account, behind its gate. A live account is called only where LIVE_PLATFORMS is set.

    `still_ours` is asked before each request; what it raises goes through. Raises PermissionError.
    """
    live = account.mode == AdAccount.Mode.LIVE
    if live and not settings.LIVE_PLATFORMS:
        raise PermissionError(f"{account.name} is live and LIVE_PLATFORMS is off")
    known = platform(account.platform)
    connection = base.Connection(
        base_url=known.live_url if live else sandbox_url(account.platform),
        account=account_snapshot(account),
        credentials=account.credentials if live else known.sandbox_credentials,
        timeout_s=settings.PLATFORM_TIMEOUT_S,
        open_file=open_file,
    )
    client = known.client(connection, session())
    client.before_call = Gate(account, share, brand_id, still_ours)
    return client


def open_file(sha256: str) -> BinaryIO:
    """A file of any brand's library by its content: equal content is the same file. LookupError where it is gone."""
    row = MediaFile.objects.filter(sha256=sha256).first()
    if row is None or not row.file.storage.exists(row.file.name):
        raise LookupError(f"the media library no longer holds {sha256[:12]}…")
    return cast(BinaryIO, row.file.open("rb"))


def session() -> requests.Session:
    """One session a thread: connections are kept alive; no cookies, no netrc (it would replace our token)."""
    if not hasattr(_threads, "session"):
        fresh = requests.Session()
        fresh.trust_env = False
        fresh.proxies = (
            {k: v for k, v in getproxies().items() if k in ("http", "https")}
            if settings.LIVE_PLATFORMS
            else {}
        )
        fresh.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for prefix in ("https://", "http://"):
            fresh.mount(prefix, HTTPAdapter(pool_connections=8, pool_maxsize=8, max_retries=0))
        _threads.session = fresh
    return _threads.session
