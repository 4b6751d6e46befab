"""Names are built by the convention and read back to the same parts; nothing collapses in silence."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import naming

DEFAULT = "{brand}_{market}_{channel}_{year}_{name}"
CONVENTION = naming.Convention(
    number=1, separator="_", allowed="A-Za-z0-9-", transliterate=True,
    patterns={"campaign": DEFAULT, "ad_set": DEFAULT + "_{ad_set}", "ad": DEFAULT + "_{ad_set}_{ad}"},
    max_lengths={"campaign": 120, "ad_set": 200, "ad": 255}, part_lengths={"name": 60, "ad_set": 60, "ad": 60},
)  # fmt: skip
CODES = {"brand": "DIS", "market": "US", "channel": "META", "year": "2026"}


def codes(findings):
    return [finding.code for finding in findings]


def test_the_example_of_the_house():
    part, findings = naming.name_part(CONVENTION, "Moana Launch")
    assert (part, findings) == ("MoanaLaunch", [])
    name, findings = naming.build(CONVENTION, "campaign", {**CODES, "name": part})
    assert (name, findings) == ("DIS_US_META_2026_MoanaLaunch", [])
    assert naming.parse(CONVENTION, "campaign", name) == {**CODES, "name": "MoanaLaunch"}


@given(st.text(max_size=80))
def test_every_part_is_legal_and_every_name_reads_back(text):
    part, findings = naming.name_part(CONVENTION, text)
    assert bool(part) != bool(findings)
    if findings:
        return
    name, findings = naming.build(CONVENTION, "campaign", {**CODES, "name": part})
    assert not findings
    assert naming.parse(CONVENTION, "campaign", name) == {**CODES, "name": part}


@given(st.text(max_size=80))
def test_a_suggestion_is_itself_accepted(text):
    _part, findings = naming.name_part(CONVENTION, text)
    for suggestion in (finding.params.get("suggestion") for finding in findings):
        if suggestion:
            assert naming.name_part(CONVENTION, suggestion) == (suggestion, [])


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Моана", "Moana"),
        ("モアナ", "Moana"),
        ("  moana   launch ", "MoanaLaunch"),
        ("Q3 2025", "Q3-2025"),
        ("Lead Gen - Q3 2025", "LeadGenQ3-2025"),
        ("Größe & Stil", "GrosseStil"),
        ("snake_case_name", "SnakeCaseName"),
        ("مرحبا", "Mrhb"),
    ],
)
def test_names_of_any_script_become_a_part(text, part):
    assert naming.name_part(CONVENTION, text)[0].casefold() == part.casefold()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "naming.empty"),
        ("   \u00a0 ", "naming.empty"),
        ("---", "naming.empty"),
        ("Moana 🌊 Launch", "naming.symbols"),
        ("Moana\u202eLaunch", "naming.symbols"),
        ("Moana\x00", "naming.symbols"),
        ("x" * 300, "naming.too_long"),
    ],
)
def test_what_can_not_be_a_name_is_refused(text, code):
    part, findings = naming.name_part(CONVENTION, text)
    assert part == ""
    assert codes(findings) == [code]


def test_emoji_are_refused_with_the_name_that_is_left():
    _part, findings = naming.name_part(CONVENTION, "Moana 🌊 Launch")
    assert findings[0].params["suggestion"] == "MoanaLaunch"
    assert "water wave" in findings[0].message


def test_a_convention_that_does_not_transliterate_suggests_it():
    strict = dataclasses.replace(CONVENTION, transliterate=False)
    part, findings = naming.name_part(strict, "Моана")
    assert (part, codes(findings)) == ("", ["naming.script"])
    assert findings[0].params["suggestion"] == "Moana"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"separator": "-"}, "convention.ambiguous"),
        ({"allowed": "A-Za-z0-9_"}, "convention.ambiguous"),
        ({"separator": "--"}, "convention.ambiguous"),
        ({"separator": ""}, "convention.separator"),
        ({"separator": "a"}, "convention.separator"),
        ({"separator": " "}, "convention.separator"),
        ({"allowed": "A-Z]|.*["}, "convention.allowed"),
        ({"allowed": "z-a"}, "convention.allowed"),
        ({"allowed": "A-Z"}, "convention.allowed"),
    ],
)
def test_an_ambiguous_or_broken_convention_is_refused(change, code):
    assert code in codes(naming.convention_findings(dataclasses.replace(CONVENTION, **change)))


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("{brand}{market}_{channel}_{name}", "convention.pattern"),
        ("{brand}_x{market}_{channel}_{name}", "convention.pattern"),
        ("{brand}_{market}_{channel}_{planet}_{name}", "convention.unknown_part"),
        ("{brand}_{brand}_{market}_{channel}_{name}", "convention.repeated_part"),
        ("{brand}_{market}_{name}", "convention.needs_part"),
        ("{brand}_{market}_{channel}_{ad}_{name}", "convention.unknown_part"),
    ],
)
def test_a_pattern_that_could_not_be_read_back_is_refused(pattern, code):
    changed = dataclasses.replace(CONVENTION, patterns={**CONVENTION.patterns, "campaign": pattern})
    assert code in codes(naming.convention_findings(changed))


def test_the_default_convention_is_sound():
    assert naming.convention_findings(CONVENTION, ["DIS", "US", "META"]) == []
    assert codes(naming.convention_findings(CONVENTION, ["D_S"])) == ["convention.code_illegal"]


@given(st.text(min_size=1, max_size=30))
def test_names_are_compared_without_case_and_in_normal_form(text):
    assert naming.name_key(text.upper()).casefold() == naming.name_key(naming.name_key(text.upper()))
