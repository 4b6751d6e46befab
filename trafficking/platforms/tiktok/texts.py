"""Names, ad texts and links as TikTok counts and allows them."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from trafficking.platforms.tiktok.draft import Notes

EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2b55\u231a\u231b\u23e9-\u23ff\ufe0f\u20e3]")


def length(text: str) -> int:
    """Chinese and Japanese characters count as two (TikTok's document on campaign/create, `campaign_name`)."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def check_text(text: str, longest: int, where: str, notes: Notes) -> None:
    """Not blank, not too long, no emoji, no line breaks or broken characters."""
    if not text.strip():
        notes.block("text.empty", where)
        return
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        notes.block("text.control", where)
    if length(text) > longest:
        notes.block("text.too_long", where, length=length(text), longest=longest)
    if EMOJI.search(text):
        notes.block("text.emoji", where, emoji=EMOJI.findall(text))


def check_url(url: str, where: str, notes: Notes) -> bool:
    """An absolute http(s) address."""
    good = (
        url.startswith(("http://", "https://")) and bool(_host(url)) and url.isprintable() and " " not in url
    )
    if not good:
        notes.block("landing_page.invalid", where, url=url)
    return good


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
