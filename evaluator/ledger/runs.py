"""Runs in the ledger: queued, opened, fanned out, closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from evaluator.domain.day import Window
from evaluator.ledger.database import Connection
from evaluator.ledger.statements import statements

_SQL = statements("runs")

Pass = Literal["pending", "reevaluate"]
"""What a further pass over a run looks at: what is pending, or everything."""


class RunState(StrEnum):
    QUEUED = "queued"
    OPEN = "open"
    PENDING = "pending"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Run:
    id: int
    state: RunState


class Span(NamedTuple):
    """Dates of a challenge, `last` included."""

    first: date
    last: date


class Turn(NamedTuple):
    """A run that is to be opened, and the number of the pass, which tells its messages apart.

    Its correlation id says whose doing the pass is; runs of an earlier version have none.
    """

    run_id: int
    number: int
    correlation_id: str | None = None


class Batches(NamedTuple):
    """Batches of a run, and whose doing its pass is."""

    run_id: int
    numbers: list[int]
    correlation_id: str | None = None


class Opened(NamedTuple):
    challenge_id: str
    day: date


@dataclass(frozen=True, slots=True)
class OpenRun:
    turn: Turn
    fanned_out: bool
    has_unsent: bool
    has_work: bool


@dataclass(frozen=True, slots=True)
class ClosedRun:
    challenge_id: str
    day: date
    state: RunState


@dataclass(frozen=True, slots=True)
class Tally:
    """What a pass over a run came to: `evaluations` of it, in so many `seconds`, and how all of the run's stand now."""

    evaluations: int
    seconds: float
    passed: int
    failed: int
    pending: int
    exempt: int
    frozen: int


@dataclass(frozen=True, slots=True)
class Progress:
    """`left` evaluations of `total` in this pass are still at work; once it is over, `pending` ones are not decided.

    More may come while `fanned_out` is False.
    """

    run_id: int
    state: RunState
    fanned_out: bool
    left: int
    total: int
    pending: int
    cancelled: bool

    @property
    def over(self) -> bool:
        """Whether nothing more happens to the run by itself."""
        return self.state in {RunState.PENDING, RunState.SETTLED} or self.cancelled


def runs_of(connection: Connection, challenge_ids: Sequence[str]) -> dict[str, dict[date, Run]]:
    """The runs of each challenge, by day."""
    found: dict[str, dict[date, Run]] = {challenge_id: {} for challenge_id in challenge_ids}
    for challenge_id, day, run_id, state in connection.execute(_SQL["of_challenges"], {"ids": list(challenge_ids)}):
        found[challenge_id][day] = Run(run_id, RunState(state))
    return found


def days_without_run(connection: Connection, spans: Mapping[str, Span]) -> dict[str, list[date]]:
    """The dates of each challenge's span that have no run."""
    found: dict[str, list[date]] = {}
    for challenge_id, day in connection.execute(_SQL["missing"], _spans(spans)):
        found.setdefault(challenge_id, []).append(day)
    return found


def runs_within(connection: Connection, spans: Mapping[str, Span], states: Sequence[RunState]) -> dict[int, str]:
    """The challenge of each run that lies in its challenge's span and is in one of these states."""
    return dict(connection.execute(_SQL["within"], {**_spans(spans), "states": list(states)}).fetchall())


def _spans(spans: Mapping[str, Span]) -> dict[str, object]:
    return {
        "ids": list(spans),
        "first": [span.first for span in spans.values()],
        "last": [span.last for span in spans.values()],
    }


def insert_runs(
    connection: Connection,
    challenge_id: str,
    windows: Mapping[date, Window],
    counts_from: int,
    correlation_id: str | None = None,
) -> dict[date, int]:
    """Queue new runs; gives those that were not there yet, by day. `counts_from` is the challenge's first second."""
    rows = connection.execute(
        _SQL["insert"],
        {
            "challenge": challenge_id,
            "days": list(windows),
            "starts": [window.start for window in windows.values()],
            "ends": [window.end for window in windows.values()],
            "counts_from": counts_from,
            "correlation": correlation_id,
        },
    )
    return {day: run_id for run_id, day in rows}


def requeue(
    connection: Connection, run_ids: Sequence[int], next_pass: Pass, correlation_id: str | None = None
) -> dict[int, date]:
    """Queue a further pass over runs; gives those that get one. Without a correlation id they keep theirs."""
    rows = connection.execute(_SQL["requeue"], {"ids": list(run_ids), "pass": next_pass, "correlation": correlation_id})
    return dict(rows.fetchall())


def requeue_between(
    connection: Connection, challenge_id: str, start: int, end: int, correlation_id: str | None
) -> None:
    """Queue a further pass over the days that touch `[start, end)`, in seconds: who is required has changed."""
    values = {"challenge": challenge_id, "from": start, "to": end, "correlation": correlation_id}
    connection.execute(_SQL["requeue_between"], values)
    connection.execute(_SQL["note_between"], values)


