"""Import of a large plan against a bare bulk insert of the rows that it wrote, in the same database."""

from __future__ import annotations

import csv
import io
import resource
import time
from datetime import timedelta
from typing import Any

#: (brand, market, currency, zone)
PLACES = (("BNA", "US", "USD", "America/New_York"), ("BNB", "DE", "EUR", "Europe/Berlin"))
CHANNELS = ("META", "TIKTOK")
HEADER = (
    "plan_id", "line", "line_name", "campaign", "brand", "market", "channel", "objective", "start_date", "end_date",
    "cost_media", "currency", "special_ad_categories", "political",
)  # fmt: skip


def import_figures(lines: int) -> list[tuple[str, str, str]]:
    from governance.tables import Source
    from trafficking.imports.service import import_media_plan

    make_vocabulary()
    data = plan_csv(lines)
    before = counts()
    started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    result = import_media_plan(source=Source("bench.csv", data))
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if result.refused:
        raise SystemExit(f"the plan was refused: {[finding.message for finding in result.errors[:5]]}")
    written = {model: count - before[model] for model, count in counts().items() if count > before[model]}
    bare = bare_insert(written)
    rows = sum(written.values())
    tables = ", ".join(f"{model._meta.model_name} {count:,}" for model, count in written.items())
    return [
        ("import", f"{lines / taken:,.0f} lines/s", f"{taken:.2f} s for {rows:,} rows ({tables})"),
        ("bare bulk insert of the same rows", f"{lines / bare:,.0f} lines/s", f"{bare:.2f} s"),
        ("ratio", f"{bare / taken:.2f}", "goal 0.25"),
        ("peak memory of the process after the import", f"{peak:.0f} MB", f"{started:.0f} MB before it"),
    ]


def make_vocabulary() -> None:
    from governance.models import AdAccountServes, Brand, Market
    from governance.tests.factories import AdAccountFactory

    for number, (brand, market, currency, zone) in enumerate(PLACES):
        row = Brand.objects.create(code=brand, name=f"Bench {brand}")
        place = Market.objects.filter(code=market).first() or Market.objects.create(
            code=market,
            name=market,
            country=market,
            region="EMEA",
            currency=currency,
            time_zone=zone,
            languages=["en"],
        )
        for at, platform in enumerate(("meta", "tiktok")):
            account = AdAccountFactory(
                platform=platform, external_id=f"88{number}{at}", currency=currency, time_zone=zone
            )
            AdAccountServes.objects.create(account=account, brand=row, market=place)


def plan_csv(lines: int) -> bytes:
    """Four lines a campaign: two channels, two lines each."""
    from trafficking.tests.factories import next_week

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for number in range(lines):
        campaign = number // 4
        brand, market, currency, _zone = PLACES[campaign % len(PLACES)]
        start = next_week() + timedelta(days=campaign % 30)
        writer.writerow(
            ["bench", f"L{number}", f"Line {number}", f"Bench {campaign}", brand, market, CHANNELS[number % 2], "TRAFFIC",
             start.isoformat(), (start + timedelta(days=20)).isoformat(), f"{1000 + number % 500}.50", currency, "none", "no"]
        )  # fmt: skip
    return out.getvalue().encode()


def models() -> list[Any]:
    """Every table that an import may write, parents first, each followed by its history."""
    from campaigns.models import Campaign, CampaignChannel, MediaPlan, MediaPlanLine
    from trafficking.models import Ad, AdSet, Ticket

    governed = (Campaign, CampaignChannel, MediaPlan, Ticket, AdSet, Ad, MediaPlanLine)
    return [each for model in governed for each in (model, model.history.model)]


def counts() -> dict[Any, int]:
    from governance.governed import unguarded

    return {model: unguarded(model).count() for model in models()}


def bare_insert(written: dict[Any, int]) -> float:
    """Seconds to insert the newest rows of each table again: `bulk_create` and nothing else."""
    from django.db import transaction

    from governance.governed import unguarded

    kept = {model: list(unguarded(model).order_by("-pk")[:count]) for model, count in written.items()}
    with transaction.atomic():
        for model, rows in reversed(kept.items()):
            unguarded(model).filter(
                pk__in=unguarded(model).order_by("-pk").values("pk")[: len(rows)]
            )._raw_delete("default")
    start = time.perf_counter()
    with transaction.atomic():
        for model, rows in kept.items():
            unguarded(model).bulk_create(rows, batch_size=500)
    return time.perf_counter() - start
