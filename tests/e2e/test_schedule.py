"""Days settled by the CronJob's own schedule."""

from __future__ import annotations

import json

import pytest

from tests.e2e.release import CRONJOB, SERVER, Release

pytestmark = pytest.mark.e2e


def test_a_day_is_settled_when_its_time_comes(release: Release) -> None:
    namespace = release.namespace
    release.stop_servers()
    release.grind.challenge("scheduled", 24)
    schedule = namespace.get(CRONJOB)["spec"]["schedule"]
    namespace("patch", CRONJOB, "--patch", json.dumps({"spec": {"schedule": "* * * * *"}}))
    try:
        namespace.until("the schedule settles it", lambda: release.grind.is_settled("scheduled"), within=150)
    finally:
        namespace("patch", CRONJOB, "--patch", json.dumps({"spec": {"schedule": schedule}}))
        namespace("scale", SERVER, "--replicas=2")
    release.grind.check()
    namespace.rolled_out(SERVER)
