"""Plans: no statement reads the whole of a table that grows with members or days, whatever its arguments are."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql

from evaluator.ledger.statements import statements
from tests.conftest import created_database
from tests.integration.test_ledger_schema import all_statements, with_numbered_parameters

GROWING = {"evaluations", "observations", "batches", "members", "memberships", "postings", "overrides", "runs"}

# 300 challenges of 100 members and 6 days, the newest of them at work, and the runs of 1,000 that were over long ago.
ROWS = """
INSERT INTO challenges (id, name, starts, ends, created_at)
SELECT 'c' || c, 'Plan', '2026-04-05', '2026-04-10', now() FROM generate_series(1, 1300) c;
INSERT INTO timezones SELECT id, '2026-04-05', 'UTC' FROM challenges;
INSERT INTO rules SELECT id, '2026-04-05', 1, '{}', 'day', '{}', 1, 500, NULL FROM challenges;
INSERT INTO members (challenge_id, handle, handle_key)
SELECT 'c' || c, 'm' || c * 1000 + m, 'm' || c * 1000 + m FROM generate_series(1, 300) c, generate_series(1, 100) m;
INSERT INTO memberships (challenge_id, member_id, stay) SELECT challenge_id, id, 1 FROM members;
INSERT INTO runs (challenge_id, day, day_start, day_end, counts_from, state, fan_out_done, queued_at, opened_at,
                  retry_at)
SELECT 'c' || c, date '2026-04-04' + d, 1775347200 + (d - 1) * 86400, 1775347200 + d * 86400, 1775347200,
       CASE WHEN c > 300 THEN 'settled' WHEN d = 6 THEN 'open' WHEN d = 5 THEN 'pending' ELSE 'settled' END,
       true, now(), now(), now() + interval '1 hour' * (c - 10)
FROM generate_series(1, 1300) c, generate_series(1, CASE WHEN c > 300 THEN 30 ELSE 6 END) d
ORDER BY c <= 300, d, c;
INSERT INTO evaluations (member_id, day, run_id, batch, outcome, reason, evaluated_at)
SELECT m.id, r.day, r.id, m.id % 5 + 1,
       CASE WHEN r.state = 'open' OR r.state = 'pending' AND m.id % 50 = 0 THEN 'pending' ELSE 'passed' END,
       CASE r.state WHEN 'open' THEN 'not_evaluated' WHEN 'pending' THEN 'profile_hidden' ELSE 'enough' END, now()
FROM runs r JOIN members m USING (challenge_id) ORDER BY r.day, m.id;
-- So few that no plan would rather read all runs than look up theirs.
UPDATE evaluations SET failed_at = now(), error = 'HTTP 500' WHERE outcome = 'pending' AND member_id % 1000 = 0;
INSERT INTO postings SELECT member_id, day, 1, 500, now() FROM evaluations WHERE member_id % 3 = 0;
INSERT INTO overrides (member_id, day, outcome, reason, set_by, set_at)
SELECT member_id, day, 'passed', 'Seen', 'plan', now() FROM evaluations WHERE member_id % 10 = 0;
INSERT INTO batches (run_id, batch, size, state, sent_at, finished_at)
SELECT r.id, b, 20, CASE WHEN r.state <> 'open' THEN 'done' WHEN b = 1 THEN 'active' ELSE 'waiting' END,
       CASE WHEN r.state <> 'open' OR b < 3 THEN now() END,
       CASE WHEN r.day = '2026-04-05' THEN r.day + time '12:00' WHEN r.state = 'settled' THEN now() - interval '3 days'
            WHEN r.state = 'pending' THEN now() END
FROM runs r, generate_series(1, CASE WHEN r.challenge_id IN (SELECT challenge_id FROM members) THEN 5 ELSE 1 END) b;
INSERT INTO observations (handle_key, fetched_at, standing, row_count, contradictory, active_dates, calendar_years,
                          detail, solves)
SELECT m.handle_key, r.day_end + 3600, 'visible', 3, false, '{}', '{2026}', '',
       CASE WHEN m.id % 3 = 0 THEN '[]' ELSE json_build_array(json_build_array(m.id::text, 'two-sum', r.day_end)) END
