"""The chart as a whole: what every example renders to, and what linters say about it."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.deploy.chart import CHART, EXAMPLES, HELMS, NEEDED, Object, containers, render, tool
from tests.deploy.linters import KUBERNETES, conform, run, score

CHECKOV_IGNORED = {
    "CKV_K8S_11": "no limit of CPU, which would only make threads wait",
    "CKV_K8S_15": "tags name versions, and don't change; Always would need the registry at each start",
    "CKV_K8S_21": "the namespace is said to Helm",
    "CKV_K8S_43": "image.digest does that",
}
CHECKOV_ACCEPTED = {
    ("CKV_K8S_8", "Pod.default.evaluator-test"): "the pod of `helm test` is a job, and has no probes",
    ("CKV_K8S_9", "Pod.default.evaluator-test"): "the pod of `helm test` is a job, and has no probes",
    ("CKV_K8S_8", "StatefulSet.default.evaluator-redis"): "for development: readiness is enough",
    ("CKV_K8S_8", "StatefulSet.default.evaluator-postgres"): "for development: readiness is enough",
    ("CKV_K8S_40", "StatefulSet.default.evaluator-redis"): "999 is the user of the image",
    ("CKV_K8S_40", "StatefulSet.default.evaluator-postgres"): "999 is the user of the image",
}

EVERYTHING = CHART / "ci/everything-values.yaml"
LINTED = [example for example in EXAMPLES if example != EVERYTHING]
"""The other one switches off, to try the switches, what linters look for."""

examples = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name.removesuffix("-values.yaml"))


@examples
def test_both_helms_render_the_same(example: Path) -> None:
    three, four = (sorted(render(example, helm=helm).objects, key=str) for helm in HELMS)
    assert three == four


@examples
@pytest.mark.parametrize("helm", HELMS)
def test_helm_lints_strictly(example: Path, helm: str) -> None:
    run(tool(helm), "lint", "--strict", CHART, "--values", example, "--kube-version", "1.34.0")


@examples
@pytest.mark.parametrize("kubernetes", KUBERNETES)
def test_kubernetes_knows_every_field(example: Path, kubernetes: str) -> None:
    conform(render(example).text, kubernetes)


@pytest.mark.parametrize("example", LINTED, ids=lambda path: path.name.removesuffix("-values.yaml"))
def test_kube_score_finds_nothing(example: Path) -> None:
    score(render(example).text)


def test_checkov_finds_nothing(tmp_path: Path) -> None:
    rendered, scratch = tmp_path / "rendered", tmp_path / "scratch"
    rendered.mkdir()
    scratch.mkdir()
    for example in LINTED:
        (rendered / example.name).write_text(render(example).text)
    arguments = ["--framework=kubernetes", f"--directory={rendered}", "--output=json", "--compact", "--quiet"]
    ignored = [f"--skip-check={','.join(CHECKOV_IGNORED)}"]
    # Its parser of Terraform leaves a cache among the temporary files.
    environment = os.environ | {"TMPDIR": str(scratch)}
    done = subprocess.run(
        [tool("checkov"), *arguments, *ignored],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=environment,
    )
    report = json.loads(done.stdout)
    assert report["summary"]["passed"] > 500
    found = {(check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]}
    assert found == set(CHECKOV_ACCEPTED)


@examples
def test_no_name_is_given_twice(example: Path) -> None:
    counted = Counter(render(example).names())
    assert [name for name, times in counted.items() if times > 1] == []


@examples
def test_what_a_pod_names_is_there(example: Path) -> None:
    """ServiceAccounts, volumes of mounts, ports of probes, ConfigMaps; and no variable is set twice."""
    rendered = render(example)
    accounts = {account["metadata"]["name"] for account in rendered.of("ServiceAccount")} | {"existing", None}
    stateful = {thing["metadata"]["name"] for thing in rendered.of("StatefulSet")}
    for name, pod in rendered.pods():
        assert pod["spec"].get("serviceAccountName") in accounts, name
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]} | ({"data"} if name in stateful else set())
        for container in containers(pod):
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes, name
            probes = [container.get(f"{kind}Probe", {}) for kind in ("startup", "readiness", "liveness")]
            assert {probe["httpGet"]["port"] for probe in probes if "httpGet" in probe} <= ports(container), name
            for source in container.get("envFrom", ()):
                assert "configMapRef" not in source or rendered.one("ConfigMap", source["configMapRef"]["name"])
            variables = Counter(entry["name"] for entry in container.get("env", ()))
            assert set(variables.values()) <= {1}, name


@examples
def test_what_is_selected_is_there(example: Path) -> None:
    """By Services, Deployments, budgets: the pods of one component each; by autoscalers: a Deployment."""
    rendered = render(example)
    pods = [pod for _, pod in rendered.pods()]
    for kind in ("Service", "Deployment", "StatefulSet", "PodDisruptionBudget"):
        for thing in rendered.of(kind):
            selector = thing["spec"]["selector"]
            labels = selector if kind == "Service" else selector["matchLabels"]
            (meant,) = (pod for pod in pods if labels.items() <= pod["metadata"]["labels"].items())
            for port in thing["spec"]["ports"] if kind == "Service" else ():
                assert port.get("targetPort", port["name"]) in ports(meant["spec"]["containers"][0])
    for kind in ("HorizontalPodAutoscaler", "ScaledObject"):
        for thing in rendered.of(kind):
            rendered.one("Deployment", thing["spec"]["scaleTargetRef"]["name"])


@pytest.mark.parametrize("helm", HELMS)
def test_it_works_below_another_chart(tmp_path: Path, helm: str) -> None:
    """Helm passes `global` to a dependency, and `enabled`, if that is its condition: the strict schema knows both."""
    (tmp_path / "Chart.yaml").write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v2",
                "name": "platform",
                "version": "1.0.0",
                "dependencies": [{"name": "evaluator", "version": "*", "condition": "evaluator.enabled"}],
            }
        )
    )
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts/evaluator").symlink_to(CHART)
    pools = {"all": None, "one": {"queues": ["challenges"]}, "other": {"queues": ["members"]}}
    own = {**NEEDED, "enabled": True, "worker": {"pools": pools}}
    rendered = render({"global": {"imageRegistry": "x"}, "evaluator": own}, "platform", helm, tmp_path)
    assert {name for kind, name in rendered.names() if kind == "Deployment"} == {
        "platform-evaluator-server",
        "platform-evaluator-worker-one",
        "platform-evaluator-worker-other",
    }
    assert not render({"evaluator": {**own, "enabled": False}}, "platform", helm, tmp_path).objects


def ports(container: Object) -> set[str]:
    return {port["name"] for port in container.get("ports", ())}
