"""Flight dates and ad schedules, in the account's time zone.

`Campaign.start_date_time` and `end_date_time` are `yyyy-MM-dd HH:mm:ss` in the customer's zone; a time of
day other than 00:00:00 and 23:59:59 is supported "for some campaign types" only (campaign.py, v26), and
refused with DateError.DATE_RANGE_ERROR_START_TIME_MUST_BE_THE_START_OF_A_DAY otherwise. Which types those are
the SDK does not say, so whole days are sent, and the difference is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

from trafficking.platforms.base import Daypart, TicketSnapshot
from trafficking.platforms.google_ads.notes import Notes
from trafficking.platforms.google_ads.reference import LIMITS

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


@dataclass(frozen=True, slots=True)
class Flight:
    """First and last day, in the account's zone."""

    first: date
    last: date | None

    @property
    def days(self) -> int | None:
        """Days of the flight, both ends included; None without an end."""
        return None if self.last is None else (self.last - self.first).days + 1

    def fields(self) -> dict[str, str]:
        start = {"startDateTime": f"{self.first} 00:00:00"}
        return start if self.last is None else {**start, "endDateTime": f"{self.last} 23:59:59"}


def flight(ticket: TicketSnapshot, notes: Notes) -> Flight | None:
    """The ticket's flight in whole days of the account; None where it makes no sense."""
    zone = _zone(ticket.account.time_zone)
    if zone is None:
        notes.block("account.time_zone_unknown", "account", time_zone=ticket.account.time_zone)
        return None
    first = _local(ticket.start, zone, "start", notes)
    last = None if ticket.end is None else _local(ticket.end, zone, "end", notes)
    if first is None or (last is None and ticket.end is not None):
        return None
    if last is not None and last < first:
        notes.block("schedule.end_before_start", "end", start=str(first), end=str(last))
        return None
    _warn_of_rounding(first, last, ticket.account.time_zone, notes)
    _refuse_own_flights(ticket, first, last, zone, notes)
    return Flight(first.date(), None if last is None else last.date())


def schedules(dayparts: Sequence[Daypart], field: str, notes: Notes) -> list[dict[str, object]]:
    """`AdScheduleInfo` per daypart; what Google refuses (spans, overlaps, over six a day) is a finding."""
    by_day: dict[int, list[Daypart]] = defaultdict(list)
    for index, part in enumerate(dayparts):
        if not (0 <= part.day <= 6 and 0 <= part.start_hour < part.end_hour <= 24):
            notes.block("daypart.invalid", f"{field}[{index}]", start=part.start_hour, end=part.end_hour)
            return []
        by_day[part.day].append(part)
    for day, parts in by_day.items():
        _check_day(day, parts, field, notes)
    return [_schedule(part) for part in sorted(dayparts, key=lambda p: (p.day, p.start_hour))]


def _schedule(part: Daypart) -> dict[str, object]:
    return {
        "dayOfWeek": DAYS[part.day],
        "startHour": part.start_hour,
        "startMinute": "ZERO",
        "endHour": part.end_hour,
        "endMinute": "ZERO",
    }


def _check_day(day: int, parts: list[Daypart], field: str, notes: Notes) -> None:
    most = LIMITS["ad_schedules_per_day"]
    if len(parts) > most:
        notes.block("daypart.too_many", field, day=DAYS[day], count=len(parts), maximum=most)
    ordered = sorted(parts, key=lambda part: part.start_hour)
    for earlier, later in pairwise(ordered):
        if later.start_hour < earlier.end_hour:
            notes.block("daypart.overlap", field, day=DAYS[day])
            return


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _local(moment: datetime, zone: ZoneInfo, field: str, notes: Notes) -> datetime | None:
    if moment.tzinfo is None:
        notes.block("schedule.without_zone", field)
        return None
    return moment.astimezone(zone).replace(tzinfo=None)


def _warn_of_rounding(first: datetime, last: datetime | None, zone: str, notes: Notes) -> None:
    if first.time() != time(0):
        notes.warn(
            "schedule.whole_days", "start", asked=str(first), sent=f"{first.date()} 00:00:00", zone=zone
        )
    if last is not None and last.time().replace(microsecond=0) != time(23, 59, 59):
        notes.warn("schedule.whole_days", "end", asked=str(last), sent=f"{last.date()} 23:59:59", zone=zone)


def _refuse_own_flights(
    ticket: TicketSnapshot, first: datetime, last: datetime | None, zone: ZoneInfo, notes: Notes
) -> None:
    """Google's ad groups have no dates of their own."""
    for index, ad_set in enumerate(ticket.ad_sets):
        for name, moment, whole in (("start", ad_set.start, first), ("end", ad_set.end, last)):
            if moment is None:
                continue
            own = _local(moment, zone, f"ad_sets[{index}].{name}", notes)
            if own is not None and (whole is None or own.date() != whole.date()):
                notes.block("schedule.ad_group_dates", f"ad_sets[{index}].{name}", asked=str(own))
