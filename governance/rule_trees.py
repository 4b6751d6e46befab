"""Built rules as data: the tree of conditions, its check, its evaluation and its sentence.

A group is {"match": "all" | "any" | "none", "of": [node, …]}; a condition is {"field", "op", "value"}. There are no
regular expressions: wildcards are matched in a time that grows with text × pattern and no faster.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from governance import rule_fields
from governance.rule_fields import LEVELS, Level, Money, RuleField, Undecided

MATCHES = {"all": _("all of"), "any": _("any of"), "none": _("none of")}
DEEPEST, MOST_CONDITIONS, MOST_VALUES, LONGEST_TEXT = 5, 100, 200, 200
CURRENCIES = {"USD": _("US dollars"), "ACCOUNT": _("the account's currency")}

#: Operator -> its words in a sentence.
WORDS: dict[str, Any] = {
    "in": _("is"), "not_in": _("is not"), "has_any": _("has any of"), "has_all": _("has all of"), "has_none": _("has none of"),
    "is": _("is exactly"), "is_not": _("is not exactly"), "contains": _("contains"), "not_contains": _("does not contain"),
    "starts": _("starts with"), "ends": _("ends with"), "like": _("looks like (* and ? stand for anything)"),
    "eq": _("equals"), "ne": _("is other than"), "gt": _("is more than"), "gte": _("is at least"), "lt": _("is less than"),
    "lte": _("is at most"), "between": _("is between"), "on": _("is on"), "before": _("is before"), "after": _("is after"),
    "yes": _("is switched on"), "no": _("is not switched on"), "empty": _("is empty"), "filled": _("is not empty"),
}  # fmt: skip
_EMPTY = ("empty", "filled")
_TEXT = ("contains", "not_contains", "is", "is_not", "starts", "ends", "like", *_EMPTY)
OPERATORS: dict[str, tuple[str, ...]] = {
    "choice": ("in", "not_in", *_EMPTY), "choices": ("has_any", "has_all", "has_none", *_EMPTY),
    "text": _TEXT, "texts": _TEXT, "number": ("eq", "ne", "gt", "gte", "lt", "lte", "between", *_EMPTY),
    "money": ("gt", "gte", "lt", "lte", "eq", "ne", "between", *_EMPTY),
    "date": ("on", "before", "after", "between", *_EMPTY), "yes_no": ("yes", "no"),
}  # fmt: skip
#: They ask for no value.
BARE = frozenset({"empty", "filled", "yes", "no"})
#: The opposite of another one.
_OPPOSITE = {
    "not_in": "in", "has_none": "has_any", "is_not": "is", "not_contains": "contains", "ne": "eq", "filled": "empty",
    "no": "yes",
}  # fmt: skip


def empty_tree() -> dict[str, Any]:
    return {"match": "all", "of": []}


def digest(content: Mapping[str, Any]) -> str:
    """sha-256 (hex) of a definition."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


# -------------------------------------------------------------------------------------------- check


class Wrong(Exception):
    """What is wrong with one node, in words."""


def checked(tree: Any) -> dict[str, Any]:
    """The tree with its values in their stored form. Raises ValidationError({"conditions": [...]}) with all that is
    wrong, each with the place in `params["at"]` ("of[0].of[2]")."""
    found: list[ValidationError] = []
    made = _checked_node(tree, "", 1, found)
    if not found and (made is None or "match" not in made):
        found.append(_error("", gettext('Begin with a group: {"match": "all", "of": [...]}.')))
    if not found and len(conditions_of(made)) > MOST_CONDITIONS:
        found.append(
            _error(
                "", gettext("A rule holds at most %(most)s conditions: make two.") % {"most": MOST_CONDITIONS}
            )
        )
    if found:
        raise ValidationError({"conditions": found})
    return made  # type: ignore[return-value]


def _error(at: str, text: str) -> ValidationError:
    return ValidationError(text.replace("%", "%%"), code="rule_condition", params={"at": at})


