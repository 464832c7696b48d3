"""What a command works with, opened from the settings; and how its failures end."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psycopg
import redis
import typer

from evaluator.cli.addresses import postgres_place, redis_place, require_readable
from evaluator.cli.output import note, problem
from evaluator.correlation import correlated
from evaluator.ledger.challenges import UnreadableError
from evaluator.ledger.database import UNREACHABLE, Database, DatabaseClock
from evaluator.ledger.migrations import SchemaError, missing_migrations
from evaluator.logs import configure_logs
from evaluator.queue.broker import Broker, connect, redis_client
from evaluator.queue.outbox import MessageOutbox
from evaluator.settings import ConfigurationError, Settings, load_settings, misspelt
from evaluator.tracing import add_trace_id, asked_for, stop_tracing, tracer

if TYPE_CHECKING:
    from dramatiq.middleware import Middleware

    from evaluator.leetcode.client import Client
    from evaluator.leetcode.meter import Meter

DONE, FAILED, USAGE, UNAVAILABLE, CONFIGURATION = 0, 1, 2, 75, 78
"""Exit codes; the last two are EX_TEMPFAIL and EX_CONFIG of sysexits.h."""

_FULL = "used memory > 'maxmemory'"
"""What Redis says at its limit. By which kind of error is another matter for each command and version."""

_ENV_FILE = Path(".env")
_REFUSED = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InsufficientPrivilege,
    SchemaError,
    UnreadableError,
)
_MISFIT = "The database's schema does not fit this version"
_GRANT = (
    "let this role own the database, or grant it CREATE on the schema for `evaluator migrate` and all on its tables"
)


@dataclass(frozen=True)
class Session:
    """The services of one command. They connect when they are first used."""

    settings: Settings
    database: Database
    middleware: Sequence[Middleware] = ()
    meter: Meter | None = None

    @cached_property
    def clock(self) -> DatabaseClock:
        return DatabaseClock(self.database)

    @cached_property
    def broker(self) -> Broker:
        return connect(self.settings, self.middleware)

    @cached_property
    def outbox(self) -> MessageOutbox:
        return MessageOutbox(self.broker)

    def require_schema(self) -> None:
        """Raises SchemaError where the database lacks migrations, or is of a later generation."""
        missing = missing_migrations(self.database)
        if missing:
            raise SchemaError(f"it lacks {', '.join(missing)}; run `evaluator migrate`")

    @cached_property
    def upstream(self) -> Client:
        """LeetCode, asked at the pace that all processes share."""
        from evaluator.cli.traced import TracedClient, TracedPacer
        from evaluator.leetcode.client import Client
        from evaluator.leetcode.pacer import Pacer

        pacer_class, client_class = (TracedPacer, TracedClient) if tracer() else (Pacer, Client)
        pacer = pacer_class(redis_client(self.settings), self.settings.leetcode_requests_per_second)
        return client_class(self.settings.leetcode_url, self.settings.leetcode_timeout, pacer, self.clock, self.meter)


def read_settings() -> Settings:
    """The settings, with logs set up by them. Ends the program where they are wrong."""
    try:
        settings = load_settings(os.environ, _ENV_FILE)
        require_readable(settings)
    except ConfigurationError as error:
        configure_logs("json" if os.environ.get("LOG_FORMAT", "").strip() == "json" else "console", "INFO")
        problem("The configuration is wrong; correct these and start again", str(error).splitlines())
        raise typer.Exit(CONFIGURATION) from None
    configure_logs(settings.log_format, settings.log_level, *([add_trace_id] if asked_for(os.environ) else []))
    return settings


@contextmanager
def open_session(connections: int = 4, *, stays: bool = False) -> Iterator[Session]:
    """The services of one command, closed at its end; a service that is away ends it with one line.

    All that a command does has one correlation id, unless it `stays` and does many things.
    """
    settings = read_settings()
    for key, meant in misspelt(_ENV_FILE).items():
        note(f"{_ENV_FILE} holds {key}, which is no setting: is {meant} meant?")
    database = Database(settings.database_url, connections)
    try:
        with nullcontext() if stays else correlated():
            yield Session(settings, database)
    except (*UNREACHABLE, redis.RedisError) as error:
        problem(unreachable(settings, error))
        raise typer.Exit(UNAVAILABLE) from None
    except _REFUSED as error:
        refuse(hindrance(settings, error))
    finally:
        database.close()
        stop_tracing()


def refuse(message: str) -> NoReturn:
    """End a command that was understood but can't be carried out."""
    problem(message)
    raise typer.Exit(FAILED)


def hindrance(settings: Settings, error: Exception) -> str:
    """What is said of any failure of a service: that it is away, or why it does not do what it is asked."""
    if isinstance(error, (*UNREACHABLE, redis.RedisError)):
        return unreachable(settings, error)
    if isinstance(error, (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)):
        return f"{_MISFIT}: {_first_line(error)}; run `evaluator migrate`"
    if isinstance(error, SchemaError):
        return f"{_MISFIT}: {error}"
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return f"PostgreSQL at {postgres_place(settings)} (DATABASE_URL) forbids it: {_first_line(error)}; {_GRANT}"
    return _first_line(error)


def unreachable(settings: Settings, error: Exception) -> str:
    """What is said where Postgres, or Redis, is away, or takes nothing: which one, where, why, and what to do."""
    trouble = "does not answer"
    if isinstance(error, redis.RedisError):
        place, remedy = f"Redis at {redis_place(settings)}", "check that it runs, REDIS_* and its password"
        if _FULL in str(error):
            trouble, remedy = "is full", "raise its maxmemory, or remove what is not the evaluator's"
    else:
        place = f"PostgreSQL at {postgres_place(settings)} (DATABASE_URL)"
        remedy = "check that it runs and may be reached, and the user, password and database in DATABASE_URL"
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            trouble, remedy = "takes no writes", "name its primary there, or let it write again"
    return f"{place} {trouble}: {_first_line(error)}; {remedy}, then try again"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".;")
