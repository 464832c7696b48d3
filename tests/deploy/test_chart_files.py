"""What the chart holds beside templates: its README, copies of rules and dashboards, versions."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from shutil import copytree

import pytest
import yaml

from tests.deploy.chart import CHART, NEEDED, ROOT, render, tool, with_needed

RULES = ROOT / "deploy/prometheus/rules.yaml"


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


def test_rules_and_dashboards_are_copies() -> None:
    """Helm reads no file outside of its chart, and symbolic links are refused by Argo CD: so there are copies."""
    dashboards = {path.name: path.read_text() for path in (ROOT / "deploy/grafana").glob("*.json")}
    assert {path.name: path.read_text() for path in (CHART / "files/grafana").glob("*")} == dashboards, (
        "run `make chart`"
    )
    rules = {path.name: path.read_text() for path in (CHART / "files/prometheus").glob("*")}
    assert rules == {"rules.yaml": RULES.read_text()}, "run `make chart`"


def test_rules_reach_the_cluster_unchanged() -> None:
    rule = render(
        with_needed({"monitoring": {"prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}}}})
    )
    (found,) = rule.of("PrometheusRule")
    assert found["metadata"]["labels"]["release"] == "prometheus"
    assert found["spec"] == yaml.safe_load(RULES.read_text())


def test_alerts_and_dashboards_link_to_where_the_runbooks_are_read() -> None:
    switches = {"enabled": True, "runbooks": "https://wiki.example/evaluator/"}
    text = render(with_needed({"monitoring": {"prometheusRule": switches, "dashboards": {"enabled": True}}})).text
    assert '"url": "https://wiki.example/evaluator/EvaluatorDayLate.md"' in text
    assert "runbook_url: https://wiki.example/evaluator/EvaluatorDayLate.md" in text
    assert "evaluator.example" not in text


def test_dashboards_reach_grafanas_sidecar_unchanged() -> None:
    rendered = render(with_needed({"monitoring": {"dashboards": {"enabled": True, "annotations": {"folder": "jobs"}}}}))
    found: dict[str, str] = {}
    for dashboard in rendered.of("ConfigMap"):
        if dashboard["metadata"]["labels"].get("grafana_dashboard") == "1":
            assert dashboard["metadata"]["annotations"] == {"folder": "jobs"}
            found |= dashboard["data"]
    assert found == {path.name: path.read_text() for path in (ROOT / "deploy/grafana").glob("*.json")}


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
