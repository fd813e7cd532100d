"""A stand-in for the network whose answers are known, so that these tests need no PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from hemashift.classification import run
from hemashift.model.bundle import FILES, Bundle
from hemashift.model.card import Card, Normalisation
from hemashift.model.classifier import Prediction
from hemashift.model.heads import Encoded
from hemashift.model.preprocessing import Preprocessing
from hemashift.trust.calibration import Calibration
from hemashift.trust.outside import Outside
from hemashift.trust.storage import Trust, attach

CLASSES = ("dark", "light")


def light_features(light: np.ndarray) -> np.ndarray:
    """What the stand-in says about images of that light, float32 (N, 4)."""
    return np.repeat(light[:, None], 4, axis=1).astype(np.float32) + np.arange(4) / 8


class MeanClassifier:
    """Says how light an image is: the mean of its pixels is the probability of "light"."""

    batches: list[int]

    def __init__(self, bundle: Bundle, threads: int | None, precision: str) -> None:
        self.classes = CLASSES
        self.encoder = SimpleNamespace(precision="float32" if precision == "auto" else precision)
        self.after: Callable[[int], None] = lambda total: None
        self.total = 0

    def predict(self, images: np.ndarray) -> Prediction:
        self.total += len(images)
        hook = getattr(type(self), "hook", None)
        if hook is not None:
            hook(self.total)
        light = images.mean(axis=(1, 2, 3), dtype=np.float64) / 255
        probabilities = np.stack([1 - light, light], axis=1).astype(np.float32)
        embedding = light_features(light)
        return Prediction(CLASSES, probabilities, Encoded(embedding, embedding.astype(np.float32)))


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> type[MeanClassifier]:
    """Put the stand-in where `classify` looks for the classifier; `hook` is called a batch."""
    made = type("Stand", (MeanClassifier,), {})
    monkeypatch.setattr(run, "Classifier", made)
    return made


@pytest.fixture
def model(stand_in: type[MeanClassifier]) -> Bundle:
    """A model whose network is never run."""
    card = Card(
        name="stand-in",
        architecture="none",
        classes=CLASSES,
        preprocessing=Preprocessing(size=32),
        normalisation=Normalisation(mean=(0, 0, 0), std=(1, 1, 1)),
        n_features=4,
        n_embedding=4,
        created=datetime(2024, 1, 1, tzinfo=UTC),
    )
    return Bundle(card, {})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty grey images, each lighter than the one before, in two subfolders."""
    for k in range(20):
        path = tmp_path / "images" / ("a" if k < 12 else "b") / f"{k:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (k * 12 + 5,) * 3).save(path)
    return tmp_path / "images"


@pytest.fixture
def trusted(model: Bundle) -> Bundle:
    """The stand-in, adapted with 60 cells: half of them dark, right as often as it says."""
    rng = np.random.default_rng(0)
    light = rng.uniform(0.02, 0.98, 60)
    targets = (rng.uniform(size=60) < light).astype(np.int64)
    calibration = Calibration.of(np.stack([1 - light, light], axis=1), targets)
    # Images of medium light are known; dark and very light ones are far from them.
    features = light_features(rng.uniform(0.3, 0.7, 60))
    fold = np.arange(60) % 5
    parts = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(5)]
    outside = Outside.fit(Encoded(features, features), np.zeros(60, np.int64), parts)
    files = dict.fromkeys(FILES, b"")
    return attach(Bundle(model.card, files), Trust(calibration, outside))
