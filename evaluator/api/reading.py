"""A reading: something that is read when it is asked for, within a time limit, and seldom."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

import structlog

_log = structlog.get_logger(__name__)

_T = TypeVar("_T")

WAITED = 4.0
"""Seconds, from the start of a reading, that who asks waits for it."""

KEPT = 5.0
"""Seconds for which what was read is the answer, as is that it could not be read."""

_KEPT_LONGEST = 15.0
_SHARE = 5  # it is kept for so many times as long as it took, so that no source is busy with it for more of its time


class Reading(Generic[_T]):
    """All who ask at once share one reading, and who asks soon after has the same answer."""

    def __init__(self, name: str, read: Callable[[], _T], monotonic: Callable[[], float] = time.monotonic) -> None:
        """`read` is called in a thread of its own, that nobody waits for at the end. `name` is for the log.

        `monotonic` tells the seconds.
        """
        self._name = name
        self._read = read
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._newest: Future[_T | None] = Future()
        self._newest.set_result(None)
        self._begun = self._kept_until = float("-inf")

    def begin(self) -> None:
        """Read, unless what was read last is still the answer, or comes soon."""
        with self._lock:
            if self._newest.done() and self._monotonic() >= self._kept_until:
                reading: Future[_T | None] = Future()
                self._begun = self._monotonic()
                threading.Thread(target=self._fill, args=(reading,), name=self._name, daemon=True).start()
                # Only now: where no thread can be had, nobody would ever fill it, and nobody read again.
                self._newest = reading

    def wait(self) -> _T | None:
        """What was read in the last seconds; None where it could not be, or not in time."""
        with self._lock:
            newest, patience = self._newest, self._begun + WAITED - self._monotonic()
        try:
            return newest.result(max(0.0, patience))
        except TimeoutError:
            return None

    def _fill(self, reading: Future[_T | None]) -> None:
        found = None
        try:
            found = self._read()
        except Exception as error:  # noqa: BLE001  # whatever it is: a figure is absent, and the log says why
            _log.warning(
                "Figures could not be read", source=self._name, error=str(error).strip() or type(error).__name__
            )
        with self._lock:
            took = self._monotonic() - self._begun
            self._kept_until = self._begun + min(max(KEPT, _SHARE * took), _KEPT_LONGEST)
            reading.set_result(found)
