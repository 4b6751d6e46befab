"""Whom the ads reach: places, languages, ages, genders, audiences, keywords, as criteria.

Places and languages stand on the campaign for Search and Display, on the ad group for Demand Gen
(`Campaign.demand_gen_campaign_settings.upgraded_targeting`). Ages and genders are narrowed by excluding the
rest, as Google's own screens do: an ad group reaches everybody who is not excluded (ad_group_criterion.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from trafficking.platforms.base import AdSetSnapshot, Geo, Keyword, TicketSnapshot
from trafficking.platforms.google_ads.notes import Notes
from trafficking.platforms.google_ads.reference import (
    AGE_BANDS,
    COUNTRIES,
    DEMAND_GEN,
    DISPLAY,
    LIMITS,
    SEARCH,
    language_ids,
)

UNKNOWN_AGE = "AGE_RANGE_UNDETERMINED"
#: Nobody under 13 has a Google account of their own (from practice, not from the SDK).
YOUNGEST = 13
#: `! @ % , * …` are refused in keywords (CriterionError.KEYWORD_HAS_INVALID_CHARS; which
#: characters these are the SDK does not say: known from practice); quotes and brackets would be match types written into the text.
BAD_IN_KEYWORDS = re.compile(r"[!@%,*\[\]\"^=;~`<>?\\|{}()]")

#: Prefix of an audience id -> (criterion, its field). A bare number is a user list.
AUDIENCES = {
    "userLists": ("userList", "userList"),
    "customAudiences": ("customAudience", "customAudience"),
    "combinedAudiences": ("combinedAudience", "combinedAudience"),
    "userInterests": ("userInterest", "userInterestCategory"),
    "audiences": ("audience", "audience"),
}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion: `info` is its oneof (`{"gender": {"type": "MALE"}}`), `key` its place in refs."""

    key: str
    info: dict[str, Any]
    source: str
    negative: bool = False


@dataclass(slots=True)
class Audience:
    """Criteria of one ad group, and what they demand of the ad group itself."""

    criteria: list[Criterion] = field(default_factory=list)
    grouped: bool = False
    narrows: bool = False


def places(geo: Geo, path: str, notes: Notes) -> list[Criterion]:
    """Location criteria; a place that Google doesn't know is a finding."""
    if geo.empty:
        notes.block("geo.missing", path)
    found: dict[str, Criterion] = {}
    for place_id, source, negative in _place_ids(geo, path, notes):
        key = f"location:{place_id}"
        if key in found and found[key].negative != negative:
            notes.block("geo.included_and_excluded", source, place=place_id)
            continue
        info = {"location": {"geoTargetConstant": f"geoTargetConstants/{place_id}"}}
        found[key] = Criterion(key, info, source, negative)
    return list(found.values())


def _place_ids(geo: Geo, path: str, notes: Notes) -> Iterator[tuple[str, str, bool]]:
    for part, negative in (("countries", False), ("excluded_countries", True)):
        for index, country in enumerate(getattr(geo, part)):
            place = COUNTRIES.get(country)
            if place is None:
                notes.block("geo.country_unknown", f"{path}.{part}[{index}]", country=country)
            else:
                yield str(place), f"{path}.{part}[{index}]", negative
    parts = (("regions", False), ("cities", False), ("excluded_regions", True), ("excluded_cities", True))
    for part, negative in parts:
        for index, place in enumerate(getattr(geo, part)):
            if re.fullmatch(r"[1-9]\d{0,9}", place.id):
                yield place.id, f"{path}.{part}[{index}]", negative
            else:
                notes.block("geo.place_unknown", f"{path}.{part}[{index}]", place=place.id, name=place.name)


def languages(codes: tuple[str, ...], path: str, notes: Notes) -> list[Criterion]:
    """Language criteria; none means all languages."""
    found: dict[int, Criterion] = {}
    for index, code in enumerate(codes):
        source = f"{path}[{index}]"
        ids = language_ids(code)
        if not ids:
            notes.block("language.unknown", source, language=code)
        if len(ids) > 1:
            notes.warn("language.both_chinese", source, language=code)
        for number in ids:
            info = {"language": {"languageConstant": f"languageConstants/{number}"}}
            found[number] = Criterion(f"language:{number}", info, source)
    return list(found.values())


