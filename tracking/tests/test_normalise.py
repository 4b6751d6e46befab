"""What is sent of a person. The vectors lie outside the repository; without them that one test says so and is skipped."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracking.normalise import KEYS, PLATFORMS, RULES, identifiers, normalise

VECTORS = Path(__file__).resolve().parents[3] / "shared/data/conversions/normalisation.dev.jsonl"
NOTHING = sha256(b"").hexdigest()


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@pytest.mark.skipif(not VECTORS.exists(), reason=f"the vectors are not at {VECTORS}")
def test_every_vector_of_the_documentation_and_its_peers_passes() -> None:
    wrong = []
    vectors = [json.loads(line) for line in VECTORS.read_text().splitlines()]
    for vector in vectors:
        plain = [vector["normalised"], *vector.get("accept", [])]
        wanted = {vector["sha256"]} if vector.get("prehashed") else set(plain)
        if not vector.get("prehashed"):
            wanted |= {hashed(text) for text in plain if text is not None}
        if normalise(vector["platform"], vector["field"], vector["raw"]) not in wanted:
            wrong.append(vector["id"])
    assert len(vectors) == 350
    assert wrong == []


@pytest.mark.parametrize(
    ("raw", "region", "meta", "e164"),
    [
        ("+16505551212", None, "16505551212", "+16505551212"),
        ("+44 (0)20 7946 0018", None, "4402079460018", "+442079460018"),
        ("030 901820", "DE", "4930901820", "+4930901820"),
        ("4930901820", "DE", "4930901820", "+4930901820"),  # has its country code already
        ("0049 30 901820", "US", "4930901820", "+4930901820"),
        ("650-555-1212", "US", "16505551212", "+16505551212"),
        ("not a number", "US", None, None),
        ("12", None, "12", None),
        ("d41d8cd98f00b204e9800998ecf8427e", None, None, None),  # an MD5
    ],
)
def test_phones(raw: str, region: str | None, meta: str | None, e164: str | None) -> None:
    assert normalise("meta", "ph", raw, region=region) == (meta and hashed(meta))
    for platform in ("tiktok", "google"):
        assert normalise(platform, "phone", raw, region=region) == (e164 and hashed(e164)), platform


@pytest.mark.parametrize(
    ("platform", "field", "raw", "clean"),
    [
        ("meta", "external_id", "d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e"),
        ("meta", "country", "Great Britain", "gb"),
        ("meta", "country", "U.A.E.", "ae"),
        ("meta", "country", "Wonderland", None),
        ("meta", "ln", "O’Brien", "obrien"),
        ("meta", "ct", "São Paulo", "sãopaulo"),
        ("meta", "ct", "東京", "東京"),
        ("meta", "st", "New South Wales", "newsouthwales"),
        ("meta", "db", "1997-02-30", None),
        ("meta", "db", "2999-01-01", None),
        ("meta", "em", "\ud800@example.com", None),
        ("meta", "ln", "\ud800", None),
        ("google", "last_name", "Smith Jr.", "smith"),
        ("google", "first_name", "Mrs. Jane", "jane"),
    ],
)
def test_where_documentation_rules_or_peers_err(
    platform: str, field: str, raw: str, clean: str | None
) -> None:
    assert normalise(platform, field, raw) == (clean and hashed(clean))


def test_a_hash_with_the_parameter_builders_mark_is_the_hash() -> None:
    assert normalise("meta", "em", hashed("a@example.com").upper() + ".AQYCAQMC") == hashed("a@example.com")


def test_private_and_broken_addresses_and_cookies_are_dropped() -> None:
    assert [normalise("meta", "client_ip_address", raw) for raw in ("10.0.0.1", "::1", "8.8.8", "x")] == [
        None
    ] * 4
    assert [normalise("meta", "fbc", raw) for raw in ("fb.1.2", "IwAR2", "fb.1.1.a.b.c")] == [None] * 3


def test_one_person_for_every_platform() -> None:
    person = {
        "em": ["John.Smith+x@gmail.com", "john.smith+x@gmail.com"], "ph": "+1 650 555 1212", "country": "United States",
        "zp": "94035-1234", "fn": "", "ge": None, "fbc": "fb.1.1554763741205.AbC", "gclid": "Cj0KCQ", "ttclid": "E.C.P",
        "secret": "x",
    }  # fmt: skip
    sent = identifiers(person, region="US")
    assert sent["meta"] == {
        "em": [hashed("john.smith+x@gmail.com")], "ph": hashed("16505551212"), "country": hashed("us"),
        "zp": hashed("94035"), "fbc": "fb.1.1554763741205.AbC",
    }  # fmt: skip
    assert sent["tiktok"] == {
        "email": [hashed("john.smith+x@gmail.com")], "phone": hashed("+16505551212"), "country": "us",
        "zip_code": hashed("94035-1234"), "ttclid": "E.C.P",
    }  # fmt: skip
    assert sent["google"] == {
        "email": [hashed("johnsmith@gmail.com")], "phone": hashed("+16505551212"), "region_code": "US",
        "postal_code": "94035-1234", "gclid": "Cj0KCQ",
    }  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(sorted(KEYS)),
        st.none()
        | st.integers()
        | st.text()
        | st.characters(categories=["Cs"])
        | st.lists(st.text(), max_size=3),
    ),
    st.sampled_from([None, "US", "DE", "BR"]),
)
def test_nothing_raises_and_nothing_is_sent_of_nothing(person: dict[str, object], region: str | None) -> None:
    for fields in identifiers(person, region=region).values():
        for value in fields.values():
            assert value
            assert NOTHING not in (value if isinstance(value, list) else [value])


def test_blank_is_dropped_by_every_rule() -> None:
    for platform in PLATFORMS:
        for field, rule in RULES[platform].items():
            assert rule(" \t\n", None) is None, (platform, field)
