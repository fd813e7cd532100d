"""A small model with random weights, made once a session; needs PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from hemashift.model.bundle import Bundle

if TYPE_CHECKING:
    from hemashift.model.architectures import Network

CLASSES = ("basophil", "eosinophil", "erythroblast", "lymphocyte", "monocyte", "neutrophil")
SIZE = 64


@pytest.fixture(scope="session")
def network() -> Network:
    """EfficientNet-Lite0 with random weights and batch norm statistics that are not trivial."""
    torch = pytest.importorskip("torch")
    from hemashift.model.architectures import build

    torch.manual_seed(0)
    made = build("efficientnet_lite0", len(CLASSES), pretrained=False)
    generator = torch.Generator().manual_seed(1)
    for module in made.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
            module.weight.data.uniform_(0.5, 1.5, generator=generator)
            module.bias.data.normal_(0, 0.3, generator=generator)
    with torch.no_grad():
        made.head.output.weight.mul_(20)  # so that probabilities differ between images
    return made.eval()


@pytest.fixture(scope="session")
def bundle(network: Network) -> Bundle:
    """The network as a model, in memory."""
    pytest.importorskip("onnxscript")
    from hemashift.model.export import card_of, export
    from hemashift.model.preprocessing import Preprocessing

    card = card_of(network, "random", CLASSES, Preprocessing(size=SIZE))
    return export(network, card.updated(temperature=1.5))


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """Seven images of smooth random blobs, uint8 (7, 64, 64, 3)."""
    coarse = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)
