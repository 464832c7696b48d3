"""The tables of a trial: the members put in, the rows that came out."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.population import MIN_SOLVES, PENALTY, Settled, bounds, expected, handles

_SCHEMA = Path(__file__).parent / "schema.sql"
_LOOK_EVERY = 0.5  # seconds; a look takes Postgres a millisecond or two, which is counted as the contender's

_DONE = "SELECT count(*) FROM evaluations WHERE outcome IN ('passed', 'failed')"

_SETTLED = """SELECT m.handle, e.outcome, m.current_streak, m.longest_streak, coalesce(p.posted, 0)::bigint
FROM members m LEFT JOIN evaluations e ON e.member_id = m.id
LEFT JOIN (SELECT member_id, sum(amount) AS posted FROM postings GROUP BY member_id) p ON p.member_id = m.id
WHERE m.challenge_id = %s"""

_COMMITTED = """SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin))) FROM (
SELECT e.xmin FROM evaluations e JOIN members m ON m.id = e.member_id WHERE m.challenge_id = %(challenge)s
UNION ALL SELECT m.xmin FROM members m WHERE m.challenge_id = %(challenge)s
UNION ALL SELECT p.xmin FROM postings p JOIN members m ON m.id = p.member_id WHERE m.challenge_id = %(challenge)s
) rows"""


class UnverifiedError(Exception):
    """The rows that a contender wrote are not what its members did."""


class Ledger:
    """One trial's database, this project's or one of `schema.sql`: what is read here has the same names in both."""

    def __init__(self, url: str) -> None:
        self._connection: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        self._connection.close()

    def create_schema(self) -> None:
        self._connection.execute(_SCHEMA.read_bytes())

    def add(self, challenge: str, day: date, members: int) -> None:
        """A challenge with its members, for contenders that do not read our files."""
        self._connection.execute(
            "INSERT INTO challenges VALUES (%s, %s, %s, %s, %s, %s)",
            [challenge, day, *bounds(day), MIN_SOLVES, PENALTY],
        )
        self._connection.execute(
            "INSERT INTO members (challenge_id, handle) SELECT %s, unnest(%s::text[])",
            [challenge, handles(challenge, members)],
        )

    def tidy(self) -> None:
        """What autovacuum and the checkpointer do by and by is done before the clock runs, not while it does."""
        self._connection.execute("VACUUM (ANALYZE)")
        self._connection.execute("CHECKPOINT")

    def wait(self, members: int, within: float) -> None:
        """Return when so many members of all challenges are settled. Raises TimeoutError after `within` seconds."""
        deadline = time.monotonic() + within
        while (done := self._one(_DONE)) < members:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{members - done} of {members} members are not settled after {within:g} s")
            time.sleep(_LOOK_EVERY)

    def committed_at(self, challenge: str) -> float:
        """When the last row was committed, in seconds since the epoch."""
        return float(self._one(_COMMITTED, challenge=challenge))

    def verify(self, challenge: str, members: int) -> None:
        """Raises UnverifiedError unless each member has the one evaluation, streak and posting that is right."""
        found = sorted(Settled(*row) for row in self._connection.execute(_SETTLED, [challenge]))
        right = sorted(expected(handle) for handle in handles(challenge, members))
        if found != right:
            wrong = next((pair for pair in zip(found, right, strict=False) if pair[0] != pair[1]), None)
            raise UnverifiedError(f"{len(found)} of {members} members; the first that differs: {wrong}")

    def _one(self, query: str, **parameters: str) -> Any:
        return self._connection.execute(query, parameters).fetchall()[0][0]
