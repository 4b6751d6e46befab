"""What the builder offers where something is chosen: of the house's own rows what is the person's, of codes what the
platform's reference takes, of ids what the vocabulary's audiences name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from babel import Locale
from django.db.models import Q, QuerySet
from django.utils.translation import get_language

from campaigns.models import Campaign
from governance.models import AdAccount, Brand, Channel, Market, User
from governance.models.aliases import Audience
from governance.money import currencies
from trafficking.models.tree import CALLS_TO_ACTION, CONVERSION_EVENTS, FORMATS, GOALS
from trafficking.platforms.registry import platform, platforms

#: A list that is longer is narrowed by typing on.
MOST_SHOWN = 30
#: Campaigns are many: the newest that fit are enough to find one by its name.
MOST_TYPED = 100
_WORDS = {
    "goal": dict(GOALS), "format": dict(FORMATS), "call_to_action": dict(CALLS_TO_ACTION),
    "conversion_event": dict(CONVERSION_EVENTS),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for, and what is chosen beside it (ids as the page sends them)."""

    user: Any
    text: str
    beside: Mapping[str, str]

    def row(self, name: str, rows: QuerySet) -> Any:
        """The row that is chosen beside, if it is the person's."""
        value = self.beside.get(name, "")
        return rows.filter(pk=value).first() if value.isdecimal() and len(value) < 19 else None

    @property
    def campaign(self) -> Any:
        rows = Campaign.objects.visible_to(self.user).select_related("brand", "market")
        return self.row("campaign", rows)

    @property
    def channel(self) -> Any:
        return self.row("channel", Channel.objects.all())


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    note: str = ""
    #: fields of the form that it fills in where they are empty
    fills: Mapping[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"value": self.value, "label": self.label, "note": self.note, "fills": dict(self.fills or {})}


def offered(kind: str, question: Question) -> list[Choice] | None:
    """The first that fit; None for a kind that there is not."""
    source = _SOURCES.get(kind)
    return None if source is None else list(source(question))[:MOST_SHOWN]


# ------------------------------------------------------------------------------------ rows of the house


def _campaigns(question: Question) -> Iterable[Choice]:
    rows = Campaign.objects.visible_to(question.user).select_related("brand", "market").order_by("-id")
    if text := question.text[:MOST_TYPED]:
        rows = rows.filter(name__icontains=text)
    for row in rows[:MOST_SHOWN]:
        fills = {"ticket.start_on": row.start_on.isoformat(), "ticket.end_on": row.end_on.isoformat()}
        note = (
            f"{row.brand.code} · {row.market.code} · {row.get_objective_display()} · {row.start_on:%Y-%m-%d}"
        )
        yield Choice(str(row.pk), row.name, note, fills)


def _coded(model: Any) -> Callable[[Question], Iterable[Choice]]:
    def source(question: Question) -> Iterable[Choice]:
        rows = model.objects.current().order_by("code")
        rows = rows.visible_to(question.user) if model is not Channel else rows.filter(active=True)
        found = rows.filter(Q(code__icontains=question.text) | Q(name__icontains=question.text))
        for row in found[:MOST_SHOWN]:
            fills = {"campaign.currency": row.currency} if model is Market else None
            note = platform(row.platform).label if model is Channel else ""
            yield Choice(str(row.pk), str(row), note, fills)

    return source


def _accounts(question: Question) -> Iterable[Choice]:
    """Those that serve the campaign's brand in its market on the channel's platform."""
    campaign, channel = question.campaign, question.channel
    brand = campaign.brand_id if campaign else _id(question.beside.get("brand", ""))
    market = campaign.market_id if campaign else _id(question.beside.get("market", ""))
    if channel is None or brand is None or market is None:
        return
    rows = (
        AdAccount.objects.visible_to(question.user)
        .current()
        .filter(serves__brand_id=brand, serves__market_id=market, platform=channel.platform, active=True)
    )
    for row in rows.filter(name__icontains=question.text).order_by("name")[:MOST_SHOWN]:
        yield Choice(str(row.pk), row.name, f"{row.external_id} · {row.currency} · {row.get_mode_display()}",
                     {"currency": row.currency})  # fmt: skip


