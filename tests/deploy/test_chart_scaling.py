"""How many workers there are: by hand, by the HPA, by KEDA; and never more than LeetCode's pace has work for."""

from __future__ import annotations

from math import ceil

import pytest
import redis
from dramatiq.common import dq_name

from evaluator.queue.broker import NAMESPACE, Broker
from evaluator.queue.messages import QUEUES, member_message
from tests.deploy.chart import HELMS, NEEDED, Object, mistakes, notes, render, with_needed


def scaling(mode: str, **values: object) -> Object:
    return with_needed({"autoscaling": {"mode": mode, **values}})


@pytest.mark.parametrize(
    ("mode", "kinds"), [("none", set()), ("hpa", {"HorizontalPodAutoscaler"}), ("keda", {"ScaledObject"})]
)
def test_there_is_one_autoscaler_at_most_and_it_owns_the_replicas(mode: str, kinds: set[str]) -> None:
    rendered = render(scaling(mode))
    found = {thing["kind"] for thing in rendered.objects} & {"HorizontalPodAutoscaler", "ScaledObject"}
    assert found == kinds
    worker = rendered.one("Deployment", "evaluator-worker-all")["spec"]
    assert ("replicas" in worker) == (mode == "none")
    assert rendered.one("Deployment", "evaluator-server")["spec"]["replicas"] == 2


def test_keda_counts_the_messages_of_all_queues_wherever_they_are() -> None:
    """The keys are those of the broker: waiting, fetched and in flight in one hash, delayed in another."""
    spec = render(scaling("keda")).one("ScaledObject", "evaluator-worker-all")["spec"]
    redis = {trigger["name"]: trigger["metadata"] for trigger in spec["triggers"] if trigger["type"] == "redis"}
    expected = {
        name: f"{NAMESPACE}:{queue}.msgs"
        for known in QUEUES.values()
        for name, queue in ((known, known), (f"{known}_delayed", dq_name(known)))
    }
    assert {name: metadata["listName"] for name, metadata in redis.items()} == expected
    assert {metadata["address"] for metadata in redis.values()} == {"redis.example:6379"}
    formula = spec["advanced"]["scalingModifiers"]["formula"]
    assert formula == "max(challenges + challenges_delayed + members + members_delayed, 74 * warm_0)"
    assert spec["advanced"]["scalingModifiers"]["target"] == "74"  # 10 threads x 10 s / 1.35 s
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (0, 3)
    assert "fallback" not in spec


def test_what_a_worker_has_fetched_is_counted_until_it_is_done(redis_client: redis.Redis) -> None:
    """So nobody is scaled to zero in the middle of a task. LLEN of the queue would say that nothing is to do."""
    spec = render(scaling("keda")).one("ScaledObject", "evaluator-worker-all")["spec"]
    redis_triggers = [trigger["metadata"] for trigger in spec["triggers"] if trigger["type"] == "redis"]

    def counted() -> int:
        return sum(redis_client.hlen(trigger["listName"]) for trigger in redis_triggers)

    broker = Broker(redis_client, ())
    broker.enqueue_many([member_message(1, batch) for batch in range(6)])
    broker.enqueue(member_message(1, 6), delay=60_000)
    consumer = broker.consume("members", prefetch=16, timeout=100)
    fetched = [next(consumer) for _ in range(6)]
    assert next(consumer) is None
    assert redis_client.llen(f"{NAMESPACE}:members") == 0
    assert counted() == 7
    for done, message in enumerate(fetched, start=1):
        assert message is not None
        consumer.ack(message)
        assert counted() == 7 - done


