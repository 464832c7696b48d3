"""Counting arrivals in any second."""

from __future__ import annotations

import pytest

from evaluator.local.simulator.traffic import Traffic, busiest


@pytest.mark.parametrize(
    ("arrivals", "most"),
    [
        ([], 0),
        ([5.0], 1),
        ([0.0, 1.0, 2.0], 1),  # a second apart: the window is half-open
        ([0.0, 0.999, 1.0], 2),
        ([0.0, 0.1, 0.2, 1.05, 1.1, 1.15, 1.19, 9.0], 5),  # 0.2 to 1.19
        ([3.0, 3.0, 3.0], 3),
    ],
)
def test_the_busiest_second_is_found_wherever_it_begins(arrivals: list[float], most: int) -> None:
    assert busiest(arrivals) == most


def test_an_arrival_is_told_how_many_came_in_its_second() -> None:
    traffic = Traffic()
    assert [traffic.arrive(at) for at in (0.0, 0.5, 0.9, 1.0, 1.4, 1.6)] == [1, 2, 3, 3, 4, 4]
    assert traffic.report()["busiest_second"] == 4
