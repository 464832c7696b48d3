"""The dashboards are what their code says, every panel can be read, and all ask for metrics that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from dashboards.__main__ import DASHBOARDS, FOLDER, written
from dashboards.dashboard import Dashboard
from dashboards.panel import RUNBOOKS, Panel
from evaluator.metrics import DECLARATIONS

ROOT = Path(__file__).parents[2]
PANELS = {f"{dashboard.name}: {panel.title}": panel for dashboard in DASHBOARDS for panel in dashboard.panels}
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/rules.yaml").read_bytes())["groups"]
    for rule in group["rules"]
]
EXPRESSIONS = [query.expression for panel in PANELS.values() for query in panel.queries] + [
    rule["expr"] for rule in RULES
]
DECLARED = {one.name: one for one in DECLARATIONS}


def test_the_committed_files_are_those_of_the_code() -> None:
    """`python -m dashboards` writes them."""
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")} == written()


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS.keys())
def test_a_panel_says_what_it_shows_and_what_to_do(panel: Panel) -> None:
    assert panel.title
    assert panel.unit
    assert panel.description.endswith(".")
    for alert in panel.alerts:
        assert (ROOT / f"docs/runbooks/{alert}.md").is_file()
    document = panel.document(1, 0, 0)
    assert document["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert all(link["url"].startswith(f"{RUNBOOKS}/Evaluator") for link in document["links"])
    assert all("$namespace" in query.expression for query in panel.queries)


def test_each_alert_is_reached_from_some_panel() -> None:
    linked = {alert for panel in PANELS.values() for alert in panel.alerts}
    alone = {"EvaluatorExporterAbsent"}  # without a server no panel has anything to show
    assert linked == {rule["alert"] for rule in RULES if "alert" in rule} - alone


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.name)
def test_panels_have_numbers_of_their_own_and_do_not_overlap(dashboard: Dashboard) -> None:
    panels = dashboard.document()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (grid["x"] + x, grid["y"] + y)
        for grid in (panel["gridPos"] for panel in panels)
        for x in range(grid["w"])
        for y in range(grid["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_rules_and_dashboards_ask_for_what_is_declared_and_for_all_of_it() -> None:
    asked: set[str] = set()
    for expression in EXPRESSIONS:
        for metric, matchers in re.findall(r"\b(?<!:)(evaluator_\w+)(?![\w:])(?:\{([^}]*)\})?", expression):
            if metric.startswith("evaluator_leetcode_requests_refused"):
                continue
            name = re.sub("_(bucket|sum|count)$", "", metric)
            declared = DECLARED[name if name in DECLARED else metric]
            asked.add(declared.name)
            for label, values in re.findall(r'(\w+)!?=~?"([^"]*)"', matchers):
                if label not in {"namespace", "job"}:
                    assert set(values.split("|")) <= set(declared.labels[label]), expression
    assert asked == DECLARED.keys()