def test_keda_warms_a_worker_before_the_run_in_the_zone_of_the_cronjob() -> None:
    values = scaling("keda", keda={"warm": [{"start": "55 0 * * *", "end": "30 1 * * *", "replicas": 2}]})
    values["cronJob"] = {"schedule": "0 1 * * *", "timeZone": "Asia/Kolkata"}
    spec = render(values).one("ScaledObject", "evaluator-worker-all")["spec"]
    (cron,) = (trigger for trigger in spec["triggers"] if trigger["type"] == "cron")
    assert cron == {
        "type": "cron",
        "name": "warm_0",
        "metadata": {
            "timezone": "Asia/Kolkata",
            "start": "55 0 * * *",
            "end": "30 1 * * *",
            "desiredReplicas": "2",
        },
    }
    cold = render(scaling("keda", keda={"warm": []})).one("ScaledObject", "evaluator-worker-all")["spec"]
    formula = cold["advanced"]["scalingModifiers"]["formula"]
    assert formula == "challenges + challenges_delayed + members + members_delayed"


def test_keda_has_the_password_and_tls_of_redis() -> None:
    redis = {"host": "redis.example", "port": 6390, "db": 3, "existingSecret": "cache", "passwordKey": "pass"}
    rendered = render({**NEEDED, "redis": redis, "autoscaling": {"mode": "keda", "keda": {"redisTLS": True}}})
    (authentication,) = rendered.of("TriggerAuthentication")
    assert authentication["spec"]["secretTargetRef"] == [{"parameter": "password", "name": "cache", "key": "pass"}]
    for trigger in rendered.one("ScaledObject", "evaluator-worker-all")["spec"]["triggers"]:
        if trigger["type"] == "redis":
            assert trigger["authenticationRef"] == {"name": authentication["metadata"]["name"]}
            assert trigger["metadata"]["address"] == "redis.example:6390"
            assert trigger["metadata"]["databaseIndex"] == "3"
            assert trigger["metadata"]["enableTLS"] == "true"
    assert render(scaling("keda")).of("TriggerAuthentication") == []


def test_redis_may_have_an_address_of_ipv6() -> None:
    rendered = render(scaling("keda") | {"redis": {"host": "[fd00::1]"}})
    triggers = rendered.one("ScaledObject", "evaluator-worker-all")["spec"]["triggers"]
    assert triggers[0]["metadata"]["address"] == "[fd00::1]:6379"
    assert rendered.one("ConfigMap", "evaluator")["data"]["REDIS_HOST"] == "[fd00::1]"


def test_keda_may_have_credentials_of_its_own() -> None:
    """For what the chart knows nothing of: a user of Redis, an authority, a vault."""
    redis = {"host": "redis.example", "existingSecret": "cache"}
    values = {**NEEDED, "redis": redis, "autoscaling": {"mode": "keda", "keda": {"authenticationRef": "mine"}}}
    rendered = render(values)
    assert rendered.of("TriggerAuthentication") == []
    triggers = rendered.one("ScaledObject", "evaluator-worker-all")["spec"]["triggers"]
    named = [trigger["authenticationRef"] for trigger in triggers if trigger["type"] == "redis"]
    assert named == [{"name": "mine"}] * 4


def test_keda_may_take_over_from_the_hpa() -> None:
    """Helm makes the ScaledObject before it takes the HPA away, and KEDA refuses a second owner of a Deployment."""
    (hpa,) = render(scaling("hpa")).of("HorizontalPodAutoscaler")
    assert hpa["metadata"]["annotations"] == {"validations.keda.sh/hpa-ownership": "false"}


@pytest.mark.parametrize(("kubernetes", "may"), [("1.36.4", False), ("1.37.0", True), ("1.38.1-eks-1", True)])
def test_an_hpa_starts_the_first_pod_where_kubernetes_lets_it(kubernetes: str, may: bool) -> None:
    values = scaling("hpa", minReplicas=0)
    if may:
        (hpa,) = render(values, kubernetes=kubernetes).of("HorizontalPodAutoscaler")
        assert hpa["spec"]["minReplicas"] == 0
    else:
        (line,) = mistakes(values, kubernetes=kubernetes)
        assert line.startswith("autoscaling.minReplicas: an HPA can't start the first pod of pool all")


def test_an_hpa_needs_the_figure_of_a_server() -> None:
    (line,) = mistakes(scaling("hpa") | {"server": {"replicas": 0}})
    assert line.startswith("server.replicas: 0 leaves an HPA without")


