"""What the processes of a worker together are: alive, and ready, as far as their signs of life tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from evaluator.queue.heartbeat import Beat, Phase

SILENCE = 10.0
"""Seconds without a sign of life after which a process is stuck."""

BOOT_WITHIN = 60.0
"""Seconds from the start until every process gave its first."""


@dataclass(frozen=True, slots=True)
class Health:
    """Why a worker should be restarted, and why it takes no work; empty where there is no reason."""

    ailment: str
    unready: str


def examine(beats: Mapping[int, Beat], dead: Collection[int], processes: int, uptime: float, now: float) -> Health:
    """The health of a worker of so many `processes`, started `uptime` seconds ago.

    `dead` are those that do not run any more; `now` is on the clock of the beats.
    """
    ailment = next(filter(None, (_ailment(pid, beat, pid in dead, now) for pid, beat in sorted(beats.items()))), "")
    booted = sum(beat.phase is not Phase.BOOTING for beat in beats.values())
    if not ailment and booted < processes and uptime > BOOT_WITHIN:
        ailment = f"only {booted} of {processes} worker processes have booted within {uptime:.0f} s"
    if ailment:
        return Health(ailment, ailment)
    if any(beat.phase in {Phase.STOPPING, Phase.ENDED} for beat in beats.values()):
        return Health("", "the worker is stopping")
    return Health("", "" if booted == processes else f"{booted} of {processes} worker processes have booted")


def _ailment(pid: int, beat: Beat, is_dead: bool, now: float) -> str:
    if beat.phase is Phase.ENDED:
        return ""
    if is_dead:
        return f"the worker process {pid} has died"
    if now - beat.at > SILENCE:
        return f"the worker process {pid} has given no sign of life for {now - beat.at:.0f} s"
    return f"the worker process {pid} is stuck: {beat.trouble}" if beat.trouble else ""
