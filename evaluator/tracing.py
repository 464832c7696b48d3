"""Traces, where OpenTelemetry's environment variables ask for them; otherwise nothing is imported, and nothing done.

`docs/logs.md` says which variables, and which spans there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import structlog
from structlog.typing import EventDict

if TYPE_CHECKING:
    from evaluator.tracer import Tracer

_log = structlog.get_logger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")

_NOT_TRACED: AbstractContextManager[None] = nullcontext()


class _Process:
    """What this process traces with."""

    tracer: Tracer | None = None


def asked_for(environ: Mapping[str, str]) -> bool:
    """Whether the environment names an exporter of traces, or where to send them, and does not forbid it."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip()
    return exporter != "none" and bool(exporter or _first(environ, _ENDPOINTS))


def start_tracing(environ: Mapping[str, str]) -> None:
    """Trace from here on, if that is asked for and can be done; after the fork, for the exporter is a thread."""
    if not asked_for(environ) or _Process.tracer is not None:
        return
    why_not = _why_not(environ)
    if why_not is None:
        try:
            from evaluator.tracer import Tracer
        except ImportError as error:
            why_not = f"{error.name} is not installed: install evaluator with its extra `tracing`"
        else:
            _Process.tracer = Tracer()
    if why_not is not None:
        _log.warning("Tracing is off", why=why_not)


def stop_tracing() -> None:
    """Send what has not been sent yet: the process is to end."""
    if _Process.tracer is not None:
        _Process.tracer.stop()


def tracer() -> Tracer | None:
    """What to trace with; None where nothing is traced."""
    return _Process.tracer


def span(name: str, **attributes: Any) -> AbstractContextManager[object]:
    """What is done inside is a span of that name."""
    return _NOT_TRACED if _Process.tracer is None else _Process.tracer.span(name, attributes)


def trace_id() -> str | None:
    """The id of the trace that this thread, or task, is in."""
    return None if _Process.tracer is None else _Process.tracer.trace_id()


def add_trace_id(_: object, __: str, event: EventDict) -> EventDict:
    """Have a line of the log say which trace it belongs to."""
    found = trace_id()
    if found is not None:
        event["trace_id"] = found
    return event


def _why_not(environ: Mapping[str, str]) -> str | None:
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip()
    if exporter not in {"", "otlp"}:
        return f"OTEL_TRACES_EXPORTER={exporter} is not known here: use otlp, or none"
    protocol = _first(environ, _PROTOCOLS)
    if protocol not in {"", "http/protobuf"}:
        return f"OTLP over {protocol} is not spoken here: use http/protobuf, which collectors expect on port 4318"
    return None


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    """What the environment says first; an empty value says nothing."""
    return next((value for name in names if (value := environ.get(name, "").strip())), "")
