"""What an approach says about the cells of a target: the unit that studies share.

An outcome is named by what it depends on, not by the study that asks, so that two studies that
need the same one (the whole workflow in `targets`, `ablation` and `errors`) compute it once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hemashift.errors import ImageError
from hemashift.evaluation import Evaluation
from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded
from hemashift.reports.frames import rows_of
from hemashift.studies.adapting import Adaptation, adapt_draw, finetuning, starting_model
from hemashift.studies.contract import Result
from hemashift.studies.data import Dataset
from hemashift.studies.draws import Draw, divided_classes
from hemashift.studies.fingerprint import key_of
from hemashift.studies.workspace import Workspace

VERSION = 1
"""Raised when the code changes what outcomes would be; all are then computed anew."""

_METHOD_VERSIONS = {"auto": 5, "blend": 3, "batchnorm": 2, "transductive": 2}
"""Raised when a method changes; only its outcomes are then computed anew."""

_PREFIX = "p_"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one approach says about the scored cells of one draw.

    Attributes:
        dataset: The target.
        approach: Name of the approach.
        draw: The labelled and the scored cells.
        predictions: One row a scored cell that could be read: `row` (its place in
            `Dataset.cells`), `truth`, `predicted`, and `p_<class>` for each class.
        labels: Number of labelled cells that could be read.
        seconds: Time that adapting took, without reading and encoding.
        notes: What a reader of the scores should know, in sentences.
    """

    dataset: Dataset
    approach: str
    draw: Draw
    predictions: pd.DataFrame
    labels: int
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, in the order of the model."""
        columns = self.predictions.columns
        return tuple(name.removeprefix(_PREFIX) for name in columns if name.startswith(_PREFIX))

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """Probabilities of the N scored cells, `(N, K)`."""
        columns = [_PREFIX + name for name in self.classes]
        return self.predictions[columns].to_numpy(dtype=np.float64)

    def evaluation(self, draws: int = 2000, seed: int = 0) -> Evaluation:
        """Return the scores, with bootstrap limits over whole groups where there are any.

        Args:
            draws: Number of bootstrap draws.
            seed: Their seed.
        """
        rows = self.predictions["row"].to_numpy(dtype=np.int64)
        probabilities = self.probabilities
        cells = self.dataset.cells.select(rows)
        return Evaluation.from_labels(
            self.predictions["truth"].tolist(),
            probabilities / probabilities.sum(axis=1, keepdims=True),
            self.classes,
            paths=tuple(map(str, cells.paths())),
            boxes=tuple(cells.boxes()),
            groups=self.dataset.groups(rows),
            draws=draws,
            seed=seed,
        )


def outcome_facts(work: Workspace, name: str, dataset: Dataset, draw: Draw) -> dict[str, Any]:
    """Return all that an outcome depends on, as JSON values, without computing it.

    Args:
        work: The workspace.
        name: Name of an approach of the settings.
        dataset: The target.
        draw: The labelled and the scored cells.
    """
    approach = work.settings.approaches[name]
    facts: dict[str, Any] = {
        "what": "outcome",
        "version": VERSION,
        "model": work.model_facts(approach.model),
        "colour": approach.colour,
        "method": approach.method,
        "data": dataset.fingerprint,
        "scored": key_of({"rows": draw.scored.tolist()}),
    }
    if approach.method == "none":
        return facts
    facts |= {"labelled": draw.labelled.tolist(), "seed": draw.seed}
    if approach.method in _METHOD_VERSIONS:
        facts["method_version"] = _METHOD_VERSIONS[approach.method]
    if approach.method == "finetune":
        facts["settings"] = finetuning(work, approach)
    if approach.mixed:
        facts["mixed"] = {one.name: one.fingerprint for one in work.sources()}
    return facts


def outcome(work: Workspace, name: str, dataset: Dataset, draw: Draw) -> Outcome:
    """Adapt to the labelled cells and predict the scored ones, or take what was kept.

    Args:
        work: The workspace.
        name: Name of an approach of the settings.
        dataset: The target.
        draw: The labelled and the scored cells.

    Raises:
        HemashiftError: The model cannot be made, or no labelled cell can be read.
    """
    facts = outcome_facts(work, name, dataset, draw)
    kept = work.store.result(facts, lambda: _computed(work, name, dataset, draw)).result
    [about] = rows_of(kept.tables["about"])
    return Outcome(
        dataset,
        name,
        draw,
        kept.tables["predictions"],
        int(about["labels"]),
        float(about["seconds"]),
        kept.notes,
    )


def adapted_model(work: Workspace, name: str, dataset: Dataset, draw: Draw) -> Bundle:
    """Return the model that an approach makes of a draw, for a look into it.

    That of the first draw is kept when its outcome is computed; others are adapted when asked for.

    Args:
        work: The workspace.
        name: Name of an approach of the settings.
        dataset: The target.
        draw: The labelled cells.
    """
    approach = work.settings.approaches[name]
    start = starting_model(work, approach)
    if approach.method == "none":
        return start
    facts = {**outcome_facts(work, name, dataset, draw), "what": "adapted model"}
    return work.store.model(
        facts, lambda _, __: adapt_draw(work, approach, start, dataset, draw).bundle
    )


def _computed(work: Workspace, name: str, dataset: Dataset, draw: Draw) -> Result:
    approach = work.settings.approaches[name]
    start = starting_model(work, approach)
    first = draw.number == 0
    if approach.method == "none":
        made = Adaptation(start, 0, 0.0)
    else:
        made = adapt_draw(work, approach, start, dataset, draw)
        if first and approach.method == "finetune":
            facts = {**outcome_facts(work, name, dataset, draw), "what": "adapted model"}
            work.store.model(facts, lambda _, __: made.bundle)
    # A fine-tuned encoder serves for this draw only; of the first draw, other studies ask again.
    keep = first or approach.method != "finetune"
    cells = dataset.cells.select(draw.scored)
    seen = work.encode(made.bundle, cells, keep=keep)
    if not len(seen.rows):
        raise ImageError("no scored image can be read", found="\n".join(seen.unreadable[:5]))
    predictions = _table(made.bundle, seen.encoded, dataset, draw.scored[seen.rows])
    about = pd.DataFrame({"labels": [made.labels], "seconds": [made.seconds]})
    notes = [
        f"{dataset.name}: nearly all cells of {name} are of one smear or patient, so that some of "
        "them were labelled and others scored; that class may come out too good."
        for name in divided_classes(dataset.cells, dataset.settings, draw)
    ]
    if seen.unreadable:
        notes.append(
            f"{dataset.name}: {len(seen.unreadable)} images cannot be read and were left out."
        )
    return Result({"predictions": predictions, "about": about}, notes=tuple(notes))


def _table(
    model: Bundle, encoded: Encoded, dataset: Dataset, rows: npt.NDArray[np.int64]
) -> pd.DataFrame:
    """Return predictions; a class that only the truth knows has probability 0."""
    given = model.head.probabilities(encoded)
    known = model.card.classes
    further = [name for name in dataset.cells.classes() if name not in known]
    columns = {_PREFIX + name: given[:, place] for place, name in enumerate(known)}
    columns |= {_PREFIX + name: np.zeros(len(rows), np.float32) for name in further}
    predicted = np.array(known, dtype=object)[given.argmax(axis=1)]
    truth = dataset.cells.frame["class"].to_numpy()[rows]
    return pd.DataFrame({"row": rows, "truth": truth, "predicted": predicted, **columns})
