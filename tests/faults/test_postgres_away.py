"""Postgres restarted, killed, away, busy or full of locks in the middle of a run: nothing is half-written."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import psycopg
import pytest
from dramatiq.middleware.time_limit import TimeLimitExceeded
from dramatiq.threading import raise_thread_exception
from psycopg.conninfo import make_conninfo

from evaluator.cli.worker import is_outage
from evaluator.ledger.database import UNREACHABLE, Database
from evaluator.ledger.runs import next_turns
from tests.faults.arena import Arena, handles
from tests.integration.program import until


def restarted(arena: Arena) -> None:
    arena.postgres.restart()


def killed(arena: Arena) -> None:
    arena.postgres.kill()
    arena.postgres.start()


def away(arena: Arena) -> None:
    arena.postgres.stop()
    time.sleep(3)
    arena.postgres.start()


TOO_MANY = "too many clients already"
KICK = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'DB' AND pid <> pg_backend_pid()"


def terminated_again_and_again(arena: Arena) -> None:
    for _ in range(20):
        arena.as_superuser(KICK)
        time.sleep(0.05)


def read_only(arena: Arena) -> None:
    """As after a failover to a server that is none yet."""
    arena.as_superuser("ALTER DATABASE DB SET default_transaction_read_only = on")
    arena.as_superuser(KICK)
    time.sleep(2)
    arena.as_superuser("ALTER DATABASE DB RESET default_transaction_read_only")
    arena.as_superuser(KICK)


@pytest.mark.parametrize(
    "fault",
    [restarted, killed, pytest.param(away, marks=pytest.mark.long), terminated_again_and_again, read_only],
)
def test_a_run_goes_on_after_postgres_was(arena: Arena, fault: Callable[[Arena], None]) -> None:
    """Attempts that Postgres cut short count, so that batches may be given up and taken up again later."""
    arena.challenge("grind", handles("member", 64), days=3)
    arena.leetcode.behaves(latency=0.1)
    arena.run("enqueue")
    worker = arena.worker()
    until(lambda: arena.evaluated() > 0)
    fault(arena)
    arena.finish(hurrying=True)
    arena.check(attempts=4)
    assert worker.code is None


@pytest.mark.long
def test_postgres_is_away_for_longer_than_every_attempt_takes(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 64))
    arena.run("enqueue")
    worker = arena.worker(JOB_BACKOFF="50ms")
    until(lambda: arena.evaluated() > 0)
    arena.postgres.stop()
    time.sleep(30)
    arena.postgres.start()
    back_at = time.monotonic()
    arena.finish(hurrying=True)
    assert time.monotonic() - back_at < 30
    arena.check(attempts=3)
    assert worker.code is None


@pytest.mark.long
def test_postgres_is_found_again_as_soon_after_a_long_absence_as_after_a_short_one(arena: Arena) -> None:
    def answers() -> bool:
        return arena.reached(lambda: arena.value("SELECT true"))

    assert answers()
    arena.postgres.stop()
    gone_at = time.monotonic()
    while time.monotonic() - gone_at < 35:
        assert not answers()
    arena.postgres.start()
    back_at = time.monotonic()
    until(answers)
    assert time.monotonic() - back_at < 15


def test_a_commit_that_never_came_leaves_nothing(arena: Arena) -> None:
    """The connection is ended from within the recording transaction, behind the last of its statements."""
    arena.challenge("grind", handles("member", 8), days=1)
    arena.scene.execute(
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_terminate_backend(pg_backend_pid()); RETURN new; END $$"
    )
    arena.scene.execute(
        "CREATE TRIGGER cut BEFORE UPDATE ON batches FOR EACH ROW WHEN (new.state = 'done') EXECUTE FUNCTION cut()"
    )
    arena.run("enqueue")
    arena.worker(JOB_ATTEMPTS="100")
    until(lambda: arena.attempts() >= 2)
    assert arena.evaluated() == arena.value("SELECT count(*) FROM postings") == 0
    arena.scene.execute("DROP TRIGGER cut ON batches")
    arena.finish(keeping=False)
    arena.check(attempts=100)


def test_no_transaction_is_open_while_leetcode_is_asked(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 32), days=1)
    arena.leetcode.behaves(latency=4.0)
    arena.run("enqueue")
    arena.worker()
    until(lambda: arena.leetcode.requests() == 4)
    for _ in range(10):
        assert (
            arena.rows(
                "SELECT query FROM pg_stat_activity"
                " WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
            )
            == []
        )
        time.sleep(0.03)
    assert arena.evaluated() == 0
    arena.finish()
    arena.check(attempts=1)


@contextmanager
def somebody(arena: Arena) -> Iterator[psycopg.Connection]:
    """Another user of the database, in a transaction."""
    with psycopg.connect(arena.database.url) as connection:
        connection.execute("SET deadlock_timeout = '60 s'")  # it is never the one that gives way
        yield connection
        connection.rollback()


LOCK = "SELECT FROM members WHERE handle = %s FOR NO KEY UPDATE"  # as the recording transaction takes it


def test_a_lock_that_is_not_given_in_time_is_waited_for(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 16), days=1)
    arena.as_superuser("ALTER DATABASE DB SET lock_timeout = '100 ms'")
    arena.run("enqueue")
    with somebody(arena) as other:
        other.execute(LOCK, ["member-003"])
        arena.worker(JOB_ATTEMPTS="100")
        until(lambda: arena.attempts() >= 2)
        until(lambda: arena.evaluated() == 8)  # those of the other batch
    arena.finish(keeping=False)
    arena.check(attempts=100)


def test_who_loses_a_deadlock_tries_again(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 8), days=1)
    # It is looked for once, so long after the wait began: there must be one by then.
    arena.as_superuser("ALTER DATABASE DB SET deadlock_timeout = '3 s'")
    arena.run("enqueue")
    with somebody(arena) as other:
        other.execute(LOCK, ["member-007"])
        worker = arena.worker()
        until(lambda: arena.rows("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
        other.execute(LOCK, ["member-000"])
    arena.finish(keeping=False)
    assert "deadlock detected" in worker.said()
    arena.check()


def test_serializable_transactions_end_the_same(arena: Arena) -> None:
    """Each failure to serialize costs an attempt; those that are used up make batches smaller, and the work later."""
    for name in ("grind", "sprint"):
        arena.challenge(name, handles("member", 24), days=2)
    arena.as_superuser("ALTER DATABASE DB SET default_transaction_isolation = 'serializable'")
    arena.run("enqueue")
    arena.worker()
    arena.finish(hurrying=True)
    arena.check(attempts=4)


def take_all(arena: Arena, others: ExitStack) -> None:
    """Connect until PostgreSQL says that there are too many."""
    with suppress(psycopg.OperationalError):
        while True:
            others.enter_context(psycopg.connect(arena.postgres.url))


def test_no_connection_is_left_for_a_while(arena: Arena) -> None:
    """None at all is left when the message comes that is to be worked on."""
    arena.challenge("grind", handles("member", 16), days=1)
    arena.run("enqueue")
    arena.client.flushall()
    with arena.database.connection() as connection:
        turns = next_turns(connection)
    worker = arena.worker()
    until(lambda: arena.client.zcard("evaluator:__heartbeats__"))
    with ExitStack() as others:
        kick = others.enter_context(psycopg.connect(arena.postgres.url))
        take_all(arena, others)
        kick.execute(arena.about_database(KICK))
        take_all(arena, others)
        refused = arena.postgres.log().count(TOO_MANY)
        arena.outbox.send_runs(turns)
        until(lambda: arena.postgres.log().count(TOO_MANY) >= refused + 3)
    arena.finish(keeping=False)
    arena.check()
    assert worker.code is None


def test_connections_that_postgres_has_ended_are_given_to_nobody(arena: Arena) -> None:
    """All that lay in a pool: each given out would cost a job a try, and a longer pause before the next."""
    database = Database(make_conninfo(arena.database.url, application_name="pool"), connections=8)

    def use_all() -> None:
        with ExitStack() as together:
            for _ in range(8):
                together.enter_context(database.connection()).execute("SELECT 1")

    use_all()
    arena.as_superuser(KICK)
    pool = "SELECT FROM pg_stat_activity WHERE application_name = 'pool'"
    until(lambda: arena.reached(lambda: not arena.rows(pool)))
    use_all()
    database.close()


def test_every_connection_of_a_pool_is_in_use(arena: Arena) -> None:
    """Who waits for one in vain has met an outage, so that a job is tried again for as long as it lasts."""
    database = Database(arena.database.url, connections=1, wait=0.1)
    with database.connection():
        with pytest.raises(UNREACHABLE) as raised, database.connection():
            pass
        assert is_outage(raised.value)
    with database.connection() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    database.close()


def test_a_time_limit_while_waiting_for_a_connection_costs_none(arena: Arena) -> None:
    """The pool gives one to the place of a thread that was thrown out of its queue, and would lack it ever after."""
    database = Database(arena.database.url, connections=1, wait=5)
    thrown: list[BaseException] = []

    def job() -> None:
        try:
            with database.connection():
                pass
        except TimeLimitExceeded as limit:
            thrown.append(limit)

    for _ in range(3):
        waiting = threading.Thread(target=job)
        with database.connection():
            waiting.start()
            until(lambda: database._pool.get_stats()["requests_waiting"] == 1)
            raise_thread_exception(waiting.ident, TimeLimitExceeded)
        waiting.join()
    assert len(thrown) == 3
    with database.connection() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    database.close()
