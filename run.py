#!/usr/bin/env python3
"""Set everything up and run it. Needs Python 3.11 or newer and nothing else.

    python3 run.py demo     the whole job on real cells, with the light installation
    python3 run.py app      the laboratory's page on the same cells, in the browser
    python3 run.py test     all tests and checks, with everything installed
    python3 run.py size     how much room the installations take

What follows the name is handed on: `python3 run.py demo --help`, `python3 run.py test -k colour`.
The installations are in `.venv` and `.venv-test` and are made once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
STAMP = "hemashift-installed"


@dataclass(frozen=True)
class Environment:
    """A virtual environment in this checkout.

    Attributes:
        folder: Name of its folder.
        lock: File of the exact versions.
        extras: Optional parts of hemashift that it holds.
        cost: What making it costs, in words.
    """

    folder: str
    lock: str
    extras: tuple[str, ...]
    cost: str

    @property
    def path(self) -> Path:
        """Its folder."""
        return ROOT / self.folder

    @property
    def python(self) -> Path:
        """Its interpreter."""
        windows = os.name == "nt"
        return self.path / ("Scripts/python.exe" if windows else "bin/python")

    @property
    def wanted(self) -> str:
        """Hash of all that decides what is installed; another one calls for a new installation."""
        digest = hashlib.sha256(repr((sys.version_info[:2], str(ROOT), self.extras)).encode())
        for name in ("pyproject.toml", self.lock):
            digest.update((ROOT / name).read_bytes())
        return digest.hexdigest()


LIGHT = Environment(".venv", "requirements.lock", (), "a minute and 300 MB of downloads")
EVERYTHING = Environment(
    ".venv-test",
    "requirements-all.lock",
    ("train", "dev", "benchmark"),
    "a few minutes and up to 3 GB of downloads, PyTorch above all",
)


class SetupError(Exception):
    """Something is missing that this script cannot bring."""


def main(arguments: list[str]) -> int:
    """Do what the arguments say and return the exit status."""
    commands = {"demo": demo, "app": app, "test": test, "size": size}
    if not arguments or arguments[0] not in commands:
        print(__doc__)
        return 0 if arguments in (["--help"], ["-h"]) else 2
    try:
        check_python(tuple(sys.version_info[:2]))
        return commands[arguments[0]](arguments[1:])
    except SetupError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def demo(arguments: list[str]) -> int:
    """Run `hemashift demo` in the light installation."""
    prepare(LIGHT)
    status = call([LIGHT.python, "-m", "hemashift.cli.main", "demo", *arguments])
    if status == 0:
        command = LIGHT.python.with_name("hemashift")
        print(f"To go on with images of your own: {os.path.relpath(command)} --help")
    return status


def app(arguments: list[str]) -> int:
    """Run `hemashift app --demo` in the light installation."""
    prepare(LIGHT)
    return call([LIGHT.python, "-m", "hemashift.cli.main", "app", "--demo", *arguments])


def test(arguments: list[str]) -> int:
    """Run every check and test."""
    fresh = prepare(EVERYTHING)
    # Each takes up to 2 GB. One more than there are cores, as some wait for a browser or a program.
    processes = str(min(4, (os.cpu_count() or 1) + 1))
    environment = {
        # A process a core does more than a thread a core on the small images of the tests.
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
        **os.environ,
    }
    failed = []

    def check(name: str, words: Sequence[str]) -> None:
        print(f"== {name}", flush=True)
        if call((EVERYTHING.python, "-m", *words), environment, ROOT) != 0:
            failed.append(name)

    check("ruff check", ["ruff", "check", "--quiet", "."])
    check("ruff format", ["ruff", "format", "--check", "--quiet", "."])
    # It uses one core only, and says what it found while the first tests run.
    types = Thread(target=check, args=("mypy", ["mypy", "--strict", "src"]))
    types.start()
    if fresh:  # the other core compiles what all processes of pytest will import
        collect = (EVERYTHING.python, "-m", "pytest", "--collect-only")
        call(collect, environment, ROOT, quiet=True)
    check("pytest", ["pytest", "-n", processes, "--dist", "loadfile", *arguments])
    types.join()
    if failed:
        print(f"run.py: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def size(arguments: list[str]) -> int:
    """Print how much disk the installations that exist take."""
    for environment in (LIGHT, EVERYTHING):
        if environment.path.is_dir():
            print(f"{environment.folder}: {disk_use(environment.path) / 1e6:.0f} MB")
        else:
            print(f"{environment.folder}: not installed")
    return 0


def check_python(version: tuple[int, ...]) -> None:
    """Check that Python is new enough and can make virtual environments.

    Raises:
        SetupError: It is not.
    """
    if version < OLDEST:
        raise SetupError(
            "hemashift needs Python {}.{} or newer, and this is {}.{} ({})".format(
                *OLDEST, *version, sys.executable
            )
        )
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        raise SetupError(
            f"this Python lacks the module {missing[0]}, which belongs to Python but is packed "
            "apart on some systems.\nOn Debian and Ubuntu: sudo apt install python3-venv"
        )


def prepare(environment: Environment) -> bool:
    """Make an environment, or bring it up to date, unless it is already as it should be.

    Returns:
        Whether anything was installed.

    Raises:
        SetupError: The installation failed.
    """
    stamp = environment.path / STAMP
    if stamp.is_file() and stamp.read_text() == environment.wanted and works(environment):
        return False
    print(f"installing into {environment.folder} ({environment.cost}) ...", flush=True)
    stamp.unlink(missing_ok=True)
    if not works(environment):
        made = call([sys.executable, "-m", "venv", "--clear", environment.path])
        if made != 0:
            raise SetupError(f"the virtual environment {environment.path} could not be made")
    target = f"{ROOT}[{','.join(environment.extras)}]" if environment.extras else str(ROOT)
    # Compiling all modules would take half a minute and 150 MB; most are never imported.
    options = ["-qq", "--disable-pip-version-check", "--no-input", "--no-compile"]
    lock = str(ROOT / environment.lock)
    # The pip that comes with an older Python takes twice as long for the rest.
    for wanted in (["pip>=26"], ["-c", lock, "-e", target]):
        if call((environment.python, "-m", "pip", "install", *options, *wanted)) != 0:
            raise SetupError("the installation failed; the reason stands above")
    stamp.write_text(environment.wanted)
    return True


def works(environment: Environment) -> bool:
    """Tell whether the environment's interpreter is there and starts."""
    if not environment.python.exists():
        return False
    try:
        return call([environment.python, "-c", "import pip"]) == 0
    except OSError:
        return False


def call(
    words: Sequence[str | Path],
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
    quiet: bool = False,
) -> int:
    """Run a command and return its exit status; a quiet one says nothing but of its faults."""
    settings = dict(os.environ if environment is None else environment)
    # Modules are compiled when they are first used, so what is compiled has to be kept.
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    output = subprocess.DEVNULL if quiet else None
    command = [str(word) for word in words]
    return subprocess.run(command, env=settings, cwd=folder, stdout=output).returncode


def disk_use(folder: Path) -> int:
    """Return the bytes that a folder takes on disk, links not followed."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            status = (Path(place) / name).lstat()
            # Windows does not tell the blocks.
            total += getattr(status, "st_blocks", 0) * 512 or status.st_size
    return total


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
