"""Everything that a run needs, of its own, so that it may be broken; and what must hold however it was broken."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import uuid4

import orjson
import psycopg
import redis
from dramatiq.common import dq_name

from evaluator.domain.rules import Difficulty, Rules
from evaluator.ledger.database import UNREACHABLE, Database
from evaluator.leetcode.pacer import Pacer
from evaluator.queue.broker import connect
from evaluator.queue.janitor import janitor_broker, tidy
from evaluator.queue.messages import QUEUES
from evaluator.queue.outbox import MessageOutbox
from evaluator.service.reconcile import Reconciled, reconcile
from evaluator.settings import Settings
from tests.faults.nursery import Command, Nursery
from tests.faults.services import Service
from tests.integration.leetcode import LeetCode
from tests.integration.program import until
from tests.integration.scene import Scene

FIRST = date(2026, 3, 1)
DAYS = 4
LIMIT = 20
"""Requests a second at LeetCode."""

LATE = 0.2
"""Seconds by which a loaded machine may have a request arrive later than another; `test_pacer.py` measures closer."""

PENALTY, CAP = 500, 1200
RULES = Rules(
    min_solves=1,
    difficulties=frozenset({Difficulty.MEDIUM, Difficulty.HARD}),
    freezes_per_month=1,
    penalty=PENALTY,
    cap=CAP,
)
"""Freezes and the cap make the order of days matter; difficulties make LeetCode be asked about problems too."""

_EASY = ("two-sum", "valid-parentheses")
_PROBLEMS = ("add-two-numbers", "lru-cache", "two-sum", "median-of-two-sorted-arrays", "3sum", "valid-parentheses")


def handles(prefix: str, count: int) -> list[str]:
    return [f"{prefix}-{number:03}" for number in range(count)]


def solved(handle: str, day: int) -> str | None:
    """What a user solves on a day of the challenges, the first being 0: a pattern of each user's own."""
    number = int(handle.rpartition("-")[2])
    return _PROBLEMS[(number + day) % len(_PROBLEMS)] if (number * 7 + day * 3) % 5 < 3 else None


def people(leetcode: LeetCode, prefix: str, count: int) -> None:
    """Users who solve what `solved` says, whenever they are asked for."""
    for number, handle in enumerate(handles(prefix, count)):
        times = [(solved(handle, day), f"{FIRST + timedelta(day)}T10:{number % 60:02}Z") for day in range(DAYS)]
        leetcode.user(handle, *[(slug, at) for slug, at in times if slug])


class Fate(NamedTuple):
    """What a member must end with."""

    outcomes: tuple[str, ...]
    postings: tuple[tuple[int, int], ...]
    """The day and the amount; each is the first and only entry of its day."""
    streak: tuple[int, int]


def fate(handle: str, days: int) -> Fate:
    """By RULES above, reckoned here without any code of ours."""
    outcomes: list[str] = []
    postings: list[tuple[int, int]] = []
    current = longest = 0
    for day in range(days):
        slug = solved(handle, day)
        if slug and slug not in _EASY:
            outcomes.append("passed")
            current += 1
            longest = max(longest, current)
        elif "frozen" not in outcomes:
            outcomes.append("frozen")
        else:
            outcomes.append("failed")
            current = 0
            amount = min(PENALTY, CAP - sum(amount for _, amount in postings))
            postings += [(day, amount)] if amount else []
    return Fate(tuple(outcomes), tuple(postings), (current, longest))


