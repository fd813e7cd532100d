"""Datasets encoded once and kept, with what is known of each cell, for `benchmarks/trust.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from hemashift.adaptation.contract import Cells
from hemashift.adaptation.preparation import prepare
from hemashift.cells import CellTable
from hemashift.datasets import load
from hemashift.images import read_image
from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded as Vectors
from hemashift.model.runtime import Encoder
from hemashift.training.split import Split
from hemashift.trust.outside import vectors_of
from hemashift.trust.source import fit_source
from hemashift.trust.storage import Trust, read_trust

SOURCES = ("barcelona", "munich_2019")
A_CLASS, SPOILED = 100, 50


def blurred(image: np.ndarray) -> np.ndarray:
    """Put the image out of focus: a blur of a fifteenth of its side."""
    radius = min(image.shape[:2]) / 15
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


def corner(image: np.ndarray) -> np.ndarray:
    """Cut out a corner, where the cell is not."""
    return np.ascontiguousarray(image[: image.shape[0] // 4, : image.shape[1] // 4])


KINDS = {"blurred": blurred, "corner": corner}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Cells of a dataset, encoded once: class index (-1 for none), and whether trained on."""

    table: CellTable
    encoded: Vectors
    targets: np.ndarray
    trained: np.ndarray

    def known(self, trained: bool | None = None) -> np.ndarray:
        """Return the rows of cells with a class, of one part or of both."""
        wanted = self.targets >= 0
        return np.flatnonzero(wanted if trained is None else wanted & (self.trained == trained))


class Data:
    """Datasets, encoded when they are first asked for, and kept in a folder."""

    def __init__(self, model: Bundle, root: Path | None, folder: Path) -> None:
        self.model, self.root, self.folder = model, root, folder
        recipe: Any = model.card.provenance["recipe"]
        tables = [load(name, root) for name in SOURCES]
        self.split = Split.make(tables, recipe["held_out"], recipe["seed"])
        self.loaded: dict[str, Dataset] = {}
        self.known: tuple[Trust, np.ndarray] | None = None

    def __getitem__(self, name: str) -> Dataset:
        if name not in self.loaded:
            self.loaded[name] = self._load(name)
        return self.loaded[name]

    def _load(self, name: str) -> Dataset:
        seen = set(map(str, self.split.trained.paths()))
        table = load(name, self.root)
        trained = np.array([str(path) in seen for path in table.paths()])
        if name == "barcelona":
            rows = sample(table, trained)
            table, trained = table.select(rows), trained[rows]
        index = {name: number for number, name in enumerate(self.model.card.classes)}
        targets = table.frame["class"].map(index).fillna(-1).to_numpy(dtype=np.int64)

        def encode() -> Vectors:
            encoder = Encoder(self.model)
            cells, _, failed = prepare(self.model, encoder, table.paths(), table.boxes())
            if failed:
                raise SystemExit(f"{name}: {failed[0]}")
            return cells.encoded

        return Dataset(table, self._kept(name, encode), targets, trained)

    def spoiled(self, name: str, kind: str) -> Vectors:
        """Return `SPOILED` known cells of a dataset as frames that show no cell to be named."""
        found = self[name]
        rows = np.random.default_rng(1).permutation(found.known())[:SPOILED]
        paths, prepared = found.table.paths(), self.model.card.preprocessing

        def encode() -> Vectors:
            frames = [prepared(KINDS[kind](read_image(paths[row]))) for row in rows]
            return Encoder(self.model).encode(np.stack(frames))

        return self._kept(f"{name}-{kind}", encode)

    def _kept(self, name: str, encode: Callable[[], Vectors]) -> Vectors:
        file = self.folder / f"{name}-{self.model.hash[:12]}.npz"
        if not file.exists():
            found = encode()
            file.parent.mkdir(parents=True, exist_ok=True)
            np.savez(file, features=found.features, embedding=found.embedding)
        with np.load(file, allow_pickle=False) as kept:
            return Vectors(kept["features"], kept["embedding"])

    def source(self) -> tuple[Trust, np.ndarray]:
        """What the source's cells look like, and their vectors."""
        if self.known is None:
            places = [(self[name], self[name].known(trained=True)) for name in SOURCES]
            cells = Vectors(
                np.concatenate([one.encoded.features[rows] for one, rows in places]),
                np.concatenate([one.encoded.embedding[rows] for one, rows in places]),
            )
            targets = np.concatenate([one.targets[rows] for one, rows in places])
            names = np.repeat(SOURCES, [len(rows) for _, rows in places])
            trust = read_trust(fit_source(self.model, cells, targets, names))
            self.known = trust, vectors_of(cells)
        return self.known

    def cells(self, name: str, rows: np.ndarray) -> Cells:
        """Cells without their images, which a frozen encoder does not need again."""
        return Cells(np.zeros((len(rows), 1, 1, 3), np.uint8), self[name].encoded[rows])


def sample(table: CellTable, trained: np.ndarray) -> np.ndarray:
    """Up to `A_CLASS` cells of each class and part, and all cells of no class."""
    rng = np.random.default_rng(0)
    names = table.frame["class"].fillna("").to_numpy(dtype=str)
    rows = [np.flatnonzero(names == "")]
    for part in (True, False):
        for name in np.unique(names[names != ""]):
            found = np.flatnonzero((names == name) & (trained == part))
            rows.append(rng.permutation(found)[:A_CLASS])
    return np.sort(np.concatenate(rows))
