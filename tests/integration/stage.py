"""A stage for whole runs: a LeetCode to script, a ledger, a Redis, the evaluator's commands, and a worker by hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import redis

from evaluator.ledger.database import Database
from evaluator.ledger.enqueues import EnqueuedBy
from evaluator.ledger.runs import Batches, Turn
from evaluator.leetcode.client import Client
from evaluator.leetcode.pacer import Pacer
from evaluator.service.enqueue import Queued, Request, enqueue
from evaluator.service.evaluate import Done, Evaluator, Result
from evaluator.service.fan_out import fan_out
from tests.integration.leetcode import LeetCode, second
from tests.integration.program import Forker, Program
from tests.integration.scene import Scene

SETTLE_DELAY = 3600


class Hand:
    """A worker without a queue: it takes the messages one by one, in the order in which they were sent."""

    def __init__(self, database: Database, upstream: Client, attempts: int = 3, users_per_request: int = 20) -> None:
        self.database = database
        self.users_per_request = users_per_request
        self.messages: deque[Turn | tuple[int, int]] = deque()
        self.evaluator = Evaluator(database, self, upstream, attempts)

    def send_runs(self, turns: Sequence[Turn]) -> None:
        self.messages.extend(turns)

    def send_batches(self, batches: Batches, *, delay: float = 0.0) -> None:
        del delay
        self.messages.extend((batches.run_id, number) for number in batches.numbers)

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
        services = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "LEETCODE_URL": self.leetcode.url,
            "LEETCODE_REQUESTS_PER_SECOND": "1000",
            "JOB_BACKOFF": "100ms",
            "METRICS_PORT": "0",  # tests run side by side
        }
        self.evaluator = Program(self.forker, self.folder, services)
        self.scene = Scene(self.database)
        self.hand = Hand(self.database, self.upstream)

    def at(self, moment: str) -> None:
        """It is this time from now on, for LeetCode too."""
        self.now = second(moment)
        self.leetcode.behaves(now=self.now)

    def enqueue(self, challenge: str | None = None, day: date | None = None, *, reevaluate: bool = False) -> Queued:
        request = Request(challenge, day, reevaluate)
        return enqueue(self.database, self.hand, request, self.now, SETTLE_DELAY, EnqueuedBy.COMMAND)

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


def upstream_at(leetcode: LeetCode, client: redis.Redis, clock: Callable[[], int]) -> Client:
    """A client with a pacer that knows what was sent in the last second: nothing."""
    with Pacer(client, 10_000, longest_wait=0).acquire(raise_on_failure=False) as acquired:
        assert not acquired
    client.hincrby("evaluator:pacer", "offset", 2_000_000)
    return Client(leetcode.url, 5, Pacer(client, 10_000, longest_wait=10), clock)
