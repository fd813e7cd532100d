"""Training the head of the paper in numpy."""

from __future__ import annotations

import numpy as np

from hemashift.adaptation.head import _TRAINED, HeadOnly, _forward, _gradients
from hemashift.model.heads import Encoded, MLPHead

from .conftest import MakeTask


def small_head(rng: np.random.Generator) -> dict[str, np.ndarray]:
    shapes = {
        "hidden.weight": (5, 4), "hidden.bias": (5,), "norm.weight": (5,), "norm.bias": (5,),
        "norm.running_mean": (5,), "output.weight": (3, 5), "output.bias": (3,),
    }  # fmt: skip
    tensors = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return {**tensors, "norm.running_var": rng.uniform(0.5, 2, 5)}


def test_gradients_are_those_of_the_loss() -> None:
    rng = np.random.default_rng(0)
    tensors, inputs, targets = small_head(rng), rng.normal(size=(6, 4)), np.arange(6) % 3

    def loss() -> float:
        logits = _forward(inputs, tensors)[0]  # type: ignore[arg-type]
        logs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        return float(-logs[np.arange(6), targets].mean())

    found = _gradients(inputs, targets, tensors)  # type: ignore[arg-type]
    assert set(found) == set(_TRAINED)
    for name, gradient in found.items():
        for place in np.ndindex(gradient.shape):
            kept = tensors[name][place]
            ends = []
            for shift in (-1e-5, 1e-5):
                tensors[name][place] = kept + shift
                ends.append(loss())
            tensors[name][place] = kept
            np.testing.assert_allclose(gradient[place], (ends[1] - ends[0]) / 2e-5, atol=1e-6)


def test_the_forward_pass_is_that_of_the_head() -> None:
    rng = np.random.default_rng(0)
    tensors = {name: value.astype(np.float32) for name, value in small_head(rng).items()}
    inputs = rng.normal(size=(6, 4)).astype(np.float32)
    expected = MLPHead(("a", "b", "c"), tensors).logits(Encoded(inputs, inputs))
    np.testing.assert_allclose(_forward(inputs, tensors)[0], expected, atol=1e-5)


def test_batch_norm_keeps_the_statistics_of_the_source(make_task: MakeTask) -> None:
    task = make_task(["lymphocyte", "blast"] * 4)
    method = HeadOnly(passes=(2, 4))
    fitted = method.fit(task)
    before, after = task.model.head.to_tensors(), fitted.head.to_tensors()
    assert method.chosen in (2, 4)
    for name in ("norm.running_mean", "norm.running_var"):
        np.testing.assert_array_equal(before[name], after[name])
    assert after["output.weight"].shape[0] == before["output.weight"].shape[0] + 1
    assert not np.array_equal(before["hidden.weight"], after["hidden.weight"])
