"""How answers and errors are classified: every failure that LeetCode is known for."""

from __future__ import annotations

import ssl
from http.client import RemoteDisconnected

import pytest
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import ProtocolError, ReadTimeoutError, SSLError

from evaluator.leetcode.pacer import NoSlotError
from evaluator.leetcode.refusal import (
    HttpAnswer,
    Refusal,
    RefusalKind,
    classify_answer,
    classify_error,
    message_of,
    plain,
)

NOW = 1_793_000_000  # Mon, 26 Oct 2026 07:33:20 GMT, by `date -u -d @1793000000`

POOL = HTTPConnectionPool("leetcode.com")

CLOUDFLARE = (
    b"<!DOCTYPE html><html lang='en-US'><head><title>Just a moment...</title>"
    b"<style>body{margin:0}</style><script>secret()</script></head><body>Checking your browser</body></html>"
)


def refusal(status: int, body: bytes = b"", **headers: str) -> Refusal:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found = classify_answer(HttpAnswer(status, named, body), NOW)
    assert isinstance(found, Refusal)
    return found


@pytest.mark.parametrize(
    ("status", "body", "kind", "detail"),
    [
        (
            403,
            CLOUDFLARE,
            RefusalKind.SLOW_DOWN,
            "LeetCode refuses requests (HTTP 403: Just a moment... Checking your browser)",
        ),
        (403, b'{"errors": []}', RefusalKind.SLOW_DOWN, 'LeetCode refuses requests (HTTP 403: {"errors": []})'),
        (401, b"", RefusalKind.SLOW_DOWN, "LeetCode refuses requests (HTTP 401: an empty page)"),
        (429, b"Too many", RefusalKind.SLOW_DOWN, "LeetCode refuses requests (HTTP 429: Too many)"),
        (302, b"", RefusalKind.SLOW_DOWN, "LeetCode refuses requests (HTTP 302: an empty page)"),
        (
            400,
            b'{"errors": [{"message": "Variable \\"$u3\\" got invalid value."}]}',
            RefusalKind.BAD_QUERY,
            'LeetCode does not accept the query (HTTP 400: Variable "$u3" got invalid value.)',
        ),
        (413, b"", RefusalKind.BAD_QUERY, "LeetCode does not accept the query (HTTP 413: an empty page)"),
        (422, b"no", RefusalKind.BAD_QUERY, "LeetCode does not accept the query (HTTP 422: no)"),
        (500, b"\xff\xfe oops", RefusalKind.RETRY_LATER, "LeetCode failed to answer (HTTP 500: \ufffd\ufffd oops)"),
        (
            502,
            b"<html><head><title>502 Bad Gateway</title></head><body><h1>502  Bad Gateway</h1>nginx</body></html>",
            RefusalKind.RETRY_LATER,
            "LeetCode failed to answer (HTTP 502: 502 Bad Gateway nginx)",
        ),
        (502, b"<h1>Bad gateway</h1>", RefusalKind.RETRY_LATER, "LeetCode failed to answer (HTTP 502: Bad gateway)"),
        (503, b"", RefusalKind.RETRY_LATER, "LeetCode failed to answer (HTTP 503: an empty page)"),
        (504, b"", RefusalKind.RETRY_LATER, "LeetCode failed to answer (HTTP 504: an empty page)"),
        (520, b"", RefusalKind.RETRY_LATER, "LeetCode failed to answer (HTTP 520: an empty page)"),
        (404, b"nothing", RefusalKind.RETRY_LATER, "LeetCode failed to answer (HTTP 404: nothing)"),
        (
            200,
            b'{"data": {"u0": [{"id": "1", "titl',
            RefusalKind.RETRY_LATER,
            'LeetCode\'s answer cannot be read (HTTP 200, 34 bytes: {"data": {"u0": [{"id": "1", "titl)',
        ),
        (
            200,
            CLOUDFLARE,
            RefusalKind.RETRY_LATER,
            f"LeetCode's answer cannot be read (HTTP 200, {len(CLOUDFLARE)} bytes: "
            "Just a moment... Checking your browser)",
        ),
        (200, b"", RefusalKind.RETRY_LATER, "LeetCode's answer cannot be read (HTTP 200, 0 bytes: an empty page)"),
        (200, b"[1]", RefusalKind.RETRY_LATER, "LeetCode's answer cannot be read (HTTP 200, 3 bytes: [1])"),
    ],
)
def test_an_answer_without_a_document_is_classified(status: int, body: bytes, kind: RefusalKind, detail: str) -> None:
    assert refusal(status, body) == Refusal(kind, detail)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("Mon, 26 Oct 2026 07:34:20 GMT", 60.0),
        ("Mon, 26 Oct 2026 08:34:20 +0100", 60.0),
        ("Mon, 26 Oct 2026 07:34:20", 60.0),
        ("Mon, 26 Oct 2026 07:00:00 GMT", 0.0),
        # Cut to the hour beyond which nobody waits.
        ("86400", 3600.0),
        ("9" * 400, 3600.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0),
        ("soon", None),
        ("-5", None),
        ("Mon, 99 Oct 2026 07:34:20 GMT", None),
        ("", None),
    ],
)
def test_a_retry_after_may_be_seconds_or_a_date(header: str, seconds: float | None) -> None:
    found = refusal(429, Retry_After=header)
    assert (found.kind, found.retry_after) == (RefusalKind.SLOW_DOWN, seconds)


