"""Which seconds belong to a date (rules 1 and 4). Offsets are those of the IANA database; UTC = local - offset."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from evaluator.domain.day import Calendar, Window, ZoneVersion, days_between, first_instant


def at(text: str) -> int:
    """Seconds since the epoch of an instant written with its offset; `Z` is UTC."""
    return int(datetime.fromisoformat(text).timestamp())


def calendar(*zones: tuple[str, str]) -> Calendar:
    return Calendar([ZoneVersion(date.fromisoformat(day), ZoneInfo(zone)) for day, zone in zones])


def window(start: str, end: str) -> Window:
    return Window(at(start), at(end))


@pytest.mark.parametrize(
    ("zone", "day", "start", "end", "hours"),
    [
        ("UTC", "2026-11-10", "2026-11-10T00:00Z", "2026-11-11T00:00Z", 24),
        # +05:30 and +05:45: midnight is 18:30 and 18:15 UTC of the day before.
        ("Asia/Kolkata", "2026-11-10", "2026-11-09T18:30Z", "2026-11-10T18:30Z", 24),
        ("Asia/Kathmandu", "2026-11-10", "2026-11-09T18:15Z", "2026-11-10T18:15Z", 24),
        # The ends of the world: +14, +13, -11, -12.
        ("Pacific/Kiritimati", "2026-11-10", "2026-11-09T10:00Z", "2026-11-10T10:00Z", 24),
        ("Pacific/Tongatapu", "2026-11-10", "2026-11-09T11:00Z", "2026-11-10T11:00Z", 24),
        ("Pacific/Pago_Pago", "2026-11-10", "2026-11-10T11:00Z", "2026-11-11T11:00Z", 24),
        ("Etc/GMT+12", "2026-11-10", "2026-11-10T12:00Z", "2026-11-11T12:00Z", 24),
        # +01 turns to +02 at 02:00: from 23:00 UTC to 22:00 UTC.
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00Z", "2026-03-29T22:00Z", 23),
        # +02 turns to +01 at 03:00: from 22:00 UTC to 23:00 UTC.
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00Z", "2026-10-25T23:00Z", 25),
        # -05 turns to -04 at 02:00, and back.
        ("America/New_York", "2026-03-08", "2026-03-08T05:00Z", "2026-03-09T04:00Z", 23),
        ("America/New_York", "2026-11-01", "2026-11-01T04:00Z", "2026-11-02T05:00Z", 25),
        # Half an hour: +10:30 turns to +11, and back.
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30Z", "2026-10-04T13:00Z", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00Z", "2026-04-05T13:30Z", 24.5),
        # Two hours: +00 turns to +02.
        ("Antarctica/Troll", "2026-03-29", "2026-03-29T00:00Z", "2026-03-29T22:00Z", 22),
    ],
)
def test_a_day_is_the_time_between_two_local_midnights(zone: str, day: str, start: str, end: str, hours: float) -> None:
    found = calendar(("2026-01-01", zone)).window(date.fromisoformat(day))
    assert found == window(start, end)
    assert found is not None
    assert found.end - found.start == hours * 3600


@pytest.mark.parametrize(
    ("zone", "day", "start", "end"),
    [
        # 00:00 -03 turns to 01:00 -02: the change is at 03:00 UTC.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00Z", "2018-11-05T02:00Z"),
        # 00:00 +02 turns to 01:00 +03, the last Friday of April: the change is at 22:00 UTC.
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00Z", "2026-04-24T21:00Z"),
        # 00:00 +02 turns to 01:00 +03, the last Sunday of March.
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00Z", "2026-03-29T21:00Z"),
        # 00:00 -05 turns to 01:00 -04, the second Sunday of March: the change is at 05:00 UTC.
        ("America/Havana", "2026-03-08", "2026-03-08T05:00Z", "2026-03-09T04:00Z"),
        # 23:30 -05 of the day before turns to 00:30 -04: the change, at 04:30 UTC, lies before the lost midnight.
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30Z", "1919-04-01T04:00Z"),
    ],
)
def test_where_midnight_does_not_exist_the_day_begins_after_the_gap(zone: str, day: str, start: str, end: str) -> None:
    assert calendar(("1900-01-01", zone)).window(date.fromisoformat(day)) == window(start, end)


def test_the_day_before_a_lost_midnight_ends_where_the_gap_begins() -> None:
    # Toronto lost 23:30 to 00:30: from 05:00 UTC to 04:30 UTC, 23 and a half hours.
    assert calendar(("1900-01-01", "America/Toronto")).window(date(1919, 3, 30)) == window(
        "1919-03-30T05:00Z", "1919-03-31T04:30Z"
    )


@pytest.mark.parametrize(
    ("zone", "day", "start", "end"),
    [
        # 01:00 -04 turns to 00:00 -05: midnight at 04:00 UTC and again at 05:00 UTC; 25 hours.
        ("America/Havana", "2026-11-01", "2026-11-01T04:00Z", "2026-11-02T05:00Z"),
        # 00:01 -02:30 turns to 23:01 -03:30: midnight at 02:30 UTC and again at 03:30 UTC; 25 hours.
        ("America/St_Johns", "2006-10-29", "2006-10-29T02:30Z", "2006-10-30T03:30Z"),
        # 15:33:32 +15:02:19 turned to 15:33:32 -08:57:41 of the day before, in 1867 (the 18th was lived twice):
        # midnight of the 19th was 08:57:41 UTC of the 18th, and again 08:57:41 UTC of the 19th; 48 hours.
        ("America/Juneau", "1867-10-19", "1867-10-18T08:57:41Z", "1867-10-20T08:57:41Z"),
    ],
)
def test_where_midnight_happens_twice_the_day_begins_at_the_earlier(zone: str, day: str, start: str, end: str) -> None:
    assert calendar(("1800-01-01", zone)).window(date.fromisoformat(day)) == window(start, end)


def test_an_hour_that_comes_back_before_midnight_lengthens_the_day_that_it_ends() -> None:
    # Cairo: 24:00 +03 of the last Thursday of October turns to 23:00 +02: from 21:00 UTC to 22:00 UTC, 25 hours.
    assert calendar(("2026-01-01", "Africa/Cairo")).window(date(2026, 10, 29)) == window(
        "2026-10-28T21:00Z", "2026-10-29T22:00Z"
    )


def test_a_date_that_the_zone_skips_has_no_window() -> None:
    # Apia went from 24:00 -10 of the 29th to 00:00 +14 of the 31st, both 10:00 UTC of the 30th.
    apia = calendar(("2011-01-01", "Pacific/Apia"))
    assert apia.window(date(2011, 12, 29)) == window("2011-12-29T10:00Z", "2011-12-30T10:00Z")
    assert apia.window(date(2011, 12, 30)) is None
    assert apia.window(date(2011, 12, 31)) == window("2011-12-30T10:00Z", "2011-12-31T10:00Z")


@pytest.mark.parametrize(
    ("zone", "skipped"),
    [("Pacific/Kwajalein", "1993-08-21"), ("Pacific/Kiritimati", "1994-12-31"), ("Asia/Manila", "1844-12-31")],
)
def test_every_skipped_date_has_no_window_and_begins_with_the_next(zone: str, skipped: str) -> None:
    day, found = date.fromisoformat(skipped), calendar(("1800-01-01", zone))
    assert found.window(day) is None
    assert found.start(day) == found.start(day + timedelta(days=1)) == first_instant(ZoneInfo(zone), day)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-11-09T23:59:59+05:30", "2026-11-09"),
        ("2026-11-10T00:00:00+05:30", "2026-11-10"),
        ("2026-11-10T00:00:01+05:30", "2026-11-10"),
        ("2026-11-10T23:59:59+05:30", "2026-11-10"),
        ("2026-11-11T00:00:00+05:30", "2026-11-11"),
    ],
)
def test_midnight_itself_belongs_to_the_day_that_it_begins(instant: str, day: str) -> None:
    kolkata = calendar(("2026-11-01", "Asia/Kolkata"))
    assert kolkata.date_at(at(instant)) == date.fromisoformat(day)
    found = kolkata.window(date.fromisoformat(day))
    assert found is not None
    assert at(instant) in found


def test_a_window_holds_its_first_second_and_not_its_end() -> None:
    assert [instant in Window(100, 200) for instant in (99, 100, 199, 200)] == [False, True, True, False]


def test_a_skipped_date_holds_no_instant() -> None:
    apia = calendar(("2011-01-01", "Pacific/Apia"))
    assert apia.date_at(at("2011-12-30T09:59:59Z")) == date(2011, 12, 29)
    assert apia.date_at(at("2011-12-30T10:00:00Z")) == date(2011, 12, 31)


def test_the_hour_lived_twice_before_a_second_midnight_stays_with_the_day_that_had_begun() -> None:
    # St. John's: 23:30 -03:30 of the 28th, lived the second time at 03:00 UTC, after the 29th began at 02:30 UTC.
    assert calendar(("2006-01-01", "America/St_Johns")).date_at(at("2006-10-29T03:00Z")) == date(2006, 10, 29)


@pytest.mark.parametrize(
    ("old", "new", "last_old", "first_new"),
    [
        # The 10th begins at Kolkata's midnight (18:30 UTC), and ends at Berlin's (23:00 UTC): 28 and a half hours.
        ("Asia/Kolkata", "Europe/Berlin", ("2026-11-08T18:30Z", "2026-11-09T18:30Z"), "2026-11-10T23:00Z"),
        # The other way: from 23:00 UTC to 18:30 UTC, 19 and a half hours.
        ("Europe/Berlin", "Asia/Kolkata", ("2026-11-08T23:00Z", "2026-11-09T23:00Z"), "2026-11-10T18:30Z"),
        # From +14 to -11: from 10:00 UTC of the 9th to 11:00 UTC of the 11th, 49 hours.
        ("Pacific/Kiritimati", "Pacific/Pago_Pago", ("2026-11-08T10:00Z", "2026-11-09T10:00Z"), "2026-11-11T11:00Z"),
    ],
)
def test_the_first_day_under_a_new_zone_begins_where_the_last_under_the_old_one_ended(
    old: str, new: str, last_old: tuple[str, str], first_new: str
) -> None:
    found = calendar(("2026-11-01", old), ("2026-11-10", new))
    assert found.window(date(2026, 11, 9)) == window(*last_old)
    assert found.window(date(2026, 11, 10)) == window(last_old[1], first_new)
    after = found.window(date(2026, 11, 11))
    assert after == Window(at(first_new), at(first_new) + 24 * 3600)


def test_a_date_that_a_change_of_zone_leaves_no_second_for_has_no_window() -> None:
    # From -11 to +14. The 10th would begin at 11:00 UTC of the 10th, but the 11th begins at 10:00 UTC of the 10th:
    # no second is left for the 10th, and the 11th takes what there is.
    found = calendar(("2026-11-01", "Pacific/Pago_Pago"), ("2026-11-10", "Pacific/Kiritimati"))
    assert found.window(date(2026, 11, 9)) == window("2026-11-09T11:00Z", "2026-11-10T11:00Z")
    assert found.window(date(2026, 11, 10)) is None
    assert found.window(date(2026, 11, 11)) == window("2026-11-10T11:00Z", "2026-11-11T10:00Z")
    assert found.date_at(at("2026-11-10T11:00Z")) == date(2026, 11, 11)


def test_a_zone_changed_and_changed_back_loses_no_second() -> None:
    found = calendar(("2026-11-01", "Asia/Kolkata"), ("2026-11-10", "UTC"), ("2026-11-11", "Asia/Kolkata"))
    # Under UTC the 10th ends at 00:00 UTC of the 11th; under Kolkata the 12th begins at 18:30 UTC of the 11th.
    assert found.window(date(2026, 11, 10)) == window("2026-11-09T18:30Z", "2026-11-11T00:00Z")
    assert found.window(date(2026, 11, 11)) == window("2026-11-11T00:00Z", "2026-11-11T18:30Z")


def test_each_day_has_the_zone_that_holds_on_it_and_the_first_zone_also_holds_before() -> None:
    found = calendar(("2026-11-01", "Asia/Kolkata"), ("2026-11-10", "Europe/Berlin"))
    days = [date(2026, 10, 31), date(2026, 11, 9), date(2026, 11, 10), date(2026, 11, 11)]
    kolkata, berlin = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")
    assert [found.zone_on(day) for day in days] == [kolkata, kolkata, berlin, berlin]
    assert found.start(date(2026, 10, 31)) == at("2026-10-30T18:30Z")


@pytest.mark.parametrize(
    ("start", "end", "dates"),
    [
        # A day of UTC touches itself alone: its end is the first second of the next.
        ("2026-11-10T00:00Z", "2026-11-11T00:00Z", ["2026-11-10"]),
        ("2026-11-10T00:00Z", "2026-11-11T00:00:01Z", ["2026-11-10", "2026-11-11"]),
        ("2026-11-09T18:30Z", "2026-11-10T18:30Z", ["2026-11-09", "2026-11-10"]),
        ("2026-12-31T12:00Z", "2027-01-01T12:00Z", ["2026-12-31", "2027-01-01"]),
        # 49 hours from 10:00 UTC touch three dates.
        ("2026-11-09T10:00Z", "2026-11-11T11:00Z", ["2026-11-09", "2026-11-10", "2026-11-11"]),
    ],
)
def test_a_window_touches_the_utc_dates_that_it_has_a_second_of(start: str, end: str, dates: list[str]) -> None:
    assert window(start, end).utc_dates() == {date.fromisoformat(day) for day in dates}


def test_the_days_of_a_challenge_include_its_first_and_its_last() -> None:
    assert list(days_between(date(2026, 2, 27), date(2026, 3, 1))) == [
        date(2026, 2, 27),
        date(2026, 2, 28),
        date(2026, 3, 1),
    ]
    assert list(days_between(date(2026, 3, 1), date(2026, 3, 1))) == [date(2026, 3, 1)]
    assert list(days_between(date(2026, 3, 2), date(2026, 3, 1))) == []
