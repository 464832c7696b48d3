"""What the evaluator needs beside itself, in a namespace of its own: PostgreSQL, Redis, and a LeetCode to script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg

from tests.e2e.kubernetes import Namespace, Object
from tests.integration.leetcode import LeetCode

PASSWORD = "only-for-tests"  # noqa: S105  # of services that live for minutes
_DOMAIN = "services.svc.cluster.local"

REDIS = f"redis.{_DOMAIN}"
LEETCODE_URL = f"http://leetcode.{_DOMAIN}:8085/graphql"

_POSTGRES = f"""
export PGDATA=/data/postgres
echo {PASSWORD} >/data/password
initdb --username=evaluator --pwfile=/data/password --auth=scram-sha-256 --encoding=UTF8 --no-sync >/dev/null
echo 'host all all all scram-sha-256' >>$PGDATA/pg_hba.conf
exec postgres -c listen_addresses='*' -c unix_socket_directories=/data -c fsync=off -c max_connections=300
"""
_REDIS = ("redis-server", "--bind", "*", "--requirepass", PASSWORD, "--save", "", "--maxmemory-policy", "noeviction")


@dataclass(frozen=True)
class Services:
    """The services; `postgres` is where PostgreSQL is on this machine."""

    namespace: Namespace
    postgres: str
    leetcode: LeetCode

    @contextmanager
    def database(self) -> Iterator[str]:
        """The name of a new database without tables, dropped afterwards."""
        name = f"test_{uuid4().hex}"
        with psycopg.connect(self.url_from_here("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        yield name
        with psycopg.connect(self.url_from_here("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url_from_here(self, database: str) -> str:
        return f"postgresql://evaluator:{PASSWORD}@{self.postgres}/{database}"

    @staticmethod
    def url_from_pods(database: str) -> str:
        return f"postgresql://evaluator:{PASSWORD}@postgres.{_DOMAIN}:5432/{database}"


@contextmanager
def running(namespace: Namespace, evaluator_image: str, postgres_image: str, redis_image: str) -> Iterator[Services]:
    """Start the services; they end with their namespace."""
    namespace.create()
    simulator = ["evaluator", "simulator", "--host", "0.0.0.0"]  # noqa: S104  # pods ask it
    namespace.apply(
        *_service("postgres", postgres_image, ["sh", "-ec", _POSTGRES], 5432, 999),
        *_service("redis", redis_image, list(_REDIS), 6379, 999),
        *_service("leetcode", evaluator_image, simulator, 8085, 10001),
    )
    for name in ("postgres", "redis", "leetcode"):
        namespace.rolled_out(f"deployment/{name}")
    with namespace.forwarded("postgres", 5432) as postgres, namespace.forwarded("leetcode", 8085) as leetcode:
        yield Services(namespace, postgres, LeetCode(f"http://{leetcode}/graphql"))


def _service(name: str, image: str, command: list[str], port: int, user: int) -> tuple[Object, Object]:
    """A Deployment of one pod, which writes to /data only, and loses that with its pod, and its Service."""
    labels = {"app": name}
    pod: Mapping[str, Any] = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": [{"name": "data", "emptyDir": {}}],
        "containers": [
            {
                "name": name,
                "image": image,
                "command": command,
                "workingDir": "/data",
                "ports": [{"containerPort": port}],
                "readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 1},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            }
        ],
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": labels, "ports": [{"port": port}]},
    }
    return deployment, service
