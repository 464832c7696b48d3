"""A stand-in for LeetCode that costs little: its answers are made before the first question.

It understands two questions: the list of one user and whether that user exists, and this project's one about several
users at once, by aliases `u0`, `m0`, `u1`, … It answers after the latency that it is told, and knows when each
question arrived.

    python -m benchmarks.stand_in DAY MEMBERS      prints its address
    POST /graphql                                  a question
    POST /reset?LATENCY                            forget the arrivals; answer after so many seconds from now on
    GET /arrivals                                  {"requests": …, "most_in_a_second": …}
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import cast

import orjson
import uvloop

from benchmarks.population import CHALLENGE, WARM_UP, calendar, handles, recent_solves

_VARIABLES = b'"variables":'


class LeetCode:
    """What is known of the users, and when somebody asked."""

    def __init__(self, day: date, members: int) -> None:
        self._listed = {
            handle: recent_solves(handle, day)
            for challenge in (CHALLENGE, WARM_UP)
            for handle in handles(challenge, members)
        }
        self._calendar = orjson.dumps({"submissionCalendar": calendar(day)})
        self._arrivals: list[int] = []
        self.latency = 0.0

    def answer(self, question: bytes) -> bytes:
        self._arrivals.append(time.monotonic_ns())
        at = question.rfind(_VARIABLES)
        variables = orjson.loads(question[at + len(_VARIABLES) : question.rfind(b"}")])
        if "u0" not in variables:
            handle = variables["username"]
            return b'{"data":{"recentAcSubmissionList":%b,"matchedUser":{"username":"%b"}}}' % (
                self._listed[handle],
                handle.encode(),
            )
        parts = [
            b'"%b":%b,"m%b":{"username":"%b","userCalendar":%b}'
            % (alias.encode(), self._listed[handle], alias[1:].encode(), handle.encode(), self._calendar)
            for alias, handle in variables.items()
        ]
        return b'{"data":{%b}}' % b",".join(parts)

    def reset(self, latency: float) -> None:
        self._arrivals.clear()
        self.latency = latency

    def arrivals(self) -> bytes:
        return orjson.dumps({"requests": len(self._arrivals), "most_in_a_second": most_in_a_second(self._arrivals)})


def most_in_a_second(arrivals: Sequence[int]) -> int:
    """The greatest number of arrivals within one second, whichever one looks at. Times in nanoseconds, ascending."""
    most = first = 0
    for last, at in enumerate(arrivals):
        while at - arrivals[first] >= 1_000_000_000:
            first += 1
        most = max(most, last - first + 1)
    return most


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection: as much of HTTP as the contenders' clients speak."""

    def __init__(self, leetcode: LeetCode, later: Callable[..., object]) -> None:
        self._leetcode = leetcode
        self._later = later
        self._unread = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = self._unread[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._unread) < end + 4 + length:
                return
            body = self._unread[end + 4 : end + 4 + length]
            self._unread = self._unread[end + 4 + length :]
            self._handle(head.split(b" ", 2)[1].decode(), body)

    def _handle(self, path: str, body: bytes) -> None:
        place, _, latency = path.partition("?")
        if place == "/graphql":
            answer = self._leetcode.answer(body)
            if self._leetcode.latency:
                self._later(self._leetcode.latency, self._write, answer)
                return
        elif place == "/reset":
            self._leetcode.reset(float(latency))
            answer = b"{}"
        else:
            answer = self._leetcode.arrivals()
        self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(answer)
            self._transport.write(head + answer)


async def serve(day: date, members: int) -> None:
    """Answer until killed."""
    loop = asyncio.get_running_loop()
    leetcode = LeetCode(day, members)
    server = await loop.create_server(lambda: Connection(leetcode, loop.call_later), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(date.fromisoformat(sys.argv[1]), int(sys.argv[2])))


if __name__ == "__main__":
    main()
