"""A real Prometheus, with its tool: Debian's package `prometheus`."""

from __future__ import annotations

import os
import shutil

import pytest


def tool(name: str) -> str:
    """Where `prometheus` or `promtool` is; without it tests are skipped, but not where they count."""
    found = shutil.which(name)
    if found is None:
        assert not os.environ.get("CI"), f"{name} is not installed"
        pytest.skip(f"{name} is not installed: it is in Debian's package prometheus")
    return found
