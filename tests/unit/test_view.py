"""What `evaluator top` draws: by when the work is done, what is in the way, and that it fits any terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from evaluator.cli.source import Seen, Source
from evaluator.cli.view import QueueGlance, View, draw
from evaluator.domain.verdict import Reason
from evaluator.ledger.figures import AtWork
from evaluator.ledger.jobs import Counts, FailedJob, Pause
from evaluator.ledger.runs import RunState
from evaluator.leetcode.pacer import PacerState
from evaluator.queue.depth import Depth
from evaluator.queue.figures import RedisFigures
from evaluator.service.figures import Drain, Figures
from evaluator.service.glance import Glance

NOW = datetime(2026, 11, 26, 1, 10, 7, tzinfo=UTC)
AT = NOW.timestamp()
FIGURES = Figures(
    at=AT,
    evaluations=Counts(waiting=11_900, active=440, completed=100_000, failed=12),
    left=12_340,
    unsettled=12_363,
    pending={Reason.PROFILE_HIDDEN: 23, Reason.NO_HANDLE: 0},
    members_needing_attention=23,
    oldest_waiting_seconds=600.0,
    oldest_pending_seconds=0.0,
    members_per_second=100.0,
    drain=Drain(measured=123.4, budget=30.85),
    deadline=AT + 3600,
    runs={RunState.QUEUED: 3, RunState.OPEN: 9, RunState.PENDING: 2},
    runs_due=14,
    runs_late=1,
    runs_stuck=0,
    last_success=AT - 300,
    last_enqueue={},
    challenges={},
    challenges_unreadable=0,
    members=0,
    paused=False,
)
RUN = AtWork("a-challenge-with-a-name-that-goes-on-and-on", date(2026, 11, 25), fanned_out=True, left=250, total=1000)
FAILED = FailedJob(
    "grind",
    "a-handle-of-some-length",
    date(2026, 11, 25),
    Reason.UPSTREAM_UNAVAILABLE,
    "LeetCode answered\n500 and what else is said goes on for longer than any line",
    NOW - timedelta(minutes=3),
    3,
)
GLANCE = Glance(FIGURES, 118.44, None, [RUN] * 9, [FAILED] * 12)
QUEUE = QueueGlance(
    RedisFigures({"challenges": Depth(0, 1, 0, 0), "members": Depth(156, 100, 3, 2)}, 4, None),
    PacerState(paused_for=0.0, next_slot=0.0, rate=20.0, refusals=0, sent=15),
)


def drawn(glance: Glance | None = GLANCE, queue: QueueGlance | None = QUEUE, width: int = 80, height: int = 24) -> str:
    view = View(NOW, 20.0, Seen(glance), Seen(queue))
    return printed(view, width, height)


def printed(view: View, width: int = 80, height: int = 24) -> str:
    out = StringIO()
    Console(file=out, width=width).print(draw(view, width, height))
    return out.getvalue()


def line(text: str, label: str) -> str:
    """What stands behind a label."""
    return next(one for one in text.splitlines() if one.startswith(label)).removeprefix(label).strip()


def test_at_01_10_it_says_how_it_stands() -> None:
    assert (
        drawn()
        == """\
evaluator     2026-11-26 01:10:07 UTC

left          12,340 evaluations, 118.4 members/s in the last minute
at this rate  done by 01:12, 57 min before the next day, due 02:10
at the limit  done by 01:10, 59 min before the next day, due 02:10
evaluations   11,900 waiting, 440 active, 12 failed, 100,000 completed lately
pending       23: profile_hidden 23
days          14 due, 1 late, 3 queued, 9 open, 2 pending; last settled 01:05

messages            ready  in flight    delayed       dead
challenges              0          1          0          0
members               156        100          3          2
workers       4 alive
leetcode      15 of 20 requests in the last second ███████████████░░░░░

open runs     3 of 9
a-challenge-with-a-name-th…  2026-11-25  ███████████████░░░░░  75%  750 of 1,000
a-challenge-with-a-name-th…  2026-11-25  ███████████████░░░░░  75%  750 of 1,000
a-challenge-with-a-name-th…  2026-11-25  ███████████████░░░░░  75%  750 of 1,000

