"""Arguments that several commands take, and what stands for one that is left out."""

from __future__ import annotations

import getpass
from datetime import date
from typing import Annotated

import typer

from evaluator.domain.day import read_date

ChallengeOption = Annotated[str | None, typer.Option("--challenge", "-c", help="Only this challenge.", metavar="ID")]
DayOption = Annotated[str | None, typer.Option("--day", "-d", help="Only this date, as 2026-11-20.", metavar="DAY")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, for machines.")]


def parse_day(text: str | None) -> date | None:
    """A date of the challenge's calendar. Raises typer.BadParameter."""
    if text is None:
        return None
    try:
        return read_date(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date; write it as 2026-11-20") from None


def login_name() -> str:
    """Who gives a command, unless it says so: the login name, which a container may not have."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "command line"
