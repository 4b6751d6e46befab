"""Who and where: geography, age bands, gender, languages, interests, audiences, placements."""

from __future__ import annotations

from collections.abc import Sequence

from trafficking.platforms.base import AdSetSnapshot, Geo
from trafficking.platforms.tiktok import reference
from trafficking.platforms.tiktok.draft import Body, Notes
from trafficking.platforms.tiktok.goals import Way


def put_targeting(body: Body, ad_set: AdSetSnapshot, special: bool, at: str, notes: Notes) -> None:
    """`special`: the campaign declares a special industry, which narrows what may be targeted."""
    _put_locations(body, ad_set.geo, at, notes)
    _put_ages(body, ad_set, at, notes)
    body.put("gender", _gender(ad_set.genders), f"{at}.genders")
    _put_languages(body, ad_set.languages, at, notes)
    interests = [each.id for each in ad_set.interests]
    _put_ids(body, "interest_category_ids", interests, f"{at}.interests", notes)
    _put_ids(body, "audience_ids", ad_set.audiences_include, f"{at}.audiences_include", notes)
    _put_ids(
        body,
        "excluded_audience_ids",
        ad_set.audiences_exclude,
        f"{at}.audiences_exclude",
        notes,
    )
    both = sorted(set(ad_set.audiences_include) & set(ad_set.audiences_exclude))
    if both:
        notes.block("audiences.both_ways", f"{at}.audiences_exclude", audiences=both)
    if special:
        _check_special(body, at, notes)
    if ad_set.keywords or ad_set.negative_keywords:
        notes.block("keywords.unsupported", f"{at}.keywords")


def _put_locations(body: Body, geo: Geo, at: str, notes: Notes) -> None:
    where = f"{at}.geo"
    if geo.empty:
        notes.block("geo.missing", where)
    if geo.excluded_countries or geo.excluded_regions or geo.excluded_cities:
        notes.block("geo.exclusion_unsupported", where)
    ids: dict[str, None] = {}
    for country in geo.countries:
        if country in reference.COUNTRIES:
            ids[reference.COUNTRIES[country]] = None
        else:
            notes.block("geo.country_unknown", f"{where}.countries", country=country)
    for place in (*geo.regions, *geo.cities):
        if place.id.isascii() and place.id.isdigit():
            ids[place.id] = None
        else:
            notes.block("geo.place_id_invalid", where, place=place.name or place.id, id=place.id)
    if len(ids) > reference.MAX_LOCATIONS:
        notes.block("geo.too_many", where, count=len(ids), most=reference.MAX_LOCATIONS)
    if geo.countries and (geo.regions or geo.cities):
        notes.warn("geo.may_overlap", where)
    body.put_given("location_ids", list(ids), where)


def _put_ages(body: Body, ad_set: AdSetSnapshot, at: str, notes: Notes) -> None:
    """TikTok knows bands only. The lower end is rounded up (a legal minimum stays), the upper end out."""
    low, high = ad_set.age_min, ad_set.age_max
    if low is None and high is None:
        return
    if low is not None and high is not None and high < low:
        notes.block("age.reversed", f"{at}.age_max", low=low, high=high)
        return
    bands = [band for band in reference.AGE_BANDS if band[0] >= (low or 0) and band[0] <= (high or 999)]
    if not bands:
        notes.block("age.no_band", f"{at}.age_min", low=low or "", high=high or "")
        return
    if bands[0][2] == "AGE_13_17":
        _check_minors(ad_set, at, notes)
    if low is not None and bands[0][0] != low:
        notes.warn("age.minimum_rounded_up", f"{at}.age_min", asked=low, sent=bands[0][0])
    if high is not None and bands[-1][1] != high:
        notes.warn(
            "age.maximum_rounded_up",
            f"{at}.age_max",
            asked=high,
            sent=_upper(bands[-1]),
        )
    body.put(
        "age_groups",
        [name for _, _, name in bands],
        f"{at}.age_min" if low is not None else f"{at}.age_max",
    )