def ages(ad_set: AdSetSnapshot, path: str, notes: Notes) -> list[Criterion]:
    """Exclusions that leave the age bands inside the wanted range; the minimum is never lowered."""
    low, high = ad_set.age_min, ad_set.age_max
    if high is not None and high < max(low or 0, AGE_BANDS[0]["min"]):
        notes.block("age.no_band", f"{path}.age_max", age_min=low, age_max=high)
        return []
    if high is None and (low is None or low <= YOUNGEST):
        return []
    kept = [band for band in AGE_BANDS if _within(band, low, high)]
    if not kept:
        notes.block("age.no_band", f"{path}.age_min", age_min=low, age_max=high)
        return []
    _warn_of_bands(kept, low, high, path, notes)
    excluded = [band["type"] for band in AGE_BANDS if band not in kept]
    if not _keeps_unknown_age(ad_set, path, notes):
        excluded.append(UNKNOWN_AGE)
    source = f"{path}.age_min" if low is not None else f"{path}.age_max"
    return [Criterion(f"age:{band}", {"ageRange": {"type": band}}, source, True) for band in excluded]


def _within(band: dict[str, Any], low: int | None, high: int | None) -> bool:
    """Young enough and old enough: a band that starts below the minimum is out, one that ends late is in."""
    return (low is None or band["min"] >= low) and (high is None or band["min"] <= high)


def _warn_of_bands(
    kept: list[dict[str, Any]], low: int | None, high: int | None, path: str, notes: Notes
) -> None:
    youngest, oldest = kept[0]["min"], kept[-1]["max"]
    if low is not None and youngest != low:
        notes.warn("age.minimum_raised", f"{path}.age_min", asked=low, sent=youngest)
    if high is not None and oldest != high:
        sent = "65+" if oldest is None else str(oldest)
        notes.warn("age.maximum_raised", f"{path}.age_max", asked=high, sent=sent)


def _keeps_unknown_age(ad_set: AdSetSnapshot, path: str, notes: Notes) -> bool:
    if not ad_set.config.get("include_unknown_age"):
        notes.warn("age.unknown_excluded", f"{path}.age_min")
        return False
    if ad_set.age_min is not None and ad_set.age_min > YOUNGEST:
        notes.block(
            "age.unknown_with_minimum", f"{path}.payload_config.include_unknown_age", age_min=ad_set.age_min
        )
    return True


def genders(ad_set: AdSetSnapshot, path: str, notes: Notes) -> list[Criterion]:
    """Exclusion of the gender that is not wanted, and of unknown gender unless it is asked for."""
    wanted = set(ad_set.genders)
    unknown = wanted - {"MALE", "FEMALE"}
    if unknown:
        notes.block("gender.unknown", f"{path}.genders", genders=sorted(unknown))
    if len(wanted) != 1 or unknown:
        return []
    excluded = ["FEMALE" if "MALE" in wanted else "MALE"]
    if not ad_set.config.get("include_unknown_gender"):
        excluded.append("UNDETERMINED")
    source = f"{path}.genders"
    return [Criterion(f"gender:{each}", {"gender": {"type": each}}, source, True) for each in excluded]


def audience(
    ticket: TicketSnapshot, ad_set: AdSetSnapshot, customer: str, path: str, notes: Notes
) -> Audience:
    """Interests and audiences of one ad group. `customer` is `customers/1`.

    A Demand Gen ad group has either one `audiences/…` resource, which then holds demographics and segments too,
    or single segments (CriterionError.CANNOT_ADD_AUDIENCE_SEGMENT_CRITERION_WHEN_AUDIENCE_GROUPED_IS_SET).
    """
    found = Audience()
    for index, interest in enumerate(ad_set.interests):
        _add_audience(
            found, f"userInterests/{interest.id}", customer, f"{path}.interests[{index}]", False, notes
        )
    for index, each in enumerate(ad_set.audiences_include):
        _add_audience(found, each, customer, f"{path}.audiences_include[{index}]", False, notes)
    for index, each in enumerate(ad_set.audiences_exclude):
        _add_audience(found, each, customer, f"{path}.audiences_exclude[{index}]", True, notes)
    found.narrows = any(not criterion.negative for criterion in found.criteria)
    found.grouped = any("audience" in criterion.info for criterion in found.criteria)
    _check_audience(ticket, ad_set, found, path, notes)
    return found


def _add_audience(
    found: Audience, audience_id: str, customer: str, source: str, negative: bool, notes: Notes
) -> None:
    kind, _, number = audience_id.rpartition("/")
    kind = kind or "userLists"
    if kind not in AUDIENCES or not re.fullmatch(r"[1-9]\d*", number):
        notes.block("audience.unknown", source, audience=audience_id, kinds=sorted(AUDIENCES))
        return
    criterion, info_field = AUDIENCES[kind]
    info = {criterion: {info_field: f"{customer}/{kind}/{number}"}}
    found.criteria.append(Criterion(f"{criterion}:{number}", info, source, negative))


