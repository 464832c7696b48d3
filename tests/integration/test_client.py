"""The client over real sockets, against a server that answers as each test tells it, and a pacer on a real Redis."""

from __future__ import annotations

import base64
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import pytest
import redis
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from evaluator.domain.evidence import Reply, Row, Standing
from evaluator.domain.problem import Problem
from evaluator.domain.rules import Difficulty
from evaluator.leetcode.breaker import OUTAGE
from evaluator.leetcode.client import LARGEST_ANSWER, Client
from evaluator.leetcode.pacer import Pacer
from evaluator.leetcode.parts import HOPELESS
from evaluator.leetcode.refusal import Refusal, RefusalKind

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


@pytest.fixture
def pacer(redis_client: redis.Redis) -> NotedPacer:
    """A pacer that knows what was sent in the last second: nothing."""
    with Pacer(redis_client, 10_000, longest_wait=0).acquire(raise_on_failure=False) as acquired:
        assert not acquired
    redis_client.hincrby("evaluator:pacer", "offset", 2_000_000)
    return NotedPacer(redis_client)


@pytest.fixture
def leetcode() -> Iterator[LeetCode]:
    server = LeetCode()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(leetcode: LeetCode, pacer: NotedPacer) -> Iterator[Client]:
    """Closed before the server, which waits for its connections to end."""
    client = Client(leetcode.url, 5, pacer, lambda: NOW)
    yield client
    client.close()


@pytest.fixture
def hurried(leetcode: LeetCode, pacer: NotedPacer) -> Iterator[Client]:
    """A client that has little patience."""
    client = Client(leetcode.url, 0.2, pacer, lambda: NOW)
    yield client
    client.close()


def test_twenty_members_are_one_request_and_one_slot(client: Client, leetcode: LeetCode, pacer: NotedPacer) -> None:
    answers = client.recent_solves(TWENTY, [2026])
    assert answers.replies == expected(TWENTY)
    assert answers.refusal is None
    assert answers.asked_at == NOW
    assert leetcode.handles() == [TWENTY]
    assert (pacer.slots, pacer.told) == (1, ["accepted"])


def test_a_handle_that_is_asked_for_twice_is_sent_once(client: Client, leetcode: LeetCode) -> None:
    answers = client.recent_solves(["alice", "Alice", "alice"], [2026])
    assert answers.replies == expected(["alice", "Alice"])
    assert leetcode.handles() == [["alice", "Alice"]]


def test_about_nobody_nothing_is_sent(client: Client, pacer: NotedPacer) -> None:
    assert client.recent_solves([], [2026]).replies == {}
    assert client.difficulties([]) == {}
    assert pacer.slots == 0


def test_requests_carry_what_leetcode_wants_and_share_a_connection(client: Client, leetcode: LeetCode) -> None:
    leetcode.script = [says(200, orjson.dumps({"data": data_about(["alice"])}), Set_Cookie="csrftoken=abc; Path=/")]
    for _ in range(3):
        client.recent_solves(["alice"], [2026])
    assert len(set(leetcode.ports)) == 1
    for headers in leetcode.headers:
        assert headers["content-type"] == "application/json"
        assert headers["referer"] == headers["origin"] == "https://leetcode.com"
        assert headers["accept-encoding"] == "gzip"
        assert "python" not in headers["user-agent"].lower()
        assert "cookie" not in headers


