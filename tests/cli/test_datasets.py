from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from hemashift.cli.datasets import app
from hemashift.errors import DatasetError, ImageError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for kind, number in (("Basophil", 1), ("Neutrophil", 3)):
        folder = tmp_path / "bccd_cropped" / kind
        folder.mkdir(parents=True)
        for i in range(number):
            pixels = rng.integers(0, 255, (30, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"BloodImage_{i:05d}_1.jpg")
    return tmp_path


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "160"}, catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_list_shows_what_is_here(data: Path) -> None:
    code, output = _run("list", "--data", str(data))
    lines = {line.split()[0]: line for line in output.splitlines() if line.strip()}
    assert code == 0
    assert lines["bccd_cropped"].rstrip().endswith("bccd_cropped")
    assert lines["barcelona"].rstrip().endswith("no")
    assert "COCO" in lines["coco"]


@pytest.mark.parametrize("relative", [False, True])
def test_list_of_the_images_whose_labels_lie_beside_them(
    tmp_path: Path, relative: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = tmp_path / "segmentation_WBC" / "Dataset 1"
    images.mkdir(parents=True)
    images.with_name("Class Labels of Dataset 1.csv").write_text("image ID,class label\n")
    monkeypatch.chdir(tmp_path)
    code, output = _run("list", "--data", str(images.relative_to(tmp_path) if relative else images))
    assert code == 0
    (line,) = (one for one in output.splitlines() if one.startswith("jiangxi_tecom"))
    assert not line.rstrip().endswith("no")


def test_check_compares_with_the_published_counts(data: Path) -> None:
    code, output = _run("check", "bccd_cropped", "--data", str(data), "--images")
    assert code == 0
    rows = [line.split() for line in output.splitlines()]
    assert ["neutrophil", "3", "207", "fewer"] in rows
    assert ["monocyte", "0", "20", "fewer"] in rows
    assert "4 images read" in output


def test_check_names_damaged_images_and_fails(data: Path) -> None:
    (data / "bccd_cropped" / "Neutrophil" / "BloodImage_00001_1.jpg").write_bytes(b"no image")
    code, output = _run("check", str(data / "bccd_cropped"), "--images")
    assert code == 1
    assert "1 cannot be read" in output
    assert "Neutrophil/BloodImage_00001_1.jpg" in output


def test_check_without_a_name_takes_all_that_are_here(data: Path) -> None:
    code, output = _run("check", "--data", str(data))
    assert code == 0
    assert "BCCD, cropped originals" in output
    with pytest.raises(DatasetError, match="no published dataset"):
        _run("check", "--data", str(data / "bccd_cropped" / "Basophil"))


def test_an_unknown_name_is_an_error(data: Path) -> None:
    with pytest.raises(DatasetError, match="neither a dataset nor a folder"):
        _run("check", "no such thing")


def test_montage_writes_a_picture(data: Path) -> None:
    output = data / "cells.png"
    code, _ = _run("montage", "bccd_cropped", "-o", str(output), "--data", str(data))
    assert code == 0
    with Image.open(output) as picture:
        assert picture.width > picture.height > 100
    again = data / "again.png"
    _run("montage", "bccd_cropped", "-o", str(again), "--data", str(data))
    assert again.read_bytes() == output.read_bytes()


def test_a_montage_is_not_written_among_the_cells(data: Path) -> None:
    output = data / "bccd_cropped" / "Neutrophil" / "cells.png"
    with pytest.raises(ImageError, match="taken for cells"):
        _run("montage", "bccd_cropped", "-o", str(output), "--data", str(data))
    assert not output.exists()
