"""How a class is told apart on the page: by colour, by a short code and by its key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hemashift.app.project import OUTSIDE, UNIDENTIFIED
from hemashift.reports.style import class_colours
from hemashift.taxonomy import CLASS_COLOURS, default_taxonomy

KEYS = "123456789qetyophjk"
"""Keys of the classes in order; the letters left out are commands of the pages."""

_DARK, _LIGHT = "#101316", "#ffffff"
_BINS = {UNIDENTIFIED: ("?", "u"), OUTSIDE: ("OUT", "n")}


@dataclass(frozen=True)
class ClassStyle:
    """How a class, or one of the two bins beside the classes, looks.

    Attributes:
        index: Its number, which is also that of its style, `k0`, `k1`, ...
        name: The class.
        code: A short code of at most four letters.
        key: The key that gives it; empty beyond the last key.
        colour: Its colour, as in reports.
        ink: Black or white, whichever is read better on the colour.
        bin: Whether it is one of the two bins.
    """

    index: int
    name: str
    code: str
    key: str
    colour: str
    ink: str
    bin: bool = False


def class_styles(classes: Sequence[str]) -> list[ClassStyle]:
    """Return the styles of classes, then those of the bins `unidentified` and `outside`.

    Examples:
        >>> [(one.code, one.key) for one in class_styles(["neutrophil", "odd cell"])]
        [('NEU', '1'), ('ODD', '2'), ('?', 'u'), ('OUT', 'n')]
    """
    colours = class_colours(classes)
    styles: list[ClassStyle] = []
    for index, name in enumerate(classes):
        code = _code(name, {one.code for one in styles})
        key = KEYS[index] if index < len(KEYS) else ""
        ink = _ink(colours[name])
        styles.append(ClassStyle(index, name, code, key, colours[name], ink))
    for name, (code, key) in _BINS.items():
        colour = CLASS_COLOURS[OUTSIDE]
        styles.append(ClassStyle(len(styles), name, code, key, colour, _ink(colour), bin=True))
    return styles


def style_sheet(styles: Sequence[ClassStyle]) -> str:
    """Return the style sheet that gives the colours; only numbers and colours go into it."""
    return "".join(
        f".k{one.index}{{--class:{one.colour};--class-ink:{one.ink}}}\n" for one in styles
    )


def _code(name: str, taken: set[str]) -> str:
    """Return the code of the taxonomy, else the first letters, told apart by a number."""
    known = default_taxonomy().resolve(name)
    first = known.code if known else "".join(filter(str.isalnum, name)).upper()[:3] or "X"
    if first not in taken:
        return first
    return next(f"{first[:3]}{n}" for n in range(2, 99) if f"{first[:3]}{n}" not in taken)


def _ink(colour: str) -> str:
    """Return the text colour with the higher contrast (WCAG 2.2, relative luminance)."""
    dark, light, ground = (_luminance(one) for one in (_DARK, _LIGHT, colour))
    on_dark = (ground + 0.05) / (dark + 0.05)
    on_light = (light + 0.05) / (ground + 0.05)
    return _DARK if on_dark >= on_light else _LIGHT


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