def test_proxies_of_the_environment_are_not_used(
    client: Client, leetcode: LeetCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert client.recent_solves(["alice"], [2026]).replies == expected(["alice"])
    assert leetcode.handles() == [["alice"]]


def test_a_password_in_the_address_is_sent_as_one(leetcode: LeetCode, pacer: NotedPacer) -> None:
    client = Client(leetcode.url.replace("//", "//na%20me:p%C3%A4ss@"), 5, pacer, lambda: NOW)
    assert client.recent_solves(["alice"], [2026]).replies == expected(["alice"])
    client.close()
    scheme, _, told = leetcode.headers[0]["authorization"].partition(" ")
    assert (scheme, base64.b64decode(told).decode("latin-1")) == ("Basic", "na me:päss")


def test_a_connection_that_leetcode_has_closed_is_opened_anew(client: Client, leetcode: LeetCode) -> None:
    body = orjson.dumps({"data": data_about(["alice"])})
    leetcode.script = [writes(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)]
    assert client.recent_solves(["alice"], [2026]).replies == expected(["alice"])
    assert client.recent_solves(["alice"], [2026]).replies == expected(["alice"])
    assert len(set(leetcode.ports)) == 2


def test_many_threads_each_get_their_own_answers(client: Client, leetcode: LeetCode) -> None:
    def ask(n: int) -> bool:
        handles = [f"thread{n}-{handle}" for handle in TWENTY]
        return client.recent_solves(handles, [2026]).replies == expected(handles)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(40)))
    assert len(leetcode.asked) == 40


@pytest.mark.parametrize(
    "handle", ['"', "\\", "\x00", "🧑‍💻", "x" * 500, '") { id } m9: matchedUser(username: "bob', "$u0", "\r\n"]
)
def test_a_harmful_handle_arrives_as_it_is_and_harms_nobody(client: Client, leetcode: LeetCode, handle: str) -> None:
    answers = client.recent_solves(["alice", handle, "bob"], [2026])
    assert leetcode.handles() == [["alice", handle, "bob"]]
    assert answers.replies["alice"] == expected(["alice"])["alice"]
    assert answers.replies[handle].standing is Standing.VISIBLE


def test_a_compressed_answer_is_read(client: Client, leetcode: LeetCode) -> None:
    body = gzip.compress(orjson.dumps({"data": data_about(TWENTY)}))
    leetcode.script = [says(200, body, Content_Encoding="gzip")]
    assert client.recent_solves(TWENTY, [2026]).replies == expected(TWENTY)


# What is wrong with all of it


def test_a_silent_server_is_given_up_in_time(hurried: Client, leetcode: LeetCode, pacer: NotedPacer) -> None:
    leetcode.always = is_silent
    began = time.monotonic()
    answers = hurried.recent_solves(TWENTY, [2026])
    assert 0.2 <= time.monotonic() - began < 2
    assert answers.replies == {}
    assert answers.refusal is not None
    assert answers.refusal.kind is RefusalKind.RETRY_LATER
    assert "timed out" in answers.refusal.detail
    assert (len(leetcode.asked), pacer.told) == (1, [])


def test_a_server_that_never_comes_to_an_end_is_given_up_in_time(hurried: Client, leetcode: LeetCode) -> None:
    leetcode.always = drips
    began = time.monotonic()
    answers = hurried.recent_solves(TWENTY, [2026])
    assert time.monotonic() - began < 2
    assert answers.refusal == Refusal(
        RefusalKind.RETRY_LATER, "LeetCode gave no answer: it did not come whole within 0.2 s"
    )


