from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hemashift.app import versions
from hemashift.app.project import Project
from hemashift.app.web import server
from hemashift.cli import app as module
from hemashift.errors import HemashiftError
from hemashift.model.bundle import Bundle, default_model

runner = CliRunner()
program = typer.Typer()
program.command("app")(module.command)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Any, ...]]:
    """What would have been served."""
    calls: list[tuple[Any, ...]] = []

    def serve(projects: Any, access: Any, taken: Any) -> None:
        calls.append((projects.listed(), access, taken.getsockname()))
        taken.close()
        projects.close()

    monkeypatch.setenv("HEMASHIFT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(server, "serve", serve)
    return calls


def test_it_serves_on_this_machine_and_says_where(
    served: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    folder = tmp_path / "smears"
    folder.mkdir()
    result = runner.invoke(program, [str(folder), "--no-browser", "--port", "0"])
    assert result.exit_code == 0, result.output
    ((listed, access, (host, port)),) = served
    assert host == "127.0.0.1"
    assert [one.name for one in listed] == ["smears"]
    assert f"http://127.0.0.1:{port}/p/{listed[0].id}/project?token={access.token}" in result.output
    assert (tmp_path / "smears.hemashift").is_file()


def test_the_file_of_a_project_is_the_project(
    served: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    folder = tmp_path / "smears"
    folder.mkdir()
    Project.open(folder).close()
    file = tmp_path / "smears.hemashift"
    result = runner.invoke(program, [str(file), "--no-browser", "--port", "0"])
    assert result.exit_code == 0, result.output
    assert [one.folder for one in served[0][0]] == [folder]
    assert f"/p/{served[0][0][0].id}/project?token=" in result.output


def test_a_whole_disk_is_no_project(served: list[tuple[Any, ...]], tmp_path: Path) -> None:
    result = runner.invoke(program, [tmp_path.anchor, "--no-browser", "--port", "0"])
    assert isinstance(result.exception, HemashiftError)
    assert "whole disk" in str(result.exception) and served == []


def test_a_port_that_is_taken_is_no_hindrance(
    served: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    with server.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        result = runner.invoke(program, ["--no-browser", "--port", str(port)])
    assert result.exit_code == 0, result.output
    assert served[0][2][1] != port


def test_the_browser_is_opened_with_the_address(
    served: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert runner.invoke(program, ["--port", "0"]).exit_code == 0
    assert opened == [served[0][1].address("/", once=True)]
    assert served[0][1].token not in opened[0]


def test_other_machines_are_let_in_only_with_a_warning(
    served: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = server.listen("127.0.0.1", 0)
    monkeypatch.setattr(server, "listen", lambda host, port, folders: here)
    result = runner.invoke(program, ["--no-browser", "--host", "192.0.2.7"])
    assert "nothing is encrypted" in result.output
    assert served[0][1].origin.startswith("http://192.0.2.7:")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_an_address_that_is_not_one_of_this_machine_is_refused(
    served: list[tuple[Any, ...]], host: str
) -> None:
    result = runner.invoke(program, ["--no-browser", "--host", host])
    assert isinstance(result.exception, HemashiftError)
    assert served == []


def test_a_folder_that_is_not_there_is_refused(
    served: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    result = runner.invoke(program, [str(tmp_path / "nowhere"), "--no-browser"])
    assert result.exit_code != 0
    assert "does not exist" in str(result.exception)
    assert served == []


def test_a_model_folder_becomes_the_version_in_use_once(
    served: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    folder = tmp_path / "smears"
    folder.mkdir()
    start = default_model()
    ours = Bundle(start.card.updated(name="ours"), start.contents)
    ours.save(tmp_path / "ours")
    for _ in range(2):
        result = runner.invoke(
            program,
            [str(folder), "--no-browser", "--port", "0", "--model", str(tmp_path / "ours")],
        )
        assert result.exit_code == 0, result.output
    with Project.open(folder) as project:
        known = versions.versions(project)
        assert [(one.name, one.active) for one in known] == [
            (start.card.name, False),
            ("ours", True),
        ]


def test_something_that_is_no_model_is_refused_before_anything_is_served(
    served: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    folder = tmp_path / "smears"
    folder.mkdir()
    result = runner.invoke(program, [str(folder), "--no-browser", "--model", str(tmp_path)])
    assert isinstance(result.exception, HemashiftError)
    assert served == []
    assert not (tmp_path / "smears.hemashift").exists()


def test_the_demonstration_is_a_project(
    served: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "DEMONSTRATION", tmp_path / "show")
    (tmp_path / "show" / "images").mkdir(parents=True)
    (tmp_path / "show" / "demo.json").write_text('{"images": 0}')
    result = runner.invoke(program, ["--demo", "--no-browser", "--port", "0"])
    assert result.exit_code == 0, result.output
    assert [one.folder for one in served[0][0]] == [tmp_path / "show" / "images"]


@pytest.mark.parametrize("words", [[], ["--offline"]])
def test_the_demonstration_downloads_nothing_where_that_is_asked(
    words: list[str],
    served: list[tuple[Any, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bool] = []

    def laid_out(output: Path, *, offline: bool, tell: object) -> Path:
        asked.append(offline)
        (tmp_path / "show").mkdir()
        return tmp_path / "show"

    monkeypatch.setattr("hemashift.demo.images.lay_out_images", laid_out)
    result = runner.invoke(program, ["--demo", *words, "--no-browser", "--port", "0"])
    assert result.exit_code == 0, result.output
    assert asked == [bool(words)]
