"""How a request to LeetCode fails as a whole.

no answer
├── the pacer gave no slot: nothing was sent ............... NO_SLOT
└── a time-out, no connection, an answer cut off ........... RETRY_LATER
an answer
├── 400, 413, 422: the query is not accepted ............... BAD_QUERY
├── 3xx, 401, 403, 429, an error with a Retry-After ........ SLOW_DOWN
├── other than 2xx ......................................... RETRY_LATER
└── 2xx
    ├── no JSON object: cut off, or a page for people ...... RETRY_LATER
    ├── no data and no errors .............................. RETRY_LATER
    ├── no data, and errors that name no alias ............. BAD_QUERY
    └── else an answer about each alias: see `answers`
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import orjson

from evaluator.leetcode.pacer import LONGEST_RETRY_AFTER, NoSlotError

_TITLE = re.compile(r"(?is)<title\b[^>]*>(.*?)</title>")
_NO_WORDS = re.compile(r"(?is)<(script|style)\b.*?</\1>|<[^>]*>")

Document = dict[str, Any]
"""What a GraphQL server says: `{data, errors}`."""


class RefusalKind(StrEnum):
    """What is to be done: ask again later, ask less often, ask otherwise, or nothing: nobody was asked."""

    RETRY_LATER = "retry_later"
    SLOW_DOWN = "slow_down"
    BAD_QUERY = "bad_query"
    NO_SLOT = "no_slot"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request has no answer.

    `detail` is a sentence for people. `retry_after` is how many seconds to wait before asking again, where
    LeetCode or the pacer said so.
    """

    kind: RefusalKind
    detail: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def classify_error(error: Exception) -> Refusal:
    """What it means that a request ended in `error` instead of an answer."""
    if isinstance(error, NoSlotError):
        return Refusal(RefusalKind.NO_SLOT, str(error), error.wait)
    # urllib3 wraps what happened; the innermost exception says it most plainly.
    cause = error
    while isinstance(inner := cause.args[-1] if cause.args else None, Exception):
        cause = inner
    return Refusal(RefusalKind.RETRY_LATER, f"LeetCode gave no answer: {plain(str(cause)) or type(cause).__name__}")


def classify_answer(answer: HttpAnswer, now: int) -> Document | Refusal:
    """The document that an answer holds, or why it holds none. `now` is in seconds since the epoch."""
    status = answer.status
    said = f"HTTP {status}: {_gist(answer)}" if not 200 <= status < 300 else ""
    if status in (400, 413, 422):
        return Refusal(RefusalKind.BAD_QUERY, f"LeetCode does not accept the query ({said})")
    if said:
        retry_after = _seconds(answer.headers.get("Retry-After", ""), now)
        if status in (401, 403, 429) or status < 400 or retry_after is not None:
            return Refusal(RefusalKind.SLOW_DOWN, f"LeetCode refuses requests ({said})", retry_after)
        return Refusal(RefusalKind.RETRY_LATER, f"LeetCode failed to answer ({said})")
    document = _load(answer.body)
    if isinstance(document, dict):
        return document
    return Refusal(
        RefusalKind.RETRY_LATER,
        f"LeetCode's answer cannot be read (HTTP {status}, {len(answer.body)} bytes: {_gist(answer)})",
    )


def plain(text: str, longest: int = 160) -> str:
    """`text` from outside, fit for one line of a log, a table or a message."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text[: 8 * longest])
    words = " ".join(printable.split())
    return words if len(words) <= longest else words[: longest - 1] + "…"


def message_of(error: object) -> str:
    """What one entry of a document's `errors` says."""
    message = error.get("message") if isinstance(error, dict) else error
    return plain(message) if isinstance(message, str) and message.strip() else "an error without a message"


def _gist(answer: HttpAnswer) -> str:
    """Where it redirects to, its first error, or the first words of its page."""
    if location := answer.headers.get("Location"):
        return f"go to {plain(location.partition('?')[0])}"
    document = _load(answer.body)
    if isinstance(document, dict) and isinstance(errors := document.get("errors"), list) and errors:
        return message_of(errors[0])
    page = answer.body[:4000].decode("utf-8", "replace")
    title = _TITLE.search(page)
    if title and _text(title[1]) in _text(body := _TITLE.sub(" ", page)):
        page = body  # most pages begin with their title once more
    return plain(_text(page)) or "an empty page"


def _text(page: str) -> str:
    """The words of a page."""
    return " ".join(_NO_WORDS.sub(" ", page).split())


def _load(body: bytes) -> object:
    """The JSON in `body`, or None."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        # More lenient: half a surrogate pair, or a byte that is no UTF-8, in one row must not cost all the others.
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _seconds(retry_after: str, now: int) -> float | None:
    """What a Retry-After header, seconds or an HTTP date, asks for; None where it says nothing."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        # More digits than these only say "very long".
        return min(float(text[:12]), LONGEST_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(text)
        wait = date.replace(tzinfo=date.tzinfo or UTC).timestamp() - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, 0.0), LONGEST_RETRY_AFTER)
