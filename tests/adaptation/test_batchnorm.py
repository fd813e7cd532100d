from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from hemashift.adaptation.batchnorm import BatchNorm, estimate_statistics
from hemashift.adaptation.contract import Task
from hemashift.adaptation.probe import Probe
from hemashift.model.bundle import Bundle
from hemashift.model.checkpoint import encoder_tensors, load_network

from .conftest import Draw, MakeTask

LABELS = ["lymphocyte", "eosinophil", "blast"] * 2


def images_of(draw: Draw, count: int) -> np.ndarray:
    return np.stack([draw("blast", i) for i in range(count)])


def test_without_source_they_are_those_of_the_images(bundle: Bundle, draw: Draw) -> None:
    """As PyTorch's training mode takes them, with all images in one batch."""
    images = images_of(draw, 5)
    ours, theirs = load_network(bundle), load_network(bundle)
    estimate_statistics(ours, images, source_weight=0)
    for layer in theirs.trunk.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.train()
            layer.momentum = 1.0
    with torch.no_grad():
        theirs.encode(theirs.normalise(torch.from_numpy(images)))
    expected = encoder_tensors(theirs)
    for name, value in encoder_tensors(ours).items():
        # PyTorch divides by one less than the number of values, 4 pixels of 5 images at least.
        tolerance = 0.06 if name.endswith("running_var") else 1e-3
        np.testing.assert_allclose(value, expected[name], rtol=tolerance, atol=1e-3, err_msg=name)


def test_first_layer_is_mixed_by_the_number_of_images(bundle: Bundle, draw: Draw) -> None:
    images = images_of(draw, 6)
    network = load_network(bundle)
    first = network.trunk.bn1
    mean, variance = first.running_mean.clone(), first.running_var.clone()
    with torch.no_grad():
        x = network.trunk.conv_stem(network.normalise(torch.from_numpy(images)))
    estimate_statistics(network, images, source_weight=18)
    torch.testing.assert_close(first.running_mean, 0.75 * mean + 0.25 * x.mean((0, 2, 3)))
    expected = 0.75 * variance + 0.25 * x.var((0, 2, 3), correction=0)
    torch.testing.assert_close(first.running_var, expected)


def test_nothing_but_statistics_changes(bundle: Bundle, draw: Draw) -> None:
    network = load_network(bundle)
    estimate_statistics(network, images_of(draw, 3), source_weight=1)
    after = encoder_tensors(network)
    for name, value in encoder_tensors(load_network(bundle)).items():
        assert np.array_equal(value, after[name]) == ("running" not in name), name
    assert not any(layer._forward_pre_hooks for layer in network.modules())


def test_a_source_that_counts_for_all_leaves_the_probe(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    task = replace(task, pool=task.pool[:0])
    found = BatchNorm(source_weight=10**12).fit(task).probabilities(task.cells)
    np.testing.assert_allclose(found, Probe().fit(task).probabilities(task.cells), atol=1e-3)


def looked_at(task: Task, monkeypatch: pytest.MonkeyPatch, most: int = 64) -> np.ndarray:
    """Return the images that the statistics are taken from."""
    seen: list[np.ndarray] = []
    module = import_module("hemashift.adaptation.batchnorm")
    monkeypatch.setattr(
        module, "estimate_statistics", lambda _, images, weight: seen.append(images)
    )
    BatchNorm(most=most).fit(task)
    return seen[0]


def test_unlabelled_images_count_where_the_task_has_them(
    make_task: MakeTask, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(LABELS)
    np.testing.assert_array_equal(looked_at(task, monkeypatch), task.cells.images)
    pool = images_of(draw, 4)
    known = replace(task, pool_images=pool)
    everything = np.concatenate([task.cells.images, pool])
    np.testing.assert_array_equal(looked_at(known, monkeypatch), everything)


def test_no_more_images_than_fit_into_memory(
    make_task: MakeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(LABELS)
    few, again = (looked_at(task, monkeypatch, most=4) for _ in range(2))
    assert len(few) == 4
    np.testing.assert_array_equal(few, again)
    places = [np.flatnonzero((task.cells.images == one).all(axis=(1, 2, 3))) for one in few]
    assert len(set(np.concatenate(places).tolist())) == 4
