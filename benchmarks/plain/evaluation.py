"""What a message does: ask LeetCode about one member, decide, and write the evaluation, the streak and the posting."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
import requests
import urllib3
from psycopg_pool import ConnectionPool

_QUERY = """query recentSolves($username: String!) {
recentAcSubmissionList(username: $username, limit: 20) { id titleSlug timestamp }
matchedUser(username: $username) { username }
}"""

_EVALUATE = """INSERT INTO evaluations (member_id, day, outcome, solved, required, evaluated_at)
VALUES (%s, %s, %s, %s, %s, now())
ON CONFLICT (member_id, day) DO UPDATE
SET outcome = excluded.outcome, solved = excluded.solved, evaluated_at = excluded.evaluated_at"""

_EXTEND = """UPDATE members
SET current_streak = current_streak + 1, longest_streak = greatest(longest_streak, current_streak + 1) WHERE id = %s"""

_BREAK = "UPDATE members SET current_streak = 0 WHERE id = %s"

_POST = """INSERT INTO postings (member_id, day, entry, amount, posted_at) VALUES (%s, %s, 1, %s, now())
ON CONFLICT DO NOTHING"""

_MEMBERS = """SELECT m.id, m.handle, c.day::text, c.day_start, c.day_end, c.min_solves, c.penalty
FROM members m JOIN challenges c ON c.id = m.challenge_id WHERE c.id = %s ORDER BY m.id"""

_HEADERS = {"content-type": "application/json", "referer": "https://leetcode.com"}

_sessions = threading.local()
_connections = urllib3.PoolManager(maxsize=10)


@dataclass(frozen=True, slots=True)
class Job:
    """What a message carries about a member; times in seconds since the epoch, the penalty in minor units."""

    member_id: int
    handle: str
    day: str
    day_start: int
    day_end: int
    min_solves: int
    penalty: int

    def fields(self) -> list[int | str]:
        return [
            self.member_id, self.handle, self.day, self.day_start, self.day_end, self.min_solves, self.penalty,
        ]  # fmt: skip


def jobs_of(challenge: str) -> Iterator[Job]:
    """The jobs of all members of a challenge."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        for row in connection.execute(_MEMBERS, [challenge]):
            yield Job(*row)


def open_pool(connections: int) -> ConnectionPool[psycopg.Connection[Any]]:
    return ConnectionPool(os.environ["DATABASE_URL"], min_size=connections, max_size=connections, open=True)


def evaluate(pool: ConnectionPool[psycopg.Connection[Any]], job: Job) -> None:
    """Settle a member. Raises where LeetCode or Postgres does not answer as it should: the queue tries again."""
    record(pool, job, solved_on_day(_ask(job.handle), job))


def _ask(handle: str) -> Any:
    post = _post_by_urllib3 if os.environ.get("BENCH_CLIENT") == "urllib3" else _post_by_requests
    return orjson.loads(post(orjson.dumps({"query": _QUERY, "variables": {"username": handle}})))


def _post_by_requests(question: bytes) -> bytes:
    # One session a thread, whose connection is kept: requests promises nothing about sharing one between threads.
    session: requests.Session | None = getattr(_sessions, "session", None)
    if session is None:
        session = _sessions.session = requests.Session()
    response = session.post(os.environ["LEETCODE_URL"], data=question, headers=_HEADERS, timeout=15)
    response.raise_for_status()
    return response.content


def _post_by_urllib3(question: bytes) -> bytes:
    response = _connections.request("POST", os.environ["LEETCODE_URL"], body=question, headers=_HEADERS, timeout=15)
    if response.status >= 400:
        raise ValueError(f"LeetCode answered {response.status}")
    return response.data


def solved_on_day(answer: Any, job: Job) -> int:
    """Distinct problems that the member solved on the day. Raises ValueError where the answer does not tell."""
    rows, user = answer["data"]["recentAcSubmissionList"], answer["data"]["matchedUser"]
    if rows is None or user is None:
        raise ValueError(f"LeetCode says nothing about {job.handle}")
    return len({row["titleSlug"] for row in rows if job.day_start <= int(row["timestamp"]) < job.day_end})


def record(pool: ConnectionPool[psycopg.Connection[Any]], job: Job, solved: int) -> None:
    passed = solved >= job.min_solves
    with pool.connection() as connection:
        outcome = "passed" if passed else "failed"
        connection.execute(_EVALUATE, [job.member_id, job.day, outcome, solved, job.min_solves])
        connection.execute(_EXTEND if passed else _BREAK, [job.member_id])
        if not passed:
            connection.execute(_POST, [job.member_id, job.day, job.penalty])
