"""`evaluator migrate`: bring the database's schema up to this version, or wait until somebody else has."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Annotated

import structlog
import typer

from evaluator.cli.arguments import JsonOption
from evaluator.cli.output import console, print_json, problem
from evaluator.cli.session import UNAVAILABLE, open_session, read_settings, unreachable
from evaluator.ledger.database import UNREACHABLE, Database
from evaluator.ledger.migrations import later_migrations, missing_migrations

_PATIENCE = 300.0  # seconds to wait unless told otherwise
_LOOK = 0.5  # seconds between two looks at the schema
_SAY = 5.0  # seconds between two lines that say what is waited for

_log = structlog.get_logger(__name__)


def migrate(
    seconds: Annotated[
        float | None, typer.Argument(min=0, metavar="SECONDS", help="With --wait: how long at most; 300 if left out.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Migrate nothing: wait until the schema is what this version wants.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the database's schema up to date. Safe to run twice, and from several places at once.

    With --wait somebody else does that, and this ends when it is done, or with exit code 75 when it takes too long.
    Postgres may be away meanwhile.

    Example: evaluator migrate, or where something must not start before: evaluator migrate --wait 600
    """
    from evaluator.ledger.migrations import migrate as apply_migrations

    if seconds is not None and not wait:
        raise typer.BadParameter("SECONDS are how long to wait: they go with --wait")
    if wait:
        with open_session():  # which says what is wrong, as it does for every command
            _wait(_PATIENCE if seconds is None else seconds)
    with open_session() as session:
        applied = [] if wait else apply_migrations(session.database)
        later = later_migrations(session.database)
    if as_json:
        print_json({"applied": applied, "later": later})
        return
    also = f"; it also holds {', '.join(later)} of a later version, with which this one works" if later else ""
    said = f"applied {', '.join(applied)}" if applied else "the schema is up to date"
    console.print(f"{said}{also}", highlight=False)


def _wait(patience: float) -> None:
    """Return once the schema fits. Ends the program where it does not within `patience` seconds."""
    began, said_at = time.monotonic(), float("-inf")
    while why := _why_not():
        waited = time.monotonic() - began
        if waited >= patience:
            problem(
                f"Waited {patience:g} s in vain: {why}. Does whatever runs `evaluator migrate` with this version do so?"
            )
            raise typer.Exit(UNAVAILABLE)
        if time.monotonic() - said_at >= _SAY:
            said_at = time.monotonic()
            _log.info("Waiting for the schema", why=why, waited=round(waited))
        time.sleep(min(_LOOK, patience - waited))


def _why_not() -> str | None:
    """What the schema lacks, or why nobody knows; None where it fits.

    By settings that are read for each look: a Secret may be mended meanwhile, and its file with it.
    """
    settings = read_settings()
    with closing(Database(settings.database_url, connections=1)) as database:
        try:
            missing = missing_migrations(database)
        except UNREACHABLE as error:
            return unreachable(settings, error)
    return f"the schema lacks {', '.join(missing)}" if missing else None
