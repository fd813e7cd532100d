"""Head-only fine-tuning: the source model's head, trained on from where it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemashift.adaptation.contract import FittedHead, Task
from hemashift.adaptation.folds import folds
from hemashift.adaptation.probe import Probe
from hemashift.model.heads import BATCH_NORM_EPS, Head, MLPHead

Array = npt.NDArray[np.float32]
Tensors = dict[str, Array]
# Parameters that are trained; the statistics of batch norm stay those of the source.
_TRAINED = (
    "hidden.weight",
    "hidden.bias",
    "norm.weight",
    "norm.bias",
    "output.weight",
    "output.bias",
)
PASSES = (15, 40, 100)


@dataclass
class HeadOnly:
    """The paper's third condition: "only the head was fine-tuned, the encoder was frozen".

    The head (linear 512, batch norm, ReLU, linear K) is trained by Adam on all labelled cells at
    once; the number of passes is chosen by cross-validation inside the labels. A model with
    another head is adapted by `Probe` on the embedding.

    Attributes:
        learning_rate: Of Adam.
        weight_decay: Pull of the weights towards those of the source model.
        passes: Numbers of passes to choose from.
        chosen: After `fit`, the number chosen.
    """

    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    passes: tuple[int, ...] = PASSES
    name: str = "head"
    chosen: int = 0

    def fit(self, task: Task) -> FittedHead:
        """Choose the number of passes, then train on all labelled cells."""
        head = task.model.head
        if not isinstance(head, MLPHead):
            return Probe(outputs=("embedding",)).fit(task)
        inputs = task.cells.encoded.embedding.astype(np.float32)
        start = _start(head, len(task.classes), task.seed)
        self.chosen = self._choose(task, inputs, start)
        *_, (_, tensors) = self._train(inputs, task.targets, start, (self.chosen,))
        return FittedHead(task.model, _as_head(tensors, task.classes))

    def _choose(self, task: Task, inputs: Array, start: Tensors) -> int:
        scores = np.zeros(len(self.passes))
        for fit_rows, held_rows in folds(task.targets, task.groups, 3, task.seed):
            if not len(fit_rows):  # one group: nothing to choose by
                return self.passes[0]
            states = self._train(inputs[fit_rows], task.targets[fit_rows], start, self.passes)
            for number, (_, tensors) in enumerate(states):
                logits = _forward(inputs[held_rows], tensors)[0]
                logs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
                scores[number] += logs[np.arange(len(held_rows)), task.targets[held_rows]].sum()
        return self.passes[int(scores.argmax())]

    def _train(
        self,
        inputs: Array,
        targets: npt.NDArray[np.int64],
        start: Tensors,
        stops: tuple[int, ...],
    ) -> list[tuple[int, Tensors]]:
        """Return the head's tensors after each number of passes in `stops`."""
        tensors = {name: value.copy() for name, value in start.items()}
        moments = {
            name: (np.zeros_like(start[name]), np.zeros_like(start[name])) for name in _TRAINED
        }
        states = []
        for step in range(1, max(stops) + 1):
            for name, gradient in _gradients(inputs, targets, tensors).items():
                gradient += self.weight_decay * (tensors[name] - start[name])
                first, second = moments[name]
                first += 0.1 * (gradient - first)
                second += 0.001 * (gradient**2 - second)
                size = np.sqrt(second / (1 - 0.999**step)) + 1e-8
                tensors[name] -= self.learning_rate * (first / (1 - 0.9**step)) / size
            if step in stops:
                states.append((step, {name: value.copy() for name, value in tensors.items()}))
        return states


def _start(head: MLPHead, count: int, seed: int) -> Tensors:
    """Return the source head's tensors, with small random rows for classes it does not know."""
    tensors = {name: np.asarray(value, np.float32) for name, value in head.tensors.items()}
    missing = count - len(tensors["output.bias"])
    if missing:
        width = tensors["output.weight"].shape[1]
        rng = np.random.default_rng([seed, 5])
        rows = rng.normal(0, 1 / np.sqrt(width), (missing, width)).astype(np.float32)
        tensors["output.weight"] = np.vstack([tensors["output.weight"], rows])
        tensors["output.bias"] = np.pad(tensors["output.bias"], (0, missing))
    return tensors


def _forward(inputs: Array, tensors: Tensors) -> tuple[Array, Array, Array]:
    """Return logits, hidden activations and the normalised values before them."""
    hidden = inputs @ tensors["hidden.weight"].T + tensors["hidden.bias"]
    spread = np.sqrt(tensors["norm.running_var"] + BATCH_NORM_EPS)
    normal = (hidden - tensors["norm.running_mean"]) / spread
    active = np.maximum(normal * tensors["norm.weight"] + tensors["norm.bias"], 0)
    return active @ tensors["output.weight"].T + tensors["output.bias"], active, normal


def _gradients(inputs: Array, targets: npt.NDArray[np.int64], tensors: Tensors) -> Tensors:
    """Gradients of the mean cross entropy by back-propagation."""
    logits, active, normal = _forward(inputs, tensors)
    error = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    error[np.arange(len(targets)), targets] -= 1
    error /= len(targets)
    back = (error @ tensors["output.weight"]) * (active > 0)
    spread = np.sqrt(tensors["norm.running_var"] + BATCH_NORM_EPS)
    before = back * tensors["norm.weight"] / spread
    return {
        "output.weight": error.T @ active,
        "output.bias": error.sum(axis=0),
        "norm.weight": (back * normal).sum(axis=0),
        "norm.bias": back.sum(axis=0),
        "hidden.weight": before.T @ inputs,
        "hidden.bias": before.sum(axis=0),
    }


def _as_head(tensors: Tensors, classes: tuple[str, ...]) -> Head:
    return MLPHead(classes, {name: value.astype(np.float32) for name, value in tensors.items()})
