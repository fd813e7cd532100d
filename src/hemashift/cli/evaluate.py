"""`hemashift evaluate`: how good predictions are, on cells whose class is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hemashift.cli.options import Classes, Seed

if TYPE_CHECKING:
    from rich.console import Console

    from hemashift.evaluation import Evaluation
    from hemashift.taxonomy import Taxonomy

_PREDICTIONS = "predictions.csv"  # what is written into the folder if images are classified first


def command(
    predictions: Annotated[
        Path,
        typer.Argument(
            help="What `hemashift classify` wrote (.csv, .parquet or .jsonl), or a folder of "
            "images to classify first."
        ),
    ],
    labels: Annotated[
        Path,
        typer.Option("--labels", "-l", help="Table of true labels with columns path and label."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the report.")],
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            "-m",
            help="Model, a folder or the name of a shipped one: classifies the images, and names "
            "the cells that it was adapted with, which are left out. [default for images: the "
            "shipped model]",
        ),
    ] = None,
    exclude: Annotated[
        Path | None,
        typer.Option(
            "--exclude",
            help="Table with a column path (or sha256), such as the labels of `adapt`: cells to "
            "leave out because the model was adapted with them. Where it has a column patient or "
            "smear, cells of the same ones are counted in a warning.",
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option("--images", help="Folder that the paths in the predictions start from."),
    ] = None,
    classes: Classes = None,
    title: Annotated[str, typer.Option("--title", help="Heading of the report.")] = "Evaluation",
    ungrouped: Annotated[
        bool,
        typer.Option(
            "--ungrouped", help="Treat cells of one patient or smear as independent of each other."
        ),
    ] = False,
    draws: Annotated[int, typer.Option(min=100, help="Bootstrap draws.")] = 2000,
    seed: Seed = 0,
) -> None:
    """Compare predictions with labels: scores with confidence limits, figures, a report page."""
    from datetime import UTC, datetime

    from rich.console import Console

    from hemashift.errors import HemashiftError, TableError
    from hemashift.evaluation import evaluate
    from hemashift.evaluation.exclusion import Exclusion, read_exclusion
    from hemashift.files import check_spares, check_writable
    from hemashift.images import check_apart
    from hemashift.reports.evaluation_page import picture_finder, write_evaluation_report
    from hemashift.taxonomy import Taxonomy

    for table in (predictions, labels):
        if not table.exists():
            raise TableError("there is no such file", where=table)
    if output.exists() and not output.is_dir():
        raise HemashiftError("the report needs a folder, and this is a file", where=output)
    check_writable(output)
    left_out = read_exclusion(exclude) if exclude is not None else Exclusion()
    taxonomy = None if classes is None else Taxonomy.from_file(classes)
    card: dict[str, Any] = {}
    if predictions.is_dir():
        images = predictions
    if images is not None:
        check_apart(output, images)
    if predictions.is_dir():
        check_spares(output / _PREDICTIONS, [labels, exclude])
        predictions, card = _classify(predictions, labels, model, taxonomy, output)
    elif model is not None:
        card = _card(model)
    result = evaluate(
        predictions,
        labels,
        images=images,
        exclude=left_out,
        model=card,
        taxonomy=taxonomy,
        grouped=not ungrouped,
        draws=draws,
        seed=seed,
    )
    folders = [images] if images is not None else []
    finder = picture_finder(*folders, predictions.parent, labels.parent, Path())
    page = write_evaluation_report(
        result, output, title=title, thumbnails=finder, made=datetime.now(UTC).astimezone()
    )
    console = Console()
    _show(result, console)
    if not card and exclude is None:
        console.print(
            "If the model was adapted, say with --model or --exclude which cells it has seen.",
            style="dim",
        )
    console.print(f"report: {page}", markup=False, highlight=False, soft_wrap=True)


def _card(model: Path) -> dict[str, Any]:
    from hemashift.model.bundle import load_model

    return load_model(model).facts


def _classify(
    images: Path, labels: Path, model: Path | None, taxonomy: Taxonomy | None, output: Path
) -> tuple[Path, dict[str, Any]]:
    """Classify the labelled images of a folder; return the predictions and the model's card."""
    from rich.console import Console
    from rich.progress import Progress

    from hemashift.cells import Cell, CellTable
    from hemashift.classification import classify
    from hemashift.classification.inputs import read_cells
    from hemashift.errors import TableError
    from hemashift.evaluation.matching import match_paths
    from hemashift.evaluation.tables import read_truth
    from hemashift.images import list_images
    from hemashift.model.bundle import default_model, load_model

    bundle = load_model(model) if model is not None else default_model()
    truth = read_truth(labels, bundle.card.classes, taxonomy)
    if any(truth.boxes):
        wanted = read_cells(labels, images)
    else:
        names = [path.relative_to(images).as_posix() for path in list_images(images)]
        hits = match_paths(
            list(dict.fromkeys(truth.paths)),
            names,
            truth_root=truth.root,
            predicted_root=str(images.resolve()),
        )
        # Only what has a label: the rest would be classified for nothing.
        labelled = [names[hit] for hit in sorted({h for h in hits if h is not None})]
        if not labelled:
            raise TableError(
                "none of the labelled images is in the folder",
                expected=f"images such as {truth.paths[0]}" if truth.paths else "labels",
                found=f"{len(names)} images such as {names[0]}" if names else "no image",
                where=images,
            )
        # Named from the folder on, as in the labels; a plain list would keep the folder's name.
        wanted = CellTable.from_cells(map(Cell, labelled), images, "images")
    path = output / _PREDICTIONS
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("classifying", total=None)
        classify(
            wanted,
            bundle,
            path,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    return path, bundle.facts


def _show(result: Evaluation, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from hemashift.reports.figures import SCORE_NAMES
    from hemashift.reports.parts import how_sure, percent, with_limits

    console.print(f"[bold]{len(result):,} cells[/bold]")
    scores = Table(box=None, pad_edge=False, show_header=False)
    for name in ("accuracy", "macro_f1", "macro_precision", "macro_recall"):
        scores.add_row(SCORE_NAMES[name], with_limits(result.overall[name]))
    error, chance = (percent(result.calibration[name]) for name in ("ece", "ece_by_chance"))
    scores.add_row("Calibration error", f"{error} ({chance} by chance alone)")
    console.print(scores)
    table = Table(box=None, pad_edge=False)
    table.add_column("class", no_wrap=True)
    for heading in ("cells", "precision %", "recall %", "F1 %"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in result.per_class:
        # Written short, since the long form is too wide for a terminal.
        measured = [
            with_limits(score).replace(" %", "").replace(" to ", "-")
            for score in (one.precision, one.recall, one.f1)
        ]
        table.add_row(Text(one.name), f"{one.support:,}", *measured)
    console.print(table)
    console.print(how_sure(result), style="dim")
    for warning in result.warnings:
        console.print(f"WARNING: {warning}", style="yellow", markup=False, highlight=False)
