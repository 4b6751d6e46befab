"""Reports in, conversions out: each checked, hashed, and written once, whoever reports it and how often.

Raw identifiers live in the arguments of `collect` and nowhere else: what is written is hashed, and no problem's words
repeat a value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from tracking.events import Problem, amount, check, currency_code, moment
from tracking.fanout import plan_deliveries
from tracking.models import ConversionEvent, ConversionSource, RefusedCount
from tracking.normalise import identifiers
from tracking.redaction import clean_url, personal

Origin = ConversionEvent.Origin
#: Most reports in one request.
MOST = 1000
_CONSENT = ("ad_storage", "ad_user_data", "ad_personalization", "analytics_storage")
_ABOUT = ("version", "source", "time")
_FILLED = ("url", "referrer", "order_id", "currency", "value", "contents", "fbclid", "ttclid", "gclid")


@dataclass(frozen=True, slots=True)
class Client:
    """The browser that asked: verbatim, as the platforms need them; encrypted until delivery."""

    ip: str = ""
    user_agent: str = ""

    def as_stored(self) -> dict[str, str]:
        return {name: value for name, value in (("ip", self.ip), ("user_agent", self.user_agent)) if value}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one report: `taken` (new), `merged` (known before) or `refused` with its problems."""

    result: Literal["taken", "merged", "refused"]
    event_id: str = ""
    problems: list[Problem] = field(default_factory=list)

    def as_report(self) -> dict[str, Any]:
        problems = [
            {"field": each.field, "code": each.code, "message": each.message} for each in self.problems
        ]
        return {"result": self.result, "event_id": self.event_id, "problems": problems}


Key = tuple[str, str]


def collect(
    source: ConversionSource, raws: Sequence[Any], *, origin: str, client: Client | None = None, now: datetime | None = None
) -> list[Outcome]:  # fmt: skip
    """One outcome a report, in their order. A bad one refuses itself alone. ValueError above `MOST`."""
    if len(raws) > MOST:
        raise ValueError(f"at most {MOST} events")
    now = now or timezone.now()
    problems = [problems_of(source, raw, now) for raw in raws]
    good = [(at, raw) for at, raw in enumerate(raws) if not problems[at]]
    reports = {at: _report(source, raw, origin, client or Client(), now) for at, raw in good}
    with transaction.atomic():
        results = _write(source, reports)
    _count(source, origin, [each for found in problems for each in found], now)
    return [
        Outcome("refused", _id_of(raw), problems[at])
        if problems[at]
        else Outcome(results[at], reports[at].event_id)
        for at, raw in enumerate(raws)
    ]


def problems_of(source: ConversionSource, raw: Any, now: datetime) -> list[Problem]:
    found = check(raw, now=now)
    if not isinstance(raw, Mapping):
        return found
    found += personal(raw)
    if raw.get("value") is not None and not raw.get("currency") and not source.default_currency:
        words = "A value needs its currency, ISO 4217; this source has no default."
        found.append(Problem("currency", "missing", words))
    return found


def _id_of(raw: Any) -> str:
    """Told back so that the sender finds the event; only where it names nobody."""
    given = raw.get("event_id") if isinstance(raw, Mapping) else None
    return (
        given
        if isinstance(given, str) and "@" not in given and "%40" not in given and len(given) <= 200
        else ""
    )


def _report(
    source: ConversionSource, raw: Mapping[str, Any], origin: str, client: Client, now: datetime
) -> ConversionEvent:
    user = raw.get("user") or {}
    value = amount(raw.get("value"))
    currency = (currency_code(raw.get("currency")) or source.default_currency) if value is not None else ""
    from_server = origin == Origin.SERVER
    known = Client(str(user.get("ip") or ""), str(user.get("user_agent") or "")) if from_server else client
    values: dict[str, Any] = {"client": known.as_stored()}  # encrypted: its column is a text to the checker
    return ConversionEvent(
        source=source, name=raw["event_name"], event_id=raw["event_id"], time=moment(raw["event_time"]) or now,
        received_at=now, changed_at=now, action_source=raw.get("action_source", "website"),
        url=clean_url(raw.get("event_source_url") or ""), referrer=clean_url(raw.get("referrer") or ""),
        order_id=raw.get("order_id") or "", currency=currency, value=value,
        contents=list(raw.get("contents") or []), custom=dict(raw.get("custom") or {}),
        fbclid=_fbclid(user), ttclid=_short(user.get("ttclid")),
        gclid=_short(user.get("gclid") or user.get("gbraid") or user.get("wbraid")),
        identifiers=identifiers(user, region=source.region), **values, consent=_consent(raw.get("consent")),
        origin=origin, browser_at=None if from_server else now, server_at=now if from_server else None,
        is_test=raw.get("test") is True,
    )  # fmt: skip


