"""How a use case wakes a worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from evaluator.ledger.runs import Batches, Turn


class Outbox(Protocol):
    """Sends messages that carry ids only. A message that is lost, doubled or late changes no verdict.

    Everything is sent after the transaction that makes it true is committed.
    """

    def send_runs(self, turns: Sequence[Turn]) -> None:
        """One challenge message a run."""

    def send_batches(self, batches: Batches, *, delay: float = 0.0) -> None:
        """One member message a batch, `delay` seconds from now."""


class TrackedOutbox(Outbox, Protocol):
    """An outbox that knows which of its messages still wait or are being worked on."""

    def missing_runs(self, turns: Sequence[Turn]) -> list[Turn]:
        """Those whose message is gone."""

    def missing_batches(self, batches: Batches) -> list[int]:
        """The numbers of those whose message is gone."""
