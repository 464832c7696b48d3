"""Verdicts: the list of what was decided."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date

from evaluator.ledger.challenges import read_challenge
from evaluator.ledger.database import Connection
from evaluator.ledger.reports import VerdictRow, has_run, read_verdicts
from evaluator.service.unknown import Unknown, unknown_challenge


def verdicts(connection: Connection, challenge_id: str, day: date | None = None) -> Generator[VerdictRow] | Unknown:
    """The verdicts of a challenge, or of one of its days, by day and handle.

    They come from a cursor of the connection, some thousand at a time, however many there are; closing the generator
    gives it back.
    """
    challenge = read_challenge(connection, challenge_id)
    if challenge is None:
        return unknown_challenge(challenge_id)
    # A challenge that was shortened keeps the verdicts on the days after its new end.
    if day is not None and not challenge.starts <= day <= challenge.ends and not has_run(connection, challenge_id, day):
        return Unknown(f"{day} is not a day of challenge {challenge_id}, {challenge.starts} to {challenge.ends}.")
    return read_verdicts(connection, challenge_id, day)