def test_the_hpa_reads_a_figure_of_the_server_which_outlives_all_workers() -> None:
    spec = render(scaling("hpa")).one("HorizontalPodAutoscaler", "evaluator-worker-all")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 3)
    (metric,) = spec["metrics"]
    assert metric["external"]["metric"]["name"] == "evaluator_queue_messages"
    labels = {part["key"]: part["values"] for part in metric["external"]["metric"]["selector"]["matchExpressions"]}
    assert labels == {"queue": ["challenges", "members"], "state": ["ready", "in_flight", "delayed"]}
    assert metric["external"]["target"] == {"type": "AverageValue", "averageValue": "74"}
    own = scaling("hpa", hpa={"metric": "backlog", "selector": {"matchLabels": {"app": "evaluator"}}})
    (metric,) = render(own).one("HorizontalPodAutoscaler", "evaluator-worker-all")["spec"]["metrics"]
    assert metric["external"]["metric"] == {"name": "backlog", "selector": {"matchLabels": {"app": "evaluator"}}}


def test_pods_go_one_at_a_time_and_not_at_once() -> None:
    hpa = render(scaling("hpa")).one("HorizontalPodAutoscaler", "evaluator-worker-all")["spec"]["behavior"]
    keda = render(scaling("keda")).one("ScaledObject", "evaluator-worker-all")["spec"]
    assert hpa["scaleDown"]["stabilizationWindowSeconds"] == 300
    assert hpa["scaleDown"]["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 60}]
    assert keda["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == hpa
    assert keda["cooldownPeriod"] == 300


@pytest.mark.parametrize(
    ("rate", "answer", "threads"),
    [(20, 1.35, 10), (20, 1.35, 1), (1, 0.5, 10), (50, 2, 20), (40, 2.5, 10), (3.5, 4, 2)],
)
def test_more_pods_than_the_pace_keeps_busy_are_refused(rate: float, answer: float, threads: int) -> None:
    useful = ceil(rate * answer / threads)
    values = scaling("keda", answerSeconds=answer, maxReplicas=useful)
    values["settings"] = {"LEETCODE_REQUESTS_PER_SECOND": rate, "WORKER_CONCURRENCY": threads}
    render(values)
    values["autoscaling"]["maxReplicas"] = useful + 1
    (line,) = mistakes(values)
    assert line.startswith(f"autoscaling.maxReplicas: {useful + 1} x {threads} threads are more than")
    assert f" = {useful} pods" in line


@pytest.mark.parametrize("helm", HELMS)
def test_pools_share_the_pace(helm: str) -> None:
    """Threads of all pools that ask LeetCode count; those of the other queue don't."""
    pools: Object = {
        "all": None,
        "runs": {"queues": ["challenges"], "maxReplicas": 50},
        "wide": {"queues": ["members"], "concurrency": 10, "processes": 2, "maxReplicas": 1},
        "thin": {"queues": ["members"], "concurrency": 2, "maxReplicas": 4},
    }
    values = scaling("hpa")
    values["worker"] = {"pools": pools}
    rendered = render(values, helm=helm)  # 20 + 4 x 2 threads, less one pod of 2, are fewer than 27
    targets = {
        scaler["metadata"]["name"]: scaler["spec"]["metrics"][0]["external"]["target"]["averageValue"]
        for scaler in rendered.of("HorizontalPodAutoscaler")
    }
    assert targets == {
        "evaluator-worker-runs": "74",
        "evaluator-worker-wide": "148",
        "evaluator-worker-thin": "14",
    }
    pools["thin"]["maxReplicas"] = 5
    (line,) = mistakes(values, helm)
    assert "5 x 2 + 1 x 20 threads are more than LeetCode's pace keeps busy" in line


def test_fixed_replicas_are_only_warned_of() -> None:
    assert "threads" not in notes(with_needed({"worker": {"replicas": 3}}))
    assert "worker.replicas: 4 x 10 threads are more" in notes(with_needed({"worker": {"replicas": 4}}))
