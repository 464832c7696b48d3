"""Ranking: the standings of a challenge as they are published."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from evaluator.domain.standings import ranked
from evaluator.ledger.challenges import read_challenge
from evaluator.ledger.database import Connection
from evaluator.ledger.reports import read_scores
from evaluator.service.unknown import Unknown, unknown_challenge


@dataclass(frozen=True, slots=True)
class StandingRow:
    """A member's place; `penalty_minor` in minor units of `currency`, which is None where nothing is ever charged."""

    rank: int
    handle: str
    current_streak: int
    longest_streak: int
    penalty_minor: int
    currency: str | None


def ranking(connection: Connection, challenge_id: str) -> Generator[StandingRow] | Unknown:
    """Every member that the challenge ever had, best first.

    They come from a cursor of the connection; closing the generator gives it back.
    """
    challenge = read_challenge(connection, challenge_id)
    if challenge is None:
        return unknown_challenge(challenge_id)
    return rank_members(connection, challenge_id, challenge.currency)


def rank_members(
    connection: Connection, challenge_id: str, currency: str | None, limit: int | None = None
) -> Generator[StandingRow]:
    """The `limit` best members; Postgres sorts them, however many there are, and the domain says who shares a rank."""
    for standing in ranked(read_scores(connection, challenge_id, limit)):
        score = standing.score
        streak = score.streak
        yield StandingRow(standing.rank, score.handle, streak.current, streak.longest, score.penalty, currency)
