"""Fine-tuning all weights, with settings found by Optuna (Chossegros et al. 2024; extra `train`).

"Fine-tuning was performed by retraining the model using only these images"; learning rate, batch
size and number of epochs are chosen by 3-fold cross-validation inside the labelled cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt

from hemashift.adaptation.contract import Cells, Float, Integers, Task
from hemashift.adaptation.folds import folds
from hemashift.model.bundle import Bundle
from hemashift.model.extra import train_extra_missing
from hemashift.progress import StageProgress

try:
    import optuna
    import torch
    import torch.nn.functional as functional

    from hemashift.model.architectures import MLP, Mixed, Network
    from hemashift.model.checkpoint import encoder_tensors, head_of, load_network
    from hemashift.training.loop import precision
    from hemashift.training.memory import keep_freed_memory
except ImportError as error:
    raise train_extra_missing() from error

VIEWS = 8
"""Views of a square image, see `turned`."""


@dataclass(frozen=True)
class FinetuneSettings:
    """What the search chooses.

    Attributes:
        learning_rate: Of Adam, for all weights.
        batch_size: Cells a step.
        epochs: Passes over the labelled cells.
    """

    learning_rate: float = 3e-4
    batch_size: int = 16
    epochs: int = 8


@dataclass
class Finetune:
    """The paper's adaptation: train all weights of the source model on the labelled cells.

    Batch normalisation keeps the statistics of the source (a batch of a few cells of one class
    would distort them); its scale and shift are trained. Cells are turned and mirrored at random.

    Attributes:
        trials: How many settings Optuna tries; 0 takes `settings` without a search.
        settings: Where the search starts.
        out_of_fold: After `fit`, the out-of-fold probabilities `(N, K)` of the chosen settings.
        chosen: After `fit`, the settings chosen.
        on_progress: Called with what is being done, the number of passes done, and their total.
    """

    trials: int = 6
    settings: FinetuneSettings = FinetuneSettings()
    on_progress: StageProgress | None = None
    name: str = "finetune"
    chosen: FinetuneSettings | None = None
    out_of_fold: Float | None = field(default=None, repr=False)

    def fit(self, task: Task) -> FittedNetwork:
        """Search, then train on all labelled cells."""
        keep_freed_memory()
        self.out_of_fold = None
        enough = len(np.unique(task.groups)) >= 6
        self.chosen = self._search(task) if self.trials and enough else self.settings
        network = tune(task, self.chosen)
        return FittedNetwork(task.model, network, task.classes)

    def _search(self, task: Task) -> FinetuneSettings:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        parts = folds(task.targets, task.groups, 3, task.seed)
        best = (-np.inf, self.settings)

        def evaluate(trial: optuna.Trial) -> float:
            nonlocal best
            settings = FinetuneSettings(
                learning_rate=trial.suggest_float("learning_rate", 3e-5, 2e-3, log=True),
                batch_size=trial.suggest_categorical("batch_size", [8, 16, 32]),
                epochs=trial.suggest_int("epochs", 4, 12, step=4),
            )
            found = np.zeros((len(task), len(task.classes)), np.float32)
            for number, (fit_rows, held_rows) in enumerate(parts):
                network = tune(task[fit_rows], settings)
                found[held_rows] = predict(network, task.cells.images[held_rows])
                if self.on_progress is not None:
                    done = trial.number * len(parts) + number + 1
                    self.on_progress("searching", done, self.trials * len(parts))
                # A first fold far behind the best is not worth two more.
                trial.report(_goodness(found[held_rows], task.targets[held_rows]), number)
                if trial.should_prune():
                    raise optuna.TrialPruned
            value = _goodness(found, task.targets)
            if value > best[0]:
                best = (value, settings)
                self.out_of_fold = found
            return value

        study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.TPESampler(seed=task.seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=2),
        )
        study.enqueue_trial(vars(self.settings))
        study.optimize(evaluate, n_trials=self.trials)
        return best[1]


def _goodness(probabilities: Float, targets: Integers) -> float:
    """Return the mean log probability of the truth: it still moves when no answer changes."""
    chosen = probabilities[np.arange(len(targets)), targets]
    return float(np.log(np.maximum(chosen, 1e-4)).mean())


def tune(task: Task, settings: FinetuneSettings) -> Network:
    """Train a copy of the task's model on its labelled cells with given settings.

    Returns:
        The network in evaluation mode, its head over the classes of the task.
    """
    generator = torch.Generator().manual_seed(task.seed)
    network = load_network(task.model)  # in evaluation mode, in which it stays
    turns, network.turns = network.turns, 1  # cells are turned at random instead, in half the time
    widen_head(network, len(task.classes), generator)
    network.to(accelerator(), memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.from_numpy(np.ascontiguousarray(task.cells.images)).to(accelerator())
    targets = torch.from_numpy(task.targets).to(accelerator())

    def loss(rows: torch.Tensor) -> torch.Tensor:
        views = torch.randint(VIEWS, (len(rows),), generator=generator).tolist()
        pairs = zip(network.normalise(images[rows]), views, strict=True)
        batch = torch.stack([turned(image, view) for image, view in pairs])
        with mixed_precision():
            logits = network(batch.contiguous(memory_format=torch.channels_last))
        return against(logits, targets[rows])

    descend(network.parameters(), len(task), settings, generator, loss)
    round_as_stored(network)
    network.turns = turns
    return network


def accelerator() -> torch.device:
    """Return the device to train on."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def mixed_precision() -> torch.autocast:
    """Compute in bfloat16 where that is faster."""
    enabled = precision("auto") == "bf16-mixed"
    return torch.autocast(accelerator().type, torch.bfloat16, enabled=enabled)


