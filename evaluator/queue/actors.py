"""The actors. Two unpack ids and call what the edge gives them, nothing else; the third says that a worker is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import dramatiq
from dramatiq.errors import Retry

from evaluator.queue.broker import Broker
from evaluator.queue.messages import CHALLENGE_EVALUATION, MEMBER_EVALUATION, PING, QUEUES
from evaluator.queue.ping import answer


@dataclass(frozen=True, slots=True)
class Again:
    """A job is to be tried again `after` seconds; `why` is for people. Its attempt `failed`, or could not begin."""

    after: float
    why: str
    failed: bool


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A job is over, and was in vain for some members; `why` is for people."""

    members: int
    why: str


RunHandler = Callable[[int], None]
"""Works on a run, by its id."""

BatchHandler = Callable[[int, int], Again | GivenUp | None]
"""Works on a batch of a run, by the run's id and the batch's number."""


class PutOff(Retry):
    """The job could not begin, and is tried again."""


class GivenUpError(Exception):
    """The job failed for the last time: it is neither tried again nor a dead letter, for the ledger knows of it."""

    def __init__(self, given_up: GivenUp) -> None:
        super().__init__(given_up.why)
        self.members = given_up.members


def declare_actors(broker: Broker, on_run: RunHandler, on_batch: BatchHandler, time_limit: float) -> None:
    """Have a broker's worker answer all kinds of messages, each within `time_limit` seconds."""

    def challenge_evaluation(run_id: int) -> None:
        on_run(run_id)

    def member_evaluation(run_id: int, batch: int) -> None:
        left = on_batch(run_id, batch)
        if isinstance(left, GivenUp):
            raise GivenUpError(left)
        if left is not None:
            raise (Retry if left.failed else PutOff)(left.why, delay=max(1, int(left.after * 1000)))

    limit = int(time_limit * 1000)
    for name, work in ((CHALLENGE_EVALUATION, challenge_evaluation), (MEMBER_EVALUATION, member_evaluation)):
        declare = dramatiq.actor(
            broker=broker, actor_name=name, queue_name=QUEUES[name], time_limit=limit, throws=GivenUpError
        )
        declare(work)

    def ping(number: int) -> None:
        answer(broker, number)

    # Declared for one queue as every actor is, it answers in each: a message says which one it comes through.
    declare = dramatiq.actor(broker=broker, actor_name=PING, queue_name=QUEUES[MEMBER_EVALUATION])
    declare(ping)
