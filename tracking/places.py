"""Countries and states by the names people give them.

ISO 3166 names come from pycountry, everyday names from CLDR (Babel); the few in `_ALSO` stand in neither.
"""

from __future__ import annotations

import re
from functools import cache

import pycountry
from babel import Locale

_NOT_A_LETTER = re.compile(r"[^a-z]")
#: Everyday names that neither ISO nor CLDR gives, letters only.
_ALSO = {
    "uk": "gb", "greatbritain": "gb", "england": "gb", "scotland": "gb", "wales": "gb", "northernireland": "gb",
    "america": "us", "unitedstatesofamerica": "us", "uae": "ae", "korea": "kr", "republicofkorea": "kr",
    "russia": "ru", "iran": "ir", "syria": "sy", "turkey": "tr", "czechrepublic": "cz", "ivorycoast": "ci",
    "swaziland": "sz", "burma": "mm", "macedonia": "mk", "capeverde": "cv", "holland": "nl", "vatican": "va",
    "laos": "la", "brunei": "bn", "moldova": "md", "tanzania": "tz", "venezuela": "ve", "bolivia": "bo",
    "vietnam": "vn", "taiwan": "tw", "hongkong": "hk", "macau": "mo", "palestine": "ps", "easttimor": "tl",
}  # fmt: skip
#: Countries whose states Meta wants as two letters: the US by its documentation, Canada by its parameter builder.
STATE_COUNTRIES = ("US", "CA")


def country_code(name: str) -> str | None:
    """ISO 3166-1 alpha-2 in lower case of a code (two or three letters) or an English name; None where unknown."""
    return _countries().get(_NOT_A_LETTER.sub("", name.lower()))


def state_code(letters: str) -> str | None:
    """The two letters of a US or Canadian state by its name in lower-case letters only ("newyork" -> "ny")."""
    return _states().get(letters)


@cache
def _countries() -> dict[str, str]:
    known = {}
    for code, name in Locale("en").territories.items():
        if len(code) == 2 and pycountry.countries.get(alpha_2=code):
            known[_key(name)] = code.lower()
    for country in pycountry.countries:
        names = (
            country.name,
            getattr(country, "official_name", ""),
            getattr(country, "common_name", ""),
            country.alpha_3,
            country.alpha_2,
        )
        known |= {_key(name): country.alpha_2.lower() for name in names if name}
    return known | _ALSO


@cache
def _states() -> dict[str, str]:
    return {
        _key(state.name): state.code[3:].lower()
        for country in STATE_COUNTRIES
        for state in pycountry.subdivisions.get(country_code=country)
    }


def _key(name: str) -> str:
    return _NOT_A_LETTER.sub("", name.lower())
