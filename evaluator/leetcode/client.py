"""The client of LeetCode's GraphQL API: what handles solved, how hard problems are, the catalogue.

Every request takes a slot of the pacer. What the network or LeetCode does wrong is an answer here, never an
exception: a `Refusal`, or a reply whose standing says that one member has none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import RemoteDisconnected
from typing import cast

import requests
import urllib3
from requests.adapters import HTTPAdapter

from evaluator.domain.evidence import Reply, Standing
from evaluator.domain.rules import Difficulty
from evaluator.leetcode import queries
from evaluator.leetcode.answers import replies_in
from evaluator.leetcode.catalogue import Page, difficulties_in, page_in
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

OUTAGE = 5
"""Failures in a row that are an outage."""

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

_TROUBLE = (OSError, urllib3.exceptions.HTTPError)  # what requests raises is an OSError too


def _was_hung_up(error: Exception) -> bool:
    """Whether LeetCode closed a kept connection just before it was used again: on a new one there is an answer."""
    cause = error.args[0] if error.args else None
    return isinstance(cause, urllib3.exceptions.ProtocolError) and any(
        isinstance(one, (RemoteDisconnected, ConnectionResetError, BrokenPipeError)) for one in cause.args
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


class Client:
    """Asks LeetCode, from any number of threads."""

    def __init__(self, url: str, timeout: float, pacer: Pacer, clock: Callable[[], int]) -> None:
        """`timeout` is how many seconds LeetCode may be silent, and how long a whole answer may take to come.

        `clock` gives the time in seconds since the epoch.
        """
        self._timeout = timeout
        self._pacer = pacer
        self._clock = clock
        self._failures = 0
        self._request = requests.Request("POST", url, headers=HEADERS).prepare()
        # An adapter, not a session: it keeps connections for all threads, and that is all that is wanted. It follows
        # no redirect, keeps no cookie, takes no proxy from the environment, and costs a third less.
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=_CONNECTIONS)

    def close(self) -> None:
        self._adapter.close()

    def recent_solves(self, handles: Sequence[str], years: Sequence[int]) -> Answers:
        """What `handles` solved last; the calendars of `years` are to show whether an empty list hides something.

        One request, unless LeetCode refuses it as invalid: then it is asked in parts, each with a slot of its own.
        """
        asked_at = 0

        def ask(part: Sequence[str]) -> dict[str, Reply] | Refusal:
            nonlocal asked_at
            sent_at, document = self._post(queries.recent_solves(part, years))
            asked_at = asked_at or sent_at
            return document if isinstance(document, Refusal) else replies_in(document, part, years)

        asked = ask_in_parts(list(dict.fromkeys(handles)), ask)
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
            asked = ask_in_parts(unique[start : start + MOST_SLUGS], self._ask_difficulties)
            if asked.refusal is not None:
                return asked.refusal
            found |= {slug: difficulty for slug, difficulty in asked.answers.items() if difficulty is not None}
        return found

    def problems(self) -> Iterator[Page | Refusal]:
        """The catalogue, page by page; a refusal is the last that comes."""
        skip = 0
        while True:
            _, document = self._post(queries.problems(skip))
            page = document if isinstance(document, Refusal) else page_in(document)
            yield page
            if isinstance(page, Refusal):
                return
            skip += page.row_count
            if not page.row_count or skip >= page.total:
                return

    def _ask_difficulties(self, slugs: Sequence[str]) -> dict[str, Difficulty | None] | Refusal:
        _, document = self._post(queries.difficulties(slugs))
        return document if isinstance(document, Refusal) else difficulties_in(document, slugs)

    def _post(self, body: bytes) -> tuple[int, Document | Refusal]:
        """Wait for a slot, send, classify what comes back, tell the pacer; with the second of sending, or 0."""
        sent_at = 0
        # The clock may have to ask a database, which must not come between a slot and its request.
        told, told_at = self._clock(), time.monotonic()
        # Requests asks for its pool in this way too; the connections that it made tell a new one from a kept one.
        found = self._adapter.get_connection_with_tls_context(self._request, verify=True)
        pool = cast("urllib3.HTTPConnectionPool", found)
        for final in (False, True):
            made = pool.num_connections
            try:
                with self._pacer.acquire():
                    sent_at = told + int(time.monotonic() - told_at)
                    answer = self._exchange(body)
            except NoSlotError as error:
                return sent_at, classify_error(error)
            except _TROUBLE as error:
                if not final and made == pool.num_connections and _was_hung_up(error):
                    continue
                failure = classify_error(error)
                self._report(failure)
                return sent_at, failure
            break
        document = classify_answer(answer, sent_at)
        self._report(document)
        return sent_at, document

    def _report(self, document: Document | Refusal) -> None:
        """Tell the pacer, for every process, how it went.

        Several failures without one answer in between are an outage: asking on would only use up attempts.
        """
        if not isinstance(document, Refusal):
            self._failures = 0
            self._pacer.accepted()
        elif document.kind is RefusalKind.SLOW_DOWN:
            self._pacer.refused(document.retry_after)
        elif document.kind is RefusalKind.RETRY_LATER:
            # Threads may miss one another's count: then the outage is noticed a request later.
            self._failures += 1
            if self._failures >= OUTAGE:
                self._pacer.refused()

    def _exchange(self, body: bytes) -> HttpAnswer:
        request = self._request.copy()
        request.prepare_body(body, None)
        deadline = time.monotonic() + self._timeout
        with self._adapter.send(request, stream=True, timeout=self._timeout) as response:
            page = bytearray()
            try:
                # Piece by piece, for a bound in size, and one in time even if a byte comes now and then.
                while piece := response.raw.read1(_PIECE, decode_content=True):
                    page += piece
                    if len(page) > LARGEST_ANSWER:
                        raise requests.RequestException(f"it is larger than {LARGEST_ANSWER} bytes")
                    if time.monotonic() > deadline:
                        raise requests.Timeout(f"it did not come whole within {self._timeout:g} s")
            except _TROUBLE:
                # A status that refuses counts, whatever becomes of the page that explains it.
                if 200 <= response.status_code < 300:
                    raise
            return HttpAnswer(response.status_code, response.headers, bytes(page))
