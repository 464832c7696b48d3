"""A version with another schema comes, and goes again, in the middle of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Given
from tests.e2e.installers import Helm, another_version
from tests.e2e.release import WORKERS, Release

pytestmark = pytest.mark.e2e

MEMBERS = 400
"""At ten requests a second four days of them take 20 s."""


def test_an_upgrade_and_a_rollback_disturb_no_run(release: Release, given: Given, tmp_path: Path) -> None:
    if given.next_evaluator is None:
        pytest.skip("it takes an image of a next version, which EVALUATOR_NEXT_IMAGE can name")
    repository, _, tag = given.next_evaluator.rpartition(":")
    values = {**release.values, "image": {"repository": repository, "tag": tag}}

    release.grind.challenge("upgraded", MEMBERS)
    release.start("upgraded")
    release.grind.half_way("upgraded")
    helm = release.installer
    assert isinstance(helm, Helm)
    helm.install(values, chart=another_version(tmp_path))
    assert images(release) == {given.next_evaluator}
    assert release.grind.has_table("next_version")
    release.grind.check()

    release.grind.challenge("rolled-back", MEMBERS)
    release.start("rolled-back")
    release.grind.half_way("rolled-back")
    helm.roll_back()
    assert images(release) == {given.evaluator}
    release.grind.check()
    assert not any(release.restarts(WORKERS).values())


def images(release: Release) -> set[str]:
    """Those that workers run."""
    return {pod["spec"]["containers"][0]["image"] for pod in release.pods(WORKERS)}
