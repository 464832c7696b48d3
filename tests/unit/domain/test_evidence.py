"""What an answer of LeetCode proves (rules 6, 9 and 10). The day is [1000, 2000), so its last second is 1999."""

from __future__ import annotations

from datetime import date

import pytest

from evaluator.domain.day import Window
from evaluator.domain.evidence import (
    Evidence,
    Observation,
    Reply,
    Row,
    Solve,
    Standing,
    observe,
    solves_of,
    standing_on,
)

DAY = Window(1000, 2000)
TODAY = date(1970, 1, 1)
YEARS = frozenset({1970})
LATER = 5000
"""When an answer is fetched where the test is not about it."""


def rows(count: int, oldest: int, newest: int = 4000) -> list[Row]:
    """A list as LeetCode gives it, newest first: `count` rows of different problems, the last one at `oldest`."""
    times = [newest - step for step in range(count - 1)] + [oldest]
    return [Row(f"id{at}", f"problem{at}", at) for at in times]


def visible(*found: Row) -> Reply:
    return Reply("alice", Standing.VISIBLE, found)


def answer(
    fetched_at: int, after: int | None = None, standing: Standing = Standing.VISIBLE, *, contradictory: bool = False
) -> Observation:
    return Observation(fetched_at, standing, 20 if after is not None else 5, after, contradictory)


def empty(
    *,
    standing: Standing = Standing.VISIBLE,
    active: frozenset[date] = frozenset(),
    years: frozenset[int] = YEARS,
    contradictory: bool = False,
) -> Observation:
    return Observation(LATER, standing, 0, None, contradictory, active, years)


class TestSolves:
    """Which rows are solves (rule 6)."""

    def test_every_usable_row_is_a_solve(self) -> None:
        found = solves_of([Row("2", "two-sum", 1500), Row("1", "add-two", 1400)], LATER)
        assert found == [Solve("2", "two-sum", 1500), Solve("1", "add-two", 1400)]

    @pytest.mark.parametrize("row", [Row("1", None, 1500), Row("1", "two-sum", None), Row(None, None, None)])
    def test_a_row_without_a_usable_time_or_slug_counts_nothing(self, row: Row) -> None:
        assert solves_of([row], LATER) == []

    @pytest.mark.parametrize(("at", "counts"), [(5000, True), (5001, True), (5300, True), (5301, False)])
    def test_a_row_more_than_five_minutes_past_its_answer_counts_nothing(self, at: int, counts: bool) -> None:
        assert bool(solves_of([Row("1", "two-sum", at)], fetched_at=5000)) is counts

    def test_a_repeated_submission_id_counts_once(self) -> None:
        found = solves_of([Row("1", "two-sum", 1500), Row("1", "two-sum", 1500), Row("1", "add-two", 1400)], LATER)
        assert found == [Solve("1", "two-sum", 1500)]

    def test_an_unusable_row_does_not_use_up_its_id(self) -> None:
        assert solves_of([Row("1", "two-sum", None), Row("1", "two-sum", 1500)], LATER) == [Solve("1", "two-sum", 1500)]

    def test_a_row_without_an_id_counts_once_for_each_problem_and_second(self) -> None:
        found = solves_of(
            [
                Row(None, "two-sum", 1500),
                Row(None, "two-sum", 1500),
                Row(None, "two-sum", 1501),
                Row(None, "add-two", 1500),
            ],
            LATER,
        )
        assert [(one.slug, one.at) for one in found] == [("two-sum", 1500), ("two-sum", 1501), ("add-two", 1500)]

    def test_submissions_of_one_problem_in_one_second_are_told_apart_by_their_ids(self) -> None:
        assert len(solves_of([Row("2", "two-sum", 1500), Row("1", "two-sum", 1500)], LATER)) == 2


