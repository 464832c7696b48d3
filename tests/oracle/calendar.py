"""Rules 1 and 4: when each date of a challenge begins and ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """A date and its instants, from `begin` to before `end`."""

    date: date
    begin: int
    end: int


def dates(first: date, last: date) -> Iterator[date]:
    """Every date from `first` to `last`, both included."""
    while first <= last:
        yield first
        first += ONE_DAY


@cache
def first_instant(zone: str, day: date) -> int | None:
    """The first instant whose date in `zone` is `day`; None for a date that the zone skips.

    Looks at every minute from the earliest place on earth to the latest, then at the seconds before the one found.
    """
    clock = ZoneInfo(zone)
    utc_midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    for minute in range(utc_midnight - 16 * 3600, utc_midnight + 14 * 3600, 60):
        if datetime.fromtimestamp(minute, clock).date() == day:
            return next(
                second
                for second in range(minute - 59, minute + 1)
                if datetime.fromtimestamp(second, clock).date() == day
            )
    return None


def first_instant_from(zone: str, day: date) -> int:
    """The first instant of `day`, or where the zone skips it, of the next date that exists."""
    while (found := first_instant(zone, day)) is None:
        day += ONE_DAY
    return found


def days(starts: date, last: date, zones: Mapping[date, str]) -> list[Day]:
    """Every day from `starts` to `last` that has an instant, in order, no instant lost and none in two days.

    `zones` says from which date on each zone holds. The first day under a new zone begins where the last one under
    the old one ended. Moving far east that leaves nothing of a date, which is then skipped like one the zone skips.
    """
    since = [starts, *sorted(d for d in zones if starts < d <= last), last + ONE_DAY]
    found: list[Day] = []
    for first, after in pairwise(since):
        zone = zones[max(d for d in zones if d <= first)]
        existing = [d for d in dates(first, after - ONE_DAY) if first_instant(zone, d) is not None]
        begins = [first_instant_from(zone, d) for d in existing]
        ends = [*begins[1:], first_instant_from(zone, after)]
        old_end = found[-1].end if found else begins[0] if begins else 0
        opened = False
        for day, begin, end in zip(existing, begins, ends, strict=False):
            if end > old_end:
                found.append(Day(day, begin if opened else old_end, end))
                opened = True
    return found
