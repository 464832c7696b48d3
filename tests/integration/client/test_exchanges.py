"""What goes over the wire, and what is made of whatever comes back."""

from __future__ import annotations

import base64
import gzip
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import orjson
import pytest
import redis
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from evaluator.domain.evidence import Standing
from evaluator.leetcode.client import LARGEST_ANSWER, Client
from evaluator.leetcode.refusal import Refusal, RefusalKind
from tests.integration.client.peer import (
    NOW,
    TWENTY,
    Answer,
    LeetCode,
    NotedPacer,
    data_about,
    drips,
    expected,
    is_silent,
    says,
    writes,
)


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
