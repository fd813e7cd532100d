"""`hemashift demo`: the whole job on real cells, to see it happen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemashift.cli.options import Seed

if TYPE_CHECKING:
    from rich.console import Console

    from hemashift.demo.run import DemoResult


def command(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for all that is made.")
    ] = Path("runs/demo"),
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="Folder that the dataset lies in. [default: HEMASHIFT_DATA, ../shared/data, the "
            "cache, a download of about 25 MB, or cells drawn by the program]",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", help="Model to start from. [default: the shipped model]"),
    ] = None,
    labels: Annotated[int, typer.Option(min=1, help="Cells to label, drawn at random.")] = 30,
    seed: Seed = 0,
    offline: Annotated[bool, typer.Option("--offline", help="Do not download anything.")] = False,
) -> None:
    """Show the whole job: label 30 cells, adapt the model, classify the rest, report."""
    from rich.console import Console

    from hemashift.cli.narrator import Narrator
    from hemashift.demo.run import run_demo

    console = Console(soft_wrap=True, highlight=False)
    with Narrator(console) as narrator:
        result = run_demo(
            output,
            data=data,
            model=model,
            labels=labels,
            seed=seed,
            offline=offline,
            tell=narrator,
        )
    _show(result, console)


def _show(result: DemoResult, console: Console) -> None:
    from rich.table import Table

    from hemashift.demo.data import DRAWN
    from hemashift.reports.parts import with_limits

    table = Table(f"{len(result.before)} held-out cells", box=None, pad_edge=False)
    table.add_column("accuracy")
    table.add_column("macro F1")
    for name, evaluation in (("before", result.before), ("after", result.after)):
        if evaluation is not None:
            scores = (evaluation.overall["accuracy"], evaluation.overall["macro_f1"])
            table.add_row(name, *map(with_limits, scores))
    console.print()
    console.print(table)
    console.print("(in brackets: 95 % confidence limits)", style="dim")
    if result.data.drawn:
        console.print(f"\n{DRAWN}", style="bold yellow", markup=False)
    console.print(f"\n{result.seconds:.0f} s. Report: {result.report}", markup=False)