FROM runs r JOIN members m USING (challenge_id) WHERE r.day > '2026-04-07';
"""

# A challenge that begins after Postgres looked last: to its statistics there is no such challenge, run or member.
FRESH = """
INSERT INTO challenges (id, name, starts, ends, created_at) VALUES ('fresh', 'Plan', '2026-04-10', '2026-05-10', now());
INSERT INTO rules SELECT 'fresh', '2026-04-10', 1, '{}', 'challenge', '{}', 1, 500, NULL;
INSERT INTO members (challenge_id, handle, handle_key)
SELECT 'fresh', 'f' || n, 'f' || n FROM generate_series(1, 5000) n;
INSERT INTO memberships (challenge_id, member_id, stay) SELECT 'fresh', id, 1 FROM members WHERE challenge_id = 'fresh';
INSERT INTO runs (challenge_id, day, day_start, day_end, counts_from, state, fan_out_done, queued_at, opened_at)
VALUES ('fresh', '2026-04-10', 1775779200, 1775865600, 1775779200, 'open', true, now(), now());
INSERT INTO evaluations (member_id, day, run_id, batch)
SELECT m.id, r.day, r.id, m.id / 5 FROM runs r JOIN members m USING (challenge_id) WHERE challenge_id = 'fresh';
INSERT INTO batches (run_id, batch, size, state, sent_at)
SELECT run_id, batch, count(*), CASE WHEN batch < 6400 THEN 'done' ELSE 'waiting' END,
       CASE WHEN batch <= 6400 THEN now() END
FROM evaluations
WHERE member_id > 30000 GROUP BY run_id, batch;
INSERT INTO observations (handle_key, fetched_at, standing, row_count, contradictory, active_dates, calendar_years,
                          detail, solves)
