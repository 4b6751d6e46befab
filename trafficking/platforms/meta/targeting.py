"""An ad set's audience as Meta's `targeting`: places, people, interests, audiences, placements.

Field names are the SDK's `Targeting`. The rules on ages, special ad categories and placements are those of Meta's
pages "Basic Targeting", "Special Ad Category" and "Placement Targeting" as public projects quote them; the pages
themselves were seen in part only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trafficking.platforms.base import AdSetSnapshot, Geo, GeoPlace, TicketSnapshot
from trafficking.platforms.meta.noted import Body, Noted
from trafficking.platforms.meta.reference import COUNTRIES, EU_COUNTRIES, LOCALES, PLACEMENTS

AGE_MIN, AGE_MAX = 13, 65  # 65 stands for "65 and older"
DEFAULT_AGE_MIN = 18  # what Meta applies where none is sent
#: With the Advantage audience a minimum age must lie here, and there is no maximum (Meta's page "Advantage
#: Audience", in a public project's notes on it; not seen in the SDK).
ADVANTAGE_AGE_MIN = (18, 25)
_GENDERS = {"MALE": 1, "FEMALE": 2}
#: Categories whose ads may not choose by age, gender or excluded place.
PROTECTED_CATEGORIES = frozenset({"HOUSING", "EMPLOYMENT", "FINANCIAL_PRODUCTS_SERVICES", "CREDIT"})
#: How planners call positions that Meta calls otherwise.
_POSITION_ALIASES = {
    ("instagram", "feed"): "stream",
    ("instagram", "stories"): "story",
    ("facebook", "stories"): "story",
    ("facebook", "reels"): "facebook_reels",
    ("threads", "feed"): "threads_stream",
}


@dataclass(frozen=True, slots=True)
class Aim:
    """One ad set on its way to `targeting`, with what decides about it from elsewhere."""

    ticket: TicketSnapshot
    ad_set: AdSetSnapshot
    config: Mapping[str, Any]
    path: str  # of the ad set in the ticket

    @property
    def protected(self) -> list[str]:
        return sorted(PROTECTED_CATEGORIES & set(self.ticket.special_ad_categories or ()))


def targeting(noted: Noted, aim: Aim) -> Body:
    """The `targeting` body; what can't be said is left out, with a finding."""
    body = Body()
    body.nest("geo_locations", _included(noted, aim), f"{aim.path}.geo")
    excluded = _excluded(noted, aim)
    if excluded.values:
        body.nest("excluded_geo_locations", excluded, f"{aim.path}.geo")
    _put_people(noted, body, aim)
    _put_locales(noted, body, aim)
    _put_audiences(noted, body, aim)
    _put_placements(noted, body, aim)
    _put_options(body, aim)
    return body


def eu_countries(ticket: TicketSnapshot, geo: Geo) -> list[str]:
    """EU countries that the geo reaches. Regions and cities carry no country: the market's counts."""
    countries = set(geo.countries)
    if geo.regions or geo.cities:
        countries.add(ticket.market_country)
    return sorted(countries & EU_COUNTRIES)


def is_meta_id(text: str) -> bool:
    """Meta's ids are ASCII digits."""
    return text.isascii() and text.isdigit()


# ---------------------------------------------------------------------------------------- places


def _included(noted: Noted, aim: Aim) -> Body:
    geo, path = aim.ad_set.geo, f"{aim.path}.geo"
    if geo.empty:
        noted.block("geo.missing", path)
    if geo.countries and (geo.regions or geo.cities):
        noted.warn("geo.may_overlap", path, countries=list(geo.countries))
    return _places(
        noted,
        geo.countries,
        geo.regions,
        geo.cities,
        (f"{path}.countries", f"{path}.regions", f"{path}.cities"),
    )


def _excluded(noted: Noted, aim: Aim) -> Body:
    geo, path = aim.ad_set.geo, f"{aim.path}.geo"
    if aim.protected and (geo.excluded_countries or geo.excluded_regions or geo.excluded_cities):
        noted.block("special_ad_categories.exclusion", path, categories=aim.protected)
    fields = (f"{path}.excluded_countries", f"{path}.excluded_regions", f"{path}.excluded_cities")
    return _places(noted, geo.excluded_countries, geo.excluded_regions, geo.excluded_cities, fields)


