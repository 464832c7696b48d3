"""Figures: what the ledger says about the work, for metrics and whoever watches. What only Redis knows is elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from typing import NamedTuple

from evaluator.domain.verdict import Reason
from evaluator.ledger import figures as ledger
from evaluator.ledger.challenges import Unreadable, read_challenges
from evaluator.ledger.database import Connection
from evaluator.ledger.enqueues import EnqueuedBy, last_enqueues
from evaluator.ledger.figures import Ongoing
from evaluator.ledger.jobs import Counts, count_jobs, is_paused, oldest_waiting
from evaluator.ledger.runs import RunState
from evaluator.metrics import UNPROVEN
from evaluator.service.due import DaysWithoutRun, next_end
from evaluator.service.overview import Stage, stage_on

LATE = 7200.0
"""Seconds after which a day that is due and not settled is late."""

FOR_A_PERSON = (Reason.NO_HANDLE, Reason.USER_NOT_FOUND, Reason.PROFILE_HIDDEN)
"""Reasons of a pending day that only a person can mend."""

RATE_OVER = 300.0
"""Seconds, the last ones, over whose rate the time that the work takes is measured."""

_PENDING_REASONS = tuple(map(Reason, UNPROVEN))

_SELDOM = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Pace:
    """What the settings say: seconds from a day's end until it is due, how many members LeetCode may be asked about in
    a second, and for how many seconds a completed evaluation is counted.
    """

    settle_delay: float
    members_per_second: float
    completed_within: float


@dataclass(frozen=True, slots=True)
class Drain:
    """Seconds until everything that waits, is at work or is queued is settled: at the rate of the last minutes, None
    where there is work and no rate; and at what LeetCode may be asked.
    """

    measured: float | None
    budget: float


@dataclass(frozen=True, slots=True)
class Figures:
    """The ledger at one moment, `at`. Evaluations are members' days; times are seconds since the epoch.

    `unsettled` are those `left` to do, and those pending that wait for a later pass. `deadline` is when the next day
    falls due in a challenge that has work now. `runs_due` are days of challenges, with a run or without; `runs_late`
    those of them that have been due for more than `LATE` seconds; `runs_stuck` those of the late ones over which no
    pass has come to its end. `challenges_unreadable` are not over, and no day of theirs is begun. `members` are in a
    running challenge.
    """

    at: float
    evaluations: Counts
    left: int
    unsettled: int
    pending: Mapping[Reason, int]
    members_needing_attention: int
    oldest_waiting_seconds: float
    oldest_pending_seconds: float
    members_per_second: float | None
    drain: Drain
    deadline: float | None
    runs: Mapping[RunState, int]
    runs_due: int
    runs_late: int
    runs_stuck: int
    last_success: float | None
    last_enqueue: Mapping[EnqueuedBy, float]
    challenges: Mapping[Stage, int]
    challenges_unreadable: int
    members: int
    paused: bool


class Watch:
    """Reads the figures again and again. Members, who are many and seldom others, are counted once a minute, and so are
    challenges that cannot be read.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._without_run = DaysWithoutRun()
        self._members = _Counted(frozenset(), 0, float("-inf"))
        self._unreadable, self._unreadable_at = 0, float("-inf")

    def read(self, connection: Connection, now: float) -> Figures:
        """All of them at `now`. They fit together if the transaction sees one moment: see `Database.snapshot`."""
        pace = self._pace
        over_by = now - pace.settle_delay
        evaluations = count_jobs(connection, pace.completed_within)
        in_batches = evaluations.waiting + evaluations.active - ledger.decided_early(connection)
        left = in_batches + ledger.members_to_come(connection)
        rate = measured_rate(connection, now, RATE_OVER)
        pending = ledger.read_pending(connection)
        runs = ledger.unsettled_runs(connection, over_by, over_by - LATE)
        ongoing = ledger.ongoing_challenges(connection)
        without_run = self._without_run.ends(connection, ongoing, over_by)
        late_without_run = sum(end < over_by - LATE for end in without_run)
        stages = {one.id: _stage(one, now) for one in ongoing}
        completed, cancelled = ledger.challenges_over(connection)
        running = frozenset(challenge for challenge, stage in stages.items() if stage is Stage.RUNNING)
        counted = Counter(stages.values())
        end = next_end(ongoing, over_by)
        return Figures(
            at=now,
            evaluations=evaluations,
            left=left,
            unsettled=left + pending.resting,
            pending={reason: pending.by_reason[reason] for reason in _PENDING_REASONS},
            members_needing_attention=ledger.members_pending(connection, FOR_A_PERSON),
            oldest_waiting_seconds=oldest_waiting(connection) or 0.0,
            oldest_pending_seconds=0.0 if pending.day_end is None else max(0.0, over_by - pending.day_end),
            members_per_second=rate,
            drain=_drain(left, rate, pace),
            deadline=None if end is None else end + pace.settle_delay,
            runs={state: of_state.runs for state, of_state in runs.items()},
            runs_due=sum(of_state.due for of_state in runs.values()) + len(without_run),
            runs_late=sum(of_state.late for of_state in runs.values()) + late_without_run,
            runs_stuck=sum(of_state.stuck for of_state in runs.values()) + late_without_run,
            last_success=ledger.last_settled(connection),
            last_enqueue=last_enqueues(connection),
            challenges={
                **{stage: counted[stage] for stage in Stage},
                Stage.COMPLETED: completed,
                Stage.CANCELLED: cancelled,
            },
            challenges_unreadable=self._count_unreadable(connection, now),
            members=self._count_members(connection, running, now),
            paused=is_paused(connection),
        )

    def _count_members(self, connection: Connection, challenges: frozenset[str], now: float) -> int:
        if challenges != self._members.challenges or now - self._members.at >= _SELDOM:
            self._members = _Counted(challenges, ledger.count_members(connection, challenges, now), now)
        return self._members.members

    def _count_unreadable(self, connection: Connection, now: float) -> int:
        if now - self._unreadable_at >= _SELDOM:
            found = read_challenges(connection, ledger.unfinished_challenges(connection))
            self._unreadable, self._unreadable_at = sum(isinstance(one, Unreadable) for one in found), now
        return self._unreadable


class _Counted(NamedTuple):
    """How many members some challenges had at a moment."""

    challenges: frozenset[str]
    members: int
    at: float


def _stage(challenge: Ongoing, now: float) -> Stage:
    if challenge.completed:
        return Stage.COMPLETED
    return stage_on(challenge.calendar.date_at(floor(now)), challenge.starts, challenge.ends)


def measured_rate(connection: Connection, now: float, over: float) -> float | None:
    """Members a second whose batches ended in the last seconds, `over` at most; None where there were none.

    It counts from when the work under way was queued, and its first batch begun: before that workers had nothing to do,
    or had not been started.
    """
    queued = ledger.queued_since(connection)
    if queued is None:
        return None
    since = max(now - over, queued)
    ended, begun = ledger.ended_since(connection, since)
    took = now - max(since, begun or since)
    return ended / took if ended and took > 0 else None


def _drain(left: int, rate: float | None, pace: Pace) -> Drain:
    measured = 0.0 if not left else left / rate if rate else None
    return Drain(measured, left / pace.members_per_second)