SELECT m.handle_key, r.day_end + 3600, 'visible', 0, false, '{}', '{2026}', '', '[]'
FROM runs r JOIN members m USING (challenge_id) WHERE challenge_id = 'fresh';
"""

# What statements are asked with, by the name of the parameter; and what a file means by a name that others use too.
VALUES: Mapping[str, object] = {
    "after": 86400, "batch": 3, "batches": 20, "by": "plan", "challenge": "c7", "challenges": "{c7}",
    "correlation": "0af7651916cd43dd8448eb211c80319c",
    "counts_from": 1775347200, "day": "2026-04-10", "day_end": 1775865600, "day_start": 1775779200,
    "days": "{2026-04-10}", "end": 1775865600, "ends": "{1775865600}", "error": "HTTP 500",
    "first_batch": 3, "last_batch": 3, "finished": "{3}", "first": "2026-03-11", "freezes": True, "capped": True,
    "from": 1775779200, "grace": 5, "handles": "{m7001}", "holds_from": "2026-04-05",
    "id": 31507, "ids": "{31207,31507}", "key": "m7001", "keys": "{m7001,m7002,m7003}",
    "last": "2026-04-10", "limit": 50,
    "made": 20, "member": 650, "member_id": 650, "members": 10000, "month": "2026-04-01", "next": "2026-05-01",
    "next_month": "2026-05-01", "opened_at": "2026-04-11 01:00Z", "outcome": "passed", "pass": "pending", "put": 400,
    "reason": "Seen", "reevaluate": False, "required": 1, "run_id": 31507, "seconds": 86400,
    "since": "{1775779200,1775779200,1775779200}", "size": 20, "slugs": "{two-sum}", "start": 1775779200,
    "starts": "{1775779200}", "to": 1775865600, "until": 1775952000, "window": 256, "within": True, "done": True,
}  # fmt: skip
OF_FILES: Mapping[str, Mapping[str, object]] = {
    "applied": {
        "id": "c7", "name": "Plan", "starts": "2026-04-05", "ends": "2026-04-10", "currency": "EUR", "now": 1775779200,
        "cancelled": False, "timezone": "UTC", "min_solves": 1, "difficulties": "{}", "unique": "day", "cap": None,
        "rest_days": "{}", "freezes_per_month": 1, "penalty": 500, "absences": '{"{}"}', "stays": "{1}",
        "listed_at": "{NULL}", "joined": "{NULL}", "left": "{NULL}", "removed": "{f}", "longer": False,
        "members": "{650,651}",
    },
    "challenges": {"id": "c7", "ids": "{c7}", "days": 6},
    "evaluations": {
        "id": "c7", "ids": "{650,651}", "outcomes": "{passed,failed}", "reasons": "{enough,not_enough}",
        "solved": "{1,0}", "required": "{1,1}", "current": "{5,0}", "longest": "{5,4}",
        "through": "{2026-04-10,2026-04-10}", "amounts": "{0,500}", "entries": "{2,2}", "evidence": "[[], []]",
        "errors": "[null, null]", "run": 31507, "numbers": "{3,4}",
        "fetched_at": "{1775869200,1775869200}", "standings": "{visible,visible}",
        "row_counts": "{0,0}", "contradictory": "{f,f}", "keys": '["m7001", "m7002"]', "active_dates": '["{}", "{}"]',
        "calendar_years": '["{2026}", "{2026}"]', "details": '["", ""]', "solves": "[[], []]",
    },
    "evidence": {
        "difficulties": "{Easy}", "frontend_ids": "{1}", "titles": "{Two Sum}",
        "keys": '["m7001", "m7002", "m7003"]', "paid_only": "{f}",
    },
    "reports": {"day": "2026-04-09"},
    "enqueues": {"by": "keeper"},
    "database": {"milliseconds": "3000"},
    "figures": {
        "ids": "{c7,c8}", "now": 1775865600, "due": 1775865600, "late": 1775858400, "since": time.time() - 300,
        "reasons": "{no_handle,user_not_found,profile_hidden}",
    },
}  # fmt: skip
OF_STATEMENTS: Mapping[tuple[str, str], Mapping[str, object]] = {
    ("evidence", "looked_up"): {"since": "2026-04-10 01:00Z"},
    ("runs", "advance"): {"last": 700},
    ("evaluations", "forget_failures"): {"after": 7 * 86400},
    ("evaluations", "begin"): {"first": 3, "last": 4},
    ("evaluations", "record"): {"after": "{NULL,NULL}"},
    ("runs", "prune"): {"after": 30 * 86400},
    ("runs", "fan_out"): {"after": 600},
    ("runs", "missing"): {"ids": "{c7,c8}", "first": "{2026-04-05,2026-04-05}", "last": "{2026-04-11,2026-04-11}"},
    ("runs", "of_challenges"): {"ids": "{c7}"},
    ("runs", "within"): {
        "ids": "{c7,c8}",
        "first": "{2026-04-05,2026-04-05}",
        "last": "{2026-04-11,2026-04-11}",
        "states": "{pending}",
    },
}

NOTHING: Mapping[str, object] = {}

Node = Mapping[str, Any]


@pytest.fixture(scope="module")
def large(postgres_url: str, migrated_template: str) -> Iterator[psycopg.Connection]:
    """A ledger of which no statement should need more than a small part."""
    with (
        created_database(postgres_url, migrated_template) as url,
        psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection,
    ):
        connection.execute(ROWS)
        # So many rows are looked at that these are all: no plan hangs on a draw.
        connection.execute("SET default_statistics_target = 1000")
        connection.execute("ANALYZE")
        connection.execute(FRESH)
        yield connection


@pytest.fixture(scope="module")
def whole_indexes(large: psycopg.Connection) -> dict[str, str]:
    """The table of each index that holds every row of it."""
    return dict(
        large.execute(
            "SELECT indexrelid::regclass::text, indrelid::regclass::text FROM pg_index WHERE indpred IS NULL"
        ).fetchall()
    )


def cases(file: str, name: str, statement: str, others: Mapping[str, object] = NOTHING) -> Iterator[Sequence[object]]:
    """The values of a statement's parameters in order; and those with nothing where the statement allows for that."""
    of = {**VALUES, **OF_FILES.get(file, {}), **OF_STATEMENTS.get((file, name), {}), **others}
    parameters = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    unknown = [parameter for parameter in parameters if parameter not in of]
    assert not unknown, f"say what {file}.{name} is asked with: {unknown}"
    yield [of[parameter] for parameter in parameters]
    if optional := re.findall(r"%\((\w+)\)s(?:::[\w\[\]]+)? IS NULL", statement):
        yield [None if parameter in optional else of[parameter] for parameter in parameters]


