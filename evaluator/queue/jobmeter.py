"""Counts jobs: how many, how long, and what came of each attempt."""

from __future__ import annotations

import time
from threading import local

from dramatiq import Broker, MessageProxy
from dramatiq.middleware import Middleware

from evaluator.queue.actors import GivenUpError, PutOff
from evaluator.queue.instruments import Instruments
from evaluator.queue.messages import is_job


class JobMeter(Middleware):
    """Stands before the retries among a broker's middleware, so as to hear last: whether an attempt was the last one.

    Where a retry waits for a Redis that is away, its job is in progress until it is sent.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._began = local()

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        if is_job(message):
            self._began.at = time.monotonic()
            self._instruments.job_began(message.actor_name)

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        began, self._began.at = getattr(self._began, "at", None), None
        if began is None:
            return  # a ping; or Dramatiq says it again where a time limit struck a middleware that was told of the end
        result_ = _result(exception, failed=message.failed)
        self._instruments.job_ended(message.actor_name, result_, time.monotonic() - began)


def _result(exception: BaseException | None, *, failed: bool) -> str:
    """As `evaluator_jobs_total` names it; `failed` is a message that becomes a dead letter."""
    match exception:
        case None:
            return "done"
        case PutOff():
            return "put_off"
        case GivenUpError():
            return "given_up"
        case _:
            return "failed" if failed else "retried"
