"""What the API server itself enforces, and what it accepts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cluster.shell import CommandError
from tests.e2e.installers import NAME
from tests.e2e.release import WORKERS, Release

pytestmark = pytest.mark.e2e


def test_the_namespace_refuses_a_pod_with_rights(release: Release) -> None:
    """So every pod of the release, which runs there, has none."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "privileged"},
        "spec": {
            "containers": [
                {"name": "evaluator", "image": "evaluator", "securityContext": {"privileged": True}},
            ]
        },
    }
    with pytest.raises(CommandError, match='violates PodSecurity "restricted'):
        release.namespace.apply(pod)


def test_no_pod_can_speak_to_the_api_server(release: Release) -> None:
    for pod in release.pods(f"app.kubernetes.io/instance={NAME}"):
        mounts = [mount["mountPath"] for one in pod["spec"]["containers"] for mount in one["volumeMounts"]]
        assert not [path for path in mounts if "serviceaccount" in path]


def test_network_policies_are_accepted_and_deny_by_default(release: Release) -> None:
    """Whether they are enforced is up to the cluster's network; that of `tests.cluster` does not."""
    policies: list[dict[str, Any]] = release.namespace.get("networkpolicies")
    selected = {"Ingress", "Egress"}
    assert any(set(one["spec"]["policyTypes"]) == selected and not one["spec"].get("ingress") for one in policies)


def test_a_second_worker_is_not_evicted_while_the_first_is_away(release: Release) -> None:
    namespace = release.namespace
    first, second = (pod["metadata"]["name"] for pod in release.pods(WORKERS))

    def evict(name: str) -> None:
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        path = f"/api/v1/namespaces/{namespace.name}/pods/{name}/eviction"
        namespace("create", "--raw", path, "--filename=-", stdin=json.dumps(body))

    evict(first)
    with pytest.raises(CommandError, match="disruption budget"):
        evict(second)
    namespace.until("there are two again", lambda: all_ready(release))


def all_ready(release: Release) -> bool:
    pods = release.pods(WORKERS)
    conditions = [one["status"] for pod in pods for one in pod["status"]["conditions"] if one["type"] == "Ready"]
    return conditions == ["True", "True"]
