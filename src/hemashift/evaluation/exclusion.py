"""Leaving out the cells that a model was adapted with: it has seen their labels."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hemashift.columns import groups_in
from hemashift.errors import ImageError, TableError
from hemashift.evaluation.matching import join_path, normalise_path, path_ends
from hemashift.files import on_disk
from hemashift.images.archive import read_bytes
from hemashift.tables import read_table

_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Exclusion:
    """Which cells a model has seen the labels of.

    Attributes:
        cells: Image paths, or SHA-256 hashes of image files; such cells are left out.
        groups: Patients or smears that they are from; other cells of these are scored, and
            counted in a warning.
    """

    cells: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


def labelled_hashes(card: Mapping[str, Any]) -> frozenset[str]:
    """Return the hashes of the images that a model was adapted with.

    Args:
        card: A model's card as a dictionary. `labelled_sha256` is looked for at any depth,
            so that it does not matter under which heading the adaptation is described.

    Examples:
        >>> sorted(labelled_hashes({"adaptation": {"labelled_sha256": ["ab", "cd"]}}))
        ['ab', 'cd']
    """
    found: set[str] = set()
    for name, value in card.items():
        if name == "labelled_sha256" and isinstance(value, Iterable):
            found.update(str(one).lower() for one in value)
        elif isinstance(value, Mapping):
            found |= labelled_hashes(value)
    return frozenset(found)


def read_exclusion(path: str | Path) -> Exclusion:
    """Read which cells to leave out, such as the label file that a model was adapted with.

    Args:
        path: A table with a column path, or sha256, or both, and perhaps one of
            `columns.GROUP_COLUMNS`. Relative paths are made absolute where the image lies beside
            the table.

    Returns:
        What `hemashift.evaluation.evaluate` takes.

    Raises:
        TableError: If the table cannot be read or has neither column.
    """
    frame = read_table(path)
    if "path" not in frame and "sha256" not in frame:
        raise TableError(
            "the table of cells to leave out has neither paths nor hashes",
            expected="a column path or sha256",
            found=", ".join(map(str, frame.columns)),
            where=path,
        )
    found = {str(one) for one in frame.get("sha256", ()) if one}
    root = str(Path(path).resolve().parent)
    for name in frame.get("path", ()):
        if name:
            found.add(_located(join_path(root, normalise_path(str(name)))) or str(name))
    return Exclusion(frozenset(found), frozenset(groups_in(frame) or ()) - {""})


def find_excluded(
    cells: Sequence[tuple[str, ...]], exclude: Iterable[str], roots: tuple[str, ...] = ()
) -> tuple[set[int], int]:
    """Find the cells that are to be left out.

    In doubt a cell is left out: leaving out too many costs precision, keeping one that the
    model knows makes the score a lie. Where both the image of a cell and the path to leave
    out are known to exist, only the same place counts; otherwise it is enough that one path
    is the end of the other.

    Args:
        cells: One tuple a cell: the paths by which it is known.
        exclude: Paths, or SHA-256 hashes of image files.
        roots: For each path of a cell, the folder it starts from, empty if not known.

    Returns:
        The positions of the cells to leave out, and how many cells could not be checked
        because a hash was given and the image is not there.

    Examples:
        >>> find_excluded([("a/1.png",), ("a/2.png",)], ["/data/a/2.png"])
        ({1}, 0)
    """
    given = {one.strip() for one in exclude} - {""}
    if not given:
        return set(), 0
    seen = _Seen(given)
    answers = [seen.holds(paths, roots or ("",) * len(paths)) for paths in cells]
    return {i for i, answer in enumerate(answers) if answer}, answers.count(None)


class _Seen:
    """What is to be left out: known by where it is, how it is called, or what is in it.

    Args:
        given: Paths, or SHA-256 hashes of image files.
    """

    def __init__(self, given: set[str]) -> None:
        self._hashes = {one.lower() for one in given if _HASH.fullmatch(one.lower())}
        names = {normalise_path(one) for one in given if one.lower() not in self._hashes}
        located = {name: place for name in names if (place := _located(name))}
        self._places = set(located.values())
        self._names = _Names(names)
        self._not_located = _Names(names.difference(located))

    def holds(self, paths: tuple[str, ...], roots: tuple[str, ...]) -> bool | None:
        """Say whether a cell is among it; None where a hash would tell and no image is there."""
        plain = [normalise_path(path) for path in paths]
        rooted = [join_path(root, path) for root, path in zip(roots, plain, strict=True)]
        place = next(filter(None, map(_located, rooted)), None)
        names = self._not_located if place else self._names
        if place in self._places or any(map(names.hold, plain)):
            return True
        return self._holds_content([place, *rooted]) if self._hashes else False

    def _holds_content(self, places: list[str | None]) -> bool | None:
        # A file within a zip is not found on disk but can be read all the same.
        digest = next(filter(None, map(_hash, filter(None, places))), None)
        return None if digest is None else digest in self._hashes


class _Names:
    """Paths, of which the first folders need not be known.

    Args:
        names: The paths, normalised.
    """

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self._ends = {end for name in names for end in path_ends(name)}

    def hold(self, path: str) -> bool:
        """Say whether a path is the end of one of them, or one of them is its end."""
        return path.strip("/") in self._ends or any(
            end in self._names or "/" + end in self._names for end in path_ends(path)
        )


def _located(path: str) -> str | None:
    """Return where a file is, or None if there is no such file."""
    place = on_disk(Path(path))
    return str(place.resolve()) if place.is_absolute() and place.is_file() else None


def _hash(place: str) -> str | None:
    try:
        return hashlib.sha256(read_bytes(place)).hexdigest()
    except ImageError:
        return None
