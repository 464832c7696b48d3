"""What a process has fetched from Redis, and what of it is done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from threading import Lock


class Held:
    """The ids of the messages that this process has fetched and not acknowledged, by queue; some of them are done."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ids: defaultdict[str, set[str]] = defaultdict(set)
        self._done: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, queue: str, redis_id: str) -> None:
        with self._lock:
            self._ids[queue].add(redis_id)

    def discard(self, queue: str, redis_ids: Sequence[str]) -> None:
        with self._lock:
            self._ids[queue].difference_update(redis_ids)

    def clear(self, queue: str) -> None:
        with self._lock:
            self._ids[queue].clear()

    def of(self, queue: str) -> frozenset[str]:
        with self._lock:
            return frozenset(self._ids[queue])

    def done(self, queue: str, redis_ids: Sequence[str]) -> None:
        """Of these Redis is to be told; they are held until it is."""
        with self._lock:
            self._done[queue] += redis_ids

    def take_done(self, queue: str) -> Sequence[str]:
        """Those of which Redis has to be told, each for one thread only."""
        with self._lock:
            return self._done.pop(queue, [])
