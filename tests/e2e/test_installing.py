"""Installed in each way that is documented, tried, used by hand, and taken away again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster import programs
from tests.e2e.conftest import Given
from tests.e2e.kubernetes import Namespace
from tests.e2e.release import NAME, SERVER, Release, prepared
from tests.e2e.services import Services
from tests.faults.arena import FIRST

pytestmark = pytest.mark.e2e

_KINDS = (
    "all,configmaps,secrets,serviceaccounts,poddisruptionbudgets,networkpolicies,persistentvolumeclaims,ingresses,"
    "roles,rolebindings,leases"
)


@pytest.fixture(params=["helm3", "helm4"])
def fresh(request: pytest.FixtureRequest, given: Given, beside: Services) -> Iterator[Release]:
    namespace = Namespace(given.kubectl, given.kubeconfig, f"installed-by-{request.param}")
    with prepared(namespace, beside, given.evaluator, programs.helm(request.param)) as release:
        yield release


def test_what_is_installed_works_and_leaves_nothing(fresh: Release) -> None:
    namespace, grind = fresh.namespace, fresh.grind
    before = things(namespace)
    fresh.install()

    # Two servers and two workers began with the migration: it was carried out once, and they waited.
    migrated = namespace("logs", "--selector=app.kubernetes.io/component=migrate", "--tail=-1")
    assert migrated.count("applied 0001") == 1, migrated
    assert not any((fresh.restarts("app.kubernetes.io/component in (server,worker-all)")).values())

    fresh.helm_says("test", NAME, "--timeout=3m")

    # Without a server nobody enqueues but those Jobs.
    namespace("scale", SERVER, "--replicas=0")
    namespace.rolled_out(SERVER)
    grind.challenge("by-hand", 24)
    assert "Successfully queued 1 challenge evaluation jobs" in fresh.enqueue(str(FIRST))
    namespace.until("that day is settled", lambda: grind.settled_days("by-hand") == [0])
    assert "Successfully queued 3 challenge evaluation jobs" in fresh.enqueue("now")
    assert "Successfully queued 0 challenge evaluation jobs" in fresh.enqueue(f"again-{FIRST}")
    grind.check()

    fresh.helm_says("uninstall", NAME, "--wait", "--timeout=3m")
    namespace("delete", "jobs", "--all")  # those that were created by hand
    namespace.until("nothing is left", lambda: things(namespace) == before)


def things(namespace: Namespace) -> set[str]:
    """Every object in a namespace, by kind and name."""
    return set(namespace("get", _KINDS, "--output=name", "--ignore-not-found").split())
