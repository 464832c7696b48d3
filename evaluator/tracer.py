"""OpenTelemetry's SDK, set up by its environment variables. Imported where traces are asked for, and there only."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from evaluator.correlation import current_id

LAST_SPANS_WITHIN = 5.0
"""Seconds that a process takes at its end to send them."""

_HANDED_ON = context.create_key("evaluator-handed-on")
_TRACE_ID = re.compile("[0-9a-f]{32}")

_propagator = TraceContextTextMapPropagator()


class _Ids(RandomIdGenerator):
    """A trace has the correlation id of what begins it, where that can be one.

    Whoever has the one then has the other. And a message that is sent again, which has lost the trace that it was in,
    comes into it once more by its correlation id, which the ledger keeps.
    """

    def generate_trace_id(self) -> int:
        digits = (current_id() or "").replace("-", "").lower()
        found = int(digits, 16) if _TRACE_ID.fullmatch(digits) else 0
        return found or super().generate_trace_id()

    def is_trace_id_random(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Work:
    """A message that this thread works on, as a span."""

    span: Span
    _token: Any

    def end(self, error: str | None) -> None:
        if error is not None:
            self.span.set_status(Status(StatusCode.ERROR, error))
        self.span.end()
        context.detach(self._token)


class Tracer:
    """Makes spans, and sends them from a thread of its own."""

    def __init__(self) -> None:
        resource = Resource.create()
        if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: "evaluator"}))
        self._provider = TracerProvider(resource=resource, id_generator=_Ids(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("evaluator", version("evaluator"))
        trace.set_tracer_provider(self._provider)  # FastAPI looks for it, and makes spans of calls by itself

    def stop(self) -> None:
        """Send what has not been sent, but do not wait for long: there may be nobody who listens."""
        thread = threading.Thread(target=self._provider.shutdown, daemon=True)
        thread.start()
        thread.join(LAST_SPANS_WITHIN)

    def span(self, name: str, attributes: Mapping[str, Any]) -> AbstractContextManager[Span]:
        return self._tracer.start_as_current_span(name, attributes=attributes)

    def begin(self, name: str, traceparent: str | None, attributes: Mapping[str, Any], *, leaf: bool) -> Work:
        """Begin to work on a message that came with this `traceparent`.

        Messages that are sent meanwhile follow from this one, or from what this one follows from if it is a `leaf`.
        """
        parent = Context() if traceparent is None else _propagator.extract({"traceparent": traceparent}, Context())
        span = self._tracer.start_span(name, parent, SpanKind.CONSUMER, attributes)
        within = trace.set_span_in_context(span, parent)
        if leaf and traceparent is not None:
            within = context.set_value(_HANDED_ON, traceparent, within)
        return Work(span, context.attach(within))

    def traceparent(self) -> str | None:
        """What a message that is sent now carries of the trace."""
        handed_on = context.get_value(_HANDED_ON)
        if isinstance(handed_on, str):
            return handed_on
        carrier: dict[str, str] = {}
        _propagator.inject(carrier)
        return carrier.get("traceparent")

    def trace_id(self) -> str | None:
        """The trace that this thread, or task, is in."""
        found = trace.get_current_span().get_span_context()
        return trace.format_trace_id(found.trace_id) if found.is_valid else None
