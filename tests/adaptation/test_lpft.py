from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("optuna")

from hemashift.adaptation.contract import Task
from hemashift.adaptation.finetune import FinetuneSettings
from hemashift.adaptation.lpft import LPFT
from hemashift.adaptation.probe import Probe
from hemashift.model.checkpoint import encoder_tensors, load_network

from .conftest import MakeTask

LABELS = ["lymphocyte", "eosinophil", "blast"] * 2


def test_it_begins_where_the_probe_ends(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    before = LPFT(FinetuneSettings(epochs=0)).fit(task)
    probe = Probe().fit(task)
    found, expected = before.probabilities(task.cells), probe.probabilities(task.cells)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert before.bundle().card.head == probe.bundle().card.head


def test_all_weights_are_trained_from_there(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    fitted = LPFT(FinetuneSettings(learning_rate=1e-4, batch_size=6, epochs=2)).fit(task)
    before = encoder_tensors(load_network(task.model))
    after = encoder_tensors(fitted.network)
    # The probe does not read the embedding, so that nothing is learnt there.
    for name, tensor in before.items():
        same = np.array_equal(tensor, after[name])
        assert same == ("running" in name or name.startswith("embedding.")), name


def test_without_a_search(make_task: MakeTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """One training, with the settings given, of the model that the probe made."""
    module = import_module("hemashift.adaptation.lpft")
    trained: list[tuple[Task, FinetuneSettings]] = []
    monkeypatch.setattr(module, "tune", lambda task, settings: trained.append((task, settings)))
    task = make_task(LABELS)
    method = LPFT()
    method.fit(task)
    ((start, settings),) = trained
    assert settings == method.settings
    assert start.model.card.classes == task.classes
    assert replace(start, model=task.model).targets is task.targets
