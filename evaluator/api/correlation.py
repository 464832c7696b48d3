"""One id of all that a call does, taken from the caller or made, and told in the answer."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from evaluator import correlation
from evaluator.tracing import trace_id

HEADER = "X-Request-ID"


class Correlation:
    """ASGI middleware: binds the correlation id to the call, and sends it back as `X-Request-ID`.

    It is the caller's `X-Request-ID`, or the trace id of its `traceparent`, where these are well-formed; or else that
    of the trace that the call begins, if calls are traced; or else a new one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        correlation_id = (
            correlation.well_formed(headers.get(HEADER))
            or correlation.of_trace(headers.get("traceparent", ""))
            or trace_id()
            or correlation.new_id()
        )
        # Not taken back at the end: the server logs what was raised after that, and the next call is another task.
        bind_contextvars(**{correlation.KEY: correlation_id})

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = correlation_id
            await send(message)

        await self._app(scope, receive, telling)
