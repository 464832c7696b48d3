"""What a figure depends on: the machine, and the versions."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import orjson

from benchmarks.contenders import BULLMQ
from benchmarks.services import Services

_PACKAGES = ("dramatiq", "celery", "psycopg", "redis", "hiredis", "requests", "urllib3")


def facts(services: Services, folder: Path) -> Mapping[str, str]:
    """The machine and the versions, by name; `folder` has the data of PostgreSQL and Redis."""
    found = {
        "commit": _said(["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]),
        "CPU": f"{os.cpu_count()} x {_processor()}",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "data on": _said(["stat", "--file-system", "--format", "%T", str(folder)]),
        "Python": f"{platform.python_version()}, {platform.python_compiler()}",
        "PostgreSQL": f"{services.postgres_version}, embedded, durable",
        "Redis": f"{services.redis_version}, embedded, appendonly",
    }
    for package in _PACKAGES:
        found[package] = version(package)
    if node := shutil.which("node"):
        found["Node.js"] = _said([node, "--version"])
        found |= orjson.loads((BULLMQ / "package.json").read_bytes())["dependencies"]
    return found


def _said(command: Sequence[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603  # ours
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
