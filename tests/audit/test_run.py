"""The whole audit, on drawn cells and on a published dataset with errors of its own."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hemashift.audit import Audit, audit
from hemashift.audit.exchanged import find_exchanges
from hemashift.errors import AdaptationError, ImageError, TableError
from hemashift.model.bundle import Bundle, default_model
from hemashift.selection.looking import Seen, look
from hemashift.taxonomy import CLASSES, Taxonomy

CODES = {
    "1": "neutrophil",
    "2": "lymphocyte",
    "3": "monocyte",
    "4": "eosinophil",
    "5": "basophil",
}


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return default_model()


@pytest.fixture
def laboratory(tmp_path: Path) -> Path:
    """Folders `A` and `B` with 4 noisy pictures each; a damaged one; copies of `A/0.png`."""
    rng = np.random.default_rng(0)
    for name in [f"{smear}/{i}.png" for smear in "AB" for i in range(4)]:
        path = tmp_path / "cells" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (48, 48, 3)).astype(np.uint8)).save(path)
    (tmp_path / "cells" / "A" / "damaged.png").write_bytes(b"no picture")
    shutil.copy(tmp_path / "cells" / "A" / "0.png", tmp_path / "cells" / "B" / "copy.png")
    shutil.copy(tmp_path / "cells" / "B" / "1.png", tmp_path / "cells" / "B" / "held-out.png")
    return tmp_path / "cells"


def labels(**given: str) -> pd.DataFrame:
    rows = [(name.replace("_", "/") + ".png", label) for name, label in given.items()]
    return pd.DataFrame(rows, columns=["path", "label"])


def kinds(found: Audit) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(one.kind, one.severity): one.paths for one in found.findings}


def test_everything_that_is_wrong_is_said(laboratory: Path, shipped: Bundle) -> None:
    given = labels(
        A_0="MO", B_copy="LYT", A_1="MO", A_2="MO", A_3="blob", A_damaged="LYT",
        B_0="NGS", B_1="NGS", B_2="LYT",
    )  # fmt: skip
    given.loc[len(given)] = ["B/0.png", "EO"]
    found = audit(laboratory, given, shipped)
    assert kinds(found) == {
        ("unreadable", "error"): ("A/damaged.png",),
        ("contradiction", "error"): ("B/0.png",),
        ("copies", "error"): ("A/0.png", "B/copy.png"),
        ("copies", "warning"): ("B/1.png", "B/held-out.png"),
        ("one smear", "warning"): ("A/0.png", "A/1.png", "A/2.png"),
        ("unknown class", "note"): ("A/3.png",),
    }
    assert [one.severity for one in found.findings] == sorted(
        (one.severity for one in found.findings), key=["error", "warning", "note"].index
    )
    assert found.n_images == 10
    assert found.severities["error"] == 3
    assert found.counts["monocyte"] == 3


def test_nothing_wrong_is_nothing_said(laboratory: Path, shipped: Bundle) -> None:
    (laboratory / "B" / "held-out.png").unlink()
    found = audit(laboratory, labels(A_0="MO", B_0="MO", A_1="NGS", B_1="NGS"), shipped)
    assert kinds(found).keys() <= {("copies", "warning")}
    (laboratory / "B" / "copy.png").unlink()
    assert (
        audit(laboratory, labels(A_0="MO", B_0="MO", A_1="NGS", B_1="NGS"), shipped).findings == ()
    )


def test_a_model_that_learnt_from_the_labels_may_not_judge_them(
    laboratory: Path, shipped: Bundle
) -> None:
    seen = look(shipped, [laboratory / "A" / "0.png"])
    card = shipped.card.updated(provenance={"adaptation": {"labelled_sha256": list(seen.hashes)}})
    found = audit(laboratory, labels(A_0="MO", B_0="NGS"), Bundle(card, shipped.contents))
    assert any("has learnt from 1 of these labels" in one.sentence for one in found.findings)


def test_smears_may_be_named_in_the_file(laboratory: Path, shipped: Bundle) -> None:
    given = labels(A_1="MO", A_2="MO", A_3="MO", B_0="NGS", B_1="NGS", B_2="NGS")
    given["smear"] = ["1", "1", "1", "1", "2", "2"]
    found = kinds(audit(laboratory, given, shipped))
    assert found[("one smear", "warning")] == ("A/1.png", "A/2.png", "A/3.png")


def test_labels_outside_are_not_judged(laboratory: Path, shipped: Bundle, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[labels]\ndirt = "outside"\n')
    own = Taxonomy.from_file(tmp_path / "own.toml")
    found = audit(laboratory, labels(A_1="dirt", A_2="MO", B_2="NGS"), shipped, taxonomy=own)
    assert found.counts == {"monocyte": 1, "neutrophil": 1}


def test_nothing_to_look_at(laboratory: Path, shipped: Bundle, tmp_path: Path) -> None:
    with pytest.raises(AdaptationError, match="no label"):
        audit(laboratory, labels(A_1=""), shipped)
    with pytest.raises(AdaptationError, match="not there"):
        audit(laboratory, labels(gone="MO"), shipped)
    with pytest.raises(TableError, match="no column"):
        audit(laboratory, pd.DataFrame({"path": ["A/1.png"]}), shipped)
    with pytest.raises(ImageError, match="does not exist"):
        audit(tmp_path / "nowhere", labels(A_1="MO").iloc[:0], shipped)
    with pytest.raises(ImageError, match="no image can be read"):
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "damaged.png").write_bytes(b"nothing")
        audit(tmp_path / "broken", labels(damaged="MO"), shipped)


@pytest.fixture(scope="module")
def jiangxi(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """The cells of Jiangxi Tecom in a folder of their own, and their labels by its README."""
    source = real_data / "jiangxi_tecom"
    if not (source / "Dataset 1").is_dir():
        pytest.skip("Jiangxi Tecom is not here")
    with (source / "Class Labels of Dataset 1.csv").open(encoding="utf-8-sig") as stream:
        rows = [row for row in list(csv.reader(stream))[1:] if row]
    folder = tmp_path_factory.mktemp("jiangxi")
    names = [f"{int(number):03d}.bmp" for number, _ in rows]
    for name in names:
        shutil.copy(source / "Dataset 1" / name, folder / name)
    return folder, pd.DataFrame({"path": names, "label": [CODES[code] for _, code in rows]})


@pytest.fixture(scope="module")
def seen(jiangxi: tuple[Path, pd.DataFrame], shipped: Bundle) -> Seen:
    """What the shipped model sees in these cells: once is enough."""
    folder, known = jiangxi
    return look(shipped, [folder / name for name in known["path"]])


SWAP = {"lymphocyte": "monocyte", "monocyte": "lymphocyte"}


def test_the_exchange_in_the_published_split_of_jiangxi_tecom(
    jiangxi: tuple[Path, pd.DataFrame],
    seen: Seen,
    shipped: Bundle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exchanged as in the paper's split files: an alarm. As in the dataset's README: none."""
    folder, given = jiangxi
    monkeypatch.setattr("hemashift.audit.run.look", lambda *_: seen)
    swapped = given.assign(label=given["label"].replace(SWAP))
    found = audit(folder, swapped, shipped)
    alarms = [one for one in found.findings if one.kind == "exchanged classes"]
    assert len(alarms) == 1
    assert alarms[0].severity == "error"
    assert "lymphocyte and monocyte look exchanged" in alarms[0].sentence
    # The same cell is there twice, once as neutrophil and once as monocyte.
    assert kinds(found)[("copies", "error")] == ("060.bmp", "090.bmp")
    # A segmented neutrophil that is labelled monocyte.
    wrong = kinds(found)[("wrong labels", "warning")]
    assert "268.bmp" in wrong
    assert len(wrong) < 20
    source = shipped.head.probabilities(seen.encoded)
    right = given["label"].map(CLASSES.index).to_numpy()
    assert find_exchanges(right, source) == []


