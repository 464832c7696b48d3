"""What an account of LeetCode shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

DAY = 86_400
"""Seconds in a day of LeetCode's calendar, which is UTC."""

FIRST_ID_AT = 1_400_000_000
"""No submission is older, in seconds since the epoch: ids grow from here."""


class Visibility(StrEnum):
    """What strangers see of an account. A hidden one shows its calendar, and what the server is set to of its list."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    HIDDEN_NULL = "hidden_null"
    HIDDEN_EMPTY = "hidden_empty"
    UNKNOWN = "unknown"


class Submission(NamedTuple):
    """One row as LeetCode answers it, where ids and times are strings; `at` is its second since the epoch."""

    at: int
    id: Any
    title: Any
    titleSlug: Any  # noqa: N815  # the names are those of the answer
    timestamp: Any
    statusDisplay: Any  # noqa: N815  # as above
    lang: Any


ACCEPTED = "Accepted"


class Account(Protocol):
    """An account at any time: `now` is in seconds since the epoch, and nothing after it is shown."""

    @property
    def username(self) -> str: ...

    @property
    def visibility(self) -> Visibility: ...

    def submissions(self, now: int) -> Iterator[Submission]:
        """What was submitted, newest first."""

    def calendar(self, year: int, now: int) -> Mapping[str, int]:
        """How much was submitted on each date of `year`, by the second of its UTC midnight, in digits."""


def submission_id(at: int, mark: int) -> str:
    """An id that grows with time, as LeetCode's do; `mark` tells accounts apart that submit in one second."""
    return str((at - FIRST_ID_AT) * 100_000 + mark % 100_000)
