"""What the source knows helps where labels are few, and gives way to them."""

from __future__ import annotations

import numpy as np
import pytest

from hemashift.adaptation.contract import Task
from hemashift.adaptation.prior import FOLLOWED, prior_weights
from hemashift.adaptation.probe import Probe
from hemashift.adaptation.transductive import Transductive
from hemashift.model.bundle import Bundle
from hemashift.trust.storage import Trust, attach, read_trust

from .conftest import MakeTask

LABELS = ["lymphocyte", "blast", "neutrophil"] * 4


@pytest.fixture
def weights(bundle: Bundle) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(6, bundle.card.n_features))


@pytest.fixture
def knowing(bundle: Bundle, weights: np.ndarray) -> Bundle:
    return attach(bundle, Trust(probe=weights))


def test_classes_of_the_source_only(
    make_task: MakeTask, knowing: Bundle, weights: np.ndarray
) -> None:
    task = make_task(LABELS, model=knowing)
    found = prior_weights(task, "features")
    np.testing.assert_allclose(found[:6], FOLLOWED * weights, rtol=1e-6)
    assert task.classes[6:] == ("blast",) and not found[6:].any()


def test_nothing_is_known_of_other_outputs_nor_by_other_models(
    make_task: MakeTask, knowing: Bundle
) -> None:
    assert not prior_weights(make_task(LABELS), "features").any()
    found = prior_weights(make_task(LABELS, model=knowing), "embedding")
    assert found.shape == (7, 128) and not found.any()


@pytest.mark.parametrize("method", [Probe(penalties=(1e6,)), Transductive()])
def test_a_prior_that_knows_the_labels_names_what_no_label_shows(
    make_task: MakeTask, bundle: Bundle, method: Probe | Transductive
) -> None:
    """The weights of a fit to three classes name cells when only two of them are labelled."""
    whole = make_task(["lymphocyte", "neutrophil", "eosinophil"] * 6)
    head = Probe().fit(whole).head
    knowing = attach(bundle, Trust(probe=head.to_tensors()["weight"] * 20))
    rows = np.flatnonzero(whole.targets != whole.targets[2])
    task: Task = make_task(["lymphocyte", "neutrophil", "eosinophil"] * 6, model=knowing)[rows]
    found = method.fit(task).probabilities(whole.cells)
    blind = Probe().fit(whole[rows]).probabilities(whole.cells)
    third = whole.targets == whole.targets[2]
    assert found[third, whole.targets[2]].mean() > blind[third, whole.targets[2]].mean() + 0.1


def test_a_probe_of_the_source_is_kept_in_the_model_file(knowing: Bundle) -> None:
    found = read_trust(knowing).probe
    assert found is not None and found.shape == (6, knowing.card.n_features)
