from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hemashift.cells import Box, Cell, CellTable
from hemashift.classification import classify, run
from hemashift.errors import HemashiftError, ImageError, TableError
from hemashift.model.bundle import Bundle
from hemashift.model.classifier import Prediction

LIGHT = np.array([(k * 12 + 5) / 255 for k in range(20)])


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".csv":
        return pd.read_csv(path)
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.DataFrame([json.loads(line) for line in path.read_text("utf-8").splitlines()])


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_one_row_an_image_in_order(
    folder: Path, model: Bundle, tmp_path: Path, suffix: str, batch_size: int
) -> None:
    output = tmp_path / f"out{suffix}"
    report = classify(folder, model, output, batch_size=batch_size, workers=2)
    rows = read(output)
    assert list(rows.columns) == ["path", "label", "p_dark", "p_light", "error"]
    assert rows["path"].tolist() == [f"{'a' if k < 12 else 'b'}/{k:02d}.png" for k in range(20)]
    np.testing.assert_allclose(rows["p_light"], LIGHT, atol=1e-6)
    assert rows["label"].tolist() == ["light" if p > 0.5 else "dark" for p in LIGHT]
    assert rows["error"].isna().all()
    assert report.counts == {"dark": 11, "light": 9}
    assert (report.n_images, report.n_resumed, report.errors) == (20, 0, [])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["images", output.name]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_bad_images_are_reported_and_do_not_stop_the_rest(
    folder: Path, model: Bundle, tmp_path: Path, suffix: str
) -> None:
    (folder / "a" / "03.png").write_bytes(b"not an image")
    (folder / "b" / "19.png").write_bytes(b"")
    output = tmp_path / f"out{suffix}"
    report = classify(folder, model, output, batch_size=4, embeddings=True)
    rows = read(output)
    bad = rows["error"].notna()
    assert rows["path"][bad].tolist() == ["a/03.png", "b/19.png"]
    assert rows["label"][bad].isna().all() and rows["p_light"][bad].isna().all()
    np.testing.assert_allclose(rows["p_light"][~bad], np.delete(LIGHT, [3, 19]), atol=1e-6)
    assert [name for name, _ in report.errors] == ["a/03.png", "b/19.png"]
    assert sum(report.counts.values()) == 18


