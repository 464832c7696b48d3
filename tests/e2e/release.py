"""The evaluator in a namespace of its own, with a database of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from evaluator.ledger.database import Database
from tests.e2e.grind import Grind
from tests.e2e.installers import NAME, Installer
from tests.e2e.kubernetes import Namespace
from tests.e2e.services import LEETCODE_URL, PASSWORD, REDIS, Services

SERVER, WORKER, CRONJOB = f"deployment/{NAME}-server", f"deployment/{NAME}-worker-all", f"cronjob/{NAME}-enqueue"
SERVERS, WORKERS = (f"app.kubernetes.io/name={NAME},app.kubernetes.io/component={x}" for x in ("server", "worker-all"))

_redis_databases = count(1)


@dataclass(frozen=True)
class Release:
    """What is installed, or can be: `values` are the chart's."""

    namespace: Namespace
    installer: Installer
    values: Mapping[str, Any]
    grind: Grind

    def install(self, **values: Any) -> None:
        """Install it, with these values over its own, and return when everything runs."""
        self.installer.install({**self.values, **values})

    def stop_servers(self) -> None:
        """Return when none is left, so that nobody enqueues by himself."""
        self.namespace("scale", SERVER, "--replicas=0")
        self.namespace.until("no server is left", lambda: not self.namespace.get("pods", selector=SERVERS))

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
def prepared(namespace: Namespace, services: Services, image: str, installer: Installer) -> Iterator[Release]:
    """A namespace with everything that an installation needs; nothing is installed yet."""
    namespace.create()
    repository, _, tag = image.rpartition(":")
    number = next(_redis_databases)
    with services.database() as name:
        secret = {
            "DATABASE_URL": services.url_from_pods(name),
            "REDIS_URL": f"redis://:{PASSWORD}@{REDIS}:6379/{number}",
            "REDIS_PASSWORD": PASSWORD,
            "ADMIN_TOKEN": PASSWORD,
        }
        set_secret(namespace, secret)
        values = {
            "image": {"repository": repository, "tag": tag},
            "postgres": {"existingSecret": NAME},
            "redis": {"host": REDIS, "existingSecret": NAME, "db": number},
            "adminToken": {"existingSecret": NAME},
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
            yield Release(namespace, installer, values, Grind(namespace, database, services.leetcode))
        finally:
            database.close()
            namespace.delete()


def set_secret(namespace: Namespace, data: Mapping[str, str]) -> None:
    namespace.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}, "stringData": data})
