"""The occasion of an enqueue: what its environment says that it was started for.

On Kubernetes nobody passes options: a Job made from a CronJob takes its command as it is. What differs is its name,
which its pod is told as JOB_NAME, and perhaps EVALUATION_DAY.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import structlog

from evaluator.domain.day import read_date

_DAY = re.compile(r"(?:^|-)(\d{4}-\d\d-\d\d)$", re.ASCII)
_MINUTES = re.compile(r"-(\d{1,12})$", re.ASCII)

_EARLY = 60  # seconds that the clock of a schedule may be ahead of Postgres'
_LATE = 7 * 86_400  # seconds after which a number at the end of a name is no schedule's

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Occasion:
    """`day` is the one to settle, None for all that are due; `scheduled` is when it was to start, by its name."""

    day: date | None = None
    scheduled: int | None = None


class OccasionError(Exception):
    """The environment names a day that there is not; the message is for people."""


def read_occasion(environ: Mapping[str, str]) -> Occasion:
    """What EVALUATION_DAY says, or else JOB_NAME. Raises OccasionError.

    A name that ends in a date asks for that day; one that ends in a number may be a CronJob's, which ends in the
    minutes since the epoch of its schedule; any other says nothing.
    """
    said, name = environ.get("EVALUATION_DAY", "").strip(), environ.get("JOB_NAME", "").strip()
    if said:
        return Occasion(_day(said, f"EVALUATION_DAY={said!r}"))
    if found := _DAY.search(name):
        return Occasion(_day(found[1], f"JOB_NAME={name!r} ends in {found[1]}, which"))
    if found := _MINUTES.search(name):
        return Occasion(scheduled=int(found[1]) * 60)
    return Occasion()


def _day(text: str, where: str) -> date:
    try:
        return read_date(text)
    except ValueError:
        raise OccasionError(f"{where} is not a date; write it as 2026-11-20") from None


def await_schedule(occasion: Occasion, clock: Callable[[], int], sleep: Callable[[float], None] = time.sleep) -> bool:
    """Whether a schedule is the occasion. Returns when Postgres' clock has come to its time, and tells how late it is.

    What is due at that time is what is due now, and what fell due since: nothing is missed by being late. Being early,
    by a clock that is ahead of Postgres', would miss a day until the next schedule. A time that is further away is
    none: the number at the end of the name means something else.
    """
    scheduled, now = occasion.scheduled, clock()
    if scheduled is None or not scheduled - _EARLY <= now <= scheduled + _LATE:
        return False
    while (early := scheduled - clock()) > 0:
        sleep(early)
    when = datetime.fromtimestamp(scheduled, UTC).isoformat().replace("+00:00", "Z")
    _log.info("Enqueue was scheduled", scheduled=when, late_seconds=max(0, now - scheduled))
    return True
