"""Arguments that several commands take."""

from __future__ import annotations

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
        if not _DATE.fullmatch(text):
            raise ValueError("another way to write a date")  # noqa: TRY301  # both ways of being wrong end alike
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date; write it as 2026-11-20") from None
