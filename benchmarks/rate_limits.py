"""Many tickets over many accounts with tight limits: no call above a limit, and little of the limit unused.

    python benchmarks/rate_limits.py                       # SQLite, file broker: what `make run` uses
    python benchmarks/rate_limits.py --database postgres://user@127.0.0.1/postgres --redis redis://127.0.0.1:6379/15
    python benchmarks/rate_limits.py --take                # only what one `take` costs

The sandboxes count for themselves, and refuse what is above the limit, as the platforms do. The share of the permitted
rate is calls ÷ (limit × time from the account's first call to its last); it passes 100 % where a run begins and ends with
a burst, so that a second figure divides by a window more, the most that any schedule could have sent. Real workers, real HTTP; everything lies in a
folder and a database of its own, which are removed at the end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.main_job import CODES, child, drop_database, line, own_database, people, sandboxes  # noqa: E402

LOOK_S = 0.25


def main() -> None:
    options = read_options()
    folder = tempfile.mkdtemp(prefix="omnitraffick-rates-")
    os.environ.update(
        VAR_DIR=folder, DJANGO_SETTINGS_MODULE="omnitraffick.settings", LOG_LEVEL="ERROR",
        SANDBOX_PORT=str(options.sandbox_port),
    )  # fmt: skip
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
        measure_take()
        if not options.take:
            measure_deployment(options)
    finally:
        if database:
            drop_database(options.database, database)
        shutil.rmtree(folder, ignore_errors=True)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", help="a PostgreSQL server to make the benchmark's own database on")
    parser.add_argument("--redis", help="an empty Redis database for broker and rate budgets")
    parser.add_argument("--take", action="store_true", help="only measure what one take costs")
    parser.add_argument("--tickets", type=int, default=200, help="default 200")
    parser.add_argument("--accounts", type=int, default=20, help="default 20")
    parser.add_argument("--calls", type=int, default=20, help="calls that each account may make (default 20)")
    parser.add_argument("--window", type=int, default=10, help="in so many seconds (default 10)")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (default 2)")
    parser.add_argument("--threads", type=int, default=8, help="threads of each (default 8)")
    parser.add_argument("--minutes", type=float, default=15, help="give up after so many (default 15)")
    parser.add_argument("--sandbox-port", type=int, default=9780)
    return parser.parse_args()


# ------------------------------------------------------------------------------------------ one take


LIMITS = {
    "the platform's usual limit (Meta)": None,
    "600 calls a minute": (600, 60),
    "20 calls in 10 s": (20, 10),
}


def measure_take() -> None:
    """Forty rested accounts, and from each what a burst gives; then what it costs to be refused."""
    from governance.tests.factories import AdAccountFactory

    print("throttle.take, one thread")
    for what, limit in LIMITS.items():
        accounts = [
            AdAccountFactory(rate_calls=limit and limit[0], rate_window_s=limit and limit[1])
            for _account in range(40)
        ]
        for account in accounts:
            timed_take(account)  # an account that is new to Redis begins with an empty hand
        time.sleep(6)
        granted, refused = [], []
        for account in accounts:
            for _call in range(25):
                taken, ok = timed_take(account)
                (granted if ok else refused).append(taken)
                if not ok:
                    break
        beside = f"median {statistics.median(granted):.3f} ms, {len(granted)} takes"
        if refused:
            beside += f"; refused {statistics.median(refused):.3f} ms"
        line(what, f"{statistics.mean(granted):.3f} ms", beside)
    print()


def timed_take(account) -> tuple[float, bool]:
    from deploy import throttle

    start = time.perf_counter()
    try:
        throttle.take(account)
    except throttle.Wait:
        return (time.perf_counter() - start) * 1000, False
    return (time.perf_counter() - start) * 1000, True


# ---------------------------------------------------------------------------------- deployments at the limit


def measure_deployment(options: argparse.Namespace) -> None:
    import requests

    from deploy import services
    from deploy.models import Deployment
    from deploy.sandboxes import sandbox_keys, sandbox_url

    print(
        f"{options.tickets} tickets of two ad sets over {options.accounts} accounts,"
        f" {options.calls} calls in {options.window} s each"
    )
    tickets, trafficker = approved_tickets(options)
    worker = (
        "-m",
        "celery",
        "-A",
        "omnitraffick",
        "worker",
        "-P",
        "threads",
        "-c",
        str(options.threads),
        "-l",
        "ERROR",
    )
    with ExitStack() as stack:
        stack.enter_context(sandboxes())
        for key in sandbox_keys():
            limit = {"calls": options.calls, "window_s": options.window}
            requests.post(f"{sandbox_url(key)}/_sandbox/settings", json=limit, timeout=5).raise_for_status()
        for ticket in tickets:
            services.start_deployment(ticket=ticket, by=trafficker)
        for number in range(options.workers):
            beat = ("--beat", "-s", f"{os.environ['VAR_DIR']}/schedule") if number == 0 else ()
            stack.enter_context(child(*worker, "-n", f"bench{number}@%h", *beat))
        seen = watch(options)
        states = Counter(Deployment.objects.values_list("state", flat=True))
        reasons = Counter(Deployment.objects.exclude(state="SUCCEEDED").values_list("reason", flat=True))
    tell(options, seen, states)
    for reason, count in reasons.most_common(5):
        line(f"    {count} ×", "", reason[:120])


def watch(options: argparse.Namespace) -> list[tuple[float, dict[str, dict[str, int]]]]:
    """What the sandboxes have counted, each quarter of a second, until all is deployed."""
    import requests

    from deploy.models import Deployment
    from deploy.sandboxes import sandbox_keys, sandbox_url

    seen = []
    session = requests.Session()
    until = time.monotonic() + options.minutes * 60
    open_states = Deployment.objects.exclude(state__in=["SUCCEEDED", "FAILED", "IN_DOUBT", "CANCELLED"])
    while not seen or (open_states.exists() and time.monotonic() < until):
        time.sleep(LOOK_S)
        counts = {}
        for key in sandbox_keys():
            counted = session.get(f"{sandbox_url(key)}/_sandbox/calls", timeout=30).json()
            counts.update({f"{key} {account}": dict(each) for account, each in counted.items()})
        seen.append((time.monotonic(), counts))
    return seen


def tell(options: argparse.Namespace, seen: list, states: Counter) -> None:
    last = seen[-1][1]
    shares, of_most = {}, {}
    for account, figures in last.items():
        first_at = next(at for at, counts in seen if account in counts)
        last_at = next(at for at, counts in seen if counts.get(account) == figures)
        taken = max(last_at - first_at, LOOK_S)
        shares[account] = figures["calls"] / (options.calls * taken / options.window)
        of_most[account] = figures["calls"] / (options.calls * (taken / options.window + 1))
    calls = sum(each["calls"] for each in last.values())
    refused = sum(each["refused"] for each in last.values())
    begun = next(at for at, counts in seen if counts)
    line("deployed", f"{states['SUCCEEDED']} of {options.tickets}", f"{dict(states)}")
    line("calls", f"{calls}", f"{calls / max(1, options.tickets):.1f} a ticket")
    line("calls above a limit (refused by the sandboxes)", f"{refused}", "goal 0")
    line("permitted rate used, median account", f"{statistics.median(shares.values()):.0%}", "goal 80 %")
    line("the same, lowest and highest account", f"{min(shares.values()):.0%} – {max(shares.values()):.0%}")
    line("of the most that fits into that time, median", f"{statistics.median(of_most.values()):.0%}")
    line("time", f"{seen[-1][0] - begun:.0f} s")
    for account, share in sorted(shares.items(), key=lambda each: each[1])[:3]:
        line(f"    {account}", f"{share:.0%}", f"{last[account]['calls']} calls")
    print()


def approved_tickets(options: argparse.Namespace):
    """Approved tickets of two ad sets each, spread over the accounts, these over the platforms."""
    from governance.tests.factories import AdAccountFactory, channel
    from trafficking import services
    from trafficking.tests.factories import make_campaign, make_ticket

    trafficker, approver = people()
    accounts = []
    for number in range(options.accounts):
        code = CODES[number % len(CODES)]
        account = AdAccountFactory(
            platform=channel(code).platform, rate_calls=options.calls, rate_window_s=options.window
        )
        accounts.append((code, account))
    tickets = []
    for number in range(options.tickets):
        code, account = accounts[number % len(accounts)]
        campaign = make_campaign(channels=(code,), name=f"Rates {number}")
        account.serves.get_or_create(brand=campaign.brand, market=campaign.market)
        ticket = make_ticket(code, campaign=campaign, account=account, ad_sets=2)
        services.submit_ticket(ticket=ticket, by=trafficker)
        services.approve_ticket(ticket=ticket, by=approver, digest=ticket.digest)
        tickets.append(ticket)
    return tickets, trafficker


if __name__ == "__main__":
    main()
