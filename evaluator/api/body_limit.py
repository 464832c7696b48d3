"""No call needs a body of more than a few lines; a longer one is refused before it is read."""

from __future__ import annotations

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_BODY = 64 * 1024
"""Bytes."""

_TOO_LONG = f"The body is longer than {LONGEST_BODY} bytes; no call needs that much."


class BodyLimit:
    """ASGI middleware: a body that says it is too long, or turns out to be, is answered 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = dict(scope["headers"]).get(b"content-length", b"0")
        if said.isdigit() and int(said) > LONGEST_BODY:
            await JSONResponse({"detail": _TOO_LONG}, 413)(scope, receive, send)
            return
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LONGEST_BODY:
                raise HTTPException(413, _TOO_LONG)
            return message

        await self._app(scope, limited, send)