def _checked_node(node: Any, at: str, depth: int, found: list[ValidationError]) -> dict[str, Any] | None:
    if len(found) > MOST_CONDITIONS:
        return None
    try:
        if isinstance(node, dict) and set(node) == {"match", "of"}:
            return _checked_group(node, at, depth, found)
        if isinstance(node, dict) and {"field", "op"} <= set(node) <= {"field", "op", "value"}:
            return _checked_condition(node)
        raise Wrong(gettext('Neither a group ("match", "of") nor a condition ("field", "op", "value").'))
    except Wrong as wrong:
        found.append(_error(at, str(wrong)))
    return None


def _checked_group(node: dict[str, Any], at: str, depth: int, found: list[ValidationError]) -> dict[str, Any]:
    if not isinstance(node["match"], str) or node["match"] not in MATCHES:
        raise Wrong(gettext("Choose all, any or none."))
    if depth > DEEPEST:
        raise Wrong(gettext("Groups go %(most)s deep at most: make two rules.") % {"most": DEEPEST})
    if not isinstance(node["of"], list) or not node["of"]:
        raise Wrong(gettext("This group is empty: add a condition, or take the group away."))
    if len(node["of"]) > MOST_CONDITIONS:
        raise Wrong(
            gettext("A rule holds at most %(most)s conditions: make two.") % {"most": MOST_CONDITIONS}
        )
    dot = f"{at}." if at else ""
    made = [
        _checked_node(each, f"{dot}of[{number}]", depth + 1, found) for number, each in enumerate(node["of"])
    ]
    return {"match": node["match"], "of": made}


def _checked_condition(node: dict[str, Any]) -> dict[str, Any]:
    known = rule_fields.fields().get(node["field"]) if isinstance(node["field"], str) else None
    if known is None:
        raise Wrong(gettext("Choose a field: “%(field)s” is none.") % {"field": str(node["field"])[:60]})
    if node["op"] not in OPERATORS[known.kind]:
        words = ", ".join(str(WORDS[each]) for each in OPERATORS[known.kind])
        raise Wrong(
            gettext("%(field)s can't be asked so. Choose one of: %(words)s.")
            % {"field": known.label, "words": words}
        )
    made = {"field": known.key, "op": node["op"]}
    if node["op"] in BARE:
        return made
    return {**made, "value": _READERS[known.kind](known, node["op"], node.get("value"))}


def _codes(known: RuleField, _op: str, value: Any) -> list[str]:
    given = value if isinstance(value, list) else [value]
    if (
        not given
        or len(given) > MOST_VALUES
        or any(not isinstance(each, str) or not each.strip() for each in given)
    ):
        raise Wrong(
            gettext("%(field)s: choose from 1 to %(most)s values.")
            % {"field": known.label, "most": MOST_VALUES}
        )
    stored = []
    for each in given:
        if len(each) > LONGEST_TEXT or not each.isprintable() or (code := known.known(each.strip())) is None:
            raise Wrong(
                gettext("%(field)s has no “%(value)s”: choose from the list.")
                % {"field": known.label, "value": each[:60]}
            )
        stored.append(code)
    return list(dict.fromkeys(stored))


