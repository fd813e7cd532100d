"""What the documentation says exists: linked files, headings, options, and code that compiles."""

from __future__ import annotations

import io
import re
import runpy
import shlex
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from hemashift.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")


def blocks(page: Path, *languages: str) -> Iterator[str]:
    for language, content in _FENCE.findall(page.read_text(encoding="utf-8")):
        if language in languages:
            yield content


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of every command in the page's terminal blocks."""
    for block in blocks(page, "console", "bash", "sh", "shell"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words:
                yield words


def anchors(page: Path) -> set[str]:
    prose = _FENCE.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def unknown_options(words: list[str]) -> list[str]:
    """Return the options of a hemashift command line that do not exist."""
    command: Any = get_command(app)
    for position, word in enumerate(words):
        if not hasattr(command, "commands"):
            break
        if word not in command.commands:
            return [word]
        command = command.commands[word]
        rest = words[position + 1 :]
    known = {"--help"}.union(*(param.opts for param in command.params))
    return [word for word in rest if word.startswith("-") and word.split("=")[0] not in known]


@cache
def options_of(script: Path) -> frozenset[str]:
    """Return the options that a script names in its help; it imports all that it needs."""
    shown = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(shown):
        patch.setattr(sys, "argv", [str(script), "--help"])
        patch.syspath_prepend(str(script.parent))
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(script), run_name="__main__")
    assert not ended.value.code
    return frozenset(re.findall(r"(?<!\w)--?[a-z][a-z-]*", shown.getvalue()))


def test_there_are_pages() -> None:
    assert "README.md" in NAMES
    assert any(name.startswith("docs/") for name in NAMES)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_page_can_be_read_in_one_sitting(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").splitlines()) <= 500


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    prose = _FENCE.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for link in (one or other for one, other in _LINK.findall(prose)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_line_exists(page: Path) -> None:
    wrong = []
    for words in commands(page):
        program, *rest = words
        if Path(program).name == "hemashift":
            wrong += [(words, one) for one in unknown_options(rest)]
        elif rest[:2] == ["run.py", "demo"]:
            wrong += [(words, one) for one in unknown_options(rest[1:])]
        elif program.startswith("python"):
            script = next(word for word in rest if word.endswith(".py"))
            if not (ROOT / script).is_file():
                wrong.append((words, script))
                continue
            options = [] if script == "run.py" else [one for one in rest if one.startswith("-")]
            wrong += [(words, one) for one in options if one not in options_of(ROOT / script)]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_python_example_compiles(page: Path) -> None:
    for number, block in enumerate(blocks(page, "python"), 1):
        compile(block, f"{page.name}, example {number}", "exec")


def test_a_wrong_option_would_be_found() -> None:
    assert unknown_options(["adapt", "images", "--labels", "a.csv", "--lables", "b"]) == [
        "--lables"
    ]
    assert unknown_options(["datasets", "check", "--images"]) == []
    assert unknown_options(["adopt"]) == ["adopt"]


@pytest.mark.parametrize("script", sorted(ROOT.glob("benchmarks/*.py")), ids=lambda path: path.stem)
def test_every_benchmark_starts(script: Path) -> None:
    """No figure without the command that prints it: what a benchmark imports must be there."""
    assert "--help" in options_of(script)
