"""What is sent of a person, per platform: normalised, hashed where the platform wants it hashed, or dropped.

Documentation first; where it is silent, Meta's parameter builder. The same email or phone has another hash at each
platform. Raw values are never kept: nothing here caches, logs or raises with one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256

from tracking import cleaning, phones

#: (raw, region) -> what is sent, or None to drop it.
Rule = Callable[[str, str | None], str | None]
Sent = str | list[str]

#: A SHA-256 that came hashed; Meta's parameter builder adds a short mark behind it, which isn't part of the hash.
_HASHED = re.compile(r"\s*([0-9a-fA-F]{64})(?:\.[A-Za-z0-9_-]{1,16})?\s*", re.ASCII)

PLATFORMS = ("meta", "tiktok", "google")


def normalise(platform: str, field: str, raw: object, *, region: str | None = None) -> str | None:
    """The value that would be sent: SHA-256 in hex for hashed fields, plain text for others, None to drop it.

    `platform` is meta, tiktok or google, `field` the platform's own name ("em" at Meta, "email" at TikTok and
    Google). `region` is the market of the source (ISO alpha-2), for phone numbers without a country code.
    KeyError for a field the platform does not have.
    """
    rule = RULES[platform][field]
    text = _text(raw)
    return rule(text, region) if text else None


def identifiers(
    raw: Mapping[str, object], *, region: str | None = None, platforms: Iterable[str] = PLATFORMS
) -> dict[str, dict[str, Sent]]:
    """One person's raw keys (Meta's short names: em, ph, fn …, click ids by their own) as each platform gets them.

    Values are a text or a list of texts; a list stays a list, without doubles. What is to be dropped is not in the
    answer, and unknown keys are ignored.
    """
    return {platform: _person(raw, _DOORS[platform], region) for platform in platforms}


def _person(
    raw: Mapping[str, object], doors: Mapping[str, tuple[str, Rule]], region: str | None
) -> dict[str, Sent]:
    sent: dict[str, Sent] = {}
    for key, value in raw.items():
        door = doors.get(key)
        if door is None or not value:
            continue
        field, rule = door
        if value.__class__ is str:
            one = rule(value, region)  # type: ignore[arg-type]
            if one is not None:
                sent[field] = one
        elif isinstance(value, list | tuple):
            each = (rule(text, region) for text in map(_text, value) if text)
            many = list(dict.fromkeys(one for one in each if one is not None))
            if many:
                sent[field] = many
        else:
            one = rule(_text(value), region)
            if one is not None:
                sent[field] = one
    return sent


def _text(raw: object) -> str:
    if raw is None or isinstance(raw, bool | Mapping | list | tuple | bytes):
        return ""
    return str(raw)


def _hashed(clean: Rule) -> Rule:
    """`clean`, then SHA-256. What comes hashed passes in lower case; never the hash of nothing."""

    def rule(raw: str, region: str | None) -> str | None:
        if len(raw) > 63:
            already = _HASHED.fullmatch(raw)
            if already is not None:
                return already[1].lower()
        text = clean(raw, region)
        if not text:
            return None
        try:
            return sha256(text.encode()).hexdigest()
        except UnicodeEncodeError:  # half of a surrogate pair: no text
            return None

    return rule


def _country_of_google(raw: str, region: str | None) -> str | None:
    """A country as people write it, for the raw key `country`; the platform's own field takes codes only."""
    code = cleaning.country(raw, region)
    return code.upper() if code else None


_plain = cleaning.trimmed
RULES: Mapping[str, Mapping[str, Rule]] = {
    "meta": {
        "em": _hashed(cleaning.email), "ph": _hashed(phones.digits),
        "fn": _hashed(cleaning.name), "ln": _hashed(cleaning.name),
        "db": _hashed(cleaning.birthday), "ge": _hashed(cleaning.gender),
        "ct": _hashed(cleaning.city), "st": _hashed(cleaning.state), "zp": _hashed(cleaning.postcode),
        "country": _hashed(cleaning.country), "external_id": _hashed(cleaning.external_id),
        "f5first": _hashed(cleaning.first_five), "f5last": _hashed(cleaning.first_five),
        "fi": _hashed(cleaning.initial), "dobd": _hashed(cleaning.day_of_month),
        "dobm": _hashed(cleaning.month), "doby": _hashed(cleaning.year),
        "client_ip_address": cleaning.ip_address, "client_user_agent": _plain,
        "fbc": cleaning.click_cookie, "fbp": cleaning.browser_cookie, "subscription_id": _plain,
        "fb_login_id": _plain, "lead_id": _plain, "anon_id": _plain, "madid": _plain, "page_id": _plain,
        "page_scoped_user_id": _plain, "ctwa_clid": _plain, "ig_account_id": _plain, "ig_sid": _plain,
        "currency": cleaning.currency,
    },
    "tiktok": {
        "email": _hashed(cleaning.loose_email), "phone": _hashed(phones.e164), "external_id": _hashed(_plain),
        "first_name": _hashed(cleaning.spaced_out), "last_name": _hashed(cleaning.spaced_out),
        "zip_code": _hashed(cleaning.spaced_out), "city": cleaning.spaced_out, "state": cleaning.spaced_out,
        "country": cleaning.country, "ip": cleaning.ip_address, "user_agent": _plain, "ttclid": _plain,
        "ttp": _plain, "locale": _plain, "idfa": _plain, "gaid": _plain,
    },
    "google": {
        "email": _hashed(cleaning.google_email), "phone": _hashed(phones.e164),
        "first_name": _hashed(cleaning.given_name), "last_name": _hashed(cleaning.family_name),
        "region_code": cleaning.region_code, "postal_code": _plain, "city": _plain,
        "gclid": _plain, "gbraid": _plain, "wbraid": _plain,
    },
}  # fmt: skip

#: Raw keys whose platform field has another name: raw key -> field.
_OTHER_NAMES: Mapping[str, Mapping[str, str]] = {
    "meta": {},
    "tiktok": {
        "em": "email", "ph": "phone", "fn": "first_name", "ln": "last_name", "ct": "city", "st": "state",
        "zp": "zip_code",
    },
    "google": {
        "em": "email", "ph": "phone", "fn": "first_name", "ln": "last_name", "ct": "city", "zp": "postal_code",
    },
}  # fmt: skip
#: Not of the person: they come from the request, or belong to the event.
_NOT_IDENTIFIERS = {"client_ip_address", "client_user_agent", "ip", "user_agent", "currency", "region_code"}


def _doors(platform: str) -> dict[str, tuple[str, Rule]]:
    rules, names = RULES[platform], _OTHER_NAMES[platform]
    renamed = set(names.values())
    own = {
        field: (field, rule)
        for field, rule in rules.items()
        if field not in _NOT_IDENTIFIERS and field not in renamed
    }
    return own | {key: (field, rules[field]) for key, field in names.items()}


_DOORS = {platform: _doors(platform) for platform in PLATFORMS}
_DOORS["google"]["country"] = ("region_code", _country_of_google)
#: Every raw key that some platform takes.
KEYS = frozenset(key for doors in _DOORS.values() for key in doors)
