"""Fixtures shared by all tests."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from filelock import FileLock
from scipy.ndimage import gaussian_filter

from hemashift.files import atomic_write
from hemashift.model.bundle import Bundle

if TYPE_CHECKING:
    from hemashift.model.architectures import Network
    from hemashift.model.tensors import Span

CHECKOUT = Path(__file__).resolve().parents[1]
CLASSES = ("basophil", "eosinophil", "erythroblast", "lymphocyte", "monocyte", "neutrophil")
SIZE = 64


def find_real_data() -> Path | None:
    """Return the folder of real cell images, or None where there is none."""
    named = os.environ.get("HEMASHIFT_DATA")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real cell images; the test is skipped where there is none."""
    folder = find_real_data()
    if folder is None:
        pytest.skip("no real images here: set HEMASHIFT_DATA or put them in ../shared/data")
    return folder


class Graphs:
    """Exported graphs by what they depend on, in a folder that several processes share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __contains__(self, key: tuple[object, ...]) -> bool:
        return self._file(key).exists()

    def __getitem__(self, key: tuple[object, ...]) -> bytes:
        return self._file(key).read_bytes()

    def __setitem__(self, key: tuple[object, ...], graph: bytes) -> None:
        with atomic_write(self._file(key)) as aside:
            aside.write_bytes(graph)

    def _file(self, key: tuple[object, ...]) -> Path:
        return self.folder / hashlib.sha256(repr(key).encode()).hexdigest()


@pytest.fixture(scope="session", autouse=True)
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let a graph that one of several processes exported serve all: it takes 15 s and more.

    Who wants a graph that another process is at waits for it. A process alone remembers its
    graphs, and one that has not imported PyTorch exports none yet.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ or "torch" not in sys.modules:
        yield
        return
    from hemashift.model import export

    folder = tmp_path_factory.getbasetemp().parent / "graphs"
    folder.mkdir(exist_ok=True)
    graph_of = export._graph

    def one_at_a_time(network: Network, size: int, layout: dict[str, Span]) -> bytes:
        with FileLock(folder / f"{network.architecture.name}-{network.turns}-{size}.lock"):
            return graph_of(network, size, layout)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "_GRAPHS", Graphs(folder))
        patch.setattr(export, "_graph", one_at_a_time)
        yield


@pytest.fixture(scope="session")
def draw_lobes() -> Callable[[int], np.ndarray]:
    """Draws the cell of a seed: random lobes in a pale, spotted cell on a paler field, uint8."""

    def cell(seed: int, side: int = 96) -> np.ndarray:
        rng = np.random.default_rng([seed, 7])
        rows, columns = np.mgrid[:side, :side]
        away = np.hypot(rows - side / 2, columns - side / 2)
        image = np.full((side, side, 3), (225.0, 215.0, 205.0))
        image[away < 0.33 * side] = (190, 170, 200)
        lobes = np.zeros((side, side))
        for _ in range(4):
            y, x = rng.normal(side / 2, 0.09 * side, 2)
            lobes[np.hypot(rows - y, columns - x) < rng.uniform(0.06, 0.12) * side] = 1
        image -= gaussian_filter(lobes, 1.5)[..., None] * (90, 120, 40)
        spots = gaussian_filter(rng.normal(size=image.shape), (5, 5, 0))
        image[away < 0.33 * side] += 300 * spots[away < 0.33 * side]
        return image.clip(0, 255).astype(np.uint8)

    return cell


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
