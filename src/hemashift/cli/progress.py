"""How far long work is, shared by the commands: a bar, or lines where none can be drawn."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hemashift.progress import StageProgress

if TYPE_CHECKING:
    from rich.console import Console


SECONDS_A_LINE = 60.0


class Lines:
    """Says how far work is in a file or a pipe, where no bar can be drawn: a line a minute.

    Args:
        console: Where to print. On a terminal nothing is said.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = time.monotonic()

    def tell(self, what: str, done: int, total: int, numbers: str = "") -> None:
        """Print what is being done, unless it is too soon after the last line."""
        now = time.monotonic()
        if self._console.is_terminal or now - self._last < SECONDS_A_LINE:
            return
        self._last = now
        line = f"{what}: {done} of {total}  {numbers}"
        self._console.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def stages(console: Console) -> Iterator[StageProgress]:
    """Show one bar a stage, with the time it has taken and the time that is left.

    Args:
        console: Where to draw.

    Yields:
        A function of what is being done, the number done, and the total.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        tasks = {}
        lines = Lines(console)

        def told(what: str, done: int, total: int) -> None:
            lines.tell(what, done, total)
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield told
