"""`evaluator migrate`: bring the database's schema up to this version."""

from __future__ import annotations

from evaluator.cli.arguments import JsonOption
from evaluator.cli.output import console, print_json
from evaluator.cli.session import open_session


def migrate(as_json: JsonOption = False) -> None:
    """Bring the database's schema up to date. Safe to run twice, and from several places at once.

    Example: evaluator migrate
    """
    from evaluator.ledger.migrations import migrate as apply_migrations

    with open_session() as session:
        applied = apply_migrations(session.database)
    if as_json:
        print_json({"applied": applied})
    elif applied:
        console.print(f"applied {', '.join(applied)}", highlight=False)
    else:
        console.print("the schema is up to date", highlight=False)
