"""Messages of lost workers go back to their queues."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import structlog
from dramatiq.common import dq_name

from evaluator.queue.broker import Broker, connect
from evaluator.queue.messages import QUEUES
from evaluator.settings import Settings

JANITOR = "janitor-"
"""How a janitor signs with Redis: each command of a broker is a sign of life of its own, though it is no worker."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tidied:
    """How many messages lost workers held, and how many dead letters were past their time."""

    messages_returned: int = 0
    dead_letters_dropped: int = 0

    @property
    def anything(self) -> bool:
        return any(asdict(self).values())


def janitor_broker(settings: Settings) -> Broker:
    """A broker each of whose commands also does Dramatiq's maintenance, which otherwise is left to chance."""
    broker = connect(settings, maintenance_chance=1_000_000)
    broker.broker_id = f"{JANITOR}{broker.broker_id}"
    return broker


def tidy(broker: Broker) -> Tidied:
    """Bring back what workers held that have given no sign of life, and drop dead letters past their time.

    Maintenance serves just the queue that a command names, so every queue is named, and every delay queue. It does not
    tell what it did, so that is looked at before.
    """
    done = _untidy(broker)
    for queue in QUEUES.values():
        broker.do_qsize(queue)
        broker.do_qsize(dq_name(queue))
    if done.anything:
        _log.info("Tidied", **asdict(done))
    return done


def drop_dead_letters(broker: Broker) -> int:
    """Drop all dead letters, which otherwise stay for a week; how many there were. Their work is sent again anyway."""
    names = [f"{broker.namespace}:{queue}.XQ" for queue in QUEUES.values()]
    with broker.client.pipeline(transaction=True) as pipe:
        for name in names:
            pipe.zcard(name)
        pipe.unlink(*names, *(f"{name}.msgs" for name in names))
        counts = pipe.execute()[: len(names)]
    dropped = int(sum(counts))
    if dropped:
        _log.info("Dead letters dropped", messages=dropped)
    return dropped


def _untidy(broker: Broker) -> Tidied:
    """What there is for maintenance to do."""
    client, now = broker.client, broker.now()
    lost = client.zrangebyscore(f"{broker.namespace}:__heartbeats__", 0, now - broker.heartbeat_timeout)
    acks = [f"{broker.namespace}:__acks__.{one.decode() if isinstance(one, bytes) else one}" for one in lost]
    with client.pipeline(transaction=False) as pipe:
        for queue in QUEUES.values():
            pipe.zcount(f"{broker.namespace}:{queue}.XQ", 0, now - broker.dead_message_ttl)
        for worker in acks:
            for queue in QUEUES.values():
                pipe.scard(f"{worker}.{queue}")
                pipe.scard(f"{worker}.{dq_name(queue)}")
        counts = pipe.execute()
    return Tidied(messages_returned=sum(counts[len(QUEUES) :]), dead_letters_dropped=sum(counts[: len(QUEUES)]))
