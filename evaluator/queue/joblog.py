"""One line when a job begins and one when it ends."""

from __future__ import annotations

import time
from threading import local

import structlog
from dramatiq import Broker, MessageProxy
from dramatiq.errors import Retry
from dramatiq.middleware import Middleware

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
        took = round(time.monotonic() - self._began.at, 3)
        if exception is None:
            _log.info("Job completed successfully", type=message.actor_name, seconds=took)
        elif isinstance(exception, Retry):
            _log.info("Job put off", type=message.actor_name, seconds=took, why=str(exception))
        else:
            _log.warning("Job failed", type=message.actor_name, seconds=took, error=str(exception))
        structlog.contextvars.unbind_contextvars("job")

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:
        structlog.contextvars.unbind_contextvars("job")
