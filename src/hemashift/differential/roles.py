"""What a class of cells is in a differential count."""

from __future__ import annotations

from enum import StrEnum

from hemashift.taxonomy import OUTSIDE, Taxonomy, default_taxonomy


class Role(StrEnum):
    """What a class is in the count (CLSI H20-A2).

    Attributes:
        LEUCOCYTE: In the count; reported in percent of all leucocytes.
        PER_100: Nucleated, but no leucocyte or not intact: erythroblasts, megakaryocytes, smudge
            cells. Beside the count; reported per 100 leucocytes.
        OUTSIDE: Not reported: artefacts, platelets, erythrocytes, whatever is no cell.
        UNIDENTIFIED: Not identified yet; a count with such cells is not finished.
    """

    LEUCOCYTE = "leucocyte"
    PER_100 = "per 100 leucocytes"
    OUTSIDE = "outside"
    UNIDENTIFIED = "unidentified"


# Codes of the taxonomy; every kind of such a cell has the same role.
_MEMBERS = {
    Role.PER_100: ("EBO", "PEB", "MEG", "KSC"),
    Role.OUTSIDE: ("PLA", "RBC", "ART"),
    Role.UNIDENTIFIED: ("NIF",),
}


def role_of(name: str, taxonomy: Taxonomy | None = None) -> Role:
    """Return what a class is in the count; a name that means nothing known is a leucocyte.

    Args:
        name: The class, or a code or synonym.
        taxonomy: What names mean; the built-in one by default.

    Examples:
        >>> for name in ("neutrophil", "nRBC", "basophilic erythroblast", "artefact"):
        ...     print(role_of(name))
        leucocyte
        per 100 leucocytes
        per 100 leucocytes
        outside
    """
    if name == OUTSIDE:
        return Role.OUTSIDE
    known = taxonomy or default_taxonomy()
    cell = known.resolve(name)
    codes = set() if cell is None else {cell.code, *known.ancestors(cell.code)}
    for role, members in _MEMBERS.items():
        if codes.intersection(members):
            return role
    return Role.LEUCOCYTE
