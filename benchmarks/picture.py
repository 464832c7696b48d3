"""The results as a picture for the README: members a second, a bar each, and the CPU that a member costs.

`python -m benchmarks.picture results/DATE.json` draws it again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from xml.sax.saxutils import escape

import orjson

from benchmarks.contenders import CONTENDERS
from benchmarks.report import BASELINE, COMPONENTS
from benchmarks.scenarios import SCENARIOS

_SHOWN = ("unlimited", "slow")
_WIDTH, _BARS_FROM, _BARS_TO, _ROW, _PANEL = 1044, 370, 730, 26, 66
_FONT = """font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13\""""
_STYLE = """text { fill: #1d2333 }
.head { font-weight: 700; font-size: 14px }
.small { font-size: 12px; fill: #475069 }
.name { text-anchor: end }
.ours { fill: #4a4fd0 }
.other { fill: #b9c0cf }"""


@dataclass(frozen=True, slots=True)
class _Bar:
    contender: str
    rate: float
    cpu: float


def picture(document: Mapping[str, Any]) -> str:
    """An SVG document about what `python -m benchmarks` writes as JSON."""
    parts: list[str] = []
    top = 24
    for scenario in _SHOWN:
        trials = [trial for trial in document["trials"] if trial["scenario"] == scenario]
        if trials:
            rounds = max(trial["round"] for trial in trials)
            how = f"median of {rounds} rounds" if rounds > 1 else "one round"
            title = f"{trials[0]['members']:,} members, {SCENARIOS[scenario].title} ({how})"
            bars = _bars(trials)
            parts += _panel(top, title, bars)
            top += _PANEL + _ROW * len(bars)
    machine = document["machine"]
    servers = ", ".join(f"{name} {machine[name]}" for name in ("PostgreSQL", "Redis"))
    where = f"all on one machine: {machine['CPU']}, {machine['system']}"
    parts.append(_text(24, top, f"{document['at'][:10]}, {where}", "small"))
    parts.append(_text(24, top + 18, f"{servers}, data on {machine['data on']}; make bench", "small"))
    size = f'viewBox="0 0 {_WIDTH} {top + 36}" width="{_WIDTH}" height="{top + 36}"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title" {_FONT}>',
        '<title id="title">Members settled in a second, by each contender</title>',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{top + 36}" rx="10" fill="#ffffff"/>',
    ]
    return "\n".join([*head, *parts, "</svg>", ""])


def _bars(trials: Sequence[Mapping[str, Any]]) -> list[_Bar]:
    bars = []
    for contender in dict.fromkeys(trial["contender"] for trial in trials):
        mine = [(trial["members"], trial["result"]) for trial in trials if trial["contender"] == contender]
        rate = median(members / result["seconds"] for members, result in mine)
        cpu = median(sum(result["cpu"][part] for part in COMPONENTS) / members * 1000 for members, result in mine)
        bars.append(_Bar(contender, rate, cpu))
    return sorted(bars, key=lambda bar: bar.rate, reverse=True)


def _panel(top: int, title: str, bars: Sequence[_Bar]) -> Iterator[str]:
    baseline = next((bar.rate for bar in bars if bar.contender == BASELINE), None)
    yield _text(24, top + 8, title, "head")
    yield _text(_BARS_FROM, top + 28, "members a second", "small")
    yield _text(_WIDTH - 118, top + 28, "CPU a member", "small")
    for place, bar in enumerate(bars):
        y = top + 38 + _ROW * place
        width = bar.rate / bars[0].rate * (_BARS_TO - _BARS_FROM)
        colour = "ours" if CONTENDERS[bar.contender].ours else "other"
        times = f"  ({bar.rate / baseline:.1f} × BullMQ)" if baseline and bar.contender != BASELINE else ""  # noqa: RUF001  # to be read
        yield _text(_BARS_FROM - 10, y + 13, CONTENDERS[bar.contender].title, "name")
        yield f'<rect class="{colour}" x="{_BARS_FROM}" y="{y}" width="{width:.1f}" height="18" rx="2"/>'
        yield _text(_BARS_FROM + width + 8, y + 13, f"{bar.rate:,.0f}{times}")
        yield _text(_WIDTH - 118, y + 13, f"{bar.cpu:.2f} ms")


def _text(x: float, y: float, text: str, style: str = "") -> str:
    chosen = f' class="{style}"' if style else ""
    return f'<text{chosen} x="{x:.0f}" y="{y:.0f}">{escape(text)}</text>'


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.picture benchmarks/results/RESULTS.json")
    results = Path(sys.argv[1])
    results.with_suffix(".svg").write_text(picture(orjson.loads(results.read_bytes())), encoding="utf-8")
