"""A laboratory of drawn cells, and its project."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.app import encodings, importing, labelling, versions
from hemashift.app.project import Project
from hemashift.model.bundle import Bundle

COLOURS = {
    "lymphocyte": (120, 60, 160),
    "monocyte": (90, 130, 200),
    "neutrophil": (200, 150, 120),
}
EACH = 10
Label = Callable[..., None]


def draw_cell(label: str, seed: int) -> Image.Image:
    """A disc in the colour of its class, 64 x 64 pixels."""
    rng = np.random.default_rng([seed, sorted(COLOURS).index(label)])
    rows, columns = np.mgrid[:64, :64]
    distance = np.hypot(rows - 32 - rng.normal(0, 3), columns - 32 - rng.normal(0, 3))
    image = np.full((64, 64, 3), COLOURS[label], np.float64)
    image[distance > rng.uniform(22, 28)] += 40
    return Image.fromarray((image + rng.normal(0, 4, image.shape)).clip(0, 255).astype(np.uint8))


def event() -> str:
    """A new id of an event."""
    return uuid.uuid4().hex


def cells_by_path(project: Project) -> dict[str, int]:
    rows = project.store.rows("SELECT path, id FROM cells WHERE status = 'ready' ORDER BY path")
    return {row[0]: row[1] for row in rows}


def truth(path: str) -> str:
    """The class of a drawn cell, from its name."""
    return Path(path).name.rsplit("-", 1)[0]


@pytest.fixture(autouse=True)
def _own_list_of_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEMASHIFT_HOME", str(tmp_path / "home"))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder `smears` with 30 images of three classes, in two subfolders."""
    for label in COLOURS:
        for number in range(EACH):
            path = tmp_path / "smears" / ("a" if number % 2 else "b") / f"{label}-{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            draw_cell(label, number).save(path)
    return tmp_path / "smears"


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch, bundle: Bundle) -> Bundle:
    """A small model with random weights in the place of the shipped one."""
    monkeypatch.setattr(versions, "default_model", lambda: bundle)
    return bundle


@pytest.fixture
def project(images: Path, shipped: Bundle) -> Iterator[Project]:
    """The project of that folder, imported."""
    with Project.open(images) as opened:
        importing.refresh(opened)
        yield opened


@pytest.fixture
def encoded(project: Project, kept_encodings: Path) -> Project:
    """The project with all cells encoded; for the first test that needs it, in earnest."""
    target = project.cache / "encodings"
    if any(kept_encodings.iterdir()):
        shutil.copytree(kept_encodings, target)
    else:
        encodings.encode_all(project)
        shutil.copytree(target, kept_encodings, dirs_exist_ok=True)
    return project


@pytest.fixture(scope="session")
def kept_encodings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encodings")


@pytest.fixture
def label() -> Label:
    """Label the first cells of each class as a reader."""

    def give(project: Project, reader: str = "A", each: int = 6, **wrong: str) -> None:
        counts = dict.fromkeys(COLOURS, 0)
        for path, cell in cells_by_path(project).items():
            kind = truth(path)
            counts[kind] += 1
            if counts[kind] <= each:
                said = wrong.get(Path(path).stem.replace("-", "_"), kind)
                labelling.record(project, reader=reader, cell=cell, label=said, event=event())

    return give
