from __future__ import annotations

import numpy as np
import pytest

from hemashift.cells import Cell, CellTable
from hemashift.errors import HemashiftError
from hemashift.studies.draws import divide, divided_classes, draw
from hemashift.studies.settings import DatasetSettings


def table(rare: int = 20, common: int = 180, group_of: int = 1, subset: bool = False) -> CellTable:
    classes = ["basophil"] * rare + ["neutrophil"] * common
    order = np.random.default_rng(0).permutation(len(classes))
    return CellTable.from_cells(
        [
            Cell(
                f"{place}.png",
                cell_class=classes[i],
                group=f"smear {place // group_of}",
                subset=("TRAIN" if place % 2 else "TEST") if subset else None,
            )
            for place, i in enumerate(order)
        ],
        ".",
        "ours",
    )


def groups(cells: CellTable, rows: np.ndarray) -> set[str]:
    return set(cells.frame["group"].iloc[rows])


@pytest.mark.parametrize("labelling", ["random", "proportional"])
@pytest.mark.parametrize("group_of", [1, 2, 10])
def test_no_group_is_both_labelled_and_scored(labelling: str, group_of: int) -> None:
    cells = table(group_of=group_of)
    for number in range(5):
        found = draw(cells, DatasetSettings(labels=30), labelling, number, seed=0)  # type: ignore[arg-type]
        assert len(found.labelled) == len(set(found.labelled.tolist())) == 30
        assert not groups(cells, found.labelled) & groups(cells, found.scored)
        assert not divided_classes(cells, DatasetSettings(), found)
        assert len(found.scored) > 60
        assert len(groups(cells, found.labelled)) >= 7


@pytest.mark.parametrize("labelling", ["random", "proportional"])
@pytest.mark.parametrize("group_of", [1, 2, 10])
def test_every_cell_that_shares_no_group_with_a_labelled_one_is_scored(
    labelling: str, group_of: int
) -> None:
    cells = table(group_of=group_of)
    found = draw(cells, DatasetSettings(labels=30), labelling, 0, seed=0)  # type: ignore[arg-type]
    apart = ~cells.frame["group"].isin(groups(cells, found.labelled))
    np.testing.assert_array_equal(found.scored, np.flatnonzero(apart))


def test_the_same_seed_draws_the_same_and_numbers_differ() -> None:
    cells, how = table(), DatasetSettings(labels=20)
    one, same = (draw(cells, how, "random", 0, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.labelled, same.labelled)
    np.testing.assert_array_equal(one.scored, same.scored)
    other = draw(cells, how, "random", 1, seed=3)
    assert set(one.labelled) != set(other.labelled)
    assert one.seed != other.seed


def test_proportional_draws_keep_the_mix_in_every_first_part() -> None:
    cells = table()
    found = draw(cells, DatasetSettings(labels=40), "proportional", 0, seed=0)
    rare = (cells.frame["class"] == "basophil").to_numpy()
    for count in (10, 20, 30, 40):
        assert rare[found.first(count).labelled].sum() == pytest.approx(count / 10, abs=1)
    np.testing.assert_array_equal(found.first(10).scored, found.scored)


def test_random_draws_do_not_look_at_the_classes() -> None:
    cells = table()
    rare = (cells.frame["class"] == "basophil").to_numpy()
    how = DatasetSettings(labels=40)
    counts = {int(rare[draw(cells, how, "random", n, 0).labelled].sum()) for n in range(8)}
    assert len(counts) > 2
    shuffled = cells.frame.assign(**{"class": cells.frame["class"].to_numpy()[::-1]})
    same = draw(CellTable(shuffled), how, "random", 0, 0)
    np.testing.assert_array_equal(same.labelled, draw(cells, how, "random", 0, 0).labelled)


def test_labels_and_scores_come_from_their_subsets() -> None:
    cells = table(subset=True)
    how = DatasetSettings(labels=25, labelled_in="TRAIN", scored_in="TEST")
    found = draw(cells, how, "random", 0, seed=0)
    subsets = cells.frame["subset"].to_numpy()
    assert set(subsets[found.labelled]) == {"TRAIN"}
    assert set(subsets[found.scored]) == {"TEST"} and len(found.scored) == 100


def test_a_part_left_out_is_the_rest() -> None:
    cells = table(subset=True)
    found = draw(cells, DatasetSettings(labels=25, labelled_in="TRAIN"), "random", 0, seed=0)
    assert not set(found.labelled) & set(found.scored)
    assert set(cells.frame["subset"].to_numpy()[found.scored]) == {"TEST"}


def test_the_papers_rule_serves_where_nothing_is_said() -> None:
    assert len(draw(table(), DatasetSettings(), "random", 0, 0).labelled) == 20


@pytest.mark.parametrize(
    "how",
    [
        DatasetSettings(labels=199),
        DatasetSettings(labelled_in="VALID"),
        DatasetSettings(labels=10, labelled_in="TRAIN", scored_in="TRAIN"),
        DatasetSettings(labels=150, labelled_in="TRAIN"),
    ],
)
def test_what_cannot_be_drawn_is_refused(how: DatasetSettings) -> None:
    with pytest.raises(HemashiftError):
        draw(table(subset=True), how, "random", 0, seed=0)


@pytest.mark.parametrize("labelling", ["random", "proportional"])
def test_a_class_of_one_smear_is_labelled_and_scored(labelling: str) -> None:
    cells = table(rare=0, common=900, group_of=30)
    frame = cells.frame.copy()
    frame.loc[:99, ["class", "group"]] = ["eosinophil", "smear 0"]
    frame.loc[100:149, "group"] = "smear 0"
    cells = CellTable(frame, cells.root)
    eosinophils = set(range(100))
    for number in range(3):
        found = draw(cells, DatasetSettings(labels=90), labelling, number, seed=0)  # type: ignore[arg-type]
        assert eosinophils & set(found.labelled.tolist())
        assert eosinophils & set(found.scored.tolist())
        assert divided_classes(cells, DatasetSettings(), found) == ["eosinophil"]
        others = frame.index.difference(list(eosinophils))
        sides = [np.intersect1d(rows, others) for rows in (found.labelled, found.scored)]
        assert not groups(cells, sides[0]) & groups(cells, sides[1])


@pytest.mark.parametrize("sizes", [(120, 40), (100, 20, 20), (500, 20, 20, 20)])
def test_large_smears_that_need_not_be_divided_stay_whole(sizes: tuple[int, ...]) -> None:
    cells = CellTable.from_cells(
        [
            Cell(f"{smear}-{i}.png", cell_class=["basophil", "neutrophil"][i % 2], group=str(smear))
            for smear, size in enumerate(sizes)
            for i in range(size)
        ],
        ".",
        "ours",
    )
    for share in (0.1, 0.3, 0.5):
        for strata in (None, np.arange(len(cells)) % 2):
            side = divide(cells, share, strata, seed=0)
            assert not groups(cells, np.flatnonzero(side == 0)) & groups(
                cells, np.flatnonzero(side == 1)
            )
