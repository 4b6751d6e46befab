"""`manage.py run` for real: it starts everything, deploys the demo, and leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux", reason="reads /proc to find children, and relies on PR_SET_PDEATHSIG"
    ),
]


def free_ports(count: int) -> int:
    """The first of `count` free ports in a row."""
    for first in range(20_000 + os.getpid() % 20_000, 60_000, count):
        sockets = [socket.socket() for _ in range(count)]
        try:
            for offset, each in enumerate(sockets):
                each.bind(("127.0.0.1", first + offset))
        except OSError:
            continue
        finally:
            for each in sockets:
                each.close()
        return first
    raise RuntimeError("no free ports")


def environment(var_dir: Path) -> dict[str, str]:
    port = free_ports(4)
    kept = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "LOG_LEVEL")}
    return {
        **kept,
        "VAR_DIR": str(var_dir),
        "PORT": str(port),
        "SANDBOX_PORT": str(port + 1),
        "ENV_FILE": str(var_dir / "no.env"),
    }


@dataclass
class Running:
    process: subprocess.Popen[str]
    env: dict[str, str]
    output: list[str] = field(default_factory=list)

    def read_until(self, text: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)
            if text in line:
                return
            assert time.monotonic() < deadline, "".join(self.output)
        raise AssertionError(f"ended before {text!r}:\n{''.join(self.output)}")

    def finish(self, seconds: float = 15) -> int:
        rest, _ = self.process.communicate(timeout=seconds)
        self.output.append(rest or "")
        return self.process.returncode


def start(env: dict[str, str], *options: str) -> Running:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run", *options], cwd=ROOT, env=env, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return Running(process, env)


def processes() -> dict[int, tuple[int, str]]:
    """Living processes: pid -> (parent, command line)."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue  # it ended meanwhile
        if state != "Z":
            found[int(folder.name)] = (int(parent), command)
    return found


def descendants(pid: int) -> dict[int, str]:
    everyone = processes()
    found: dict[int, str] = {}
    generation = {pid}
    while generation:
        generation = {each for each, (parent, _) in everyone.items() if parent in generation}
        found |= {each: everyone[each][1] for each in generation}
    return found


def assert_all_gone(family: dict[int, str], seconds: float = 12) -> None:
    deadline = time.monotonic() + seconds
    while True:
        alive = processes()
        left = {pid: command for pid, command in family.items() if pid in alive and alive[pid][1] == command}
        if not left:
            return
        assert time.monotonic() < deadline, f"orphans: {left}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VAR_DIR whose database is migrated: copied by each test, for migrations take seconds."""
    folder = tmp_path_factory.mktemp("prepared")
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"],
        cwd=ROOT,
        env=environment(folder),
        check=True,
        timeout=120,
    )
    return folder


@pytest.fixture
def var_dir(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "var"))


@pytest.fixture
def serving(var_dir: Path) -> Iterator[Running]:
    """Everything up, without the demo."""
    running = start(environment(var_dir), "--no-demo")
    try:
        running.read_until("Admin: http")
        yield running
    finally:
        if running.process.poll() is None:
            running.process.send_signal(signal.SIGTERM)
            running.finish()


def test_the_demo_deploys_every_line_and_a_second_run_shows_the_same_at_once(var_dir: Path) -> None:
    first = start(environment(var_dir), "--once")
    assert first.finish(180) == 0, "".join(first.output)
    text = "".join(first.output)
    lines, total = map(int, re.search(r"Demo: (\d+) of (\d+) lines deployed", text).groups())
    assert lines == total >= 12
    logins = var_dir / "demo-logins.txt"
    assert stat.S_IMODE(logins.stat().st_mode) == 0o600

    second = start(environment(var_dir), "--once")
    assert second.finish(60) == 0, "".join(second.output)
    again = "".join(second.output)
    assert table_of(text) == table_of(again)
    assert "demo: " not in again  # nothing was imported, checked or deployed a second time
    for line in logins.read_text().splitlines()[1:]:
        password = line.split('"')[1]
        assert password in text
        assert password in again


def table_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("│ ")]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 128 + 15)])
def test_a_signal_stops_everything_cleanly(serving: Running, number: int, code: int) -> None:
    family = descendants(serving.process.pid)
    assert len(family) >= 7, (
        family
    )  # sandboxes: parent and three; worker and its scheduler; web and its worker
    begun = time.monotonic()
    serving.process.send_signal(number)
    assert serving.finish() == code, "".join(serving.output)
    assert time.monotonic() - begun < 10
    assert_all_gone(family, seconds=1)
    assert "All stopped." in serving.output[-1]
    assert "did not stop in time" not in "".join(serving.output)


def test_a_killed_parent_leaves_no_orphans(serving: Running) -> None:
    family = descendants(serving.process.pid)
    serving.process.kill()
    serving.process.wait(5)
    assert_all_gone(family)


def one_named(text: str) -> Callable[[dict[int, str]], int]:
    return lambda family: next(pid for pid, command in sorted(family.items()) if text in command)


@pytest.mark.parametrize(
    ("name", "victim"),
    [
        ("web", one_named("gunicorn")),
        ("worker", one_named("celery")),
        ("sandbox", one_named("manage.py sandbox")),
    ],
)
def test_a_dead_child_ends_all_and_is_named(
    serving: Running, name: str, victim: Callable[[dict[int, str]], int]
) -> None:
    family = descendants(serving.process.pid)
    os.kill(victim(family), signal.SIGKILL)
    assert serving.finish() == 1
    assert_all_gone(family, seconds=2)
    assert f"{name} ended with exit code -9" in "".join(serving.output)


def test_a_second_run_beside_the_first_is_refused(serving: Running) -> None:
    second = start(
        {
            **serving.env,
            **{k: v for k, v in environment(Path(serving.env["VAR_DIR"])).items() if k.endswith("PORT")},
        }
    )
    assert second.finish(30) == 1
    assert f"already running here (process {serving.process.pid})" in "".join(second.output)


@pytest.mark.parametrize("which", ["PORT", "SANDBOX_PORT"])
def test_a_taken_port_is_named_with_the_remedy(var_dir: Path, which: str) -> None:
    env = environment(var_dir)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(env[which])))
        taken.listen()
        refused = start(env, "--no-demo")
        assert refused.finish(30) == 1
    text = "".join(refused.output)
    assert env[which] in text
    assert f"{which}=" in text


def test_production_refuses_demo_people(var_dir: Path) -> None:
    production = {
        "PRODUCTION": "1", "SECRET_KEY": "k3" * 20 + "abcdefghij", "ALLOWED_HOSTS": "example.org",
        "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }  # fmt: skip
    refused = start({**environment(var_dir), **production})
    assert refused.finish(30) == 1
    assert "--no-demo" in "".join(refused.output)
