"""No secret is in what a full run prints, logs at DEBUG or leaves in Redis, not even while everything breaks."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests

from tests.faults.arena import Arena, handles
from tests.faults.nursery import Command
from tests.integration.program import until

TOKEN = "planted-token-of-an-administrator"  # noqa: S105  # guards nothing
PASSWORD = "planted-password-of-postgres"  # noqa: S105  # Postgres trusts this user whatever it is
KEY = "planted-key-of-a-collector"
TRACED = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
    "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer {KEY}",
}
"""Traces are asked for, and nobody takes them."""


def test_planted_secrets_come_out_nowhere(arena: Arena) -> None:
    url = arena.database.url.replace("://evaluator@", f"://evaluator:{PASSWORD}@")
    assert PASSWORD in url
    redis_password = urlsplit(arena.redis.url).password
    assert redis_password
    loud = {"DATABASE_URL": url, "ADMIN_TOKEN": TOKEN, "LOG_LEVEL": "DEBUG", "JOB_TIME_LIMIT": "5s", **TRACED}
    arena.challenge("grind", handles("member", 64))
    arena.leetcode.behaves(latency=0.2)
    arena.leetcode.goes_wrong("blocked", times=2)
    arena.leetcode.goes_wrong("truncated", skip=3, times=1)
    said: list[Command] = [arena.start("enqueue", "--json", **loud)]
    said[0].wait()
    worker, server, scheduler = arena.worker(**loud), arena.server(**loud), arena.start("scheduler", **loud)
    admin = f"{server.address()}/api/admin"
    paths = ("/", "/docs", "/openapi.json", "/metrics", "/readyz", "/challenges/grind", "/api/challenges")
    pages = [requests.get(f"{server.address()}{path}", timeout=10).text for path in paths]
    for path in ("queue/stats", "queue/failed"):
        for token in (TOKEN, "wrong", PASSWORD):
            requests.get(f"{admin}/{path}", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    until(lambda: arena.evaluated() > 0)
    in_redis = b"".join(arena.client.dump(key) or b"" for key in arena.client.keys("evaluator:*"))
    arena.postgres.kill()
    arena.redis.kill()
    said += [arena.start(*words, **loud) for words in (["queue", "stats", "--json"], ["doctor"], ["enqueue"])]
    for command in said[1:]:
        command.wait()
    arena.postgres.start()
    arena.redis.start()
    arena.finish(hurrying=True)
    until(lambda: "span" in worker.said())  # it says that it cannot send them
    for words in (["verdicts", "--challenge", "grind", "--json"], ["queue", "failed", "--json"], ["doctor"]):
        said.append(arena.start(*words, **loud))
        said[-1].wait()
    said += [worker, server, scheduler]
    texts = [command.said() + command.out() for command in said] + pages
    assert "Traceback" in worker.said() + server.said() or "does not answer" in "".join(texts)
    for secret in (TOKEN, PASSWORD, KEY, redis_password):
        assert [text for text in texts if secret in text] == []
        assert secret.encode() not in in_redis
