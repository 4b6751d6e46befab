"""The trail: who changed what, when, from what to what, and why, over the history of every governed model.

A page is read newest first from each model's own history (its index on the date), as many rows as the page has, and
merged: the cost is that of the page and of the number of models, not that of the history.
"""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import BooleanField, DateTimeField, Model, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.access import reach_of
from governance.governed import GovernedModel, GovernedQuerySet
from governance.history_view import NOTHING, UNTOLD, shown

PAGE_SIZE = 50
_END = datetime.max.replace(tzinfo=UTC)
ACTIONS = {"+": gettext_lazy("Created"), "~": gettext_lazy("Changed"), "-": gettext_lazy("Deleted")}
ACTION_KEYS = {"+": "created", "~": "changed", "-": "deleted"}
#: Values of such fields are never shown, even where a model forgot to leave them out of its history.
SECRET = re.compile(r"pass(word|phrase)|secret|token|credential|totp|recovery", re.IGNORECASE)
MASKED = "•••"
#: What a row is called: the first of these that it has.
_NAMES = ("governed_name", "name", "code", "text", "kind", "username", "number")
#: Rows that belong to people, not to brands and markets: a grant for everything does not reach them.
_PERSONAL = frozenset({"governance.savedview", "governance.apitoken"})
#: Brand and market of models that are bound to them by a table of their own.
_THROUGH = {"governance.adaccount": ("serves__brand_id", "serves__market_id")}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the next one begins behind it."""

    at: datetime
    label: str
    history_id: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the trail is filtered by; None or empty: by nothing. Ids are primary keys."""

    models: tuple[type[Model], ...] = ()
    person_id: int | None = None
    brand_id: int | None = None
    market_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    object_id: int | None = None
    history_id: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One field, before and after, in words."""

    name: str
    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one row. `exists`: the row is there and the person's."""

    record: Any
    before: Any
    model: type[Model]
    changes: list[Change] = field(default_factory=list)
    exists: bool = False

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    @property
    def place(self) -> Place:
        return Place(self.record.history_date, self.label, self.record.history_id)

    @property
    def kind(self) -> str:
        return str(self.model._meta.verbose_name)

    @property
    def name(self) -> str:
        return name_of(self.record)

    @property
    def action(self) -> str:
        return str(ACTIONS[self.record.history_type])

    @property
    def who(self) -> str:
        person = self.record.history_user
        return (person.get_full_name() or person.get_username()) if person else _("The system")

    @property
    def reason(self) -> str:
        return self.record.history_change_reason or ""


def name_of(record: Any) -> str:
    """What people call the row of a historical record."""
    for name in _NAMES:
        value = getattr(record, name, None) if name in _columns(record.__class__) else None
        if value not in (None, ""):
            return f"v{value}" if name == "number" else str(value)
    return f"#{record.id}"


@cache
def _columns(model: Any) -> frozenset[str]:
    return frozenset(each.name for each in model._meta.concrete_fields)


@cache
def governed_models() -> tuple[type[Model], ...]:
    """Every model that keeps a history, by its label."""
    found = [
        each for each in apps.get_models() if issubclass(each, GovernedModel) and hasattr(each, "history")
    ]
    return tuple(sorted(found, key=lambda each: each._meta.label_lower))


def models_for(user: Any) -> tuple[type[Model], ...]:
    """Those whose rows the person may see."""
    return tuple(each for each in governed_models() if user.has_perm(_view_permission(each)))


def _view_permission(model: type[Model]) -> str:
    return f"{model._meta.app_label}.view_{model._meta.model_name}"


def model_by_label(label: str, user: Any) -> type[Model] | None:
    return next((each for each in models_for(user) if each._meta.label_lower == label.lower()), None)


# ---------------------------------------------------------------------------------------- which rows

#: Models whose rows are a person's by a rule that a higher floor knows.
_sights: dict[str, Callable[[Any], QuerySet]] = {}


def register_sight(label: str, rows: Callable[[Any], QuerySet]) -> None:
    """`rows(user)` are the rows of the model that the person may see."""
    _sights[label] = rows


