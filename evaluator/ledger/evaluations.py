"""Batches of evaluations in the ledger: begun, decided, recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import psycopg

from evaluator.domain.day import Window
from evaluator.domain.rules import Rules
from evaluator.domain.streak import Streak
from evaluator.domain.verdict import Outcome, Reason
from evaluator.ledger.challenges import rules_row
from evaluator.ledger.database import Connection
from evaluator.ledger.evidence import NewObservation, observed_columns
from evaluator.ledger.statements import array, json, statements

_SQL = statements("evaluations")


class Undecided(NamedTuple):
    """A member whom this pass has not decided yet. `seen_since` says whether LeetCode answered after the day's end."""

    member_id: int
    handle: str
    handle_key: str
    absent: bool
    override: Outcome | None
    outcome: Outcome
    reason: Reason
    seen_since: bool


BegunRow = tuple[Any, ...]
"""A batch that was begun, not yet read: reading it may fail, when the attempts of all begun with it are counted."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A batch that was begun: the `number`th try of this pass, and whom it is about.

    `counts_from` is the first second of the challenge.
    """

    run_id: int
    batch: int
    number: int
    challenge_id: str
    day: date
    window: Window
    reevaluate: bool
    opened_at: datetime
    counts_from: int
    rules: Rules
    members: tuple[Undecided, ...]


class Account(NamedTuple):
    """A member's state under lock: what a decision and its postings rest on beside the evidence.

    `total` is the sum of the member's postings, 0 where no cap asks for it; `standing` that of the day's, `entries`
    their number.
    """

    member_id: int
    outcome: Outcome
    reason: Reason
    solved: int
    required: int
    undecided: bool
    streak: Streak
    settled_through: date | None
    absent: bool
    override: Outcome | None
    freezes_used: int
    total: int
    standing: int
    entries: int


class Decision(NamedTuple):
    """What is written for one member and day; `amount` 0 posts nothing, `entry` numbers the posting of the day."""

    member_id: int
    outcome: Outcome
    reason: Reason
    solved: int
    required: int
    evidence: list[dict[str, object]]
    streak: Streak
    settled_through: date | None
    amount: int
    entry: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """Batches of a run that have nothing left to do in this pass."""

    run_id: int
    batches: Sequence[int]


def begin(connection: Connection, run_id: int, numbers: Sequence[int]) -> dict[int, BegunRow]:
    """Count an attempt at each of some batches of a run, by their numbers; `attempt_of` reads what comes of each.

    Where the numbers lie far apart, Postgres before 17 may read all batches between them. Those are left out for which
    there is nothing to do, and all of them while work is paused.
    """
    rows = connection.execute(
        _SQL["begin"], {"run": run_id, "numbers": array(numbers), "first": min(numbers), "last": max(numbers)}
    )
    return {row[1]: row for row in rows}


def attempt_of(row: BegunRow) -> Attempt:
    """What a row says. Raises ValueError where the stored rules of its challenge make no sense."""
    (
        run_id,
        batch,
        number,
        challenge_id,
        day,
        day_start,
        day_end,
        reevaluate,
        opened_at,
        counts_from,
        *rules,
        members,
    ) = row
    return Attempt(
        run_id,
        batch,
        number,
        challenge_id,
        day,
        Window(day_start, day_end),
        reevaluate,
        opened_at,
        counts_from,
        rules_row(*rules),
        tuple(_undecided(*member) for member in members),
    )


def _undecided(  # noqa: PLR0913, PLR0917  # what the statement gives of a member
    member_id: int,
    handle: str,
    key: str,
    absent: bool,
    override: str | None,
    outcome: str,
    reason: str,
    seen_since: bool,
) -> Undecided:
    return Undecided(member_id, handle, key, absent, _outcome(override), Outcome(outcome), Reason(reason), seen_since)


def _outcome(value: str | None) -> Outcome | None:
    return None if value is None else Outcome(value)


def give_back(connection: Connection, attempt: Attempt) -> None:
    """Nothing was asked of LeetCode: the attempt does not count."""
    connection.execute(_SQL["give_back"], {"run_id": attempt.run_id, "batch": attempt.batch})


def await_retry(connection: Connection, attempt: Attempt, error: str) -> None:
    connection.execute(_SQL["await_retry"], {"run_id": attempt.run_id, "batch": attempt.batch, "error": error})


