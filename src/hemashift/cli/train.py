"""`hemashift train`: make a source model from labelled datasets."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hemashift.cli.options import Seed

if TYPE_CHECKING:
    from rich.console import Console

    from hemashift.cells import CellTable
    from hemashift.datasets import DatasetReader
    from hemashift.model.bundle import Bundle
    from hemashift.model.card import TrainingData

_SOURCES = ("barcelona", "munich_2019")
# Accuracy, macro precision and macro recall that Chossegros et al. 2024 report.
_PUBLISHED = {"barcelona": (0.98, 0.98, 0.98), "munich_2019": (0.88, 0.76, 0.77)}


class Preset(StrEnum):
    """Choices of ``--preset``."""

    robust = "robust"
    paper = "paper"


class Weights(StrEnum):
    """Choices of ``--weights``."""

    imagenet = "imagenet"
    random = "random"


def command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Model folder to write.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            metavar="NAME|FOLDER",
            help="Dataset to train on; give it once for each.",
            show_default="barcelona, munich_2019",
        ),
    ] = None,
    data_root: Annotated[
        Path | None,
        typer.Option(
            help="Folder that the named datasets lie in.",
            show_default="HEMASHIFT_DATA or ../shared/data",
        ),
    ] = None,
    preset: Annotated[
        Preset,
        typer.Option(help="robust: made to move to other laboratories; paper: as published."),
    ] = Preset.robust,
    architecture: Annotated[
        str | None, typer.Option(help="Network.", show_default="that of the preset")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the data.")] = None,
    size: Annotated[int | None, typer.Option(min=32, help="Side of the input in pixels.")] = None,
    turns: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=4,
            help="How often the model looks at each image, every time a quarter turn on.",
            show_default="that of the preset",
        ),
    ] = None,
    colour: Annotated[
        str | None,
        typer.Option(help="Colour transform: none, reinhard, reinhard-lab or macenko."),
    ] = None,
    seed: Seed = 0,
    devices: Annotated[str, typer.Option(help="Number of devices; auto takes all GPUs.")] = "auto",
    run_folder: Annotated[
        Path | None,
        typer.Option(
            help="Where the state is kept, to go on from after an interruption.",
            show_default="runs/ and the name of the model",
        ),
    ] = None,
    weights: Annotated[
        Weights, typer.Option(help="What the trunk starts from.")
    ] = Weights.imagenet,
    score: Annotated[
        list[str] | None,
        typer.Option(
            "--score",
            metavar="NAME|FOLDER",
            help="Labelled dataset to score the finished model on, without adapting it.",
        ),
    ] = None,
) -> None:
    """Train a source model on labelled datasets, and score its file on cells it has not seen.

    After an interruption, the same command goes on where it was.
    """
    from rich.console import Console

    from hemashift.cli.training_display import TrainingDisplay

    _require_training()
    from hemashift.training.recipe import recipe
    from hemashift.training.source import train

    many = _devices(devices)
    settings = recipe(
        preset.value,
        architecture=architecture,
        epochs=epochs,
        size=size,
        turns=turns,
        colour=colour,
        seed=seed,
        weights=weights.value,
    )
    sources = [_open(what, data_root) for what in data or _SOURCES]
    targets = [_open(what, data_root)[0] for what in score or ()]
    folder = run_folder or Path("runs") / output.resolve().name
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    console = Console()
    display = TrainingDisplay()
    try:
        bundle = train(
            [table for table, _ in sources],
            output,
            settings,
            run_folder=folder,
            targets=targets,
            training_data=[_described(table, reader) for table, reader in sources],
            name=output.resolve().name,
            devices=many,
            on_images=display.images,
            on_step=display.step,
            on_epoch=display.epoch,
            on_scored=display.scored,
        )
    except KeyboardInterrupt:
        display.stop()
        console.print(
            f"interrupted; the same command goes on from the last checkpoint in {folder}",
            markup=False,
        )
        raise typer.Exit(130) from None
    finally:
        display.stop()
    _print_scores(console, bundle)
    courses = ", ".join(str(path) for path in sorted(folder.rglob("history.png")))
    console.print(
        f"model: {output}; course of the training: {courses}",
        markup=False,
        soft_wrap=True,
    )


def _require_training() -> None:
    """Refuse an installation that cannot train."""
    try:
        import torch  # noqa: F401
        from lightning_fabric import Fabric  # noqa: F401
    except ImportError as error:
        from hemashift.model.extra import train_extra_missing

        raise train_extra_missing() from error


def _devices(written: str) -> int | Literal["auto"]:
    """Return what `--devices` means."""
    from hemashift.errors import HemashiftError

    if written == "auto":
        return "auto"
    if not (written.isdecimal() and int(written) > 0):
        raise HemashiftError("--devices is not usable", expected="auto, 1, 2, ...", found=written)
    return int(written)


def _described(table: CellTable, reader: DatasetReader) -> TrainingData:
    """Return what the card says of a source."""
    from hemashift.model.card import TrainingData

    return TrainingData(
        name=str(table.frame["dataset"].iloc[0]),
        licence=reader.licence,
        citation=reader.citation,
        url=reader.url,
    )


def _open(what: str, root: Path | None) -> tuple[CellTable, DatasetReader]:
    """Read a dataset by name, or a folder of one's own."""
    from hemashift.datasets import available, get, load, open_table
    from hemashift.errors import DatasetError

    if what in available():
        return load(what, root), get(what)
    if not Path(what).exists():
        raise DatasetError(
            f"{what!r} is neither a dataset nor a folder", expected=", ".join(available())
        )
    table, reader = open_table(what)
    return table, reader


def _print_scores(console: Console, bundle: Bundle) -> None:
    """Print the scores on the card, and beside them what the paper reports."""
    from typing import cast

    from rich.table import Table

    from hemashift.training.scoring import Scores

    lines = Table(box=None, pad_edge=False)
    lines.add_column("dataset", overflow="fold")
    for title in ("cells", "accuracy", "precision", "recall", "F1"):
        lines.add_column(title, justify="right")
    lines.add_column("")
    names = ("accuracy", "macro_precision", "macro_recall", "macro_f1")
    for kind, about in (("held_out", "held out"), ("no_adaptation", "not adapted")):
        for dataset, values in cast(Scores, bundle.card.metrics.get(kind, {})).items():
            numbers = [f"{values[name]:.3f}" for name in names]
            lines.add_row(dataset, str(values["cells"]), *numbers, about)
    console.print(lines)
    console.print("precision, recall and F1 are means over the classes (macro)", style="dim")
    for item in bundle.card.training_data:
        if item.name in _PUBLISHED:
            numbers = [f"{value:.2f}" for value in _PUBLISHED[item.name]]
            console.print(
                f"for comparison, Chossegros et al. 2024 on {item.name}: accuracy {numbers[0]}, "
                f"macro precision {numbers[1]}, macro recall {numbers[2]}",
                style="dim",
                highlight=False,
                soft_wrap=True,
            )
