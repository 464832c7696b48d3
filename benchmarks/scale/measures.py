"""What is measured: each does the real thing and gives a line of figures."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import Connection

from benchmarks.scale.history import add_challenges, add_members, add_runs
from evaluator.domain.evidence import Reply, Row, Standing
from evaluator.domain.rules import Difficulty
from evaluator.ledger.database import Database
from evaluator.ledger.enqueues import EnqueuedBy
from evaluator.ledger.figures import read_now
from evaluator.ledger.runs import Batches, Turn, progress_of
from evaluator.leetcode.client import Answers
from evaluator.service.enqueue import Request, enqueue
from evaluator.service.evaluate import Evaluator
from evaluator.service.fan_out import fan_out
from evaluator.service.figures import Pace, Watch
from evaluator.service.jobs import stats

Figures = Mapping[str, float]

_PAGE = os.sysconf("SC_PAGE_SIZE")

_COUNTERS = """
SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn,
       (SELECT sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit) FROM pg_statio_user_tables)
"""


@dataclass
class Nobody:
    """Takes messages and wakes nobody; the longest pause between two of them is how long a transaction took."""

    sent_at: float = field(default_factory=time.perf_counter)
    longest: float = 0.0

    def send_runs(self, turns: Sequence[Turn]) -> None: ...

    def send_batches(self, batches: Batches, *, delay: float = 0.0) -> None:
        del batches, delay
        now = time.perf_counter()
        self.longest, self.sent_at = max(self.longest, now - self.sent_at), now


@dataclass(frozen=True)
class Ready:
    """A LeetCode that has every answer ready: two of three members solved one problem on the day."""

    day_start: int
    asked_at: int

    def recent_solves(self, handles: Sequence[str], years: Sequence[int]) -> Answers:
        del years
        replies = {handle: Reply(handle, Standing.VISIBLE, self._rows(handle)) for handle in handles}
        return Answers(replies, None, self.asked_at)

    def _rows(self, handle: str) -> tuple[Row, ...]:
        number = sum(handle.encode())
        # Twenty older ones that are not known yet, so that the answer reaches back before the day, and no further.
        older = (self.day_start - 60 * n - 1 for n in range(20))
        today = (self.day_start + 3600,) if number % 3 else ()
        return tuple(Row(f"{handle}-{at}", "two-sum", at) for at in (*today, *older))

    def difficulties(self, slugs: Sequence[str]) -> Mapping[str, Difficulty]:
        return dict.fromkeys(slugs, Difficulty.EASY)


def run_of(connection: Connection, challenge_id: str) -> tuple[int, int, int]:
    """The challenge's first run that is not settled: its id, and its day's first second and last."""
    row = connection.execute(
        "SELECT id, day_start, day_end FROM runs WHERE challenge_id = %s AND state <> 'settled' ORDER BY day LIMIT 1",
        [challenge_id],
    ).fetchone()
    assert row is not None  # noqa: S101  # it was put in just before
    return row[0], row[1], row[2]


def fanned_out(database: Database, challenge_id: str, members: int) -> Figures:
    """The fan-out of a run: members a second, the longest transaction, bytes of the write-ahead log a member."""
    outbox = Nobody()
    with database.connection() as connection:
        run_id, _, _ = run_of(connection, challenge_id)
    with _measured(database, members) as (inside, figures):
        fan_out(inside, outbox, run_id, 20)
    return {**figures, "longest transaction, s": outbox.longest}


def settled(database: Database, challenge_id: str, batches: int) -> Figures:
    """The first batches of a run that is fanned out, one after the other, LeetCode left out."""
    with database.connection() as connection:
        run_id, day_start, day_end = run_of(connection, challenge_id)
        members = connection.execute(
            "SELECT coalesce(sum(size), 0)::int FROM batches WHERE run_id = %s AND batch <= %s", [run_id, batches]
        ).fetchall()[0][0]
    with _measured(database, members) as (inside, figures):
        evaluator = Evaluator(inside, Nobody(), Ready(day_start, day_end + 3600), 3)
        for batch in range(1, batches + 1):
            evaluator.evaluate(run_id, batch)
    return figures


@contextmanager
def _measured(database: Database, members: int) -> Iterator[tuple[Database, dict[str, float]]]:
    """What is done inside with a database, a member.

    It begins with a checkpoint, so that each page counts that the log holds whole. Pages are those that were looked at,
    in memory or not: they tell how much work it is, however busy the machine.
    """
    figures: dict[str, float] = {}
    with database.connection() as connection:
        connection.execute("CHECKPOINT")
        log_before, pages_before = connection.execute(_COUNTERS).fetchall()[0]
    inside = Database(database.url, plans_once=True)  # as a worker's
    started = time.perf_counter()
    yield inside, figures
    seconds = time.perf_counter() - started
    inside.close()  # a backend that ends has counted everything
    time.sleep(1)
    with database.connection() as connection:
        log, pages = connection.execute(_COUNTERS).fetchall()[0]
    figures["members/s"] = members / seconds
    figures["resident MB"] = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE / 1e6
    figures["WAL bytes a member"] = float(log - log_before) / members
    figures["pages a member"] = float(pages - pages_before) / members


def asked(database: Database, times: int = 300) -> Figures:
    """Milliseconds of the queries behind the operators' numbers, and of `enqueue --wait`'s look."""
    watch = Watch(Pace(3600, 400, 86_400))
    with database.connection() as connection:
        open_runs = [row[0] for row in connection.execute("SELECT id FROM runs WHERE state = 'open'").fetchall()]
        return {
            **percentiles("stats", lambda: stats(connection, 86_400, None), times),
            **percentiles("metrics", lambda: watch.read(connection, read_now(connection)), times),
            **percentiles("progress", lambda: progress_of(connection, open_runs), times),
        }


def percentiles(name: str, work: Callable[[], object], times: int, pause: float = 0.0) -> Figures:
    """Milliseconds that `work` takes, with so many seconds of `pause` after it: the median, and 99 of 100 times."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
        time.sleep(pause)
    taken.sort()
    return {f"{name} p50, ms": taken[times // 2], f"{name} p99, ms": taken[times * 99 // 100]}


def enqueued(database: Database, challenges: int, days: int) -> Figures:
    """`enqueue` over many challenges with a run for each of their days: with nothing due, and with a day of each."""
    ids = [f"small-{number:05}" for number in range(challenges)]
    with database.connection() as connection:
        add_challenges(connection, ids, days + 1)
        add_runs(connection, ids, 0, days - 1, "settled")
        connection.execute("VACUUM ANALYZE runs")
        over = connection.execute("SELECT max(day_end) FROM runs WHERE challenge_id = %s", [ids[0]]).fetchall()[0][0]
    figures = {}
    for name, now in (("nothing due", over), ("nothing due again", over), ("a day each", over + 86_400)):
        started = time.perf_counter()
        queued = enqueue(database, Nobody(), Request(new_only=True), now, 0, EnqueuedBy.KEEPER)
        figures[f"{name}, s"] = time.perf_counter() - started
        figures[f"{name}, queued"] = len(queued.runs)
    return figures


def grown(database: Database, sizes: Sequence[int], batches: int) -> Iterator[tuple[str, Figures]]:
    """The same work in challenges of different sizes, one after the other."""
    for size in sizes:
        name = f"size-{size}"
        with database.connection() as connection:
            add_challenges(connection, [name], 1)
            add_members(connection, name, size)
            add_runs(connection, [name], 0, 0, "queued")
            connection.execute("VACUUM ANALYZE members, memberships")
        yield f"fan-out of {size:,}", fanned_out(database, name, size)
        yield f"batches of {size:,}", settled(database, name, min(batches, size // 20))


def sizes(database: Database) -> Figures:
    """Megabytes of the large tables, and of their indexes."""
    with database.connection() as connection:
        rows = connection.execute(
            "SELECT relname, pg_relation_size(oid) / 1e6 FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i') AND pg_relation_size(oid) > 1e6"
            " ORDER BY relname"
        ).fetchall()
    return {name: float(size) for name, size in rows}
