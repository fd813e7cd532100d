"""When to stop: whether more labels are worth the work, and of which classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemashift.adaptation.auto import out_of_fold
from hemashift.adaptation.blend import Blend
from hemashift.adaptation.contract import Method, Task
from hemashift.adaptation.probe import Probe
from hemashift.adaptation.remarks import THIN
from hemashift.adaptation.representation import expected_accuracy
from hemashift.errors import AdaptationError
from hemashift.evaluation.intervals import Interval
from hemashift.selection.curve import LearningCurve, expected_gain, learning_curve
from hemashift.selection.learning import enough_to_learn

MORE = 10
# Labelling goes on while `MORE` labels are expected to bring at least this much accuracy.
WORTHWHILE = 0.01
# With fewer labels a learning curve is mostly chance.
LEAST = 20
# A class that the source model sees in this share of the unlabelled cells is missed, unless it
# has named so many labelled cells so, and none was.
_SEEN = 0.02
_REFUTED = 3


@dataclass(frozen=True, eq=False)
class Advice:
    """Whether to label more.

    Attributes:
        labels: Number of labelled cells.
        accuracy: Accuracy to expect on all cells of the laboratory, by cross-validation.
        gain: Accuracy that 10 more labels are expected to bring; NaN with fewer than 20 labels.
        curve: The learning curve that says so; None with fewer than 20 labels.
        thin: Labels of each class that has a few, but fewer than `remarks.THIN`.
        missing: Share of the unlabelled cells that the source model takes for a class without a
            label, for each such class that it sees in 2 % or more. A class is left out if three
            labelled cells that it took for it are something else.
        enough: Whether labelling may stop.
    """

    labels: int
    accuracy: Interval
    gain: Interval
    curve: LearningCurve | None
    thin: dict[str, int]
    missing: dict[str, float]
    enough: bool

    @property
    def sentences(self) -> tuple[str, ...]:
        """The advice in words; the last sentence says what to do."""
        known = _points(self.accuracy)
        found = [
            f"From {self.labels} labels, {known} of all cells are expected to be recognised "
            "(cross-validation; each labelled cell counts for the cells that are like it)."
        ]
        if not np.isnan(self.gain.estimate):
            found.append(f"{MORE} more labels are expected to add {_added(self.gain)}.")
        if self.thin:
            found.append(f"Fewer than {THIN} labels, not to be trusted yet: {_counts(self.thin)}.")
        if self.missing:
            seen = ", ".join(f"{name} ({share:.0%})" for name, share in self.missing.items())
            found.append(
                f"Without a label, though the model started from sees some: {seen}. If the "
                "laboratory has such cells, label some; if not, all is well."
            )
        return (*found, self._recommendation())

    def _recommendation(self) -> str:
        above_all = f", above all {' and '.join(self.thin)}" if self.thin else ""
        if np.isnan(self.gain.estimate):
            least = LEAST - self.labels
            return f"Label {max(MORE, least)} more{above_all}: too early to say what they bring."
        if self.gain.estimate >= WORTHWHILE:
            return f"Label {MORE} more{above_all}."
        if self.thin:
            return (
                f"On the whole enough: {MORE} more labels are expected to bring less than "
                f"{100 * WORTHWHILE:.0f} point. Label more of {' and '.join(self.thin)} only."
            )
        return (
            f"Enough: {MORE} more labels are expected to bring less than "
            f"{100 * WORTHWHILE:.0f} point."
        )


def enough_to_advise(task: Task) -> bool:
    """Tell whether labels can be cross-validated: six of two classes, not all of one cell."""
    return enough_to_learn(task.targets) and len(np.unique(task.groups)) > 1


def advise(task: Task, method: Method | None = None, seed: int = 0) -> Advice:
    """Say whether more labels are worth the work.

    Args:
        task: The labelled cells.
        method: The method of adaptation; by default `blend` for the accuracy, and for the learning
            curve a probe whose strength is chosen once.
        seed: Seed of the bootstrap.

    Raises:
        AdaptationError: There are fewer than six labels, or all are of one class or one cell.
    """
    if not enough_to_advise(task):
        raise AdaptationError(
            "there are too few labels to say anything",
            expected="6 labels of two classes, of more than one cell",
        )
    predicted = out_of_fold(method or Blend(), task)
    counts = np.bincount(task.targets, minlength=len(task.classes))
    gain, curve = Interval(np.nan, np.nan, np.nan), None
    if len(task) >= LEAST:
        curve = learning_curve(task, method or _settled(task))
        gain = expected_gain(curve, len(task), MORE, seed=seed)
    thin = {
        name: int(count)
        for name, count in zip(task.classes, counts, strict=True)
        if 0 < count < THIN
    }
    return Advice(
        len(task),
        expected_accuracy(predicted, task),
        gain,
        curve,
        thin,
        _missing(task),
        enough=not thin and gain.estimate < WORTHWHILE,
    )


def _settled(task: Task) -> Probe:
    """Return a probe without choices of its own: a learning curve needs 80 of them."""
    probe = Probe()
    probe.fit(task)
    assert probe.chosen is not None
    output, penalty = probe.chosen
    return Probe(outputs=(output,), penalties=(penalty,))


def _missing(task: Task) -> dict[str, float]:
    if not len(task.pool):
        return {}
    names = task.model.card.classes
    head = task.model.head
    called = np.bincount(head.probabilities(task.pool).argmax(axis=1), minlength=len(names))
    own = head.probabilities(task.cells.encoded).argmax(axis=1)
    refuted = np.bincount(own, minlength=len(names)) >= _REFUTED
    labelled = {task.classes[target] for target in task.targets}
    shares = called / len(task.pool)
    return {
        name: float(share)
        for name, share, wrong in zip(names, shares, refuted, strict=True)
        if name not in labelled and share >= _SEEN and not wrong
    }


def _points(interval: Interval) -> str:
    return (
        f"{100 * interval.estimate:.0f} % ({100 * interval.low:.0f} to {100 * interval.high:.0f})"
    )


def _added(gain: Interval) -> str:
    low, high = (f"{100 * value:.1f}" for value in (gain.low, gain.high))
    return f"{100 * gain.estimate:.1f} points of accuracy ({low} to {high})"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in counts.items())
