"""Sending messages, and asking which of them Redis still holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from evaluator.queue.broker import Broker
from evaluator.queue.messages import challenge_message, member_message


class _Turn(Protocol):
    """A run, and the number of the pass over it."""

    @property
    def run_id(self) -> int: ...
    @property
    def number(self) -> int: ...


_T = TypeVar("_T", bound=_Turn)


class MessageOutbox:
    """Sends through a broker. Every method raises redis.RedisError where Redis is away."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def send_runs(self, turns: Sequence[_Turn]) -> None:
        self._broker.enqueue_many([challenge_message(turn.run_id, turn.number) for turn in turns])

    def send_batches(self, run_id: int, batches: Sequence[int], *, delay: float = 0.0) -> None:
        messages = [member_message(run_id, batch) for batch in batches]
        if delay <= 0:
            self._broker.enqueue_many(messages)
            return
        for message in messages:
            self._broker.enqueue(message, delay=int(delay * 1000))

    def missing_runs(self, turns: Sequence[_T]) -> list[_T]:
        missing = self._broker.missing([challenge_message(turn.run_id, turn.number) for turn in turns])
        return [turns[index] for index in missing]

    def missing_batches(self, run_id: int, batches: Sequence[int]) -> list[int]:
        missing = self._broker.missing([member_message(run_id, batch) for batch in batches])
        return [batches[index] for index in missing]
