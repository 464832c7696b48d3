"""The inside of a GraphQL document: its data, its errors, and values that may be anything.

Nothing here raises, whatever LeetCode sends: a value that cannot be used is None.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluator.leetcode.refusal import Document, Refusal, RefusalKind, message_of

_LAST_SECOND = 253_402_300_799  # of the year 9999; beyond, a number is no time in seconds
_LONGEST_TEXT = 500  # an id or a slug that is longer is none


@dataclass(frozen=True, slots=True)
class Errors:
    """What a document's `errors` say: about each alias, and the first that names none.

    That a user does not exist explains no null but that user's, so it is no complaint about the whole.
    """

    about: Mapping[str, Sequence[str]]
    loose: str = ""


def open_document(document: Document, aliases: Collection[str]) -> tuple[Mapping[str, Any], Errors] | Refusal:
    """The data, empty where errors about some of `aliases` are all there is, and the errors."""
    data, entries = document.get("data"), _entries(document)
    errors = _sort(entries, aliases)
    if isinstance(data, dict) and data:
        return data, errors
    if errors.about:
        return {}, errors
    if entries:
        return Refusal(RefusalKind.BAD_QUERY, f"LeetCode does not accept the query ({message_of(entries[0])})")
    return Refusal(RefusalKind.RETRY_LATER, "LeetCode's answer holds neither data nor errors")


def is_of_nobody(document: Document) -> bool:
    """Whether all that a document says is that somebody does not exist."""
    entries = _entries(document)
    return not document.get("data") and bool(entries) and all(means_unknown(message_of(entry)) for entry in entries)


def means_unknown(said: str) -> bool:
    """Whether an error's message says that a user does not exist."""
    return "does not exist" in said.lower()


def text(value: object) -> str | None:
    """A string that can be stored and shown; printable, so without a NUL or half of a surrogate pair."""
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT and value.isprintable() else None


def identity(value: object) -> str | None:
    """An id, which may come as a string or as a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return text(value)


def second(value: object) -> int | None:
    """A time in seconds since the epoch, which may come as digits or as a number; one before 1970 is none."""
    number: float
    if isinstance(value, str):
        # Signs, underscores and the digits of other scripts, which `int` would take, are no timestamp.
        number = int(value) if len(value) <= 12 and value.isascii() and value.isdigit() else 0
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = value
    else:
        return None
    return int(number) if 1 <= number <= _LAST_SECOND else None


def _entries(document: Document) -> list[object]:
    entries = document.get("errors")
    return entries if isinstance(entries, list) else [entries] if entries else []


def _sort(entries: Sequence[object], aliases: Collection[str]) -> Errors:
    about: dict[str, list[str]] = {}
    loose = ""
    for entry in entries:
        said = message_of(entry)
        path = entry.get("path") if isinstance(entry, dict) else None
        alias = path[0] if isinstance(path, list) and path else None
        if isinstance(alias, str) and alias in aliases:
            about.setdefault(alias, []).append(said)
        elif not loose and not means_unknown(said):
            loose = said
    return Errors(about, loose)