def test_nobody_at_the_address_is_told_with_the_address(pacer: NotedPacer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    client = Client(f"http://name:password@127.0.0.1:{port}/graphql", 5, pacer, lambda: NOW)
    answers = client.recent_solves(TWENTY, [2026])
    client.close()
    assert answers.refusal is not None
    assert answers.refusal.kind is RefusalKind.RETRY_LATER
    assert f"port={port}" in answers.refusal.detail
    assert "refused" in answers.refusal.detail
    assert "password" not in answers.refusal.detail


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = OK + b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x16\x03\x01\x02\x00",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 abc OK\r\n\r\n{}",
        b"HTTP/1.1 99999 OK\r\n\r\n{}",
        OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n{}",
        OK + b"X: y\r\n" * 200 + b"\r\n{}",
        OK + b"no colon\r\n\r\n{}",
        OK + b"\xff\xfe: \xff\r\n\r\n{}",
        OK + b"Content-Length: 5000\r\n\r\n" + b'{"data": {"u0": [{"id": "1",',
        OK + b"Content-Length: 5, 6\r\n\r\n{}",
        OK + b"Content-Length: -5\r\n\r\n{}",
        OK + b"Content-Length: many\r\n\r\n{}",
        OK + b"\r\n" + b'{"data": {"u0": [',
        CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"5\r\n{}",
        CHUNKED + b"-5\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"2\r\n{}\r\n",
        CHUNKED + b"ffffffffffffffffffff\r\n{}",
        CHUNKED + b"2;" + b"x" * 70_000,
        CHUNKED,
        GZIP + b"this is no gzip, no.",
        GZIP + gzip.compress(b"{}" * 1000, mtime=0)[:20],
        OK + b"Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip\r\n\r\n" + gzip.compress(b"{}", mtime=0),
        OK + b"Content-Type: application/json\r\n\r\n[]",
        OK + b"\r\n" + b"[" * 200_000,
    ],
)
def test_nonsense_is_no_answer(client: Client, leetcode: LeetCode, raw: bytes) -> None:
    leetcode.script = [writes(raw)]
    answers = client.recent_solves(TWENTY, [2026])
    assert answers.replies == {}
    assert answers.refusal is not None
    assert answers.refusal.kind is RefusalKind.RETRY_LATER
    assert answers.refusal.detail.isprintable()
    assert len(answers.refusal.detail) < 300
    assert len(leetcode.asked) == 1
    # And the next answer is read as if nothing had been.
    assert client.recent_solves(["alice"], [2026]).replies == expected(["alice"])


@pytest.mark.parametrize("compressed", [False, True])
def test_an_answer_too_large_to_be_one_is_given_up(client: Client, leetcode: LeetCode, compressed: bool) -> None:
    page = b" " * (LARGEST_ANSWER + 1)
    leetcode.script = [says(200, gzip.compress(page), Content_Encoding="gzip") if compressed else says(200, page)]
    answers = client.recent_solves(TWENTY, [2026])
    assert answers.refusal == Refusal(
        RefusalKind.RETRY_LATER, f"LeetCode gave no answer: it is larger than {LARGEST_ANSWER} bytes"
    )


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
def test_a_failing_server_is_asked_again_later(
    client: Client, leetcode: LeetCode, pacer: NotedPacer, status: int
) -> None:
    leetcode.always = says(status, b"<h1>Oops</h1>")
    answers = client.recent_solves(TWENTY, [2026])
    assert answers.refusal == Refusal(RefusalKind.RETRY_LATER, f"LeetCode failed to answer (HTTP {status}: Oops)")
    assert (len(leetcode.asked), pacer.told) == (1, [])
    assert pacer.state().paused_for == 0


@pytest.mark.parametrize(
    ("answer", "retry_after"),
    [
        (says(403, b"<html><title>Just a moment...</title></html>"), None),
        (says(429), None),
        (says(429, Retry_After="100"), 100),
        (says(429, Retry_After=formatdate(NOW + 100, usegmt=True)), 100),
        (says(503, Retry_After="100"), 100),
        (says(302, Location="/graphql"), None),
        (says(302, Location="http://[nonsense"), None),
        (says(308), None),
        # It refuses, though its page is never told to the end.
        (writes(b"HTTP/1.1 429 No\r\nRetry-After: 100\r\nContent-Length: 500\r\n\r\nNo"), 100),
        (writes(b"HTTP/1.1 302 No\r\nContent-Length: 500\r\n\r\nNo"), None),
        (says(403, b" " * (LARGEST_ANSWER + 1)), None),
    ],
)
def test_a_refusal_makes_everybody_pause(
    client: Client, leetcode: LeetCode, pacer: NotedPacer, answer: Answer, retry_after: float | None
) -> None:
    leetcode.script = [answer]
    answers = client.recent_solves(TWENTY, [2026])
    assert answers.refusal is not None
    assert (answers.refusal.kind, answers.refusal.retry_after) == (RefusalKind.SLOW_DOWN, retry_after)
    assert pacer.told == [retry_after]
    assert pacer.state().refusals == 1
    assert pacer.state().paused_for <= (retry_after or 1)
    assert len(leetcode.asked) == 1


