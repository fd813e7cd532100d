"""A small world for studies: four datasets of drawn cells, and settings that ask for little."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.model.bundle import Bundle
from hemashift.studies.adapting import recoloured
from hemashift.studies.settings import Settings, read_settings
from hemashift.studies.workspace import Workspace

COLOURS = {
    "eosinophil": (200, 90, 60),
    "lymphocyte": (90, 40, 140),
    "monocyte": (90, 130, 200),
    "neutrophil": (60, 160, 110),
}
SETTINGS = """
sources = ["alpha", "beta"]
targets = ["gamma", "delta", "raabin"]
draws = 2
trials = 0
bootstrap = 100

[datasets.alpha]
folder = "alpha"
[datasets.beta]
folder = "beta"
[datasets.gamma]
folder = "gamma"
labels = 9
[datasets.delta]
folder = "delta"
labels = 9

[models.own]
kind = "folder"
folder = "model"
[models.workflow]
kind = "folder"
folder = "standardised"
[models.no_colour]
kind = "folder"
folder = "model"
[models.imagenet]
recipe = { architecture = "efficientnet_lite0", size = 64, weights = "random" }

[approaches]
no_source = { epochs = 1 }
mixed = { epochs = 1 }
no_colour = { epochs = 1 }
workflow = { epochs = 1 }
own_finetuned = { epochs = 1 }
lab = { epochs = 1 }
macenko = { epochs = 1 }

[study.datasets]
pictures = 2
transforms = ["reinhard"]
[study.architectures]
names = ["efficientnet_lite0"]
per_class = 4
scored = 2
timed = 2
recipe = { size = 64, epochs = 1, batch_size = 8 }
[study.ablation]
conditions = ["no_finetuning", "head_only", "workflow"]
further = ["own"]
draws = 2
"""

MakeWorkspace = Callable[..., Workspace]


def draw_cell(name: str, rng: np.random.Generator, shade: float) -> np.ndarray:
    """A dark nucleus in a paler cell on a light field, uint8 (64, 60, 3)."""
    rows, columns = np.mgrid[:64, :60]
    distance = np.hypot(rows - 32 + rng.normal(0, 2), columns - 30 + rng.normal(0, 2))
    image = np.full((64, 60, 3), (236, 226, 232), np.float64)
    image[distance < 24] = (200, 190, 220)
    image[distance < rng.uniform(11, 15)] = COLOURS[name]
    return (shade * image + rng.normal(0, 4, image.shape)).clip(0, 255).astype(np.uint8)


def write_dataset(folder: Path, per_class: int, seed: int, classes: tuple[str, ...]) -> None:
    """A folder a class, as a laboratory keeps its images."""
    rng = np.random.default_rng(seed)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            image = Image.fromarray(draw_cell(name, rng, 1 - 0.08 * seed))
            image.save(folder / name / f"{number}.png")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, bundle: Bundle) -> Path:
    """The datasets, two models of the same weights, and `settings.toml` beside them."""
    root = tmp_path_factory.mktemp("world")
    everything = tuple(COLOURS)
    write_dataset(root / "alpha", 8, 0, everything)
    write_dataset(root / "beta", 6, 1, everything)
    write_dataset(root / "gamma", 8, 2, everything)
    write_dataset(root / "delta", 12, 3, ("lymphocyte", "neutrophil"))
    bundle.save(root / "model")
    recoloured(bundle, "reinhard").save(root / "standardised")
    (root / "settings.toml").write_text(SETTINGS)
    return root


@pytest.fixture(scope="session")
def settings(world: Path) -> Settings:
    return read_settings("quick", world / "settings.toml")


@pytest.fixture
def work(settings: Settings, tmp_path: Path) -> Workspace:
    """A workspace with nothing in it yet."""
    return Workspace(tmp_path / "out", settings)


@pytest.fixture(scope="session")
def busy(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace that tests share, so that models and outcomes are made once."""
    return Workspace(tmp_path_factory.mktemp("busy"), settings)


@pytest.fixture
def again(settings: Settings) -> MakeWorkspace:
    """Open a folder anew, as a second start of the program would."""
    return lambda work, **changes: Workspace(work.folder, settings.model_copy(update=changes), None)
