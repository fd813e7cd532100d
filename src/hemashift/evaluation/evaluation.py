"""One evaluation: what was predicted for cells whose class is known, and all that follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hemashift.cells import Box
from hemashift.errors import TableError
from hemashift.evaluation import curves
from hemashift.evaluation.calibration import (
    ReliabilityBins,
    RiskCoverage,
    brier_score,
    chance_calibration_error,
    expected_calibration_error,
    negative_log_likelihood,
    reliability_bins,
    risk_coverage,
)
from hemashift.evaluation.checks import check_probabilities
from hemashift.evaluation.intervals import Interval, clopper_pearson, weighted_proportion
from hemashift.evaluation.matching import Matching
from hemashift.evaluation.metrics import (
    UNLISTED,
    FloatArray,
    IntArray,
    confusion_matrix,
    encode_labels,
)
from hemashift.evaluation.scores import ClassScores, score_intervals
from hemashift.taxonomy import OUTSIDE
from hemashift.trust.unidentified import UNIDENTIFIED

BoolArray = NDArray[np.bool_]

FEW_CELLS = 10
"""A class with fewer true cells than this gets a warning: its scores say little."""
FEW_GROUPS = 5
"""With fewer patients or smears than this their cells hardly tell how far others differ."""
NO_CLASS = (UNIDENTIFIED, OUTSIDE)
"""Labels of a cell that was given no class."""


@dataclass(frozen=True)
class Mistake:
    """A cell called something else than it is.

    Attributes:
        path: The image.
        box: Where the cell is in the image, half-open pixels; None for the whole image.
        truth: True class.
        predicted: Class it was called.
        confidence: Probability of the predicted class.
        rank: Place of the true class among the probabilities, 2 = second.
        probabilities: One probability a class, in class order.
    """

    path: str
    box: Box | None
    truth: str
    predicted: str
    confidence: float
    rank: int
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Kept:
    """Cells that were given a class, neither `unidentified` nor `outside`.

    Attributes:
        cells: How many.
        wrong: How many of them are of another class.
        error: Their share, with limits.
    """

    cells: int
    wrong: int
    error: Interval


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Predictions for N cells of known class; scores are computed when first asked for.

    Attributes:
        classes: The K class names, in model output order.
        y_true: Shape (N,), positions of the true classes.
        probabilities: Shape (N, K), rows summing to 1.
        y_pred: Shape (N,), positions of the predicted classes; by default the most
            probable ones.
        given: N labels as the classifier wrote them, a class, `unidentified` or `outside`; by
            default the predicted classes.
        paths: N image paths; by default `cell 1`, `cell 2`, ...
        boxes: N boxes within the images, None for a whole image; empty if all are whole.
        groups: N names of patients or smears, or None, as where each has one cell. Cells of one
            group are not taken for independent.
        matching: How predictions and truth were brought together, and what was left out.
        model: Facts about the model, for reports.
        confidence: Nominal coverage of all limits, in 0..1.
        draws: Number of bootstrap draws.
        seed: Seed of the draws.

    Raises:
        TableError: If there is no cell, shapes do not fit, a class position is not in the
            list, a probability is NaN or outside 0..1, or a row does not sum to 1.

    Examples:
        >>> result = Evaluation.from_labels(
        ...     ["a", "a", "b", "b"], [[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.1, 0.9]], ("a", "b"))
        >>> result.overall["accuracy"].estimate, result.mistakes()[0].path
        (0.75, 'cell 3')
    """

    classes: tuple[str, ...]
    y_true: IntArray
    probabilities: FloatArray
    y_pred: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    given: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    boxes: tuple[Box | None, ...] = ()
    groups: tuple[str, ...] | None = None
    matching: Matching = field(default_factory=Matching)
    model: Mapping[str, Any] = field(default_factory=dict)
    confidence: float = 0.95
    draws: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        truth = np.asarray(self.y_true, dtype=np.int64)
        scores = check_probabilities(self.probabilities, len(self.classes))
        predicted = np.asarray(self.y_pred, dtype=np.int64)
        if predicted.size == 0:
            predicted = scores.argmax(axis=1)
        names = self.paths or tuple(f"cell {i}" for i in range(1, len(truth) + 1))
        boxes = self.boxes or (None,) * len(names)
        lengths = {len(truth), len(scores), len(predicted), len(names), len(boxes)}
        lengths.add(len(self.given or names))
        if self.groups is not None:
            lengths.add(len(self.groups))
            if len(set(self.groups)) == len(self.groups):
                object.__setattr__(self, "groups", None)
        if len(lengths) > 1:
            raise TableError(
                "labels, probabilities, paths and groups are not of the same length",
                found=", ".join(map(str, sorted(lengths))),
            )
        for codes in (truth, predicted):
            if codes.min() < 0 or codes.max() >= len(self.classes):
                raise TableError("a class position is not in the class list")
        object.__setattr__(self, "y_true", truth)
        object.__setattr__(self, "probabilities", scores)
        object.__setattr__(self, "y_pred", predicted)
        given = self.given or tuple(self.classes[code] for code in predicted)
        object.__setattr__(self, "given", tuple(given))
        object.__setattr__(self, "paths", tuple(names))
        object.__setattr__(self, "boxes", tuple(boxes))

    @classmethod
    def from_labels(
        cls,
        labels: Sequence[str | None],
        probabilities: ArrayLike,
        classes: Sequence[str],
        **options: Any,
    ) -> Evaluation:
        """Make an evaluation from true labels.

        Args:
            labels: N true labels. All must be in `classes`; set others aside first.
            probabilities: Shape (N, K).
            classes: The K class names.
            **options: Further attributes of `Evaluation`.

        Raises:
            TableError: As the class, or if a label is not in the class list.
        """
        codes = encode_labels(labels, classes)
        if (codes == UNLISTED).any():
            row = int(np.flatnonzero(codes == UNLISTED)[0])
            raise TableError(
                "a true label is not one of the classes",
                expected=", ".join(classes),
                found=repr(labels[row]),
                where=f"cell {row + 1}",
                hint="leave cells of other classes out, or give a mapping of labels to classes",
            )
        return cls(tuple(classes), codes, np.asarray(probabilities), **options)

    def __len__(self) -> int:
        return len(self.y_true)

    @property
    def correct(self) -> BoolArray:
        """Shape (N,): whether the cell was called its true class."""
        right: BoolArray = self.y_true == self.y_pred
        return right

    @property
    def certainty(self) -> FloatArray:
        """Shape (N,): the probability of the predicted class."""
        return self.probabilities[np.arange(len(self)), self.y_pred]

    @cached_property
    def without_class(self) -> dict[str, int]:
        """How many cells were called `unidentified` and `outside`, by label."""
        return {name: n for name in NO_CLASS if (n := self.given.count(name))}

    @cached_property
    def kept(self) -> Kept:
        """The cells that were given a class."""
        kept = np.array([name not in NO_CLASS for name in self.given])
        wrong = ~self.correct[kept]
        if not kept.any():
            return Kept(0, 0, clopper_pearson(0, 0, self.confidence))
        groups = None if self.groups is None else np.array(self.groups)[kept]
        error = weighted_proportion(wrong, np.ones(len(wrong)), groups, self.confidence)
        return Kept(len(wrong), int(wrong.sum()), error)

    @cached_property
    def confusion(self) -> IntArray:
        """Shape (K, K): row = truth, column = prediction."""
        return confusion_matrix(self.y_true, self.y_pred, len(self.classes))

    @cached_property
    def _intervals(self) -> tuple[dict[str, Interval], list[dict[str, Interval]]]:
        return score_intervals(
            self.y_true,
            self.y_pred,
            len(self.classes),
            groups=self.groups,
            draws=self.draws,
            seed=self.seed,
            confidence=self.confidence,
        )

    @property
    def overall(self) -> dict[str, Interval]:
        """Accuracy, balanced accuracy and macro scores, with limits, by name."""
        return self._intervals[0]

    @cached_property
    def per_class(self) -> tuple[ClassScores, ...]:
        """The scores of each class, in class order."""
        areas = curves.roc_auc_by_class(self.y_true, self.probabilities)
        true, called = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        return tuple(
            ClassScores(
                name,
                int(true[k]),
                int(called[k]),
                **self._intervals[1][k],
                average_precision=self.precision_recall[k].area,
                roc_auc=float(areas[k]),
            )
            for k, name in enumerate(self.classes)
        )

    @cached_property
    def precision_recall(self) -> tuple[curves.PrecisionRecallCurve, ...]:
        """One precision-recall curve a class."""
        return curves.precision_recall_by_class(self.y_true, self.probabilities)

    @cached_property
    def average_precision_recall(self) -> curves.PrecisionRecallCurve:
        """The precision-recall curve averaged over the classes that occur."""
        return curves.average_curve(self.precision_recall)

    @cached_property
    def reliability(self) -> ReliabilityBins:
        """Confidence against accuracy in 10 bins of equal width."""
        return reliability_bins(self.certainty, self.correct, 10)

    @cached_property
    def calibration(self) -> dict[str, float]:
        """Calibration errors (15 bins), Brier score and negative log likelihood, by name."""
        by_mass = expected_calibration_error(self.certainty, self.correct, binning="mass")
        return {
            "ece": expected_calibration_error(self.certainty, self.correct),
            "ece_equal_mass": by_mass,
            "ece_by_chance": chance_calibration_error(self.certainty),
            "brier": brier_score(self.y_true, self.probabilities),
            "nll": negative_log_likelihood(self.y_true, self.probabilities),
        }

    @cached_property
    def risk_coverage(self) -> RiskCoverage:
        """The error that remains when the least sure cells go to a person."""
        return risk_coverage(self.certainty, self.correct)

    @cached_property
    def rank_of_truth(self) -> IntArray:
        """Shape (N,): place of the true class among the probabilities, 1 = most probable."""
        given = self.probabilities[np.arange(len(self)), self.y_true]
        rank: IntArray = 1 + (self.probabilities > given[:, None]).sum(axis=1, dtype=np.int64)
        return rank

    def mistakes(self, most: int | None = None) -> list[Mistake]:
        """Return the wrongly classified cells, the surest first."""
        wrong = np.flatnonzero(~self.correct)
        order = wrong[np.argsort(-self.certainty[wrong], kind="stable")][:most]
        return [
            Mistake(
                self.paths[i],
                self.boxes[i],
                self.classes[self.y_true[i]],
                self.classes[self.y_pred[i]],
                float(self.certainty[i]),
                int(self.rank_of_truth[i]),
                tuple(self.probabilities[i].tolist()),
            )
            for i in order
        ]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Everything a reader must know before believing the scores, one sentence each."""
        found = [*self.matching.warnings(), *self._without_class_said()]
        absent = [one.name for one in self.per_class if one.support == 0]
        thin = [f"{c.name} ({c.support})" for c in self.per_class if 0 < c.support < FEW_CELLS]
        if absent:
            found.append(
                f"No cell of {', '.join(absent)} occurs in the truth: nothing is known about "
                f"{'it' if len(absent) == 1 else 'them'}, and the macro averages leave "
                f"{'it' if len(absent) == 1 else 'them'} out."
            )
        if thin:
            found.append(f"Very few cells of {', '.join(thin)}: their scores say little.")
        found += _few_groups(self.groups)
        different = int((self.y_pred != self.probabilities.argmax(axis=1)).sum())
        if different:
            found.append(
                f"The predicted class of {different} cells is not their most probable class."
            )
        return tuple(found)

    def _without_class_said(self) -> list[str]:
        """Say how cells without a class are scored, and how good the others are."""
        if not self.without_class:
            return []
        called = ", ".join(f"{n:,} {name}" for name, n in self.without_class.items())
        cells, wrong, error = self.kept.cells, self.kept.wrong, self.kept.error
        return [
            f"Called {called}: such cells are scored by their most probable class.",
            f"Wrong among the {cells:,} that kept a class: {wrong:,}, error {error}."
            if cells
            else "No cell kept a class.",
        ]

    def to_json(self) -> str:
        """Return the evaluation as JSON text; see `hemashift.evaluation.storage.to_json`."""
        from hemashift.evaluation.storage import to_json

        return to_json(self)


def _few_groups(groups: Sequence[str] | None) -> list[str]:
    """Say so where the cells come from few patients or smears."""
    number = FEW_GROUPS if groups is None else len(set(groups))
    if number >= FEW_GROUPS:
        return []
    if number == 1:
        return ["All cells come from 1 patient or smear: how far others differ is not known."]
    return [
        f"All cells come from {number} patients or smears: how far others differ is hardly known."
    ]
