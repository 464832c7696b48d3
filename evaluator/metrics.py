"""The metrics: their names, units, labels and meaning, declared in one place.

The server reads its own when it is asked, a worker counts what it does. `python -m evaluator.metrics docs/metrics.md`
writes the tables of that page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["gauge", "counter", "histogram"]
Process = Literal["server", "worker", "both"]
Origin = Literal["PostgreSQL", "Redis", "process", "settings", "exporter"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """A metric under the name that is scraped. `labels` has all values that each label can have; none: any text.

    `unit` is what one of the value is, `origin` where the figure is read or counted. A histogram has `buckets`.
    """

    name: str
    kind: Kind
    unit: str
    help: str
    exposed_by: Process
    origin: Origin
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()


QUEUES = ("challenges", "members")
UNPROVEN = (
    "no_handle",
    "user_not_found",
    "profile_hidden",
    "upstream_unavailable",
    "internal_error",
    "evidence_incomplete",
    "evidence_contradictory",
    "difficulty_unknown",
)
"""The reasons of a pending day that was looked at."""

_DECIDED = ("override", "rest_day", "absence", "enough", "not_enough", "freeze")
_TYPES = ("challenge-evaluation", "member-evaluation")


def _ledger(name: str, unit: str, meaning: str, **labels: tuple[str, ...]) -> Declaration:
    return Declaration(name, "gauge", unit, meaning, "server", "PostgreSQL", labels)


def _redis(name: str, unit: str, meaning: str, **labels: tuple[str, ...]) -> Declaration:
    return Declaration(name, "gauge", unit, meaning, "server", "Redis", labels)


def _worker(
    name: str, kind: Kind, unit: str, meaning: str, buckets: tuple[float, ...] = (), **labels: tuple[str, ...]
) -> Declaration:
    return Declaration(name, kind, unit, meaning, "worker", "process", labels, buckets)


# Of both

BUILD_INFO = Declaration(
    "evaluator_build_info", "gauge", "none", "The version that runs; always 1.", "both", "process", {"version": ()}
)

# Of the server

SOURCE_UP = Declaration(
    "evaluator_source_up",
    "gauge",
    "boolean",
    "Whether the figures of this source could be read; if not, they are absent.",
    "server",
    "exporter",
    {"source": ("postgres", "redis")},
)

QUEUE_MESSAGES = _redis(
    "evaluator_queue_messages",
    "messages",
    "Messages in Redis: to be fetched, with a worker, to be fetched later, and given up. A message wakes a worker; "
    "it is no job.",
    queue=QUEUES,
    state=("ready", "in_flight", "delayed", "dead"),
)

EVALUATIONS = _ledger(
    "evaluator_evaluations",
    "evaluations",
    "Members' days by state of the job: waiting and active in runs that are open, completed within "
    "RETENTION_COMPLETED, and failed, which were given up.",
    state=("waiting", "active", "completed", "failed"),
)

UNSETTLED_EVALUATIONS = _ledger(
    "evaluator_unsettled_evaluations",
    "evaluations",
    "Members' days that are due and not settled: waiting, active, of runs still queued, and pending for a later pass.",
)

PENDING_EVALUATIONS = _ledger(
    "evaluator_pending_evaluations",
    "evaluations",
    "Members' days that were looked at and could not be decided, by reason.",
    reason=UNPROVEN,
)

MEMBERS_NEEDING_ATTENTION = _ledger(
    "evaluator_members_needing_attention",
    "members",
    "Members with a pending day that only a person can mend: no_handle, user_not_found, profile_hidden.",
)

OLDEST_WAITING = _ledger(
    "evaluator_oldest_waiting_seconds", "seconds", "For how long the oldest work has been waiting; 0 where none is."
)

OLDEST_PENDING = _ledger(
    "evaluator_oldest_pending_seconds",
    "seconds",
    "How long ago the oldest day fell due that is pending for anybody; 0 where none is.",
)

DRAIN = _ledger(
    "evaluator_drain_seconds",
    "seconds",
    "How long it takes to settle what waits, is at work or is queued: at the rate of the last minutes (absent where "
    "there is work and no rate), and at the budget of requests to LeetCode.",
    by=("measured", "budget"),
)

DEADLINE = _ledger(
    "evaluator_deadline_timestamp_seconds",
    "seconds since the epoch",
    "When the next day falls due in a challenge that has work now; absent where none has.",
)

RUNS = _ledger(
    "evaluator_runs",
    "runs",
    "Days of challenges that have a run and are not settled, by its state.",
    state=("queued", "open", "pending"),
)

RUNS_DUE = _ledger(
    "evaluator_runs_due", "runs", "Days of challenges that are due and not settled, also those without a run yet."
)

RUNS_LATE = _ledger("evaluator_runs_late", "runs", "Those of the due days that have been due for more than 2 hours.")

RUNS_STUCK = _ledger(
    "evaluator_runs_stuck",
    "runs",
    "Those of the late days that wait for us: no pass over them has come to its end yet. Those that are pending "
    "wait for LeetCode, or for a person.",
)

LAST_SUCCESS = _ledger(
    "evaluator_last_success_timestamp_seconds",
    "seconds since the epoch",
    "When a run was last settled; absent where none was.",
)

LAST_ENQUEUE = _ledger(
    "evaluator_last_enqueue_timestamp_seconds",
    "seconds since the epoch",
    "When what is due was last enqueued, by who did it; absent for who never did.",
    by=("command", "cronjob", "scheduler", "api", "keeper"),
)

CHALLENGES = _ledger(
    "evaluator_challenges",
    "challenges",
    "Challenges by where they stand; closing: the last day is over, and not every day is settled.",
    state=("upcoming", "running", "closing", "completed", "cancelled"),
)

CHALLENGES_UNREADABLE = _ledger(
    "evaluator_challenges_unreadable",
    "challenges",
    "Challenges that are not over, and whose rows in the ledger make no sense: none of their days is begun.",
)

MEMBERS = _ledger("evaluator_members", "members", "Members who are in a running challenge now.")

PAUSED = _ledger("evaluator_paused", "boolean", "Whether a person has paused the work.")

LEETCODE_PAUSED = _redis(
    "evaluator_leetcode_paused_seconds",
    "seconds",
    "What is left of the pause that all processes make since LeetCode refused; 0 where there is none.",
)

LEETCODE_BUDGET = Declaration(
    "evaluator_leetcode_budget_requests_per_second",
    "gauge",
    "requests per second",
    "What LEETCODE_REQUESTS_PER_SECOND allows all processes together.",
    "server",
    "settings",
)

WORKERS_ALIVE = _redis(
    "evaluator_workers_alive", "processes", "Worker processes that gave Redis a sign of life in the last 15 seconds."
)

REDIS_MEMORY = _redis("evaluator_redis_memory_bytes", "bytes", "Memory that Redis uses.")

REDIS_MEMORY_LIMIT = _redis(
    "evaluator_redis_memory_limit_bytes", "bytes", "Memory that Redis may use; 0: it has no limit."
)

REDIS_EVICTED_KEYS = Declaration(
    "evaluator_redis_evicted_keys_total",
    "counter",
    "keys",
    "Keys that Redis threw away for want of memory, since it started.",
    "server",
    "Redis",
)

KEEPER_ACTIONS = Declaration(
    "evaluator_keeper_actions_total",
    "counter",
    "actions",
    "What the keeper of this server did; of all servers the sum is what was done.",
    "server",
    "process",
    {
        "action": (
            "messages_returned",
            "dead_letters_dropped",
            "runs_resent",
            "batches_resent",
            "runs_retried",
            "runs_closed",
            "runs_queued",
            "batches_pruned",
            "failures_forgotten",
        )
    },
)

# Of workers

JOBS = _worker(
    "evaluator_jobs_total",
    "counter",
    "jobs",
    "Messages that were worked on, each attempt counted, by what came of it.",
    type=_TYPES,
    result=("done", "put_off", "retried", "given_up", "failed"),
)

JOB_DURATION = _worker(
    "evaluator_job_duration_seconds",
    "histogram",
    "seconds",
    "How long a message was worked on.",
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0),
    type=_TYPES,
)

JOBS_IN_PROGRESS = _worker(
    "evaluator_jobs_in_progress", "gauge", "jobs", "Messages that are being worked on.", type=_TYPES
)

EVALUATIONS_RECORDED = _worker(
    "evaluator_evaluations_recorded_total",
    "counter",
    "evaluations",
    "Members' days that were decided and recorded, by outcome and reason; a pending day is recorded in each pass.",
    outcome=("passed", "failed", "pending", "exempt", "frozen"),
    reason=(*_DECIDED, *UNPROVEN),
)

LEETCODE_REQUESTS = Declaration(
    "evaluator_leetcode_requests_total",
    "counter",
    "requests",
    "Requests that were sent to LeetCode: answered, or what is to be done as they failed as a whole.",
    "worker",
    "process",
    {"class": ("answered", "retry_later", "slow_down", "bad_query")},
)

LEETCODE_REQUEST_DURATION = _worker(
    "evaluator_leetcode_request_duration_seconds",
    "histogram",
    "seconds",
    "How long LeetCode took for a request that was sent, whatever came of it.",
    (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0),
)

BATCH_MEMBERS = _worker(
    "evaluator_batch_members",
    "histogram",
    "members",
    "How many members a request to LeetCode asked about.",
    (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 50.0, 100.0),
)

PACER_WAIT = _worker(
    "evaluator_pacer_wait_seconds",
    "histogram",
    "seconds",
    "How long a request waited for its slot.",
    (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)

RECORDING_DURATION = _worker(
    "evaluator_recording_duration_seconds",
    "histogram",
    "seconds",
    "How long a transaction took that decides and records batches.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)

WORKER_HEARTBEAT = _worker(
    "evaluator_worker_heartbeat_timestamp_seconds",
    "gauge",
    "seconds since the epoch",
    "When a worker process last gave a sign of life, by its own clock; of several processes the one silent longest.",
)

DECLARATIONS: tuple[Declaration, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Declaration)
)
"""All of them, in the order in which they are declared."""

_TABLE = re.compile(r"(<!-- of a (server|worker), by `make docs` -->\n).*?(<!-- end -->)", re.DOTALL)
_HEAD = "| name | type | unit | labels | means | from |\n|---|---|---|---|---|---|"


def documented(page: str) -> str:
    """The page with its tables as they are to be."""
    return _TABLE.sub(lambda found: f"{found[1]}{_table(found[2])}\n{found[3]}", page)


def _table(process: str) -> str:
    rows = [_row(declaration) for declaration in DECLARATIONS if declaration.exposed_by in {process, "both"}]
    return "\n".join([_HEAD, *rows])


def _row(of: Declaration) -> str:
    labels = "<br>".join(
        f"`{label}`: {', '.join(f'`{value}`' for value in values)}" if values else f"`{label}`"
        for label, values in of.labels.items()
    )
    return f"| `{of.name}` | {of.kind} | {of.unit} | {labels} | {of.help} | {of.origin} |"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(documented(path.read_text(encoding="utf-8")), encoding="utf-8")
