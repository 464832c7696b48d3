"""One line when a job begins and one when it ends.

"Job failed" is said of each attempt that failed, as by the queue before this one: with `retry_in` where another one
follows, with `given_up` where these members stay pending (`evaluator queue failed` lists them).
"""

from __future__ import annotations

import time
from threading import local

import structlog
from dramatiq import Broker, MessageProxy
from dramatiq.errors import Retry
from dramatiq.middleware import Middleware

from evaluator.queue.actors import GivenUpError, PutOff

_log = structlog.get_logger(__name__)


class JobLog(Middleware):
    """Logs jobs, and binds the message's id to every line that is logged while it is worked on."""

    def __init__(self) -> None:
        self._began = local()

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        self._began.at = time.monotonic()
        job = message.options["redis_message_id"]
        structlog.contextvars.bind_contextvars(job=job)
        _log.info(f"Processing job {job} of type: {message.actor_name}")

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        log = _log.bind(type=message.actor_name, seconds=round(time.monotonic() - self._began.at, 3))
        match exception:
            case None:
                log.info("Job completed successfully")
            case PutOff():
                log.info("Job put off", why=str(exception), retry_in=_seconds(exception))
            case GivenUpError():
                log.error("Job failed", error=str(exception), given_up=exception.members)
            case Retry():
                log.warning("Job failed", error=str(exception), retry_in=_seconds(exception))
            case _:
                log.warning("Job failed", error=str(exception))
        structlog.contextvars.unbind_contextvars("job")

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:
        structlog.contextvars.unbind_contextvars("job")


def _seconds(retry: Retry) -> float | None:
    return retry.delay / 1000 if retry.delay else None
