from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.adaptation import preparation
from hemashift.cells import Cell, CellTable
from hemashift.model.bundle import Bundle
from hemashift.model.runtime import Encoder
from hemashift.studies import encodings
from hemashift.studies.adapting import recoloured
from hemashift.studies.encodings import EncodedCells, Encodings, encoder_key
from hemashift.studies.fingerprint import Hashes


@pytest.fixture
def cells(tmp_path: Path) -> CellTable:
    rng = np.random.default_rng(0)
    names = [f"{number}.png" for number in range(7)]
    for name in names:
        Image.fromarray(rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(tmp_path / name)
    return CellTable.from_cells([Cell(name) for name in names], tmp_path, "ours")


@pytest.fixture
def encoded_images(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of images in each call of the encoder."""
    calls: list[int] = []
    encode = Encoder.encode

    def counted(self: Encoder, images: np.ndarray) -> object:
        calls.append(len(images))
        return encode(self, images)

    monkeypatch.setattr(Encoder, "encode", counted)
    return calls


def seen(folder: Path, bundle: Bundle, cells: CellTable, **options: bool) -> EncodedCells:
    """Encode as a new start of the program would."""
    return Encodings(folder, Hashes(folder / "memory.parquet")).of(bundle, cells, **options)


def test_no_image_is_encoded_twice(
    cells: CellTable, bundle: Bundle, tmp_path: Path, encoded_images: list[int]
) -> None:
    first = seen(tmp_path / "kept", bundle, cells.select([4, 1, 2]))
    assert sum(encoded_images) == 3
    everything = seen(tmp_path / "kept", bundle, cells)
    assert sum(encoded_images) == 7
    np.testing.assert_array_equal(everything.encoded.features[[4, 1, 2]], first.encoded.features)
    again = seen(tmp_path / "kept", bundle, cells)
    assert sum(encoded_images) == 7
    np.testing.assert_array_equal(again.encoded.embedding, everything.encoded.embedding)


def test_they_are_what_the_encoder_says(cells: CellTable, bundle: Bundle, tmp_path: Path) -> None:
    found = seen(tmp_path / "kept", bundle, cells)
    direct, _, _ = preparation.prepare(bundle, Encoder(bundle), cells.paths())
    np.testing.assert_array_equal(found.encoded.features, direct.encoded.features)
    np.testing.assert_array_equal(found.encoded.embedding, direct.encoded.embedding)


def test_a_kill_costs_one_chunk_at_most(
    cells: CellTable,
    bundle: Bundle,
    tmp_path: Path,
    encoded_images: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encodings, "CHUNK", 3)

    def killed(done: int, total: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    kept = Encodings(tmp_path / "kept", Hashes(tmp_path / "memory.parquet"))
    with pytest.raises(KeyboardInterrupt):
        kept.of(bundle, cells, killed)
    seen(tmp_path / "kept", bundle, cells)
    assert sum(encoded_images) == 7


def test_what_serves_once_is_not_kept(
    cells: CellTable, bundle: Bundle, tmp_path: Path, encoded_images: list[int]
) -> None:
    for _ in range(2):
        seen(tmp_path / "kept", bundle, cells, keep=False)
    assert sum(encoded_images) == 14


def test_another_preparation_is_another_encoding(bundle: Bundle) -> None:
    assert encoder_key(recoloured(bundle, "macenko")) != encoder_key(bundle)
    renamed = Bundle(bundle.card.updated(name="x", temperature=3.0), bundle.contents)
    assert encoder_key(renamed) == encoder_key(bundle)


def test_images_that_cannot_be_read_are_passed_over(
    cells: CellTable, bundle: Bundle, tmp_path: Path
) -> None:
    cells.absolute(2).write_bytes(b"no image")
    for _ in range(2):
        found = seen(tmp_path / "kept", bundle, cells)
        assert found.rows.tolist() == [0, 1, 3, 4, 5, 6]
        assert len(found.encoded) == 6
        [message] = found.unreadable
        assert "2.png" in message


def test_a_damaged_file_is_made_again(cells: CellTable, bundle: Bundle, tmp_path: Path) -> None:
    before = seen(tmp_path / "kept", bundle, cells)
    [file] = (tmp_path / "kept").rglob("*.safetensors")
    file.write_bytes(b"damaged")
    after = seen(tmp_path / "kept", bundle, cells)
    np.testing.assert_array_equal(after.encoded.embedding, before.encoded.embedding)
