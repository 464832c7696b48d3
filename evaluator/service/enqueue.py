"""Enqueue: every closed day of every active challenge has a run, and every unsettled run is woken."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from math import floor

import structlog

from evaluator.correlation import current_id
from evaluator.domain.day import ONE_DAY
from evaluator.ledger.challenges import Challenge, Unreadable, read_challenges
from evaluator.ledger.database import UNREACHABLE, Connection, Database
from evaluator.ledger.enqueues import EnqueuedBy, record_enqueue
from evaluator.ledger.runs import (
    Pass,
    RunState,
    Span,
    days_without_run,
    insert_runs,
    next_turns,
    requeue,
    runs_at_work,
    runs_within,
)
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
    """What came of a request. `refused` are sentences about days and challenges that can't be settled.

    `notes` are sentences on what was asked for and is not queued: why, and how many days are at work already.
    """

    runs: tuple[QueuedRun, ...] = ()
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def enqueue(
    database: Database, outbox: Outbox, request: Request, now: int, settle_delay: float, by: EnqueuedBy
) -> Queued:
    """Queue what is due at `now` and wake the workers. Harmless when repeated, late, or concurrent with itself.

    `settle_delay` is how many seconds after its end a day is due. A challenge that cannot be enqueued is refused, and
    keeps no other from it. That it was done is recorded as done by `by`, even if nothing was due.
    """
    with database.transaction() as connection:
        challenges, refused, cancelled = _wanted(connection, request)
        due: dict[str, Span] = {}
        for challenge in challenges:
            with _alone(challenge, refused):
                span, why_not = _due(challenge, request, now - settle_delay)
                refused += why_not
                if span is not None:
                    due[challenge.id] = span
        missing = days_without_run(connection, due)
        queued = _requeue(connection, due, request)
        for challenge in challenges:
            if challenge.id in missing:
                with _alone(challenge, refused), connection.transaction():
                    queued += _insert(connection, challenge, missing[challenge.id])
        notes = _notes(connection, due, request, queued, refused=bool(refused), cancelled=cancelled)
        turns = next_turns(connection, [challenge.id for challenge in challenges])
    outbox.send_runs(turns)
    with database.connection() as connection:
        record_enqueue(connection, by)
    level = logging.INFO if queued else logging.DEBUG
    _log.log(level, f"Successfully queued {len(queued)} challenge evaluation jobs", messages=len(turns))
    runs = tuple(sorted(queued, key=lambda run: (run.challenge, run.day)))
    return Queued(runs, tuple(refused), notes)


@contextmanager
def _alone(challenge: Challenge, refused: list[str]) -> Iterator[None]:
    """Whatever is wrong with a challenge keeps no other from being enqueued."""
    try:
        yield
    except UNREACHABLE:
        raise
    except Exception as error:  # noqa: BLE001  # whatever it is, it is this challenge's
        _log.exception("Challenge cannot be enqueued", challenge=challenge.id)
        why = " ".join(f"{type(error).__name__}: {error}".split())
        refused.append(f"challenge {challenge.id}: it cannot be enqueued ({why}); the log says where")


def _wanted(connection: Connection, request: Request) -> tuple[list[Challenge], list[str], bool]:
    """The challenges that a request is about, why others are not, and whether the one that is named is cancelled."""
    named = None if request.challenge is None else [request.challenge]
    found = read_challenges(connection, named)
    if request.challenge is not None and not found:
        return [], [f"challenge {request.challenge}: there is none of that id; `evaluator apply` creates it"], False
    cancelled = named is not None and found[0].cancelled
    if cancelled:
        _log.debug("Challenge is cancelled, and settles nothing more", challenge=request.challenge)
    asked_again = named or request.reevaluate or request.day is not None
    meant = [one for one in found if not one.cancelled and (asked_again or not one.completed)]
    unreadable = [one for one in meant if isinstance(one, Unreadable)]
    for one in unreadable:
        _log.error("Challenge cannot be read", challenge=one.id, why=one.why)
    return [one for one in meant if isinstance(one, Challenge)], list(map(str, unreadable)), cancelled


def _due(challenge: Challenge, request: Request, over_by: float) -> tuple[Span | None, list[str]]:
    """The dates of a challenge that ended at `over_by` or before; and, of a day that was asked for, why it is not one.

    Of all challenges, those that do not have that day are not meant.
    """
    calendar, day = challenge.calendar, request.day
    if day is None:
        last = min(challenge.ends, calendar.date_at(floor(over_by)) - ONE_DAY)
        return (Span(challenge.starts, last) if last >= challenge.starts else None), []
    window = calendar.window(day) if challenge.starts <= day <= challenge.ends else None
    if window is None:
        why = f"challenge {challenge.id}: {day} is not one of its days, {challenge.starts} to {challenge.ends}"
        return None, [why] if request.challenge else []
    if window.end > over_by:
        return None, [f"challenge {challenge.id}: {day} is not due yet in {challenge.timezone}; try again later"]
    return Span(day, day), []


def _insert(connection: Connection, challenge: Challenge, days: Iterable[date]) -> list[QueuedRun]:
    """A run for each of these days; a date that the zone skips gets none."""
    windows = {day: challenge.calendar.window(day) for day in days}
    lacking = {day: window for day, window in windows.items() if window is not None}
    if not lacking:
        return []
    counts_from = challenge.calendar.start(challenge.starts)
    inserted = insert_runs(connection, challenge.id, lacking, counts_from, current_id())
    return [QueuedRun(challenge.id, day, run_id) for day, run_id in inserted.items()]


def _requeue(connection: Connection, due: Mapping[str, Span], request: Request) -> list[QueuedRun]:
    """A further pass over the due runs that want one."""
    if request.new_only and not request.reevaluate:
        return []
    present = runs_within(connection, due, list(RunState) if request.reevaluate else [RunState.PENDING])
    next_pass: Pass = "reevaluate" if request.reevaluate else "pending"
    again = requeue(connection, sorted(present), next_pass, current_id())
    return [QueuedRun(present[run_id], day, run_id) for run_id, day in again.items()]


def _notes(
    connection: Connection,
    due: Mapping[str, Span],
    request: Request,
    queued: Sequence[QueuedRun],
    *,
    refused: bool,
    cancelled: bool,
) -> tuple[str, ...]:
    """Why a day, or a challenge, that was asked for is not queued; and how many days are at work already."""
    settled = tuple(
        f"{challenge} {request.day} is settled already; --reevaluate (`reevaluate` of the API) asks LeetCode again"
        for challenge in _settled(connection, due, request)
    )
    others: set[int] = set()
    if not request.new_only:
        others = set(runs_at_work(connection, request.challenge, request.day)).difference(run.run_id for run in queued)
    if others:
        return (*settled, _at_work(request, len(others)))
    if queued or refused or settled or not (request.day or request.challenge):
        return settled
    if cancelled:
        return (f"{request.challenge} is cancelled: nothing more of it is settled",)
    if request.day is None:
        return (f"{request.challenge} has no day that is due{'' if request.reevaluate else ' and not settled'}",)
    if due:
        return ("what was asked for was at work until just now; ask again",)
    return (f"{request.day} is no challenge's day, cancelled ones left out",)


def _at_work(request: Request, days: int) -> str:
    of = f" of {request.challenge}" if request.challenge else ""
    if request.day is None:
        return f"{days} {'day' if days == 1 else 'days'}{of} {'is' if days == 1 else 'are'} queued or at work already"
    where = of or (" of 1 challenge" if days == 1 else f" of {days} challenges")
    return f"{request.day}{where} is queued or at work already"


def _settled(connection: Connection, due: Mapping[str, Span], request: Request) -> Sequence[str]:
    """The challenges for which the day that was asked for is settled, and stays so."""
    if request.day is None or request.reevaluate:
        return ()
    return sorted(runs_within(connection, due, [RunState.SETTLED]).values())
