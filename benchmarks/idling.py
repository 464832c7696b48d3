"""What a worker that has nothing to do costs: CPU, its own and that of the services it looks at, and memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.contenders import CONTENDERS
from benchmarks.processes import resident_bytes
from benchmarks.stage import Bench

_WARM_UP = 200
_SETTLES = 2.0
_WATCHED = 10.0


@dataclass(frozen=True, slots=True)
class Idle:
    """`cores` is the share of a core by component, `resident` the resident memory of each process in bytes."""

    contender: str
    cores: Mapping[str, float]
    resident: Sequence[int]


def measure(bench: Bench, contenders: Sequence[str]) -> list[Idle]:
    found = []
    bench.leetcode.reset(0.0)
    for name in contenders:
        with bench.stage(CONTENDERS[name]) as stage, stage.workers(_WARM_UP) as workers:
            time.sleep(_SETTLES)
            before = bench.cpu(workers)
            time.sleep(_WATCHED)
            after = bench.cpu(workers)
            resident = sorted((size for pid in workers for size in resident_bytes(pid)), reverse=True)
        cores = {part: (after[part] - before[part]) / _WATCHED for part in ("workers", "postgres", "redis")}
        found.append(Idle(name, cores, resident))
    return found


def lines(found: Sequence[Idle]) -> Iterator[str]:
    for one in found:
        cores = ", ".join(f"{part} {share * 100:.1f} %" for part, share in one.cores.items())
        sizes = ", ".join(f"{size / 2**20:.0f}" for size in one.resident)
        yield f"{CONTENDERS[one.contender].title:50} of a core: {cores}; MiB resident, by process: {sizes}"
