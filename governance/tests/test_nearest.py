"""The nearest legal name: what is recognised, what is left over, and what is said where nothing can be guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import naming
from governance.nearest import Vocabulary, nearest, unknown_parts

PATTERN = "{brand}_{market}_{channel}_{year}_{name}"
CONVENTION = naming.Convention(
    number=1,
    separator="_",
    allowed="A-Za-z0-9-",
    transliterate=True,
    patterns={"campaign": PATTERN, "ad_set": PATTERN + "_{ad_set}", "ad": PATTERN + "_{ad_set}_{ad}"},
    max_lengths={"campaign": 60, "ad_set": 90, "ad": 120},
    part_lengths={"name": 30, "ad_set": 30, "ad": 30},
)
WORDS = Vocabulary(
    {
        "brand": {"DIS": ("Disney", "The Walt Disney Company"), "IN": ("Intel",)},
        "market": {"US": ("United States", "USA"), "DE": ("Germany", "Deutschland")},
        "channel": {"META": ("Meta", "Facebook"), "IG": ("Instagram",)},
    }
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("DIS_US_META_2026_MoanaLaunch", "DIS_US_META_2026_MoanaLaunch"),
        ("Disney | United States | Facebook | 2026 | Moana Launch", "DIS_US_META_2026_MoanaLaunch"),
        ("moana launch 2026 - facebook - disney - USA", "DIS_US_META_2026_MoanaLaunch"),
        ("Disnay Germny Facebok 2026 Moana", "DIS_DE_META_2026_Moana"),
        ("The Walt Disney Company / Deutschland / Meta / Моана 2026", "DIS_DE_META_2026_Moana"),
        ("DIS US META 2026 Corazon de Moana 🌊", "DIS_US_META_2026_CorazonDeMoana"),
        ("dis_us_META_2026_Moana", "DIS_US_META_2026_Moana"),
    ],
)
def test_what_people_write_becomes_the_legal_name(text, name):
    proposal = nearest(CONVENTION, "campaign", text, WORDS)
    assert (proposal.name, proposal.missing) == (name, ())
    assert naming.parse(CONVENTION, "campaign", name) == proposal.parts


def test_what_can_not_be_guessed_is_left_out_and_said():
    proposal = nearest(CONVENTION, "campaign", "Moana Launch Facebook", WORDS)
    assert proposal.name == ""
    assert proposal.missing == ("brand", "market", "year")
    assert proposal.parts == {"channel": "META", "name": "MoanaLaunch"}


def test_a_short_word_of_another_language_is_no_code():
    proposal = nearest(CONVENTION, "campaign", "Disney US Meta 2026 in and de", WORDS)
    assert proposal.parts["brand"] == "DIS"
    assert proposal.parts["name"] == "InAndDe"


def test_what_can_be_nothing_else_is_used_where_the_name_says_nothing():
    fallback = {"brand": "DIS", "market": "US", "year": "2027"}
    proposal = nearest(CONVENTION, "campaign", "Facebook Moana Germany", WORDS, fallback=fallback)
    assert proposal.name == "DIS_DE_META_2027_Moana"


def test_a_child_bears_its_campaigns_parts_and_keeps_its_own_words():
    above = {"brand": "DIS", "market": "US", "channel": "META", "year": "2026", "name": "MoanaLaunch"}
    for text in (
        "Disney USA Moana Launch Prospecting A",
        "DIS_US_META_2026_MoanaLaunch_ProspectingA",
        "Prospecting A",
    ):
        assert nearest(CONVENTION, "ad_set", text, WORDS, known=above).parts["ad_set"] == "ProspectingA"


def test_a_name_that_is_taken_gets_a_number():
    taken: set[str] = set()
    names = []
    for _time in range(3):
        proposal = nearest(CONVENTION, "campaign", "Disney US Meta 2026 Moana", WORDS, taken=taken)
        names.append(proposal.name)
        taken.add(naming.name_key(proposal.name))
    assert names == ["DIS_US_META_2026_Moana", "DIS_US_META_2026_Moana2", "DIS_US_META_2026_Moana3"]


def test_a_number_beside_a_number_is_told_apart():
    taken = {naming.name_key("DIS_US_META_2026_Q3")}
    assert nearest(CONVENTION, "campaign", "DIS US META 2026 Q3", WORDS, taken=taken).parts["name"] == "Q3v2"


def test_codes_that_the_vocabulary_lacks_are_named():
    parts = {"brand": "XXX", "market": "US", "channel": "META", "year": "26", "name": "Moana"}
    assert unknown_parts(parts, WORDS) == ["brand", "year"]


_CAMPAIGN = {"brand": "DIS", "market": "US", "channel": "META", "year": "2026", "name": "Moana"}
ABOVE = {"campaign": {}, "ad_set": _CAMPAIGN, "ad": {**_CAMPAIGN, "ad_set": "A"}}


@given(
    text=st.text(max_size=120),
    level=st.sampled_from(naming.LEVELS),
    taken=st.sets(st.sampled_from(["dis_us_meta_2026_moana", "dis_us_meta_2026_0"])),
    known=st.booleans(),
)
def test_whatever_is_written_a_proposal_is_legal_and_free_or_says_what_is_missing(text, level, taken, known):
    above = ABOVE[level] if known else {}
    proposal = nearest(CONVENTION, level, text, WORDS, known=above, taken=taken)
    if proposal.name:
        assert naming.build(CONVENTION, level, proposal.parts) == (proposal.name, [])
        assert naming.parse(CONVENTION, level, proposal.name) == proposal.parts
        assert naming.name_key(proposal.name) not in taken
        assert not proposal.missing
    else:
        assert proposal.missing
