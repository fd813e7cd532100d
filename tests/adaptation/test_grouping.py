"""Cells of one patient, smear or file belong together, as far as that can be cross-validated."""

from __future__ import annotations

from hemashift.adaptation.grouping import grouped

TWO = ["monocyte", "neutrophil"]


def test_names_and_copies_are_joined() -> None:
    """The copies a and a bring patients 1 and 2 together."""
    groups, notes = grouped(list("abacdefg"), list("11223456"), TWO * 4)
    assert groups == ("a", "a", "a", "a", "d", "e", "f", "g")
    assert notes == ["Cells of one smear or patient stay together in cross-validation: 5 groups."]


def test_cells_without_a_name_are_groups_of_their_own() -> None:
    groups, _ = grouped(list("abcdef"), ["1", "1", "", "", "", ""], TWO * 3)
    assert groups == ("a", "a", "c", "d", "e", "f")


def test_names_that_say_nothing_new_are_passed_over() -> None:
    assert grouped(list("abcdef"), [""] * 6, TWO * 3) == ((), [])
    assert grouped(list("abcdef"), list("123456"), TWO * 3) == ((), [])
    assert grouped(list("aabcde"), list("112345"), TWO * 3) == ((), [])


def test_too_few_groups() -> None:
    groups, notes = grouped(list("abcdefgh"), list("11223344"), TWO * 4)
    assert groups == ()
    assert "5 or more are needed, and there are 4" in notes[0]
    assert "too good for new patients" in notes[0]


def test_a_class_from_one_patient_only() -> None:
    labels = ["basophil", "basophil", *TWO * 3]
    groups, notes = grouped(list("abcdefgh"), list("11234567"), labels)
    assert groups == ()
    assert "all cells of basophil are of one" in notes[0]
    # The others are kept apart all the same.
    labels = ["basophil", "basophil", *TWO * 4]
    groups, notes = grouped(list("abcdefghij"), list("1112334567"), labels)
    assert groups == ("a", "b", "c", "d", "e", "e", "g", "h", "i", "j")
    assert "9 groups" in notes[0]
    assert "But for basophil" in notes[1]
    # A single cell, or copies of one, are in one group anyway.
    assert grouped(list("aacdefgh"), list("11233456"), labels[:8])[0]
