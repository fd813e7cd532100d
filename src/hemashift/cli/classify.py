"""`hemashift classify`: name every cell in a folder of images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from hemashift.classification import ClassifyReport

_SHOWN = 10  # images that could not be read and are named; the others are in the output


class Precision(StrEnum):
    """Choices of ``--precision``."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"


class ClassMixName(StrEnum):
    """Choices of ``--class-mix``."""

    off = "off"
    estimate = "estimate"


def command(
    images: Annotated[
        Path,
        typer.Argument(help="Folder of images (with subfolders), one image, or a table of cells."),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="File to write: .csv, .parquet or .jsonl."),
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            "-m",
            help="Model: a folder, or the name of a shipped one. [default: the shipped model]",
        ),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(
            "--boxes",
            help="CSV or Parquet with columns path, x_min, y_min, x_max, y_max: where the cells "
            "are in the images of the folder.",
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images at once.")] = 32,
    threads: Annotated[
        int | None, typer.Option(min=1, help="CPU threads. [default: all]", show_default=False)
    ] = None,
    precision: Annotated[
        Precision, typer.Option(help="Arithmetic of the network; auto is float32.")
    ] = Precision.auto,
    embeddings: Annotated[
        bool, typer.Option("--embeddings", help="Write each cell's embedding too.")
    ] = False,
    coverage: Annotated[
        float | None,
        typer.Option(
            help="Add a column 'set': the classes that a cell may be, such that this share of the "
            "sets holds the true one, for instance 0.9.",
            show_default=False,
        ),
    ] = None,
    max_error: Annotated[
        float | None,
        typer.Option(
            help="Label cells 'unidentified' where the class is too unsure for this share of "
            "errors among the others, for instance 0.05.",
            show_default=False,
        ),
    ] = None,
    class_mix: Annotated[
        ClassMixName,
        typer.Option(
            help="estimate: correct probabilities and labels for how common each class is among "
            "these images."
        ),
    ] = ClassMixName.off,
    outside: Annotated[
        bool,
        typer.Option(
            "--outside", help="Label cells 'outside' that are unlike all classes of the model."
        ),
    ] = False,
    roll_up: Annotated[
        bool,
        typer.Option("--roll-up", help="Add a column 'main_class': what a finer class counts as."),
    ] = False,
    classes: Annotated[
        Path | None,
        typer.Option(
            help="With --roll-up: TOML or JSON file of the classes to count by, in place of the "
            "six.",
            show_default=False,
        ),
    ] = None,
    no_resume: Annotated[
        bool, typer.Option("--no-resume", help="Do not go on from an interrupted run.")
    ] = False,
) -> None:
    """Classify white blood cells, one row an image (or box), with a probability a class."""
    from rich.console import Console

    from hemashift.classification import classify
    from hemashift.classification.inputs import read_cells
    from hemashift.cli.progress import stages
    from hemashift.errors import HemashiftError
    from hemashift.files import check_spares
    from hemashift.model.bundle import default_model, load_model
    from hemashift.taxonomy import Taxonomy

    check_spares(output, [boxes], "the boxes")
    check_spares(output, [classes], "the classes")
    if classes is not None and not roll_up:
        raise HemashiftError(
            "--classes says what finer classes count as, which was not asked for",
            hint="add --roll-up",
        )
    taxonomy = None if classes is None else Taxonomy.from_file(classes)
    bundle = load_model(model) if model is not None else default_model()
    console = Console(stderr=True)
    with _telling_of_interruption(no_resume), stages(console) as progress:
        report = classify(
            images if boxes is None else read_cells(boxes, images),
            bundle,
            output,
            batch_size=batch_size,
            workers=threads,
            threads=threads,
            precision=precision.value,
            embeddings=embeddings,
            coverage=coverage,
            max_error=max_error,
            class_mix=class_mix.value,
            outside=outside,
            roll_up=roll_up,
            taxonomy=taxonomy,
            resume=not no_resume,
            progress=lambda done, total: progress("classifying", done, total),
        )
    _show(report, console)


@contextmanager
def _telling_of_interruption(no_resume: bool) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        again = "the same command without --no-resume" if no_resume else "the same command"
        typer.echo(f"interrupted; what is done is kept, and {again} goes on from there", err=True)
        raise typer.Exit(130) from None


def _show(report: ClassifyReport, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from hemashift.errors import visible

    if report.restarted is not None:
        console.print(f"results of an unfinished run were not used: {report.restarted}")
    if report.n_resumed:
        console.print(f"{report.n_resumed} images were done before, by the interrupted run")
    table = Table("class", box=None, pad_edge=False)
    table.add_column("images", justify="right")
    table.add_column("share", justify="right")
    n_read = max(sum(report.counts.values()), 1)
    for name, count in report.counts.items():
        table.add_row(Text(name), str(count), f"{count / n_read:.1%}")
    if report.errors:
        table.add_row("not readable", str(len(report.errors)), "")
    console.print(table)
    for note in report.notes:
        console.print(f"- {note}", markup=False, highlight=False)
    for name, reason in report.errors[:_SHOWN]:
        console.print(f"  {visible(name)}: {visible(reason)}", markup=False, highlight=False)
    if len(report.errors) > _SHOWN:
        console.print(f"  and {len(report.errors) - _SHOWN} more, see the column 'error'")
    console.print(
        f"{report.n_images} images with model {report.model!r} in {report.seconds:.1f} s: "
        f"{visible(report.output)}",
        markup=False,
        highlight=False,
    )
