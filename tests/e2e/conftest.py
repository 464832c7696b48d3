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
from tests.e2e.kubernetes import Namespace


@dataclass(frozen=True)
class Given:
    """A cluster, and the names of the images that its nodes have or can fetch."""

    kubectl: Path
    kubeconfig: Path
    evaluator: str
    postgres: str
    redis: str


@pytest.fixture(scope="session")
def given() -> Iterator[Given]:
    kubeconfig, image = os.environ.get("KUBECONFIG"), os.environ.get("EVALUATOR_IMAGE")
    if kubeconfig and image:
        kubectl = shutil.which("kubectl")
        assert kubectl, "kubectl is not on PATH"
        official = "docker.io/library"
        yield Given(Path(kubectl), Path(kubeconfig), image, f"{official}/postgres:17", f"{official}/redis:8")
        return
    ours, beside = images.evaluator(), images.services()
    if not KUBECONFIG.exists():
        cluster.up()
    cluster.load(ours.archive)
    cluster.load(beside.archive)
    yield Given(programs.kubectl(), KUBECONFIG, ours.name, beside.name, beside.name)
    if not os.environ.get("EVALUATOR_CLUSTER_KEEP"):
        cluster.down()


@pytest.fixture(scope="session")
def beside(given: Given) -> Iterator[services.Services]:
    """PostgreSQL, Redis and LeetCode."""
    namespace = Namespace(given.kubectl, given.kubeconfig, "services")
    with services.running(namespace, given.evaluator, given.postgres, given.redis) as running:
        yield running
    namespace.delete()
