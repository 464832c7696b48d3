"""Dashboards as pictures, for the docs: the queries' answers of a Prometheus, drawn by `chart`.

`python -m dashboards.picture http://localhost:9090 MINUTES` draws the last minutes into docs/dashboards.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from dashboards.__main__ import DASHBOARDS
from dashboards.chart import Box, chart, text
from dashboards.dashboard import Dashboard
from dashboards.readings import Readings

FOLDER = Path(__file__).parents[1] / "docs/dashboards"

_COLUMN, _ROW, _GAP, _MARGIN = 50, 30, 6, 12
_STYLE = """text { fill: #1d2333; font-size: 12px }
.title { font-weight: 600; font-size: 13px }
.head { font-weight: 700; font-size: 17px }
.row { font-weight: 700; font-size: 14px; fill: #475069 }
.small { font-size: 11px; fill: #475069 }
.quiet { font-size: 15px; fill: #7a8294 }
.large { font-size: 30px; font-weight: 700 }
.medium { font-size: 19px; font-weight: 700 }
.on { fill: #ffffff }
.middle { text-anchor: middle }
.end { text-anchor: end }
.panel { fill: #ffffff; stroke: #dfe3ea }
.grid { stroke: #e8ebf0 }
.step { stroke: #c73e3a; stroke-dasharray: 5 4 }"""


def picture(dashboard: Dashboard, readings: Readings) -> str:
    """An SVG document of a dashboard, laid out as in Grafana."""
    width = 24 * _COLUMN + 2 * _MARGIN
    parts: list[str] = [text(_MARGIN + 4, 30, dashboard.document()["title"], "head")]
    bottom = 0.0
    panels = iter(dashboard.panels)
    for placed in dashboard.document()["panels"]:
        grid = placed["gridPos"]
        x, y = _MARGIN + grid["x"] * _COLUMN, 44 + grid["y"] * _ROW
        if placed["type"] == "row":
            parts.append(text(x + 4, y + 20, placed["title"], "row"))
            continue
        panel = next(panels)
        box = Box(x, y, grid["w"] * _COLUMN - _GAP, grid["h"] * _ROW - _GAP)
        parts += chart(panel, readings.of(panel), box, (readings.start, readings.end))
        bottom = max(bottom, box.y + box.height)
    height = bottom + _MARGIN
    font = """font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif\""""
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-labelledby="title" {font}>',
        f'<title id="title">The dashboard {dashboard.title}</title>',
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#f4f6f9"/>',
    ]
    return "\n".join([*head, *parts, "</svg>", ""])


if __name__ == "__main__":
    address, minutes = sys.argv[1], float(sys.argv[2])
    now = time.time()
    shown = Readings(address, now - 60 * minutes, now, interval=15)
    for one in DASHBOARDS:
        (FOLDER / f"{one.name}.svg").write_text(picture(one, shown), encoding="utf-8")
