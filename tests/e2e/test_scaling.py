"""Workers come with the work and go with it, by an HPA and by KEDA."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster import keda, prometheus
from tests.cluster.images import ROOT
from tests.e2e.conftest import Given
from tests.e2e.installers import NAME
from tests.e2e.release import WORKER, Release

pytestmark = [pytest.mark.e2e, pytest.mark.long]

MANUAL = ROOT / "docs/kubernetes.md"
MEMBERS = 400
"""At ten requests a second four days of them take 20 s."""

# As fast as it goes: a pod for each four messages, and away as soon as they are done.
AT_ONCE: dict[str, Any] = {
    "maxReplicas": 3,
    "answerSeconds": 1,
    "drainSeconds": 1,
    "behavior": {
        "scaleDown": {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 3, "periodSeconds": 1}]}
    },
}


@pytest.fixture
def external_metrics(given: Given, release: Release) -> Iterator[None]:
    if not given.ours:
        pytest.skip("it takes a Prometheus adapter, which is started beside the cluster of tests.cluster only")
    server = release.namespace.get(f"service/{NAME}-server")["spec"]["clusterIP"]
    rule = re.search(r"```yaml\n(externalRules:.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    assert rule, f"{MANUAL} shows no rule for prometheus-adapter"
    prometheus.start("evaluator_queue_messages", release.namespace.name, f"{server}:80", rule[1])
    yield
    prometheus.stop()


@pytest.fixture
def with_keda(given: Given) -> Iterator[None]:
    if not given.ours:
        pytest.skip("it takes KEDA, which is installed in the cluster of tests.cluster only")
    keda.start()
    yield
    keda.stop()


@pytest.mark.usefixtures("external_metrics")
def test_an_hpa_scales_by_the_servers_figure_of_messages(release: Release) -> None:
    release.install(autoscaling=AT_ONCE | {"mode": "hpa"})
    scales(release, "hpa", least=1)


@pytest.mark.usefixtures("with_keda")
def test_keda_starts_the_first_worker_and_stops_the_last(release: Release) -> None:
    # Once in four years; what it wants of KEDA it wants every day.
    warm = [{"start": "0 0 29 2 *", "end": "5 0 29 2 *", "replicas": 1}]
    quick = {"pollingInterval": 2, "cooldownPeriod": 5, "warm": warm}
    release.install(autoscaling=AT_ONCE | {"mode": "keda", "keda": quick})
    scales(release, "keda", least=0)


@pytest.mark.usefixtures("with_keda")
def test_one_autoscaler_may_follow_on_another(release: Release) -> None:
    """An HPA lets a Deployment without pods alone, so the chart starts the first one where KEDA has left none."""
    keda = AT_ONCE | {"mode": "keda", "keda": {"pollingInterval": 2, "cooldownPeriod": 5, "warm": []}}
    try:
        release.install(autoscaling=keda)
        release.namespace.until("KEDA has taken all away", lambda: replicas(release) == 0)
        for _ in range(2):  # in its last moments KEDA may take away once more what it has no say in any longer
            release.install(autoscaling={"mode": "hpa"})
        assert replicas(release) == 1
        release.install(autoscaling=keda)
        release.namespace.until("KEDA has taken all away again", lambda: replicas(release) == 0)
    finally:
        release.install()
    assert replicas(release) == 2


def scales(release: Release, challenge: str, least: int) -> None:
    """From the least number of workers to the most, and back, with everybody judged rightly."""
    namespace = release.namespace
    try:
        namespace.until(f"{least} workers are left", lambda: replicas(release) == least)
        release.grind.challenge(challenge, MEMBERS)
        release.enqueue(challenge)
        namespace.until("three are wanted", lambda: replicas(release) == 3)
        release.grind.check()
        namespace.until(f"{least} are left again", lambda: replicas(release) == least)
    finally:
        release.install()
    namespace.until("there are two as before", lambda: replicas(release) == 2)


def replicas(release: Release) -> int:
    return int(release.namespace.get(WORKER)["spec"]["replicas"])
