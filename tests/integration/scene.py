"""A ledger with rows in it: challenges by the real apply, and verdicts put straight into the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from psycopg.types.json import Json

from evaluator.domain.challenge import ChallengeSpec, MemberSpec
from evaluator.domain.rules import Rules
from evaluator.domain.verdict import Outcome, Reason
from evaluator.ledger.challenges import find_member, read_challenge
from evaluator.ledger.database import Database
from evaluator.service.apply import Applied, apply

RULES = Rules(min_solves=2, freezes_per_month=1, penalty=500, cap=5000)
LONG_AGO = int(datetime(2025, 1, 1, tzinfo=ZoneInfo("UTC")).timestamp())

# The reason that an outcome has when a test does not care.
_REASONS = {
    Outcome.PASSED: Reason.ENOUGH,
    Outcome.FAILED: Reason.NOT_ENOUGH,
    Outcome.PENDING: Reason.UPSTREAM_UNAVAILABLE,
    Outcome.EXEMPT: Reason.REST_DAY,
    Outcome.FROZEN: Reason.FREEZE,
}


@dataclass(frozen=True)
class Scene:
    database: Database
    _runs: dict[tuple[str, date], int] = field(default_factory=dict)

    def challenge(  # noqa: PLR0913  # what a challenge is made of
        self,
        challenge: str,
        members: Sequence[str | MemberSpec],
        *,
        starts: date = date(2026, 11, 1),
        ends: date = date(2026, 11, 30),
        timezone: str = "Asia/Kolkata",
        rules: Rules = RULES,
        currency: str | None = "EUR",
        cancelled: bool = False,
        at: int = LONG_AGO,
    ) -> None:
        """Apply a challenge, at a time before it begins unless another is given."""
        specs = tuple(one if isinstance(one, MemberSpec) else MemberSpec(one) for one in members)
        name = challenge.replace("-", " ").capitalize()
        spec = ChallengeSpec(challenge, name, timezone, starts, ends, rules, currency, specs, cancelled)
        assert isinstance(apply(self.database, [spec], at), Applied)

    def run(self, challenge: str, day: date, state: str = "settled") -> int:
        """The run of a day, in that state if it is new."""
        if (challenge, day) not in self._runs:
            with self.database.connection() as connection:
                stored = read_challenge(connection, challenge)
                assert stored is not None
                window = stored.calendar.window(day)
                assert window is not None
                row = connection.execute(
                    "INSERT INTO runs (challenge_id, day, day_start, day_end, counts_from, state, queued_at, opened_at,"
                    " fan_out_done) VALUES (%s, %s, %s, %s, %s, %s, now(), now(), true) RETURNING id",
                    [challenge, day, window.start, window.end, stored.calendar.start(stored.starts), state],
                ).fetchone()
            assert row is not None
            self._runs[challenge, day] = row[0]
        return self._runs[challenge, day]

    def verdict(  # noqa: PLR0913  # what an evaluation is made of
        self,
        challenge: str,
        handle: str,
        day: date,
        outcome: Outcome,
        reason: Reason | None = None,
        *,
        solved: int = 0,
        required: int = 2,
        batch: int = 1,
        judged: Sequence[Mapping[str, object]] = (),
        evaluated_at: datetime | None = None,
        error: str | None = None,
        failed_at: datetime | None = None,
    ) -> None:
        run_id = self.run(challenge, day)
        if outcome is Outcome.PENDING:  # a run with something pending is not settled
            self.execute("UPDATE runs SET state = 'pending' WHERE id = %s AND state = 'settled'", run_id)
        with self.database.connection() as connection:
            connection.execute(
                "INSERT INTO evaluations (member_id, day, run_id, batch, outcome, reason, solved, required, evidence,"
                " evaluated_at, error, failed_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, coalesce(%s, now()), %s, %s)",
                [
                    self.member(challenge, handle),
                    day,
                    run_id,
                    batch,
                    outcome,
                    reason or _REASONS[outcome],
                    solved,
                    required,
                    Json(list(judged)),
                    evaluated_at,
                    error,
                    failed_at,
                ],
            )

    def member(self, challenge: str, handle: str) -> int:
        with self.database.connection() as connection:
            found = find_member(connection, challenge, handle)
        assert found is not None
        return found.id

    def streak(self, challenge: str, handle: str, current: int, longest: int) -> None:
        self.execute(
            "UPDATE members SET current_streak = %s, longest_streak = %s WHERE id = %s",
            current,
            longest,
            self.member(challenge, handle),
        )

    def posting(self, challenge: str, handle: str, day: date, amount: int, entry: int = 1) -> None:
        self.execute(
            "INSERT INTO postings VALUES (%s, %s, %s, %s, '2026-12-01T00:00Z')",
            self.member(challenge, handle),
            day,
            entry,
            amount,
        )

    def batch(self, run_id: int, batch: int, size: int, state: str, *, sent: bool = True, age: float = 0.0) -> None:
        """A batch; one that is done was finished `age` seconds ago."""
        self.execute(
            "INSERT INTO batches (run_id, batch, size, state, attempts, sent_at, finished_at)"
            " VALUES (%s, %s, %s, %s, 3, CASE WHEN %s THEN now() END,"
            " CASE WHEN %s = 'done' THEN now() - make_interval(secs => %s) END)",
            run_id,
            batch,
            size,
            state,
            sent,
            state,
            age,
        )

    def observation(  # noqa: PLR0913  # what an observation is made of
        self,
        handle: str,
        at: datetime,
        standing: str = "visible",
        *,
        rows: int = 3,
        after: datetime | None = None,
        contradictory: bool = False,
        detail: str = "",
        solves: Sequence[tuple[str, str, datetime]] = (),
    ) -> None:
        """One reply, with the solves (id, slug, time) that it held."""
        self.execute(
            "INSERT INTO observations (handle_key, fetched_at, standing, row_count, after, contradictory, active_dates,"
            " calendar_years, detail, solves)"
            " VALUES (%s, %s, %s, %s, %s, %s, '{}', '{2026}', %s, %s)",
            handle.lower(),
            int(at.timestamp()),
            standing,
            rows,
            after and int(after.timestamp()),
            contradictory,
            detail,
            Json([(one, slug, int(solved_at.timestamp())) for one, slug, solved_at in solves]),
        )

    def execute(self, statement: str, *values: object) -> None:
        with self.database.connection() as connection:
            connection.execute(statement, values)