def _upper(band: tuple[int, int, str]) -> str:
    return "55+" if band[2] == "AGE_55_100" else str(band[1])


def _check_minors(ad_set: AdSetSnapshot, at: str, notes: Notes) -> None:
    closed = sorted(set(ad_set.geo.countries) & reference.NO_MINORS)
    if closed:
        notes.block("age.minors_closed", f"{at}.age_min", countries=closed)


def _gender(genders: Sequence[str]) -> str:
    return f"GENDER_{genders[0]}" if len(set(genders)) == 1 else "GENDER_UNLIMITED"


def _put_languages(body: Body, languages: Sequence[str], at: str, notes: Notes) -> None:
    wrong = [
        code
        for code in languages
        if not (len(code) == 2 and code.isascii() and code.isalpha() and code.islower())
    ]
    if wrong:
        notes.block("languages.invalid", f"{at}.languages", languages=wrong)
    else:
        body.put_given("languages", list(dict.fromkeys(languages)), f"{at}.languages")


def _put_ids(body: Body, key: str, ids: Sequence[str], where: str, notes: Notes) -> None:
    wrong = [each for each in ids if not (each.isascii() and each.isdigit())]
    if wrong:
        notes.block("ids.not_numeric", where, ids=wrong)
    else:
        body.put_given(key, list(dict.fromkeys(ids)), where)


def _check_special(body: Body, at: str, notes: Notes) -> None:
    """Housing, employment, credit: no gender, and all adults or no age at all."""
    if body.values["gender"] != "GENDER_UNLIMITED":
        notes.block("special_industries.gender", f"{at}.genders")
    ages = body.values.get("age_groups")
    if ages is not None and tuple(ages) != reference.ADULT_BANDS:
        notes.block("special_industries.age", f"{at}.age_min")


def put_placements(body: Body, way: Way, ad_set: AdSetSnapshot, at: str, notes: Notes) -> None:
    where = f"{at}.placements"
    chosen = list(dict.fromkeys(ad_set.placements))
    unknown = [each for each in chosen if each not in reference.PLACEMENTS]
    if unknown:
        notes.block(
            "placements.unknown",
            where,
            placements=unknown,
            known=list(reference.PLACEMENTS),
        )
        return
    if way.target == "INSTANT_PAGE":  # instant forms open on TikTok only
        if chosen and chosen != ["PLACEMENT_TIKTOK"]:
            notes.block("placements.instant_form", where, placements=chosen)
        elif not chosen:
            notes.warn("placements.set_to_tiktok", where)
        chosen = ["PLACEMENT_TIKTOK"]
    if "PLACEMENT_GLOBAL_APP_BUNDLE" in chosen and way.goal == "TRAFFIC_LANDING_PAGE_VIEW":
        notes.block("placements.app_bundle_goal", where, goal=ad_set.goal)
    body.put(
        "placement_type",
        "PLACEMENT_TYPE_NORMAL" if chosen else "PLACEMENT_TYPE_AUTOMATIC",
        where,
    )
    body.put_given("placements", chosen, where)


def put_frequency(body: Body, way: Way, ad_set: AdSetSnapshot, at: str, notes: Notes) -> None:
    cap, where = ad_set.frequency_cap, f"{at}.frequency_cap"
    if cap is None:
        return
    most, longest = reference.FREQUENCY_LIMITS
    if way.billing != "CPM":
        notes.block("frequency.reach_only", where)
    elif not (1 <= cap.impressions <= most and 1 <= cap.days <= longest):
        notes.block("frequency.out_of_range", where, impressions=cap.impressions, days=cap.days,
                    most=most, longest=longest)  # fmt: skip
    else:
        body.put("frequency", cap.impressions, where)
        body.put("frequency_schedule", cap.days, where)
