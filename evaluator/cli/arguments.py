"""Arguments that several commands take, and what stands for one that is left out."""

from __future__ import annotations

import getpass
import re
from datetime import date
from typing import Annotated

import typer

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

ChallengeOption = Annotated[str | None, typer.Option("--challenge", "-c", help="Only this challenge.", metavar="ID")]
DayOption = Annotated[str | None, typer.Option("--day", "-d", help="Only this date, as 2026-11-20.", metavar="DAY")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, for machines.")]


def parse_day(text: str | None) -> date | None:
    """A date of the challenge's calendar. Raises typer.BadParameter."""
    if text is None:
        return None
    try:
        return read_day(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date; write it as 2026-11-20") from None


def read_day(text: str) -> date:
    """The date that is written as 2026-11-20. Raises ValueError, for other ways to write one too."""
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def login_name() -> str:
    """Who gives a command, unless it says so: the login name, which a container may not have."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "command line"