def _fbclid(user: Mapping[str, Any]) -> str:
    """The last part of `fb.1.<ms>.<fbclid>`."""
    parts = _short(user.get("fbc")).split(".")
    return parts[3] if len(parts) >= 4 else ""


def _short(value: Any) -> str:
    return value[:512] if isinstance(value, str) else ""


def _consent(raw: Any) -> dict[str, Any]:
    """The snapshot that travels with the event: known signals, and where they come from."""
    given = raw if isinstance(raw, Mapping) else {}
    kept: dict[str, Any] = {
        name: given[name] for name in _CONSENT if given.get(name) in ("granted", "denied")
    }
    kept |= {name: str(given[name])[:100] for name in _ABOUT if given.get(name)}
    return kept | ({"ldu": True} if given.get("ldu") is True else {})


# ------------------------------------------------------------------------------------------ writing


def _write(
    source: ConversionSource, reports: dict[int, ConversionEvent]
) -> dict[int, Literal["taken", "merged"]]:
    """Inserted in the order of their keys, then locked in the order of their rows: concurrent requests never wait in a ring."""
    first: dict[Key, ConversionEvent] = {}
    for each in reports.values():
        first.setdefault((each.event_id, each.name), each)
    ConversionEvent.objects.bulk_create(
        [first[key] for key in sorted(first)], ignore_conflicts=True, batch_size=MOST
    )
    stored = _locked(source, first)
    results: dict[int, Literal["taken", "merged"]] = {}
    changed: dict[int, ConversionEvent] = {}
    for at, report in reports.items():
        row = stored[report.event_id, report.name]
        if row.public_id == report.public_id:
            results[at] = "taken"
        else:
            merge(row, report)
            changed[row.pk] = row
            results[at] = "merged"
    if changed:
        ConversionEvent.objects.bulk_update(list(changed.values()), MERGED, batch_size=200)
    plan_deliveries(list(stored.values()), source)
    return results


def _locked(source: ConversionSource, wanted: Mapping[Key, Any]) -> dict[Key, ConversionEvent]:
    ids = {event_id for event_id, _name in wanted}
    rows = ConversionEvent.objects.filter(source=source, event_id__in=ids).order_by("pk").select_for_update()
    return {(row.event_id, row.name): row for row in rows if (row.event_id, row.name) in wanted}


MERGED = [
    *_FILLED,
    "custom",
    "identifiers",
    "client",
    "consent",
    "origin",
    "browser_at",
    "server_at",
    "reports",
    "changed_at",
]


def merge(row: ConversionEvent, report: ConversionEvent) -> None:
    """What the row lacks is filled in; what it has stays, and so do its id and time: a platform may know them."""
    row.reports += 1
    if row.erased_at is not None:
        return  # a person's events, once erased, stay so
    for name in _FILLED:
        if getattr(row, name) in ("", None, []):
            setattr(row, name, getattr(report, name))
    row.custom = {**report.custom, **row.custom}
    row.identifiers = {
        platform: {**report.identifiers.get(platform, {}), **row.identifiers.get(platform, {})}
        for platform in {*row.identifiers, *report.identifiers}
    }
    # the browser knows its own address best, whoever came first
    browser_came = report.origin == Origin.BROWSER
    row.client = {**row.client, **report.client} if browser_came else {**report.client, **row.client}
    row.consent = stricter(row.consent, report.consent)
    if row.origin != report.origin:
        row.origin = Origin.BOTH
    row.browser_at, row.server_at = row.browser_at or report.browser_at, row.server_at or report.server_at
    row.changed_at = report.changed_at


def stricter(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both snapshots in one: what either denied is denied, and limited use stays."""
    both = {**other, **one}
    for name in _CONSENT:
        if "denied" in (one.get(name), other.get(name)):
            both[name] = "denied"
    return both | ({"ldu": True} if one.get("ldu") or other.get("ldu") else {})


# ----------------------------------------------------------------------------------------- counting


def _count(source: ConversionSource, origin: str, problems: Sequence[Problem], now: datetime) -> None:
    """How many were refused, by hour, field and code. Nothing of the events."""
    if not problems:
        return
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    counted = Counter((_field(each.field), each.code) for each in problems)
    with transaction.atomic():
        RefusedCount.objects.bulk_create(
            [
                RefusedCount(source=source, hour=hour, origin=origin, field=name, code=code)
                for name, code in sorted(counted)
            ],
            ignore_conflicts=True,
        )
        rows = RefusedCount.objects.filter(source=source, hour=hour, origin=origin)
        for (name, code), count in sorted(counted.items()):
            rows.filter(field=name, code=code).update(count=F("count") + count)


def _field(name: str) -> str:
    """Without what a sender wrote into it: keys of `custom` are theirs."""
    head = name.partition(".")[0].partition("[")[0]
    return head if head in ("custom", "contents", "consent") else name[:64]
