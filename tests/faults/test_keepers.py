"""Several servers: one keeps at a time, and when it is gone another does, by itself. Each tells what it did."""

from __future__ import annotations

import json
from typing import Any

import requests

from tests.faults.arena import Arena, handles
from tests.faults.doom import DOOMED
from tests.faults.nursery import Command
from tests.integration.program import until


def told(server: Command, event: str) -> list[dict[str, Any]]:
    """The lines of a server about an event."""
    return [line for line in map(json.loads, server.said().splitlines()) if line["event"] == event]


def counted(server: Command) -> dict[str, int]:
    """What a server's metrics say that its keeper did: of each duty after it was done for the first time."""
    lines = requests.get(f"{server.address()}/metrics", timeout=10).text.splitlines()
    found = [line.split() for line in lines if line.startswith("evaluator_keeper_actions_total{")]
    return {name.split('"')[1]: int(float(times)) for name, times in found}


def has_kept(server: Command) -> bool:
    """Whether it has been through a round: what is counted last is there."""
    return "failures_forgotten" in counted(server)


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
    until(lambda: DOOMED in first.said())
    others = [arena.server(LOG_FORMAT="json") for _ in range(2)]
    until(lambda: all(map(has_kept, others)))  # each has had its turn
    assert sum(counted(server)["batches_resent"] for server in others) == waiting
    assert [line["batches_resent"] for server in others for line in told(server, "Reconciled")] == [waiting]
    arena.worker()
    arena.finish(keeping=False)
    arena.check()


def test_a_keeper_tells_what_it_brought_back_and_says_nothing_where_nothing_was_to_be_done(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 24), days=1)
    arena.run("enqueue")
    worker = arena.worker(WORKER_CONCURRENCY="1")
    until(lambda: arena.in_flight("members") > 0)
    worker.kill()
    arena.lost_workers_are_missed()
    held = sum(arena.in_flight(queue) for queue in ("challenges", "members", "members.DQ"))
    arena.client.zadd("evaluator:members.XQ", {"of-last-year": 1})
    first = arena.server(LOG_FORMAT="json")
    until(lambda: has_kept(first))
    assert (counted(first)["messages_returned"], counted(first)["dead_letters_dropped"]) == (held, 1)
    (line,) = told(first, "Tidied")
    assert (line["messages_returned"], line["dead_letters_dropped"]) == (held, 1)
    second = arena.server(LOG_FORMAT="json")
    until(lambda: has_kept(second))
    assert set(counted(second).values()) == {0}
    assert told(second, "Tidied") == told(second, "Reconciled") == []
    arena.worker()
    arena.finish(keeping=False)
    arena.check()


def test_what_fails_for_one_challenge_keeps_a_keeper_from_nothing_else(arena: Arena) -> None:
    """A run can't be queued again, which reconciling comes upon; enqueuing comes after it."""
    arena.challenge("broken", handles("member", 8), days=1)
    arena.run("enqueue")
    arena.scene.execute("UPDATE runs SET state = 'pending', retry_at = now()")
    arena.scene.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not this one'; END $$"
    )
    arena.scene.execute(
        "CREATE TRIGGER refuse BEFORE UPDATE ON runs FOR EACH ROW WHEN (old.challenge_id = 'broken')"
        " EXECUTE FUNCTION refuse()"
    )
    arena.challenge("sound", handles("member", 8), days=1)
    server = arena.server(LOG_FORMAT="json")
    arena.worker()
    until(lambda: arena.settled("sound"))
    (line, *_) = told(server, "Keeper failed; it tries again")
    assert "not this one" in line["exception"]
