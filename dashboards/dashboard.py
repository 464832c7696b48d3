"""A dashboard: rows of panels, and the variables by which one chooses an installation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.panel import DATASOURCE, RUNBOOKS, Panel

_COLUMNS = 24
_INSTALLATION = "evaluator_build_info"  # what every process of an installation exposes


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`name` is the file's and, after `evaluator-`, the uid, by which links find it."""

    name: str
    title: str
    description: str
    rows: tuple[tuple[str, Sequence[Panel]], ...]

    @property
    def panels(self) -> list[Panel]:
        return [panel for _, panels in self.rows for panel in panels]

    def document(self) -> dict[str, Any]:
        """The dashboard as Grafana stores it."""
        return {
            "uid": f"evaluator-{self.name}",
            "title": f"Evaluator: {self.title}",
            "description": self.description,
            "tags": ["evaluator"],
            "schemaVersion": 39,
            "version": 1,
            "editable": True,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-3h", "to": "now"},
            "timezone": "browser",
            "templating": {"list": list(_variables())},
            "annotations": {"list": []},
            "links": [
                {
                    "type": "dashboards",
                    "title": "Evaluator",
                    "tags": ["evaluator"],
                    "asDropdown": False,
                    "includeVars": True,
                    "keepTime": True,
                },
                {"type": "link", "title": "Runbooks", "url": f"{RUNBOOKS}/README.md", "targetBlank": True},
            ],
            "panels": list(self._laid_out()),
        }

    def _laid_out(self) -> Iterator[dict[str, Any]]:
        """Rows one below the other, each of panels from left to right, as many as fit side by side."""
        y = number = 0
        for title, panels in self.rows:
            number += 1
            position = {"x": 0, "y": y, "w": _COLUMNS, "h": 1}
            yield {"id": number, "type": "row", "title": title, "gridPos": position, "collapsed": False, "panels": []}
            y += 1
            x = height = 0
            for panel in panels:
                if x + panel.width > _COLUMNS:
                    x, y = 0, y + height
                number += 1
                yield panel.document(number, x, y)
                x, height = x + panel.width, panel.height
            y += height


def _variables() -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}
    for name, label, query, everything in (
        ("namespace", "Namespace", f"label_values({_INSTALLATION}, namespace)", False),
        ("job", "Job", f'label_values({_INSTALLATION}{{namespace=~"$namespace"}}, job)', True),
    ):
        yield {
            "name": name,
            "label": label,
            "type": "query",
            "datasource": DATASOURCE,
            "query": {"query": query, "refId": name},
            "refresh": 2,
            "sort": 1,
            "multi": everything,
            "includeAll": everything,
            **({"allValue": ".*", "current": {"text": "All", "value": "$__all"}} if everything else {}),
        }
