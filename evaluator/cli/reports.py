"""`evaluator verdicts`, `standings` and `explain`: what was decided, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict
from itertools import islice
from typing import Annotated, TypeVar

import typer

from evaluator.cli.arguments import DayOption, JsonOption, parse_day
from evaluator.cli.output import print_json, print_json_rows, print_table
from evaluator.cli.session import open_session, refuse
from evaluator.domain.money import format_amount
from evaluator.ledger.database import Database
from evaluator.service.ranking import StandingRow, ranking
from evaluator.service.unknown import Unknown

_ROWS_A_TABLE = 1_000  # a table is laid out as a whole, and a challenge may have a million rows

_T = TypeVar("_T")

ChallengeId = Annotated[str, typer.Option("--challenge", "-c", help="Id of the challenge.", metavar="ID")]


def verdicts(challenge: ChallengeId, day: DayOption = None, as_json: JsonOption = False) -> None:
    """List the verdicts of a challenge, or of one of its days, by day and handle.

    A verdict is provisional while an older day of the same member is pending.

    Example: evaluator verdicts --challenge winter-grind --day 2026-11-20
    """
    from evaluator.service.verdicts import verdicts as list_verdicts

    date = parse_day(day)
    with open_session() as session, session.database.connection() as connection:
        found = list_verdicts(connection, challenge, date)
        if isinstance(found, Unknown):
            refuse(found.message)
        with closing(found):
            if as_json:
                print_json_rows(found)
                return
            columns = ("Day", "Handle", "Outcome", "Reason", "Solved", "Required", "Provisional")
            for chunk in _chunks(found):
                print_table(columns, map(asdict, chunk), empty="Nothing has been queued for settling yet.")


def standings(challenge: ChallengeId, as_json: JsonOption = False) -> None:
    """List the members of a challenge, best first, former ones too.

    Example: evaluator standings --challenge winter-grind --json
    """
    with open_session() as session:
        show_standings(session.database, challenge, as_json=as_json)


def show_standings(database: Database, challenge: str, *, as_json: bool = False) -> None:
    """Print the standings of a challenge. Ends the program where there is none of that id."""
    with database.connection() as connection:
        found = ranking(connection, challenge)
        if isinstance(found, Unknown):
            refuse(found.message)
        with closing(found):
            if as_json:
                print_json_rows(found)
                return
            for chunk in _chunks(found):
                columns = ("Rank", "Handle", "Current streak", "Longest streak", "Penalty")
                print_table(columns, map(_standing, chunk), empty=f"Challenge {challenge} has no members yet.")


def _standing(row: StandingRow) -> dict[str, object]:
    penalty = format_amount(row.penalty_minor, row.currency) if row.penalty_minor else None
    return {**asdict(row), "penalty": penalty}


def _chunks(rows: Iterable[_T]) -> Iterator[list[_T]]:
    """The rows by thousands; an empty list where there is none at all."""
    iterator = iter(rows)
    chunk = list(islice(iterator, _ROWS_A_TABLE))
    yield chunk
    while chunk := list(islice(iterator, _ROWS_A_TABLE)):
        yield chunk


def explain(
    challenge: Annotated[str, typer.Argument(metavar="CHALLENGE", help="Id of the challenge.")],
    handle: Annotated[str, typer.Argument(metavar="HANDLE", help="The member's LeetCode handle.")],
    day: Annotated[str, typer.Argument(metavar="DAY", help="The date, as 2026-11-20.")],
    as_json: JsonOption = False,
) -> None:
    """Tell why a member's day is what it is: rules, solves, LeetCode's answers, overrides, penalties.

    Example: evaluator explain winter-grind alice 2026-11-20
    """
    from evaluator.cli.explanation import show
    from evaluator.service.explain import explain as why

    date = parse_day(day)
    assert date is not None  # noqa: S101  # the argument is required
    with open_session() as session, session.database.connection() as connection:
        found = why(connection, challenge, handle, date, session.clock(), session.settings.settle_delay)
    if isinstance(found, Unknown):
        refuse(found.message)
    if as_json:
        print_json(found)
    else:
        show(found)
