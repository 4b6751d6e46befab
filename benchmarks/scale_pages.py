"""How long each page takes the server with many rows, and how much longer than with few.

    python benchmarks/scale_seed.py  --database omnitraffick_small --campaigns 10000
    python benchmarks/scale_seed.py  --database omnitraffick_scale
    python benchmarks/scale_pages.py --database omnitraffick_scale --small omnitraffick_small

Requests go through the whole stack in this process (middleware, templates, JSON) on one thread. The limits are those
of --limit (p95, milliseconds) and --ratio (against the same page of the small database; pages below --floor are
quick enough for noise to be most of the ratio, which is not held against them there). Exit code 1: a page is over.
Figures are written to VAR_DIR/scale/<database>.json. Give --only to measure pages whose name has a text in it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
USERS = ("reach-all", "reach-brand", "reach-narrow")
#: Lists whose rows are made by the seed: they are searched, filtered and turned to their last page, too.
LARGE = (
    "campaigns.campaign", "campaigns.campaignchannel", "campaigns.mediaplanline", "trafficking.ticket", "trafficking.adset",
    "trafficking.ad", "trafficking.plan", "trafficking.approval", "trafficking.platformobject", "deploy.deployment",
    "deploy.operation", "deploy.drift", "deploy.alert", "deploy.existingobject",
)  # fmt: skip
SEARCHES = ("Golden Harbor", "summer", "b01x", "qzxqzx", "120220000000000042")
API = (
    "campaigns",
    "tickets",
    "deployments",
    "drift",
    "alerts",
    "media-plans",
    "brands",
    "markets",
    "ad-accounts",
)


def main() -> int:
    options = read_options()
    if options.measure:
        measure_here(options)
        return 0
    names = [name for name in (options.small, options.database) if name]
    for name in names:
        if not options.reuse:
            subprocess.run([sys.executable, __file__, *sys.argv[1:], "--measure", name], check=True)
    many = read_figures(options.database)
    few = read_figures(options.small) if options.small else {}
    return report(many, few, options)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--server", default=os.environ.get("DATABASE_URL", ""), help="postgres://… of the server"
    )
    parser.add_argument("--database", default="omnitraffick_scale")
    parser.add_argument("--small", default="", help="the database with 10,000 campaigns")
    parser.add_argument("--requests", type=int, default=30)
    parser.add_argument("--only", default="")
    parser.add_argument("--users", nargs="*", default=USERS)
    parser.add_argument("--limit", type=float, default=300)
    parser.add_argument("--ratio", type=float, default=1.5)
    parser.add_argument("--floor", type=float, default=100, help="milliseconds (default 100)")
    parser.add_argument(
        "--own", action="store_true", help="judge by CPU and SQL time: on a machine that others use, too"
    )
    parser.add_argument(
        "--slow", action="store_true", help="print the slowest statement of each page that is over"
    )
    parser.add_argument("--reuse", action="store_true", help="only report the figures that are there")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args()


# --------------------------------------------------------------------------------------- measuring


def measure_here(options: argparse.Namespace) -> None:
    from benchmarks.scale_seed import server_url, set_up_django

    os.environ["ALLOWED_HOSTS"] = "localhost,testserver"
    set_up_django(server_url(options.server, options.measure))
    from django.core.management import call_command

    call_command("migrate", verbosity=0)  # the indexes of this version
    call_command("collectstatic", verbosity=0, interactive=False)
    figures: dict[str, Any] = {}
    for name in options.users:
        figures |= measure_user(name, options)
    path = figures_path(options.measure)
    path.parent.mkdir(parents=True, exist_ok=True)
    known = read_figures(options.measure) if options.only and path.exists() else {}
    path.write_text(json.dumps({**known, **figures}, indent=1))


def measure_user(name: str, options: argparse.Namespace) -> dict[str, Any]:
    from django.test import Client

    from governance.models import User

    user = User.objects.get(username=name)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    figures = {}
    for page, url in pages(user):
        key = f"{name} · {page}"
        if options.only in key:
            figures[key] = measure_page(client, url, options.requests)
            print(_line(figures[key]) + key, flush=True)
    return figures


def measure_page(client: Any, url: str, requests: int) -> dict[str, Any]:
    """`own` is the CPU time of this process and the time that SQL took: what a page costs where no one else computes."""
    from django.db import connection

    statements: list[tuple[float, str]] = []

    def timed(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            statements.append(((time.perf_counter() - started) * 1000, sql))

    taken, own = [], []
    with connection.execute_wrapper(timed):
        answer = client.get(url)
        slowest = max(statements, default=(0.0, ""))
        for _ in range(requests):
            statements.clear()
            started, computed = time.perf_counter(), time.process_time()
            client.get(url)
            taken.append((time.perf_counter() - started) * 1000)
            own.append((time.process_time() - computed) * 1000 + sum(each for each, _sql in statements))
    return {
        "url": url, "status": answer.status_code, "p50": statistics.median(taken), "p95": _p95(taken),
        "own": statistics.median(own), "own95": _p95(own), "sql": sum(each for each, _sql in statements),
        "queries": len(statements), "slowest_ms": slowest[0], "slowest": slowest[1][:3000],
    }  # fmt: skip


def _line(each: dict[str, Any]) -> str:
    """median, p95; own median, own p95; SQL; queries"""
    return (
        f"{each['p50']:6.0f} {each['p95']:6.0f} ms  own {each['own']:5.0f} {each['own95']:5.0f}  sql {each['sql']:5.0f}"
        f" {each['queries']:3d} q  "
    )


def _p95(taken: list[float]) -> float:
    return sorted(taken)[max(0, round(len(taken) * 0.95) - 1)]


# ------------------------------------------------------------------------------------------- pages


def pages(user: Any) -> Iterator[tuple[str, str]]:
    """(name, URL) of all that is measured for one person."""
    from django.contrib import admin
    from django.test import RequestFactory

    request = RequestFactory().get("/")
    request.user = user
    for page in ("index", "board", "omnitraffick_board", "approvals"):
        if url := _reversed(f"admin:{page}"):
            yield page, url
    for model, page in admin.site._registry.items():
        if page.has_view_permission(request):
            yield from _list_pages(model, page, request)
    yield from _row_pages(user)
    for path in API:
        yield f"api {path}", f"/api/v1/{path}"
        if path in ("campaigns", "tickets"):
            yield f"api {path} search", f"/api/v1/{path}?search=harbor"
            yield f"api {path} search miss", f"/api/v1/{path}?search=qzxqzx"


def _list_pages(model: Any, page: Any, request: Any) -> Iterator[tuple[str, str]]:
    label, url = (
        model._meta.label_lower,
        _reversed(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"),
    )
    if url is None:
        return
    yield f"list {label}", url
    if label not in LARGE:
        return
    for text in SEARCHES:
        yield f"list {label} search {text}", f"{url}?q={text.replace(' ', '+')}"
    last = _last_page(page, request)
    if last > 2:
        yield f"list {label} last page", f"{url}?p={last}"
    for name, query in _filters(model, page, request):
        yield f"list {label} filter {name}", f"{url}?{query}"
    yield from _autocomplete(model, page)


def _last_page(page: Any, request: Any) -> int:
    return page.get_paginator(
        request, page.get_queryset(request).order_by("-pk"), page.list_per_page
    ).num_pages


def _filters(model: Any, page: Any, request: Any) -> Iterator[tuple[str, str]]:
    """Each choice of each filter with choices (at most eight), some related rows, and two spans of time."""
    from django.contrib.admin.utils import get_fields_from_path
    from django.db.models import DateField

    for each in page.get_list_filter(request):
        path = each[0] if isinstance(each, tuple) else each
        if not isinstance(path, str):
            continue
        field = get_fields_from_path(model, path)[-1]
        if isinstance(field, DateField):
            for name, (first, last) in {
                "old month": ("2024-05-01", "2024-05-31"),
                "this year": ("2026-01-01", "2026-12-31"),
            }.items():
                yield f"{path} {name}", f"{path}_from={first}&{path}_to={last}"
        elif field.is_relation:
            rows = field.related_model._default_manager.order_by("pk")
            chosen = rows.values_list("pk", flat=True)[3:4]
            for pk in chosen:
                yield path, f"{path}__id__exact={pk}"
        else:
            for value, _label in list(field.flatchoices or [])[:8]:
                yield f"{path} {value}", f"{path}__exact={value}"


def _autocomplete(model: Any, page: Any) -> Iterator[tuple[str, str]]:
    for related in model._meta.related_objects:
        field = related.field
        if (
            field.model._meta.app_label in ("campaigns", "trafficking")
            and not field.many_to_many
            and page.search_fields
        ):
            source = f"app_label={field.model._meta.app_label}&model_name={field.model._meta.model_name}&field_name={field.name}"
            yield f"autocomplete {model._meta.label_lower}", f"/admin/autocomplete/?{source}&term=harbor"
            return


def _row_pages(user: Any) -> Iterator[tuple[str, str]]:
    from campaigns.models import Campaign
    from trafficking.models import Ad, AdSet, Ticket

    for model in (Campaign, AdSet, Ad):
        row = model.objects.visible_to(user).order_by("-pk").first()
        meta = model._meta
        yield (
            f"page {meta.label_lower}",
            _reversed(f"admin:{meta.app_label}_{meta.model_name}_change", row.pk) or "/",
        )
        yield (
            f"history {meta.label_lower}",
            _reversed(f"admin:{meta.app_label}_{meta.model_name}_history", row.pk) or "/",
        )
    yield "page new ticket", _reversed("admin:trafficking_ticket_add") or "/"
    for status in ("DRAFT", "READY_FOR_API", "TRAFFICKED_SUCCESS", "FAILED"):
        row = Ticket.objects.visible_to(user).filter(status=status).order_by("-pk").first()
        if row is not None:
            yield f"page ticket {status}", _reversed("admin:trafficking_ticket_change", row.pk) or "/"
            yield f"api ticket {status}", f"/api/v1/tickets/{row.public_id}"


def _reversed(name: str, *args: Any) -> str | None:
    from django.urls import NoReverseMatch, reverse

    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return None


# ------------------------------------------------------------------------------------------ report


def figures_path(database: str) -> Path:
    return Path(os.environ.get("VAR_DIR", ROOT / "var")) / "scale" / f"{database}.json"


def read_figures(database: str) -> dict[str, Any]:
    return json.loads(figures_path(database).read_text())


def report(many: dict[str, Any], few: dict[str, Any], options: argparse.Namespace) -> int:
    chosen = {key: each for key, each in many.items() if options.only in key}
    over = {key: why for key, each in chosen.items() if (why := _over(each, few.get(key), options))}
    print(f"\n{len(chosen)} pages, load {os.getloadavg()[0]:.1f}")
    for key, why in sorted(over.items(), key=lambda each: -chosen[each[0]]["p95"]):
        each = chosen[key]
        ratio = f"× {each['own'] / few[key]['own']:.2f}  " if key in few else ""
        print(f"{_line(each)}{ratio}{key}: {why}")
        if options.slow:
            print(f"        {each['slowest_ms']:.0f} ms {each['slowest'][:1500]}")
    for name in ("p95", "own95"):
        each_page = sorted(each[name] for each in chosen.values())
        print(
            f"{name} of the pages: median {statistics.median(each_page):.0f} ms, highest {each_page[-1]:.0f} ms"
        )
    return 1 if over else 0


def _over(each: dict[str, Any], small: dict[str, Any] | None, options: argparse.Namespace) -> str:
    if each["status"] >= 400:
        return f"answers {each['status']}"
    p95, middle = ("own95", "own") if options.own else ("p95", "p50")
    if each[p95] > options.limit:
        return f"{p95} over {options.limit:.0f} ms"
    if small and each[middle] > options.floor and each[middle] / small[middle] > options.ratio:
        return f"over {options.ratio} × that of the small database"
    if small and each["queries"] > small["queries"] + 2:
        return f"{each['queries']} queries, {small['queries']} with few rows"
    return ""


if __name__ == "__main__":
    sys.exit(main())
