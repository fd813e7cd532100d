"""Copies and smears: which of them matter, and how much."""

from __future__ import annotations

import numpy as np
import pytest

from hemashift.audit.copies import copy_findings
from hemashift.audit.findings import Finding, in_order
from hemashift.audit.smears import smear_findings

NAMES = tuple("abcdefgh")


def test_one_cell_with_two_labels_is_an_error() -> None:
    cells = np.array([0, 1, 0, 2])
    (found,) = copy_findings(cells, ("monocyte", "monocyte", "lymphocyte", None), NAMES[:4])
    assert found.severity == "error"
    assert found.paths == ("a", "c")
    assert found.captions == ("cell 1: monocyte", "cell 1: lymphocyte")
    assert found.sentence == "1 cell is shown by several images with different labels."


def test_one_cell_with_one_label_twice_is_a_note() -> None:
    (found,) = copy_findings(np.array([0, 1, 1, 0]), ("x", "y", "y", "x"), NAMES[:4])
    assert found.severity == "note"
    assert found.sentence == "2 cells are labelled more than once, with one label."
    assert found.captions == ("cell 1: x", "cell 1: x", "cell 2: y", "cell 2: y")


def test_copies_without_a_label_are_a_warning() -> None:
    (found,) = copy_findings(np.array([0, 0, 0, 1, 1]), (None, "x", None, None, None), NAMES[:5])
    assert found.severity == "warning"
    assert found.paths == ("b", "a", "c")
    assert found.sentence.startswith("2 images without label show a cell")
    assert "scored" in found.suggestion


def test_different_cells_are_no_finding() -> None:
    assert copy_findings(np.arange(3), ("x", "y", None), NAMES[:3]) == []
    assert copy_findings(np.empty(0, np.int64), (), ()) == []


@pytest.mark.parametrize(
    ("labels", "smears", "found"),
    [
        ("mmmmnn", "AAAAAB", ["m"]),
        ("mmmmnn", "AAABAB", []),
        ("mmnn", "AAAB", []),  # two cells may well be of one smear
        ("mmmnnn", "AAAAAA", []),  # one smear only
        ("mmmnnn", "AAABBB", []),  # a folder a class
        ("mmmnnnx", "AAABBBB", ["m", "n"]),
    ],
)
def test_classes_of_one_smear(labels: str, smears: str, found: list[str]) -> None:
    findings = smear_findings(list(labels), list(smears), [str(i) for i in range(len(labels))])
    assert [one.sentence.split(" come")[0].split()[-1] for one in findings] == found
    assert all(one.kind == "one smear" for one in findings)


def test_findings_are_checked_and_ordered() -> None:
    with pytest.raises(ValueError, match="1 images but 2 captions"):
        Finding("copies", "note", "", "", ("a",), ("b", "c"))
    kinds = [Finding("copies", severity, "", "") for severity in ("note", "error", "warning")]
    assert [one.severity for one in in_order(kinds)] == ["error", "warning", "note"]
