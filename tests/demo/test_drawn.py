from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemashift.demo.drawn import MIX, draw_cell, draw_dataset
from hemashift.demo.slide import LABORATORIES, SIDE
from hemashift.errors import HemashiftError
from hemashift.images import locate_nucleus, read_image
from hemashift.taxonomy import CLASSES


def several(cell_class: str, laboratory: str = "a", count: int = 6) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack(
        [draw_cell(cell_class, rng, LABORATORIES[laboratory]) for _ in range(count)]
    ).astype(float)


def dark_share(pictures: np.ndarray) -> float:
    """Share of the picture as dark as chromatin, in the middle where no red cell is."""
    third = SIDE // 3
    middle = pictures[:, third : 2 * third, third : 2 * third]
    return float((middle[..., 1] < 90).mean())


@pytest.mark.parametrize("laboratory", sorted(LABORATORIES))
@pytest.mark.parametrize("cell_class", CLASSES)
def test_every_class_is_drawn_in_every_laboratory(cell_class: str, laboratory: str) -> None:
    pictures = several(cell_class, laboratory, 2)
    assert pictures.shape == (2, SIDE, SIDE, 3)
    assert dark_share(pictures) > 0.05
    assert np.abs(pictures[0] - pictures[1]).mean() > 1


def test_the_same_seed_draws_the_same_cell() -> None:
    one, same, other = (draw_cell("monocyte", np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert (one == same).all()
    assert (one != other).any()


def test_classes_differ_as_in_the_textbook() -> None:
    middle = slice(SIDE // 2 - 25, SIDE // 2 + 25)
    red_over_blue = {
        name: (several(name)[:, middle, middle, 0] - several(name)[:, middle, middle, 2]).mean()
        for name in ("eosinophil", "monocyte")
    }
    assert red_over_blue["eosinophil"] > red_over_blue["monocyte"] + 20
    assert dark_share(several("basophil")) > dark_share(several("neutrophil"))
    assert dark_share(several("lymphocyte")) > dark_share(several("erythroblast"))


def test_the_nucleus_is_found_as_in_a_real_image() -> None:
    picture = draw_cell("lymphocyte", np.random.default_rng(1))
    nucleus = locate_nucleus(picture)
    assert nucleus is not None
    assert abs(nucleus.x - SIDE / 2) < 6
    assert abs(nucleus.y - SIDE / 2) < 6


def test_laboratories_differ_in_colour_and_scale() -> None:
    a, b = several("neutrophil", "a"), several("neutrophil", "b")
    corner = np.s_[:, :8, :8]
    yellow_a, yellow_b = (np.median(x[corner][..., 1] - x[corner][..., 2]) for x in (a, b))
    assert yellow_b > yellow_a + 20
    assert dark_share(b) != pytest.approx(dark_share(a), rel=0.1)


def test_an_unknown_class_is_named() -> None:
    with pytest.raises(HemashiftError, match="blast"):
        draw_cell("blast", np.random.default_rng(0))


def test_a_dataset_is_written_with_its_classes_and_can_be_repeated(tmp_path: Path) -> None:
    counts = {"neutrophil": 3, "monocyte": 2}
    table = draw_dataset(tmp_path / "one", counts=counts, seed=5)
    again = draw_dataset(tmp_path / "two", counts=counts, seed=5)
    other = draw_dataset(tmp_path / "three", counts=counts, seed=6)
    assert table.counts() == {"monocyte": 2, "neutrophil": 3}
    assert len(set(table.frame["group"])) == 5
    images = [[read_image(path) for path in t.paths()] for t in (table, again, other)]
    assert all((x == y).all() for x, y in zip(images[0], images[1], strict=True))
    assert any((x != y).any() for x, y in zip(images[0], images[2], strict=True))


def test_the_mix_has_every_class() -> None:
    assert set(MIX) == set(CLASSES)
    assert min(MIX.values()) >= 10
