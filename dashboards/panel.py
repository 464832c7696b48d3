"""A panel: queries, how their values are to be read, and what to do about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["stat", "timeseries", "bargauge"]

RUNBOOKS = "https://evaluator.example/runbooks"
"""Where docs/runbooks is read; whoever installs puts an address of their own here."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, YELLOW, RED = "green", "yellow", "red"

_INSTALLATION = ('namespace=~"$namespace"', 'job=~"$job"')


def of(metric: str, *matchers: str) -> str:
    """The series of a metric that the variables of the dashboard choose."""
    return f"{metric}{{{', '.join([*_INSTALLATION, *matchers])}}}"


def figure(metric: str, *matchers: str, by: str = "") -> str:
    """A figure of the ledger or of Redis: every server tells the same, so it is never added up."""
    return f"max{f' by ({by})' if by else ''} ({of(metric, *matchers)})"


def rate(metric: str, *matchers: str, by: str = "") -> str:
    """What all workers, or all keepers, count in a second."""
    return f"sum{f' by ({by})' if by else ''} (rate({of(metric, *matchers)}[$__rate_interval]))"


def quantile(share: float, histogram: str, by: str = "") -> str:
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', by=', '.join(filter(None, ['le', by])))})"


def mean(histogram: str) -> str:
    return f"{rate(f'{histogram}_sum')} / {rate(f'{histogram}_count')}"


@dataclass(frozen=True, slots=True)
class Query:
    """`legend` names the series, with labels in double braces."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """`unit` is Grafana's name of it. `steps` are values from which on a colour holds, and `words` stand for values.

    A panel with `quiet` may rightly have no data, and says that then. `alerts` are those whose runbooks tell what to
    do. Of the grid's 24 columns it takes `width`.
    """

    kind: Kind
    title: str
    description: str
    queries: tuple[Query, ...]
    unit: str = "short"
    steps: tuple[tuple[float, str], ...] = ()
    words: tuple[tuple[int, str], ...] = ()
    quiet: str = ""
    alerts: tuple[str, ...] = ()
    stacked: bool = False
    width: int = 12
    height: int = 8

    def document(self, number: int, x: int, y: int) -> dict[str, Any]:
        """The panel as Grafana stores it."""
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "datasource": DATASOURCE,
            "targets": [self._target(place, query) for place, query in enumerate(self.queries)],
            "fieldConfig": {"defaults": self._defaults(), "overrides": []},
            "options": self._options(),
            "links": [
                {"title": f"Runbook: {alert}", "url": f"{RUNBOOKS}/{alert}.md", "targetBlank": True}
                for alert in self.alerts
            ],
        }

    def _target(self, place: int, query: Query) -> dict[str, Any]:
        at_once = self.kind != "timeseries"
        return {
            "refId": chr(ord("A") + place),
            "datasource": DATASOURCE,
            "expr": query.expression,
            "legendFormat": query.legend,
            "instant": at_once,
            "range": not at_once,
        }

    def _defaults(self) -> dict[str, Any]:
        steps = [(None, GREEN), *self.steps]
        defaults: dict[str, Any] = {
            "unit": self.unit,
            "min": 0,
            "color": {"mode": "thresholds" if self.kind != "timeseries" else "palette-classic"},
            "thresholds": {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]},
            "mappings": [{"type": "value", "options": {str(value): {"text": text}}} for value, text in self.words],
        }
        if self.quiet:
            defaults["noValue"] = self.quiet
        if self.kind == "timeseries":
            defaults["custom"] = {
                "drawStyle": "line",
                "lineWidth": 2,
                "fillOpacity": 30 if self.stacked else 8,
                "showPoints": "never",
                "stacking": {"mode": "normal" if self.stacked else "none"},
                "thresholdsStyle": {"mode": "line" if self.steps else "off"},
            }
        return defaults

    def _options(self) -> dict[str, Any]:
        if self.kind == "timeseries":
            return {
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
        reduced = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
        if self.kind == "stat":
            return {**reduced, "colorMode": "background", "graphMode": "none", "textMode": "value"}
        return {**reduced, "orientation": "horizontal", "displayMode": "basic", "showUnfilled": True}


def stat(  # noqa: PLR0913  # what a panel is made of
    title: str,
    description: str,
    expression: str,
    unit: str = "short",
    *,
    steps: tuple[tuple[float, str], ...] = (),
    words: tuple[tuple[int, str], ...] = (),
    quiet: str = "",
    alerts: tuple[str, ...] = (),
) -> Panel:
    """One figure in a box whose colour tells whether it is well."""
    return Panel("stat", title, description, (Query(expression),), unit, steps, words, quiet, alerts, width=4, height=4)


def lines(  # noqa: PLR0913  # what a panel is made of
    title: str,
    description: str,
    *queries: Query,
    unit: str = "short",
    steps: tuple[tuple[float, str], ...] = (),
    quiet: str = "",
    alerts: tuple[str, ...] = (),
    stacked: bool = False,
    width: int = 12,
) -> Panel:
    """Figures over time."""
    return Panel(
        "timeseries", title, description, queries, unit, steps, (), quiet, alerts, stacked=stacked, width=width
    )


def bars(
    title: str,
    description: str,
    query: Query,
    unit: str = "short",
    *,
    steps: tuple[tuple[float, str], ...] = (),
    alerts: tuple[str, ...] = (),
    width: int = 12,
) -> Panel:
    """A bar for each value of a label, as it is now."""
    return Panel("bargauge", title, description, (query,), unit, steps, alerts=alerts, width=width)