def against(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the loss of logits (N, K) for labels (N,), which are believed to nine tenths."""
    return functional.cross_entropy(logits.float(), targets, label_smoothing=0.1)


def descend(
    parameters: Iterable[torch.nn.Parameter],
    count: int,
    settings: FinetuneSettings,
    generator: torch.Generator,
    loss: Callable[[torch.Tensor], torch.Tensor],
) -> None:
    """Train weights on the labelled cells, in batches, at a rate that falls to zero.

    Args:
        parameters: The weights.
        count: Number of labelled cells.
        settings: Learning rate, batch size and epochs.
        generator: Draws the order of the cells.
        loss: Given rows of labelled cells, returns their loss.
    """
    weights = list(parameters)
    optimiser = torch.optim.Adam(weights, lr=settings.learning_rate, fused=True)
    size = min(settings.batch_size, count)
    steps = settings.epochs * max(1, count // size)
    order = torch.empty(0, dtype=torch.int64)
    for step in range(steps):
        if len(order) < size:
            order = torch.randperm(count, generator=generator)
        rows, order = order[:size], order[size:]
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * (1 - step / steps)
        found = loss(rows)
        optimiser.zero_grad()
        found.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()


def turned(image: torch.Tensor, view: int) -> torch.Tensor:
    """Return one of the `VIEWS` of a square image (C, S, S): quarter turns, then mirrored."""
    return torch.rot90(image.flip(2) if view >= 4 else image, view % 4, (1, 2))


def widen_head(network: Network, count: int, generator: torch.Generator) -> None:
    """Give the head an output for each class of the task; those it has keep their weights.

    Of a mixed head, the part that was learnt from labels is trained on.
    """
    if isinstance(network.head, Mixed):
        network.head = network.head.probe
    name = "output" if isinstance(network.head, MLP) else "linear"
    old = cast(torch.nn.Linear, network.head.get_submodule(name))
    known, width = old.weight.shape
    if known == count:
        return
    new = torch.nn.Linear(width, count)
    with torch.no_grad():
        new.weight.normal_(0, width**-0.5, generator=generator)
        new.bias.zero_()
        new.weight[:known] = old.weight
        new.bias[:known] = old.bias
    network.head.set_submodule(name, new)


def round_as_stored(network: Network) -> None:
    """Round matrices of the encoder to float16, as a model stores them: what is scored is kept."""
    with torch.no_grad():
        for part in (network.trunk, network.embedding):
            for parameter in part.parameters():
                if parameter.ndim >= 2:
                    parameter.copy_(parameter.half())


def predict(network: Network, images: npt.NDArray[np.uint8]) -> Float:
    """Return `(N, K)` class probabilities of prepared images, network in evaluation mode."""
    found = []
    device = next(network.parameters()).device
    with torch.inference_mode():
        for start in range(0, len(images), 32):
            batch = torch.from_numpy(np.ascontiguousarray(images[start : start + 32])).to(device)
            logits = network(network.normalise(batch))
            found.append(functional.softmax(logits.float(), dim=1).cpu().numpy())
    return np.concatenate(found)


@dataclass(frozen=True, eq=False)
class FittedNetwork:
    """A fine-tuned network.

    Attributes:
        model: The model it started from.
        network: The network, in evaluation mode.
        classes: Names of its classes.
    """

    model: Bundle
    network: Network
    classes: tuple[str, ...]

    def probabilities(self, cells: Cells) -> Float:
        """Return `(N, K)` class probabilities; the encodings of the old weights are not used."""
        return predict(self.network, cells.images)

    def bundle(self) -> Bundle:
        """Return the fine-tuned model."""
        head = head_of(self.network, self.classes, 1.0)
        return self.model.with_weights(encoder_tensors(self.network), head)
