"""Silhouette, purity and domain AUC agree with scikit-learn and with constructed data."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from hemashift.evaluation.separability import (
    class_separation,
    domain_auc,
    domain_purity,
    purity_by_cell,
    silhouette_by_cell,
)

NAMES = ["eosinophil"] * 40 + ["monocyte"] * 30 + ["lymphocyte"] * 30


def clusters(distance: float, seed: int = 0) -> np.ndarray:
    """Three round clusters in eight dimensions, `distance` apart."""
    rng = np.random.default_rng(seed)
    centres = dict(zip(dict.fromkeys(NAMES), distance * np.eye(8)[:3], strict=True))
    return rng.normal(size=(100, 8)) + [centres[name] for name in NAMES]


def test_the_silhouette_is_scikit_learns() -> None:
    vectors = clusters(4)
    assert silhouette_by_cell(vectors, NAMES).mean() == pytest.approx(
        silhouette_score(vectors, NAMES)
    )
    found = class_separation(vectors, NAMES)
    weighted = sum(one.silhouette * one.cells for one in found) / 100
    assert weighted == pytest.approx(silhouette_score(vectors, NAMES))


def test_a_silhouette_by_hand() -> None:
    # Cell 0: 1 to its own class, 10.5 to the other on average.
    found = silhouette_by_cell([[0.0], [1.0], [10.0], [11.0]], list("aabb"))
    assert found[0] == pytest.approx((10.5 - 1) / 10.5)


def test_separated_classes_are_pure_and_mixed_ones_at_chance() -> None:
    apart = class_separation(clusters(100), NAMES)
    assert [one.purity for one in apart] == [1.0, 1.0, 1.0]
    assert all(one.silhouette > 0.9 for one in apart)
    for one in class_separation(clusters(0), NAMES):
        assert one.purity == pytest.approx(one.chance, abs=0.12)
        assert abs(one.silhouette) < 0.1


def test_purity_by_hand() -> None:
    line = [[0.0], [1.0], [2.5], [10.0], [11.0]]
    assert purity_by_cell(line, list("aabbb"), 2).tolist() == [0.5, 0.5, 0.0, 1.0, 1.0]


def test_a_cell_is_not_its_own_neighbour_even_with_twins() -> None:
    twins = np.zeros((4, 2))
    assert purity_by_cell(twins, list("abcd"), 3).tolist() == [0, 0, 0, 0]


def test_more_neighbours_than_cells_are_no_error() -> None:
    assert purity_by_cell([[0.0], [1.0], [2.0]], list("aab"), 10).tolist() == [0.5, 0.5, 0.0]


def test_classes_come_by_name_with_their_chance() -> None:
    found = class_separation(clusters(1), NAMES)
    assert [(one.name, one.cells) for one in found] == [
        ("eosinophil", 40),
        ("lymphocyte", 30),
        ("monocyte", 30),
    ]
    assert found[0].chance == pytest.approx(39 / 99)


def test_one_class_or_single_cells_have_no_silhouette() -> None:
    assert np.isnan(silhouette_by_cell([[0.0], [1.0]], ["a", "a"])).all()
    assert silhouette_by_cell([[0.0], [1.0]], ["a", "b"]).tolist() == [0, 0]
    assert class_separation([[0.0], [1.0]], ["a", "a"])[0].purity == 1.0


@pytest.mark.parametrize("n_second", [100, 30])
def test_identical_datasets_have_an_auc_of_a_half(n_second: int) -> None:
    second = np.arange(100 + n_second) >= 100
    found = [
        domain_auc(np.random.default_rng(seed).normal(size=(len(second), 16)), second, seed=seed)
        for seed in range(12)
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=0.03)


def test_separated_datasets_have_an_auc_of_one_in_any_number_of_dimensions() -> None:
    rng = np.random.default_rng(0)
    second = np.arange(60) >= 40
    for width in (2, 500):
        assert domain_auc(rng.normal(size=(60, width)) + 5 * second[:, None], second) == 1.0


def test_a_small_shift_lies_between() -> None:
    rng = np.random.default_rng(0)
    second = np.arange(400) >= 200
    cells = rng.normal(size=(400, 1)) + second[:, None]
    # Two unit normals one apart: AUC = Phi(1 / sqrt 2) = 0.760.
    assert domain_auc(cells, second) == pytest.approx(0.760, abs=0.05)


def test_what_only_a_group_shares_does_not_tell_datasets_apart() -> None:
    # Every smear has a colour of its own and datasets have none in common.
    rng = np.random.default_rng(0)
    smear = np.repeat(np.arange(40), 10)
    cells = 5 * rng.normal(size=(40, 10))[smear] + 0.1 * rng.normal(size=(400, 10))
    second = smear >= 20
    assert domain_auc(cells, second) > 0.75
    assert domain_auc(cells, second, [str(one) for one in smear]) < 0.65


def test_too_few_groups_fall_back_to_cells() -> None:
    rng = np.random.default_rng(0)
    second = np.arange(40) >= 20
    cells = rng.normal(size=(40, 3))
    groups = [str(one) for one in second]
    assert domain_auc(cells, second, groups) == domain_auc(cells, second)


def test_too_few_cells_say_nothing() -> None:
    second = np.arange(50) >= 41
    assert np.isnan(domain_auc(np.zeros((50, 2)), second))
    assert np.isnan(domain_purity(np.zeros((50, 2)), second))


@pytest.mark.parametrize("n_second", [200, 30])
def test_mixed_datasets_are_each_others_neighbours_whatever_their_sizes(n_second: int) -> None:
    second = np.arange(200 + n_second) >= 200
    cells = np.random.default_rng(0).normal(size=(len(second), 3))
    assert domain_purity(cells, second) == pytest.approx(0.5, abs=0.06)
    assert domain_purity(cells + 50 * second[:, None], second) == 1.0


def test_one_direction_among_many_tells_datasets_apart_and_leaves_them_mixed() -> None:
    second = np.arange(200) >= 100
    cells = np.random.default_rng(0).normal(size=(200, 30))
    cells[:, 0] = 0.1 * cells[:, 0] + second
    assert domain_auc(cells, second) > 0.98
    assert domain_purity(cells, second) < 0.65


def test_the_seed_decides() -> None:
    cells = np.random.default_rng(0).normal(size=(60, 3))
    second = np.arange(60) >= 30
    assert domain_auc(cells, second, seed=1) == domain_auc(cells, second, seed=1)
    assert domain_auc(cells, second, seed=1) != domain_auc(cells, second, seed=2)


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError):
        silhouette_by_cell([[0.0], [1.0]], ["a"])
    with pytest.raises(ValueError):
        purity_by_cell([[0.0]], ["a"])
    with pytest.raises(ValueError):
        domain_auc([[0.0], [1.0]], [True])
    with pytest.raises(ValueError):
        domain_purity([[0.0], [1.0]], [True])
