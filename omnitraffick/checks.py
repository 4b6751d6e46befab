"""Numbered system checks: dangerous combinations of settings stop every command and server at start.

docs/operations.md lists the numbers with what to do. Rules read `settings` only, so that they cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

#: Django calls shorter secret keys weak (security.W009).
MIN_SECRET_LENGTH, MIN_SECRET_CHARACTERS = 50, 5
#: A call's connect timeout comes on top of PLATFORM_TIMEOUT_S (trafficking.platforms.http).
CONNECT_TIMEOUT_S = 5.0


def _error(number: str, text: str, hint: str) -> Error:
    return Error(text, hint=hint, id=f"omnitraffick.{number}")


@register()
def check_secrets(app_configs: Sequence[Any] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """E001, E007, E008: the keys that everything hangs on."""
    found: list[CheckMessage] = []
    if settings.PRODUCTION and settings.SECRETS_GENERATED:
        found.append(_error("E001", "PRODUCTION runs on secrets that were generated beside the data.",
                            "Set SECRET_KEY and ENCRYPTION_KEYS from your secret store."))  # fmt: skip
    key = settings.SECRET_KEY
    if len(key) < MIN_SECRET_LENGTH or len(set(key)) < MIN_SECRET_CHARACTERS:
        found.append(_error("E007", "SECRET_KEY is weak.",
                            f"Use at least {MIN_SECRET_LENGTH} random characters (docs/security.md)."))  # fmt: skip
    broken = [at for at, each in enumerate(settings.ENCRYPTION_KEYS, 1) if not _is_fernet_key(each)]
    if broken or not settings.ENCRYPTION_KEYS:
        where = ", ".join(map(str, broken)) or "none is set"
        found.append(_error("E008", f"ENCRYPTION_KEYS holds something that is no Fernet key (position: {where}).",
                            "Make keys with cryptography's Fernet.generate_key(); newest first, comma between."))  # fmt: skip
    return found


def _is_fernet_key(text: str) -> bool:
    try:
        Fernet(text)
    except ValueError:  # wrong length, or no base64
        return False
    return True


@register()
def check_production(app_configs: Sequence[Any] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """E002, E003, E004, E006, E009, W013: what an installation that others rely on must not be."""
    found: list[CheckMessage] = []
    if "*" in settings.ALLOWED_HOSTS:
        found.append(_error("E006", "ALLOWED_HOSTS accepts every host name.",
                            "Name the hosts: a forged Host header ends up in links and caches."))  # fmt: skip
    if not settings.PRODUCTION:
        return found
    if settings.DEBUG:
        found.append(
            _error(
                "E002", "DEBUG is on in PRODUCTION.", "Unset DEBUG: its error pages show settings and data."
            )
        )
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        found.append(_error("E003", "PRODUCTION runs on SQLite.",
                            "Set DATABASE_URL to PostgreSQL: SQLite has one writer and lives on one machine."))  # fmt: skip
    if not settings.REDIS_URL:
        found.append(_error("E004", "PRODUCTION has no REDIS_URL.",
                            "Set REDIS_URL: the embedded broker, cache and login throttle serve one machine only."))  # fmt: skip
    if not settings.ALLOWED_HOSTS:
        found.append(
            _error("E009", "ALLOWED_HOSTS is empty in PRODUCTION.", "Name the hosts that people type.")
        )
    if not settings.SECURE_SSL:
        found.append(Warning("SECURE_SSL is off in PRODUCTION: passwords and tokens travel in the clear.",
                             hint="Serve over TLS; behind a proxy that ends it, set BEHIND_TLS_PROXY.",
                             id="omnitraffick.W013"))  # fmt: skip
    return found


@register()
def check_platforms(app_configs: Sequence[Any] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """E005: real money is spent from installations that are run as such."""
    if settings.LIVE_PLATFORMS and not settings.PRODUCTION:
        return [_error("E005", "LIVE_PLATFORMS is on, and this is no PRODUCTION installation.",
                       "Unset LIVE_PLATFORMS, or set PRODUCTION and what it needs: live calls spend real money.")]  # fmt: skip
    return []


@register()
def check_times(app_configs: Sequence[Any] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """E010 to E012: limits that would make a task be done twice, or never."""
    found: list[CheckMessage] = []
    visible = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("visibility_timeout")
    if visible is not None and visible <= settings.CELERY_TASK_TIME_LIMIT:
        found.append(_error("E010", "Redis gives a message to a second worker while the first may still be at it.",
                            f"Keep TASK_TIME_LIMIT below the visibility timeout of {visible} s."))  # fmt: skip
    if settings.CELERY_TASK_TIME_LIMIT <= settings.DEPLOY_LEASE_S:
        found.append(_error("E011", "TASK_TIME_LIMIT ends a task before its lease on a deployment runs out.",
                            "Raise TASK_TIME_LIMIT above DEPLOY_LEASE_S."))  # fmt: skip
    if settings.PLATFORM_TIMEOUT_S + CONNECT_TIMEOUT_S >= settings.DEPLOY_LEASE_S / 2:
        found.append(_error("E012", "One call to a platform may outlast half of a worker's lease.",
                            "Raise DEPLOY_LEASE_S above twice PLATFORM_TIMEOUT_S plus ten seconds: otherwise two"
                            " workers may call at once."))  # fmt: skip
    return found
