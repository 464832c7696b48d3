"""A ledger with a past: a challenge of any size with settled days, and many small challenges, by generated rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

from psycopg import Connection

STARTS = date(2026, 1, 1)
_START = 1_767_225_600  # its first second
_LARGE = ("evaluations", "observations", "postings")

_CHALLENGE = """
INSERT INTO challenges (id, name, starts, ends, created_at)
SELECT id, id, %(starts)s, %(ends)s, now() FROM unnest(%(ids)s::text[]) AS id;
"""
_ZONE = "INSERT INTO timezones SELECT id, %(starts)s, 'UTC' FROM unnest(%(ids)s::text[]) AS id"
_RULES = """
INSERT INTO rules SELECT id, %(starts)s, 1, '{}', 'day', '{}', 0, 100, NULL FROM unnest(%(ids)s::text[]) AS id
"""
# Handles in another order than ids, as people's are.
_MEMBERS = """
INSERT INTO members (challenge_id, handle, handle_key)
SELECT %(id)s, handle, handle
FROM (SELECT %(id)s || lpad(to_hex(n * 2654435761 %% 4294967296), 8, '0') AS handle
      FROM generate_series(1::bigint, %(members)s) AS n) AS named
"""
_STAYS = """
INSERT INTO memberships (challenge_id, member_id, stay)
SELECT challenge_id, id, 1 FROM members WHERE challenge_id = %(id)s
"""
_RUNS = """
INSERT INTO runs (challenge_id, day, day_start, day_end, counts_from, state, fan_out_done, queued_at, opened_at,
                  closed_at)
SELECT id, %(starts)s + n, %(start)s + n * 86400, %(start)s + (n + 1) * 86400, %(start)s,
       %(state)s, %(state)s = 'settled', now(), now(), now()
FROM unnest(%(ids)s::text[]) AS id, generate_series(%(first)s::int, %(last)s) AS n ORDER BY n, id
"""
# A solve a day for two members of three; the others fail.
_EVALUATIONS = """
INSERT INTO evaluations (member_id, day, run_id, batch, outcome, reason, solved, required, evidence, evaluated_at)
SELECT m.id, r.day, r.id, (m.id - 1) / 20, CASE WHEN fails THEN 'failed' ELSE 'passed' END,
       CASE WHEN fails THEN 'not_enough' ELSE 'enough' END, CASE WHEN fails THEN 0 ELSE 1 END, 1,
       CASE WHEN fails THEN '[]' ELSE json_build_array(json_build_object(
           'id', (r.id * 1000000 + m.id)::text, 'problem', 'longest-common-prefix', 'at', r.day_start + 100,
           'difficulty', NULL, 'bearing', 'counts')) END, to_timestamp(r.day_end + 3600)
FROM runs r JOIN members m USING (challenge_id), LATERAL (SELECT (m.id + r.id) %% 3 = 0 AS fails) AS f
WHERE r.challenge_id = %(id)s AND r.day = %(day)s ORDER BY m.id
"""
_POSTINGS = """
INSERT INTO postings (member_id, day, entry, amount, posted_at)
SELECT m.id, r.day, 1, 100, now() FROM runs r JOIN members m USING (challenge_id)
WHERE r.challenge_id = %(id)s AND r.day = %(day)s AND (m.id + r.id) %% 3 = 0 ORDER BY m.id
"""
_OBSERVATIONS = """
INSERT INTO observations (handle_key, fetched_at, standing, row_count, after, contradictory, active_dates,
                          calendar_years, detail, solves)
SELECT m.handle_key, r.day_end + 3600, 'visible', 20, r.day_start - 86400, false, '{}', '{2026}', '',
       CASE WHEN (m.id + r.id) %% 3 = 0 THEN '[]' ELSE json_build_array(json_build_array(
           (r.id * 1000000 + m.id)::text, 'longest-common-prefix', r.day_start + 100)) END
FROM runs r JOIN members m USING (challenge_id)
WHERE r.challenge_id = %(id)s AND r.day = %(day)s ORDER BY m.id
"""


def add_challenges(connection: Connection, ids: list[str], days: int) -> None:
    """Challenges with rules and no members, that go on for `days` days."""
    values = {"ids": ids, "starts": STARTS, "ends": STARTS + timedelta(days=days - 1)}
    for statement in (_CHALLENGE, _ZONE, _RULES):
        connection.execute(statement, values)


def add_runs(connection: Connection, ids: list[str], first: int, last: int, state: str) -> None:
    """Runs of the days numbered `first` to `last`."""
    values = {"ids": ids, "starts": STARTS, "start": _START, "first": first, "last": last, "state": state}
    connection.execute(_RUNS, values)


def add_members(connection: Connection, challenge_id: str, members: int) -> None:
    for statement in (_MEMBERS, _STAYS):
        connection.execute(statement, {"id": challenge_id, "members": members})


def add_past(connection: Connection, challenge_id: str, days: int, observed: int) -> None:
    """`days` settled days of a challenge with members; what LeetCode answered is there for the last `observed`."""
    add_runs(connection, [challenge_id], 0, days - 1, "settled")
    with _without_indexes(connection):
        for number in range(days):
            values = {"id": challenge_id, "day": STARTS + timedelta(days=number)}
            connection.execute(_EVALUATIONS, values)
            connection.execute(_POSTINGS, values)
            if number >= days - observed:
                connection.execute(_OBSERVATIONS, values)
    connection.execute("VACUUM (ANALYZE)")


@contextmanager
def _without_indexes(connection: Connection) -> Iterator[None]:
    """The large tables lose keys and indexes, and get them back at the end: that is faster by far."""
    again = []
    for table in _LARGE:
        keys = connection.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND contype = 'p'",
            [table],
        )
        for name, definition in keys.fetchall():
            again.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        indexes = connection.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = %s::regclass",
            [table],
        )
        for name, definition in indexes.fetchall():
            again.append(definition)
            connection.execute(f"DROP INDEX {name}")
    connection.execute("SET session_replication_role = replica")  # no look at each row's references either
    yield
    connection.execute("RESET session_replication_role")
    for statement in again:
        connection.execute(statement)
