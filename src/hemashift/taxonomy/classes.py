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
