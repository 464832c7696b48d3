"""The cluster's certificates, and a kubeconfig for each who needs one."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

from tests.cluster.place import API_PORT, API_SERVICE, CONF, CONTROL_PLANE, DOMAIN, KUBECONFIG, NAME, NODES, PKI
from tests.cluster.shell import run

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_DAYS = ("-days", "3650")


def create() -> None:
    PKI.mkdir(parents=True)
    run("openssl", "req", "-x509", *_KEY, *_DAYS, "-subj", f"/CN={NAME}", "-keyout", _key("ca"), "-out", _crt("ca"))
    # What signs the tokens of service accounts.
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", _key("accounts"))
    run("openssl", "ec", "-in", _key("accounts"), "-pubout", "-out", PKI / "accounts.pub")

    service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{DOMAIN}"]
    names = [f"IP:{address}" for address in ("127.0.0.1", CONTROL_PLANE, API_SERVICE)]
    names += [f"DNS:{name}" for name in ("localhost", *service)]
    _certificate("apiserver", "kube-apiserver", "kubernetes", names)
    _certificate("aggregator", "aggregator", "kubernetes")
    # Kubernetes knows its own parts, and its administrators, by these names.
    for node, address in NODES.items():
        _client(node, f"system:node:{node}", "system:nodes", [f"IP:{address}", f"DNS:{node}"])
    for part in ("controller-manager", "scheduler", "proxy"):
        _client(part, f"system:kube-{part}", "kubernetes")
    _client("admin", "admin", "system:masters")
    _kubeconfig(KUBECONFIG, f"https://127.0.0.1:{API_PORT}", "admin")


def kubeconfig(name: str) -> Path:
    """For a client inside the cluster's network."""
    return CONF / f"{name}.kubeconfig"


def _client(name: str, user: str, group: str, names: list[str] | None = None) -> None:
    _certificate(name, user, group, names)
    _kubeconfig(kubeconfig(name), f"https://{CONTROL_PLANE}:6443", name)


def _certificate(name: str, user: str, group: str, names: list[str] | None = None) -> None:
    """A certificate as user and group, and as a server of these names."""
    request = run("openssl", "req", "-new", *_KEY, "-keyout", _key(name), "-subj", f"/O={group}/CN={user}")
    extensions = PKI / f"{name}.ext"
    alternative = f"subjectAltName={','.join(names)}\n" if names else ""
    extensions.write_text(f"extendedKeyUsage=serverAuth,clientAuth\n{alternative}", encoding="utf-8")
    signer = ("-CA", _crt("ca"), "-CAkey", _key("ca"))
    run("openssl", "x509", "-req", *signer, *_DAYS, "-extfile", extensions, "-out", _crt(name), stdin=request)


def _kubeconfig(path: Path, server: str, name: str) -> None:
    cluster = {"server": server, "certificate-authority-data": _data(_crt("ca"))}
    user = {"client-certificate-data": _data(_crt(name)), "client-key-data": _data(_key(name))}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": name}}],
        "current-context": NAME,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(content), encoding="utf-8")


def _key(name: str) -> Path:
    return PKI / f"{name}.key"


def _crt(name: str) -> Path:
    return PKI / f"{name}.crt"


def _data(path: Path) -> str:
    return b64encode(path.read_bytes()).decode()