def test_without_a_slot_nothing_is_sent(leetcode: LeetCode, pacer: NotedPacer, redis_client: redis.Redis) -> None:
    pacer.refused(100)
    client = Client(leetcode.url, 5, NotedPacer(redis_client, longest_wait=0.1), lambda: NOW)
    answers = client.recent_solves(TWENTY, [2026])
    assert answers.replies == {}
    assert answers.asked_at == 0
    assert answers.refusal is not None
    assert answers.refusal.kind is RefusalKind.NO_SLOT
    assert answers.refusal.retry_after is not None
    assert 99 < answers.refusal.retry_after <= 101
    (page,) = client.problems()
    for refusal in (client.difficulties(["two-sum"]), page):
        assert isinstance(refusal, Refusal)
        assert refusal.kind is RefusalKind.NO_SLOT
    client.close()
    assert leetcode.asked == []


# Answers for nobody, as after a change of the schema, or a ban that looks like one


def batch(number: int) -> list[str]:
    return [f"user{number}-{n}" for n in range(20)]


ERROR = {"message": "Cannot query field"}
FOR_NOBODY = {
    "400": (says(400, b'{"errors": [{"message": "Cannot query field"}]}'), HOPELESS),
    "200 with an error": (says_json({"data": None, "errors": [ERROR]}), HOPELESS),
    "200 with an error for each": (
        says_json(
            {
                "data": {f"{alias}{n}": None for alias in "mu" for n in range(20)},
                "errors": [ERROR | {"path": [f"m{n}"]} for n in range(20)],
            }
        ),
        1,
    ),
}


@pytest.mark.parametrize(("answer", "requests"), FOR_NOBODY.values(), ids=FOR_NOBODY)
def test_five_batches_of_whom_nobody_is_answered_are_an_outage_and_then_one_request_is_a_try(
    client: Client, leetcode: LeetCode, pacer: NotedPacer, answer: Answer, requests: int
) -> None:
    leetcode.always = answer
    for number in range(OUTAGE):
        assert pacer.told == []
        client.recent_solves(batch(number), [2026])
    assert (len(leetcode.asked), pacer.told) == (OUTAGE * requests, [None])
    client.recent_solves(batch(0), [2026])
    assert (len(leetcode.asked), pacer.told) == (OUTAGE * requests + 1, [None, None])
    assert pacer.state().refusals == 2
    leetcode.always = truly
    assert client.recent_solves(batch(1), [2026]).replies == expected(batch(1))
    assert pacer.told == [None, None, "accepted"]
    leetcode.always = answer
    client.recent_solves(batch(2), [2026])
    assert pacer.told == [None, None, "accepted"]


def test_an_empty_answer_for_everybody_is_an_outage(client: Client, leetcode: LeetCode, pacer: NotedPacer) -> None:
    leetcode.always = says_json({"data": None})
    for number in range(OUTAGE):
        client.recent_solves(batch(number), [2026])
    assert (len(leetcode.asked), pacer.told) == (OUTAGE, [None])


@pytest.mark.parametrize("refuse", [says(400), says_json({"data": None, "errors": [ERROR]})])
def test_a_handle_that_leetcode_cannot_bear_is_no_outage_however_often_it_is_asked_about(
    client: Client, leetcode: LeetCode, pacer: NotedPacer, refuse: Answer
) -> None:
    leetcode.always = refuses_those_with(["user7"], refuse)
    for _ in range(2 * OUTAGE):
        client.recent_solves(["user7"], [2026])
    assert set(pacer.told) == set()
    for _ in range(2 * OUTAGE):
        assert client.recent_solves(TWENTY, [2026]).refusal is None
    assert set(pacer.told) == {"accepted"}


