"""The rules that make one text one text: what is hashed or sent, before hashing.

Every rule takes (raw, region) and gives the clean text, or None where the value is to be dropped. The sources are in
docs/conversions.md. Nothing here logs, and nothing raises with a value in its words.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
import string
import unicodedata

from tracking.places import STATE_COUNTRIES, country_code, state_code

_DROPPED = str.maketrans("", "", string.punctuation + string.whitespace)
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
#: ASCII only, a dot in the domain, no empty parts: as Meta's parameter builder.
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")
_LOOSE_EMAIL = re.compile(r"[^\s@<>]+@[^\s@.<>]+(?:\.[^\s@.<>]+)+")
_NUMBERS = re.compile(r"[0-9]+")
_CLICK = re.compile(r"fb\.\d+\.\d+\.[^.\s]+(?:\.[^.\s]+)?", re.ASCII)
_BROWSER = re.compile(r"fb\.\d+\.\d+\.\d+(?:\.[^.\s]+)?", re.ASCII)
_TITLE = re.compile(r"^(?:mr|mrs|ms|miss|dr|prof)\.?\s+", re.IGNORECASE)
_SUFFIX = re.compile(r"[,\s]+(?:jr|sr|ii|iii|iv|phd|md)\.?$", re.IGNORECASE)
_WORDS = {
    "m": "m male man boy he him his mr mister sir gentleman guy father dad brother son husband",
    "f": "f female woman girl she her hers mrs ms miss madam lady mother mom mum sister daughter wife",
}
_GENDERS = {word: letter for letter, words in _WORDS.items() for word in words.split()}
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10",
        "0.0.0.0/8", "::1/128", "::/128", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip


def trimmed(raw: str, region: str | None) -> str | None:
    return raw.strip() or None


def name(raw: str, region: str | None) -> str | None:
    """Meta: lower case, no punctuation, no spaces; letters of every script stay."""
    text = raw.lower()
    return text if text.isalpha() else _without_punctuation(text)


def first_five(raw: str, region: str | None) -> str | None:
    text = name(raw, region)
    return text[:5] if text else None


def initial(raw: str, region: str | None) -> str | None:
    text = name(raw, region)
    return text[:1] if text else None


def spaced_out(raw: str, region: str | None) -> str | None:
    """TikTok's names and places: lower case, no spaces."""
    return "".join(raw.lower().split()) or None


def city(raw: str, region: str | None) -> str | None:
    """Meta: as names, and no special characters; what starts with a digit is no city."""
    text = raw.lower()
    if not text.isalpha():
        text = "".join(sign for sign in text if unicodedata.category(sign)[0] in "LMN")
        if not text or text[0].isdigit():
            return None
    return text


def state(raw: str, region: str | None) -> str | None:
    """Meta: two letters in the US (and Canada), elsewhere the name without spaces."""
    text = raw.lower()
    if not text.isalpha():
        text = "".join(sign for sign in text if unicodedata.category(sign)[0] in "LM")
    if len(text) > 2 and (region is None or region.upper() in STATE_COUNTRIES):
        return state_code(text) or text
    return text or None


def postcode(raw: str, region: str | None) -> str | None:
    """Meta: lower case, no spaces, cut at the first dash; in the US the first five."""
    text = raw.lower()
    if not text.isalnum():
        text = "".join(text.split()).partition("-")[0]
    if region == "US" and len(text) == 9:
        text = text[:5]
    return text if len(text) > 1 else None


def country(raw: str, region: str | None) -> str | None:
    return country_code(raw)


def email(raw: str, region: str | None) -> str | None:
    """Meta: trimmed, lower case, and an address at all."""
    text = raw.strip().lower()
    return text if _EMAIL.fullmatch(text) else None


def loose_email(raw: str, region: str | None) -> str | None:
    """TikTok: trimmed and lower case; domains of other scripts pass."""
    text = raw.strip().lower()
    return text if _LOOSE_EMAIL.fullmatch(text) else None


