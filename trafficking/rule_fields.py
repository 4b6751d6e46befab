"""The fields of tickets, ad sets, ads and platform payloads that built rules may ask about."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign
from governance.models import AdAccount, Brand, Channel, Market
from governance.models.rates import Rates
from governance.money import currencies
from governance.platforms import Platform as PlatformKey
from governance.rule_fields import Kind, Level, Money, Option, RuleField
from governance.rule_fields import field as rule_field
from trafficking import choices, rules
from trafficking.models import Ticket
from trafficking.models.tree import (
    BID_STRATEGIES,
    BILLING_EVENTS,
    CALLS_TO_ACTION,
    CONVERSION_EVENTS,
    FORMATS,
    GOALS,
)
from trafficking.platforms.base import AdSetSnapshot, AdSnapshot, Budget, Operation, TicketSnapshot
from trafficking.platforms.registry import platform, platforms

MOST_OFFERED = 50


@dataclass
class Checked:
    """One ticket under a rule. `operations` are those of its whole tree, where they are compiled already."""

    ticket: Ticket
    snapshot: TicketSnapshot
    rates: Rates
    files: tuple[Any, ...] = ()
    operations: tuple[Operation, ...] | None = None

    @cached_property
    def payload(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """(level, intent) -> what the platform would hold, in its own words. The whole tree, also of a change."""
        known = platform(self.snapshot.platform)
        sent = self.operations
        if sent is None:
            sent = known.compile(replace(self.snapshot, request_type="CREATE"), list(self.files)).operations
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for each in known.wanted(sent):
            level = "ad" if each.type == "creative" else each.type
            key = (level, "" if level == "campaign" else each.intent)
            found.setdefault(key, {}).update(each.fields)
        return found  # type: ignore[return-value]

    def money(self, amount: Decimal | None) -> Money | None:
        if amount is None:
            return None
        found = self.rates.rate(self.snapshot.currency, "USD")
        return Money(amount, self.snapshot.currency, found[0] if found else None)

    @cached_property
    def spend(self) -> tuple[Decimal, Decimal] | None:
        return rules.spend(self.snapshot)


@dataclass
class Subject:
    """What a rule is asked of: the ticket, one of its ad sets, or one of its ads."""

    of: Checked
    ad_set_at: int = -1
    ad_at: int = -1
    _values: dict[str, Any] = field(default_factory=dict)

    @property
    def ad_set(self) -> AdSetSnapshot:
        return self.of.snapshot.ad_sets[self.ad_set_at]

    @property
    def ad(self) -> AdSnapshot:
        return self.ad_set.ads[self.ad_at]

    @property
    def name(self) -> str:
        if self.ad_at >= 0:
            return self.ad.name
        return self.ad_set.name if self.ad_set_at >= 0 else self.of.snapshot.name

    def value(self, key: str) -> Any:
        """Of one field, read once."""
        if key not in self._values:
            self._values[key] = rule_field(key).read(self)
        return self._values[key]

    def path(self, template: str) -> str:
        return template.format(ad_set=self.ad_set_at, ad=self.ad_at)


def subjects(checked: Checked, level: Level) -> Iterator[Subject]:
    if level == "ticket":
        yield Subject(checked)
        return
    for at, row in enumerate(checked.snapshot.ad_sets):
        if level == "ad_set":
            yield Subject(checked, at)
            continue
        for ad_at in range(len(row.ads)):
            yield Subject(checked, at, ad_at)


# ----------------------------------------------------------------------------------------- choices


def _listed(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Keyword arguments of a field with a fixed list."""
    known = {str(code): words for code, words in pairs}

    def offer(text: str, _user: Any) -> list[Option]:
        wanted = text.casefold()
        made = (Option(code, str(words) or code) for code, words in known.items())
        return [each for each in made if wanted in f"{each.value} {each.label}".casefold()][:MOST_OFFERED]

    def exact(value: str) -> str | None:
        return next((code for code in known if code.casefold() == value.casefold()), None)

    return {"offer": offer, "known": exact, "name_of": lambda value: str(known.get(value) or value)}


