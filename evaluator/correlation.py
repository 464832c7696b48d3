"""Correlation: one id of all that follows from one wish, in every line, message and run, and on every transaction.

Whoever begins something binds an id to its thread: a command, a call of the API, a round of the keeper, a job of the
scheduler. What is queued keeps it in the ledger, messages carry it, and workers bind it again. It tells people what
belongs together, and decides nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars, get_contextvars

KEY = "correlation_id"
"""Its name in lines of the log and among a message's options."""

LONGEST = 50
"""Characters; PostgreSQL cuts names of applications at 63, and ours comes first there."""

_WELL_FORMED = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST - 1}}}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def new_id() -> str:
    """32 hexadecimal digits, so that it can be a trace's id as well."""
    return os.urandom(16).hex()


def current_id() -> str | None:
    """What is bound to this thread, or task."""
    found: str | None = get_contextvars().get(KEY)
    return found


@contextmanager
def correlated() -> Iterator[None]:
    """What is done inside has a new id."""
    with bound_contextvars(**{KEY: new_id()}):
        yield


def well_formed(given: object) -> str | None:
    """An id that was given from outside, if it can be one: letters, digits, `.`, `_`, `-`, and not too long."""
    return given if isinstance(given, str) and _WELL_FORMED.fullmatch(given) else None


def of_trace(traceparent: str) -> str | None:
    """The id of the trace that a W3C `traceparent` names, if it is one."""
    found = _TRACEPARENT.fullmatch(traceparent.strip())
    return found[1] if found and int(found[1], 16) else None
