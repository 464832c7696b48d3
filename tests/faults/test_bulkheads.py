"""What is wrong with one challenge or one member is no other's trouble; and a pause holds, whatever is restarted."""

from __future__ import annotations

import time

from tests.faults.arena import Arena, handles
from tests.integration.program import until


def test_a_huge_challenge_does_not_starve_a_small_one(arena: Arena) -> None:
    """The huge one is at work when the small one is queued, and has more batches than may be in Redis at a time."""
    settings = {"LEETCODE_REQUESTS_PER_SECOND": "1000", "LEETCODE_USERS_PER_REQUEST": "1"}
    arena.challenge("huge", handles("idle", 400), days=1)
    arena.leetcode.behaves(latency=1.0)
    arena.run("enqueue", **settings)
    worker = arena.worker(**settings)
    until(lambda: arena.evaluated() > 0)
    arena.challenge("small", handles("member", 8), days=1)
    arena.run("enqueue", **settings)
    arena.leetcode.behaves(latency=0.0)
    until(lambda: arena.settled("small"))
    closed = dict(arena.rows("SELECT challenge_id, closed_at FROM runs"))
    assert closed["huge"] is None or closed["huge"] > closed["small"]
    worker.kill()


def test_a_challenge_that_breaks_every_job_holds_up_no_other(arena: Arena) -> None:
    """Its stored rules make no sense; once they do, it is settled by itself."""
    arena.challenge("broken", handles("member", 24), days=1)
    arena.challenge("sound", handles("member", 24), days=1)
    arena.run("enqueue")
    arena.scene.execute("UPDATE rules SET difficulties = '{Nonsense}' WHERE challenge_id = 'broken'")
    arena.worker()
    until(lambda: arena.settled("sound"))
    until(lambda: arena.dead() > 0)
    assert arena.value("SELECT count(*) FROM evaluations WHERE evaluated_at IS NOT NULL") == 24
    arena.scene.execute("UPDATE rules SET difficulties = '{Medium,Hard}' WHERE challenge_id = 'broken'")
    arena.finish()
    arena.check(attempts=4, dead=None)


def test_rows_that_no_parser_expects_spoil_nobody_elses_day(arena: Arena) -> None:
    rows = [
        {"timestamp": "yesterday"},
        {"timestamp": 2**63 - 1},
        {"timestamp": None, "titleSlug": None, "id": None},
        {"titleSlug": ["two-sum"], "id": {"a": 1}},
        {"titleSlug": "x" * 100_000},
        {"id": "\u0000"},
    ]
    junk = [{"slug": "lru-cache", "at": "2026-03-01T12:00Z", "row": row} for row in rows]
    arena.leetcode.user("weird-099", submissions=junk)
    arena.challenge("grind", [*handles("member", 7), "weird-099"], days=1)
    del arena.fates["grind", "weird-099"]
    arena.run("enqueue")
    arena.worker()
    until(lambda: arena.evaluated() == 8)
    found = arena.found()
    assert found.pop(("grind", "weird-099")).outcomes in {("passed",), ("pending",), ("frozen",)}
    assert found == arena.fates


def test_a_pause_holds_over_restarts_of_everything(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 64))
    arena.leetcode.behaves(latency=0.3)
    arena.run("enqueue")
    worker, server = arena.worker(), arena.server()
    until(lambda: arena.evaluated() > 0)
    arena.run("queue", "pause")
    worker.kill()
    server.kill()
    arena.redis.restart()
    arena.lost_workers_are_missed()
    before, asked = arena.evaluated(), arena.leetcode.requests()
    worker, server = arena.worker(), arena.server()
    server.address()
    arena.run("enqueue")
    arena.keep()
    time.sleep(1.5)
    assert (arena.evaluated(), arena.leetcode.requests()) == (before, asked)
    arena.run("queue", "resume")
    arena.finish(keeping=False)
    arena.check()