def _rows(model: Any) -> dict[str, Any]:
    """Rows by public id: a changed code changes no rule. A code is taken, too."""
    word = "name" if model is AdAccount else "code"

    def offer(text: str, user: Any) -> list[Option]:
        rows = (
            model.objects.visible_to(user)
            .current()
            .filter(Q(**{f"{word}__icontains": text}) | Q(name__icontains=text))
        )
        return [Option(str(row.public_id), str(row)) for row in rows.order_by(word)[:MOST_OFFERED]]

    def row_of(value: str) -> Any:
        try:
            return model.objects.filter(public_id=uuid.UUID(value)).first()
        except ValueError:
            return model.objects.filter(**{f"{word}__iexact": value}).order_by("pk").first()

    def known(value: str) -> str | None:
        row = row_of(value)
        return str(row.public_id) if row else None

    def name_of(value: str) -> str:
        row = row_of(value)
        return str(getattr(row, word)) if row else value

    return {"offer": offer, "known": known, "name_of": name_of}


def _codes(name: str) -> dict[str, Any]:
    """What any platform's reference takes (placements, countries, languages)."""

    def all_codes() -> list[str]:
        return sorted({code for each in platforms().values() for code in each.known_values(name) or ()})

    def offer(text: str, _user: Any) -> list[Option]:
        made = (Option(code, choices.label_of(name, code)) for code in all_codes())
        return [each for each in made if text.casefold() in each.label.casefold()][:MOST_OFFERED]

    def known(value: str) -> str | None:
        return next((code for code in all_codes() if code.casefold() == value.casefold()), None)

    return {"offer": offer, "known": known, "name_of": lambda value: choices.label_of(name, value)}


# ------------------------------------------------------------------------------------------ fields

_TICKET, _AD_SET, _AD = _("Ticket and campaign"), _("Ad set"), _("Ad")


def _field(
    key: str, label: Any, kind: Kind, read: Callable[[Subject], Any], path: str = "", level: Level = "ticket", **more: Any
) -> RuleField:  # fmt: skip
    groups = {"ticket": _TICKET, "ad_set": _AD_SET, "ad": _AD}
    return RuleField(
        key=key, label=label, kind=kind, group=groups[level], read=read, level=level, path=path, **more
    )


def _ticket(
    key: str, label: Any, kind: Kind, read: Callable[[Any], Any], path: str = "", **more: Any
) -> RuleField:
    return _field(key, label, kind, lambda subject: read(subject.of), path, **more)


def _ad_set(
    key: str, label: Any, kind: Kind, read: Callable[[AdSetSnapshot], Any], path: str, **more: Any
) -> RuleField:
    where = f"ad_sets[{{ad_set}}].{path}"
    return _field(f"ad_set.{key}", label, kind, lambda subject: read(subject.ad_set), where, "ad_set", **more)


def _ad_set_money(
    key: str, label: Any, read: Callable[[AdSetSnapshot], Decimal | None], path: str, **more: Any
) -> RuleField:
    def amount(subject: Subject) -> Money | None:
        return subject.of.money(read(subject.ad_set))

    return _field(f"ad_set.{key}", label, "money", amount, f"ad_sets[{{ad_set}}].{path}", "ad_set", **more)


def _ad(
    key: str, label: Any, kind: Kind, read: Callable[[AdSnapshot], Any], path: str, **more: Any
) -> RuleField:
    where = f"ad_sets[{{ad_set}}].ads[{{ad}}].{path}"
    return _field(f"ad.{key}", label, kind, lambda subject: read(subject.ad), where, "ad", **more)


def _day(moment: Any) -> Any:
    return moment.date() if moment else None


def _amount_of(budget: Budget | None) -> Decimal | None:
    return budget.amount if budget else None


def _bid(strategy: str, amount: Decimal | None) -> Decimal | None:
    return None if strategy == "TARGET_ROAS" else amount


def _words_of(ad: AdSnapshot) -> list[str]:
    cards = [text for card in ad.cards for text in (card.headline, card.description)]
    return [*ad.texts, *ad.headlines, *ad.descriptions, ad.long_headline, *cards]


