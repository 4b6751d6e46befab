"""The registrable domain of a landing page, as Meta's `conversion_domain` wants it: example.com."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

#: Second-level labels under which country registries sell names (example.co.uk, example.com.br).
#: A ticket can always state the domain itself, in `config.conversion_domain`.
_REGISTRY_LABELS = frozenset(
    [
        "ac",
        "asn",
        "co",
        "com",
        "edu",
        "gen",
        "go",
        "gob",
        "gov",
        "govt",
        "gv",
        "id",
        "in",
        "me",
        "mil",
        "ne",
        "net",
        "nom",
        "or",
        "org",
        "sch",
    ]
)


def conversion_domain(url: str) -> str:
    """First and second level domain of a URL's host, "" where there is none (no host, an IP address)."""
    try:
        host = (urlsplit(url).hostname or "").strip(".").encode("idna").decode().lower()
    except (ValueError, UnicodeError):
        return ""
    labels = host.split(".")
    if len(labels) < 2 or _is_address(host):
        return ""
    sold_below = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _REGISTRY_LABELS
    return ".".join(labels[-3:] if sold_below else labels[-2:])


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
