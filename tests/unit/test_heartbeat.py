"""How a worker's health follows from its processes' signs of life, and what a process says of itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import dramatiq
import pytest
from dramatiq import MessageProxy, Worker
from dramatiq.brokers.stub import StubBroker

from evaluator.queue.health import BOOT_WITHIN, SILENCE, examine
from evaluator.queue.heartbeat import STUCK_AFTER, Beat, Heartbeat, Phase, read_beats
from evaluator.queue.messages import member_message

NOW = 1000.0


def beat(phase: Phase, ago: float = 0.5, trouble: str = "") -> Beat:
    return Beat(NOW - ago, phase, trouble)


BOOTING, AT_WORK, STOPPING, ENDED = map(beat, Phase)


@pytest.mark.parametrize(
    ("beats", "dead", "uptime", "ailment", "unready"),
    [
        ({}, [], 1, "", "0 of 2 worker processes have booted"),
        ({7: AT_WORK}, [], 1, "", "1 of 2 worker processes have booted"),
        ({7: AT_WORK, 8: BOOTING}, [], BOOT_WITHIN, "", "1 of 2 worker processes have booted"),
        ({7: AT_WORK, 8: BOOTING}, [], BOOT_WITHIN + 1, "only 1 of 2 worker processes have booted within 61 s", None),
        ({7: AT_WORK, 8: AT_WORK}, [], 1e6, "", ""),
        ({7: AT_WORK, 8: STOPPING}, [], 1e6, "", "the worker is stopping"),
        ({7: ENDED, 8: STOPPING}, [7], 1e6, "", "the worker is stopping"),
        ({7: ENDED, 8: STOPPING}, [7, 8], 1e6, "the worker process 8 has died", None),
        ({7: AT_WORK, 8: AT_WORK}, [8], 1e6, "the worker process 8 has died", None),
        ({7: AT_WORK, 8: beat(Phase.AT_WORK, SILENCE)}, [], 1e6, "", ""),
        (
            {7: AT_WORK, 8: beat(Phase.AT_WORK, 12)},
            [],
            1e6,
            "the worker process 8 has given no sign of life for 12 s",
            None,
        ),
        ({7: beat(Phase.STOPPING, trouble="hm"), 8: ENDED}, [8], 1e6, "the worker process 7 is stuck: hm", None),
    ],
)
def test_a_worker_is_as_well_as_its_processes(
    beats: Mapping[int, Beat], dead: list[int], uptime: float, ailment: str, unready: str | None
) -> None:
    health = examine(beats, dead, 2, uptime, NOW)
    assert (health.ailment, health.unready) == (ailment, ailment if unready is None else unready)


@pytest.fixture
def broker() -> Iterator[StubBroker]:
    broker = StubBroker(middleware=[])
    yield broker
    broker.close()


def test_a_process_tells_of_its_life_from_its_boot_to_its_end(broker: StubBroker, tmp_path: Path) -> None:
    beats = 0

    def on_beat() -> None:
        nonlocal beats
        beats += 1

    broker.add_middleware(Heartbeat(tmp_path, 120, on_beat))

    def phase() -> str:
        (pid,) = read_beats(tmp_path)
        assert pid == os.getpid()
        return read_beats(tmp_path)[pid].phase

    broker.emit_after("process_boot")
    assert phase() == "booting"
    worker = Worker(broker, worker_threads=1, worker_timeout=10)
    worker.start()
    assert phase() == "at_work"
    worker.stop()
    assert phase() == "ended"
    assert beats >= 4


def test_a_process_whose_thread_has_ended_is_in_trouble(broker: StubBroker, tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path, 120, lambda: None)
    broker.add_middleware(heartbeat)
    worker = Worker(broker, worker_threads=3, worker_timeout=10)
    worker.start()
    assert read_beats(tmp_path)[os.getpid()].trouble == ""
    worker.workers[1].stop()
    worker.workers[1].join()
    heartbeat.beat()
    assert read_beats(tmp_path)[os.getpid()].trouble == "1 of its 3 threads have ended"
    worker.stop()
    assert read_beats(tmp_path)[os.getpid()].trouble == ""


def test_a_job_that_nothing_interrupts_is_trouble_until_it_is_over(broker: dramatiq.Broker, tmp_path: Path) -> None:
    """A limit that lies in the past is over at once."""
    heartbeat = Heartbeat(tmp_path, -STUCK_AFTER, lambda: None)
    message = MessageProxy(member_message(7, 3))
    heartbeat.before_process_message(broker, message)
    heartbeat.beat()
    told = read_beats(tmp_path)[os.getpid()].trouble
    assert told.startswith("the job batch:7:3 has been at work for 0 s; JOB_TIME_LIMIT is -60 s")
    heartbeat.after_process_message(broker, message)
    heartbeat.beat()
    assert read_beats(tmp_path)[os.getpid()].trouble == ""
