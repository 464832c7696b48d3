"""How commands speak: results on standard output, problems on standard error, or in the log where that is JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson
import structlog
from rich.console import Console
from rich.table import Table

from evaluator.logs import writes_json

_log = structlog.get_logger(__name__)

_PIPED = 240  # columns of a table that goes to a file or a pipe

console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else _PIPED)
errors = Console(stderr=True, soft_wrap=True)


def print_json(value: Any) -> None:  # whatever orjson can write
    """One JSON document, for machines."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n")
    sys.stdout.buffer.flush()


def problem(message: str, details: Sequence[str] = ()) -> None:
    """Say on standard error what went wrong, where, and what to do; `details` are a line each."""
    if writes_json():
        _log.error("Command has a problem", problem=message, details=list(details))
        return
    text = "\n".join([f"{message}:", *details] if details else [message])
    errors.print(text, style="red" if errors.is_terminal else None, markup=False, highlight=False)


def note(message: str) -> None:
    """Say on standard error how things stand."""
    if writes_json():
        _log.info("Command has a note", note=message)
    else:
        errors.print(message, markup=False, highlight=False)


def counted(number: int, noun: str) -> str:
    """`1 run`, `2 runs`, `3,000 runs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def print_table(columns: Sequence[str], rows: Iterable[Mapping[str, object]], *, empty: str) -> None:
    """A table for people; `empty` is said where there is no row. Keys are the column names in snake case."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[column.lower().replace(" ", "_")]) for column in columns))
    if table.row_count:
        console.print(table, markup=False)
    else:
        console.print(empty, markup=False, highlight=False)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return value.isoformat() if isinstance(value, date) else str(value)


def print_json_rows(rows: Iterable[object]) -> None:
    """A JSON array, written as it is read: it may be longer than the memory is large."""
    separator = b"[\n  "
    for row in rows:
        sys.stdout.buffer.write(separator + orjson.dumps(row))
        separator = b",\n  "
    sys.stdout.buffer.write(b"[]\n" if separator == b"[\n  " else b"\n]\n")
    sys.stdout.buffer.flush()
