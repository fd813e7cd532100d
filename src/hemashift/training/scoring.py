"""How well a network in training, or a finished model file, names cells that it was not shown."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from hemashift.cells import CellTable
from hemashift.images import read_image
from hemashift.model.architectures import Network
from hemashift.model.bundle import Bundle
from hemashift.model.classifier import Classifier
from hemashift.model.heads import Encoded
from hemashift.model.runtime import Encoder
from hemashift.progress import Progress
from hemashift.training.split import Integers, Names, class_indices, dataset_names

Scores = dict[str, dict[str, float]]

_BATCH = 64


def scores_by_dataset(truth: Integers, predicted: Integers, datasets: Names) -> Scores:
    """Score predictions for each dataset.

    Args:
        truth: `(N,)` class indices.
        predicted: `(N,)` class indices.
        datasets: `(N,)` dataset of each.

    Returns:
        For each dataset `cells`, `accuracy`, `macro_precision`, `macro_recall` and `macro_f1`; the
        averages run over the classes that occur in the truth, and a class that is never predicted
        has precision 0.

    Examples:
        >>> one = np.array([0, 0, 1, 1])
        >>> scores_by_dataset(one, np.array([0, 1, 1, 1]), np.array(["a"] * 4))["a"]["accuracy"]
        0.75
    """
    scores: Scores = {}
    for name in dict.fromkeys(datasets.tolist()):
        true, answer = truth[datasets == name], predicted[datasets == name]
        precision, recall, f1, _ = precision_recall_fscore_support(
            true, answer, labels=np.unique(true), average="macro", zero_division=0.0
        )
        scores[str(name)] = {
            "cells": len(true),
            "accuracy": float(accuracy_score(true, answer)),
            "macro_precision": float(precision),
            "macro_recall": float(recall),
            "macro_f1": float(f1),
        }
    return scores


@dataclass(frozen=True)
class HeldOut:
    """Held-out cells, prepared as for classification; scores a network between two epochs.

    Small, since it travels to the processes of the devices: the images stay in their file.

    Attributes:
        images: File of an `ImageStore` that `Preprocessing` made.
        truth: `(N,)` class indices.
        datasets: `(N,)` dataset of each.
        n_classes: Number of classes; outputs beyond these are of other cells, and not asked.
    """

    images: Path
    truth: Integers
    datasets: Names
    n_classes: int

    def __call__(self, network: Network) -> dict[str, float]:
        """Return `<dataset>/<score>` of a network, which must be in eval mode."""
        images = np.load(self.images, mmap_mode="r", allow_pickle=False)
        device = next(network.parameters()).device
        predicted = []
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                batch = torch.from_numpy(np.array(images[start : start + _BATCH])).to(device)
                logits = network(network.normalise(batch))[:, : self.n_classes]
                predicted.append(logits.argmax(1).cpu().numpy())
        scores = scores_by_dataset(self.truth, np.concatenate(predicted), self.datasets)
        return {
            f"{dataset}/{name}": value
            for dataset, values in scores.items()
            for name, value in values.items()
            if name != "cells"
        }


def score_model(bundle: Bundle, cells: CellTable, progress: Progress | None = None) -> Scores:
    """Score a finished model on labelled cells, from their files, as a user would run it.

    Args:
        bundle: The model.
        cells: Cells; those of a class that the model does not have are left out.
        progress: Called with the number of cells done and their total.

    Returns:
        As `scores_by_dataset`.

    Raises:
        ImageError: An image cannot be read.
    """
    cells = cells.select(class_indices(cells, bundle.card.classes) >= 0)
    classifier = Classifier(bundle)
    predicted: list[npt.NDArray[np.int64]] = [np.zeros(0, np.int64)]
    done = 0
    for batch in _prepared(bundle, cells):
        predicted.append(classifier.predict(batch).probabilities.argmax(1))
        done += len(batch)
        if progress is not None:
            progress(done, len(cells))
    truth = class_indices(cells, bundle.card.classes)
    return scores_by_dataset(truth, np.concatenate(predicted), dataset_names(cells))


def encode_cells(bundle: Bundle, cells: CellTable) -> Encoded:
    """Encode cells from their files.

    Args:
        bundle: The model.
        cells: At least one cell.

    Returns:
        What the encoder says about them.

    Raises:
        ImageError: An image cannot be read.
    """
    encoder = Encoder(bundle)
    parts = [encoder.encode(batch) for batch in _prepared(bundle, cells)]
    return Encoded(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.embedding for part in parts]),
    )


def _prepared(bundle: Bundle, cells: CellTable) -> Iterator[npt.NDArray[np.uint8]]:
    paths, boxes, prepare = cells.paths(), cells.boxes(), bundle.card.preprocessing
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(paths), _BATCH):
            rows = range(start, min(start + _BATCH, len(paths)))
            yield np.stack(
                list(pool.map(lambda row: prepare(read_image(paths[row]), boxes[row]), rows))
            )