class TestReach:
    """How far back an answer shows everything (rule 9)."""

    @pytest.mark.parametrize(("count", "after"), [(0, None), (1, None), (19, None), (20, 900), (21, 900), (40, 900)])
    def test_a_list_of_fewer_than_twenty_rows_reaches_back_for_ever_and_a_longer_one_to_its_oldest_row(
        self, count: int, after: int | None
    ) -> None:
        seen = observe(visible(*rows(count, oldest=900)[:count]), LATER, YEARS, [])
        assert (seen.after, seen.row_count) == (after, count)

    def test_junk_and_repeated_rows_count_towards_the_twenty(self) -> None:
        junk = [Row("j", None, 3000), Row("k", "two-sum", None), Row("id900", "problem900", 900)]
        assert observe(visible(*rows(17, oldest=900), *junk), LATER, YEARS, []).after == 900
        assert observe(visible(*rows(16, oldest=900), *junk), LATER, YEARS, []).after is None

    def test_a_full_list_whose_oldest_row_has_no_time_reaches_to_the_oldest_that_has_one(self) -> None:
        # 19 rows down to 1200 and a last one, older, that does not say when: all that is sure is what follows 1200.
        assert observe(visible(*rows(19, oldest=1200), Row("j", "junk", None)), LATER, YEARS, []).after == 1200

    def test_a_row_that_counts_nothing_is_no_proof_of_how_far_back_the_list_reaches(self) -> None:
        assert observe(visible(*rows(19, oldest=1200), Row("j", None, 900)), LATER, YEARS, []).after == 1200

    @pytest.mark.parametrize("at", [None, LATER, LATER + 10_000])
    def test_a_full_list_without_one_time_from_the_past_shows_nothing(self, at: int | None) -> None:
        seen = observe(visible(*[Row(str(one), "junk", at) for one in range(20)]), LATER, YEARS, [])
        assert seen.after == LATER
        assert not Evidence((), (seen,)).is_complete(DAY)

    def test_what_the_reply_says_of_the_account_is_kept(self) -> None:
        reply = Reply("alice", Standing.PROFILE_HIDDEN, active_dates=frozenset({TODAY}))
        assert observe(reply, LATER, [1970, 1971], []) == Observation(
            LATER, Standing.PROFILE_HIDDEN, 0, None, False, frozenset({TODAY}), frozenset({1970, 1971})
        )


class TestContradiction:
    """An answer that lacks what an earlier one held (rule 9)."""

    EARLIER = Solve("7", "two-sum", 1500)

    @pytest.mark.parametrize(
        ("present", "contradictory"),
        [
            ([], True),  # an empty list, where there was a solve before
            ([Row("8", "add-two", 1600)], True),
            ([Row("7", "two-sum", 1500)], False),
            ([Row("7", "two-sum", None)], False),  # the row is there, though its time is junk
            ([Row("7", "two-sum-renamed", 1500)], False),  # the same submission under the problem's new name
            # LeetCode may show only the newest of a problem's repeats.
            ([Row("8", "two-sum", 1501)], False),
            ([Row("6", "two-sum", 1499)], True),  # an older row explains nothing
            ([Row("8", "two-sum", 1500)], True),  # nor does one of the same second: it is not newer
            ([Row("8", "two-sum", LATER + 301)], True),  # a row from the future counts nothing, and explains nothing
            ([Row("8", "two-sum", None)], True),
        ],
    )
    def test_a_short_list_ought_to_hold_every_earlier_row_or_a_newer_one_of_its_problem(
        self, present: list[Row], contradictory: bool
    ) -> None:
        assert observe(visible(*present), LATER, YEARS, [self.EARLIER]).contradictory is contradictory

    def test_a_row_that_never_had_an_id_is_known_again_by_its_problem_and_second(self) -> None:
        earlier = solves_of([Row(None, "two-sum", 1500)], 1600)
        assert not observe(visible(Row(None, "two-sum", 1500)), LATER, YEARS, earlier).contradictory
        assert observe(visible(Row(None, "two-sum", 1499)), LATER, YEARS, earlier).contradictory

    @pytest.mark.parametrize(
        ("oldest", "contradictory"),
        [
            (1499, True),  # 1500 is newer than the oldest row: it ought to be there
            (1500, False),  # of the oldest row's second some may have fallen off the end
            (1501, False),
        ],
    )
    def test_a_full_list_ought_to_hold_the_rows_newer_than_its_oldest(self, oldest: int, contradictory: bool) -> None:
        assert observe(visible(*rows(20, oldest)), LATER, YEARS, [self.EARLIER]).contradictory is contradictory

    def test_one_lacking_row_among_many_is_enough(self) -> None:
        earlier = [Solve("1", "one", 1100), Solve("2", "two", 1200), Solve("3", "three", 1300)]
        present = [Row("3", "three", 1300), Row("1", "one", 1100)]
        assert observe(visible(*present), LATER, YEARS, earlier).contradictory
        assert not observe(visible(*present, Row("2", "two", 1200)), LATER, YEARS, earlier).contradictory
        # Of two that lack, one is explained by a newer row of its problem, the other is not.
        assert observe(visible(Row("4", "three", 1400), present[1]), LATER, YEARS, earlier).contradictory

    @pytest.mark.parametrize("standing", [Standing.USER_NOT_FOUND, Standing.PROFILE_HIDDEN, Standing.UNAVAILABLE])
    def test_an_answer_that_shows_no_list_contradicts_nothing(self, standing: Standing) -> None:
        assert not observe(Reply("alice", standing), LATER, YEARS, [self.EARLIER]).contradictory


