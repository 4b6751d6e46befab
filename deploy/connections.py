"""An ad account's way to its platform: where to call, as whom, over which session."""

from __future__ import annotations

import threading
from http.cookiejar import DefaultCookiePolicy
from urllib.request import getproxies

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter

from deploy.sandboxes import sandbox_url
from governance.models import AdAccount
from trafficking.platforms import base
from trafficking.platforms.registry import platform
from trafficking.snapshots import account_snapshot

_threads = threading.local()


def client_for(account: AdAccount) -> base.Client:
    """The platform's client for this account. A live account is called only where LIVE_PLATFORMS is set."""
    live = account.mode == AdAccount.Mode.LIVE
    if live and not settings.LIVE_PLATFORMS:
        raise PermissionError(f"{account.name} is live and LIVE_PLATFORMS is off")
    known = platform(account.platform)
    connection = base.Connection(
        base_url=known.live_url if live else sandbox_url(account.platform),
        account=account_snapshot(account),
        credentials=account.credentials if live else known.sandbox_credentials,
        timeout_s=settings.PLATFORM_TIMEOUT_S,
    )
    return known.client(connection, session())


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
