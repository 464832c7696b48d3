"""Outages of LeetCode: failures in a row, of all threads of a process, for which every process pauses."""

from __future__ import annotations

from collections.abc import Iterable

from evaluator.leetcode.pacer import Pacer
from evaluator.leetcode.refusal import Refusal, RefusalKind

OUTAGE = 5
"""Failures in a row that are an outage: asking on would only use up attempts."""


class Breaker:
    """Is told how it went, by the thread that asked. Threads may miss one another's count: then an outage is noticed
    a request later.
    """

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._failures = 0
        self._unanswered: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        """Whether there is an outage, as far as is known: whoever asks then, asks to see whether it is over."""
        return self._failures >= OUTAGE

    def answered(self) -> None:
        """Somebody that was asked about had an answer."""
        self._failures, self._unanswered = 0, frozenset()
        self._pacer.accepted()

    def refused(self, refusal: Refusal) -> None:
        """A request was refused as a whole."""
        if refusal.kind is RefusalKind.SLOW_DOWN:
            self._pacer.refused(refusal.retry_after)
        elif refusal.kind is RefusalKind.RETRY_LATER:
            self._fail()

    def unanswered(self, keys: Iterable[str]) -> None:
        """A question brought nobody an answer: every part of it was refused as invalid, or answered with errors.

        It is a failure if it was about somebody else than those before it. A handle that LeetCode cannot bear may be
        asked about alone, again and again; that is no outage.
        """
        if self.is_open:
            self._fail()
        elif not self._unanswered.issuperset(keys):
            self._unanswered = self._unanswered.union(keys)
            self._fail()

    def _fail(self) -> None:
        self._failures += 1
        if self.is_open:
            self._pacer.refused()