def test_a_cell_whose_probabilities_are_no_numbers_gets_no_class(
    folder: Path, model: Bundle, stand_in: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a" / "00.png").write_bytes(b"not an image")
    predict = stand_in.predict

    def first_is_none(self: object, images: np.ndarray) -> Prediction:
        said: Prediction = predict(self, images)
        said.probabilities[:1] = np.nan
        return said

    monkeypatch.setattr(stand_in, "predict", first_is_none)
    report = classify(folder, model, tmp_path / "out.csv", batch_size=20)
    rows = read(tmp_path / "out.csv")
    assert rows["label"].isna().tolist() == [True, True] + [False] * 18
    assert "no number" in rows["error"][1] and rows["p_light"][:2].isna().all()
    np.testing.assert_allclose(rows["p_light"][2:], LIGHT[2:], atol=1e-6)
    assert [name for name, _ in report.errors] == ["a/00.png", "a/01.png"]


def test_a_batch_of_only_bad_images(model: Bundle, tmp_path: Path) -> None:
    files = [tmp_path / f"{k}.png" for k in range(3)]
    for file in files:
        file.write_bytes(b"?")
    Image.new("RGB", (40, 40), (250, 255, 250)).save(tmp_path / "good.png")
    report = classify(
        [*files, tmp_path / "good.png"],
        model,
        tmp_path / "out.csv",
        embeddings=True,
        batch_size=3,
    )
    assert len(report.errors) == 3
    assert report.counts == {"dark": 0, "light": 1}


def test_an_output_without_a_single_result_replaces_nothing(model: Bundle, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    output = tmp_path / "out.csv"
    output.write_text("path,p_dark\nan earlier result,1\n")
    table = tmp_path / "cells.csv"
    table.write_text("path\na/05.png\n")
    with pytest.raises(ImageError, match=r"1 images; the first is a/05\.png"):
        classify(table, model, output)
    assert "an earlier result" in output.read_text()
    assert not output.with_name("out.csv.partial").exists()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_embeddings_on_request(folder: Path, model: Bundle, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"out{suffix}"
    classify(folder, model, output, embeddings=True)
    rows = read(output)
    if suffix == ".csv":
        vectors = rows[[f"e_{k:03d}" for k in range(4)]].to_numpy()
    else:
        vectors = np.stack(rows["embedding"].tolist())
    np.testing.assert_allclose(vectors, LIGHT[:, None] + np.arange(4) / 8, atol=1e-6)


def test_boxes_of_one_image(model: Bundle, tmp_path: Path) -> None:
    field = np.zeros((50, 100, 3), np.uint8)
    field[:, 50:] = (255, 255, 250)  # of one grey and black, it would be a mask
    Image.fromarray(field).save(tmp_path / "field.png")
    cells = [Cell("field.png", box=Box(0, 0, 40, 40)), Cell("field.png", box=Box(60, 0, 120, 50))]
    table = CellTable.from_cells([*cells, Cell("field.png")], tmp_path, "ours")
    classify(table, model, tmp_path / "out.csv")
    rows = read(tmp_path / "out.csv")
    np.testing.assert_allclose(rows["p_light"], [0, 1, 0.5], atol=0.02)
    assert rows["x_max"].tolist()[:2] == [40, 120] and np.isnan(rows["x_max"][2])


def test_a_plain_table_of_boxes_is_enough(model: Bundle, folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "boxes.csv"
    table.write_text("path,x_min,y_min,x_max,y_max\na/05.png,0,0,10,10\nb/13.png,,,,\n")
    from hemashift.classification.inputs import read_cells

    classify(read_cells(table, folder), model, tmp_path / "out.csv")
    rows = read(tmp_path / "out.csv")
    assert rows["path"].tolist() == ["a/05.png", "b/13.png"]
    np.testing.assert_allclose(rows["p_light"], LIGHT[[5, 13]], atol=1e-6)
    table.write_text("file\na.png\n")
    with pytest.raises(TableError, match="path"):
        read_cells(table, folder)


def test_paths_of_a_table_as_windows_and_macs_write_them(
    model: Bundle, folder: Path, tmp_path: Path
) -> None:
    (folder / "a" / "05.png").rename(folder / "a" / "a\u0308 5.png")
    (folder / "cells.tsv").write_text("path\tlabel\na\\\u00e4 5.png\tMO\n", encoding="utf-8")
    classify(folder / "cells.tsv", model, tmp_path / "out.csv")
    rows = read(tmp_path / "out.csv")
    assert rows["path"].tolist() == ["a/\u00e4 5.png"]
    np.testing.assert_allclose(rows["p_light"], LIGHT[[5]], atol=1e-6)


def test_one_image_and_a_table_file(model: Bundle, folder: Path, tmp_path: Path) -> None:
    report = classify(folder / "a" / "00.png", model, tmp_path / "one.csv")
    assert report.n_images == 1
    (folder / "cells.csv").write_text("path\nb/12.png\na/01.png\n")
    classify(folder / "cells.csv", model, tmp_path / "two.csv")
    assert read(tmp_path / "two.csv")["path"].tolist() == ["b/12.png", "a/01.png"]


def test_nothing_to_classify(model: Bundle, tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        classify(tmp_path, model, tmp_path / "out.csv")
    with pytest.raises(HemashiftError, match="nothing to classify"):
        classify([], model, tmp_path / "out.csv")


def test_bad_options(folder: Path, model: Bundle, tmp_path: Path) -> None:
    with pytest.raises(HemashiftError, match="suffix"):
        classify(folder, model, tmp_path / "out.xlsx")
    with pytest.raises(HemashiftError, match="batch_size"):
        classify(folder, model, tmp_path / "out.csv", batch_size=0)
    with pytest.raises(HemashiftError, match="workers"):
        classify(folder, model, tmp_path / "out.csv", workers=-1)
    (tmp_path / "dir.csv").mkdir()
    with pytest.raises(HemashiftError, match="folder"):
        classify(folder, model, tmp_path / "dir.csv")


def test_a_mask_beside_the_images_is_given_no_class(
    folder: Path, model: Bundle, tmp_path: Path
) -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = 255
    Image.fromarray(mask).save(folder / "a" / "00_mask.png")
    report = classify(folder, model, tmp_path / "out.csv")
    assert [name for name, _ in report.errors] == ["a/00_mask.png"]
    assert "a mask, not a photograph" in report.errors[0][1]


def test_labels_are_never_overwritten(folder: Path, model: Bundle, tmp_path: Path) -> None:
    labels = tmp_path / "cells.csv"
    labels.write_text("path,label,rank,reason\na.png,monocyte,1,typical\n", encoding="utf-8")
    before = labels.read_bytes()
    with pytest.raises(HemashiftError, match="overwrite labels"):
        classify(folder, model, labels)
    assert labels.read_bytes() == before
    for _ in range(2):  # results may be written anew
        classify(folder, model, tmp_path / "out.csv")


def test_an_input_is_never_overwritten(folder: Path, model: Bundle, tmp_path: Path) -> None:
    files = sorted(folder.rglob("*.png"))
    odd = folder / "a" / "cell.csv"
    files[0].rename(odd)
    before = odd.read_bytes()
    for output in (odd, folder / "b" / ".." / "a" / "cell.csv"):
        with pytest.raises(HemashiftError, match="overwrite an input"):
            classify([odd, *files[1:]], model, output)
    if hasattr(os, "link"):
        os.link(odd, tmp_path / "linked.csv")
        with pytest.raises(HemashiftError, match="overwrite an input"):
            classify([odd], model, tmp_path / "linked.csv")
    assert odd.read_bytes() == before


def test_progress_counts_up_to_all(folder: Path, model: Bundle, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    classify(
        folder,
        model,
        tmp_path / "out.csv",
        batch_size=8,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(0, 20), (8, 20), (16, 20), (20, 20)]


def test_parquet_says_which_model_made_it(folder: Path, model: Bundle, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    classify(folder, model, tmp_path / "out.parquet")
    metadata = pq.read_schema(tmp_path / "out.parquet").metadata
    assert metadata[b"hemashift_model_hash"].decode() == model.hash


class Stop(KeyboardInterrupt):
    pass


def interrupt(stand_in: type, after: int) -> None:
    def hook(total: int) -> None:
        if total > after:
            raise Stop

    stand_in.hook = staticmethod(hook)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_an_interrupted_run_goes_on(
    folder: Path, model: Bundle, stand_in: type, tmp_path: Path, suffix: str
) -> None:
    output, whole = tmp_path / f"out{suffix}", tmp_path / f"whole{suffix}"
    (folder / "a" / "02.png").write_bytes(b"bad")
    classify(folder, model, whole, batch_size=4)
    interrupt(stand_in, after=9)
    with pytest.raises(Stop):
        classify(folder, model, output, batch_size=4)
    assert not output.exists(), "half a result must not look like a whole one"
    stand_in.hook = None
    seen: list[int] = []
    report = classify(
        folder, model, output, batch_size=3, progress=lambda done, total: seen.append(done)
    )
    assert report.n_resumed == 8 and seen[0] == 8
    assert output.read_bytes() == whole.read_bytes() or suffix == ".parquet"
    pd.testing.assert_frame_equal(read(output), read(whole))
    assert report.errors[0][0] == "a/02.png", "errors of the first part are reported too"
    assert not (tmp_path / f"out{suffix}.partial").exists()


def change_image(folder: Path, options: dict[str, object]) -> None:
    Image.new("RGB", (9, 9)).save(folder / "a" / "00.png")


def add_image(folder: Path, options: dict[str, object]) -> None:
    Image.new("RGB", (9, 9)).save(folder / "a" / "0x.png")


def other_settings(folder: Path, options: dict[str, object]) -> None:
    options["embeddings"] = True


def other_model(folder: Path, options: dict[str, object]) -> None:
    model = options["model"]
    options["model"] = Bundle(model.card.updated(name="other"), {})


def no_resume(folder: Path, options: dict[str, object]) -> None:
    options["resume"] = False


@pytest.mark.parametrize(
    "change, reason",
    [
        (change_image, "images changed"),
        (add_image, "images changed"),
        (other_settings, "embeddings changed"),
        (other_model, "model changed"),
        (no_resume, "as asked for"),
    ],
)
def test_results_of_another_run_are_not_mixed_in(
    folder: Path, model: Bundle, stand_in: type, tmp_path: Path, change: object, reason: str
) -> None:
    interrupt(stand_in, after=9)
    with pytest.raises(Stop):
        classify(folder, model, tmp_path / "out.csv", batch_size=4)
    stand_in.hook = None
    options: dict[str, object] = {"model": model}
    change(folder, options)
    report = classify(folder, output=tmp_path / "out.csv", **options)
    assert report.n_resumed == 0
    assert report.restarted == reason
    assert len(read(tmp_path / "out.csv")) == report.n_images


def test_a_damaged_journal_is_used_as_far_as_it_is_whole(
    folder: Path, model: Bundle, stand_in: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "ROWS_BETWEEN_WRITES", 1)
    interrupt(stand_in, after=13)
    with pytest.raises(Stop):
        classify(folder, model, tmp_path / "out.csv", batch_size=4)
    parts = sorted((tmp_path / "out.csv.partial").glob("*.parquet"))
    assert len(parts) == 3
    parts[1].write_bytes(parts[1].read_bytes()[:50])
    stand_in.hook = None
    report = classify(folder, model, tmp_path / "out.csv", batch_size=4)
    assert report.n_resumed == 4
    np.testing.assert_allclose(read(tmp_path / "out.csv")["p_light"], LIGHT, atol=1e-6)


def test_an_older_result_stays_until_the_new_one_is_done(
    folder: Path, model: Bundle, stand_in: type, tmp_path: Path
) -> None:
    output = tmp_path / "out.csv"
    output.write_text("older result")
    interrupt(stand_in, after=5)
    with pytest.raises(Stop):
        classify(folder, model, output, batch_size=4)
    assert output.read_text() == "older result"
    stand_in.hook = None
    classify(folder, model, output)
    assert len(read(output)) == 20


def test_a_folder_that_is_not_ours_is_not_removed(
    folder: Path, model: Bundle, tmp_path: Path
) -> None:
    precious = tmp_path / "out.csv.partial" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("precious")
    with pytest.raises(HemashiftError, match="in the way"):
        classify(folder, model, tmp_path / "out.csv", resume=False)
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("litter", [".DS_Store", "Thumbs.db", ".settings-1x_y.part.json"])
def test_what_others_leave_in_the_journal_is_no_hindrance(
    folder: Path, model: Bundle, stand_in: type, tmp_path: Path, litter: str
) -> None:
    left = tmp_path / "out.csv.partial" / litter
    left.parent.mkdir()
    left.write_bytes(b"")  # before the settings were there
    interrupt(stand_in, after=9)
    with pytest.raises(Stop):
        classify(folder, model, tmp_path / "out.csv", batch_size=4)
    left.write_bytes(b"")
    stand_in.hook = None
    assert classify(folder, model, tmp_path / "out.csv", batch_size=4).n_resumed > 0
    assert not left.parent.exists()


LABELS = pd.DataFrame({"Path": ["a/00.png"], " Label ": ["MO"]})


@pytest.mark.parametrize("kind", ["semicolons", "tabs", "capitals", "latin-1", "parquet", "jsonl"])
def test_labels_of_any_form_are_not_overwritten(
    folder: Path, model: Bundle, tmp_path: Path, kind: str
) -> None:
    labels = tmp_path / f"labels.{kind if kind in ('parquet', 'jsonl') else 'csv'}"
    if kind == "parquet":
        LABELS.to_parquet(labels)
    elif kind == "jsonl":
        LABELS.to_json(labels, orient="records", lines=True)
    elif kind == "latin-1":
        labels.write_bytes(b"path,label,name\na/00.png,MO,M\xfcller\n")
    else:
        separator = {"semicolons": ";", "tabs": "\t", "capitals": ","}[kind]
        LABELS.to_csv(labels, sep=separator, index=False)
    before = labels.read_bytes()
    with pytest.raises(HemashiftError, match="overwrite labels"):
        classify(folder, model, labels)
    assert labels.read_bytes() == before


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_results_may_be_written_anew(
    folder: Path, model: Bundle, tmp_path: Path, suffix: str
) -> None:
    (tmp_path / f"out{suffix}").write_bytes(b"")
    for _ in range(2):
        classify(folder, model, tmp_path / f"out{suffix}")


def test_a_table_of_cells_is_never_overwritten(folder: Path, model: Bundle, tmp_path: Path) -> None:
    (folder / "cells.csv").write_text("path\na/00.png\n")
    with pytest.raises(HemashiftError, match="overwrite an input"):
        classify(folder / "cells.csv", model, folder / "cells.csv")
    assert (folder / "cells.csv").read_text() == "path\na/00.png\n"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_not_utf_8(folder: Path, model: Bundle, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/zell\xe9.png"))
    (folder / "a" / "00.png").rename(odd)
    for images in (folder, odd, [odd]):
        with pytest.raises(ImageError, match="not UTF-8") as caught:
            classify(images, model, tmp_path / "out.csv")
        assert "zell?.png" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["images"]
