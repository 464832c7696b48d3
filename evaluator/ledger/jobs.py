"""Jobs in the ledger: how many there are, which were given up, and whether work is paused.

A job is the evaluation of one member's day; a count is of members, never of messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from evaluator.domain.verdict import Reason
from evaluator.ledger.database import Connection
from evaluator.ledger.runs import RunState
from evaluator.ledger.statements import statements

_SQL = statements("jobs")


@dataclass(frozen=True, slots=True)
class Counts:
    """Jobs by state. `completed` are those that ended lately; `failed` were given up and not retried or cleared."""

    waiting: int
    active: int
    completed: int
    failed: int


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that was given up. `attempts` is None once its batch has been pruned."""

    challenge: str
    handle: str
    day: date
    reason: Reason
    error: str | None
    failed_at: datetime
    attempts: int | None


@dataclass(frozen=True, slots=True)
class PendingDay:
    """A member's day that was looked at and could not be decided. `next_try` is None while a pass is at work on it."""

    challenge: str
    handle: str
    day: date
    reason: Reason
    error: str | None
    next_try: datetime | None


@dataclass(frozen=True, slots=True)
class Pause:
    set_by: str
    set_at: datetime


def count_jobs(connection: Connection, completed_within: float) -> Counts:
    """The four counts; `completed` are those of the last `completed_within` seconds."""
    waiting, active = connection.execute(_SQL["live"]).fetchone() or (0, 0)
    ended = connection.execute(_SQL["ended"], {"seconds": completed_within}).fetchone()
    completed, failed = ended or (0, 0)
    return Counts(waiting, active, completed, failed)


def count_runs(connection: Connection) -> dict[RunState, int]:
    """How many runs are in each state, but for the settled ones."""
    present: dict[str, int] = dict(connection.execute(_SQL["runs"]).fetchall())
    return {state: present.get(state, 0) for state in RunState if state is not RunState.SETTLED}


def count_pending(connection: Connection) -> dict[Reason, int]:
    """How many evaluations were looked at and could not be decided, by reason, the most frequent first."""
    return {Reason(reason): count for reason, count in connection.execute(_SQL["pending"])}


def oldest_waiting(connection: Connection) -> float | None:
    """For how many seconds something has been waiting at the most; None where nothing is."""
    row = connection.execute(_SQL["oldest_waiting"]).fetchone()
    return None if row is None or row[0] is None else float(row[0])


def read_failed(connection: Connection, challenge_id: str | None, limit: int) -> list[FailedJob]:
    """The newest jobs that were given up, of one challenge or of all."""
    rows = connection.execute(_SQL["failed"], {"challenge": challenge_id, "limit": limit})
    return [FailedJob(challenge, handle, day, Reason(reason), *rest) for challenge, handle, day, reason, *rest in rows]


def read_pending_days(connection: Connection, challenge_id: str | None, limit: int) -> list[PendingDay]:
    """The oldest days that could not be decided, of one challenge or of all."""
    rows = connection.execute(_SQL["undecided"], {"challenge": challenge_id, "limit": limit})
    return [PendingDay(challenge, handle, day, Reason(reason), *rest) for challenge, handle, day, reason, *rest in rows]


def runs_with_failed(connection: Connection, challenge_id: str | None) -> dict[int, int]:
    """How many jobs were given up in each run."""
    return dict(connection.execute(_SQL["runs_with_failed"], {"challenge": challenge_id}).fetchall())


def clear_failed(connection: Connection, challenge_id: str | None) -> int:
    """Forget which jobs were given up; how many there were."""
    row = connection.execute(_SQL["clear_failed"], {"challenge": challenge_id}).fetchone()
    return row[0] if row else 0


def pause(connection: Connection, by: str) -> bool:
    """Let no batch begin from here on; False where work was paused already."""
    return connection.execute(_SQL["pause"], {"by": by}).rowcount == 1


def read_pause(connection: Connection) -> Pause | None:
    row = connection.execute(_SQL["paused"]).fetchone()
    return Pause(*row) if row else None


def is_paused(connection: Connection) -> bool:
    return read_pause(connection) is not None


def lift_pause(connection: Connection) -> bool:
    """Whether work was paused until now."""
    return connection.execute(_SQL["resume"]).rowcount == 1


def forget_sent(connection: Connection) -> list[int]:
    """Count nothing that waits as sent any more; gives the open runs, which have it to send."""
    return [run_id for (run_id,) in connection.execute(_SQL["forget_sent"])]
