"""Kustomize makes the same objects as the chart, but for the differences that are named here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import pytest
import yaml

from tests.deploy.chart import CHART, Object, Rendered, containers, over, render
from tests.deploy.kustomization import KUSTOMIZE, OVERLAYS, VERSIONS, build, overlay
from tests.deploy.linters import KUBERNETES, conform, score

SECRET: Object = {
    "postgres": {"existingSecret": "evaluator", "key": "DATABASE_URL"},
    "redis": {"existingSecret": "evaluator", "urlKey": "REDIS_URL", "passwordKey": "REDIS_PASSWORD"},
    "adminToken": {"existingSecret": "evaluator", "key": "ADMIN_TOKEN"},
}
"""What the component `secret` is to the chart."""

PLAIN = over(
    SECRET,
    {
        "networkPolicy": {"enabled": False},
        "server": {"podDisruptionBudget": False},
        "worker": {"podDisruptionBudget": False},
    },
)
"""The chart without what Kustomize has in components."""

CHANGED = {
    "redis": {"host": "redis.internal", "port": 6380, "db": 3},
    "postgres": {"port": 6432},
    "worker": {"metricsPort": 9100},
    "cronJob": {"schedule": "0 1 * * *", "timeZone": "Europe/Berlin"},
}
BUDGETS = {part: {"podDisruptionBudget": True} for part in ("server", "worker")}
MONITORING = {name: {"enabled": True} for name in ("serviceMonitor", "podMonitor", "prometheusRule", "dashboards")}
HOST = {"redis": {"host": "redis.example"}}


def example(name: str) -> Object:
    values: Object = yaml.safe_load((CHART / f"ci/{name}-values.yaml").read_text())
    return values


overlays = pytest.mark.parametrize("folder", OVERLAYS, ids=lambda path: path.name)


@dataclass(frozen=True, slots=True)
class Pair:
    """A kustomization and the values with which the chart is the same."""

    values: Object
    kustomization: Path | Sequence[str]
    """Its folder, or components over the base."""


PAIRS = {
    "dev": Pair(example("development"), KUSTOMIZE / "overlays/dev"),
    "prod": Pair(SECRET, KUSTOMIZE / "overlays/prod"),
    "production": Pair(over(over(example("production"), SECRET), CHANGED), Path(__file__).parent / "production"),
    "secret": Pair(PLAIN, ["secret"]),
    "pdb": Pair(over(PLAIN, BUDGETS), ["secret", "pdb"]),
    "networkpolicy": Pair(over(PLAIN, {"networkPolicy": {"enabled": True}}), ["secret", "networkpolicy"]),
    "hpa": Pair(over(PLAIN, {"autoscaling": {"mode": "hpa"}}), ["secret", "hpa"]),
    "keda": Pair(
        over(over(PLAIN, HOST), {"autoscaling": {"mode": "keda"}, "redis": {"passwordKey": ""}}), ["secret", "keda"]
    ),
    "keda-password": Pair(
        over(over(PLAIN, HOST), {"autoscaling": {"mode": "keda"}}), ["secret", "keda", "keda-password"]
    ),
    "monitoring": Pair(over(PLAIN, {"monitoring": MONITORING}), ["secret", "monitoring"]),
    "redis-postgres": Pair(
        over(example("development"), {"autoscaling": {"mode": "keda"}, "server": {"replicas": 2}}),
        ["pdb", "networkpolicy", "redis", "postgres", "keda"],
    ),
}


def without(*keys: str) -> Callable[[Rendered], None]:
    """Labels and annotations of these names are taken from objects, and from their templates."""

    def forget(rendered: Rendered) -> None:
        jobs = [thing["spec"]["jobTemplate"] for thing in rendered.of("CronJob")]
        for thing in (*rendered.objects, *jobs, *(pod for _, pod in rendered.pods())):
            for part in ("labels", "annotations"):
                kept = {key: value for key, value in thing["metadata"].pop(part, {}).items() if key not in keys}
                thing["metadata"] |= {part: kept} if kept else {}

    return forget


def without_objects(kind: str, component: str) -> Callable[[Rendered], None]:
    def forget(rendered: Rendered) -> None:
        for thing in rendered.of(kind):
            if thing["metadata"]["labels"].get("app.kubernetes.io/component") == component:
                rendered.objects.remove(thing)

    return forget


def without_the_servers_wait(rendered: Rendered) -> None:
    (wait,) = rendered.one("Deployment", "evaluator-server")["spec"]["template"]["spec"]["initContainers"]
    assert wait.pop("args") in (["migrate"], ["migrate", "--wait", "600"])


def without_hashes(rendered: Rendered) -> None:
    hashed = {name: name[:-11] for _, name in rendered.names() if re.fullmatch(r"evaluator-[a-z0-9]{10}", name)}
    named = [thing["metadata"] for thing in rendered.of("ConfigMap")]
    named += [
        source["configMapRef"]
        for _, pod in rendered.pods()
        for container in containers(pod)
        for source in container.get("envFrom", ())
    ]
    for place in named:
        place["name"] = hashed.get(place["name"], place["name"])


def with_one_environment(rendered: Rendered) -> None:
    settings = {thing["metadata"]["name"]: thing["data"] for thing in rendered.of("ConfigMap")}
    for _, pod in rendered.pods():
        for container in containers(pod):
            environment: Object = {}
            for source in container.pop("envFrom", ()):
                environment |= settings[source["configMapRef"]["name"]]
            environment |= {entry.pop("name"): entry for entry in container.pop("env", ())}
            container["environment"] = {
                name: entry if isinstance(entry, str) else entry.get("value", entry)
                for name, entry in environment.items()
            }
    for thing in rendered.of("ConfigMap"):
        if "LOG_FORMAT" in thing["data"]:
            del thing["data"]


ALLOWED: dict[str, tuple[str, Callable[[Rendered], None]]] = {
    "labels": ("they say that Helm made it", without("helm.sh/chart", "app.kubernetes.io/managed-by")),
    "checksums": ("Helm's way to replace pods when settings change", without("checksum/config")),
    "hashes": ("Kustomize's way to do so: the ConfigMap's name changes", without_hashes),
    "test": ("the pod of `helm test` is a hook, which only Helm knows", without_objects("Pod", "test")),
    "migration": (
        "Helm makes a Job for each revision; Kustomize counts none and a Job can't be changed, so servers migrate",
        without_objects("Job", "migrate"),
    ),
    "wait": ("and so servers don't wait for the schema", without_the_servers_wait),
    "environment": ("settings are compared by what a container has, be it from the ConfigMap", with_one_environment),
}
"""What may differ: why, and how it is left out of the comparison."""


@pytest.mark.parametrize("pair", PAIRS)
def test_it_is_the_chart(pair: str, tmp_path: Path) -> None:
    chart, kustomize = both(PAIRS[pair], tmp_path)
    assert set(kustomize) == set(chart)
    for name, thing in chart.items():
        assert yaml.safe_dump(kustomize[name]) == yaml.safe_dump(thing), name


@pytest.mark.parametrize("allowed", ALLOWED)
def test_each_difference_is_there(allowed: str, tmp_path: Path) -> None:
    chart, kustomize = both(PAIRS["prod"], tmp_path, [name for name in ALLOWED if name != allowed])
    assert kustomize != chart


@overlays
def test_old_and_new_build_the_same(folder: Path) -> None:
    old, new = (build(folder, version).text for version in VERSIONS)
    assert old == new


@overlays
def test_no_secret_is_made(folder: Path) -> None:
    assert build(folder).of("Secret") == []


@overlays
def test_every_pod_is_of_this_version(folder: Path) -> None:
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    found = {container["image"] for _, pod in build(folder).pods() for container in containers(pod)}
    assert {image for image in found if "/" not in image} == {f"evaluator:{version}"}


@overlays
@pytest.mark.parametrize("kubernetes", KUBERNETES)
def test_kubernetes_knows_every_field(folder: Path, kubernetes: str) -> None:
    conform(build(folder).text, kubernetes)


@overlays
def test_kube_score_finds_nothing(folder: Path) -> None:
    score(build(folder).text)


@overlays
def test_a_second_apply_changes_no_deployment(folder: Path) -> None:
    """What the API server would add to a strategy, `kubectl apply` would take out again each time."""
    for deployment in build(folder).of("Deployment"):
        assert deployment["spec"]["strategy"]["type"] == "RollingUpdate"


def test_a_changed_setting_replaces_the_pods(tmp_path: Path) -> None:
    settings = [{"name": "evaluator", "behavior": "merge", "literals": ["LOG_LEVEL=DEBUG"]}]
    before, after = (
        {
            source["configMapRef"]["name"]
            for _, pod in build(overlay(tmp_path, ["secret"], **fields)).pods()
            for container in containers(pod)
            for source in container.get("envFrom", ())
        }
        for fields in ({}, {"configMapGenerator": settings})
    )
    assert len(before) == len(after) == 1
    assert before != after


def test_the_readmes_overlay_does_what_it_says(tmp_path: Path) -> None:
    text = (KUSTOMIZE / "README.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    folder = copytree(KUSTOMIZE, tmp_path / "kustomize") / "overlays/own"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(text)
    old, rendered = (build(folder, version) for version in VERSIONS)
    assert old == rendered
    assert {thing["metadata"]["namespace"] for thing in rendered.objects} == {"evaluator"}
    (settings,) = rendered.of("ConfigMap")
    assert settings["data"]["LEETCODE_REQUESTS_PER_SECOND"] == "10"
    assert rendered.one("CronJob", "evaluator-enqueue")["spec"]["schedule"] == "0 1 * * *"
    (scaled,) = rendered.of("ScaledObject")
    triggers = [trigger["metadata"] for trigger in scaled["spec"]["triggers"]]
    assert {trigger["address"] for trigger in triggers[:-1]} == {"redis.internal:6380"}
    out = rendered.one("NetworkPolicy", "evaluator")["spec"]["egress"]
    assert out[2] == {"ports": [{"port": 6380, "protocol": "TCP"}]}
    assert triggers[-1]["timezone"] == "Europe/Berlin"
    assert {container["image"] for _, pod in rendered.pods() for container in containers(pod)} == {
        "registry.example/evaluator:0.1.0"
    }


def both(
    pair: Pair, folder: Path, allowed: Sequence[str] = tuple(ALLOWED)
) -> tuple[dict[tuple[str, str], Object], dict[tuple[str, str], Object]]:
    """What the chart and Kustomize make, by kind and name, without the allowed differences."""
    here = pair.kustomization
    built = build(here if isinstance(here, Path) else overlay(folder, here))
    results = []
    for rendered in (render(pair.values), built):
        for name in allowed:
            ALLOWED[name][1](rendered)
        results.append({(thing["kind"], thing["metadata"]["name"]): thing for thing in rendered.objects})
    return results[0], results[1]
