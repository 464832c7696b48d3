"""Where the cluster is: its folder, its names, its addresses."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(os.environ.get("EVALUATOR_CLUSTER_DIR") or Path.home() / ".cache/evaluator-cluster").resolve()
"""Keep it short: sockets lie in it, whose paths may have 107 bytes."""

API_PORT = int(os.environ.get("EVALUATOR_CLUSTER_PORT", "16443"))
"""Where the API is on the machine's 127.0.0.1."""

NAME = "evaluator-cluster"
"""Of the network namespace that everything lives in, and of the context in the kubeconfig."""

DOMAIN = "cluster.local"
POD_ADDRESSES, SERVICE_ADDRESSES = "10.202.0.0/16", "10.203.0.0/16"
API_SERVICE = "10.203.0.1"
"""The first of SERVICE_ADDRESSES: the Service `kubernetes`."""

NODES = {"node-1": "10.201.0.1", "node-2": "10.201.0.2"}
"""The nodes' addresses. The control plane is on the first one."""

CONTROL_PLANE = NODES["node-1"]
PAUSE_IMAGE = "localhost/pause:1"

BIN = FOLDER / "bin"
IMAGES = FOLDER / "images"
RUN, LOGS, CONF, PKI = FOLDER / "run", FOLDER / "log", FOLDER / "conf", FOLDER / "pki"
KUBECONFIG = FOLDER / "kubeconfig"


def socket(node: str) -> Path:
    """Of a node's container runtime."""
    return RUN / node / "containerd.sock"