def _check_audience(
    ticket: TicketSnapshot, ad_set: AdSetSnapshot, found: Audience, path: str, notes: Notes
) -> None:
    if ticket.buying_type == SEARCH and ad_set.interests:
        notes.block("interest.not_on_search", f"{path}.interests")
    if not found.grouped:
        return
    if ticket.buying_type != DEMAND_GEN:
        notes.block("audience.demand_gen_only", f"{path}.audiences_include")
    single = len(found.criteria) == 1 and not found.criteria[0].negative
    plain = ad_set.age_min is None and ad_set.age_max is None and not ad_set.genders
    if not (single and plain):
        notes.block("audience.grouped_alone", f"{path}.audiences_include")


def keywords(ticket: TicketSnapshot, ad_set: AdSetSnapshot, path: str, notes: Notes) -> list[Criterion]:
    """Keywords (Search) and negative keywords (Search, Display) of one ad group."""
    if ticket.buying_type == SEARCH and not ad_set.keywords:
        notes.block("keyword.missing", f"{path}.keywords")
    if ticket.buying_type != SEARCH and ad_set.keywords:
        notes.block("keyword.search_only", f"{path}.keywords", channel=ticket.buying_type)
    if ticket.buying_type == DEMAND_GEN and ad_set.negative_keywords:
        notes.block("keyword.search_only", f"{path}.negative_keywords", channel=ticket.buying_type)
    positive = _keyword_criteria(ad_set.keywords, f"{path}.keywords", False, notes)
    negative = _keyword_criteria(ad_set.negative_keywords, f"{path}.negative_keywords", True, notes)
    blocked = {criterion.key.removeprefix("negative:") for criterion in negative}
    for criterion in positive:
        if criterion.key in blocked:
            notes.block("keyword.also_negative", criterion.source, keyword=criterion.info["keyword"]["text"])
    return [*positive, *negative]


def _keyword_criteria(words: tuple[Keyword, ...], path: str, negative: bool, notes: Notes) -> list[Criterion]:
    found: dict[str, Criterion] = {}
    for index, word in enumerate(words):
        source = f"{path}[{index}]"
        text = " ".join(word.text.split())
        if not _keyword_fits(text, word.match, source, notes):
            continue
        key = f"{'negative:' if negative else ''}keyword:{word.match}:{text.casefold()}"
        if key in found:
            notes.block("keyword.duplicate", source, keyword=text, match=word.match)
            continue
        info = {"keyword": {"text": text, "matchType": word.match}}
        found[key] = Criterion(key, info, source, negative)
    return list(found.values())


def _keyword_fits(text: str, match: str, source: str, notes: Notes) -> bool:
    problem = None
    if not text:
        problem = "keyword.empty"
    elif match not in ("EXACT", "PHRASE", "BROAD"):
        problem = "keyword.match_unknown"
    elif len(text) > LIMITS["keyword_characters"]:
        problem = "keyword.too_long"
    elif len(text.split()) > LIMITS["keyword_words"]:
        problem = "keyword.too_many_words"
    elif BAD_IN_KEYWORDS.search(text):
        problem = "keyword.bad_characters"
    if problem:
        _block_keyword(problem, text, match, source, notes)
    return problem is None


def _block_keyword(problem: str, text: str, match: str, source: str, notes: Notes) -> None:
    notes.block(
        problem, source, keyword=text, match=match, characters=LIMITS["keyword_characters"],
        words=LIMITS["keyword_words"], found="".join(sorted(set(BAD_IN_KEYWORDS.findall(text)))),
    )  # fmt: skip


def websites(ticket: TicketSnapshot, ad_set: AdSetSnapshot, path: str, notes: Notes) -> list[Criterion]:
    """Display: placements are websites to show on."""
    if ticket.buying_type != DISPLAY:
        return []
    found = []
    for index, site in enumerate(ad_set.placements):
        source = f"{path}.placements[{index}]"
        if re.fullmatch(r"(?!-)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(/\S*)?", site):
            found.append(Criterion(f"placement:{site.lower()}", {"placement": {"url": site}}, source))
        else:
            notes.block("placement.unknown", source, placement=site, known=["example.com"])
    return found
