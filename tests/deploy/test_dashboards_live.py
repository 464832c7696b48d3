"""Every query of every panel has an answer from a real Prometheus during a real run, and can be drawn."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dashboards.__main__ import DASHBOARDS
from dashboards.picture import picture
from dashboards.readings import Readings
from tests.deploy.night import Night
from tests.faults.arena import handles

PANELS = {f"{dashboard.name}: {panel.title}": panel for dashboard in DASHBOARDS for panel in dashboard.panels}


def test_every_panel_has_data_during_a_run(night: Night) -> None:
    """A night in which days are late, some have no answer, one hides, and Redis has a limit."""
    arena, prometheus = night.arena, night.prometheus
    today = datetime.now(UTC).date()
    arena.challenge("over", handles("member", 8), days=1)
    people = [*handles("member", 64), *handles("diligent", 100), "hidden-one", "unknown-one"]
    arena.scene.challenge("grind", people, starts=today - timedelta(4), ends=today + timedelta(9), timezone="Etc/UTC")
    arena.client.config_set("maxmemory", 2**30)
    night.server()
    night.worker(LEETCODE_REQUESTS_PER_SECOND="3")  # some ten seconds of work, or a scrape may see none
    arena.leetcode.goes_wrong("server_error", share=0.2)
    arena.run("enqueue")
    empty = dict(PANELS)
    deadline = time.monotonic() + 60
    while empty and time.monotonic() < deadline:
        now = time.time()
        readings = Readings(prometheus.url, now - 20, now, interval=2)
        for place, panel in list(empty.items()):
            if all(readings.of(replace(panel, queries=(query,))) for query in panel.queries):
                del empty[place]
    arena.client.config_set("maxmemory", 0)
    assert not empty, f"no data at any time: {list(empty)}"
    for dashboard in DASHBOARDS:
        assert picture(dashboard, readings).count('class="title') == len(dashboard.panels)
