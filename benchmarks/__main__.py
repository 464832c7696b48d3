"""`python -m benchmarks`: run the scenarios, interleaved, and print what came of them."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from benchmarks.contenders import CONTENDERS
from benchmarks.leetcode import stand_in
from benchmarks.machine import facts
from benchmarks.population import day_of
from benchmarks.report import Trial, table
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.services import services
from benchmarks.trial import Bench

_RESULTS = Path(__file__).parent / "results"


def bench(
    scenario: Annotated[str, typer.Option(help=f"Some of {', '.join(SCENARIOS)}.")] = ",".join(SCENARIOS),
    contenders: Annotated[str | None, typer.Option(help=f"Some of {', '.join(CONTENDERS)}.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Turns of each contender.")] = None,
    members: Annotated[int | None, typer.Option(min=1, max=100_000, help="How many are settled.")] = None,
) -> None:
    """Settle the same members with each contender in turn, and compare."""
    chosen = [_adapted(SCENARIOS[name], contenders, rounds, members) for name in scenario.split(",")]
    now = time.time()
    trials: list[Trial] = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        services(Path(name)) as running,
        stand_in(Path(name), day_of(now), max(one.load.members for one in chosen)) as leetcode,
    ):
        machine = facts(running)
        print(*(f"{fact}: {value}" for fact, value in machine.items()), sep="\n")
        one_bench = Bench(running, leetcode, day_of(now), Path(name))
        for one in chosen:
            made = _rounds(one_bench, one)
            print(f"\n{one.name}: {one.load.members} members, {one.title}; CPU in µs a member")
            print(*table(made, {key: contender.title for key, contender in CONTENDERS.items()}), sep="\n", flush=True)
            trials += made
    at = datetime.fromtimestamp(now, UTC)
    path = _RESULTS / f"{at:%Y-%m-%dT%H%M}.json"
    document = {"at": at.isoformat(timespec="seconds"), "machine": machine, "trials": [asdict(one) for one in trials]}
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    print(f"\nwritten to {path}")


def _adapted(scenario: Scenario, contenders: str | None, rounds: int | None, members: int | None) -> Scenario:
    return replace(
        scenario,
        load=replace(scenario.load, members=members or scenario.load.members),
        contenders=contenders.split(",") if contenders else scenario.contenders,
        rounds=rounds or scenario.rounds,
    )


def _rounds(one_bench: Bench, scenario: Scenario) -> list[Trial]:
    """Each contender once, then each again: what the machine does besides hits all alike."""
    trials = []
    for number in range(1, scenario.rounds + 1):
        for name in scenario.contenders:
            print(f"{scenario.name}, round {number} of {scenario.rounds}: {name} ", end="", flush=True)
            result = one_bench.run(CONTENDERS[name], scenario.load)
            trial = Trial(scenario.name, name, number, scenario.load.members, result)
            print(f"{trial.rate:.0f} members/s", flush=True)
            trials.append(trial)
    return trials


typer.run(bench)
