"""Single values of a file: read as what they ought to be; None, and a mistake, where they are not."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime

from evaluator.domain.day import read_date
from evaluator.service.yaml_value import Value, did_you_mean, listed, shown

YEARS = range(1970, 2200)
"""Years that dates and times may lie in."""

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_INSTANT = re.compile(rf"(\d{{4}}-\d\d-\d\d)[Tt ]({_CLOCK}(?::[0-5]\d)?)(\.\d+)? ?([Zz]|[+-]{_CLOCK})?", re.ASCII)


def matching(value: Value, pattern: re.Pattern[str], meaning: str) -> str | None:
    """A text that the whole of `pattern` matches; `meaning` says what it is and how it is written."""
    text = value.text()
    if text is None or pattern.fullmatch(text):
        return text
    value.refuse(f"{shown(text)} is not {meaning}")
    return None


def integer(value: Value, low: int, high: int) -> int | None:
    text = value.text()
    if text is None:
        return None
    if value.is_plain and _INTEGER.fullmatch(text) and low <= int(text) <= high:
        return int(text)
    unquoted = "" if value.is_plain else ", without quotes"
    value.refuse(f"{shown(text)} is not a whole number from {low} to {high}{unquoted}")
    return None


def flag(value: Value) -> bool | None:
    text = value.text()
    if text is None:
        return None
    if value.is_plain and text in {"true", "false"}:
        return text == "true"
    value.refuse(f"{shown(text)} is neither true nor false")
    return None


def one_of(value: Value, names: Collection[str], meaning: str | None = None) -> str | None:
    """One of `names`; `meaning` says what they are, where they are too many to be listed."""
    text = value.text()
    if text is None or text in names:
        return text
    value.refuse(f"{shown(text)} is not {meaning or f'one of {listed(names)}'}{did_you_mean(text, names)}")
    return None


def some_of(value: Value, names: Collection[str]) -> list[str]:
    """A list of different names out of `names`."""
    found: list[str] = []
    for item in value.items() or ():
        name = one_of(item, names)
        if name in found:
            item.refuse(f"{name} is listed twice: keep one")
        elif name is not None:
            found.append(name)
    return found


def day(value: Value) -> date | None:
    text = value.text()
    if text is None:
        return None
    try:
        found = read_date(text)
    except ValueError:
        value.refuse(f"{shown(text)} is not a date of the calendar: write it like 2026-11-01")
        return None
    if found.year not in YEARS:
        value.refuse(f"{text} is not in the years {YEARS[0]} to {YEARS[-1]}")
    return found


def instant(value: Value) -> int | None:
    """A time with its offset from UTC, in seconds since the epoch."""
    text = value.text()
    if text is None:
        return None
    match = _INSTANT.fullmatch(text)
    if match is None:
        value.refuse(f"{shown(text)} is not a time: write it like 2026-11-01T18:00:00+05:30 or 2026-11-01T12:30:00Z")
        return None
    written_day, clock, fraction, offset = match.groups()
    if fraction:
        value.refuse(f"{text} has a fraction of a second: write whole seconds")
    elif not offset:
        value.refuse(f"{text} does not say in which zone: add its offset from UTC, such as {text}+05:30 or {text}Z")
    elif int(written_day[:4]) not in YEARS:
        value.refuse(f"{text} is not in the years {YEARS[0]} to {YEARS[-1]}")
    else:
        try:
            return int(datetime.fromisoformat(f"{written_day}T{clock}{offset.upper()}").timestamp())
        except ValueError:
            value.refuse(f"{text} is on a date that the calendar lacks")
    return None
