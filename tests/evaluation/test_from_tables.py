"""No row of either table gets lost, and cells that the model knows are left out."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hemashift.errors import TableError
from hemashift.evaluation import evaluate
from hemashift.evaluation.exclusion import Exclusion
from hemashift.evaluation.from_tables import labelled_hashes
from hemashift.model.bundle import TWO_SOURCES, Bundle, shipped_models
from hemashift.taxonomy import CLASSES


def said(paths: list[str], monocyte: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"path": paths, "p_monocyte": monocyte, "p_neutrophil": 1 - np.array(monocyte)}
    )


def true(paths: list[str], labels: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"path": paths, "label": labels})


def test_rows_are_matched_by_path_not_by_place() -> None:
    result = evaluate(
        said(["/d/a.png", "/d/b.png", "/d/c.png"], [0.9, 0.2, 0.3]),
        true(["c.png", "a.png", "b.png"], ["neutrophil", "monocyte", "band neutrophil"]),
    )
    assert result.overall["accuracy"].estimate == 1
    assert result.matching.matched == 3
    assert result.paths == ("/d/c.png", "/d/a.png", "/d/b.png")


def test_every_row_that_is_left_out_is_named() -> None:
    predictions = said(
        ["ok.png", "extra.png", "twice.png", "twice.png", "same.png", "same.png", "odd.png"],
        [0.9, 0.9, 0.9, 0.1, 0.8, 0.8, 0.7],
    )
    bad = pd.DataFrame({"path": ["broken.png"], "error": ["truncated"]})
    labels = true(
        ["ok.png", "ok.png", "lost.png", "twice.png", "same.png", "odd.png", "broken.png"],
        ["MO", "monocyte", "MO", "MO", "NGS", "artefact", "MO"],
    )
    more = true(["unclear.png", "unclear.png", "empty.png"], ["MO", "NGS", ""])
    result = evaluate(
        pd.concat([predictions, said(["unclear.png", "empty.png"], [0.5, 0.5]), bad]),
        pd.concat([labels, more]),
    )
    matching = result.matching
    assert result.paths == ("ok.png", "same.png")
    assert matching.without_prediction == ("lost.png", "twice.png")
    assert matching.without_truth == ("extra.png", "unclear.png", "empty.png")
    assert matching.repeated_predictions == ("twice.png",)
    assert matching.repeated_truth == ("ok.png",)
    assert matching.contradictory_truth == ("unclear.png",)
    assert matching.unlabelled == ("empty.png",)
    assert matching.outside == {"artefact": 1}
    assert matching.outside_called == {"monocyte": 1}
    assert matching.failed == {"broken.png": "truncated"}
    assert len(matching.warnings()) == 8


def test_cells_used_for_adaptation_are_left_out_by_path_and_by_hash(tmp_path: Path) -> None:
    paths = [f"{name}.png" for name in "abcde"]
    for path in paths:
        (tmp_path / path).write_bytes(path.encode())
    predictions = said(paths, [0.9, 0.8, 0.2, 0.1, 0.7])
    labels = true(paths, ["MO", "NGS", "NGS", "NGS", "MO"])
    digest = hashlib.sha256(b"c.png").hexdigest()
    result = evaluate(predictions, labels, images=tmp_path, exclude={"/else/a.png", digest})
    # "/else/a.png" ends in "a.png", the whole path of the prediction.
    assert result.paths == ("b.png", "d.png", "e.png")
    assert result.matching.excluded == ("a.png", "c.png")
    assert result.matching.unchecked == 0
    card = {"provenance": {"adaptation": {"labelled_sha256": [digest.upper()]}}}
    assert evaluate(predictions, labels, images=tmp_path, model=card).matching.excluded == (
        "c.png",
    )


def test_images_that_are_not_there_cannot_be_checked_and_that_is_said() -> None:
    result = evaluate(said(["gone.png"], [0.9]), true(["gone.png"], ["MO"]), exclude={"0" * 64})
    assert result.matching.unchecked == 1
    assert any("may have been used" in warning for warning in result.warnings)


def test_cells_of_a_patient_seen_in_adaptation_are_pointed_out() -> None:
    labels = true(list("abcd"), ["MO", "MO", "NGS", "NGS"]).assign(patient=list("1123"))
    result = evaluate(said(list("abcd"), [0.9, 0.9, 0.1, 0.1]), labels, exclude={"a"})
    assert result.matching.same_group == 1
    assert result.groups is None  # every cell left is a patient of its own


def test_patients_of_another_table_that_the_model_has_seen_are_pointed_out() -> None:
    labels = true(list("bcd"), ["MO", "NGS", "NGS"]).assign(patient=list("123"))
    seen = Exclusion(frozenset({"a"}), frozenset({"1", "9"}))
    result = evaluate(said(list("bcd"), [0.9, 0.1, 0.1]), labels, exclude=seen)
    assert (result.matching.same_group, result.matching.excluded) == (1, ())
    assert any("same patient or smear" in warning for warning in result.warnings)


def test_a_failed_image_counts_only_where_it_has_a_label() -> None:
    predictions = said(["a.png", "b.png", "c.png"], [0.9, 0.1, 0.1])
    predictions["error"] = ["", "truncated", "truncated"]
    result = evaluate(predictions, true(["a.png", "b.png"], ["MO", "NGS"]))
    assert result.matching.failed == {"b.png": "truncated"}
    assert result.matching.without_prediction == ()


def test_groups_are_taken_from_the_labels_unless_refused() -> None:
    labels = true(list("abcd"), ["MO", "MO", "NGS", "NGS"]).assign(patient=list("1122"))
    predictions = said(list("abcd"), [0.9, 0.9, 0.1, 0.1])
    assert evaluate(predictions, labels).groups == tuple("1122")
    assert evaluate(predictions, labels, grouped=False).groups is None


def test_boxes_tell_cells_apart() -> None:
    boxes = pd.DataFrame({"x_min": [0, 10], "y_min": [0, 10], "x_max": [9, 19], "y_max": [9, 19]})
    predictions = pd.concat([said(["f.png"] * 2, [0.9, 0.1]), boxes], axis=1)
    labels = pd.concat([true(["f.png"] * 2, ["NGS", "MO"]), boxes[::-1].reset_index()], axis=1)
    result = evaluate(predictions, labels)
    assert len(result) == 2
    assert set(result.boxes) == {(0, 0, 9, 9), (10, 10, 19, 19)}
    assert result.overall["accuracy"].estimate == 1


def test_a_label_without_a_box_belongs_to_no_cell_of_an_image_with_two() -> None:
    corners = {"x_min": [0, 9, 0], "y_min": 0, "x_max": [5, 14, 5], "y_max": 5}
    said = pd.DataFrame(
        {
            "path": ["a.png", "a.png", "b.png"],
            **corners,
            "p_monocyte": [0.9, 0.2, 0.9],
            "p_neutrophil": [0.1, 0.8, 0.1],
        }
    )
    true = pd.DataFrame({"path": ["a.png", "b.png"], "label": ["MO", "MO"]})
    found = evaluate(said, true)
    assert found.matching.matched == 1
    assert found.matching.without_prediction == ("a.png",)


def test_nothing_in_common_is_an_error_that_says_why() -> None:
    with pytest.raises(TableError, match="without a prediction"):
        evaluate(said(["a.png"], [0.9]), true(["b.png"], ["MO"]))


def test_hashes_are_found_at_any_depth() -> None:
    assert labelled_hashes({"a": {"b": {"labelled_sha256": ["X"]}}, "c": 1}) == {"x"}
    assert labelled_hashes({}) == frozenset()


def test_cells_without_a_class_are_counted_and_the_others_have_an_error_of_their_own() -> None:
    paths = list("abcdef")
    predictions = said(paths, [0.9, 0.9, 0.6, 0.4, 0.2, 0.8]).assign(
        label=["monocyte", "monocyte", "unidentified", "unidentified", "outside", "outside"]
    )
    labels = true(paths, ["MO", "NGS", "NGS", "NGS", "NGS", "artefact"])
    result = evaluate(predictions, labels)
    assert result.matching.outside_called == {"outside": 1}
    assert result.without_class == {"unidentified": 2, "outside": 1}
    assert (result.kept.cells, result.kept.wrong, result.kept.error.estimate) == (2, 1, 0.5)
    text = " ".join(result.warnings)
    assert "Called 2 unidentified, 1 outside: such cells are scored by their most probable" in text
    assert "Wrong among the 2 that kept a class: 1, error 0.500 (0.013 to 0.987)." in text
    assert "The model called them outside 1." in text


def test_a_cell_with_a_class_in_one_row_and_none_in_another_is_left_out() -> None:
    predictions = said(["a", "a", "b"], [0.9, 0.9, 0.9]).assign(
        label=["monocyte", "unidentified", "monocyte"]
    )
    result = evaluate(predictions, true(["a", "b"], ["MO", "MO"]))
    assert result.matching.repeated_predictions == ("a",)


def test_a_model_is_given_as_it_is_or_by_its_place() -> None:
    folder = shipped_models()[TWO_SOURCES]
    model = Bundle.load(folder)
    predictions = pd.DataFrame({"path": ["a"], **{f"p_{one}": [1 / 6] for one in CLASSES}})
    for given in (model, folder, TWO_SOURCES, model.facts):
        result = evaluate(predictions, true(["a"], ["MO"]), model=given)
        assert (result.model["name"], result.model["hash"]) == (TWO_SOURCES, model.hash)
