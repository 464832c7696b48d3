"""Logs: constant events with their data in fields; one format for our lines, those of libraries, and every traceback.

What is told, and at which level, is in `docs/logs.md`.
"""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor

_LIBRARY_LEVELS = {
    "apscheduler": logging.WARNING,
    "psycopg.pool": logging.ERROR,
    "dramatiq": logging.WARNING,
    "opentelemetry.exporter": logging.ERROR,
}
"""Below these levels the libraries' lines only repeat what our own events say, or they themselves."""

_JSON = "json"  # the name of a handler that writes it

_log = structlog.get_logger(__name__)


def configure_logs(log_format: Literal["console", "json"], level: str, *more: Processor) -> None:
    """Log to standard error from here on, by this process: warnings, and exceptions that nobody caught, too.

    `more` add to what each line says.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *more,
    ]
    structlog.configure(
        # First of all whether the line is wanted: most that nobody wants are of jobs, one or more each.
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.name = log_format
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(log_format)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name, floor in _LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(max(floor, logging.getLevelName(level)))
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    sys.unraisablehook = _log_unraisable


def writes_json() -> bool:
    """Whether this process logs JSON. Then all that it has to say on standard error is a line of the log."""
    return any(handler.name == _JSON for handler in logging.getLogger().handlers)


def _rendering(log_format: str) -> list[Processor]:
    if log_format == _JSON:
        return [structlog.processors.format_exc_info, _event_first, structlog.processors.JSONRenderer()]
    # Plain tracebacks: the others print the values of local variables, and these may be secrets.
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]


def _event_first(_: object, __: str, event: EventDict) -> EventDict:
    first = {key: event[key] for key in ("timestamp", "level", "event") if key in event}
    return {**first, **event}


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    _log.critical("Uncaught exception", exc_info=(kind, error, traceback))


def _log_uncaught_in_thread(of: threading.ExceptHookArgs) -> None:
    if of.exc_value is None or issubclass(of.exc_type, SystemExit):
        return
    thread = of.thread.name if of.thread else None
    _log.critical("Uncaught exception", thread=thread, exc_info=(of.exc_type, of.exc_value, of.exc_traceback))


def _log_unraisable(of: sys.UnraisableHookArgs) -> None:
    """Of an exception that has nowhere to go, such as one of a destructor."""
    _log.error(
        "Exception ignored", where=of.err_msg, exc_info=(of.exc_type, of.exc_value or of.exc_type(), of.exc_traceback)
    )
