"""Several servers: one keeps at a time, and when it is gone another does, without anyone's doing."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.faults.arena import Arena, handles
from tests.faults.doom import DOOMED
from tests.faults.nursery import Command
from tests.integration.program import until


def resent(server: Command) -> int:
    """How many batches a server says to have sent again."""
    events: list[dict[str, Any]] = [json.loads(line) for line in server.said().splitlines()]
    return sum(event["batches_resent"] for event in events if event["event"] == "Reconciled")


def test_one_server_sends_again_what_was_lost_and_a_second_takes_over_when_it_is_killed(arena: Arena) -> None:
    """The first is killed between noting that messages are gone and sending them."""
    arena.challenge("grind", handles("member", 64), days=1)
    arena.run("enqueue")
    worker = arena.worker()
    until(lambda: arena.in_flight("members") > 0)
    worker.kill()
    arena.client.flushall()
    waiting = arena.value("SELECT count(*) FROM batches WHERE state <> 'done'")
    assert waiting > 2
    first = arena.server(doom="before send", LOG_FORMAT="json")
    until(lambda: DOOMED in first.said(), 20)
    others = [arena.server(LOG_FORMAT="json") for _ in range(2)]
    until(lambda: sum(map(resent, others)) > 0, 20)
    time.sleep(5.5)  # the other's round
    assert sum(map(resent, others)) == waiting
    arena.worker()
    arena.finish(keeping=False)
    arena.check()
