"""Every log line is one JSON object that says which request or task it belongs to, and holds no secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

SCENE = """
import logging, os
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from celery import shared_task
import omnitraffick.urls
from omnitraffick.celery import app

plain = logging.getLogger("somewhere.of.ours")

def view(request):
    plain.warning("looked at %s", request.path)
    return HttpResponse("ok")

def broken(request):
    raise RuntimeError("no good")

@shared_task
def job():
    plain.warning("worked")

omnitraffick.urls.urlpatterns += [path("scene/", view), path("broken/", broken)]
from structlog import get_logger
get_logger("somewhere").warning("bound", access_token="hunter2", request="GET /x?token=hunter2")
client = Client(raise_request_exception=False, headers={"x-request-id": "req-42", "authorization": "Token hunter2"})
client.get("/scene/?token=hunter2")
client.get("/broken/")
client.post("/admin/login/", {"username": "someone", "password": "hunter2"})
steps = [step(None) for step in app.steps["worker"] if "StructLog" in step.__name__]  # as a starting worker does
job.apply(task_id="task-77")
"""


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    folder = tmp_path_factory.mktemp("logs")
    env = {
        "PATH": os.environ["PATH"], "VAR_DIR": str(folder), "ENV_FILE": str(folder / "no.env"), "LOG_FORMAT": "json", "TRUST_REQUEST_ID": "1",
        "DJANGO_SETTINGS_MODULE": "omnitraffick.settings", "SECRET_KEY": "hunter2" * 9, "ALLOWED_HOSTS": "testserver",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", SCENE],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stderr, [line for line in done.stderr.splitlines() if "hunter2" in line]
    return [json.loads(line) for line in done.stderr.splitlines() if line.strip()]


def test_a_plain_logger_carries_the_request_id(lines: list[dict[str, object]]) -> None:
    (found,) = [line for line in lines if line["event"] == "looked at /scene/"]
    assert found["request_id"] == "req-42"
    assert found["level"] == "warning"
    assert str(found["timestamp"]).endswith(("Z", "+00:00"))


def test_a_plain_logger_carries_the_task_id(lines: list[dict[str, object]]) -> None:
    (found,) = [line for line in lines if line["event"] == "worked"]
    assert found["task_id"] == "task-77"


def test_an_unhandled_error_leaves_its_trace(lines: list[dict[str, object]]) -> None:
    traced = [line for line in lines if "RuntimeError: no good" in str(line.get("exception", ""))]
    assert traced
    assert traced[0]["request_id"] == "req-42"


def test_values_named_like_secrets_are_hidden(lines: list[dict[str, object]]) -> None:
    (found,) = [line for line in lines if line["event"] == "bound"]
    assert (found["access_token"], found["request"]) == ("[hidden]", "GET /x")


def test_requests_are_logged_without_their_query(lines: list[dict[str, object]]) -> None:
    assert "GET /scene/" in {line.get("request") for line in lines}
