"""What a process has fetched of a queue: Redis takes it to be at work until it is told otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock


class Held:
    """The ids of the messages of a queue that this process has fetched; of those that are done Redis is to be told."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._telling = Lock()
        self._failures = 0
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
        """Have Redis told of all that is done, by one thread at a time, in one call of `acknowledge`.

        Whatever was done before is told when this returns, unless another thread failed to meanwhile: ten threads would
        each wait for a Redis that is silent. What `acknowledge` raised for is told by a later call.
        """
        failures = self._failures
        with self._telling:
            with self._lock:
                done = list(self._done)
            if not done or self._failures != failures:
                return
            try:
                acknowledge(done)
            except BaseException:
                self._failures += 1
                raise
            with self._lock:
                self._done.difference_update(done)
                self._ids.difference_update(done)
