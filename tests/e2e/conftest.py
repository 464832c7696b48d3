"""A cluster with the evaluator's image and its services.

It is the one of `tests.cluster`, started for the tests and stopped after them (EVALUATOR_CLUSTER_KEEP=1: not stopped),
unless KUBECONFIG and EVALUATOR_IMAGE name a cluster and an image that its nodes can have.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import cluster, images, programs
from tests.cluster.place import KUBECONFIG
from tests.e2e import services
from tests.e2e.installers import Helm
from tests.e2e.kubernetes import Namespace
from tests.e2e.release import Release, prepared


@dataclass(frozen=True)
class Given:
    """A cluster, and the names of the images that its nodes have or can fetch."""

    kubectl: Path
    kubeconfig: Path
    evaluator: str
    next_evaluator: str | None
    """A version whose schema has a table more."""
    postgres: str
    redis: str
    ours: bool
    """Whether it is the cluster of `tests.cluster`."""


@pytest.fixture(scope="session")
def given() -> Iterator[Given]:
    kubeconfig, image = os.environ.get("KUBECONFIG"), os.environ.get("EVALUATOR_IMAGE")
    if kubeconfig and image:
        kubectl = shutil.which("kubectl")
        assert kubectl, "kubectl is not on PATH"
        official = "docker.io/library"
        beside = f"{official}/postgres:17", f"{official}/redis:8"
        yield Given(Path(kubectl), Path(kubeconfig), image, os.environ.get("EVALUATOR_NEXT_IMAGE"), *beside, ours=False)
        return
    ours, later, others = images.evaluator(), images.next_version(), images.services()
    if not KUBECONFIG.exists():
        cluster.up()
    for one in (ours, later, others):
        cluster.load(one.archive)
    yield Given(programs.kubectl(), KUBECONFIG, ours.name, later.name, others.name, others.name, ours=True)
    if not os.environ.get("EVALUATOR_CLUSTER_KEEP"):
        cluster.down()


@pytest.fixture(scope="session")
def beside(given: Given) -> Iterator[services.Services]:
    """PostgreSQL, Redis and LeetCode."""
    namespace = Namespace(given.kubectl, given.kubeconfig, "services")
    with services.running(namespace, given.evaluator, given.postgres, given.redis) as running:
        yield running
    namespace.delete()


@pytest.fixture(scope="session")
def release(given: Given, beside: services.Services) -> Iterator[Release]:
    """The chart, installed as most would: two servers, two workers, no autoscaler. Tests leave it as they find it."""
    namespace = Namespace(given.kubectl, given.kubeconfig, "evaluator")
    with prepared(namespace, beside, given.evaluator, Helm(programs.helm("helm4"), namespace)) as release:
        release.install()
        yield release
