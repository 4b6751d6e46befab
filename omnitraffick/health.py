"""Two open doors for probes: alive (the process answers) and ready (it can do its work). They tell no secrets."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

logger = logging.getLogger(__name__)

#: How long the broker may take to accept a connection (seconds): probes are asked often.
BROKER_TIMEOUT_S = 2.0


class NotReady(Exception):
    """What is missing, in words that may be public."""


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 while the process answers; asks nothing else, so that a slow database does not restart the web."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when database, schema and broker are there; 503 otherwise. Each check says "ok" or what is missing."""
    checks = {name: _outcome(name, check) for name, check in CHECKS.items()}
    all_well = set(checks.values()) == {"ok"}
    return JsonResponse(
        {"status": "ok" if all_well else "not ready", "checks": checks}, status=200 if all_well else 503
    )


def _outcome(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except NotReady as problem:
        logger.warning("not ready: %s: %s", name, problem)
        return str(problem)
    return "ok"


def check_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.exception("database probe failed")  # the driver's words may name hosts: for the log only
        raise NotReady("does not answer") from None


def check_migrations() -> None:
    try:
        _require_current_schema()
    except DatabaseError:
        raise NotReady("can't be read") from None


@lru_cache(maxsize=1)
def _require_current_schema() -> None:
    """Raises NotReady while migrations wait. Once they are applied this process need not read them again."""
    executor = MigrationExecutor(connection)
    if waiting := len(executor.migration_plan(executor.loader.graph.leaf_nodes())):
        raise NotReady(f"{waiting} to apply")


def check_broker() -> None:
    if not settings.REDIS_URL:
        folder = Path(settings.BROKER_DIR) / "queue"
        if not folder.is_dir():
            raise NotReady("its folder is missing")
        return
    address = urlsplit(settings.REDIS_URL)
    try:
        socket.create_connection(
            (address.hostname or "localhost", address.port or 6379), BROKER_TIMEOUT_S
        ).close()
    except OSError:
        logger.exception("broker probe failed")
        raise NotReady("does not answer") from None


CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "migrations": check_migrations,
    "broker": check_broker,
}
