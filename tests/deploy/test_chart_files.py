"""What the chart holds beside templates: its README, copies of rules and dashboards, versions."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from shutil import copytree

import pytest
import yaml

from tests.deploy.chart import CHART, NEEDED, ROOT, render, tool, with_needed


def test_it_has_the_version_of_the_program() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert chart["appVersion"] == project["version"]


def test_its_readme_is_made_from_its_values(tmp_path: Path) -> None:
    copytree(CHART, tmp_path / "chart")
    command = [str(tool("helm-docs")), "--chart-search-root", str(tmp_path), "--sort-values-order", "file"]
    subprocess.run(command, capture_output=True, timeout=60, check=True)
    assert (tmp_path / "chart/README.md").read_text() == (CHART / "README.md").read_text(), "run `make chart`"


def test_every_value_is_explained() -> None:
    unexplained = [line for line in (CHART / "README.md").read_text().splitlines() if line.endswith("|  |")]
    assert unexplained == []


@pytest.mark.parametrize(("kind", "component"), [("ServiceMonitor", "server"), ("PodMonitor", "worker")])
def test_servers_and_workers_are_scraped(kind: str, component: str) -> None:
    switch = kind[0].lower() + kind[1:]
    rendered = render(with_needed({"monitoring": {switch: {"enabled": True, "labels": {"release": "prometheus"}}}}))
    (monitor,) = rendered.of(kind)
    assert monitor["metadata"]["name"] == f"evaluator-{component}"
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    endpoints = monitor["spec"].get("endpoints") or monitor["spec"]["podMetricsEndpoints"]
    assert endpoints == [
        {"port": "http" if kind == "ServiceMonitor" else "metrics", "path": "/metrics", "interval": "30s"}
    ]
    assert render(NEEDED).of(kind) == []


def test_objects_of_ones_own_are_filled_in() -> None:
    objects = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": '{{ include "evaluator.fullname" . }}-a'}},
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-b}\n",
    ]
    names = render(with_needed({"extraObjects": objects})).names()
    assert {("ConfigMap", "evaluator-a"), ("ConfigMap", "evaluator-b")} <= set(names)
