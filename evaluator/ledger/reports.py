"""What has been settled, as people read it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from evaluator.domain.standings import Score
from evaluator.domain.streak import Streak
from evaluator.domain.verdict import Outcome, Reason
from evaluator.ledger.database import Connection
from evaluator.ledger.statements import statements

_SQL = statements("reports")

_FETCHED_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A verdict in a list; `provisional` while an older day of the member is pending."""

    challenge: str
    handle: str
    day: date
    outcome: Outcome
    reason: Reason
    solved: int
    required: int
    provisional: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A verdict in a grid of members and days."""

    outcome: Outcome
    reason: Reason
    solved: int
    required: int


def read_verdicts(connection: Connection, challenge_id: str, day: date | None = None) -> Generator[VerdictRow]:
    """The verdicts of a challenge, or of one of its days, by day and handle; as many in memory as are read at once."""
    for challenge, handle, on, outcome, reason, *counts in _stream(
        connection, _SQL["verdicts"], {"challenge": challenge_id, "day": day}
    ):
        yield VerdictRow(challenge, handle, on, Outcome(outcome), Reason(reason), *counts)


def read_scores(connection: Connection, challenge_id: str, limit: int | None = None) -> Generator[Score]:
    """The members of a challenge, best first; the `limit` best."""
    values = {"challenge": challenge_id, "limit": limit}
    for handle, current, longest, penalty in _stream(connection, _SQL["scores"], values):
        yield Score(handle, Streak(current, longest), penalty)


def _stream(connection: Connection, statement: str, values: Mapping[str, object]) -> Generator[tuple[Any, ...]]:
    with connection.transaction(), connection.cursor(name="report") as cursor:
        cursor.itersize = _FETCHED_AT_ONCE
        yield from cursor.execute(statement, values)


def has_run(connection: Connection, challenge_id: str, day: date) -> bool:
    row = connection.execute(_SQL["has_run"], {"challenge": challenge_id, "day": day}).fetchone()
    return row == (True,)


def read_cells(
    connection: Connection, challenge_id: str, handle_keys: Sequence[str], first: date, last: date
) -> dict[str, dict[date, Cell]]:
    """The verdicts of some members from `first` to `last`, by handle key and day."""
    cells: dict[str, dict[date, Cell]] = {key: {} for key in handle_keys}
    values = {"challenge": challenge_id, "keys": list(handle_keys), "first": first, "last": last}
    for key, day, outcome, reason, solved, required in connection.execute(_SQL["cells"], values):
        cells[key][day] = Cell(Outcome(outcome), Reason(reason), solved, required)
    return cells


def bound_pauses(connection: Connection, seconds: int) -> None:
    """End this transaction by itself where its reader stops reading for so long."""
    connection.execute(_SQL["bound_pauses"], {"seconds": seconds})