@pytest.mark.parametrize(
    "document",
    [
        {"data": {"m0": None, "u0": None}, "errors": [{"message": UNKNOWN, "path": ["m0"]}]},
        {"data": None, "errors": [{"message": UNKNOWN, "path": ["m0"]}]},
        {"data": None, "errors": [{"message": UNKNOWN}]},
        {"errors": [{"message": UNKNOWN, "path": ["matchedUser"]}]},
    ],
)
def test_users_that_do_not_exist_asked_about_one_by_one_are_answers(
    client: Client, leetcode: LeetCode, pacer: NotedPacer, document: object
) -> None:
    leetcode.always = says_json(document)
    for handle in TWENTY:
        assert client.recent_solves([handle], [2026]).replies[handle].standing is Standing.USER_NOT_FOUND
    assert pacer.told == ["accepted"] * len(TWENTY)


# What is wrong with some of it


@pytest.mark.parametrize(
    "refuse",
    [
        says(400, b'{"errors": [{"message": "Variable $u3 is invalid"}]}'),
        says_json({"data": None, "errors": [{"message": "Variable $u3 is invalid"}]}),
        says_json({"errors": [{"message": "Variable $u3 is invalid"}]}),
    ],
)
def test_a_refused_batch_is_halved_until_the_poisoned_member_stands_alone(
    client: Client, leetcode: LeetCode, pacer: NotedPacer, refuse: Answer
) -> None:
    leetcode.always = refuses_those_with(["user7"], refuse)
    answers = client.recent_solves(TWENTY, [2026])
    assert answers.refusal is None
    poisoned = answers.replies["user7"]
    assert poisoned.standing is Standing.UNAVAILABLE
    assert "Variable $u3 is invalid" in poisoned.detail
    assert dict(answers.replies) == {**expected(TWENTY), "user7": poisoned}
    # 20, then two parts of it, of the half, of the quarter, of the eighth: user5 to user9 are 5, 2 and 3, 1 and 2, 1.
    assert [len(handles) for handles in leetcode.handles()] == [20, 10, 10, 5, 5, 2, 3, 1, 2]
    assert pacer.slots == len(leetcode.asked)


def test_a_query_that_leetcode_no_longer_knows_is_given_up(
    client: Client, leetcode: LeetCode, pacer: NotedPacer
) -> None:
    leetcode.always = says(400, b'{"errors": [{"message": "Cannot query field"}]}')
    answers = client.recent_solves(TWENTY, [2026])
    assert answers.replies == {}
    assert answers.refusal == Refusal(
        RefusalKind.BAD_QUERY, "LeetCode does not accept the query (HTTP 400: Cannot query field)"
    )
    assert len(leetcode.asked) == HOPELESS
    assert pacer.state().paused_for == 0


def test_an_outage_while_halving_keeps_the_replies_so_far(client: Client, leetcode: LeetCode) -> None:
    leetcode.script = [says(400), says(400), truly, says(502)]
    answers = client.recent_solves(TWENTY, [2026])
    assert answers.replies == expected(TWENTY[10:])
    assert answers.refusal is not None
    assert answers.refusal.kind is RefusalKind.RETRY_LATER
    assert len(leetcode.asked) == 4


def test_the_time_of_a_request_in_parts_is_that_of_its_first(leetcode: LeetCode, pacer: NotedPacer) -> None:
    ticks = iter(range(NOW, NOW + 100))
    client = Client(leetcode.url, 5, pacer, lambda: next(ticks))
    leetcode.script = [says(400)]
    answers = client.recent_solves(TWENTY, [2026])
    client.close()
    assert len(leetcode.asked) == 3
    assert answers.asked_at == NOW


def test_the_time_of_a_request_is_when_it_was_sent_and_not_when_it_began_to_wait(
    leetcode: LeetCode, pacer: NotedPacer
) -> None:
    client = Client(leetcode.url, 5, pacer, lambda: NOW)
    pacer.refused(1.5)
    answers = client.recent_solves(["alice"], [2026])
    client.close()
    assert answers.asked_at >= NOW + 1