def _text(known: RuleField, _op: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT or "\x00" in value:
        raise Wrong(
            gettext("%(field)s: write a text of up to %(most)s characters.")
            % {"field": known.label, "most": LONGEST_TEXT}
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Wrong(
            gettext("%(field)s: that text holds half a character.") % {"field": known.label}
        ) from None
    return value.strip()


def _amount(known: RuleField, value: Any) -> str:
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    digits = number.as_tuple()
    exponent = digits.exponent if isinstance(digits.exponent, int) else 99
    if not number.is_finite() or len(text) > 24 or not -6 <= exponent <= 15 or len(digits.digits) > 18:
        raise Wrong(
            gettext("%(field)s: write a number with a point before the decimals, such as 1000.50.")
            % {"field": known.label}
        )
    return format(number, "f")


def _number(known: RuleField, op: str, value: Any) -> Any:
    if op != "between":
        return _amount(known, value)
    return _pair(known, value, _amount, Decimal)


def _pair(
    known: RuleField, value: Any, read: Callable[[RuleField, Any], str], sort: Callable[[str], Any]
) -> list[str]:
    if not isinstance(value, list) or len(value) != 2:
        raise Wrong(gettext("%(field)s: write the lower and the higher end.") % {"field": known.label})
    low, high = (read(known, each) for each in value)
    if sort(low) > sort(high):
        raise Wrong(gettext("%(field)s: the first value is the lower one.") % {"field": known.label})
    return [low, high]


def _money(known: RuleField, op: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != {"amount", "currency"}:
        raise Wrong(gettext("%(field)s: write an amount and choose its currency.") % {"field": known.label})
    if not isinstance(value["currency"], str) or value["currency"] not in CURRENCIES:
        raise Wrong(
            gettext("%(field)s: choose US dollars (USD) or the account's currency (ACCOUNT).")
            % {"field": known.label}
        )
    return {"amount": _number(known, op, value["amount"]), "currency": value["currency"]}


def _day(known: RuleField, value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise Wrong(gettext("%(field)s: write a day as 2027-03-31.") % {"field": known.label}) from None


def _dates(known: RuleField, op: str, value: Any) -> Any:
    return _pair(known, value, _day, str) if op == "between" else _day(known, value)


_READERS: dict[str, Callable[[RuleField, str, Any], Any]] = {
    "choice": _codes, "choices": _codes, "text": _text, "texts": _text, "number": _number, "money": _money, "date": _dates,
}  # fmt: skip


# --------------------------------------------------------------------------------------- evaluation


def conditions_of(node: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    if node is None:
        return []
    if "of" not in node:
        return [dict(node)]
    return [each for one in node["of"] for each in conditions_of(one)]


def level_of(tree: Mapping[str, Any]) -> Level:
    """What the rule looks at one by one: the finest level of its fields."""
    levels = {rule_fields.field(each["field"]).level for each in conditions_of(tree)}
    return max(levels, key=LEVELS.index, default="ticket")


def holds(node: Mapping[str, Any], read: Callable[[str], Any]) -> bool:
    """Whether a checked tree is true of one subject; `read(field key)` answers its values. Undecided comes through."""
    if "of" not in node:
        return condition_holds(
            rule_fields.field(node["field"]).kind, node["op"], node.get("value"), read(node["field"])
        )
    each = (holds(one, read) for one in node["of"])
    if node["match"] == "all":
        return all(each)
    return any(each) if node["match"] == "any" else not any(each)


def evidence(node: Mapping[str, Any], read: Callable[[str], Any]) -> list[tuple[str, Any]]:
    """Of a tree that holds: the conditions that made it so, as (field key, value)."""
    if "of" not in node:
        return [(node["field"], read(node["field"]))]
    if node["match"] == "none":
        return [(each["field"], read(each["field"])) for each in conditions_of(node)]
    return [pair for one in node["of"] if holds(one, read) for pair in evidence(one, read)]


def condition_holds(kind: str, op: str, wanted: Any, value: Any) -> bool:
    """One condition. An empty value fits no condition but "is empty" and the opposites ("is not", "has none of")."""
    if op in _OPPOSITE:
        return not condition_holds(kind, _OPPOSITE[op], wanted, value)
    if op == "empty":
        return value is None or value == "" or (isinstance(value, list | tuple) and not any(value))
    if value is None:
        return False
    return bool(_COMPARE[kind](op, wanted, value))


def _in_choice(_op: str, wanted: list[str], value: Any) -> bool:
    return str(value) in wanted


def _in_choices(op: str, wanted: list[str], value: Any) -> bool:
    have = {str(each) for each in value}
    return have.issuperset(wanted) if op == "has_all" else not have.isdisjoint(wanted)


def _in_texts(op: str, wanted: str, value: Any) -> bool:
    texts = value if isinstance(value, list | tuple) else [value]
    return any(_TEXT_TESTS[op](folded(str(each)), folded(wanted)) for each in texts)


def folded(text: str) -> str:
    """Compared without case and in one Unicode form."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def like(text: str, pattern: str) -> bool:
    """`*` stands for any characters, `?` for one. The usual two-pointer walk: at most len(text) × len(pattern) steps."""
    at, where, star, mark = 0, 0, -1, 0
    while at < len(text):
        if where < len(pattern) and pattern[where] == "*":
            star, mark, where = where, at, where + 1
        elif where < len(pattern) and pattern[where] in ("?", text[at]):
            at, where = at + 1, where + 1
        elif star >= 0:
            mark, at, where = mark + 1, mark + 1, star + 1
        else:
            return False
    return not pattern[where:].strip("*")


_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, wanted: wanted in text, "is": lambda text, wanted: text == wanted,
    "starts": lambda text, wanted: text.startswith(wanted), "ends": lambda text, wanted: text.endswith(wanted), "like": like,
}  # fmt: skip
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: value == wanted, "gt": lambda value, wanted: value > wanted,
    "gte": lambda value, wanted: value >= wanted, "lt": lambda value, wanted: value < wanted,
    "lte": lambda value, wanted: value <= wanted, "on": lambda value, wanted: value == wanted,
    "before": lambda value, wanted: value < wanted, "after": lambda value, wanted: value > wanted,
    "between": lambda value, wanted: wanted[0] <= value <= wanted[1],
}  # fmt: skip


def _by_number(op: str, wanted: Any, value: Any) -> bool:
    ends = [Decimal(each) for each in wanted] if op == "between" else Decimal(wanted)
    return _ORDER[op](Decimal(value), ends)


def _by_money(op: str, wanted: Any, value: Money) -> bool:
    return _by_number(op, wanted["amount"], value.in_unit(wanted["currency"]))


def _by_date(op: str, wanted: Any, value: date) -> bool:
    return _ORDER[op](value.isoformat(), wanted)


def _by_switch(_op: str, _wanted: Any, value: Any) -> bool:
    return bool(value)


_COMPARE: dict[str, Callable[[str, Any, Any], bool]] = {
    "choice": _in_choice, "choices": _in_choices, "text": _in_texts, "texts": _in_texts, "number": _by_number,
    "money": _by_money, "date": _by_date, "yes_no": _by_switch,
}  # fmt: skip


# ----------------------------------------------------------------------------------------- sentence

_JOINTS = {"all": _("AND"), "any": _("OR"), "none": _("NOR")}


def sentence(tree: Mapping[str, Any]) -> str:
    """The conditions as people read them: "platform is Meta AND (budget is more than 500 USD OR …)"."""
    return _said(tree, outermost=True)


def _said(node: Mapping[str, Any], *, outermost: bool) -> str:
    if "of" not in node:
        return said_condition(node)
    inside = f" {_JOINTS[node['match']]} ".join(_said(each, outermost=False) for each in node["of"])
    if node["match"] == "none":
        return gettext("NOT (%(inside)s)") % {
            "inside": inside.replace(f" {_JOINTS['none']} ", f" {_JOINTS['any']} ")
        }
    return inside if outermost or len(node["of"]) == 1 else f"({inside})"


def said_condition(node: Mapping[str, Any]) -> str:
    try:
        known = rule_fields.field(node["field"])
    except Undecided:
        return gettext("%(field)s (no longer a field)") % {"field": node["field"]}
    words = str(WORDS[node["op"]]) if node["op"] != "like" else gettext("looks like")
    return " ".join(part for part in (str(known.label), words, said_value(known, node.get("value"))) if part)


def said_value(known: RuleField, value: Any) -> str:
    if value is None:
        return ""
    if known.kind in ("choice", "choices"):
        return gettext(" or ").join(known.name_of(each) for each in value)
    if known.kind == "money":
        unit = "USD" if value["currency"] == "USD" else gettext("in the account's currency")
        return f"{_range(value['amount'])} {unit}"
    return f"“{value}”" if known.kind in ("text", "texts") else _range(value)


def _range(value: Any) -> str:
    return (
        gettext("%(low)s and %(high)s") % {"low": value[0], "high": value[1]}
        if isinstance(value, list)
        else str(value)
    )
