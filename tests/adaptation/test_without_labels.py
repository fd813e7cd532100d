from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.adaptation.adapt import adapt
from hemashift.adaptation.unlabelled import LEAST
from hemashift.adaptation.without_labels import adapt_unlabelled
from hemashift.errors import AdaptationError
from hemashift.evaluation.exclusion import labelled_hashes
from hemashift.model.bundle import Bundle
from hemashift.trust.mix import assumed_mix

Draw = Callable[[str, int], np.ndarray]


@pytest.fixture
def folder(tmp_path: Path, draw: Draw) -> Path:
    """Sixty images: forty neutrophils, ten lymphocytes and ten monocytes."""
    names = ["neutrophil"] * 40 + ["lymphocyte", "monocyte"] * 10
    cells = tmp_path / "cells"
    cells.mkdir()
    for i, name in enumerate(names):
        Image.fromarray(draw(name, i)).save(cells / f"{name}-{i}.png")
    return cells


def test_a_folder_without_labels(folder: Path, bundle: Bundle) -> None:
    adapted = adapt_unlabelled(folder, model=bundle)
    assert adapted.images == 60
    assert 0 <= adapted.changed <= 1
    card = adapted.bundle.card
    assert card.parent == bundle.hash
    assert card.name == f"{bundle.card.name} adapted (no labels)"
    assert tuple(adapted.mix) == bundle.card.classes
    np.testing.assert_allclose(assumed_mix(card), list(adapted.mix.values()), atol=1e-3)
    again = adapt_unlabelled(folder, model=bundle)
    assert again.bundle.card.files == adapted.bundle.card.files


def test_a_second_time_is_refused(folder: Path, bundle: Bundle) -> None:
    adapted = adapt_unlabelled(folder, model=bundle)
    with pytest.raises(AdaptationError, match="a second time does harm"):
        adapt_unlabelled(folder, model=adapted.bundle)


def test_cells_that_a_model_learnt_from_are_remembered(folder: Path, bundle: Bundle) -> None:
    names = [path.name for path in sorted(folder.iterdir())][::3]
    labels = folder.parent / "labels.csv"
    labels.write_text("path,label\n" + "".join(f"{n},{n.split('-')[0]}\n" for n in names))
    labelled = adapt(folder, labels, model=bundle, method="probe").bundle
    seen = labelled_hashes(labelled.card.provenance)
    assert len(seen) == len(names)
    moved = adapt_unlabelled(folder, model=labelled).bundle
    assert labelled_hashes(moved.card.provenance) == seen


def test_few_images_and_damaged_ones(folder: Path, bundle: Bundle) -> None:
    paths = sorted(folder.iterdir())
    paths[0].write_bytes(b"no image")
    adapted = adapt_unlabelled(folder, model=bundle)
    assert adapted.images == 59
    assert adapted.notes == ("Images passed over, unreadable or masks: 1.",)
    for path in paths[LEAST:]:
        path.unlink()
    with pytest.raises(AdaptationError, match="too few images") as error:
        adapt_unlabelled(folder, model=bundle)
    assert error.value.found == str(LEAST - 1)
