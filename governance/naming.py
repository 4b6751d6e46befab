"""The naming rule: parts in, a name out, and the same parts back. Pure; no ORM.

A name is its parts joined by the separator, and no part may contain the separator, so reading a name
back is splitting it. Free texts (campaign, ad set and ad names) become parts by `name_part`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from anyascii import anyascii

from governance.findings import Finding, Message
from governance.findings import gettext_noop as _

LEVELS = ("campaign", "ad_set", "ad")
#: Parts that each level may use; a level may use those of the levels above it.
PARTS = {
    "campaign": ("brand", "market", "channel", "year", "month", "objective", "name"),
    "ad_set": ("ad_set",),
    "ad": ("ad", "format"),
}
#: Parts made from free text by `name_part`; all others are codes.
FREE_PARTS = frozenset({"name", "ad_set", "ad"})

MESSAGES = {
    "naming.empty": Message(
        _("The name has no letters or digits."), _("Give it a name that people recognise in reports.")
    ),
    "naming.symbols": Message(
        _("'{text}' contains characters that names can't carry ({characters})."),
        _("Use '{suggestion}' instead."),
    ),
    "naming.script": Message(
        _("'{text}' has letters that the naming convention does not take."), _("Use '{suggestion}' instead.")
    ),
    "naming.too_long": Message(
        _("'{text}' gives {length} characters; {part} may have {limit}."), _("Shorten it, for example to '{suggestion}'.")
    ),
    "naming.name_too_long": Message(
        _("The full name '{name}' has {length} characters; the convention allows {limit}."),
        _("Shorten the {part} part."),
    ),
    "naming.taken": Message(
        _("The name '{name}' is already taken by '{other}'."), _("Choose another name, for example '{suggestion}'.")
    ),
    "naming.part_missing": Message(_("The name lacks its part '{part}'."), _("Fill in {part}.")),
    "naming.part_illegal": Message(
        _("'{text}' can't be the part '{part}' of a name under the convention in force."),
        _("Use only {allowed}, and not the separator '{separator}'."),
    ),
    "naming.not_by_convention": Message(
        _("'{name}' is not the name that the convention builds ('{expected}')."),
        _("Save the campaign again, so that its names are rebuilt."),
    ),
    "convention.separator": Message(
        _("The separator must be one or more characters, none of them a letter, a digit or a space."), _("Use _ or -.")
    ),
    "convention.allowed": Message(
        _("'{text}' is not a set of characters."), _("Write it like A-Za-z0-9- with the hyphen last.")
    ),
    "convention.ambiguous": Message(
        _("Parts may contain '{character}', which is in the separator: names could not be read back."),
        _("Take '{character}' out of the allowed characters, or choose another separator."),
    ),
    "convention.pattern": Message(
        _("The {level} pattern '{pattern}' is not parts in braces joined by '{separator}'."),
        _("Write it like {example}."),
    ),
    "convention.unknown_part": Message(
        _("The {level} pattern names the part '{part}', which there is not."), _("Use some of: {known}.")
    ),
    "convention.repeated_part": Message(_("The {level} pattern has the part '{part}' twice."), _("Take one out.")),
    "convention.needs_part": Message(
        _("The {level} pattern lacks '{part}': different things would get one name."), _("Add {{{part}}}.")
    ),
    "convention.code_illegal": Message(
        _("The codes {codes} in use do not fit this convention."), _("Choose a separator and characters that they fit.")
    ),
    "convention.length": Message(_("The {level} length must be from 20 to 400 characters."), _("Choose one of them.")),
}  # fmt: skip


@dataclass(frozen=True)
class Convention:
    """A naming convention as values. `allowed` is a regex character class without brackets: "A-Za-z0-9-"."""

    number: int
    separator: str
    allowed: str
    transliterate: bool
    patterns: Mapping[str, str]
    max_lengths: Mapping[str, int]
    part_lengths: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def _legal(self) -> re.Pattern[str]:
        return re.compile(f"[{self.allowed}]+\\Z", re.ASCII)

    @cached_property
    def _illegal(self) -> re.Pattern[str]:
        return re.compile(f"[^{self.allowed}]+", re.ASCII)

    @cached_property
    def _parts(self) -> dict[str, tuple[str, ...]]:
        return {level: tuple(pattern_parts(self.patterns[level], self.separator)) for level in LEVELS}

    def parts(self, level: str) -> tuple[str, ...]:
        return self._parts[level]

    def may_stand_in_names(self, text: str) -> bool:
        return bool(self._legal.match(text)) and not any(c in self.separator for c in text)

    def words(self, text: str) -> list[str]:
        """The runs of legal characters that have a letter or digit in them."""
        return [word for word in self._illegal.split(text) if any(c.isalnum() for c in word)]


def pattern_parts(pattern: str, separator: str) -> list[str]:
    """ "{brand}_{name}" -> ["brand", "name"]; anything but braced parts and separators gives a part of ""."""
    matches = [re.fullmatch(r"\{([a-z_]+)\}", piece) for piece in _split_pattern(pattern, separator)]
    return [match.group(1) if match else "" for match in matches]


def _split_pattern(pattern: str, separator: str) -> list[str]:
    # a separator such as "_" also stands inside {ad_set}: split only between braces
    return re.split(r"(?<=\})" + re.escape(separator) + r"(?=\{)", pattern)


def build(convention: Convention, level: str, values: Mapping[str, str]) -> tuple[str, list[Finding]]:
    """The governed name of a level from its part values; ("", findings) where it is not legal."""
    parts = convention.parts(level)
    findings = [
        finding for part in parts for finding in _part_findings(convention, part, values.get(part, ""))
    ]
    if findings:
        return "", findings
    name = convention.separator.join(values[part] for part in parts)
    limit = convention.max_lengths[level]
    if len(name) > limit:
        longest = max(parts, key=lambda part: len(values[part]))
        params = {"name": name, "length": len(name), "limit": limit, "part": longest}
        return "", [Finding("naming.name_too_long", "name", params=params)]
    return name, []


def _part_findings(convention: Convention, part: str, value: str) -> list[Finding]:
    where = "name" if part in FREE_PARTS else part
    if not value:
        return [Finding("naming.part_missing", where, params={"part": part})]
    if not convention.may_stand_in_names(value):
        params = {
            "text": value,
            "part": part,
            "allowed": convention.allowed,
            "separator": convention.separator,
        }
        return [Finding("naming.part_illegal", where, params=params)]
    return []


def parse(convention: Convention, level: str, name: str) -> dict[str, str] | None:
    """The parts of a name; None where the convention could not have built it."""
    parts = convention.parts(level)
    values = name.split(convention.separator)
    if len(values) != len(parts) or len(name) > convention.max_lengths[level]:
        return None
    if not all(convention.may_stand_in_names(value) for value in values):
        return None
    return dict(zip(parts, values, strict=True))


def name_part(convention: Convention, text: str, *, part: str = "name") -> tuple[str, list[Finding]]:
    """What people call it -> the part that stands in names: "Moana Launch" -> "MoanaLaunch".

    Words are joined with a capital each; letters of other scripts are transliterated or refused by the
    convention; emoji, control and direction characters are refused, each with a suggestion.
    """
    normal = unicodedata.normalize("NFKC", text).strip()
    if not normal:
        return "", [Finding("naming.empty", "name")]
    symbols = [c for c in normal if _is_symbol(c)]
    latin = anyascii("".join(" " if _is_symbol(c) else c for c in normal))
    suggestion = _joined(convention.words(latin))
    if not suggestion:
        return "", [Finding("naming.empty", "name")]
    if symbols:
        return "", [_refused("naming.symbols", text, suggestion, characters=_named(symbols))]
    if not convention.transliterate and not normal.isascii():
        return "", [_refused("naming.script", text, suggestion)]
    limit = convention.part_lengths.get(part, 60)
    if len(suggestion) > limit:
        params = {"length": len(suggestion), "limit": limit, "part": part}
        return "", [_refused("naming.too_long", text, suggestion[:limit], **params)]
    return suggestion, []


def name_key(name: str) -> str:
    """How names are compared: Unicode normal form, without case."""
    return unicodedata.normalize("NFKC", name).casefold()


def convention_findings(convention: Convention, codes_in_use: Sequence[str] = ()) -> list[Finding]:
    """Everything that makes a convention unusable or ambiguous."""
    findings = _character_findings(convention)
    if findings:
        return findings
    findings += [finding for level in LEVELS for finding in _pattern_findings(convention, level)]
    bad = sorted(code for code in codes_in_use if not convention.may_stand_in_names(code))
    if bad:
        findings.append(Finding("convention.code_illegal", "separator", params={"codes": bad}))
    return findings


def _character_findings(convention: Convention) -> list[Finding]:
    separator = convention.separator
    if not separator or any(c.isalnum() or c.isspace() or c in "{}" for c in separator):
        return [Finding("convention.separator", "separator")]
    if not _is_character_class(convention.allowed):
        return [Finding("convention.allowed", "allowed_characters", params={"text": convention.allowed})]
    shared = [c for c in separator if re.match(f"[{convention.allowed}]", c, re.ASCII)]
    params = {"character": shared[0]} if shared else {}
    return [Finding("convention.ambiguous", "allowed_characters", params=params)] if shared else []


def _is_character_class(allowed: str) -> bool:
    """Letters, digits, ranges of them and a few harmless marks; must allow some letter and digit."""
    if not re.fullmatch(r"(?:[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9.+~_-])+", allowed):
        return False
    try:
        legal = re.compile(f"[{allowed}]", re.ASCII)
    except re.error:
        return False
    return bool(legal.match("A") and legal.match("a") and legal.match("0"))


def _pattern_findings(convention: Convention, level: str) -> list[Finding]:
    where, pattern = f"{level}_pattern", convention.patterns[level]
    parts = pattern_parts(pattern, convention.separator)
    if "" in parts:
        example = convention.separator.join(f"{{{part}}}" for part in required_parts(level))
        params = {"level": level, "pattern": pattern, "separator": convention.separator, "example": example}
        return [Finding("convention.pattern", where, params=params)]
    known = [part for upper in LEVELS[: LEVELS.index(level) + 1] for part in PARTS[upper]]
    findings = [
        Finding("convention.unknown_part", where, params={"level": level, "part": part, "known": known})
        for part in parts
        if part not in known
    ]
    findings += [
        Finding("convention.repeated_part", where, params={"level": level, "part": part})
        for part in sorted({part for part in parts if parts.count(part) > 1})
    ]
    findings += [
        Finding("convention.needs_part", where, params={"level": level, "part": part})
        for part in required_parts(level)
        if part not in parts
    ]
    if not 20 <= convention.max_lengths[level] <= 400:
        findings.append(Finding("convention.length", f"{level}_max_length", params={"level": level}))
    return findings


def required_parts(level: str) -> tuple[str, ...]:
    """What must stand in a level's names so that two things never share one."""
    campaign = ("brand", "market", "channel", "name")
    return {"campaign": campaign, "ad_set": (*campaign, "ad_set"), "ad": (*campaign, "ad_set", "ad")}[level]


def _is_symbol(character: str) -> bool:
    category = unicodedata.category(character)
    # spaces and line ends separate words; everything else in "other" and "symbol" can't be typed back
    if character.isspace():
        return False
    return category[0] == "C" or category in ("So", "Sk") or "\ufe00" <= character <= "\ufe0f"


def _named(characters: Sequence[str]) -> list[str]:
    return sorted({unicodedata.name(c, f"U+{ord(c):04X}").lower() for c in characters})


def _joined(words: Sequence[str]) -> str:
    if len(words) == 1:
        return words[0].strip("-")
    out = ""
    for word in (word.strip("-") for word in words):
        # "Q3 2025": two numbers that would run together keep a hyphen where one is allowed between
        glue = "-" if out and out[-1].isdigit() and word[:1].isdigit() else ""
        out += glue + word[:1].upper() + word[1:]
    return out


def _refused(code: str, text: str, suggestion: str, **params: object) -> Finding:
    return Finding(code, "name", params={"text": text.strip(), "suggestion": suggestion, **params})