def rows_of(model: Any, user: Any) -> QuerySet:
    own = _sights.get(model._meta.label_lower)
    return own(user) if own else model.objects.visible_to(user)


def _has_own_rule(model: Any) -> bool:
    return type(model.objects.all()).visible_to is not GovernedQuerySet.visible_to


def records(model: Any, user: Any, wanted: Wanted) -> QuerySet:
    """The historical records of one model that are the person's and fit the filters."""
    rows = _within_reach(model, user)
    conditions = {
        "history_user_id": wanted.person_id, "history_date__gte": wanted.since, "history_date__lt": wanted.until,
        "id": wanted.object_id, "history_id": wanted.history_id,
    }  # fmt: skip
    rows = rows.filter(**{name: value for name, value in conditions.items() if value is not None})
    for lookup, value in zip(_lookups(model), (wanted.brand_id, wanted.market_id), strict=True):
        if value is not None:
            rows = _of_one(model, rows, lookup, value)
    return rows


def _lookups(model: type[Model]) -> tuple[str | None, str | None]:
    return _THROUGH.get(model._meta.label_lower) or model.REACH  # type: ignore[attr-defined]


def _of_one(model: Any, rows: QuerySet, lookup: str | None, value: int) -> QuerySet:
    if lookup is None:
        return rows.none()
    if model._meta.label_lower in _THROUGH:
        return rows.filter(id__in=model.objects.filter(**{lookup: value}).values("pk"))
    return rows.filter(**{"id" if lookup == "pk" else lookup: value})


def _within_reach(model: Any, user: Any) -> QuerySet:
    """A model with a rule of its own is asked for its rows; of any other the record itself says whose it was, so that
    what is deleted stays told to those whose it was."""
    rows = model.history.all()
    reach = reach_of(user)
    if model._meta.label_lower in _sights or _has_own_rule(model):
        everything = reach.everything and model._meta.label_lower not in _PERSONAL
        return rows if everything else rows.filter(id__in=rows_of(model, user).values("pk"))
    brand, market = ("id" if each == "pk" else each for each in model.REACH)
    condition = reach.within((brand, market))
    return rows.none() if not reach.everything and not reach.pairs else rows.filter(condition)


# --------------------------------------------------------------------------------------------- pages


def page(
    user: Any, wanted: Wanted, *, size: int = PAGE_SIZE, after: Place | None = None
) -> tuple[list[Entry], bool]:
    """(the newest `size` entries behind `after`, whether there are more)."""
    models = [each for each in models_for(user) if not wanted.models or each in wanted.models]
    keys = list(heapq.merge(*(_keys(each, user, wanted, size + 1, after) for each in models)))[: size + 1]
    return _entries(user, keys[:size]), len(keys) > size


def one(user: Any, model: Any, history_id: int) -> Entry | None:
    """One change with its values; None where it is not the person's."""
    if not user.has_perm(_view_permission(model)):
        return None
    keys = _keys(model, user, Wanted(history_id=history_id), 1, None)
    return _entries(user, keys)[0] if keys else None


def walk(user: Any, wanted: Wanted, most: int) -> Iterator[Entry]:
    """Entry by entry, for a file; at most `most`."""
    after, left = None, most
    while left > 0:
        entries, more = page(user, wanted, size=min(500, left), after=after)
        yield from entries
        if not more:
            return
        after, left = entries[-1].place, left - len(entries)


def _keys(model: type[Model], user: Any, wanted: Wanted, most: int, after: Place | None) -> list[Any]:
    """(how long before the end of time, label, minus id, id), newest first."""
    rows = records(model, user, wanted)
    label = model._meta.label_lower
    if after is not None:
        rows = rows.filter(_behind(after, label))
    found = rows.order_by("-history_date", "-history_id").values_list("history_date", "history_id")[:most]
    return [(_END - at, label, -history_id, history_id) for at, history_id in found]


