"""Group commit: what several threads have to write at the same time is written in one transaction.

The databases' way to spare commits (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", 1984,
section 5.2), one floor higher: begin, locks, reads and commit cost the same for one batch as for ten. Nobody waits for
company. A thread that finds nobody writing writes at once; those that come meanwhile are the next group.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

import structlog

_log = structlog.get_logger(__name__)

Work = TypeVar("Work")
Result = TypeVar("Result")

AT_MOST = 16
"""So many are written together: a transaction stays short, however many threads there are."""


@dataclass(slots=True)
class _Entry(Generic[Work, Result]):
    work: Work
    taken: bool = False
    result: Result | None = None


@dataclass(slots=True)
class _Group(Generic[Work, Result]):
    """Who writes the same kind of thing; the one who holds `turn` does it for all that wait."""

    turn: Lock = field(default_factory=Lock)
    waiting: deque[_Entry[Work, Result]] = field(default_factory=deque)
    present: int = 0


class GroupCommit(Generic[Work, Result]):
    """Threads' work of one kind done together by one of them.

    `together` does it in one transaction, all or nothing, and gives a result for each. Where it fails, or its thread is
    stopped, nothing was done, and each thread does its own work itself: one thread's trouble is no other's.
    """

    def __init__(self, together: Callable[[Sequence[Work]], Sequence[Result] | None]) -> None:
        """`together` gives None where it would have to wait for a lock, which none but its owner should do."""
        self._together = together
        self._groups: dict[Hashable, _Group[Work, Result]] = {}
        self._lock = Lock()

    def perform(self, kind: Hashable, work: Work) -> Result | None:
        """Do work together with what other threads have of its kind; None is for the caller to do it alone."""
        entry = _Entry[Work, Result](work)
        with self._group(kind) as group:
            group.waiting.append(entry)
            with group.turn:
                while not entry.taken:
                    self._lead(group)
        return entry.result

    @contextmanager
    def _group(self, kind: Hashable) -> Iterator[_Group[Work, Result]]:
        with self._lock:
            group = self._groups.setdefault(kind, _Group())
            group.present += 1
        try:
            yield group
        finally:
            with self._lock:
                group.present -= 1
                if not group.present:
                    self._groups.pop(kind, None)

    def _lead(self, group: _Group[Work, Result]) -> None:
        entries: list[_Entry[Work, Result]] = []
        while group.waiting and len(entries) < AT_MOST:
            # In this order: a time limit may strike between any two steps, and who waited for an entry that is gone and
            # not taken would wait for ever, and all others with it.
            entry = group.waiting[0]
            entry.taken = True
            entries.append(entry)
            group.waiting.popleft()
        try:
            results = self._together([entry.work for entry in entries])
        except Exception as error:
            if len(entries) == 1:
                raise
            # Whom it was about finds it again, alone.
            _log.warning("Writing together failed", error=str(error).strip(), of=len(entries))
            return
        for entry, result in zip(entries, results or (), strict=results is not None):
            entry.result = result
