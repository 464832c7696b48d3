"""The command line. Each command is a module of its own, imported when it is used: `enqueue` starts often."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

_COMMANDS = {
    "up": "evaluator.cli.up:up",
    "migrate": "evaluator.cli.migrate:migrate",
    "apply": "evaluator.cli.apply:apply",
    "enqueue": "evaluator.cli.enqueue:enqueue",
    "worker": "evaluator.cli.worker:worker",
    "server": "evaluator.cli.server:server",
    "scheduler": "evaluator.cli.scheduler:scheduler",
    "verdicts": "evaluator.cli.reports:verdicts",
    "standings": "evaluator.cli.reports:standings",
    "explain": "evaluator.cli.reports:explain",
    "override": "evaluator.cli.override:override",
    "queue": "evaluator.cli.queue:app",
    "top": "evaluator.cli.top:top",
    "problems": "evaluator.cli.problems:app",
    "doctor": "evaluator.cli.doctor:doctor",
    "ping": "evaluator.cli.ping:ping",
    "sync-run": "evaluator.cli.sync_run:sync_run",
    "simulator": "evaluator.cli.simulator:simulator",
}


_TERMINATED = 128 + signal.SIGTERM
"""The exit code of a command that SIGTERM ended."""


def main() -> None:
    """Run the command that was asked for; without one, show all of them."""
    # Linux keeps a signal from process 1, which a command is in a container, unless it asked for it. Those that have
    # something to finish ask anew; for the others it is what it is elsewhere: the end, at once.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(_TERMINATED))
    wanted = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    build({wanted: _COMMANDS[wanted]} if wanted in _COMMANDS else _COMMANDS)()


def build(commands: dict[str, str]) -> typer.Typer:
    """The program with these commands only."""
    app = typer.Typer(
        name="evaluator",
        help="Settles daily LeetCode challenges: verdicts, streaks and penalties, exactly once and fairly.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def program(
        show_version: Annotated[
            bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and end.")
        ] = False,
    ) -> None:
        """Settles daily LeetCode challenges: verdicts, streaks and penalties, exactly once and fairly."""

    for name, place in commands.items():
        module, _, attribute = place.partition(":")
        found: typer.Typer | Callable[..., None] = getattr(importlib.import_module(module), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"evaluator {version('evaluator')}")
        raise typer.Exit


if __name__ == "__main__":
    main()
