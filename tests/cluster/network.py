"""The cluster's network: a namespace without any link to the outside, so that nothing of the machine's is touched."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.place import CONF, CONTROL_PLANE, NAME, NODES, POD_ADDRESSES, RUN
from tests.cluster.shell import run

NAMESPACE = Path("/run/netns") / NAME
INSIDE = ("nsenter", f"--net={NAMESPACE}")
"""What a command is prefixed with to run in it. `ip netns exec` would hide the cgroups."""


def create() -> None:
    run("ip", "netns", "add", NAME)
    ip = (*INSIDE, "ip")
    run(*ip, "link", "set", "lo", "up")
    # A bridge without ports bears the nodes' addresses. The default route is what lets a node's own processes send to
    # Services, whose addresses are then translated.
    run(*ip, "link", "add", "nodes", "type", "bridge")
    for address in NODES.values():
        run(*ip, "address", "add", f"{address}/24", "dev", "nodes")
    run(*ip, "link", "set", "nodes", "up")
    run(*ip, "route", "add", "default", "dev", "nodes")
    # Files below /proc/sys/net show the namespace of the process that opens them.
    switches = ("/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/bridge/bridge-nf-call-iptables")
    run(*INSIDE, "tee", *switches, stdin="1")
    _configure_pods()


def delete() -> None:
    if NAMESPACE.exists():
        run("ip", "netns", "delete", NAME)


def _configure_pods() -> None:
    """Pods of all nodes share a bridge, and the list of addresses that are taken."""
    addresses = {"type": "host-local", "dataDir": str(RUN / "addresses"), "ranges": [[{"subnet": POD_ADDRESSES}]]}
    bridge = {"type": "bridge", "bridge": "pods", "isDefaultGateway": True, "hairpinMode": True, "ipam": addresses}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    folder = CONF / "cni"
    folder.mkdir(parents=True)
    (folder / "10-pods.conflist").write_text(
        json.dumps({"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge, ports]}), encoding="utf-8"
    )
    (CONF / "resolv.conf").write_text(f"nameserver {CONTROL_PLANE}\n", encoding="utf-8")
