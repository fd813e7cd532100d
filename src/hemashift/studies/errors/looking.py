"""What there is to see in the wrong predictions of one target, as tidy tables and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from hemashift.audit.exchanged import find_exchanges
from hemashift.cells import CellTable
from hemashift.errors import ImageError
from hemashift.evaluation.confident import likely_label_errors
from hemashift.evaluation.embedding_map import draw_map
from hemashift.evaluation.metrics import UNLISTED, encode_labels
from hemashift.images import read_image
from hemashift.model.bundle import Bundle
from hemashift.model.preprocessing import Preprocessing
from hemashift.studies.data import Dataset
from hemashift.studies.outcomes import Outcome
from hemashift.studies.workspace import Workspace

Pixels = npt.NDArray[np.uint8]

# Cells on a map; more would hide each other.
MOST_POINTS = 800
_PICTURE_SIDE = 112


def predictions_of(found: Outcome) -> pd.DataFrame:
    """Return every scored cell with its prediction.

    Returns:
        Rows with `dataset`, `row` (place in the dataset's cells), `path`, `class`, `predicted`,
        `confidence` (probability of the prediction), `own` (of the true class) and `rank` of the
        true class, 1 where it is the prediction.
    """
    probabilities, told = found.probabilities, found.predictions
    truth = encode_labels(told["truth"].tolist(), found.classes)
    own = probabilities[np.arange(len(truth)), truth]
    above = (probabilities > own[:, None]).sum(axis=1)
    wrong = told["truth"].to_numpy() != told["predicted"].to_numpy()
    return pd.DataFrame(
        {
            "dataset": found.dataset.name,
            "row": told["row"],
            "path": found.dataset.cells.frame["path"].to_numpy()[told["row"]],
            "class": told["truth"],
            "predicted": told["predicted"],
            "confidence": probabilities.max(axis=1),
            "own": own,
            # Of two equal probabilities, one is the prediction and the other comes second.
            "rank": np.where(wrong, np.maximum(above + 1, 2), 1),
        }
    )


def vectors_of(found: Outcome, cell_class: str) -> pd.DataFrame:
    """Return the probabilities of the wrongly predicted cells of a class.

    Returns:
        Rows with `dataset`, `cell` (its row in the dataset), `predicted`, `class`, `probability`.
    """
    told = found.predictions
    chosen = (told["truth"] == cell_class) & (told["predicted"] != cell_class)
    wide = pd.DataFrame(found.probabilities[chosen], columns=list(found.classes))
    wide["cell"] = told["row"][chosen].to_numpy()
    wide["predicted"] = told["predicted"][chosen].to_numpy()
    long = wide.melt(["cell", "predicted"], var_name="class", value_name="probability")
    return long.assign(dataset=found.dataset.name)


def map_of(
    work: Workspace, model: Bundle, dataset: Dataset, predictions: pd.DataFrame, cell_class: str
) -> pd.DataFrame:
    """Lay out the embedding of scored cells: a random choice, and wrong ones of the class.

    Returns:
        Rows with `dataset`, `row`, `class`, `predicted`, `x`, `y`.
    """
    seed = work.settings.seed
    order = predictions.sample(frac=1, random_state=seed)
    wrong = order[(order["class"] == cell_class) & (order["predicted"] != cell_class)]
    shown = pd.concat([wrong.head(MOST_POINTS // 2), order.head(MOST_POINTS)])
    shown = shown.drop_duplicates("row").head(MOST_POINTS).sort_values("row")
    seen = work.encode(model, dataset.cells.select(shown["row"].to_numpy()))
    shown = shown.iloc[seen.rows]
    vectors = seen.encoded.vectors("embedding", l2=True)
    layout = draw_map(vectors, seed=seed, perplexity=work.settings.study.pictures.perplexity)
    columns = ["dataset", "row", "class", "predicted"]
    return shown[columns].assign(x=layout[:, 0], y=layout[:, 1])


def label_errors_of(found: Outcome) -> pd.DataFrame:
    """Return the likely label errors among the scored cells, the likeliest first.

    The model has learnt from none of these labels.

    Returns:
        Rows with `dataset`, `place` (from 1), `row`, `path`, `label`, `suggested`, `own`.
    """
    given = found.predictions["truth"].to_numpy()
    likely = likely_label_errors(
        encode_labels(given.tolist(), found.classes), _normal(found.probabilities)
    )
    rows = found.predictions["row"].to_numpy()[likely.rows]
    return pd.DataFrame(
        {
            "dataset": found.dataset.name,
            "place": np.arange(1, len(likely) + 1),
            "row": rows,
            "path": found.dataset.cells.frame["path"].to_numpy()[rows],
            "label": given[likely.rows],
            "suggested": np.array(found.classes, dtype=object)[likely.suggested],
            "own": likely.self_confidence,
        }
    )


def exchanges_of(work: Workspace, start: Bundle, dataset: Dataset) -> pd.DataFrame:
    """Return the pairs of classes whose labels look exchanged to the model before adaptation.

    Only that model has learnt from no label of the dataset; labels of classes that it does not
    know are passed over.

    Returns:
        Rows with `dataset`, `first`, `second`, `crossed`, `straight` and `p_value`.
    """
    seen = work.encode(start, dataset.cells)
    classes = start.card.classes
    labels = encode_labels(dataset.cells.frame["class"].tolist(), classes)[seen.rows]
    known = labels != UNLISTED
    probabilities = start.head.probabilities(seen.encoded)[known]
    found = find_exchanges(labels[known], probabilities) if known.any() else []
    rows = [
        (
            dataset.name,
            classes[one.first],
            classes[one.second],
            one.crossed,
            one.straight,
            one.p_value,
        )
        for one in found
    ]
    columns = ["dataset", "first", "second", "crossed", "straight", "p_value"]
    return pd.DataFrame(rows, columns=columns)


def pictures_of(dataset: Dataset, rows: Mapping[str, Sequence[int]]) -> dict[str, Pixels]:
    """Return small pictures of cells, those that can be read.

    Args:
        dataset: The dataset.
        rows: Rows of cells by what they are shown as.

    Returns:
        Pictures by `<what> <row>`, uint8 `(112, 112, 3)`.
    """
    return {
        f"{what} {row}": picture
        for what, chosen in rows.items()
        for row, picture in _read(dataset.cells, chosen)
    }


def _read(cells: CellTable, rows: Sequence[int]) -> Iterator[tuple[int, Pixels]]:
    prepare = Preprocessing(size=_PICTURE_SIDE, fit="pad")
    chosen = cells.select(list(rows))
    for row, path, box in zip(rows, chosen.paths(), chosen.boxes(), strict=True):
        try:
            yield row, prepare(read_image(path), box)
        except ImageError:
            continue


def _normal(probabilities: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return rows that sum to 1 in double precision."""
    exact = probabilities.astype(np.float64)
    normal: npt.NDArray[np.float64] = exact / exact.sum(axis=1, keepdims=True)
    return normal
