"""A PostgreSQL on a disk of its own, which is small, and full when told so.

`unshare --mount python -m tests.faults.small_disk FOLDER` prints the server's URL, and obeys `fill` and `free`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

from evaluator.local import postgres

MEGABYTES = 160


def mount(folder: Path) -> None:
    """Put the disk there, for this process and its children; the system call, as mount(8) is for root only."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"small", os.fsencode(folder), b"tmpfs", 0, f"size={MEGABYTES}m,mode=0700".encode()):
        raise OSError(ctypes.get_errno(), f"no disk can be mounted at {folder}")


def fill(ballast: Path) -> None:
    """Leave not a byte."""
    piece = 2**20
    with ballast.open("ab", buffering=0) as file:
        while piece:
            try:
                file.write(bytes(piece))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                piece //= 2


def main(folder: Path) -> None:
    disk = folder / "disk"
    disk.mkdir(exist_ok=True)
    mount(disk)
    ballast = disk / "ballast"
    with (
        # Beside the disk, which nobody else sees.
        patch.object(postgres, "_socket_folder", lambda _: nullcontext(folder)),
        postgres.embedded_postgres(disk) as url,
    ):
        print(url, flush=True)  # noqa: T201  # the answer
        for line in sys.stdin:
            if line.strip() == "fill":
                fill(ballast)
            else:
                ballast.unlink(missing_ok=True)
            print(flush=True)  # noqa: T201  # done


if __name__ == "__main__":
    main(Path(sys.argv[1]))
