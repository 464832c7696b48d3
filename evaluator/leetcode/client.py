"""The client of LeetCode's GraphQL API: what handles solved, how hard problems are, the catalogue.

Every request takes a slot of the pacer. What the network or LeetCode does wrong is an answer here, never an
exception: a `Refusal`, or a reply whose standing says that one member has none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import RemoteDisconnected
from typing import TypeVar
from urllib.parse import unquote

import certifi
import urllib3
from urllib3.util import make_headers, parse_url

from evaluator.domain.evidence import Reply, Standing
from evaluator.domain.rules import Difficulty
from evaluator.leetcode import queries
from evaluator.leetcode.answers import replies_in
from evaluator.leetcode.breaker import Breaker
from evaluator.leetcode.catalogue import Page, difficulties_in, page_in
from evaluator.leetcode.meter import Meter, Unmeasured
from evaluator.leetcode.pacer import NoSlotError, Pacer
from evaluator.leetcode.parts import ask_in_parts
from evaluator.leetcode.refusal import (
    Document,
    HttpAnswer,
    Refusal,
    RefusalKind,
    classify_answer,
    classify_error,
)

MOST_SLUGS = 50
"""Problems looked up in one request."""

LARGEST_ANSWER = 8 * 2**20
"""Bytes; twenty members with busy calendars take a fiftieth of it."""

HEADERS = {
    "accept": "application/json",
    "accept-encoding": "gzip",
    "content-type": "application/json",
    "origin": "https://leetcode.com",
    "referer": "https://leetcode.com",
    "user-agent": "Mozilla/5.0 (compatible; challenge-evaluator)",
}

_CONNECTIONS = 1000  # kept open at most: one for each thread that asks, and no process has more
_PIECE = 2**16

T = TypeVar("T")

_TROUBLE = (OSError, urllib3.exceptions.HTTPError)


class _SpoiltError(OSError):
    """An answer began, and it is not to be had whole."""


def _was_hung_up(error: Exception) -> bool:
    """Whether LeetCode closed a kept connection just before it was used again: on a new one there is an answer."""
    return isinstance(error, urllib3.exceptions.ProtocolError) and any(
        isinstance(one, (RemoteDisconnected, ConnectionResetError, BrokenPipeError)) for one in error.args
    )


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known of some handles now.

    `replies` is by handle, as it was asked for; `refusal` says why a handle has none. `asked_at`, in seconds since
    the epoch, is when the first request was sent (0: none was): the replies show everything up to it.
    """

    replies: Mapping[str, Reply]
    refusal: Refusal | None
    asked_at: int = 0


def _is_answer(replies: Mapping[str, Reply]) -> bool:
    """Whether LeetCode said something usable about anybody."""
    return any(reply.standing is not Standing.UNAVAILABLE for reply in replies.values())


