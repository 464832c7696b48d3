"""The days of a challenge: which seconds belong to a date, in any time zone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
_EPOCH = date(1970, 1, 1).toordinal()
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def read_date(text: str) -> date:
    """The date that is written as 2026-11-20. Raises ValueError, for other ways to write one too."""
    if not _WRITTEN.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open interval `[start, end)` of a day, in whole seconds since the epoch."""

    start: int
    end: int

    def __contains__(self, instant: int) -> bool:
        return self.start <= instant < self.end

    def utc_dates(self) -> frozenset[date]:
        """The UTC dates that the window touches."""
        return _dates(self.start // 86_400, (self.end - 1) // 86_400)


@cache
def _dates(first: int, last: int) -> frozenset[date]:
    """The dates between two days, both included, counted since the epoch."""
    return frozenset(date.fromordinal(_EPOCH + day) for day in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class ZoneVersion:
    """A time zone, and the first date of the challenge that is counted in it."""

    holds_from: date
    zone: ZoneInfo


def first_instant(zone: ZoneInfo, day: date) -> int:
    """The first second whose local date is `day` or later.

    That is local midnight; the earlier one where midnight happens twice, and the first second after the gap
    where it does not happen. A date that the zone skips begins with the next one that exists.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    # PEP 495: in a gap, fold=1 reads midnight with the offset that holds after the gap, which gives a second before
    # the change, and fold=0 one after it; the change lies between them. Elsewhere fold=1 is no earlier than fold=0.
    before, after = int(midnight.replace(fold=1).timestamp()), int(midnight.timestamp())
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).date() >= day:
            after = middle
        else:
            before = middle
    return after


class Calendar:
    """The windows of a challenge's days under the time zones that it had.

    A new zone holds from a date on, and the first day under it begins where the last one under the old zone
    ended. A date that no second is left for has no window.
    """

    def __init__(self, zones: Sequence[ZoneVersion]) -> None:
        """`zones` ascend by `holds_from`; the first one also holds before its date."""
        self.zones = tuple(zones)
        self._begins = [-(2**62)]
        for old, new in zip(self.zones, self.zones[1:], strict=False):
            self._begins.append(max(self._begins[-1], first_instant(old.zone, new.holds_from)))
        self._starts: dict[date, int] = {}

    def start(self, day: date) -> int:
        """The first second of `day`; that of the next date with a window, where it has none."""
        if day not in self._starts:
            self._starts[day] = self._compute_start(day)
        return self._starts[day]

    def _compute_start(self, day: date) -> int:
        newest = self._newest(day)
        version, begins = self.zones[newest], self._begins[newest]
        if newest and day == version.holds_from:
            return begins
        return max(begins, first_instant(version.zone, day))

    def _newest(self, day: date) -> int:
        """Which of the zones `day` is counted in."""
        return max(0, sum(version.holds_from <= day for version in self.zones) - 1)

    def window(self, day: date) -> Window | None:
        """The seconds of `day`, or None where the zone skips that date."""
        start, end = self.start(day), self.start(day + ONE_DAY)
        return Window(start, end) if start < end else None

    def date_at(self, instant: int) -> date:
        """The date whose window holds `instant`."""
        day = datetime.fromtimestamp(instant, UTC).date() - 2 * ONE_DAY
        while self.start(day + ONE_DAY) <= instant:
            day += ONE_DAY
        return day

    def zone_on(self, day: date) -> ZoneInfo:
        """The time zone that `day` is counted in."""
        return self.zones[self._newest(day)].zone


def days_between(first: date, last: date) -> Iterator[date]:
    """Every date from `first` to `last`, both included."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)
