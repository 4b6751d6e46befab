"""What must not be kept of an event as it came: what names a person outside of the hashed identifiers.

Addresses of pages lose their fragment and every parameter that is not known to be harmless; other texts that hold an
e-mail address, and keys that are meant for one, are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from tracking.events import Problem
from tracking.normalise import KEYS

#: Parameters of a page's address that are kept: campaigns and click ids.
HARMLESS = frozenset({"fbclid", "ttclid", "gclid", "gbraid", "wbraid", "gad_source", "gad_campaignid", "ref"})
_EMAIL = re.compile(r"[^\s@/=&?]+(?:@|%40)[^\s@/=&?]+\.[A-Za-z]{2,}")
_PERSONAL = frozenset(
    {
        "email", "mail", "phone", "tel", "mobile", "name", "first_name", "firstname", "last_name", "lastname", "address",
        "street", "birthday", "dob", "password", "ip", "user_agent",
    }
)  # fmt: skip
_CLICKS = frozenset(
    {"fbc", "fbp", "ttclid", "ttp", "gclid", "gbraid", "wbraid", "external_id", "country", "st", "page_id"}
)
_FORBIDDEN = _PERSONAL | (KEYS - _CLICKS)
_DEEPEST = 5


def clean_url(url: str) -> str:
    """The address without user, fragment and parameters that may name a person; parts that hold an e-mail are cut."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    kept = [(key, value) for key, value in parse_qsl(parts.query) if _kept(key, value)]
    path = "/".join("" if _EMAIL.search(unquote(each)) else each for each in parts.path.split("/"))
    return urlunsplit((parts.scheme, host, path, urlencode(kept), ""))


def _kept(key: str, value: str) -> bool:
    return (key in HARMLESS or key.startswith("utm_")) and not _EMAIL.search(value)


def personal(raw: Mapping[str, Any]) -> list[Problem]:
    """Where a person's data stands that belongs into `user`. The words never repeat it."""
    found = [
        Problem(name, "personal", f"{name} holds an e-mail address. Send an id that names no person.")
        for name in ("event_id", "event_name", "order_id")
        if isinstance(raw.get(name), str) and _EMAIL.search(raw[name])
    ]
    for name in ("custom", "contents", "consent"):
        found += [
            Problem(
                path, "personal", f"{path} looks like personal data. Send it in user, where it is hashed."
            )
            for path in _where(raw.get(name), name, 0)
        ]
    return found


def _where(value: Any, path: str, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        yield path
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if _EMAIL.search(str(key)):
                yield path
            elif path.startswith("custom") and str(key).casefold() in _FORBIDDEN:
                yield f"{path}.{key}"[:80]
            else:
                yield from _where(each, f"{path}.{key}"[:80], depth + 1)
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _where(each, f"{path}[{at}]", depth + 1)
    elif isinstance(value, str) and _EMAIL.search(value):
        yield path
