"""Which fields built rules may ask about. A small registry: each floor registers its own in `AppConfig.ready()`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

Kind = Literal["text", "texts", "choice", "choices", "number", "money", "date", "yes_no"]
#: What a rule looks at one by one: the ticket as a whole, each of its ad sets, or each of its ads.
Level = Literal["ticket", "ad_set", "ad"]
LEVELS: tuple[Level, ...] = ("ticket", "ad_set", "ad")


class Undecided(LookupError):
    """The value can't be told: no exchange rate, or a field that there is no more."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its worth in USD; `usd_rate` is None where no rate is known."""

    amount: Decimal
    currency: str
    usd_rate: Decimal | None

    def in_unit(self, unit: str) -> Decimal:
        """`unit` is "USD" or "ACCOUNT"."""
        if unit == "ACCOUNT":
            return self.amount
        if self.usd_rate is None:
            raise Undecided(f"no rate from {self.currency} to USD")
        return self.amount * self.usd_rate


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str


def _none_offered(_text: str, _user: Any) -> list[Option]:
    return []


def _as_given(value: str) -> str | None:
    return value


@dataclass(frozen=True, slots=True)
class RuleField:
    """One field. `read(subject)` answers a value of its kind (None where it is empty).

    `offer(text, user)` are choices that fit a search text, the person's own; `known(value)` turns what was written (a
    code) into the stored value, None where there is no such choice; `label(value)` are its words.
    `path` says where its finding belongs: "{ad_set}" and "{ad}" are the subject's positions.
    """

    key: str
    label: Any
    kind: Kind
    group: Any
    read: Callable[[Any], Any]
    level: Level = "ticket"
    path: str = ""
    help: Any = ""
    offer: Callable[[str, Any], Iterable[Option]] = _none_offered
    known: Callable[[str], str | None] = _as_given
    name_of: Callable[[str], str] = str


_fields: dict[str, RuleField] = {}


def register(fields: Iterable[RuleField]) -> None:
    for field in fields:
        _fields[field.key] = field


def fields() -> dict[str, RuleField]:
    return _fields


def field(key: str) -> RuleField:
    """Undecided for a field that there is no more."""
    try:
        return _fields[key]
    except KeyError:
        raise Undecided(f"there is no field {key}") from None