class TestCompleteness:
    """Whether one joined stretch holds the whole day (rule 9)."""

    @pytest.mark.parametrize(
        ("fetched_at", "after", "complete"),
        [
            (2000, None, True),
            (1999, None, True),  # the second of the answer itself counts as shown, and it is the day's last
            (1998, None, False),
            (999, None, False),
            (2000, 999, True),  # everything from 1000 on
            (2000, 1000, False),  # of the day's first second some may be hidden
            (2000, 1500, False),
            (9000, 2500, False),  # more than twenty solves since the day closed
        ],
    )
    def test_one_answer_proves_the_day_if_it_was_given_after_it_and_reaches_back_before_it(
        self, fetched_at: int, after: int | None, complete: bool
    ) -> None:
        assert Evidence((), (answer(fetched_at, after),)).is_complete(DAY) is complete

    def test_no_answer_proves_nothing(self) -> None:
        assert not Evidence().is_complete(DAY)

    @pytest.mark.parametrize(
        ("answers", "complete"),
        [
            # [.., 1500] and [1500, 2500] share a second.
            ([answer(1500), answer(2500, 1499)], True),
            # [.., 1500] and [1501, 2500] only touch: more may have happened in second 1500, after the answer.
            ([answer(1500), answer(2500, 1500)], False),
            ([answer(1500), answer(2500, 1600)], False),
            # Three stretches in a chain; the middle one given in any order.
            ([answer(1300, 900), answer(1700, 1200), answer(2500, 1600)], True),
            ([answer(2500, 1600), answer(1300, 900), answer(1700, 1200)], True),
            ([answer(1300, 900), answer(2500, 1600)], False),
            # A stretch within another ends no earlier than that one.
            ([answer(1900, 800), answer(1200, 900), answer(2500, 1800)], True),
            # The stretch that holds the day's first second is the second one.
            ([answer(1000, 998), answer(1000, 999), answer(2500, 999)], True),
            ([answer(1000, 999), answer(2500, 1000)], False),
            # Each reaches one end, none joins them.
            ([answer(1200), answer(1800, 1400), answer(2500, 1900)], False),
            # Two answers of one second.
            ([answer(2000, 1000), answer(2000, 999)], True),
        ],
    )
    def test_answers_join_where_they_share_a_second(self, answers: list[Observation], complete: bool) -> None:
        assert Evidence((), tuple(answers)).is_complete(DAY) is complete

    def test_an_answer_given_before_the_day_proves_nothing_of_it(self) -> None:
        assert not Evidence((), (answer(999), answer(2500, 1200))).is_complete(DAY)

    @pytest.mark.parametrize("standing", [Standing.USER_NOT_FOUND, Standing.PROFILE_HIDDEN, Standing.UNAVAILABLE])
    def test_an_account_that_shows_nothing_proves_nothing(self, standing: Standing) -> None:
        assert not Evidence((), (answer(2500, standing=standing),)).is_complete(DAY)

    def test_a_complete_day_stays_so_when_the_account_vanishes_later(self) -> None:
        assert Evidence((), (answer(2500), answer(3000, standing=Standing.USER_NOT_FOUND))).is_complete(DAY)

    def test_a_contradictory_answer_completes_nothing(self) -> None:
        liar = answer(2500, contradictory=True)
        assert not Evidence((), (liar,)).is_complete(DAY)
        assert not Evidence((), (answer(1500), liar)).is_complete(DAY)
        assert Evidence((), (liar, answer(2600))).is_complete(DAY)
        assert Evidence((), (liar,)).is_complete(DAY, trusting_contradictory=True)

    def test_a_day_of_one_second_needs_an_answer_too(self) -> None:
        second = Window(1000, 1001)
        assert not Evidence().is_complete(second)
        assert Evidence((), (answer(1000, 999),)).is_complete(second)
        assert not Evidence((), (answer(1000, 1000),)).is_complete(second)


