"""What every test stands on: its own folder for what a run writes, no `.env`, no network beyond this machine."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import django
import pytest
from django.apps import apps
from django.core.management.sql import emit_post_migrate_signal
from pytest_django.plugin import blocking_manager_key

# Before settings load: each test process (xdist workers too) has its own VAR_DIR, and a developer's .env, which
# may hold real keys, is not read. DATABASE_URL and REDIS_URL stay: they choose what the services run tests.
_VAR_DIR = tempfile.mkdtemp(prefix="omnitraffick-test-")
atexit.register(shutil.rmtree, _VAR_DIR, ignore_errors=True)
os.environ["VAR_DIR"] = _VAR_DIR
os.environ["ENV_FILE"] = f"{_VAR_DIR}/no.env"
os.environ["DJANGO_SETTINGS_MODULE"] = "omnitraffick.settings"
for _name in (
    "PRODUCTION",
    "DEBUG",
    "LIVE_PLATFORMS",
    "SECRET_KEY",
    "ENCRYPTION_KEYS",
    "ALLOWED_HOSTS",
    "STATIC_ROOT",
):
    os.environ.pop(_name, None)

django.setup()


class NetworkBlocked(RuntimeError):
    """A test tried to leave this machine."""


def _is_here(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    return host in ("localhost", "::1", "") or host.startswith("127.")


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    """Connections to other machines are refused: tests talk to the sandbox, a real server, and to local services."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(door: Any) -> Any:
        def call(self: socket.socket, address: Any) -> Any:
            if not _is_here(address):
                raise NetworkBlocked(f"tests may not connect to {address[0]}:{address[1]}")
            return door(self, address)

        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(connect))
        patch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """A test on real transactions ends with empty tables: the reference data come back for the next one."""
    result = yield
    marker = item.get_closest_marker("django_db")
    # after the last test the test database is gone, and the connection is the installation's own
    if nextitem is not None and marker is not None and marker.kwargs.get("transaction"):
        with item.config.stash[blocking_manager_key].unblock():
            restore_reference_data()
    return result


def restore_reference_data() -> None:
    """What the migrations load, and the roles with their permissions."""
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    import_module("governance.migrations.0002_reference_data").load(apps, None)
