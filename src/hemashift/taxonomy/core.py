"""Cell types, and how a label is resolved to a type and rolled up to a class."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hemashift.errors import TaxonomyError
from hemashift.taxonomy.classes import CLASSES


@dataclass(frozen=True)
class CellType:
    """One type of cell.

    Attributes:
        code: Short code, such as `NGS`.
        name: Name in full, such as `segmented neutrophil`.
        parent: Code of the type that this one is a kind of, or None.
        main_class: The one of the six `CLASSES` that it counts as, or None.
        cell_ontology_id: Id of the same cell type in the Cell Ontology, or None.
        synonyms: Other names and codes in use.
    """

    code: str
    name: str
    parent: str | None = None
    main_class: str | None = None
    cell_ontology_id: str | None = None
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taxonomy:
    """The cell types and the classes that they are sorted into.

    Build one with `default_taxonomy` or, for classes of your own, `Taxonomy.from_file`.

    Attributes:
        types: Cell types by code.
        classes: The classes to sort into; the six of the paper by default.
        series: Maturation series by name, each the codes from the youngest to the oldest.
        labels: A user's own labels, normalised, each with its class or None for outside.

    Examples:
        >>> from hemashift.taxonomy import default_taxonomy
        >>> taxonomy = default_taxonomy()
        >>> taxonomy.resolve("Neutrophil (segmented)").code
        'NGS'
        >>> taxonomy.main_class("nRBC"), taxonomy.main_class("promyelocytes")
        ('erythroblast', None)
        >>> taxonomy.roll_up("NGB", ["granulocyte", "lymphocyte"])
        'granulocyte'
    """

    types: Mapping[str, CellType]
    classes: tuple[str, ...] = CLASSES
    series: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    labels: Mapping[str, str | None] = field(default_factory=dict)
    _index: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", _index(self.types.values()))

    @classmethod
    def from_file(cls, path: str | Path) -> Taxonomy:
        r"""Read a laboratory's own classes and label mapping, on top of the built-in types.

        The file is TOML or JSON and may hold `classes` (list of names), `labels` (a table from
        your label to one of the classes, or to `"outside"`), `types` (further cell types, as in
        `cell_types.toml`) and `maturation` (lists of codes). All are optional.

        Args:
            path: The `.toml` or `.json` file.

        Returns:
            The taxonomy, checked for contradictions.

        Raises:
            TaxonomyError: If the file cannot be read, has unknown keys, or contradicts itself.

        Examples:
            >>> import tempfile
            >>> path = Path(tempfile.mkdtemp()) / "classes.toml"
            >>> _ = path.write_text('classes = ["granulocyte", "lymphocyte", "monocyte"]\n'
            ...                     '[labels]\nK7 = "lymphocyte"\n')
            >>> ours = Taxonomy.from_file(path)
            >>> ours.main_class("K7"), ours.main_class("band"), ours.main_class("EBO")
            ('lymphocyte', 'granulocyte', None)
        """
        from hemashift.taxonomy.files import read_taxonomy

        return read_taxonomy(Path(path))

    def resolve(self, label: str) -> CellType | None:
        """Return the cell type that a label means, or None where it means none.

        Case, accents, spaces, punctuation, the order of the words, a plural `s` and a number in
        front (`01_basophil`) do not matter. `WBC` and the like mean no particular type, so they
        give None.
        """
        for key in (*keys(label), *keys(re.sub(r"^\d+[\W_]+", "", label))):
            if key in self._index:
                return self.types[self._index[key]]
        return None

    def main_class(self, label: str | None) -> str | None:
        """Return the class that a label counts as, or None for outside and unknown labels."""
        if label is None:
            return None
        for key in keys(label):
            if key in self.labels:
                return self.labels[key]
        return self.roll_up(label, self.classes)

    def ancestors(self, code: str) -> tuple[str, ...]:
        """Return the codes that a type is a kind of, the nearest first.

        Raises:
            TaxonomyError: If there is no such code.

        Examples:
            >>> from hemashift.taxonomy import default_taxonomy
            >>> default_taxonomy().ancestors("NGB")
            ('NEU', 'GRA')
        """
        if code not in self.types:
            raise TaxonomyError(f"unknown cell code {code!r}", expected=", ".join(self.types))
        found: list[str] = []
        parent = self.types[code].parent
        while parent is not None:
            found.append(parent)
            parent = self.types[parent].parent
        return tuple(found)

    def roll_up(self, label: str, classes: Iterable[str]) -> str | None:
        """Return the nearest of `classes` that a label is, or is a kind of.

        A type that is kept outside the class of its parent (an atypical lymphocyte) does not
        roll up past itself.

        Args:
            label: Any label that `resolve` knows, or one of `classes` itself.
            classes: Names of classes; each may be any label that `resolve` knows.

        Returns:
            The class as it is written in `classes`, or None.
        """
        by_code: dict[str, str] = {}
        for name in classes:
            if keys(name)[0] == keys(label)[0]:
                return name
            known = self.resolve(name)
            if known is not None:
                by_code.setdefault(known.code, name)
        cell = self.resolve(label)
        while cell is not None:
            if cell.code in by_code:
                return by_code[cell.code]
            parent = None if cell.parent is None else self.types[cell.parent]
            stays = parent is None or parent.main_class not in (None, cell.main_class)
            cell = None if stays else parent
        return None

    def stage(self, label: str) -> tuple[str, int] | None:
        """Return the maturation series and the place in it (0 the youngest), or None.

        Examples:
            >>> from hemashift.taxonomy import default_taxonomy
            >>> default_taxonomy().stage("metamyelocyte")
            ('granulopoiesis', 3)
        """
        cell = self.resolve(label)
        for name, codes in self.series.items():
            if cell is not None and cell.code in codes:
                return name, codes.index(cell.code)
        return None

    def check(self) -> None:
        """Refuse parents and stages that do not exist, circles, and one class named twice."""
        for cell in self.types.values():
            seen = {cell.code}
            parent = cell.parent
            while parent is not None:
                if parent not in self.types:
                    raise TaxonomyError(
                        f"{cell.code} has the parent {parent!r}, which is not a cell code"
                    )
                if parent in seen:
                    raise TaxonomyError(f"{cell.code} is, in a circle, a kind of itself")
                seen.add(parent)
                parent = self.types[parent].parent
        for name, codes in self.series.items():
            for code in codes:
                if code not in self.types:
                    raise TaxonomyError(
                        f"the maturation series {name!r} names {code!r}, which is not a cell code"
                    )
        meant: dict[str, str] = {}
        for name in self.classes:
            known = self.resolve(name)
            key = keys(name)[0] if known is None else known.code
            if key in meant:
                raise TaxonomyError(f"the classes {meant[key]!r} and {name!r} mean the same cell")
            meant[key] = name


def keys(label: str) -> tuple[str, str]:
    """Normalise a label in two ways: its words in order, run together; and its words sorted."""
    apart = unicodedata.normalize("NFKD", label)
    # Accents of Latin, Greek and Cyrillic letters; in other scripts such marks are letters.
    plain = unicodedata.normalize("NFKC", re.sub("[\u0300-\u036f]", "", apart)).casefold()
    words = re.findall(r"[^\W_]+", plain) or [plain]
    # A plural s is dropped from words long enough not to be a code such as BAS or NGS.
    words = [
        w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith("ss") else w for w in words
    ]
    return "".join(words), " ".join(sorted(words))


def _index(types: Iterable[CellType]) -> dict[str, str]:
    index: dict[str, str] = {}
    for cell in types:
        for name in (cell.code, cell.name, *cell.synonyms):
            for key in keys(name):
                if index.setdefault(key, cell.code) != cell.code:
                    raise TaxonomyError(f"{name!r} names both {index[key]} and {cell.code}")
    return index
