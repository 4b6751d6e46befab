"""A naming convention tried out: what it builds of samples, how it reads a name, how two versions differ. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.text import capfirst

from governance import naming
from governance.findings import Finding
from governance.models import Brand, Channel, Market, NamingConvention
from governance.nearest import Vocabulary, nearest

#: Campaign, ad set and ad as people call them: plain, with marks, in another script.
SAMPLES = (
    ("Moana Launch", "Prospecting 18-34", "Wave 15s"),
    ("Q3 2025: Back to School", "Retargeting", "Carousel A"),
    ("Моана", "Москва", "Волна"),
)
#: What the coded parts of samples are, where no row of ours says it.
CODES = {
    "brand": "DIS", "market": "US", "channel": "META", "year": "2026", "month": "03", "objective": "TRAFFIC", "format": "VIDEO",
}  # fmt: skip
#: Fields that two versions are compared by.
COMPARED = (
    "campaign_pattern", "ad_set_pattern", "ad_pattern", "separator", "allowed_characters", "transliterate", "part_lengths",
    "campaign_max_length", "ad_set_max_length", "ad_max_length", "utm_parameters", "note",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """`name` is what is built of `text` on `level`; "" with findings where it is not legal."""

    level: str
    text: str
    name: str
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a name that was read. `known`: the vocabulary has it, or it is free text."""

    part: str
    value: str
    known: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """`parts` is empty where the convention can't have built the name; `nearest` is the legal name that says the same."""

    level: str
    name: str
    parts: list[Part]
    nearest: str = ""

    @property
    def legal(self) -> bool:
        return bool(self.parts) and all(each.known for each in self.parts)


@dataclass(frozen=True, slots=True)
class Trial:
    """`findings` say why the convention itself can't be used; then there are neither samples nor reading."""

    findings: list[Finding]
    samples: list[Sample] = field(default_factory=list)
    reading: Reading | None = None


def try_out(convention: NamingConvention, *, by: Any, level: str = "campaign", name: str = "") -> Trial:
    """Samples of a convention, saved or not, and `name` read back on `level` with the codes that `by` may see."""
    rule, vocabulary = convention.as_rules(), _vocabulary(by)
    codes = [code for ways in vocabulary.words.values() for code in ways]
    findings = naming.convention_findings(rule, codes)
    if findings:
        return Trial(findings)
    return Trial([], samples_of(rule), read(rule, level, name, vocabulary) if name.strip() else None)


def samples_of(rule: naming.Convention) -> list[Sample]:
    return [
        sample for texts in SAMPLES for sample in _levels(rule, dict(zip(naming.LEVELS, texts, strict=True)))
    ]


def _levels(rule: naming.Convention, texts: Mapping[str, str]) -> list[Sample]:
    values, made = dict(CODES), []
    for level, part in (("campaign", "name"), ("ad_set", "ad_set"), ("ad", "ad")):
        values[part], findings = naming.name_part(rule, texts[level], part=part)
        name, more = naming.build(rule, level, values) if not findings else ("", [])
        made.append(Sample(level, texts[level], name, [*findings, *more]))
    return made


def read(rule: naming.Convention, level: str, name: str, vocabulary: Vocabulary) -> Reading:
    """The name's parts, each known or not, and the nearest legal name where it is not one."""
    name = name.strip()
    parts = [
        Part(part, value, part in naming.FREE_PARTS or vocabulary.knows(part, value))
        for part, value in (naming.parse(rule, level, name) or {}).items()
    ]
    reading = Reading(level, name, parts)
    if reading.legal:
        return reading
    return Reading(level, name, parts, nearest(rule, level, name, vocabulary).name)


def _vocabulary(by: Any) -> Vocabulary:
    models: dict[str, Any] = {"brand": Brand, "market": Market, "channel": Channel}
    return Vocabulary(
        {
            part: {
                code: (code, name) for code, name in model.objects.visible_to(by).values_list("code", "name")
            }
            for part, model in models.items()
        }
    )


@dataclass(frozen=True, slots=True)
class Difference:
    field: str
    label: str
    before: Any
    after: Any

    @property
    def changed(self) -> bool:
        return bool(self.before != self.after)


def differences(before: NamingConvention, after: NamingConvention) -> list[Difference]:
    """Field by field, also where both say the same."""
    meta: Any = NamingConvention._meta
    return [
        Difference(
            name, str(capfirst(meta.get_field(name).verbose_name)), getattr(before, name), getattr(after, name)
        )
        for name in COMPARED
    ]  # fmt: skip
