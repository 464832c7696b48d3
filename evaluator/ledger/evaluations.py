"""Batches of evaluations in the ledger: begun, decided, recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import orjson

from evaluator.domain.day import Window
from evaluator.domain.rules import Rules
from evaluator.domain.streak import Streak
from evaluator.domain.verdict import Outcome, Reason
from evaluator.ledger.challenges import rules_row
from evaluator.ledger.database import Connection
from evaluator.ledger.statements import statements

_SQL = statements("evaluations")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A batch that was begun: the `number`th try of this pass.

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
    cancelled: bool
    rules: Rules


@dataclass(frozen=True, slots=True)
class Undecided:
    """A member whom this pass has not decided yet. `last_seen` is the time of the handle's newest observation."""

    member_id: int
    handle: str
    handle_key: str
    absent: bool
    override: Outcome | None
    outcome: Outcome
    reason: Reason
    last_seen: int


@dataclass(frozen=True, slots=True)
class Account:
    """A member's state under lock: what a decision and its postings rest on beside the evidence.

    `total` is the sum of the member's postings, `standing` that of the day's, `entries` their number.
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


@dataclass(frozen=True, slots=True)
class Decision:
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


def begin(connection: Connection, run_id: int, batch: int) -> Attempt | None:
    """Count an attempt at a batch; None where there is nothing to do, or work is paused."""
    row = connection.execute(_SQL["begin"], {"run_id": run_id, "batch": batch}).fetchone()
    if row is None:
        return None
    number, challenge_id, day, day_start, day_end, reevaluate, opened_at, counts_from, cancelled, *rules = row
    window = Window(day_start, day_end)
    return Attempt(
        run_id,
        batch,
        number,
        challenge_id,
        day,
        window,
        reevaluate,
        opened_at,
        counts_from,
        cancelled,
        rules_row(*rules),
    )


def read_undecided(connection: Connection, attempt: Attempt) -> list[Undecided]:
    rows = connection.execute(
        _SQL["unsettled"],
        {
            "run_id": attempt.run_id,
            "batch": attempt.batch,
            "opened_at": attempt.opened_at,
            "reevaluate": attempt.reevaluate,
        },
    )
    return [
        Undecided(member_id, handle, key, absent, _outcome(override), Outcome(outcome), Reason(reason), last_seen)
        for member_id, handle, key, absent, override, outcome, reason, last_seen in rows
    ]


def _outcome(value: str | None) -> Outcome | None:
    return None if value is None else Outcome(value)


def give_back(connection: Connection, attempt: Attempt) -> None:
    """Nothing was asked of LeetCode: the attempt does not count."""
    connection.execute(_SQL["give_back"], {"run_id": attempt.run_id, "batch": attempt.batch})


def await_retry(connection: Connection, attempt: Attempt, error: str) -> None:
    connection.execute(_SQL["await_retry"], {"run_id": attempt.run_id, "batch": attempt.batch, "error": error})


def finish(connection: Connection, run_id: int, batch: int, error: str | None = None) -> None:
    connection.execute(_SQL["finish"], {"run_id": run_id, "batch": batch, "error": error})


def lock_members(connection: Connection, member_ids: Sequence[int]) -> None:
    """Lock members until the transaction ends."""
    connection.execute(_SQL["lock_members"], {"ids": list(member_ids)})


def hold_challenge(connection: Connection, challenge_id: str) -> bool:
    """Whether a challenge still wants anything settled; if so, it can't be cancelled until the transaction ends."""
    return connection.execute(_SQL["hold"], {"id": challenge_id}).fetchone() == (False,)


def read_accounts(
    connection: Connection, member_ids: Sequence[int], day: date, opened_at: datetime | None, *, freezes: bool
) -> dict[int, Account]:
    """The accounts of locked members, undecided unless they were decided since `opened_at`.

    Freezes are counted only where the rules have any.
    """
    month = day.replace(day=1)
    rows = connection.execute(
        _SQL["accounts"],
        {
            "ids": list(member_ids),
            "day": day,
            "opened_at": opened_at,
            "freezes": freezes,
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
    for member_id, day, outcome in connection.execute(_SQL["outcomes"], {"ids": list(member_ids)}):
        history[member_id][day] = Outcome(outcome)
    return history


def record(connection: Connection, day: date, decisions: Sequence[Decision]) -> None:
    """Write outcomes, streaks and postings of locked members together."""
    rows = [
        {
            "member_id": decision.member_id,
            "outcome": decision.outcome,
            "reason": decision.reason,
            "solved": decision.solved,
            "required": decision.required,
            "evidence": decision.evidence,
            "current": decision.streak.current,
            "longest": decision.streak.longest,
            "through": decision.settled_through,
            "amount": decision.amount,
            "entry": decision.entry,
            "error": decision.error,
        }
        for decision in decisions
    ]
    connection.execute(_SQL["record"], {"day": day, "decisions": orjson.dumps(rows).decode()})


def forget_failures(connection: Connection, after: float) -> int:
    """Forget that jobs failed over `after` seconds ago; how many."""
    return connection.execute(_SQL["forget_failures"], {"after": after}).rowcount
