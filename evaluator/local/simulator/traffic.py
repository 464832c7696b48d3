"""When requests arrived, and what they were answered."""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Any

WINDOW = 1.0
"""Seconds of the window in which requests are counted."""


class Traffic:
    """A count of requests since it began, with the moment of each."""

    def __init__(self) -> None:
        self._epoch = time.time() - time.monotonic()
        self._arrivals = array("d")
        self._window = 0  # where the last window begins among the arrivals
        self._users = 0
        self._statuses: Counter[str] = Counter()

    def arrive(self, at: float) -> int:
        """Note a request that arrived `at` on the monotonic clock; gives how many came in the second until then."""
        self._arrivals.append(at)
        while self._arrivals[self._window] <= at - WINDOW:
            self._window += 1
        return len(self._arrivals) - self._window

    def answered(self, outcome: str, users: int) -> None:
        """Note an answer, by its status or by what came instead, and how many users it was about."""
        self._statuses[outcome] += 1
        self._users += users

    def report(self, *, arrivals: bool = False) -> dict[str, Any]:
        """What was counted. `users` are those asked about in answers with data; times are seconds since the epoch."""
        report: dict[str, Any] = {
            "requests": len(self._arrivals),
            "users": self._users,
            "answers": dict(self._statuses),
            "busiest_second": busiest(self._arrivals),
        }
        if arrivals:
            report["arrivals"] = [self._epoch + at for at in self._arrivals]
        return report


def busiest(arrivals: Sequence[float]) -> int:
    """The most arrivals in any window of a second, its end not included; `arrivals` ascend."""
    most = first = 0
    for last, at in enumerate(arrivals):
        while arrivals[first] <= at - WINDOW:
            first += 1
        most = max(most, last - first + 1)
    return most
