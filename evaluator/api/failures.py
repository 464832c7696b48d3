"""How a call fails: with one sentence, as JSON below `/api` and as a page in the console; never with a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import psycopg
import redis
import structlog
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException as StarletteHTTPException

from evaluator.api.correlation import HEADER
from evaluator.api.page import render
from evaluator.correlation import current_id
from evaluator.ledger.challenges import UnreadableError
from evaluator.ledger.database import UNREACHABLE
from evaluator.service.unknown import Unknown

_log = structlog.get_logger(__name__)

_FOR_PROGRAMS = ("/api", "/healthz", "/readyz", "/metrics", "/openapi.json")

_T = TypeVar("_T")


class Failure(BaseModel):
    """What every failed call answers."""

    detail: str


FAILURES: dict[int | str, dict[str, Any]] = {
    404: {"model": Failure, "description": "There is no such thing; the sentence names it."},
    422: {"model": Failure, "description": "The call is not understood; the sentence names what is wrong in it."},
    429: {"model": Failure, "description": "Too many calls from this address; `Retry-After` says when to go on."},
    503: {"model": Failure, "description": "A service is away; the sentence names it."},
}


def known(found: _T | Unknown) -> _T:
    """What was found; where there is no such thing, the call fails with 404."""
    if isinstance(found, Unknown):
        raise HTTPException(404, found.message)
    return found


def answer_failures(app: FastAPI) -> None:
    """Give every failure its answer."""
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _misunderstood)
    for error in UNREACHABLE:
        app.add_exception_handler(error, _postgres_away)
    app.add_exception_handler(psycopg.errors.UndefinedTable, _no_schema)
    app.add_exception_handler(psycopg.errors.UndefinedColumn, _no_schema)
    app.add_exception_handler(psycopg.DataError, _unstorable)
    app.add_exception_handler(UnreadableError, _unreadable)
    app.add_exception_handler(redis.RedisError, _redis_away)
    app.add_exception_handler(Exception, _failed)


def _answer(request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    if request.url.path.startswith(_FOR_PROGRAMS):
        return JSONResponse({"detail": detail}, status, headers)
    heading = "Not found" if status == 404 else "That did not work"
    return render(request, "failure.html", status=status, heading=heading, detail=detail)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)  # noqa: S101  # what it is registered for
    detail = error.detail
    if error.status_code == 404 and detail == "Not Found":
        detail = f"There is nothing at {request.url.path}."
    return _answer(request, error.status_code, detail, error.headers)


def _misunderstood(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # what it is registered for
    sent_as = request.headers.get("content-type", "")
    if any(problem["loc"] == ("body",) for problem in error.errors()) and not sent_as.startswith("application/json"):
        return _answer(request, 422, f"The body is sent as {sent_as or 'nothing'}; send Content-Type: application/json")
    wrong = [
        f"{'.'.join(str(part) for part in problem['loc'] if part != 'body') or 'body'}: {problem['msg']}"
        for problem in error.errors()
    ]
    return _answer(request, 422, "; ".join(wrong))


def _postgres_away(request: Request, error: Exception) -> Response:
    _log.warning("PostgreSQL does not answer", path=request.url.path, error=_first_line(error))
    return _answer(request, 503, "PostgreSQL does not answer, so nothing can be said or done; try again in a while.")


def _no_schema(request: Request, error: Exception) -> Response:
    _log.warning("The database's schema does not fit", path=request.url.path, error=_first_line(error))
    return _answer(request, 503, "The database's schema does not fit this version: run `evaluator migrate`.")


def _unstorable(request: Request, error: Exception) -> Response:  # noqa: ARG001  # it repeats what was sent
    return _answer(request, 422, "The call holds characters that no id and no handle can have.")


def _unreadable(request: Request, error: Exception) -> Response:
    _log.error("Challenge cannot be read", path=request.url.path, why=str(error))
    return _answer(request, 500, str(error))


def _redis_away(request: Request, error: Exception) -> Response:
    _log.warning("Redis does not answer", path=request.url.path, error=_first_line(error))
    return _answer(
        request,
        503,
        "Redis does not answer. What was asked for is written down, and workers are woken for it once it does.",
    )


def _failed(request: Request, error: Exception) -> Response:  # noqa: ARG001  # the server logs it
    answer = _answer(request, 500, "The server failed on this call; its log says why.")
    answer.headers[HEADER] = current_id() or ""  # the one answer that is given outside of all middleware
    return answer


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
