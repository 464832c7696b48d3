"""A network that loses everything and says nothing: both ends notice, and what one of them held is free again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from evaluator.ledger.database import Database
from tests.faults.namespaces import python_in_its_own
from tests.faults.nursery import ROOT
from tests.faults.services import Service


@pytest.mark.long
def test_silence_is_noticed_at_both_ends_within_half_a_minute(faults_folder: Path) -> None:
    """By who has asked, by who waits for an answer, by Postgres of who holds a lock; and by a client of Redis."""
    command = [*python_in_its_own("net"), "-m", "tests.faults.silence", str(faults_folder / "silence")]
    measured = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT, timeout=100)
    found = json.loads(measured.stdout)
    assert set(found) == {"question", "answer", "lock", "redis"}
    assert all(3 < seconds < 30 for seconds in found.values()), found


def test_what_the_url_or_the_database_says_about_silence_holds(breakable_postgres: Service) -> None:
    ours = Database(breakable_postgres.url)
    said = make_conninfo(breakable_postgres.url, connect_timeout=9, options="-c tcp_keepalives_idle=77")
    theirs = Database(said)
    for database, timeout, source in ((ours, "5", "session"), (theirs, "9", "client")):
        with database.connection() as connection:
            assert told(connection)["connect_timeout"] == timeout
            assert told(connection)["tcp_user_timeout"] == "20000"
            statement = "SELECT source FROM pg_settings WHERE name = 'tcp_keepalives_idle'"
            assert connection.execute(statement).fetchone() == (source,)
        database.close()


def told(connection: psycopg.Connection) -> dict[str, str]:
    """What libpq was told."""
    return dict(part.split("=", 1) for part in connection.info.dsn.split() if "=" in part)