def _places(
    noted: Noted,
    countries: Sequence[str],
    regions: Sequence[GeoPlace],
    cities: Sequence[GeoPlace],
    fields: tuple[str, str, str],
) -> Body:
    body = Body()
    known = _known_countries(noted, countries, fields[0])
    body.put("countries", known or None, fields[0])
    body.put("regions", _keys(noted, regions, fields[1]) or None, fields[1])
    body.put("cities", _keys(noted, cities, fields[2]) or None, fields[2])
    return body


def _known_countries(noted: Noted, countries: Sequence[str], field: str) -> list[str]:
    for number, code in enumerate(countries):
        if code not in COUNTRIES:
            noted.block("geo.unknown_country", f"{field}[{number}]", country=code)
    return [code for code in countries if code in COUNTRIES]


def _keys(noted: Noted, places: Sequence[GeoPlace], field: str) -> list[dict[str, str]]:
    for number, place in enumerate(places):
        if not is_meta_id(place.id):
            noted.block("geo.bad_key", f"{field}[{number}]", key=place.id, name=place.name)
    return [{"key": place.id} for place in places if is_meta_id(place.id)]


# ---------------------------------------------------------------------------------------- people


def _put_people(noted: Noted, body: Body, aim: Aim) -> None:
    low, high = _ages(noted, aim)
    body.put("age_min", low, f"{aim.path}.age_min")
    body.put("age_max", high, f"{aim.path}.age_max")
    body.put("genders", _genders(noted, aim), f"{aim.path}.genders")


def _ages(noted: Noted, aim: Aim) -> tuple[int | None, int | None]:
    low, high = aim.ad_set.age_min, aim.ad_set.age_max
    if low is not None and not AGE_MIN <= low <= AGE_MAX:
        # A minimum above 65 can't be said, and 65 would lower it: never round a minimum down.
        noted.block("age.min_out_of_range", f"{aim.path}.age_min", age=low, lowest=AGE_MIN, highest=AGE_MAX)
        low = None
    if high is not None and high < AGE_MIN:
        noted.block("age.max_out_of_range", f"{aim.path}.age_max", age=high, lowest=AGE_MIN)
        high = None
    if high is not None and high >= AGE_MAX:
        noted.warn("age.max_is_open", f"{aim.path}.age_max", age=high)
        high = AGE_MAX
    if high is not None and (low or DEFAULT_AGE_MIN) > high:
        noted.block("age.reversed", f"{aim.path}.age_max", low=low or DEFAULT_AGE_MIN, high=high)
    _check_age_limits(noted, aim, low, high)
    return low, high


def _check_age_limits(noted: Noted, aim: Aim, low: int | None, high: int | None) -> None:
    chosen = low not in (None, DEFAULT_AGE_MIN) or high not in (None, AGE_MAX)
    if aim.protected and chosen:
        noted.block("special_ad_categories.age", f"{aim.path}.age_min", categories=aim.protected)
    if not aim.config.get("advantage_audience"):
        return
    if high not in (None, AGE_MAX):
        noted.block("advantage_audience.age_max", f"{aim.path}.age_max", age=high)
    lowest, highest = ADVANTAGE_AGE_MIN
    if low is not None and not lowest <= low <= highest:
        noted.block(
            "advantage_audience.age_min", f"{aim.path}.age_min", age=low, lowest=lowest, highest=highest
        )


def _genders(noted: Noted, aim: Aim) -> list[int] | None:
    """Meta's numbers; None for all."""
    for number, gender in enumerate(aim.ad_set.genders):
        if gender not in _GENDERS:
            noted.block("gender.unknown", f"{aim.path}.genders[{number}]", gender=gender)
    chosen = sorted({_GENDERS[g] for g in aim.ad_set.genders if g in _GENDERS})
    if len(chosen) != 1:
        return None
    if aim.protected:
        noted.block("special_ad_categories.gender", f"{aim.path}.genders", categories=aim.protected)
    return chosen


