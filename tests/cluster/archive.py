"""Image archives made by hand, as `docker save` writes them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.shell import run


def scratch_image(archive: Path, name: str, programs: Sequence[Path]) -> None:
    """An image of static programs and what they read, all in its root; the first is what it runs."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for program in programs:
            tar.add(program, program.name, filter=_executable)
    config = {
        "architecture": run("dpkg", "--print-architecture").strip(),
        "os": "linux",
        "config": {"Entrypoint": [f"/{programs[0].name}"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    with tarfile.open(archive, "w") as tar:
        _add(tar, "manifest.json", json.dumps(manifest).encode())
        _add(tar, "config.json", json.dumps(config).encode())
        _add(tar, "layer.tar", layer.getvalue())


def _executable(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mode, entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0o755, 0, 0, 0, "", ""
    return entry


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))
