"""`hemashift adapt`: adapt a model to a laboratory with a few labels."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemashift.cli.options import Classes, Images, OptionalLabels, Seed
from hemashift.errors import HemashiftError

if TYPE_CHECKING:
    from rich.console import Console

    from hemashift.adaptation import Adapted, AdaptedUnlabelled


class MethodName(StrEnum):
    """Choices of ``--method``."""

    auto = "auto"
    blend = "blend"
    probe = "probe"
    head = "head"
    prototypes = "prototypes"
    propagation = "propagation"
    transductive = "transductive"
    classmix = "classmix"
    batchnorm = "batchnorm"
    student = "student"
    lpft = "lpft"
    finetune = "finetune"


def command(
    images: Images,
    output: Annotated[Path, typer.Option("--output", "-o", help="Model folder to write.")],
    labels: OptionalLabels = None,
    method: Annotated[
        MethodName,
        typer.Option(
            help="auto is blend, or probe or prototypes where that is clearly better; student, "
            "lpft and finetune train the encoder and need the extra 'train'. See docs/methods.md."
        ),
    ] = MethodName.auto,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            "-m",
            help="Model to start from: a folder, or the name of a shipped one.",
            show_default="the shipped model",
        ),
    ] = None,
    classes: Classes = None,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS,CLASS,...",
            help="Those classes of the model that occur among the cells, where that is known; the "
            "others are never given. Worth most without labels.",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="HTML page to write, with the scores before and after.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Adapt a model to the images of a laboratory with 100 labelled cells or fewer, or none."""
    from rich.console import Console

    from hemashift.adaptation import adapt, adapt_unlabelled
    from hemashift.cli.progress import stages
    from hemashift.model.bundle import (
        check_place,
        check_report_apart,
        default_model,
        load_model,
    )
    from hemashift.reports.page import check_page
    from hemashift.taxonomy import Taxonomy

    console = Console(stderr=True)
    check_place(output)  # before the work, not after it
    if report is not None:
        check_page(report, [*(labels or []), classes])
        check_report_apart(report, output)
    if not labels:
        _refuse_without_labels(method, classes, report)
    start = load_model(model) if model is not None else default_model()
    occurring = None if only is None else [one for one in only.split(",") if one.strip()]
    if not labels:
        with stages(console) as progress:
            found = adapt_unlabelled(
                images, model=start, seed=seed, only=occurring, progress=progress
            )
        found.bundle.save(output)
        _show_unlabelled(found, output, occurring is not None, console)
        return
    with stages(console) as progress:
        adapted = adapt(
            images,
            labels,
            model=start,
            method=method.value,
            seed=seed,
            taxonomy=None if classes is None else Taxonomy.from_file(classes),
            only=occurring,
            progress=progress,
        )
    adapted.bundle.save(output)
    if report is not None:
        from hemashift.reports.adaptation_page import write_adaptation_report

        write_adaptation_report(adapted, report)
    _show(adapted, output, console)


def _refuse_without_labels(method: MethodName, classes: Path | None, report: Path | None) -> None:
    """Refuse options that have no meaning without labels."""
    given = {
        f"--method {method.value}": method is not MethodName.auto,
        "--classes": classes is not None,
        "--report": report is not None,
    }
    for option, is_given in given.items():
        if is_given:
            raise HemashiftError(
                f"{option} needs labelled cells",
                hint="give a label file with --labels; hemashift select chooses cells to label",
            )


def _show_unlabelled(
    adapted: AdaptedUnlabelled, output: Path, limited: bool, console: Console
) -> None:
    limit = () if limited else ("- If not all classes occur here, name those that do: --only.",)
    lines = (
        f"adapted without labels to {adapted.images} images",
        *(f"- {line}" for line in str(adapted).splitlines()),
        *limit,
        "- hemashift select chooses cells that are worth a label.",
        f"the adapted model is in {output}",
    )
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _show(adapted: Adapted, output: Path, console: Console) -> None:
    from rich.table import Table

    table = Table(
        f"labelled cells: {len(adapted.before)}", "accuracy", "macro F1", box=None, pad_edge=False
    )
    for name, scores in (
        ("before", adapted.before.overall),
        (f"after ({adapted.method}), cross-validated", adapted.after.overall),
    ):
        table.add_row(name, str(scores["accuracy"]), str(scores["macro_f1"]))
    table.add_row("to expect on all cells", str(adapted.expected), "")
    console.print(table)
    for note in adapted.notes:
        console.print(f"- {note}", highlight=False, markup=False)
    console.print(
        f"the adapted model is in {output}", highlight=False, markup=False, soft_wrap=True
    )
