"""How far long work is, on a terminal and in a file."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hemashift.cli import progress as module
from hemashift.cli.progress import Lines, stages


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def file() -> Console:
    return Console(file=io.StringIO(), width=40)


def test_a_file_gets_a_line_a_minute(file: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: clock)
    lines = Lines(file)
    for second in range(150):
        clock = 100.0 + second
        lines.tell("epoch [1]", second, 150, "loss 0.5")
    assert said(file) == "epoch [1]: 60 of 150  loss 0.5\nepoch [1]: 120 of 150  loss 0.5\n"


def test_a_terminal_has_the_bar_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_A_LINE", 0.0)
    terminal = Console(file=io.StringIO(), force_terminal=True)
    Lines(terminal).tell("encoding", 1, 2)
    assert said(terminal) == ""


def test_every_stage_tells_a_file_how_far_it_is(
    file: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS_A_LINE", 0.0)
    with stages(file) as told:
        told("reading", 1, 2)
        told("encoding", 3, 4)
    assert said(file).startswith("reading: 1 of 2\nencoding: 3 of 4\n")