def next_turns(connection: Connection, challenge_ids: Sequence[str] | None = None) -> list[Turn]:
    """The runs that may be opened now, one a challenge at most."""
    challenges = list(challenge_ids) if challenge_ids is not None else None
    return [Turn(*row) for row in connection.execute(_SQL["next_turns"], {"challenges": challenges})]


def open_run(connection: Connection, run_id: int) -> Opened | None:
    """Open the run if it was queued and had its turn."""
    row = connection.execute(_SQL["open"], {"id": run_id}).fetchone()
    return Opened(*row) if row else None


def fan_out_chunk(connection: Connection, run_id: int, members: int, size: int) -> bool | None:
    """Put up to `members` further members of an open run into batches of `size`.

    Gives whether the fan-out is done now; None where there is nothing to fan out, or another worker is at it.
    """
    row = connection.execute(_SQL["lock_open"], {"id": run_id}).fetchone()
    if row is None:
        return None
    _, challenge_id, day, day_start, day_end, reevaluate, batches, fanned_out, cancelled, within, required = row
    if not fanned_out:
        connection.execute(_SQL["drop_not_required"], {"id": run_id})
    last, looked, put, made = connection.execute(
        _SQL["fan_out"],
        {
            "id": run_id,
            "challenge": challenge_id,
            "day": day,
            "day_start": day_start,
            "day_end": day_end,
            "within": within and not cancelled,
            "reevaluate": reevaluate and not cancelled,
            "after": fanned_out,
            "members": members,
            "size": size,
            "batches": batches,
            "required": required,
        },
    ).fetchone() or (None, 0, 0, 0)
    done: bool = looked < members
    connection.execute(_SQL["advance"], {"id": run_id, "put": put, "made": made, "last": last, "done": done})
    return done


def take_unsent(connection: Connection, run_id: int, window: int) -> Batches:
    """Mark further batches as sent, up to `window` of the run at a time; the caller sends them, in their order."""
    rows = connection.execute(_SQL["take_unsent"], {"id": run_id, "window": window}).fetchall()
    return Batches(run_id, sorted(batch for batch, _ in rows), rows[0][1] if rows else None)


def is_done(connection: Connection, run_id: int) -> bool:
    """Whether a run has no batch left to do by now; more may come while it is fanned out."""
    return connection.execute(_SQL["is_done"], {"id": run_id}).fetchone() == (True,)


def close_run(connection: Connection, run_id: int) -> ClosedRun | None:
    """End the pass of a run; None where it has work left, or was ended already."""
    row = connection.execute(_SQL["close"], {"id": run_id}).fetchone()
    return ClosedRun(row[0], row[1], RunState(row[2])) if row else None


def tally_run(connection: Connection, run_id: int) -> Tally:
    """What the last pass over a run came to."""
    row = connection.execute(_SQL["tally"], {"id": run_id}).fetchone()
    assert row is not None  # noqa: S101  # it is asked about runs that were just closed
    return Tally(*row)


def lock_run(connection: Connection, run_id: int) -> None:
    """Lock a run until the transaction ends; before its evaluations, as fan-out does."""
    connection.execute(_SQL["lock"], {"id": run_id})


def split_batch(connection: Connection, run_id: int, batch: int, day: date, opened_at: datetime) -> None:
    """Give each undecided member of a batch a batch of its own, unsent."""
    connection.execute(_SQL["split"], {"id": run_id, "batch": batch, "day": day, "opened_at": opened_at})


def retry_due(connection: Connection) -> list[int]:
    """Pending runs that are to be looked at again by now; a thousand at most."""
    return [run_id for (run_id,) in connection.execute(_SQL["retry_due"])]


def sent_long_ago(connection: Connection, grace: float) -> list[Batches]:
    """Batches sent over `grace` seconds ago and not done, by run."""
    return [Batches(*row) for row in connection.execute(_SQL["sent_long_ago"], {"grace": grace})]


def opened_long_ago(connection: Connection, grace: float) -> list[OpenRun]:
    rows = connection.execute(_SQL["opened_long_ago"], {"grace": grace})
    return [OpenRun(Turn(*row[:3]), *row[3:]) for row in rows]


def prune_batches(connection: Connection, after: float) -> int:
    """Forget batches that were done over `after` seconds ago, some thousands at most; how many."""
    return connection.execute(_SQL["prune"], {"after": after}).rowcount


def settle_quietly(connection: Connection, run_id: int) -> ClosedRun | None:
    """Bring the state of a run that is not at work in line with its evaluations."""
    row = connection.execute(_SQL["settle_quietly"], {"id": run_id}).fetchone()
    return ClosedRun(row[0], row[1], RunState(row[2])) if row else None


def runs_at_work(connection: Connection, challenge_id: str | None, day: date | None) -> list[int]:
    """The runs that are queued or open, whoever queued them, of one challenge or all, on one day or any."""
    rows = connection.execute(_SQL["at_work"], {"challenge": challenge_id, "day": day})
    return [run_id for (run_id,) in rows]


def progress_of(connection: Connection, run_ids: Sequence[int]) -> list[Progress]:
    rows = connection.execute(_SQL["progress"], {"ids": list(run_ids)})
    return [Progress(run_id, RunState(state), *rest) for run_id, state, *rest in rows]
