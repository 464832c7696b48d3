"""How many calls an address may make: generous for everybody, and few where a token was wrong."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from math import ceil

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

CALLS_A_SECOND, CALLS_AT_ONCE = 50.0, 300
"""A page of the console is three calls, and a proxy that does not say for whom it asks is one address for everybody."""

WRONG_TOKENS_A_SECOND, WRONG_TOKENS_AT_ONCE = 1 / 6, 10

WATCHED = ("/healthz", "/readyz", "/metrics")
"""What machines ask for every few seconds, for as long as a server runs."""

_MOST_ADDRESSES = 10_000  # remembered at a time; who was not heard of for longest is forgotten first
_ROUNDING = 1e-6


class Buckets:
    """A bucket of tokens for each address: full it holds `at_once`, and `a_second` come back.

    `clock` tells seconds of any epoch that never run backwards. For one thread, such as that of an event loop.
    """

    def __init__(self, a_second: float, at_once: int, clock: Callable[[], float]) -> None:
        self._a_second, self._at_once, self._clock = a_second, at_once, clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until there is a token; 0 where there is one."""
        now = self._clock()
        missing = max(0.0, self._full_at.get(address, now) - now) * self._a_second
        wait = (missing + 1 - self._at_once) / self._a_second
        return wait if wait > _ROUNDING else 0.0

    def take(self, address: str) -> float:
        """Take a token; where there is none, the seconds until there is one."""
        wait = self.wait(address)
        if not wait:
            now = self._clock()
            self._full_at[address] = max(now, self._full_at.get(address, now)) + 1 / self._a_second
            self._full_at.move_to_end(address)
            if len(self._full_at) > _MOST_ADDRESSES:
                self._full_at.popitem(last=False)
        return wait


def refusal(wait: float, what: str) -> tuple[str, dict[str, str]]:
    """The sentence and the header of a call that comes `wait` seconds too early."""
    seconds = ceil(wait)
    return f"Too many {what} from this address; try again in {seconds} s.", {"Retry-After": str(seconds)}


def address_of(scope: Scope) -> str:
    """Who asks. Of IPv6 the network of 64 bits, in which one machine may have any address.

    What is no address, such as a proxy may pass on as it was sent, is one and the same: nobody gets a bucket, or fills
    memory, by making up names.
    """
    host = scope["client"][0] if scope.get("client") else ""
    try:
        address = ip_address(host)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Address(int(address) >> 64 << 64))
    return host


class RateLimit:
    """ASGI middleware: a call beyond what an address may make is answered 429, before anything of it is done.

    What a cluster asks again and again, health and metrics, is not counted.
    """

    def __init__(self, app: ASGIApp, buckets: Buckets) -> None:
        self._app = app
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in WATCHED:
            wait = self._buckets.take(address_of(scope))
            if wait:
                detail, headers = refusal(wait, "calls")
                await JSONResponse({"detail": detail}, 429, headers)(scope, receive, send)
                return
        await self._app(scope, receive, send)