def finish(connection: Connection, run_id: int, batch: int) -> None:
    connection.execute(_SQL["finish"], {"run_id": run_id, "batch": batch})


def lock_members(connection: Connection, member_ids: Sequence[int], correlation_id: str | None = None) -> None:
    """Lock members until the transaction ends."""
    connection.execute(_SQL["lock_members"], {"ids": array(member_ids), "correlation": correlation_id})


def lock_at_once(
    connection: Connection, member_ids: Sequence[int], challenge_id: str, correlation_id: str | None
) -> bool | None:
    """`lock_members` and `hold_challenge` in one; None, and the transaction is lost, rather than wait for a lock."""
    try:
        held = connection.execute(
            _SQL["lock_at_once"], {"ids": array(member_ids), "id": challenge_id, "correlation": correlation_id}
        )
    except psycopg.errors.LockNotAvailable:
        return None
    return held.fetchone() == (False,)


def hold_challenge(connection: Connection, challenge_id: str) -> bool:
    """Whether a challenge still wants anything settled; if so, it can't be cancelled until the transaction ends."""
    return connection.execute(_SQL["hold"], {"id": challenge_id}).fetchone() == (False,)


def read_accounts(
    connection: Connection, member_ids: Sequence[int], day: date, opened_at: datetime | None, rules: Rules
) -> dict[int, Account]:
    """The accounts of locked members, undecided unless they were decided since `opened_at`.

    Freezes are counted, and postings summed up, only where the `rules` ask for it.
    """
    month = day.replace(day=1)
    rows = connection.execute(
        _SQL["accounts"],
        {
            "ids": array(member_ids),
            "day": day,
            "opened_at": opened_at,
            "freezes": rules.freezes_per_month > 0,
            "capped": rules.cap is not None,
            "month": month,
            "next_month": (month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)),
        },
    )
    return {row[0]: _account(*row) for row in rows}


def _account(  # noqa: PLR0913, PLR0917  # the columns of the statement
    member_id: int,
    outcome: str,
    reason: str,
    solved: int,
    required: int,
    undecided: bool,
    current: int,
    longest: int,
    settled_through: date | None,
    absent: bool,
    override: str | None,
    freezes_used: int,
    total: int,
    standing: int,
    entries: int,
) -> Account:
    return Account(
        member_id,
        Outcome(outcome),
        Reason(reason),
        solved,
        required,
        undecided,
        Streak(current, longest),
        settled_through,
        absent,
        _outcome(override),
        freezes_used,
        total,
        standing,
        entries,
    )


def read_outcomes(connection: Connection, member_ids: Sequence[int]) -> dict[int, dict[date, Outcome]]:
    """Every outcome of these members, by day, in order."""
    history: dict[int, dict[date, Outcome]] = {member_id: {} for member_id in member_ids}
    for member_id, day, outcome in connection.execute(_SQL["outcomes"], {"ids": array(member_ids)}):
        history[member_id][day] = Outcome(outcome)
    return history


def record(
    connection: Connection,
    day: date,
    decisions: Sequence[Decision],
    observations: Sequence[NewObservation] = (),
    finished: Finished | None = None,
) -> bool:
    """Write outcomes, streaks and postings of locked members together, and the observations that they rest on.

    With them batches may be `finished`; gives whether others of their run wait to be sent then.
    """
    batches = finished.batches if finished else ()
    written = connection.execute(
        _SQL["record"],
        {
            "ids": array(one.member_id for one in decisions),
            "outcomes": array(one.outcome for one in decisions),
            "reasons": array(one.reason for one in decisions),
            "solved": array(one.solved for one in decisions),
            "required": array(one.required for one in decisions),
            "current": array(one.streak.current for one in decisions),
            "longest": array(one.streak.longest for one in decisions),
            "through": array(one.settled_through for one in decisions),
            "amounts": array(one.amount for one in decisions),
            "entries": array(one.entry for one in decisions),
            "evidence": json([one.evidence for one in decisions]),
            "errors": json([one.error for one in decisions]),
            "day": day,
            "run_id": finished and finished.run_id,
            "finished": array(batches),
            "first_batch": min(batches, default=None),
            "last_batch": max(batches, default=None),
            **observed_columns(observations),
        },
    )
    return written.fetchone() == (True,)


def forget_failures(connection: Connection, after: float) -> int:
    """Forget that jobs failed over `after` seconds ago; how many."""
    return connection.execute(_SQL["forget_failures"], {"after": after}).rowcount
