"""Secrets change, and a rollout is all that it takes."""

from __future__ import annotations

import psycopg
import pytest
import requests

from tests.e2e.installers import NAME
from tests.e2e.release import SERVER, WORKER, Release, set_secret
from tests.e2e.services import PASSWORD, Services

pytestmark = pytest.mark.e2e

_USERS = """
SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database() AND client_addr <> '127.0.0.1'
"""
"""Of the pods; what is forwarded from here comes from the address of PostgreSQL's own pod."""


def test_secrets_are_rotated_by_a_rollout(release: Release, beside: Services) -> None:
    namespace = release.namespace
    with psycopg.connect(release.grind.database.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE rotated SUPERUSER LOGIN PASSWORD 'another'")
        url = beside.url_from_pods(connection.info.dbname)
        try:
            rotated = url.replace(f"evaluator:{PASSWORD}", "rotated:another")
            set_secret(namespace, {"ADMIN_TOKEN": "another", "DATABASE_URL": rotated, "REDIS_PASSWORD": PASSWORD})
            for deployment in (SERVER, WORKER):
                namespace("rollout", "restart", deployment)
            for deployment in (SERVER, WORKER):
                namespace.rolled_out(deployment)
            release.grind.challenge("rotated", 24)
            release.enqueue("rotated")
            release.grind.check()
            namespace.until(
                "only the new user is at work", lambda: connection.execute(_USERS).fetchall() == [("rotated",)]
            )
            with namespace.forwarded(f"{NAME}-server", 80) as server:
                assert {token: ask(server, token) for token in ("another", PASSWORD)} == {"another": 200, PASSWORD: 401}
        finally:
            set_secret(namespace, {"ADMIN_TOKEN": PASSWORD, "DATABASE_URL": url, "REDIS_PASSWORD": PASSWORD})


def ask(server: str, token: str) -> int:
    """How an administrator's request is answered."""
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"http://{server}/api/admin/queue/stats", headers=headers, timeout=10).status_code
