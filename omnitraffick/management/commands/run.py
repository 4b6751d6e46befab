"""`manage.py run`: the whole installation on one machine, from one terminal."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from rich.console import Console
from rich.markup import escape

from deploy.sandboxes import sandbox_keys, sandbox_port, sandbox_url
from omnitraffick.demo.board import logins_table
from omnitraffick.demo.people import ensure_people
from omnitraffick.demo.show import run_demo
from omnitraffick.processes import Child, Household, Program
from omnitraffick.terminal import console_for

#: How long web and sandboxes may take until they answer (seconds).
START_LIMIT_S = 60.0
_COLOURS = {"web": "cyan", "worker": "magenta", "urgent": "red", "beat": "yellow", "sandbox": "blue"}


class Command(BaseCommand):
    help = "Migrates, makes demo people, and runs sandboxes, worker, scheduler and web until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=int(os.environ.get("PORT", "8000")), help="of the web (default 8000)"
        )
        parser.add_argument("--no-demo", action="store_true", help="neither demo people nor the demo plan")
        parser.add_argument(
            "--once", action="store_true", help="stop after the demo; its outcome is the exit code"
        )
        parser.add_argument(
            "--seconds", type=float, default=180.0, help="how long the demo may take (default 180)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"] and options["no_demo"]:
            raise CommandError("--once stops after the demo, and --no-demo leaves it out: choose one.")
        if settings.PRODUCTION and not options["no_demo"]:
            raise CommandError(
                "This is a PRODUCTION installation: start it with --no-demo, or as compose.yaml does."
            )
        logging.getLogger().setLevel(log_level())  # the demo acts in this process
        with only_one_run():
            _require_free_ports(options["port"])
            _migrate(self.stdout)
            run = Run(console_for(self.stdout), options["port"])
            exit_code = run.keep(options)
        if exit_code:
            sys.exit(exit_code)


class Run:
    """The children, the demo beside them, and the reasons to stop."""

    def __init__(self, console: Console, port: int) -> None:
        self.console = console
        self.url = f"http://127.0.0.1:{port}"
        self.port = port
        self.household = Household(self._say)
        self._signal: int | None = None
        self._demo_done: bool | None = None

    def keep(self, options: dict[str, Any]) -> int:
        """Start everything, run the demo, serve until told to stop. Returns the exit code."""
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, self._note_signal)
        try:
            for program in programs(self.port):
                self.household.start(program)
            if not self._wait_until_up():
                return self._why_stopped()
            if not options["no_demo"]:
                self._start_demo(options["seconds"])
            else:
                self._tell_address()
                self._tell_if_nobody_can_enter()
            return self._serve(options["once"])
        finally:
            self.household.stop()
            self.console.print("All stopped.", highlight=False)

    def _serve(self, once: bool) -> int:
        while not self._stopping():
            if once and self._demo_done is not None:
                return 0 if self._demo_done else 1
            time.sleep(0.1)
        return self._why_stopped()

    def _stopping(self) -> bool:
        return self._signal is not None or self.household.dead() is not None

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._signal = number

    def _why_stopped(self) -> int:
        if self._signal is not None:
            self.console.print(f"\n{signal.Signals(self._signal).name}: stopping.", highlight=False)
            return 0 if self._signal == signal.SIGINT else 128 + self._signal
        dead = self.household.dead()
        if dead is not None:
            self._tell_death(dead)
        return 1

    def _tell_death(self, dead: Child) -> None:
        self.console.print(f"{dead.name} ended with exit code {dead.exit_code}; its last lines:", style="red")
        time.sleep(0.2)  # its reader hands on what it still said
        for line in dead.last_lines:
            self.console.print(f"    {line}", markup=False, highlight=False, soft_wrap=True)

    def _wait_until_up(self) -> bool:
        addresses = [
            f"{self.url}/health/live",
            *(f"{sandbox_url(key)}/_sandbox/health" for key in sandbox_keys()),
        ]
        deadline = time.monotonic() + START_LIMIT_S
        while addresses and not self._stopping():
            if time.monotonic() > deadline:
                self.console.print(
                    f"No answer from {', '.join(addresses)} in {START_LIMIT_S:.0f} s.", style="red"
                )
                return False
            addresses = [each for each in addresses if not _answers(each)]
            if addresses:
                time.sleep(0.1)
        return not self._stopping()

    def _start_demo(self, seconds: float) -> None:
        threading.Thread(target=self._demo, args=(seconds,), name="demo", daemon=True).start()

    def _demo(self, seconds: float) -> None:
        done = False
        try:
            logins = ensure_people()
            self._tell_address()
            done = run_demo(self.console, seconds=seconds, stopping=self._stopping)
            self.console.print(logins_table(logins))
            self._tell_address()
        except Exception:
            self.console.print_exception()  # a bug of ours: the web still serves, and --once fails
        finally:
            connections.close_all()
            self._demo_done = done

    def _tell_address(self) -> None:
        self.console.print(
            f"Admin: {self.url}/admin/   API: {self.url}/api/docs/   Stop: Ctrl-C",
            highlight=False,
            soft_wrap=True,
        )

    def _tell_if_nobody_can_enter(self) -> None:
        if not get_user_model().objects.filter(is_staff=True, is_active=True).exists():
            text = "Nobody can sign in yet. In a second terminal: .venv/bin/python manage.py createsuperuser"
            self.console.print(text, highlight=False, soft_wrap=True)
        connections.close_all()

    def _say(self, name: str, line: str) -> None:
        colour = _COLOURS.get(name, "white")
        self.console.print(f"[{colour}]{name:>8} |[/] {escape(line)}", highlight=False, soft_wrap=True)


def log_level() -> str:
    """Quiet unless asked: people watch the demo on this terminal."""
    return os.environ.get("LOG_LEVEL", "WARNING")


def programs(port: int) -> list[Program]:
    """What runs: sandboxes, worker (with the scheduler inside where the broker is ours), a small one for kill switches, web."""
    manage = [sys.executable, str(Path(sys.argv[0]).resolve())]
    # the children start in the project's folder, wherever this command was called
    home = Path(settings.BASE_DIR)
    env = {"LOG_LEVEL": log_level(), "VAR_DIR": str(Path(settings.VAR_DIR).resolve())}
    as_root = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser"}  # nothing is unpickled
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "omnitraffick"]
    threads = os.environ.get("WORKER_THREADS", "4")
    any_worker = [*celery, "worker", "--pool", "threads", "--loglevel", log_level(),
                  "--without-gossip", "--without-mingle", "--without-heartbeat"]  # fmt: skip
    worker = [*any_worker, "--concurrency", threads, "--queues", "deploy,reads"]
    # a stop never waits behind work
    urgent = [*any_worker, "--concurrency", "2", "--queues", "urgent", "--hostname", "urgent@%h"]
    web = [sys.executable, "-m", "gunicorn", "omnitraffick.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread",
           "--threads", os.environ.get("WEB_THREADS", "8"), "--no-control-socket", "--log-level", "warning",
           "--graceful-timeout", "5"]  # fmt: skip
    found = [Program("sandbox", [*manage, "sandbox"], env, home)]
    if settings.REDIS_URL:
        found += [
            Program("worker", worker, env | as_root, home),
            Program("beat", [*celery, "beat", "--loglevel", log_level(), "--pidfile="], env, home),
        ]
    else:
        found.append(Program("worker", [*worker, "--beat"], env | as_root, home))
    return [*found, Program("urgent", urgent, env | as_root, home), Program("web", web, env, home)]


@contextmanager
def only_one_run() -> Iterator[None]:
    """One run per VAR_DIR: two would share one broker folder and one set of ports."""
    lock = (Path(settings.VAR_DIR) / "run.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise CommandError(
            f"It is already running here (process {lock.read().strip() or 'unknown'}). Stop that first, or set VAR_DIR."
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    try:
        yield
    finally:
        lock.close()


def _require_free_ports(port: int) -> None:
    if not _is_free("127.0.0.1", port):
        raise CommandError(
            f"Port {port} is taken. Stop what listens there, or choose another: PORT={port + 1} make run"
        )
    taken = [
        sandbox_port(key) for key in sandbox_keys() if not _is_free(settings.SANDBOX_HOST, sandbox_port(key))
    ]
    if taken:
        raise CommandError(
            f"The sandboxes need the ports from {settings.SANDBOX_PORT} on, and {', '.join(map(str, taken))} is taken."
            f" Choose others: SANDBOX_PORT={settings.SANDBOX_PORT + 10} make run"
        )


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the servers do: not stopped by TIME_WAIT
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _migrate(stdout: Any) -> None:
    """Apply what is missing, with the reference data; a start with nothing to do costs no second."""
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        stdout.write(f"Preparing the database ({len(waiting)} migrations)…")
        call_command("migrate", interactive=False, verbosity=0)
    connections.close_all()  # the children and the demo's thread open their own


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  (our own address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
