"""kill -9 at named points: whatever a process had done when it ended, another goes on, and everything ends the same."""

from __future__ import annotations

import pytest

from tests.faults.arena import Arena, handles
from tests.faults.doom import DOOMED
from tests.integration.program import until

RECORDING = ("lock_at_once", "accounts", "record")
"""The statements of the recording transaction, in order."""


@pytest.mark.parametrize(
    "point",
    [
        "after fetch",
        # A run is opened and fanned out.
        pytest.param("before runs.open", marks=pytest.mark.long),
        pytest.param("uncommitted runs.open", marks=pytest.mark.long),
        pytest.param("committed runs.open", marks=pytest.mark.long),
        "after runs.fan_out",
        pytest.param("after runs.advance", marks=pytest.mark.long),
        pytest.param("uncommitted runs.take_unsent", marks=pytest.mark.long),
        "committed runs.take_unsent",
        "before send",
        "after send",
        # A batch is begun, and LeetCode asked.
        pytest.param("before evaluations.begin", marks=pytest.mark.long),
        "after evaluations.begin",
        pytest.param("before request", marks=pytest.mark.long),
        pytest.param("after request", marks=pytest.mark.long),
        pytest.param("after request 2", marks=pytest.mark.long),
        # It is recorded.
        *(f"after evaluations.{statement}" for statement in RECORDING),
        pytest.param("after evaluations.record 4", marks=pytest.mark.long),
        "uncommitted evaluations.record",
        "committed evaluations.record",
        pytest.param("committed evaluations.record 3", marks=pytest.mark.long),
        # Its run is closed, and the next one woken.
        pytest.param("before runs.close", marks=pytest.mark.long),
        "uncommitted runs.close",
        pytest.param("committed runs.close", marks=pytest.mark.long),
        pytest.param("committed runs.close 2", marks=pytest.mark.long),
        "before ack",
        pytest.param("after ack", marks=pytest.mark.long),
        pytest.param("before ack 4", marks=pytest.mark.long),
    ],
)
def test_a_worker_killed_there_changes_nothing(arena: Arena, point: str) -> None:
    arena.challenge("grind", handles("member", 24))
    arena.run("enqueue")
    doomed = arena.worker(doom=point)
    until(lambda: DOOMED in doomed.said())
    doomed.kill()  # what is left of it: Dramatiq's main process may wait for half a minute for a child that died young
    arena.lost_workers_are_missed()
    arena.worker()
    arena.finish()
    arena.check()


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("before runs.insert", marks=pytest.mark.long),
        "after runs.insert",
        pytest.param("uncommitted runs.next_turns", marks=pytest.mark.long),
        "committed runs.next_turns",
        "before send",
        "after send",
    ],
)
def test_an_enqueue_killed_there_is_made_good_by_the_next(arena: Arena, point: str) -> None:
    arena.challenge("grind", handles("member", 24))
    doomed = arena.start("enqueue", doom=point)
    assert doomed.wait() == -9
    assert DOOMED in doomed.said()
    arena.worker()
    arena.run("enqueue")
    arena.finish(keeping=False)
    arena.check(attempts=1)
