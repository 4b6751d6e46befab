"""Nothing that names a person or opens a door goes to a model: it is taken out of every text before it is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

#: name -> what it looks like. The order matters: what holds other things comes first.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("key", re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.S)),
    ("token", re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*")),
    ("token", re.compile(r"\b(?:sk|pk|rk|pcsk|xox[abprs]|gh[pousr]|glpat|AKIA|ASIA|AIza|ya29|EAA)[-_.]?[\w-]{12,}")),
    ("token", re.compile(r"\b(?:bearer|basic|token)\s+[\w.~+/=-]{12,}", re.I)),
    ("secret", re.compile(
        r"""(["']?\b[\w-]*(?:passw(?:or)?d|pwd|secret|api[_-]?key|access[_-]?token|refresh[_-]?token|developer[_-]?token|credential|authorization)"""
        r"""[\w-]*["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s,;&"']+)""", re.I)),
    ("click id", re.compile(r"\b((?:fbclid|ttclid|gclid|gbraid|wbraid|fbp|fbc)=)[^&\s\"']+", re.I)),
    ("email", re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")),
    ("hash", re.compile(r"\b[0-9a-fA-F]{64}\b")),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")),
    ("address", re.compile(r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b")),
    ("address", re.compile(r"\b(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{1,4}\b")),
    ("social security number", re.compile(r"\b\d{3}-\d{2}-\d{4}\b")),
    ("phone", re.compile(r"(?<![\w+])(?:\+|00)\d[\d ().-]{7,17}\d\b")),
    ("phone", re.compile(r"(?<![\w-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b")),
    ("phone", re.compile(r"(?<![\w-])0\d{2,5}[ /-]\d{3,}[\d -]{2,8}\d\b")),
)  # fmt: skip
_CARD = re.compile(r"(?<!\d)(?:3[47]\d{2}[ -]?\d{6}[ -]?\d{5}|[2-6]\d{3}(?:[ -]?\d{4}){3})(?!\d)")
#: Names of fields whose values are never sent, whatever they look like.
_CLOSED = re.compile(
    r"passw|secret|token|api_?key|credential|authorization|cookie|client_ip|user_?agent|^(email|phone|first_?name|last_?name|username)$",
    re.I,
)  # fmt: skip


@dataclass(slots=True)
class Cleaned:
    """`value` without them, and how many were taken out."""

    value: Any
    redactions: int


def cleaned(value: Any) -> Cleaned:
    """A text, or lists and dicts of texts, with a word in brackets wherever something was taken out."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, list | tuple):
        parts = [cleaned(each) for each in value]
        return Cleaned([each.value for each in parts], sum(each.redactions for each in parts))
    return Cleaned(value, 0)


def _mapping(value: Mapping[Any, Any]) -> Cleaned:
    made, count = {}, 0
    for key, each in value.items():
        if isinstance(key, str) and _CLOSED.search(key) and isinstance(each, str) and each:
            made[key], count = "[left out]", count + 1
            continue
        part, name = cleaned(each), cleaned(key)
        made[name.value], count = part.value, count + part.redactions + name.redactions
    return Cleaned(made, count)


def _text(text: str) -> Cleaned:
    count = 0
    for secret in _own_secrets():
        count += text.count(secret)
        text = text.replace(secret, "[secret]")
    text, cards = _CARD.subn(lambda found: "[card]" if _luhn(found.group()) else found.group(), text)
    count += text.count("[card]") if cards else 0
    for name, pattern in _PATTERNS:
        # a field's name before its value stays: the model still knows what stood there
        text, found = pattern.subn(rf"\1[{name}]" if pattern.groups else f"[{name}]", text)
        count += found
    return Cleaned(text, count)


def _own_secrets() -> list[str]:
    own = [settings.SECRET_KEY, *settings.ENCRYPTION_KEYS, settings.OPENAI_API_KEY, settings.PINECONE_API_KEY]
    return [each for each in own if len(each) >= 8]


def _luhn(text: str) -> bool:
    digits = [int(each) for each in reversed(text) if each.isdigit()]
    doubled = [each * 2 - 9 * (each > 4) for each in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
