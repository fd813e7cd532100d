"""What is offered and what is scored share no group; all samples of a draw fit together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemashift.cells import Cell, CellTable
from hemashift.datasets import get
from hemashift.errors import HemashiftError
from hemashift.studies.data import Dataset
from hemashift.studies.sample_size.offer import offer
from hemashift.studies.settings import DatasetSettings

CLASSES = ("eosinophil", "lymphocyte", "neutrophil")


def dataset(cells_a_group: int = 1, **how: str) -> Dataset:
    """300 cells; neutrophils are common and eosinophils rare."""
    rng = np.random.default_rng(0)
    names = rng.choice(CLASSES, 300, p=[0.05, 0.35, 0.6])
    cells = [
        Cell(
            f"{row}.png",
            cell_class=str(name),
            group=f"smear {row // cells_a_group}",
            subset="TRAIN" if row < 120 else "TEST",
        )
        for row, name in enumerate(names)
    ]
    table = CellTable.from_cells(cells, ".", "ours")
    return Dataset("ours", "ours", DatasetSettings(**how), get("bccd"), table, table, "print")


@pytest.mark.parametrize("cells_a_group", [1, 6])
def test_half_is_offered_and_no_group_is_on_both_sides(cells_a_group: int) -> None:
    ours = dataset(cells_a_group)
    order = offer(ours, 0, 0, 100).order
    assert 0.45 < len(order.labelled) / 300 < 0.55
    groups = ours.cells.frame["group"].to_numpy()
    assert not set(groups[order.labelled]) & set(groups[order.scored])
    assert sorted([*order.labelled, *order.scored]) == list(range(300))


def test_subsets_of_the_settings_are_kept_to() -> None:
    ours = dataset(60, labelled_in="TRAIN", scored_in="TEST")
    order = offer(ours, 0, 0, 100).order
    assert sorted(order.labelled) == list(range(120))
    assert sorted(order.scored) == list(range(120, 300))
    only_scored = offer(dataset(60, scored_in="TEST"), 0, 0, 100).order
    assert sorted(only_scored.labelled) == list(range(120))


def test_all_samples_of_a_draw_are_scored_on_the_same_cells() -> None:
    ours = dataset()
    offered = offer(ours, 0, 0, 100)
    samples = list(offered.samples((30, 60, 100)))
    assert [(size, sampling) for size, sampling, _, _ in samples] == [
        (30, "random"),
        (30, "balanced"),
        (60, "random"),
        (60, "balanced"),
        (100, "random"),
        (100, "balanced"),
    ]
    labelled: dict[str, set[int]] = {"random": set(), "balanced": set()}
    for size, sampling, drawn, looked_at in samples:
        assert len(drawn.labelled) == len(set(drawn.labelled)) == size
        assert labelled[sampling] <= set(drawn.labelled)
        labelled[sampling] = set(drawn.labelled.tolist())
        np.testing.assert_array_equal(drawn.scored, offered.order.scored)
        assert looked_at == size if sampling == "random" else looked_at >= size


def test_the_oracle_balances_and_chance_does_not() -> None:
    ours = dataset()
    names = ours.cells.frame["class"].to_numpy()
    *_, (_, _, random, _), (_, _, balanced, looked_at) = offer(ours, 0, 0, 30).samples((18,))
    counts = {
        sampling: np.unique(names[drawn.labelled], return_counts=True)[1].tolist()
        for sampling, drawn in (("random", random), ("balanced", balanced))
    }
    assert counts["balanced"] == [6, 6, 6]
    assert counts["random"] != [6, 6, 6]
    seen = names[offer(ours, 0, 0, 30).order.labelled[:looked_at]]
    assert (seen == "eosinophil").sum() == 6
    assert seen[-1] == "eosinophil"


def test_draws_differ_and_repeat() -> None:
    ours = dataset()
    first, second = offer(ours, 0, 0, 100).order, offer(ours, 1, 0, 100).order
    assert first.labelled.tolist() == offer(ours, 0, 0, 100).order.labelled.tolist()
    assert first.labelled.tolist() != second.labelled.tolist()
    assert (first.number, second.number) == (1, 2)
    assert first.seed != second.seed


def test_too_few_cells_are_refused() -> None:
    with pytest.raises(HemashiftError, match="too few cells") as caught:
        offer(dataset(), 0, 0, 200)
    assert caught.value.where == "ours"
    with pytest.raises(HemashiftError, match="subset"):
        offer(replace(dataset(), settings=DatasetSettings(labelled_in="VALID")), 0, 0, 10)
