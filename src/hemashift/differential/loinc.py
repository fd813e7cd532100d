"""LOINC codes of the classes of a differential count; the table is in `loinc.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from hemashift.taxonomy import Taxonomy, default_taxonomy


@dataclass(frozen=True)
class LoincTerm:
    """A term of LOINC.

    Attributes:
        code: Its number, such as "737-7".
        name: Its name.
        checked: How number and name were checked, see `loinc.toml`.
    """

    code: str
    name: str
    checked: str


def loinc_term(name: str, taxonomy: Taxonomy | None = None) -> LoincTerm | None:
    """Return the term for a class, or None where the table has none.

    Args:
        name: The class, or a code or synonym.
        taxonomy: What names mean; the built-in one by default.

    Examples:
        >>> loinc_term("lymphocyte").code, loinc_term("our own class")
        ('737-7', None)
    """
    cell = (taxonomy or default_taxonomy()).resolve(name)
    return None if cell is None else _table()[1].get(cell.code)


def panel() -> LoincTerm:
    """Return the term for the differential as a whole."""
    return _table()[0]


@cache
def _table() -> tuple[LoincTerm, dict[str, LoincTerm]]:
    file = resources.files("hemashift.differential") / "loinc.toml"
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    terms = {code: LoincTerm(**values) for code, values in document["codes"].items()}
    return LoincTerm(**document["panel"]), terms
