"""Retries that lose nothing when Redis is away at the wrong moment, and give up only where that helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import dramatiq
import redis
import structlog
from dramatiq import Message, MessageProxy
from dramatiq.errors import Retry
from dramatiq.middleware import Retries

from evaluator.queue.actors import GivenUpError
from evaluator.queue.broker import Broker

LONGEST_BACKOFF = 15.0
"""Seconds; the delay doubles up to here."""

_AGAIN = 1.0  # seconds between two tries to send a retry while Redis is away

_log = structlog.get_logger(__name__)


class PersistentRetries(Retries):
    """Dramatiq's retries: `attempts` tries in all, the first delay `backoff` seconds, doubled each time.

    Three differences. A retry that can't be sent, since Redis is away, is sent again until it is: otherwise the message
    would be acknowledged afterwards all the same, and lost. What `is_outage` calls an outage of a service that we
    depend on is retried for as long as it lasts. And so is what an actor asks for by `Retry`: it was put off, or the
    ledger, which counts attempts, has one left.
    """

    def __init__(self, attempts: int, backoff: float, is_outage: Callable[[BaseException], bool]) -> None:
        super().__init__(
            min_backoff=max(1, int(backoff * 1000)),
            max_backoff=int(max(LONGEST_BACKOFF, backoff) * 1000),
            retry_when=lambda retries, error: isinstance(error, Retry) or is_outage(error) or retries + 1 < attempts,
        )

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: MessageProxy,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        if exception is None or isinstance(exception, GivenUpError):
            return
        super().after_process_message(_Persistent(cast("Broker", broker)), message, result=result, exception=exception)  # type: ignore[no-untyped-call]  # dramatiq carries no annotations


class _Persistent:
    """A broker whose `enqueue` does not return until the message is sent, or its worker is to stop."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def enqueue(self, message: Message[Any], *, delay: int) -> None:
        message.options.pop("traceback", None)  # the log has it; messages carry ids only
        while True:
            try:
                self._broker.enqueue(message, delay=delay)
            except redis.RedisError as error:
                if self._broker.stopping.is_set():
                    _log.warning("Retry left to others, Redis is away", error=str(error))
                    return
                _log.warning("Retry waits to be sent, Redis is away", error=str(error))
                self._broker.stopping.wait(_AGAIN)
            else:
                return

    def __getattr__(self, name: str) -> Any:  # whatever else the middleware asks of a broker
        return getattr(self._broker, name)
