"""The probes tell what is missing, and nothing that should stay inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client

from omnitraffick import health


@pytest.fixture(autouse=True)
def fresh_schema_probe() -> None:
    health._require_current_schema.cache_clear()


def test_live_answers_without_the_database(client: Client) -> None:
    # no django_db mark: a query would fail the test
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"] or "no-cache" in answer["Cache-Control"]


@pytest.mark.django_db
def test_ready_names_each_check(client: Client) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "checks": {"database": "ok", "migrations": "ok", "broker": "ok"}}


@pytest.mark.django_db
def test_a_database_that_fails_is_told_without_its_words(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def cursor(self) -> Any:
            raise DatabaseError("could not connect to db.internal as omni with password hunter2")

    monkeypatch.setattr(health, "connection", Broken())
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "does not answer"
    assert "hunter2" not in answer.content.decode()


@pytest.mark.django_db
def test_waiting_migrations_are_counted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        health.MigrationExecutor, "migration_plan", lambda self, targets: [("a", False), ("b", False)]
    )
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]["migrations"]) == (503, "2 to apply")


@pytest.mark.django_db
def test_a_broker_that_is_down_is_told(client: Client, settings: Any) -> None:
    settings.REDIS_URL = "redis://:hunter2@127.0.0.1:1/0"
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]["broker"]) == (503, "does not answer")
    assert "hunter2" not in answer.content.decode()


@pytest.mark.django_db
def test_a_broker_folder_that_is_gone_is_told(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.REDIS_URL, settings.BROKER_DIR = "", tmp_path / "gone"
    assert client.get("/health/ready").json()["checks"]["broker"] == "its folder is missing"


def test_probes_only_answer_reading(client: Client) -> None:
    assert client.post("/health/live").status_code == 405
