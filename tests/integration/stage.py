"""A stage for whole runs: a LeetCode to script, a ledger, a Redis, the evaluator's commands, and a worker by hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import redis
import requests

from evaluator.cli.__main__ import _COMMANDS as COMMANDS
from evaluator.ledger.database import Database
from evaluator.ledger.runs import Turn
from evaluator.leetcode.client import Client
from evaluator.leetcode.pacer import Pacer
from evaluator.service.enqueue import Queued, Request, enqueue
from evaluator.service.evaluate import Done, Evaluator, Result
from evaluator.service.fan_out import fan_out
from evaluator.settings import Settings
from tests.integration.scene import Scene

SETTLE_DELAY = 3600

# Forks a process for each command that it reads: the second that importing everything takes is spent once.
_FORKER = """
import importlib, json, os, signal, sys
from evaluator.cli.__main__ import _COMMANDS, main
for place in _COMMANDS.values():
    importlib.import_module(place.partition(":")[0])
for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if not child:
        signal.alarm(60)
        for number, path in enumerate(order["files"]):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), number)
        os.chdir(order["folder"])
        os.environ.clear()
        os.environ.update(order["environment"])
        sys.argv = order["command"]
        main()
        sys.exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def until(condition: Callable[[], object], within: float = 40.0) -> None:
    """Return as soon as something holds; it is a failure if it does not in time."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"it did not come about within {within:g} s"
        time.sleep(0.02)


def second(text: str) -> int:
    """A time with its offset, as seconds since the epoch."""
    return int(datetime.fromisoformat(text).timestamp())


class Ended(NamedTuple):
    """What became of a command."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self
        return orjson.loads(self.out)


@dataclass(frozen=True)
class Running:
    """A command that runs, and what it has logged."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop, and give its exit code."""
        self.process.send_signal(sign)
        return self.process.wait(60)


