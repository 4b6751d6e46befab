"""How fast the main job is, each figure beside the limit that the same machine sets in the same run.

    python benchmarks/main_job.py                       # SQLite, file broker: what `make run` uses
    python benchmarks/main_job.py --database postgres://user@127.0.0.1/postgres --redis redis://127.0.0.1:6379/15
    python benchmarks/main_job.py --only deploy --tickets 60

Everything runs in a folder and a database of its own, which are removed at the end. Nothing here asserts:
machines differ; the ratios are what to compare.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PARTS = ("qa", "deploy", "import", "api")


def main() -> None:
    options = read_options()
    folder = tempfile.mkdtemp(prefix="omnitraffick-bench-")
    os.environ.update(
        VAR_DIR=folder, DJANGO_SETTINGS_MODULE="omnitraffick.settings", LOG_LEVEL="ERROR", SANDBOX_PORT="9790"
    )
    database = own_database(options.database)
    if options.redis:
        os.environ["REDIS_URL"] = options.redis
    try:
        subprocess.run([sys.executable, str(ROOT / "manage.py"), "migrate", "-v", "0"], check=True)
        import django

        django.setup()
        print(
            f"{django.db.connection.vendor}, broker {'redis' if options.redis else 'files'}, {os.cpu_count()} cores\n"
        )
        for part in options.only or PARTS:
            {"qa": measure_qa, "deploy": measure_deploy, "import": measure_import, "api": measure_api}[part](
                options
            )
    finally:
        if database:
            drop_database(options.database, database)
        shutil.rmtree(folder, ignore_errors=True)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", help="a PostgreSQL server to make the benchmark's own database on")
    parser.add_argument("--redis", help="a Redis database for the broker")
    parser.add_argument("--only", nargs="*", choices=PARTS)
    parser.add_argument("--tickets", type=int, default=90, help="tickets to deploy (default 90)")
    parser.add_argument("--lines", type=int, default=10_000, help="plan lines to import (default 10,000)")
    parser.add_argument("--requests", type=int, default=600, help="API requests of each kind (default 600)")
    parser.add_argument("--workers", type=int, default=2, help="Celery workers (default 2)")
    parser.add_argument("--pool", choices=("threads", "prefork"), default="prefork", help="kind of them")
    return parser.parse_args()


def own_database(server: str | None) -> str:
    """A fresh PostgreSQL database, set as DATABASE_URL; "" for SQLite in the folder."""
    if not server:
        return ""
    import psycopg

    name = f"omnitraffick_bench_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    os.environ["DATABASE_URL"] = server.rsplit("/", 1)[0] + "/" + name
    return name


def drop_database(server: str, name: str) -> None:
    import psycopg
    from django.db import connections

    connections.close_all()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def child(*arguments: str):
    """A manage.py or module child in its own session, ended with the block."""
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def wait_for(ready, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if ready():
            return
        time.sleep(0.05)
    raise SystemExit("a child process did not become ready")


def line(what: str, value: str, beside: str = "") -> None:
    print(f"  {what:<46} {value:>18}  {beside}")


# ------------------------------------------------------------------------------------------ tickets

CODES = ("META", "TIKTOK", "GGLSEARCH")


def people():
    from governance.models import Grant
    from governance.tests.factories import UserFactory

    found = []
    for username, role in (("bench-trafficker", "Trafficker"), ("bench-approver", "Approver")):
        user = UserFactory(username=username, roles=[role])
        Grant.objects.get_or_create(user=user, brand=None, market=None)
        found.append(user)
    return found


def approved_tickets(count: int, prefix: str):
    """Approved tickets of two ad sets each, spread over the platforms."""
    from trafficking import services
    from trafficking.tests.factories import make_campaign, make_ticket

    trafficker, approver = people()
    tickets = []
    for number in range(count):
        code = CODES[number % len(CODES)]
        campaign = make_campaign(channels=(code,), name=f"{prefix} {number}")
        ticket = make_ticket(code, campaign=campaign, ad_sets=2)
        # the platforms' own limits would be what is measured
        account = ticket.ad_account
        account.rate_calls, account.rate_window_s = 100_000, 60
        account.save()
        services.submit_ticket(ticket=ticket, by=trafficker)
        services.approve_ticket(ticket=ticket, by=approver, digest=ticket.digest)
        tickets.append(ticket)
    return tickets, trafficker


def measure_qa(options: argparse.Namespace) -> None:
    from trafficking import qa
    from trafficking.platforms.registry import platform
    from trafficking.snapshots import ticket_snapshot
    from trafficking.tests.factories import make_campaign, make_ticket

    print("QA and compile, per ticket of two ad sets, in process")
    for code in CODES:
        ticket = make_ticket(code, campaign=make_campaign(channels=(code,), name=f"Qa {code}"), ad_sets=2)
        known = platform(ticket.channel.platform)
        compiling = partial(known.compile, ticket_snapshot(ticket))
        checked = partial(lambda known, compiling: known.check(compiling().operations), known, compiling)
        line(f"{code}: compile alone", f"{median_ms(compiling):.2f} ms")
        line(f"{code}: compile and payload schema", f"{median_ms(checked):.2f} ms")
        line(f"{code}: the whole QA with its reads", f"{median_ms(partial(qa.check_ticket, ticket)):.2f} ms")
    print()


def median_ms(call, times: int = 100) -> float:
    call()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


# ------------------------------------------------------------------------------------------- deploy


def measure_deploy(options: argparse.Namespace) -> None:
    from django.db.models import Count, Max, Min

    from deploy import services
    from deploy.models import Deployment

    print(
        f"Deployment of {options.tickets} tickets of two ad sets over three platforms, created and read back"
    )
    tickets, trafficker = approved_tickets(options.tickets, "Deploy")
    with sandboxes():
        recorded = record_calls(tickets)
    with sandboxes():
        bare = replay(recorded)
    worker = (
        "-m",
        "celery",
        "-A",
        "omnitraffick",
        "worker",
        "-P",
        options.pool,
        "-c",
        str(options.workers),
        "-l",
        "ERROR",
    )
    with sandboxes():
        start = time.perf_counter()
        for ticket in tickets:
            services.start_deployment(ticket=ticket, by=trafficker)
        queued = time.perf_counter() - start
        with child(*worker):
            wait_for(lambda: Deployment.objects.filter(state="SUCCEEDED").count() == len(tickets), 300)
    times = Deployment.objects.aggregate(first=Min("started_at"), last=Max("finished_at"))
    taken = (times["last"] - times["first"]).total_seconds()
    states = dict(Deployment.objects.values_list("state").annotate(Count("id")))
    line("HTTP calls a ticket", f"{len(recorded) / len(tickets):.1f}")
    line(
        "bare loop of the same calls",
        f"{len(tickets) / bare:.1f} tickets/s",
        f"{len(recorded) / bare:.0f} calls/s",
    )
    line("starting them (transition, ledger, enqueue)", f"{len(tickets) / queued:.1f} tickets/s")
    line(
        f"worker ({options.pool} × {options.workers}): deployed and proved",
        f"{len(tickets) / taken:.1f} tickets/s",
        f"ratio {bare / taken:.2f} (goal 0.5)  {states}",
    )
    print()


@contextmanager
def sandboxes():
    """Fresh sandboxes of all three platforms."""
    import requests

    from deploy.sandboxes import sandbox_keys, sandbox_url

    shutil.rmtree(Path(os.environ["VAR_DIR"]) / "sandbox", ignore_errors=True)

    def up() -> bool:
        try:
            return all(
                requests.get(f"{sandbox_url(key)}/_sandbox/health", timeout=1).ok for key in sandbox_keys()
            )
        except requests.RequestException:
            return False

    with child("manage.py", "sandbox"):
        wait_for(up)
        yield
    wait_for(lambda: not up())


def record_calls(tickets) -> list:
    """The very requests of a deployment, prepared, in order: create each object, then read each back."""
    import requests

    from deploy import connections
    from trafficking.platforms.base import Applied

    prepared = []

    class Recorder(requests.Session):
        def send(self, request, **kwargs):
            prepared.append(request)
            return super().send(request, **kwargs)

    session = Recorder()
    session.trust_env = False
    original, connections.session = connections.session, lambda: session
    try:
        for ticket in tickets:
            client, ids = connections.client_for(ticket.ad_account), {}
            operations = ticket.plans.get(digest=ticket.digest).as_operations()
            for operation in operations:
                outcome = client.apply(operation, ids)
                assert isinstance(outcome, Applied), outcome
                ids.update(outcome.external_ids)
            for operation in operations:
                for each in operation.objects:
                    if each.type in ("campaign", "ad_set", "ad"):
                        client.read(each.type, ids[each.ref])
    finally:
        connections.session = original
    return prepared


def replay(recorded) -> float:
    """Seconds for a bare loop over the recorded calls, on one kept-alive session."""
    import requests

    with requests.Session() as session:
        session.trust_env = False
        start = time.perf_counter()
        for request in recorded:
            session.send(request, timeout=30).content  # noqa: B018
        return time.perf_counter() - start


# ------------------------------------------------------------------------------------------- import


def measure_import(options: argparse.Namespace) -> None:
    from benchmarks.plan_lines import import_figures

    print(f"Import of {options.lines:,} plan lines")
    for what, value, beside in import_figures(options.lines):
        line(what, value, beside)
    print()


# ---------------------------------------------------------------------------------------------- api


def measure_api(options: argparse.Namespace) -> None:
    import requests

    from governance.models import Grant
    from governance.tests.factories import BrandFactory, MarketFactory, UserFactory
    from governance.tokens import make_token
    from trafficking.tests.factories import next_week

    print("API over HTTP: token, permissions, reach, validation, names, history; 4 clients")
    BrandFactory(), MarketFactory()
    user = UserFactory(username="bench-planner", roles=["Planner"])
    Grant.objects.create(user=user)
    _row, token = make_token(user=user, name="benchmark", scopes=["read", "write"], days=1)
    headers = {"Authorization": f"Token {token}"}
    url = "http://127.0.0.1:8791/api/v1/campaigns/"
    web = (
        "-m",
        "gunicorn",
        "omnitraffick.wsgi",
        "-b",
        "127.0.0.1:8791",
        "-w",
        "2",
        "--threads",
        "2",
        "-k",
        "gthread",
        "--log-level",
        "error",
    )

    def body(number: int) -> dict:
        start = next_week()
        return {
            "name": f"Api {number}", "brand": "DIS", "market": "US", "channels": ["META"], "objective": "TRAFFIC",
            "budget": "1000.00", "currency": "USD", "budget_type": "LIFETIME", "start_on": start.isoformat(),
            "end_on": start.replace(day=min(start.day + 1, 28) if start.day < 28 else start.day).isoformat(),
        }  # fmt: skip

    def up() -> bool:
        try:
            return requests.get(url, headers=headers, timeout=2).status_code == 200
        except requests.RequestException:
            return False

    with child(*web):
        wait_for(up)
        posts = hammer(
            lambda session, n: session.post(url, json=body(n), timeout=30), headers, options.requests, 201
        )
        gets = hammer(lambda session, n: session.get(url, timeout=30), headers, options.requests, 200)
        bulk = time.perf_counter()
        answer = requests.post(
            url, json=[body(100_000 + n) for n in range(500)], headers=headers, timeout=120
        )
        bulk = time.perf_counter() - bulk
    line("POST /campaigns", f"{posts:.0f} /s")
    line("GET /campaigns (50 a page)", f"{gets:.0f} /s")
    line("POST /campaigns, 500 in one request", f"{500 / bulk:.0f} /s", f"HTTP {answer.status_code}")
    print()


def hammer(call, headers, total: int, expected: int, clients: int = 4) -> float:
    """Requests a second of `clients` sessions; every answer must be the expected one."""
    import requests

    wrong: list[str] = []

    def work(share: range) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.headers.update(headers)
            for number in share:
                answer = call(session, number)
                if answer.status_code != expected:
                    wrong.append(answer.text[:200])

    threads = [threading.Thread(target=work, args=(range(at, total, clients),)) for at in range(clients)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - start
    if wrong:
        print(f"  {len(wrong)} unexpected answers, such as {wrong[0]}")
    return total / taken


if __name__ == "__main__":
    main()
