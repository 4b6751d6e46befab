"""The whole way over real HTTP, with real sandbox and worker processes; and a worker that is killed on it.

On SQLite with the embedded broker always; on PostgreSQL and Redis where DATABASE_URL and REDIS_URL name servers
(`make services-test`): in a database of its own, and in a Redis database that was empty before.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import requests

from governance.platforms import Platform

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


class Installation:
    """Processes and data of one installation, apart from the test's own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = free_ports(len(Platform.values))
        self.environment = {
            **{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")},
            "VAR_DIR": str(folder), "ENV_FILE": str(folder / "no.env"), "SANDBOX_PORT": str(self.port), "LOG_LEVEL": "WARNING",
            "DEPLOY_LEASE_S": "14", "PLATFORM_TIMEOUT_S": "1.5", "ENQUEUE_AGAIN_AFTER_S": "2", "DEPLOY_LOOK_AFTER_S": "0.3,0.6",
            **environment,
        }  # fmt: skip
        self.children: list[subprocess.Popen[bytes]] = []

    def run(self, *arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip().endswith(("]", "}")) else None

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{arguments[0].replace('/', '-')}-{len(self.children)}.log").open("wb")
        child = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            start_new_session=True,
            stdout=log,
            stderr=log,
        )
        self.children.append(child)
        return child

    def worker(self) -> subprocess.Popen[bytes]:
        pool = ("-P", "threads", "-c", "2") if "REDIS_URL" not in self.environment else ("-c", "2")
        schedule = str(self.folder / "beat")
        return self.start(
            "-m", "celery", "-A", "omnitraffick", "worker", "-B", "-s", schedule, "-l", "WARNING", *pool
        )

    def sandbox(self) -> None:
        self.start("manage.py", "sandbox")
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                if all(
                    requests.get(f"{url}/_sandbox/health", timeout=1).ok
                    for url in self.sandbox_urls().values()
                ):
                    return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise AssertionError("the sandboxes did not start")

    def sandbox_urls(self) -> dict[str, str]:
        return {key: f"http://127.0.0.1:{self.port + at}" for at, key in enumerate(sorted(Platform.values))}

    def objects(self) -> list[dict[str, Any]]:
        return [
            row
            for url in self.sandbox_urls().values()
            for row in requests.get(f"{url}/_sandbox/objects", timeout=5).json()
        ]

    def stop(self) -> None:
        for child in self.children:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait(10)


def empty_redis(url: str) -> str:
    """Another database of that server, with nothing in it: the worker takes whatever it finds in a queue.

    Claimed in the named one, so that two tests that run beside each other never share a queue.
    """
    base = url.rpartition("/")[0]
    claims = redis.Redis.from_url(url)
    for number in range(15, 0, -1):
        if f"{base}/{number}" == url or redis.Redis.from_url(f"{base}/{number}").dbsize():
            continue
        if claims.set(f"claimed-by-a-test:{number}", os.getpid(), nx=True, ex=1800):
            return f"{base}/{number}"
    pytest.skip("no empty Redis database besides the one of REDIS_URL")


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody listens on."""
    for _try in range(50):
        first = secrets.randbelow(20_000) + 20_000
        if all(socket.socket().connect_ex(("127.0.0.1", first + at)) for at in range(count)):
            return first
    raise AssertionError("no free ports")


@pytest.fixture(params=["embedded", pytest.param("services", marks=pytest.mark.services)])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    database, redis_url = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    name = f"omnitraffick_way_{secrets.token_hex(4)}"
    environment = {}
    if request.param == "services":
        if not (database and redis_url):
            pytest.skip(
                "DATABASE_URL and REDIS_URL are not set: the way over PostgreSQL and Redis is not walked"
            )
        with psycopg.connect(database, autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{name}"')
        environment = {
            "DATABASE_URL": database.rsplit("/", 1)[0] + "/" + name,
            "REDIS_URL": empty_redis(redis_url),
        }
    made = Installation(tmp_path, **environment)
    try:
        made.run("manage.py", "migrate", "-v", "0")
        yield made
    finally:
        made.stop()
        if environment:
            wipe_broker(made)
            number = environment["REDIS_URL"].rpartition("/")[2]
            redis.Redis.from_url(redis_url).delete(f"claimed-by-a-test:{number}")
            with psycopg.connect(database, autocommit=True) as server:
                server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def assert_everything_is_there_once(installation: Installation, report: dict[str, Any]) -> None:
    assert len(report) == 10
    assert {each["state"] for each in report.values()} == {"SUCCEEDED"}, report
    for each in report.values():
        assert each["status"] == "TRAFFICKED_SUCCESS"
        assert each["campaign"]
        assert len(each["ad_sets"]) == 2
        assert all([*each["ad_sets"], *each["ads"]])
    kinds = Counter(
        (
            row["_kind"],
            row["_parent"],
            str(
                row.get("name")
                or row.get("campaign_name")
                or row.get("adgroup_name")
                or row.get("ad_name")
                or row["id"]
            ),
        )
        for row in installation.objects()
    )
    campaigns = {key: count for key, count in kinds.items() if key[0].lower() == "campaign"}
    assert sum(campaigns.values()) == 10, campaigns
    assert set(campaigns.values()) == {1}


def test_tickets_of_every_channel_are_deployed_by_a_worker(installation: Installation) -> None:
    installation.sandbox()
    installation.worker()
    installation.run("-m", "deploy.tests.whole_way", "queue")
    report = installation.run("-m", "deploy.tests.whole_way", "wait")
    assert_everything_is_there_once(installation, report)
    assert {each["task"] for each in report.values()} == {"SUCCESS"}


def test_a_killed_worker_and_a_wiped_broker_lose_nothing(installation: Installation) -> None:
    installation.sandbox()
    # slow answers, so that the kill comes in the middle of calls
    for url in installation.sandbox_urls().values():
        fault = {"kind": "slow", "match": "POST", "count": 12, "seconds": 0.4}
        requests.post(f"{url}/_sandbox/faults", json=fault, timeout=5)
    worker = installation.worker()
    installation.run("-m", "deploy.tests.whole_way", "queue")
    until = time.monotonic() + 30
    while not installation.objects() and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(10)
    wipe_broker(installation)
    installation.worker()
    report = installation.run("-m", "deploy.tests.whole_way", "wait")
    assert_everything_is_there_once(installation, report)


def wipe_broker(installation: Installation) -> None:
    if "REDIS_URL" in installation.environment:
        redis.Redis.from_url(installation.environment["REDIS_URL"]).flushdb()
        return
    for folder in ("queue", "processed"):
        shutil.rmtree(installation.folder / "broker" / folder)
        (installation.folder / "broker" / folder).mkdir()
