"""Leaving out the cells that a model was adapted with: it has seen their labels."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hemashift.errors import ImageError, TableError
from hemashift.evaluation.columns import groups_in
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
            found.add(_located(root, normalise_path(str(name))) or str(name))
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
    given = {one.strip() for one in exclude}
    hashes = {one.lower() for one in given if _HASH.fullmatch(one.lower())}
    names = {normalise_path(one) for one in given if one and one.lower() not in hashes}
    on_disk = {name: place for name in names if (place := _located("", name))}
    places, loose = set(on_disk.values()), names.difference(on_disk)
    ends_of_all = {end for name in names for end in path_ends(name)}
    ends_of_loose = {end for name in loose for end in path_ends(name)}
    found: set[int] = set()
    unchecked = 0
    roots = roots or ("",) * (len(cells[0]) if cells else 0)
    for position, paths in enumerate(cells if names or hashes else ()):
        plain = [normalise_path(path) for path in paths]
        located = [_located(root, path) for root, path in zip(roots, plain, strict=True)]
        here = next((place for place in located if place), None)
        against, ends = (loose, ends_of_loose) if here else (names, ends_of_all)
        if here in places or any(_alike(path, against, ends) for path in plain):
            found.add(position)
        elif hashes:
            digest = None if here is None else _hash(here)
            # A file within a zip is not found on disk but can be read all the same.
            digest = digest or next(filter(None, map(_hash, map(join_path, roots, plain))), None)
            unchecked += digest is None
            if digest in hashes:
                found.add(position)
    return found, unchecked


def _alike(path: str, names: set[str], ends: set[str]) -> bool:
    return path.strip("/") in ends or any(
        end in names or "/" + end in names for end in path_ends(path)
    )


def _located(root: str, path: str) -> str | None:
    """Return where a file is, or None if there is no such file."""
    place = on_disk(Path(join_path(root, path)))
    return str(place.resolve()) if place.is_absolute() and place.is_file() else None


def _hash(place: str) -> str | None:
    try:
        return hashlib.sha256(read_bytes(place)).hexdigest()
    except ImageError:
        return None
