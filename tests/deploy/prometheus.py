"""A real Prometheus, with its tool: Debian's package `prometheus`."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.integration.program import until

SETUP = Path(__file__).parents[2] / "deploy/prometheus"
HURRY = 600
"""How much faster than in the rules time goes for `for` and for ranges: ten minutes are a second."""


def tool(name: str) -> str:
    """Where `prometheus` or `promtool` is; without it tests are skipped, but not where they count."""
    found = shutil.which(name)
    if found is None:
        assert not os.environ.get("CI"), f"{name} is not installed"
        pytest.skip(f"{name} is not installed: it is in Debian's package prometheus")
    return found


def hurried(rules: str) -> str:
    """The same rules, but for time: how long something must hold, and ranges that are looked back on.

    Expressions, and with them thresholds, stay as they are: these are about the application's time, which goes on
    as ever. So what is tried is the file itself, with all that Prometheus makes of it: pending, firing, and resolved.
    """
    units = {"s": 1, "m": 60, "h": 3600}

    def shorter(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) * units[found[3]] * 1000 // HURRY}ms"

    return re.sub(r"(for: |\[)(\d+)([smh])\b", shorter, rules)


@dataclass(frozen=True)
class Prometheus:
    url: str

    def ask(self, path: str, **parameters: object) -> Any:
        answer = requests.get(
            f"{self.url}/api/v1/{path}", params={k: str(v) for k, v in parameters.items()}, timeout=10
        )
        document = answer.json()
        assert document["status"] == "success", document
        return document["data"]

    def value(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression gives now."""
        found: list[dict[str, Any]] = self.ask("query", query=expression)["result"]
        return found

    def firing(self) -> dict[str, str]:
        """The alerts that fire, each with its summary."""
        alerts = self.ask("alerts")["alerts"]
        return {
            alert["labels"]["alertname"]: alert["annotations"]["summary"]
            for alert in alerts
            if alert["state"] == "firing"
        }

    def fires(self, *alerts: str, within: float = 60.0) -> dict[str, str]:
        """Return when these alerts fire and no others, with their summaries."""
        deadline = time.monotonic() + within
        while (firing := self.firing()).keys() != set(alerts):
            assert time.monotonic() < deadline, f"{sorted(alerts)} should fire, and there are: {self.ask('alerts')}"
            time.sleep(0.05)
        return firing

    def ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/-/ready", timeout=5).ok
        except requests.ConnectionError:
            return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def prometheus(folder: Path, targets: dict[str, list[int]]) -> Iterator[Prometheus]:
    """One that scrapes these ports of this machine, by job, with deploy/prometheus and time that hurries."""
    config = yaml.safe_load((SETUP / "prometheus.yaml").read_bytes())
    config["global"] = {"scrape_interval": "500ms", "evaluation_interval": "200ms"}
    assert [job["job_name"] for job in config["scrape_configs"]] == list(targets)
    for job in config["scrape_configs"]:
        job["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in targets[job["job_name"]]]}]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / "rules.yaml").write_text(hurried((SETUP / "rules.yaml").read_text(encoding="utf-8")), encoding="utf-8")
    port = free_port()
    command = [
        tool("prometheus"),
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            running = Prometheus(f"http://127.0.0.1:{port}")
            until(running.ready)
            yield running
        finally:
            process.kill()
