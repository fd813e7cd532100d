"""The folder of a demonstration: images and label files, laid out as a laboratory's own."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hemashift.cells import CellTable
from hemashift.errors import HemashiftError
from hemashift.files import atomic_write

_MARK = "demo.json"


@dataclass(frozen=True)
class Workplace:
    """Where everything of one demonstration lies.

    Attributes:
        folder: The folder itself.
    """

    folder: Path

    @property
    def images(self) -> Path:
        """Folder of all images."""
        return self.folder / "images"

    @property
    def labels(self) -> Path:
        """CSV (path, label) of the few cells that are labelled for the adaptation."""
        return self.folder / "labels.csv"

    @property
    def truth(self) -> Path:
        """CSV (path, label) of all cells, for scoring only."""
        return self.folder / "truth.csv"

    @property
    def before(self) -> Path:
        """Predictions of the model as it comes."""
        return self.folder / "before.csv"

    @property
    def after(self) -> Path:
        """Predictions of the adapted model."""
        return self.folder / "after.csv"

    @property
    def model(self) -> Path:
        """Folder of the adapted model."""
        return self.folder / "model"

    @property
    def evaluation(self) -> Path:
        """Folder of the evaluation of the adapted model."""
        return self.folder / "evaluation"

    @property
    def report(self) -> Path:
        """The page that tells the whole story."""
        return self.folder / "report.html"

    @property
    def laid_out(self) -> bool:
        """Whether images were put here, to the last."""
        mark = self.folder / _MARK
        return mark.is_file() and bool(json.loads(mark.read_text(encoding="utf-8")))

    def clear(self) -> None:
        """Make the folder, or empty it of an earlier demonstration.

        Raises:
            HemashiftError: Something else is in it.
        """
        ours = (self.folder / _MARK).is_file()
        used = self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir()))
        if used and not ours:
            raise HemashiftError(
                "the folder for the demonstration is not empty",
                where=self.folder,
                hint="name a new folder with --output",
            )
        for folder in (self.images, self.model, self.evaluation):
            if folder.is_dir():
                shutil.rmtree(folder)
        for file in (self.labels, self.truth, self.before, self.after, self.report):
            file.unlink(missing_ok=True)
        self.images.mkdir(parents=True)
        self.record({})

    def fill(self, table: CellTable) -> dict[str, str]:
        """Copy the images of cells, and write the table of what they are.

        Args:
            table: Cells, each a whole image with a class. Images that lie in the folder already
                stay as they are.

        Returns:
            Class of every cell by the name of its image in the folder.
        """
        known = {}
        for place, name in zip(table.paths(), table.frame["class"], strict=True):
            target = self.images / place.name
            if place != target.absolute():
                shutil.copyfile(place, target)
            known[target.name] = str(name)
        if len(known) < len(table):
            raise ValueError("two images have the same name")
        _write_labels(self.truth, known.items())
        return known

    def label(self, known: dict[str, str], count: int, seed: int) -> list[str]:
        """Draw cells at random, whatever their class, and write their labels to `labels`.

        Args:
            known: Class of every cell by name.
            count: How many to draw.
            seed: Seed of the draw.

        Returns:
            The names drawn, sorted.

        Raises:
            HemashiftError: There are not enough cells to leave some for scoring.
        """
        if not 1 <= count < len(known):
            raise HemashiftError(
                "this many cells cannot be labelled",
                expected=f"1 to {len(known) - 1}, so that some are left for scoring",
                found=str(count),
            )
        rng = np.random.default_rng(seed)
        drawn = sorted(rng.choice(sorted(known), count, replace=False).tolist())
        _write_labels(self.labels, ((name, known[name]) for name in drawn))
        return drawn

    def record(self, facts: dict[str, object]) -> None:
        """Write the facts of the demonstration as JSON; the file also marks the folder as ours."""
        with atomic_write(self.folder / _MARK) as aside:
            aside.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _write_labels(path: Path, rows: Iterable[tuple[str, str]]) -> None:
    with atomic_write(path) as aside, aside.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("path", "label"))
        writer.writerows(rows)
