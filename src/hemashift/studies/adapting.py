"""Adapting a model to the labelled cells of one draw, as an approach of the settings says."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from hemashift import colour
from hemashift.adaptation.adapt import POOL
from hemashift.adaptation.contract import Cells, Method, Task, Unadapted
from hemashift.adaptation.labels import known_and_new
from hemashift.adaptation.registry import make_method
from hemashift.cells import CellTable
from hemashift.errors import ImageError
from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded
from hemashift.model.preprocessing import Preprocessing
from hemashift.studies.data import Dataset
from hemashift.studies.draws import Draw
from hemashift.studies.settings import Approach
from hemashift.studies.workspace import Workspace
from hemashift.training.split import class_indices

# Fewer groups than this among the labelled cells cannot be dealt to folds.
_LEAST_GROUPS = 6


@dataclass(frozen=True, eq=False)
class Adaptation:
    """An adapted model.

    Attributes:
        bundle: The model.
        labels: Labelled cells of the target that could be read.
        seconds: Time that the method took, without reading and encoding images.
    """

    bundle: Bundle
    labels: int
    seconds: float


def starting_model(work: Workspace, approach: Approach) -> Bundle:
    """Return the model that an approach starts from, with the approach's colour transform."""
    model = work.model(approach.model)
    return model if approach.colour is None else recoloured(model, approach.colour)


def recoloured(model: Bundle, name: str) -> Bundle:
    """Return a model whose images undergo another colour transform.

    Raises:
        ModelFileError: There is no transform of that name.
    """
    # Made anew, not copied: a copy would keep the transform that the model has used before.
    fields = model.card.preprocessing.model_dump() | {"colour": colour.create(name).to_dict()}
    preparation = Preprocessing.model_validate(fields)
    return Bundle(model.card.updated(preprocessing=preparation), model.contents)


def adapt_draw(
    work: Workspace, approach: Approach, start: Bundle, dataset: Dataset, draw: Draw
) -> Adaptation:
    """Adapt a model to the labelled cells of a draw.

    Args:
        work: The workspace.
        approach: Method, its settings, and whether source cells are mixed in.
        start: The model to start from.
        dataset: The target.
        draw: The labelled cells; all others are seen as unlabelled images at most.

    Raises:
        ImageError: No labelled image can be read.
        MissingExtraError: `finetune` without the extra `train`.
    """
    own, table = work.pixels(start, dataset.cells.select(draw.labelled))
    if not len(table):
        raise ImageError("no labelled image can be read", where=dataset.name)
    labels = len(table)
    groups = _groups(dataset, table)
    if approach.mixed:
        others, more = work.pixels(start, _source_cells(work, labels, draw.seed))
        own = _joined(own, others)
        groups = np.concatenate([groups, [f"source {row}" for row in range(len(more))]])
        table = CellTable.concat([table, more])
    classes = known_and_new(start.card.classes, table.classes())
    targets = class_indices(table, classes)
    pool = _pool(work, approach, start, dataset, draw)
    task = Task(start, own, targets, groups, classes, pool, draw.seed)
    method = _method(work, approach)
    began = time.perf_counter()
    # Many small products: threads of BLAS would only wait for each other.
    with threadpool_limits(limits=1, user_api="blas"):
        bundle = method.fit(task).bundle()
    return Adaptation(bundle, labels, round(time.perf_counter() - began, 2))


def _groups(dataset: Dataset, table: CellTable) -> npt.NDArray[np.str_]:
    """Return what folds must not divide; each cell where groups are too few to be dealt."""
    groups = table.frame["group"].to_numpy(dtype=np.str_)
    if dataset.settings.labelled_in is not None or len(np.unique(groups)) < _LEAST_GROUPS:
        return np.array([f"cell {row}" for row in range(len(table))])
    return groups


def _pool(
    work: Workspace, approach: Approach, start: Bundle, dataset: Dataset, draw: Draw
) -> Encoded:
    """Encode some unlabelled images of the target; fine-tuning has no use for them."""
    if approach.method == "finetune":
        card = start.card
        return Encoded(
            np.empty((0, card.n_features), np.float32), np.empty((0, card.n_embedding), np.float32)
        )
    others = np.setdiff1d(np.arange(len(dataset.cells)), draw.labelled)
    chosen = np.random.default_rng([draw.seed, 3]).permutation(others)[:POOL]
    return work.encode(start, dataset.cells.select(np.sort(chosen))).encoded


def _source_cells(work: Workspace, count: int, seed: int) -> CellTable:
    """Return source cells, an equal part of each dataset, drawn at random."""
    sources = work.sources()
    rng = np.random.default_rng([seed, 4])
    tables = []
    for number, one in enumerate(sources):
        wanted = (count * (number + 1)) // len(sources) - (count * number) // len(sources)
        tables.append(one.cells.select(np.sort(rng.permutation(len(one.cells))[:wanted])))
    return CellTable.concat(tables)


def _joined(one: Cells, other: Cells) -> Cells:
    return Cells(
        np.concatenate([one.images, other.images]),
        Encoded(
            np.concatenate([one.encoded.features, other.encoded.features]),
            np.concatenate([one.encoded.embedding, other.encoded.embedding]),
        ),
    )


def finetuning(work: Workspace, approach: Approach) -> dict[str, Any]:
    """Return the settings of an approach's fine-tuning, as JSON values."""
    trials = work.settings.trials if approach.trials is None else approach.trials
    return {
        "trials": trials,
        "learning_rate": approach.learning_rate,
        "batch_size": approach.batch_size,
        "epochs": approach.epochs,
    }


def _method(work: Workspace, approach: Approach) -> Method:
    if approach.method == "none":
        return Unadapted()
    if approach.method != "finetune":
        return make_method(approach.method)
    made = make_method("finetune", work.tell)  # says what to install where the extra is missing
    from hemashift.adaptation.finetune import Finetune, FinetuneSettings

    assert isinstance(made, Finetune)
    wanted = finetuning(work, approach)
    made.trials = wanted.pop("trials")
    made.settings = FinetuneSettings(**wanted)
    return made
