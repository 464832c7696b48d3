"""The Helm chart, rendered by a real Helm; `make deploy-tools` builds it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm"
EXAMPLES = sorted((CHART / "ci").glob("*-values.yaml"))
HELMS = ("helm3", "helm4")
NEEDED = {"postgres": {"existingSecret": "evaluator"}, "redis": {"host": "redis.example"}}
"""The least that an installation needs."""

Object = dict[str, Any]


def tool(name: str) -> Path:
    """Where a program of `deploy/tools.sh` is; without it tests are skipped, but not where they count."""
    found = ROOT / ".tools/bin" / name
    if not found.exists():
        assert not os.environ.get("CI"), f"{name} is not there: run `make deploy-tools`"
        pytest.skip(f"{name} is not there: run `make deploy-tools`")
    return found


class Loader(yaml.CSafeLoader):
    """Of YAML that says nothing twice, which an API server would refuse or take one of."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key) for key, _ in node.value]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        assert not twice, f"{', '.join(twice)} twice at {node.start_mark}"
        return super().construct_mapping(node, deep)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What Helm would send to a cluster."""

    text: str
    objects: list[Object]

    def one(self, kind: str, name: str) -> Object:
        found = [thing for thing in self.of(kind) if thing["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} of {kind} {name} among {self.names()}"
        return found[0]

    def of(self, kind: str) -> list[Object]:
        return [thing for thing in self.objects if thing["kind"] == kind]

    def names(self) -> list[tuple[str, str]]:
        return sorted((thing["kind"], thing["metadata"]["name"]) for thing in self.objects)

    def pods(self) -> Iterator[tuple[str, Object]]:
        """Each pod or pod template, by the name of what holds it."""
        for thing in self.objects:
            if thing["kind"] == "Pod":
                yield thing["metadata"]["name"], thing
            elif thing["kind"] in {"Deployment", "StatefulSet", "Job"}:
                yield thing["metadata"]["name"], thing["spec"]["template"]
            elif thing["kind"] == "CronJob":
                yield thing["metadata"]["name"], thing["spec"]["jobTemplate"]["spec"]["template"]


def containers(pod: Object) -> list[Object]:
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def environment(container: Object) -> dict[str, Any]:
    """The container's own variables: the value, or where it comes from."""
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container.get("env", ())}


def render(
    values: Object | Path,
    release: str = "evaluator",
    helm: str = "helm4",
    chart: Path = CHART,
    kubernetes: str = "1.34.0",
) -> Rendered:
    done = _helm(helm, "template", release, str(chart), "--kube-version", kubernetes, values=values)
    assert done.returncode == 0, done.stderr
    documents = yaml.load_all(done.stdout, Loader=Loader)
    return Rendered(done.stdout, [document for document in documents if document])


def notes(values: Object) -> str:
    """What `helm install` says at its end."""
    done = _helm("helm4", "install", "evaluator", str(CHART), "--namespace", "judge", "--dry-run=client", values=values)
    assert done.returncode == 0, done.stderr
    return done.stdout.partition("\nNOTES:\n")[2]


def mistakes(values: Object, helm: str = "helm4", kubernetes: str = "1.34.0") -> list[str]:
    """The lines in which Helm refuses values."""
    done = _helm(helm, "template", "evaluator", str(CHART), "--kube-version", kubernetes, values=values)
    assert done.returncode != 0, "was not refused"
    assert not done.stdout
    return [
        line for line in done.stderr.splitlines()[1:] if line and not line.startswith(("evaluator:", "Use --debug"))
    ]


def with_needed(values: Object) -> Object:
    """Values, over the least that is needed."""
    return over(NEEDED, values)


def over(below: Object, above: Object) -> Object:
    """Values over others, as Helm lays one file over another."""
    result = dict(below)
    for key, value in above.items():
        result[key] = (
            over(result[key], value) if isinstance(result.get(key), dict) and isinstance(value, dict) else value
        )
    return result


def _helm(helm: str, *arguments: str, values: Object | Path) -> subprocess.CompletedProcess[str]:
    command = [str(tool(helm)), *arguments, "--values", str(values) if isinstance(values, Path) else "-"]
    text = None if isinstance(values, Path) else json.dumps(values)  # YAML that doesn't take "y" for true
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
