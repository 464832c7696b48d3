"""Streaks are a replay (rule 18)."""

from __future__ import annotations

from functools import reduce
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.domain.streak import Streak, replay
from evaluator.domain.verdict import Outcome

LETTERS = {
    "P": Outcome.PASSED,
    "F": Outcome.FAILED,
    "?": Outcome.PENDING,
    "E": Outcome.EXEMPT,
    "Z": Outcome.FROZEN,
}
outcomes = st.lists(st.sampled_from(Outcome), max_size=40)


@pytest.mark.parametrize(
    ("days", "current", "longest"),
    [
        ("", 0, 0),
        ("P", 1, 1),
        ("F", 0, 0),
        ("PPP", 3, 3),
        ("PPF", 0, 2),
        ("PPFP", 1, 2),
        ("PFPPFP", 1, 2),
        ("PFPPP", 3, 3),
        # A rest, a frozen and a pending day pause a streak: they neither extend it nor break it.
        ("PEP", 2, 2),
        ("PZP", 2, 2),
        ("P?P", 2, 2),
        ("EZ?", 0, 0),
        ("PPE", 2, 2),
        ("PPFEZ?", 0, 2),
    ],
)
def test_a_passed_day_adds_one_and_a_failed_day_sets_to_zero(days: str, current: int, longest: int) -> None:
    assert replay(LETTERS[day] for day in days) == Streak(current, longest)


def test_a_day_that_settles_late_counts_in_its_place() -> None:
    # P ? P is a streak of 2 while the second day is open; it becomes 3 if that day passes, 1 (longest 1) if it fails.
    assert replay(LETTERS[day] for day in "PPP") == Streak(3, 3)
    assert replay(LETTERS[day] for day in "PFP") == Streak(1, 1)


@given(outcomes)
def test_a_replay_is_the_fold_of_single_days(days: list[Outcome]) -> None:
    assert replay(days) == reduce(Streak.then, days, Streak())


@given(outcomes)
def test_current_is_the_run_since_the_last_failure_and_longest_the_longest_run(days: list[Outcome]) -> None:
    letters = "".join("P" if day is Outcome.PASSED else "F" for day in days if day in {Outcome.PASSED, Outcome.FAILED})
    runs = [len(run) for run in letters.split("F")]
    assert replay(days) == Streak(runs[-1], max(runs))


@given(outcomes, st.integers(0, 40), st.sampled_from([Outcome.PENDING, Outcome.EXEMPT, Outcome.FROZEN]))
def test_a_pause_anywhere_changes_nothing(days: list[Outcome], place: int, pause: Outcome) -> None:
    assert replay([*days[:place], pause, *days[place:]]) == replay(days)


@given(st.permutations(range(8)), st.lists(st.sampled_from(Outcome), min_size=8, max_size=8))
def test_days_may_settle_in_any_order(order: list[int], days: list[Outcome]) -> None:
    """Each day that settles brings a replay of all that is known then; the last one gives the result of the whole."""
    known = accumulate(order, lambda settled, place: {**settled, place: days[place]}, initial=dict[int, Outcome]())
    streaks = [replay(settled[place] for place in sorted(settled)) for settled in known]
    assert streaks[-1] == replay(days)
    assert all(streak.current <= streak.longest for streak in streaks)
