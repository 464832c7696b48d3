"""The metrics: their names, units, labels and meaning, declared in one place.

Who exposes them is told by `exposed_by`; the server reads `origin` when it is asked, a worker counts what it does.
`docs/metrics.md` is made of these declarations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
QUEUE_MESSAGES = Declaration(
    "evaluator_queue_messages",
    "gauge",
    "messages",
    "Messages in Redis: to be fetched, with a worker, to be fetched later, and given up. A message wakes a worker; it "
    "is no job.",
    "server",
    "Redis",
    {"queue": QUEUES, "state": ("ready", "in_flight", "delayed", "dead")},
)
EVALUATIONS = Declaration(
    "evaluator_evaluations",
    "gauge",
    "evaluations",
    "Members' days by state of the job: waiting and active in runs that are open, completed within "
    "RETENTION_COMPLETED, and failed, which were given up.",
    "server",
    "PostgreSQL",
    {"state": ("waiting", "active", "completed", "failed")},
)
UNSETTLED_EVALUATIONS = Declaration(
    "evaluator_unsettled_evaluations",
    "gauge",
    "evaluations",
    "Members' days that are due and not settled: waiting, active, of runs still queued, and pending for a later pass.",
    "server",
    "PostgreSQL",
)
PENDING_EVALUATIONS = Declaration(
    "evaluator_pending_evaluations",
    "gauge",
    "evaluations",
    "Members' days that were looked at and could not be decided, by reason.",
    "server",
    "PostgreSQL",
    {"reason": UNPROVEN},
)
MEMBERS_NEEDING_ATTENTION = Declaration(
    "evaluator_members_needing_attention",
    "gauge",
    "members",
    "Members with a pending day that only a person can mend: no_handle, user_not_found, profile_hidden.",
    "server",
    "PostgreSQL",
)
OLDEST_WAITING = Declaration(
    "evaluator_oldest_waiting_seconds",
    "gauge",
    "seconds",
    "For how long the oldest work has been waiting; 0 where none is.",
    "server",
    "PostgreSQL",
)
OLDEST_PENDING = Declaration(
    "evaluator_oldest_pending_seconds",
    "gauge",
    "seconds",
    "How long ago the oldest day fell due that is pending for anybody; 0 where none is.",
    "server",
    "PostgreSQL",
)
DRAIN = Declaration(
    "evaluator_drain_seconds",
    "gauge",
    "seconds",
    "How long it takes to settle what waits, is at work or is queued: at the rate of the last minutes (absent where "
    "there is work and no rate), and at the budget of requests to LeetCode.",
    "server",
    "PostgreSQL",
    {"by": ("measured", "budget")},
)
DEADLINE = Declaration(
    "evaluator_deadline_timestamp_seconds",
    "gauge",
    "seconds since the epoch",
    "When the next day falls due in a challenge that has work now; absent where none has.",
    "server",
    "PostgreSQL",
)
RUNS = Declaration(
    "evaluator_runs",
    "gauge",
    "runs",
    "Days of challenges that have a run and are not settled, by its state.",
    "server",
    "PostgreSQL",
    {"state": ("queued", "open", "pending")},
)
RUNS_DUE = Declaration(
    "evaluator_runs_due",
    "gauge",
    "runs",
    "Days of challenges that are due and not settled, also those without a run yet.",
    "server",
    "PostgreSQL",
)
RUNS_LATE = Declaration(
    "evaluator_runs_late",
    "gauge",
    "runs",
    "Those of the due days that have been due for more than 2 hours.",
    "server",
    "PostgreSQL",
)
LAST_SUCCESS = Declaration(
    "evaluator_last_success_timestamp_seconds",
    "gauge",
    "seconds since the epoch",
    "When a run was last settled; absent where none was.",
    "server",
    "PostgreSQL",
)
LAST_ENQUEUE = Declaration(
    "evaluator_last_enqueue_timestamp_seconds",
    "gauge",
    "seconds since the epoch",
    "When what is due was last enqueued, by who did it; absent for who never did.",
    "server",
    "PostgreSQL",
    {"by": ("command", "scheduler", "api", "keeper")},
)
CHALLENGES = Declaration(
    "evaluator_challenges",
    "gauge",
    "challenges",
    "Challenges by where they stand; closing: the last day is over, and not every day is settled.",
    "server",
    "PostgreSQL",
    {"state": ("upcoming", "running", "closing", "completed", "cancelled")},
)
MEMBERS = Declaration(
    "evaluator_members",
    "gauge",
    "members",
    "Members who are in a running challenge now.",
    "server",
    "PostgreSQL",
)
PAUSED = Declaration(
    "evaluator_paused",
    "gauge",
    "boolean",
    "Whether a person has paused the work.",
    "server",
    "PostgreSQL",
)
LEETCODE_PAUSED = Declaration(
    "evaluator_leetcode_paused_seconds",
    "gauge",
    "seconds",
    "What is left of the pause that all processes make since LeetCode refused; 0 where there is none.",
    "server",
    "Redis",
)
LEETCODE_BUDGET = Declaration(
    "evaluator_leetcode_budget_requests_per_second",
    "gauge",
    "requests per second",
    "What LEETCODE_REQUESTS_PER_SECOND allows all processes together.",
    "server",
    "settings",
)
WORKERS_ALIVE = Declaration(
    "evaluator_workers_alive",
    "gauge",
    "processes",
    "Worker processes that gave Redis a sign of life in the last 15 seconds.",
    "server",
    "Redis",
)
REDIS_MEMORY = Declaration(
    "evaluator_redis_memory_bytes",
    "gauge",
    "bytes",
    "Memory that Redis uses.",
    "server",
    "Redis",
)
REDIS_MEMORY_LIMIT = Declaration(
    "evaluator_redis_memory_limit_bytes",
    "gauge",
    "bytes",
    "Memory that Redis may use; 0: it has no limit.",
    "server",
    "Redis",
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
    {"action": ()},
)

# Of workers

JOBS = Declaration(
    "evaluator_jobs_total",
    "counter",
    "jobs",
    "Messages that were worked on, each attempt counted, by what came of it.",
    "worker",
    "process",
    {"type": _TYPES, "result": ("done", "put_off", "retried", "given_up", "failed")},
)
JOB_DURATION = Declaration(
    "evaluator_job_duration_seconds",
    "histogram",
    "seconds",
    "How long a message was worked on.",
    "worker",
    "process",
    {"type": _TYPES},
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0),
)
JOBS_IN_PROGRESS = Declaration(
    "evaluator_jobs_in_progress",
    "gauge",
    "jobs",
    "Messages that are being worked on.",
    "worker",
    "process",
    {"type": _TYPES},
)
EVALUATIONS_RECORDED = Declaration(
    "evaluator_evaluations_recorded_total",
    "counter",
    "evaluations",
    "Members' days that were decided and recorded, by outcome and reason; a pending day is recorded in each pass.",
    "worker",
    "process",
    {"outcome": ("passed", "failed", "pending", "exempt", "frozen"), "reason": (*_DECIDED, *UNPROVEN)},
)
LEETCODE_REQUESTS = Declaration(
    "evaluator_leetcode_requests_total",
    "counter",
    "requests",
    "Requests to LeetCode: answered, or how they failed as a whole; no_slot: none was sent, as the pacer gave no slot.",
    "worker",
    "process",
    {"class": ("answered", "retry_later", "slow_down", "bad_query", "no_slot")},
)
LEETCODE_REQUEST_DURATION = Declaration(
    "evaluator_leetcode_request_duration_seconds",
    "histogram",
    "seconds",
    "How long LeetCode took for a request that was sent, whatever came of it.",
    "worker",
    "process",
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0),
)
BATCH_MEMBERS = Declaration(
    "evaluator_batch_members",
    "histogram",
    "members",
    "How many members a request to LeetCode asked about.",
    "worker",
    "process",
    buckets=(1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 50.0, 100.0),
)
PACER_WAIT = Declaration(
    "evaluator_pacer_wait_seconds",
    "histogram",
    "seconds",
    "How long a request waited for its slot.",
    "worker",
    "process",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
RECORDING_DURATION = Declaration(
    "evaluator_recording_duration_seconds",
    "histogram",
    "seconds",
    "How long the transaction took that decides and records a batch.",
    "worker",
    "process",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
WORKER_HEARTBEAT = Declaration(
    "evaluator_worker_heartbeat_timestamp_seconds",
    "gauge",
    "seconds since the epoch",
    "When a worker process last gave a sign of life, by its own clock.",
    "worker",
    "process",
)

DECLARATIONS: tuple[Declaration, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Declaration)
)
"""All of them, in the order in which they are declared."""
