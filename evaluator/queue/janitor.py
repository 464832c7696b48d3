"""Messages of lost workers go back to their queues."""

from __future__ import annotations

from dramatiq.common import dq_name

from evaluator.queue.broker import Broker, connect
from evaluator.queue.messages import QUEUES
from evaluator.settings import Settings


def janitor_broker(settings: Settings) -> Broker:
    """A broker each of whose commands also does Dramatiq's maintenance, which otherwise is left to chance."""
    return connect(settings, maintenance_chance=1_000_000)


def tidy(broker: Broker) -> None:
    """Bring back what workers held that have given no sign of life, and drop dead letters past their time.

    Maintenance serves just the queue that a command names, so every queue is named, and every delay queue.
    """
    for queue in QUEUES.values():
        broker.do_qsize(queue)
        broker.do_qsize(dq_name(queue))
