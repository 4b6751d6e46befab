"""What the sandboxes keep of conversions: each event once by its deduplication key, and how often it came.

A key seen again within 48 hours of its first receipt is a duplicate, as at Meta and TikTok; later it counts anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trafficking.platforms.sandbox_base import Store

DEDUPLICATED_S = 48 * 3600.0
OLDEST_S = 7 * 86400.0
AHEAD_S = 60.0
SHA256 = re.compile(r"[0-9a-f]{64}")


class EventLog:
    """The conversions of one sandbox, beside its objects in the same file."""

    def __init__(self, store: Store) -> None:
        self.store = store
        with store.connection() as db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS conversion (dataset TEXT, key TEXT, first REAL, received INTEGER,"
                " accepted INTEGER, body TEXT, PRIMARY KEY (dataset, key)) WITHOUT ROWID"
            )

    def keep(self, dataset: str, events: Sequence[tuple[str, Mapping[str, Any]]], now: float) -> None:
        """All of one request: (deduplication key, event)."""
        since = now - DEDUPLICATED_S
        rows = [(dataset, key, now, json.dumps(event), since, since) for key, event in events]
        with self.store.atomic(), self.store.connection() as db:
            db.executemany(
                "INSERT INTO conversion VALUES (?, ?, ?, 1, 1, ?) ON CONFLICT (dataset, key) DO UPDATE SET"
                " received = received + 1, accepted = accepted + (first < ?),"
                " first = CASE WHEN first < ? THEN excluded.first ELSE first END",
                rows,
            )

    def rows(self, dataset: str = "") -> list[dict[str, Any]]:
        """dataset, key, received, accepted and the event's first body, by key."""
        where, values = ("WHERE dataset = ?", (dataset,)) if dataset else ("", ())
        with self.store.connection() as db:
            found = db.execute(
                f"SELECT dataset, key, received, accepted, body FROM conversion {where} ORDER BY dataset, key",  # noqa: S608
                values,
            ).fetchall()
        names = ("dataset", "key", "received", "accepted")
        return [{**dict(zip(names, row, strict=False)), "event": json.loads(row[4])} for row in found]

    def count(self) -> dict[str, int]:
        """`distinct` events, how many were `received` and `accepted`; the rest are `duplicates`."""
        with self.store.connection() as db:
            distinct, received, accepted = db.execute(
                "SELECT COUNT(*), COALESCE(SUM(received), 0), COALESCE(SUM(accepted), 0) FROM conversion"
            ).fetchone()
        return {
            "distinct": distinct,
            "received": received,
            "accepted": accepted,
            "duplicates": received - accepted,
        }


def hashes(value: Any) -> bool:
    """Whether it is a SHA-256 in lower-case hex, or a list of some."""
    each = value if isinstance(value, list) else [value]
    return bool(each) and all(isinstance(one, str) and SHA256.fullmatch(one) for one in each)


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
