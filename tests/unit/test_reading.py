"""Readings: one for all who ask at once, kept for a while, and waited for no longer than so."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from evaluator.api.reading import KEPT, WAITED, Reading


class Clock:
    """Tells what it is set to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Source:
    """Gives 1, 2, 3, … each as soon as it may, or fails; `times` is how often it was asked."""

    def __init__(self, clock: Clock, takes: float = 0.0) -> None:
        self.may, self.fails = threading.Event(), False
        self.times = 0
        self._clock, self._takes = clock, takes
        self.may.set()

    def __call__(self) -> int:
        self.times += 1
        assert self.may.wait(60)
        self._clock.now += self._takes
        if self.fails:
            raise OSError("away")
        return self.times


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ask(reading: Reading[int]) -> int | None:
    reading.begin()
    return reading.wait()


def test_what_was_read_is_the_answer_for_five_seconds_and_is_then_read_anew(clock: Clock) -> None:
    source = Source(clock)
    reading = Reading("source", source, clock)
    assert ask(reading) == 1
    clock.now += KEPT - 0.001
    assert ask(reading) == 1
    clock.now += 0.001
    assert ask(reading) == 2


@pytest.mark.parametrize(("took", "kept"), [(0.9, 5.0), (2.0, 10.0), (3.5, 15.0)])
def test_what_takes_long_to_read_is_kept_for_longer_but_for_fifteen_seconds_at_most(
    clock: Clock, took: float, kept: float
) -> None:
    reading = Reading("source", Source(clock, took), clock)
    began = clock.now
    assert ask(reading) == 1
    clock.now = began + kept - 0.001
    assert ask(reading) == 1
    clock.now = began + kept
    assert ask(reading) == 2


def test_all_who_ask_at_once_share_one_reading(clock: Clock) -> None:
    source = Source(clock)
    source.may.clear()
    reading = Reading("source", source, clock)
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(ask, reading) for _ in range(20)]
        while not source.times:
            time.sleep(0.001)
        source.may.set()
        assert {answer.result() for answer in answers} == {1}
    assert source.times == 1


def test_a_source_that_fails_has_no_answer_nor_is_it_asked_again_at_once_and_an_old_answer_is_not_given(
    clock: Clock,
) -> None:
    source = Source(clock)
    reading = Reading("source", source, clock)
    assert ask(reading) == 1
    clock.now += KEPT
    source.fails = True
    assert ask(reading) is None
    clock.now += KEPT - 0.001
    source.fails = False
    assert ask(reading) is None
    assert source.times == 2
    clock.now += 0.001
    assert ask(reading) == 3


def test_a_source_that_is_silent_is_waited_for_once_and_asked_by_nobody_else(clock: Clock) -> None:
    source = Source(clock)
    source.may.clear()
    reading = Reading("source", source, clock)
    reading.begin()
    for _ in range(4):
        clock.now += WAITED
        assert ask(reading) is None
    assert source.times == 1
    source.may.set()
    while ask(reading) is None:  # what came too late is not given either: it is old by now
        time.sleep(0.001)
    assert source.times == 2


def test_where_no_thread_can_be_had_the_next_who_asks_reads(clock: Clock) -> None:
    source = Source(clock)
    reading = Reading("source", source, clock)
    usual = threading.stack_size(2**60)  # more than there are addresses
    try:
        with pytest.raises(RuntimeError, match="can't start new thread"):
            reading.begin()
    finally:
        threading.stack_size(usual)
    assert ask(reading) == 1
