"""Cell types: codes, synonyms, what is a kind of what, and the classes they count as.

Every dataset names the same cell differently: `NGS`, `SNE`, `segs` and `segmented neutrophil`
are one type, which counts as the class `neutrophil`. The codes are those of the glossary of
Chossegros et al. 2024 and of the datasets that the paper collects; the types themselves are
in `cell_types.toml`, in the format that a user's own file has too.
"""

from hemashift.taxonomy.classes import CLASS_COLOURS, CLASSES, OUTSIDE, class_name_fault
from hemashift.taxonomy.core import CellType, Taxonomy
from hemashift.taxonomy.files import default_taxonomy

__all__ = [
    "CLASSES",
    "CLASS_COLOURS",
    "OUTSIDE",
    "CellType",
    "Taxonomy",
    "class_name_fault",
    "default_taxonomy",
]
