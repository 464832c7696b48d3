"""PostgreSQL's disk is full: what can't be written waits whole, is tried seldom, and is written once there is room."""

from __future__ import annotations

import math
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from evaluator.ledger.database import Database
from evaluator.ledger.migrations import migrate
from tests.faults.arena import Arena, fate, handles
from tests.faults.namespaces import python_in_its_own
from tests.faults.nursery import ROOT
from tests.integration.program import until

FULL = "No space left on device"
BACKOFF = 0.1


@dataclass(frozen=True)
class Disk:
    """That of a PostgreSQL, whose URL is here."""

    url: str
    process: subprocess.Popen[str]

    def fill(self) -> None:
        self._do("fill")

    def free(self) -> None:
        self._do("free")

    def _do(self, order: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "\n"


@pytest.fixture
def disk(faults_folder: Path) -> Iterator[Disk]:
    folder = faults_folder / "small"
    folder.mkdir(mode=0o700, exist_ok=True)
    command = [*python_in_its_own("mount"), "-m", "tests.faults.small_disk", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        yield Disk(process.stdout.readline().strip(), process)
        process.communicate()


@pytest.fixture
def cramped(arena: Arena, disk: Disk) -> Iterator[Arena]:
    """An arena whose PostgreSQL is the one with that disk."""
    database = Database(disk.url)
    migrate(database)
    cramped = replace(arena, database=database)
    yield cramped
    arena.nursery.clear()
    cramped.close()
    database.close()


def nothing_is_half_written(arena: Arena) -> None:
    """Whoever is decided has the streak and the postings of the days that are; they are the first ones."""
    for (_, handle), found in arena.found().items():
        decided = [outcome for outcome in found.outcomes if outcome != "pending"]
        expected = fate(handle, len(decided))
        assert found.outcomes[: len(decided)] == expected.outcomes
        assert (found.postings, found.streak) == (expected.postings, expected.streak)


def test_a_run_waits_for_room_and_goes_on_by_itself(cramped: Arena, disk: Disk) -> None:
    cramped.challenge("grind", handles("member", 64), days=4)
    cramped.run("enqueue")
    worker = cramped.worker(JOB_BACKOFF=f"{BACKOFF}s")
    until(lambda: cramped.evaluated() > 0)
    disk.fill()
    filled_at = time.monotonic()
    until(lambda: worker.said().count(FULL) >= 8)
    tries = worker.said().count(FULL)
    most = math.log2((time.monotonic() - filled_at) / (BACKOFF / 2) + 1) + 2
    assert tries <= (64 / 8 + 1) * most
    nothing_is_half_written(cramped)
    assert not cramped.settled()
    disk.free()
    cramped.finish(keeping=False)
    cramped.check(attempts=3)
    assert worker.code is None


def test_a_command_says_that_there_is_no_room(cramped: Arena, disk: Disk) -> None:
    cramped.challenge("grind", handles("member", 8), days=1)
    disk.fill()
    refused = cramped.start("enqueue")
    assert refused.wait() == 75
    (line,) = refused.said().splitlines()
    assert FULL in line
    disk.free()
    cramped.run("enqueue")
    cramped.worker()
    cramped.finish(keeping=False)
    cramped.check()
