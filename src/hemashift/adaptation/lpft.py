"""LP-FT: the probe first, then all weights from there at a low learning rate (extra `train`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hemashift.adaptation.contract import Task
from hemashift.adaptation.finetune import FinetuneSettings, FittedNetwork, tune
from hemashift.adaptation.probe import Probe
from hemashift.training.memory import keep_freed_memory

# Low enough that a few labels polish the probe and do not undo it; no search, so seconds per fit.
SETTINGS = FinetuneSettings(learning_rate=3e-5, batch_size=8, epochs=8)


@dataclass
class LPFT:
    """Linear probing, then fine-tuning (Kumar et al. 2022, arXiv 2202.10054).

    Fine-tuning from a head that knows nothing of the laboratory distorts the features before the
    head has learnt to read them. So the head is `Probe`'s, and all weights are then trained on as
    `Finetune` does: batch norm keeps the statistics of the source, cells are turned and mirrored.

    Attributes:
        settings: Learning rate, batch size and epochs of the second part.
    """

    settings: FinetuneSettings = SETTINGS
    name: str = "lpft"

    def fit(self, task: Task) -> FittedNetwork:
        """Fit the probe, then train all weights on all labelled cells."""
        keep_freed_memory()
        probed = replace(task, model=Probe().fit(task).bundle())
        return FittedNetwork(task.model, tune(probed, self.settings), task.classes)
