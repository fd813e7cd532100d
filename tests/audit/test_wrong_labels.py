"""Wrong labels that were put in are found; right ones are mostly left alone."""

from __future__ import annotations

import numpy as np

from hemashift.adaptation.auto import out_of_fold
from hemashift.adaptation.contract import Task
from hemashift.adaptation.probe import Probe
from hemashift.audit.wrong_labels import find_wrong, wrong_label_findings
from hemashift.model.bundle import TWO_SOURCES, load_model
from hemashift.model.heads import Encoded
from hemashift.selection.learning import only_encoded

CLASSES = ("basophil", "eosinophil", "erythroblast", "lymphocyte", "monocyte", "neutrophil")


def laboratory(seed: int, wrong: float, count: int = 150) -> tuple[Task, np.ndarray]:
    """Separable cells of four classes, some labels changed at random; and which were."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(4, size=count)
    features = 2 * np.eye(4, 20)[truth] + rng.normal(0, 0.25, (count, 20))
    changed = rng.random(count) < wrong
    labels = np.where(changed, (truth + rng.integers(1, 4, count)) % 4, truth)
    encoded = Encoded(features.astype(np.float32), np.zeros((count, 128), np.float32))
    groups = np.arange(count).astype(str)
    model = load_model(TWO_SOURCES)  # knows nothing of such features
    pool = encoded[:0]
    return Task(model, only_encoded(encoded), labels, groups, CLASSES, pool, seed), changed


def test_most_of_ten_percent_wrong_labels_are_found_and_few_others() -> None:
    found = right = wrong = 0
    for seed in range(3):
        task, changed = laboratory(seed, 0.1)
        predicted = out_of_fold(Probe(("features",), (0.03,)), task)
        rows, suggested = find_wrong(task.targets, predicted)
        assert (suggested != task.targets[rows]).all()
        found += changed[rows].sum()
        right += (~changed[rows]).sum()
        wrong += changed.sum()
    assert found >= 0.75 * wrong
    assert right <= 0.1 * found


def test_right_labels_are_left_in_peace() -> None:
    for seed in range(3):
        task, _ = laboratory(seed, 0.0)
        rows, _ = find_wrong(task.targets, out_of_fold(Probe(("features",), (0.03,)), task))
        assert len(rows) <= 1


def test_a_class_with_few_labels_is_not_judged() -> None:
    """Four cells of class 0 that nobody could know; twenty of class 1, one of them odd."""
    targets = np.repeat([0, 1, 2], (4, 20, 20))
    predicted = np.full((44, 3), 0.05, np.float32)
    predicted[np.arange(44), np.maximum(targets, 1)] = 0.9
    predicted[10] = (0.05, 0.05, 0.9)
    rows, suggested = find_wrong(targets, predicted)
    assert (rows.tolist(), suggested.tolist()) == ([10], [2])


def test_the_finding_lists_the_least_believable_first() -> None:
    targets = np.repeat([0, 1], 10)
    predicted = np.full((20, 2), 0.1, np.float32)
    predicted[np.arange(20), targets] = 0.9
    predicted[3] = (0.15, 0.85)
    predicted[14] = (0.98, 0.02)
    source = np.tile(np.array([0.3, 0.7], np.float32), (20, 1))
    names = tuple(f"{row}.png" for row in range(20))
    (found,) = wrong_label_findings(targets, predicted, source, ("a", "b"), names)
    assert found.paths == ("14.png", "3.png")
    assert (
        found.captions[0] == "labelled b, looks a (98%); the model before adaptation says b (70%)"
    )
    assert found.severity == "warning"
    assert found.sentence.startswith("2 of 20 labels are probably wrong")
    assert (
        wrong_label_findings(targets, np.eye(2, dtype="f4")[targets], source, ("a", "b"), names)
        == []
    )