def test_a_class_and_outside_contradict_each_other(laboratory: Path, shipped: Bundle) -> None:
    given = labels(A_0="MO", B_copy="outside", A_1="NGS", A_2="Outside", B_0="NGS", B_1="outside")
    given.loc[len(given)] = ["A/2.png", "MO"]
    found = kinds(audit(laboratory, given, shipped))
    assert found[("contradiction", "error")] == ("A/2.png",)
    assert found[("copies", "error")] == ("A/0.png", "B/copy.png")
    # `B/held-out.png` is the only copy without a label.
    assert found[("copies", "warning")] == ("B/1.png", "B/held-out.png")
    assert ("unknown class", "note") not in found


def test_spellings_of_a_new_class_are_one(laboratory: Path, shipped: Bundle) -> None:
    given = labels(A_1="weird cell", B_0="Weird Cell", B_2="weird  cells", A_2="MO")
    assert audit(laboratory, given, shipped).counts == {"monocyte": 1, "weird cell": 3}


def test_who_errs_on_one_cell_of_a_patient_does_not_vouch_for_the_others(
    jiangxi: tuple[Path, pd.DataFrame],
    seen: Seen,
    shipped: Bundle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Six lymphocytes of one patient are labelled monocyte; the other patients are right."""
    folder, known = jiangxi
    monkeypatch.setattr("hemashift.audit.run.look", lambda *_: seen)
    caught = {"apart": 0, "unknown": 0}
    for seed in range(3):
        rng = np.random.default_rng(seed)
        given = known.sample(110, random_state=seed).reset_index(drop=True)
        given["patient"] = [f"patient {number}" for number in rng.integers(9, size=len(given))]
        wrong = given.index[given["label"] == "lymphocyte"][:6]
        given.loc[wrong, ["label", "patient"]] = ["monocyte", "the last"]
        for name, table in (("apart", given), ("unknown", given.drop(columns="patient"))):
            found = kinds(audit(folder, table, shipped)).get(("wrong labels", "warning"), ())
            caught[name] += len(set(found) & set(given["path"][wrong]))
    assert caught["apart"] > caught["unknown"] + 2
    assert caught["apart"] >= 9
