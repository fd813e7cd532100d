"""Paths are matched when there is no doubt, and left alone when there is."""

from __future__ import annotations

import pytest

from hemashift.evaluation.matching import Matching, match_paths, normalise_path


@pytest.mark.parametrize(
    ("truth", "predicted"),
    [
        ("a/1.png", "a/1.png"),
        ("a\\1.png", "a/1.png"),
        ("./a/1.png", "a/1.png"),
        ("1.png", "/data/a/1.png"),
        ("/data/a/1.png", "a/1.png"),
        ("../a/1.png", "/data/a/1.png"),
        ("x/1.png", "cells.zip!/x/1.png"),
        ("\u00e4.png", "/data/a\u0308.png"),
    ],
)
def test_one_path_written_in_two_ways(truth: str, predicted: str) -> None:
    assert match_paths([truth], [predicted, "other/2.png"]) == [0]


@pytest.mark.parametrize(
    ("truth", "predicted"),
    [("a/1.png", "b/1.png"), ("11.png", "1.png"), ("A/1.png", "a/1.png"), ("1.jpg", "1.png")],
)
def test_different_images_stay_apart(truth: str, predicted: str) -> None:
    assert match_paths([truth], [predicted]) == [None]


def test_ambiguity_is_no_match_in_either_direction() -> None:
    assert match_paths(["1.png"], ["a/1.png", "b/1.png"]) == [None]
    assert match_paths(["a/1.png", "b/1.png"], ["1.png"]) == [None, None]


def test_exact_wins_over_the_end() -> None:
    assert match_paths(["1.png", "a/1.png"], ["a/1.png", "1.png"]) == [1, 0]


def test_roots_settle_what_the_end_cannot() -> None:
    predicted = ["/data/a/1.png", "/data/b/a/1.png"]
    assert match_paths(["a/1.png"], predicted) == [None]
    assert match_paths(["a/1.png"], predicted, truth_root="/data") == [0]
    assert match_paths(["/data/a/1.png"], ["a/1.png"], predicted_root="/data") == [0]


def test_boxes_tell_cells_of_one_image_apart() -> None:
    boxes = ([(0, 0, 5, 5), (5, 5, 9, 9)], [(5, 5, 9, 9), (0, 0, 5, 5)])
    assert match_paths(["f.png"] * 2, ["/d/f.png"] * 2, boxes=boxes) == [1, 0]


def test_many_equal_names_stay_fast() -> None:
    truth = [f"{i}/cell.png" for i in range(20_000)]
    assert match_paths(truth, [f"/d/{path}" for path in truth]) == list(range(20_000))


def test_leading_detours_are_dropped() -> None:
    assert normalise_path("../../a/./b/../1.png") == "a/1.png"


def test_a_clean_match_has_nothing_to_say_and_the_rest_is_said_with_numbers() -> None:
    assert Matching(matched=5).warnings() == []
    found = Matching(
        without_prediction=("x.png", "y.png"),
        outside={"artefact": 3, "smudge": 1},
        outside_called={"monocyte": 4},
        excluded=("z.png",),
        failed={"bad.png": "truncated"},
        unchecked=2,
        same_group=7,
    ).warnings()
    text = "\n".join(found)
    for part in ("2 cells in the labels", "x.png", "artefact 3, smudge 1", "monocyte 4"):
        assert part in text
    for part in ("1 cell left out", "bad.png (truncated)", "2 cells may", "7 cells evaluated"):
        assert part in text
