"""What the columns of a file mean: by name, by a mapping that was kept, or as a proposal for the person. Pure."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from governance.cells import LIST_SEPARATOR
from governance.findings import Finding
from governance.tables import ERRORS_COLUMN, Column, Refused, Source, cell_text, read_json, safe_text

#: What agencies call our columns, where that is not nearly our own name. Only ever proposed.
WORDS: dict[str, tuple[str, ...]] = {
    "line": ("line_id", "placement_id", "id", "line_item", "line_item_id", "zeile"),
    "line_name": ("placement", "placement_name", "line_item_name", "ad_set", "ad_group", "ad_set_name"),
    "campaign": ("campaign_name", "kampagne", "campagne", "flight_name"),
    "brand": ("advertiser", "client", "kunde", "marke", "brand_code", "advertiser_name"),
    "market": ("country", "land", "territory", "geo", "market_code"),
    "channel": ("platform", "network", "publisher", "kanal", "media_channel"),
    "objective": ("goal", "campaign_objective", "ziel", "campaign_goal"),
    "start_date": ("start", "from", "flight_start", "start_on", "begin", "von", "first_day"),
    "start_on": ("start", "from", "flight_start", "start_date", "begin", "von", "first_day"),
    "end_date": ("end", "to", "flight_end", "end_on", "bis", "until", "last_day"),
    "end_on": ("end", "to", "flight_end", "end_date", "bis", "until", "last_day"),
    "cost_media": ("budget", "net_budget", "media_budget", "budget_net", "net_media_cost", "spend", "media_cost"),
    "cost_total": ("gross_budget", "budget_gross", "total_cost", "gross_cost"),
    "budget": ("net_budget", "media_budget", "budget_net", "spend", "cost_media"),
    "currency": ("ccy", "currency_code", "waehrung", "währung"),
    "ad": ("ad_name", "creative", "creative_name"),
    "texts": ("primary_text", "body", "copy", "text"),
    "headlines": ("headline", "title", "titles"),
    "descriptions": ("description",),
    "landing_page": ("url", "link", "click_url", "destination_url", "landing_page_url"),
    "call_to_action": ("cta", "button"),
    "code": ("id", "key", "short", "short_name"),
    "name": ("title", "label"),
    "external_id": ("account_id", "ad_account_id", "customer_id", "advertiser_id"),
}  # fmt: skip
NEAR = 0.8


@dataclass(frozen=True, slots=True)
class Proposal:
    """`column` of ours for a header, "" for none; `sure`: the header is our own name of it."""

    column: str
    sure: bool


def proposals(keys: Sequence[str], columns: Sequence[Column]) -> dict[str, Proposal]:
    """A proposal for every key of a header row; no column of ours twice."""
    known = [column.name for column in columns]
    made = {key: Proposal(key, sure=True) for key in keys if key in known}
    made |= {key: Proposal("", sure=True) for key in keys if key == ERRORS_COLUMN}
    free = [name for name in known if name not in made]
    for key in keys:
        if key in made:
            continue
        name = _likely(key, free)
        free = [each for each in free if each != name]
        made[key] = Proposal(name, sure=False)
    return {key: made[key] for key in keys}


def table_of_objects(source: Source, name: str) -> Source:
    """A JSON list of flat objects, also as {name: […]}, as a CSV with a column for each key. Raises Refused."""
    document = read_json(source)
    rows = document.get(name) if isinstance(document, dict) else document
    if not isinstance(rows, list) or not rows or any(not isinstance(row, dict) for row in rows):
        raise Refused(Finding("governance.not_a_list", name, params={"text": name}))
    keys = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(keys)
    writer.writerows([[safe_text(_flat(row.get(key))) for key in keys] for row in rows])
    return Source(f"{source.stem}.csv", out.getvalue().encode())


def _flat(value: Any) -> str:
    if isinstance(value, list):
        return LIST_SEPARATOR.join(map(_flat, value))
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict) else cell_text(value)


def _likely(key: str, free: Collection[str]) -> str:
    for name in free:
        if key in WORDS.get(name, ()):
            return name
    near = get_close_matches(key, list(free), n=1, cutoff=NEAR)
    return near[0] if near else ""


def signature(kind: str, part: str, keys: Sequence[str]) -> str:
    """The same for the same headers in any order; the column of errors that we add does not count."""
    told = json.dumps([kind, part, sorted(key for key in keys if key != ERRORS_COLUMN)])
    return hashlib.sha256(told.encode()).hexdigest()


def used_twice(columns: Mapping[str, str]) -> list[str]:
    chosen = [name for name in columns.values() if name]
    return sorted({name for name in chosen if chosen.count(name) > 1})
