"""The simulated population: a function of seed, handle and time, with characters one can rely on."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise

import pytest

from evaluator.local.simulator.account import DAY, Submission, Visibility
from evaluator.local.simulator.catalogue import read_catalogue
from evaluator.local.simulator.character import CHARACTERS, character_of
from evaluator.local.simulator.population import Population

NOW = int(datetime(2026, 11, 24, 15, 30, tzinfo=UTC).timestamp())
POPULATION = Population(1, read_catalogue())


def utc_date(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).date()


def solves(handle: str, count: int, now: int = NOW) -> list[Submission]:
    return list(islice(POPULATION.account(handle).submissions(now), count))


def amounts(handle: str, days: int) -> list[int]:
    """How many solves each of the last whole `days` has, by the calendar's dates, oldest first."""
    calendar: Counter[date] = Counter()
    for solve in POPULATION.account(handle).submissions(NOW):
        if solve.at < NOW - (days + 2) * DAY:
            break
        calendar[utc_date(solve.at)] += 1
    return [calendar[utc_date(NOW) - timedelta(days=ago)] for ago in range(days, 0, -1)]


def test_an_account_is_the_same_whenever_and_however_it_is_asked_for() -> None:
    again = Population(1, read_catalogue())
    assert solves("Ada", 50) == list(islice(again.account("ADA").submissions(NOW), 50))
    assert POPULATION.account("Ada").username == "ada"
    assert solves("ada", 50) != list(islice(Population(2, read_catalogue()).account("ada").submissions(NOW), 50))


def test_the_past_looks_the_same_from_any_later_time() -> None:
    for handle in ("diligent-a", "binge-b", "sloppy-c"):
        later = solves(handle, 200)
        for earlier in (NOW - 1, NOW - 7 * 3600, NOW - 5 * DAY, later[3].at, later[3].at - 1):
            expected = [solve for solve in later if solve.at <= earlier][:50]
            assert solves(handle, 50, earlier) == expected


@pytest.mark.parametrize("handle", ["diligent-a", "binge-b", "weekend-c", "anybody"])
def test_solves_come_newest_first_with_ids_that_grow_in_time(handle: str) -> None:
    listed = solves(handle, 100)
    for newer, older in pairwise(listed):
        assert newer.at > older.at
        assert int(newer.id) > int(older.id)
    assert all(solve.timestamp == str(solve.at) and solve.at <= NOW for solve in listed)
    catalogue = read_catalogue()
    assert all(not catalogue.by_slug[solve.titleSlug].paid_only for solve in listed)


@pytest.mark.parametrize("handle", ["diligent-a", "binge-b", "weekend-c", "vanishing-d", "sloppy-e", "diligent-f"])
def test_the_calendar_counts_what_the_list_holds(handle: str) -> None:
    for year, now in ((2025, NOW), (2026, NOW), (2026, NOW - 7 * 3600), (2024, NOW), (2027, NOW), (2022, NOW)):
        account = POPULATION.account(handle)
        counted: Counter[str] = Counter()
        for solve in account.submissions(now):
            if utc_date(solve.at).year == year:
                counted[str(solve.at // DAY * DAY)] += 1
        assert account.calendar(year, now) == counted


def test_a_favourite_part_of_the_day_crosses_no_midnight_of_utc() -> None:
    for number in range(60):
        times = [solve.at % DAY for solve in solves(f"diligent-{number}", 100)]
        assert max(times) - min(times) < 6 * 3600


def test_the_diligent_solve_every_day_and_a_medium_first() -> None:
    assert set(amounts("diligent-a", 300)) == {2, 3}
    catalogue = read_catalogue()
    firsts = {utc_date(solve.at): solve for solve in solves("diligent-a", 300)}  # the last one set is the day's first
    assert {catalogue.by_slug[solve.titleSlug].difficulty for solve in list(firsts.values())[:-1]} == {"Medium"}


def test_the_sloppy_miss_every_third_day() -> None:
    days = amounts("sloppy-a", 300)
    (missed,) = [phase for phase in range(3) if set(days[phase::3]) == {0}]
    assert {1, 2} == set(days[(missed + 1) % 3 :: 3]) | set(days[(missed + 2) % 3 :: 3])


def test_weekenders_solve_on_saturdays_and_sundays() -> None:
    calendar = POPULATION.account("weekend-a").calendar(2025, NOW)
    weekdays = {utc_date(int(midnight)).weekday() for midnight in calendar}
    assert weekdays == {5, 6}
    assert len(calendar) == 104  # 2025 has 52 of each


def test_who_binges_solves_more_in_a_day_than_the_list_shows() -> None:
    days = amounts("binge-a", 30)
    assert min(days) == 0
    assert min(amount for amount in days if amount) > 20
    assert sum(amount > 0 for amount in days) == 10


def test_the_vanishing_are_gone_for_ten_days() -> None:
    runs = "".join("x" if amount else "." for amount in amounts("vanishing-a", 100)).split("x")
    assert max(map(len, runs)) == 10


def test_the_idle_are_there_and_solve_nothing() -> None:
    account = POPULATION.account("idle-a")
    assert (account.visibility, solves("idle-a", 1), account.calendar(2026, NOW)) == (Visibility.VISIBLE, [], {})


def test_the_hidden_are_active() -> None:
    account = POPULATION.account("hidden-a")
    assert account.visibility is Visibility.HIDDEN
    assert len(account.calendar(2025, NOW)) == 365


@pytest.mark.parametrize("handle", ["", "a b", "ü", 'a"b', "x" * 65, "a\n", "unknown-a", "UNKNOWN.b"])
def test_nobody_has_a_handle_that_cannot_be(handle: str) -> None:
    assert POPULATION.account(handle).visibility is Visibility.UNKNOWN


def test_everybody_else_is_a_mixture_of_all_characters() -> None:
    names = Counter(character_of("someone", chance) for chance in range(256))
    assert names.keys() == CHARACTERS.keys()
    assert names["diligent"] > 128
    met = {POPULATION.account(f"someone{number}").character for number in range(1000)}
    assert len(met) == len({id(character) for character in CHARACTERS.values()})


def test_repeats_and_old_favourites_occur() -> None:
    rows = solves("diligent-a", 400)
    assert sum(newer.titleSlug == older.titleSlug for newer, older in pairwise(rows)) > 10
    assert Counter(row.titleSlug for row in rows).most_common(1)[0][1] > 2


def test_accounts_that_solve_in_the_same_second_have_different_ids() -> None:
    marks = {int(solves(f"diligent-{number}", 1)[0].id) % 100_000 for number in range(200)}
    assert len(marks) > 195
