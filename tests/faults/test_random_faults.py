"""Faults at random under load: rounds of a new challenge each, until the time is over.

`FAULTS_SECONDS` is how long (12), `FAULTS_SEED` repeats what a failure printed, as far as the machine's timing allows.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from typing import Any

from tests.faults.arena import Arena, handles
from tests.faults.nursery import Command
from tests.faults.test_leetcode_down import OUTAGES

SECONDS = float(os.environ.get("FAULTS_SECONDS", "12"))
SEED = int(os.environ.get("FAULTS_SEED") or random.randrange(10**6))  # noqa: S311  # it must repeat, not be secret

POINTS = (
    "after evaluations.begin",
    "after evaluations.lock_at_once",
    "uncommitted evaluations.record",
    "committed evaluations.record",
    "after runs.fan_out",
    "committed runs.take_unsent",
    "committed runs.close",
    "before send",
    "before ack",
    "after fetch",
)
WORKERS = 3


def log(line: str) -> None:
    """Say how far it has come; pytest shows it where the test fails, and with -s."""
    print(line, flush=True)  # noqa: T201  # that is how one says something to pytest


class Chaos:
    """One arena with everything running, and somebody who breaks it."""

    def __init__(self, arena: Arena, chance: random.Random) -> None:
        self.arena = arena
        self.chance = chance
        self.workers: list[Command] = []
        self.servers = [self.arena.server() for _ in range(2)]
        self.faults: tuple[Callable[[], None], ...] = (
            self.kill_a_worker,
            self.kill_a_worker,
            self.stop_a_worker,
            self.doom_a_worker,
            self.doom_a_worker,
            self.kill_a_server,
            self.restart_redis,
            self.kill_redis,
            self.empty_redis,
            self.stall_redis,
            self.restart_postgres,
            self.kill_postgres,
            self.end_connections,
            self.leetcode_fails,
            self.leetcode_fails,
            self.pause,
        )

    def round(self, number: int) -> None:
        """Settle a challenge while things break."""
        arena, chance = self.arena, self.chance
        name = f"round-{number}"
        arena.challenge(name, handles("member", chance.choice((8, 24, 64))), days=chance.randint(1, 4))
        arena.leetcode.behaves(latency=chance.choice((0.0, 0.1, 0.3)))
        arena.run("enqueue")
        for _ in range(chance.randint(1, 4)):
            self.man()
            time.sleep(chance.uniform(0, 1.5))
            fault = chance.choice(self.faults)
            log(f"{name}: {fault.__name__}")
            fault()
            if arena.reached(lambda: arena.settled(name)):
                break
        self.mend()
        try:
            arena.finish(60, keeping=False, hurrying=True)
        except AssertionError:
            log(arena.where_it_stands())
            for command in self.workers + self.servers:
                log(f"{command.folder.name}, {len(command.children())} children:\n{command.said()[-2000:]}")
            raise
        arena.check_ledger(attempts=5)

    def man(self) -> None:
        """See that there are workers and servers."""
        self.workers = [worker for worker in self.workers if worker.code is None]
        self.workers += [self.arena.worker() for _ in range(WORKERS - len(self.workers))]
        self.servers = [server for server in self.servers if server.code is None]
        self.servers += [self.arena.server() for _ in range(2 - len(self.servers))]

    def mend(self) -> None:
        self.arena.leetcode.recovers()
        self.arena.client.delete("evaluator:pacer")  # the seconds pass in which it would pause
        self.man()

    def kill_a_worker(self) -> None:
        self.chance.choice(self.workers).kill()

    def stop_a_worker(self) -> None:
        self.chance.choice(self.workers).send(signal.SIGTERM)

    def doom_a_worker(self) -> None:
        self.arena.worker(doom=f"{self.chance.choice(POINTS)} {self.chance.randint(1, 3)}")

    def kill_a_server(self) -> None:
        self.chance.choice(self.servers).kill()

    def restart_redis(self) -> None:
        self.arena.redis.stop()
        time.sleep(self.chance.uniform(0, 2))
        self.arena.redis.start()

    def kill_redis(self) -> None:
        self.arena.redis.kill()
        self.arena.redis.start()

    def empty_redis(self) -> None:
        self.arena.client.flushall()

    def stall_redis(self) -> None:
        self.arena.redis.send(signal.SIGSTOP)
        time.sleep(self.chance.uniform(0, 7))
        self.arena.redis.send(signal.SIGCONT)

    def restart_postgres(self) -> None:
        self.arena.postgres.stop()
        time.sleep(self.chance.uniform(0, 2))
        self.arena.postgres.start()

    def kill_postgres(self) -> None:
        self.arena.postgres.kill()
        self.arena.postgres.start()

    def end_connections(self) -> None:
        self.arena.as_superuser(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'DB' AND pid <> pg_backend_pid()"
        )

    def leetcode_fails(self) -> None:
        outage: dict[str, Any] = OUTAGES[self.chance.choice(sorted(OUTAGES))]
        self.arena.leetcode.goes_wrong(**outage, share=self.chance.choice((0.3, 1.0)))

    def pause(self) -> None:
        self.arena.run("queue", "pause")
        self.empty_redis()
        time.sleep(0.5)
        self.arena.run("queue", "resume")


def test_faults_at_random_change_nothing(arena: Arena) -> None:
    log(f"FAULTS_SEED={SEED} FAULTS_SECONDS={SECONDS:g}")
    chance = random.Random(SEED)  # noqa: S311  # as above
    chaos = Chaos(arena, chance)
    ends = time.monotonic() + SECONDS
    number = 0
    while time.monotonic() < ends:
        number += 1
        chaos.round(number)
    arena.check(attempts=5, dead=None, within=30)
    log(f"{number} rounds")
