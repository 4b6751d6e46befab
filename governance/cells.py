"""Cells as values: dates, amounts, numbers, choices and lists, each read in one way only. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from governance import money
from governance.findings import Finding, Message
from governance.findings import gettext_noop as _
from governance.tables import Place, Row, number_text

#: Between several values in one cell.
LIST_SEPARATOR = " | "

MESSAGES = {
    "cell.required": Message(_("'{what}' is empty."), _("Fill it in: {help}")),
    "cell.date": Message(_("'{text}' is not a date."), _("Write it as 2026-03-04 (year, month, day).")),
    "cell.date_far": Message(_("'{text}' is not a day that is planned now."), _("Check the year.")),
    "cell.date_two_ways": Message(
        _("'{text}' can be {first} or {second}."), _("Write the one that is meant: year, month, day.")
    ),
    "cell.date_order": Message(_("'{text}' is not written as year, month, day."), _("Write {reading} if that is what you mean.")),
    "cell.date_time": Message(_("'{text}' has a time of day."), _("Write the day alone, as 2026-03-04.")),
    "cell.integer": Message(_("'{text}' is not a whole number."), _("Write it as digits: 18.")),
    "cell.choice": Message(_("'{text}' is not one of: {known}."), _("Use one of them{suggestion}.")),
    "cell.too_long": Message(_("The text has {length} characters; {limit} is the most."), _("Shorten it.")),
    "cell.pair": Message(_("'{text}' is not kind:id."), _("Write it like {example}.")),
    "cell.type": Message(_("Here stands {found}, where {wanted} is expected."), _("Correct the value.")),
    "cell.json": Message(_("'{text}' is not a JSON object: {problem}."), _('Write it like {{"demand_gen_accepted": true}}.')),
}  # fmt: skip

#: Days outside these years are slips of the pen.
FIRST_YEAR, LAST_YEAR = 1990, 2100

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_OTHER_ORDER = re.compile(r"(\d{1,4})[./\- ](\d{1,2})[./\- ](\d{1,4})\Z", re.ASCII)


def read_date(value: Any, place: Place, column: str) -> tuple[date | None, list[Finding]]:
    """ISO text or a spreadsheet's own date; anything else is refused with its readings."""
    day, found = _read_day(value, place, column)
    if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None, [place.block("cell.date_far", column, text=day.isoformat())]
    return day, found


def _read_day(value: Any, place: Place, column: str) -> tuple[date | None, list[Finding]]:
    if isinstance(value, datetime):
        if value.time() != datetime.min.time():
            return None, [place.block("cell.date_time", column, text=value.isoformat(" "))]
        return value.date(), []
    if isinstance(value, date):
        return value, []
    text = str(value).strip()
    if _ISO.match(text):
        try:
            return date.fromisoformat(text), []
        except ValueError:
            return None, [place.block("cell.date", column, text=text)]
    return None, [_date_problem(text, place, column)]


def _date_problem(text: str, place: Place, column: str) -> Finding:
    readings = _readings(text)
    if len(readings) > 1:
        return place.block("cell.date_two_ways", column, text=text, first=readings[0], second=readings[1])
    if readings:
        return place.block("cell.date_order", column, text=text, reading=readings[0])
    return place.block("cell.date", column, text=text)


def _readings(text: str) -> list[str]:
    """The days that a text like 03/04/2026 can mean: day first, month first, year first."""
    found = _OTHER_ORDER.match(text)
    if found is None:
        return []
    a, b, c = (int(each) for each in found.groups())
    orders = (
        [(a, b, c)]
        if len(found.group(1)) == 4
        else [(c, b, a), (c, a, b)]
        if len(found.group(3)) == 4
        else []
    )
    days = []
    for year, month, day in orders:
        try:
            days.append(date(year, month, day).isoformat())
        except ValueError:
            continue
    return list(dict.fromkeys(days))


def read_amount(value: Any, place: Place, column: str) -> tuple[Decimal | None, list[Finding]]:
    amount, findings = money.read_amount(_amount_text(value), field=column)
    return amount, [place.moved(finding, column) for finding in findings]


def _amount_text(value: Any) -> str:
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < 40:
        return format(value, "f")
    return str(value)


def read_rate(value: Any, place: Place, column: str) -> tuple[Decimal | None, list[Finding]]:
    """An exchange rate: as an amount, but with up to ten decimals."""
    text = _amount_text(value).strip()
    if re.fullmatch(r"\d{1,8}(\.\d{1,10})?", text, re.ASCII) and Decimal(text) > 0:
        return Decimal(text), []
    amount, findings = read_amount(value, place, column)
    return amount, findings


def read_integer(value: Any, place: Place, column: str) -> tuple[int | None, list[Finding]]:
    if isinstance(value, bool):
        return None, [place.block("cell.integer", column, text=str(value))]
    text = _amount_text(value).strip()
    if re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
        return int(text), []
    return None, [place.block("cell.integer", column, text=text)]


def read_choice(value: Any, known: Collection[str], place: Place, column: str) -> tuple[str, list[Finding]]:
    """A code of a fixed list; case, spaces and hyphens don't matter ("Learn more" is LEARN_MORE)."""
    text = str(value).strip()
    code = re.sub(r"[\s\-]+", "_", text).upper()
    if code in known:
        return code, []
    from difflib import get_close_matches

    near = get_close_matches(code, list(known), n=1)
    suggestion = f", perhaps {near[0]}" if near else ""
    return "", [place.block("cell.choice", column, text=text, known=list(known), suggestion=suggestion)]


def read_yes_no(value: Any, place: Place, column: str) -> tuple[bool | None, list[Finding]]:
    text = ("yes" if value else "no") if isinstance(value, bool) else str(value).strip().casefold()
    answers = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if text in answers:
        return answers[text], []
    return None, [place.block("cell.choice", column, text=str(value), known=["yes", "no"], suggestion="")]


def split_list(text: str) -> list[str]:
    """ "One | two" -> ["One", "two"]; a | without spaces around it is part of the text."""
    return [part.strip() for part in re.split(r"\s+\|\s+", text.strip()) if part.strip()]


def join_list(values: Collection[str]) -> str:
    return LIST_SEPARATOR.join(values)


def split_codes(text: str) -> list[str]:
    """Codes separated by | ; , or spaces: "US; DE"."""
    return [part for part in re.split(r"[|;,\s]+", text.strip()) if part]


def required_text(row: Row, column: str, help: str, limit: int) -> tuple[str, list[Finding]]:
    text = row.text(column)
    if not text:
        return "", [row.place.block("cell.required", column, what=column, help=help)]
    return text, too_long(text, limit, row.place, column)


def too_long(text: str, limit: int, place: Place, column: str) -> list[Finding]:
    if len(text) <= limit:
        return []
    return [place.block("cell.too_long", column, length=len(text), limit=limit)]
