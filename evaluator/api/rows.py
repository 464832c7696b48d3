"""Lists of any length as JSON: a short one in one piece, a long one as it is read from Postgres."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import closing
from itertools import islice
from threading import BoundedSemaphore

import anyio
import orjson
from fastapi import HTTPException, Response
from fastapi.concurrency import iterate_in_threadpool, run_in_threadpool
from fastapi.responses import StreamingResponse

from evaluator.api.failures import known
from evaluator.ledger.database import Connection, Database
from evaluator.ledger.reports import bound_pauses
from evaluator.service.unknown import Unknown

_ROWS_A_CHUNK = 1_000
_LONGEST_PAUSE = 60  # seconds for which the reader of a long list may stop reading

_long_lists = BoundedSemaphore(2)  # each holds a connection until its reader is through

Rows = Callable[[Connection], Generator[object] | Unknown]


def answer_rows(database: Database, rows: Rows) -> Response:
    """The answer with what `rows` reads. Its first rows are read before it begins, so that it can still fail."""
    body = _json_array(database, rows)
    begun = list(islice(body, 2))
    if len(begun) == 1:
        return Response(begun[0], media_type="application/json")
    if not _long_lists.acquire(blocking=False):
        body.close()
        raise HTTPException(
            503, "Other long lists are being read; try again in a while, or ask for one day.", {"Retry-After": "10"}
        )
    return StreamingResponse(_long_list(begun, body), media_type="application/json")


def _json_array(database: Database, rows: Rows) -> Generator[bytes]:
    """A JSON array in pieces. The last piece comes when the connection is free again."""
    begin = b"["
    with database.transaction() as connection:
        bound_pauses(connection, _LONGEST_PAUSE)
        with closing(known(rows(connection))) as listed:
            chunk = list(islice(listed, _ROWS_A_CHUNK))
            while following := list(islice(listed, _ROWS_A_CHUNK)):
                yield begin + _items(chunk)
                begin, chunk = b",", following
    yield begin + _items(chunk) + b"]"


def _items(chunk: Sequence[object]) -> bytes:
    return orjson.dumps(chunk)[1:-1]


async def _long_list(begun: Sequence[bytes], rest: Generator[bytes]) -> AsyncIterator[bytes]:
    try:
        for piece in begun:
            yield piece
        async for piece in iterate_in_threadpool(rest):
            yield piece
    finally:
        # Also where the reader has gone away: the connection must not wait for the garbage collector.
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(rest.close)
        _long_lists.release()
