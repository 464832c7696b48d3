"""`python -m benchmarks`: run the scenarios, the contenders in turns, and print what came of them."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from benchmarks import enqueueing, idling
from benchmarks.contenders import BULLMQ, CONTENDERS, needs_node
from benchmarks.leetcode import stand_in
from benchmarks.machine import facts
from benchmarks.picture import picture
from benchmarks.population import day_of
from benchmarks.report import Trial, table
from benchmarks.scenarios import IDLE, SCENARIOS, Scenario
from benchmarks.services import services
from benchmarks.stage import Bench
from benchmarks.trial import run

_RESULTS = Path(__file__).parent / "results"
_ALL = (*SCENARIOS, "enqueue", "idle")
_ENQUEUE_ROUNDS = 5
_USERS = 10_000  # that the stand-in knows, of each challenge, unless more are asked for


def _names(allowed: Sequence[str], given: str) -> list[str]:
    """Raises BadParameter where one of them is unknown."""
    names = given.split(",")
    if unknown := [name for name in names if name not in allowed]:
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(allowed)}")
    return names


def _require_node(contenders: Iterable[str]) -> None:
    """Raises BadParameter where BullMQ is to run and cannot."""
    wanted = any(needs_node(CONTENDERS[name]) for name in contenders)
    if wanted and not (shutil.which("node") and (BULLMQ / "node_modules").is_dir()):
        raise typer.BadParameter(
            "BullMQ needs Node.js 20.18 or later, and `npm ci --prefix benchmarks/bullmq`, which `make bench` runs; "
            "or choose others with --contenders"
        )


def bench(
    scenario: Annotated[str, typer.Option(help=f"Some of {', '.join(_ALL)}, with commas between.")] = ",".join(_ALL),
    contenders: Annotated[str | None, typer.Option(help=f"Some of {', '.join(CONTENDERS)}.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Turns of each contender.")] = None,
    members: Annotated[int | None, typer.Option(min=1, max=100_000, help="How many are settled.")] = None,
) -> None:
    """Settle the same members with each contender in turn, and compare."""
    chosen = _names(_ALL, scenario)
    only = _names(list(CONTENDERS), contenders) if contenders else None
    scenarios = [SCENARIOS[name] for name in chosen if name in SCENARIOS]
    idle = (only or IDLE) if "idle" in chosen else ()
    _require_node({*idle, *(name for one in scenarios for name in only or one.contenders)})
    now = time.time()
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="minutes")
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        services(folder := Path(name)) as running,
        stand_in(folder, day_of(now), max(members or 0, _USERS)) as leetcode,
    ):
        machine = facts(running, folder)
        print(at, *(f"{fact}: {value}" for fact, value in machine.items()), sep="\n")
        arena = Bench(running, leetcode, day_of(now), folder)
        trials: list[Trial] = []
        for one in scenarios:
            adapted = replace(
                one,
                load=replace(one.load, members=members or one.load.members),
                contenders=only or one.contenders,
                rounds=rounds or one.rounds,
            )
            trials += _in_turns(arena, adapted)
        document: dict[str, Any] = {"at": at, "machine": machine, "trials": [asdict(trial) for trial in trials]}
        if "enqueue" in chosen:
            enqueued = enqueueing.measure(arena, rounds or _ENQUEUE_ROUNDS)
            print(f"\nenqueue: {enqueueing.CHALLENGES} active challenges", *enqueueing.lines(enqueued), sep="\n")
            document["enqueue"] = [asdict(one) for one in enqueued]
        if idle:
            idled = idling.measure(arena, idle)
            print("\nidle", *idling.lines(idled), sep="\n")
            document["idle"] = [asdict(one) for one in idled]
    path = _RESULTS / f"{at[:16].replace(':', '')}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    path.with_suffix(".svg").write_text(picture(document), encoding="utf-8")
    print(f"\nwritten to {path} and .svg")


def _in_turns(arena: Bench, scenario: Scenario) -> list[Trial]:
    """Each contender once, then each again: what the machine does besides hits all alike."""
    trials = []
    for number in range(1, scenario.rounds + 1):
        for name in scenario.contenders:
            result = run(arena, CONTENDERS[name], scenario.load)
            trials.append(trial := Trial(scenario.name, name, number, scenario.load.members, result))
            print(f"{scenario.name}, round {number}: {name}, {trial.rate:.0f} members/s", flush=True)
    load = f"{scenario.load.members} members, {scenario.title}"
    print(f"\n{scenario.name}: {load}", *table(trials), "", sep="\n", flush=True)
    return trials


typer.run(bench)
