from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from hemashift.model.architectures import Network  # noqa: E402
from hemashift.model.bundle import GRAPH, Bundle  # noqa: E402
from hemashift.model.checkpoint import load_network  # noqa: E402
from hemashift.model.export import export  # noqa: E402
from hemashift.model.runtime import Encoder  # noqa: E402


def test_networks_of_one_architecture_share_the_graph_and_keep_their_weights(
    network: Network, bundle: Bundle, images: np.ndarray
) -> None:
    other = copy.deepcopy(network)
    with torch.no_grad():
        for weight in other.trunk.parameters():
            weight.mul_(1.1)
    made = export(other, bundle.card)
    assert made.contents[GRAPH] == bundle.contents[GRAPH]
    read = load_network(made)  # its weights are rounded to half precision, as in the file
    with torch.no_grad():
        wanted = read.encode(read.normalise(torch.from_numpy(images)))[0].numpy()
    found = Encoder(made).encode(images).features
    np.testing.assert_allclose(found, wanted, atol=1e-3)
    assert np.abs(found - Encoder(bundle).encode(images).features).max() > 0.01
