"""Readings: what a Prometheus says to the queries of a dashboard, as Grafana would ask it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from dashboards.panel import Panel

_SHOWN = 240  # points of a line


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a panel: its name in the legend, and values by time, in seconds since the epoch."""

    name: str
    points: Sequence[tuple[float, float]]

    @property
    def last(self) -> float:
        return self.points[-1][1]


@dataclass(frozen=True, slots=True)
class Readings:
    """Of one installation, between two times. `interval` is what Grafana calls the rate interval, in seconds."""

    url: str
    start: float
    end: float
    interval: int
    namespace: str = ""
    job: str = ".*"

    def of(self, panel: Panel) -> list[Series]:
        """The series of a panel, those of each query one after the other; not a number counts as none."""
        found = []
        for query in panel.queries:
            for labels, points in self._ask(query.expression, at_once=panel.kind != "timeseries"):
                numbers = [(at, value) for at, value in points if not math.isnan(value)]
                if numbers:
                    found.append(Series(_named(query.legend, labels), numbers))
        return found

    def filled_in(self, expression: str) -> str:
        """An expression with the values of Grafana's variables."""
        variables = {
            "$namespace": self.namespace,
            "$job": self.job,
            "$__rate_interval": f"{self.interval}s",
            "$__range": f"{round(self.end - self.start)}s",
        }
        for name, value in variables.items():
            expression = expression.replace(name, value)
        return expression

    def _ask(self, expression: str, *, at_once: bool) -> list[tuple[Mapping[str, str], list[tuple[float, float]]]]:
        parameters: dict[str, str | float] = {"query": self.filled_in(expression)}
        if at_once:
            parameters["time"] = self.end
        else:
            step = max(1.0, (self.end - self.start) / _SHOWN)
            parameters |= {"start": self.start, "end": self.end, "step": step}
        path = "query" if at_once else "query_range"
        document: Any = requests.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=30).json()
        if document["status"] != "success":
            raise ValueError(f"{document['error']} (in {parameters['query']})")
        return [
            (one["metric"], [(float(at), float(value)) for at, value in one.get("values") or [one["value"]]])
            for one in document["data"]["result"]
        ]


def _named(legend: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda found: labels[found[1]], legend)
