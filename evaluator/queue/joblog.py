"""One line when a job begins and one when it ends.

"Job failed" is said of each attempt that failed, as by the queue before this one: with `retry_in` where another one
follows, with `given_up` where these members stay pending (`evaluator queue failed` lists them).
"""

from __future__ import annotations

import logging
import time
from threading import local

import structlog
from dramatiq import Broker, MessageProxy
from dramatiq.errors import Retry
from dramatiq.middleware import Middleware

from evaluator.queue.actors import GivenUpError, PutOff
from evaluator.queue.messages import is_job

BEGINNINGS_TOLD = 100
"""Batches of a run whose beginning is told at INFO: of ten thousand members there would be five hundred lines that only
precede those of the ends. What is tried again is told of always."""

_log = structlog.get_logger(__name__)


class JobLog(Middleware):
    """Logs jobs. It comes last among the middleware, so that it hears first how a job ended."""

    def __init__(self) -> None:
        self._began = local()

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        if not is_job(message):
            return
        self._began.at = time.monotonic()
        job = message.options["redis_message_id"]
        level = logging.INFO if _is_told(message) else logging.DEBUG
        _log.log(level, f"Processing job {job} of type: {message.actor_name}")

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        if not is_job(message):
            return
        job = {"type": message.actor_name, "seconds": round(time.monotonic() - self._began.at, 3)}
        match exception:
            case None:
                _log.info("Job completed successfully", **job)
            case PutOff():
                _log.info("Job put off", **job, why=str(exception), retry_in=_seconds(exception))
            case GivenUpError():
                _log.error("Job failed", **job, error=str(exception), given_up=exception.members)
            case Retry():
                _log.warning("Job failed", **job, error=str(exception), retry_in=_seconds(exception))
            case _:
                _log.warning("Job failed", **job, error=str(exception))


def _is_told(message: MessageProxy) -> bool:
    return max(message.args[1:], default=0) <= BEGINNINGS_TOLD or message.options.get("retries", 0) > 0


def _seconds(retry: Retry) -> float | None:
    return retry.delay / 1000 if retry.delay else None
