"""The rules as a file: Prometheus' own tool accepts them, and each alert has a page that can be followed.

Cloudflare's `pint` finds nothing in them (0.87, offline, 25 November 2026). Go's module proxy does not serve it, so
that nothing here runs it.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from evaluator.cli.__main__ import _COMMANDS as COMMANDS
from evaluator.cli.program import build
from tests.deploy.prometheus import tool

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/rules.yaml"
RUNBOOKS = ROOT / "docs/runbooks"
GROUPS: list[dict[str, Any]] = yaml.safe_load(RULES.read_bytes())["groups"]
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in GROUPS for rule in group["rules"] if "alert" in rule
}
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in RUNBOOKS.glob("*.md") if path.stem != "README"}
INSTALLED = {"deploy/evaluator-server", "deploy/evaluator-worker-all", "cronjob/evaluator-enqueue", "evaluator-enqueue"}
"""Objects of an installation named `evaluator`, as the pages call them."""

PROGRAM = typer.main.get_command(build(COMMANDS))

PLACES = {"CHALLENGE": "winter-grind", "HANDLE": "ada", "DAY": "2026-11-20"}
"""What stands for something that a person fills in."""


@pytest.mark.parametrize(
    "words", [("check", "rules", "rules.yaml"), ("test", "rules", "rules_test.yaml")], ids=" ".join
)
def test_promtool_is_content(words: tuple[str, ...]) -> None:
    done = subprocess.run([tool("promtool"), *words], cwd=RULES.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_case_in_which_it_fires() -> None:
    cases = (RULES.parent / "rules_test.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"""labels: '{alertname="(\w+)"}', value: 1""", cases)) == ALERTS.keys()


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_how_bad_it_is_what_it_is_with_its_figure_and_where_to_read_on(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"https://evaluator.example/runbooks/{alert}.md"
    either_or = alert.endswith(("Absent", "Unreachable")) and not alert.startswith("EvaluatorWorkers")
    assert ("{{" in rule["annotations"]["summary"]) is not either_or


def test_what_several_servers_tell_of_one_ledger_is_never_added_up() -> None:
    """What stands right within a sum is a counter of workers, or has been joined by `max` before."""
    for group in GROUPS:
        for rule in group["rules"]:
            for summed in re.findall(r"sum by \([\w, ]+\) \((?:\w+\()?([\w: ]+)", rule["expr"]):
                assert summed in {"evaluator_leetcode_requests_total", "max by "}, rule


def test_each_alert_has_its_page_and_each_page_its_alert() -> None:
    assert PAGES.keys() == ALERTS.keys()
    table = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \| (.*) \|", table)
    assert listed == [
        (alert, alert, rule["labels"]["severity"], PAGES[alert].splitlines()[1].partition(". ")[2])
        for alert, rule in ALERTS.items()
    ]


@pytest.mark.parametrize("alert", ALERTS)
def test_a_page_begins_with_what_to_type(alert: str) -> None:
    page = PAGES[alert]
    assert page.startswith(f"# {alert}\n{ALERTS[alert]['labels']['severity'].capitalize()}. ")
    headings = re.findall("^## (.*)", page, re.MULTILINE)
    assert headings == ["Type this", "What it means", "Likely causes", "Mended when"]
    for link in re.findall(r"\]\((\w+)\.md\)", page):
        assert link in PAGES


@pytest.mark.parametrize("alert", ALERTS)
def test_what_stands_under_type_this_may_be_pasted_as_a_whole(alert: str) -> None:
    """It pauses nothing, takes nothing away, and decides for nobody; and it sees all pods, not one of several."""
    for line in re.findall("```\n(.*?)```", PAGES[alert], re.DOTALL)[0].splitlines():
        assert not {"pause", "resume", "clear", "override", "scale", "delete"} & set(line.split()), line
        assert "kubectl logs deploy/" not in line


@pytest.mark.parametrize("alert", ALERTS)
def test_the_commands_of_a_page_exist(alert: str) -> None:
    block = re.findall("```\n(.*?)```", PAGES[alert], re.DOTALL)[0].splitlines()
    inline = re.findall("`([^`\n]+)`", PAGES[alert].replace("```", ""))
    for line in [*block, *(text for text in inline if text.startswith("kubectl "))]:
        for name in re.findall(r"(?:deploy/|cronjob/|cronjob )([\w-]+)", line):
            assert any(known.endswith(name) for known in INSTALLED), line
        for component in re.findall(r"component=([\w-]+)", line):
            assert component in {"server", "worker-all", "enqueue"}, line
        if " -- evaluator " in line:
            understood(shlex.split(line)[5:])
    for text in inline:
        if text.startswith("evaluator "):
            command_of(text.split()[1:])


def understood(words: list[str]) -> None:
    """The program takes these words; what they ask for is not done."""
    command, rest = command_of([PLACES.get(word, word) for word in words])
    command.make_context("evaluator", rest)


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command of Click's that the first words name, and the other words."""
    command: Any = PROGRAM
    while hasattr(command, "commands"):
        assert words[0] in command.commands, words
        command, words = command.commands[words[0]], words[1:]
    return command, words
