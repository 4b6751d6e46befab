"""Times: account time becomes UTC text; dayparts become 48 x 7 half-hours of account time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from trafficking.platforms.base import AdSetSnapshot, Daypart, TicketSnapshot
from trafficking.platforms.tiktok.draft import Body, Notes
from trafficking.platforms.tiktok.money import Flight

HALF_HOURS = 48 * 7
#: TikTok takes no end later than 2038-01-01 (its schema of adgroup/create); the lower year is only sane.
YEARS = (2000, 2038)


def utc_text(moment: datetime) -> str:
    """`YYYY-MM-DD HH:MM:SS` in UTC, whatever the account's zone (TikTok's document on adgroup/create)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def flight_of(ticket: TicketSnapshot, ad_set: AdSetSnapshot, at: str, notes: Notes) -> Flight | None:
    """The ad set's own dates, or the ticket's; None with a finding where they make no flight."""
    start, end = ad_set.start or ticket.start, ad_set.end or ticket.end
    where = f"{at}.end" if ad_set.end or ad_set.start else "end"
    if start is None:  # a draft may come without dates
        notes.block("schedule.start_missing", "start")
        return None
    if start.tzinfo is None or (end is not None and end.tzinfo is None):
        notes.block("schedule.no_zone", where)
        return None
    if not all(YEARS[0] <= each.year < YEARS[1] for each in (start, end) if each is not None):
        notes.block("schedule.out_of_range", where, first=YEARS[0], last=YEARS[1] - 1)
        return None
    if end is not None and end <= start:
        notes.block(
            "schedule.ends_before_start",
            where,
            start=start.isoformat(),
            end=end.isoformat(),
        )
        return None
    return Flight(start, end)


def put_schedule(body: Body, flight: Flight, ad_set: AdSetSnapshot, at: str) -> None:
    start_source = f"{at}.start" if ad_set.start else "start"
    end_source = f"{at}.end" if ad_set.end else "end"
    body.put(
        "schedule_type",
        "SCHEDULE_START_END" if flight.end else "SCHEDULE_FROM_NOW",
        end_source,
    )
    body.put("schedule_start_time", utc_text(flight.start), start_source)
    if flight.end:
        body.put("schedule_end_time", utc_text(flight.end), end_source)


def put_dayparts(body: Body, dayparts: Sequence[Daypart], at: str, notes: Notes) -> None:
    """Nothing sent means all hours."""
    wrong = [part for part in dayparts if not _possible(part)]
    for part in wrong:
        notes.block(
            "dayparts.impossible",
            f"{at}.dayparts",
            day=part.day,
            start=part.start_hour,
            end=part.end_hour,
        )
    if dayparts and not wrong:
        body.put("dayparting", half_hours(dayparts), f"{at}.dayparts")


def half_hours(dayparts: Sequence[Daypart]) -> str:
    """336 characters from Monday 00:00; 1 is on air."""
    on_air = ["0"] * HALF_HOURS
    for part in dayparts:
        first, last = (
            part.day * 48 + part.start_hour * 2,
            part.day * 48 + part.end_hour * 2,
        )
        on_air[first:last] = "1" * (last - first)
    return "".join(on_air)


def _possible(part: Daypart) -> bool:
    return 0 <= part.day <= 6 and 0 <= part.start_hour < part.end_hour <= 24