class TestEmptyLists:
    """An empty list says little by itself (rule 10)."""

    def test_an_empty_list_beside_a_silent_calendar_proves_that_nothing_was_solved(self) -> None:
        assert Evidence((), (empty(),)).is_complete(DAY)

    def test_an_empty_list_without_a_calendar_of_the_days_year_proves_nothing(self) -> None:
        assert not Evidence((), (empty(years=frozenset()),)).is_complete(DAY)
        assert not Evidence((), (empty(years=frozenset({1971})),)).is_complete(DAY)

    def test_a_day_over_new_year_in_utc_needs_the_calendars_of_both_years(self) -> None:
        # 365 days of 86,400 s: 1971 begins at 31,536,000.
        new_year = Window(31_536_000 - 100, 31_536_000 + 100)
        seen = [
            Observation(40_000_000, Standing.VISIBLE, 0, None, calendar_years=frozenset(years))
            for years in ({1970}, {1971}, {1970, 1971})
        ]
        assert [Evidence((), (one,)).is_complete(new_year) for one in seen] == [False, False, True]

    def test_a_list_with_one_row_needs_no_calendar(self) -> None:
        assert Evidence((), (Observation(2500, Standing.VISIBLE, 1, None),)).is_complete(DAY)

    @pytest.mark.parametrize(
        ("active", "standing"),
        [
            # Kolkata's 10th touches the 9th and the 10th of UTC.
            (date(2026, 11, 8), Standing.VISIBLE),
            (date(2026, 11, 9), Standing.PROFILE_HIDDEN),
            (date(2026, 11, 10), Standing.PROFILE_HIDDEN),
            (date(2026, 11, 11), Standing.VISIBLE),
        ],
    )
    def test_an_empty_list_beside_activity_on_a_utc_date_of_the_day_is_a_hidden_profile(
        self, active: date, standing: Standing
    ) -> None:
        # 2026-11-09T18:30Z is 1,794,249,000: 20,766 days and 18.5 hours.
        kolkata = Window(20_766 * 86_400 + 66_600, 20_767 * 86_400 + 66_600)
        seen = Observation(kolkata.end + 3600, Standing.VISIBLE, 0, None, False, frozenset({active}), frozenset({2026}))
        assert standing_on(seen, kolkata) is standing
        assert Evidence((), (seen,)).is_complete(kolkata) is (standing is Standing.VISIBLE)

    def test_activity_hides_nothing_where_the_list_has_rows(self) -> None:
        seen = Observation(LATER, Standing.VISIBLE, 1, None, False, frozenset({TODAY}), YEARS)
        assert standing_on(seen, DAY) is Standing.VISIBLE

    def test_activity_makes_no_unknown_account_hidden(self) -> None:
        seen = empty(standing=Standing.USER_NOT_FOUND, active=frozenset({TODAY}))
        assert standing_on(seen, DAY) is Standing.USER_NOT_FOUND


class TestNewestStanding:
    def test_the_newest_answer_names_the_state_of_the_account(self) -> None:
        gone = answer(3000, standing=Standing.USER_NOT_FOUND)
        assert Evidence((), (answer(2500), gone)).newest_standing(DAY) is Standing.USER_NOT_FOUND
        assert Evidence((), (gone, answer(3500))).newest_standing(DAY) is Standing.VISIBLE
        assert Evidence((), (answer(2500), empty(active=frozenset({TODAY})))).newest_standing(DAY) is (
            Standing.PROFILE_HIDDEN
        )

    def test_without_an_answer_nothing_is_known_of_the_account(self) -> None:
        assert Evidence().newest_standing(DAY) is None
