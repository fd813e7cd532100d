"""After cross-validation: the temperature, and what an adapted model knows of its own errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemashift.adaptation.adapt import adapt_task
from hemashift.adaptation.calibration import calibrated
from hemashift.adaptation.probe import Probe
from hemashift.model.bundle import Bundle
from hemashift.model.runtime import Encoder
from hemashift.trust.outside import vectors_of
from hemashift.trust.source import fit_source
from hemashift.trust.storage import read_trust

from .conftest import MakeTask

LABELS = ["lymphocyte", "monocyte", "neutrophil"] * 8


def probe() -> Probe:
    return Probe(("features",), (0.1,))


def test_an_adapted_model_knows_its_labelled_cells(make_task: MakeTask, encoder: Encoder) -> None:
    task = make_task(LABELS)
    adapted = adapt_task(task, probe())
    trust = read_trust(adapted.bundle)
    assert trust.calibration is not None and trust.outside is not None
    assert trust.source is None, "the model it started from has none"
    np.testing.assert_array_equal(trust.calibration.targets, task.targets)
    # As in the scores after adaptation, but for the temperature, which keeps the order.
    found = trust.calibration.probabilities
    assert (found.argmax(axis=1) == adapted.after.probabilities.argmax(axis=1)).all()
    assert (trust.outside.scores(task.cells.encoded) <= 1).mean() > 0.9
    noise = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    assert (trust.outside.scores(encoder.encode(noise)) > 1).all()


def test_predictions_and_temperature_belong_together(make_task: MakeTask) -> None:
    """A model too sure of itself is cooled; what it keeps of its predictions is cooled alike."""
    task = make_task(LABELS * 4)
    fitted = probe().fit(task).bundle()
    wrong = (task.targets + 1 - task.targets.min()) % 3 + task.targets.min()
    said = np.where(np.arange(len(task)) % 4 == 0, wrong, task.targets)
    predicted = np.full((len(task), 6), 0.002)
    predicted[np.arange(len(task)), said] = 0.99
    model = calibrated(fitted, predicted.astype(np.float32), task)
    assert model.card.temperature > 1.5 * fitted.card.temperature
    known = read_trust(model).calibration
    assert known is not None
    logs = np.log(predicted) / (model.card.temperature / fitted.card.temperature)
    expected = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(known.probabilities, expected, atol=1e-3)
    assert known.probabilities.max() == pytest.approx(0.75, abs=0.1)


def test_copies_of_one_image_are_one_cell(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    groups = np.array([f"image {i // 2}" for i in range(len(task))])
    known = read_trust(adapt_task(replace(task, groups=groups), probe()).bundle).calibration
    assert known is not None and len(known) == 12


def test_what_the_source_knew_is_passed_on(make_task: MakeTask, bundle: Bundle) -> None:
    source = make_task([*LABELS, "basophil", "monocyte"] * 2)
    start = fit_source(bundle, source.cells.encoded, source.targets, source.groups)
    first = adapt_task(make_task(LABELS, model=start), probe()).bundle
    second = adapt_task(make_task(["blast", "smudge"] * 8, model=first), probe()).bundle
    spreads = [read_trust(model).source for model in (start, first, second)]
    for spread in spreads[1:]:
        assert spread is not None and spreads[0] is not None
        np.testing.assert_allclose(spread.directions, spreads[0].directions, atol=1e-6)
    probes = [read_trust(model).probe for model in (start, first, second)]
    assert probes[0] is not None and probes[1] is not None and probes[2] is not None
    np.testing.assert_array_equal(probes[1], probes[0])
    np.testing.assert_array_equal(probes[2], probes[0])
    alone = read_trust(adapt_task(make_task(LABELS), probe()).bundle).outside
    helped = read_trust(first).outside
    assert alone is not None and helped is not None
    assert not np.array_equal(alone.spread.variances, helped.spread.variances)
    assert alone.undecided is None and helped.undecided is not None


def test_other_weights_see_other_features(make_task: MakeTask, bundle: Bundle) -> None:
    """A fine-tuned encoder: the cells are encoded again, and the source's spread is left out."""
    source = make_task(LABELS)
    start = fit_source(bundle, source.cells.encoded, source.targets, source.groups)
    task = make_task(LABELS, model=start)
    name = "trunk.bn2.running_mean"
    moved = start.with_weights({name: start.weights()[name] + np.float32(0.5)})
    predicted = np.full((len(task), 6), 1 / 6, np.float32)
    model = calibrated(moved, predicted, task)
    trust = read_trust(model)
    assert trust.source is None and trust.probe is None and trust.outside is not None
    again = vectors_of(Encoder(model, threads=1).encode(task.cells.images))
    centres = [again[task.targets == number].mean(axis=0) for number in np.unique(task.targets)]
    np.testing.assert_allclose(trust.outside.centres, centres, atol=1e-6)
