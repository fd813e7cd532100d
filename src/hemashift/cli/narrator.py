"""Telling on the terminal what a demonstration does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.progress import Progress, TaskID


class Narrator:
    """Tells the steps on the terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.steps = 0
        self.bar: Progress | None = None
        self.task: TaskID | None = None

    def __enter__(self) -> Narrator:
        return self

    def __exit__(self, *failure: object) -> None:
        self._end_bar()

    def step(self, title: str) -> None:
        """Begin a step, under the next number."""
        self._end_bar()
        self.steps += 1
        self.console.print(f"\n{self.steps}. {title}", style="bold", markup=False)

    def command(self, words: Sequence[str]) -> None:
        """Show the command line that does the same."""
        from hemashift.demo.report import command_line

        self.console.print(f"   $ {command_line(words)}", style="cyan", markup=False)

    def note(self, text: str) -> None:
        """Say something that is good to know."""
        self._end_bar()
        self.console.print("   " + text.replace("\n", "\n   "), markup=False)

    def warning(self, text: str) -> None:
        """Say something that must not be overlooked."""
        self._end_bar()
        lines = text.replace("\n", "\n   ")
        self.console.print(f"   WARNING: {lines}", style="bold yellow", markup=False)

    def progress(self, done: int, total: int | None) -> None:
        """Move the bar, where there is a terminal."""
        if not self.console.is_terminal:
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        if self.bar is None:
            columns = (TextColumn("  "), BarColumn(), TimeElapsedColumn())
            self.bar = Progress(*columns, console=self.console, transient=True)
            self.task = self.bar.add_task("", total=total)
            self.bar.start()
        if self.task is not None:
            self.bar.update(self.task, completed=done, total=total)

    def _end_bar(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = self.task = None
