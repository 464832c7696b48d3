"""Machines whose clocks are ten minutes off: Postgres' clock says what is due, Redis' paces and says who lives."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from tests.faults.arena import FIRST, RULES, Arena, handles
from tests.integration.program import until

OFF = 600.0


@pytest.mark.parametrize("clock", [OFF, -OFF])
def test_what_is_due_is_due_by_the_clock_of_postgres(arena: Arena, clock: float) -> None:
    """Today's due time is put to five minutes from now, or ago, so that a clock that is off would say the contrary."""
    arena.scene.challenge("grind", handles("member", 8), starts=FIRST, ends=FIRST, timezone="Etc/UTC", rules=RULES)
    over_since = time.time() - datetime(2026, 3, 2, tzinfo=UTC).timestamp()
    arena.run("enqueue", CLOCK_AHEAD=str(clock), SETTLE_DELAY=str(over_since + clock / 2))
    assert arena.value("SELECT count(*) FROM runs") == (0 if clock > 0 else 1)


def test_a_worker_whose_clock_is_off_works_as_the_others_do(arena: Arena) -> None:
    """One ahead, one behind, one right, with retries, which wait by a clock; nobody is taken for dead meanwhile."""
    arena.challenge("grind", handles("member", 64))
    arena.leetcode.goes_wrong("server_error", share=0.3, times=8)
    arena.leetcode.behaves(latency=0.1)
    arena.run("enqueue", CLOCK_AHEAD=str(OFF))
    for clock in (OFF, -OFF, 0.0):
        arena.worker(CLOCK_AHEAD=str(clock), LEETCODE_USERS_PER_REQUEST="2")
    until(lambda: arena.leetcode.requests() > 20)
    arena.finish()
    arena.check(attempts=4)


@pytest.mark.parametrize("clock", [pytest.param(OFF, marks=pytest.mark.long), -OFF])
def test_a_retry_waits_as_long_as_it_should(arena: Arena, clock: float) -> None:
    arena.challenge("grind", handles("member", 8), days=1)
    arena.leetcode.goes_wrong("server_error", times=1)
    arena.run("enqueue")
    arena.worker(CLOCK_AHEAD=str(clock), JOB_BACKOFF="2s")
    arena.finish(keeping=False)
    arena.check()
    first, second, *_ = arena.leetcode.arrivals()
    assert 2 <= second - first < OFF / 2