def _put_locales(noted: Noted, body: Body, aim: Aim) -> None:
    locales: list[int] = []
    for number, language in enumerate(aim.ad_set.languages):
        ids = LOCALES.get(language.lower())
        if ids is None:
            noted.block("language.unknown", f"{aim.path}.languages[{number}]", language=language)
        locales += [locale for locale in ids or [] if locale not in locales]
    body.put("locales", locales or None, f"{aim.path}.languages")


def _put_audiences(noted: Noted, body: Body, aim: Aim) -> None:
    ad_set, path = aim.ad_set, aim.path
    for number, interest in enumerate(ad_set.interests):
        if not is_meta_id(interest.id):
            noted.block("interest.bad_id", f"{path}.interests[{number}]", id=interest.id, name=interest.name)
    interests = [
        {"id": each.id, "name": each.name} if each.name else {"id": each.id} for each in ad_set.interests
    ]
    body.put("flexible_spec", [{"interests": interests}] if interests else None, f"{path}.interests")
    if interests and aim.protected:
        noted.warn("special_ad_categories.interests", f"{path}.interests", categories=aim.protected)
    _put_custom_audiences(
        noted, body, "custom_audiences", ad_set.audiences_include, f"{path}.audiences_include"
    )
    _put_custom_audiences(
        noted, body, "excluded_custom_audiences", ad_set.audiences_exclude, f"{path}.audiences_exclude"
    )
    for audience in sorted(set(ad_set.audiences_include) & set(ad_set.audiences_exclude)):
        noted.block("audience.in_and_out", f"{path}.audiences_exclude", audience=audience)


def _put_custom_audiences(noted: Noted, body: Body, key: str, ids: Sequence[str], field: str) -> None:
    for number, audience in enumerate(ids):
        if not is_meta_id(audience):
            noted.block("audience.bad_id", f"{field}[{number}]", audience=audience)
    body.put(key, [{"id": audience} for audience in ids if is_meta_id(audience)] or None, field)


# ------------------------------------------------------------------------------------ placements


def _put_placements(noted: Noted, body: Body, aim: Aim) -> None:
    """Whole platforms and single positions; nothing is sent for automatic placements."""
    field = f"{aim.path}.placements"
    positions: dict[str, list[str]] = {}
    for number, name in enumerate(aim.ad_set.placements):
        found = placement(name)
        if found is None:
            noted.block("placement.unknown", f"{field}[{number}]", placement=name, known=_placement_names())
            continue
        platform, position = found
        chosen = positions.setdefault(platform, [])
        if position and position not in chosen:
            chosen.append(position)
    body.put("publisher_platforms", sorted(positions) or None, field)
    for platform, chosen in sorted(positions.items()):
        body.put(f"{platform}_positions", chosen or None, field)


def placement(name: str) -> tuple[str, str] | None:
    """(publisher platform, position or "") of `instagram`, `instagram:story`, `facebook_feed`, …"""
    name = name.strip().lower()
    if name in PLACEMENTS:
        return name, ""
    for platform, positions in PLACEMENTS.items():
        if name.startswith(platform) and name[len(platform)] in ":_./ ":
            position = name[len(platform) + 1 :]
            # `facebook_reels` is itself the name of a position of facebook
            for candidate in (position, _POSITION_ALIASES.get((platform, position)), name):
                if candidate in positions:
                    return platform, candidate
    return None


def _placement_names() -> list[str]:
    return [f"{platform}:{position}" for platform, all_ in PLACEMENTS.items() for position in all_]


def _put_options(body: Body, aim: Aim) -> None:
    for option in ("device_platforms", "user_os", "excluded_publisher_list_ids"):
        value = aim.config.get(option)
        body.put(option, list(value) if value else None, f"{aim.path}.config.{option}")
    automation = Body()
    automation.put(
        "advantage_audience", aim.config.get("advantage_audience", 0), f"{aim.path}.config.advantage_audience"
    )
    body.nest("targeting_automation", automation)
