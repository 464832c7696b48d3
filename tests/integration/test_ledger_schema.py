"""The schema: applied once however many processes start together, and every named statement fits it."""

from __future__ import annotations

import ast
import multiprocessing
import re
from collections.abc import Iterator
from importlib.resources import files
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psycopg
import pytest

import evaluator
from evaluator.ledger.database import Database
from evaluator.ledger.migrations import SchemaError, known_migrations, migrate, missing_migrations
from evaluator.ledger.statements import statements

PACKAGE = Path(evaluator.__file__).parent
ALL = [migration.name for migration in known_migrations()]


@pytest.fixture
def empty_database(empty_database_url: str) -> Iterator[Database]:
    database = Database(empty_database_url)
    yield database
    database.close()


def migrate_together(url: str, barrier: Barrier, applied: SimpleQueue[list[str]]) -> None:
    database = Database(url)
    with database.connection():
        barrier.wait(60)
    applied.put(migrate(database))
    database.close()


def test_four_processes_that_migrate_an_empty_database_at_once_apply_every_migration_once(
    empty_database_url: str,
) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, applied = context.Barrier(4), context.SimpleQueue()
    processes = [
        context.Process(target=migrate_together, args=(empty_database_url, barrier, applied)) for _ in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert sorted(applied.get() for _ in processes) == [[], [], [], ALL]
    applied.close()


def test_an_empty_database_lacks_every_migration_and_a_migrated_one_none(empty_database: Database) -> None:
    assert missing_migrations(empty_database) == ALL
    assert migrate(empty_database) == ALL
    assert missing_migrations(empty_database) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    with database.connection() as connection:
        before = connection.execute("SELECT name, digest, applied_at FROM schema_migrations").fetchall()
        assert migrate(database) == []
        assert connection.execute("SELECT name, digest, applied_at FROM schema_migrations").fetchall() == before


def test_a_migration_that_was_applied_with_another_content_is_refused_by_name(database: Database) -> None:
    with database.connection() as connection:
        connection.execute("UPDATE schema_migrations SET digest = 'another' WHERE name = %s", [ALL[0]])
    with pytest.raises(SchemaError, match=f"{ALL[0]} was applied to this database with another content"):
        migrate(database)
    with pytest.raises(SchemaError, match=ALL[0]):
        missing_migrations(database)


def all_statements() -> dict[tuple[str, str], str]:
    """Every named statement, by file and name."""
    names = sorted(path.name.removesuffix(".sql") for path in files("evaluator.ledger").joinpath("sql").iterdir())
    return {(file, name): sql for file in names for name, sql in statements(file).items()}


def with_numbered_parameters(sql: str) -> str:
    """The statement as PostgreSQL gets it: psycopg's `%(name)s` and `%s` as `$1`, `$2`, …, `%%` as `%`."""
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        return f"${numbers.setdefault(match[1] or f'unnamed {match.start()}', len(numbers) + 1)}"

    return re.sub(r"%\((\w+)\)s|%s|%%", number, sql)


def test_every_statement_fits_the_schema(database: Database) -> None:
    broken = {}
    with database.connection() as connection:
        for number, (key, sql) in enumerate(all_statements().items()):
            try:
                connection.execute(f"PREPARE statement_{number} AS {with_numbered_parameters(sql)}")
            except psycopg.Error as error:
                broken[key] = str(error)
    assert broken == {}


def statements_in_use() -> set[tuple[str, str]]:
    """Every `NAME["statement"]` in our modules where `NAME = statements("file")`, as file and statement."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        loaded: dict[str, str] = {}
        looked_up: list[tuple[str, str]] = []
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Assign([ast.Name(name)], ast.Call(ast.Name("statements"), [ast.Constant(str(file))])):
                    loaded[name] = file
                case ast.Subscript(ast.Name(name), ast.Constant(str(statement))):
                    looked_up.append((name, statement))
        found |= {(loaded[name], statement) for name, statement in looked_up if name in loaded}
    return found


def test_every_statement_is_used_and_every_statement_that_is_used_exists() -> None:
    used, existing = statements_in_use(), set(all_statements())
    assert existing - used == set()
    assert used - existing == set()
