"""A small, strict GAQL: SELECT fields FROM resource [WHERE field op value [AND …]] [LIMIT n].

Of the Google Ads Query Language this plays what look-ups need.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: Resource -> resources above it whose fields may stand in WHERE and SELECT.
RESOURCES: dict[str, tuple[str, ...]] = {
    "campaign": ("campaign_budget",),
    "campaign_budget": (),
    "asset": (),
    "you_tube_video_upload": (),
    "asset_group": ("campaign",),
    "asset_group_asset": ("asset_group", "campaign", "asset"),
    "asset_group_signal": ("asset_group", "campaign"),
    "ad_group": ("campaign",),
    "ad_group_ad": ("ad_group", "campaign"),
    "campaign_criterion": ("campaign",),
    "ad_group_criterion": ("ad_group", "campaign"),
}

#: Resources of the account itself.
ACCOUNT_RESOURCES = ("customer", "billing_setup", "conversion_action")
RESOURCES |= dict.fromkeys(ACCOUNT_RESOURCES, ())

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")|(?P<word>[A-Za-z_][\w.]*)|(?P<number>-?\d+)"
    r"|(?P<sign>!=|=|,|\(|\)|<=|>=|<|>))"
)


class QueryError(Exception):
    """`code` is a QueryError of the API."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Condition:
    field: str
    operator: str  # = | != | IN | NOT IN
    values: tuple[str, ...]

    def holds(self, value: Any) -> bool:
        if isinstance(value, bool):
            value = str(value).upper()
        among = str(value) in self.values
        return among if self.operator in ("=", "IN") else not among


@dataclass(frozen=True, slots=True)
class Query:
    fields: tuple[str, ...]
    resource: str
    conditions: tuple[Condition, ...]
    limit: int | None


def parse(text: str, known: Callable[[str], bool]) -> Query:
    """The query, or `QueryError`. `known` tells whether a dotted field exists."""
    tokens = _Tokens(text)
    tokens.expect("SELECT", "EXPECTED_SELECT")
    fields = [tokens.field()]
    while tokens.take(","):
        fields.append(tokens.field())
    tokens.expect("FROM", "EXPECTED_FROM")
    resource = tokens.next("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE")[1]
    if resource not in RESOURCES:
        raise QueryError("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", f"{resource!r} is no resource")
    conditions = []
    if tokens.take("WHERE"):
        conditions.append(_condition(tokens))
        while tokens.take("AND"):
            conditions.append(_condition(tokens))
    limit = int(tokens.next("BAD_LIMIT_VALUE")[1]) if tokens.take("LIMIT") else None
    if tokens.left:
        raise QueryError("UNEXPECTED_INPUT", f"unexpected {tokens.left[0][1]!r}")
    query = Query(tuple(fields), resource, tuple(conditions), limit)
    _check_fields(query, known)
    return query


def _check_fields(query: Query, known: Callable[[str], bool]) -> None:
    near = {query.resource, *RESOURCES[query.resource]}
    for field in (*query.fields, *(condition.field for condition in query.conditions)):
        if not known(field):
            raise QueryError("UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{field}'.")
        if field.split(".")[0] not in near:
            raise QueryError(
                "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE", f"{field} does not go with {query.resource}"
            )


def _condition(tokens: _Tokens) -> Condition:
    field = tokens.field()
    operator = tokens.next("BAD_OPERATOR")[1]
    operator = operator.upper()
    if operator == "NOT":
        tokens.expect("IN", "BAD_OPERATOR")
        operator = "NOT IN"
    if operator in ("=", "!="):
        return Condition(field, operator, (tokens.value(),))
    if operator not in ("IN", "NOT IN"):
        raise QueryError("BAD_OPERATOR", f"{operator!r} is no operator here")
    tokens.expect("(", "EXPECTED_LIST")
    values = [tokens.value()]
    while tokens.take(","):
        values.append(tokens.value())
    tokens.expect(")", "EXPECTED_LIST")
    return Condition(field, operator, tuple(values))


class _Tokens:
    def __init__(self, text: str) -> None:
        self.left: list[tuple[str, str]] = []
        place = 0
        text = text.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                unended = text[place:].lstrip()[:1] in ("'", '"')
                raise QueryError(
                    "STRING_NOT_TERMINATED" if unended else "BAD_SYMBOL", f"at {text[place : place + 20]!r}"
                )
            kind = str(match.lastgroup)
            self.left.append((kind, match[kind]))
            place = match.end()

    def next(self, code: str) -> tuple[str, str]:
        if not self.left:
            raise QueryError(
                "UNEXPECTED_END_OF_QUERY" if code != "EXPECTED_FROM" else code, "the query ends too early"
            )
        return self.left.pop(0)

    def take(self, word: str) -> bool:
        if self.left and self.left[0][0] != "string" and self.left[0][1].upper() == word:
            self.left.pop(0)
            return True
        return False

    def expect(self, word: str, code: str) -> None:
        if not self.take(word):
            raise QueryError(code, f"expected {word}")

    def field(self) -> str:
        kind, word = self.next("BAD_FIELD_NAME")
        if kind != "word" or "." not in word:
            raise QueryError("BAD_FIELD_NAME", f"{word!r} is no field")
        return word

    def value(self) -> str:
        kind, word = self.next("EXPECTED_SINGLE_VALUE")
        if kind == "string":
            return re.sub(r"\\(.)", r"\1", word[1:-1])
        if kind == "sign":
            raise QueryError("BAD_VALUE", f"{word!r} is no value")
        return word


def camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def value_at(row: Mapping[str, Any], field: str) -> Any:
    """A dotted GAQL field out of `{"campaign": {…}, "adGroup": {…}}`."""
    here: Any = row
    for part in field.split("."):
        here = here.get(camel(part)) if isinstance(here, Mapping) else None
    return here


def project(row: Mapping[str, Any], query: Query) -> dict[str, Any]:
    """The selected fields only; the resource name of the resource always comes along."""
    out: dict[str, Any] = {}
    for field in (f"{query.resource}.resource_name", *query.fields):
        value = value_at(row, field)
        if value is None:
            continue
        *parents, leaf = map(camel, field.split("."))
        here = out
        for part in parents:
            here = here.setdefault(part, {})
        here[leaf] = value
    return out
