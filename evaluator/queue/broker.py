"""Dramatiq's Redis broker with differences: a message keeps one id in Redis for life, many are sent in one call, its
consumers lose nothing, and Redis' clock says who is alive.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib.resources import files
from threading import Event, Lock
from typing import Any

import redis
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import dq_name
from dramatiq.middleware import Middleware
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from evaluator.queue.consumer import LosslessConsumer
from evaluator.queue.held import Held
from evaluator.queue.messages import QUEUES
from evaluator.settings import Settings

NAMESPACE = "evaluator"
MAINTENANCE_CHANCE = 25_000
"""Of a million commands so many look for one queue's lost workers too; an idle worker sends four a second."""

_CHUNK = 500  # messages in one call of the script: some ten milliseconds of Redis' time
_HEARTBEAT_TIMEOUT = 15_000  # milliseconds without a sign of a worker until its messages go back to their queues
_DEAD_MESSAGE_TTL = 7 * 86_400_000
_CLOCK_READ_EVERY = 30.0
_CONNECT_WITHIN = 3.0


class Broker(RedisBroker):
    """Its keys are described at the head of Dramatiq's `dispatch.lua`; ids are those of `messages.py`.

    Its worker fetches nothing before `begins_at` on the monotonic clock. Once it is `stopping`, its worker waits no
    longer for a Redis that is away: what it could not say there is noticed by others, as if it had been killed.
    """

    def __init__(
        self, client: redis.Redis, middleware: Sequence[Middleware], maintenance_chance: int = MAINTENANCE_CHANCE
    ) -> None:
        super().__init__(  # type: ignore[no-untyped-call]  # dramatiq carries no annotations
            client=client,
            middleware=list(middleware),
            namespace=NAMESPACE,
            heartbeat_timeout=_HEARTBEAT_TIMEOUT,
            dead_message_ttl=_DEAD_MESSAGE_TTL,
            maintenance_chance=maintenance_chance,
        )
        self._send, self._acknowledge = (
            client.register_script((files(__package__) / name).read_text(encoding="utf-8"))
            for name in ("send.lua", "acknowledge.lua")
        )
        self._clock_lock = Lock()
        self._clock_read_at, self._clock_ahead = float("-inf"), 0.0
        self.held = {name: Held() for queue in QUEUES.values() for name in (queue, dq_name(queue))}
        self.begins_at = float("-inf")
        self.stopping = Event()
        for queue in QUEUES.values():
            self.declare_queue(queue)

    @property
    def consumer_class(self) -> type[LosslessConsumer]:
        return LosslessConsumer

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Send one message, `delay` milliseconds from now. A retry is the same message in Redis, under the same id."""
        queue = message.queue_name
        if delay is not None:
            queue = dq_name(queue)
            message = message.copy(queue_name=queue, options={"eta": self.now() + delay})
        self.emit_before("enqueue", message, delay)
        self._put(queue, [message])
        self.emit_after("enqueue", message, delay)
        return message

    def enqueue_many(self, messages: Sequence[Message[Any]]) -> None:
        """Send messages of one queue; those that are there already stay as they are."""
        for start in range(0, len(messages), _CHUNK):
            chunk = messages[start : start + _CHUNK]
            self._put(chunk[0].queue_name, chunk)

    def enqueue_first(self, message: Message[Any]) -> None:
        """Send a message ahead of all that wait."""
        redis_id, name = message.options["redis_message_id"], f"{self.namespace}:{message.queue_name}"
        with self.client.pipeline(transaction=True) as pipe:
            pipe.hset(f"{name}.msgs", redis_id, message.encode())
            pipe.lpush(name, redis_id)
            pipe.execute()

    def acknowledge(self, queue: str, redis_ids: Sequence[str]) -> None:
        """Messages that this worker fetched are done."""
        keys = [f"{self.namespace}:__acks__.{self.broker_id}.{queue}", f"{self.namespace}:{queue}.msgs"]
        self._acknowledge(keys=keys, args=redis_ids)

    def withdraw(self, message: Message[Any]) -> None:
        """Take a message back, as if it had not been sent; a worker that has fetched it loses nothing but its text."""
        redis_id, name = message.options["redis_message_id"], f"{self.namespace}:{message.queue_name}"
        with self.client.pipeline(transaction=True) as pipe:
            pipe.lrem(name, 1, redis_id)
            pipe.hdel(f"{name}.msgs", redis_id)
            pipe.execute()

    def is_held(self, queue: str) -> bool:
        """Whether somebody who is alive is at work on messages of a queue."""
        since = self.now() - self.heartbeat_timeout
        alive = self.client.zrangebyscore(f"{self.namespace}:__heartbeats__", since, "+inf")
        with self.client.pipeline(transaction=False) as pipe:
            for one in alive:
                name = one.decode() if isinstance(one, bytes) else one
                pipe.exists(f"{self.namespace}:__acks__.{name}.{queue}")
            return any(pipe.execute())

    def missing(self, messages: Sequence[Message[Any]]) -> list[int]:
        """The places of those (all of one queue) that Redis holds neither as waiting, nor delayed, nor in flight."""
        if not messages:
            return []
        queue = messages[0].queue_name
        ids = [message.options["redis_message_id"] for message in messages]
        with self.client.pipeline(transaction=False) as pipe:
            for name in (queue, dq_name(queue)):
                pipe.hmget(f"{self.namespace}:{name}.msgs", ids)
            present, delayed = pipe.execute()
        return [place for place in range(len(messages)) if present[place] is None and delayed[place] is None]

    def now(self) -> int:
        """Redis' clock, in milliseconds since the epoch, carried on by this machine's monotonic clock in between.

        A worker whose own clock is wrong would call others dead, and be called so itself.
        """
        with self._clock_lock:
            if time.monotonic() - self._clock_read_at > _CLOCK_READ_EVERY:
                seconds, micros = self.client.time()
                self._clock_read_at = time.monotonic()
                self._clock_ahead = seconds + micros / 1e6 - self._clock_read_at
            return int((time.monotonic() + self._clock_ahead) * 1000)

    def _dispatch(self, command: str) -> Callable[..., Any]:
        def dispatch(queue_name: str, *arguments: Any) -> Any:
            values = [
                command,
                self.now(),
                queue_name,
                self.broker_id,
                self.heartbeat_timeout,
                self.dead_message_ttl,
                self._should_do_maintenance(command),
                self._max_unpack_size(),  # type: ignore[no-untyped-call]  # as above
                *arguments,
            ]
            return self.scripts["dispatch"](args=values, keys=[self.namespace])

        return dispatch

    def _put(self, queue: str, messages: Sequence[Message[Any]]) -> None:
        arguments: list[Any] = []
        for message in messages:
            arguments += (message.options["redis_message_id"], message.encode())
        name = f"{self.namespace}:{queue}"
        self._send(keys=[name, f"{name}.msgs"], args=arguments)


def connect(
    settings: Settings, middleware: Sequence[Middleware] = (), maintenance_chance: int = MAINTENANCE_CHANCE
) -> Broker:
    """The broker at the Redis of the settings; it connects when it is first used."""
    client = redis_client(settings)
    return Broker(client, middleware, maintenance_chance)


def redis_client(settings: Settings, timeout: float = 5.0, retries: int = 2) -> redis.Redis:
    """A client that waits at most `timeout` seconds for an answer, and tries again `retries` times.

    Each of these tries may be as many to connect: where nothing arrives any more, it gives up after some 25 s.
    """
    return redis.Redis.from_url(
        settings.redis,
        socket_timeout=timeout,
        socket_connect_timeout=min(timeout, _CONNECT_WITHIN),
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), retries),
        retry_on_error=[redis.ConnectionError, redis.TimeoutError],
    )
