"""Enqueue: every closed day of every active challenge has a run, and every unsettled run is woken."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date

import structlog

from evaluator.domain.day import Window, days_between
from evaluator.ledger.challenges import Challenge, Unreadable, read_challenges
from evaluator.ledger.database import UNREACHABLE, Connection, Database
from evaluator.ledger.runs import Pass, Run, RunState, insert_runs, next_turns, requeue, runs_of
from evaluator.service.outbox import Outbox

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What to settle: one challenge or all, one day or every due one; `reevaluate` asks LeetCode again.

    Who asks every few minutes wants `new_only`: a day that is pending is then left to its time of retry.
    """

    challenge: str | None = None
    day: date | None = None
    reevaluate: bool = False
    new_only: bool = False


@dataclass(frozen=True, slots=True)
class QueuedRun:
    challenge: str
    day: date
    run_id: int


@dataclass(frozen=True, slots=True)
class Queued:
    """What came of a request. `refused` are sentences about days and challenges that can't be settled."""

    runs: tuple[QueuedRun, ...] = ()
    refused: tuple[str, ...] = ()


def enqueue(database: Database, outbox: Outbox, request: Request, now: int, settle_delay: float) -> Queued:
    """Queue what is due at `now` and wake the workers. Harmless when repeated, late, or concurrent with itself.

    `settle_delay` is how many seconds after its end a day is due. A challenge that cannot be enqueued is refused, and
    keeps no other from it.
    """
    with database.transaction() as connection:
        challenges, refused = _wanted(connection, request)
        ids = [challenge.id for challenge in challenges]
        present = runs_of(connection, ids)
        queued: list[QueuedRun] = []
        for challenge in challenges:
            try:
                due, why_not = _due_days(challenge, request, now - settle_delay)
                queued += _queue(connection, challenge, due, present[challenge.id], request)
                refused += why_not
            except UNREACHABLE:
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is, it is this challenge's
                _log.exception("Challenge cannot be enqueued", challenge=challenge.id)
                why = " ".join(f"{type(error).__name__}: {error}".split())
                refused.append(f"challenge {challenge.id}: it cannot be enqueued ({why}); the log says where")
        turns = next_turns(connection, ids)
    outbox.send_runs(turns)
    level = logging.INFO if queued else logging.DEBUG
    _log.log(level, f"Successfully queued {len(queued)} challenge evaluation jobs", messages=len(turns))
    return Queued(tuple(queued), tuple(refused))


def _wanted(connection: Connection, request: Request) -> tuple[list[Challenge], list[str]]:
    """The challenges that a request is about, and why a named one is not."""
    named = None if request.challenge is None else [request.challenge]
    found = read_challenges(connection, named)
    if request.challenge is not None and not found:
        return [], [f"challenge {request.challenge}: there is none of that id; `evaluator apply` creates it"]
    if named and found[0].cancelled:
        _log.warning("Challenge is cancelled, and settles nothing more", challenge=request.challenge)
    asked_again = named or request.reevaluate or request.day is not None
    meant = [one for one in found if not one.cancelled and (asked_again or not one.completed)]
    unreadable = [one for one in meant if isinstance(one, Unreadable)]
    for one in unreadable:
        _log.error("Challenge cannot be read", challenge=one.id, why=one.why)
    return [one for one in meant if isinstance(one, Challenge)], list(map(str, unreadable))


def _due_days(challenge: Challenge, request: Request, over_by: float) -> tuple[dict[date, Window], list[str]]:
    """The days of a challenge that ended at `over_by` or before; and, of a day that was asked for, why it is not one.

    Of all challenges, those that do not have that day are not meant.
    """
    day = request.day
    if day is None:
        due: dict[date, Window] = {}
        for one in days_between(challenge.starts, challenge.ends):
            window = challenge.calendar.window(one)
            if window is not None and window.end > over_by:
                break  # the days after it end later still
            if window is not None:
                due[one] = window
        return due, []
    window = challenge.calendar.window(day) if challenge.starts <= day <= challenge.ends else None
    if window is None:
        why = f"challenge {challenge.id}: {day} is not one of its days, {challenge.starts} to {challenge.ends}"
        return {}, [why] if request.challenge else []
    if window.end > over_by:
        return {}, [f"challenge {challenge.id}: {day} is not due yet in {challenge.timezone}; try again later"]
    return {day: window}, []


def _queue(
    connection: Connection, challenge: Challenge, due: dict[date, Window], present: dict[date, Run], request: Request
) -> list[QueuedRun]:
    """Insert the runs that are missing, and queue a further pass over those that want one."""
    missing = {day: window for day, window in due.items() if day not in present}
    next_pass: Pass = "reevaluate" if request.reevaluate else "pending"
    wanted = set(RunState) if request.reevaluate else set() if request.new_only else {RunState.PENDING}
    again = [present[day].id for day in due if day in present and present[day].state in wanted]
    if not (missing or again):
        return []
    queued: dict[date, int] = {}
    with connection.transaction():  # one of its own: what fails is undone for this challenge alone
        if missing:
            queued = insert_runs(connection, challenge.id, missing, challenge.calendar.start(challenge.starts))
        if again:
            queued |= {day: run_id for run_id, day in requeue(connection, again, next_pass).items()}
    return [QueuedRun(challenge.id, day, queued[day]) for day in sorted(queued)]
