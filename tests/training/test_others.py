from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from hemashift.cells import CellTable
from hemashift.errors import HemashiftError
from hemashift.model.architectures import build
from hemashift.training.others import kinds, others_of, without_others
from hemashift.training.progress import Report
from hemashift.training.recipe import recipe
from hemashift.training.source import train
from hemashift.training.split import Split
from hemashift.trust.storage import read_trust


def with_others(table: CellTable, labels: list[str]) -> CellTable:
    """Give the first cells of a table labels that are none of the classes."""
    frame = table.frame.copy()
    frame.loc[: len(labels) - 1, "label"] = labels
    frame.loc[: len(labels) - 1, "class"] = None
    return CellTable(frame, table.root)


def test_a_part_of_the_other_cells_stays_unseen(tables: list[CellTable]) -> None:
    changed = with_others(tables[0], ["myeloblast"] * 6 + ["platelet"] * 4)
    sources = [changed, tables[1]]
    found = others_of(sources, Split.make(sources, 0.2, seed=0), 0.2, seed=0)
    assert found is not None
    shown, held_out = found
    assert (len(shown), len(held_out)) == (8, 2)
    assert set(shown.frame["label"]) == {"myeloblast", "platelet"}
    assert shown.frame["class"].isna().all()
    assert not set(map(str, shown.paths())) & set(map(str, held_out.paths()))


def test_without_other_cells_there_are_none(tables: list[CellTable]) -> None:
    assert others_of(tables, Split.make(tables, 0.2, seed=0), 0.2, seed=0) is None


def test_a_patient_is_trained_on_or_held_out_with_all_cells(tables: list[CellTable]) -> None:
    changed = with_others(tables[0], ["myeloblast"] * 8)
    groups = [f"patient {row % 8}" for row in range(len(changed))]
    table = CellTable(changed.frame.assign(group=groups), changed.root)
    for seed in range(5):
        split = Split.make([table], 0.3, seed)
        found = others_of([table], split, 0.3, seed)
        assert found is not None
        shown, held_out = found
        assert len(shown) + len(held_out) == 8
        assert not set(shown.frame["group"]) & set(split.held_out.frame["group"])
        assert not set(held_out.frame["group"]) & set(split.trained.frame["group"])


def test_a_dataset_of_other_cells_only(tables: list[CellTable]) -> None:
    frame = tables[1].frame.assign(label="myeloblast")
    frame["class"] = None
    blasts = CellTable(frame, tables[1].root)
    split = Split.make([tables[0], blasts], 0.2, seed=0)
    assert set(split.trained.frame["dataset"]) == {"large"}
    found = others_of([tables[0], blasts], split, 0.2, seed=0)
    assert found is not None
    assert set(found[0].frame["dataset"]) == {"small"}
    with pytest.raises(HemashiftError, match="no source dataset"):
        Split.make([blasts], 0.2, seed=0)


def test_labels_of_one_cell_type_are_one_kind(tables: list[CellTable]) -> None:
    cells = with_others(tables[0], ["MYO", "myeloblast", "Myeloblast", "odd thing"])
    numbers, count = kinds(cells.select(np.arange(4)))
    assert count == 2
    assert numbers[0] == numbers[1] == numbers[2] != numbers[3]


def test_a_cell_without_a_label_is_no_other_cell(tables: list[CellTable]) -> None:
    frame = tables[0].frame.copy()
    frame.loc[:4, ["label", "class"]] = pd.NA
    table = CellTable(frame, tables[0].root)
    assert others_of([table], Split.make([table], 0.2, seed=0), 0.2, seed=0) is None


def test_a_pair_learns_from_other_cells_and_does_not_name_them(
    tables: list[CellTable], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = with_others(tables[0], ["myeloblast"] * 5)
    seen: list[Report] = []
    small = recipe("robust", size=64, epochs=1, weights="random", batch_size=8)
    run_folder = tmp_path / "run"
    sources = [changed, tables[1]]
    with monkeypatch.context() as patch:
        patch.setattr("hemashift.training.source.score_model", interrupted)
        # The model is made anew when the run goes on; it need not be made before.
        patch.setattr("hemashift.training.source.export", lambda network, card: network)
        with pytest.raises(KeyboardInterrupt):
            train(sources, tmp_path / "m", small, run_folder=run_folder, on_step=seen.append)
    assert not (tmp_path / "m").exists()  # a model is there when it has its scores
    made = train(sources, tmp_path / "m", small, run_folder=run_folder)
    assert made.card.architecture == "efficientnet_lite0_pair"
    assert made.card.classes == CellTable.concat([changed, tables[1]]).classes()
    assert made.card.provenance["other_cells"] == 4
    assert {(one.member, one.members) for one in seen} == {(1, 2), (2, 2)}
    assert all((run_folder / f"member-{k}" / "history.png").exists() for k in (1, 2))
    known = read_trust(made)
    assert known.others is not None
    assert known.outside is not None and known.outside.evidence is not None


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("n_classes", [3, 6])
def test_the_head_forgets_the_other_kinds(n_classes: int) -> None:
    network = build("efficientnet_lite0", 6, pretrained=False).eval()
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        before = network(x)[:, :n_classes]
        after = without_others(network, n_classes)(x)
    torch.testing.assert_close(after, before)