def plan_of(
    connection: psycopg.Connection, statement: str, values: Sequence[object], mode: str, how: str = "FORMAT JSON"
) -> Node:
    """The plan for a prepared statement: one for these values, or one for any, which Postgres takes in the long run."""
    connection.execute(sql.SQL("SET plan_cache_mode = {}").format(mode))
    connection.execute(f"PREPARE planned AS {with_numbered_parameters(statement)}")
    given = sql.SQL(", ").join(sql.Literal(None if value is None else str(value)) for value in values)
    explain = sql.SQL(f"EXPLAIN ({how}) EXECUTE planned" + ("({})" if values else "")).format(given)
    row = connection.execute(explain).fetchone()
    connection.execute("DEALLOCATE planned")
    assert row is not None
    plan: Node = row[0][0]["Plan"]
    return plan


def nodes(plan: Node) -> Iterator[Node]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def reads_all(plan: Node, whole_indexes: Mapping[str, str]) -> Iterator[str]:
    """Where a plan goes through all of a table that grows, or through all of an index on one."""
    for node in nodes(plan):
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in GROWING:
            yield f"all of {node['Relation Name']}"
        index = node.get("Index Name")
        if index and "Index Cond" not in node and whole_indexes.get(index) in GROWING:
            yield f"all of {index}"


@contextmanager
def seen_by_a_worker(postgres_url: str, template: str, rows: str) -> Iterator[psycopg.Connection]:
    """A ledger with these rows, over a connection that plans as a worker's does."""
    with (
        created_database(postgres_url, template) as url,
        psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection,
    ):
        connection.execute(rows)
        connection.execute(statements("database")["plan_once"])
        yield connection


def carried_out(connection: psycopg.Connection, file: str, name: str, mode: str, others: Mapping[str, object]) -> Node:
    """The plan of a statement that was carried out, and taken back."""
    statement = statements(file)[name]
    values = next(cases(file, name, statement, others))
    with connection.transaction(force_rollback=True):
        return plan_of(connection, statement, values, mode, "ANALYZE, FORMAT JSON")


MODES = ["force_custom_plan", "force_generic_plan"]


@pytest.mark.parametrize("mode", MODES)
def test_no_statement_reads_all_of_a_table_that_grows(
    large: psycopg.Connection, whole_indexes: Mapping[str, str], mode: str
) -> None:
    found = [
        f"{file}.{name} reads {what}"
        for (file, name), statement in all_statements().items()
        for values in cases(file, name, statement)
        for what in reads_all(plan_of(large, statement, values, mode), whole_indexes)
    ]
    assert not found, "\n".join(found)


def rows_read(plan: Node, of: Collection[str] = GROWING) -> int:
    """The rows of tables that grow which a statement looked at."""
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes(plan)
        if node.get("Relation Name") in of
    )


@pytest.mark.parametrize("mode", MODES)
def test_a_batch_reads_the_rows_of_its_members_only_though_postgres_knows_nothing_of_its_run(
    large: psycopg.Connection, mode: str
) -> None:
    row = large.execute("SELECT id FROM runs WHERE challenge_id = 'fresh'").fetchone()
    assert row is not None
    fresh = {
        "run_id": row[0],
        "batch": 6400,
        "run": row[0],
        "numbers": "{6400}",
        "first": 6400,
        "last": 6400,
        "ids": "{32001,32002}",
        "keys": '["f2001", "f2002"]',
        "since": "{1,1}",
    }
    otherwise = {"take_unsent": {"id": row[0], "window": 16}}
    found = []
    for file, name in all_statements():
        if name == "looked_up" or (file not in {"evaluations", "evidence"} and name != "take_unsent"):
            continue
        others = {**fresh, **otherwise.get(name, NOTHING)}
        read = rows_read(carried_out(large, file, name, mode, others))
        if read > 300:
            found.append(f"{file}.{name} reads {read} rows")
    assert not found, "\n".join(found)


