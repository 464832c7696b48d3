"""The image by itself: every role, as a user without rights, with a root that is read-only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.cluster.images import ROOT
from tests.e2e.conftest import Given
from tests.e2e.kubernetes import Namespace
from tests.e2e.release import SERVER, Release
from tests.e2e.services import LEETCODE_URL, PASSWORD, REDIS, Services
from tests.faults.arena import DAYS, FIRST, fate, handles, people

pytestmark = pytest.mark.e2e

MEMBERS = handles("image", 40)
CHALLENGES = f"""
challenges:
  - id: grind
    name: Grind
    timezone: Etc/UTC
    starts: {FIRST}
    ends: {FIRST + timedelta(DAYS - 1)}
    rules:
      min_solves: 1
      difficulties: [Medium, Hard]
      freezes_per_month: 1
      penalty: {{amount: "5.00", currency: EUR, cap: "12.00"}}
    members: [{", ".join(f"{{handle: {handle}}}" for handle in MEMBERS)}]
"""


@pytest.fixture
def namespace(given: Given, beside: Services) -> Iterator[Namespace]:
    """One that is restricted, with the evaluator's settings and a challenge file in it."""
    namespace = Namespace(given.kubectl, given.kubeconfig, "image")
    namespace.create()
    with beside.database() as database:
        settings = {
            "DATABASE_URL": beside.url_from_pods(database),
            "REDIS_HOST": REDIS,
            "REDIS_PASSWORD": PASSWORD,
            "LEETCODE_URL": LEETCODE_URL,
        }
        for name, data in {"settings": settings, "challenges": {"challenges.yaml": CHALLENGES}}.items():
            namespace.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
        yield namespace
        namespace.delete()


def pod(image: str, *arguments: str) -> dict[str, Any]:
    return {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "challenges", "configMap": {"name": "challenges"}}],
        "containers": [
            {
                "name": "evaluator",
                "image": image,
                "args": arguments,
                "envFrom": [{"configMapRef": {"name": "settings"}}],
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # the one folder that may be written to
                    {"name": "challenges", "mountPath": "/challenges"},
                ],
            }
        ],
    }


INSPECT = """
import evaluator, hashlib, json, os, pathlib, shutil
root = pathlib.Path(evaluator.__file__).parent
files = [path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"]
print(json.dumps({
    "user": [os.getuid(), os.getgid()],
    "tools": [name for name in ("cc", "gcc", "git", "make", "pip", "uv") if shutil.which(name)],
    "files": {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
}))
"""
"""Who runs in a pod, with what at hand, and what the package is there."""


def job(namespace: Namespace, image: str, *arguments: str) -> str:
    """Run a command to its end, and give what it printed."""
    template = {"spec": pod(image, *arguments) | {"restartPolicy": "Never"}}
    name = arguments[0]
    spec = {"backoffLimit": 0, "template": template}
    namespace.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec})
    return namespace.completed(name)


def test_it_settles_days_as_nobody_and_with_a_root_that_is_read_only(
    given: Given, beside: Services, namespace: Namespace
) -> None:
    people(beside.leetcode, "image", len(MEMBERS))
    job(namespace, given.evaluator, "migrate")
    job(namespace, given.evaluator, "apply", "--file", "/challenges/challenges.yaml")
    for role in ("worker", "server"):
        labels = {"role": role}
        spec = {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod(given.evaluator, role)},
        }
        namespace.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": role}, "spec": spec})
    job(namespace, given.evaluator, "enqueue", "--wait")
    found = json.loads(job(namespace, given.evaluator, "verdicts", "--challenge", "grind", "--json"))
    outcomes = {
        handle: tuple(row["outcome"] for row in sorted(found, key=lambda row: row["day"]) if row["handle"] == handle)
        for handle in MEMBERS
    }
    assert outcomes == {handle: fate(handle, DAYS).outcomes for handle in MEMBERS}
    namespace.rolled_out("deployment/server")


def test_it_holds_the_sources_as_they_are_and_nothing_to_build_with(given: Given, release: Release) -> None:
    if not given.ours:
        pytest.skip("the image is not of these sources")
    told = json.loads(release.namespace("exec", SERVER, "--container=server", "--", "python", "-c", INSPECT))
    sources = [path for path in (ROOT / "evaluator").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    digests = {
        str(path.relative_to(ROOT / "evaluator")): hashlib.sha256(path.read_bytes()).hexdigest() for path in sources
    }
    assert told == {"user": [10001, 10001], "tools": [], "files": digests}
