"""A server that answers as each test tells it, over real sockets; and a pacer that notes what it is asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import redis

from evaluator.domain.evidence import Reply, Row, Standing
from evaluator.leetcode.pacer import Pacer

NOW = 1_793_016_000
TWENTY = [f"user{n}" for n in range(20)]
UNKNOWN = "That user does not exist."

Answer = Callable[["Connection", dict[str, Any]], None]


class Connection(BaseHTTPRequestHandler):
    """One connection, kept alive. What it answers, and what was asked, is the server's."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LeetCode

    def do_POST(self) -> None:
        body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
        leetcode = self.server
        leetcode.asked.append(body)
        leetcode.headers.append({name.lower(): value for name, value in self.headers.items()})
        leetcode.ports.append(self.client_address[1])
        (leetcode.script.pop(0) if leetcode.script else leetcode.always)(self, body)

    def say(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name http.server passes
        """Silent."""


class LeetCode(ThreadingHTTPServer):
    """Answers each request by the next line of `script`, and by `always` when there is none left."""

    block_on_close = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.script: list[Answer] = []
        self.always: Answer = truly
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.ports: list[int] = []
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/graphql"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what some tests are about."""

    def handles(self) -> list[list[str]]:
        return [list(body["variables"].values()) for body in self.asked]


def rows_of(handle: str) -> list[dict[str, str]]:
    return [{"id": f"1-{handle}", "titleSlug": "two-sum", "timestamp": str(NOW - 60)}]


def data_about(handles: Sequence[str]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for index, handle in enumerate(handles):
        data[f"u{index}"] = rows_of(handle)
        data[f"m{index}"] = {"username": handle.upper(), "userCalendar": {"submissionCalendar": "{}"}}
    return data


def expected(handles: Sequence[str]) -> dict[str, Reply]:
    return {h: Reply(h, Standing.VISIBLE, (Row(f"1-{h}", "two-sum", NOW - 60),)) for h in handles}


def truly(connection: Connection, body: dict[str, Any]) -> None:
    connection.say(200, orjson.dumps({"data": data_about(list(body["variables"].values()))}), {})


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda connection, _: connection.say(status, body, named)


def says_json(document: object) -> Answer:
    return says(200, orjson.dumps(document))


def writes(raw: bytes) -> Answer:
    """Bytes as they are, then the end of the connection."""

    def answer(connection: Connection, _: dict[str, Any]) -> None:
        connection.wfile.write(raw)
        connection.close_connection = True

    return answer


def refuses_those_with(poisoned: Sequence[str], refuse: Answer) -> Answer:
    def answer(connection: Connection, body: dict[str, Any]) -> None:
        hit = set(poisoned).intersection(body["variables"].values())
        (refuse if hit else truly)(connection, body)

    return answer


def is_silent(connection: Connection, _: dict[str, Any]) -> None:
    connection.server.over.wait(30)
    connection.close_connection = True


def drips(connection: Connection, _: dict[str, Any]) -> None:
    connection.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not connection.server.over.wait(0.02):
        connection.wfile.write(b" ")
    connection.close_connection = True


class NotedPacer(Pacer):
    """A pacer that also notes what it was asked and told."""

    def __init__(self, client: redis.Redis, longest_wait: float = 10) -> None:
        super().__init__(client, 10_000, longest_wait)
        self.slots = 0
        self.told: list[str | float | None] = []

    def _acquire(self) -> bool:
        self.slots += 1
        return super()._acquire()

    def accepted(self) -> None:
        self.told.append("accepted")
        super().accepted()

    def refused(self, retry_after: float | None = None) -> None:
        self.told.append(retry_after)
        super().refused(retry_after)
