"""A source of figures that is read again and again, in a thread of its own, whether it answers or not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

_T = TypeVar("_T")

_PATIENCE = 6.0  # seconds that a reading may take; its own limits are shorter, but for the look-up of a name
_SHARE = 5  # no source is busy with our questions for more than one in so many seconds


@dataclass(frozen=True, slots=True)
class Seen(Generic[_T]):
    """What a source said last. None: nothing yet, or it has been silent for `silent` seconds; then `why` says why."""

    value: _T | None = None
    silent: float = 0.0
    why: str = ""


class Source(Generic[_T]):
    """Reads, and remembers what was read last, or since when nothing could be."""

    def __init__(
        self,
        read: Callable[[], _T],
        explain: Callable[[Exception], str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`explain` puts a failure into words. `monotonic` tells the seconds."""
        self._read = read
        self._explain = explain
        self._monotonic = monotonic
        self._value: _T | None = None
        self._why = ""
        self._silent_since: float | None = None
        self._begun: float | None = None

    def read(self) -> None:
        """Read once, however it ends."""
        begun = self._begun = self._monotonic()
        try:
            self._value, self._silent_since = self._read(), None
        except Exception as error:  # noqa: BLE001  # whatever it is, it is shown, and the next reading may do better
            self._why = self._explain(error)
            self._silent_since = begun if self._silent_since is None else self._silent_since
        self._begun = None

    def follow(self, interval: float, on_read: Callable[[], None]) -> None:
        """Read every `interval` seconds, seldomer if it takes long, and tell of it, as long as the process lives."""

        def go_on() -> None:
            while True:
                begun = self._monotonic()
                self.read()
                on_read()
                took = self._monotonic() - begun
                time.sleep(max(interval, _SHARE * took) - took)

        threading.Thread(target=go_on, name="source", daemon=True).start()

    def seen(self) -> Seen[_T]:
        now, begun, silent_since = self._monotonic(), self._begun, self._silent_since
        if silent_since is not None:
            return Seen(silent=now - silent_since, why=self._why)
        if begun is not None and now - begun > _PATIENCE:
            return Seen(silent=now - begun, why="no answer yet")
        return Seen(self._value)
