"""What is asked for beyond a class: sets, a limit on errors, class mix, outside, main class."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from hemashift.classification import classify
from hemashift.errors import HemashiftError
from hemashift.model.bundle import Bundle
from hemashift.trust.conformal import least_probabilities, prediction_sets
from hemashift.trust.storage import read_trust
from hemashift.trust.unidentified import keep_rule

from .test_classify import LIGHT, Stop, interrupt, read

PROBABILITIES = np.stack([1 - LIGHT, LIGHT], axis=1)


def sets_of(rows: pd.DataFrame, suffix: str) -> list[list[str]]:
    return [one.split("|") if suffix == ".csv" else list(one) for one in rows["set"]]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_sets(folder: Path, trusted: Bundle, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"out{suffix}"
    classify(folder, trusted, output, coverage=0.9, embeddings=True)
    rows = read(output)
    known = read_trust(trusted).calibration
    assert known is not None
    inside = prediction_sets(PROBABILITIES.astype(np.float32), least_probabilities(known, 0.9))
    expected = [[n for n, has in zip(("dark", "light"), row, strict=True) if has] for row in inside]
    assert sets_of(rows, suffix) == expected
    assert {len(one) for one in expected} == {1, 2}
    order = [name for name in rows.columns if not name.startswith("e_") and name != "embedding"]
    assert order == ["path", "label", "p_dark", "p_light", "set", "outside", "error"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_an_image_that_cannot_be_read_has_none_of_it(
    folder: Path, trusted: Bundle, tmp_path: Path, suffix: str
) -> None:
    (folder / "a" / "03.png").write_bytes(b"?")
    output = tmp_path / f"out{suffix}"
    report = classify(
        folder, trusted, output, coverage=0.9, max_error=0.3, class_mix="estimate", outside=True,
        roll_up=True,
    )  # fmt: skip
    rows = read(output)
    bad = rows[rows["path"] == "a/03.png"].drop(columns=["path", "error"])
    assert bad.isna().all(axis=None)
    assert rows.drop(columns=["main_class", "error"]).notna().sum().min() == 19
    assert sum(report.counts.values()) == 19


def test_unsure_cells_are_left_to_a_person(folder: Path, trusted: Bundle, tmp_path: Path) -> None:
    report = classify(folder, trusted, tmp_path / "out.csv", max_error=0.25)
    known = read_trust(trusted).calibration
    assert known is not None
    rule = keep_rule(known, 0.25)
    kept = PROBABILITIES.max(axis=1) >= rule.threshold
    assert 0 < kept.sum() < 20
    names = np.array(["dark", "light"])[PROBABILITIES.argmax(axis=1)]
    rows = read(tmp_path / "out.csv")
    assert rows["label"].tolist() == np.where(kept, names, "unidentified").tolist()
    np.testing.assert_allclose(rows["p_light"], LIGHT, atol=1e-6)
    assert report.counts["unidentified"] == 20 - kept.sum()
    assert sum(report.counts.values()) == 20
    assert report.notes == (str(rule),)


def test_cells_unlike_all_classes(folder: Path, trusted: Bundle, tmp_path: Path) -> None:
    plain = classify(folder, trusted, tmp_path / "plain.csv")
    scores = read(tmp_path / "plain.csv")["outside"]
    assert (scores[(LIGHT > 0.35) & (LIGHT < 0.65)] < 1).all()
    assert (scores[LIGHT < 0.1] > 1).all()
    assert "outside" not in plain.counts and plain.notes == ()
    named = classify(folder, trusted, tmp_path / "out.csv", outside=True, max_error=0.25)
    rows = read(tmp_path / "out.csv")
    assert ((rows["label"] == "outside") == (rows["outside"] > 1)).all()
    assert named.counts["outside"] == (scores > 1).sum() > 0


def test_the_class_mix_of_the_run(folder: Path, trusted: Bundle, tmp_path: Path) -> None:
    """All images but a few are light: what the labels knew as half and half is not so here."""
    for file in sorted(folder.rglob("*.png"))[:11]:
        file.unlink()
    output = tmp_path / "out.parquet"
    report = classify(folder, trusted, output, class_mix="estimate", coverage=0.9)
    rows = pd.read_parquet(output)
    assert report.class_mix is not None and report.class_mix["light"] > 0.6
    assert sum(report.class_mix.values()) == pytest.approx(1)
    before = PROBABILITIES[11:]
    prior = read_trust(trusted).calibration.prior  # type: ignore[union-attr]
    moved = before * np.array([report.class_mix["dark"], report.class_mix["light"]]) / prior
    moved /= moved.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(rows[["p_dark", "p_light"]], moved, atol=1e-5)
    assert rows["label"].tolist() == np.array(["dark", "light"])[moved.argmax(axis=1)].tolist()
    assert "light" in report.notes[0] and "%" in report.notes[0]
    metadata = pq.read_schema(output).metadata
    assert metadata[b"hemashift_notes"].decode() == "\n".join(report.notes)


def test_a_class_mix_is_not_corrected_twice(folder: Path, trusted: Bundle, tmp_path: Path) -> None:
    about = {"adaptation": {"method": "classmix", "labels": {"dark": 8, "light": 8}}}
    moved = Bundle(trusted.card.updated(provenance=about), trusted.contents)
    with pytest.raises(HemashiftError, match="class mix of its laboratory already"):
        classify(folder, moved, tmp_path / "out.csv", class_mix="estimate")
    assert not (tmp_path / "out.csv").exists()
    assert classify(folder, moved, tmp_path / "out.csv").class_mix is None


def test_outside_cells_do_not_count_in_the_mix(
    folder: Path, trusted: Bundle, tmp_path: Path
) -> None:
    report = classify(folder, trusted, tmp_path / "out.csv", class_mix="estimate", outside=True)
    every = classify(folder, trusted, tmp_path / "every.csv", class_mix="estimate")
    assert report.class_mix != every.class_mix


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_an_interrupted_run_goes_on_under_other_wishes(
    folder: Path, trusted: Bundle, stand_in: type, tmp_path: Path, suffix: str
) -> None:
    wishes = {"coverage": 0.9, "max_error": 0.25, "class_mix": "estimate", "outside": True}
    whole = tmp_path / f"whole{suffix}"
    classify(folder, trusted, whole, batch_size=4, **wishes)
    interrupt(stand_in, after=9)
    output = tmp_path / f"out{suffix}"
    with pytest.raises(Stop):
        classify(folder, trusted, output, batch_size=4)
    stand_in.hook = None
    report = classify(folder, trusted, output, batch_size=3, **wishes)
    assert report.n_resumed == 8
    assert output.read_bytes() == whole.read_bytes()


def test_finer_classes_roll_up(
    folder: Path, model: Bundle, stand_in: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = ("band neutrophil", "promyelocyte")
    from . import conftest

    monkeypatch.setattr(conftest, "CLASSES", classes)
    finer = Bundle(model.card.updated(classes=classes), {})
    classify(folder, finer, tmp_path / "out.jsonl", roll_up=True)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert list(rows[0])[:3] == ["path", "label", "main_class"]
    assert {(row["label"], row["main_class"]) for row in rows} == {
        ("band neutrophil", "neutrophil"),
        ("promyelocyte", None),
    }


def test_a_model_that_cannot_tell(folder: Path, model: Bundle, tmp_path: Path) -> None:
    for wish in ({"coverage": 0.9}, {"max_error": 0.05}, {"outside": True}):
        with pytest.raises(HemashiftError, match="this model") as raised:
            classify(folder, model, tmp_path / "out.csv", **wish)
        assert raised.value.hint is not None and "adapt" in raised.value.hint
    assert not list(tmp_path.glob("out*")), "refused before the work"
    report = classify(folder, model, tmp_path / "out.csv", class_mix="estimate")
    assert report.class_mix is not None, "equal shares are assumed without labels"


def test_wishes_out_of_range(folder: Path, trusted: Bundle, tmp_path: Path) -> None:
    for wish in ({"coverage": 1.5}, {"max_error": 0}, {"class_mix": "guess"}, {"coverage": 0.99}):
        with pytest.raises(HemashiftError):
            classify(folder, trusted, tmp_path / "out.csv", **wish)
    assert not list(tmp_path.glob("out*"))
