"""Images without a registry: the project's own by its Dockerfile, on stand-ins for the two images that it begins with.

Of Debian there is what `mmdebstrap` makes out of the machine's package mirror, and of uv the program from the package
index, in the version that the Dockerfile names. Everything after that is the Dockerfile.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster.place import IMAGES
from tests.cluster.shell import CommandError, install, run, say

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"
_CONTEXT = ("Dockerfile", ".dockerignore", "LICENSE", "README.md", "pyproject.toml", "uv.lock", "evaluator")
_DEBIAN = "trixie"
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_SLIM = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "info", "locale", "man")]


@dataclass(frozen=True)
class Image:
    name: str
    archive: Path


@cache
def evaluator() -> Image:
    """The evaluator's, as the sources are now; its tag is their digest."""
    image = _image("evaluator", _digest(*(file for name in _CONTEXT for file in _files(ROOT / name))))
    if not image.archive.exists():
        bases = {"DEBIAN": _debian(), "UV": _uv()}
        # Where a proxy signs what comes from outside, the machine's authorities know it.
        secret = [f"--secret=id=authorities,src={_AUTHORITIES}"] if _AUTHORITIES.exists() else []
        _build(image, DOCKERFILE, ROOT, bases, *secret)
    return image


@cache
def services() -> Image:
    """PostgreSQL and Redis in one image, by user 999 as in their official ones."""
    dockerfile = Path(__file__).with_name("services.Dockerfile")
    image = _image("services", _digest(dockerfile))
    if not image.archive.exists():
        _build(image, dockerfile, dockerfile.parent, {"DEBIAN": _debian()})
    return image


@cache
def next_version() -> Image:
    """The evaluator's with a migration more, as its next version may have."""
    dockerfile = Path(__file__).with_name("next.Dockerfile")
    image = _image("evaluator-next", f"{_digest(dockerfile)}-{evaluator().name.rpartition(':')[2]}")
    if not image.archive.exists():
        _build(image, dockerfile, dockerfile.parent, {"EVALUATOR": evaluator().name})
    return image


def _debian() -> str:
    """A minimal Debian, without manuals, as the slim images are."""
    name = f"localhost/debian:{_DEBIAN}"
    if not _exists(name):
        install("buildah", "mmdebstrap")
        say(f"making a minimal Debian {_DEBIAN}")
        with TemporaryDirectory(prefix="evaluator-debian-") as folder:
            archive = Path(folder) / "debian.tar"
            run("mmdebstrap", "--quiet", "--variant=minbase", *_SLIM, _DEBIAN, archive)
            _from_scratch(name, archive)
    return name


def _uv() -> str:
    """uv alone, in the version that the Dockerfile names."""
    found = re.search(r"^ARG UV=\S+/uv:([\d.]+)", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, "the Dockerfile does not say which uv it wants"
    name = f"localhost/uv:{found[1]}"
    if not _exists(name):
        with TemporaryDirectory(prefix="evaluator-uv-") as folder:
            run("uv", "pip", "install", "--quiet", "--target", folder, f"uv=={found[1]}")
            _from_scratch(name, Path(folder) / "bin/uv")
    return name


def _from_scratch(name: str, content: Path) -> None:
    """An image of one file, or of what an archive holds."""
    container = _buildah("from", "scratch").strip()
    _buildah("add", "--quiet", container, content, "/")
    _buildah("commit", "--quiet", "--rm", container, name)


def _build(image: Image, dockerfile: Path, context: Path, arguments: Mapping[str, str], *options: str) -> None:
    say(f"building {image.name}")
    given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    _buildah("build", "--pull-never", "--layers", *given, *options, "--tag", image.name, "--file", dockerfile, context)
    for older in image.archive.parent.glob(f"{image.archive.name.partition('_')[0]}_*"):
        older.unlink()
    _buildah("push", "--quiet", image.name, f"docker-archive:{image.archive}:{image.name}")


def _exists(name: str) -> bool:
    try:
        _buildah("inspect", "--type", "image", name)
    except (CommandError, FileNotFoundError):
        return False
    return True


def _buildah(*arguments: str | Path) -> str:
    # The isolation that needs no rights beyond chroot(2). What RUN mounts as a cache lies with temporary files.
    temporary = IMAGES / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    store = ("--root", IMAGES / "store", "--runroot", IMAGES / "run", "--storage-driver", "overlay")
    return run("buildah", *store, *arguments, env={"BUILDAH_ISOLATION": "chroot", "TMPDIR": str(temporary)})


def _image(name: str, tag: str) -> Image:
    IMAGES.mkdir(parents=True, exist_ok=True)
    return Image(f"localhost/{name}:{tag}", IMAGES / f"{name}_{tag}.tar")


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from sorted(file for file in path.rglob("*") if file.is_file() and file.suffix != ".pyc")


def _digest(*files: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]
