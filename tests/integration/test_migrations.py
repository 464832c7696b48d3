"""Migrating as a cluster does it: waiting for whoever migrates, and rolling the program back but not the schema."""

from __future__ import annotations

import re
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from evaluator.domain.rules import Rules
from evaluator.ledger.database import Database
from evaluator.ledger.migrations import known_migrations, migrate
from tests.integration.program import Program, until
from tests.integration.stage import Stage

MARCH: dict[str, Any] = {
    "starts": date(2026, 3, 1),
    "ends": date(2026, 3, 2),
    "timezone": "Etc/UTC",
    "rules": Rules(penalty=500),
}
NO_POSTGRES = "postgresql://u:pw@127.0.0.1:1/x"
ALL = [migration.name for migration in known_migrations()]
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"


def test_whoever_waits_goes_on_when_somebody_else_has_migrated_and_changes_nothing(
    evaluator: Program, empty_database_url: str
) -> None:
    database = Database(empty_database_url)
    with evaluator.running("migrate", "--wait", "60", DATABASE_URL=empty_database_url) as waiting:
        until(lambda: f"the schema lacks {ALL[0]}" in waiting.said())
        with database.connection() as connection:
            assert connection.execute(TABLES).fetchall() == []
        migrate(database)
        assert waiting.process.wait(20) == 0
    database.close()
    assert waiting.said().endswith("the schema is up to date\n")


def test_who_waits_takes_an_address_that_is_corrected_meanwhile(
    evaluator: Program, database_url: str, tmp_path: Path
) -> None:
    """As a Secret that was mended, whose file changes under an init container."""
    secret = tmp_path / "url"
    secret.write_text(NO_POSTGRES)
    with evaluator.running("migrate", "--wait", "60", DATABASE_URL="", DATABASE_URL_FILE=str(secret)) as waiting:
        until(lambda: "Waiting for the schema" in waiting.said())
        secret.write_text(database_url)
        assert waiting.process.wait(20) == 0
    assert waiting.said().endswith("the schema is up to date\n")


def test_a_wait_ends_at_its_limit_whether_the_schema_or_postgres_is_missing(
    evaluator: Program, empty_database_url: str
) -> None:
    for url, why in (
        (empty_database_url, f"the schema lacks {', '.join(ALL)}"),
        (NO_POSTGRES, "PostgreSQL at 127.0.0.1:1 (DATABASE_URL) does not answer: "),
    ):
        began = time.monotonic()
        ended = evaluator("migrate", "--wait", "0.6", DATABASE_URL=url)
        assert time.monotonic() - began > 0.6
        assert (ended.code, ended.out) == (75, "")
        waiting, told = ended.err.splitlines()
        assert "Waiting for the schema" in waiting
        assert told.startswith(f"Waited 0.6 s in vain: {why}")


def test_a_wait_for_a_schema_that_fits_is_none(evaluator: Program, database_url: str) -> None:
    ended = evaluator("migrate", "--wait", "0", DATABASE_URL=database_url)
    assert ended == (0, "the schema is up to date\n", "")


def test_how_long_to_wait_says_nothing_where_nobody_waits(evaluator: Program, database_url: str) -> None:
    assert "they go with --wait" in evaluator("migrate", "60", DATABASE_URL=database_url, COLUMNS="200").err


def test_an_older_program_settles_days_on_a_schema_to_which_a_newer_one_has_added(stage: Stage) -> None:
    """As after `helm rollback`: there are tables and columns that this version does not know."""
    for (table,) in stage.rows(TABLES):
        stage.scene.execute(f"ALTER TABLE {table} ADD COLUMN later text NOT NULL DEFAULT 'x'")
    stage.scene.execute("CREATE TABLE laters (id bigint PRIMARY KEY)")
    stage.scene.execute("INSERT INTO schema_migrations (name, digest) VALUES ('0999_later', 'unknown here')")
    told = "the schema is up to date; it also holds 0999_later of a later version, with which this one works\n"
    assert stage.evaluator("migrate") == stage.evaluator("migrate", "--wait") == (0, told, "")
    assert stage.evaluator("migrate", "--json").json() == {"applied": [], "later": ["0999_later"]}
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    with stage.evaluator.running("server", "--port", "0") as server, stage.evaluator.running("worker"):
        assert stage.evaluator("enqueue", "--wait").code == 0
        until(lambda: "Uvicorn running" in server.said())
        assert server.process.poll() is None
    assert stage.completed("grind")
    assert stage.verdicts("grind") == {("idle-ann", day): "failed/not_enough" for day in (1, 2)}
    assert "also holds 0999_later of a later version" in stage.evaluator("doctor", "--no-leetcode").out


@pytest.mark.parametrize(
    "words", [["migrate"], ["migrate", "--wait"], ["server"], ["worker"], ["scheduler"]], ids=" ".join
)
def test_a_schema_of_a_later_generation_is_refused_at_once(stage: Stage, words: list[str]) -> None:
    stage.scene.execute("INSERT INTO schema_migrations (name, digest) VALUES ('1000_other', 'unknown here')")
    ended = stage.evaluator(*words)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "The database's schema does not fit this version: it holds 1000_other, with which versions as old as this one "
        "cannot work: run the version that the database was migrated with, or restore a backup from before\n"
    )


NO_ADDITION = re.compile(
    r"\b(drop (table|column|view|type|function|default)|rename|truncate|delete from|set not null|set data type"
    r"|alter column \w+ type|add constraint|add check)\b"
    r"|\badd column (?!.*\bdefault\b)[^,;]*\bnot null\b",
)
"""What an older version would miss, or could no longer do. An added column that must be filled needs a default."""


def test_migrations_of_a_generation_only_add() -> None:
    first: dict[str, str] = {}
    for migration in known_migrations():
        assert re.fullmatch(r"\d{4}_\w+", migration.name)
        if first.setdefault(migration.name[0], migration.name) != migration.name:
            said = " ".join(re.sub(r"--.*", "", migration.sql).lower().split())
            assert NO_ADDITION.findall(said) == [], f"{migration.name} takes away what an older version relies on"


@pytest.mark.parametrize(
    ("sql", "adds"),
    [
        ("create table enqueues (id bigint primary key, at timestamptz not null)", True),
        ("alter table runs add column correlation_id text", True),
        ("alter table runs add column seen boolean not null default false", True),
        ("create index concurrently runs_seen on runs (seen); drop index runs_old", True),
        ("alter table runs add column seen boolean not null", False),
        ("alter table runs drop column passes", False),
        ("alter table runs rename column passes to rounds", False),
        ("alter table runs alter column passes type bigint", False),
        ("alter table runs alter column retry_at set not null", False),
        ("drop table switches", False),
    ],
)
def test_what_only_adds_is_told_from_what_does_not(sql: str, adds: bool) -> None:
    assert (NO_ADDITION.search(sql) is None) == adds
