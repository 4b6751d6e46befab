"""Phone numbers as the platforms want them.

Meta: digits only, country code first, leading zeros off; a number that already has its country code is not
reinterpreted. TikTok and Google: E.164 with its plus. `phonenumbers` reads national numbers and untidy ones;
what is E.164 already never gets that far.
"""

from __future__ import annotations

import re

import phonenumbers

_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_MD5 = re.compile(r"[0-9a-fA-F]{32}")


def digits(raw: str, region: str | None) -> str | None:
    """Meta's form: "+1 (650) 555-1212" -> "16505551212"; None where no digits are left.

    `region` is the market of the source (ISO alpha-2): a number that names no country is read as national there.
    """
    if raw[:1] == "+" and raw[1:].isdigit() and raw.isascii():
        return raw[1:].lstrip("0") or None
    if _MD5.fullmatch(raw.strip()):
        return None  # an MD5 is no number
    figures = _NOT_A_DIGIT.sub("", raw)
    if region and "+" not in raw and not figures.startswith("00"):
        national = _national(raw, figures, region)
        if national is not None:
            return national[1:]
    return figures.lstrip("0") or None


def e164(raw: str, region: str | None) -> str | None:
    """TikTok's and Google's form: "(+1)2133734253" -> "+12133734253"; None for what is no phone number."""
    if _E164.fullmatch(raw):
        return raw
    figures = _NOT_A_DIGIT.sub("", raw)
    if "+" in raw or figures.startswith("00"):
        return _international(raw, figures.removeprefix("00") if "+" not in raw else figures)
    if region:
        national = _national(raw, figures, region)
        if national is not None:
            return national
    number = _parsed("+" + figures, None)
    return _formatted(number) if number is not None and phonenumbers.is_valid_number(number) else None


def _international(raw: str, figures: str) -> str | None:
    """With its country code; "(0)" and extensions are taken out by `phonenumbers`."""
    text = raw[raw.index("+") :].replace("+)", "+") if "+" in raw else "+" + figures
    number = _parsed(text, None)
    if number is not None and phonenumbers.is_possible_number(number):
        return _formatted(number)
    plain = "+" + figures
    return plain if _E164.fullmatch(plain) else None


def _national(raw: str, figures: str, region: str) -> str | None:
    """E.164 of a number that names no country, read in `region`; None where it is not valid there."""
    code = str(phonenumbers.country_code_for_region(region.upper()))
    if figures.startswith(code):
        whole = _parsed("+" + figures, None)
        if whole is not None and phonenumbers.is_valid_number(whole):
            return "+" + figures
    number = _parsed(raw, region.upper())
    return _formatted(number) if number is not None and phonenumbers.is_valid_number(number) else None


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _formatted(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
