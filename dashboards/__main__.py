"""`python -m dashboards` writes the dashboards to deploy/grafana."""

from __future__ import annotations

import json
from pathlib import Path

from dashboards.challenges import CHALLENGES
from dashboards.leetcode import LEETCODE
from dashboards.queue_and_workers import QUEUE_AND_WORKERS
from dashboards.tonight import TONIGHT

DASHBOARDS = (TONIGHT, QUEUE_AND_WORKERS, LEETCODE, CHALLENGES)
FOLDER = Path(__file__).parents[1] / "deploy/grafana"


def written() -> dict[str, str]:
    """The files, by name."""
    return {f"{one.name}.json": json.dumps(one.document(), indent=2) + "\n" for one in DASHBOARDS}


if __name__ == "__main__":
    for name, content in written().items():
        (FOLDER / name).write_text(content, encoding="utf-8")