def _id(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _people(question: Question) -> Iterable[Choice]:
    rows = User.objects.filter(is_active=True, username__icontains=question.text).order_by("username")
    return (Choice(str(row.pk), str(row)) for row in rows[:MOST_SHOWN])


# ------------------------------------------------------------------------------- codes of the reference


def label_of(kind: str, code: str) -> str:
    """A code with its words: "US · United States"."""
    words = {"countries": _countries, "languages": _languages}.get(kind)
    name = words(get_language() or "en").get(code, "") if words else ""
    return f"{code} · {name}" if name else code


def _codes(field: str) -> Callable[[Question], Iterable[Choice]]:
    def source(question: Question) -> Iterable[Choice]:
        known = _known(field, question)
        words = _WORDS.get(field)
        for code in known if known is not None else _house_codes(field):
            if words is not None and code not in words:
                continue  # of the platform only, and not in the house's list
            label = str(words[code]) if words else label_of(field, code)
            if question.text.casefold() in f"{code} {label}".casefold():
                yield Choice(code, label)

    return source


def _known(field: str, question: Question) -> tuple[str, ...] | None:
    channel, campaign = question.channel, question.campaign
    if channel is None:
        return None
    objective = campaign.objective if campaign else question.beside.get("objective", "")
    return platform(channel.platform).known_values(
        field, objective=objective, buying_type=channel.api_identifier
    )


def _house_codes(field: str) -> tuple[str, ...]:
    if field in _WORDS:
        return tuple(_WORDS[field])
    found = {code for each in platforms().values() for code in each.known_values(field) or ()}
    return tuple(sorted(found))


@cache
def _countries(language: str) -> Mapping[str, str]:
    return {str(code): str(name) for code, name in Locale.parse(language, sep="-").territories.items()}


@cache
def _languages(language: str) -> Mapping[str, str]:
    return {str(code): str(name) for code, name in Locale.parse(language, sep="-").languages.items()}


def _currencies(question: Question) -> Iterable[Choice]:
    return (
        Choice(code, code) for code in sorted(currencies()) if question.text.casefold() in code.casefold()
    )


# ------------------------------------------------------------------------------------ ids by audience


def _audience_ids(
    read: Callable[[Audience, str], Iterable[Choice]],
) -> Callable[[Question], Iterable[Choice]]:
    def source(question: Question) -> Iterable[Choice]:
        channel, campaign = question.channel, question.campaign
        keys = [channel.platform] if channel else list(platforms())
        rows = Audience.objects.visible_to(question.user).current()
        brand = campaign.brand_id if campaign else _id(question.beside.get("brand", ""))
        if brand is not None:
            rows = rows.filter(Q(brand=None) | Q(brand_id=brand))
        seen: set[str] = set()
        for row in rows.order_by("name")[:500]:
            for choice in (each for key in keys for each in read(row, key)):
                if (
                    choice.value not in seen
                    and question.text.casefold() in f"{choice.label} {choice.note}".casefold()
                ):
                    seen.add(choice.value)
                    yield choice

    return source


def _interests(row: Audience, key: str) -> Iterable[Choice]:
    for each in row.interests.get(key, ()):
        if isinstance(each, dict) and each.get("id"):
            name = str(each.get("name", ""))
            yield Choice(
                f"{each['id']} {name}".strip(),
                f"{name} ({each['id']})" if name else str(each["id"]),
                row.name,
            )


def _ids(row: Audience, key: str) -> Iterable[Choice]:
    for each in (*row.audiences_include.get(key, ()), *row.audiences_exclude.get(key, ())):
        yield Choice(str(each), str(each), row.name)


def _nothing(_question: Question) -> Iterable[Choice]:
    """Regions and cities are the platform's own, by thousands: they are written with their id."""
    return ()


_SOURCES: dict[str, Callable[[Question], Iterable[Choice]]] = {
    "campaign": _campaigns, "brand": _coded(Brand), "market": _coded(Market), "channel": _coded(Channel),
    "ad_account": _accounts, "owner": _people, "currency": _currencies, "interests": _audience_ids(_interests),
    "audiences": _audience_ids(_ids), "regions": _nothing, "cities": _nothing,
    **{name: _codes(name) for name in ("goal", "format", "call_to_action", "conversion_event", "placements", "countries", "languages")},
}  # fmt: skip
