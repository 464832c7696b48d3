"""How many calls an address may make, over HTTP, with a clock that goes when it is told to."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from evaluator.api.rate_limit import (
    _MOST_ADDRESSES,
    CALLS_A_SECOND,
    CALLS_AT_ONCE,
    WRONG_TOKENS_A_SECOND,
    WRONG_TOKENS_AT_ONCE,
    Buckets,
    address_of,
)
from evaluator.ledger.database import Database
from tests.integration.served import TOKEN, served

NOW = 1_793_016_000
CALL = "/api/nothing"
ADMIN = "/api/admin/queue/failed"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
WRONG = {"Authorization": "Bearer guess"}


class Clock:
    """Seconds since it was made, which pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(database: Database, redis_url: str, clock: Clock) -> Iterator[httpx.Client]:
    with served(database, redis_url, NOW, monotonic=clock) as client:
        yield client


def test_an_address_has_its_calls_at_once_and_then_so_many_a_second(client: httpx.Client, clock: Clock) -> None:
    assert {client.get(CALL).status_code for _ in range(CALLS_AT_ONCE)} == {404}
    refused = client.get(CALL)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert refused.json() == {"detail": "Too many calls from this address; try again in 1 s."}
    assert client.get("/").status_code == client.get("/static/console.css").status_code == 429
    of_another = {"X-Forwarded-For": "192.0.2.7"}  # from this machine, a proxy's word is believed
    assert client.get(CALL, headers=of_another).status_code == 404
    for path in ("/healthz", "/readyz", "/metrics"):
        assert client.get(path).status_code == 200
    clock.seconds += 1
    assert [client.get(CALL).status_code for _ in range(int(CALLS_A_SECOND) + 1)] == [404] * int(CALLS_A_SECOND) + [429]


def test_guesses_at_the_token_are_few_and_logged_and_meet_no_answer_once_they_were_too_many(
    client: httpx.Client, clock: Clock, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(WRONG_TOKENS_AT_ONCE):
        assert client.get(ADMIN, headers=WRONG).status_code == 401
    for header in (WRONG, BEARER, {}):
        refused = client.get(ADMIN, headers=header)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "6")
        assert refused.json() == {"detail": "Too many wrong tokens from this address; try again in 6 s."}
    assert client.get(CALL).status_code == 404
    written = capfd.readouterr()
    lines = [line for line in (written.out + written.err + caplog.text).splitlines() if "Admin call refused" in line]
    assert [("status=401" in line, "status=429" in line) for line in lines] == [(True, False)] * 10 + [
        (False, True)
    ] * 3
    assert all("127.0.0.1" in line for line in lines)
    clock.seconds += 1 / WRONG_TOKENS_A_SECOND
    assert client.get(ADMIN, headers=BEARER).status_code == 200
    assert [client.get(ADMIN, headers=WRONG).status_code for _ in range(2)] == [401, 429]


def test_calls_without_a_token_are_no_guesses_and_right_ones_are_never_too_many(client: httpx.Client) -> None:
    for _ in range(3 * WRONG_TOKENS_AT_ONCE):
        assert client.get(ADMIN).status_code == 401
        assert client.get(ADMIN, headers=BEARER).status_code == 200


def test_addresses_do_not_share_a_bucket_and_are_forgotten_in_time(clock: Clock) -> None:
    buckets = Buckets(1.0, 2, clock)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]
    assert buckets.wait("b") == buckets.take("b") == 0
    clock.seconds += 0.5
    assert (buckets.wait("a"), buckets.take("b")) == (0.5, 0)
    clock.seconds += 1000  # more than it takes to be full does not make it hold more
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]
    for number in range(_MOST_ADDRESSES):
        buckets.take(f"other {number}")
    assert buckets.wait("a") == 0
    assert len(buckets._full_at) == _MOST_ADDRESSES


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("::ffff:192.0.2.7", 1), "::ffff:192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::"),
        (("2001:db8:1:2::1", 1), "2001:db8:1:2::"),
        (("testclient", 1), ""),
        (("9" * 60_000, 1), ""),
        (None, ""),
    ],
)
def test_who_an_address_is(client: tuple[str, int] | None, address: str) -> None:
    assert address_of({"type": "http", "client": client}) == address
