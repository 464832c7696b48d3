"""A consumer that loses nothing: what a broken connection or a spoiled message would strand goes on by itself.

Redis counts a fetched message as being worked on until it is acknowledged, for as long as this process lives. Those
that this process does not know of, it takes back: the reply to a fetch was lost, the consumer before this one was
given up with what it had fetched, or had delayed in memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

import redis
import structlog
from dramatiq import Message, MessageProxy
from dramatiq.brokers.redis import _RedisConsumer
from dramatiq.common import current_millis
from dramatiq.errors import ConnectionClosed, DecodeError

if TYPE_CHECKING:
    from evaluator.queue.broker import Broker

LARGEST_MESSAGE = 16 * 1024
"""Bytes; ours take some hundred, and a traceback of a failed try some thousand."""

_LONGEST_WAIT = 1.0  # seconds; an idle worker that is told to stop may take as long

_LOOK_EVERY = 10.0  # seconds between two looks for what was lost

_LOOK_WHETHER_IT_BEGINS = 0.01

_log = structlog.get_logger(__name__)

_T = TypeVar("_T")


class LosslessConsumer(_RedisConsumer):
    """Dramatiq's consumer of one queue, one thread's own; dramatiq makes a new one after every connection error."""

    broker: Broker
    queue_name: str
    prefetch: int
    timeout: int
    message_cache: list[bytes | None]
    queued_message_ids: set[str]

    def __init__(self, broker: Broker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]  # no annotations there
        self._delays = queue_name.endswith(".DQ")
        self._held = broker.held[queue_name]
        _connected(self._acknowledge)  # what the former consumer could not tell
        if self._delays:
            self._held.clear()  # dramatiq dropped them with the former consumer
        # Delayed messages stay for long, and more may come; of others half as many are at work as may be fetched.
        self._fetched_at_once = 1 if self._delays else max(1, prefetch // 2)
        self._has_room = Event()
        self._idle = False
        _connected(self._take_back)

    def __next__(self) -> MessageProxy | None:
        """The next message that was fetched; None, after a while, where there is none."""
        if not self.message_cache:
            if time.monotonic() < self.broker.begins_at:
                time.sleep(_LOOK_WHETHER_IT_BEGINS)
                return None
            if time.monotonic() - self._looked_at > _LOOK_EVERY:
                _connected(self._take_back)
            self._has_room.clear()
            if not self._room():
                if not self._has_room.wait(self.timeout / 1000):
                    _connected(self._acknowledge)
                return None
            self._idle = False
            _connected(self._acknowledge)
            if not _connected(self._fetch):
                self._idle = True
                _connected(self._acknowledge)  # what was done before anybody saw that this consumer is idle
                _connected(self._await_message)
                return None
        data = self.message_cache.pop(0)
        if data is None:
            return None  # acknowledged elsewhere since it was put into the list
        message = read_message(data)
        if message is None:
            _connected(lambda: self._bury(data))
            return None
        if "eta" in message.options:
            # Set by Redis' clock, and looked at by dramatiq with this machine's, which may be wrong.
            message.options["eta"] += current_millis() - _connected(self.broker.now)
        self.queued_message_ids.add(message.message_id)
        self._held.add(message.options["redis_message_id"])
        return MessageProxy(message)

    def ack(self, message: MessageProxy) -> None:
        """Have Redis told that a message is done: with the next fetch, or at once by a consumer that is idle.

        It is called once for each message, also while Redis is away: then whoever tells next tells of this one too.
        """
        self._held.done(message.options["redis_message_id"])
        self._let_go(message)
        # One that is tried again comes back under its id. Were that not free, as when Redis goes away just now and the
        # delay is over first, the keeper would send it.
        if self._idle or self._delays or message._exception is not None:
            self._try_to_acknowledge()

    def nack(self, message: MessageProxy) -> None:
        redis_id = message.options["redis_message_id"]
        try:
            _connected(lambda: self.broker.do_nack(self.queue_name, redis_id))
        except ConnectionClosed as error:
            # Dramatiq would try again and again. If the worker is to stop, others get the message, to no harm.
            if not self.broker.stopping.is_set():
                raise
            _warn(error)
        self._held.discard(redis_id)
        self._let_go(message)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        _connected(lambda: super(LosslessConsumer, self).requeue(messages))  # type: ignore[no-untyped-call]  # as above

    def close(self) -> None:
        """Tell of what is done, and give back what no thread has, were it still on its way from Redis."""
        if self._try_to_acknowledge():
            _connected(self._take_back)

    def _acknowledge(self) -> None:
        """Tell Redis of all messages that are done."""
        self._held.tell(lambda done: self.broker.acknowledge(self.queue_name, done))

    def _try_to_acknowledge(self) -> bool:
        """The same, and whether Redis is there to be told."""
        try:
            _connected(self._acknowledge)
        except ConnectionClosed as error:
            _warn(error)
            return False
        return True

    def _let_go(self, message: MessageProxy) -> None:
        self.queued_message_ids.discard(message.message_id)
        if self._room():
            self._has_room.set()

    def _await_message(self) -> None:
        """Wait until there may be something to fetch: the first of a list moves to where it is, once there is one."""
        waiting = f"{self.broker.namespace}:{self.queue_name}"
        self.broker.client.blmove(waiting, waiting, self._longest_wait(), "LEFT", "LEFT")  # type: ignore[arg-type]  # Redis takes fractions

    def _longest_wait(self) -> float:
        """Seconds. What is delayed in memory waits for its moment: dramatiq looks at it in between."""
        return self.timeout / 1000 if self._delays and self.outstanding_message_count else _LONGEST_WAIT

    def _room(self) -> int:
        """How many messages may be fetched now: none, or enough to be worth a call of Redis."""
        room = self.prefetch - self.outstanding_message_count
        return room if room >= self._fetched_at_once else 0

    def _fetch(self) -> bool:
        self.message_cache = self.broker.do_fetch(self.queue_name, self._room())
        return bool(self.message_cache)

    def _lost(self) -> list[str]:
        """Ids that Redis takes to be with this process, which does not know of them. Only while nothing is cached."""
        key = f"{self.broker.namespace}:__acks__.{self.broker.broker_id}.{self.queue_name}"
        fetched = [one.decode() if isinstance(one, bytes) else one for one in self.broker.client.smembers(key)]
        # One that a thread acknowledges just now is gone from Redis too: taking it back does nothing.
        held = self._held.ids()
        return [one for one in fetched if one not in held]

    def _take_back(self) -> None:
        self._looked_at = time.monotonic()
        lost = self._lost()
        if lost:
            _log.warning("Stranded messages taken back", messages=len(lost), queue=self.queue_name)
            self.broker.do_requeue(self.queue_name, *lost)

    def _bury(self, data: bytes) -> None:
        """Move a message that is not ours to the dead letters, as it is; the others that were fetched go on."""
        key = f"{self.broker.namespace}:{self.queue_name}.msgs"
        lost = self._lost()
        for redis_id, payload in zip(lost, self.broker.client.hmget(key, lost), strict=True):
            if payload == data:
                _log.error("Message is unreadable, and a dead letter now", job=redis_id, queue=self.queue_name)
                self.broker.do_nack(self.queue_name, redis_id)


def read_message(data: bytes) -> Message[Any] | None:
    """A message as ours are: JSON of bounded size that carries ids only. None for anything else."""
    if len(data) > LARGEST_MESSAGE:
        return None
    try:
        message: Message[Any] = Message.decode(data)
    except DecodeError:
        return None
    ids = all(type(one) is int and 0 <= one < 2**63 for one in message.args)
    options = isinstance(message.options, dict) and isinstance(message.options.get("redis_message_id"), str)
    when = options and isinstance(message.options.get("eta", 0), int)
    return message if ids and when and message.kwargs == {} else None


def _warn(error: ConnectionClosed) -> None:
    _log.warning("Job not acknowledged, Redis is away", error=str(error))


def _connected(work: Callable[[], _T]) -> _T:
    """Do something with Redis. Every failure of it is a lost connection to dramatiq, which then starts anew."""
    try:
        return work()
    except redis.RedisError as error:
        raise ConnectionClosed(error) from None
