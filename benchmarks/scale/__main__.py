"""`python -m benchmarks.scale`: fill a PostgreSQL of its own, measure, throw it away."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Annotated

import psycopg
import structlog
import typer
from rich.console import Console

from benchmarks.scale.api import called
from benchmarks.scale.history import add_challenges, add_members, add_past, add_runs
from benchmarks.scale.measures import Figures, asked, enqueued, fanned_out, grown, settled, sizes
from evaluator.ledger.database import Database
from evaluator.ledger.migrations import migrate
from evaluator.local.postgres import embedded_postgres

_SETTINGS = {"shared_buffers": "2GB", "max_wal_size": "4GB", "maintenance_work_mem": "1GB"}
_NAME = "scale"

_console = Console()


def scale(
    members: Annotated[int, typer.Option(min=20, help="Of the challenge with a past.")] = 100_000,
    past: Annotated[int, typer.Option(min=1, help="Settled days of it.")] = 10,
    observed: Annotated[int, typer.Option(min=0, help="Days of which LeetCode's answers are there.")] = 10,
    challenges: Annotated[int, typer.Option(min=1, help="Small challenges, with a run for each day.")] = 1_000,
    days: Annotated[int, typer.Option(min=1, help="Their days.")] = 365,
    batches: Annotated[int, typer.Option(min=1, help="That are settled of a run.")] = 1_000,
    grow: Annotated[bool, typer.Option(help="Also compare challenges of 1,000 to 1,000,000 members.")] = False,
) -> None:
    """Measure what the ledger costs. 1,000,000 members with 100 days take 35 GB and half an hour."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="evaluator-scale-") as name:
        folder = Path(name)
        with embedded_postgres(folder) as url, psycopg.connect(url, autocommit=True) as connection:
            for key, value in _SETTINGS.items():
                connection.execute(f"ALTER SYSTEM SET {key} = '{value}'")
        with embedded_postgres(folder) as url:
            database = Database(url)
            migrate(database)
            if grow:
                for title, figures in grown(database, (1_000, 10_000, 100_000, 1_000_000), batches):
                    _say(title, figures)
            with database.connection() as connection:
                add_challenges(connection, [_NAME], past + 1)
                add_members(connection, _NAME, members)
                add_past(connection, _NAME, past, observed)
                add_runs(connection, [_NAME], past, past, "queued")
            _say(f"megabytes after {past} days of {members:,} members", sizes(database))
            _say(f"fan-out of {members:,} members after {past} days", fanned_out(database, _NAME, members))
            _say("asked while it is open", asked(database))
            _say("batches, one after the other", settled(database, _NAME, min(batches, members // 20)))
            _say("asked in the middle of it", {**asked(database), **called(url, folder)})
            _say(f"enqueue of {challenges:,} challenges with {days} runs each", enqueued(database, challenges, days))
            database.close()


def _say(title: str, figures: Figures) -> None:
    _console.print(f"[bold]{title}[/bold]")
    for name, value in figures.items():
        _console.print(f"  {name:<32} {value:>14,.2f}", highlight=False)


if __name__ == "__main__":
    typer.run(scale)
