"""The sandboxes' own code behind `requests`, without sockets: fakes at the HTTP edge only."""

from __future__ import annotations

import pytest
import requests

from deploy import connections
from deploy.sandboxes import sandbox_class, sandbox_keys, sandbox_url
from governance.tests.factories import UserFactory
from trafficking.platforms.sandbox_base import InProcess, Sandbox


@pytest.fixture
def sandboxes(monkeypatch, settings) -> dict[str, Sandbox]:
    settings.DEPLOY_LOOK_AFTER_S = [0.0, 0.0]
    settings.DEPLOY_PROVE_AFTER_S = [0.0, 0.0, 0.0]
    # rate budgets have tests of their own; here nothing is to wait for the clock
    monkeypatch.setattr("deploy.throttle.take", lambda account, share="deploy": None)
    played = {key: sandbox_class(key)() for key in sandbox_keys()}
    session = requests.Session()
    session.trust_env = False
    for key, sandbox in played.items():
        session.mount(sandbox_url(key), InProcess(sandbox))
    monkeypatch.setattr(connections, "session", lambda: session)
    return played


@pytest.fixture
def no_wait(monkeypatch):
    """Back-off of no length: what is waited for is tested in test_retry.py."""
    monkeypatch.setattr("deploy.retry.wait", lambda after, tries: 0.0)


@pytest.fixture
def trafficker():
    return UserFactory(roles=["Trafficker"], everywhere=True)


@pytest.fixture
def approver():
    return UserFactory(roles=["Approver"], everywhere=True)
