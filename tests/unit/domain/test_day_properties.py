"""What holds of the days of every zone and of every history of zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given
from hypothesis import strategies as st

from evaluator.domain.day import ONE_DAY, Calendar, Window, ZoneVersion, days_between, first_instant

ZONES = sorted(available_timezones())
zones = st.sampled_from(ZONES).map(ZoneInfo)
dates = st.dates(date(1970, 1, 3), date(2099, 12, 1))


@st.composite
def histories(draw: st.DrawFn) -> tuple[date, Calendar]:
    """The first day of a challenge, and its calendar with up to three changes of zone within 30 days."""
    starts = draw(dates)
    changes = draw(st.lists(st.integers(1, 30), unique=True, max_size=3).map(sorted))
    versions = [ZoneVersion(starts + timedelta(days=offset), draw(zones)) for offset in [0, *changes]]
    return starts, Calendar(versions)


def test_in_every_zone_the_days_of_a_year_follow_each_other_without_gap_or_overlap() -> None:
    year = list(days_between(date(2026, 1, 1), date(2026, 12, 31)))
    for zone in ZONES:
        calendar = Calendar([ZoneVersion(year[0], ZoneInfo(zone))])
        windows = [calendar.window(day) for day in year]
        found = [window for window in windows if window is not None]
        assert len(found) == len(year), zone
        assert all(one.end == other.start for one, other in pairwise(found)), zone
        assert all(22 * 3600 <= window.end - window.start <= 26 * 3600 for window in found), zone


@given(zones, dates)
def test_a_day_begins_with_the_first_second_of_its_date(zone: ZoneInfo, day: date) -> None:
    start = first_instant(zone, day)
    # A date that the zone skips begins with the next one.
    assert datetime.fromtimestamp(start, zone).date() in {day, day + ONE_DAY}
    before = [start - 1, *range(start - 60, start - 26 * 3600, -60)]
    assert all(datetime.fromtimestamp(instant, zone).date() < day for instant in before)


@given(histories())
def test_whatever_zones_a_challenge_had_its_days_tile_its_time(history: tuple[date, Calendar]) -> None:
    starts, calendar = history
    days = list(days_between(starts, starts + timedelta(days=35)))
    windows = [window for day in days if (window := calendar.window(day)) is not None]
    assert windows[0].start == calendar.start(days[0])
    assert windows[-1].end == calendar.start(days[-1] + ONE_DAY)
    assert all(one.end == other.start for one, other in pairwise(windows))
    assert all(window.start < window.end for window in windows)


@given(histories(), st.integers(0, 35), st.data())
def test_the_date_at_an_instant_is_the_one_whose_window_holds_it(
    history: tuple[date, Calendar], offset: int, data: st.DataObject
) -> None:
    starts, calendar = history
    day = starts + timedelta(days=offset)
    window = calendar.window(day)
    if window is None:
        assert calendar.date_at(calendar.start(day)) > day
        return
    for instant in (window.start, window.end - 1, data.draw(st.integers(window.start, window.end - 1))):
        assert calendar.date_at(instant) == day


@given(histories(), st.integers(0, 35))
def test_a_change_of_zone_moves_no_day_before_it(history: tuple[date, Calendar], offset: int) -> None:
    starts, calendar = history
    day = starts + timedelta(days=offset)
    before = Calendar([version for version in calendar.zones if version.holds_from <= day])
    assert calendar.window(day) == before.window(day)


@given(st.integers(-(10**9), 4 * 10**9), st.integers(1, 60 * 3600))
def test_the_utc_dates_of_a_window_are_those_of_its_seconds(start: int, length: int) -> None:
    seconds = {start, start + length - 1, *range(start, start + length, 3600)}
    expected = {datetime.fromtimestamp(second, UTC).date() for second in seconds}
    assert Window(start, start + length).utc_dates() == expected