# Postgres knows of 500 members with a settled day, whose batches are done, and of 10,000 after them. Their first day is
# at work.
YOUNG = """
INSERT INTO challenges (id, name, starts, ends, created_at)
SELECT id, 'Plan', '2026-04-10', '2026-05-10', now() FROM unnest('{old,young}'::text[]) AS id;
INSERT INTO rules SELECT id, '2026-04-10', 1, '{}', 'challenge', '{}', 1, 500, NULL FROM challenges;
INSERT INTO members (challenge_id, handle, handle_key)
SELECT CASE WHEN n > 500 THEN 'young' ELSE 'old' END, 'y' || n, 'y' || n FROM generate_series(1, 10500) n;
INSERT INTO memberships (challenge_id, member_id, stay) SELECT challenge_id, id, 1 FROM members;
INSERT INTO runs (challenge_id, day, day_start, day_end, counts_from, state, fan_out_done, queued_at, opened_at)
SELECT id, '2026-04-10', 1775779200, 1775865600, 1775779200, 'open', true, now(), now() FROM challenges ORDER BY id;
INSERT INTO evaluations (member_id, day, run_id, batch, outcome)
SELECT m.id, r.day, r.id, m.id / 20, 'passed' FROM runs r JOIN members m USING (challenge_id) WHERE r.id = 1;
INSERT INTO batches (run_id, batch, size, sent_at, state)
SELECT run_id, batch, count(*), now(), 'done' FROM evaluations GROUP BY 1, 2;
ANALYZE;
INSERT INTO evaluations (member_id, day, run_id, batch)
SELECT m.id, r.day, r.id, m.id / 20 FROM runs r JOIN members m USING (challenge_id) WHERE r.id = 2 ORDER BY m.id;
INSERT INTO batches (run_id, batch, size, sent_at)
SELECT run_id, batch, count(*), now() FROM evaluations WHERE run_id = 2 GROUP BY 1, 2;
"""


def test_a_batch_of_a_first_day_reads_no_other_members_and_batches(postgres_url: str, migrated_template: str) -> None:
    """To Postgres the evaluated members are the first 500: going through all in their order seems to end soon.

    And all batches that it knows of are done: going through the others seems to cost nothing.
    """
    young = {
        "run_id": 2, "batch": 400, "run": 2, "numbers": "{400}", "first": 400, "last": 400,
        "first_batch": 400, "last_batch": 400, "finished": "{400}", "id": "young",
        "ids": "{8001,8002}", "keys": '["y8001", "y8002"]', "since": "{1,1}", "freezes": False, "capped": True,
    }  # fmt: skip
    found = []
    with seen_by_a_worker(postgres_url, migrated_template, YOUNG) as connection:
        for file, name in all_statements():
            if (file, name) == ("evidence", "read") or (
                file == "evaluations" and name not in {"outcomes", "forget_failures"}
            ):
                plan = carried_out(connection, file, name, "force_generic_plan", young)
                read = rows_read(plan, {"members", "batches"})
                if read > 100:
                    found.append(f"{file}.{name} reads {read} members and batches")
    assert not found, "\n".join(found)


# A run of 10,000 batches, of which 4,000 are done and 200 are sent: what Postgres sees that looks in the middle of it.
HALF_WAY = """
INSERT INTO challenges (id, name, starts, ends, created_at) VALUES ('half', 'Plan', '2026-04-10', '2026-05-10', now());
INSERT INTO runs (challenge_id, day, day_start, day_end, counts_from, state, fan_out_done, queued_at, opened_at)
VALUES ('half', '2026-04-10', 1775779200, 1775865600, 1775779200, 'open', true, now(), now());
INSERT INTO batches (run_id, batch, size, sent_at, state)
SELECT 1, n, 20, CASE WHEN n <= 4200 THEN now() END,
       CASE WHEN n <= 4000 THEN 'done' WHEN n = 4100 THEN 'active' ELSE 'waiting' END
FROM generate_series(1, 10000) n;
ANALYZE;
"""


@pytest.mark.parametrize("mode", MODES)
def test_a_batch_half_way_through_a_run_reads_none_that_are_done(
    postgres_url: str, migrated_template: str, mode: str
) -> None:
    """What a run does for each of its batches would cost more with every batch."""
    half_way = {
        "id": 1, "run_id": 1, "run": 1, "batch": 4100, "numbers": "{4100}", "first": 4100, "last": 4100,
        "first_batch": 4100, "last_batch": 4100, "finished": "{4100}", "amounts": "{0,0}",
    }  # fmt: skip
    each = (
        [("runs", name) for name in ("take_unsent", "is_done", "close")]
        + [("evaluations", name) for name in ("begin", "give_back", "await_retry", "finish", "record")]
    )  # fmt: skip
    found = []
    with seen_by_a_worker(postgres_url, migrated_template, HALF_WAY) as connection:
        for file, name in each:
            plan = carried_out(connection, file, name, mode, half_way)
            if (read := rows_read(plan, {"batches"})) > 500:
                found.append(f"{file}.{name} reads {read} batches")
    assert not found, "\n".join(found)


