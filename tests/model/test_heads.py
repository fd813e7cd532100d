from __future__ import annotations

import numpy as np
import pytest

from hemashift.errors import ModelFileError
from hemashift.model.card import HeadSpec
from hemashift.model.heads import (
    Encoded,
    LinearHead,
    MixedHead,
    MLPHead,
    head_from_tensors,
    softmax,
)

CLASSES = ("a", "b", "c")


def encoded(n: int = 5, features: int = 10, embedding: int = 8) -> Encoded:
    rng = np.random.default_rng(0)
    return Encoded(
        rng.normal(size=(n, features)).astype(np.float32),
        rng.normal(size=(n, embedding)).astype(np.float32),
    )


def linear(rng: np.random.Generator, n_inputs: int, **options: object) -> LinearHead:
    return LinearHead(
        CLASSES,
        rng.normal(size=(3, n_inputs)).astype(np.float32),
        rng.normal(size=3).astype(np.float32),
        rng.normal(size=n_inputs).astype(np.float32),
        rng.uniform(0.5, 2, n_inputs).astype(np.float32),
        **options,  # type: ignore[arg-type]
    )


def mixed(temperature: float = 1.0, share: float = 0.4) -> MixedHead:
    rng = np.random.default_rng(2)
    source = {
        "hidden.weight": rng.normal(size=(7, 8)),
        "hidden.bias": rng.normal(size=7),
        "norm.weight": rng.uniform(0.5, 2, 7),
        "norm.bias": rng.normal(size=7),
        "norm.running_mean": rng.normal(size=7),
        "norm.running_var": rng.uniform(0.5, 2, 7),
        "output.weight": rng.normal(size=(2, 7)),
        "output.bias": rng.normal(size=2),
    }
    return MixedHead(
        linear(rng, 10, on="features", l2=True),
        MLPHead(CLASSES[:2], source, temperature=1.3),
        share,
        temperature,
    )


def test_mlp_head_is_that_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    from hemashift.model.architectures import MLP

    torch.manual_seed(0)
    module = MLP(8, 3)
    module(torch.randn(64, 8) * 3 + 1)  # moves the batch norm statistics
    module.eval()
    tensors = {k: v.numpy() for k, v in module.state_dict().items() if v.is_floating_point()}
    data = encoded()
    with torch.no_grad():
        expected = module(torch.from_numpy(data.embedding))
    head = MLPHead(CLASSES, tensors, temperature=0.5)
    np.testing.assert_allclose(head.logits(data), expected.numpy(), atol=1e-5)
    np.testing.assert_allclose(
        head.probabilities(data), (expected / 0.5).softmax(1).numpy(), atol=1e-5
    )


@pytest.mark.parametrize("on, n_inputs", [("features", 10), ("embedding", 8)])
@pytest.mark.parametrize("l2", [False, True])
def test_linear_head_is_the_formula(on: str, n_inputs: int, l2: bool) -> None:
    head = linear(np.random.default_rng(1), n_inputs, on=on, l2=l2)
    data = encoded()
    x = getattr(data, on)
    if l2:
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
    expected = (x - head.mean) / head.scale @ head.weight.T + head.bias
    np.testing.assert_allclose(head.logits(data), expected, atol=1e-5)
    np.testing.assert_allclose(head.probabilities(data).sum(axis=1), 1, atol=1e-6)


def test_linear_head_survives_tensors() -> None:
    head = linear(np.random.default_rng(1), 10, on="features", l2=True, temperature=1.7)
    again = head_from_tensors(head.spec, head.classes, head.to_tensors(), head.temperature)
    np.testing.assert_array_equal(again.probabilities(encoded()), head.probabilities(encoded()))


def test_mixed_head_is_the_formula() -> None:
    head, data = mixed(temperature=1.7), encoded()
    opinion = np.log(2 * head.source.probabilities(data))
    expected = head.linear.logits(data) + 0.4 * np.pad(opinion, ((0, 0), (0, 1)))
    np.testing.assert_allclose(head.logits(data), expected, atol=1e-5)
    np.testing.assert_allclose(head.probabilities(data), softmax(expected, 1.7), atol=1e-6)


