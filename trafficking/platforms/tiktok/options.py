"""payload_config: TikTok's own options of ticket, ad set and ad, checked against the reference.

`ticket.config` holds campaign options, and under `ad_set` and `ad` options for all of them; an ad set's or
ad's own `config` goes over those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trafficking.platforms.base import TicketSnapshot
from trafficking.platforms.tiktok import reference
from trafficking.platforms.tiktok.draft import Notes


@dataclass(frozen=True, slots=True)
class Options:
    values: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)  # option -> the ticket field that set it

    def over(self, config: Mapping[str, Any], at: str) -> Options:
        """These options with `config` laid over them."""
        if not config:
            return self
        return Options(
            {**self.values, **config},
            {**self.where, **{name: f"{at}.{name}" for name in config}},
        )


def checked(
    config: Mapping[str, Any],
    level: Literal["ticket", "ad_set", "ad"],
    at: str,
    notes: Notes,
) -> Mapping[str, Any]:
    """The options, or none of them where one is unknown or malformed (a blocking finding each)."""
    if not config:
        return {}
    plain = dict(config)
    wrong = reference.OPTIONS[level].findings(plain, object_name=level, sources={})
    for finding in wrong:
        notes.block(
            "config.invalid",
            at,
            option=finding.params["pointer"],
            problem=finding.params["problem"],
        )
    return {} if wrong else plain


def ticket_with_checked_config(ticket: TicketSnapshot, notes: Notes) -> TicketSnapshot:
    return replace(ticket, config=checked(ticket.config, "ticket", "config", notes))


def zone_of(ticket: TicketSnapshot) -> ZoneInfo | None:
    """The account's zone; None for an unknown name (told once, by compile)."""
    try:
        return ZoneInfo(ticket.account.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
