"""How a refused request is taken apart: who is found, and in how many requests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pytest

from evaluator.leetcode.parts import HOPELESS, MOST_REQUESTS, Asked, ask_in_parts
from evaluator.leetcode.refusal import Refusal, RefusalKind

TWENTY = [f"user{n}" for n in range(20)]
BAD = Refusal(RefusalKind.BAD_QUERY, "invalid")
DOWN = Refusal(RefusalKind.RETRY_LATER, "down")


class LeetCode:
    """Refuses every question about a poisoned key; from request number `down_from` on it is down."""

    def __init__(self, poisoned: Collection[str] = (), down_from: int = 1000) -> None:
        self.poisoned = set(poisoned)
        self.down_from = down_from
        self.asked: list[Sequence[str]] = []

    def __call__(self, keys: Sequence[str]) -> Mapping[str, str] | Refusal:
        self.asked.append(keys)
        if len(self.asked) >= self.down_from:
            return DOWN
        return BAD if self.poisoned.intersection(keys) else {key: f"about {key}" for key in keys}


def about(keys: Collection[str]) -> dict[str, str]:
    return {key: f"about {key}" for key in keys}


def test_all_are_asked_about_in_one_request() -> None:
    leetcode = LeetCode()
    assert ask_in_parts(TWENTY, leetcode) == Asked(about(TWENTY), {}, None)
    assert leetcode.asked == [tuple(TWENTY)]


def test_about_nobody_nothing_is_asked() -> None:
    leetcode = LeetCode()
    assert ask_in_parts([], leetcode) == Asked({}, {}, None)
    assert leetcode.asked == []


@pytest.mark.parametrize("handle", TWENTY)
def test_one_poisoned_of_twenty_stands_alone_after_eleven_requests_at_most(handle: str) -> None:
    leetcode = LeetCode([handle])
    asked = ask_in_parts(TWENTY, leetcode)
    assert asked == Asked(about(set(TWENTY) - {handle}), {handle: BAD}, None)
    # The whole, then two parts for each halving: 20, 10, 5, 3 or 2, 2 or 1, perhaps 1.
    assert len(leetcode.asked) in (9, 11)
    assert (handle,) in leetcode.asked


@pytest.mark.parametrize("poisoned", [["user0", "user19"], ["user3", "user4"], ["user1", "user9", "user17"]])
def test_several_poisoned_are_found_without_spoiling_the_others(poisoned: list[str]) -> None:
    leetcode = LeetCode(poisoned)
    asked = ask_in_parts(TWENTY, leetcode)
    assert asked == Asked(about(set(TWENTY) - set(poisoned)), dict.fromkeys(poisoned, BAD), None)
    assert len(leetcode.asked) <= MOST_REQUESTS


def test_a_question_that_is_wrong_itself_is_given_up_after_its_quarters() -> None:
    leetcode = LeetCode(TWENTY)
    assert ask_in_parts(TWENTY, leetcode) == Asked({}, {}, BAD)
    assert [len(part) for part in leetcode.asked] == [20, 10, 10, 5, 5, 5, 5]
    assert len(leetcode.asked) == HOPELESS


@pytest.mark.parametrize("count", [1, 2, 3])
def test_where_nobody_was_accepted_nobody_is_called_poisoned(count: int) -> None:
    assert ask_in_parts(TWENTY[:count], LeetCode(TWENTY)) == Asked({}, {}, BAD)


def test_the_number_of_requests_is_bounded_and_what_was_answered_is_kept() -> None:
    hundred = [f"user{n}" for n in range(100)]
    leetcode = LeetCode(hundred[:75:2])
    asked = ask_in_parts(hundred, leetcode)
    assert len(leetcode.asked) == MOST_REQUESTS
    assert asked.refusal is not None
    assert asked.refusal.kind is RefusalKind.BAD_QUERY
    assert asked.answers == about(hundred[75:])


def test_an_outage_in_the_middle_keeps_what_was_answered() -> None:
    # The whole is refused, the first half too, the second is answered; then LeetCode is down.
    leetcode = LeetCode(["user0"], down_from=4)
    assert ask_in_parts(TWENTY, leetcode) == Asked(about(TWENTY[10:]), {}, DOWN)
    assert len(leetcode.asked) == 4


def test_an_outage_before_anybody_was_accepted_leaves_open_who_is_poisoned() -> None:
    # Both are refused, user0 alone too; then LeetCode is down.
    assert ask_in_parts(TWENTY[:2], LeetCode(["user0"], down_from=3)) == Asked({}, {}, DOWN)


def test_who_was_left_out_of_an_answer_is_asked_about_again() -> None:
    asked: list[Sequence[str]] = []

    def ask(keys: Sequence[str]) -> Mapping[str, str]:
        asked.append(keys)
        return about(keys[:1])

    assert ask_in_parts(["a", "b", "c"], ask) == Asked(about("abc"), {}, None)
    assert asked == [("a", "b", "c"), ("b", "c"), ("c",)]


def test_an_answer_about_nobody_does_not_go_on_for_ever() -> None:
    asked: Asked[str] = ask_in_parts(["a"], lambda _: {})
    assert asked.refusal is not None
    assert asked.answers == {}
