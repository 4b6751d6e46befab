"""How long after "stop everything" nothing runs any more, and how long the restoring takes.

    python benchmarks/kill_switch.py                       # SQLite, file broker: what `make run` uses
    python benchmarks/kill_switch.py --database postgres://user@127.0.0.1/postgres --redis redis://127.0.0.1:6379/15

Campaigns on the three platforms are built, approved and switched on through the ordinary way; then a person engages the
kill switch for everything. Real workers, real HTTP; the seconds are told by what the sandboxes themselves hold. Everything
lies in a folder and a database of its own, which are removed at the end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.main_job import (  # noqa: E402
    approved_tickets,
    child,
    drop_database,
    line,
    own_database,
    sandboxes,
    wait_for,
)

RUNNING = ("ACTIVE", "ENABLE", "ENABLED")
LOOK_S = 0.1


def main() -> None:
    options = read_options()
    folder = tempfile.mkdtemp(prefix="omnitraffick-stop-")
    os.environ.update(
        VAR_DIR=folder, DJANGO_SETTINGS_MODULE="omnitraffick.settings", LOG_LEVEL="ERROR", SANDBOX_PORT="9770"
    )
    database = own_database(options.database)
    if options.redis:
        os.environ["REDIS_URL"] = options.redis
    try:
        subprocess.run([sys.executable, str(ROOT / "manage.py"), "migrate", "-v", "0"], check=True)
        import django

        django.setup()
        with sandboxes():
            measure(options)
    finally:
        if database:
            drop_database(options.database, database)
        shutil.rmtree(folder, ignore_errors=True)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--database", help="a PostgreSQL server to make the benchmark's own database on")
    parser.add_argument("--redis", help="an empty Redis database for the broker")
    parser.add_argument("--tickets", type=int, default=30, help="campaigns that run (default 30)")
    return parser.parse_args()


def measure(options: argparse.Namespace) -> None:
    from deploy import stops
    from deploy.models import KillSwitch

    with worker("deploy,reads", "everyday"), worker("urgent", "urgent"):
        tickets, trafficker = approved_tickets(options.tickets, "Stop")
        boss = everywhere()
        deploy(tickets, trafficker)
        deploy(switched_on(tickets, trafficker), trafficker)
        before = campaigns_running()
        line("campaigns that run before", str(before))
        began = time.perf_counter()
        stop = stops.engage(scope=KillSwitch.Scope.ALL, by=boss, reason="a rehearsal")
        wait_for(lambda: campaigns_running() < before, 120)
        line("the first is paused after", f"{time.perf_counter() - began:.1f} s")
        wait_for(lambda: campaigns_running() == 0, 300)
        taken = time.perf_counter() - began
        line("the last is paused after", f"{taken:.1f} s", f"{before / taken:.1f} campaigns/s")
        wait_for(lambda: KillSwitch.objects.get(pk=stop.pk).state != "STOPPING", 300)
        began = time.perf_counter()
        stops.release(stop=KillSwitch.objects.get(pk=stop.pk), by=boss, comment="the rehearsal is over")
        wait_for(lambda: campaigns_running() == before, 300)
        line("all run again after the release", f"{time.perf_counter() - began:.1f} s")


def worker(queues: str, name: str):
    return child(
        "-m", "celery", "-A", "omnitraffick", "worker", "-B", "-s", f"{os.environ['VAR_DIR']}/beat-{name}", "-P", "threads",
        "-c", "4", "-Q", queues, "-n", f"{name}@%h", "-l", "CRITICAL",
    )  # fmt: skip


def everywhere():
    """Somebody who may stop everything: the platform's own superuser."""
    from governance.models import User

    return User.objects.create_superuser("bench-boss", "boss@example.org", "a long pass phrase")


def deploy(tickets, by) -> None:
    from deploy import services
    from deploy.models import Deployment

    for ticket in tickets:
        services.start_deployment(ticket=ticket, by=by)
    ids = [ticket.pk for ticket in tickets]
    done = Deployment.objects.filter(ticket__in=ids, state="SUCCEEDED")
    wait_for(lambda: done.count() == len(ids), 600)


def switched_on(tickets, by):
    """Approved requests to activate each of them as a whole."""
    from governance.models import User
    from trafficking import requests, services
    from trafficking.models import Ticket

    approver = User.objects.get(username="bench-approver")
    made = []
    for each in tickets:
        ticket = requests.start_request(
            base=Ticket.objects.get(pk=each.pk), request_type="ACTIVATE", by=by, note="rehearsal"
        )
        report = services.submit_ticket(ticket=ticket, by=by)
        assert report.passed, [finding.message for finding in report.findings]
        services.approve_ticket(ticket=ticket, by=approver, digest=ticket.digest)
        made.append(ticket)
    return made


def campaigns_running() -> int:
    """As the sandboxes hold it."""
    import requests

    from deploy.sandboxes import sandbox_keys, sandbox_url

    time.sleep(LOOK_S)
    rows = [
        row
        for key in sandbox_keys()
        for row in requests.get(f"{sandbox_url(key)}/_sandbox/objects", timeout=10).json()
        if row["_kind"].lower() == "campaign"
    ]
    return sum((row.get("status") or row.get("operation_status")) in RUNNING for row in rows)


if __name__ == "__main__":
    main()
