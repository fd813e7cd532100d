"""Student: fine-tuned on the labels, and taught by `blend` what it must not forget (`train`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from hemashift.adaptation.batchnorm import pool_images
from hemashift.adaptation.blend import Blend
from hemashift.adaptation.contract import Task
from hemashift.adaptation.finetune import (
    VIEWS,
    FinetuneSettings,
    FittedNetwork,
    accelerator,
    against,
    descend,
    mixed_precision,
    round_as_stored,
    turned,
    widen_head,
)
from hemashift.model.bundle import Bundle
from hemashift.model.checkpoint import load_network
from hemashift.model.extra import train_extra_missing
from hemashift.model.halves import Halves, Seen
from hemashift.training.memory import keep_freed_memory

try:
    import torch
    import torch.nn.functional as functional
except ImportError as error:
    raise train_extra_missing() from error

SETTINGS = FinetuneSettings(learning_rate=5e-4, batch_size=8, epochs=10)

Image = npt.NDArray[np.uint8]
View = list[Seen]
"""What the lower half of each trunk says of one view of one image."""


@dataclass
class Student:
    """Fine-tune the upper half of the network on the labels, with `Blend` as its teacher.

    A network that was fine-tuned on many labelled cells tells the classes of a laboratory apart
    better than a head on the features of the source; where few labels are of a class, or none, it
    forgets what the source knew of that class. So each batch of labelled cells comes with as many
    unlabelled ones, of which the student must say what `Blend`, adapted to the same labels, says:
    learning without forgetting (Li and Hoiem 2016, arXiv 1606.09282) by self-training. Batch norm
    keeps the statistics of the source, and labelled cells are turned and mirrored at random.

    The lower half stays as it is, so that what it says of an image is found once and kept for all
    folds of a cross-validation.

    Attributes:
        settings: Learning rate, batch size and epochs.
    """

    settings: FinetuneSettings = SETTINGS
    name: str = "student"
    _kept: dict[tuple[str, bytes, range], list[View]] = field(default_factory=dict, repr=False)

    def fit(self, task: Task) -> FittedNetwork:
        """Adapt the teacher, then train the student on its answers and the labels."""
        keep_freed_memory()
        generator = torch.Generator().manual_seed(task.seed)
        network = load_network(task.model)  # in evaluation mode, in which it stays
        widen_head(network, len(task.classes), generator)
        network.to(accelerator(), memory_format=torch.channels_last)  # type: ignore[call-overload]
        halves = Halves(network)
        images = task.cells.images
        labelled = [self._views(halves, task.model, one, range(VIEWS)) for one in images]
        targets = torch.from_numpy(task.targets).to(accelerator())
        unlabelled = [self._any_view(halves, task.model, one) for one in pool_images(task)]
        answers = Blend().fit(task).head.probabilities(task.pool)
        answered = torch.from_numpy(answers.astype(np.float32)).to(accelerator())

        def loss(rows: torch.Tensor) -> torch.Tensor:
            views = torch.randint(VIEWS, (len(rows),), generator=generator).tolist()
            batch = [labelled[row][view] for row, view in zip(rows.tolist(), views, strict=True)]
            if not unlabelled:
                return against(_logits(halves, batch), targets[rows])
            drawn = torch.randint(len(unlabelled), (len(rows),), generator=generator)
            batch += [unlabelled[row] for row in drawn.tolist()]
            logits = _logits(halves, batch)
            taught = functional.cross_entropy(logits[len(rows) :], answered[drawn])
            return against(logits[: len(rows)], targets[rows]) + taught

        descend(halves.parameters(), len(task), self.settings, generator, loss)
        round_as_stored(network)
        return FittedNetwork(task.model, network, task.classes)

    def _any_view(self, halves: Halves, model: Bundle, image: Image) -> View:
        """Return what the lower half says of one view of an image, always the same one."""
        view = int(image.sum(dtype=np.int64)) % VIEWS
        return self._views(halves, model, image, range(view, view + 1))[0]

    def _views(self, halves: Halves, model: Bundle, image: Image, views: range) -> list[View]:
        """Return what the lower half says of some views of an image."""
        key = (model.hash, sha256(image.tobytes()).digest(), views)
        if key not in self._kept:
            pixels = torch.from_numpy(np.ascontiguousarray(image)).to(accelerator())
            upright = halves.network.normalise(pixels[None])[0]
            batch = torch.stack([turned(upright, view) for view in views])
            with torch.no_grad(), mixed_precision():
                below = halves.below(batch.contiguous(memory_format=torch.channels_last))
            self._kept[key] = [
                [tuple(layer[row] for layer in trunk) for trunk in below]
                for row in range(len(views))
            ]
        return self._kept[key]


def _logits(halves: Halves, batch: Sequence[View]) -> torch.Tensor:
    """Return the logits (N, K) of N views."""
    seen: list[Seen] = [
        tuple(torch.stack(layer) for layer in zip(*trunk, strict=True))
        for trunk in zip(*batch, strict=True)
    ]
    with mixed_precision():
        return halves.logits(seen).float()
