"""The indexes that searching and date filters lean on, where the database is PostgreSQL.

A model says in `SEARCHED` how each of its columns is looked for; after every migrate whatever index is missing is
made, so nothing needs a migration of its own and a database on which pg_trgm is allowed later catches up. They
are made with CONCURRENTLY: nobody waits for them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from django.db import DatabaseError, connections, models, transaction

logger = logging.getLogger(__name__)

#: PART: anywhere in the text. START: its beginning. WHOLE: all of it (ids are pasted). SPAN: moments from … to ….
#: CHOICE: one of few values, of which some are rare.
Way = Literal["PART", "START", "WHOLE", "SPAN", "CHOICE"]
#: PostgreSQL's advisory lock of whoever makes them.
_LOCK = 6_814_201


@dataclass(frozen=True, slots=True)
class SearchIndex:
    table: str
    column: str
    way: Way

    @property
    def name(self) -> str:
        return f"{self.table[-40:]}_{self.column[:14]}_{self.way.lower()}"

    def as_start(self) -> SearchIndex:
        return SearchIndex(self.table, self.column, "START")

    def sql(self) -> str:
        column = f'"{self.column}"'
        body = {
            "PART": f"USING gin (UPPER({column}::text) gin_trgm_ops)",
            "START": f"(UPPER({column}::text) text_pattern_ops)",
            "WHOLE": f"({column}) WHERE {column} <> ''",
            "SPAN": f"({column})",
            "CHOICE": f"({column})",
        }[self.way]
        return f'"{self.name}" ON "{self.table}" {body}'


def ways_of(model: type[models.Model]) -> dict[str, Way]:
    """Column -> how it is looked for; {} for a model that is searched as a whole."""
    return getattr(model, "SEARCHED", {})


def searched_by_part(alias: str) -> bool:
    """Whether texts can be looked for anywhere in them without reading the whole table."""
    return connections[alias].vendor != "postgresql" or _has_trigrams(alias)


@lru_cache
def _has_trigrams(alias: str) -> bool:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        return cursor.fetchone() is not None


def after_migrate(sender: Any, using: str, **_kwargs: Any) -> None:
    """Each app's own; other databases have none of them."""
    wanted = [
        SearchIndex(model._meta.db_table, model._meta.get_field(name).column, way)  # type: ignore[arg-type]
        for model in sender.get_models()
        for name, way in ways_of(model).items()
    ]
    if wanted and connections[using].vendor == "postgresql":
        make_missing(wanted, using)


def make_missing(wanted: list[SearchIndex], using: str) -> None:
    connection = connections[using]
    trigrams = _make_trigrams(using)
    indexes = [each if trigrams or each.way != "PART" else each.as_start() for each in wanted]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return  # another migrate is at it: two at once would wait for each other for ever
        try:
            _make(cursor, indexes, "" if connection.in_atomic_block else "CONCURRENTLY ")
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _make(cursor: Any, indexes: list[SearchIndex], concurrently: str) -> None:
    cursor.execute(
        "SELECT c.relname, array_agg(x.relname) FILTER (WHERE i.indisvalid),"
        " array_agg(x.relname) FILTER (WHERE NOT i.indisvalid) FROM pg_class c LEFT JOIN pg_index i ON i.indrelid = c.oid"
        " LEFT JOIN pg_class x ON x.oid = i.indexrelid WHERE c.relkind = 'r' AND c.relname = ANY(%s) GROUP BY c.relname",
        [sorted({each.table for each in indexes})],
    )
    tables = {name: (made or [], broken or []) for name, made, broken in cursor.fetchall()}
    grown: set[str] = set()
    for each in indexes:
        made, broken = tables.get(each.table, ([each.name], []))  # an app may be migrated back to nothing
        if each.name in broken:  # left by a build that was interrupted
            cursor.execute(f'DROP INDEX {concurrently}"{each.name}"')
        if each.name not in made:
            cursor.execute("SET maintenance_work_mem = '256MB'")
            cursor.execute(f"CREATE INDEX {concurrently}{each.sql()}")
            cursor.execute("RESET maintenance_work_mem")
            grown.add(each.table)
    for table in sorted(grown):  # without figures on UPPER(…) a frequent word is taken for a rare one
        cursor.execute(f'ANALYZE "{table}"')


def _make_trigrams(using: str) -> bool:
    """The extension comes with PostgreSQL; an owner of the database may make it, others ask an administrator."""
    if _has_trigrams(using):
        return True
    try:
        with transaction.atomic(using=using), connections[using].cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as refused:
        logger.warning(
            "pg_trgm can't be made (%s): lists are searched by the beginning of texts only", refused
        )
        return False
    _has_trigrams.cache_clear()
    return True