class Forker:
    """Runs commands of the evaluator, each in a process of its own, one after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _FORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def run(self, words: Sequence[str], folder: Path, environment: dict[str, str], stdin: str = "") -> Ended:
        names = ("stdin", "stdout", "stderr")
        files = [folder / name for name in names]
        for file, content in zip(files, (stdin, "", ""), strict=True):
            file.write_text(content, encoding="utf-8")
        order = {
            "command": ["evaluator", *words],
            "files": list(map(str, files)),
            "folder": str(folder),
            "environment": environment,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(orjson.dumps(order) + b"\n")
        code = int(self._process.stdout.readline())
        return Ended(code, *(file.read_text(encoding="utf-8") for file in files[1:]))

    def close(self) -> None:
        self._process.communicate()


@dataclass
class LeetCode:
    """The simulator, by its door for those who stage it."""

    url: str
    _door: requests.Session = field(default_factory=requests.Session)
    _handles: set[str] = field(default_factory=set)

    def user(self, handle: str, *solves: tuple[str, str], **more: object) -> None:
        """A user with these accepted submissions (slug, time) and no others; nothing at all is a user too."""
        self._handles.add(handle)
        submissions = [{"slug": slug, "at": at, "id": f"{second(at)}{n:02}"} for n, (slug, at) in enumerate(solves)]
        self._control("PUT", f"users/{handle}", {"submissions": submissions, **more})

    def goes_wrong(self, kind: str, **fault: object) -> None:
        self._control("POST", "faults", {"kind": kind, **fault})

    def recovers(self) -> None:
        self._control("DELETE", "faults")

    def behaves(self, **habits: object) -> None:
        self._control("PATCH", "habits", habits)

    def requests(self) -> int:
        """How many requests have come since they were counted anew."""
        return int(self.traffic()["requests"])

    def asked(self) -> int:
        """How many users they were about."""
        return int(self.traffic()["users"])

    def arrivals(self) -> list[float]:
        found: list[float] = self._control("GET", "requests?arrivals=1")["arrivals"]
        return found

    def traffic(self) -> Any:
        return self._control("GET", "requests")

    def count_anew(self) -> None:
        self._control("DELETE", "requests")

    def reset(self) -> None:
        for handle in self._handles:
            self._control("DELETE", f"users/{handle}")
        self._handles.clear()
        self.recovers()
        self.behaves(now=None, latency=0.0, limit=None, collapse=False)
        self.count_anew()

    def close(self) -> None:
        self._door.close()

    def _control(self, method: str, path: str, body: object = None) -> Any:
        address = self.url.replace("/graphql", f"/control/{path}")
        answer = self._door.request(method, address, json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()


@contextmanager
def simulator() -> Iterator[LeetCode]:
    """`evaluator simulator` in a process of its own."""
    command = [sys.executable, "-m", "evaluator.cli", "simulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            leetcode = LeetCode(process.stdout.readline().split()[-1])
            yield leetcode
            leetcode.close()
        finally:
            process.terminate()


class Hand:
    """A worker without a queue: it takes the messages one by one, in the order in which they were sent."""

    def __init__(self, database: Database, upstream: Client, attempts: int = 3, users_per_request: int = 20) -> None:
        self.database = database
        self.users_per_request = users_per_request
        self.messages: deque[Turn | tuple[int, int]] = deque()
        self.evaluator = Evaluator(database, self, upstream, attempts)

    def send_runs(self, turns: Sequence[Turn]) -> None:
        self.messages.extend(turns)

    def send_batches(self, run_id: int, batches: Sequence[int], *, delay: float = 0.0) -> None:
        del delay
        self.messages.extend((run_id, batch) for batch in batches)

    def take(self) -> Result | None:
        """Work on the next message; a batch that is to be tried again comes last. None: it was about a run."""
        message = self.messages.popleft()
        if isinstance(message, Turn):
            fan_out(self.database, self, message.run_id, self.users_per_request)
            return None
        result = self.evaluator.evaluate(*message)
        if not isinstance(result, Done):
            self.messages.append(message)
        return result

    def work(self) -> None:
        """Take messages until there are none."""
        while self.messages:
            self.take()


@dataclass
class Stage:
    """Everything that a run needs; `now` is the time for what is done by hand."""

    database: Database
    database_url: str
    redis: redis.Redis
    redis_url: str
    leetcode: LeetCode
    folder: Path
    forker: Forker
    upstream: Client
    now: int = 0

    def __post_init__(self) -> None:
        self.scene = Scene(self.database)
        self.hand = Hand(self.database, self.upstream)

    def at(self, moment: str) -> None:
        """It is this time from now on, for LeetCode too."""
        self.now = second(moment)
        self.leetcode.behaves(now=self.now)

    def enqueue(self, challenge: str | None = None, day: date | None = None, *, reevaluate: bool = False) -> Queued:
        request = Request(challenge, day, reevaluate)
        return enqueue(self.database, self.hand, request, self.now, SETTLE_DELAY)

    def settle(self, challenge: str | None = None, day: date | None = None, *, reevaluate: bool = False) -> Queued:
        """Enqueue, and work until nothing is left."""
        queued = self.enqueue(challenge, day, reevaluate=reevaluate)
        self.hand.work()
        return queued

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.database.connection() as connection:
            return connection.execute(statement, values).fetchall()

    def value(self, statement: str, *values: object) -> Any:
        return self.rows(statement, *values)[0][0]

    def verdicts(self, challenge: str) -> dict[tuple[str, int], str]:
        """Outcome and reason by handle and day of the month."""
        found = self.rows(
            "SELECT handle, day, outcome, reason FROM evaluations e JOIN members m ON m.id = e.member_id"
            " WHERE challenge_id = %s ORDER BY m.id, day",
            challenge,
        )
        return {(handle, day.day): f"{outcome}/{reason}" for handle, day, outcome, reason in found}

    def postings(self, challenge: str, handle: str) -> list[tuple[int, int, int]]:
        """Day of the month, entry, amount."""
        found = self.rows(
            "SELECT day, entry, amount FROM postings WHERE member_id = %s ORDER BY day, entry",
            self.scene.member(challenge, handle),
        )
        return [(day.day, entry, amount) for day, entry, amount in found]

    def streak(self, challenge: str, handle: str) -> tuple[int, int]:
        """The current one and the longest."""
        member = self.scene.member(challenge, handle)
        current, longest = self.rows("SELECT current_streak, longest_streak FROM members WHERE id = %s", member)[0]
        return current, longest

    def states(self, challenge: str) -> list[str]:
        """Of the runs, by day."""
        return [
            state for (state,) in self.rows("SELECT state FROM runs WHERE challenge_id = %s ORDER BY day", challenge)
        ]

    def messages(self, queue: str) -> list[str]:
        """Those that wait in Redis, in order, by their ids."""
        found = self.redis.lrange(f"evaluator:{queue}", 0, -1)
        return [name.decode() if isinstance(name, bytes) else name for name in found]

    def completed(self, challenge: str) -> bool:
        return self.value("SELECT completed_at IS NOT NULL FROM challenges WHERE id = %s", challenge) is True

    def environment(self, **settings: str) -> dict[str, str]:
        """That of this process with settings of the stage's in place of any others."""
        ours = {name.upper() for name in Settings.model_fields}
        inherited = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in ours}
        given = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "LEETCODE_URL": self.leetcode.url,
            "LEETCODE_REQUESTS_PER_SECOND": "1000",
            "JOB_BACKOFF": "100ms",
        }
        return {**inherited, **given, **settings}

    def evaluator(self, *words: str, stdin: str = "", **settings: str) -> Ended:
        """Run a command to its end."""
        return self.forker.run(words, self.folder, self.environment(**settings), stdin)

    @contextmanager
    def running(self, *words: str, **settings: str) -> Iterator[Running]:
        """A command that runs while inside, started as a user starts it."""
        log = self.folder / f"{words[0]}-{len(list(self.folder.iterdir()))}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "evaluator.cli", *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self.environment(**settings),
                start_new_session=True,
            )
        try:
            yield Running(process, log)
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                process.wait(30)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def upstream_at(leetcode: LeetCode, client: redis.Redis, clock: Callable[[], int]) -> Client:
    """A client with a pacer that knows what was sent in the last second: nothing."""
    with Pacer(client, 10_000, longest_wait=0).acquire(raise_on_failure=False) as acquired:
        assert not acquired
    client.hincrby("evaluator:pacer", "offset", 2_000_000)
    return Client(leetcode.url, 5, Pacer(client, 10_000, longest_wait=10), clock)


__all__ = [
    "COMMANDS",
    "SETTLE_DELAY",
    "Ended",
    "Forker",
    "LeetCode",
    "Running",
    "Stage",
    "second",
    "simulator",
    "until",
]
