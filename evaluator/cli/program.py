"""The program: what it says of itself, and those of its commands that are wanted."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Annotated

import typer


def build(commands: Mapping[str, str]) -> typer.Typer:
    """The program with these commands only, by the places that they are imported from."""
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
        from importlib.metadata import version

        typer.echo(f"evaluator {version('evaluator')}")
        raise typer.Exit
