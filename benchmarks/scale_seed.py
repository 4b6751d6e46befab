"""Fill a PostgreSQL database of its own with the amounts of a large installation.

    python benchmarks/scale_seed.py --database omnitraffick_scale                        # 1M campaigns, 1.5M tickets, 5M ads
    python benchmarks/scale_seed.py --database omnitraffick_small --campaigns 10000
    python benchmarks/scale_seed.py --database omnitraffick_scale --drop

The server is that of --server or DATABASE_URL (postgres://user:password@host:port/any). The database is made if it
is not there, and bears a mark; one without the mark that holds campaigns is not touched. The rows are the
same for the same --seed and --today. People: `reach-all`, `reach-brand` (one brand, every market),
`reach-narrow` (one brand in three markets) and twenty owners; none of them has a password.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
MARK = "omnitraffick: rows made by benchmarks/scale_seed.py"
BRANDS, MARKETS, OWNERS = 60, 40, 20


def main() -> None:
    options = read_options()
    url = server_url(options.server, options.database)
    if options.drop:
        drop_database(url)
        return
    make_database(url, again=options.again)
    set_up_django(url)
    from django.core.management import call_command

    from benchmarks import scale_rows

    call_command("migrate", verbosity=0)
    mark_database(options.database)
    size = scale_rows.Size(options.campaigns, options.seed, options.today)
    started = time.perf_counter()
    make_vocabulary()
    make_people()
    make_model_plan()
    load(scale_rows.rows(size), scale_rows.LARGE)
    print(f"done in {time.perf_counter() - started:.0f} s")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--server", default=os.environ.get("DATABASE_URL", ""), help="postgres://… of the server"
    )
    parser.add_argument("--database", default=os.environ.get("SCALE_DATABASE", "omnitraffick_scale"))
    parser.add_argument(
        "--campaigns", type=int, default=1_000_000, help="the other tables follow (default 1,000,000)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--today",
        type=date.fromisoformat,
        default=datetime.now(tz=UTC).date(),
        help="the day that flights lie around",
    )
    parser.add_argument("--again", action="store_true", help="drop a database of ours first")
    parser.add_argument("--drop", action="store_true", help="only drop it")
    return parser.parse_args()


# ------------------------------------------------------------------------------------- the database


def server_url(server: str, database: str) -> str:
    parts = urlsplit(server)
    if parts.scheme not in ("postgres", "postgresql"):
        raise SystemExit("Name a PostgreSQL server: --server postgres://user@host:5432/postgres")
    return urlunsplit(parts._replace(path=f"/{database}"))


def connected(url: str, database: str | None = None) -> Any:
    import psycopg

    parts = urlsplit(url)
    return psycopg.connect(
        urlunsplit(parts._replace(scheme="postgresql", path=f"/{database or parts.path[1:]}")),
        autocommit=True,
    )


def _exists(url: str) -> bool:
    with connected(url, "postgres") as server:
        found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [urlsplit(url).path[1:]])
        return found.fetchone() is not None


def is_ours(url: str) -> bool:
    """It bears our mark, or there is nothing in it yet."""
    with connected(url) as database:
        mark = (
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        )
        if database.execute(mark).fetchone()[0] == MARK:
            return True
        return not database.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public' LIMIT 1").fetchone()


def make_database(url: str, *, again: bool) -> None:
    name = urlsplit(url).path[1:]
    if _exists(url):
        if not is_ours(url):
            raise SystemExit(f"{name} holds data that this command did not make. Name another database.")
        if not again:
            with connected(url) as database:
                if database.execute("SELECT to_regclass('scale_ticket')").fetchone()[0]:
                    raise SystemExit(f"{name} is filled already. Add --again to make it anew.")
        drop_database(url)
    with connected(url, "postgres") as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')


def drop_database(url: str) -> None:
    if not _exists(url):
        return
    if not is_ours(url):
        raise SystemExit("That database holds data that this command did not make; it stays.")
    with connected(url, "postgres") as server:
        server.execute(f'DROP DATABASE "{urlsplit(url).path[1:]}" WITH (FORCE)')


def mark_database(name: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON DATABASE \"{name}\" IS '{MARK}'")


def set_up_django(url: str) -> None:
    os.environ.setdefault("VAR_DIR", tempfile.mkdtemp(prefix="omnitraffick-scale-"))
    os.environ.setdefault("ENV_FILE", "/nonexistent")
    os.environ.update(
        DATABASE_URL=url, DJANGO_SETTINGS_MODULE="omnitraffick.settings", LOG_LEVEL="ERROR", DEBUG="false"
    )
    import django

    django.setup()


# ------------------------------------------------------------------------------------ small tables


def make_vocabulary() -> None:
    """60 brands, 40 markets, the channels of the reference data, an account a brand and platform."""
    from babel import Locale

    from governance.governed import unguarded
    from governance.models import AdAccount, AdAccountServes, Brand, Channel, Market, NamingConvention

    countries = sorted(code for code in Locale("en").territories if code.isalpha() and len(code) == 2)
    known = [code for code in ("US", "DE", "GB", "FR", "JP", "BR", *countries) if code not in _NO_COUNTRIES]
    markets = list(dict.fromkeys(known))[:MARKETS]
    for code in markets:
        if not Market.objects.filter(code=code).exists():
            name = Locale("en").territories[code]
            Market(
                code=code,
                name=name,
                country=code,
                region="EMEA",
                currency="USD",
                time_zone="UTC",
                languages=["en"],
            ).save()
    for number in range(BRANDS):
        Brand(
            code=f"B{number:02d}X",
            name=f"Brand number {number:02d}",
            dsa_beneficiary="Example",
            dsa_payor="Example",
        ).save()
    brands = list(Brand.objects.filter(code__regex="^B[0-9]{2}X$").order_by("code"))
    chosen = list(Market.objects.filter(code__in=markets).order_by("code"))
    channels = list(Channel.objects.filter(active=True).order_by("code"))[:8]
    serves = []
    for at, brand in enumerate(brands):
        for platform in sorted({each.platform for each in channels}):
            account = AdAccount(platform=platform, external_id=f"{7_000_000 + at}", name=f"{brand.code} {platform}",
                                currency="USD", time_zone="UTC", page_id="1", pixel_id="2")  # fmt: skip
            account.save()
            serves += [AdAccountServes(account=account, brand=brand, market=market) for market in chosen]
    unguarded(AdAccountServes).bulk_create(serves)
    _lookup("brand", [(at, row.pk, row.code) for at, row in enumerate(brands)], "code text")
    _lookup("market", [(at, row.pk, row.code, row.country, row.currency) for at, row in enumerate(chosen)],
            "code text, country text, currency text")  # fmt: skip
    _lookup(
        "channel",
        [(at, row.pk, row.code, row.platform) for at, row in enumerate(channels)],
        "code text, platform text",
    )
    accounts = AdAccount.objects.filter(external_id__startswith="70000").order_by("pk")
    _lookup("account", [(at, row.pk, row.platform, row.serves.first().brand_id) for at, row in enumerate(accounts)],
            "platform text, brand_id bigint")  # fmt: skip
    _lookup("convention", [(0, NamingConvention.in_force_or_none().pk)], "")


#: Not ISO countries, though the locale data names them.
_NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"})


def _lookup(name: str, rows: list[tuple[Any, ...]], columns: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE scale_{name} (at int, pk bigint{', ' if columns else ''}{columns})")
        cursor.executemany(f"INSERT INTO scale_{name} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)


def make_people() -> None:
    """Narrow reach: the second brand in three markets."""
    from django.contrib.auth.models import Group

    from governance.models import Brand, Grant, Market, User

    brand = Brand.objects.get(code="B01X")
    few = list(Market.objects.filter(campaigns=None).order_by("code")[5:8])
    grants: dict[str, list[dict[str, Any]]] = {
        "reach-all": [{}], "reach-brand": [{"brand": brand}],
        "reach-narrow": [{"brand": brand, "market": market} for market in few],
    }  # fmt: skip
    groups = Group.objects.filter(name__in=["Planner", "Trafficker", "Approver", "Data admin"])
    owners = []
    for name in (*grants, *(f"owner{number:02d}" for number in range(OWNERS))):
        user = User.objects.create(username=name, is_staff=True)
        user.groups.set(groups)
        for grant in grants.get(name, [{}]):
            Grant(user=user, **grant).save()
        owners += [user] if name.startswith("owner") else []
    _lookup("owner", [(at, row.pk) for at, row in enumerate(owners)], "")


def make_model_plan() -> None:
    """One ticket through the real doors: its plan is what all the seeded plans hold."""
    from django.db import connection, transaction

    from governance.models import User
    from trafficking.models import Plan
    from trafficking.services import submit_ticket
    from trafficking.tests.factories import make_ticket

    with transaction.atomic():
        ticket = make_ticket("META")
        report = submit_ticket(ticket=ticket, by=User.objects.get(username="owner00"))
        plan = Plan.objects.get(ticket=ticket)
        held = [plan.api_version, *map(_json, (plan.operations, plan.changes, plan.basis))]
        assert report.passed, report.findings
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE scale_model (api_version text, operations jsonb, changes jsonb, basis jsonb)"
        )
        cursor.execute("INSERT INTO scale_model VALUES (%s, %s, %s, %s)", held)


def _json(value: Any) -> str:
    import json

    return json.dumps(value)


# ------------------------------------------------------------------------------------ large tables


def load(statements: list[tuple[str, str]], large: tuple[str, ...]) -> None:
    """Rows first, indexes and foreign keys after them: several times as fast."""
    from django.apps import apps
    from django.db import connection

    tables = [apps.get_model(label)._meta.db_table for label in large]
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("SET work_mem = '256MB'")
        put_back = _take_off(cursor, tables)
        for what, sql in statements:
            _timed(cursor, what, sql)
        for sql in put_back:
            _timed(cursor, sql.split(" USING")[0][:90], sql)
        _renumber(cursor)
        _timed(cursor, "statistics", "VACUUM ANALYZE")


def _timed(cursor: Any, what: str, sql: str) -> None:
    started = time.perf_counter()
    cursor.execute(sql)
    if (taken := time.perf_counter() - started) > 1:
        print(f"{taken:7.1f} s  {what}", flush=True)


def _take_off(cursor: Any, tables: list[str]) -> list[str]:
    """Drop indexes and foreign keys of `tables`; returns the statements that make them again."""
    cursor.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('f', 'u') ORDER BY contype DESC", [tables],
    )  # fmt: skip
    constraints = cursor.fetchall()
    for table, name, _definition in constraints:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = ANY(%s::regclass[]) AND NOT indisprimary", [tables],
    )  # fmt: skip
    indexes = cursor.fetchall()
    for name, _definition in indexes:
        cursor.execute(f"DROP INDEX {name}")
    made = [f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {text}' for table, name, text in constraints]
    return [*(text for _name, text in indexes), *made]


def _renumber(cursor: Any) -> None:
    """New rows get numbers above the seeded ones."""
    cursor.execute(
        "SELECT quote_ident(c.relname), quote_ident(a.attname), pg_get_serial_sequence(quote_ident(c.relname), a.attname)"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind = 'r' AND a.attidentity <> ''"
    )
    for table, column, sequence in cursor.fetchall():
        cursor.execute(f"SELECT setval(%s, greatest((SELECT max({column}) FROM {table}), 1))", [sequence])


if __name__ == "__main__":
    main()
