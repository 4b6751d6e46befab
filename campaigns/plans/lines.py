"""A plan and its lines as values, before anything is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from governance.findings import Finding
from governance.tables import Place


@dataclass(frozen=True, slots=True)
class Location:
    """Where a plan wants to be seen: `kind` is Country, State, DMA, … as the plan says it."""

    text: str
    kind: str
    place: Place

    @property
    def is_country(self) -> bool:
        return self.kind.casefold() in ("country", "")


@dataclass(frozen=True, slots=True)
class AudienceText:
    """An audience in the plan's own words; `interests` is text that no platform can target by itself."""

    name: str
    age_min: int | None = None
    age_max: int | None = None
    gender: str = "ANY"  # ANY, FEMALE, MALE
    interests: str = ""


@dataclass(slots=True, kw_only=True)
class LineRead:
    """One line as it was read. What could not be read of it is None or "" (and a finding of the plan), so that
    the rest can still be looked up. Money is in `currency`; `rate` turns that into `rate_currency`."""

    place: Place
    position: int
    key: str
    name: str
    campaign: str
    advertiser: str
    channel: str  # the vocabulary's code, where the plan says it; else ""
    vendors: tuple[str, ...]  # tried in this order
    objective: str
    start: date | None
    end: date | None
    cost: Decimal | None
    currency: str
    market: str = ""  # code or name, where the plan says it
    kpi: str = ""
    goal: str = ""
    conversion_event: str = ""
    rate: Decimal | None = None
    rate_currency: str = ""
    locations: tuple[Location, ...] = ()
    audience: AudienceText | None = None
    ad_account: str = ""
    special_ad_categories: tuple[str, ...] | None = None
    special_ad_category_countries: tuple[str, ...] = ()
    political: str = ""  # "", CONTAINS, DOES_NOT_CONTAIN
    source: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class PlanLine(LineRead):
    """A line that can be imported as far as its own cells go."""

    start: date
    end: date
    cost: Decimal


@dataclass(slots=True)
class Plan:
    """A plan as read. A line with a blocking finding is among `broken` and not among `lines`."""

    key: str
    name: str
    format: str  # campaigns.models.MediaPlan.Format
    lines: list[PlanLine]
    findings: list[Finding]
    schema_version: str = ""
    currency: str = ""  # of the plan's totals, where it says one
    broken: list[LineRead] = field(default_factory=list)
    #: ids of all lines, those with findings included
    keys: set[str] = field(default_factory=set)