def test_aliases_that_fail_cost_only_their_own_members(client: Client, leetcode: LeetCode, pacer: NotedPacer) -> None:
    data = data_about(TWENTY)
    data["m1"], data["u1"] = None, []
    data["m2"] = data["u2"] = None
    data["u3"] = None
    data["u4"] = []
    data["u5"] = []
    data["m5"]["userCalendar"]["submissionCalendar"] = '{"1792972800": 2}'
    del data["m6"]
    data["u7"] = [None, *rows_of("user7")]
    errors = [
        {"message": UNKNOWN, "path": ["m1"], "extensions": {"handled": True}},
        {"message": "Internal error", "path": ["m2"]},
    ]
    leetcode.script = [says_json({"data": data, "errors": errors})]
    answers = client.recent_solves(TWENTY, [2026])
    assert answers.refusal is None
    assert pacer.told == ["accepted"]
    replies = dict(answers.replies)
    standings = {handle: reply.standing for handle, reply in replies.items() if reply.standing is not Standing.VISIBLE}
    assert standings == {
        "user1": Standing.USER_NOT_FOUND,
        "user2": Standing.UNAVAILABLE,
        "user3": Standing.PROFILE_HIDDEN,
        "user6": Standing.UNAVAILABLE,
    }
    assert replies["user4"].rows == replies["user5"].rows == ()
    assert (len(replies["user4"].active_dates), len(replies["user5"].active_dates)) == (0, 1)
    assert len(replies["user7"].rows) == 2
    assert {h: replies[h] for h in TWENTY[8:]} == expected(TWENTY[8:])


def test_those_whom_one_failing_alias_takes_with_it_are_asked_about_again(client: Client, leetcode: LeetCode) -> None:
    leetcode.script = [says_json({"data": None, "errors": [{"message": UNKNOWN, "path": ["m3", "username"]}]})]
    answers = client.recent_solves(TWENTY, [2026])
    others = [handle for handle in TWENTY if handle != "user3"]
    assert answers.replies["user3"].standing is Standing.USER_NOT_FOUND
    assert {handle: answers.replies[handle] for handle in others} == expected(others)
    assert leetcode.handles() == [TWENTY, others]


def test_an_answer_about_other_users_is_nobodys(client: Client, leetcode: LeetCode) -> None:
    leetcode.script = [says_json({"data": data_about(["bob", "alice", "carol"])})]
    answers = client.recent_solves(["alice", "bob", "carol"], [2026])
    for handle in ("alice", "bob"):
        assert answers.replies[handle].standing is Standing.UNAVAILABLE
        assert answers.replies[handle].rows == ()
    assert answers.replies["carol"] == expected(["carol"])["carol"]


# Problems


def knows(difficulties: dict[str, str]) -> Answer:
    def answer(connection: Connection, body: dict[str, Any]) -> None:
        data = {
            alias: {"difficulty": difficulties[slug]} if slug in difficulties else None
            for alias, slug in body["variables"].items()
        }
        connection.say(200, orjson.dumps({"data": data}), {})

    return answer


def test_difficulties_come_fifty_a_request_without_those_unknown(client: Client, leetcode: LeetCode) -> None:
    slugs = [f"problem{n}" for n in range(120)]
    leetcode.always = knows({slug: "Medium" for slug in slugs if slug != "problem7"})
    found = client.difficulties([*slugs, "problem0"])
    assert found == {slug: Difficulty.MEDIUM for slug in slugs if slug != "problem7"}
    assert [len(asked) for asked in leetcode.handles()] == [50, 50, 20]


