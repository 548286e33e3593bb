"""Installs the real Ollama servers of the real lane under .lanes/: `python tests/real/servers.py install|check`.

Two generations: v0.24.0 whole, with its own C++ runner, and v0.33.3, whose runner the lane replaces (tests/real/stand_in).
Both are built by Go from its module proxy; Ollama's module zip lacks the folders named `vendor`, so the headers of three
C++ libraries come from Debian and PyPI. Status: 0 installed, 1 a step failed, 2 wrong usage, 3 cannot be built here.
Standard library only, so that any Python can run it before the project is set up.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path

CANNOT = 3

_LANES = Path(__file__).resolve().parents[2] / ".lanes"
_MINIAUDIO = "miniaudio==1.71"
_DEBIAN = {"nlohmann/json.hpp": "nlohmann-json3-dev", "stb/stb_image.h": "libstb-dev"}


@dataclass(frozen=True, slots=True)
class Server:
    """A version of Ollama; `whole` means that its C++ runner is built too."""

    generation: str
    version: str
    whole: bool

    @property
    def binary(self) -> Path:
        return _LANES / f"ollama-{self.version}" / "ollama"


SERVERS = (Server("old", "v0.24.0", whole=True), Server("new", "v0.33.3", whole=False))


def installed(generation: str) -> Path | None:
    """The server's binary, or None where it is not installed."""
    binary = next(server.binary for server in SERVERS if server.generation == generation)
    return binary if binary.exists() else None


class _Cannot(Exception):
    """This machine lacks something that the installer does not bring."""


def main(arguments: list[str]) -> int:
    match arguments:
        case ["check"]:
            return _check()
        case ["install"]:
            return _install_all()
        case _:
            print(__doc__)
            return 2


def _check() -> int:
    missing = [server for server in SERVERS if not server.binary.exists()]
    for server in SERVERS:
        print(f"Ollama {server.version}: {'not installed' if server in missing else server.binary}")
    return CANNOT if missing else 0


def _install_all() -> int:
    try:
        for server in SERVERS:
            _install(server)
    except _Cannot as reason:
        print(f"The real lane cannot run here: {reason}")
        return CANNOT
    except subprocess.CalledProcessError as failure:
        print(f"{' '.join(map(str, failure.cmd))} failed with status {failure.returncode}:\n{_tail(failure)}")
        return 1
    return 0


def _install(server: Server) -> None:
    if server.binary.exists():
        print(f"Ollama {server.version} is installed: {server.binary}")
        return
    _need_go()
    include = _headers() if server.whole else None
    print(
        f"Building Ollama {server.version} with Go (minutes the first time, seconds with a warm build cache) …",
        flush=True,
    )
    started = time.monotonic()
    server.binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_LANES) as folder:
        # CPATH, not CGO_CPPFLAGS: Go keys its build cache by the latter, and the path of a checkout may change.
        path = {} if include is None else {"CPATH": os.pathsep.join([str(include), *_texts(os.environ.get("CPATH"))])}
        _run("go", "install", f"github.com/ollama/ollama@{server.version}", GOBIN=folder, **path)
        os.replace(Path(folder) / "ollama", server.binary)
    print(f"Ollama {server.version} is installed after {time.monotonic() - started:.0f} s: {server.binary}")


def _need_go() -> None:
    for program, package in (("go", "Go 1.26 (go.dev/dl)"), ("gcc", "gcc"), ("g++", "g++")):
        if shutil.which(program) is None:
            raise _Cannot(f"`{program}` is not on PATH; install {package}.")


def _headers() -> Path:
    """A folder to include from that has what the system's own folders lack."""
    missing = [package for header, package in _DEBIAN.items() if not _compiles(header)]
    if missing:
        _apt_install(missing)
    include = _LANES / "include"
    if not (include / "miniaudio" / "miniaudio.h").exists():
        _fetch_miniaudio(include)
    return include


def _apt_install(packages: list[str]) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise _Cannot(f"C++ headers are missing; as root: apt-get install {' '.join(packages)}")
    print(f"Installing Debian packages: {' '.join(packages)} …", flush=True)
    _run("apt-get", "update", "-qq")
    _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages, DEBIAN_FRONTEND="noninteractive")


def _fetch_miniaudio(include: Path) -> None:
    print(f"Fetching {_MINIAUDIO} from PyPI for one header …", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        _run(*_pip(Path(folder)), "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", folder, _MINIAUDIO)
        (archive,) = Path(folder).glob("miniaudio-*.tar.gz")
        with tarfile.open(archive) as source:
            header = source.extractfile(f"{archive.name.removesuffix('.tar.gz')}/miniaudio/miniaudio.h")
            assert header is not None
            (include / "miniaudio").mkdir(parents=True, exist_ok=True)
            (include / "miniaudio" / "miniaudio.h").write_bytes(header.read())


def _pip(folder: Path) -> list[str]:
    """A pip that runs: this Python's, or that of a new environment (uv makes environments without one)."""
    own = [sys.executable, "-m", "pip"]
    if subprocess.run([*own, "--version"], capture_output=True, check=False).returncode == 0:
        return own
    try:
        venv.create(folder / "venv", with_pip=True)
    except subprocess.CalledProcessError:
        raise _Cannot("Python has neither pip nor ensurepip; install python3-venv.") from None
    return [str(folder / "venv" / "bin" / "python"), "-m", "pip"]


def _compiles(header: str) -> bool:
    command = ["g++", "-x", "c++", "-fsyntax-only", "-"]
    return (
        subprocess.run(command, input=f"#include <{header}>\n".encode(), capture_output=True, check=False).returncode
        == 0
    )


def _run(*command: str, **environment: str) -> None:
    subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True, text=True)


def _tail(failure: subprocess.CalledProcessError) -> str:
    return "\n".join(str(failure.stderr or failure.stdout or "").splitlines()[-20:])


def _texts(value: str | None) -> list[str]:
    return [value] if value else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
