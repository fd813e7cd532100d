"""The script that sets everything up, without setting anything up."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, moved to a checkout of its own."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "run.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "bootstrap", module)
    spec.loader.exec_module(module)
    for name in ("pyproject.toml", "requirements.lock", "requirements-all.lock"):
        (tmp_path / name).write_text(f"# {name}\n")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


class Shell:
    """Stands in for the running of commands; makes an interpreter where one would be made."""

    def __init__(self, answer: Callable[[str], int] = lambda line: 0) -> None:
        self.answer = answer
        self.lines: list[str] = []
        self.environments: list[dict[str, str] | None] = []

    def __call__(
        self,
        words: Sequence[str | Path],
        environment: dict[str, str] | None = None,
        folder: Path | None = None,
        quiet: bool = False,
    ) -> int:
        line = " ".join(map(str, words))
        self.lines.append(line)
        self.environments.append(environment)
        if "-m venv" in line:
            python = Path(words[-1]) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
            python.parent.mkdir(parents=True, exist_ok=True)
            python.write_text("")
        return self.answer(line)

    def ran(self, part: str) -> list[str]:
        return [line for line in self.lines if part in line]


@pytest.fixture
def shell(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = Shell()
    monkeypatch.setattr(run, "call", shell)
    return shell


def test_an_old_python_gets_a_message(run: ModuleType) -> None:
    with pytest.raises(run.SetupError, match=r"needs Python 3\.11 or newer, and this is 3\.9"):
        run.check_python((3, 9))
    run.check_python((3, 11))
    run.check_python((4, 0))


def test_the_script_can_be_read_by_a_python_that_is_too_old() -> None:
    ast.parse((ROOT / "run.py").read_text(), feature_version=(3, 7))


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_in_parts_gets_a_message(
    run: ModuleType, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        run.importlib.util, "find_spec", lambda name: None if name == missing else name
    )
    with pytest.raises(run.SetupError, match=rf"lacks the module {missing}[\s\S]*python3-venv"):
        run.check_python((3, 12))


def test_the_light_installation_has_no_extras_and_keeps_to_the_lock(
    run: ModuleType, shell: Shell, tmp_path: Path
) -> None:
    run.prepare(run.LIGHT)
    pip, install = shell.ran("pip install")
    assert pip.endswith("pip>=26")
    assert install.startswith(str(run.LIGHT.python))
    assert f"-c {tmp_path / 'requirements.lock'}" in install
    assert install.endswith(f"-e {tmp_path}")


def test_the_full_installation_is_apart_and_has_every_extra(run: ModuleType, shell: Shell) -> None:
    run.prepare(run.EVERYTHING)
    assert run.EVERYTHING.path != run.LIGHT.path
    (install,) = shell.ran(" -e ")
    assert "requirements-all.lock" in install
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(run.EVERYTHING.extras) == set(extras["optional-dependencies"])
    assert install.endswith(f"[{','.join(run.EVERYTHING.extras)}]")


def test_nothing_is_installed_twice(run: ModuleType, shell: Shell) -> None:
    run.prepare(run.LIGHT)
    run.prepare(run.LIGHT)
    assert len(shell.ran("-m venv")) == 1
    assert len(shell.ran(" -e ")) == 1


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.lock"])
def test_a_change_of_what_is_wanted_installs_again_in_place(
    run: ModuleType, shell: Shell, tmp_path: Path, name: str
) -> None:
    run.prepare(run.LIGHT)
    (tmp_path / name).write_text("changed")
    run.prepare(run.LIGHT)
    assert len(shell.ran("-m venv")) == 1
    assert len(shell.ran(" -e ")) == 2


def test_another_lock_changes_nothing(run: ModuleType, shell: Shell, tmp_path: Path) -> None:
    run.prepare(run.LIGHT)
    (tmp_path / "requirements-all.lock").write_text("changed")
    run.prepare(run.LIGHT)
    assert len(shell.ran(" -e ")) == 1


def test_a_broken_environment_is_made_anew(
    run: ModuleType, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.prepare(run.LIGHT)
    shell.answer = lambda line: int("import pip" in line)
    run.prepare(run.LIGHT)
    assert len(shell.ran("-m venv --clear")) == 2
    assert len(shell.ran(" -e ")) == 2


def test_a_failed_installation_is_tried_again_next_time(run: ModuleType, shell: Shell) -> None:
    shell.answer = lambda line: int(" -e " in line)
    with pytest.raises(run.SetupError, match="installation failed"):
        run.prepare(run.LIGHT)
    shell.answer = lambda line: 0
    run.prepare(run.LIGHT)
    assert len(shell.ran(" -e ")) == 2


def test_an_environment_that_cannot_be_made_gives_a_message(
    run: ModuleType, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.answer = lambda line: int("-m venv" in line)
    assert run.main(["demo"]) == 2
    assert "could not be made" in capsys.readouterr().err


def test_the_demonstration_gets_its_options_and_gives_its_status(
    run: ModuleType, shell: Shell
) -> None:
    shell.answer = lambda line: 7 * ("hemashift.cli.main" in line)
    assert run.main(["demo", "--seed", "3"]) == 7
    (line,) = shell.ran("hemashift.cli.main")
    assert line == f"{run.LIGHT.python} -m hemashift.cli.main demo --seed 3"


def test_every_check_runs_even_if_one_fails(
    run: ModuleType, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.answer = lambda line: int("mypy" in line)
    assert run.main(["test", "-k", "colour"]) == 1
    checks = [line.split(" -m ")[1] for line in shell.lines if " -m " in line]
    checks = [line for line in checks if not re.match(r"venv|pip|pytest --collect-only", line)]
    assert [line.split()[0] for line in checks[:2]] == ["ruff", "ruff"]
    types, tests = sorted(checks[2:])  # side by side
    assert types == "mypy --strict src"
    assert re.fullmatch(r"pytest -n [1-4] --dist loadfile -k colour", tests)
    assert "failed: mypy" in capsys.readouterr().err


def test_what_the_tests_import_is_compiled_once_before_they_start(
    run: ModuleType, shell: Shell
) -> None:
    run.main(["test"])
    collection, tests = shell.ran("-m pytest")
    assert "--collect-only" in collection and "--collect-only" not in tests
    run.main(["test"])  # all is compiled
    assert shell.ran("--collect-only") == [collection]


def test_tests_run_side_by_side_a_thread_each(
    run: ModuleType, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert run.main(["test"]) == 0
    assert shell.environments[-1] is not None
    assert shell.environments[-1]["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    run.main(["test"])
    assert shell.environments[-1]["OMP_NUM_THREADS"] == "5"


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["dance"], 2), (["--help"], 0)])
def test_without_a_command_it_says_what_there_is(
    run: ModuleType, arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(arguments) == status
    assert "run.py demo" in capsys.readouterr().out


def test_commands_run_in_their_folder_and_keep_what_they_compile(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    code = "import os, sys; open('made', 'w').write(str(sys.dont_write_bytecode)); sys.exit(3)"
    assert run.call([sys.executable, "-c", code], folder=tmp_path) == 3
    assert (tmp_path / "made").read_text() == "False"


def test_a_quiet_command_says_nothing_but_of_its_faults(
    run: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    code = "import sys; print('all is well'); print('a fault', file=sys.stderr)"
    assert run.call([sys.executable, "-c", code], quiet=True) == 0
    assert capfd.readouterr() == ("", "a fault\n")


def test_the_size_is_that_of_the_files_and_links_are_not_followed(
    run: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    big = tmp_path / "elsewhere"
    big.write_bytes(bytes(3_000_000))
    run.LIGHT.path.mkdir()
    (run.LIGHT.path / "file").write_bytes(b"x" * 2_000_000)
    (run.LIGHT.path / "link").symlink_to(big)
    assert run.disk_use(run.LIGHT.path) == pytest.approx(2_000_000, rel=0.01)
    assert run.main(["size"]) == 0
    assert capsys.readouterr().out == ".venv: 2 MB\n.venv-test: not installed\n"


def locked(name: str) -> dict[str, set[Version]]:
    """Return the versions of every package in a lock file; several where Pythons differ."""
    found: dict[str, set[Version]] = {}
    for line in (ROOT / name).read_text().splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            (pin,) = requirement.specifier
            assert pin.operator == "=="
            found.setdefault(requirement.name, set()).add(Version(pin.version))
    return found


def test_the_locks_hold_what_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    everything = [one for extra in project["optional-dependencies"].values() for one in extra]
    for name, wanted in (
        ("requirements.lock", project["dependencies"]),
        ("requirements-all.lock", [*project["dependencies"], *everything]),
    ):
        pins = locked(name)
        for requirement in map(Requirement, wanted):
            versions = pins.get(requirement.name.lower(), set())
            assert versions, f"{name} lacks {requirement}"
            assert all(version in requirement.specifier for version in versions), requirement


def test_both_locks_agree_and_the_light_one_is_light() -> None:
    light, everything = locked("requirements.lock"), locked("requirements-all.lock")
    assert {name: everything.get(name) for name in light} == light
    assert not {"torch", "timm", "onnx", "optuna"} & set(light)


def test_the_locks_name_no_place_to_install_from() -> None:
    for name in ("requirements.lock", "requirements-all.lock"):
        assert not re.search(r"https?:|--index|--find-links|@ ", (ROOT / name).read_text())
