"""Services that are spans of a trace when they are used: for processes that trace, in place of the plain ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from evaluator.domain.rules import Difficulty
from evaluator.ledger.database import Connection, Database
from evaluator.leetcode.client import Answers, Client
from evaluator.leetcode.pacer import Pacer
from evaluator.leetcode.refusal import Refusal
from evaluator.tracing import span


class TracedDatabase(Database):
    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with span("transaction", **{"db.system.name": "postgresql"}), super().transaction() as connection:
            yield connection


class TracedPacer(Pacer):
    @contextmanager
    def acquire(self, *, raise_on_failure: bool = True) -> Iterator[bool]:
        """What waits for a slot is one span, what is done in it, the request, another."""
        with ExitStack() as slot:
            with span("wait for a slot"):
                acquired = slot.enter_context(super().acquire(raise_on_failure=raise_on_failure))
            with span("LeetCode request"):
                yield acquired


class TracedClient(Client):
    def recent_solves(self, handles: Sequence[str], years: Sequence[int]) -> Answers:
        with span("recent solves", **{"evaluator.members": len(handles)}):
            return super().recent_solves(handles, years)

    def difficulties(self, slugs: Sequence[str]) -> Mapping[str, Difficulty] | Refusal:
        with span("difficulties", **{"evaluator.problems": len(slugs)}):
            return super().difficulties(slugs)
