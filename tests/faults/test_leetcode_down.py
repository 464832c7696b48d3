"""LeetCode is down for longer than all attempts last: it is asked seldom, nobody fails, and all settles by itself."""

from __future__ import annotations

from typing import Any

import pytest

from evaluator.leetcode.breaker import OUTAGE
from evaluator.leetcode.pacer import Pacer
from evaluator.leetcode.parts import HOPELESS
from tests.faults.arena import LIMIT, Arena, handles
from tests.integration.program import until

OUTAGES: dict[str, dict[str, Any]] = {
    "503": {"kind": "server_error", "status": 503},
    "time-outs": {"kind": "slow", "seconds": 30},
    "403 with a page": {"kind": "blocked"},
    "429": {"kind": "rate_limited"},
    "429 with Retry-After": {"kind": "rate_limited", "retry_after": "3"},
    "redirects": {"kind": "redirected"},
    "no answers": {"kind": "dropped"},
    "half an answer": {"kind": "cut_off"},
    "truncated JSON": {"kind": "truncated"},
    "200 with errors": {"kind": "errors"},
    "400": {"kind": "bad_request"},
    "errors for each user": {"kind": "user_error"},
    "users left out": {"kind": "left_out"},
    "answers for other users": {"kind": "stranger"},
}

BATCHES_AT_ONCE = 4
MOST = {
    # It takes a whole request and its parts to see that nobody is answered. Five batches are an outage, and others are
    # taken apart meanwhile.
    "200 with errors": (OUTAGE + BATCHES_AT_ONCE) * HOPELESS + 5,
    "400": (OUTAGE + BATCHES_AT_ONCE) * HOPELESS + 5,
}
"""Requests until the third pause; OUTAGE, one for each batch at work, and some tries where it is not here."""

REPRESENTATIVE = {"503", "403 with a page", "200 with errors"}


@pytest.mark.parametrize(
    "outage", [one if one in REPRESENTATIVE else pytest.param(one, marks=pytest.mark.long) for one in OUTAGES]
)
def test_an_outage_fails_nobody_and_is_over_by_itself(arena: Arena, outage: str) -> None:
    """Of 64 members in 8 batches; Redis is emptied too, as an outage may outlast every message."""
    arena.challenge("grind", handles("member", 64), days=1)
    arena.leetcode.goes_wrong(**OUTAGES[outage])
    arena.run("enqueue")
    worker = arena.worker(LEETCODE_TIMEOUT="300ms", JOB_BACKOFF="100ms", WORKER_CONCURRENCY=str(BATCHES_AT_ONCE))
    until(lambda: Pacer(arena.client, LIMIT).state().refusals >= 3)
    assert arena.leetcode.requests() <= MOST.get(outage, OUTAGE + BATCHES_AT_ONCE + 5)
    assert arena.value("SELECT count(*) FROM evaluations WHERE outcome <> 'pending'") == 0
    assert arena.value("SELECT count(*) FROM postings") == 0
    arena.leetcode.recovers()
    arena.client.flushall()  # a pause of the pacer too: the seconds pass
    arena.finish(hurrying=True)
    arena.check(attempts=4)
    assert worker.code is None


def test_who_waits_for_leetcodes_pause_becomes_no_dead_letter_however_often(arena: Arena) -> None:
    """The first attempt fails of two, and then the pause lets none begin."""
    arena.challenge("grind", handles("member", 8), days=1)
    arena.leetcode.goes_wrong("rate_limited", retry_after="60")
    arena.run("enqueue")
    worker = arena.worker(JOB_ATTEMPTS="2")
    until(lambda: "Job put off" in worker.said())
    until(lambda: arena.dead() or arena.messages().get("members.DQ"))
    assert arena.dead() == 0
    arena.leetcode.recovers()
