"""The evaluator in a namespace of its own, installed by its chart, with a database of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from evaluator.ledger.database import Database
from tests.cluster.images import ROOT
from tests.cluster.shell import CommandError, run
from tests.e2e.grind import Grind
from tests.e2e.kubernetes import Namespace
from tests.e2e.services import LEETCODE_URL, PASSWORD, REDIS, Services

CHART = ROOT / "deploy/helm"
NAME = "evaluator"
SERVER, WORKER, CRONJOB = f"deployment/{NAME}-server", f"deployment/{NAME}-worker-all", f"cronjob/{NAME}-enqueue"
WORKERS = f"app.kubernetes.io/instance={NAME},app.kubernetes.io/component=worker-all"
SERVERS = f"app.kubernetes.io/instance={NAME},app.kubernetes.io/component=server"

_redis_databases = count(1)


@dataclass(frozen=True)
class Release:
    """What is installed; `values` are the chart's."""

    namespace: Namespace
    helm: Path
    values: Mapping[str, Any]
    grind: Grind

    def install(self, *options: str, chart: Path = CHART) -> None:
        """Install it, or upgrade it, and return when everything runs."""
        self.helm_says(
            *("upgrade", "--install", NAME, str(chart), "--values=-", "--wait", "--timeout=3m", *options),
            stdin=json.dumps(self.values),
        )

    def helm_says(self, *words: str, stdin: str | None = None) -> str:
        where = (f"--kubeconfig={self.namespace.kubeconfig}", f"--namespace={self.namespace.name}")
        try:
            return run(self.helm, *words, *where, stdin=stdin)
        except CommandError as error:
            raise AssertionError(f"{error}\n{self.namespace.where_it_stands()}") from None

    def with_values(self, values: Mapping[str, Any]) -> Release:
        return replace(self, values=_over(self.values, values))

    def start(self, job: str) -> str:
        """Create a Job from the CronJob, of that name after the CronJob's, as a person does."""
        name = f"{NAME}-enqueue-{job}"
        self.namespace("create", "job", name, f"--from={CRONJOB}")
        return name

    def enqueue(self, job: str) -> str:
        """What such a Job has logged, once it is complete."""
        return self.namespace.completed(self.start(job))

    def pods(self, selector: str) -> list[dict[str, Any]]:
        """Those that are not about to go."""
        found = self.namespace.get("pods", selector=selector)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def restarts(self, selector: str) -> dict[str, int]:
        """By pod, how often its container was started anew."""
        return {
            pod["metadata"]["name"]: sum(one["restartCount"] for one in pod["status"].get("containerStatuses", ()))
            for pod in self.pods(selector)
        }


@contextmanager
def prepared(namespace: Namespace, services: Services, image: str, helm: Path) -> Iterator[Release]:
    """A namespace with everything that an installation needs; nothing is installed yet."""
    namespace.create()
    repository, _, tag = image.rpartition(":")
    with services.database() as name:
        for secret, data in {
            "postgres": {"DATABASE_URL": services.url_from_pods(name)},
            "redis": {"REDIS_PASSWORD": PASSWORD},
            "admin": {"ADMIN_TOKEN": PASSWORD},
        }.items():
            set_secret(namespace, secret, data)
        values = {
            "image": {"repository": repository, "tag": tag},
            "postgres": {"existingSecret": "postgres"},
            "redis": {"host": REDIS, "existingSecret": "redis", "db": next(_redis_databases)},
            "adminToken": {"existingSecret": "admin"},
            "settings": {
                "LEETCODE_URL": LEETCODE_URL,
                "LEETCODE_REQUESTS_PER_SECOND": 10,
                "LEETCODE_USERS_PER_REQUEST": 8,
                "WORKER_CONCURRENCY": 4,
                "JOB_BACKOFF": "200ms",
                "JOB_TIME_LIMIT": "20s",
            },
            # Who is stuck has to be waited for that long.
            "worker": {"terminationGracePeriodSeconds": 35},
        }
        database = Database(services.url_from_here(name))
        try:
            yield Release(namespace, helm, values, Grind(namespace, database, services.leetcode))
        finally:
            database.close()
            namespace.delete()


def set_secret(namespace: Namespace, name: str, data: Mapping[str, str]) -> None:
    namespace.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data})


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        inner = result.get(key)
        result[key] = _over(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return result
