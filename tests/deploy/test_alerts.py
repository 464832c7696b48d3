"""Each alert fires when its fault is provoked in the real application, no other does, and it clears.

Prometheus reads the rules themselves, with `for` and ranges shortened (`hurried`); thresholds are as in production, so
where hours would have to pass the ledger is told that they did. What several alerts have in common is done in one go.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

from tests.deploy.night import Night
from tests.faults.arena import handles
from tests.integration.program import until

TODAY = datetime.now(UTC).date()
MEMBERS = handles("member", 64)


def test_from_installation_to_a_night_without_workers(night: Night) -> None:
    """No server; a first installation; work without workers; a queue that nobody serves; a pause."""
    arena, prometheus = night.arena, night.prometheus
    prometheus.fires("EvaluatorExporterAbsent")
    settings = {"SETTLE_DELAY": due_again_in(minutes=30), "LEETCODE_REQUESTS_PER_SECOND": "0.005"}
    night.server(**settings)
    prometheus.fires()

    arena.scene.challenge("grind", MEMBERS, starts=TODAY - timedelta(4), ends=TODAY + timedelta(9), timezone="Etc/UTC")
    arena.run("enqueue", **settings)
    told = prometheus.fires("EvaluatorWorkersAbsent", "EvaluatorDayLate", "EvaluatorWillMissDeadline")
    assert told["EvaluatorWorkersAbsent"] == "No worker runs, and days are queued or open: 3"
    assert told["EvaluatorDayLate"] == "Days that are not settled two hours after they fell due: 3"

    night.worker("--queue", "challenges")
    prometheus.fires("EvaluatorQueueStuck", "EvaluatorDayLate", "EvaluatorWillMissDeadline")

    arena.run("queue", "pause")
    prometheus.fires("EvaluatorPaused")
    arena.run("queue", "resume")
    prometheus.fires("EvaluatorQueueStuck", "EvaluatorDayLate", "EvaluatorWillMissDeadline")


def test_leetcode_fails_for_some_then_for_most_then_asks_for_an_hour(night: Night) -> None:
    """Members without an answer are given up, and tried again by hand; requests fail; a 429 has a Retry-After."""
    arena, prometheus = night.arena, night.prometheus
    night.server()
    night.worker(LEETCODE_USERS_PER_REQUEST="1")
    arena.challenge("grind", MEMBERS[:8], days=1)
    arena.leetcode.goes_wrong("user_error", handles=MEMBERS[:2])
    arena.run("enqueue", LEETCODE_USERS_PER_REQUEST="1")
    told = prometheus.fires("EvaluatorJobsGivenUp", "EvaluatorPendingOld", "EvaluatorDayLate")
    assert told["EvaluatorJobsGivenUp"] == "Members' days that were given up after all their attempts: 2"
    arena.leetcode.recovers()
    arena.run("queue", "retry")
    arena.finish(keeping=False)
    prometheus.fires()

    arena.challenge("spree", MEMBERS[8:56], days=4)
    arena.leetcode.goes_wrong("server_error", share=0.65)
    arena.run("enqueue", LEETCODE_USERS_PER_REQUEST="1")
    until(lambda: "EvaluatorLeetCodeRefusing" in prometheus.firing(), within=60)
    assert prometheus.firing()["EvaluatorLeetCodeRefusing"].endswith("% of the requests")
    arena.leetcode.recovers()
    arena.finish(keeping=False, hurrying=True)
    prometheus.fires()

    arena.challenge("sprint", MEMBERS[56:], days=1)
    arena.leetcode.goes_wrong("rate_limited", retry_after="3600")
    arena.run("enqueue")
    told = prometheus.fires("EvaluatorLeetCodePaused", "EvaluatorDayLate")
    assert told["EvaluatorLeetCodePaused"].startswith("LeetCode asked for a pause: no request for another 59m ")
    arena.leetcode.recovers()
    arena.client.delete("evaluator:pacer")
    until(lambda: "EvaluatorLeetCodePaused" not in prometheus.firing())


def test_services_run_full_and_go_away(night: Night) -> None:
    """Redis near its limit; at it; the same with a policy that evicts; Postgres read-only; no Redis and no Postgres."""
    arena, prometheus = night.arena, night.prometheus
    night.server()
    prometheus.fires()

    fill(night)
    used = int(arena.client.info("memory")["used_memory"])
    arena.client.config_set("maxmemory", int(used * 1.1))
    told = prometheus.fires("EvaluatorRedisMemory")
    assert told["EvaluatorRedisMemory"].startswith("Redis uses 9")
    arena.client.config_set("maxmemory", int(used * 0.9))
    until(lambda: prometheus.firing().get("EvaluatorRedisMemory", "").startswith("Redis uses 11"))
    prometheus.fires("EvaluatorRedisMemory")
    code, said = night.doctor()
    assert code == 75
    assert "when it is full it takes no message" in said
    assert re.search(r"bad workers Redis at \S+ is full: ", said)

    arena.client.config_set("maxmemory-policy", "allkeys-random")
    until(lambda: evicting(night))
    arena.client.config_set("maxmemory", 0)
    arena.client.config_set("maxmemory-policy", "noeviction")
    prometheus.fires()

    arena.as_superuser(arena.about_database("ALTER DATABASE DB SET default_transaction_read_only = on"))
    code, said = night.doctor()
    assert code == 1
    assert "bad PostgreSQL it takes no writes: " in said
    arena.as_superuser(arena.about_database("ALTER DATABASE DB RESET default_transaction_read_only"))

    arena.redis.stop()
    arena.postgres.stop()
    prometheus.fires("EvaluatorRedisUnreachable", "EvaluatorPostgresUnreachable")
    arena.postgres.start()
    prometheus.fires("EvaluatorRedisUnreachable")
    arena.redis.start()
    prometheus.fires()


def evicting(night: Night) -> bool:
    """Whether that alert fires; else Redis is given more than it can hold."""
    fill(night)
    return "EvaluatorRedisEvicting" in night.prometheus.firing()


def fill(night: Night) -> None:
    """Somebody else keeps 20 MB in our Redis."""
    for number in range(200):
        night.arena.client.set(f"somebody-else:{number}", "x" * 100_000)


def test_nobody_enqueues_and_a_message_makes_no_sense(night: Night) -> None:
    """The keepers' lock is held by a process that does nothing, and the ledger says that a day has passed since."""
    arena, prometheus = night.arena, night.prometheus
    with night.without_keeper():
        night.server()
        scheduled = f"evaluator-enqueue-{int(time.time()) // 60}"
        arena.run("enqueue", JOB_NAME=scheduled)
        arena.scene.execute("UPDATE enqueues SET enqueued_at = now() - interval '27 hours'")
        told = prometheus.fires("EvaluatorNothingEnqueues", "EvaluatorScheduleSilent")
        assert told["EvaluatorScheduleSilent"].startswith("The schedule has not fired for 1d 3h 0m")
        arena.run("enqueue", JOB_NAME=scheduled)
        prometheus.fires()

    night.worker()
    arena.client.rpush("evaluator:members", "junk")
    arena.client.hset("evaluator:members.msgs", "junk", "junk")
    told = prometheus.fires("EvaluatorDeadLetters")
    assert told["EvaluatorDeadLetters"] == "Messages that became dead letters within the hour: 1"
    prometheus.fires()


def test_a_challenge_makes_no_sense(night: Night) -> None:
    """It is counted when the server starts, and once a minute."""
    arena = night.arena
    arena.scene.challenge("broken", MEMBERS[:2], starts=TODAY + timedelta(4), ends=TODAY + timedelta(9))
    arena.scene.execute("DELETE FROM rules WHERE challenge_id = 'broken'")
    night.server()
    told = night.prometheus.fires("EvaluatorChallengeUnreadable")
    assert told["EvaluatorChallengeUnreadable"] == "Challenges that cannot be read, and of which no day is begun: 1"


def due_again_in(minutes: float) -> str:
    """A SETTLE_DELAY with which the days of a challenge in UTC fall due so many minutes from now."""
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return f"{(now - midnight + timedelta(minutes=minutes)) / timedelta(seconds=1):.0f}s"
