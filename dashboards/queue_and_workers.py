"""*Queue and workers*: what waits in Redis, what workers do with it, and the services they stand on."""

from __future__ import annotations

from dashboards.dashboard import Dashboard
from dashboards.panel import RED, YELLOW, Panel, Query, bars, figure, lines, of, quantile, rate, stat

_MESSAGES = "evaluator_queue_messages"
_JOBS = "evaluator_jobs_total"


def _state(state: str) -> str:
    matcher = f'state="{state}"'
    return f"sum ({figure(_MESSAGES, matcher, by='queue')})"


def _quantiles(title: str, description: str, histogram: str, by: str = "") -> Panel:
    named = f" of {{{{{by}}}}}" if by else ""
    queries = (
        Query(quantile(0.5, histogram, by), f"half{named} within"),
        Query(quantile(0.95, histogram, by), f"95 %{named} within"),
    )
    return lines(title, description, *queries, unit="s")


_QUEUE = (
    stat("Ready", "Messages that wait to be fetched, in both queues.", _state("ready")),
    stat("With workers", "Messages that workers have fetched: at work, or ahead of it.", _state("in_flight")),
    stat("For later", "Messages to be fetched later: further tries of a job.", _state("delayed")),
    stat(
        "Dead letters",
        "Messages that were given up by an error that nobody expected. The keeper drops them after a week.",
        _state("dead"),
        steps=((1, YELLOW),),
        alerts=("EvaluatorDeadLetters",),
    ),
    stat(
        "Oldest work",
        "For how long the oldest work has been waiting. On a night with many members it rises, and all is well.",
        figure("evaluator_oldest_waiting_seconds"),
        "s",
        steps=((7200, YELLOW),),
        words=((0, "None"),),
        alerts=("EvaluatorQueueStuck",),
    ),
    stat(
        "Workers",
        "Worker processes that gave Redis a sign of life in the last 15 seconds.",
        figure("evaluator_workers_alive"),
        alerts=("EvaluatorWorkersAbsent",),
    ),
    lines(
        "Messages by state",
        "What Redis holds. Of each day of a challenge at most 256 batches are in it at a time, so that their number"
        " says little about the work.",
        Query(figure(_MESSAGES, 'state!="dead"', by="queue, state"), "{{queue}}: {{state}}"),
        stacked=True,
    ),
    lines(
        "Members' days by state",
        "What the ledger holds: in batches that wait, and at work.",
        Query(figure("evaluator_evaluations", 'state=~"waiting|active"', by="state"), "{{state}}"),
        stacked=True,
    ),
)

_WORKERS = (
    lines(
        "Jobs ended a second",
        "Each attempt is counted: done, put off for want of a slot at LeetCode, tried again, given up, or failed by an"
        " error that nobody expected.",
        Query(rate(_JOBS, by="type, result") + " > 0", "{{type}}: {{result}}"),
        unit="ops",
        stacked=True,
        alerts=("EvaluatorJobsGivenUp", "EvaluatorDeadLetters"),
    ),
    lines(
        "Jobs at work",
        "Of all threads of all workers.",
        Query(f"sum by (type) ({of('evaluator_jobs_in_progress')})", "{{type}}"),
        stacked=True,
    ),
    _quantiles(
        "How long a job takes",
        "A challenge evaluation is a fan-out; a member evaluation is a batch, with its wait for a slot and for"
        " LeetCode.",
        "evaluator_job_duration_seconds",
        "type",
    ),
    _quantiles(
        "How long recording takes",
        "The transaction that decides and records a batch. Where it grows, Postgres is the bottleneck.",
        "evaluator_recording_duration_seconds",
    ),
    lines(
        "Workers that live",
        "As Redis sees it.",
        Query(figure("evaluator_workers_alive"), "worker processes"),
        alerts=("EvaluatorWorkersAbsent",),
    ),
    lines(
        "Last sign of life",
        "How long ago each worker gave one, by its own clock.",
        Query(f"time() - max by (instance) ({of('evaluator_worker_heartbeat_timestamp_seconds')})", "{{instance}}"),
        unit="s",
        steps=((60, RED),),
    ),
)

_SERVICES = (
    lines(
        "Services that answer",
        "1 where some server can read from it. Its figures are absent otherwise.",
        Query(figure("evaluator_source_up", by="source"), "{{source}}"),
        alerts=("EvaluatorPostgresUnreachable", "EvaluatorRedisUnreachable"),
    ),
    lines(
        "Last enqueued",
        "How long ago each of them last enqueued what is due. The keeper of a server does so every minute.",
        Query(f"time() - {figure('evaluator_last_enqueue_timestamp_seconds', by='by')}", "{{by}}"),
        unit="s",
        alerts=("EvaluatorNothingEnqueues", "EvaluatorScheduleSilent"),
    ),
    lines(
        "Memory of Redis",
        "And what it may use, where it has a limit.",
        Query(figure("evaluator_redis_memory_bytes"), "used"),
        Query(figure("evaluator_redis_memory_limit_bytes") + " > 0", "limit"),
        unit="bytes",
        alerts=("EvaluatorRedisMemory",),
    ),
    lines(
        "Keys that Redis threw away",
        "A second, for want of memory. There must be none.",
        Query(f"max (rate({of('evaluator_redis_evicted_keys_total')}[$__rate_interval]))", "keys"),
        unit="cps",
        alerts=("EvaluatorRedisEvicting",),
    ),
    lines(
        "What the keepers did",
        "In a second, of all servers: what was lost or waited and was sent, what was closed, retried, queued, pruned.",
        Query(rate("evaluator_keeper_actions_total", by="action"), "{{action}}"),
        unit="cps",
    ),
    bars(
        "Versions",
        "Processes by the version that they run: one, but during a rollout.",
        Query(f"count by (version) ({of('evaluator_build_info')})", "{{version}}"),
    ),
)

QUEUE_AND_WORKERS = Dashboard(
    "queue-and-workers",
    "queue and workers",
    "What waits in Redis, what workers do with it, and the services they stand on.",
    (("Queue", _QUEUE), ("Workers", _WORKERS), ("Services", _SERVICES)),
)
