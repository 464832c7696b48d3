"""A version with another schema comes, and goes again, in the middle of a run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import Given
from tests.e2e.release import CHART, NAME, WORKERS, Release

pytestmark = pytest.mark.e2e

MEMBERS = 400


def test_an_upgrade_and_a_rollback_disturb_no_run(release: Release, given: Given, tmp_path: Path) -> None:
    namespace = release.namespace
    if given.next_evaluator is None:
        pytest.skip("it takes an image of a next version, which EVALUATOR_NEXT_IMAGE can name")
    chart = tmp_path / "evaluator"
    shutil.copytree(CHART, chart)
    about = yaml.safe_load((chart / "Chart.yaml").read_text(encoding="utf-8"))
    (chart / "Chart.yaml").write_text(yaml.safe_dump(about | {"version": "99.0.0", "appVersion": "99.0.0"}))
    repository, _, tag = given.next_evaluator.rpartition(":")

    release.grind.challenge("upgraded", MEMBERS)
    release.start("upgraded")
    release.grind.half_way("upgraded")
    release.with_values({"image": {"repository": repository, "tag": tag}}).install(chart=chart)
    assert images(release) == {given.next_evaluator}
    assert release.grind.has_table("next_version")
    release.grind.check()

    release.grind.challenge("rolled-back", MEMBERS)
    release.start("rolled-back")
    release.grind.half_way("rolled-back")
    release.helm_says("rollback", NAME, "--wait", "--timeout=5m")
    assert images(release) == {given.evaluator}
    release.grind.check()
    namespace.until("nobody is restarted", lambda: not any(release.restarts(WORKERS).values()))


def images(release: Release) -> set[str]:
    return {pod["spec"]["containers"][0]["image"] for pod in release.pods(WORKERS)}
