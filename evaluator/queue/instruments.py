"""What a worker process counts. The values lie in files of a folder, from which one process reads those of all."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Literal

from prometheus_client import Counter, Gauge, Histogram, values

from evaluator import metrics
from evaluator.metrics import Declaration

_VERDICTS = (
    ("passed", "enough"),
    ("failed", "not_enough"),
    ("frozen", "freeze"),
    ("exempt", "rest_day"),
    ("exempt", "absence"),
    *(("pending", reason) for reason in metrics.UNPROVEN),
)
"""What is decided, overrides aside."""


class Instruments:
    """The meters of this process. Every series is there from the start, at 0, so that its first rise is seen as one."""

    def __init__(self, *, shared: bool) -> None:
        """With `shared` the values lie in the folder."""
        if shared:
            # The library chooses when it is imported, which may have been before anybody knew of the folder.
            values.ValueClass = values.MultiProcessValue()
        self._jobs = _counter(metrics.JOBS)
        self._job_duration = _histogram(metrics.JOB_DURATION)
        self._in_progress = _gauge(metrics.JOBS_IN_PROGRESS, "livesum")
        self._heartbeat = _gauge(metrics.WORKER_HEARTBEAT, "livemin")
        self._recorded = _counter(metrics.EVALUATIONS_RECORDED, _VERDICTS)
        self._recording_duration = _histogram(metrics.RECORDING_DURATION)
        self._requests = _counter(metrics.LEETCODE_REQUESTS)
        self._request_duration = _histogram(metrics.LEETCODE_REQUEST_DURATION)
        self._batch_members = _histogram(metrics.BATCH_MEMBERS)
        self._pacer_wait = _histogram(metrics.PACER_WAIT)
        self.beat()  # or it would be 0 until then

    # Jobs

    def job_began(self, kind: str) -> None:
        self._in_progress.labels(kind).inc()

    def job_ended(self, kind: str, result: str, seconds: float) -> None:
        self._in_progress.labels(kind).dec()
        self._job_duration.labels(kind).observe(seconds)
        self._jobs.labels(kind, result).inc()

    def beat(self) -> None:
        self._heartbeat.set(time.time())

    # Evaluations

    @contextmanager
    def recording(self) -> Iterator[None]:
        with self._recording_duration.time():
            yield

    def recorded(self, verdicts: Iterable[tuple[str, str]]) -> None:
        for verdict, count in Tally(verdicts).items():
            self._recorded.labels(*verdict).inc(count)

    # Requests to LeetCode

    def waited(self, seconds: float) -> None:
        self._pacer_wait.observe(seconds)

    @contextmanager
    def request(self, members: int) -> Iterator[None]:
        if members:
            self._batch_members.observe(members)
        began = time.monotonic()
        try:
            yield
        except BaseException:
            self._requests.labels("retry_later").inc()
            raise
        finally:
            self._request_duration.observe(time.monotonic() - began)

    def answered(self, refusal: str | None) -> None:
        self._requests.labels(refusal or "answered").inc()


# Registered nowhere: whoever is scraped reads the files.


def _counter(declared: Declaration, series: Iterable[tuple[str, ...]] = ()) -> Counter:
    counter = Counter(declared.name, declared.help, list(declared.labels), registry=None)
    for labels in series or product(*declared.labels.values()):
        counter.labels(*labels)
    return counter


def _gauge(declared: Declaration, mode: Literal["livemin", "livesum"]) -> Gauge:
    """One of living processes: the least of them, or the sum."""
    gauge = Gauge(declared.name, declared.help, list(declared.labels), registry=None, multiprocess_mode=mode)
    for labels in product(*declared.labels.values()) if declared.labels else ():
        gauge.labels(*labels)
    return gauge


def _histogram(declared: Declaration) -> Histogram:
    labels, buckets = list(declared.labels), declared.buckets
    histogram = Histogram(declared.name, declared.help, labels, registry=None, buckets=buckets)
    for values_ in product(*declared.labels.values()) if labels else ():
        histogram.labels(*values_)
    return histogram