@contextmanager
def created(server: Service, template: str = "migrated") -> Iterator[str]:
    """A copy of a database, by its URL; `migrated` has the schema and no rows."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    url = urlsplit(server.url)
    yield f"{url.scheme}://{url.netloc}/{name}?{url.query}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass
class Arena:
    postgres: Service
    redis: Service
    leetcode: LeetCode
    nursery: Nursery
    database: Database
    fates: dict[tuple[str, str], Fate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scene = Scene(self.database)
        self.client = redis.Redis.from_url(self.redis.url, socket_timeout=5, decode_responses=True)
        settings = Settings(redis_url=self.redis.url)
        self._broker = connect(settings)
        self._janitor = janitor_broker(settings)
        self.outbox = MessageOutbox(self._broker)

    def close(self) -> None:
        for client in (self.client, self._broker.client, self._janitor.client):
            client.close()

    def challenge(self, name: str, members: Sequence[str], days: int = 2) -> None:
        """A challenge whose days are over long since."""
        ends = FIRST + timedelta(days - 1)
        self.scene.challenge(name, members, starts=FIRST, ends=ends, timezone="Etc/UTC", rules=RULES)
        self.fates |= {(name, handle): fate(handle, days) for handle in members}

    # Commands

    def environment(self, **settings: str) -> dict[str, str]:
        given = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": self.database.url,
            "REDIS_URL": self.redis.url,
            "LEETCODE_URL": self.leetcode.url,
            "LEETCODE_REQUESTS_PER_SECOND": str(LIMIT),
            "LEETCODE_USERS_PER_REQUEST": "8",
            "WORKER_CONCURRENCY": "4",
            "JOB_BACKOFF": "200ms",
            "METRICS_PORT": "0",  # tests run side by side
        }
        return given | settings

    def start(self, *words: str, doom: str | None = None, **settings: str) -> Command:
        """A command in the background; CLOCK_AHEAD among its settings are seconds."""
        return self.nursery.start(words, self.environment(**settings), doom)

    def worker(self, doom: str | None = None, **settings: str) -> Command:
        return self.start("worker", doom=doom, **settings)

    def server(self, doom: str | None = None, **settings: str) -> Command:
        """A server, with its keeper, at a port of its own."""
        return self.start("server", "--host", "127.0.0.1", "--port", "0", doom=doom, **settings)

    def run(self, *words: str, **settings: str) -> Any:
        """A command to its end, which must be a good one; what it printed, read if it is JSON."""
        command = self.nursery.start(words, self.environment(**settings))
        assert command.wait() == 0, command.said()
        return orjson.loads(command.out()) if "--json" in words else command.out()

    # A keeper by hand, whose seconds are short

    def lost_workers_are_missed(self) -> None:
        """The seconds pass after which a worker without a sign of life is a lost one; call it while none lives."""
        for worker in self.client.zrange("evaluator:__heartbeats__", 0, -1):
            self.client.zadd("evaluator:__heartbeats__", {str(worker): 1})

    def keep(self) -> Reconciled:
        """What a server does every few seconds, without waiting for messages that may be on their way."""
        tidy(self._janitor)
        with patch("evaluator.service.reconcile.GRACE", 0.0):
            return reconcile(self.database, self.outbox)

    def finish(self, within: float = 40.0, *, keeping: bool = True, hurrying: bool = False) -> None:
        """Return when everything is settled; `hurrying` has pending runs tried again at once, not after minutes."""

        def over() -> bool:
            if hurrying:
                self.scene.execute("UPDATE runs SET retry_at = now() WHERE state = 'pending'")
            if keeping:
                self.keep()
            return self.settled()

        until(lambda: self.reached(over), within)

    def reached(self, condition: Callable[[], bool]) -> bool:
        """Whether something holds; not while Postgres is away, or has ended the connection that asks."""
        try:
            return condition()
        except UNREACHABLE:
            return False

    # What is there

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.database.connection() as connection:
            return connection.execute(statement, values).fetchall()

    def as_superuser(self, statement: str) -> None:
        """Say something to the server, beside the database; `DB` is the name of that."""
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(self.about_database(statement))

    def about_database(self, statement: str) -> str:
        """The statement with the database's name for `DB`."""
        return statement.replace("DB", urlsplit(self.database.url).path.removeprefix("/"))

    def value(self, statement: str, *values: object) -> Any:
        return self.rows(statement, *values)[0][0]

    def settled(self, challenge: str | None = None) -> bool:
        statement = "SELECT bool_and(completed_at IS NOT NULL) FROM challenges WHERE id = coalesce(%s, id)"
        return self.value(statement, challenge) is True

    def evaluated(self) -> int:
        return int(self.value("SELECT count(*) FROM evaluations WHERE evaluated_at IS NOT NULL"))

    def attempts(self) -> int:
        """How often that batch was begun that was begun most often."""
        return int(self.value("SELECT coalesce(max(attempts), 0) FROM batches"))

    def messages(self) -> dict[str, int]:
        """How many there are in Redis, by key: waiting, delayed, with a worker, dead. Empty where there are none."""
        found: dict[str, int] = {}
        for queue in QUEUES.values():
            for name in (queue, dq_name(queue)):
                found[name] = self.client.hlen(f"evaluator:{name}.msgs")
                found[f"{name} listed"] = self.client.llen(f"evaluator:{name}")
            found[f"{queue} dead"] = self.client.zcard(f"evaluator:{queue}.XQ")
        found |= {str(key): self.client.scard(key) for key in self.client.keys("evaluator:__acks__.*")}
        return {name: count for name, count in found.items() if count}

    def dead(self) -> int:
        return sum(self.client.zcard(f"evaluator:{queue}.XQ") for queue in QUEUES.values())

    def in_flight(self, queue: str) -> int:
        return sum(self.client.scard(key) for key in self.client.keys(f"evaluator:__acks__.*.{queue}"))

    def where_it_stands(self) -> str:
        """What a person wants to see where something did not come about."""
        statements = (
            "SELECT id, challenge_id, day, state, passes, next_pass, opened_at, retry_at, fan_out_done FROM runs"
            " WHERE state <> 'settled'",
            "SELECT b.* FROM batches b JOIN runs r ON r.id = run_id WHERE r.state = 'open' AND b.state <> 'done'",
            "SELECT pid, state, wait_event, query FROM pg_stat_activity WHERE datname = current_database()",
        )
        found = [str(row) for statement in statements for row in self.rows(statement)]
        found += [f"now {self.value('SELECT now()')}", str(self.messages()), str(Pacer(self.client, LIMIT).state())]
        return "\n".join(found)

    # What must hold

    def check(self, *, attempts: int = 2, dead: int | None = 0, within: float = 10.0) -> None:
        """Everything is as if nothing had gone wrong, and no message is left `within` so many seconds.

        `attempts` is how often a batch may have been begun; `dead` is how many dead letters are to be left, or None
        where it does not matter.
        """
        self.check_ledger(attempts)
        until(lambda: sum(self.messages().values()) == self.dead(), within)
        assert dead in {None, self.dead()}
        assert self.busiest(1 - LATE) <= LIMIT

    def busiest(self, seconds: float) -> int:
        """The most requests that arrived within so many seconds, whenever."""
        arrivals = self.leetcode.arrivals()
        return max((bisect_left(arrivals, at + seconds) - n for n, at in enumerate(arrivals)), default=0)

    def check_ledger(self, attempts: int) -> None:
        """Everybody has one evaluation a day, one outcome, the streak and the postings of the rules."""
        assert self.found() == self.fates
        assert self.rows("SELECT state FROM runs WHERE state <> 'settled'") == []
        assert self.rows("SELECT * FROM batches WHERE state <> 'done'") == []
        assert self.attempts() <= attempts

    def found(self) -> dict[tuple[str, str], Fate]:
        """What every member has ended with; a second entry of a day would show as an amount of its own."""
        fates: dict[tuple[str, str], Fate] = {}
        for member, challenge, handle, current, longest in self.rows(
            "SELECT id, challenge_id, handle, current_streak, longest_streak FROM members"
        ):
            days = self.rows("SELECT day, outcome FROM evaluations WHERE member_id = %s ORDER BY day", member)
            assert [day for day, _ in days] == [FIRST + timedelta(n) for n in range(len(days))]
            postings = self.rows("SELECT day, amount FROM postings WHERE member_id = %s ORDER BY day, entry", member)
            fates[challenge, handle] = Fate(
                tuple(outcome for _, outcome in days),
                tuple(((day - FIRST).days, amount) for day, amount in postings),
                (current, longest),
            )
        return fates
