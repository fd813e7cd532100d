"""A progress bar for work in stages, shared by the commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hemashift.progress import StageProgress

if TYPE_CHECKING:
    from rich.console import Console


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

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield told
