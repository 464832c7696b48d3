"""The one clock that paces the requests of every process to LeetCode.

At a limit of N a second: never more than N arrivals in any second, whichever one looks at, and 0.976 N sustained. (A
limit that is no integer, 2.5, allows its ceiling, 3, in any 3 / 2.5 seconds.) The first half holds as long as no
request takes 24 ms longer than another from being let go to its arrival; what a caller does between `acquire` and
sending counts.

`pacer.lua` says at its head how it is kept. Two consequences show. A Redis that was emptied, restarted or replaced
says nothing about the last second, so the first slot comes a second after somebody first looked there (`begin`). And
where Redis is away there is no slot at all.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import redis
import structlog
from dramatiq import RateLimitExceeded
from dramatiq.rate_limits import RateLimiter

MARGIN = 0.024
"""Share of a second (of a window) added to it, for requests that do not all take equally long to arrive."""

LONGEST_RETRY_AFTER = 3600.0
"""Seconds; a longer Retry-After is cut to this."""

_LEAD = 0.005  # how early to wake for a slot; below AHEAD in pacer.lua
_LATE = 0.005  # how late a caller may be and still send without asking again
_LOOK = 1.0  # how often a waiting caller asks whether its slot still holds
_WATCH_TOLERANCE = 0.01  # how much further than a process's own watch the shared time may go; less than the margin
_REDIS_AWAY = 5.0  # how long to wait before asking a Redis that is away again

_log = structlog.get_logger(__name__)


class NoSlotError(RateLimitExceeded):
    """There is no slot soon enough, or Redis is away; no request may be sent.

    `wait` is the number of seconds after which it is worth to ask again.
    """

    def __init__(self, message: str, wait: float) -> None:
        super().__init__(message)  # type: ignore[no-untyped-call]  # dramatiq's constructors carry no annotations
        self.wait = wait


@dataclass(frozen=True, slots=True)
class PacerState:
    """What the shared clock stands at. Times are seconds from now.

    `rate` is what may be sent in a second once no pause is left; it is below the limit after a refusal. `refusals`
    counts the pauses since requests last went at the full rate. `sent` requests were let go in the last second.
    """

    paused_for: float
    next_slot: float
    rate: float
    refusals: int
    sent: int


class _Holder(threading.local):
    """What a thread keeps of its last request: the slot it used, and why it got none."""

    ticket: Any = b""
    recovering = False
    denied: NoSlotError | None = None


class Pacer(RateLimiter):
    """A limiter that waits: `with pacer.acquire(): requests.post(...)`, in any number of threads and processes.

    The answer of LeetCode is reported by the thread that sent the request, by `accepted` or `refused`.
    """

    def __init__(
        self, client: redis.Redis, requests_per_second: float, longest_wait: float = 30.0, key: str = "evaluator:pacer"
    ) -> None:
        """`longest_wait` is how many seconds a caller may be held. `client` should have a short `socket_timeout`."""
        if not (math.isfinite(requests_per_second) and requests_per_second > 0):
            raise ValueError(f"requests_per_second is {requests_per_second}; it must be above 0")
        super().__init__(client, key)  # type: ignore[no-untyped-call]  # as above
        self._rate = requests_per_second
        self._longest_wait = longest_wait
        self._script = client.register_script((files(__package__) / "pacer.lua").read_text(encoding="utf-8"))
        count = math.ceil(requests_per_second)
        window = count / requests_per_second * (1 + MARGIN)
        self._limit = (count, _micro(window), _micro(window / count))
        # Successes after which the rate doubles: what two seconds at the lowest rate hold.
        self._stretch = math.ceil(requests_per_second / 4)
        self._holder = _Holder()
        self._watch: tuple[int, float] | None = None

    @contextmanager
    def acquire(self, *, raise_on_failure: bool = True) -> Iterator[bool]:
        """Wait for a slot; send the request inside. Raises NoSlotError, or yields False without `raise_on_failure`."""
        with super().acquire(raise_on_failure=False) as acquired:
            denied, self._holder.denied = self._holder.denied, None
            if raise_on_failure and denied:
                raise denied
            yield acquired

    def begin(self) -> None:
        """Announce requests: the second without any, which a new Redis asks for, goes by before the first one."""
        with suppress(redis.RedisError):  # the first request will say so
            self._run("begin", b"", 0)

    def refused(self, retry_after: float | None = None) -> None:
        """LeetCode refused this thread's request: nobody sends for `retry_after` seconds.

        Without it the pause is 1 s, doubled with each refusal in a row up to 60 s. Then the rate starts at an eighth.
        """
        pause = min(retry_after, LONGEST_RETRY_AFTER) if retry_after and retry_after > 0 else 0.0
        try:
            self._run("refused", self._holder.ticket, _micro(pause))
        except redis.RedisError as error:
            # Nobody sends while Redis is away; if it was a hiccup, the next refusal makes the pause.
            _log.warning("Refusal not shared, Redis is away: nobody pauses for it", error=str(error))

    def accepted(self) -> None:
        """LeetCode answered this thread's request: while the rate is reduced, it counts towards the next doubling."""
        if not self._holder.recovering:
            return
        try:
            self._run("accepted", self._holder.ticket, self._stretch)
        except redis.RedisError as error:
            _log.warning("Answer not shared, Redis is away: the pace rises later", error=str(error))

    def state(self) -> PacerState:
        """What the shared clock stands at; takes no slot. Raises redis.RedisError where Redis is away."""
        pause, next_slot, level, refusals, sent = self._run("state", b"", 0)
        return PacerState(
            paused_for=pause / 1e6,
            next_slot=next_slot / 1e6,
            rate=self._rate / 2**level,
            refusals=refusals,
            sent=sent,
        )

    def _acquire(self) -> bool:
        self._holder.denied = None
        try:
            self._wait_for_slot()
        except NoSlotError as error:
            self._holder.denied = error
        except redis.RedisError as error:
            self._holder.denied = NoSlotError(
                f"No request is sent to LeetCode while Redis, which keeps the pace, gives no slot ({error}). "
                "It is tried again by itself; check that Redis runs and has memory left.",
                _REDIS_AWAY,
            )
        return self._holder.denied is None

    def _release(self) -> None:
        """A slot is a moment, there is nothing to give back."""

    def _wait_for_slot(self) -> None:
        """Ask, sleep, ask again, until the script says to send and this thread has woken in time to do so."""
        deadline = time.monotonic() + self._longest_wait
        late, ticket = _LATE, b""
        while True:
            asked = time.monotonic()
            patience = deadline - asked
            if ticket:
                patience = max(patience, 0.0) + 1.0  # a slot once given may come a little later than said
            verdict, micro, _, ticket, level, pause = self._run("ask", ticket, _micro(max(patience, 0.0)))
            wait = micro / 1e6
            if verdict < 0:
                raise self._no_slot(wait, pause / 1e6)
            if verdict == 0:
                _sleep_until(asked + min(wait - _LEAD, _LOOK))
                continue
            _sleep_until(time.monotonic() + wait)
            self._holder.ticket, self._holder.recovering = ticket, level > 0
            if time.monotonic() - asked - wait <= late:
                return
            # Held up since Redis noted the request as sent: have it noted anew. Each time with more tolerance, or a
            # thread far from Redis would never send.
            late *= 2

    def _no_slot(self, wait: float, pause: float) -> NoSlotError:
        if pause > 0:
            return NoSlotError(f"LeetCode refused requests; all of them pause for another {pause:.1f} s.", wait)
        return NoSlotError(
            f"No request to LeetCode is free within {self._longest_wait:g} s at {self._rate:g} a second; "
            f"the next one is {wait:.1f} s away.",
            wait,
        )

    def _run(self, operation: str, ticket: Any, argument: int) -> Any:
        began = time.monotonic()
        watch = 0
        if self._watch is not None:
            told, at = self._watch
            watch = told + _micro(began - at + _WATCH_TOLERANCE)
        reply = self._script(
            keys=[self.key, f"{self.key}:sent"], args=[operation, ticket, watch, *self._limit, argument]
        )
        if operation == "ask":
            self._watch = (reply[2], began)
        return reply


def _micro(seconds: float) -> int:
    return math.ceil(seconds * 1e6)


def _sleep_until(moment: float) -> None:
    """Sleep in short stretches: what dramatiq throws into a thread (shutdown, time limit) waits for the sleep's end."""
    while (left := moment - time.monotonic()) > 0:
        time.sleep(min(left, 0.5))