def _behind(after: Place, label: str) -> Q:
    older = Q(history_date__lt=after.at)
    if label < after.label:
        return older
    same = Q(history_date=after.at)
    return older | (same & Q(history_id__lt=after.history_id) if label == after.label else same)


def _entries(user: Any, keys: Sequence[Any]) -> list[Entry]:
    """The records of the keys with their changes: a fixed number of queries for each model on the page."""
    by_label: dict[str, list[int]] = defaultdict(list)
    for _since, label, _minus, history_id in keys:
        by_label[label].append(history_id)
    found: dict[tuple[str, int], Entry] = {}
    for label, ids in by_label.items():
        found |= {
            (label, each.record.history_id): each for each in _of_model(apps.get_model(label), ids, user)
        }
    names = _Names(user, found.values())
    made = []
    for _since, label, _minus, history_id in keys:
        entry = found[label, history_id]
        entry.changes.extend(changes_of(entry.record, entry.before, names))
        made.append(entry)
    return made


def _of_model(model: Any, ids: Iterable[int], user: Any) -> Iterator[Entry]:
    history = model.history.model
    earlier = history.objects.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
    newest = Subquery(earlier.order_by("-history_id").values("history_id")[:1])
    rows = list(
        history.objects.filter(history_id__in=ids).select_related("history_user").annotate(earlier_id=newest)
    )
    befores = history.objects.in_bulk([each.earlier_id for each in rows if each.earlier_id])
    there = set(
        rows_of(model, user).filter(pk__in={each.id for each in rows}).order_by().values_list("pk", flat=True)
    )
    for row in rows:
        yield Entry(row, befores.get(row.earlier_id), model, exists=row.id in there)


# ------------------------------------------------------------------------------------ before and after


def changed_fields(record: Any, before: Any) -> list[Any]:
    """The fields that a record changed; of a new row those that it was given."""
    return [
        each for each in record.tracked_fields if each.name not in UNTOLD and _differs(record, before, each)
    ]


def _differs(record: Any, before: Any, each: Any) -> bool:
    if record.history_type == "-":
        return False
    if before is None:
        return getattr(record, each.attname) not in (None, "", [], {})
    return getattr(record, each.attname) != getattr(before, each.attname)


def is_secret(each: Any) -> bool:
    """When a secret was made is none."""
    return bool(SECRET.search(each.name)) and not isinstance(each, DateTimeField | BooleanField)


def changes_of(record: Any, before: Any, names: _Names | None = None) -> list[Change]:
    return [
        Change(each.name, str(each.verbose_name), _value(before, each, names), _value(record, each, names))
        for each in changed_fields(record, before)
    ]


def _value(record: Any, each: Any, names: _Names | None) -> str:
    if record is None or getattr(record, each.attname) in (None, ""):
        return NOTHING
    if is_secret(each):
        return MASKED
    if each.is_relation and names is not None:
        return names.of(each.related_model, getattr(record, each.attname))
    return shown(record, each)


class _Names:
    """Names of the rows that changed fields point to: one query for each model; what is not the person's has none."""

    def __init__(self, user: Any, entries: Iterable[Entry]) -> None:
        asked: dict[Any, set[int]] = defaultdict(set)
        for entry in entries:
            for each in changed_fields(entry.record, entry.before):
                if each.is_relation:
                    asked[each.related_model] |= {
                        pk for row in (entry.record, entry.before) if (pk := getattr(row, each.attname, None))
                    }
        self.known = {model: _named(model, pks, user) for model, pks in asked.items()}

    def of(self, model: Any, pk: int) -> str:
        return self.known.get(model, {}).get(pk) or f"#{pk}"


def _named(model: Any, pks: set[int], user: Any) -> dict[int, str]:
    governed = issubclass(model, GovernedModel)
    rows = rows_of(model, user) if governed else model._default_manager.all()
    column = "username" if model is get_user_model() else _name_column(model)
    if column is None:
        return {}
    return dict(rows.filter(pk__in=pks).order_by().values_list("pk", column))


def _name_column(model: Any) -> str | None:
    return next((each for each in ("code", *_NAMES) if each in _columns(model)), None)
