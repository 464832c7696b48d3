"""`evaluator worker`: Dramatiq's own command line with our broker, logs and time limits."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import psycopg
import redis
import structlog
import typer

from evaluator.cli.session import FAILED, Session, open_session, read_settings, refuse
from evaluator.ledger.database import UNREACHABLE, Database
from evaluator.queue.actors import Again, GivenUp, declare_actors
from evaluator.queue.messages import QUEUES
from evaluator.tracing import start_tracing, tracer

_log = structlog.get_logger(__name__)

SHUTDOWN_MARGIN = 10.0
"""Seconds beyond JOB_TIME_LIMIT that a worker has to finish its jobs when it is told to stop."""

_COLLECT_EVERY = 20_000  # objects, some megabytes

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which the processes of a worker, and prometheus_client in them, are told their common folder."""


def worker(
    queues: Annotated[
        list[str] | None,
        typer.Option("--queue", "-Q", help="Serve only this queue, challenges or members; may be given twice."),
    ] = None,
) -> None:
    """Process messages until told to stop (SIGTERM or Ctrl-C); running jobs are finished first.

    WORKER_PROCESSES processes with WORKER_CONCURRENCY threads each. METRICS_PORT serves /metrics, /healthz and /readyz
    for all of them.

    Example: WORKER_CONCURRENCY=4 evaluator worker
    """
    wrong = sorted(set(queues or ()) - set(QUEUES.values()))
    if wrong:
        raise typer.BadParameter(f"{', '.join(wrong)}: there are the queues {', '.join(QUEUES.values())}")
    with open_session() as session:
        session.require_schema()
        session.broker.client.ping()
        settings = session.settings
    from dramatiq import cli

    from evaluator.queue.exposure import ExposureError, exposed

    arguments = ["evaluator.cli.worker:boot", "--skip-logging"]
    arguments += ["--processes", str(settings.worker_processes), "--threads", str(settings.worker_concurrency)]
    arguments += ["--worker-shutdown-timeout", str(int((settings.job_time_limit + SHUTDOWN_MARGIN) * 1000))]
    arguments += ["--queues", *queues] if queues else []
    os.environ.pop(FOLDER, None)
    with ExitStack() as stack:
        if settings.metrics_port:
            try:
                folder = stack.enter_context(exposed(settings.metrics_port, settings.worker_processes))
            except ExposureError as error:
                refuse(str(error))
            os.environ[FOLDER] = str(folder)
        sys.exit(cli.main(cli.make_argument_parser().parse_args(arguments)))


def boot() -> None:
    """Compose one worker process; Dramatiq calls it in each, after the fork."""
    # Dramatiq has put a pipe to the first process in its place, where a line costs 0.3 ms. A line is one write, which
    # Linux does not mingle with others; with lines of more than 4 kB it may, where a pipe is full.
    sys.stderr = sys.__stderr__
    try:
        _compose()
    except ImportError:
        raise  # which Dramatiq logs
    except Exception:  # noqa: BLE001  # whatever it is, multiprocessing would print it, line by line
        _log.critical("Worker process could not start", exc_info=True)
        sys.exit(FAILED)


def _compose() -> None:
    import dramatiq
    from dramatiq.middleware import TimeLimit

    from evaluator.cli.traced import TracedDatabase
    from evaluator.leetcode.pacer import Pacer
    from evaluator.queue.bound import Bound
    from evaluator.queue.broker import redis_client
    from evaluator.queue.heartbeat import Heartbeat
    from evaluator.queue.instruments import Instruments
    from evaluator.queue.joblog import JobLog
    from evaluator.queue.jobmeter import JobMeter
    from evaluator.queue.lifetime import Lifetime
    from evaluator.queue.retries import PersistentRetries
    from evaluator.queue.spans import Spans
    from evaluator.service.evaluate import Done, Evaluator, TryAgain, retry_delay
    from evaluator.service.fan_out import fan_out

    settings = read_settings()
    start_tracing(os.environ)
    retries = PersistentRetries(settings.job_attempts, settings.job_backoff, is_outage)
    database = (TracedDatabase if tracer() else Database)(
        settings.database_url, settings.worker_concurrency + 1, plans_once=True
    )
    folder = os.environ.get(FOLDER)
    instruments = Instruments(shared=folder is not None)
    spans = [Spans()] if tracer() else []
    # The last one hears first that a job is over: the time of a retry that waits for Redis is not limited.
    middleware = [Bound(), Lifetime(), JobMeter(instruments), retries, TimeLimit(), *spans, JobLog()]
    if folder is not None:
        middleware.append(Heartbeat(Path(folder), settings.job_time_limit, instruments.beat))
    session = Session(settings, database, middleware, instruments)
    evaluator = Evaluator(database, session.outbox, session.upstream, settings.job_attempts, instruments)

    def on_run(run_id: int) -> None:
        fan_out(database, session.outbox, run_id, settings.leetcode_users_per_request)

    def on_batch(run_id: int, batch: int) -> Again | GivenUp | None:
        result = evaluator.evaluate(run_id, batch)
        if isinstance(result, Done):
            return GivenUp(len(result.errors), result.errors[-1]) if result.errors else None
        return Again(retry_delay(result, settings.job_backoff), result.why, failed=isinstance(result, TryAgain))

    with redis_client(settings, timeout=1.0, retries=0) as hasty:  # a worker's start does not wait for it
        Pacer(hasty, settings.leetcode_requests_per_second).begin()
    _spare_collector()
    declare_actors(session.broker, on_run, on_batch, settings.job_time_limit)
    dramatiq.set_broker(session.broker)


def _spare_collector() -> None:
    """Have Python look for garbage less often, and not among what stays.

    A batch makes thousands of tuples and few cycles. By itself Python looks every 700 objects, in the end through all
    that is imported: a fifth of a worker's CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY)


def is_outage(error: BaseException) -> bool:
    """Whether a service that a job needs is away or busy: the job is tried again for as long as that lasts."""
    return isinstance(error, (*UNREACHABLE, redis.RedisError, psycopg.InterfaceError))
