"""What a wrong cell most likely means: proposed where there is one answer, and only then. Pure.

Also where in its file a finding belongs: which part, row and column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from governance import money
from governance.findings import Finding

#: difflib's ratio: "TRAFIC" is TRAFFIC (0.92), "AWARE" is not AWARENESS (0.71).
ALIKE = 0.75
#: How much nearer the best answer must be than the next one.
CLEARLY = 0.08


@dataclass(frozen=True, slots=True)
class Spot:
    """`row` 0: the file as a whole; `at` -1: the row as a whole."""

    part: str
    row: int
    at: int


def part_of(finding: Finding) -> str:
    said = finding.params.get("sheet") == "creatives" or finding.field.startswith("creatives")
    return "creatives" if said else "file"


def spot_of(finding: Finding, names: Mapping[str, Sequence[str]]) -> Spot:
    """`names`: part → our name of each of its columns, by position."""
    part = part_of(finding)
    row, column = int(finding.params.get("row") or 0), str(finding.params.get("column") or "")
    own = list(names.get(part, ()))
    return Spot(part, row, own.index(column) if column and column in own else -1)


def mended(finding: Finding, text: str, known: Sequence[str]) -> str:
    """What the cell should say, or "" where that is not clear. `known` are the codes and names that there are."""
    params = finding.params
    if finding.code == "money.separators" or finding.code == "cell.date_order":
        return str(params.get("reading", ""))
    if finding.code == "money.too_precise":
        return str(params.get("rounded", ""))
    if finding.code == "money.currency_unknown":
        code = text.strip().upper()
        return code if code in money.currencies() else ""
    if finding.code == "creatives.unknown_line":
        return str(params.get("suggestion", "")).strip().removeprefix("Perhaps ").removesuffix(".")
    if finding.code == "import.unknown_account":
        return ""  # whose money it is, is not guessed
    choices = params.get("known")
    if isinstance(choices, list | tuple) and params.get("text"):
        return _nearest(str(params["text"]), [str(each) for each in choices])
    if finding.code in (
        "import.unknown_brand",
        "import.unknown_market",
        "import.unknown_vendor",
        "campaigns.unknown",
    ):
        return _nearest(str(params.get("text", "")), known)
    return ""


def _nearest(text: str, known: Sequence[str]) -> str:
    """The one that is alike, if no other is nearly as alike."""
    by_key = {each.casefold(): each for each in known}
    key = (
        text.strip().casefold().replace(" ", "_")
        if text.strip().casefold() not in by_key
        else text.casefold()
    )
    close = get_close_matches(key, list(by_key), n=2, cutoff=ALIKE)
    if not close:
        return ""
    if len(close) > 1 and _likeness(key, close[0]) - _likeness(key, close[1]) < CLEARLY:
        return ""
    return by_key[close[0]]


def _likeness(one: str, other: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, other, one).ratio()


def agreed(answers: Sequence[str]) -> str:
    """The one answer to all that is wrong with a cell; "" where one of them has none."""
    return answers[0] if answers and len(set(answers)) == 1 else ""
