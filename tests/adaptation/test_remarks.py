from __future__ import annotations

from dataclasses import replace

import numpy as np

from hemashift.adaptation.adapt import adapt_task
from hemashift.adaptation.calibration import calibrated
from hemashift.adaptation.contract import Cells
from hemashift.adaptation.probe import Probe
from hemashift.adaptation.remarks import many_outside
from hemashift.model.runtime import Encoder

from .conftest import MakeTask, draw_cell

CLASSES = ["lymphocyte", "monocyte", "neutrophil"]


def pool(encoder: Encoder, *labels: str) -> Cells:
    images = np.stack([draw_cell(label, 200 + i) for i, label in enumerate(labels)])
    return Cells(images, encoder.encode(images))


def test_many_unlike_the_labelled_cells_are_told(make_task: MakeTask, encoder: Encoder) -> None:
    method, task = Probe(("features",), (0.01,)), make_task(CLASSES * 8)
    told = {}
    for name, labels in (("classes", CLASSES * 8), ("blasts", CLASSES * 4 + ["blast"] * 12)):
        given = replace(task, pool=pool(encoder, *labels).encoded)
        notes = adapt_task(given, method).notes
        told[name] = [note for note in notes if "unlike the labelled cells" in note]
    assert told["classes"] == []
    assert len(told["blasts"]) == 1
    assert told["blasts"][0].startswith(("12 of 24", "13 of 24", "14 of 24"))


def test_nothing_is_said_of_images_that_nobody_saw(make_task: MakeTask) -> None:
    task = make_task(CLASSES * 4)
    adapted = Probe(("features",), (0.01,)).fit(task).bundle()
    predicted = np.eye(len(task.classes))[task.targets]
    unseen = replace(task, pool=task.pool[np.arange(0)])
    assert many_outside(calibrated(adapted, predicted, unseen), unseen) == []
