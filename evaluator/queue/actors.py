"""The two actors. They unpack ids and call what the edge gives them; nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import dramatiq
from dramatiq import Broker
from dramatiq.errors import Retry

from evaluator.queue.messages import CHALLENGE_EVALUATION, MEMBER_EVALUATION, QUEUES

TIME_LIMIT = 240.0
"""Seconds that one job may take: a batch that is bisected down to one member waits for several slots."""


@dataclass(frozen=True, slots=True)
class Again:
    """A job is to be tried again `after` seconds; `why` is for people."""

    after: float
    why: str


RunHandler = Callable[[int], None]
"""Works on a run, by its id."""

BatchHandler = Callable[[int, int], Again | None]
"""Works on a batch of a run, by the run's id and the batch's number."""


def declare_actors(broker: Broker, on_run: RunHandler, on_batch: BatchHandler) -> None:
    """Have a broker's worker answer challenge messages and member messages."""

    def challenge_evaluation(run_id: int) -> None:
        on_run(run_id)

    def member_evaluation(run_id: int, batch: int) -> None:
        again = on_batch(run_id, batch)
        if again is not None:
            raise Retry(again.why, delay=max(1, int(again.after * 1000)))

    limit = int(TIME_LIMIT * 1000)
    for name, work in ((CHALLENGE_EVALUATION, challenge_evaluation), (MEMBER_EVALUATION, member_evaluation)):
        declare = dramatiq.actor(broker=broker, actor_name=name, queue_name=QUEUES[name], time_limit=limit)
        declare(work)
