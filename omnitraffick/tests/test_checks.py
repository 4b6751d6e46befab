"""Each numbered check strikes for its combination, and none strikes for sound production settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from omnitraffick import checks

ROOT = Path(__file__).resolve().parents[2]
STRONG = "Zp4vN8-qT1xL6sWd0RbY3uHc7KmJ9eGa2FoViXnPtQyEwCrBzU"
POSTGRES = {"default": {"ENGINE": "django.db.backends.postgresql"}}
SQLITE = {"default": {"ENGINE": "django.db.backends.sqlite3"}}
SOUND = {
    "PRODUCTION": True, "DEBUG": False, "SECRETS_GENERATED": False, "SECRET_KEY": STRONG,
    "ENCRYPTION_KEYS": [Fernet.generate_key().decode()], "ALLOWED_HOSTS": ["traffic.example.org"], "SECURE_SSL": True,
    "DATABASES": POSTGRES, "REDIS_URL": "redis://broker:6379/0", "LIVE_PLATFORMS": True,
    "CELERY_BROKER_TRANSPORT_OPTIONS": {"visibility_timeout": 3600}, "CELERY_TASK_TIME_LIMIT": 900,
    "DEPLOY_LEASE_S": 120.0, "PLATFORM_TIMEOUT_S": 30.0,
}  # fmt: skip


class Settings:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(SOUND | values)


def numbers(monkeypatch: pytest.MonkeyPatch, **values: Any) -> set[str]:
    monkeypatch.setattr(checks, "settings", Settings(**values))
    every = (checks.check_secrets, checks.check_production, checks.check_platforms, checks.check_times)
    return {found.id.removeprefix("omnitraffick.") for check in every for found in check()}


def test_sound_production_settings_raise_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert numbers(monkeypatch) == set()


@pytest.mark.parametrize(
    ("number", "values"),
    [
        ("E001", {"SECRETS_GENERATED": True}),
        ("E002", {"DEBUG": True}),
        ("E003", {"DATABASES": SQLITE}),
        ("E004", {"REDIS_URL": ""}),
        ("E005", {"PRODUCTION": False}),
        ("E006", {"ALLOWED_HOSTS": ["traffic.example.org", "*"]}),
        ("E007", {"SECRET_KEY": STRONG[:40]}),
        ("E007", {"SECRET_KEY": "ab" * 40}),
        ("E008", {"ENCRYPTION_KEYS": [Fernet.generate_key().decode(), "not a key"]}),
        ("E008", {"ENCRYPTION_KEYS": []}),
        ("E008", {"ENCRYPTION_KEYS": ["ключ"]}),
        ("E009", {"ALLOWED_HOSTS": []}),
        ("E010", {"CELERY_BROKER_TRANSPORT_OPTIONS": {"visibility_timeout": 600}}),
        ("E011", {"DEPLOY_LEASE_S": 900.0}),
        ("E012", {"PLATFORM_TIMEOUT_S": 55.0}),
        ("W013", {"SECURE_SSL": False}),
    ],
)
def test_each_number_strikes(monkeypatch: pytest.MonkeyPatch, number: str, values: dict[str, Any]) -> None:
    assert numbers(monkeypatch, **values) == {number}


def test_a_first_run_on_one_machine_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first_run = {
        "PRODUCTION": False, "SECRETS_GENERATED": True, "DATABASES": SQLITE, "REDIS_URL": "", "LIVE_PLATFORMS": False,
        "CELERY_BROKER_TRANSPORT_OPTIONS": {}, "SECURE_SSL": False, "ALLOWED_HOSTS": ["127.0.0.1"],
    }  # fmt: skip
    assert numbers(monkeypatch, **first_run) == set()


def test_no_finding_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "settings", Settings(SECRET_KEY="hunter2", ENCRYPTION_KEYS=["hunter3"]))
    assert "hunter" not in " ".join(f"{found.msg} {found.hint}" for found in checks.check_secrets())


def production_environment(var_dir: Path, **values: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "VAR_DIR": str(var_dir), "ENV_FILE": str(var_dir / "no.env"), "PRODUCTION": "1",
        "SECRET_KEY": STRONG, "ENCRYPTION_KEYS": Fernet.generate_key().decode(), "ALLOWED_HOSTS": "traffic.example.org",
        "DATABASE_URL": "postgres://app@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0", **values,
    }  # fmt: skip


def check_deploy(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
def test_check_deploy_is_clean_in_production_settings(tmp_path: Path) -> None:
    done = check_deploy(production_environment(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout + done.stderr


@pytest.mark.slow
def test_a_dangerous_combination_stops_the_start(tmp_path: Path) -> None:
    done = check_deploy(production_environment(tmp_path, DEBUG="1"))
    assert done.returncode != 0
    assert "omnitraffick.E002" in done.stderr
