"""What a worker says of itself over HTTP."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

import requests
from prometheus_client.parser import text_string_to_metric_families

Samples = Mapping[str, Mapping[tuple[str, ...], float]]
"""By the name of the series and the values of its labels, in the order of the labels' names."""


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


@dataclass(frozen=True)
class Exposed:
    """The metrics and the health of a worker that is started with this METRICS_PORT."""

    port: str = field(default_factory=free_port)

    def says(self, path: str) -> tuple[int, str]:
        """Status and text; 0 where nobody listens."""
        try:
            answer = requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=10)
        except requests.ConnectionError as error:
            return 0, str(error)
        return answer.status_code, answer.text

    def status(self, path: str) -> int:
        return self.says(path)[0]

    def samples(self) -> Samples:
        status, text = self.says("/metrics")
        assert status == 200, text
        found: dict[str, dict[tuple[str, ...], float]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = tuple(value for _, value in sorted(sample.labels.items()))
                assert labels not in found.setdefault(sample.name, {}), sample
                found[sample.name][labels] = sample.value
        return found

    def complaints(self) -> str:
        """What `promtool check metrics` has to say; nothing where it is not installed."""
        promtool = shutil.which("promtool")
        if promtool is None:
            return ""
        text = self.says("/metrics")[1]
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
        )
        return checked.stdout + checked.stderr


def counted(samples: Samples, name: str) -> dict[tuple[str, ...], float]:
    """What was counted, zeros left out."""
    return {labels: value for labels, value in samples[name].items() if value}