def test_a_poisoned_slug_costs_no_other_its_difficulty(client: Client, leetcode: LeetCode) -> None:
    answer = knows({"two-sum": "Easy", "lru-cache": "Medium"})

    def refuse_poison(connection: Connection, body: dict[str, Any]) -> None:
        (says(400) if "poison" in body["variables"].values() else answer)(connection, body)

    leetcode.always = refuse_poison
    found = client.difficulties(["two-sum", "poison", "lru-cache"])
    assert found == {"two-sum": Difficulty.EASY, "lru-cache": Difficulty.MEDIUM}


def test_difficulties_that_are_refused_are_a_refusal(client: Client, leetcode: LeetCode, pacer: NotedPacer) -> None:
    leetcode.always = says(429, Retry_After="100")
    found = client.difficulties(["two-sum"])
    assert isinstance(found, Refusal)
    assert (found.kind, found.retry_after) == (RefusalKind.SLOW_DOWN, 100)
    assert pacer.told == [100]


def catalogue(total: int, at_most: int) -> Answer:
    """A catalogue that gives `at_most` rows a page, whatever is asked for."""

    def answer(connection: Connection, body: dict[str, Any]) -> None:
        skip, limit = body["variables"]["skip"], body["variables"]["limit"]
        questions = [
            {
                "titleSlug": f"problem{n}",
                "questionFrontendId": str(n),
                "title": f"Problem {n}",
                "difficulty": "Hard",
                "isPaidOnly": n == 0,
            }
            for n in range(skip, min(total, skip + limit, skip + at_most))
        ]
        document = {"data": {"problemsetQuestionList": {"total": total, "questions": questions}}}
        connection.say(200, orjson.dumps(document), {})

    return answer


@pytest.mark.parametrize(("total", "at_most", "requests"), [(250, 100, 3), (200, 100, 2), (250, 60, 5), (0, 100, 1)])
def test_the_catalogue_comes_page_by_page_with_its_total(
    client: Client, leetcode: LeetCode, total: int, at_most: int, requests: int
) -> None:
    leetcode.always = catalogue(total, at_most)
    problems: list[Problem] = []
    for page in client.problems():
        assert not isinstance(page, Refusal)
        assert page.total == total
        problems += page.problems
    assert problems == [
        Problem(f"problem{n}", str(n), f"Problem {n}", Difficulty.HARD, paid_only=n == 0) for n in range(total)
    ]
    assert len(leetcode.asked) == requests


def test_a_catalogue_that_ends_before_its_total_ends(client: Client, leetcode: LeetCode) -> None:
    leetcode.script = [says_json({"data": {"problemsetQuestionList": {"total": 9000, "questions": []}}})]
    assert len(list(client.problems())) == 1


def test_a_refusal_ends_the_catalogue(client: Client, leetcode: LeetCode) -> None:
    leetcode.script = [catalogue(250, 100), says(502)]
    first, second = client.problems()
    assert not isinstance(first, Refusal)
    assert isinstance(second, Refusal)
    assert second.kind is RefusalKind.RETRY_LATER


def test_a_kept_connection_that_leetcode_has_closed_costs_no_attempt(client: Client, leetcode: LeetCode) -> None:
    client.recent_solves(["alice"], [2026])
    leetcode.script = [writes(b"")]
    answers = client.recent_solves(["alice"], [2026])
    assert (answers.replies, answers.refusal) == (expected(["alice"]), None)
    assert len(leetcode.asked) == 3


def test_an_answer_that_breaks_off_on_a_kept_connection_is_not_asked_for_at_once_again(
    client: Client, leetcode: LeetCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.recent_solves(["alice"], [2026])

    def breaks_off(*_: object) -> bytes:
        raise ProtocolError("Connection broken", ConnectionResetError(104, "Connection reset by peer"))

    monkeypatch.setattr(HTTPResponse, "read1", breaks_off)
    answers = client.recent_solves(["alice"], [2026])
    assert answers.refusal is not None
    assert answers.refusal.kind is RefusalKind.RETRY_LATER
    assert "reset by peer" in answers.refusal.detail
    assert len(leetcode.asked) == 2