# The night of 2,000 challenges, of which Postgres has seen settled days only: half of them are at work, half have a day
# queued.
MANY = """
INSERT INTO challenges (id, name, starts, ends, created_at)
SELECT 'c' || c, 'Plan', '2026-04-10', '2026-05-10', now() FROM generate_series(1, 2000) c;
INSERT INTO rules SELECT id, '2026-04-10', 1, '{}', 'challenge', '{}', 1, 500, NULL FROM challenges;
INSERT INTO runs (challenge_id, day, day_start, day_end, counts_from, state, fan_out_done, queued_at, opened_at)
SELECT id, date '2026-04-10' + d, 1775779200 + d * 86400, 1775865600 + d * 86400, 1775779200, 'settled', true,
       now(), now()
FROM challenges, generate_series(0, 9) d;
ANALYZE;
INSERT INTO runs (id, challenge_id, day, day_start, day_end, counts_from, state, fan_out_done, queued_at, opened_at)
OVERRIDING SYSTEM VALUE
SELECT 100000 + c, 'c' || c, '2026-04-20', 1776643200, 1776729600, 1775779200,
       CASE WHEN c <= 1000 THEN 'open' ELSE 'queued' END, c % 2 = 1, now(), now()
FROM generate_series(1, 2000) c;
INSERT INTO batches (run_id, batch, size, sent_at)
SELECT id, 1, 20, now() FROM runs WHERE state = 'open' AND id % 2 = 0;
INSERT INTO batches (run_id, batch, size)
SELECT id, 2, 20 FROM runs WHERE state = 'open' AND id % 2 = 0;
"""


@pytest.mark.parametrize("mode", MODES)
def test_a_run_reads_no_other_challenges_rows(postgres_url: str, migrated_template: str, mode: str) -> None:
    """Those that are open have a small index, which Postgres would rather go through than look up an id."""
    at_work, over, queued = 100500, 100501, 101500
    each: Mapping[tuple[str, str], Mapping[str, object]] = {
        ("evaluations", "begin"): {"run": at_work, "numbers": "{1}", "first": 1, "last": 1},
        ("runs", "open"): {"id": queued},
        ("runs", "lock_open"): {"id": at_work},
        ("runs", "take_unsent"): {"id": at_work},
        ("runs", "close"): {"id": over},
        ("runs", "next_turns"): {"challenges": "{c1500}"},
    }
    found, rows = [], {}
    with seen_by_a_worker(postgres_url, migrated_template, MANY) as connection:
        for (file, name), others in each.items():
            plan = carried_out(connection, file, name, mode, others)
            rows[name] = plan["Actual Rows"]
            if (read := rows_read(plan, {"runs", "challenges", "rules"})) > 5:
                found.append(f"{file}.{name} reads {read} challenges, rules and runs")
    assert not found, "\n".join(found)
    assert rows == {"begin": 1, "open": 1, "lock_open": 1, "take_unsent": 1, "close": 1, "next_turns": 1}


@pytest.mark.parametrize("mode", MODES)
def test_figures_read_what_is_under_way_and_pending_and_nothing_that_is_over(
    large: psycopg.Connection, mode: str
) -> None:
    """Of 180,000 evaluations 600 are pending, of 32,000 runs 600 not settled, of 40,000 batches 1,500 not done."""
    found = []
    for (file, name), statement in all_statements().items():
        if file == "figures" or (file, name) in {("jobs", "live"), ("jobs", "oldest_waiting")}:
            with large.transaction(force_rollback=True):
                values = next(cases(file, name, statement))
                read = rows_read(plan_of(large, statement, values, mode, "ANALYZE, FORMAT JSON"))
            if read > 3000:
                found.append(f"{file}.{name} reads {read} rows")
    assert not found, "\n".join(found)
