"""What a process has fetched of a queue: Redis takes it to be at work until it is told otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock


class Held:
    """The ids of the messages of a queue that this process has fetched; of those that are done Redis is to be told."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._telling = Lock()
        self._ids: set[str] = set()
        self._done: set[str] = set()

    def ids(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._ids)

    def add(self, redis_id: str) -> None:
        with self._lock:
            self._ids.add(redis_id)

    def discard(self, redis_id: str) -> None:
        with self._lock:
            self._ids.discard(redis_id)

    def clear(self) -> None:
        with self._lock:
            self._ids.clear()

    def done(self, redis_id: str) -> None:
        with self._lock:
            self._done.add(redis_id)

    def tell(self, acknowledge: Callable[[Sequence[str]], object]) -> None:
        """Have Redis told of all that is done; whatever was done before the call is told when it returns.

        One thread tells at a time: an id that is told twice may be back at work the second time. If `acknowledge`
        raises, all of it is to be told still.
        """
        with self._telling:
            with self._lock:
                done = list(self._done)
            if not done:
                return
            acknowledge(done)
            with self._lock:
                self._done.difference_update(done)
                self._ids.difference_update(done)
