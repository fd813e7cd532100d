"""What the laboratories of the source say about the classes, as the prior mean of a probe."""

from __future__ import annotations

import numpy as np

from hemashift.adaptation.contract import Task
from hemashift.model.heads import Output
from hemashift.trust.softmax import Float
from hemashift.trust.storage import read_trust

# How far the source is followed: the best of 0, 0.3, 0.6 and 1 at 10 to 50 labels of Jiangxi Tecom
# and Jin Woo Choi, by models that had seen neither (docs/trials-adaptation.md, "Earlier trials").
FOLLOWED = 0.6


def prior_weights(task: Task, output: Output) -> Float:
    """Return the weights that a probe is held close to, where labels say nothing else.

    The probe of the source (`hemashift.trust.source`) is centred within each of its laboratories,
    as that of a new one is by its images, so that its weights can be carried over.

    Args:
        task: The labelled cells.
        output: The output of the encoder that the probe reads.

    Returns:
        `(K, D)`; 0 for classes that the source does not know, for a model without a probe of the
        source, and for any other output than the features.
    """
    known = read_trust(task.model).probe if output == "features" else None
    weights = np.zeros((len(task.classes), task.cells.encoded.vectors(output).shape[1]))
    if known is not None:
        weights[: len(known)] = FOLLOWED * known
    return weights
