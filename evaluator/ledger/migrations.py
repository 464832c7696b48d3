"""The schema: plain SQL files, each applied once, in order, under an advisory lock.

An own runner of a page, since the known ones keep their lock in a table, where a killed pod leaves it for a person
to break; an advisory lock ends with its connection.

The first of the four digits of a file's number is the schema's generation. Within one, migrations only add: whatever an
older program reads and writes stays as it was, so that it runs beside a newer one, and after it when an upgrade is
rolled back. What an older program could not live with begins the next generation, and with it a major version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from evaluator.ledger.database import Connection, Database

_LOCK = 0x6576616C  # the key of the advisory lock that all migrating processes share

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class SchemaError(Exception):
    """The schema and this program do not fit; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    sql: str

    @property
    def digest(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


def known_migrations() -> list[Migration]:
    folder = files(__package__).joinpath("migrations")
    found = (entry for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [
        Migration(entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8"))
        for entry in sorted(found, key=lambda entry: entry.name)
    ]


def migrate(database: Database) -> list[str]:
    """Apply what is missing and return its names. Safe to run twice, late, or from several pods at once."""
    with database.connection() as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            connection.execute(_TABLE)
            missing = _missing(_applied(connection))
            for migration in missing:
                with connection.transaction():
                    connection.execute(migration.sql)
                    connection.execute(
                        "INSERT INTO schema_migrations (name, digest) VALUES (%s, %s)",
                        [migration.name, migration.digest],
                    )
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    return [migration.name for migration in missing]


def missing_migrations(database: Database) -> list[str]:
    """The names of those that the database still lacks. Raises SchemaError where these would not make it fit."""
    with database.connection() as connection:
        return [migration.name for migration in _missing(_applied(connection))]


def later_migrations(database: Database) -> list[str]:
    """The names of those that a later version has applied and this one does not know: they only add."""
    known = {migration.name for migration in known_migrations()}
    with database.connection() as connection:
        return sorted(_applied(connection).keys() - known)


def _applied(connection: Connection) -> dict[str, str]:
    """The digest of each migration that was applied, by its name."""
    exists = connection.execute("SELECT to_regclass('schema_migrations') IS NOT NULL").fetchone()
    if exists == (False,):
        return {}
    return dict(connection.execute("SELECT name, digest FROM schema_migrations").fetchall())


def _missing(applied: Mapping[str, str]) -> list[Migration]:
    known = known_migrations()
    newest = max(applied, default="")
    if newest[:1] > known[-1].name[:1]:
        raise SchemaError(
            f"it holds {newest}, with which versions as old as this one cannot work: run the version that the database "
            "was migrated with, or restore a backup from before"
        )
    for migration in known:
        if applied.get(migration.name, migration.digest) != migration.digest:
            raise SchemaError(
                f"migration {migration.name} was applied to this database with another content than this version of "
                "evaluator has: run the version that the database was migrated with"
            )
    return [migration for migration in known if migration.name not in applied]
