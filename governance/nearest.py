"""The nearest legal name to one that somebody made up. Pure; no ORM.

Codes are recognised by their own letters, by what people call them, and by small slips of the pen; what is left over
becomes the free part. What can't be recognised is left out and said: nothing is invented.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

from governance import naming

#: The free part that each level adds; the others of its pattern are codes or come from above.
OWN_PART = {"campaign": "name", "ad_set": "ad_set", "ad": "ad"}
#: difflib's ratio: "Disnay" is Disney (0.83), "Display" is not (0.62).
ALIKE = 0.82
#: Shorter words are too easily alike.
SHORTEST_ALIKE = 5
#: What people call a thing has at most so many words.
LONGEST_PHRASE = 4
#: Codes so short are words of many languages, too ("de", "in"): they count in capitals, or where they belong.
SHORT_CODE = 3
_YEAR = re.compile(r"20[1-4][0-9]")
_MONTHS = {
    name.casefold(): f"{number:02d}"
    for names in (calendar.month_name, calendar.month_abbr)
    for number, name in enumerate(names)
    if name
} | {f"{number:02d}": f"{number:02d}" for number in range(1, 13)}


@dataclass(frozen=True)
class Vocabulary:
    """What the coded parts of names may be, with all the ways in which people write them:
    `{"brand": {"DIS": ("DIS", "Disney")}, "market": {…}, "channel": {…}}`."""

    words: Mapping[str, Mapping[str, tuple[str, ...]]]

    @cached_property
    def _codes(self) -> dict[str, dict[str, str]]:
        return {
            part: {_key(way): code for code, ways in codes.items() for way in (code, *ways) if _key(way)}
            for part, codes in self.words.items()
        }

    def codes(self, part: str) -> Mapping[str, str]:
        """How it is written, in one form -> the code."""
        return self._codes.get(part, {})

    def knows(self, part: str, code: str) -> bool:
        if part == "year":
            return bool(_YEAR.fullmatch(code))
        if part == "month":
            return code in _MONTHS.values()
        return part not in self.words or code in self.words[part]


@dataclass(frozen=True, slots=True)
class Proposal:
    """`name` is legal, or "" where parts are `missing`; `parts` are those that are known."""

    name: str
    parts: Mapping[str, str]
    missing: tuple[str, ...] = ()


def unknown_parts(parts: Mapping[str, str], vocabulary: Vocabulary) -> list[str]:
    """The coded parts of a name that the vocabulary does not have."""
    return [part for part, code in parts.items() if not vocabulary.knows(part, code)]


def nearest(
    convention: naming.Convention, level: str, text: str, vocabulary: Vocabulary, *,
    known: Mapping[str, str] | None = None, fallback: Mapping[str, str] | None = None, taken: Collection[str] = (),
) -> Proposal:  # fmt: skip
    """The legal name of this level that says what `text` says.

    `known` parts are certain (those of the campaign above), `fallback` ones are used where the text says nothing
    (the account serves one brand only). `taken` are the keys (`naming.name_key`) of names that it must not have.
    """
    reading = _Reading(_words(text), convention.separator, text)
    certain = {part: code for part, code in (known or {}).items() if part in convention.parts(level)}
    for part, code in certain.items():
        reading.cross_out(_ways(vocabulary, part, code))
    own = OWN_PART[level]
    parts = dict(certain)
    for part in convention.parts(level):
        if part in parts or part in naming.FREE_PARTS:
            continue
        code = reading.code_of(part, convention.parts(level).index(part), vocabulary)
        code = code or (fallback or {}).get(part, "")
        if code:
            parts[part] = code
    if own in convention.parts(level) and own not in parts:
        parts[own] = _free(convention, own, reading.rest())
    return _proposed(convention, level, own, parts, taken)


def _ways(vocabulary: Vocabulary, part: str, code: str) -> list[str]:
    return [_key(way) for way in (code, *vocabulary.words.get(part, {}).get(code, ()))]


def _free(convention: naming.Convention, part: str, words: Sequence[str]) -> str:
    made, findings = naming.name_part(convention, " ".join(words), part=part)
    return made or next((str(each.params.get("suggestion", "")) for each in findings), "")


def _proposed(
    convention: naming.Convention, level: str, own: str, parts: dict[str, str], taken: Collection[str]
) -> Proposal:
    missing = tuple(part for part in convention.parts(level) if not parts.get(part))
    if missing:
        return Proposal("", {part: code for part, code in parts.items() if code}, missing)
    stem = parts[own]
    for number in range(1, len(taken) + 2):
        fitted = {**parts, own: _fitted(convention, level, own, {**parts, own: stem}, _suffix(stem, number))}
        name, findings = naming.build(convention, level, fitted)
        if findings or naming.parse(convention, level, name) != fitted:
            break
        if naming.name_key(name) not in taken:
            return Proposal(name, fitted)
    return Proposal("", {part: code for part, code in parts.items() if part != own}, (own,))


def _suffix(stem: str, number: int) -> str:
    """ "Q3" must not become "Q32"; a hyphen may be refused by the convention, so a letter stands between."""
    if number == 1:
        return ""
    return f"v{number}" if stem[-1:].isdigit() else str(number)


def _fitted(
    convention: naming.Convention, level: str, own: str, parts: Mapping[str, str], suffix: str
) -> str:
    """The own part with its suffix, cut so that it and the whole name keep to their lengths."""
    others = sum(len(code) for part, code in parts.items() if part != own)
    glue = len(convention.separator) * (len(convention.parts(level)) - 1)
    room = min(convention.max_lengths[level] - others - glue, convention.part_lengths.get(own, 60))
    stem = parts[own][: max(0, room - len(suffix))]
    return stem + suffix if stem else ""


# -------------------------------------------------------------------------------------- reading a text


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text))


def _key(text: str) -> str:
    """How words are compared: without case, spaces and marks."""
    return "".join(_words(text)).casefold()


@dataclass(slots=True)
class _Reading:
    """The words of a text, and which of them have been understood."""

    words: list[str]
    separator: str
    text: str
    used: set[int] = field(default_factory=set)

    def rest(self) -> list[str]:
        return [word for at, word in enumerate(self.words) if at not in self.used]

    def _phrases(self) -> list[tuple[range, str]]:
        """Every run of words that are not understood yet, the longest first."""
        return [
            (run, "".join(self.words[at] for at in run).casefold())
            for length in range(LONGEST_PHRASE, 0, -1)
            for start in range(len(self.words) - length + 1)
            if not self.used & set(run := range(start, start + length))
        ]

    def cross_out(self, ways: Collection[str]) -> None:
        """The first place where one of these stands."""
        for run, key in self._phrases():
            if key in ways:
                self.used.update(run)
                return

    def code_of(self, part: str, place: int, vocabulary: Vocabulary) -> str:
        if part == "year":
            return self._take_first(lambda word: word if _YEAR.fullmatch(word) else "")
        if part == "month":
            return self._take_first(lambda word: _MONTHS.get(word.casefold(), ""))
        return self._exact(part, place, vocabulary) or self._alike(part, vocabulary)

    def _take_first(self, read: Callable[[str], str]) -> str:
        for at, word in enumerate(self.words):
            found = read(word) if at not in self.used else ""
            if found:
                self.used.add(at)
                return found
        return ""

    def _exact(self, part: str, place: int, vocabulary: Vocabulary) -> str:
        codes = vocabulary.codes(part)
        for run, key in self._phrases():
            if key in codes and (len(key) > SHORT_CODE or self._counts(run, place)):
                self.used.update(run)
                return codes[key]
        return ""

    def _counts(self, run: range, place: int) -> bool:
        """A short code in capitals, or at the very place where the convention has it."""
        words = [self.words[at] for at in run]
        pieces = self.text.split(self.separator)
        return all(word.isupper() for word in words) or pieces[place : place + 1] == ["".join(words)]

    def _alike(self, part: str, vocabulary: Vocabulary) -> str:
        codes = vocabulary.codes(part)
        for run, key in self._phrases():
            close = get_close_matches(key, codes, n=1, cutoff=ALIKE) if len(key) >= SHORTEST_ALIKE else []
            if close and len(close[0]) >= SHORTEST_ALIKE:
                self.used.update(run)
                return codes[close[0]]
        return ""
