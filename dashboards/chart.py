"""Charts: a panel with its series as SVG. It shows what Grafana would, and is not Grafana's own drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from xml.sax.saxutils import escape

from dashboards.panel import GREEN, Panel
from dashboards.quantity import quantity, tick
from dashboards.readings import Series

_PALETTE = (
    "#3b6fd4",
    "#d9822b",
    "#2f9e6e",
    "#b9479a",
    "#7a5cc4",
    "#c0392b",
    "#1f9fb5",
    "#8a8f3c",
    "#6b7487",
    "#d1a30f",
)
_FILLS = {"green": "#2f9e6e", "yellow": "#d39b12", "red": "#c73e3a"}
_LINE, _PAD = 15, 12  # the height of a line of the legend; what stays free at the edges


@dataclass(frozen=True, slots=True)
class Box:
    """Where something is drawn, in pixels."""

    x: float
    y: float
    width: float
    height: float


def chart(panel: Panel, series: Sequence[Series], box: Box, span: tuple[float, float]) -> Iterator[str]:
    """A panel in its box; `span` is the time from left to right."""
    if panel.kind == "stat":
        yield from _stat(panel, series, box)
        return
    yield f'<rect class="panel" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="4"/>'
    yield text(box.x + _PAD, box.y + 20, panel.title, "title")
    inner = Box(box.x + _PAD, box.y + 32, box.width - 2 * _PAD, box.height - 32 - _PAD)
    if not series:
        yield text(box.x + box.width / 2, box.y + box.height / 2 + 8, panel.quiet or "No data", "quiet middle")
    elif panel.kind == "bargauge":
        yield from _bars(panel, series, inner)
    else:
        yield from _lines(panel, series, inner, span)


def text(x: float, y: float, words: str, style: str) -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def _stat(panel: Panel, series: Sequence[Series], box: Box) -> Iterator[str]:
    value = series[0].last if series else None
    colour = _FILLS[_colour(panel, value or 0)] if series else "#8b93a5"
    yield f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="4" fill="{colour}"/>'
    yield text(box.x + _PAD, box.y + 22, panel.title, "title on")
    shown = (
        panel.quiet or "No data"
        if value is None
        else dict(panel.words).get(int(value))
        if value == int(value)
        else None
    )
    words = shown or quantity(value or 0, panel.unit)
    size = "large" if len(words) <= 10 else "medium"
    yield text(box.x + box.width / 2, box.y + box.height / 2 + 24, words, f"{size} on middle")


def _colour(panel: Panel, value: float) -> str:
    return next((colour for step, colour in reversed(panel.steps) if value >= step), GREEN)


def _bars(panel: Panel, series: Sequence[Series], box: Box) -> Iterator[str]:
    names = max(len(one.name) for one in series) * 6.6 + 8
    most = max(one.last for one in series) or 1
    row = min(26.0, box.height / len(series))
    for place, one in enumerate(series):
        y = box.y + row * place
        width = (box.width - names - 70) * one.last / most
        colour = _FILLS[_colour(panel, one.last)]
        yield text(box.x + names - 8, y + row / 2 + 4, one.name, "small end")
        size = f'width="{width:.1f}" height="{row - 6:.1f}"'
        yield f'<rect x="{box.x + names:.1f}" y="{y + 3:.1f}" {size} fill="{colour}"/>'
        yield text(box.x + names + width + 6, y + row / 2 + 4, quantity(one.last, panel.unit), "small")


def _lines(panel: Panel, series: Sequence[Series], box: Box, span: tuple[float, float]) -> Iterator[str]:
    legend = list(_legend(series, box))
    plot = Box(box.x + 58, box.y + 4, box.width - 62, box.height - 26 - _LINE * (legend[-1][0] + 1))
    layers = _stacked(series) if panel.stacked else [[(at, value, 0.0) for at, value in one.points] for one in series]
    top = 4 * tick(max(value for layer in layers for _, value, _ in layer) / 4, panel.unit)
    steps = [step for step, _ in panel.steps if step <= top]

    def across(at: float) -> float:
        return plot.x + plot.width * (at - span[0]) / (span[1] - span[0])

    def up(value: float) -> float:
        return plot.y + plot.height * (1 - max(0.0, value) / top)

    for share in (0, 0.25, 0.5, 0.75, 1):
        y = up(top * share)
        yield f'<line class="grid" x1="{plot.x}" x2="{plot.x + plot.width}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield text(plot.x - 6, y + 4, quantity(top * share, panel.unit) if share else "0", "small end")
    for share in (0.125, 0.375, 0.625, 0.875):
        at = span[0] + (span[1] - span[0]) * share
        yield text(across(at), plot.y + plot.height + 16, f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}", "small middle")
    for place, layer in reversed(list(enumerate(layers))):
        colour = _PALETTE[place % len(_PALETTE)]
        for part in _unbroken(layer):
            edge = " ".join(f"{across(at):.1f},{up(value):.1f}" for at, value, _ in part)
            if panel.stacked:
                floor = " ".join(f"{across(at):.1f},{up(below):.1f}" for at, _, below in reversed(part))
                yield f'<polygon points="{edge} {floor}" fill="{colour}" fill-opacity="0.35"/>'
            yield f'<polyline points="{edge}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
    for step in steps:
        yield f'<line class="step" x1="{plot.x}" x2="{plot.x + plot.width}" y1="{up(step):.1f}" y2="{up(step):.1f}"/>'
    for row, x, place, name in legend:
        y = plot.y + plot.height + 34 + _LINE * row
        yield f'<rect x="{x:.1f}" y="{y - 8:.1f}" width="10" height="4" fill="{_PALETTE[place % len(_PALETTE)]}"/>'
        yield text(x + 14, y, name, "small")


def _legend(series: Sequence[Series], box: Box) -> Iterator[tuple[int, float, int, str]]:
    """For each series its row, where it begins, its place, its name."""
    row, x = 0, box.x
    for place, one in enumerate(series):
        width = len(one.name) * 6.4 + 28
        if x > box.x and x + width > box.x + box.width:
            row, x = row + 1, box.x
        yield row, x, place, one.name
        x += width


def _stacked(series: Sequence[Series]) -> list[list[tuple[float, float, float]]]:
    """Time, upper and lower edge of each series; a missing value counts as 0."""
    below: dict[float, float] = {}
    layers = []
    for one in series:
        layer = [(at, below.get(at, 0.0) + value, below.get(at, 0.0)) for at, value in one.points]
        below |= {at: edge for at, edge, _ in layer}
        layers.append(layer)
    return layers


def _unbroken(layer: Sequence[tuple[float, float, float]]) -> Iterator[list[tuple[float, float, float]]]:
    """Parts without a gap: where a figure was absent, there is no line."""
    step = min((b[0] - a[0] for a, b in pairwise(layer)), default=1.0)
    part: list[tuple[float, float, float]] = []
    for point in layer:
        if part and point[0] - part[-1][0] > 1.5 * step:
            yield part
            part = []
        part.append(point)
    yield part
