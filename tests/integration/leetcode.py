"""A LeetCode to script: the simulator in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests


def second(text: str) -> int:
    """A time with its offset, as seconds since the epoch."""
    return int(datetime.fromisoformat(text).timestamp())


@dataclass
class LeetCode:
    """The simulator, by its door for those who stage it."""

    url: str
    _door: requests.Session = field(default_factory=requests.Session)
    _handles: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._habits = self._control("GET", "habits")

    def user(self, handle: str, *solves: tuple[str, str], **more: object) -> None:
        """A user with these accepted submissions (slug, time) and no others; nothing at all is a user too."""
        self._handles.add(handle)
        submissions = [{"slug": slug, "at": at, "id": f"{second(at)}{n:02}"} for n, (slug, at) in enumerate(solves)]
        self._control("PUT", f"users/{handle}", {"submissions": submissions, **more})

    def goes_wrong(self, kind: str, **fault: object) -> None:
        self._control("POST", "faults", {"kind": kind, **fault})

    def recovers(self) -> None:
        self._control("DELETE", "faults")

    def behaves(self, **habits: object) -> None:
        self._control("PATCH", "habits", habits)

    def requests(self) -> int:
        """How many requests have come since they were counted anew."""
        return int(self.traffic()["requests"])

    def asked(self) -> int:
        """How many users they were about."""
        return int(self.traffic()["users"])

    def arrivals(self) -> list[float]:
        found: list[float] = self._control("GET", "requests?arrivals=1")["arrivals"]
        return found

    def traffic(self) -> Any:
        return self._control("GET", "requests")

    def count_anew(self) -> None:
        self._control("DELETE", "requests")

    def reset(self) -> None:
        for handle in self._handles:
            self._control("DELETE", f"users/{handle}")
        self._handles.clear()
        self.recovers()
        self.behaves(**self._habits)
        self.count_anew()

    def close(self) -> None:
        self._door.close()

    def _control(self, method: str, path: str, body: object = None) -> Any:
        address = self.url.replace("/graphql", f"/control/{path}")
        answer = self._door.request(method, address, json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()


@contextmanager
def simulator() -> Iterator[LeetCode]:
    """`evaluator simulator` in a process of its own."""
    command = [sys.executable, "-m", "evaluator.cli", "simulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            leetcode = LeetCode(process.stdout.readline().split()[-1])
            yield leetcode
            leetcode.close()
        finally:
            process.terminate()
