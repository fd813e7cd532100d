from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from hemashift.cells import Box, Cell, CellTable
from hemashift.studies.fingerprint import Hashes


def save(path: Path, value: int) -> None:
    Image.fromarray(np.full((6, 6, 3), value, np.uint8)).save(path)


def table(folder: Path, label: str = "monocyte") -> CellTable:
    return CellTable.from_cells(
        [Cell("a.png", label, label), Cell("b.png", label, label)], folder, "ours"
    )


def test_a_dataset_is_known_wherever_it_lies(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    save(here / "a.png", 1)
    save(here / "b.png", 2)
    shutil.copytree(here, there)
    hashes = Hashes(tmp_path / "memory.parquet")
    assert hashes.of_table(table(here)) == hashes.of_table(table(there))
    assert hashes.of_table(table(here)) != hashes.of_table(table(here, "lymphocyte"))


def test_a_changed_image_changes_the_hash_of_its_cell_only(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 1)
    save(tmp_path / "b.png", 2)
    before = Hashes(tmp_path / "memory.parquet").of_cells(table(tmp_path))
    save(tmp_path / "b.png", 203)
    after = Hashes(tmp_path / "memory.parquet").of_cells(table(tmp_path))
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_boxes_of_one_image_are_different_cells(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 1)
    boxes = [Box(0, 0, 3, 3), Box(1, 1, 4, 4), Box(0, 0, 3, 3)]
    cells = CellTable.from_cells([Cell("a.png", box=box) for box in boxes], tmp_path, "ours")
    one, other, same = Hashes(tmp_path / "memory.parquet").of_cells(cells)
    assert one == same != other


def test_a_damaged_memory_costs_only_time(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 1)
    save(tmp_path / "b.png", 2)
    memory = tmp_path / "memory.parquet"
    before = Hashes(memory).of_cells(table(tmp_path))
    memory.write_bytes(b"damaged")
    assert Hashes(memory).of_cells(table(tmp_path)) == before
