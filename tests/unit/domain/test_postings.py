"""What a change of outcome posts (rules 19 and 20). Amounts are minor units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.domain.postings import posting
from evaluator.domain.rules import Rules
from evaluator.domain.verdict import Outcome

P, F, PENDING, EXEMPT, FROZEN = Outcome.PASSED, Outcome.FAILED, Outcome.PENDING, Outcome.EXEMPT, Outcome.FROZEN


@pytest.mark.parametrize(
    ("penalty", "cap", "total", "amount"),
    [
        (500, None, 0, 500),
        (500, None, 10_000, 500),
        (500, 2_000, 0, 500),
        (500, 2_000, 1_500, 500),  # exactly up to the cap
        (500, 2_000, 1_501, 499),  # the last posting is cut
        (500, 2_000, 1_999, 1),
        (500, 2_000, 2_000, 0),
        (500, 300, 0, 300),  # a cap below one penalty
        (500, 0, 0, 0),
        (500, 1_000, 1_500, 0),  # a cap lowered below the total posts nothing more, and takes nothing back
        (0, None, 0, 0),
        (0, 2_000, 0, 0),
    ],
)
def test_a_failed_day_posts_the_penalty_as_far_as_the_cap_has_room(
    penalty: int, cap: int | None, total: int, amount: int
) -> None:
    assert posting(Rules(penalty=penalty, cap=cap), PENDING, F, total, 0) == amount


@pytest.mark.parametrize("after", [P, PENDING, EXEMPT, FROZEN])
@pytest.mark.parametrize("standing", [500, 120, 0])
def test_leaving_failed_reverses_exactly_what_the_day_holds(after: Outcome, standing: int) -> None:
    # Whatever the penalty and the cap are by now: 120 was all that the cap left room for, and 120 goes back.
    assert posting(Rules(penalty=700, cap=2_000), F, after, 2_000, standing) == -standing


@pytest.mark.parametrize("before", [P, PENDING, EXEMPT, FROZEN])
@pytest.mark.parametrize("after", [P, PENDING, EXEMPT, FROZEN])
def test_a_change_that_neither_enters_nor_leaves_failed_posts_nothing(before: Outcome, after: Outcome) -> None:
    assert posting(Rules(penalty=500), before, after, 1_000, 0) == 0


def test_a_day_that_stays_failed_is_not_charged_again_when_a_reversal_has_made_room() -> None:
    # Cap 1000: two days at 500, the third had no room. One of the two is reversed; the third stays at 0 (rule 20).
    rules = Rules(penalty=500, cap=1_000)
    assert posting(rules, PENDING, F, 1_000, 0) == 0
    assert posting(rules, F, P, 1_000, 500) == -500
    assert posting(rules, F, F, 500, 0) == 0
    # A failure settled later finds the room.
    assert posting(rules, PENDING, F, 500, 0) == 500


@pytest.mark.parametrize("before", [P, EXEMPT, FROZEN])
def test_a_day_that_fails_again_posts_again(before: Outcome) -> None:
    assert posting(Rules(penalty=500, cap=2_000), before, F, 1_800, 0) == 200


@given(
    penalty=st.integers(0, 1_000),
    cap=st.none() | st.integers(0, 3_000),
    changes=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(Outcome)), max_size=40),
)
def test_the_total_is_what_the_failed_days_hold_and_never_above_the_cap(
    penalty: int, cap: int | None, changes: list[tuple[int, Outcome]]
) -> None:
    rules, outcomes, ledger = Rules(penalty=penalty, cap=cap), dict.fromkeys(range(6), PENDING), [(0, 0)]
    for day, after in changes:
        total = sum(amount for _, amount in ledger)
        held = sum(amount for one, amount in ledger if one == day)
        amount = posting(rules, outcomes[day], after, total, held)
        if after is F and outcomes[day] is not F:
            # Never more than the penalty, and less only where it fills the cap.
            assert amount == penalty or (cap is not None and total + amount == cap)
        ledger.append((day, amount))
        outcomes[day] = after
        of_day = {one: sum(amount for other, amount in ledger if other == one) for one in outcomes}
        assert all(0 <= of_day[one] <= penalty for one in outcomes)
        assert all(of_day[one] == 0 for one, outcome in outcomes.items() if outcome is not F)
        assert cap is None or sum(of_day.values()) <= cap
