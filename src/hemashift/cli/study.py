"""`hemashift study`: the experiments of the paper, each by one command."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from hemashift.studies.running import PartRecord


class Preset(StrEnum):
    """Choices of ``--preset``."""

    quick = "quick"
    paper = "paper"


def command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|all",
            help="datasets, architectures, targets, ablation, sample_size, pictures, errors; "
            "or all of them.",
        ),
    ],
    preset: Annotated[
        Preset,
        typer.Option(help="quick: half an hour on two cores; paper: the budgets of the paper."),
    ] = Preset.quick,
    settings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="Datasets, sizes, seeds and budgets that differ from the preset.",
        ),
    ] = None,
    data_root: Annotated[
        Path | None,
        typer.Option(
            help="Folder that the published datasets lie in.",
            show_default="HEMASHIFT_DATA or ../shared/data",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for tables, figures, page and cache.",
            show_default="runs/study- and the preset",
        ),
    ] = None,
) -> None:
    """Rerun an experiment of the paper, or all of them, and put the results on one page.

    After an interruption, the same command goes on where it was. Exit status 1 if a part could not
    be computed.
    """
    from rich.console import Console

    from hemashift.datasets import find_data_root
    from hemashift.studies.registry import chosen_names
    from hemashift.studies.running import PAGE, run_studies
    from hemashift.studies.settings import read_settings
    from hemashift.studies.workspace import Workspace

    names = chosen_names(name)
    wanted = read_settings(preset.value, settings)
    folder = output or Path("runs") / f"study-{preset.value}"
    root = data_root or find_data_root()
    console = Console(highlight=False, soft_wrap=True)
    with _Display(console) as display:
        work = Workspace(folder, wanted, root, display.tell)
        try:
            records = run_studies(names, work, preset=preset.value, listener=display)
        except KeyboardInterrupt:
            display.stop()
            console.print(
                "interrupted; the same command goes on with what is not finished", markup=False
            )
            raise typer.Exit(130) from None
    absent = work.absent()
    if absent:
        console.print(f"not here, passed over: {', '.join(absent)}", markup=False)
    console.print(f"page: {folder / PAGE}", markup=False)
    if any(record.error for record in records):
        raise typer.Exit(1)


class _Display:
    """A line for each finished part, and below them a bar for what is being done.

    In a file or a pipe, where no bar can be drawn, a line says what is begun, and one a minute
    how far it is.
    """

    def __init__(self, console: Console) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        from hemashift.cli.progress import Lines

        self._console = console
        self._lines = Lines(console)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._part = self._progress.add_task("", total=1, visible=False)
        self._step = self._progress.add_task("", total=1, visible=False)
        self._told = ""

    def __enter__(self) -> _Display:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Remove the bars."""
        self._progress.stop()

    def begins(self, study: str, part: str, number: int, count: int) -> None:
        """Show which part is looked for."""
        self._progress.reset(
            self._part, description=f"{study}: {part}", completed=number - 1, total=count
        )
        self._progress.update(self._part, visible=True)

    def ends(self, record: PartRecord) -> None:
        """Print what became of a part."""
        self._progress.update(self._step, visible=False)
        what = f"{record.study}: {record.part}"
        if record.error:
            self._console.print(f"{what}: not computed", style="bold", markup=False)
            self._console.print(record.error, markup=False)
        else:
            found = f"{record.seconds:.1f} s" if record.fresh else "found finished"
            self._console.print(f"{what}: {found}", markup=False)

    def tell(self, what: str, done: int, total: int) -> None:
        """Show what is being done within a part."""
        if not self._console.is_terminal and what != self._told:
            self._console.print(what, markup=False)
        self._told = what
        self._lines.tell(what, done, total)
        self._progress.update(
            self._step, description=what, completed=done, total=total, visible=done < total
        )
