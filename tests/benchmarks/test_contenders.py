"""The benchmark still runs: each contender without Node.js settles a few members, and its rows are right.

No figure is looked at.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from benchmarks.contenders import CONTENDERS
from benchmarks.ledger import UnverifiedError
from benchmarks.leetcode import stand_in
from benchmarks.population import CHALLENGE, day_of
from benchmarks.services import services
from benchmarks.stage import Bench
from benchmarks.stand_in import most_in_a_second
from benchmarks.trial import Load, run

MEMBERS = 40


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("bench")
    day = day_of(time.time())
    with services(folder) as running, stand_in(folder, day, MEMBERS) as leetcode:
        yield Bench(running, leetcode, day, folder)


@pytest.mark.parametrize("name", ["celery", "dramatiq", "evaluator-2x10"])
def test_a_contender_settles_the_members(bench: Bench, name: str) -> None:
    result = run(bench, CONTENDERS[name], Load(MEMBERS))
    assert result.seconds > 0
    assert set(result.cpu) == {"workers", "enqueue", "postgres", "redis", "stand-in"}
    assert result.arrivals.requests == (2 if name == "evaluator-2x10" else MEMBERS)


def test_wrong_rows_are_an_error(bench: Bench) -> None:
    with bench.stage(CONTENDERS["dramatiq"]) as stage:
        stage.add([CHALLENGE], MEMBERS)
        with pytest.raises(UnverifiedError, match="of 40 members"):
            stage.ledger.verify(CHALLENGE, MEMBERS)


def test_arrivals_are_counted_in_any_second() -> None:
    tenths = [0, 5, 9, 10, 14, 16, 24]
    assert most_in_a_second([tenth * 100_000_000 for tenth in tenths]) == 4
