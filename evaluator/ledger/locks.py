"""Advisory locks: one process at a time, and none after its connection is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from evaluator.ledger.database import Database


@contextmanager
def sole(database: Database, name: str) -> Iterator[bool]:
    """Whether nobody else holds the lock of that name; it is held until the end."""
    with database.connection() as connection:
        row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name]).fetchone()
        mine = row == (True,)
        try:
            yield mine
        finally:
            if mine:
                connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])
