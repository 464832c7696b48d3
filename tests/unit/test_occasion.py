"""What an enqueue was started for, by its environment: a day, a schedule, or nothing in particular."""

from __future__ import annotations

from datetime import date

import pytest

from evaluator.cli.occasion import Occasion, OccasionError, await_schedule, read_occasion

DAY = date(2026, 11, 20)
SCHEDULED = 29_884_440 * 60
"""2026-10-27T02:00:00Z, by `date -u -d @$((29884440 * 60))`."""


@pytest.mark.parametrize(
    ("name", "occasion"),
    [
        ("evaluator-enqueue-2026-11-20", Occasion(DAY)),
        ("2026-11-20", Occasion(DAY)),
        ("again-2026-11-20", Occasion(DAY)),
        ("evaluator-enqueue-29884440", Occasion(scheduled=SCHEDULED)),
        ("evaluator-enqueue-999999999999", Occasion(scheduled=999_999_999_999 * 60)),
        ("", Occasion()),
        ("evaluator-enqueue", Occasion()),
        ("evaluator-enqueue-x7k2p", Occasion()),
        ("evaluator-enqueue-2026-11-20-x7k2p", Occasion()),
        ("evaluator-enqueue-12026-11-20", Occasion(scheduled=20 * 60)),
        ("evaluator-enqueue-1234567890123", Occasion()),
        ("evaluator-enqueue-２０２６-１１-２０", Occasion()),  # noqa: RUF001  # digits, but not ours
    ],
)
def test_the_name_of_a_job_says_what_it_is_for(name: str, occasion: Occasion) -> None:
    assert read_occasion({"JOB_NAME": name}) == occasion


def test_a_day_that_is_named_wins_over_the_name() -> None:
    assert read_occasion({"JOB_NAME": "enqueue-2026-11-21", "EVALUATION_DAY": "2026-11-20\n"}) == Occasion(DAY)
    assert read_occasion({"JOB_NAME": "enqueue-2026-11-20", "EVALUATION_DAY": ""}) == Occasion(DAY)
    assert read_occasion({}) == Occasion()


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("JOB_NAME", "enqueue-2026-02-30", "JOB_NAME='enqueue-2026-02-30' ends in 2026-02-30, which is not a date"),
        ("EVALUATION_DAY", "2026-13-01", "EVALUATION_DAY='2026-13-01' is not a date"),
        ("EVALUATION_DAY", "20261120", "EVALUATION_DAY='20261120' is not a date"),
        ("EVALUATION_DAY", "yesterday", "EVALUATION_DAY='yesterday' is not a date"),
    ],
)
def test_a_day_that_there_is_not_is_refused(key: str, value: str, told: str) -> None:
    with pytest.raises(OccasionError) as caught:
        read_occasion({key: value})
    assert str(caught.value) == f"{told}; write it as 2026-11-20"


class Time:
    """A clock that only moves by sleeping, and falls asleep a little late and wakes a little early."""

    def __init__(self, now: int) -> None:
        self.now = float(now)
        self.slept = 0.0

    def clock(self) -> int:
        return int(self.now)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.now += max(0.5, seconds - 0.5)


@pytest.mark.parametrize(
    ("ahead", "waits"),
    [(-86_400, False), (-5, False), (0, False), (1, True), (60, True), (61, False), (10**10, False)],
)
def test_an_enqueue_waits_for_postgres_clock_to_come_to_its_schedule(ahead: int, waits: bool) -> None:
    time = Time(SCHEDULED - ahead)
    assert await_schedule(Occasion(scheduled=SCHEDULED), time.clock, time.sleep) is (ahead <= 60)
    assert (time.slept > 0) == waits
    assert time.clock() == (SCHEDULED if waits else SCHEDULED - ahead)


def test_without_a_schedule_nothing_is_awaited() -> None:
    time = Time(SCHEDULED)
    assert not await_schedule(Occasion(DAY), time.clock, time.sleep)
    assert time.slept == 0
