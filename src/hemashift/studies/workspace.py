"""What every study works with: settings, datasets, models, encodings, and the store of results."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from hemashift.adaptation.contract import Cells
from hemashift.adaptation.preparation import prepare
from hemashift.cells import CellTable
from hemashift.errors import HemashiftError
from hemashift.model.bundle import Bundle
from hemashift.model.runtime import Encoder
from hemashift.progress import StageProgress, of_stage
from hemashift.studies.data import Dataset, dataset_names, open_dataset
from hemashift.studies.draws import Draw, draw
from hemashift.studies.encodings import EncodedCells, Encodings
from hemashift.studies.fingerprint import Hashes
from hemashift.studies.models import given_model, made_from, train_source, untrained
from hemashift.studies.settings import Settings
from hemashift.studies.store import Store


def _silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


class Workspace:
    """A folder in which studies run.

    Datasets and models are read when first asked for, and once.

    Attributes:
        folder: The folder of tables, figures, page and cache.
        settings: What the studies are told.
        store: Finished results and models.
        tell: Called with what is being done, the number done, and the total.

    Args:
        folder: The folder; made when something is written.
        settings: What the studies are told.
        data_root: Folder that published datasets lie in; None for none.
        tell: Called with what is being done, the number done, and the total.
    """

    def __init__(
        self,
        folder: str | Path,
        settings: Settings,
        data_root: str | Path | None = None,
        tell: StageProgress = _silent,
    ) -> None:
        self.folder = Path(folder)
        self.settings = settings
        self.tell = tell
        self.store = Store(self.folder / "cache")
        self._root = None if data_root is None else Path(data_root)
        self._hashes = Hashes(self.folder / "cache" / "hashes.parquet")
        self._encodings = Encodings(self.folder / "cache" / "encodings", self._hashes)
        self._datasets: dict[str, Dataset | None] = {}
        self._models: dict[str, Bundle] = {}

    def dataset(self, name: str) -> Dataset | None:
        """Return a dataset by its name, or None where it is not here.

        Raises:
            DatasetError: It is here, but is not understood.
        """
        if name not in self._datasets:
            self.tell(f"looking at {name}", 0, 1)
            self._datasets[name] = open_dataset(name, self.settings, self._root, self._hashes)
            self.tell(f"looking at {name}", 1, 1)
        return self._datasets[name]

    def sources(self) -> list[Dataset]:
        """Return the source datasets that are here, in the order of the settings."""
        return self._present(self.settings.sources)

    def targets(self) -> list[Dataset]:
        """Return the target datasets that are here, in the order of the settings."""
        return self._present(self.settings.targets)

    def everything(self) -> list[Dataset]:
        """Return all datasets that are here: sources, targets, then other published ones."""
        return self._present(dataset_names(self.settings))

    def absent(self) -> tuple[str, ...]:
        """Return the names of the source and target datasets that are not here."""
        used = (*self.settings.sources, *self.settings.targets)
        return tuple(name for name in used if self.dataset(name) is None)

    def fingerprint(self, cells: CellTable) -> str:
        """Return a hash of all that is known of some cells: images, boxes, classes, groups."""
        return self._hashes.of_table(cells)

    def draws(self, dataset: Dataset, count: int | None = None) -> list[Draw]:
        """Return the draws of labelled cells of a target.

        Args:
            dataset: The target.
            count: How many; those of the settings where not given.

        Raises:
            HemashiftError: It has too few cells, or a subset is not there.
        """
        return [self.draw(dataset, number) for number in range(count or self.settings.draws)]

    def draw(self, dataset: Dataset, number: int, labels: int | None = None) -> Draw:
        """Return one draw of labelled cells; see `hemashift.studies.draws.draw`.

        Args:
            dataset: The target.
            number: Which draw, from 0.
            labels: Number of labels, in place of that of the settings.
        """
        how = self.settings
        return draw(dataset.cells, dataset.settings, how.labelling, number, how.seed, labels)

    def model_facts(self, name: str) -> dict[str, Any]:
        """Return what a model of the settings depends on, as JSON values, without making it."""
        how = self.settings.models[name]
        if how.kind in ("shipped", "folder"):
            return {"model": self.model(name).hash}
        return made_from(how, self.sources(), self.settings.seed)

    def model(self, name: str) -> Bundle:
        """Return a model of the settings; one that is to be trained is trained once and kept.

        Raises:
            HemashiftError: It cannot be made; `MissingExtraError` without the extra `train`.
        """
        if name not in self._models:
            how, seed = self.settings.models[name], self.settings.seed
            given = given_model(how)
            self._models[name] = given if given is not None else self._made(name, seed)
        return self._models[name]

    def models_used(self) -> dict[str, str]:
        """Return the hash of each model that was needed so far or is kept, by its name."""
        for name, how in self.settings.models.items():
            given = how.kind in ("shipped", "folder")
            if not given and self.store.has_model(self.model_facts(name)):
                with suppress(HemashiftError):  # who needs it is told what is wrong with it
                    self.model(name)
        return {
            name: self._models[name].hash for name in self.settings.models if name in self._models
        }

    def encode(self, model: Bundle, cells: CellTable, *, keep: bool = True) -> EncodedCells:
        """Encode cells; what the encoder has seen before is not encoded again.

        Args:
            model: The model.
            cells: The cells.
            keep: Keep what is new on disk. Say False for a model that serves once.

        Returns:
            The encodings of the cells that can be read, and which these are.
        """
        return self._encodings.of(
            model,
            cells,
            of_stage(self.tell, f"encoding by {model.card.name}"),
            keep=keep,
        )

    def pixels(self, model: Bundle, cells: CellTable) -> tuple[Cells, CellTable]:
        """Read, prepare and encode a few cells whose pixels are needed as well.

        Args:
            model: Its card says how images are prepared.
            cells: The cells; all their images are held in memory.

        Returns:
            The cells that can be read, and their rows of the table.
        """
        read, rows, _ = prepare(model, Encoder(model), cells.paths(), cells.boxes())
        return read, cells.select(rows)

    def _present(self, names: tuple[str, ...]) -> list[Dataset]:
        found = (self.dataset(name) for name in names)
        return [dataset for dataset in found if dataset is not None]

    def _made(self, name: str, seed: int) -> Bundle:
        how, download = self.settings.models[name], self.settings.download
        if how.kind == "untrained":
            return self.store.model(
                self.model_facts(name), lambda _, __: untrained(name, how, seed, download)
            )
        if how.kind != "trained":
            raise HemashiftError("unknown kind of model", found=how.kind)
        return self.store.model(
            self.model_facts(name),
            lambda place, run: train_source(
                name, how, self.sources(), seed, download, place, run, self.tell
            ),
        )
