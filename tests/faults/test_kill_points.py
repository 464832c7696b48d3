"""kill -9 at named points: whatever a process had done when it ended, another goes on, and everything ends the same."""

from __future__ import annotations

import pytest

from tests.faults.arena import Arena, handles
from tests.faults.doom import DOOMED

RECORDING = ("lock_members", "accounts", "record", "finish")
"""The statements of the recording transaction, in order."""


@pytest.mark.parametrize(
    "point",
    [
        "after fetch",
        # A run is opened and fanned out.
        "before runs.open",
        "uncommitted runs.open",
        "committed runs.open",
        "after runs.fan_out",
        "after runs.advance",
        "uncommitted runs.take_unsent",
        "committed runs.take_unsent",
        "before send",
        "after send",
        # A batch is begun, and LeetCode asked.
        "uncommitted evaluations.begin",
        "committed evaluations.begin",
        "before request",
        "after request",
        "after request 2",
        # It is recorded.
        *(f"after evaluations.{statement}" for statement in RECORDING),
        "after evaluations.record 4",
        "uncommitted evaluations.finish",
        "committed evaluations.finish",
        "committed evaluations.finish 3",
        # Its run is closed, and the next one woken.
        "before runs.close",
        "uncommitted runs.close",
        "committed runs.close",
        "committed runs.close 2",
        "before ack",
        "after ack",
        "before ack 4",
    ],
)
def test_a_worker_killed_there_changes_nothing(arena: Arena, point: str) -> None:
    arena.challenge("grind", handles("member", 24))
    arena.run("enqueue")
    doomed = arena.worker(doom=point)
    doomed.wait()
    assert DOOMED in doomed.said()
    arena.lost_workers_are_missed()
    arena.worker()
    arena.finish()
    arena.check()


@pytest.mark.parametrize(
    "point",
    [
        "before runs.insert",
        "after runs.insert",
        "uncommitted runs.next_turns",
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
