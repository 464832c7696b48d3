"""Pods have an address of IPv4, of IPv6, or of both: probes and scrapes come to any of them."""

from __future__ import annotations

import socket

import httpx
import pytest

from evaluator.interfaces import has_ipv6
from tests.integration.exposed import free_port
from tests.integration.program import until
from tests.integration.stage import Stage

LOCAL = ["127.0.0.1", "[::1]"] if has_ipv6() else ["127.0.0.1"]


@pytest.mark.parametrize("role", ["server", "worker"])
def test_whoever_listens_does_so_on_all_addresses(stage: Stage, role: str) -> None:
    port = free_port()
    words = ["server", "--port", port] if role == "server" else ["worker"]
    # What is killed can't remove its folder.
    with stage.evaluator.running(*words, METRICS_PORT=port, TMPDIR=str(stage.folder)):
        until(lambda: answered(f"http://127.0.0.1:{port}"))
        assert {local: answered(f"http://{local}:{port}") for local in LOCAL} == dict.fromkeys(LOCAL, True)


def test_a_machine_without_ipv6_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(socket, "socket", refuses)
    assert not has_ipv6()


def answered(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz").status_code == httpx.codes.OK
    except httpx.ConnectError:
        return False
