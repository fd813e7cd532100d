"""`hemashift select`: which cells to label next, and whether more labels are worth it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemashift.cli.options import Classes, Images, Seed

if TYPE_CHECKING:
    from rich.console import Console

    from hemashift.selection import Selection

_SHOWN = 10  # images that could not be read and are named
_ACROSS = 10  # cells in a row of the montage
_MOST_DRAWN = 200


class StrategyName(StrEnum):
    """Choices of ``--strategy``."""

    balanced = "balanced"
    typiclust = "typiclust"
    kcentre = "kcentre"
    probcover = "probcover"
    margin = "margin"
    entropy = "entropy"
    random = "random"


def command(
    images: Images,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many cells to select.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="CSV to write, with an empty column label.")
    ],
    labels: Annotated[
        list[Path] | None,
        typer.Option(
            "--labels",
            "-l",
            help="CSV with the labels so far, columns path and label; give it once for each file.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            "-m",
            help="Model to adapt: a folder, or the name of a shipped one.",
            show_default="the shipped model",
        ),
    ] = None,
    strategy: Annotated[
        StrategyName, typer.Option(help="How to choose; margin and entropy need labels.")
    ] = StrategyName.balanced,
    classes: Classes = None,
    montage: Annotated[
        Path | None, typer.Option(help="Picture of the selected cells to write, such as a PNG.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Select the cells whose labels will teach most, and say when labelling may stop."""
    from rich.console import Console

    from hemashift.cli.progress import stages
    from hemashift.images import check_apart
    from hemashift.model.bundle import default_model, load_model
    from hemashift.reports.montage import check_picture
    from hemashift.selection import select
    from hemashift.taxonomy import Taxonomy

    _check_output(output, [*(labels or []), classes])
    if montage is not None:
        check_picture(montage)
        check_apart(montage, images)
    console = Console(stderr=True)
    start = load_model(model) if model is not None else default_model()
    with stages(console) as progress:
        selection = select(
            images,
            count,
            labels or None,
            start,
            strategy.value,
            seed,
            progress,
            taxonomy=None if classes is None else Taxonomy.from_file(classes),
        )
    selection.write(output)
    if montage is not None and len(selection):
        _draw(selection, montage)
    _show(selection, output, labels or [], console)


def _check_output(output: Path, inputs: Sequence[Path | None]) -> None:
    """Refuse to write over labels that a person has given, before the work."""
    from hemashift.errors import HemashiftError
    from hemashift.files import check_spares
    from hemashift.selection.result import check_list

    if output.suffix.lower() != ".csv":
        raise HemashiftError("the list is written as CSV", expected="a name in .csv", where=output)
    check_spares(output, inputs, "the labels")
    check_list(output)


def _draw(selection: Selection, path: Path) -> None:
    from hemashift.images import read_image, resize
    from hemashift.reports.montage import draw_montage

    shown = selection.paths[:_MOST_DRAWN]
    cells = [resize(read_image(selection.root / name), 128, fit="pad") for name in shown]
    rows = [
        (f"{start + 1} to {min(start + _ACROSS, len(cells))}", cells[start : start + _ACROSS])
        for start in range(0, len(cells), _ACROSS)
    ]
    draw_montage(rows, path, title=f"Cells to label, {len(shown)} of {len(selection)}")


def _show(selection: Selection, output: Path, labels: Sequence[Path], console: Console) -> None:
    from hemashift.demo.report import command_line
    from hemashift.errors import visible

    console.print(
        f"{len(selection)} of {selection.n_images} cells selected ({selection.strategy}), "
        f"{selection.n_labelled} have a label",
        highlight=False,
    )
    said = [*selection.notes, *(selection.advice.sentences if selection.advice else ())]
    for sentence in said:
        console.print(f"- {sentence}", markup=False, highlight=False)
    for message in selection.unreadable[:_SHOWN]:
        console.print(f"  {visible(message)}", markup=False, highlight=False)
    files = [word for file in (*labels, output) for word in ("--labels", str(file))]
    words = ["hemashift", "adapt", str(selection.root), *files, "--output", "MODEL"]
    console.print(
        f"fill in the column label of {visible(output)}, then: {visible(command_line(words))}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
