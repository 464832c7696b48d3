"""Named SQL: every statement lives in a file under `sql/`, with a name and a description."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import orjson

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*\n", re.MULTILINE)


@cache
def statements(file: str) -> dict[str, str]:
    """The statements of `sql/<file>.sql`, by name."""
    text = files(__package__).joinpath("sql", f"{file}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    parts[1::2] = [_COMMENT.sub("", sql).strip() for sql in parts[1::2]]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def array(values: Iterable[object]) -> str:
    """A PostgreSQL array of numbers, dates, booleans and plain words, as text: drivers take much longer for it."""
    return f"{{{','.join(['NULL' if value is None else str(value) for value in values])}}}"


def json(value: object) -> str:
    return orjson.dumps(value).decode()