failed jobs   3 of 12
01:07  grind  a-handle-of-some-length  2026-11-25  LeetCode answered 500 and wh…
01:07  grind  a-handle-of-some-length  2026-11-25  LeetCode answered 500 and wh…
01:07  grind  a-handle-of-some-length  2026-11-25  LeetCode answered 500 and wh…
"""
    )


@pytest.mark.parametrize("width", [20, 40, 70, 80, 200])
@pytest.mark.parametrize("height", [24, 40])
def test_it_fits_every_terminal(width: int, height: int) -> None:
    lines = drawn(width=width, height=height).splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_lists_leave_their_room_to_each_other() -> None:
    few = drawn(replace(GLANCE, at_work=[RUN], failed=[FAILED] * 12))
    assert few.count("750 of 1,000") == 1
    assert few.count("a-handle") == 5
    none = drawn(replace(GLANCE, failed=[], figures=replace(FIGURES, evaluations=Counts(1, 0, 0, 0))))
    assert none.count("750 of 1,000") == 6
    assert line(none, "failed jobs") == "none"


def test_a_deadline_that_will_be_missed_is_told() -> None:
    late = drawn(replace(GLANCE, figures=replace(FIGURES, drain=Drain(5400.0, 90_000.0))))
    assert line(late, "at this rate") == "done by 02:40, 30 min AFTER the next day, due 02:10"
    assert line(late, "at the limit") == "done by Fri 02:10, 1 d 0 h AFTER the next day, due 02:10"
    none = drawn(replace(GLANCE, figures=replace(FIGURES, deadline=None)))
    assert line(none, "at this rate") == "done by 01:12"


def test_what_is_in_the_way_is_told() -> None:
    unknown = replace(GLANCE, rate=None, figures=replace(FIGURES, drain=Drain(None, 30.0)))
    assert line(drawn(unknown), "left") == "12,340 evaluations, and none has ended in the last minute"
    assert line(drawn(unknown), "at this rate") == "not known: none has ended in the last 5 min"
    nobody = replace(QUEUE, figures=replace(QUEUE.figures, workers_alive=0))
    assert line(drawn(queue=nobody), "left") == "12,340 evaluations, and no worker is alive"
    assert line(drawn(queue=nobody), "at this rate") == "not before a worker runs"
    empty = replace(
        QUEUE, figures=replace(QUEUE.figures, depths={"challenges": Depth(0, 0, 0, 0), "members": Depth(0, 0, 0, 1)})
    )
    assert line(drawn(queue=empty), "left") == "12,340 evaluations, but no message: does a server run?"
    paused = replace(GLANCE, pause=Pause("ada", NOW - timedelta(hours=2)))
    assert line(drawn(paused), "left") == "12,340 evaluations, paused by ada since Wed 23:10"
    assert line(drawn(paused), "at this rate") == "not before `evaluator queue resume`"


def test_what_leetcode_slows_down_is_told() -> None:
    pause = replace(QUEUE, pacer=replace(QUEUE.pacer, paused_for=12.3, rate=2.5, sent=0))
    assert line(drawn(queue=pause), "leetcode").endswith(", paused for another 13 s")
    long = replace(QUEUE, pacer=replace(QUEUE.pacer, paused_for=3600.0, rate=2.5, sent=0))
    assert line(drawn(queue=long), "at this rate") == "not known while LeetCode refuses"
    assert line(drawn(queue=long), "at the limit") == "done by 02:10, 31 s AFTER the next day, due 02:10"
    slow = replace(QUEUE, pacer=replace(QUEUE.pacer, rate=2.5, sent=2))
    assert line(drawn(queue=slow), "leetcode") == "2 of 20 requests in the last second, slowed to 2.5 a second"


def test_a_fan_out_under_way_says_so() -> None:
    begun = replace(GLANCE, at_work=[replace(RUN, fanned_out=False), replace(RUN, fanned_out=False, left=0, total=0)])
    text = drawn(begun, width=120)
    assert "75%  750 of 1,000 so far" in text
    assert "0%   0 of 0 so far" in text


def test_a_source_remembers_for_how_long_it_is_silent_and_forgets_it_when_it_answers() -> None:
    clock = iter(range(100, 1000, 10))
    answers: list[str | Exception] = ["one", KeyError("a"), OSError("b"), "two"]

    def read() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    source = Source(read, repr, lambda: float(next(clock)))
    assert source.seen() == Seen(None)
    source.read()
    assert source.seen() == Seen("one")
    source.read()
    source.read()
    assert source.seen() == Seen(None, silent=20.0, why="OSError('b')")
    source.read()
    assert source.seen() == Seen("two")


def test_a_reading_that_does_not_end_is_told_too() -> None:
    told = []
    clock = iter((0.0, 5.0, 7.0, 8.0))

    def read() -> str:
        told.extend([source.seen(), source.seen()])
        return "late"

    source = Source(read, str, lambda: next(clock))
    source.read()
    assert told == [Seen(None), Seen(None, silent=7.0, why="no answer yet")]
    assert source.seen() == Seen("late")
