"""Sending messages, and asking which of them Redis still holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from evaluator import correlation, tracing
from evaluator.queue.broker import Broker
from evaluator.queue.messages import TRACEPARENT, Origin, challenge_message, member_message


class _Turn(Protocol):
    """A run, the number of the pass over it, and the correlation id of that."""

    @property
    def run_id(self) -> int: ...
    @property
    def number(self) -> int: ...
    @property
    def correlation_id(self) -> str | None: ...


class _Batches(Protocol):
    """Batches of a run, and its correlation id."""

    @property
    def run_id(self) -> int: ...
    @property
    def numbers(self) -> Sequence[int]: ...
    @property
    def correlation_id(self) -> str | None: ...


_T = TypeVar("_T", bound=_Turn)


class MessageOutbox:
    """Sends through a broker. Every method raises redis.RedisError where Redis is away."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def send_runs(self, turns: Sequence[_Turn]) -> None:
        self._broker.enqueue_many(
            [challenge_message(turn.run_id, turn.number, _origin(turn.correlation_id)) for turn in turns]
        )

    def send_batches(self, batches: _Batches, *, delay: float = 0.0) -> None:
        origin = _origin(batches.correlation_id)
        messages = [member_message(batches.run_id, number, origin) for number in batches.numbers]
        if delay <= 0:
            self._broker.enqueue_many(messages)
            return
        for message in messages:
            self._broker.enqueue(message, delay=int(delay * 1000))

    def missing_runs(self, turns: Sequence[_T]) -> list[_T]:
        missing = self._broker.missing([challenge_message(turn.run_id, turn.number) for turn in turns])
        return [turns[index] for index in missing]

    def missing_batches(self, batches: _Batches) -> list[int]:
        missing = self._broker.missing([member_message(batches.run_id, number) for number in batches.numbers])
        return [batches.numbers[index] for index in missing]


def _origin(correlation_id: str | None) -> Origin:
    if correlation_id is None:
        return {}
    tracer = tracing.tracer()
    # What is done here for others, such as to wake the next day's run, is no part of this trace.
    traceparent = tracer.traceparent() if tracer and correlation_id == correlation.current_id() else None
    origin = {correlation.KEY: correlation_id}
    return origin if traceparent is None else {**origin, TRACEPARENT: traceparent}