class Client:
    """Asks LeetCode, from any number of threads."""

    def __init__(
        self, url: str, timeout: float, pacer: Pacer, clock: Callable[[], int], meter: Meter | None = None
    ) -> None:
        """`timeout` is how many seconds LeetCode may be silent, and how long a whole answer may take to come.

        `clock` gives the time in seconds since the epoch.
        """
        self._timeout = timeout
        self._pacer = pacer
        self._clock = clock
        self._meter = meter or Unmeasured()
        self._breaker = Breaker(pacer)
        place = parse_url(url)
        self._target = place.request_uri
        self._headers = HEADERS | (make_headers(basic_auth=unquote(place.auth)) if place.auth else {})
        # It keeps connections for all threads. A manager makes it, for only that knows what to leave out without TLS.
        self._pool = urllib3.PoolManager(
            maxsize=_CONNECTIONS,
            timeout=urllib3.Timeout(connect=timeout, read=timeout),
            retries=urllib3.Retry(total=False),
            ca_certs=certifi.where(),
        ).connection_from_url(url)

    def close(self) -> None:
        self._pool.close()

    def recent_solves(self, handles: Sequence[str], years: Sequence[int]) -> Answers:
        """What `handles` solved last; the calendars of `years` are to show whether an empty list hides something.

        One request, unless LeetCode refuses it as invalid: then it is asked in parts, each with a slot of its own.
        """
        asked_at = 0
        unique = list(dict.fromkeys(handles))

        def ask(part: Sequence[str]) -> dict[str, Reply] | Refusal:
            nonlocal asked_at
            body = queries.recent_solves(part, years)
            sent_at, replies = self._ask(body, lambda document: replies_in(document, part, years), len(part))
            asked_at = asked_at or sent_at
            if not isinstance(replies, Refusal) and _is_answer(replies):
                self._breaker.answered()
            return replies

        asked = ask_in_parts(unique, ask)
        if not _is_answer(asked.answers):
            self._note_unanswered(unique, asked.refusal)
        poisoned = {
            handle: Reply(handle, Standing.UNAVAILABLE, detail=refusal.detail)
            for handle, refusal in asked.poisoned.items()
        }
        return Answers({**asked.answers, **poisoned}, asked.refusal, asked_at)

    def difficulties(self, slugs: Sequence[str]) -> Mapping[str, Difficulty] | Refusal:
        """How hard the problems `slugs` are; one that LeetCode cannot tell is left out."""
        found: dict[str, Difficulty] = {}
        unique = list(dict.fromkeys(slugs))
        for start in range(0, len(unique), MOST_SLUGS):
            part = unique[start : start + MOST_SLUGS]
            asked = ask_in_parts(part, self._ask_difficulties)
            if not asked.answers:
                self._note_unanswered(part, asked.refusal)
            if asked.refusal is not None:
                return asked.refusal
            found |= {slug: difficulty for slug, difficulty in asked.answers.items() if difficulty is not None}
        return found

    def problems(self) -> Iterator[Page | Refusal]:
        """The catalogue, page by page; a refusal is the last that comes."""
        skip = 0
        while True:
            _, page = self._ask(queries.problems(skip), page_in)
            yield page
            if isinstance(page, Refusal):
                return
            self._breaker.answered()
            skip += page.row_count
            if not page.row_count or skip >= page.total:
                return

    def _ask_difficulties(self, slugs: Sequence[str]) -> dict[str, Difficulty | None] | Refusal:
        _, found = self._ask(queries.difficulties(slugs), lambda document: difficulties_in(document, slugs))
        if not isinstance(found, Refusal) and found:
            self._breaker.answered()
        return found

    def _note_unanswered(self, keys: Sequence[str], refusal: Refusal | None) -> None:
        """LeetCode answered a question about `keys`, and nobody's answer was among it; other failures are noted."""
        if keys and (refusal is None or refusal.kind is RefusalKind.BAD_QUERY):
            self._breaker.unanswered(keys)

    def _ask(self, body: bytes, read: Callable[[Document], T | Refusal], members: int = 0) -> tuple[int, T | Refusal]:
        """Ask once, about so many members, read the answer, note where it is a refusal.

        The second of sending, or 0, comes with it.
        """
        sent_at, found = self._post(body, read, members)
        if isinstance(found, Refusal):
            if found.kind is RefusalKind.BAD_QUERY and self._breaker.is_open:
                # To ask about parts of it would be to knock at a door that is shut, several times.
                found = replace(found, kind=RefusalKind.RETRY_LATER)
            self._breaker.refused(found)
        return sent_at, found

    def _post(self, body: bytes, read: Callable[[Document], T | Refusal], members: int) -> tuple[int, T | Refusal]:
        """Wait for a slot, send, classify and read what comes back; with the second of sending, or 0."""
        sent_at = 0
        # The clock may have to ask a database, which must not come between a slot and its request.
        told, told_at = self._clock(), time.monotonic()
        for final in (False, True):
            made = self._pool.num_connections  # tells a new connection from a kept one
            began = time.monotonic()
            try:
                with self._pacer.acquire():
                    now = time.monotonic()
                    sent_at = told + int(now - told_at)
                    self._meter.waited(now - began)
                    with self._meter.request(members):
                        answer = self._exchange(body)
            except NoSlotError as error:
                self._meter.waited(time.monotonic() - began)
                return sent_at, classify_error(error)
            except _TROUBLE as error:
                if not final and made == self._pool.num_connections and _was_hung_up(error):
                    continue
                return sent_at, classify_error(error)
            break
        document = classify_answer(answer, sent_at)
        reply = document if isinstance(document, Refusal) else read(document)
        self._meter.answered(reply.kind if isinstance(reply, Refusal) else None)
        return sent_at, reply

    def _exchange(self, body: bytes) -> HttpAnswer:
        deadline = time.monotonic() + self._timeout
        answer = self._pool.urlopen("POST", self._target, body, self._headers, redirect=False, preload_content=False)
        page = bytearray()
        with closing(answer):
            try:
                # Piece by piece, for a bound in size, and one in time even if a byte comes now and then.
                while piece := answer.read1(_PIECE):
                    page += piece
                    if len(page) > LARGEST_ANSWER:
                        raise _SpoiltError(f"it is larger than {LARGEST_ANSWER} bytes")
                    if time.monotonic() > deadline:
                        raise _SpoiltError(f"it did not come whole within {self._timeout:g} s")
            except _TROUBLE as error:
                # A status that refuses counts, whatever becomes of the page that explains it.
                if 200 <= answer.status < 300:
                    raise _SpoiltError(error) from error
        return HttpAnswer(answer.status, answer.headers, bytes(page))
