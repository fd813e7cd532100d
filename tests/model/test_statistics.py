from __future__ import annotations

import numpy as np
import pytest

from hemashift.model.bundle import WEIGHTS, Bundle
from hemashift.model.statistics import with_statistics_of


def torch_statistics(bundle: Bundle, images: np.ndarray, share: float) -> dict[str, np.ndarray]:
    """Return what PyTorch finds when each layer is mixed as the images pass through it."""
    torch = pytest.importorskip("torch")
    from hemashift.model.checkpoint import load_network

    network = load_network(bundle)

    def mix(layer: torch.nn.BatchNorm2d, inputs: tuple[torch.Tensor, ...]) -> None:
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
        layer.running_mean.lerp_(mean, share)
        layer.running_var.lerp_(variance, share)

    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.register_forward_pre_hook(mix)
    with torch.no_grad():
        network.encode(network.normalise(torch.from_numpy(images)))
    return {
        name: value.numpy()
        for name, value in network.state_dict().items()
        if "running" in name and not name.startswith("head.")
    }


@pytest.mark.parametrize("source_weight", [0, 18])
def test_they_are_those_of_pytorch(bundle: Bundle, images: np.ndarray, source_weight: int) -> None:
    share = len(images) / (len(images) + source_weight)
    expected = torch_statistics(bundle, images, share)
    found = with_statistics_of(images, bundle, source_weight).weights()
    assert len(expected) > 50
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-3, atol=1e-4, err_msg=name)


def test_nothing_but_statistics_changes(bundle: Bundle, images: np.ndarray) -> None:
    changed = with_statistics_of(images, bundle, 1)
    after = changed.weights()
    for name, value in bundle.weights().items():
        assert np.array_equal(value, after[name]) == ("running" not in name), name
    changed.check()
    assert changed.card.updated(files=bundle.card.files) == bundle.card
    assert {**changed.contents, WEIGHTS: bundle.contents[WEIGHTS]} == bundle.contents
