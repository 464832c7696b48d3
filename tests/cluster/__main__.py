"""`python -m tests.cluster`: the cluster by hand.

up                       start it, and wait until it works
down [--purge]           stop it; with --purge forget the loaded images too
load ARCHIVE             load an image
build                    build every program, which up and the tests else do when they need it
image                    build the evaluator's image by the Dockerfile, and say its name and where it is
kubeconfig               where the kubeconfig is
serve NAME COMMAND …     run a command in the cluster's network in the background, until down
expose PORT ADDRESS      serve an address of the cluster's network on 127.0.0.1, until down
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.cluster import cluster, images, processes, programs
from tests.cluster.control_plane import expose
from tests.cluster.network import INSIDE
from tests.cluster.place import KUBECONFIG
from tests.cluster.shell import CommandError


def main(words: list[str]) -> None:
    match words:
        case ["up"]:
            cluster.up()
        case ["down"]:
            cluster.down()
        case ["down", "--purge"]:
            cluster.down(purge=True)
        case ["load", archive]:
            cluster.load(Path(archive))
        case ["build"]:
            programs.build_all()
        case ["image"]:
            image = images.evaluator()
            sys.stdout.write(f"{image.name} {image.archive}\n")
        case ["kubeconfig"]:
            sys.stdout.write(f"{KUBECONFIG}\n")
        case ["serve", name, *command] if command:
            processes.start(f"serve-{name}", *INSIDE, *command)
        case ["expose", port, address]:
            expose(int(port), address)
        case _:
            sys.exit(str(__doc__))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except CommandError as error:
        sys.exit(str(error))