def google_email(raw: str, region: str | None) -> str | None:
    """No spaces, lower case; at gmail.com and googlemail.com without dots and without everything from the plus."""
    text = "".join(raw.lower().split())
    local, _, domain = text.rpartition("@")
    if domain in ("gmail.com", "googlemail.com"):
        local = local.partition("+")[0].replace(".", "")
        text = f"{local}@{domain}"
    return text if _LOOSE_EMAIL.fullmatch(text) else None


def given_name(raw: str, region: str | None) -> str | None:
    """Google: lower case, trimmed, no "Mrs."; inner spaces stay."""
    return _TITLE.sub("", raw.strip()).lower() or None


def family_name(raw: str, region: str | None) -> str | None:
    """Google: lower case, trimmed, no "Jr."."""
    return _SUFFIX.sub("", raw.strip()).lower() or None


def region_code(raw: str, region: str | None) -> str | None:
    """Google: ISO 3166-1 alpha-2, upper case."""
    text = raw.strip()
    code = country_code(text) if len(text) == 2 else None
    return code.upper() if code else None


def birthday(raw: str, region: str | None) -> str | None:
    """Meta: YYYYMMDD from any order and punctuation, month first where both could be; a real day since 1900."""
    numbers = _NUMBERS.findall(raw)
    if len(numbers) == 1 and len(numbers[0]) == 8:
        figures = numbers[0]
        return _day(figures[:4], figures[4:6], figures[6:]) or _day(figures[4:], figures[:2], figures[2:4])
    if len(numbers) != 3:
        return None
    first, second, third = numbers
    if len(first) == 4:
        return _day(first, second, third)
    if len(third) != 4:
        return None
    return _day(third, first, second) or _day(third, second, first)


def _day(year: str, month: str, day: str) -> str | None:
    try:
        date = datetime.date(int(year), int(month), int(day))
    except ValueError:
        return None
    if date.year < 1900 or date > datetime.datetime.now(datetime.UTC).date():
        return None
    return f"{date:%Y%m%d}"


def day_of_month(raw: str, region: str | None) -> str | None:
    return _bounded(raw, 31)


def month(raw: str, region: str | None) -> str | None:
    return _bounded(raw, 12)


def year(raw: str, region: str | None) -> str | None:
    text = raw.strip()
    return text if len(text) == 4 and text.isdecimal() and text.isascii() else None


def _bounded(raw: str, most: int) -> str | None:
    text = raw.strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 2 and 1 <= int(text) <= most):
        return None
    return text.zfill(2)


def gender(raw: str, region: str | None) -> str | None:
    return _GENDERS.get(raw.strip().lower())


def external_id(raw: str, region: str | None) -> str | None:
    """Meta: lower case and no spaces, the same in every channel."""
    return "".join(raw.lower().split()) or None


def ip_address(raw: str, region: str | None) -> str | None:
    """A valid, public address, as it was written."""
    text = raw.strip()
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if any(address in net for net in _PRIVATE if net.version == address.version) else text


def click_cookie(raw: str, region: str | None) -> str | None:
    """`fbc`: fb.<index>.<ms>.<click id>[.<appendix>], never lower-cased."""
    text = raw.strip()
    return text if _CLICK.fullmatch(text) else None


def browser_cookie(raw: str, region: str | None) -> str | None:
    """`fbp`: fb.<index>.<ms>.<random number>[.<appendix>]."""
    text = raw.strip()
    return text if _BROWSER.fullmatch(text) else None


def currency(raw: str, region: str | None) -> str | None:
    text = raw.strip().lower()
    return text if len(text) == 3 and text.isalpha() and text.isascii() else None


def _without_punctuation(text: str) -> str | None:
    text = text.translate(_DROPPED)
    if not text.isascii():
        text = "".join(
            sign for sign in text if not sign.isspace() and unicodedata.category(sign)[0] not in "PC"
        )
    return text or None
