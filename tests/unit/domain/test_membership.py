"""Which days are required of a member (rule 2). The day is [1000, 2000)."""

from __future__ import annotations

import pytest

from evaluator.domain.day import Window
from evaluator.domain.membership import Membership, is_required

DAY = Window(1000, 2000)


@pytest.mark.parametrize(
    ("joined", "left", "required"),
    [
        (None, None, True),
        (999, None, True),
        (1000, None, True),  # joined at the very start of the day
        (1001, None, False),  # joined a second into it: the next full day is the first
        (None, 2001, True),
        (None, 2000, True),  # left as the day ended
        (None, 1999, False),  # left in its last second
        (None, 1000, False),
        (1000, 2000, True),
        (1000, 1500, False),
    ],
)
def test_a_day_is_required_if_all_of_it_lies_in_the_stay(joined: int | None, left: int | None, required: bool) -> None:
    assert Membership(joined, left).requires(DAY) is required


@pytest.mark.parametrize(
    ("stays", "required"),
    [
        ([], False),
        ([Membership(None, 500), Membership(900, None)], True),
        ([Membership(None, 2500), Membership(3000, None)], True),
        ([Membership(None, 900), Membership(2100, None)], False),  # the gap is not required
        # Away from noon to five past: no stay holds the whole day.
        ([Membership(None, 1500), Membership(1505, None)], False),
    ],
)
def test_a_day_is_required_of_one_who_came_back_if_one_stay_holds_all_of_it(
    stays: list[Membership], required: bool
) -> None:
    assert is_required(stays, DAY) is required