def _places(places: Iterable[Any]) -> list[str]:
    return [each.name or each.id for each in places]


def house_fields() -> list[RuleField]:
    buying = {code: words for each in platforms().values() for code, words in each.buying_types.items()}
    kinds = Campaign._meta.get_field("objective").choices or ()
    budget_types = (("DAILY", _("Daily")), ("LIFETIME", _("Lifetime")))
    return [
        _ticket("brand", _("brand"), "choice", lambda of: of.ticket.campaign.brand.public_id, **_rows(Brand)),
        _ticket("market", _("market"), "choice", lambda of: of.ticket.campaign.market.public_id, **_rows(Market)),
        _ticket("channel", _("channel"), "choice", lambda of: of.ticket.channel.public_id, "channel", **_rows(Channel)),
        _ticket("platform", _("platform"), "choice", lambda of: of.snapshot.platform, "channel", **_listed(PlatformKey.choices)),
        _ticket("buying_type", _("buying type"), "choice", lambda of: of.snapshot.buying_type, "channel", **_listed(buying.items())),
        _ticket("ad_account", _("ad account"), "choice", lambda of: of.ticket.ad_account.public_id, "ad_account", **_rows(AdAccount)),
        _ticket("currency", _("account's currency"), "choice", lambda of: of.snapshot.currency, "ad_account",
                **_listed((code, code) for code in sorted(currencies()))),
        _ticket("objective", _("objective"), "choice", lambda of: of.snapshot.objective, **_listed(kinds)),
        _ticket("request_type", _("request type"), "choice", lambda of: of.snapshot.request_type, "request_type",
                **_listed(Ticket.RequestType.choices)),
        _ticket("name", _("campaign name"), "text", lambda of: of.snapshot.name),
        _ticket("budget_flight", _("budget over the flight"), "money", lambda of: of.money(of.spend[1]) if of.spend else None,
                "budget", help=_("All budgets of the ticket together; a daily one times its days.")),
        _ticket("budget_day", _("budget a day"), "money", lambda of: of.money(of.spend[0]) if of.spend else None, "budget",
                help=_("All budgets of the ticket together; a lifetime one divided by its days.")),
        _ticket("budget_level", _("budget level"), "choice", lambda of: of.snapshot.budget_level, "budget_level",
                **_listed(Ticket.BudgetLevel.choices)),
        _ticket("budget_type", _("campaign budget type"), "choice",
                lambda of: of.snapshot.budget.kind if of.snapshot.budget else None, "budget_type", **_listed(budget_types)),
        _ticket("bid_strategy", _("campaign bid strategy"), "choice",
                lambda of: of.snapshot.bid_strategy if of.snapshot.budget_level == "CAMPAIGN" else None, "bid_strategy",
                **_listed(BID_STRATEGIES)),
        _ticket("start", _("first day"), "date", lambda of: _day(of.snapshot.start), "start_on"),
        _ticket("end", _("last day"), "date", lambda of: _day(of.snapshot.end), "end_on"),
        _ticket("days", _("days of the flight"), "number", lambda of: rules.days(of.snapshot), "end_on"),
        _ticket("go_live", _("day of going live"), "date", lambda of: _day(of.ticket.go_live_at), "go_live_at"),
        _ticket("special_categories", _("special ad categories"), "choices",
                lambda of: list(of.snapshot.special_ad_categories or ()), "special_ad_categories",
                **_listed(Ticket.SpecialCategory.choices)),
        _ticket("political", _("political advertising"), "choice", lambda of: of.snapshot.political, "political",
                **_listed(Ticket.Political.choices)),
        _ticket("ad_sets", _("number of ad sets"), "number", lambda of: len(of.snapshot.ad_sets), "ad_sets"),
        _ticket("ads", _("number of ads"), "number", lambda of: sum(len(each.ads) for each in of.snapshot.ad_sets), "ad_sets"),
        _ad_set("name", _("ad set name"), "text", lambda row: row.name, "name"),
        _ad_set("goal", _("ad set goal"), "choice", lambda row: row.goal or None, "goal", **_listed(GOALS)),
        _ad_set("billing_event", _("billing event"), "choice", lambda row: row.billing_event or None, "billing_event",
                **_listed(BILLING_EVENTS)),
        _ad_set("bid_strategy", _("ad set bid strategy"), "choice", lambda row: row.bid_strategy, "bid_strategy",
                **_listed(BID_STRATEGIES)),
        _ad_set_money("bid", _("ad set bid"), lambda row: _bid(row.bid_strategy, row.bid_amount), "bid_amount"),
        _ad_set_money("budget", _("ad set budget"), lambda row: _amount_of(row.budget), "budget"),
        _ad_set("budget_type", _("ad set budget type"), "choice", lambda row: row.budget.kind if row.budget else None,
                "budget_type", **_listed(budget_types)),
        _ad_set("start", _("ad set's first day"), "date", lambda row: _day(row.start), "start_on"),
        _ad_set("end", _("ad set's last day"), "date", lambda row: _day(row.end), "end_on"),
        _ad_set("countries", _("countries"), "choices", lambda row: row.geo.countries, "geo", **_codes("countries")),
        _ad_set("excluded_countries", _("excluded countries"), "choices", lambda row: row.geo.excluded_countries, "geo",
                **_codes("countries")),
        _ad_set("regions", _("regions"), "texts", lambda row: _places(row.geo.regions), "geo"),
        _ad_set("cities", _("cities"), "texts", lambda row: _places(row.geo.cities), "geo"),
        _ad_set("languages", _("languages"), "choices", lambda row: row.languages, "languages", **_codes("languages")),
        _ad_set("age_min", _("youngest age"), "number", lambda row: row.age_min, "age_min"),
        _ad_set("age_max", _("oldest age"), "number", lambda row: row.age_max, "age_max"),
        _ad_set("genders", _("genders"), "choices", lambda row: row.genders, "genders",
                **_listed((("MALE", _("Male")), ("FEMALE", _("Female"))))),
        _ad_set("interests", _("interests"), "texts", lambda row: _places(row.interests), "interests"),
        _ad_set("audiences_include", _("audiences"), "texts", lambda row: row.audiences_include, "audiences_include"),
        _ad_set("audiences_exclude", _("excluded audiences"), "texts", lambda row: row.audiences_exclude, "audiences_exclude"),
        _ad_set("placements", _("placements"), "choices", lambda row: row.placements, "placements", **_codes("placements")),
        _ad_set("conversion_event", _("conversion event"), "choice", lambda row: row.conversion_event or None,
                "conversion_event", **_listed(CONVERSION_EVENTS)),
        _ad_set("keywords", _("keywords"), "texts", lambda row: [each.text for each in row.keywords], "keywords"),
        _ad_set("frequency", _("frequency cap (impressions)"), "number",
                lambda row: row.frequency_cap.impressions if row.frequency_cap else None, "frequency_cap"),
        _ad_set("hours", _("has a schedule of hours"), "yes_no", lambda row: bool(row.dayparts), "dayparts"),
        _ad("name", _("ad name"), "text", lambda row: row.name, "name"),
        _ad("format", _("ad format"), "choice", lambda row: row.format, "format", **_listed(FORMATS)),
        _ad("words", _("any words of the ad"), "texts", _words_of, "texts", help=_("Texts, headlines, descriptions and cards.")),
        _ad("texts", _("primary texts"), "texts", lambda row: row.texts, "texts"),
        _ad("headlines", _("headlines"), "texts", lambda row: row.headlines, "headlines"),
        _ad("descriptions", _("descriptions"), "texts", lambda row: row.descriptions, "descriptions"),
        _ad("call_to_action", _("call to action"), "choice", lambda row: row.call_to_action or None, "call_to_action",
            **_listed(CALLS_TO_ACTION)),
        _ad("landing_page", _("landing page"), "text", lambda row: row.landing_page, "landing_page"),
    ]  # fmt: skip