def test_an_error_that_asks_for_a_pause_slows_everybody_down() -> None:
    found = refusal(503, Retry_After="30")
    assert (found.kind, found.retry_after) == (RefusalKind.SLOW_DOWN, 30.0)
    # What is wrong with the query does not get right by waiting.
    assert refusal(400, Retry_After="30").kind is RefusalKind.BAD_QUERY


def test_a_redirect_says_where_to_without_what_may_be_secret() -> None:
    found = refusal(302, Location="https://leetcode.com/accounts/login/?token=abc")
    assert found.detail == "LeetCode refuses requests (HTTP 302: go to https://leetcode.com/accounts/login/)"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ProtocolError("Connection aborted.", RemoteDisconnected("It hung up")), "It hung up"),
        (SSLError(ssl.SSLError(1, "bad\ncertificate")), "bad certificate"),
        (OSError(ReadTimeoutError(POOL, "/?token=abc", "too slow")), f"{POOL}: too slow"),
        (TimeoutError(), "TimeoutError"),
        (OSError(2, "No such file"), "[Errno 2] No such file"),
    ],
)
def test_what_went_wrong_on_the_way_is_said_without_the_wrappings(error: Exception, said: str) -> None:
    assert classify_error(error) == Refusal(RefusalKind.RETRY_LATER, f"LeetCode gave no answer: {said}")


def test_no_slot_is_no_request() -> None:
    assert classify_error(NoSlotError("All of them pause.", 4.5)) == Refusal(
        RefusalKind.NO_SLOT, "All of them pause.", 4.5
    )


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": {"m0": {"username": "\\ud83d"}}}',  # half of an emoji
        b'{"data": {"m0": {"username": "\xff"}}}',  # no UTF-8
    ],
)
def test_one_bad_character_does_not_cost_the_document(body: bytes) -> None:
    document = classify_answer(HttpAnswer(200, {}, body), NOW)
    assert not isinstance(document, Refusal)
    assert document["data"].keys() == {"m0"}


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"data": ' + b"1" * 5000 + b"}", b'{"data": 1e999}'])
def test_a_document_made_to_break_parsers_is_classified(body: bytes) -> None:
    found = classify_answer(HttpAnswer(200, {}, body), NOW)
    assert isinstance(found, dict) or found.kind is RefusalKind.RETRY_LATER


def test_text_from_outside_becomes_one_printable_line_of_bounded_length() -> None:
    assert plain(" two\nlines\x00 \x1b[31mred\u202e\ud83d ") == "two lines [31mred"
    assert plain("x" * 10_000) == "x" * 159 + "…"


@pytest.mark.parametrize("error", [None, {}, {"message": 1}, {"message": " "}, [], 5])
def test_an_error_without_a_message_is_called_that(error: object) -> None:
    assert message_of(error) == "an error without a message"
