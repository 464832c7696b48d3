"""`evaluator problems`: what is known of LeetCode's problems."""

from __future__ import annotations

import typer
from rich.progress import Progress

from evaluator.cli.output import console, errors, problem
from evaluator.cli.session import UNAVAILABLE, open_session
from evaluator.leetcode.refusal import Refusal

app = typer.Typer(help="LeetCode's problems and their difficulties.", no_args_is_help=True)


@app.command()
def sync() -> None:
    """Read LeetCode's whole catalogue, about forty requests, and keep every problem's difficulty.

    Not needed for correct verdicts: an unknown difficulty is looked up when it matters. It saves those look-ups.

    Example: evaluator problems sync
    """
    from evaluator.service.problems import sync_problems

    with open_session() as session, Progress(console=errors, disable=not errors.is_terminal) as bar:
        task = bar.add_task("problems", total=None)
        known = sync_problems(
            session.database, session.upstream, lambda read, total: bar.update(task, completed=read, total=total)
        )
    if isinstance(known, Refusal):
        problem(f"The catalogue was not read to its end: {known.detail}; what was read is kept, try again later")
        raise typer.Exit(UNAVAILABLE)
    console.print(f"{known} problems are known", highlight=False)