# ----------------------------------------------------------------------------------- payload fields

#: Nested deeper nobody asks, and schemas may point at themselves.
DEEPEST = 4
#: Ids and names of ours, and what the house sets alike for all: no question for a rule.
_UNTOLD = frozenset(
    {"advertiser_id", "name", "campaign_id", "adset_id", "adgroup_id", "ad_group", "resourceName", "$schema"}
)


def payload_fields() -> list[RuleField]:
    """Every plain field of the bodies that create objects, from the platforms' references."""
    return [
        made
        for known in platforms().values()
        for level, schema in known.payload_schemas().items()
        for path, leaf in _leaves(schema, schema.get("$defs", {}), "", DEEPEST)
        if (made := _payload_field(known.key, known.label, level, path, leaf)) is not None
    ]


def _leaves(
    schema: Mapping[str, Any], defs: Mapping[str, Any], at: str, depth: int
) -> Iterator[tuple[str, Any]]:
    for name, part in schema.get("properties", {}).items():
        part = _resolved(part, defs)
        path = f"{at}{name}"
        if part.get("properties"):
            if depth > 1:
                yield from _leaves(part, defs, f"{path}.", depth - 1)
        elif name not in _UNTOLD:
            yield path, part


def _resolved(part: Any, defs: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(part, Mapping):
        return {}
    target = str(part.get("$ref", "")).rpartition("/")[2]
    return defs.get(target, {}) if target else part


def _payload_kind(leaf: Mapping[str, Any]) -> tuple[Kind, list[str]] | None:
    if "enum" in leaf:
        return "choice", [str(each) for each in leaf["enum"]]
    kinds: dict[Any, Kind] = {"string": "text", "number": "number", "integer": "number", "boolean": "yes_no"}
    if leaf.get("type") != "array":
        return (
            (kinds[leaf["type"]], []) if isinstance(leaf.get("type"), str) and leaf["type"] in kinds else None
        )
    items = leaf.get("items") or {}
    if "enum" in items:
        return "choices", [str(each) for each in items["enum"]]
    return ("texts", []) if items.get("type") in ("string", "integer") else None


def _payload_field(key: str, label: str, level: str, path: str, leaf: Mapping[str, Any]) -> RuleField | None:
    found = _payload_kind(leaf)
    if found is None:
        return None
    kind, codes = found
    own: Level = "ticket" if level == "campaign" else level  # type: ignore[assignment]
    return RuleField(
        key=f"{key}.{level}.{path}", label=f"{label} {path}", kind=kind, level=own,
        group=f"{label}: {level.replace('_', ' ')} payload", read=_payload_reader(key, level, path, kind),
        path={"ticket": "", "ad_set": "ad_sets[{ad_set}]", "ad": "ad_sets[{ad_set}].ads[{ad}]"}[own],
        help=str(leaf.get("description", "")), **(_listed((code, code) for code in codes) if codes else {}),
    )  # fmt: skip


def _payload_reader(key: str, level: str, path: str, kind: Kind) -> Callable[[Subject], Any]:
    def read(subject: Subject) -> Any:
        if subject.of.snapshot.platform != key:
            return None
        of_level = {"campaign": None, "ad_set": subject.ad_set, "ad": subject.ad}[level]
        held = subject.of.payload.get((level, of_level.intent_id if of_level is not None else ""), {})
        return _as_kind(held.get(path), kind)

    return read


def _as_kind(value: Any, kind: Kind) -> Any:
    """A value of a body as its kind; None where it can't be one."""
    if value is None or isinstance(value, dict):
        return None
    if kind in ("texts", "choices"):
        return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]
    if isinstance(value, list | tuple):
        return None
    if kind == "number":
        return _finite(value)
    return bool(value) if kind == "yes_no" else str(value)


def _finite(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


def is_payload(key: str) -> bool:
    """Whether a field is read from what is compiled, which takes a compilation."""
    return key.partition(".")[0] in platforms()


__all__ = ["Checked", "Subject", "house_fields", "is_payload", "payload_fields", "subjects"]
