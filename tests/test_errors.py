"""What an error shows on a terminal is its own, whatever files are called."""

from __future__ import annotations

from hemashift.errors import HemashiftError


def test_names_of_files_forge_nothing() -> None:
    error = HemashiftError(
        "it failed",
        found="a.bmp\n\x1b]0;title\x07b.bmp",
        where="c\nhemashift: all is well\u202e.bmp",
    )
    assert str(error).split("\n") == [
        "it failed",
        "  found: a.bmp",
        r"    \x1b]0;title\x07b.bmp",
        r"  where: c\nhemashift: all is well\u202e.bmp",
    ]


def test_letters_of_any_script_stay() -> None:
    assert "Zellbläschen 細胞" in str(HemashiftError("it failed", where="Zellbläschen 細胞"))
