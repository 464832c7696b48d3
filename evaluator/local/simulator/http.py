"""As much of HTTP/1.1 as a local server needs: keep-alive, bodies of a known length, and breaking off on purpose."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import responses
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

LARGEST_BODY = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Request:
    """`arrived_at` is a reading of the monotonic clock, taken when the request was there as a whole."""

    method: str
    path: str
    query: str
    body: bytes
    arrived_at: float


@dataclass(frozen=True, slots=True)
class Reply:
    """`cut_at` is how many bytes of the body are sent before the connection is closed; None sends it all."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_at: int | None = None


Handler = Callable[[Request], Awaitable[Reply]]


def json_reply(value: Any, status: int = 200) -> Reply:
    return Reply(status, orjson.dumps(value), {"Content-Type": "application/json"})


def html_reply(status: int, title: str, text: str, headers: Mapping[str, str] | None = None) -> Reply:
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>"
    return Reply(status, page.encode(), {"Content-Type": "text/html; charset=UTF-8", **(headers or {})})


def read_json(body: bytes) -> Any:
    """What a body says. Raises ValueError."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body.decode("utf-8", "surrogatepass"))  # half a surrogate pair is JSON, if not to orjson


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
    """Answer the requests of one connection until either side closes it."""
    with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        keep = True
        while keep:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            length = headers.get("content-length", "0")
            if "transfer-encoding" in headers or not length.isdecimal() or int(length) > LARGEST_BODY:
                reply, keep = html_reply(413, "Too large", "Send a body of a known length, up to 16 MiB."), False
            else:
                body = await reader.readexactly(int(length))
                method, target, *_ = [*head[0].split(" "), "", ""]
                url = urlsplit(target)
                reply = await handler(Request(method, unquote(url.path), url.query, body, time.monotonic()))
                keep = headers.get("connection", "").lower() != "close" and reply.cut_at is None
            writer.write(_bytes(reply, keep=keep))
            await writer.drain()


def _bytes(reply: Reply, *, keep: bool) -> bytes:
    if reply.cut_at == 0:
        return b""
    lines = [
        f"HTTP/1.1 {reply.status} {responses.get(reply.status, 'Unknown')}",
        *(f"{name}: {value}" for name, value in reply.headers.items()),
        f"Content-Length: {len(reply.body)}",
        f"Connection: {'keep-alive' if keep else 'close'}",
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + reply.body[: reply.cut_at]
