"""The order of a challenge's members (rule 23)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.domain.standings import Score, standings
from evaluator.domain.streak import Streak


def score(handle: str, current: int = 0, longest: int = 0, penalty: int = 0) -> Score:
    return Score(handle, Streak(current, longest), penalty)


def ranks(*scores: Score) -> list[tuple[int, str]]:
    return [(one.rank, one.score.handle) for one in standings(scores)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # The current streak decides before all else,
        (score("z", current=3, longest=3, penalty=900), score("a", current=2, longest=9, penalty=0)),
        # then the longest,
        (score("z", current=2, longest=5, penalty=900), score("a", current=2, longest=4, penalty=0)),
        # then the smaller penalty.
        (score("z", current=2, longest=5, penalty=100), score("a", current=2, longest=5, penalty=101)),
    ],
)
def test_current_then_longest_then_the_smaller_penalty_decides(first: Score, second: Score) -> None:
    expected = [(1, first.handle), (2, second.handle)]
    assert ranks(first, second) == ranks(second, first) == expected


def test_equal_members_share_a_rank_by_handle_and_the_next_rank_skips() -> None:
    found = ranks(score("carol", 1, 1), score("bob", 2, 2), score("alice", 2, 2))
    assert found == [(1, "alice"), (1, "bob"), (3, "carol")]


def test_two_ties_each_skip_by_their_size() -> None:
    found = ranks(score("e", 0), score("d", 1, 1), score("c", 1, 1), score("b", 1, 1), score("a", 2, 2))
    assert found == [(1, "a"), (2, "b"), (2, "c"), (2, "d"), (5, "e")]


def test_members_without_a_settled_day_are_listed_with_zeros() -> None:
    assert ranks(score("new"), score("old", 1, 1)) == [(1, "old"), (2, "new")]


def test_an_empty_challenge_has_no_standings() -> None:
    assert standings([]) == []


scores = st.builds(
    score, st.uuids().map(str), current=st.integers(0, 2), longest=st.integers(2, 4), penalty=st.integers(0, 2)
)


@given(st.lists(scores, max_size=12))
def test_a_rank_is_one_more_than_the_number_of_those_strictly_better(members: list[Score]) -> None:
    def better(one: Score, other: Score) -> bool:
        if one.streak.current != other.streak.current:
            return one.streak.current > other.streak.current
        if one.streak.longest != other.streak.longest:
            return one.streak.longest > other.streak.longest
        return one.penalty < other.penalty

    found = standings(members)
    assert sorted(one.score.handle for one in found) == sorted(one.handle for one in members)
    for one in found:
        assert one.rank == 1 + sum(better(other, one.score) for other in members)
    assert [(one.rank, one.score.handle) for one in found] == sorted((one.rank, one.score.handle) for one in found)
    assert found == standings(reversed(members))
