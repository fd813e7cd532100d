"""Calibration of an adapted model by its out-of-fold predictions, and what else they tell."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from hemashift.adaptation.contract import Cells, Float, Task
from hemashift.adaptation.folds import folds
from hemashift.adaptation.prior import FOLLOWED
from hemashift.model.bundle import WEIGHTS, Bundle
from hemashift.model.heads import Encoded
from hemashift.model.runtime import Encoder
from hemashift.trust.calibration import Calibration
from hemashift.trust.outside import Outside
from hemashift.trust.storage import Trust, attach, read_trust
from hemashift.trust.temperature import cautious_temperature

_FOLDS = 5
_LEAST_PROBABILITY = 1e-6


def calibrated(bundle: Bundle, predicted: Float, task: Task) -> Bundle:
    """Set the temperature of an adapted model, and attach how far to trust it.

    Args:
        bundle: The adapted model.
        predicted: `(N, K)` out-of-fold predictions, from models that did not learn the cell.
        task: The labelled cells.

    Returns:
        The model with another temperature and with trust data.
    """
    # A copy says nothing new; another cell of the same patient does.
    copies = task.groups if task.copies is None else task.copies
    first = np.sort(np.unique(copies, return_index=True)[1])
    logs, targets = np.log(np.maximum(predicted, _LEAST_PROBABILITY))[first], task.targets[first]
    temperature = cautious_temperature(logs, targets)
    card = bundle.card.updated(temperature=bundle.card.temperature * temperature)
    # A fine-tuned encoder sees other features than the source's spread was measured in.
    same = bundle.card.files[WEIGHTS] == task.model.card.files[WEIGHTS]
    known = read_trust(task.model) if same else Trust()
    encoder = None if same else Encoder(bundle)

    def seen(cells: Cells) -> Encoded:
        return cells.encoded if encoder is None else encoder.encode(cells.images)

    unlabelled: Encoded | None = task.pool
    if encoder is not None:
        unlabelled = None if task.pool_images is None else encoder.encode(task.pool_images)
    trust = Trust(
        Calibration.of(softmax(logs / temperature, axis=1), targets),
        Outside.fit(
            seen(task.cells),
            task.targets,
            folds(task.targets, task.groups, _FOLDS, task.seed + 1),
            source=known.source,
            others=known.others,
            strangers=None if task.strangers is None else seen(task.strangers),
            unlabelled=unlabelled,
            towards=None if known.probe is None else FOLLOWED * known.probe,
        ),
        known.source,
        known.probe,
        known.others,
    )
    return attach(Bundle(card, bundle.contents), trust)
