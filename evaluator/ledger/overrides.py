"""Overrides in the ledger."""

from __future__ import annotations

from datetime import date

from evaluator.domain.verdict import Outcome
from evaluator.ledger.database import Connection
from evaluator.ledger.statements import statements

_SQL = statements("overrides")


def put_override(connection: Connection, member_id: int, day: date, outcome: Outcome, reason: str, by: str) -> None:
    """Put an override in force, in place of one that is."""
    values = {"member_id": member_id, "day": day, "outcome": outcome, "reason": reason, "by": by}
    # Two steps: the index that allows one in force sees the old one until its statement is over.
    connection.execute(_SQL["clear"], values)
    connection.execute(_SQL["put"], values)


def clear_override(connection: Connection, member_id: int, day: date, by: str) -> bool:
    """Whether one was in force."""
    return connection.execute(_SQL["clear"], {"member_id": member_id, "day": day, "by": by}).rowcount > 0


def run_of(connection: Connection, member_id: int, day: date) -> int | None:
    """The run of a member's evaluation; None where there is no evaluation."""
    row = connection.execute(_SQL["run_of"], {"member_id": member_id, "day": day}).fetchone()
    return row[0] if row else None


def put_evaluation(connection: Connection, member_id: int, day: date, run_id: int) -> None:
    """A row for a day that no fan-out has brought yet."""
    connection.execute(_SQL["put_evaluation"], {"member_id": member_id, "day": day, "run_id": run_id})
