"""Two scrapes of a worker at once, just after one of its processes has died."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest
from prometheus_client import generate_latest
from prometheus_client.mmap_dict import MmapedDict

from evaluator.queue.exposure import _Processes
from evaluator.queue.heartbeat import Heartbeat


def test_two_scrapes_at_once_both_get_the_figures_without_the_dead_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Heartbeat(tmp_path, 1.0, lambda: None).beat()  # of this process, which is no child: to the worker it has died
    left = tmp_path / f"gauge_livesum_{os.getpid()}.db"
    MmapedDict(str(left)).close()
    both, remove = Barrier(2), os.remove

    def removed_by_both(path: str) -> None:
        with suppress(BrokenBarrierError):
            both.wait(timeout=0.5)
        remove(path)

    monkeypatch.setattr("prometheus_client.multiprocess.os.remove", removed_by_both)
    processes = _Processes(tmp_path, 1)
    with ThreadPoolExecutor(2) as scrapes:
        for text in scrapes.map(lambda _: generate_latest(processes.registry), range(2)):
            assert b"evaluator_build_info" in text
    assert not left.exists()
