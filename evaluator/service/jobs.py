"""Jobs: what an operator sees of the work, and does about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from evaluator.correlation import current_id
from evaluator.domain.verdict import Reason
from evaluator.ledger import jobs as ledger
from evaluator.ledger.database import Connection, Database
from evaluator.ledger.jobs import FailedJob, PendingDay
from evaluator.ledger.runs import RunState, next_turns, requeue, take_unsent
from evaluator.service.fan_out import SENT_AHEAD
from evaluator.service.outbox import Outbox
from evaluator.service.unknown import Unknown, missing_challenge

_log = structlog.get_logger(__name__)


class QueueDepth(Protocol):
    """How many messages one queue holds."""

    @property
    def ready(self) -> int: ...
    @property
    def delayed(self) -> int: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def dead(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Messages:
    """What the queues hold together. A message wakes a worker; it is no job."""

    ready: int
    delayed: int
    in_flight: int
    dead: int


@dataclass(frozen=True, slots=True)
class Stats:
    """The state of the work. The first four count members' evaluations.

    `runs` counts the unsettled runs by state, `pending` the evaluations that could not be decided yet, by reason.
    `messages` is None where Redis is away.
    """

    waiting: int
    active: int
    completed: int
    failed: int
    paused: bool
    paused_by: str | None
    paused_at: datetime | None
    oldest_waiting_seconds: float | None
    runs: dict[RunState, int]
    pending: dict[Reason, int]
    messages: Messages | None


@dataclass(frozen=True, slots=True)
class Retried:
    """`jobs` that had been given up are in the `runs` that get a further pass."""

    jobs: int
    runs: int


def stats(connection: Connection, completed_within: float, depths: Mapping[str, QueueDepth] | None) -> Stats:
    """The counts; `completed` of the last `completed_within` seconds. `depths` is None where Redis is away."""
    counts = ledger.count_jobs(connection, completed_within)
    pause = ledger.read_pause(connection)
    return Stats(
        counts.waiting,
        counts.active,
        counts.completed,
        counts.failed,
        paused=pause is not None,
        paused_by=pause.set_by if pause else None,
        paused_at=pause.set_at if pause else None,
        oldest_waiting_seconds=ledger.oldest_waiting(connection),
        runs=ledger.count_runs(connection),
        pending=ledger.count_pending(connection),
        messages=None if depths is None else _total(depths.values()),
    )


def _total(depths: Collection[QueueDepth]) -> Messages:
    return Messages(
        ready=sum(depth.ready for depth in depths),
        delayed=sum(depth.delayed for depth in depths),
        in_flight=sum(depth.in_flight for depth in depths),
        dead=sum(depth.dead for depth in depths),
    )


def failed(connection: Connection, challenge_id: str | None, limit: int) -> list[FailedJob] | Unknown:
    """The newest `limit` jobs that were given up, of one challenge or of all."""
    return missing_challenge(connection, challenge_id) or ledger.read_failed(connection, challenge_id, limit)


def pending(connection: Connection, challenge_id: str | None, limit: int) -> list[PendingDay] | Unknown:
    """The oldest `limit` days of members that could not be decided, of one challenge or of all."""
    return missing_challenge(connection, challenge_id) or ledger.read_pending_days(connection, challenge_id, limit)


def retry(database: Database, outbox: Outbox, challenge_id: str | None) -> Retried | Unknown:
    """Queue a further pass over the runs of failed jobs. They stay failed until that pass takes them up."""
    with database.transaction() as connection:
        missing = missing_challenge(connection, challenge_id)
        if missing:
            return missing
        given_up = ledger.runs_with_failed(connection, challenge_id)
        requeue(connection, sorted(given_up), "pending", current_id())
        turns = next_turns(connection)
    outbox.send_runs(turns)
    _log.info("Failed jobs retried", jobs=sum(given_up.values()), runs=len(given_up))
    return Retried(sum(given_up.values()), len(given_up))


def clear(connection: Connection, challenge_id: str | None) -> int | Unknown:
    """Forget which jobs were given up; how many there were. Their verdicts stay, and so do their further tries."""
    missing = missing_challenge(connection, challenge_id)
    if missing:
        return missing
    cleared = ledger.clear_failed(connection, challenge_id)
    _log.info("Failed jobs cleared", jobs=cleared)
    return cleared


def pause(connection: Connection, by: str) -> bool:
    """Let no further batch begin; those at work end. False where work was paused already."""
    paused = ledger.pause(connection, by)
    if paused:
        _log.info("Work paused", by=by)
    return paused


def resume(database: Database, outbox: Outbox) -> bool:
    """Let work begin again, and wake the workers for everything that waits; False where nothing was paused."""
    with database.transaction() as connection:
        if not ledger.lift_pause(connection):
            return False
        unsent = [take_unsent(connection, run_id, SENT_AHEAD) for run_id in ledger.forget_sent(connection)]
        turns = next_turns(connection)
    for batches in unsent:
        outbox.send_batches(batches)
    outbox.send_runs(turns)
    messages = len(turns) + sum(len(batches.numbers) for batches in unsent)
    _log.info("Work resumed", runs=len(unsent), messages=messages)
    return True
