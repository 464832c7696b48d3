"""What is said where a reader asks about something that does not exist."""

from __future__ import annotations

from dataclasses import dataclass

from evaluator.ledger.challenges import read_challenge
from evaluator.ledger.database import Connection


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such thing; `message` is a sentence that names it and says what to do."""

    message: str


def unknown_challenge(challenge_id: str) -> Unknown:
    return Unknown(f"There is no challenge {challenge_id!r}; check its id, or create it with `evaluator apply`.")


def unknown_member(challenge_id: str, handle: str) -> Unknown:
    return Unknown(f"Challenge {challenge_id} has never had a member {handle!r}; check the handle's spelling.")


def missing_challenge(connection: Connection, challenge_id: str | None) -> Unknown | None:
    """None where the challenge exists, or none is named."""
    if challenge_id is None or read_challenge(connection, challenge_id) is not None:
        return None
    return unknown_challenge(challenge_id)
