"""Options that several commands have, worded once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Images = Annotated[
    Path, typer.Argument(help="Folder of images, one cell an image, with subfolders.")
]
_LABELS = typer.Option(
    "--labels",
    "-l",
    help="CSV with the columns path (relative to IMAGES) and label, and perhaps smear or patient; "
    "give it once for each file.",
)
Labels = Annotated[list[Path], _LABELS]
OptionalLabels = Annotated[list[Path] | None, _LABELS]
Classes = Annotated[
    Path | None,
    typer.Option(help="TOML or JSON file with your own classes and what labels mean."),
]
# scikit-learn takes no larger one.
_LARGEST_SEED = 2**32 - 1
Seed = Annotated[
    int, typer.Option(min=0, max=_LARGEST_SEED, help="Seed of everything drawn at random.")
]
