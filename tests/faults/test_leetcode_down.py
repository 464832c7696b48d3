"""LeetCode is down for longer than all attempts last: it is asked seldom, nobody fails, and all settles by itself."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.faults.arena import Arena, handles
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
    "errors for each user": {"kind": "user_error"},
    "users left out": {"kind": "left_out"},
    "answers for other users": {"kind": "stranger"},
}


MOST = {
    # Answers that are none for some come from a LeetCode that works: each batch is halved, attempt by attempt, and each
    # part of a query that is refused. That is over after the attempts of one pass.
    "200 with errors": 8 * 3 * (1 + 2 + 4 + 8),
    "errors for each user": 8 * (1 + 2 + 4),
    "users left out": 8 * (1 + 2 + 4),
    "answers for other users": 8 * (1 + 2 + 4),
}
"""Requests in the first seconds; 10 where it is not here."""

REPRESENTATIVE = {"503", "403 with a page", "answers for other users"}


@pytest.mark.parametrize(
    "outage", [one if one in REPRESENTATIVE else pytest.param(one, marks=pytest.mark.long) for one in OUTAGES]
)
def test_an_outage_fails_nobody_and_is_over_by_itself(arena: Arena, outage: str) -> None:
    """Of 64 members in 8 batches; Redis is emptied too, as an outage may outlast every message."""
    arena.challenge("grind", handles("member", 64), days=1)
    arena.leetcode.goes_wrong(**OUTAGES[outage])
    arena.run("enqueue")
    worker = arena.worker(LEETCODE_TIMEOUT="300ms", JOB_BACKOFF="100ms")
    until(lambda: arena.leetcode.requests() >= 3)
    time.sleep(2)
    assert arena.leetcode.requests() <= MOST.get(outage, 10)
    assert arena.value("SELECT count(*) FROM evaluations WHERE outcome <> 'pending'") == 0
    assert arena.value("SELECT count(*) FROM postings") == 0
    arena.leetcode.recovers()
    arena.client.flushall()  # a pause of the pacer too: the seconds pass
    arena.finish(hurrying=True)
    arena.check(attempts=4)
    assert worker.code is None
