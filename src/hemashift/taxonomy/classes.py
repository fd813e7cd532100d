"""The six classes and their colours."""

from __future__ import annotations

CLASSES: tuple[str, ...] = (
    "basophil",
    "eosinophil",
    "erythroblast",
    "lymphocyte",
    "monocyte",
    "neutrophil",
)
"""The six classes of the paper, in the order of a model's outputs."""

OUTSIDE = "outside"
"""How a cell that belongs to none of the classes is called in tables and figures."""

RESERVED = (OUTSIDE, "unidentified")
"""What stands in the place of a class in results, and so can be the name of none."""

LONGEST_NAME = 100
_FORMULA = ("=", "+", "-", "@")

CLASS_COLOURS: dict[str, str] = {
    "basophil": "#0072B2",
    "eosinophil": "#D55E00",
    "erythroblast": "#CC79A7",
    "lymphocyte": "#009E73",
    "monocyte": "#E69F00",
    "neutrophil": "#56B4E9",
    OUTSIDE: "#999999",
}
"""A colour a class, from the palette of Okabe and Ito, safe for colour-blind readers."""


def class_name_fault(name: str) -> str | None:
    """Say why a text cannot be the name of a class, or None if it can.

    Names become columns of tables and labels on pages: one line that prints, which no spreadsheet
    takes for a formula.

    Args:
        name: The name as it is to be kept.

    Examples:
        >>> class_name_fault("hairy cell") is None
        True
        >>> class_name_fault("outside")
        "'outside' stands for something else in results"
    """
    plain = name.strip()
    if not plain:
        return "a class has an empty name"
    if len(name) > LONGEST_NAME:
        return f"the name of a class is longer than {LONGEST_NAME} characters"
    if not name.isprintable():
        return f"the name of a class must be one line of characters that print, not {name!r}"
    if plain.casefold() in RESERVED:
        return f"{name!r} stands for something else in results"
    if plain.startswith(_FORMULA):
        return f"a spreadsheet would take the name of a class for a formula: {name!r}"
    return None
