"""Seeded schedules of trees, requests, faults, kills and racing workers against the sandboxes' own code.

    python benchmarks/faults.py                        50,000 schedules a platform; goes on where it stopped
    python benchmarks/faults.py --schedules 2000 --fresh
    python benchmarks/faults.py --platform meta --replay 173

What a schedule is, and what must hold after it, stands in deploy/tests/explorer.py and explored_checks.py. Prints the
figures; ends with 1 and the seeds to replay where something did not hold. In memory, on SQLite, in virtual time.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import sys
import time
import traceback
from collections import Counter
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: Seeds that one process takes at a time, between two writes of the state.
CHUNK = 25
#: How many violations are kept and shown.
MOST_SHOWN = 10


def set_up() -> None:
    """Django on a database in memory, apart from every installation."""
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "omnitraffick.settings"
    os.environ["ENV_FILE"] = "/nonexistent"
    for name in ("DATABASE_URL", "REDIS_URL", "PRODUCTION"):
        os.environ.pop(name, None)
    import django

    django.setup()
    from django.db import connection
    from django.test.utils import setup_test_environment

    setup_test_environment()
    logging.disable(logging.ERROR)
    connection.creation.create_test_db(verbosity=0, autoclobber=True)


def explore(key: str, seeds: list[int], told: Queue[dict[str, Any]], minutes: float) -> None:
    """Run these seeds in a process of its own, and tell after each chunk; no new chunk once the time is over."""
    until = time.monotonic() + minutes * 60
    set_up()
    from deploy.tests.explorer import Explorer

    explorer = Explorer(key)
    with explorer.prepared():
        for first in range(0, len(seeds), CHUNK):
            if time.monotonic() > until:
                break
            told.put(explored(explorer, seeds[first : first + CHUNK]))
    told.put({})


def explored(explorer: Any, seeds: list[int]) -> dict[str, Any]:
    """One chunk's counters, and what did not hold."""
    counted: Counter[str] = Counter()
    wrong = []
    for seed in seeds:
        try:
            result = explorer.explore(seed)
        except Exception as error:
            # a schedule that crashes the explorer is a violation like any other, and the others go on
            wrong.append({"seed": seed, "start": "", "wrong": traceback.format_exception(error)[-2:]})
            continue
        counted += result.counted
        if result.wrong:
            wrong.append({"seed": seed, "start": result.label, "wrong": result.wrong[:4]})
    return {"seeds": seeds, "counted": dict(counted), "wrong": wrong}


def replay(key: str, seed: int) -> int:
    """One schedule with its trace."""
    set_up()
    from deploy.tests.explorer import Explorer

    explorer = Explorer(key)
    with explorer.prepared():
        result = explorer.explore(seed)
    print(f"seed {seed}: {result.label}")
    for line in result.trace:
        print("  ", line)
    for line in result.wrong:
        print("!!", line)
    return 1 if result.wrong else 0


class State:
    """What has been explored, kept after each chunk, so that a long run can be stopped and taken up again."""

    def __init__(self, path: Path, fresh: bool) -> None:
        self.path = path
        kept = json.loads(path.read_text()) if path.exists() and not fresh else {}
        self.platforms: dict[str, dict[str, Any]] = kept

    def of(self, key: str) -> dict[str, Any]:
        return self.platforms.setdefault(key, {"done": [], "counted": {}, "wrong": []})

    def add(self, key: str, chunk: dict[str, Any]) -> None:
        mine = self.of(key)
        mine["done"] += chunk["seeds"]
        mine["counted"] = dict(Counter(mine["counted"]) + Counter(chunk["counted"]))
        mine["wrong"] += chunk["wrong"]
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(self.platforms))
        beside.replace(self.path)


def run(key: str, options: argparse.Namespace, state: State) -> None:
    done = set(state.of(key)["done"])
    seeds = [
        each for each in range(options.seed_from, options.seed_from + options.schedules) if each not in done
    ]
    context = multiprocessing.get_context("spawn")
    told: Any = context.Queue()
    shares = [share for at in range(options.jobs) if (share := seeds[at :: options.jobs])]
    children = [context.Process(target=explore, args=(key, share, told, options.minutes)) for share in shares]
    for child in children:
        child.start()
    at_work = len(children)
    while at_work:
        chunk = told.get()
        if chunk:
            state.add(key, chunk)
        else:
            at_work -= 1
    for child in children:
        child.join()


def report(key: str, state: State, seconds: float) -> bool:
    """Print the figures of one platform; whether everything held."""
    mine = state.of(key)
    counted = mine["counted"]
    print(f"\n{key}: {len(mine['done'])} schedules, {seconds:.0f} s in this run")
    for name in sorted(counted):
        print(f"  {name:<32}{counted[name]:>8}")
    for name in ("duplicates", "lost"):
        print(f"  {name + ' (must be 0)':<32}{counted.get(name, 0):>8}")
    for each in mine["wrong"][:MOST_SHOWN]:
        print(f"  !! seed {each['seed']} ({each['start']}): {' '.join(each['wrong'])[:400]}")
    if mine["wrong"]:
        print(f"  {len(mine['wrong'])} did not hold; replay with --platform {key} --replay SEED")
    return not mine["wrong"]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--platform", action="append", choices=["meta", "tiktok", "google_ads"])
    parser.add_argument("--schedules", type=int, default=50_000, help="a platform")
    parser.add_argument("--seed-from", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=24 * 60.0, help="a platform, at most")
    parser.add_argument("--fresh", action="store_true", help="forget what was explored before")
    parser.add_argument("--replay", type=int, metavar="SEED")
    options = parser.parse_args()
    keys = options.platform or ["meta", "tiktok", "google_ads"]
    if options.replay is not None:
        return replay(keys[0], options.replay)
    folder = Path(os.environ.get("VAR_DIR", ROOT / "var"))
    folder.mkdir(parents=True, exist_ok=True)
    state = State(folder / "faults.json", options.fresh)
    held = True
    for key in keys:
        began = time.monotonic()
        run(key, options, state)
        held &= report(key, state, time.monotonic() - began)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
