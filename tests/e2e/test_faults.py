"""Workers, nodes and Redis go in the middle of a run, and every verdict is what it would have been."""

from __future__ import annotations

import pytest

from tests.e2e.release import SERVERS, WORKER, WORKERS, Release

pytestmark = pytest.mark.e2e

MEMBERS = 200
"""At ten requests a second their first day takes 2.5 s, all four 10 s."""

_KILL_ALL = "import os, signal; os.kill(-1, signal.SIGKILL)"
"""Every process of a container but the first one, which has to notice by itself."""


def test_a_worker_pod_that_is_deleted_ends_its_jobs_and_another_goes_on(release: Release) -> None:
    release.grind.challenge("deleted", MEMBERS)
    release.start("deleted")
    release.grind.half_way("deleted")
    release.namespace("delete", "pod", release.pods(WORKERS)[0]["metadata"]["name"], "--wait=false")
    release.grind.check()


def test_a_worker_that_is_killed_leaves_nothing_undone(release: Release) -> None:
    release.grind.challenge("killed", MEMBERS)
    release.start("killed")
    release.grind.half_way("killed")
    for pod in release.pods(WORKERS):
        name = pod["metadata"]["name"]
        release.namespace("exec", name, "--container=worker", "--", "python", "-c", _KILL_ALL)
    release.grind.check()
    release.namespace.until("workers were restarted", lambda: all(release.restarts(WORKERS).values()))


def test_a_node_that_is_drained_gives_its_pods_to_another(release: Release) -> None:
    namespace = release.namespace
    if len(namespace.get("nodes")) < 2:
        pytest.skip("this cluster has one node: nothing could run anywhere else")
    drained = release.pods(WORKERS)[0]["spec"]["nodeName"]
    release.grind.challenge("drained", MEMBERS)
    release.start("drained")
    release.grind.half_way("drained")
    try:
        ours = "--pod-selector=app.kubernetes.io/instance=evaluator"
        namespace("drain", drained, ours, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=180s")
        release.grind.check()
        namespace.rolled_out(WORKER)
        assert drained not in {pod["spec"]["nodeName"] for pod in release.pods(WORKERS) + release.pods(SERVERS)}
    finally:
        namespace("uncordon", drained)


def test_a_rolling_restart_takes_nothing_from_anybody(release: Release) -> None:
    release.grind.challenge("restarted", MEMBERS)
    release.start("restarted")
    release.grind.half_way("restarted")
    before = {pod["metadata"]["name"] for pod in release.pods(WORKERS)}
    release.namespace("rollout", "restart", WORKER)
    release.namespace.rolled_out(WORKER)
    assert before.isdisjoint(pod["metadata"]["name"] for pod in release.pods(WORKERS))
    release.grind.check()


def test_a_redis_that_comes_back_empty_is_filled_again(release: Release) -> None:
    restarts = release.restarts(WORKERS) | release.restarts(SERVERS)
    release.grind.challenge("emptied", MEMBERS)
    release.start("emptied")
    release.grind.half_way("emptied")
    services = release.namespace.other("services")
    services("delete", "pod", "--selector=app=redis", "--wait=false")
    services.rolled_out("deployment/redis")
    release.grind.check()
    assert release.restarts(WORKERS) | release.restarts(SERVERS) == restarts
