"""Installed in each way that is documented, tried, used by hand, and taken away again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import programs
from tests.e2e.conftest import Given
from tests.e2e.installers import Helm, Kustomize
from tests.e2e.kubernetes import Namespace
from tests.e2e.release import SERVERS, WORKERS, Release, prepared
from tests.e2e.services import Services
from tests.faults.arena import FIRST

pytestmark = pytest.mark.e2e

_KINDS = (
    "all,configmaps,secrets,serviceaccounts,poddisruptionbudgets,networkpolicies,persistentvolumeclaims,ingresses,"
    "roles,rolebindings,leases"
)


@pytest.fixture(params=["helm3", "helm4", "kustomize"])
def fresh(request: pytest.FixtureRequest, given: Given, beside: Services, tmp_path: Path) -> Iterator[Release]:
    name: str = request.param
    namespace = Namespace(given.kubectl, given.kubeconfig, f"installed-by-{name}")
    installer = Kustomize(tmp_path, namespace) if name == "kustomize" else Helm(programs.helm(name), namespace)
    with prepared(namespace, beside, given.evaluator, installer) as release:
        yield release


def test_what_is_installed_works_and_leaves_nothing(fresh: Release) -> None:
    namespace, grind = fresh.namespace, fresh.grind
    before = things(namespace)
    fresh.install()

    # Everything began at once: the migration was carried out by one, and the others waited for it.
    jobs = namespace("logs", "--selector=app.kubernetes.io/component=migrate", "--tail=-1")
    servers = namespace("logs", f"--selector={SERVERS}", "--container=schema", "--tail=-1")
    assert (jobs + servers).count("applied 0001") == 1, jobs + servers
    assert len(fresh.pods(SERVERS)) == len(fresh.pods(WORKERS)) == 2
    assert not any((fresh.restarts(SERVERS) | fresh.restarts(WORKERS)).values())
    fresh.installer.ping()

    fresh.stop_servers()
    grind.challenge("by-hand", 24)
    assert "Successfully queued 1 challenge evaluation jobs" in fresh.enqueue(str(FIRST))
    namespace.until("that day is settled", lambda: grind.settled_days("by-hand") == [0])
    assert "Successfully queued 3 challenge evaluation jobs" in fresh.enqueue("now")
    assert "Successfully queued 0 challenge evaluation jobs" in fresh.enqueue(f"again-{FIRST}")
    grind.check()

    fresh.installer.uninstall()
    namespace("delete", "jobs", "--all")  # those that were created by hand
    namespace.until("nothing is left", lambda: things(namespace) == before)


def things(namespace: Namespace) -> set[str]:
    """Every object in a namespace, by kind and name."""
    return set(namespace("get", _KINDS, "--output=name", "--ignore-not-found").split())