def test_mixed_head_survives_tensors() -> None:
    head = mixed(temperature=1.7)
    again = head_from_tensors(head.spec, head.classes, head.to_tensors(), head.temperature)
    assert again.spec == head.spec
    np.testing.assert_allclose(
        again.probabilities(encoded()), head.probabilities(encoded()), atol=1e-6
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"share": np.array([-0.1], np.float32)},
        {"share": np.array([np.inf], np.float32)},
        {"share": np.array([0.1, 0.2], np.float32)},
        {"source.output.bias": np.zeros(4, np.float32)},
        {"source.output.bias": np.zeros(1, np.float32)},
        {"source.more": np.zeros(1, np.float32)},
        {"weight": np.zeros((3, 9), np.float32)},
    ],
)
def test_heads_that_do_not_belong_together_are_refused(changes: dict[str, np.ndarray]) -> None:
    head = mixed()
    with pytest.raises(ModelFileError):
        head_from_tensors(head.spec, CLASSES, {**head.to_tensors(), **changes})


def test_an_absent_class_has_probability_zero() -> None:
    head = LinearHead(CLASSES, np.ones((3, 8), np.float32), np.array([0, -np.inf, 0], np.float32))
    probabilities = head.probabilities(encoded())
    assert np.isfinite(probabilities).all()
    assert (probabilities[:, 1] == 0).all()


def test_a_zero_vector_can_be_normalised() -> None:
    head = linear(np.random.default_rng(1), 8, l2=True)
    zero = Encoded(np.zeros((1, 10), np.float32), np.zeros((1, 8), np.float32))
    assert np.isfinite(head.probabilities(zero)).all()


def test_softmax_stands_large_logits_and_temperature() -> None:
    probabilities = softmax(np.array([[1e4, 0, -1e4], [1.0, 2.0, 3.0]], np.float32), 2.0)
    assert probabilities[0].tolist() == [1, 0, 0]
    expected = np.exp([0.5, 1.0, 1.5]) / np.exp([0.5, 1.0, 1.5]).sum()
    np.testing.assert_allclose(probabilities[1], expected, rtol=1e-6)


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"weight": np.zeros((3, 4), np.float32)},
        dict.fromkeys(("weight", "bias", "mean", "scale"), np.zeros((3, 4), np.float32)),
        {
            "weight": np.full((3, 4), np.nan, np.float32),
            "bias": np.zeros(3, np.float32),
            "mean": np.zeros(4, np.float32),
            "scale": np.ones(4, np.float32),
        },
    ],
)
@pytest.mark.parametrize("kind", ["linear", "mlp", "mixed"])
def test_tensors_that_are_no_head_are_refused(kind: str, tensors: dict[str, np.ndarray]) -> None:
    with pytest.raises(ModelFileError):
        head_from_tensors(HeadSpec(kind=kind), CLASSES, tensors)  # type: ignore[arg-type]


def test_rows_can_be_taken() -> None:
    data = encoded()
    part = data[np.array([3, 1])]
    assert len(part) == 2
    np.testing.assert_array_equal(part.features, data.features[[3, 1]])


def test_a_head_that_cannot_be_computed_with_is_refused() -> None:
    source = dict(mixed().source.tensors)
    for name, value in (("output.bias", np.inf), ("norm.running_var", -1.0)):
        damaged = {**source, name: np.full_like(source[name], value)}
        with pytest.raises(ModelFileError, match="cannot be computed with"):
            MLPHead(CLASSES[:2], damaged)
    weight = np.ones((3, 2), np.float32)
    never = np.array([0, -np.inf, -np.inf], np.float32)
    assert LinearHead(CLASSES, weight, never).bias is never, "two classes that are never given"
    for bias in (np.full(3, -np.inf), np.array([0, 0, np.inf])):
        with pytest.raises(ModelFileError, match="cannot be computed with"):
            LinearHead(CLASSES, weight, bias.astype(np.float32))
